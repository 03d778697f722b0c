"""The webstore's stand-ins as a benchmark has them: an account each, and what it pushes, signed."""

from __future__ import annotations

import hmac
import json
from abc import ABC, abstractmethod
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol, Self

from benchmarks.pushing import Request, written
from connectors.webstore.chatwoot.sandbox import payload as chats
from connectors.webstore.chatwoot.sandbox.deliveries import Push as ChatPush
from connectors.webstore.chatwoot.sandbox.server import Sandbox as Chatwoot
from connectors.webstore.meta.sandbox import payload as envelopes
from connectors.webstore.meta.sandbox.server import Sandbox as Meta
from connectors.webstore.twilio.sandbox import messaging
from connectors.webstore.twilio.sandbox.callbacks import Push as Form
from connectors.webstore.twilio.sandbox.server import Sandbox as Twilio
from connectors.webstore.whatsapp import identity
from core import loops

if TYPE_CHECKING:
    from datetime import datetime

TALK = 5
"""So many messages has a conversation."""
WORDS = "Where is my parcel? It was to be here on Monday, and nobody opens the door since then."
OURS = "+48221230001"
FIRST = 48_600_000_000


class Kind(Protocol):
    """One account of a kind; its stand-in serves while it is entered."""

    account: str
    options: dict[str, Any]

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...

    def listen(self, url: str) -> None:
        """Let what happens be pushed under *url*, as if that was registered long ago."""

    def asked(self, at: datetime) -> Request:
        """What is pushed of a message that is written *at*."""


class _Shop(ABC):
    """What all have in common: *sandbox* serves, *place* is the account's address."""

    sandbox: Any
    options: dict[str, Any]

    def __init__(self, account: str) -> None:
        self.account, self.place, self.count = account, "", 0
        self._number = int(sha256(account.encode()).hexdigest()[:4], 16)

    async def __aenter__(self) -> Self:
        await self.sandbox.__aenter__()
        self.options = self._options()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self.sandbox.__aexit__(*fault)

    @abstractmethod
    def _options(self) -> dict[str, Any]:
        """The account's options, once its stand-in serves."""

    def listen(self, url: str) -> None:
        self.place = f"{url}/push/webstore/{self.account}"

    def _begins(self) -> bool:
        """Whether the next message is the first of a conversation."""
        self.count += 1
        return self.count % TALK == 1


class ChatwootShop(_Shop):
    """A widget; the chat stands there from its first message's instant."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.sandbox = Chatwoot(loops.utcnow)
        self.inbox = self.sandbox.desk.add_account().add_inbox()
        self.hook = self.inbox.account.add_webhook("", ["message_created"])

    def _options(self) -> dict[str, Any]:
        told = self.sandbox.options(self.inbox)
        return {"kind": "chatwoot", **told, "push": {"secret": self.hook.secret}}

    def listen(self, url: str) -> None:
        super().listen(url)
        self.hook.url = self.place

    def asked(self, at: datetime) -> Request:
        account, desk = self.inbox.account, self.sandbox.desk
        if self._begins():
            contact = account.add_contact(phone=f"+{FIRST + self.count}")
            desk.begin += 1  # no other chat has its number, though it does not stand there yet
            self.chat = account.open_chat(inbox=self.inbox, contact=contact, at=at)
            del account.chats[self.chat.id]
        chat = self.chat
        said = chat.add(0, WORDS, chat.contact, at=at)
        told = chats.told("message_created", chat, said, desk.habits, self.sandbox.url)
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        push = ChatPush(self.hook, "message_created", f"{self.account}-{said.id}", body)
        headers = self.sandbox.deliveries.headers(push)
        chat.messages.pop()

        def appears() -> None:
            account.chats[chat.id] = chat
            chat.messages.append(said)

        return Request((self.account, str(said.id)), written(self.place, headers, body), appears)


class TwilioShop(_Shop):
    """A number for texts."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.sandbox = Twilio(loops.utcnow, seed=self._number)
        self.at = self.sandbox.desk.add_account()
        self.number = self.at.add_number(OURS, url="")

    def _options(self) -> dict[str, Any]:
        return {"kind": "twilio", **self.sandbox.options(self.at, self.number), "voice": False}

    def listen(self, url: str) -> None:
        super().listen(url)
        self.number.sms_url = self.number.status_callback = self.place

    def asked(self, at: datetime) -> Request:
        if self._begins():
            self.theirs = f"+{FIRST + self.count}"
        account = self.at
        said = messaging.buyer_writes(account, self.number, self.theirs, WORDS, at=at, pushed=False)
        del account.messages[said.sid]
        more = {"AccountSid": account.sid, "ApiVersion": "2010-04-01"}
        form = Form(self.place, account.token, more | messaging.inbound_form(account, said))
        raw = written(self.place, form.headers, form.body)
        return Request(
            (self.account, said.sid), raw, lambda: account.messages.update({said.sid: said})
        )


class WhatsappShop(_Shop):
    """A number at Meta, of which nothing can be read by asking."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self.sandbox = Meta(loops.utcnow, seed=self._number)
        self.line = self.sandbox.graph.add_line("whatsapp")
        self.sandbox.graph.on_said = lambda *_: None

    def _options(self) -> dict[str, Any]:
        return {"kind": "whatsapp", **self.sandbox.options(self.line)}

    def listen(self, url: str) -> None:
        super().listen(url)
        self.sandbox.subscribe(self.line, self.place)

    def asked(self, at: datetime) -> Request:
        graph, line = self.sandbox.graph, self.line
        if self._begins():
            self.person = graph.add_person(line)
        said = graph.says(line, self.person, WORDS, at=at)
        body = json.dumps(envelopes.pushed(line, said), separators=(",", ":")).encode()
        digest = hmac.new(line.app.secret.encode(), body, sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}
        raw = written(self.place, headers, body)
        return Request((self.account, identity.message_id(said.id)), raw, _nothing)


def _nothing() -> None:
    """It can be read nowhere."""


KINDS: dict[str, type[ChatwootShop | TwilioShop | WhatsappShop]] = {
    "chatwoot": ChatwootShop,
    "twilio": TwilioShop,
    "whatsapp": WhatsappShop,
}
