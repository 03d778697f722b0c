"""A server's accounts: their inboxes, agents, contacts, conversations and webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from connectors.webstore.chatwoot.sandbox.chats import Chat, Contact

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from connectors.webstore.chatwoot.sandbox.chats import Message

EVENTS = frozenset({
    "conversation_created", "conversation_status_changed", "conversation_updated",
    "message_created", "message_updated", "contact_created", "contact_updated",
    "webwidget_triggered", "conversation_typing_on", "conversation_typing_off",
})  # fmt: skip
"""What a webhook may subscribe to."""


@dataclass(slots=True)
class Habits:
    """In what versions differ, and what goes wrong.

    *signs*: webhooks have a secret (since 4.13). *names_deliveries*: each has an id. *copies*: each
    delivery comes so often. *dates*: how a webhook writes `created_at`. *enveloped*: whether
    webhooks come in an envelope, or plain as documented. *waits*: so long an endpoint may take.
    *listed*: a page lists each conversation so often.
    """

    signs: bool = True
    names_deliveries: bool = True
    copies: int = 1
    dates: Literal["iso", "words"] = "iso"
    enveloped: bool = True
    listed: int = 1
    waits: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Agent:
    """A user; *inboxes* are those that an agent sees, an administrator sees all."""

    id: int
    name: str
    token: str = field(repr=False)
    role: Literal["agent", "administrator"] = "administrator"
    inboxes: frozenset[int] = frozenset()


@dataclass(slots=True)
class Inbox:
    id: int
    name: str
    account: Account
    channel: str = "Channel::WebWidget"


@dataclass(slots=True)
class Webhook:
    """Where an account tells what happens; *secret* is None on servers that do not sign."""

    id: int
    url: str
    subscriptions: list[str]
    secret: str | None = field(default=None, repr=False)
    name: str = ""


@dataclass(slots=True)
class Account:
    """One account; conversations are numbered within it."""

    id: int
    name: str
    desk: Desk
    agents: list[Agent] = field(default_factory=list)
    inboxes: dict[int, Inbox] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    webhooks: dict[int, Webhook] = field(default_factory=dict)

    def add_agent(
        self,
        name: str = "Olive Agent",
        role: Literal["agent", "administrator"] = "administrator",
        inboxes: frozenset[int] = frozenset(),
    ) -> Agent:
        """A user with a token."""
        agent = Agent(self.desk.number(), name, self.desk.token(), role, inboxes)
        self.agents.append(agent)
        self.desk.tokens[agent.token] = agent, self
        return agent

    def add_inbox(
        self, inbox_id: int | None = None, name: str = "Site", channel: str = "Channel::WebWidget"
    ) -> Inbox:
        """A new inbox: a widget on a site, unless *channel* says otherwise."""
        number = inbox_id if inbox_id is not None else max([0, *self.inboxes]) + 1
        self.inboxes[number] = Inbox(number, name, self, channel)
        return self.inboxes[number]

    def add_contact(
        self, name: str = "Ada Sample", email: str | None = None, phone: str | None = None
    ) -> Contact:
        """Somebody new."""
        return Contact(self.desk.number(), name, email, phone)

    def open_chat(
        self,
        content: str | None = None,
        *,
        inbox: Inbox | None = None,
        contact: Contact | None = None,
        at: datetime | None = None,
        **attributes: Any,
    ) -> Chat:
        """A contact opens a conversation, and writes *content*; *attributes* are custom ones."""
        at = at or self.desk.now()
        inbox = inbox or next(iter(self.inboxes.values()))
        chat = Chat(
            self.desk.begin + len(self.chats) + self.desk.forgotten + 1,
            inbox, contact or self.add_contact(), at, at, at, custom_attributes=attributes,
        )  # fmt: skip
        self.chats[chat.id] = chat
        self.tell("conversation_created", chat, None)
        if content is not None:
            chat.contact_writes(content, at=at)
        return chat

    def forget(self, chat_id: int) -> None:
        """An administrator deletes a conversation; an unknown one is no fault."""
        if self.chats.pop(chat_id, None) is not None:
            self.desk.forgotten += 1

    def add_webhook(self, url: str, subscriptions: list[str], name: str = "") -> Webhook:
        """A new webhook; the server signs with a secret of its own making."""
        secret = self.desk.token() if self.desk.habits.signs else None
        hook = Webhook(self.desk.number(), url, subscriptions, secret, name)
        self.webhooks[hook.id] = hook
        return hook

    def tell(self, event: str, chat: Chat, message: Message | None) -> None:
        """Tell each webhook that wants to hear of it."""
        for hook in self.webhooks.values():
            if event in hook.subscriptions:
                self.desk.on_event(hook, event, chat, message)


def _nobody(hook: Webhook, event: str, chat: Chat, message: Message | None) -> None:
    """Nobody is told."""


@dataclass(slots=True)
class Desk:
    """One server. *begin*: numbers of conversations and messages are above it."""

    now: Callable[[], datetime]
    random: Random
    habits: Habits = field(default_factory=Habits)
    accounts: dict[int, Account] = field(default_factory=dict)
    tokens: dict[str, tuple[Agent, Account]] = field(default_factory=dict)
    on_event: Callable[[Webhook, str, Chat, Message | None], None] = _nobody
    begin: int = 0
    forgotten: int = 0
    _last: int = 0

    def add_account(self, account_id: int | None = None, name: str = "Shop") -> Account:
        """A new account with an administrator; without an inbox."""
        number = account_id if account_id is not None else max([0, *self.accounts]) + 1
        self.accounts[number] = Account(number, name, self)
        self.accounts[number].add_agent()
        return self.accounts[number]

    def number(self) -> int:
        """A number that no row has."""
        self._last += 1
        return self.begin + self._last

    def token(self) -> str:
        """A secret, the same in every run of the same seed."""
        return UUID(int=self.random.getrandbits(128), version=4).hex
