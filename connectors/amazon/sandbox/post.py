"""Amazon's letters on their way: the mailbox's server writes above each what it found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from connectors.amazon.sandbox import composing
from core.sandbox import mail_post
from core.sandbox.mail_post import INBOX, JUNK, SENT

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.amazon.sandbox.composing import Letter, Mailbox

__all__ = ["INBOX", "JUNK", "SENT", "Post"]


class Post(mail_post.Post):
    """What has not arrived yet, and where lies what has."""

    __slots__ = ()

    def put(self, letter: Letter, mailbox: Mailbox, at: datetime, folder: str = INBOX) -> None:
        """Let *letter* arrive *at*."""

        def kept(_: datetime) -> bytes:
            return letter.raw

        arrived = kept if folder == SENT else partial(composing.arrived, letter, mailbox)
        self.send(mailbox.user, letter.message_id, arrived, at, folder)
