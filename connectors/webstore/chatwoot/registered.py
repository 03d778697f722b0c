"""Whether our webhook is there as it was set up: an agent may remove it, or change its topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.chatwoot import offer
from core.model import Page
from core.transport import webhooks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.chatwoot.api import Api
    from connectors.webstore.chatwoot.options import Push
    from connectors.webstore.chatwoot.payload import Webhook
    from core.model import PushTrouble


async def page(api: Api, push: Push, now: datetime) -> Page:
    """Why nothing can be pushed, if it cannot.

    Raises:
        ConnectorError: it could not be asked; `alone` where the token is no administrator's.
    """
    return Page(pushes=_troubles(ours(await api.webhooks(), push), push), cursor=now.isoformat())


def ours(known: Sequence[Webhook], push: Push) -> Webhook | None:
    """Our webhook among them, as it is registered: no sign of its address differs."""
    return next((one for one in known if one.url == push.endpoint), None)


def missing(known: Webhook) -> frozenset[str]:
    """What it should tell, and does not."""
    return frozenset(offer.WANTED) - frozenset(known.subscriptions or ())


def _troubles(known: Webhook | None, push: Push) -> tuple[PushTrouble, ...]:
    """A server that tells no secret is none of ours to judge."""
    if known is None:
        return ("destination_missing",)
    found: list[PushTrouble] = []
    if missing(known):
        found.append("subscription_missing")
    if known.secret and push.secret is not None:
        is_ours = webhooks.is_same(known.secret, push.secret.get_secret_value())
        found += [] if is_ours else ["secret_differs"]
    return tuple(found)
