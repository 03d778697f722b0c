"""Numbers, and which thread a message or call belongs to. Pure.

No id holds a number: a thread's is made of a digest of both numbers. Who hides his number is a
thread for each call, for nobody knows whether it is the same.
"""

from __future__ import annotations

import re

from core.transport.filing import digest

WHATSAPP = "whatsapp:"
SMS_THREAD, WHATSAPP_THREAD, CALL_THREAD = "sms", "whatsapp", "call"

E164 = re.compile(r"\+[1-9][0-9]{5,14}")
CALL_SID = re.compile(r"CA[0-9a-f]{32}")

LONGEST = 100

HIDDEN = frozenset({
    "+266696687", "+7378742883", "+2562533", "+8656696", "+86282452253", "+464",
})  # fmt: skip
"""How Twilio writes a caller who hides his number: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and
UNAVAILABLE on the keys of a phone, and "no number" (twilio.com/docs: "Why am I getting calls from
these strange numbers?")."""


def phone(address: str) -> str | None:
    """The number of *address* as E.164; None where it is none, or is hidden."""
    told = address.removeprefix(WHATSAPP)
    return told if E164.fullmatch(told) and told not in HIDDEN else None


def is_address(text: str | None) -> bool:
    """Whether it may be somebody's address: it is kept, to answer to."""
    return bool(text) and len(text or "") <= LONGEST and (text or "").isprintable()


def chat(ours: str, theirs: str) -> str:
    """The thread of what is written between two addresses."""
    prefix = WHATSAPP_THREAD if ours.startswith(WHATSAPP) else SMS_THREAD
    return f"{prefix}:{digest(f'{ours} {theirs}')}"


def caller(ours: str, theirs: str, call: str) -> str:
    """The thread of a caller; of *call* alone where he hides his number."""
    return f"{CALL_THREAD}:{call if phone(theirs) is None else digest(f'{ours} {theirs}')}"
