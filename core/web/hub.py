"""What open boards show, kept right: one look and one rendering for all boards of the same view.

The database says that something has changed (`core.store.wake`); what comes in quick succession is
looked at once. A view is its filter, the accounts that are seen, and for whom it is written; who of
those looks makes no difference to it. What changed in it goes to all who show it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from core import crash
from core.errors import StoreUnavailable
from core.loops import cancelled
from core.store import board, transaction
from core.web import room
from core.web.glance import GLANCE
from core.web.seldom import Seldom
from core.web.shown import Shown, summary
from core.web.streams import Client, event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from core.store.board import Line
    from core.store.wake import Change
    from core.web.glance import Glance
    from core.web.pages import Audience
    from core.web.shown import View
    from core.web.ways import Parts

GATHER = 0.25
"""Seconds from one look to the next at least: what comes meanwhile is shown with it."""
REST = 2.0
"""As many times as long as a look took, at least, until the next one; `SLOWEST` at most."""
SLOWEST = 0.6
COUNT_EVERY = 1.0
"""Seconds after which it is asked whether there is a newer count; `core.web.glance` counts."""
TELL_EVERY = 15.0
"""As many though nothing was heard: of an account that turns blind nothing is."""
AWAY = 1.0
"""Seconds until the next try while the database is away."""
LATELY = 10.0
"""Seconds: a thread that changed so shortly before its page came to listen is shown anew."""
SHARE = 0.75
"""Of the connections that a listener takes, so many may be streams: pages need the others."""
MOST_EACH = 40
"""So many streams one person may have open."""
THREAD = event("thread", "changed", "1")

log = structlog.get_logger()

Ref = tuple[str, str]


class Full(Exception):  # not an error: they are to come again
    """No further stream can be opened now."""


class Hub:
    """Keeps the views right that are open. *most* streams are open at a time.

    `run` looks; without it nothing comes but what was known.
    """

    def __init__(self, parts: Parts, glance: Glance, most: int) -> None:
        self._parts, self._glance, self._most = parts, glance, most
        self._views: dict[View, Shown] = {}
        self._threads: defaultdict[Ref, set[Client]] = defaultdict(set)
        self._changed: dict[Ref, float] = {}
        self._all_changed = monotonic()
        self._people: defaultdict[str, set[Client]] = defaultdict(set)
        self._stirred = asyncio.Event()
        self._uncounted, self._asked_at, self._heard_at = True, 0.0, monotonic()
        self._seldom = Seldom()
        self._over = False

    @property
    def streams(self) -> int:
        """How many are open."""
        return sum(map(len, self._people.values()))

    @contextmanager
    def showing(self, view: View, who: str, seen: str | None) -> Iterator[Client]:
        """A client of *view* for *who*, who has *seen* that version of it last; None: none.

        Raises:
            Full: too many are open, by *who* or altogether.
        """
        with self._entered(who, seen) as client:
            shown = self._views.setdefault(view, Shown(view))
            shown.join(client)
            self._uncounted = True
            self._stirred.set()
            try:
                yield client
            finally:
                shown.leave(client)
                if shown.is_unseen:
                    self._views.pop(view, None)

    @contextmanager
    def watching(self, ref: Ref, who: str, seen: str | None) -> Iterator[Client]:
        """A client that is told when the thread *ref* has changed.

        Raises:
            Full: too many are open, by *who* or altogether.
        """
        with self._entered(who, seen) as client:
            self._threads[ref].add(client)
            changed_at = max(self._changed.get(ref, 0.0), self._all_changed)
            if seen is not None or monotonic() - changed_at < LATELY:
                client.push(THREAD)
            try:
                yield client
            finally:
                self._threads[ref].discard(client)
                if not self._threads[ref]:
                    del self._threads[ref]

    @contextmanager
    def _entered(self, who: str, seen: str | None) -> Iterator[Client]:
        of_them = len(self._people.get(who, ()))
        if self._over or self.streams >= self._most or of_them >= MOST_EACH:
            raise Full
        client = Client(seen)
        self._people[who].add(client)
        try:
            yield client
        finally:
            self._people[who].discard(client)
            if not self._people[who]:
                del self._people[who]

    @property
    def _count_at(self) -> float:
        """When it is to be asked again what stands above the queues, on the monotonic clock."""
        return self._asked_at + (COUNT_EVERY if self._uncounted else TELL_EVERY)

    def close(self) -> None:
        """End every stream, once what waits in it is sent; nobody comes in any more."""
        self._over = True
        for client in self._clients():
            client.end()

    def _clients(self) -> list[Client]:
        of_queues = [client for shown in self._views.values() for client in shown.clients]
        return of_queues + [client for of in self._threads.values() for client in of]

    def heard(self, change: Change) -> None:
        """Let *change* be shown: at once on threads' pages, with the next look in queues."""
        for view, shown in self._views.items():
            if change.is_of(view.sought.accounts):
                shown.is_outdated = True
        self._note(change)
        self._uncounted, self._heard_at = True, monotonic()
        self._stirred.set()

    def asked(self, name: str) -> None:
        """Let each stream of *name* ask what they may now before it says anything more."""
        for client in self._people.get(name, ()):
            client.doubt()

    def _note(self, change: Change) -> None:
        now = monotonic()
        if change.is_any:
            self._all_changed = now
            refs: list[Ref] = list(self._threads)
        else:
            refs = [(a, id_) for a, ids in (change.threads or {}).items() for id_ in ids]
        for ref in refs:
            self._changed[ref] = now
            for client in self._threads.get(ref, ()):
                client.push(THREAD)
        if len(self._changed) > 10_000:
            self._changed = {r: at for r, at in self._changed.items() if now - at < LATELY}

    async def run(self) -> None:
        """Look whenever something has changed, or changes by time alone; until cancelled."""
        with self._parts.changes.listening(self.heard, self.asked):
            while True:
                began = monotonic()
                try:
                    await self._look()
                except StoreUnavailable:
                    await asyncio.sleep(AWAY)
                    continue
                except Exception as bug:  # noqa: BLE001  # boards that stand still would not say so
                    self._crashed(bug)
                    await asyncio.sleep(AWAY)
                    continue
                await asyncio.sleep(min(max(GATHER, REST * (monotonic() - began)), SLOWEST))
                await self._rest()

    def _crashed(self, bug: Exception) -> None:
        error = type(bug).__name__
        if times := self._seldom.times(error):
            log.error("boards not refreshed", error=error, trace=crash.places(bug), times=times)

    async def _rest(self) -> None:
        """Until something has changed, or does so by time."""
        until = [shown.again_at for shown in self._views.values()]
        if self._views:
            until.append(self._count_at)
        seconds = max(0.0, min(until) - monotonic()) if until else None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        self._stirred.clear()

    async def _look(self) -> None:
        """Show what is so now, in every view that may be outdated.

        Raises:
            StoreUnavailable: it is not known; the next look shows it.
        """
        now, rules = self._parts.now(), self._parts.rules()
        due = [shown for shown in self._views.values() if shown.is_due(monotonic())]
        for shown in due:
            shown.take(await self._lines_of(shown), rules, now)
            await asyncio.sleep(0)  # others are answered meanwhile
        if self._views and monotonic() >= self._count_at:
            await self._count()

    async def _lines_of(self, shown: Shown) -> list[Line]:
        view, shown.is_outdated = shown.view, False  # what changes meanwhile is looked at next
        try:
            async with transaction(self._parts.pool()) as db:
                return await board.lines(db, view.sought, self._parts.now(), view.limit)
        except BaseException:
            shown.is_outdated = True
            raise

    async def _count(self) -> None:
        """Tell how many threads wait, and what is wrong; go on until that was counted since."""
        told: dict[Audience, bytes] = {}
        for shown in list(self._views.values()):
            reader = shown.view.reader
            if reader not in told and reader.who is not None:
                now = self._parts.now()
                seen = await self._glance.of(reader.who, now)
                told[reader] = event("counts", summary(seen, reader, now)) if seen.counts else b""
            shown.tell_counts(told.get(reader, b""))
        self._asked_at = monotonic()
        self._uncounted = self._glance.counted_at <= self._heard_at


HUB = web.AppKey("hub", Hub)


def attach(app: web.Application, parts: Parts) -> None:
    """Give *app* a hub, whose streams end when *app* is asked to; a glance comes first."""
    most = max(1, int(SHARE * room.limits("web").most))
    app[HUB] = Hub(parts, app[GLANCE], most)
    app.cleanup_ctx.append(_running)
    app.on_shutdown.append(_closed)


async def _running(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[HUB].run())
    yield
    await cancelled(task)


async def _closed(app: web.Application) -> None:
    app[HUB].close()
