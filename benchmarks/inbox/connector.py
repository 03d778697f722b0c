"""A connector for that inbox, as its author would write it: only the public surface is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NotRequired

from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import TypedDict  # the one that pydantic reads before Python 3.12

from core.connector import Capabilities, Options, Spec
from core.model import Id, Line, Message, Page, Stream, Thread
from sla.calendar import Calendar
from sla.clock import Delivery
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.connector import Transport
    from core.model import SetAside

MESSAGES = "messages"
LIMIT = 100

TERMS = Policy(
    name="bench-terms",
    version=1,
    role="contract",
    applies_to=frozenset({ThreadKind.MESSAGE}),
    waits_for=frozenset({Party.BUYER}),
    reply_within=timedelta(hours=24),
    calendar=Calendar.always(),
    source="invented",
    checked_on=date(2026, 11, 22),
)
SENDERS = {
    "CUSTOMER_USER": Party.BUYER,
    "SHOP_USER": Party.SELLER,
    "OPERATOR_USER": Party.MARKETPLACE,
}
PARTIES = {"CUSTOMER": Party.BUYER, "SHOP": Party.SELLER, "OPERATOR": Party.MARKETPLACE}


class InboxOptions(Options):
    """Which inbox, and which shop's part of it."""

    base_url: str
    shop: int


class Sender(TypedDict):
    """Who wrote: a user of the customer, the shop or the operator."""

    type: str
    display_name: NotRequired[str]


class Addressee(TypedDict):
    type: str


class File(TypedDict):
    """An attachment, in our words already."""

    id: Id
    name: NotRequired[Line]
    size: NotRequired[int | None]


# Dictionaries, for nothing is done with an entry but to map it: models would cost three times as
# much. What is not named here is ignored.
Entry = TypedDict(
    "Entry",
    {
        "id": Id,
        "thread_id": Id,
        "date_created": str,
        "date_updated": str,
        "body": str,
        "from": Sender,
        "to": list[Addressee],
        "attachments": list[File],
    },
)


class Entries(BaseModel):
    """A page of the inbox."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    data: list[Entry]
    next_page_token: str | None = None


MESSAGES_OF = TypeAdapter(tuple[Message, ...])
THREADS_OF = TypeAdapter(tuple[Thread, ...])


@dataclass(frozen=True, slots=True)
class Inbox:
    """One shop's inbox; the cursor is the newest change seen."""

    options: InboxOptions
    transport: Transport

    async def check(self) -> None:
        """Ask for one thread."""
        await self._ask({"limit": "1"})

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """A page of messages, oldest change first."""
        assert stream == MESSAGES
        token, _, seen = (position or "").partition(" ")
        asked = {"limit": str(LIMIT)}
        if cursor:
            asked["updated_since"] = cursor
        if token:
            asked["page_token"] = token
        found, aside = await self._ask(asked)
        page = mapped(found.data, now)
        seen = max([seen or cursor or "", *(entry["date_updated"] for entry in found.data)])
        onward = found.next_page_token
        return replace(
            page, set_aside=aside, cursor=seen, position=f"{onward} {seen}", more=onward is not None
        )

    async def _ask(self, asked: Mapping[str, str]) -> tuple[Entries, tuple[SetAside, ...]]:
        got = await self.transport.http.get_items(
            f"{self.options.base_url}/api/messages",
            Entries,
            operation="messages",
            params={**asked, "shop": str(self.options.shop)},
        )
        return got.value, got.aside


def mapped(entries: Iterable[Entry], now: datetime) -> Page:
    """These entries as messages, and the threads that they belong to. Pure."""
    messages: dict[str, dict[str, object]] = {}
    threads: dict[str, tuple[str, str]] = {}
    for entry in entries:
        messages[entry["id"]] = _message(entry)
        buyer, changed = threads.get(entry["thread_id"], ("", ""))
        if not buyer and entry["from"]["type"] == "CUSTOMER_USER":
            buyer = entry["from"].get("display_name", "")
        threads[entry["thread_id"]] = buyer, max(changed, entry["date_updated"])
    described = tuple(
        {"id": id_, "buyer": buyer, "as_of": _instant(changed) or now}
        for id_, (buyer, changed) in threads.items()
    )
    return Page(
        messages=MESSAGES_OF.validate_python(tuple(messages.values())),
        threads=THREADS_OF.validate_python(described),
    )


def _message(entry: Entry) -> dict[str, object]:
    party = SENDERS.get(entry["from"]["type"], Party.BUYER)
    return {
        "id": entry["id"],
        "thread": entry["thread_id"],
        "party": party,
        "to": {PARTIES[one["type"]] for one in entry["to"] if one["type"] in PARTIES},
        "delivery": Delivery.CONFIRMED if party is Party.SELLER else None,
        "sent_at": _instant(entry["date_created"]),
        "body": entry["body"],
        "attachments": entry["attachments"],
    }


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


spec = Spec(
    name="inbox",
    options=InboxOptions,
    policies=lambda _: (TERMS,),
    streams=lambda _: (Stream(MESSAGES, timedelta(minutes=1)),),
    open=Inbox,
    can=lambda _: Capabilities(),
    marketplace=lambda _: "inbox",
    identity=lambda options: f"{options.base_url} {options.shop}",
    budget=lambda options: f"{options.base_url} {options.shop}",
    operations=("messages",),
)
