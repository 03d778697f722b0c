"""Threads, and what people do in them: write, answer, click, join, rename."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from connectors.mirakl.sandbox.market import Shop

SHOP = "SHOP"
CUSTOMER = "CUSTOMER"
OPERATOR = "OPERATOR"

Since = Literal["first", "latest"]


@dataclass(frozen=True, slots=True)
class Habits:
    """In what operators differ, and what Mirakl does not document.

    *since*: whether `shop_reply_needed_since` is the first or the latest unanswered message.
    *operator_asks*: an operator's message to the shop awaits a reply too. *any_reply_clears*: a
    reply to the operator alone ends the customer's waiting as well. *click_clears*: "no reply
    needed" empties `shop_reply_needed_since`. *dates*: with milliseconds, without, or both mixed.
    *typed_part*: `message_input` is refused unless it says that it is JSON. *extra_fields*: fields
    appear that nobody announced.
    """

    since: Since = "first"
    operator_asks: bool = False
    any_reply_clears: bool = False
    click_clears: bool = False
    dates: Literal["milliseconds", "seconds", "mixed"] = "mixed"
    typed_part: bool = True
    extra_fields: bool = True


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who takes part; the operator has no id."""

    type: str
    id: str | None
    display_name: str


@dataclass(frozen=True, slots=True)
class Attachment:
    id: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One entry; *organization* is the shop behind a shop's user."""

    id: str
    at: datetime
    sender_type: str
    sender_name: str
    organization: Participant | None
    to: tuple[Participant, ...]
    body: str
    attachments: tuple[Attachment, ...] = ()

    def is_for(self, party: str) -> bool:
        """Whether it is addressed to a participant of this type."""
        return any(someone.type == party for someone in self.to)


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody pressed "no reply needed" in the back office."""

    at: datetime
    user_type: str


@dataclass(slots=True)
class Thread:
    """A conversation of one shop. Every act moves `updated_at`; only some add a message."""

    id: str
    shop: Shop
    entities: tuple[tuple[str, str], ...]
    topic: tuple[str, str]
    created_at: datetime
    updated_at: datetime
    authorized: list[Participant]
    messages: list[Message] = field(default_factory=list)
    clicks: list[Click] = field(default_factory=list)
    _new_id: Callable[[], str] = field(default=str, repr=False)

    def buyer_writes(
        self,
        body: str,
        *,
        at: datetime | None = None,
        updated_at: datetime | None = None,
        to: Iterable[str] = (SHOP,),
        attachments: Iterable[tuple[str, bytes]] = (),
    ) -> Message:
        """The buyer writes. An *updated_at* after *at* is a message that was held back."""
        name = self._name_of(CUSTOMER)
        return self.somebody_writes(
            "CUSTOMER_USER",
            name,
            body,
            to=to,
            at=at,
            updated_at=updated_at,
            attachments=attachments,
        )

    def operator_writes(
        self, body: str, *, at: datetime | None = None, to: Iterable[str] = (SHOP, CUSTOMER)
    ) -> Message:
        """The operator's customer care writes, and so joins."""
        return self.somebody_writes("OPERATOR_USER", "Care", body, to=to, at=at)

    def shop_answers(
        self,
        body: str,
        *,
        at: datetime | None = None,
        to: Iterable[str] = (CUSTOMER,),
        by: str = "Back Office",
    ) -> Message:
        """Somebody of the shop answers in the marketplace's own back office."""
        return self.somebody_writes("SHOP_USER", by, body, to=to, at=at)

    def somebody_writes(
        self,
        sender_type: str,
        name: str,
        body: str,
        *,
        to: Iterable[str] = (SHOP,),
        at: datetime | None = None,
        updated_at: datetime | None = None,
        attachments: Iterable[tuple[str, bytes]] = (),
    ) -> Message:
        """A message of any sender, known to the documentation or not; *to* are party types."""
        parties = set(to)
        files = [Attachment(self._new_id(), title, content) for title, content in attachments]
        return self.add(
            sender_type,
            name,
            body,
            [someone for someone in self.authorized if someone.type in parties],
            files,
            at=at,
            updated_at=updated_at,
        )

    def add(
        self,
        sender_type: str,
        name: str,
        body: str,
        to: Iterable[Participant],
        attachments: Iterable[Attachment] = (),
        *,
        at: datetime | None = None,
        updated_at: datetime | None = None,
    ) -> Message:
        """A message to exactly these participants."""
        at = at or self.shop.now()
        organization = self.shop.participant() if sender_type == "SHOP_USER" else None
        message = Message(
            self._new_id(), at, sender_type, name, organization, tuple(to), body, tuple(attachments)
        )
        self.messages.append(message)
        self.messages.sort(key=lambda one: one.at)
        self._touch(updated_at or at)
        return message

    def click_no_reply_needed(
        self, *, at: datetime | None = None, by: Literal["SHOP", "OPERATOR"] = "SHOP"
    ) -> None:
        """Somebody presses "no reply needed" in the back office."""
        at = at or self.shop.now()
        self.clicks.append(Click(at, by))
        self._touch(at)

    def change_topic(
        self, value: str, *, kind: str = "FREE_TEXT", at: datetime | None = None
    ) -> None:
        """The thread gets another topic; no message comes with it."""
        self.topic = (kind, value)
        self._touch(at or self.shop.now())

    def authorize(self, participant: Participant) -> None:
        """Let somebody more take part, of a type that is documented or not."""
        self.authorized.append(participant)
        self._touch(self.shop.now())

    def current(self) -> list[Participant]:
        """Those who sent or received at least one message."""
        types = {one.sender_type.removesuffix("_USER") for one in self.messages}
        types |= {someone.type for one in self.messages for someone in one.to}
        return [someone for someone in self.authorized if someone.type in types]

    def reply_needed_since(self) -> datetime | None:
        """The marketplace's own view of who waits for the shop, by the operator's habits."""
        habits = self.shop.operator.habits
        waiting: list[tuple[datetime, str]] = []
        for at, act in self._acts():
            if isinstance(act, Click):
                waiting = [] if habits.click_clears else waiting
            elif act.sender_type == "SHOP_USER":
                waiting = [one for one in waiting if not _clears(act, one[1], habits)]
            elif act.is_for(SHOP) and _asks(act, habits):
                waiting.append((at, act.sender_type.removesuffix("_USER")))
        if not waiting:
            return None
        return waiting[0][0] if habits.since == "first" else waiting[-1][0]

    def _acts(self) -> list[tuple[datetime, Message | Click]]:
        acts: list[tuple[datetime, Message | Click]] = [(one.at, one) for one in self.messages]
        acts += [(click.at, click) for click in self.clicks]
        return sorted(acts, key=lambda act: act[0])

    def _name_of(self, party: str) -> str:
        return next((one.display_name for one in self.authorized if one.type == party), party)

    def _touch(self, at: datetime) -> None:
        self.updated_at = max(self.updated_at, at)


def _asks(message: Message, habits: Habits) -> bool:
    return message.sender_type == "CUSTOMER_USER" or (
        message.sender_type == "OPERATOR_USER" and habits.operator_asks
    )


def _clears(reply: Message, asker: str, habits: Habits) -> bool:
    return habits.any_reply_clears or reply.is_for(asker)
