"""An answer to a remark as a note that the shop itself mails: what can be one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Refused
from core.said import phrase
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.model import Draft, Thread


NO_ADDRESS = phrase("this order names no mail address: what is written there reaches nobody")


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if frozenset(to) != {Party.BUYER}:
        return phrase("about an order there is nobody to answer but the buyer")
    if not thread.reply_to.get("mail"):
        return NO_ADDRESS
    return None


def check(thread: Thread, draft: Draft, note: str, shortest: int, longest: int) -> None:
    """Refuse what cannot be sent: *note* has from *shortest* to *longest* characters.

    *note*: what an answer is called, with its article.

    Raises:
        Refused: it says why.
    """
    if why := refuses(thread, draft.to):
        raise Refused(why, detail="recipient")
    if not shortest <= len(draft.body) <= longest:
        raise Refused(f"{note} has {shortest} to {longest} characters", detail="length")
    if draft.files:
        raise Refused(f"{note} takes no files", detail="files")
