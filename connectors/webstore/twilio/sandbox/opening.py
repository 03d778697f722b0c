"""The first run: numbers for the accounts that say ``sandbox = true``, and people who use them.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from connectors.webstore.twilio.sandbox.server import Sandbox
from connectors.webstore.twilio.sandbox.stage import NumberStage
from core.sandbox import people, scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from connectors.webstore.twilio.sandbox.desk import Account, Number

PROMISE = timedelta(minutes=1)
LANGUAGES = ("en", "de", "fr", "es", "pl")


class AccountOptions(Protocol):
    """What the stand-in needs to know of an account."""

    @property
    def number(self) -> str: ...
    @property
    def endpoint(self) -> str | None: ...


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its number is reached.

    Each instant begins another scene: who starts again meets nobody of the last one. All that
    happened before the beginning is pushed nowhere.
    """
    begun = clock().isoformat()
    async with Sandbox(clock, seed=crc32(begun.encode())) as sandbox:
        made = {name: _number(sandbox, one) for name, one in accounts.items()}
        scenes = [_scene(sandbox, f"{name} {begun}", *one) for name, one in made.items()]
        for each in scenes:
            each.once(clock())
        opened = {}
        for name, (account, number) in made.items():
            endpoint = accounts[name].endpoint
            number.sms_url = number.status_callback = endpoint or ""
            opened[name] = sandbox.options(account, number) | {"endpoint": endpoint}
        async with scene.playing(scenes, clock):
            yield opened


def _number(sandbox: Sandbox, options: AccountOptions) -> tuple[Account, Number]:
    """A number in an account of its own, of which nothing is pushed yet."""
    account = sandbox.desk.add_account()
    return account, account.add_number(options.number, url="")


def _scene(sandbox: Sandbox, seed: str, account: Account, number: Number) -> scene.Scene:
    return scene.Scene(
        NumberStage(sandbox, account, number),
        within=PROMISE,
        seed=crc32(seed.encode()),
        regular=people.regular(),
        languages=LANGUAGES,
    )
