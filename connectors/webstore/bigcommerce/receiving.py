"""What is pushed: who has sent it, and about which order it is. Pure.

BigCommerce signs as Standard Webhooks does, with the API account's client secret as the key
(trap 15), and says no more than that a message was written about an order.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from connectors.webstore import signatures
from connectors.webstore.bigcommerce import offer
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from connectors.webstore.bigcommerce.payload import NamedMessage, Told
from core.model import SetAside
from core.pushes import Pushed, Receipt
from core.transport import webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.bigcommerce.options import Push
    from core.model import Page
    from core.pushes import PushRequest

FRESH = timedelta(minutes=5)
"""As the libraries of Standard Webhooks have it, which BigCommerce tells to use."""
SHOWS = timedelta(minutes=15)
"""So long after it was pushed a message may show in its order's list. Whoever refused a push for
longer, of a message that was removed, would be switched off."""
LONGEST_ID = 200
GOOD, UNSIGNED, STALE, NO_SUCH_METHOD, LATER = 200, 401, 412, 405, 503


class Asked(NamedTuple):
    """A push that is believed: the *order* is to be read for these accounts.

    *message* is the one that it names, None where it names none; *is_new*: it may not show yet.
    """

    order: str
    pushed: Pushed
    accounts: frozenset[str]
    message: str | None
    is_new: bool


def missing(asked: Asked, page: Page) -> SetAside | None:
    """That *page*, of the order that was asked for, lacks the named message; None: it does not."""
    there = {*(one.id for one in page.messages), *(one.source_id for one in page.set_aside)}
    if asked.message is None or asked.message in there:
        return None
    reason = "missing: it was pushed, and does not show among its order's messages"
    raw = json.dumps({"order": asked.order, "message": asked.message}).encode()
    return SetAside(asked.message, reason, raw)


def receive(
    request: PushRequest, options: BigCommerceOptions, push: Push, now: datetime
) -> Receipt | Asked:
    """Check who has sent it, over the bytes as they came; what is to be read, or the answer."""
    if request.method != "POST":
        return Receipt(NO_SUCH_METHOD, outcome="no_challenge")
    secret = push.client_secret.get_secret_value()
    return _refusal(request, secret, now) or _understood(request, options, now)


def _refusal(request: PushRequest, secret: str, now: datetime) -> Receipt | None:
    """Why it is not believed; None where it is signed, and lately."""
    headers = request.headers
    told = ("webhook-id", "webhook-timestamp", "webhook-signature")
    if not all(headers.get(name) for name in told):
        return Receipt(UNSIGNED, outcome="no_signature")
    if not webhooks.holds(secret.encode(), _legible(headers), request.body):
        return Receipt(UNSIGNED, outcome="bad_signature")
    if not signatures.is_fresh(headers["webhook-timestamp"], now, FRESH):
        return Receipt(STALE, outcome="stale")
    return None


def _understood(
    request: PushRequest, options: BigCommerceOptions, now: datetime
) -> Receipt | Asked:
    sharing = frozenset(_sharing(request.accounts, options))
    try:
        told = Told.model_validate_json(request.body)
    except ValidationError:
        return Receipt(GOOD, wake=sharing, outcome="unreadable")
    second = int(request.headers["webhook-timestamp"])
    name = request.headers["webhook-id"][:LONGEST_ID]
    pushed = Pushed(name, told.scope, datetime.fromtimestamp(second, UTC))
    if told.scope != offer.CREATED:
        return Receipt(GOOD, pushed=pushed, outcome="unknown_topic")
    if told.producer != f"stores/{options.store_hash}":
        return Receipt(GOOD, pushed=pushed, outcome="unknown_account")
    if told.data is None:
        return Receipt(GOOD, wake=sharing, pushed=pushed, outcome="unreadable")
    is_new = signatures.is_fresh(str(told.created_at), now, SHOWS)
    return Asked(told.data.id, pushed, sharing, _named(told.data.message), is_new)


def _named(message: object) -> str | None:
    try:
        return NamedMessage.model_validate(message).order_message_id
    except ValidationError:
        return None


def _sharing(accounts: Mapping[str, object], own: BigCommerceOptions) -> list[str]:
    """The accounts that read the same store."""
    return [
        name
        for name, one in accounts.items()
        if isinstance(one, BigCommerceOptions) and one.store == own.store
    ]


def _legible(headers: Mapping[str, str]) -> dict[str, str]:
    """*headers* without halves of characters, which no signature was made of."""
    return {name: told.encode("utf-8", "replace").decode() for name, told in headers.items()}
