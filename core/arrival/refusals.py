"""A reply that was written here and is refused: whoever waits still waits, and is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import keys
from core.arrival import recalling
from core.model import Notice, NoticeKind
from core.store import clocks, enclosures, notices, replies, traces
from core.told import NAMES_ERASED

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.model import ClockRow
    from core.rules import Rules
    from core.store import Db
    from core.store.replies import Reply

LATER = "refused"
"""The reason where the marketplace said so later and elsewhere."""


async def tell(
    db: Db, rules: Rules, account: str, messages: Collection[str], now: datetime
) -> None:
    """Tell that replies, by their *messages*, were refused; their clocks are recomputed.

    Under the key with which a clock that one of them had ended tells it: once. Of what nobody wrote
    nobody is told: it had answered nothing.
    """
    if not messages:
        return
    found = await replies.of_messages(db, account, messages)
    written = [each for each in found if not each.automatic]
    told = [await notice(db, each, each.message_id or "", LATER, now) for each in written]
    await notices.raise_(db, rules, told)


async def keep_back(db: Db, rules: Rules, reply: Reply, now: datetime) -> bool:
    """Refuse *reply*, which is about to leave, if it names somebody who is to be erased.

    Not if it was written after that was asked. The caller shares its account, for which whoever
    erases waits, and holds its thread.

    Returns:
        Whether it does not leave.
    """
    files = await enclosures.of(db, reply.id)
    texts = [reply.body, *(text for one in files for text in (one.name, one.url or ""))]
    asked = await recalling.of_texts(db, rules, reply.account, texts)
    names = asked.names(reply.queued_at).in_sentences
    if not any(names.named(text) for text in texts):
        return False
    own = f"reply:{reply.id}"
    await traces.rewrite_replies(db, reply.account, [reply.id], names.without, now)
    await traces.rewrite_messages(db, reply.account, [own], names.without, names.without)
    await replies.refuse(db, reply, NAMES_ERASED, now)
    await enclosures.drop(db, reply.id)
    await notices.raise_(db, rules, [await notice(db, reply, own, NAMES_ERASED, now)])
    return True


async def notice(db: Db, reply: Reply, message: str, reason: str, now: datetime) -> Notice:
    """What is told of *reply*, which is *message*: for which clock, and why (a closed word)."""
    clock = await most_urgent(db, reply)
    return Notice(
        key=keys.refused(clock.id if clock and clock.id else 0, message),
        kind=NoticeKind.REPLY_REFUSED,
        account=reply.account,
        raised_at=now,
        thread=reply.thread,
        clock=clock.id if clock else None,
        due_at=clock.clock.due_at if clock else None,
        facts=(
            ("promise", clock.clock.promise if clock else None),
            ("reason", reason),
            ("waits_for", clock.clock.waits_for if clock else min(reply.to)),
        ),
    )


async def most_urgent(db: Db, reply: Reply) -> ClockRow | None:
    """The running clock due first of those whose party *reply* was addressed to."""
    rows = await clocks.of_thread(db, reply.account, reply.thread)
    told = [row for row in rows if row.clock.waits_for in reply.to and row.clock.steps]
    running = [row for row in told if row.clock.ended is None]
    return min(running, key=lambda row: row.clock.due_at, default=None)
