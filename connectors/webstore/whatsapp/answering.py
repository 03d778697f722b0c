"""What leaves: a text, while the window is open. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.webstore.meta import window
from connectors.webstore.whatsapp import identity, offer

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.model import Draft, Thread
    from sla.policy import Party

TEMPLATE = (
    "only a template that Meta approved may be sent now: send one in WhatsApp Manager, or wait for"
    " the buyer's next message"
)
_GROUP = "it was written in a group; answer in the WhatsApp Business app"
_NOBODY = "nothing here says whom to answer; answer in the WhatsApp Business app"


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread*, whenever."""
    if thread.reply_to.get("group"):
        return _GROUP
    if not (thread.reply_to.get("to") or thread.reply_to.get("user")):
        return _NOBODY
    return window.only_the_buyer(to)


def shut(thread: Thread, now: datetime) -> str | None:
    """Why nothing may leave *now*; None: it may, as far as we know."""
    at = window.lapsed(thread, offer.WINDOW, now)
    return None if at is None else window.told(at, TEMPLATE)


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
