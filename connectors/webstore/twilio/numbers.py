"""What is registered at our number: looked after, and set up without overwriting what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.errors import Mistaken
from core.model import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from connectors.webstore.twilio.api import Api
    from connectors.webstore.twilio.options import TwilioOptions
    from connectors.webstore.twilio.payload import Number
    from core.model import PushTrouble

DEMO = "demo.twilio.com"
"""Where a new number points to: nobody's own address."""

UNKNOWN = "number: Twilio lists no such number in this account; is it a number of account_sid?"


async def ours(api: Api, options: TwilioOptions) -> Number | None:
    """Our number as it is registered; None where the account has no such number."""
    known = (await api.numbers()).value.incoming_phone_numbers
    return next((one for one in known if one.phone_number == options.number), None)


async def page(api: Api, options: TwilioOptions, now: datetime) -> Page:
    """Why nothing can be pushed, if it cannot."""
    found = _troubles(await ours(api, options), options)
    return Page(pushes=found, cursor=now.isoformat())


def _troubles(number: Number | None, options: TwilioOptions) -> tuple[PushTrouble, ...]:
    if number is None or number.sms_url != options.endpoint:
        return ("destination_missing",)
    if options.hears_calls and number.status_callback != options.endpoint:
        return ("subscription_missing",)
    return ()


async def set_up(api: Api, options: TwilioOptions) -> AsyncIterator[str]:
    """One line for each address as it stands; a foreign one is left alone, and named.

    Raises:
        Mistaken: the account has no such number.
        ConnectorError: Twilio refused it.
    """
    endpoint = options.endpoint or ""
    if options.is_whatsapp:
        yield f"WhatsApp sender: enter {endpoint} at Twilio, Messaging, Senders, as its webhook"
        return
    number = await ours(api, options)
    if number is None:
        raise Mistaken(UNKNOWN)
    wanted = {"SmsUrl": ("messages", number.sms_url)}
    if options.hears_calls:
        wanted["StatusCallback"] = ("calls", number.status_callback)
    for field, (what, known) in wanted.items():
        if known == endpoint:
            yield f"{what}: registered"
        elif is_free(known):
            await api.change_number(number.sid, _change(field, endpoint))
            yield f"{what}: registered now"
        else:
            stays = f"{what}: an address at {_host(known)} stands there and stays"
            yield f"{stays}; {_by_hand(what, endpoint)}"


def is_free(url: str | None) -> bool:
    """Whether nobody's own address stands there."""
    return not url or _host(url) == DEMO


def _change(field: str, endpoint: str) -> dict[str, str]:
    method = {"SmsUrl": "SmsMethod", "StatusCallback": "StatusCallbackMethod"}[field]
    return {field: endpoint, method: "POST"}


def _by_hand(what: str, endpoint: str) -> str:
    return f"to have {what} pushed, put {endpoint} in its place, or write registered = false"


def _host(url: str | None) -> str:
    try:
        return urlsplit(url or "").hostname or "an unknown place"
    except ValueError:
        return "an unknown place"
