"""What is pushed: who has sent it, and what it means. Pure.

Chatwoot signs ``<timestamp>.<body>`` and sends each delivery under an id of its own, which it keeps
where it sends again (chatwoot: lib/webhooks/trigger.rb, read 2026-11-22). It waits five seconds for
an answer, and most of its versions send once: what is lost the next walk brings.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from connectors.webstore import signatures
from connectors.webstore.chatwoot import mapping, offer
from connectors.webstore.chatwoot.options import ChatwootOptions
from connectors.webstore.chatwoot.payload import Conversation, MessageTold, Told
from core.errors import BadPayload
from core.model import Page
from core.pushes import Pushed, Receipt
from core.transport import answers, webhooks
from core.transport.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.chatwoot.options import Push
    from connectors.webstore.chatwoot.payload import Entry
    from core.model import SetAside
    from core.pushes import PushRequest
    from core.transport.answers import M
    from core.transport.salvage import Salvaged

SIGNATURE, STAMP, DELIVERY = "x-chatwoot-signature", "x-chatwoot-timestamp", "x-chatwoot-delivery"
PREFIX = "sha256="
FRESH = timedelta(minutes=5)
"""As Chatwoot itself advises (its pull request 13573)."""

UPDATED = "message_updated"
LONGEST_ID = 200
GOOD, UNSIGNED, STALE, NO_SUCH_METHOD, LATER = 200, 401, 412, 405, 503


def receive(request: PushRequest, options: ChatwootOptions, push: Push, now: datetime) -> Receipt:
    """Check who has sent it, over the bytes as they came, and translate."""
    if request.method != "POST":
        return Receipt(NO_SUCH_METHOD, outcome="no_challenge")
    if push.unsigned:
        return _hint(request, options)
    if push.secret is None:
        return Receipt(LATER, outcome="unverified")
    refusal = _refusal(request, push.secret.get_secret_value(), now)
    return refusal or _understood(request, options, now)


def _refusal(request: PushRequest, secret: str, now: datetime) -> Receipt | None:
    """Why it is not believed; None where it is signed, and lately."""
    told, stamp = request.headers.get(SIGNATURE), request.headers.get(STAMP)
    if not told or not stamp:
        return Receipt(UNSIGNED, outcome="no_signature")
    content = f"{stamp}.".encode("utf-8", "surrogateescape") + request.body
    if not webhooks.is_same(told, PREFIX + signatures.in_hex(secret.encode(), content)):
        return Receipt(UNSIGNED, outcome="bad_signature")
    if not signatures.is_fresh(stamp, now, FRESH):
        return Receipt(STALE, outcome="stale")
    return None


def _hint(request: PushRequest, options: ChatwootOptions) -> Receipt:
    """Nobody knows who has sent it: it has us look sooner, and is not even remembered by its id.

    The empty page says that pushes arrive.
    """
    ours = [name for name, one in _sharing(request.accounts, options).items() if one == options]
    return Receipt(GOOD, pages=dict.fromkeys(ours, Page()), wake=frozenset(ours))


def _understood(request: PushRequest, options: ChatwootOptions, now: datetime) -> Receipt:
    sharing = _sharing(request.accounts, options)
    try:
        told = _salvaged(request.body, Told).value
    except BadPayload:
        return Receipt(GOOD, wake=frozenset(sharing), outcome="unreadable")
    signed_at = datetime.fromtimestamp(int(request.headers[STAMP]), UTC)
    pushed = Pushed(_id(request), told.event, signed_at)
    if told.event not in offer.WANTED:
        return Receipt(GOOD, pushed=pushed, outcome="unknown_topic")
    return _translated(request, told, pushed, sharing, now)


def _translated(
    request: PushRequest,
    told: Told,
    pushed: Pushed,
    sharing: Mapping[str, ChatwootOptions],
    now: datetime,
) -> Receipt:
    try:
        conversation, entries, aside = _content(request.body, told)
    except BadPayload:
        wake = frozenset(sharing)
        return Receipt(GOOD, wake=wake, pushed=pushed, outcome="unreadable")
    number = told.account.id if told.account else None
    inbox = conversation.inbox_id or told.inbox_id or (told.inbox.id if told.inbox else None)
    ours = {
        name: one
        for name, one in sharing.items()
        if number in {None, str(one.account_id)} and one.reads(inbox)
    }
    if not ours:
        return Receipt(GOOD, pushed=pushed, outcome="unknown_account")
    pages = {
        name: _with(mapping.pushed(conversation, entries, one, now), aside)
        for name, one in ours.items()
    }
    return Receipt(GOOD, pages=pages, wake=frozenset(ours), pushed=pushed)


def _content(
    body: bytes, told: Told
) -> tuple[Conversation, tuple[Entry, ...], tuple[SetAside, ...]]:
    """The conversation, and what was said in it.

    An update that does not tell how far an answer got tells nothing of it: it may have failed.

    Raises:
        BadPayload: it lacks the id of the one or of the other.
    """
    if told.event.startswith("conversation"):
        got = _salvaged(body, Conversation)
        return got.value, tuple(got.value.messages or ()), got.aside
    one = _salvaged(body, MessageTold)
    entry = _whole(one.value)
    is_stateless = told.event == UPDATED and entry.status is None and mapping.is_outgoing(entry)
    return one.value.conversation, () if is_stateless else (entry,), one.aside


def _salvaged(body: bytes, model: type[M]) -> Salvaged[M]:
    return answers.salvaged(Answer(GOOD, {}, body), model, "push", ("id",))


def _whole(told: MessageTold) -> Entry:
    """The message with its state, which stands beside it where it is the conversation's last."""
    same = [one for one in told.conversation.messages or () if one.id == told.id]
    if told.status is not None or not same:
        return told
    return told.model_copy(update={"status": same[0].status})


def _sharing(accounts: Mapping[str, object], own: ChatwootOptions) -> dict[str, ChatwootOptions]:
    """The accounts that read the same account at Chatwoot: its webhook tells of all its inboxes."""
    return {
        name: one
        for name, one in accounts.items()
        if isinstance(one, ChatwootOptions) and one.place == own.place
    }


def _id(request: PushRequest) -> str:
    """The delivery's id; where there is none that can be kept, one made of what it says."""
    told = request.headers.get(DELIVERY, "")
    if told and told.isascii() and told.isprintable() and len(told) <= LONGEST_ID:
        return told
    return f"sha256:{hashlib.sha256(request.body).hexdigest()}"


def _with(page: Page, aside: tuple[SetAside, ...]) -> Page:
    return Page(messages=page.messages, threads=page.threads, set_aside=(*aside, *page.set_aside))
