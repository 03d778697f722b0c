"""How pushes are set up at Meta, and how long the token is good: asked for now and then.

Two things have to be so: the app is pushed this kind of object, to our address; and the account or
page lets the app be pushed what concerns it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.meta import envelope
from connectors.webstore.meta.payload import AppSubscriptions, Debugged, SubscribedApps
from core.errors import BadCredentials
from core.model import Published

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.meta.access import Access
    from connectors.webstore.meta.options import MetaOptions
    from connectors.webstore.meta.payload import AppSubscription, SubscribedApp, Token
    from core.model import PushTrouble

APP, NODE, TOKEN = "app_subscriptions", "subscribed_apps", "debug_token"
OPERATIONS = (APP, NODE, TOKEN)

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be pushed: of which *object*, which *fields*, and of which *node* there.

    *node* is a WhatsApp Business account or a page.
    """

    object: str
    fields: frozenset[str]
    node: str


async def troubles(
    access: Access, options: MetaOptions, wanted: Wanted, own: str | None = None
) -> tuple[PushTrouble, ...]:
    """Why no push can arrive, as Meta tells.

    *own* is the address that a number itself has: it stands before its account's, and that before
    the app's (Webhook overrides, read 2026-11-23).

    Raises:
        ConnectorError: it could not be asked.
    """
    app = await of_app(access, options, wanted)
    node = await of_node(access, options, wanted)
    override = own or (node.override_callback_uri if node is not None else None)
    found = _of_place(app, options, wanted)
    if override:
        found = () if override == options.endpoint else ("destination_missing",)
    return found if node is not None else (*found, "subscription_missing")


async def of_app(access: Access, options: MetaOptions, wanted: Wanted) -> AppSubscription | None:
    """What the app is pushed of the wanted kind."""
    told = await access.get(
        f"{options.app_id}/subscriptions", AppSubscriptions, operation=APP, as_app=True
    )
    return next((one for one in told.data if one.object == wanted.object), None)


async def of_node(access: Access, options: MetaOptions, wanted: Wanted) -> SubscribedApp | None:
    """Our app among those that are pushed what concerns the node; None: it is not among them.

    One that a page tells with fields has to have those that we need.
    """
    told = await access.get(f"{wanted.node}/subscribed_apps", SubscribedApps, operation=NODE)
    ours = next((one for one in told.data if one.app == options.app_id), None)
    if ours is None or ours.subscribed_fields is None:
        return ours
    return ours if wanted.fields <= frozenset(ours.subscribed_fields) else None


async def token(access: Access, options: MetaOptions, now: datetime) -> tuple[Published, ...]:
    """In how many days the token, and what it may read, end; nothing where they do not.

    Raises:
        BadCredentials: it is no longer good.
        ConnectorError: it could not be asked.
    """
    found = await _token(access, options)
    ends = {
        "token_days_left": _ends(found.expires_at),
        "data_access_days_left": _ends(found.data_access_expires_at),
    }
    return tuple(Published(name, (at - now) / A_DAY, now) for name, at in ends.items() if at)


async def unwritten(access: Access, options: MetaOptions) -> tuple[str, ...]:
    """That the token ends and the settings do not say so; it begins with the key.

    The app asks for it: so its number and its key, by which pushes are proved, are proved as well.

    Raises:
        ConnectorError: the token is no longer good, or could not be asked for.
    """
    at = _ends((await _token(access, options)).expires_at)
    if at is None or options.token_expires_on is not None:
        return ()
    told = f"the token ends on {at.date().isoformat()}; write that day, so that people are told"
    return (f"token_expires_on: {told}",)


async def _token(access: Access, options: MetaOptions) -> Token:
    params = {"input_token": options.access_token.get_secret_value()}
    told = await access.get("debug_token", Debugged, operation=TOKEN, params=params, as_app=True)
    if told.data.is_valid is False:
        raise BadCredentials(f"{TOKEN}: Meta says that the token is no longer good", detail="190")
    return told.data


def _ends(value: object) -> datetime | None:
    """The instant of *value*; None: it does not end."""
    return None if value in (0, "0") else envelope.instant(value)


def _of_place(
    app: AppSubscription | None, options: MetaOptions, wanted: Wanted
) -> tuple[PushTrouble, ...]:
    if app is None or app.callback_url != options.endpoint:
        return ("destination_missing",)
    if app.active is False:
        return ("destination_disabled",)
    return () if wanted.fields <= app.names else ("subscription_missing",)
