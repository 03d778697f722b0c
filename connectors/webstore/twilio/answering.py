"""Whom an answer goes to, and what goes along. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pydantic import ValidationError

from connectors.webstore.twilio import offer
from connectors.webstore.twilio.payload import Complaint
from core.errors import Refused
from core.payload import instant
from core.said import phrase
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from connectors.webstore.twilio.options import TwilioOptions
    from core.connector import Capabilities
    from core.model import Draft, Thread

TO, OPTED_OUT, UNTIL, YES = "to", "opted_out", "until", "yes"
"""In a thread's ``reply_to``: the buyer's address, that they opted out, when the window shuts."""

CALL_BACK = phrase(
    "nobody can be called from here: call the number back; a call from this number ends the waiting"
    " by itself, of any other say that it was answered elsewhere"
)
HIDDEN = phrase("the caller hides the number: nobody can call back")
STOPPED = phrase(
    "the buyer opted out (STOP): Twilio lets no message through until they write START"
)
SHUT = (
    "24 hours have passed since the buyer's last message: WhatsApp takes templates alone now; send"
    " one from Twilio"
)
ELSEWHERE = "see twilio.com/docs/api/errors"
STOP_CODE = 21610
REASONS = {
    21211: "the number is none",
    21408: "messages to that country are not permitted in the account at Twilio",
    STOP_CODE: "the buyer opted out",
    21612: "no way leads from our number to the buyer's",
    21614: "the number takes no messages",
    21617: "the message is too long",
    21620: "a file's address is none",
    63016: "WhatsApp's 24 hours are over",
}
"""Twilio's errors in our words: its own may name the buyer (twilio.com/docs/api/errors)."""


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if frozenset(to) != {Party.BUYER}:
        return phrase("there is nobody to answer but the buyer")
    if thread.kind is ThreadKind.CALL:
        return CALL_BACK if "phone" in thread.reply_to else HIDDEN
    return STOPPED if thread.reply_to.get(OPTED_OUT) == YES else None


def is_shut(thread: Thread, options: TwilioOptions, now: datetime) -> bool:
    """Whether WhatsApp takes no free answer any more, by what is stored of *thread*."""
    until = instant(thread.reply_to.get(UNTIL))
    return options.is_whatsapp and until is not None and now > until


def narrows(can: Capabilities, thread: Thread) -> Capabilities:
    """What a reply in *thread* may be: until its window shuts, where it has one."""
    return replace(can, until=instant(thread.reply_to.get(UNTIL)))


def check(thread: Thread, draft: Draft, options: TwilioOptions, now: datetime) -> None:
    """Refuse what Twilio would refuse, now or later, before anything leaves.

    Raises:
        Refused: it says why.
    """
    if why := refuses(thread, draft.to):
        raise Refused(why, detail="recipient")
    if is_shut(thread, options, now):
        raise Refused(SHUT, detail="window")
    if not offer.SHORTEST <= len(draft.body) <= offer.LONGEST:
        raise Refused(
            f"a message has {offer.SHORTEST} to {offer.LONGEST} characters", detail="length"
        )
    can = offer.can(options)
    if can.most_files is not None and len(draft.files) > can.most_files:
        raise Refused(f"a message takes {can.most_files} files at most", detail="files")
    if any(file.url is None or file.media_type not in (can.linked or ()) for file in draft.files):
        raise Refused("Twilio takes files by their public address, of some types", detail="files")


def form(thread: Thread, draft: Draft, options: TwilioOptions) -> bytes:
    """The message as it is sent; what becomes of it is told at our endpoint, where there is one."""
    fields = [("To", thread.reply_to[TO]), ("From", options.number), ("Body", draft.body)]
    fields += [("MediaUrl", file.url) for file in draft.files if file.url is not None]
    if options.endpoint is not None:
        fields.append(("StatusCallback", options.endpoint))
    return urlencode(fields).encode()


def code(raw: bytes) -> int | None:
    """The number of the error in *raw*; None where it tells none."""
    try:
        return Complaint.model_validate_json(raw).code
    except ValidationError:
        return None


def reason(raw: bytes) -> str:
    """Why it was refused, in words of ours."""
    told = code(raw)
    return "" if told is None else f"error {told}: {REASONS.get(told, ELSEWHERE)}"
