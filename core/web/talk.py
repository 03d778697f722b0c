"""One connection to a listener: what holds no HTTP, or is too slow, is told in closed words.

Left to itself, aiohttp quotes the bytes at which it stumbled, in its answer and with a traceback
in the log: a buyer's words, and as many lines as a stranger likes to write.
"""

from __future__ import annotations

from asyncio import get_running_loop
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiohttp import ClientPayloadError, web
from aiohttp.http import HttpProcessingError

from core import crash
from core.web.room import Guest, Phase, Room
from core.web.seldom import Seldom

if TYPE_CHECKING:
    from asyncio import BaseTransport, Transport
    from collections.abc import Awaitable, Callable

    from aiohttp import StreamReader

    from core.web.room import Limits

SPOILT = (web.RequestPayloadError, ClientPayloadError, HttpProcessingError)
"""What reading a body raises that is not encoded or divided as its head says."""

COUNTED: web.AppKey[Callable[[str], None]] = web.AppKey("counted")
"""Where an application keeps what is to be called, with the reason, for a request that never got to
it."""

log = structlog.get_logger()


class TooSlow(Exception):
    """Reading a body raises it when the body did not come in time."""


class Door:
    """What all connections to one listener share: how often what was said, who counts, the room."""

    def __init__(self, name: str, count: Callable[[str], None], limits: Limits) -> None:
        self._name, self._count = name, count
        self._seldom = Seldom()
        self.room = Room(limits, self.say, self.crashed)

    def refused(self, reason: str) -> None:
        """Count a request that never got to the application; say so now and then."""
        self._count(reason)
        self.say(reason)

    def say(self, reason: str) -> None:
        """Say now and then why a request, or a connection, is refused."""
        if times := self._seldom.times(reason):
            log.warning("request refused", listener=self._name, reason=reason, times=times)

    def crashed(self, bug: BaseException | None) -> None:
        """Say where a bug of ours is; what it says may quote the request."""
        error, where = type(bug).__name__, [] if bug is None else crash.places(bug)
        if times := self._seldom.times(("crashed", error)):
            log.error("request crashed", listener=self._name, error=error, trace=where, times=times)


class Talk(web.RequestHandler, Guest):
    """aiohttp's side of a connection, with words of our own where it would quote the other's."""

    __slots__ = ("_body", "_door", "_wire", "phase", "since")

    def __init__(self, server: web.Server, door: Door) -> None:
        super().__init__(server, loop=get_running_loop(), access_log=None)  # type: ignore[arg-type]  # None is documented: no log
        self._door = door
        self._wire: Transport | None = None
        self._body: StreamReader | None = None
        self.phase, self.since = Phase.OPENING, self._loop.time()

    def connection_made(self, transport: BaseTransport) -> None:
        """The first head is waited for."""
        self._wire = cast("Transport", transport)
        self._turn(Phase.NEW)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """There is room for another."""
        super().connection_lost(exc)
        self._door.room.leave(self)

    def data_received(self, data: bytes) -> None:
        """Where nothing was under way, a head has begun."""
        if data and self.phase in {Phase.NEW, Phase.REST} and self._is_read():
            self._turn(Phase.HEAD)
        super().data_received(data)

    def arrived(self, body: StreamReader) -> None:
        """A head is read; its *body* is waited for, unless it came along."""
        self._body = body
        self._turn(Phase.BODY)
        body.on_eof(self._whole)

    def _whole(self) -> None:
        if self.phase is Phase.BODY:
            self._turn(Phase.ANSWER)

    def _is_read(self) -> bool:
        """Whether no body is under way; aiohttp drops the rest of one for some seconds."""
        return self._body is None or self._body.is_eof()

    def _turn(self, phase: Phase) -> None:
        if self.phase is not Phase.GONE:
            self.phase, self.since = phase, self._loop.time()
            self._door.room.stir()

    def late(self) -> None:
        """Let the reader of a body answer that it was too slow; of anything else nobody asks."""
        if self.phase is Phase.BODY and self._body is not None:
            self._turn(Phase.ANSWER)
            self._body.set_exception(TooSlow())
            return
        if self.phase is Phase.HEAD:
            self._door.refused("too_slow")
        self._cut()

    def crowded(self) -> None:
        """Go for another."""
        self._door.refused("crowded")
        self._cut()

    def _cut(self) -> None:
        """Close at once, whatever was not sent."""
        self._turn(Phase.GONE)
        if self._wire is not None:
            self._wire.abort()

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
        if isinstance(exc, TooSlow):
            self._door.refused("too_slow")
            status, said = HTTPStatus.REQUEST_TIMEOUT, "too slow\n"
        elif isinstance(exc, SPOILT):
            self._door.refused("unreadable")
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
        if not isinstance(bug, (*SPOILT, TooSlow, ConnectionError)):
            self._door.crashed(bug)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send *resp*, in our words where aiohttp quotes a header in it.

        It is the last one where the body has not come to its end.
        """
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = web.Response(status=resp.status, text="nothing else is expected here\n")
        if not self._is_read():
            resp.force_close()
        self._turn(Phase.LEAVING)
        finished = await super().finish_response(request, resp, start_time)
        self._turn(Phase.REST)
        return finished


def crashed(request: web.Request, bug: Exception) -> bool:
    """Say that a *bug* of ours met *request*; False where only the connection can still tell it.

    So it is with a body that came spoilt or too late, and where a part of an answer has left.
    """
    if isinstance(bug, (*SPOILT, TooSlow, ConnectionError)) or request.writer.output_size > 0:
        return False
    if not isinstance(request.protocol, Talk):
        return False
    request.protocol.log_exception(exc_info=bug)
    return True


@web.middleware
async def attended(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Tell the connection that a head is read: aiohttp has no other public place that does."""
    if isinstance(request.protocol, Talk):
        request.protocol.arrived(request.content)
    return await handler(request)
