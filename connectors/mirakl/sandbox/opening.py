"""The first run: shops for the accounts that say ``sandbox = true``, and people who keep them busy.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zlib import crc32

from connectors.mirakl.sandbox.inbox import CUSTOMER, OPERATOR, SHOP, Habits
from connectors.mirakl.sandbox.market import Customer
from connectors.mirakl.sandbox.server import Sandbox
from core.sandbox import people, scene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from connectors.mirakl.sandbox.inbox import Thread
    from connectors.mirakl.sandbox.market import Order, Shop
    from core.sandbox.people import Buyer, Letter

PLACEHOLDERS: Mapping[str, Any] = {"base_url": "http://127.0.0.1", "api_key": "sandbox"}
PROMISE = timedelta(minutes=1)

HABITS = {
    "pccomponentes": Habits(operator_asks=True, since="latest"),
    "mediamarkt": Habits(dates="seconds"),
    "bestbuy": Habits(dates="milliseconds", since="latest"),
    "empik": Habits(click_clears=True),
}
LANGUAGES: dict[str, tuple[str, ...]] = {
    "pccomponentes": ("es", "pt", "it"),
    "mediamarkt": ("de", "nl"),
    "bestbuy": ("en", "ko"),
    "conrad": ("de", "fr"),
    "empik": ("pl",),
}


class AccountOptions(Protocol):
    """What the stand-in needs to know of an account."""

    @property
    def operator(self) -> str | None: ...
    @property
    def shop_id(self) -> int | None: ...


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, AccountOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, the `base_url` and `api_key` to use.

    Each instant begins another scene: who starts again meets nobody of the last one.
    """
    begun = clock().isoformat()
    async with Sandbox(clock, seed=crc32(begun.encode())) as sandbox:
        shops = {name: _shop(sandbox, name, options) for name, options in accounts.items()}
        scenes = [_scene(sandbox, f"{name} {begun}", shop) for name, shop in shops.items()]
        for each in scenes:
            each.once(clock())
        async with scene.playing(scenes, clock):
            yield {name: _options(sandbox, shop) for name, shop in shops.items()}


def _shop(sandbox: Sandbox, account: str, options: AccountOptions) -> Shop:
    """The account's shop, new where its operator does not have it yet.

    Those with a `shop_id` share their operator's first key: one user works for them all, so a call
    without `shop_id` is about another shop.
    """
    name = options.operator or account
    operator = sandbox.operators.get(name) or sandbox.add_operator(name, habits(name))
    if options.shop_id is None:
        return operator.add_shop()
    shop = operator.shops.get(options.shop_id) or operator.add_shop(options.shop_id)
    first = next(iter(operator.shops.values()))
    shop.key = operator.add_key(operator.shops, first.key, default=first.id)
    return shop


def habits(operator: str) -> Habits:
    """How this operator's instance behaves, where it has habits of its own."""
    return next((known for name, known in HABITS.items() if name in operator), Habits())


def _scene(sandbox: Sandbox, seed: str, shop: Shop) -> scene.Scene:
    spoken = LANGUAGES.items()
    languages = next((known for name, known in spoken if name in shop.operator.name), None)
    return scene.Scene(
        ShopStage(sandbox, shop),
        within=PROMISE,
        seed=crc32(seed.encode()),
        regular=people.regular(),
        languages=languages or people.LANGUAGES,
    )


def _options(sandbox: Sandbox, shop: Shop) -> dict[str, Any]:
    return {"base_url": sandbox.base_url(shop.operator.name), "api_key": shop.key}


@dataclass(frozen=True, slots=True)
class ShopStage:
    """One shop, as the people of a scene use it; satisfies `core.sandbox.scene.Stage`."""

    sandbox: Sandbox
    shop: Shop

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """A buyer writes for the first time, about an order of a few days ago."""
        customer = Customer(buyer.id, buyer.name, buyer.locale)
        bought = self.shop.add_order(order, customer=customer, at=self._at(at) - timedelta(days=4))
        coded = int(order[0]) < 3
        topic = ("REASON_CODE", "26") if coded else ("FREE_TEXT", letter.subject)
        return self.shop.open_thread(letter.text, order=bought, topic=topic, at=self._at(at)).id

    def is_waiting(self, thread: str) -> bool:
        """Whether a reply is needed and nobody has said since the last letter that it is not."""
        one = self._thread(thread)
        last = max(message.at for message in one.messages if message.is_for(SHOP))
        dismissed = any(click.at >= last for click in one.clicks)
        return one.reply_needed_since() is not None and not dismissed

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        self._thread(thread).buyer_writes(text, at=self._at(at))

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        self._thread(thread).shop_answers(text, at=self._at(at), to=(CUSTOMER,))

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        self._thread(thread).shop_answers(text, at=self._at(at), to=(OPERATOR,))

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        self._thread(thread).operator_writes(text, at=self._at(at), to=(SHOP, CUSTOMER))

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        self._thread(thread).click_no_reply_needed(at=self._at(at))

    def open_case(self, thread: str, at: datetime) -> None:
        for order in self._orders(thread):
            order.open_incident(at=self._at(at))

    def close_case(self, thread: str, at: datetime) -> None:
        for order in self._orders(thread):
            order.close_incident(at=self._at(at))

    def forget(self, thread: str) -> None:
        self.shop.operator.forget(thread)

    def _thread(self, thread: str) -> Thread:
        return self.shop.operator.threads[thread]

    def _orders(self, thread: str) -> list[Order]:
        names = [name for _, name in self._thread(thread).entities]
        return [self.shop.operator.orders[name] for name in names]

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)
