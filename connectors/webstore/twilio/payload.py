"""Twilio's answers and forms as they come: lenient, every field but an id may be missing.

Source: Twilio's API of 2010-04-01 (github.com/twilio/twilio-oai, read 2026-11-22): dates are
RFC 2822, numbers mostly text, what is not known yet is null.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from core.payload import EXACT, NUL_FREE, Payload, Word

Sid = Annotated[str, Field(max_length=100, pattern=NUL_FREE), EXACT]
"""An id; Twilio's have 34 characters."""


class _Page(Payload):
    next_page_uri: Word = None


class Text(Payload):
    """A message, of either direction."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    sid: Sid
    from_: Word = Field(default=None, alias="from")
    to: Word = None
    body: Word = None
    direction: Word = None
    status: Word = None
    error_code: Word = None
    num_media: Word = None
    messaging_service_sid: Word = None
    date_created: Word = None
    date_sent: Word = None
    date_updated: Word = None


class Texts(_Page):
    """A page of messages."""

    messages: list[Text]


class Medium(Payload):
    """A file of a message."""

    sid: Sid
    content_type: Word = None


class Media(_Page):
    """The files of a message."""

    media_list: list[Medium]


class Call(Payload):
    """A call, or a leg of one (*parent_call_sid*)."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    sid: Sid
    parent_call_sid: Word = None
    from_: Word = Field(default=None, alias="from")
    to: Word = None
    direction: Word = None
    status: Word = None
    duration: Word = None
    answered_by: Word = None
    start_time: Word = None
    date_created: Word = None


class Calls(_Page):
    """A page of calls."""

    calls: list[Call]


class Recording(Payload):
    """A recording; *source* says by what it was made."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    sid: Sid
    call_sid: Word = None
    source: Word = None
    status: Word = None
    duration: Word = None
    start_time: Word = None
    date_created: Word = None


class Recordings(_Page):
    """A page of recordings."""

    recordings: list[Recording]


class Transcription(Payload):
    """What a machine understood of a recording."""

    sid: Sid
    recording_sid: Word = None
    status: Word = None
    transcription_text: Word = None
    date_created: Word = None


class Transcriptions(_Page):
    """A page of transcriptions, the newest first."""

    transcriptions: list[Transcription]


class Number(Payload):
    """One of our numbers, and what is registered at it."""

    sid: Sid
    phone_number: Word = None
    sms_url: Word = None
    status_callback: Word = None


class Numbers(_Page):
    """A page of numbers."""

    incoming_phone_numbers: list[Number]


class Complaint(Payload):
    """An error: its number says what it means; its words may name a buyer."""

    code: int | None = None


class Made(Payload):
    """A message that was taken."""

    sid: Sid


class Form(Payload):
    """What is pushed: of the many fields those that are read."""

    AccountSid: Word = None
    MessageSid: Sid | None = None
    MessageStatus: Word = None
    CallSid: Sid | None = None
    CallStatus: Word = None
    Direction: Word = None
    RecordingSid: Sid | None = None
    RecordingDuration: Word = None
    RecordingSource: Word = None
    TranscriptionSid: Sid | None = None
    TranscriptionStatus: Word = None
    TranscriptionText: Word = None
    From: Word = None
    To: Word = None
    Body: Word = None
    NumMedia: Word = None
    ErrorCode: Word = None
    OptOutType: Word = None


def at(text: object) -> datetime | None:
    """An RFC 2822 date as an instant; None where it is none, or names no zone."""
    if not isinstance(text, str):
        return None
    try:
        found = parsedate_to_datetime(text)
        return None if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def count(text: str | None) -> int:
    """A number of seconds or files; 0 where it is none."""
    told = text or ""
    return (
        int(told) if told.isascii() and told.isdigit() and len(told) <= 9 else 0
    )  # digits that no call fills
