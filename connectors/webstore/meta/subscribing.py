"""Sets up what is pushed: our address for the app, then the account or page.

Each step looks first and changes what is amiss, so that it may be done again at any time. While the
address is registered Meta asks it for its challenge: the daemon has to be reachable there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.webstore.meta import registered
from core.errors import Mistaken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connectors.webstore.meta.access import Access
    from connectors.webstore.meta.options import MetaOptions
    from connectors.webstore.meta.registered import Wanted

ADD_APP, ADD_NODE = "subscribe_app", "subscribe"
OPERATIONS = (ADD_APP, ADD_NODE)


async def set_up(access: Access, options: MetaOptions, wanted: Wanted) -> AsyncIterator[str]:
    """One line for each thing that is set up, as soon as it is.

    Raises:
        Mistaken: the app is pushed to another address, which somebody may need.
        ConnectorError: Meta refused a step; those before it stand.
    """
    yield f"address {options.endpoint}: {await _place(access, options, wanted)}"
    yield f"{wanted.object} {wanted.node}: {await _node(access, options, wanted)}"


async def _place(access: Access, options: MetaOptions, wanted: Wanted) -> str:
    known = await registered.of_app(access, options, wanted)
    if known is not None and known.callback_url not in (None, "", options.endpoint):
        raise Mistaken(
            f"the app is pushed {wanted.object} to another address already; change it in the"
            " app's dashboard (Webhooks), or write that address as endpoint"
        )
    fields = wanted.fields | (frozenset() if known is None else known.names)
    if known is not None and known.active is not False and fields == known.names:
        return "registered"
    asked = {
        "object": wanted.object,
        "callback_url": options.endpoint,
        "verify_token": options.verify_token.get_secret_value(),
        "fields": ",".join(sorted(fields)),
    }
    await access.send(f"{options.app_id}/subscriptions", asked, operation=ADD_APP, as_app=True)
    return "registered now" if known is None else "registered anew"


async def _node(access: Access, options: MetaOptions, wanted: Wanted) -> str:
    if await registered.of_node(access, options, wanted) is not None:
        return "subscribed"
    asked = {"subscribed_fields": ",".join(sorted(wanted.fields))}
    is_page = wanted.object != "whatsapp_business_account"
    await access.send(
        f"{wanted.node}/subscribed_apps", asked if is_page else {}, operation=ADD_NODE
    )
    return "subscribed now"
