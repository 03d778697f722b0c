"""What may be subscribed to, who may, and how what comes of it looks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from connectors.ebay.sandbox.applications import SCOPE
from connectors.ebay.sandbox.instants import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from random import Random

    from connectors.ebay.sandbox.market import Member

NEW_MESSAGE = "NEW_MESSAGE"
DELETION = "MARKETPLACE_ACCOUNT_DELETION"
REVOCATION = "AUTHORIZATION_REVOCATION"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic; of ``USER`` scope it needs the token of the seller whom it concerns."""

    id: str
    scope: Literal["USER", "APPLICATION"]
    scopes: tuple[str, ...]
    version: str = "1.0"
    context: str = "COMMUNICATION"

    def told(self) -> dict[str, Any]:
        """As the API shows it."""
        payload = {
            "format": ["JSON"],
            "schemaVersion": self.version,
            "deliveryProtocol": "HTTPS",
            "deprecated": False,
        }
        return {
            "topicId": self.id,
            "description": f"Notifications about {self.id.lower().replace('_', ' ')}",
            "authorizationScopes": list(self.scopes),
            "status": "ENABLED",
            "context": self.context,
            "scope": self.scope,
            "supportedPayloads": [payload],
            "filterable": False,
        }


def _user(name: str, scope: str) -> Topic:
    return Topic(name, "USER", (f"{SCOPE}/{scope}",))


TOPICS = {
    one.id: one
    for one in (
        Topic(REVOCATION, "APPLICATION", (SCOPE,)),
        Topic(DELETION, "APPLICATION", (SCOPE,)),
        _user("BUYER_QUESTION", "commerce.message"),
        _user("FEEDBACK_LEFT", "commerce.feedback"),
        _user("FEEDBACK_RECEIVED", "commerce.feedback"),
        _user("ITEM_MARKED_SHIPPED", "sell.fulfillment"),
        _user(NEW_MESSAGE, "commerce.message"),
        _user("ORDER_CONFIRMATION", "sell.fulfillment"),
        Topic("PLA_CAMPAIGN_BUDGET_STATUS", "USER", (f"{SCOPE}/sell.marketing",)),
        _user("SELLER_CUSTOMER_SERVICE_METRIC_RATING", "sell.analytics.readonly"),
        _user("SELLER_STANDARDS_PROFILE_METRICS", "sell.analytics.readonly"),
    )
}


def envelope(
    topic: str,
    name: str,
    data: Mapping[str, Any],
    *,
    event_at: datetime,
    published_at: datetime,
    attempt: int,
) -> dict[str, Any]:
    """What is pushed: *data* with its notification's id, and how often it was tried."""
    known = TOPICS.get(topic)
    version = known.version if known else "1.0"
    return {
        "metadata": {"topic": topic, "schemaVersion": version, "deprecated": False},
        "notification": {
            "notificationId": name,
            "eventDate": stamp(event_at),
            "publishDate": stamp(published_at),
            "publishAttemptCount": attempt,
            "data": dict(data),
        },
    }


def deletion(member: Member) -> dict[str, Any]:
    """Somebody closed the account: by every name that eBay has for it."""
    return {
        "username": member.told,
        "userId": member.user_id,
        "eiasToken": member.eias_token,
    }


def revocation(member: Member) -> dict[str, Any]:
    """A seller took the consent back."""
    return {**deletion(member), "revokeReason": "REVOKED"}


def invented(topic: str, random: Random, at: datetime) -> dict[str, Any]:
    """What a test notification brings: signed as any other, and nothing in it exists."""
    if topic in (DELETION, REVOCATION):
        made = {"username": "test_user", "userId": "test0user", "eiasToken": "nY+sHZ2Pr=="}
        return {**made, "revokeReason": "REVOKED"} if topic == REVOCATION else made
    return {
        "conversationId": str(random.randrange(10**14, 10**15)),
        "conversationType": "FROM_MEMBERS",
        "messageId": str(random.randrange(10**14, 10**15)),
        "createdDate": stamp(at),
        "messageBody": "This is a test message",
        "messageMedia": [],
        "readStatus": False,
        "senderUserName": "test_sender",
        "recipientUserName": "test_recipient",
        "subject": "",
    }
