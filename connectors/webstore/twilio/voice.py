"""Calls, voicemails and what was understood of them, to our words. Pure.

Nobody here takes a call: what became of one its records say. A call to us that an agent took is an
answer at its start; so is one from us that the buyer took. Any other call to us that has ended is a
missed one and waits for a call back; so does a voicemail, in the same thread.

Taken is a call of which a leg (``<Dial>``: a call with its sid as ``parent_call_sid``) was
completed and took time. That a call to us is ``completed`` says nothing: a machine that says the
opening hours completes it as well, and so does a voicemail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.webstore.twilio import identity
from connectors.webstore.twilio.mapping import BUYER, INBOUND, KIND, LEAD, OUTBOUND, UNDATED, Found
from connectors.webstore.twilio.payload import at, count
from core.model import Attachment, Message, Thread
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from connectors.webstore.twilio.options import TwilioOptions
    from connectors.webstore.twilio.payload import Call, Recording, Transcription
    from core.model import Page, SetAside

MISSED = frozenset({"no-answer", "busy", "failed", "canceled"})
COMPLETED = "completed"
ENDED = MISSED | {COMPLETED}
MACHINES = ("machine", "fax")
"""How begins who took a call, where Twilio was asked to find out (answering machine detection)."""

BY_CALLERS = "RecordVerb"
"""A recording that ``<Record>`` made: a voicemail. Others are of calls that people speak in."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Calls with what belongs to them.

    *taken* are the sids of calls of which a leg was completed, *ours* those of calls to our number
    that are not among *calls*.
    """

    calls: tuple[Call, ...]
    taken: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    recordings: tuple[Recording, ...] = ()
    texts: tuple[Transcription, ...] = ()
    aside: tuple[SetAside, ...] = ()


def page(heard: Heard, options: TwilioOptions, now: datetime) -> Page:
    """What these calls come to."""
    found = Found(aside=list(heard.aside))
    to_us = {one.sid: one for one in heard.calls if is_to_us(one, options)}
    taken = heard.taken | taken_of(heard.calls)
    for one in heard.calls:
        if one.sid in to_us:
            _to_us(one, taken, options, now, found)
        elif answers(one, heard.ours | to_us.keys(), options):
            _from_us(one, options, now, found)
    for recording in heard.recordings:
        call = to_us.get(recording.call_sid or "")
        if call is not None and is_voicemail(recording):
            _voicemail(recording, call, heard.texts, options, now, found)
    return found.page()


def is_to_us(call: Call, options: TwilioOptions) -> bool:
    """Whether somebody calls our number."""
    return call.direction == INBOUND and call.to == options.number


def took_place(call: Call) -> bool:
    """Whether two spoke: it was completed, took time, and no machine is known to have taken it."""
    is_machines = (call.answered_by or "").startswith(MACHINES)
    return call.status == COMPLETED and count(call.duration) > 0 and not is_machines


def taken_of(calls: Iterable[Call]) -> frozenset[str]:
    """The calls of which one of these is a leg that somebody took."""
    return frozenset(
        one.parent_call_sid for one in calls if one.parent_call_sid and took_place(one)
    )


def answers(call: Call, to_us: Collection[str], options: TwilioOptions) -> bool:
    """Whether it is one from our number that somebody took, and no leg of a call to us."""
    is_from_us = (call.direction or "").startswith(OUTBOUND) and call.from_ == options.number
    reaches = identity.phone(call.to or "") is not None
    return is_from_us and reaches and took_place(call) and call.parent_call_sid not in to_us


def is_voicemail(recording: Recording) -> bool:
    """Whether a caller left it, and said something."""
    is_whole = recording.status == COMPLETED and count(recording.duration) > 0
    return is_whole and recording.source == BY_CALLERS


def missed(sid: str, thread: str, when: datetime | None) -> Message:
    """A call that nobody took."""
    return Message(
        id=sid, thread=thread, party=Party.BUYER, sent_at=when, body="Missed call"
    )  # fmt: skip


def voicemail(sid: str, thread: str, when: datetime | None, seconds: int) -> Message:
    """What a caller left; the recording stays at Twilio."""
    return Message(
        id=sid,
        thread=thread,
        party=Party.BUYER,
        sent_at=when,
        body=f"Voicemail of {seconds} s",
        attachments=(Attachment(id=sid, name="voicemail", media_type="audio/wav"),),
    )


def transcript(sid: str, thread: str, when: datetime | None, text: str) -> Message:
    """What a machine understood: shown, and no message of anybody's."""
    return Message(
        id=sid, thread=thread, party=Party.MARKETPLACE, kind=Kind.SYSTEM, sent_at=when, body=text
    )


def thread(id_: str, theirs: str, called_at: datetime | None, now: datetime) -> Thread:
    """A caller's thread as of the call at *called_at*."""
    phone = identity.phone(theirs)
    is_dated = called_at is not None and called_at <= now + LEAD
    return Thread(
        id=id_,
        kind=ThreadKind.CALL,
        buyer=phone or "hidden number",
        as_of=called_at if is_dated and called_at else UNDATED,
        reply_to={"kind": KIND} | ({} if phone is None else {"phone": phone}),
    )


def began_at(call: Call) -> datetime | None:
    """When a call began."""
    return at(call.start_time) or at(call.date_created)


def _to_us(
    call: Call, taken: frozenset[str], options: TwilioOptions, now: datetime, found: Found
) -> None:
    if call.status not in ENDED:
        return
    theirs, began = call.from_ or "", began_at(call)
    id_ = identity.caller(options.number, theirs, call.sid)
    is_taken = call.sid in taken
    message = _spoken(call, id_, "Call taken") if is_taken else missed(call.sid, id_, began)
    found.add(thread(id_, theirs, began, now), message)


def _from_us(call: Call, options: TwilioOptions, now: datetime, found: Found) -> None:
    id_ = identity.caller(options.number, call.to or "", call.sid)
    found.add(thread(id_, call.to or "", None, now), _spoken(call, id_, "Call back"))


def _spoken(call: Call, id_: str, what: str) -> Message:
    """An answer by word of mouth, at the call's start."""
    return Message(
        id=call.sid,
        thread=id_,
        party=Party.SELLER,
        to=BUYER,
        delivery=Delivery.CONFIRMED,
        sent_at=began_at(call),
        body=f"{what}, {count(call.duration)} s",
    )


def _voicemail(
    recording: Recording,
    call: Call,
    texts: Iterable[Transcription],
    options: TwilioOptions,
    now: datetime,
    found: Found,
) -> None:
    theirs = call.from_ or ""
    id_ = identity.caller(options.number, theirs, call.sid)
    when = at(recording.start_time) or at(recording.date_created)
    told = [voicemail(recording.sid, id_, when, count(recording.duration))]
    told += [
        transcript(one.sid, id_, at(one.date_created), one.transcription_text or "")
        for one in texts
        if one.recording_sid == recording.sid and one.status == COMPLETED
    ]
    found.add(thread(id_, theirs, began_at(call), now), *told)
