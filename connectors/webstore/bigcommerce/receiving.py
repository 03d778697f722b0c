"""What is pushed: who has sent it, and about which order it is. Pure.

BigCommerce signs as Standard Webhooks does, with the API account's client secret as the key
(trap 15), and says no more than that a message was written about an order.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from connectors.webstore import signatures
from connectors.webstore.bigcommerce import offer
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from connectors.webstore.bigcommerce.payload import Told
from core.pushes import Pushed, Receipt
from core.transport import webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.bigcommerce.options import Push
    from core.pushes import PushRequest

FRESH = timedelta(minutes=5)
"""As the libraries of Standard Webhooks have it, which BigCommerce tells to use."""
LONGEST_ID = 200
GOOD, UNSIGNED, STALE, NO_SUCH_METHOD, LATER = 200, 401, 412, 405, 503


class Asked(NamedTuple):
    """A push that is believed: the *order* is to be read for these accounts."""

    order: str
    pushed: Pushed
    accounts: frozenset[str]


def receive(
    request: PushRequest, options: BigCommerceOptions, push: Push, now: datetime
) -> Receipt | Asked:
    """Check who has sent it, over the bytes as they came; what is to be read, or the answer."""
    if request.method != "POST":
        return Receipt(NO_SUCH_METHOD, outcome="no_challenge")
    secret = push.client_secret.get_secret_value()
    return _refusal(request, secret, now) or _understood(request, options)


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


def _understood(request: PushRequest, options: BigCommerceOptions) -> Receipt | Asked:
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
    return Asked(told.data.id, pushed, sharing)


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
