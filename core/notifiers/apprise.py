"""Notices by any of the services that apprise knows, named by one address each: an extra.

An address of apprise may hold tokens where others have a host, so none is looked up or refused
here: whom it reaches is the operator's word. https://github.com/caronc/apprise
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from pydantic import SecretStr  # noqa: TC002  # pydantic reads it

from core.errors import NotifierError
from core.labels import level
from core.notifier import NotifierOptions, Settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.model import Notice
    from core.notifier import Means, Words

SECONDS = 25
MOST = 1800
"""Characters of a text that most chats take: of the smallest, a message of 2,000."""
THREADS = 4
"""At once. They are its own: a service that hangs takes none from what else waits on threads."""
MISSING = "needs the extra apprise; install it: pip install 'replyby[apprise]'"

_TYPES = {"critical": "failure", "warning": "warning", "info": "info"}


class AppriseOptions(NotifierOptions):
    """*url* is one address of apprise, with its secrets."""

    kind: Literal["apprise"] = "apprise"
    url: SecretStr

    def faults(self, directory: Path) -> Iterator[tuple[str, str]]:  # noqa: ARG002  # writes nothing here
        """The extra that is missing, or an address that apprise does not know."""
        if not _is_there():
            yield "kind", MISSING
        elif not _opened(self.url.get_secret_value()):
            yield "url", "is no address that apprise knows; see https://appriseit.com/services"


class Apprise(Settled):
    """Sends each notice as plain text, on a thread: apprise waits for its answers there."""

    most = MOST

    def __init__(self, name: str, options: AppriseOptions, means: Means) -> None:  # noqa: ARG002  # it brings its own
        super().__init__(name, options)
        self._url = options.url.get_secret_value()
        self._free = asyncio.Semaphore(THREADS)

    async def send(self, notice: Notice, words: Words) -> None:
        """Send the notice.

        Raises:
            NotifierError: the service did not take it, or not in time; apprise does not say whether
                it ever would, so it is tried again.
        """
        async with self._free:
            status = await _beside(lambda: self._notify(notice, words))
        if status == "NOMATCH":
            raise NotifierError("apprise knows no such service", permanent=True)
        if status != "SUCCESS":
            raise NotifierError(f"apprise: {status.lower()}")

    def _notify(self, notice: Notice, words: Words) -> str:
        lines = [words.text, words.url or "", words.act_url or ""]
        result = _opened(self._url).notify(
            body="\n\n".join(filter(None, lines)),
            title=words.subject,
            notify_type=_TYPES[level(notice.kind)],
            body_format="text",
            timeout=SECONDS,
        )
        return str(result.status.name)


async def _beside(work: Callable[[], str]) -> str:
    """What *work* comes to on a thread for which nobody waits when the program ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def settle(status: str, fault: BaseException | None) -> None:
        if done.cancelled():
            return
        if fault is None:
            done.set_result(status)
        else:
            done.set_exception(fault)

    def run() -> None:
        status, fault = "", None
        try:
            status = work()
        except Exception as bug:  # noqa: BLE001  # of one of 170 services: told by who waits for it
            fault = bug
        with suppress(RuntimeError):  # the loop has ended, and nobody waits
            loop.call_soon_threadsafe(settle, status, fault)

    threading.Thread(target=run, name="apprise", daemon=True).start()
    return await done


def _is_there() -> bool:
    try:
        return find_spec("apprise") is not None
    except ValueError:  # it was kept from being imported
        return False


def _opened(url: str) -> Any:
    """The one service of *url*; false where there is none. Its log, which may quote, is silent."""
    import apprise  # noqa: PLC0415  # an extra, and a second to import

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    found = apprise.Apprise()
    found.add(url)
    return found
