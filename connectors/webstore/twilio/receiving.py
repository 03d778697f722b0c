"""What is pushed: who has sent it, and what it means. Pure.

Twilio signs the address as it is registered with every field of the form, and of JSON the address
alone, which then carries a digest of the body (twilio.com/docs/usage/security, read 2026-11-22;
trap 15).

Neither a signature nor a form names a date. So a push counts as sent when it comes: however late
one is sent again, it names sids that are stored, and nothing comes of it. The message itself is
dated by the walk that it pulls forward.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from connectors.webstore import signatures
from connectors.webstore.twilio import identity, mapping, offer, voice
from connectors.webstore.twilio.mapping import Found
from connectors.webstore.twilio.options import TwilioOptions
from connectors.webstore.twilio.payload import Form, Medium, Text, count
from core.model import Page
from core.pushes import Pushed, Receipt
from core.transport import webhooks

if TYPE_CHECKING:
    from datetime import datetime

    from core.model import Message
    from core.pushes import PushOutcome, PushRequest

SIGNATURE, BODY_DIGEST = "x-twilio-signature", "bodySHA256"
UNSIGNED, NO_SUCH_METHOD, GOOD = 403, 405, 200
STOP = "STOP"
"""How Twilio says that a buyer opted out, in words of the shop's own (advanced opt-out)."""

MOST_FIELDS = 1000
MOST_FILES = 20

TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
HEADERS = {"Content-Type": "text/xml; charset=utf-8"}
"""What is answered: nothing to say. Twilio takes an empty body of another type for a fault."""

Accounts = Mapping[str, TwilioOptions]


def receive(request: PushRequest, options: TwilioOptions, now: datetime) -> Receipt:
    """Check who has sent it, over the bytes as they came, and translate."""
    if request.method != "POST":
        return Receipt(NO_SUCH_METHOD, outcome="no_challenge")
    told = request.headers.get(SIGNATURE)
    if not told:
        return Receipt(UNSIGNED, outcome="no_signature")
    fields = _fields(request)
    if fields is None or not _is_signed(request, told, fields, options):
        return Receipt(UNSIGNED, outcome="bad_signature")
    return _understood(request, fields, options, now)


