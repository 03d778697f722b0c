"""Conversations, and what people and machines do in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.chatwoot.sandbox.desk import Account, Agent, Inbox

Status = Literal["open", "resolved", "pending", "snoozed"]
INCOMING, OUTGOING, ACTIVITY, TEMPLATE = 0, 1, 2, 3
WORDS = {INCOMING: "incoming", OUTGOING: "outgoing", ACTIVITY: "activity", TEMPLATE: "template"}


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who writes."""

    id: int
    name: str
    email: str | None = None
    phone_number: str | None = None


@dataclass(frozen=True, slots=True)
class Bot:
    """A machine that writes: ``AgentBot`` or ``Captain::Assistant``."""

    id: int
    name: str
    type: Literal["AgentBot", "Captain::Assistant"] = "AgentBot"


@dataclass(frozen=True, slots=True)
class Attachment:
    id: int
    name: str
    media_type: str
    content: bytes = b""


@dataclass(slots=True)
class Message:
    """One entry; *type* is a number as in Chatwoot's database."""

    id: int
    chat: Chat
    type: int
    content: str
    created_at: datetime
    sender: Contact | Agent | Bot | None = None
    private: bool = False
    status: str = "sent"
    content_type: str = "text"
    content_attributes: dict[str, Any] = field(default_factory=dict)
    additional_attributes: dict[str, Any] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()

    def answers(self) -> bool:
        """Whether it is a person's answer, as Chatwoot counts (`human_response?`)."""
        machine = "automation_rule_id" in self.content_attributes or self.additional_attributes
        is_persons = hasattr(self.sender, "role") or "external_echo" in self.content_attributes
        return self.type == OUTGOING and not self.private and not machine and is_persons


@dataclass(slots=True)
class Chat:
    """A conversation; *id* counts within its account."""

    id: int
    inbox: Inbox
    contact: Contact
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime
    status: Status = "open"
    can_reply: bool = True
    custom_attributes: dict[str, Any] = field(default_factory=dict)
    additional_attributes: dict[str, Any] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    @property
    def account(self) -> Account:
        return self.inbox.account

    def contact_writes(
        self,
        content: str,
        *,
        at: datetime | None = None,
        attachments: tuple[Attachment, ...] = (),
        **attributes: Any,
    ) -> Message:
        """The contact writes; a conversation that was resolved opens again."""
        if self.status in ("resolved", "snoozed"):
            self.set_status("open", at=at)
        return self.add(
            INCOMING, content, self.contact, at=at, attachments=attachments,
            content_attributes=attributes,
        )  # fmt: skip

    def agent_writes(
        self,
        content: str,
        *,
        by: Agent | None = None,
        private: bool = False,
        at: datetime | None = None,
        attachments: tuple[Attachment, ...] = (),
    ) -> Message:
        """An agent answers, or leaves a note that the contact never sees."""
        agent = by or self.account.agents[0]
        return self.add(OUTGOING, content, agent, private=private, at=at, attachments=attachments)

    def bot_writes(self, content: str, bot: Bot, *, at: datetime | None = None) -> Message:
        """A machine answers."""
        return self.add(OUTGOING, content, bot, at=at)

    def automation_writes(
        self, content: str, *, rule: int = 1, at: datetime | None = None
    ) -> Message:
        """A rule answers: nobody is its sender."""
        attributes = {"automation_rule_id": rule}
        return self.add(OUTGOING, content, None, at=at, content_attributes=attributes)

    def template_writes(self, content: str, *, at: datetime | None = None) -> Message:
        """Chatwoot itself answers: a greeting, an out-of-office note."""
        return self.add(TEMPLATE, content, None, at=at)

    def set_status(
        self, status: Status, *, by: Agent | None = None, at: datetime | None = None
    ) -> None:
        """Somebody marks the conversation; an activity tells of it."""
        self.status = status
        words = {"open": "reopened", "pending": "marked as pending"}.get(status, status)
        who = by.name if by else "the system"
        self.add(ACTIVITY, f"Conversation was {words} by {who}", None, at=at)
        self.account.tell("conversation_status_changed", self, None)

    def fail(self, message: Message, why: str = "131047: outside the window") -> None:
        """The channel could not deliver: that touches the conversation, and does not move it."""
        message.status = "failed"
        self.updated_at = max(self.updated_at, self.account.desk.now())
        message.content_attributes["external_error"] = why
        self.account.tell("message_updated", self, message)

    def move(self, message: Message, status: str) -> None:
        """The channel says how far a message got."""
        message.status = status
        self.updated_at = max(self.updated_at, self.account.desk.now())
        self.account.tell("message_updated", self, message)

    def becomes(self, contact: Contact) -> None:
        """Whose it is is known now, by a form or because two contacts were merged."""
        self.contact = contact
        self.updated_at = max(self.updated_at, self.account.desk.now())

    def add(
        self,
        type_: int,
        content: str,
        sender: Contact | Agent | Bot | None,
        *,
        at: datetime | None = None,
        private: bool = False,
        attachments: tuple[Attachment, ...] = (),
        content_type: str = "text",
        content_attributes: dict[str, Any] | None = None,
        additional_attributes: dict[str, Any] | None = None,
    ) -> Message:
        """A message of whatever kind; Chatwoot tells of all but activities."""
        at = at or self.account.desk.now()
        message = Message(
            self.account.desk.number(), self, type_, content, at, sender, private,
            content_type=content_type,
            content_attributes=dict(content_attributes or {}),
            additional_attributes=dict(additional_attributes or {}),
            attachments=attachments,
        )  # fmt: skip
        self.messages.append(message)
        self.last_activity_at = at
        self.updated_at = max(self.updated_at, at)
        if type_ != ACTIVITY:
            self.account.tell("message_created", self, message)
        return message

    def is_waiting(self) -> bool:
        """Whether the contact has written since a person last answered, and nobody resolved it."""
        last = next((m for m in reversed(self.messages) if m.answers() or m.type == INCOMING), None)
        return self.status != "resolved" and last is not None and last.type == INCOMING
