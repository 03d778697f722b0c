"""What leaves: a text, while the window is open. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.webstore.meta import window
from connectors.webstore.whatsapp import identity
from core.said import phrase

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from connectors.webstore.whatsapp.payload import Template
    from core.model import Draft, Thread
    from sla.policy import Party

TEMPLATE = "only a template that Meta approved may be sent now"
WAIT = "send one in WhatsApp Manager, or wait for the buyer's next message"
NONE = "and none is approved: wait for the buyer's next message"
MOST_NAMED, LONGEST_NAME, LONGEST_CODE = 3, 60, 10

ASKED = {"status": "APPROVED", "fields": "name,language,category", "limit": "100"}
"""How templates are asked for (Template management: Get templates, read 2026-11-23)."""

NOT_FOR_ANSWERS = frozenset({"AUTHENTICATION"})
FIRST = "UTILITY"
"""The category that may follow up on what somebody asked; ``MARKETING`` needs their consent."""

_GROUP = phrase("it was written in a group; answer in the WhatsApp Business app")
_NOBODY = phrase("nothing here says whom to answer; answer in the WhatsApp Business app")


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread*, whenever."""
    if thread.reply_to.get("group"):
        return _GROUP
    if not (thread.reply_to.get("to") or thread.reply_to.get("user")):
        return _NOBODY
    return window.only_the_buyer(to)


def instead(templates: Sequence[Template] | None) -> str:
    """What may be sent after the window, by its names; None: nobody could say which there are."""
    if templates is None:
        return f"{TEMPLATE}: {WAIT}"
    fit = [one for one in templates if one.name and one.category not in NOT_FOR_ANSWERS]
    fit.sort(key=lambda one: (one.category != FIRST, one.name, one.language or ""))
    if not fit:
        return f"{TEMPLATE}, {NONE}"
    named = [_name(one) for one in fit[:MOST_NAMED]]
    more = [] if len(fit) <= MOST_NAMED else [f"{len(fit) - MOST_NAMED} more"]
    return f"{TEMPLATE}, in WhatsApp Manager: {', '.join([*named, *more])}"


def _name(one: Template) -> str:
    name = (one.name or "")[:LONGEST_NAME]
    return f"{name} ({one.language[:LONGEST_CODE]})" if one.language else name


def written(thread: Thread, draft: Draft) -> dict[str, Any]:
    """The message as Meta takes it: to the number where it is known, else to the user's id.

    An id where a number is due is taken, and delivered to nobody.
    """
    number, user = thread.reply_to.get("to"), thread.reply_to.get("user")
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **({"to": number} if number else {"recipient": user}),
        "type": "text",
        "text": {"preview_url": False, "body": draft.body},
        "biz_opaque_callback_data": identity.mark(draft),
    }
