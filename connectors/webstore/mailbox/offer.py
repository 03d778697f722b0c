"""What a mailbox offers: light, for it is imported wherever the settings are read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from core.connector import Capabilities
from core.model import Stream
from core.options import FLOOR
from core.transport.login import is_loopback
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

if TYPE_CHECKING:
    from connectors.webstore.mailbox.options import MailboxOptions

MAIL = "mail"

SHORTEST = 1
"""How many characters an answer has at least; mail has no most."""

MOST_ENCLOSED = 10 * 10**6
"""How many bytes of files an answer takes along: many servers refuse a letter of more than 20 MB,
and files grow by a third on the way."""

MESSAGE = Policy(
    name="webstore-mailbox-message",
    version=1,
    role="goal",
    applies_to=frozenset({ThreadKind.MESSAGE}),
    waits_for=frozenset({Party.BUYER}),
    reply_within=timedelta(hours=24),
    calendar=Calendar.always(),
    source="our own: who writes by mail or contact form expects an answer within a day",
    checked_on=date(2026, 11, 22),
    review_after=date(2027, 11, 22),
)


def goals(_: MailboxOptions) -> tuple[Policy, ...]:
    """Our own promise: nobody outside makes one for a shop's mailbox."""
    return (MESSAGE,)


def streams(options: MailboxOptions) -> tuple[Stream, ...]:
    """One for all folders, for a thread's letters lie in several and one memory joins them.

    Each page moves the cursor: what was read of a folder is read whatever becomes of the walk.
    """
    floor = timedelta(seconds=1) if is_loopback(options.imap.host) else FLOOR
    kinds = frozenset({ThreadKind.MESSAGE})
    return (Stream(MAIL, options.poll_every, ascending=True, floor=floor, kinds=kinds),)


def can(options: MailboxOptions) -> Capabilities:
    """What a mailbox offers beyond reading.

    Answers given elsewhere are seen where a copy lies in the folder of sent letters: not those by
    telephone, and not those that a colleague's own mailbox keeps.
    """
    return Capabilities(
        replies=True,
        waits=True,
        sees_replies="copies",
        shortest_reply=SHORTEST,
        most_enclosed=MOST_ENCLOSED,
        verdicts=True,
        letters=True,
        confirmed_after=options.confirmed_after,
        labels_automatic=True,
    )
