"""The composition root: opened in order, worked until asked to stop, closed in reverse."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
from contextlib import AsyncExitStack, ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from core import loops, parking, store
from core.errors import StoreUnavailable
from core.loops import Bell, Pulse
from core.metrics import Metrics
from core.notifiers.file import FileOptions
from core.running import board, checks, memory, reach, sdnotify, standins, takeover, timing, walls
from core.running.crew import Crew
from core.running.signals import Signals
from core.running.state import State
from core.running.worker import Worker
from core.store import embedded, migrate, wake
from core.transport.http import open_session
from core.web import app, ops, push, room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from core.log import Redaction
    from core.settings import Settings
    from core.store import Address, Db, Pool

FAREWELL = 0.5
REVISION = "REPLYBY_REVISION"

log = structlog.get_logger()


async def run(
    load: Callable[[], Settings], redaction: Redaction, say: Callable[[str], None]
) -> None:
    """Run until SIGTERM or SIGINT; *load* reads the settings, *say* tells where to look.

    Raises:
        SettingsError: the settings cannot be used.
        StoreUnavailable: the embedded PostgreSQL does not start, or its data is gone.
        SchemaMismatch: the database belongs to another version of the program.
        ExceptionGroup: a loop failed in a way that nobody expected.
    """
    signals = Signals()
    try:
        await _run(signals, load, redaction, say)
    except asyncio.CancelledError:
        if not signals.hurry.is_set():
            raise


async def _run(
    signals: Signals, load: Callable[[], Settings], redaction: Redaction, say: Callable[[str], None]
) -> None:
    settings = load()
    redaction.hide(settings.secrets)
    async with AsyncExitStack() as stack:
        if settings.otel is not None:
            from core.running import tracing  # noqa: PLC0415  # needs an extra

            await stack.enter_async_context(tracing.told(settings.otel, redaction))
        signals.listen(stack.enter_context(ExitStack()))
        state = _state(settings)
        served = await _serve(stack, state)
        crew = await signals.unless_stopped(_open(stack, state, signals, load, redaction))
        if crew is None:
            return
        link = await _first_link(state, served)
        for line in where_to_look(state, served, link):
            say(line)
        memory.settle()
        sdnotify.notify("READY=1", f"STATUS={len(state.readers)} accounts")
        try:
            await crew.work()
        except ExceptionGroup as faults:
            _raise_the_only(faults)
            raise


def _raise_the_only(faults: ExceptionGroup[Exception]) -> None:
    """Raise what befell the embedded database for good, where nothing else has failed.

    No loop ends by it: what a loop hears of the database it waits out.
    """
    away, others = faults.split(StoreUnavailable)
    if away is not None and others is None:
        for fault in away.exceptions:
            raise fault


async def _open(
    stack: AsyncExitStack,
    state: State,
    signals: Signals,
    load: Callable[[], Settings],
    redaction: Redaction,
) -> Crew:
    """Open what may take its time: the stand-ins, the database, and what needs it."""
    settings = state.settings
    state.session = await stack.enter_async_context(open_session(version("replyby")))
    outside = open_session(version("replyby"), walled=True)
    state.walled = await stack.enter_async_context(outside)
    await stack.enter_async_context(state.mailboxes)
    with loops.starting() as started:
        sandbox = await stack.enter_async_context(standins.opened(settings, loops.utcnow))
    address, beside = await _database(stack, settings)
    bells = {name: Bell() for name in wake.LOOPS}
    start = _Start(stack, state, address, standins.placed(settings, sandbox), bells)
    await loops.patiently("start", start.once)
    started()  # from now on pushes can be stored: the stand-ins send theirs
    return Crew(state, signals, bells, lambda: standins.placed(load(), sandbox), redaction, beside)


def _state(settings: Settings) -> State:
    metrics = Metrics()
    pulse = Pulse(count=lambda reason: metrics.rounds_failed.labels(reason).inc())
    metrics.built(version("replyby"), os.environ.get(REVISION, "unknown"))
    metrics.stock()
    watched = ops.Watched(metrics, pulse, loops.utcnow)
    return State(settings, metrics, pulse, watched)


async def _serve(stack: AsyncExitStack, state: State) -> dict[str, str]:
    """Open the listeners that are configured; their addresses by section."""
    settings, served = state.settings, {}
    room.widen()
    served["ops"] = await stack.enter_async_context(
        app.served("ops", settings.ops, ops.application(state.watched))
    )
    if settings.push is not None:
        intake = push.Intake(
            pool=lambda: state.watched.pool,
            rules=lambda: state.rules,
            metrics=state.metrics,
            now=loops.utcnow,
            sure=state.is_sure,
            woken=state.woken,
            receiver=state.receiver,
            options=lambda connector: state.options.get(connector, {}),
        )
        taking = push.application(intake, settings.push.most_bytes)
        served["push"] = await stack.enter_async_context(app.served("push", settings.push, taking))
    if settings.web is not None:
        showing = board.application(state)
        served["web"] = await stack.enter_async_context(app.served("web", settings.web, showing))
    return served


async def _database(
    stack: AsyncExitStack, settings: Settings
) -> tuple[Address, list[asyncio.Task[None]]]:
    """Where the database is, and what runs from now on to keep it there."""
    if not settings.store.embedded:
        return {"dsn": settings.store.dsn.get_secret_value()}, []
    server = await stack.enter_async_context(embedded.own(settings.state_dir))
    watching = asyncio.create_task(server.watch())
    stack.push_async_callback(loops.cancelled, watching)
    return server.address, [watching]


class _Start:
    """What needs the database; goes on where it was when the database comes back."""

    def __init__(
        self,
        stack: AsyncExitStack,
        state: State,
        address: Address,
        settings: Settings,
        bells: dict[str, Bell],
    ) -> None:
        self._stack = stack
        self._state = state
        self._address = address
        self._settings = settings
        self._bells = bells
        self._pool: Pool | None = None

    async def once(self, now: datetime) -> bool:
        """Reach the database, migrate it, take the settings over, register as a worker."""
        state, settings = self._state, self._settings
        if self._pool is None:
            size = settings.store.connections
            told = timing.of_statements(state.metrics)
            self._pool = await store.open_pool(self._address, size=size, told=told)
            self._stack.push_async_callback(_close, self._pool)
        await self._bring_schema(self._pool)
        state.adopt(settings, await takeover.take_over(self._pool, settings, now), now)
        await parking.abandon(self._pool, state.notifiers, state.rules, now)
        if state.worker is None:
            worker = Worker(self._address, self._bells, state.metrics, state.changes)
            await worker.register()
            self._stack.push_async_callback(worker.leave, self._pool)
            state.worker = worker
        state.watched.pool = self._pool
        heard = await reach.heard(self._pool, settings.routing, now)
        checks.tell(settings, now, [*heard, *await walls.faults(settings)])
        return True

    async def _bring_schema(self, pool: Pool) -> None:
        """Migrate, or wait until another step has done so."""
        with store.unavailable():
            async with pool.acquire() as db:
                if self._settings.store.migrate == "never":
                    await self._await_schema(db)
                for number in await migrate.apply(db):
                    log.info("schema migrated", version=number)
                for name in await migrate.ahead(db):
                    log.info("database is newer, and says that we go on", migration=name)

    async def _await_schema(self, db: Db) -> None:
        watched = self._state.watched
        watched.pending = tuple(await migrate.pending(db))
        if watched.pending:
            raise StoreUnavailable(f"{watched.pending[0]} is not applied: replyby migrate")


async def _close(pool: Pool) -> None:
    """Close the pool; what is still in use after half a second is cut off."""
    try:
        await asyncio.wait_for(pool.close(), FAREWELL)
    except (TimeoutError, asyncio.CancelledError):
        pool.terminate()


async def _first_link(state: State, served: dict[str, str]) -> str | None:
    """The link for who signs in first; a database that has just gone away holds up no start."""
    if "web" not in served:
        return None
    try:
        return await board.first_link(state, served["web"])
    except StoreUnavailable as fault:
        log.warning("nobody can be let in now", error=str(fault))
        return None


def where_to_look(state: State, served: dict[str, str], link: str | None) -> Iterator[str]:
    """Lines for the person who started us; *link* lets in who signs in first."""
    settings = state.settings
    accounts = ", ".join(found.account.title for found in settings.accounts.values())
    yield f"replyby {version('replyby')} watches {accounts or 'no account yet'}."
    yield f"  metrics   {served['ops']}/metrics"
    if "web" in served:
        yield f"  board     {served['web']}/"
    if link is not None:
        yield f"  sign in   {link}  (once, within 24 hours)"
    for name, options in settings.notifiers.items():
        if isinstance(options, FileOptions):
            yield f"  notices   {_shown(settings.base / options.path)}  (notifier {name})"
    yield f"  threads   {_command(settings.path)}"
    yield "  stop      Ctrl-C"


def _command(settings: Path) -> str:
    """How a person lists the threads: in words that work here, or anywhere with *settings*."""
    is_found = settings.absolute() == Path("settings.toml").absolute()
    there = Path(sys.executable).with_name("replyby").absolute()
    program = _shown(there) if is_found else str(there)
    named = () if is_found else ("--settings", str(settings.absolute()))
    called = "replyby" if shutil.which("replyby") else program
    return shlex.join((called, "threads", "--at-risk", *named))


def _shown(path: Path) -> str:
    """*path* as a person would type it here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
