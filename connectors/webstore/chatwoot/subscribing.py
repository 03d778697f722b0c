"""Sets up our webhook; it looks first, so that it may be done again at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.chatwoot import offer, registered
from core.transport import webhooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connectors.webstore.chatwoot.api import Api
    from connectors.webstore.chatwoot.options import Push
    from connectors.webstore.chatwoot.payload import Webhook

NAME = "replyby"


async def set_up(api: Api, push: Push) -> AsyncIterator[str]:
    """One line for each thing as it stands; the secret where the settings have another.

    Raises:
        ConnectorError: Chatwoot refused it.
    """
    known = registered.ours(await api.webhooks(), push)
    made = known
    if known is None or registered.missing(known):
        topics = set(offer.WANTED) | set((known and known.subscriptions) or ())
        asked = {"url": push.endpoint, "name": NAME, "subscriptions": sorted(topics)}
        made = await api.put_webhook(known, asked)
    state = "registered" if made is known else "registered now" if known is None else "mended"
    yield f"webhook {push.endpoint}: {state}"
    if made is not None:
        yield f"secret: {_secret(made, push)}"


def _secret(made: Webhook, push: Push) -> str:
    """What to do so that pushes are believed."""
    told = made.secret
    if not told:
        return "this server does not sign" + (
            "" if push.unsigned else "; write push.unsigned = true: pushes then only wake the poll"
        )
    if push.secret is not None and webhooks.is_same(told, push.secret.get_secret_value()):
        return "as in the settings"
    where = "put it where push.secret of this account points to, then reload"
    return (
        f"{told} - {where}, and leave out push.unsigned" if push.unsigned else f"{told} - {where}"
    )
