"""Messages to our words. Pure: what Twilio's fields mean for a clock stands here.

Whose message it is its ``direction`` says. What a TwiML answers (``outbound-reply``), what a call
sends (``outbound-call``) and what leaves by a messaging service of machines is automatic. A buyer's
STOP is Twilio's to answer: from then on every answer is refused (error 21610), so whoever waits
cannot be answered any more. HELP, START and YES stay messages: a person may mean them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import orders
from connectors.webstore.twilio import answering, identity, offer
from connectors.webstore.twilio.payload import at
from core.model import MAX_LINE, Attachment, Message, Page, Thread, Verdict
from core.transport import salvage
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from connectors.webstore.twilio.options import TwilioOptions
    from connectors.webstore.twilio.payload import Medium, Text
    from core.model import SetAside

KIND = "twilio"
INBOUND, OUTBOUND = "inbound", "outbound"
AUTOMATIC = frozenset({"outbound-reply", "outbound-call"})
BUYER = frozenset({Party.BUYER})

STOP_WORDS = frozenset({
    "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT",
})  # fmt: skip
"""After one of these alone Twilio lets nothing through to the buyer (twilio.com/docs, "Twilio
support for opt-out keywords", read 2026-11-22)."""

OPTED_OUT = str(answering.STOP_CODE)
ARRIVED = frozenset({"delivered", "read"})
FAILED = frozenset({"failed", "undelivered", "canceled"})
WAITS_THERE = "scheduled"

LEAD = timedelta(hours=1)
"""A stamp further ahead than this is none: it would freeze what it dates for ever."""

UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
"""Of a thread of which no dated message of the buyer was read: a walk tells its state better."""

Files = Mapping[str, "Sequence[Medium]"]


@dataclass(slots=True)
class Found:
    """What a page comes to so far, by id."""

    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    aside: list[SetAside] = field(default_factory=list)

    def add(self, thread: Thread, *messages: Message) -> None:
        """Keep them; of a thread's states the newest."""
        self.threads[thread.id] = orders.newest(self.threads.get(thread.id), thread)
        self.messages.update((one.id, one) for one in messages)

    def page(self) -> Page:
        """As a page without a cursor."""
        return Page(
            messages=tuple(self.messages.values()),
            threads=tuple(self.threads.values()),
            verdicts=tuple(self.verdicts.values()),
            set_aside=tuple(self.aside),
        )


def page(
    texts: Iterable[Text],
    files: Files,
    options: TwilioOptions,
    now: datetime,
    aside: Iterable[SetAside] = (),
) -> Page:
    """These messages as a page; *files* are those of each, by its sid."""
    found = Found(aside=list(aside))
    for text in texts:
        _read(text, files.get(text.sid, ()), options, now, found)
    return found.page()


def _read(
    text: Text, files: Sequence[Medium], options: TwilioOptions, now: datetime, found: Found
) -> None:
    theirs, is_theirs = _peer(text, options)
    if theirs is None:
        found.aside.append(salvage.set_aside(text.sid, "messages: of no number of ours", {}))
        return
    if not _is_known(text):
        reason = "messages.direction: unknown"
        found.aside.append(salvage.set_aside(text.sid, reason, {"direction": text.direction}))
    if is_theirs:
        _inbound(text, theirs, files, options, now, found)
    else:
        _outbound(text, theirs, files, options, now, found)


def _is_known(text: Text) -> bool:
    told = text.direction or ""
    return told == INBOUND or told.startswith(OUTBOUND)


def _peer(text: Text, options: TwilioOptions) -> tuple[str | None, bool]:
    """The other side, and whether it wrote: by the direction, else by which side is ours."""
    told = text.direction or ""
    is_theirs = told == INBOUND or (not told.startswith(OUTBOUND) and text.to == options.number)
    ours, theirs = (text.to, text.from_) if is_theirs else (text.from_, text.to)
    is_ours = ours == options.number and identity.is_address(theirs)
    return theirs if is_ours else None, is_theirs


def _inbound(
    text: Text,
    theirs: str,
    files: Sequence[Medium],
    options: TwilioOptions,
    now: datetime,
    found: Found,
) -> None:
    thread = identity.chat(options.number, theirs)
    is_stop, sent_at = stops(text.body, options), stamp(text)
    message = Message(
        id=text.sid,
        thread=thread,
        party=Party.BUYER,
        kind=Kind.AUTOMATIC if is_stop else Kind.MESSAGE,
        sent_at=sent_at,
        body=text.body or "",
        attachments=attachments(files),
    )
    more = [unanswerable(text.sid, thread, sent_at)] if is_stop else []
    state = _thread(thread, theirs, sent_at, now, options, is_stop=is_stop)
    named = orders.named([message.body], options.order_pattern)
    found.add(state.model_copy(update={"order_ids": named}), message, *more)


def _outbound(
    text: Text,
    theirs: str,
    files: Sequence[Medium],
    options: TwilioOptions,
    now: datetime,
    found: Found,
) -> None:
    thread = identity.chat(options.number, theirs)
    is_automatic = (
        text.direction in AUTOMATIC or text.messaging_service_sid in options.automatic_services
    )
    message = Message(
        id=text.sid,
        thread=thread,
        party=Party.SELLER,
        kind=Kind.AUTOMATIC if is_automatic else Kind.MESSAGE,
        to=BUYER,
        delivery=delivery(text.status),
        sent_at=stamp(text),
        body=text.body or "",
        attachments=attachments(files),
    )
    found.add(_thread(thread, theirs, None, now, options), message)
    if text.status in FAILED:
        when = at(text.date_updated) or stamp(text) or now
        if not is_automatic:
            found.verdicts[f"{text.sid}:refused"] = refusal(text.sid, when)
        _opted_out(text.sid, text.error_code, thread, when, found)


def _opted_out(sid: str, code: str | None, thread: str, when: datetime, found: Found) -> None:
    if code == OPTED_OUT:
        found.messages[f"{sid}:stop"] = unanswerable(sid, thread, when)


def status(
    sid: str, theirs: str, told: str, code: str | None, options: TwilioOptions, now: datetime
) -> Page:
    """What a status callback tells of a message of ours; nothing of one that is on its way."""
    if told in ARRIVED:
        arrived = Verdict(f"{sid}:arrived", Delivery.CONFIRMED, now, message_id=sid)
        return Page(verdicts=(arrived,))
    if told not in FAILED:
        return Page()
    found, thread = Found(), identity.chat(options.number, theirs)
    found.verdicts[sid] = refusal(sid, now)
    _opted_out(sid, code, thread, now, found)
    told_of = found.page()
    if found.messages:
        undated = tuple(one.model_copy(update={"sent_at": None}) for one in told_of.messages)
        return replace(
            told_of,
            messages=undated,
            threads=(_thread(thread, theirs, None, now, options, is_stop=True),),
        )
    return told_of


def refusal(sid: str, when: datetime) -> Verdict:
    """That a message of ours did not arrive."""
    return Verdict(f"{sid}:refused", Delivery.REFUSED, when, message_id=sid)


def unanswerable(sid: str, thread: str, when: datetime | None) -> Message:
    """That nothing can be written to the buyer from then on."""
    return Message(
        id=f"{sid}:stop",
        thread=thread,
        party=Party.MARKETPLACE,
        kind=Kind.UNANSWERABLE,
        sent_at=when,
        body="The buyer opted out: Twilio lets no message through until they write START.",
    )


def opted_out(told: Page) -> Page:
    """*told*, a buyer's message as it was pushed, by which the buyer opted out."""
    more = (unanswerable(one.id, one.thread, one.sent_at) for one in told.messages)
    threads = (
        one.model_copy(update={"reply_to": {**one.reply_to, answering.OPTED_OUT: answering.YES}})
        for one in told.threads
    )
    return replace(told, messages=(*told.messages, *more), threads=tuple(threads))


def stops(body: str | None, options: TwilioOptions) -> bool:
    """Whether a buyer opts out by these words; on WhatsApp Twilio answers none by itself."""
    word = (body or "").strip().upper()
    return options.opt_out and not options.is_whatsapp and word in STOP_WORDS


def delivery(told: str | None) -> Delivery:
    """How far a message of ours is: what is unknown was taken, and no more."""
    if told in ARRIVED:
        return Delivery.CONFIRMED
    if told in FAILED:
        return Delivery.REFUSED
    return Delivery.SENDING if told == WAITS_THERE else Delivery.ACCEPTED


def stamp(text: Text) -> datetime | None:
    """When it was sent; what waits to leave is dated by its making."""
    return at(text.date_sent) or at(text.date_created)


def attachments(files: Sequence[Medium]) -> tuple[Attachment, ...]:
    """Files as they are shown; their bytes stay at Twilio."""
    return tuple(
        Attachment(id=one.sid, media_type=(one.content_type or "")[:MAX_LINE] or None)
        for one in files
    )


def _thread(
    id_: str,
    theirs: str,
    wrote_at: datetime | None,
    now: datetime,
    options: TwilioOptions,
    *,
    is_stop: bool = False,
) -> Thread:
    """The thread as of the buyer's message at *wrote_at*: it alone changes how it is answered."""
    is_dated = wrote_at is not None and wrote_at <= now + LEAD
    reply_to = {"kind": KIND, answering.TO: theirs}
    if phone := identity.phone(theirs):
        reply_to["phone"] = phone
    if is_stop:
        reply_to[answering.OPTED_OUT] = answering.YES
    if is_dated and wrote_at and options.is_whatsapp:
        reply_to[answering.UNTIL] = (wrote_at + offer.WINDOW).isoformat()
    return Thread(
        id=id_,
        kind=ThreadKind.CHAT,
        buyer=theirs.removeprefix(identity.WHATSAPP)[:MAX_LINE],
        as_of=wrote_at if is_dated and wrote_at else UNDATED,
        reply_to=reply_to,
    )
