"""Whether our webhook is there and active, and how it comes to be.

BigCommerce switches it off by itself: after 48 hours without a success, or 90 days without use
(trap 14).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.bigcommerce import offer
from core.model import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from connectors.webstore.bigcommerce.api import Api
    from connectors.webstore.bigcommerce.options import Push
    from connectors.webstore.bigcommerce.payload import Hook
    from core.model import PushTrouble


async def page(api: Api, push: Push, now: datetime) -> Page:
    """Why nothing can be pushed, if it cannot.

    Raises:
        ConnectorError: it could not be asked.
    """
    return Page(pushes=_troubles(ours(await api.hooks(), push)), cursor=now.isoformat())


def ours(known: Sequence[Hook], push: Push) -> Hook | None:
    """Our webhook among them, an active one before others."""
    fitting = [
        one for one in known if one.destination == push.endpoint and one.scope == offer.CREATED
    ]
    return next((one for one in fitting if one.is_active), next(iter(fitting), None))


def _troubles(known: Hook | None) -> tuple[PushTrouble, ...]:
    if known is None:
        return ("destination_missing",)
    return () if known.is_active else ("destination_disabled",)


async def set_up(api: Api, push: Push) -> AsyncIterator[str]:
    """One line for the webhook as it stands; it looks first, so it may be done again.

    Raises:
        ConnectorError: BigCommerce refused it.
    """
    known = ours(await api.hooks(), push)
    if known is not None and known.is_active:
        yield f"webhook {push.endpoint}: registered"
        return
    asked = {"scope": offer.CREATED, "destination": push.endpoint, "is_active": True}
    await api.put_hook(known, asked)
    state = "registered now" if known is None else "switched on again"
    yield f"webhook {push.endpoint}: {state}; it may take a minute to work"
