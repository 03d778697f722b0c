"""Whether our webhooks are there and active, and how they come to be.

WooCommerce switches one off by itself after five failures in a row (trap 14), and each has one
topic: there is one for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.woocommerce import offer
from core.model import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from connectors.webstore.woocommerce.api import Api
    from connectors.webstore.woocommerce.options import Push
    from connectors.webstore.woocommerce.payload import Hook
    from core.model import PushTrouble

ACTIVE = "active"


async def page(api: Api, push: Push, now: datetime) -> Page:
    """Why something cannot be pushed, if it cannot.

    Raises:
        ConnectorError: it could not be asked.
    """
    return Page(pushes=_troubles(await api.hooks(), push), cursor=now.isoformat())


def ours(known: Sequence[Hook], push: Push, topic: str) -> Hook | None:
    """Our webhook for *topic* among them, an active one before others."""
    fitting = [one for one in known if one.delivery_url == push.endpoint and one.topic == topic]
    return next((one for one in fitting if one.status == ACTIVE), next(iter(fitting), None))


def _troubles(known: Sequence[Hook], push: Push) -> tuple[PushTrouble, ...]:
    found = [ours(known, push, topic) for topic in offer.TOPICS]
    there = [one for one in found if one is not None]
    if not there:
        return ("destination_missing",)
    troubles: list[PushTrouble] = []
    if len(there) < len(found):
        troubles.append("subscription_missing")
    if any(one.status != ACTIVE for one in there):
        troubles.append("destination_disabled")
    return tuple(troubles)


async def set_up(api: Api, push: Push) -> AsyncIterator[str]:
    """One line for each webhook as it stands; it looks first, so it may be done again.

    Which secret a webhook has nobody can read: each is told ours again.

    Raises:
        ConnectorError: WooCommerce refused it.
    """
    known = await api.hooks()
    for topic in offer.TOPICS:
        before = ours(known, push, topic)
        await api.put_hook(before, _asked(push, topic, is_new=before is None))
        yield f"webhook {topic} to {push.endpoint}: {_state(before)}"


def _asked(push: Push, topic: str, *, is_new: bool) -> dict[str, object]:
    changes: dict[str, object] = {"status": ACTIVE, "secret": push.secret.get_secret_value()}
    if not is_new:
        return changes
    return changes | {"name": f"replyby {topic}", "topic": topic, "delivery_url": push.endpoint}


def _state(before: Hook | None) -> str:
    if before is None:
        return "registered now"
    return "registered" if before.status == ACTIVE else "switched on again"
