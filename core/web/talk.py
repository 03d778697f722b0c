"""One connection to a listener: what does not hold HTTP is answered and logged in closed words.

Left to itself, aiohttp quotes the bytes at which it stumbled, in its answer and with a traceback
in the log: a buyer's words, and as many lines as a stranger likes to write.
"""

from __future__ import annotations

from asyncio import get_running_loop
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import ClientPayloadError, web
from aiohttp.http import HttpProcessingError

from core import crash
from core.web.seldom import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable

SPOILT = (web.RequestPayloadError, ClientPayloadError, HttpProcessingError)
"""What reading a body raises that is not encoded or divided as its head says."""

UNREADABLE: web.AppKey[Callable[[], None]] = web.AppKey("unreadable")
"""Where an application keeps what is to be called for a request that never got to it."""

log = structlog.get_logger()


class Door:
    """What all connections to one listener share: how often what was said, and who counts."""

    def __init__(self, name: str, count: Callable[[], None]) -> None:
        self._name, self._count = name, count
        self._seldom = Seldom()

    def unreadable(self) -> None:
        """Count a request that is no HTTP; say so now and then."""
        self._count()
        if times := self._seldom.times("unreadable"):
            log.warning("request refused", listener=self._name, reason="unreadable", times=times)

    def crashed(self, bug: BaseException | None) -> None:
        """Say where a bug of ours is; what it says may quote the request."""
        error, where = type(bug).__name__, [] if bug is None else crash.places(bug)
        if times := self._seldom.times(("crashed", error)):
            log.error("request crashed", listener=self._name, error=error, trace=where, times=times)


class Talk(web.RequestHandler):
    """aiohttp's side of a connection, with words of our own where it would quote the other's."""

    __slots__ = ("_door",)

    def __init__(self, server: web.Server, door: Door) -> None:
        super().__init__(server, loop=get_running_loop(), access_log=None)  # type: ignore[arg-type]  # None is documented: no log
        self._door = door

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # it quotes the request
    ) -> web.StreamResponse:
        """Answer in a closed word.

        Raises:
            ConnectionError: nobody is there to be answered, or a part of another answer left.
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if isinstance(exc, SPOILT):
            self._door.unreadable()
            status, said = HTTPStatus.BAD_REQUEST, "unreadable\n"
        else:
            self._door.crashed(exc)
            said = "crashed\n"
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another answer has left")
        answer = web.Response(status=status, text=said)
        answer.force_close()
        return answer

    def log_exception(self, *_args: Any, **kw: Any) -> None:  # as aiohttp has it
        """Log a bug; the rest of a body that nobody asked for may be as spoilt as it likes."""
        bug = kw.get("exc_info")
        if not isinstance(bug, (*SPOILT, ConnectionError)):
            self._door.crashed(bug)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send *resp*, in our words where aiohttp quotes a header in it."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = web.Response(status=resp.status, text="nothing else is expected here\n")
        return await super().finish_response(request, resp, start_time)
