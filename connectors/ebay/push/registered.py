"""What is set up for pushes there: our address, and what is subscribed to.

An application's own topics may be set up on eBay's page *Alerts & Notifications* as well, where no
call sees them; so what is looked after is the seller's own topic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qs, urlsplit

from connectors.ebay.push import topics
from connectors.ebay.push.payload import Destination, Destinations, Subscription, Subscriptions
from core.errors import BadPayload
from core.model import Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.ebay.access import Access, Scheme
    from connectors.ebay.options import EbayOptions
    from core.model import PushTrouble

    P = TypeVar("P", Destinations, Subscriptions)

BASE = "/commerce/notification/v1"
DESTINATIONS, SUBSCRIPTIONS = "getDestinations", "getSubscriptions"
OPERATIONS = (DESTINATIONS, SUBSCRIPTIONS)
LIMIT = "100"
MOST_PAGES = 20


async def page(access: Access, options: EbayOptions, now: datetime) -> Page:
    """Why the seller's messages cannot be pushed, if they cannot.

    Raises:
        ConnectorError: it could not be asked.
    """
    cursor = now.isoformat()
    if options.push is None or options.messages_by != "rest":
        return Page(pushes=(), cursor=cursor)
    place = ours(await destinations(access), options)
    known = [] if place is None else await subscriptions(access, "bearer")
    return Page(pushes=_troubles(place, known), cursor=cursor)


async def destinations(access: Access) -> list[Destination]:
    """All addresses of our application."""
    pages = await _all(access, "destination", Destinations, DESTINATIONS, "application")
    return [one for each in pages for one in each.destinations or ()]


async def subscriptions(access: Access, scheme: Scheme) -> list[Subscription]:
    """All subscriptions of the seller, or of the application itself."""
    pages = await _all(access, "subscription", Subscriptions, SUBSCRIPTIONS, scheme)
    return [one for each in pages for one in each.subscriptions or ()]


def ours(places: Sequence[Destination], options: EbayOptions) -> Destination | None:
    """Our address among them, as it is registered: no sign of it differs."""
    endpoint = None if options.push is None else options.push.endpoint
    return next((p for p in places if p.delivery and p.delivery.endpoint == endpoint), None)


def to(known: Sequence[Subscription], topic: str) -> Subscription | None:
    """The subscription to *topic* among them."""
    return next((one for one in known if one.topic == topic), None)


def _troubles(place: Destination | None, known: Sequence[Subscription]) -> tuple[PushTrouble, ...]:
    """A status that we do not know is none of ours to judge."""
    if place is None:
        return ("destination_missing",)
    found: list[PushTrouble] = []
    if place.status == "DISABLED":
        found.append("destination_disabled")
    if place.status == "MARKED_DOWN":
        found.append("destination_down")
    one = to(known, topics.MESSAGE)
    if one is None or one.destination != place.id:
        found.append("subscription_missing")
    elif one.status == "DISABLED":
        found.append("subscription_disabled")
    return tuple(found)


async def _all(
    access: Access, name: str, model: type[P], operation: str, scheme: Scheme
) -> list[P]:
    """Every page of a list; the next one's token stands in its address.

    Raises:
        BadPayload: it does not end.
    """
    found: list[P] = []
    params = {"limit": LIMIT}
    for _ in range(MOST_PAGES):
        got = await access.get_json(
            "api", f"{BASE}/{name}", model, operation=operation, scheme=scheme, params=params
        )
        found.append(got)
        token = parse_qs(urlsplit(got.next or "").query).get("continuation_token")
        if not token:
            return found
        params = {"limit": LIMIT, "continuation_token": token[0]}
    raise BadPayload(f"{operation}: its pages do not end")
