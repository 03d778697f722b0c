"""What a real page looks like: the sandbox's own answers, cast again with ids of their own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp

from connectors.mirakl.sandbox.inbox import CUSTOMER, OPERATOR, SHOP, Habits
from connectors.mirakl.sandbox.market import Customer
from connectors.mirakl.sandbox.server import Sandbox

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CANARY = "kanarienvogel"
"""Stands in every text of a buyer, and nowhere else: no log, no label, no error may hold it."""

OPERATIONS = ("M11", "M10", "OR11", "A01", "RE01")
LISTS = {"M11": "data", "OR11": "orders", "RE01": "reasons"}
"""Where the items of an answer stand."""

FRESH = "~fresh~"
SHORTEST = 7
_IDS = ("id", "order_id", "order_line_id")
_HOURS = (300, 90, 50, 30, 26, 20, 9, 5, 3, 1)


@dataclass(frozen=True, slots=True)
class Payload:
    """One answer of the marketplace.

    *whole* are the threads that nothing was done to, each with the ids of its messages: they are
    to be stored, whatever stands beside them. *companions* are the answers to M10, by thread.
    On a real wire *sent* goes out with these *headers* in place of the body, *cut* bytes of it are
    held back; *torn* says that it cannot be read then.
    """

    operation: str
    body: bytes
    whole: Mapping[str, frozenset[str]] = field(default_factory=dict)
    made: tuple[str, ...] = ()
    companions: Mapping[str, Payload] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: bytes | None = None
    cut: int = 0
    torn: bool = False


class Moulds:
    """Threads, orders and the rest as the sandbox has them; each casting has ids of its own."""

    def __init__(self, found: Mapping[str, list[Any]]) -> None:
        ids = {one for part in found.values() for one in _ids(part)}
        named = re.compile("|".join(sorted(map(re.escape, ids), key=len, reverse=True)))
        self._texts = {
            operation: [named.sub(rf"\g<0>{FRESH}", json.dumps(one)) for one in items]
            for operation, items in found.items()
        }

    def cast(self, operation: str, mark: str, random: Random) -> Any:
        """One thread (M11, M10), order (OR11), or the whole of A01 or RE01."""
        text = random.choice(self._texts[operation])
        return json.loads(text.replace(FRESH, mark))

    def clean(self, operation: str, mark: str) -> list[Any]:
        """One casting of each mould."""
        return [json.loads(text.replace(FRESH, mark)) for text in self._texts[operation]]


def messages_of(thread: Mapping[str, Any]) -> frozenset[str]:
    """The ids of the messages of a thread that is as the sandbox made it."""
    return frozenset(message["id"] for message in thread.get("messages", ()))


def page(operation: str, items: list[Any], **more: Any) -> dict[str, Any]:
    """The envelope that the marketplace sends them in."""
    return {LISTS[operation]: items, **more}


async def real() -> Moulds:
    """What the sandbox answers about a shop in which everything has happened once."""
    async with Sandbox(lambda: NOW, seed=7) as sandbox, aiohttp.ClientSession() as session:
        shop = sandbox.add_operator("op", Habits(operator_asks=True)).add_shop(2000)
        _live(shop)

        async def asked(path: str, **query: str) -> Any:
            url = f"{sandbox.base_url('op')}/api/{path}"
            head = {"Authorization": shop.key}
            async with session.get(url, params=query, headers=head) as answer:
                return await answer.json()

        threads = (await asked("inbox/threads", with_messages="true", limit="100"))["data"]
        orders = (await asked("orders", has_incident="true", max="100"))["orders"]
        wholes = [await asked(f"inbox/threads/{one['id']}") for one in threads]
        account, reasons = await asked("account"), await asked("reasons")
    return Moulds(
        {"M11": threads, "M10": wholes, "OR11": orders, "A01": [account], "RE01": [reasons]}
    )


def _live(shop: Any) -> None:
    """Buyers ask, shops and operators answer, somebody clicks, incidents open and close."""
    for n, hours in enumerate(_HOURS):
        at = NOW - timedelta(hours=hours)
        who = Customer(f"C-{n}", f"{CANARY} Quill {n}")
        order = shop.add_order(f"ORD-{1000 + n}-A", customer=who, at=at, lines=1 + n % 2)
        topic = ("REASON_CODE", "26") if n % 3 == 0 else ("FREE_TEXT", f"{CANARY} {n}")
        thread = shop.open_thread(f"{CANARY}: where is it?", order=order, topic=topic, at=at)
        if n % 2:
            file = [(f"{CANARY}.jpg", b"x")]
            thread.buyer_writes(f"{CANARY} again", at=at + timedelta(minutes=9), attachments=file)
        if n % 3 == 1:
            thread.shop_answers(f"{CANARY} soon", at=at + timedelta(minutes=30), to=(CUSTOMER,))
        if n % 4 == 2:
            thread.operator_writes(f"{CANARY} care", at=at + timedelta(minutes=40), to=(SHOP,))
        if n % 5 == 4:
            thread.click_no_reply_needed(at=at + timedelta(minutes=50))
        if n % 3 == 2:
            thread.shop_answers(f"{CANARY} op", at=at + timedelta(minutes=55), to=(OPERATOR,))
        order.open_incident(at=at)
        if n % 4 == 3:
            order.close_incident(at=at + timedelta(minutes=20))
            order.open_incident(line=len(order.lines), at=at + timedelta(minutes=25))


def _ids(part: Any) -> set[str]:
    if isinstance(part, list):
        return {one for inner in part for one in _ids(inner)}
    if not isinstance(part, dict):
        return set()
    named = [part[name] for name in _IDS if isinstance(part.get(name), str)]
    own = {one for one in named if len(one) > SHORTEST}  # a shop's number stands elsewhere too
    return own.union(*(_ids(inner) for inner in part.values()))
