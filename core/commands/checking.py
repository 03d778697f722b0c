"""`check`, `migrate`, `notify`: is everything as it should be?"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

import click

from core import loops, store, words
from core.commands import opening
from core.configuration.complaints import nearest
from core.connector import Transport
from core.errors import (
    BadCredentials,
    Error,
    Mistaken,
    NotifierError,
    SchemaMismatch,
    SettingsError,
    StoreUnavailable,
)
from core.model import HealthState, Notice, NoticeKind
from core.notifier import Means
from core.notifiers import registry
from core.routing import Subject
from core.rules import Rules
from core.running import checks, reach, standins, state, walls
from core.store import embedded, migrate, streams, wake
from core.transport.http import Http, open_session
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sized
    from pathlib import Path

    from core.configuration.configured import Configured
    from core.notifier import Notifier
    from core.settings import Settings
    from core.store import Db, Pool

LONGEST = 60.0


async def check(path: Path, *, offline: bool, sandbox: bool, as_json: bool) -> bool:
    """Settings, what is not wise in them, and one authenticated call to each account.

    Returns:
        Whether every account answered.

    Raises:
        SettingsError: the settings cannot be used.
    """
    configured = opening.read(path, sandbox=sandbox)
    standins.verify(configured)
    if broken := reach.unread(configured):
        raise SettingsError(broken)
    if not offline and (walled := await walls.faults(configured)):
        raise SettingsError(walled)
    findings = checks.findings(configured, loops.utcnow())
    findings += [] if offline else await _database(configured)
    faults = {} if offline else await _call_all(configured, findings)
    well = [name for name, fault in faults.items() if fault is None]
    findings += [] if offline else await _look_up(configured, well)
    if as_json:
        told = {"findings": findings, "accounts": dict.fromkeys(configured.accounts) | faults}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _say(configured, findings, faults, offline=offline)
    return not any(faults.values())


async def _database(configured: Settings) -> list[str]:
    """What is wrong with a database of the user's own; the embedded one is this program's."""
    if configured.store.embedded:
        return []
    try:
        async with opening.address(configured) as found:
            db = await store.connect(found, name="replyby command")
            try:
                await migrate.pending(db)
            finally:
                await db.close()
    except (SchemaMismatch, StoreUnavailable) as fault:
        return [f"store.dsn: {fault}"]
    return []


async def _look_up(configured: Settings, well: Collection[str]) -> list[str]:
    """What the database knows of languages that nobody answers; refused accounts are read again.

    Where there is no database, or a daemon's embedded one is not served, nothing runs: a start
    reads all at once too.
    """
    away = configured.store.embedded and not embedded.is_served(configured.state_dir)
    if away or not (well or configured.routing.asks_language):
        return []
    with suppress(Mistaken, SchemaMismatch, StoreUnavailable):
        async with opening.database(configured) as pool:
            await _read_again(pool, well)
            return await reach.heard(pool, configured.routing, loops.utcnow())
    return []


async def _read_again(pool: Pool, well: Collection[str]) -> None:
    """Let the daemon read at once the accounts whose key was refused to it, and is not any more."""
    refused = [HealthState.BAD_CREDENTIALS, HealthState.FORBIDDEN]
    async with store.transaction(pool) as db:
        if well and await streams.probe(db, well, refused):
            await wake.send(db, "poll")


def _say(
    configured: Settings,
    findings: list[str],
    faults: Mapping[str, str | None],
    *,
    offline: bool,
) -> None:
    for finding in findings:
        click.echo(f"warning: {finding}")
    for name, fault in faults.items():
        title = configured.accounts[name].account.title
        click.echo(f"accounts.{name}: {fault or f'{title} answers'}")
    well = list(faults.values()).count(None)
    called = "not called" if offline else f"{well} {'answers' if well == 1 else 'answer'}"
    if partly := sum(str(fault).startswith(HealthState.FORBIDDEN) for fault in faults.values()):
        called += f", {partly} in part"
    click.echo(
        f"{configured.path}: {_counted(configured.accounts, 'account')} ({called}), "
        f"{_counted(findings, 'warning')}, no fault in the settings"
    )


def _counted(found: Sized, noun: str) -> str:
    return f"{len(found)} {noun}" if len(found) == 1 else f"{len(found)} {noun}s"


async def _call_all(configured: Settings, findings: list[str]) -> dict[str, str | None]:
    """What each account's connector says: None where it may read; its doubts join *findings*."""
    there = standins.running(configured, ()).accounts
    async with open_session(version("replyby")) as session, Mailboxes() as mailboxes:
        transport = Transport(Http(session, now=loops.utcnow), mailboxes, Smtp())
        said = await asyncio.gather(
            *(
                _call(transport, found, configured.accounts[name], findings)
                for name, found in there.items()
            )
        )
    return dict(zip(there, said, strict=True))


