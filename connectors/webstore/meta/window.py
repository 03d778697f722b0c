"""The time in which Meta lets a business answer: it begins anew with each message of the person.

Pure. A window that shuts by itself is a contract; how soon we want to answer is a goal of ours.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from core.said import phrase
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind
from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.connector import Capabilities
    from core.model import Thread

ASKED_AT = "asked_at"
"""Where a thread keeps when the person wrote last, in seconds since 1970."""

FAINT = datetime(2000, 1, 1, tzinfo=UTC)
"""As of when a thread is told by what does not ask: it gives way to any other state of it."""

LEAD = timedelta(hours=1)
"""A stamp further ahead than this is none: it would freeze what it dates for ever."""

DAY, WEEK, HOUR = timedelta(hours=24), timedelta(days=7), timedelta(hours=1)
CHECKED, REVIEW = date(2026, 11, 22), date(2027, 5, 22)

_WHOM = phrase("there is only the buyer in such a chat")


def contract(kind: str, within: timedelta, source: str) -> Policy:
    """The window of *kind*: who does not answer *within* it can no longer."""
    return Policy(
        name=f"webstore-{kind}-window",
        version=1,
        role="contract",
        applies_to=frozenset({ThreadKind.CHAT}),
        waits_for=frozenset({Party.BUYER}),
        reply_within=within,
        calendar=Calendar.always(),
        counts_from="latest",
        source=source,
        checked_on=CHECKED,
        review_after=REVIEW,
    )


def goal(kind: str) -> Policy:
    """Our own: an answer within the hour."""
    return Policy(
        name=f"webstore-{kind}-reply",
        version=1,
        role="goal",
        applies_to=frozenset({ThreadKind.CHAT}),
        waits_for=frozenset({Party.BUYER}),
        reply_within=HOUR,
        calendar=Calendar.always(),
        source="our own: who writes in a chat looks at it again within the hour",
        checked_on=CHECKED,
    )


def dated(at: datetime | None, now: datetime) -> datetime | None:
    """*at*, where it can be: neither long before Meta was, nor ahead of *now*."""
    return at if at is not None and FAINT < at <= now + LEAD else None


def kept(asked_at: datetime | None) -> dict[str, str]:
    """What a thread keeps of *asked_at*, an instant of the person's message."""
    return {} if asked_at is None else {ASKED_AT: str(int(asked_at.timestamp()))}


def ends_at(thread: Thread, within: timedelta) -> datetime | None:
    """When the window of *thread* shuts, as far as we know; None: we do not."""
    asked = thread.reply_to.get(ASKED_AT, "")
    if not asked.isdigit():
        return None
    return datetime.fromtimestamp(int(asked), UTC) + within


def narrows(can: Capabilities, thread: Thread) -> Capabilities:
    """What a reply in *thread* may be: while its window is open, as far as we know."""
    return can if can.window is None else replace(can, until=ends_at(thread, can.window))


def lapsed(thread: Thread, within: timedelta, now: datetime) -> datetime | None:
    """When the window has shut; None while it is open, or where we do not know."""
    at = ends_at(thread, within)
    return at if at is not None and now > at else None


def told(at: datetime, instead: str) -> str:
    """Why nothing leaves after *at*; *instead* is what may be done."""
    return f"the time to answer ended at {in_utc(at)}; {instead}"


def only_the_buyer(to: Collection[Party]) -> str | None:
    """Why *to* cannot be written to in a chat of two."""
    return None if set(to) == {Party.BUYER} else _WHOM
