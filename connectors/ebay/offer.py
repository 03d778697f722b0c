"""What the connector offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from connectors.ebay.messages import answering, media
from connectors.ebay.options import FLOOR, REFRESH_LASTS
from core.connector import Capabilities, Credential, Unwelcome
from core.model import Stream
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from connectors.ebay.options import EbayOptions
    from core.model import Thread
    from sla.policy import Party

MESSAGES, NOTICES, LIMITS, SUBSCRIPTIONS = "messages", "notices", "limits", "subscriptions"

DOSSIERS = {
    "inquiries": ThreadKind.INQUIRY,
    "returns": ThreadKind.RETURN,
    "cancellations": ThreadKind.CANCELLATION,
    "cases": ThreadKind.CLAIM,
    "disputes": ThreadKind.DISPUTE,
}
"""The searches, each a stream, and what their threads are about."""

OPERATIONS = (
    "token", "getUser", "getRateLimits", "getUserRateLimits",
    "getConversations", "getConversation", "sendMessage", "updateConversation",
    "bulkUpdateConversation", "createImageFromFile",
    "searchInquiries", "getInquiry", "searchReturns", "getReturn", "searchCancellations",
    "getCancellation", "searchCases", "getCase", "getPaymentDisputeSummaries", "getPaymentDispute",
    "getActivities", "sendInquiryMessage", "sendReturnMessage",
    "GetMemberMessages", "GetMyMessages", "AddMemberMessageRTQ", "AddMemberMessageAAQToPartner",
    "getPublicKey", "getDestinations", "getSubscriptions", "getConfig", "updateConfig",
    "createDestination", "updateDestination", "getTopic", "createSubscription",
    "updateSubscription", "testSubscription",
)  # fmt: skip
"""The words that name our calls in metrics."""

TOPICS = ("NEW_MESSAGE", "MARKETPLACE_ACCOUNT_DELETION", "AUTHORIZATION_REVOCATION")
"""What eBay pushes to us."""

BY_TRADING = ("exchange:", "letter:")
"""What the ids of threads begin with that the Trading API reads."""

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
QUARTER = timedelta(minutes=15)

TRADING_EVERY, TRADING_FLOOR = timedelta(minutes=10), timedelta(minutes=5)
"""How often questions and letters are asked for by the Trading API at most, and how soon again
where a date is near. A walk with nothing new takes four calls: 576 a day, and never above 1,152,
of the 5,000 that an application historically has for all its sellers and all that it does there
(facts: no page promises that number; `limits` learns the true one). Goals are in hours."""

CONTACT_POLICY = "ebay.com/help/policies/member-behaviour-policies: member-to-member contact policy"
UNWELCOME = (
    Unwelcome("link", CONTACT_POLICY, but=frozenset({"ebay.com", "ebay.co.uk", "ebay.de", "ebay.fr",
              "ebay.it", "ebay.es", "ebay.com.au", "ebay.ca", "ebay.at", "ebay.ch", "ebay.ie",
              "ebay.nl", "ebay.be", "ebay.pl", "ebay.com.hk", "ebay.com.sg", "ebay.com.my",
              "ebay.ph"})),
    Unwelcome("address", CONTACT_POLICY),
    Unwelcome("phone", CONTACT_POLICY),
)  # fmt: skip
"""What members may not tell each other in messages (read 2026-11-23): eBay withholds such a message
without telling the API, or holds it against the seller."""

REFRESH = "refresh token of the seller's consent"
"""The name of the key that ends by itself."""


def streams(options: EbayOptions) -> tuple[Stream, ...]:
    """What is read by itself. Each waits alone where eBay asks to wait: quotas are per API."""
    floor = SECOND if options.is_near else FLOOR
    is_rest = options.messages_by == "rest"
    found = [_messages(options, floor, is_rest=is_rest)]
    if is_rest:
        found.append(_stream(NOTICES, max(QUARTER, options.poll_every), floor))
    found += [
        _stream(name, options.dossiers_every, floor, kind)
        for name, kind in DOSSIERS.items()
        if options.disputes or kind is not ThreadKind.DISPUTE
    ]
    rare = MINUTE if options.is_near else HOUR
    found.append(_stream(LIMITS, rare, floor))
    if options.push is not None:
        found.append(_stream(SUBSCRIPTIONS, rare, floor))
    return tuple(found)


def _messages(options: EbayOptions, floor: timedelta, *, is_rest: bool) -> Stream:
    """What members write; by the Trading API less often than by the other (see `TRADING_EVERY`)."""
    if is_rest:
        stream = _stream(MESSAGES, options.poll_every, floor, ThreadKind.MESSAGE)
        return replace(stream, pushed=options.push is not None)
    if options.is_near:
        return _stream(MESSAGES, options.poll_every, floor, ThreadKind.MESSAGE)
    every = max(TRADING_EVERY, options.poll_every)
    return _stream(MESSAGES, every, TRADING_FLOOR, ThreadKind.MESSAGE)


def _stream(
    name: str, every: timedelta, floor: timedelta, kind: ThreadKind | None = None
) -> Stream:
    return Stream(
        name,
        every,
        carries_clocks=kind is not None,
        floor=floor,
        kinds=frozenset() if kind is None else frozenset({kind}),
        limited_alone=True,
    )


def can(options: EbayOptions) -> Capabilities:
    """What eBay offers beyond reading; its quotas are the numbers that are reported."""
    rest = options.messages_by == "rest"
    return Capabilities(
        replies=True,
        looks=True,
        receives=options.push is not None,
        reports=True,
        shortest_reply=answering.SHORTEST,
        longest_reply=answering.LONGEST,
        most_enclosed=media.MOST_ENCLOSED if rest else 0,
        most_each=media.LARGEST_IMAGE if rest else None,
        most_files=media.MOST_FILES if rest else None,
        enclosed=media.IMAGES,
        linked=media.LINKED if rest else frozenset(),
        marks_read=rest,
        unwelcome=UNWELCOME,
    )


def narrows(can: Capabilities, thread: Thread) -> Capabilities:
    """What a reply in *thread* may be: in a dossier, and by the Trading API, the text alone."""
    from connectors.ebay.dossiers import sources  # noqa: PLC0415  # asked rarely

    if sources.source_of(thread.id) is None and not thread.id.startswith(BY_TRADING):
        return can
    return replace(can, most_enclosed=0, most_files=None, linked=frozenset())


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in a thread as it is stored."""
    from connectors.ebay.dossiers import answering as written_to  # noqa: PLC0415  # asked rarely
    from connectors.ebay.dossiers import sources  # noqa: PLC0415  # as above

    if sources.source_of(thread.id) is not None:
        return written_to.refuses(thread, to)
    if thread.id.startswith(BY_TRADING):
        from connectors.ebay.trading import answering as traded  # noqa: PLC0415  # an extra, see __init__

        return traded.refuses(thread, to)
    return answering.refuses(thread, to)


def credentials(options: EbayOptions) -> tuple[Credential, ...]:
    """The refresh token, where its day is written down; it ends as that day begins."""
    if options.expires_on is None:
        return ()
    expires_at = datetime.combine(options.expires_on, time(tzinfo=UTC))
    made = options.refresh_token_made
    made_at = datetime.combine(made, time(tzinfo=UTC)) if made else expires_at - REFRESH_LASTS
    return (Credential(REFRESH, expires_at, made_at),)