def _fields(request: PushRequest) -> dict[str, list[str]] | None:
    """The form's fields, none of what is JSON; None for what no form is."""
    if BODY_DIGEST in request.query:
        return {}
    try:
        body = request.body.decode()
        return parse_qs(body, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        return None


def _is_signed(
    request: PushRequest, told: str, fields: dict[str, list[str]], options: TwilioOptions
) -> bool:
    if options.endpoint is None or options.auth_token is None:
        return False
    digest, more = request.query.get(BODY_DIGEST), ""
    if digest is not None:
        if not webhooks.is_same(digest, hashlib.sha256(request.body).hexdigest()):
            return False
        more = f"{'&' if urlsplit(options.endpoint).query else '?'}{BODY_DIGEST}={digest}"
    secret = options.auth_token.get_secret_value().encode()
    wanted = [
        signatures.over_address(secret, url + more, fields)
        for url in signatures.addresses(options.endpoint)
    ]
    return any(webhooks.is_same(told, one) for one in wanted)


def _understood(
    request: PushRequest, fields: dict[str, list[str]], options: TwilioOptions, now: datetime
) -> Receipt:
    sharing = _sharing(request.accounts, options)
    try:
        form = Form.model_validate(
            {name: values[0] for name, values in fields.items() if values[0]}
        )
    except ValidationError:
        return _answer(wake=frozenset(sharing), outcome="unreadable")
    topic = _topic(form)
    pushed = Pushed(_id(form, request.body), topic or "", now)
    if topic is None:
        return _answer(pushed=pushed, outcome="unknown_topic")
    if form.AccountSid != options.account_sid:
        return _answer(pushed=pushed, outcome="unknown_account")
    if topic == offer.RECORDED and not form.To:
        return _answer(wake=frozenset(sharing), pushed=pushed)
    sides = {form.To, form.From}
    ours = {name: one for name, one in sharing.items() if one.number in sides}
    if not ours:
        return _answer(pushed=pushed, outcome="unknown_account")
    pages = {name: _page(topic, form, fields, one, now) for name, one in ours.items()}
    return _answer(pages=pages, wake=frozenset(ours), pushed=pushed)


def _answer(
    *,
    pages: Mapping[str, Page] | None = None,
    wake: frozenset[str] = frozenset(),
    pushed: Pushed | None = None,
    outcome: PushOutcome = "stored",
) -> Receipt:
    return Receipt(
        GOOD, headers=HEADERS, body=TWIML, pages=pages or {}, wake=wake, pushed=pushed,
        outcome=outcome,
    )  # fmt: skip


def _sharing(accounts: Mapping[str, object], own: TwilioOptions) -> dict[str, TwilioOptions]:
    """The numbers of the same account at Twilio: one address may hear of all of them."""
    return {
        name: one
        for name, one in accounts.items()
        if isinstance(one, TwilioOptions) and one.account_sid == own.account_sid
    }


def _topic(form: Form) -> str | None:
    if form.TranscriptionSid:
        return offer.TRANSCRIBED
    if form.RecordingSid:
        return offer.RECORDED
    if form.CallSid and form.CallStatus:
        return offer.CALLED
    if not form.MessageSid:
        return None
    is_told = form.MessageStatus not in {None, "received", "receiving"}
    return offer.STATUS if is_told else offer.MESSAGE


def _id(form: Form, body: bytes) -> str:
    """What it is about, and how far that is: the same again is dropped."""
    named = (
        form.TranscriptionSid or form.RecordingSid or form.MessageSid or form.CallSid,
        form.MessageStatus or form.CallStatus,
    )
    text = ":".join(one for one in named if one)
    if (
        text and text.isascii() and text.isprintable() and len(text) <= 200
    ):  # longer than any two words of Twilio's
        return text
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _page(
    topic: str, form: Form, fields: dict[str, list[str]], options: TwilioOptions, now: datetime
) -> Page:
    if topic == offer.MESSAGE:
        return _message(form, fields, options, now)
    if topic == offer.STATUS:
        return _status(form, options, now)
    return _heard(topic, form, options, now) if options.hears_calls else Page()


def _status(form: Form, options: TwilioOptions, now: datetime) -> Page:
    sid, theirs = form.MessageSid, form.To
    if form.From != options.number or sid is None or theirs is None:
        return Page()
    if not identity.is_address(theirs):
        return Page()
    return mapping.status(sid, theirs, form.MessageStatus or "", form.ErrorCode, options, now)


def _message(
    form: Form, fields: dict[str, list[str]], options: TwilioOptions, now: datetime
) -> Page:
    if form.To != options.number or form.MessageSid is None:
        return Page()
    text = Text.model_validate(
        {
            "sid": form.MessageSid,
            "from": form.From,
            "to": form.To,
            "body": form.Body,
            "direction": mapping.INBOUND,
        }
    )
    files = _files(form, fields)
    found = mapping.page([text], {text.sid: files}, options, now)
    is_known = mapping.stops(form.Body, options)
    return found if form.OptOutType != STOP or is_known else mapping.opted_out(found)


def _files(form: Form, fields: dict[str, list[str]]) -> list[Medium]:
    """The files that a message names by their addresses, which end in their sids."""
    found = []
    for number in range(min(count(form.NumMedia), MOST_FILES)):
        url = next(iter(fields.get(f"MediaUrl{number}", ())), "")
        sid = url.rstrip("/").rpartition("/")[2]
        type_ = next(iter(fields.get(f"MediaContentType{number}", ())), None)
        if sid.isalnum() and sid.isascii() and len(sid) <= 100:  # a sid has 34
            found.append(Medium(sid=sid, content_type=type_))
    return found


def _heard(topic: str, form: Form, options: TwilioOptions, now: datetime) -> Page:
    """A call to us that certainly nobody took, a voicemail, or what was understood of one.

    A call that was completed may have been taken: its legs say so, which the walk reads.
    """
    theirs, call = form.From or "", form.CallSid or ""
    is_ours = form.To == options.number and form.Direction in {None, mapping.INBOUND} and theirs
    if not is_ours or not call:
        return Page()
    id_ = identity.caller(options.number, theirs, call)
    found = Found()
    told = _told(topic, form, id_)
    if told is None:
        return Page()
    found.add(voice.thread(id_, theirs, None, now), told)
    return found.page()


def _told(topic: str, form: Form, id_: str) -> Message | None:
    if topic == offer.CALLED and form.CallStatus in voice.MISSED and form.CallSid:
        return voice.missed(form.CallSid, id_, None)
    seconds = count(form.RecordingDuration)
    is_left = form.RecordingSource in {None, voice.BY_CALLERS}
    if topic == offer.RECORDED and form.RecordingSid and seconds and is_left:
        return voice.voicemail(form.RecordingSid, id_, None, seconds)
    is_whole = form.TranscriptionStatus in {None, voice.COMPLETED}
    if topic == offer.TRANSCRIBED and form.TranscriptionSid and is_whole:
        return voice.transcript(form.TranscriptionSid, id_, None, form.TranscriptionText or "")
    return None
