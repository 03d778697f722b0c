"""The ways into the board and the API: each path with who may take it.

A room (a module of pages) declares its `WAYS`; `core.web.site` joins them. Nobody is let in by a
way that names no act, except where it says `OPEN`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aiohttp import web

from core.access import Act, Who
from core.store.wake import Changes

if TYPE_CHECKING:
    from datetime import datetime

    from core.metrics import Metrics
    from core.reading.walk import Reader
    from core.rules import Rules
    from core.settings import Settings
    from core.store import Pool
    from core.web.ops import Watched

Answers = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST_BYTES = 32 * 2**20
"""Of what is sent with a reply that is being written: its text and its attachments."""
MOST_FORM = 2**20
"""Of any other form."""

OPEN: Final = "open"
"""In place of an act: for everybody, signed in or not."""


@dataclass(frozen=True, slots=True)
class Way:
    """A method and a path. Where the path has ``{account}``, *act* is asked for that account.

    *api*: a program's: no page, no form; known by a token as well, faults as problem+json.
    """

    method: str
    path: str
    answer: Answers
    act: Act | str
    api: bool = False

    @property
    def most(self) -> int:
        """So many bytes it takes of somebody who is known.

        Where a reply is being written it comes along with whatever else is done.
        """
        return MOST_BYTES if self.act == Act.ANSWER else MOST_FORM


@dataclass(frozen=True, slots=True)
class Parts:
    """What the pages are made of, each as it is at this moment.

    *pool* raises `StoreUnavailable` while the database was never reached. *readers* are the
    accounts by name with their connectors. *now* is the clock's aware instant in UTC. *changes*
    says what open pages are to show anew.
    """

    watched: Watched
    pool: Callable[[], Pool]
    settings: Callable[[], Settings]
    rules: Callable[[], Rules]
    readers: Callable[[], Mapping[str, Reader]]
    metrics: Metrics
    now: Callable[[], datetime]
    changes: Changes = field(default_factory=Changes)


PARTS = web.AppKey("parts", Parts)
WHO = web.RequestKey("who", Who)


def parts(request: web.Request) -> Parts:
    """What *request* is answered with."""
    return request.app[PARTS]


def who(request: web.Request) -> Who:
    """Who asks.

    Raises:
        KeyError: nobody is known; a way that is `OPEN` must not ask.
    """
    return request[WHO]
