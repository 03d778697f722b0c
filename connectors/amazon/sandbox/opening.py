"""The first run: mailboxes for the accounts that say ``sandbox = true``, and people who write.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from connectors.amazon.sandbox import acts, consents, places, seller, stories
from connectors.amazon.sandbox.seller import Habits
from connectors.amazon.sandbox.server import Sandbox
from connectors.amazon.sandbox.spapi import SellingApi
from connectors.amazon.sandbox.stage import SellerStage
from core.sandbox import scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from connectors.amazon.sandbox.seller import Seller

HOME = "A1PA6795UKMFR9"
"""Where an account sells that names only marketplaces without relayed mail."""

LANGUAGES = {
    "com": ("en", "es"), "ca": ("en", "fr"), "com.mx": ("es",), "com.br": ("pt",), "fr": ("fr",),
    "com.be": ("fr", "nl"), "de": ("de", "en", "pl"), "it": ("it",), "es": ("es", "pt"),
    "nl": ("nl", "en"), "pl": ("pl",), "co.jp": ("ja",),
}  # fmt: skip
"""What buyers of a marketplace speak; English elsewhere."""

HABITS = Habits(answers_back=0.3)
MOST_LETTERS = 500
"""In each mailbox: some hours of them."""


class AccountOptions(Protocol):
    """What the stand-in needs to know of an account."""

    @property
    def marketplaces(self) -> Sequence[str]: ...
    @property
    def sender(self) -> str: ...


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its mailbox and SP-API are reached.

    Each instant begins another scene: who starts again meets nobody of the last one.
    """
    begun = clock().isoformat()
    seed = crc32(begun.encode())
    async with (
        Sandbox(clock, seed=seed) as sandbox,
        SellingApi(clock, seed=seed, more=acts.routes(), shared={acts.SANDBOX: sandbox}) as api,
    ):
        sandbox.post.most = MOST_LETTERS * len(accounts)
        sellers = {name: await _seller(sandbox, name, one) for name, one in accounts.items()}
        scenes = [_scene(f"{name} {begun}", one) for name, one in sellers.items()]
        for each in scenes:
            each.once(clock())
        await sandbox.post.deliver()
        async with scene.playing(scenes, clock):
            yield {
                name: _options(sandbox, api, one, accounts[name].marketplaces)
                for name, one in sellers.items()
            }


async def _seller(sandbox: Sandbox, name: str, options: AccountOptions) -> Seller:
    known = [one for one in options.marketplaces if one in places.BY_ID]
    place = known[0] if known else HOME
    return await sandbox.add_seller(
        place, user=f"{name}@shop.example", sender=options.sender, habits=HABITS
    )


def _scene(seed: str, one: Seller) -> scene.Scene:
    stage = SellerStage(one)
    one.on_answer = stage.writes_again
    return scene.Scene(
        stage,
        within=stories.PROMISE,
        seed=crc32(seed.encode()),
        languages=LANGUAGES.get(one.author.place.tld, ("en",)),
        script=stories.SCRIPT,
        number=seller.order_number,
    )


def _options(
    sandbox: Sandbox, api: SellingApi, one: Seller, marketplaces: Sequence[str]
) -> dict[str, Any]:
    options = {**sandbox.options(one), "sp_api": consents.given(api, one, marketplaces)}
    del options["marketplaces"]
    return options
