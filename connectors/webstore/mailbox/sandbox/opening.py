"""The first run: mailboxes for the accounts that say ``sandbox = true``, and people who write.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from connectors.webstore.mailbox.sandbox import stage
from connectors.webstore.mailbox.sandbox.server import Sandbox
from connectors.webstore.mailbox.sandbox.stage import MailboxStage
from core.sandbox import people, scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from connectors.webstore.mailbox.sandbox.shop import Shop, Talk

LANGUAGES = ("en", "de", "fr", "es", "pl", "ko")
MOST_LETTERS = 500
"""In each mailbox: some hours of them."""

ANSWERS_BACK = 0.3
"""The share of answers from here upon which the buyer writes once more."""


class AccountOptions(Protocol):
    """What the stand-in needs to know of an account."""

    @property
    def sender(self) -> str: ...


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its mailbox is reached.

    Each instant begins another scene: who starts again meets nobody of the last one.
    """
    begun = clock().isoformat()
    async with Sandbox(clock, seed=crc32(begun.encode())) as sandbox:
        sandbox.post.most = MOST_LETTERS * len(accounts)
        shops = {
            name: await sandbox.add_shop(f"{name}@shop.example", sender=one.sender)
            for name, one in accounts.items()
        }
        scenes = [_scene(f"{name} {begun}", shop) for name, shop in shops.items()]
        for each in scenes:
            each.once(clock())
        await sandbox.post.deliver()
        async with scene.playing(scenes, clock):
            yield {name: sandbox.options(shop) for name, shop in shops.items()}


def _scene(seed: str, shop: Shop) -> scene.Scene:
    told = MailboxStage(shop)

    def heard(talk: Talk, at: datetime) -> None:
        if shop.random.random() < ANSWERS_BACK:
            told.writes_again(talk, at)

    shop.on_answer = heard
    return scene.Scene(
        told,
        within=stage.PROMISE,
        seed=crc32(seed.encode()),
        regular=people.regular(),
        languages=LANGUAGES,
        script=stage.SCRIPT,
    )
