"""The first run: a store for each account that says ``sandbox = true``, and people who buy.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from connectors.webstore.shopify.sandbox.server import Sandbox
from connectors.webstore.shopify.sandbox.stage import ShopStage
from core.sandbox import people, scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from connectors.webstore.shopify.sandbox.shop import Shop

PROMISE = timedelta(minutes=1)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
A_SECOND = 20
"""So many numbers are kept for each second, so that no later scene gives one of them again."""
LANGUAGES = ("en", "de", "fr", "es")
TOPICS = ("orders/create", "orders/updated", "disputes/create", "disputes/update")


class AccountPush(Protocol):
    """Where an account is pushed to."""

    @property
    def endpoint(self) -> str: ...


class AccountOptions(Protocol):
    """What the stand-in needs to know of an account."""

    @property
    def push(self) -> AccountPush | None: ...


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its store is reached.

    Each instant begins another scene: who starts again meets nobody of the last one. What was said
    before the beginning is pushed nowhere.
    """
    begun = clock()
    async with Sandbox(clock, seed=crc32(begun.isoformat().encode())) as sandbox:
        shops = {name: _shop(sandbox, number, begun) for number, name in enumerate(accounts)}
        scenes = [_scene(sandbox, f"{name} {begun}", one) for name, one in shops.items()]
        for each in scenes:
            each.once(clock())
        opened = {name: _options(sandbox, one, accounts[name].push) for name, one in shops.items()}
        async with scene.playing(scenes, clock):
            yield opened


def _shop(sandbox: Sandbox, number: int, begun: datetime) -> Shop:
    """A store whose numbers go on where no earlier scene has been."""
    made = sandbox.add_shop(f"store{number + 1}")
    made.begin_at(max(0, int((begun - EPOCH).total_seconds())) * A_SECOND)
    return made


def _scene(sandbox: Sandbox, seed: str, shop: Shop) -> scene.Scene:
    return scene.Scene(
        ShopStage(sandbox, shop),
        within=PROMISE,
        seed=crc32(seed.encode()),
        regular=people.regular(),
        languages=LANGUAGES,
    )


def _options(sandbox: Sandbox, shop: Shop, push: AccountPush | None) -> dict[str, Any]:
    told = sandbox.options(shop)
    if push is not None:
        for topic in TOPICS:
            shop.subscribe(topic, push.endpoint)
        told["push"] = {"endpoint": push.endpoint}
    return told
