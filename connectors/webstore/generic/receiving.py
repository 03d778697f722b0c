"""What is pushed: whether the store has sent it, and what it says. Pure.

What is signed and cannot be read is kept aside: nobody may ever send it again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from connectors.webstore.generic import mapping, offer, signing
from connectors.webstore.generic.paths import find
from connectors.webstore.generic.signing import Proven
from core.errors import BadPayload
from core.model import Page, SetAside
from core.pushes import Pushed, Receipt
from core.transport import answers
from core.transport.answers import Answer

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.generic.options import GenericOptions
    from connectors.webstore.generic.signing import Webhook
    from core.pushes import PushRequest

GOOD, UNSIGNED, STALE, NO_SUCH_METHOD = 200, 401, 412, 405


def receive(
    request: PushRequest, options: GenericOptions, webhook: Webhook, now: datetime
) -> Receipt:
    """Check who has sent it, over the bytes as they came, and translate."""
    if request.method != "POST":
        return Receipt(NO_SUCH_METHOD, outcome="no_challenge")
    proof = signing.proven(request, webhook, now)
    if not isinstance(proof, Proven):
        return Receipt(STALE if proof == "stale" else UNSIGNED, outcome=proof)
    pushed = Pushed(_id(request.body, proof), offer.TOPICS[0], proof.signed_at or now)
    ours = frozenset(name for name, one in request.accounts.items() if one == options)
    wake = ours if options.poll is not None else frozenset()
    try:
        document = answers.decoded(Answer(GOOD, {}, request.body), "webhook")
        if webhook.when is not None and not find(webhook.when, document):
            return Receipt(GOOD, pushed=pushed, outcome="unknown_topic")
        found = mapping.pushed(document, webhook.items)
    except BadPayload as fault:
        pages = dict.fromkeys(ours, _aside(pushed.id, str(fault), request.body))
        return Receipt(GOOD, pages=pages, wake=wake, pushed=pushed, outcome="unreadable")
    pages = dict.fromkeys(ours, _page(found, options, now))
    return Receipt(GOOD, pages=pages, wake=wake, pushed=pushed)


def _page(found: list[Any], options: GenericOptions, now: datetime) -> Page:
    return mapping.page(mapping.translated(found, options.mapping), options, now)


def _aside(id_: str, reason: str, body: bytes) -> Page:
    return Page(set_aside=(SetAside(id_, reason, body),))


def _id(body: bytes, proof: Proven) -> str:
    """The push's own id where it is signed; else what it says, so that a replay is the same one.

    A header that nobody signed could be another each time.
    """
    told = proof.id if proof.id is not None else ""
    digest = hashlib.sha256(told.encode() if told else body).hexdigest()
    return f"{'id' if told else 'body'}:{digest}"
