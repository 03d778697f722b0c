"""What leaves: a text, while the window is open. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.webstore.meta import window
from core.said import phrase

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from connectors.webstore.meta.pages.platform import Platform
    from core.model import Draft, Thread
    from sla.policy import Party

AGAIN = "Meta takes nothing more until the buyer writes again"
TAG = "HUMAN_AGENT"
_NOBODY = phrase("nothing here says whom to answer; answer in Meta Business Suite")


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread*, whenever."""
    if not thread.reply_to.get("to"):
        return _NOBODY
    return window.only_the_buyer(to)


def too_long(draft: Draft, platform: Platform) -> str | None:
    """Why Meta would not take so long a text."""
    length = platform.length(draft.body)
    if length <= platform.longest:
        return None
    return (
        f"the text has {length} {platform.unit}, and {platform.longest} at most there; shorten it"
    )


def written(thread: Thread, draft: Draft, now: datetime) -> dict[str, Any]:
    """The message as Meta takes it; by the tag where the usual window has shut."""
    is_late = window.lapsed(thread, window.DAY, now) is not None
    kind = {"messaging_type": "MESSAGE_TAG", "tag": TAG} if is_late else {
        "messaging_type": "RESPONSE"
    }  # fmt: skip
    return {"recipient": {"id": thread.reply_to["to"]}, **kind, "message": {"text": draft.body}}
