"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from connectors.webstore.twilio.options import FLOOR
from core.connector import Capabilities
from core.model import Stream
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.twilio.options import TwilioOptions
    from sla.policy import CountsFrom, Role

MESSAGES, CALLS, NUMBER = "messages", "calls", "number"
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
WINDOW = timedelta(hours=24)
"""So long after a buyer's last message WhatsApp takes free answers (error 63016 afterwards)."""

SHORTEST, LONGEST = 1, 1600
"""How many characters a message has (error 21617; twilio.com/docs/messaging/api, read
2026-11-22). Longer than one segment of an SMS it is joined again on the buyer's phone."""

MOST_FILES, MOST_ON_WHATSAPP = 10, 1
PICTURES = frozenset({"image/gif", "image/jpeg", "image/png"})
ON_WHATSAPP = frozenset({
    "application/pdf", "audio/mpeg", "audio/ogg", "image/jpeg", "image/png", "video/mp4",
})  # fmt: skip
"""Of which types Twilio fetches a file by its public address (twilio.com/docs/messaging/guides)."""

LIST, MEDIA, SEND = "messages", "media", "send_message"
LIST_CALLS, CALL, RECORDINGS, TEXTS = "calls", "call", "recordings", "transcriptions"
NUMBERS, CHANGE_NUMBER = "numbers", "change_number"
OPERATIONS = (
    LIST, MEDIA, SEND, LIST_CALLS, CALL, RECORDINGS, TEXTS, NUMBERS, CHANGE_NUMBER,
)  # fmt: skip
"""The words that name our calls in metrics."""

MESSAGE, STATUS, CALLED, RECORDED, TRANSCRIBED = (
    "message", "message_status", "call_status", "recording", "transcription",
)  # fmt: skip
TOPICS = (MESSAGE, STATUS, CALLED, RECORDED, TRANSCRIBED)
"""What is pushed, in our words: Twilio has none for it."""

CHECKED, REVIEW = date(2026, 11, 22), date(2027, 11, 22)


def _policy(
    name: str,
    kind: ThreadKind,
    within: timedelta,
    source: str,
    role: Role = "goal",
    counts_from: CountsFrom = "oldest",
) -> Policy:
    return Policy(
        name=f"webstore-twilio-{name}",
        version=1,
        role=role,
        applies_to=frozenset({kind}),
        waits_for=frozenset({Party.BUYER}),
        reply_within=within,
        calendar=Calendar.always(),
        counts_from=counts_from,
        source=source,
        checked_on=CHECKED,
        review_after=REVIEW,
    )


CHAT = _policy(
    "message", ThreadKind.CHAT, HOUR,
    "our own: who texts expects somebody within the hour; nobody outside sets it",
)  # fmt: skip
CALL_BACK = _policy(
    "call-back", ThreadKind.CALL, 4 * HOUR,
    "our own: a missed call or voicemail is called back within four hours; nobody outside sets it",
)  # fmt: skip
SHUTS = _policy(
    "window", ThreadKind.CHAT, WINDOW,
    "twilio.com/docs/whatsapp/key-concepts: 24 hours after the buyer's last message WhatsApp takes"
    " templates alone (error 63016)",
    role="contract", counts_from="latest",
)  # fmt: skip


def goals(options: TwilioOptions) -> tuple[Policy, ...]:
    """Our own promises: Twilio makes none for us."""
    return (CHAT, CALL_BACK) if options.hears_calls else (CHAT,)


def policies(options: TwilioOptions) -> tuple[Policy, ...]:
    """The window of WhatsApp, which shuts by itself; SMS has none."""
    return (SHUTS,) if options.is_whatsapp else ()


def streams(options: TwilioOptions) -> tuple[Stream, ...]:
    """What is read by itself."""
    floor = min(SECOND if options.is_near else FLOOR, options.poll_every)
    found = [
        Stream(
            MESSAGES,
            options.poll_every,
            floor=floor,
            kinds=frozenset({ThreadKind.CHAT}),
            pushed=options.endpoint is not None,
        )
    ]
    if options.hears_calls:
        kinds = frozenset({ThreadKind.CALL})
        found.append(Stream(CALLS, options.poll_every, floor=floor, kinds=kinds))
    if options.watches_number:
        every = MINUTE if options.is_near else HOUR
        found.append(
            Stream(
                NUMBER, every, carries_clocks=False, floor=floor, kinds=frozenset(),
                limited_alone=True,
            )
        )  # fmt: skip
    return tuple(found)


def can(options: TwilioOptions) -> Capabilities:
    """What Twilio offers beyond reading. A call back from another phone is not seen by anybody."""
    return Capabilities(
        replies=True,
        looks=True,
        receives=options.endpoint is not None,
        verdicts=True,
        sees_replies="copies" if options.hears_calls else "always",
        shortest_reply=SHORTEST,
        longest_reply=LONGEST,
        most_files=MOST_ON_WHATSAPP if options.is_whatsapp else MOST_FILES,
        linked=ON_WHATSAPP if options.is_whatsapp else PICTURES,
    )
