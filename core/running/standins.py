"""Marketplaces' stand-ins for the accounts that say ``sandbox = true``.

Where they listen is written down in the state directory, so that commands in other processes reach
the ones that the daemon runs.
"""

from __future__ import annotations

import json
import os
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.configuration.configured import standing_in
from core.errors import SettingsError
from core.store import private

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from core.configuration.configured import Configured
    from core.settings import Settings

FILE = "sandbox.json"
NOT_RUNNING = "its sandbox is not running; start it with: replyby run --sandbox"

Options = dict[str, dict[str, Any]]


@asynccontextmanager
async def opened(settings: Settings, clock: Callable[[], datetime]) -> AsyncIterator[Options]:
    """Run the stand-ins of all sandbox accounts; yields, by account, the options to use.

    Raises:
        SettingsError: where they listen cannot be written down.
    """
    accounts = _sandboxed(settings)
    if not accounts:
        yield {}
        return
    async with AsyncExitStack() as stack:
        found: Options = {}
        for connector in dict.fromkeys(a.spec.name for a in accounts.values()):
            own = {n: a for n, a in accounts.items() if a.spec.name == connector}
            sandbox = next(iter(own.values())).spec.sandbox
            if sandbox is not None:
                options = {name: account.options for name, account in own.items()}
                opening = sandbox.open(options, clock)
                found |= {n: dict(o) for n, o in (await stack.enter_async_context(opening)).items()}
        path = settings.state_dir / FILE
        with private.usable():
            _write(path, found)
        stack.callback(path.unlink, missing_ok=True)
        yield found


def placed(settings: Settings, options: Mapping[str, Mapping[str, Any]]) -> Settings:
    """*settings* with every sandbox account at its running stand-in.

    Raises:
        SettingsError: one of them has none.
    """
    sandboxed = _sandboxed(settings)
    missing = [f"accounts.{name}: {NOT_RUNNING}" for name in sandboxed if name not in options]
    if missing:
        raise SettingsError(missing)
    there = {name: standing_in(found, options[name]) for name, found in sandboxed.items()}
    return replace(settings, accounts={**settings.accounts, **there})


def running(settings: Settings, needed: Iterable[str]) -> Settings:
    """*settings* with sandbox accounts at the stand-ins that the daemon runs.

    Raises:
        SettingsError: one of *needed* is a sandbox account, and its stand-in does not run.
    """
    sandboxed = _sandboxed(settings)
    found = _read(settings.state_dir / FILE) if sandboxed else {}
    missing = [n for n in needed if n in sandboxed and n not in found]
    if missing:
        raise SettingsError([f"accounts.{name}: {NOT_RUNNING}" for name in missing])
    there = {n: standing_in(a, found[n]) for n, a in sandboxed.items() if n in found}
    return replace(settings, accounts={**settings.accounts, **there})


def verify(settings: Settings) -> None:
    """Verify, and leave nothing there, that the state directory can be used if it is needed.

    Raises:
        SettingsError: it cannot.
    """
    if settings.store.embedded or _sandboxed(settings):
        private.verify(settings.state_dir)


def _sandboxed(settings: Settings) -> dict[str, Configured]:
    return {name: found for name, found in settings.accounts.items() if found.account.sandbox}


def _write(path: Path, options: Options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as opened_file:
        json.dump({"pid": os.getpid(), "accounts": options}, opened_file)


def _read(path: Path) -> Options:
    """What the running daemon wrote; nothing where it runs no more."""
    try:
        told = json.loads(path.read_text("utf-8"))
        alive = _is_alive(int(told["pid"]))
        accounts: Options = told["accounts"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return accounts if alive else {}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
