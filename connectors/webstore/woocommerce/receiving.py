"""What is pushed: who has sent it, and what it means. Pure.

WooCommerce signs the body and nothing else (`WC_Webhook::deliver`, read 2026-11-23): no date of
sending, neither the topic nor the delivery's id. So what is pushed is believed as the state of the
order at the date that it names, and no state that is old. The id is made of the second in which it
was delivered: two pushes may have the same one.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from connectors.webstore import signatures
from connectors.webstore.woocommerce import mapping, offer
from connectors.webstore.woocommerce.mapping import Read
from connectors.webstore.woocommerce.options import WooCommerceOptions
from connectors.webstore.woocommerce.payload import Action, Order
from core.errors import BadPayload
from core.payload import instant
from core.pushes import Pushed, Receipt
from core.transport import answers, webhooks
from core.transport.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connectors.webstore.woocommerce.options import Push
    from core.pushes import PushRequest

SIGNATURE, TOPIC = "x-wc-webhook-signature", "x-wc-webhook-topic"
DELIVERY = "x-wc-webhook-delivery-id"
PING = re.compile(rb"webhook_id=[0-9]{1,19}")
"""What is sent, unsigned, when a webhook is saved; it must be answered with 200."""

FRESH = timedelta(days=6)
"""How old a state may be: WooCommerce sends once, though hours late, and core knows for a week what
it was sent."""
LONGEST_ID = 64
GOOD, UNSIGNED, NO_SUCH_METHOD = 200, 401, 405


class Asked(NamedTuple):
    """A push that is believed: the notes about *order* are to be read for these accounts."""

    order: str
    pushed: Pushed
    accounts: frozenset[str]


def receive(
    request: PushRequest, options: WooCommerceOptions, push: Push, now: datetime
) -> Receipt | Asked:
    """Check who has sent it, over the bytes as they came; what is to be read, or the answer."""
    if request.method != "POST":
        return Receipt(NO_SUCH_METHOD, outcome="no_challenge")
    told = request.headers.get(SIGNATURE)
    if not told:
        is_ping = PING.fullmatch(request.body.strip()) is not None
        return Receipt(GOOD, outcome="challenge") if is_ping else _UNSIGNED
    secret = push.secret.get_secret_value().encode()
    if not webhooks.is_same(told, signatures.in_base64(secret, request.body)):
        return Receipt(UNSIGNED, outcome="bad_signature")
    return _understood(request, options, now)


_UNSIGNED = Receipt(UNSIGNED, outcome="no_signature")


def _understood(
    request: PushRequest, options: WooCommerceOptions, now: datetime
) -> Receipt | Asked:
    topic = request.headers.get(TOPIC, "")
    sharing = frozenset(_sharing(request.accounts, options))
    if topic not in offer.TOPICS:
        return Receipt(GOOD, pushed=Pushed(_id(request), "other", now), outcome="unknown_topic")
    if topic == offer.NOTED:
        return _noted(request, sharing, now)
    try:
        order = answers.salvaged(Answer(GOOD, {}, request.body), Order, "push", ("id",)).value
    except BadPayload:
        return Receipt(GOOD, wake=sharing, outcome="unreadable")
    changed_at = instant(order.date_modified_gmt)
    if changed_at is None:
        return Receipt(GOOD, wake=sharing, outcome="unreadable")
    if changed_at < now - FRESH:
        return Receipt(GOOD, outcome="stale")
    pushed = Pushed(_id(request), topic, changed_at)
    page = mapping.page([Read(order)], options.base_url, now)
    return Receipt(GOOD, pages=dict.fromkeys(sharing, page), wake=sharing, pushed=pushed)


def _noted(request: PushRequest, sharing: frozenset[str], now: datetime) -> Receipt | Asked:
    """Somebody wrote to a buyer: who it was, and when, stands in the order's notes alone."""
    try:
        told = Action.model_validate_json(request.body)
    except ValidationError:
        return Receipt(GOOD, wake=sharing, outcome="unreadable")
    return Asked(told.arg.order_id, Pushed(_id(request), offer.NOTED, now), sharing)


def _sharing(accounts: Mapping[str, object], own: WooCommerceOptions) -> list[str]:
    """The accounts that read the same shop."""
    return [
        name
        for name, one in accounts.items()
        if isinstance(one, WooCommerceOptions) and one.base_url == own.base_url
    ]


def _id(request: PushRequest) -> str:
    """The delivery's id with a digest of what it says."""
    told = request.headers.get(DELIVERY, "")
    name = told if told.isascii() and told.isalnum() and len(told) <= LONGEST_ID else ""
    return f"{name}.{hashlib.sha256(request.body).hexdigest()[:32]}"
