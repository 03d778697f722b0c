"""Where an application is pushed to, about what, and whether that place proves itself."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from connectors.ebay.sandbox.instants import stamp
from core.sandbox.sending import is_near

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.sandbox.market import Seller

State = Literal["ENABLED", "DISABLED", "MARKED_DOWN"]

VERIFICATION_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,80}")
PATIENCE = ClientTimeout(total=5)


@dataclass(slots=True)
class Destination:
    """An address; *failures* counts pushes that were not acknowledged, since the last that was."""

    id: str
    name: str
    endpoint: str
    token: str
    status: State = "ENABLED"
    failures: int = 0

    def told(self) -> dict[str, Any]:
        """As the API shows it, the verification token included."""
        config = {"endpoint": self.endpoint, "verificationToken": self.token}
        return {
            "destinationId": self.id,
            "name": self.name,
            "status": self.status,
            "deliveryConfig": config,
        }


@dataclass(slots=True)
class Subscription:
    """A topic at a destination; *seller* is None where it concerns the application."""

    id: str
    topic: str
    seller: Seller | None
    destination: str
    version: str
    made_at: datetime
    status: Literal["ENABLED", "DISABLED"] = "ENABLED"

    def told(self) -> dict[str, Any]:
        """As the API shows it."""
        payload = {"format": "JSON", "schemaVersion": self.version, "deliveryProtocol": "HTTPS"}
        return {
            "subscriptionId": self.id,
            "topicId": self.topic,
            "status": self.status,
            "creationDate": stamp(self.made_at),
            "payload": payload,
            "destinationId": self.destination,
        }


@dataclass(slots=True)
class Subscribed:
    """What one application set up. *alerts* are the mails that eBay would have sent about it."""

    alert_email: str = ""
    destinations: dict[str, Destination] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)

    def places(self, topic: str, seller: Seller | None) -> list[Destination]:
        """Where news of *topic* about *seller* are pushed to now."""
        fit = [
            self.destinations.get(one.destination)
            for one in self.subscriptions.values()
            if one.topic == topic and one.seller is seller and one.status == "ENABLED"
        ]
        return [one for one in fit if one is not None and one.status == "ENABLED"]


async def is_proven(endpoint: str, token: str, code: str) -> bool:
    """Whether *endpoint* answers the challenge: the hash in hex, as JSON, from exactly there."""
    if not is_near(endpoint):
        return False
    expected = hashlib.sha256(f"{code}{token}{endpoint}".encode()).hexdigest()
    try:
        async with (
            ClientSession(timeout=PATIENCE) as session,
            session.get(endpoint, params={"challenge_code": code}, allow_redirects=False) as answer,
        ):
            content = json.loads((await answer.read()).decode("utf-8"))
            is_json = answer.content_type == "application/json"
            is_fine = answer.status == 200 and is_json and isinstance(content, dict)
            return is_fine and content.get("challengeResponse") == expected
    except (ClientError, TimeoutError, ValueError):
        return False


def fault_of(name: Any, endpoint: Any, token: Any, status: Any) -> tuple[int, str] | None:
    """What is wrong with a destination as it was sent: eBay's number and words; None: nothing."""
    if not isinstance(name, str) or not name or len(name) > 64 or "<" in name:
        return 195016, "Invalid name. Markups or lengths greater than 64 not supported"
    if not isinstance(endpoint, str) or not _is_address(endpoint):
        return 195017, "Invalid or missing endpoint."
    if status not in ("ENABLED", "DISABLED"):
        return 195018, "Invalid or missing destination status."
    if not isinstance(token, str) or not VERIFICATION_TOKEN.fullmatch(token):
        return 195019, "Invalid or missing verification token for this endpoint."
    return None


def _is_address(url: str) -> bool:
    """Whether it is https; on this machine, where there is no certificate, http is as good."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_near(url))
