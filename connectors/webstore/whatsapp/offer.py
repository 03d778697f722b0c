"""What the kind offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.meta import registered, subscribing, window
from connectors.webstore.meta.registered import Wanted
from core.connector import Capabilities
from core.model import Stream

if TYPE_CHECKING:
    from connectors.webstore.whatsapp.options import WhatsappOptions
    from sla.policy import Policy

NUMBER = "number"
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)

LONGEST = 4096
"""Characters of a text (Cloud API: Text messages, read 2026-11-22)."""

SHOW, SEND, TEMPLATES = "phone_number", "send_message", "message_templates"
OPERATIONS = (SHOW, SEND, TEMPLATES, *registered.OPERATIONS, *subscribing.OPERATIONS)
"""The words that name our calls in metrics."""

MESSAGES, STATUSES, ECHOES, MORE = "messages", "statuses", "echoes", "more"
TOPICS = (MESSAGES, STATUSES, ECHOES, MORE)
"""What is pushed: by the first of these that is in a push."""

FIELDS = frozenset({"messages", "smb_message_echoes"})
"""What the app is to be pushed: statuses come with ``messages``."""

WINDOW = window.DAY

SOURCE = (
    "developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages:"
    " customer service windows"
)


def policies(_: WhatsappOptions) -> tuple[Policy, ...]:
    """Meta's own: after 24 hours nothing but an approved template may be sent."""
    return (window.contract("whatsapp", WINDOW, SOURCE),)


def goals(_: WhatsappOptions) -> tuple[Policy, ...]:
    """Our own: an answer within the hour."""
    return (window.goal("whatsapp"),)


def streams(options: WhatsappOptions) -> tuple[Stream, ...]:
    """How the number, its subscription and its token stand: no message can be read by asking."""
    return (
        Stream(
            NUMBER,
            MINUTE if options.is_near else HOUR,
            carries_clocks=False,
            floor=SECOND if options.is_near else MINUTE,
            kinds=frozenset(),
            limited_alone=True,
        ),
    )


def can(_: WhatsappOptions) -> Capabilities:
    """Answers leave here; those given in the app are seen where echoes are pushed."""
    return Capabilities(
        replies=True,
        receives=True,
        reports=True,
        sees_replies="copies",
        shortest_reply=1,
        longest_reply=LONGEST,
        verdicts=True,
        window=WINDOW,
    )


def wanted(options: WhatsappOptions) -> Wanted:
    """What is to be pushed."""
    return Wanted("whatsapp_business_account", FIELDS, options.business_account_id)
