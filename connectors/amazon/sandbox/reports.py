"""Delivery reports (RFC 3464) by the shop's own mail server: a letter failed, or is late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.amazon.sandbox.composing import Letter
from core.sandbox import mail_writing
from core.sandbox.mail_writing import Failure

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from connectors.amazon.sandbox.composing import Kind

__all__ = ["BY_FATE", "LATE", "Failure", "report"]

DEAD = Failure("failed", "5.1.1", "550 5.1.1 recipient address unknown")
UNAPPROVED = Failure("failed", "5.7.1", "550 5.7.1 sender is not approved to write to buyers")
TOO_LARGE = Failure("failed", "5.3.4", "552 5.3.4 attachments are larger than 10 MB")
BY_FATE = {"dead": DEAD, "unapproved": UNAPPROVED, "too_large": TOO_LARGE}
LATE = Failure("delayed", "4.4.1", "451 4.4.1 no answer from the host, trying again")


def report(
    failure: Failure, server: str, mailbox: str, recipient: str, raw: bytes, at: datetime,
    random: Random,
) -> Letter:  # fmt: skip
    """The report on the letter *raw* to *recipient*; of the letter it holds the headers alone."""
    message_id = f"{random.getrandbits(64):016x}@{server}"
    told = mail_writing.report(failure, server, mailbox, recipient, raw, at, message_id)
    kind: Kind = "bounce" if failure.action == "failed" else "delay"
    return Letter(kind, message_id, at, told, server, is_checked=False)