async def _call(
    transport: Transport, found: Configured, written: Configured, findings: list[str]
) -> str | None:
    if found.account.sandbox and found is written:
        return standins.NOT_RUNNING
    try:
        async with asyncio.timeout(LONGEST):
            doubts = await state.reader(found, transport).connector.check()
        findings += [f"accounts.{found.account.name}.{doubt}" for doubt in doubts or ()]
    except Error as fault:
        return f"{_reason(fault)}: {fault}"
    except TimeoutError:
        return f"unreachable: no answer within {LONGEST:.0f} s"
    return None


def _reason(fault: Error) -> str:
    """In a word what is wrong: a good key that may not do one thing is no bad one."""
    is_partly = isinstance(fault, BadCredentials) and fault.alone
    return HealthState.FORBIDDEN if is_partly else fault.reason


async def migrate_database(path: Path, *, only_check: bool) -> bool:
    """Apply the migrations that are missing, or only name them; whether all are applied.

    Raises:
        SchemaMismatch: the database belongs to another version.
        StoreUnavailable: it cannot be reached.
    """
    configured = opening.read(path)
    async with opening.address(configured) as found:
        db = await store.connect(found, name="replyby command")
        try:
            return await _migrate(db, only_check=only_check)
        finally:
            await db.close()


async def _migrate(db: Db, *, only_check: bool) -> bool:
    pending = await migrate.pending(db)
    if only_check:
        for name in pending:
            click.echo(f"{name} is not applied; apply it: replyby migrate")
        if not pending:
            click.echo("nothing to apply")
        return not pending
    done = await migrate.apply(db)
    click.echo(f"{len(done)} applied" if done else "nothing to apply")
    return True


async def notify(path: Path, route: str) -> bool:
    """Send a test notice to everybody on *route*, by itself and at once; whether all took it.

    Raises:
        Mistaken: there is no such route.
    """
    configured = opening.read(path)
    routes = configured.routing.routes
    if route not in routes:
        raise Mistaken(f"no route is called {route}; {nearest(route, routes)}")
    name = version("replyby")
    async with open_session(name) as session, open_session(name, walled=True) as walled:
        means = Means(http=Http(session), directory=configured.base, walled=walled)
        opened = registry.open_all(configured.notifiers, means)
        asked = Subject(NoticeKind.TEST, "")
        aims = configured.routing.aims(route, routes[route].targets, asked, loops.utcnow())
        told = [opened[aim.notifier] for aim in aims]
        return all([await _test(notifier, route, configured) for notifier in told])


async def _test(notifier: Notifier, route: str, configured: Settings) -> bool:
    now = loops.utcnow()
    key = f"test/{route}/{now.isoformat()}"
    notice = Notice(key, NoticeKind.TEST, "", now, facts=(("route", route),))
    rules = Rules({}, {}, configured.routing)
    said = words.render(notice, rules, url=None, zone=notifier.zone, now=now)
    try:
        async with asyncio.timeout(LONGEST):
            await notifier.send(notice, said)
    except NotifierError as fault:
        click.echo(f"notifiers.{notifier.name}: not sent: {fault}")
        return False
    except TimeoutError:
        click.echo(f"notifiers.{notifier.name}: not sent: no answer within {LONGEST:.0f} s")
        return False
    click.echo(f"notifiers.{notifier.name}: sent")
    return True
