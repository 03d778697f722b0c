"""What is pushed: who has sent it, and what it means. Pure.

Shopify signs the body alone (trap 15): what the headers say, topic and store among it, could be
anybody's who has seen one push. So what is done follows the body: an order is stored as itself,
a dispute is only looked at sooner, and nobody is erased whom a body of the right shape does not
name for the right store. Answered without a call, for Shopify waits five seconds.
Source: shopify.dev/docs/apps/build/webhooks (verify-deliveries, delivery-structure) and
shopify.dev/docs/apps/build/compliance/privacy-law-compliance.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore import signatures
from connectors.webstore.shopify import mapping, offer
from connectors.webstore.shopify.options import ShopifyOptions
from connectors.webstore.shopify.payload import Order, Redaction
from core.errors import BadPayload
from core.model import Page
from core.payload import instant
from core.pushes import Member, Pushed, Receipt
from core.transport import answers, webhooks
from core.transport.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.pushes import PushRequest
    from core.transport.salvage import Salvaged

SIGNATURE, TOPIC = "x-shopify-hmac-sha256", "x-shopify-topic"
STORE, DELIVERY = "x-shopify-shop-domain", "x-shopify-webhook-id"
TRIGGERED = "x-shopify-triggered-at"
LONGEST_ID = 200
GOOD, UNSIGNED, NO_SUCH_METHOD = 200, 401, 405


def receive(request: PushRequest, options: ShopifyOptions, secret: str, now: datetime) -> Receipt:
    """Check who has sent it, over the bytes as they came, and translate."""
    if request.method != "POST":
        return Receipt(NO_SUCH_METHOD, outcome="no_challenge")
    told = request.headers.get(SIGNATURE)
    if not told:
        return Receipt(UNSIGNED, outcome="no_signature")
    if not webhooks.is_same(told, signatures.in_base64(secret.encode(), request.body)):
        return Receipt(UNSIGNED, outcome="bad_signature")
    return _understood(request, _ours(request, options), now)


def _ours(request: PushRequest, own: ShopifyOptions) -> frozenset[str]:
    """The accounts that read the store of which the request speaks, as the same app."""
    store = request.headers.get(STORE, "").strip().lower()
    return frozenset(
        name
        for name, one in request.accounts.items()
        if isinstance(one, ShopifyOptions)
        and one.store == store
        and one.client_secret == own.client_secret
    )


def _understood(request: PushRequest, ours: frozenset[str], now: datetime) -> Receipt:
    topic = request.headers.get(TOPIC, "").strip().lower()
    pushed = Pushed(_id(request), topic, instant(request.headers.get(TRIGGERED)))
    if topic not in offer.TOPICS:
        return Receipt(GOOD, pushed=pushed, outcome="unknown_topic")
    if not ours:
        return Receipt(GOOD, pushed=pushed, outcome="unknown_account")
    if topic in offer.ABOUT_ORDERS:
        return _ordered(request, ours, pushed, now)
    if topic in offer.ABOUT_DISPUTES:
        return Receipt(GOOD, pages=dict.fromkeys(ours, Page()), wake=ours, pushed=pushed)
    if topic == offer.REDACT_CUSTOMER:
        return _redacted(request, ours, pushed)
    return Receipt(GOOD, pushed=pushed, outcome="unknown_topic")


def _ordered(request: PushRequest, ours: frozenset[str], pushed: Pushed, now: datetime) -> Receipt:
    """What the buyer remarked; an order without a remark says that pushes arrive, and no more."""
    try:
        got = _order(request.body)
    except BadPayload:
        return Receipt(GOOD, wake=ours, pushed=pushed, outcome="unreadable")
    order = got.value
    is_theirs = pushed.topic == offer.ORDER_CREATED or mapping.is_fresh(order)
    if not is_theirs or not mapping.is_remarked(order):
        return Receipt(GOOD, pages=dict.fromkeys(ours, Page()), pushed=pushed)
    accounts: Mapping[str, object] = request.accounts
    store = next(one.store for name in ours if isinstance(one := accounts[name], ShopifyOptions))
    found = mapping.page([order], store, now)
    page = Page(found.messages, found.threads, set_aside=(*got.aside, *found.set_aside))
    return Receipt(GOOD, pages=dict.fromkeys(ours, page), wake=ours, pushed=pushed)


def _order(body: bytes) -> Salvaged[Order]:
    return answers.salvaged(Answer(GOOD, {}, body), Order, "push", ("id",))


def _redacted(request: PushRequest, ours: frozenset[str], pushed: Pushed) -> Receipt:
    """Whom to forget at this store: by all that Shopify calls the customer, and by the orders."""
    try:
        told = Redaction.model_validate_json(request.body)
    except ValidationError:
        return Receipt(GOOD, pushed=pushed, outcome="unreadable")
    if told.shop_domain.lower() != request.headers.get(STORE, "").strip().lower():
        return Receipt(GOOD, pushed=pushed, outcome="unknown_account")
    if not (ids := _ids(told)):
        return Receipt(GOOD, pushed=pushed, outcome="unreadable")
    members = (Member(ids),)
    return Receipt(GOOD, erase=members, erase_in=ours, pushed=pushed, outcome="erasure")


def _ids(told: Redaction) -> frozenset[str]:
    found = {f"{mapping.ORDER}{order}" for order in told.orders_to_redact}
    if told.customer is not None:
        one = told.customer
        found |= {name.strip() for name in (one.email, one.phone) if name and name.strip()}
        found |= {f"{mapping.CUSTOMER}{one.id}"} if one.id else set()
    return frozenset(found)


def _id(request: PushRequest) -> str:
    """The delivery's id; where there is none that can be kept, one made of what it says.

    Not the event's, which all topics share that tell of one deed.
    """
    told = request.headers.get(DELIVERY, "")
    if told and told.isascii() and told.isprintable() and len(told) <= LONGEST_ID:
        return told
    return f"sha256:{hashlib.sha256(request.body).hexdigest()}"
