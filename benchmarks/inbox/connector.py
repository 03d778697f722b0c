"""A connector for that inbox, as its author would write it: only the public surface is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import AliasPath, BaseModel, ConfigDict, Field, PlainValidator, TypeAdapter

from core.connector import Capabilities, Options, Spec
from core.model import Id, Message, Page, Stream, Thread
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def _instant(text: object) -> datetime | None:
    """An instant as the marketplace writes it; None where it cannot be read."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def _party(told: object) -> Party:
    return SENDERS.get(str(told), Party.BUYER)


def _addressed(to: object) -> frozenset[Party]:
    found = [str(one.get("type")) for one in to] if isinstance(to, list) else []
    return _parties(tuple(found))


@cache
def _parties(kinds: tuple[str, ...]) -> frozenset[Party]:
    return frozenset(PARTIES[kind] for kind in kinds if kind in PARTIES)


class Entry(Message):
    """An entry of the inbox: our message, read from the marketplace's words in one pass."""

    model_config = ConfigDict(extra="ignore")

    thread: Id = Field(validation_alias="thread_id")
    party: Annotated[Party, PlainValidator(_party)] = Field(  # type: ignore[pydantic-alias]  # only read, never made by its own name
        validation_alias=AliasPath("from", "type")
    )
    to: Annotated[frozenset[Party], PlainValidator(_addressed)]
    sent_at: Annotated[datetime | None, PlainValidator(_instant)] = Field(
        validation_alias="date_created"
    )
    changed: str = Field(validation_alias="date_updated")
    writer: str = Field(  # type: ignore[pydantic-alias]  # only read, never made by its own name
        default="", validation_alias=AliasPath("from", "display_name")
    )


class Entries(BaseModel):
    """A page of the inbox."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    data: tuple[Entry, ...]
    next_page_token: str | None = None


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
        seen = max([seen or cursor or "", *[entry.changed for entry in found.data]])
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


def mapped(entries: tuple[Entry, ...], now: datetime) -> Page:
    """These entries, and the threads that they belong to. Pure."""
    threads: dict[str, tuple[str, str]] = {}
    for entry in entries:
        buyer, changed = threads.get(entry.thread, ("", ""))
        if not buyer and entry.party is Party.BUYER:
            buyer = entry.writer
        threads[entry.thread] = buyer, max(changed, entry.changed)
    described = tuple(
        {"id": id_, "buyer": buyer, "as_of": _instant(changed) or now}
        for id_, (buyer, changed) in threads.items()
    )
    return Page(messages=entries, threads=THREADS_OF.validate_python(described))


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
