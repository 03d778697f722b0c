"""Sets up what is pushed, in eBay's order: contact, address, then topic by topic.

Each step looks first and changes what is amiss, so that it may be done again at any time. While an
address is registered eBay asks it its challenge: the daemon has to be reachable there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.ebay.push import registered, topics
from connectors.ebay.push.payload import Config, Topic
from connectors.ebay.push.registered import BASE
from core.errors import BadCredentials, BadPayload, Mistaken, OutcomeUnknown, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connectors.ebay.access import Access, Scheme
    from connectors.ebay.options import EbayOptions, Push
    from connectors.ebay.push.payload import Destination, Subscription

GET_CONFIG, PUT_CONFIG = "getConfig", "updateConfig"
ADD_PLACE, PUT_PLACE = "createDestination", "updateDestination"
GET_TOPIC = "getTopic"
ADD, PUT, TEST = "createSubscription", "updateSubscription", "testSubscription"
OPERATIONS = (GET_CONFIG, PUT_CONFIG, ADD_PLACE, PUT_PLACE, GET_TOPIC, ADD, PUT, TEST)

NAME = "replyby"
ENABLED = "ENABLED"

WANTED: tuple[tuple[str, Scheme, bool], ...] = (
    (topics.MESSAGE, "bearer", True),
    (topics.REVOCATION, "application", False),
    (topics.DELETION, "application", False),
)
"""Topics, whose they are, and whether there is no other way to have them."""

ELSEWHERE = "eBay does not let a call subscribe to it; look at the page Alerts & Notifications"


async def set_up(access: Access, options: EbayOptions, contact: str | None) -> AsyncIterator[str]:
    """One line for each thing that is set up, as soon as it is.

    Raises:
        Mistaken: the settings name no address, or a contact is missing.
        ConnectorError: eBay refused a step; those before it stand.
    """
    if options.push is None:
        raise Mistaken("the settings name no address for pushes; write push.endpoint there")
    yield f"contact: {await _contact(access, contact)}"
    place, told = await _place(access, options, options.push)
    yield f"address {options.push.endpoint}: {told}"
    for topic, scheme, is_needed in WANTED:
        if topic == topics.MESSAGE and options.messages_by != "rest":
            continue
        yield f"{topic}: {await _topic(access, topic, scheme, place, is_needed=is_needed)}"


async def _contact(access: Access, contact: str | None) -> str:
    """Without a contact nothing else can be set up there (error 195003)."""
    known = await _config(access)
    if contact is None and known is None:
        raise Mistaken("eBay wants to know whom to write when pushes fail; add --contact ADDRESS")
    if contact is None or contact == known:
        return "known"
    await access.send(
        "api", f"{BASE}/config", operation=PUT_CONFIG, scheme="application", method="PUT",
        json={"alertEmail": contact},
    )  # fmt: skip
    return "written"


async def _config(access: Access) -> str | None:
    try:
        found = await access.get_json(
            "api", f"{BASE}/config", Config, operation=GET_CONFIG, scheme="application"
        )
    except BadPayload as fault:
        if fault.detail == "404":  # nothing was ever written there
            return None
        raise
    return found.email or None


async def _place(access: Access, options: EbayOptions, push: Push) -> tuple[Destination, str]:
    """Our address, registered and enabled. To enable it anew eBay asks its challenge again.

    Raises:
        OutcomeUnknown: eBay took it and does not show it.
    """
    known = registered.ours(await registered.destinations(access), options)
    if known is not None and known.status == ENABLED:
        return known, "registered"
    token = push.verification_token.get_secret_value()
    asked = {
        "name": NAME,
        "status": ENABLED,
        "deliveryConfig": {"endpoint": push.endpoint, "verificationToken": token},
    }
    operation, method, path = ADD_PLACE, "POST", f"{BASE}/destination"
    if known is not None:
        operation, method, path = PUT_PLACE, "PUT", f"{path}/{quote(known.id, safe='')}"
    await access.send(
        "api", path, operation=operation, scheme="application", method=method, json=asked
    )
    made = registered.ours(await registered.destinations(access), options)
    if made is None:
        raise OutcomeUnknown("the address was taken, and is not among those that eBay tells")
    return made, "registered now" if known is None else "enabled again"


async def _topic(
    access: Access, topic: str, scheme: Scheme, place: Destination, *, is_needed: bool
) -> str:
    """Subscribed to, to our address; then a test is sent for."""
    try:
        told = await _subscribed(access, topic, scheme, place)
        one = registered.to(await registered.subscriptions(access, scheme), topic)
        if one is None:
            raise OutcomeUnknown(f"{topic} was taken, and is not among the subscriptions")
        path = f"{BASE}/subscription/{quote(one.id, safe='')}/test"
        await access.send("api", path, operation=TEST, scheme=scheme)
    except (Refused, BadCredentials, BadPayload):
        if is_needed:
            raise
        return ELSEWHERE
    return f"{told}; a test is on its way"


async def _subscribed(access: Access, topic: str, scheme: Scheme, place: Destination) -> str:
    known = registered.to(await registered.subscriptions(access, scheme), topic)
    if known is not None and known.status == ENABLED and known.destination == place.id:
        return "subscribed"
    asked: dict[str, object] = {
        "status": ENABLED,
        "destinationId": place.id,
        "payload": {
            "format": "JSON",
            "schemaVersion": await _version(access, topic),
            "deliveryProtocol": "HTTPS",
        },
    }
    await _send(access, scheme, known, asked if known else {"topicId": topic, **asked})
    return "subscribed now" if known is None else "subscribed again"


async def _send(
    access: Access, scheme: Scheme, known: Subscription | None, asked: dict[str, object]
) -> None:
    operation, method, path = ADD, "POST", f"{BASE}/subscription"
    if known is not None:
        operation, method, path = PUT, "PUT", f"{path}/{quote(known.id, safe='')}"
    await access.send("api", path, operation=operation, scheme=scheme, method=method, json=asked)


async def _version(access: Access, topic: str) -> str:
    """The newest shape of *topic* that eBay does not give up.

    Raises:
        BadPayload: there is none that we understand.
    """
    told = await access.get_json(
        "api", f"{BASE}/topic/{topic}", Topic, operation=GET_TOPIC, scheme="application"
    )
    fit = [
        one.version
        for one in told.payloads or ()
        if one.version and "JSON" in (one.format or ()) and not one.deprecated
    ]
    if not fit:
        raise BadPayload(f"{topic}: eBay pushes it in no shape that we understand")
    return max(fit, key=_numbers)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
