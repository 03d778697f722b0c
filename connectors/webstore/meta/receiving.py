"""What an app is pushed: whom it concerns, what is in it, and what is answered. Pure.

Each object of an app (`whatsapp_business_account`, `page`, `instagram`) is pushed to an address
that may be one for all: whichever account it is named after, every account of the app gets what is
its own. What WhatsApp pushes can never be read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.instagram.options import InstagramOptions
from connectors.webstore.messenger.options import MessengerOptions
from connectors.webstore.meta import door, envelope
from connectors.webstore.meta.envelope import Told
from connectors.webstore.meta.options import MetaOptions
from connectors.webstore.meta.pages import mapping as pages
from connectors.webstore.meta.pages.platform import INSTAGRAM, MESSENGER
from connectors.webstore.whatsapp import mapping as whatsapp
from connectors.webstore.whatsapp import offer
from connectors.webstore.whatsapp.options import WhatsappOptions
from core.pushes import Pushed, Receipt

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from connectors.webstore.meta.envelope import Envelope
    from connectors.webstore.meta.pages.options import PageOptions
    from core.pushes import PushOutcome, PushRequest

WHATSAPP = "whatsapp_business_account"
PAGES: Mapping[str, tuple[type[PageOptions], str]] = {
    one.object: (options, one.word)
    for one, options in ((MESSENGER, MessengerOptions), (INSTAGRAM, InstagramOptions))
}


def receive(request: PushRequest, options: MetaOptions, now: datetime) -> Receipt:
    """Check who has sent it, and translate; it is stored before the receipt leaves.

    Meta says neither which push it is nor when it was first sent: it is known by its bytes, and
    counts as sent now; a message that comes months later is known by its own id. What concerns
    nobody here is acknowledged and counted; what can be read again is read at once.

    Raises:
        BadPayload: it is signed, and no envelope.
    """
    stopped = door.stopped(request, options)
    if stopped is not None:
        return stopped
    found = envelope.opened(request.body)
    sharing = {
        name: one
        for name, one in request.accounts.items()
        if isinstance(one, MetaOptions) and one.shares_app(options)
    }
    here = [name for name, one in sharing.items() if one == options]
    own = next(iter([*here, *sharing]), "")
    told = _told(found, sharing, own, now)
    outcome: PushOutcome = "stored"
    if not told.pages:
        outcome = "unknown_account" if told.strange else "unknown_topic"
    pushed = Pushed(door.digest(request.body), _first(told.topics), now)
    woken = frozenset() if found.object == WHATSAPP else frozenset(told.pages)
    return Receipt(200, pages=told.pages, wake=woken, pushed=pushed, outcome=outcome)


def _told(found: Envelope, sharing: Mapping[str, MetaOptions], own: str, now: datetime) -> Told:
    """What *found* holds for the accounts of its app; *own* keeps what is nobody's."""
    if found.object in PAGES:
        kind, word = PAGES[found.object]
        shown = {one.own_id: name for name, one in sharing.items() if isinstance(one, kind)}
        return pages.told(found, word, shown, own)
    if found.object != WHATSAPP:
        return Told()
    numbers = {name: one for name, one in sharing.items() if isinstance(one, WhatsappOptions)}
    homes = {one.phone_number_id: name for name, one in numbers.items()}
    patterns = {name: one.order_pattern for name, one in numbers.items()}
    return whatsapp.told(found, homes, own, now, patterns)


def _first(topics: Collection[str]) -> str:
    """The topic by which a push is counted: the first that is in it, else the last."""
    return next((one for one in offer.TOPICS if one in topics), offer.TOPICS[-1])
