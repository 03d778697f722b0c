"""The first run: lines for the accounts that say ``sandbox = true``, and people who write.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from connectors.webstore.meta.sandbox import stories
from connectors.webstore.meta.sandbox.graph import Template
from connectors.webstore.meta.sandbox.server import Sandbox
from connectors.webstore.meta.sandbox.stage import LineStage
from core.sandbox import people, scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from connectors.webstore.meta.sandbox.graph import Kind, Line

AGAIN_AFTER = timedelta(seconds=5)
"""In the first run what was not taken comes again as soon; in the wild later and later."""


class AccountOptions(Protocol):
    """What the stand-in needs to know of an account."""

    @property
    def endpoint(self) -> str: ...


def open_numbers(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AbstractAsyncContextManager[Mapping[str, Mapping[str, Any]]]:
    """A stand-in with a number for each account."""
    return _open(accounts, clock, "whatsapp")


def open_pages(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AbstractAsyncContextManager[Mapping[str, Mapping[str, Any]]]:
    """A stand-in with a page for each account."""
    return _open(accounts, clock, "messenger")


def open_profiles(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AbstractAsyncContextManager[Mapping[str, Mapping[str, Any]]]:
    """A stand-in with a profile for each account."""
    return _open(accounts, clock, "instagram")


@asynccontextmanager
async def _open(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime], kind: Kind
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its line is reached.

    Each account is of an app of its own, and pushed to its own address. Each instant begins another
    scene: who starts again meets nobody of the last one.
    """
    begun = clock().isoformat()
    async with Sandbox(clock, seed=crc32(f"{kind} {begun}".encode())) as sandbox:
        sandbox.graph.habits.again_after = AGAIN_AFTER
        lines = {name: _line(sandbox, kind, one) for name, one in accounts.items()}
        scenes = [_scene(sandbox, f"{name} {begun}", one) for name, one in lines.items()]
        for each in scenes:
            each.once(clock())
        async with scene.playing(scenes, clock):
            yield {name: sandbox.options(one) for name, one in lines.items()}


def _line(sandbox: Sandbox, kind: Kind, account: AccountOptions) -> Line:
    line = sandbox.graph.add_line(kind)
    line.templates += [Template("about_your_order"), Template("we_are_back", category="MARKETING")]
    sandbox.subscribe(line, account.endpoint)
    return line


def _scene(sandbox: Sandbox, seed: str, line: Line) -> scene.Scene:
    return scene.Scene(
        LineStage(sandbox, line),
        within=stories.PROMISE,
        seed=crc32(seed.encode()),
        regular=people.regular(),
        script=stories.SCRIPT,
    )
