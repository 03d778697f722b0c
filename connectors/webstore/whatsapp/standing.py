"""What Meta says of a number, as numbers of ours. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model import Published

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.whatsapp.payload import Number

FIELDS = {"fields": "id,quality_rating,messaging_limit_tier,status,webhook_configuration"}

QUALITY = {"GREEN": 3.0, "YELLOW": 2.0, "RED": 1.0}
"""How people took what the number sent, in the last 7 days; the lowest may lower its limit."""

TIERS = {
    "TIER_50": 50.0, "TIER_250": 250.0, "TIER_1K": 1_000.0, "TIER_2K": 2_000.0,
    "TIER_10K": 10_000.0, "TIER_100K": 100_000.0,
}  # fmt: skip
"""To how many people a day the business may write first; answers are not counted."""


def published(number: Number, now: datetime) -> tuple[Published, ...]:
    """What is told in words that we know; of others nothing is made."""
    told = {
        "quality": QUALITY.get(number.quality_rating or ""),
        "messaging_limit": TIERS.get(number.messaging_limit_tier or ""),
        "connected": None if number.status is None else float(number.status == "CONNECTED"),
    }
    return tuple(Published(name, value, now) for name, value in told.items() if value is not None)
