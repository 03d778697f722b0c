"""One number, as the people of a scene use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import unescape
from re import sub
from typing import TYPE_CHECKING

from connectors.webstore.twilio.sandbox import messaging, telephony

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.twilio.sandbox.desk import Account, Number
    from connectors.webstore.twilio.sandbox.server import Sandbox
    from core.sandbox.people import Buyer, Letter

VOICEMAILS, MISSED = 0.25, 0.4
"""How many buyers leave a voicemail, or call and hang up; the others write."""

NOTICE = "Your parcel is on its way."


@dataclass(slots=True)
class NumberStage:
    """Satisfies `core.sandbox.scene.Stage`; a thread is ``call`` or ``text`` with a number."""

    sandbox: Sandbox
    account: Account
    number: Number
    waiting: set[str] = field(default_factory=set)

    def open(self, buyer: Buyer, order: str, letter: Letter, at: datetime) -> str:
        """A buyer writes or calls about an order, from a number nobody else has.

        Who has a phone of their own leaves a voicemail.
        """
        del order
        random = self.sandbox.desk.random
        theirs, chance = f"+48{random.randrange(5 * 10**8, 9 * 10**8)}", random.random()
        if buyer.phone:
            theirs, chance = buyer.phone, 0.0
        if self.number.is_whatsapp:
            theirs, chance = f"whatsapp:{theirs}", 1.0
        thread = f"{'call' if chance < MISSED else 'text'} {theirs}"
        if chance < VOICEMAILS:
            telephony.buyer_calls(
                self.account, self.number, theirs, "voicemail", at=self._at(at),
                text=_plain(letter.text),
            )  # fmt: skip
        else:
            self.buyer_writes(thread, letter.text, at)
        self.waiting.add(thread)
        return thread

    def is_waiting(self, thread: str) -> bool:
        return thread in self.waiting

    def buyer_writes(self, thread: str, text: str, at: datetime) -> None:
        """Again in the same way: a text, or a call that nobody takes."""
        kind, _, theirs = thread.partition(" ")
        self.waiting.add(thread)
        if kind == "call":
            telephony.buyer_calls(self.account, self.number, theirs, at=self._at(at))
        else:
            messaging.buyer_writes(
                self.account, self.number, theirs, _plain(text)[:1600], at=self._at(at)
            )

    def agent_answers(self, thread: str, text: str, at: datetime) -> None:
        """A text, or a call that is taken."""
        kind, _, theirs = thread.partition(" ")
        self.waiting.discard(thread)
        if kind == "call":
            telephony.agent_calls(self.account, self.number, theirs, at=self._at(at))
        else:
            messaging.seller_writes(
                self.account, self.number, theirs, _plain(text)[:1600], at=self._at(at)
            )

    def agent_asks_marketplace(self, thread: str, text: str, at: datetime) -> None:
        """The agent calls, and nobody takes it: no answer."""
        del text
        theirs = thread.partition(" ")[2]
        if thread.startswith("call"):
            telephony.agent_calls(
                self.account, self.number, theirs, answered=False, at=self._at(at)
            )

    def marketplace_writes(self, thread: str, text: str, at: datetime) -> None:
        """A machine answers by itself."""
        del text
        if thread.startswith("text"):
            messaging.seller_writes(
                self.account, self.number, thread.partition(" ")[2], NOTICE, at=self._at(at),
                direction="outbound-reply",
            )  # fmt: skip

    def agent_sees_no_need(self, thread: str, at: datetime) -> None:
        """Twilio has no such mark: the buyer goes on waiting there."""

    def open_case(self, thread: str, at: datetime) -> None:
        """Twilio knows no cases."""

    def close_case(self, thread: str, at: datetime) -> None:
        """Twilio knows no cases."""

    def forget(self, thread: str) -> None:
        theirs = thread.partition(" ")[2]
        kept = self.account.messages
        for sid in [sid for sid, one in kept.items() if theirs in {one.sender, one.to}]:
            del kept[sid]

    def _at(self, at: datetime) -> datetime:
        return self.sandbox.faults.shown(at)


def _plain(text: str) -> str:
    return " ".join(unescape(sub("<[^>]*>", " ", text)).split())
