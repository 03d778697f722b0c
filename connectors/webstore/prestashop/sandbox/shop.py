"""One PrestaShop: threads, messages, orders, employees, keys, and a clock on its wall."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

RESOURCES = ("configurations", "customer_messages", "customer_threads", "orders")
SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
THREAD_TAG, TOKEN_TAG = re.compile(r"#ct([0-9]*)"), re.compile(r"#tc([0-9-a-z-A-Z]*)")

Rights = dict[str, set[str]]


@dataclass(slots=True)
class Habits:
    """What differs from one PrestaShop to the next.

    *numbers*: ids and flags come as numbers, not as text; *empty*: how an empty list is written;
    *sorts*: False, and whoever asks for an order gets an empty list; *answers_in_xml*: to what is
    written, whatever was asked for; *escapes*: messages are kept with entities.
    """

    numbers: bool = False
    empty: str = "[]"
    sorts: bool = True
    answers_in_xml: bool = False
    escapes: bool = False


@dataclass(slots=True)
class Order:
    """An order as far as buyers name it."""

    id: int
    reference: str


@dataclass(slots=True)
class Message:
    """A row of customer_message."""

    id: int
    thread: Thread
    text: str
    at: datetime
    employee: int = 0
    private: bool = False
    file_name: str = ""

    def told(self, zone: ZoneInfo) -> dict[str, Any]:
        """The row, dates as the wall shows them."""
        written = wall(self.at, zone)
        return {
            "id": self.id,
            "id_employee": self.employee,
            "id_customer_thread": self.thread.id,
            "ip_address": "2130706433",
            "message": self.text,
            "file_name": self.file_name,
            "user_agent": "",
            "private": int(self.private),
            "date_add": written,
            "date_upd": written,
            "read": int(self.employee > 0),
        }


@dataclass(slots=True)
class Thread:
    """A row of customer_thread; a message that is added does not touch it."""

    id: int
    email: str
    token: str
    order: Order | None
    shop: int
    at: datetime
    changed_at: datetime
    status: str = "open"
    messages: list[Message] = field(default_factory=list)

    def told(self, zone: ZoneInfo) -> dict[str, Any]:
        """The row, with the numbers of its messages where it has some."""
        row: dict[str, Any] = {
            "id": self.id,
            "id_lang": 1,
            "id_shop": self.shop,
            "id_customer": 0,
            "id_order": self.order.id if self.order else 0,
            "id_product": 0,
            "id_contact": 1,
            "email": self.email,
            "token": self.token,
            "status": self.status,
            "date_add": wall(self.at, zone),
            "date_upd": wall(self.changed_at, zone),
        }
        if self.messages:
            row["associations"] = {"customer_messages": [{"id": m.id} for m in self.messages]}
        return row

    def is_waiting(self) -> bool:
        """Whether the customer wrote last, notes aside."""
        said = [one for one in self.messages if not one.private]
        return bool(said) and said[-1].employee == 0


@dataclass(slots=True)
class Shop:
    """One installation, reached under its *name*; *now* is its server's clock."""

    name: str
    now: Callable[[], datetime]
    random: Random
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))
    habits: Habits = field(default_factory=Habits)
    keys: dict[str, Rights] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    written: list[Message] = field(default_factory=list)
    settings: list[dict[str, Any]] = field(default_factory=list)
    _last_thread: int = 0
    _last_message: int = 0
    _last_order: int = 0

    def __post_init__(self) -> None:
        self.settings.append({"id": 1, "name": "PS_TIMEZONE", "value": self.zone.key, "id_shop": 0})

    def add_key(self, **rights: str) -> str:
        """A key that may do all, or what *rights* say: ``orders="GET"``, nothing else of those."""
        key = "".join(self.random.choices(CAPITALS + "123456789", k=32))
        full = {name: {"GET", "HEAD", "POST", "PUT", "DELETE"} for name in RESOURCES}
        self.keys[key] = full | {name: set(told.split()) for name, told in rights.items()}
        return key

    def begin_at(self, number: int) -> None:
        """Let ids go on behind *number*: a shop that is some years old."""
        self._last_thread = self._last_message = self._last_order = number

    def add_order(self, reference: str | None = None) -> Order:
        """An order; its reference is nine capitals."""
        self._last_order += 1
        made = Order(self._last_order, reference or "".join(self.random.choices(CAPITALS, k=9)))
        self.orders[made.id] = made
        return made

    def open_thread(
        self,
        text: str,
        email: str = "ada@buyers.example",
        *,
        order: Order | None = None,
        shop: int = 1,
        at: datetime | None = None,
    ) -> Thread:
        """A customer writes by the contact form."""
        self._last_thread += 1
        at = at or self.now()
        token = "".join(self.random.choices(SIGNS, k=12))
        made = Thread(self._last_thread, email, token, order, shop, at, at)
        self.threads[made.id] = made
        self.customer_writes(made.id, text, at=at)
        return made

    def customer_writes(
        self,
        thread: int,
        text: str,
        *,
        at: datetime | None = None,
        number: int | None = None,
        file_name: str = "",
    ) -> Message:
        """The customer writes once more; *number* is one that was reserved before."""
        shown = self.threads[thread]
        shown.status = "open"
        return self._add(shown, text, at, number=number, file_name=file_name)

    def employee_writes(
        self,
        thread: int,
        text: str,
        *,
        at: datetime | None = None,
        employee: int = 1,
        private: bool = False,
    ) -> Message:
        """Somebody answers in the back office, which closes the thread, or leaves a note."""
        shown = self.threads[thread]
        made = self._add(shown, text, at, employee=employee, private=private)
        if not private:
            self.set_status(thread, "closed", at=made.at)
        return made

    def set_status(self, thread: int, status: str, *, at: datetime | None = None) -> Thread:
        """Somebody changes the status."""
        shown = self.threads[thread]
        shown.status, shown.changed_at = status, at or self.now()
        return shown

    def reserve(self) -> int:
        """A number that a transaction holds whose row does not show yet."""
        self._last_message += 1
        return self._last_message

    def remove_message(self, number: int, *, restart: bool = False) -> None:
        """A row is gone; with *restart* the database starts anew and gives its number again."""
        gone = self.messages.pop(number)
        gone.thread.messages.remove(gone)
        if restart:
            self._last_message = max(self.messages, default=0)

    def forget(self, thread: int) -> None:
        """The thread is removed, with its messages."""
        for one in self.threads.pop(thread).messages:
            self.messages.pop(one.id, None)

    def mail_comes(self, subject: str, text: str, at: datetime | None = None) -> Message | None:
        """The shop reads its mailbox: what the tags in *subject* name joins its thread."""
        number, token = THREAD_TAG.search(subject), TOKEN_TAG.search(subject)
        if number is None or token is None or not number[1]:
            return None
        thread = self.threads.get(int(number[1]))
        if thread is None or thread.token != token[1]:
            return None
        return self.customer_writes(thread.id, text, at=at)

    def write(self, thread: int, text: str, employee: int, *, private: bool) -> Message:
        """A row comes by the webservice: nobody is mailed, and the thread stays as it is."""
        made = self._add(self.threads[thread], text, None, employee=employee, private=private)
        self.written.append(made)
        return made

    def _add(
        self,
        thread: Thread,
        text: str,
        at: datetime | None,
        *,
        employee: int = 0,
        private: bool = False,
        number: int | None = None,
        file_name: str = "",
    ) -> Message:
        number = self.reserve() if number is None else number
        made = Message(number, thread, text, at or self.now(), employee, private, file_name)
        self.messages[number] = made
        thread.messages.append(made)
        return made


def wall(at: datetime, zone: ZoneInfo) -> str:
    """What the shop's clock shows: no zone, no offset."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
