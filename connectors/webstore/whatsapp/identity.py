"""What people, chats and messages are called here: no id holds a number or a name. Pure.

An id of WhatsApp's (wamid) is Base64 in which the person's number stands, so it is digested.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connectors.webstore.meta import envelope

if TYPE_CHECKING:
    from core.model import Draft

MARK = "replyby."
"""How begins what we send along with a reply, and what its statuses then carry."""


class Person(NamedTuple):
    """Somebody by number, by the business's own id for them (BSUID), or by both."""

    phone: str = ""
    user: str = ""
    group: str = ""

    @property
    def thread(self) -> str:
        """The chat with them: by their id where there is one.

        It is told with every message since April 2026, while the number may be left out.
        """
        if self.group:
            return f"group:{envelope.digest(self.group)}"
        return f"chat:{envelope.digest(self.user or self.phone)}"

    @property
    def e164(self) -> str:
        """The number as others write it; empty where it is not told."""
        is_number = self.phone.isascii() and self.phone.isdigit()
        return f"+{self.phone}" if is_number else ""


def message_id(wamid: str) -> str:
    """A message's id."""
    return f"wamid:{envelope.digest(wamid)}"


def mark(draft: Draft) -> str:
    """What tells a reply of ours from every other, whichever installation has sent it."""
    at = draft.queued_at.isoformat()
    return f"{MARK}{envelope.digest(draft.account, str(draft.id), at)}"
