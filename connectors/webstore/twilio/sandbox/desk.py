"""What Twilio keeps: accounts with their keys, numbers, messages, calls and recordings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Told = Callable[["Account", str | None, dict[str, str]], None]

DEMO_SMS = "https://demo.twilio.com/welcome/sms/reply"
STOP_WORDS = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
START_WORDS = {"start", "yes", "unstop"}
WINDOW = timedelta(hours=24)


@dataclass(slots=True)
class Message:
    """A message, of either direction; *media* are sids and types of its files."""

    sid: str
    sender: str
    to: str
    body: str
    direction: str
    status: str
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    error: int | None = None
    service: str | None = None
    callback: str | None = None
    media: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Call:
    """A call, or a leg of one."""

    sid: str
    sender: str
    to: str
    direction: str
    status: str
    created_at: datetime
    duration: int = 0
    parent: str | None = None
    answered_by: str | None = None


@dataclass(slots=True)
class Recording:
    """What was recorded in a call; *text* is what a machine understood."""

    sid: str
    call: Call
    duration: int
    created_at: datetime
    source: str = "RecordVerb"
    status: str = "completed"
    text_sid: str = ""
    text: str | None = None


@dataclass(slots=True)
class Number:
    """A phone number or a sender of WhatsApp, and the addresses registered at it."""

    sid: str
    address: str
    sms_url: str = DEMO_SMS
    status_callback: str = ""
    opted_out: set[str] = field(default_factory=set)
    last_from: dict[str, datetime] = field(default_factory=dict)
    answers_stop: bool = True

    @property
    def is_whatsapp(self) -> bool:
        return self.address.startswith("whatsapp:")


@dataclass(slots=True)
class Account:
    """An account: what it holds by sid; a *key* enters it as its token does."""

    desk: Desk
    sid: str
    token: str
    key: str
    secret: str
    numbers: dict[str, Number] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    recordings: dict[str, Recording] = field(default_factory=dict)

    def add_number(self, address: str, *, url: str | None = None) -> Number:
        """A number; *url* is registered for all that happens at it."""
        made = Number(self.desk.sid("PN"), address)
        if url is not None:
            made.sms_url = made.status_callback = url
        self.numbers[address] = made
        return made

    def tell(self, url: str | None, fields: dict[str, str]) -> None:
        """Push *fields* to *url*."""
        self.desk.on_push(self, url, {"AccountSid": self.sid, "ApiVersion": "2010-04-01", **fields})


class Desk:
    """All accounts; *now* is the server's clock."""

    def __init__(self, now: Callable[[], datetime], random: Random) -> None:
        self.now, self.random = now, random
        self.accounts: dict[str, Account] = {}
        self.on_push: Told = lambda *_: None

    def add_account(self, sid: str | None = None) -> Account:
        """An account with a token and a key of its own."""
        made = Account(self, sid or self.sid("AC"), self._word(), self.sid("SK"), self._word())
        self.accounts[made.sid] = made
        return made

    def sid(self, prefix: str) -> str:
        """An id as Twilio makes them."""
        return f"{prefix}{self.random.getrandbits(128):032x}"

    def _word(self) -> str:
        return f"{self.random.getrandbits(128):032x}"
