"""Faults of a mail server, to order: by name, so many times or until lifted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MailFault = Literal[
    "imap_refuse_login",
    "imap_limit",
    "imap_drop",
    "imap_refuse_folder",
    "imap_silent",
    "imap_no_idle",
    "smtp_refuse_login",
    "smtp_refuse_sender",
    "smtp_refuse_recipient",
    "smtp_later",
    "smtp_limit",
    "smtp_refuse_data",
    "smtp_drop_after_data",
    "smtp_slow",
]
"""What goes wrong.

``imap_limit``: too many connections, to be tried again after so many *seconds* where these are
given; ``imap_drop``: the connection ends at the next command; ``imap_refuse_folder``: no folder is
opened; ``imap_silent``: the server says nothing any more, to nobody (half-open); ``smtp_later``:
451 to the recipient; ``smtp_limit``: 451, too many letters; ``smtp_refuse_data``: 554 after the
letter; ``smtp_drop_after_data``: the letter is taken and no answer comes; ``smtp_slow``: the answer
to a letter takes so many *seconds*.
"""


@dataclass(slots=True)
class _Order:
    left: int | None
    seconds: float


@dataclass(slots=True)
class MailFaults:
    """Which faults are in force."""

    _orders: dict[MailFault, _Order] = field(default_factory=dict)

    def order(self, fault: MailFault, times: int | None = None, seconds: float = 0.0) -> None:
        """Let *fault* happen *times* (None: until lifted)."""
        self._orders[fault] = _Order(times, seconds)

    def lift(self, fault: MailFault | None = None) -> None:
        """End one fault, or all."""
        for known in [fault] if fault is not None else list(self._orders):
            self._orders.pop(known, None)

    def strikes(self, fault: MailFault) -> bool:
        """Whether *fault* happens now; it is spent once."""
        return self.delay(fault) is not None

    def delay(self, fault: MailFault) -> float | None:
        """For how many seconds *fault* happens now, None where it does not; it is spent once."""
        order = self._orders.get(fault)
        if order is None:
            return None
        if order.left is not None:
            order.left -= 1
            if order.left <= 0:
                del self._orders[fault]
        return order.seconds
