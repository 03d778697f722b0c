"""The calls of the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from connectors.webstore.twilio.sandbox import access, messaging, payload
from connectors.webstore.twilio.sandbox.access import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.webstore.twilio.sandbox.desk import Call, Message, Number, Recording

    T = TypeVar("T", Message, Call, Recording)

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LONGEST = 1600
CHANGES = {"SmsUrl": "sms_url", "StatusCallback": "status_callback"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that came by the API."""

    sid: str
    body: str
    to: str
    media: tuple[str, ...]
    callback: str | None


REPLIES: web.AppKey[list[Reply]] = web.AppKey("replies")


async def messages(request: web.Request) -> web.Response:
    """The list, the newest first."""
    account = access.account(request)
    found = _sides(request, _within(request, "DateSent", account.messages.values()))
    return access.page(request, "messages", [payload.message(account, one) for one in found])


async def media(request: web.Request) -> web.Response:
    """The files of a message."""
    account = access.account(request)
    found = _known(account.messages, request.match_info["sid"])
    return access.page(request, "media_list", payload.media(found))


async def calls(request: web.Request) -> web.Response:
    """The list of all calls, legs among them."""
    account = access.account(request)
    found = _sides(request, _within(request, "StartTime", account.calls.values()))
    parent = request.query.get("ParentCallSid")
    shown = [one for one in found if parent in {None, one.parent}]
    return access.page(request, "calls", [payload.call(account, one) for one in shown])


async def call(request: web.Request) -> web.Response:
    """One call."""
    account = access.account(request)
    return access.reply(payload.call(account, _known(account.calls, request.match_info["sid"])))


async def recordings(request: web.Request) -> web.Response:
    """Recordings of the account, or of one call."""
    account, of = access.account(request), request.match_info.get("sid")
    known = [one for one in account.recordings.values() if of in {None, one.call.sid}]
    found = _within(request, "DateCreated", known)
    shown = [payload.recording(account, one) for one in found]
    return access.page(request, "recordings", shown)


async def transcriptions(request: web.Request) -> web.Response:
    """What a machine understood."""
    account = access.account(request)
    known = [one for one in account.recordings.values() if one.text is not None]
    shown = [payload.transcription(account, one) for one in _newest_first(known)]
    return access.page(request, "transcriptions", shown)


async def numbers(request: web.Request) -> web.Response:
    """Phone numbers; a sender of WhatsApp is none."""
    account, wanted = access.account(request), request.query.get("PhoneNumber")
    known = [one for one in account.numbers.values() if not one.is_whatsapp]
    found = [one for one in known if wanted in {None, one.address}]
    shown = [payload.number(account, one) for one in found]
    return access.page(request, "incoming_phone_numbers", shown)


async def change_number(request: web.Request) -> web.Response:
    """Register addresses at a number."""
    account = access.account(request)
    number = next(
        (one for one in account.numbers.values() if one.sid == request.match_info["sid"]), None
    )
    if number is None:
        raise Refusal(404, 20404, "The requested resource was not found")
    for name, value in (await request.post()).items():
        if name in CHANGES:
            setattr(number, CHANGES[name], str(value))
    return access.reply(payload.number(account, number))


async def send(request: web.Request) -> web.Response:
    """Take a message: what becomes of it is told later."""
    account, form = access.account(request), await request.post()
    told = {name: str(form.get(name, "")) for name in ("To", "From", "Body", "StatusCallback")}
    number = account.numbers.get(told["From"])
    _refuse(number, told, has_media="MediaUrl" in form)
    assert number is not None  # noqa: S101  # refused otherwise
    callback = told["StatusCallback"] or None
    made = messaging.seller_writes(
        account, number, told["To"], told["Body"], callback=callback, arrives=False
    )
    files = tuple(str(one) for one in form.getall("MediaUrl", []))
    request.app[REPLIES].append(Reply(made.sid, made.body, made.to, files, callback))
    shown = payload.message(account, made) | {"status": "queued", "date_sent": None}
    if made.status == "queued":
        messaging.deliver(account, made)
    return access.reply(shown, 201)


def _refuse(number: Number | None, told: dict[str, str], *, has_media: bool) -> None:
    if number is None:
        raise Refusal(400, 21606, f"The From phone number {told['From']} is not valid")
    if told["To"].startswith("whatsapp:") != number.is_whatsapp or "+" not in told["To"]:
        raise Refusal(400, 21211, f"The 'To' number {told['To']} is not a valid phone number.")
    if not told["Body"] and not has_media:
        raise Refusal(400, 21602, "Message body is required.")
    if len(told["Body"]) > LONGEST:
        raise Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    if told["To"] in number.opted_out:
        raise Refusal(400, 21610, "Attempt to send to unsubscribed recipient")


def _known(known: dict[str, Any], sid: str) -> Any:
    if sid not in known:
        raise Refusal(404, 20404, "The requested resource was not found")
    return known[sid]


def _newest_first(items: Iterable[T]) -> list[T]:
    """A leg begins with its call, and comes before it."""
    newest_made = list(items)[::-1]
    return sorted(newest_made, key=lambda one: one.created_at, reverse=True)


def _within(request: web.Request, name: str, items: Iterable[T]) -> list[T]:
    """Those between the bounds of the query, inclusive, to the second."""
    begin = access.bound(request, f"{name}>", FIRST)
    end = access.bound(request, f"{name}<", LAST)
    return [
        one for one in _newest_first(items)
        if begin <= one.created_at.replace(microsecond=0) <= end
    ]  # fmt: skip


def _sides(request: web.Request, items: list[Any]) -> list[Any]:
    to, sender = request.query.get("To"), request.query.get("From")
    return [one for one in items if to in {None, one.to} and sender in {None, one.sender}]
