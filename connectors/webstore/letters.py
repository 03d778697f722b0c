"""An answer as a letter, for shops whose API mails nobody: what all of them share. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Refused
from core.transport import replies
from core.transport.letter import Address
from core.transport.outgoing import Outgoing

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.webstore.outbox import Mail
    from core.model import Draft, Thread

SHORTEST, LONGEST = 1, 50_000
"""How many characters an answer has: ours, a letter sets no limit."""
MOST_ENCLOSED, MOST_FILES = 10 * 10**6, 10
"""Bytes and files that go with the letter: ours, what most mail servers take."""


def check(draft: Draft, why: str | None) -> None:
    """Refuse what cannot be sent, before anything leaves; *why* it certainly cannot, if known.

    Raises:
        Refused: it says why.
    """
    if why:
        raise Refused(why, detail="recipient")
    if not SHORTEST <= len(draft.body) <= LONGEST:
        said = f"an answer has {SHORTEST} to {LONGEST} characters"
        raise Refused(said, detail="length")
    if any(file.url is not None for file in draft.files):
        raise Refused("a letter takes files, not their addresses", detail="files")


def letter(thread: Thread, draft: Draft, mail: Mail, subject: str, now: datetime) -> Outgoing:
    """The letter that *draft* is, to the address of *thread*, with the buyer's words below it."""
    return Outgoing(
        message_id=replies.message_id(draft, mail.sender),
        sender=Address(mail.name, mail.sender),
        recipient=Address("", thread.reply_to["mail"]),
        subject=subject,
        text=replies.text(draft),
        at=now,
        files=replies.files(draft),
    )
