"""What becomes of dispatches that are given up: they are parked, and the fallback is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import keys
from core.model import Notice, NoticeKind
from core.store import dispatches, notices, transaction

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from core.model import Dispatch
    from core.rules import Rules
    from core.store import Db, Pool


async def abandon(pool: Pool, names: Collection[str], rules: Rules, now: datetime) -> int:
    """Park what is meant for notifiers that are none of *names*, and tell the fallback; how many.

    To be called once at the start: what left the settings would wait for ever.
    """
    async with transaction(pool) as db:
        gone = await dispatches.park_gone(db, names)
        for dispatch in gone:
            await tell(db, rules, dispatch.notifier, [dispatch], "notifier_gone", now)
    return len(gone)


async def tell(
    db: Db, rules: Rules, notifier: str, part: Sequence[Dispatch], reason: str, now: datetime
) -> None:
    """Tell the fallback, by other ways if it has any; nothing is told of a parked notice."""
    part = [each for each in part if each.notice.kind is not NoticeKind.PARKED]
    if not part:
        return
    notice = _parked(part, notifier, reason, now)
    fallback = rules.routing.fallback(notices.subject(notice), now)
    others = tuple(aim for aim in fallback if aim.notifier != notifier)
    await notices.raise_to(db, [notice], lambda _: others or fallback)


def _parked(part: Sequence[Dispatch], notifier: str, reason: str, now: datetime) -> Notice:
    first = part[0].notice
    kind = NoticeKind.DIGEST if keys.is_digest(part[0].digest) else first.kind
    return Notice(
        key=keys.parked(min(dispatches.numbers(part)), notifier),
        kind=NoticeKind.PARKED,
        account=first.account,
        raised_at=now,
        thread=first.thread,
        due_at=first.due_at,
        facts=(("kind", kind.value), ("notifier", notifier), ("reason", reason)),
    )
