"""What could not be read or stored is kept, and a person is told: once an hour and account."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from core import keys
from core.arrival import divide
from core.errors import Unstorable
from core.model import Notice, NoticeKind, SetAside
from core.store import legible, notices, published, refusing, setaside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.model import Page
    from core.rules import Rules
    from core.store import Db

CUT = 200


async def keep(
    db: Db, rules: Rules, account: str, stream: str, items: Sequence[SetAside], now: datetime
) -> int:
    """Set *items* of a stream aside.

    Returns:
        How many were not set aside before; of these those are told that are not quiet.
    """
    loud = [item for item in items if not item.quiet]
    quiet = await setaside.add(db, account, stream, [i for i in items if i.quiet], now)
    fresh = await setaside.add(db, account, stream, loud, now)
    if fresh:
        kind = NoticeKind.PAYLOAD_SET_ASIDE
        key = keys.account(account, kind, now.replace(minute=0, second=0, microsecond=0))
        facts = (("stream", stream), *_reasons(fresh), ("n", len(fresh)))
        await notices.raise_(db, rules, [Notice(key, kind, account, now, facts=facts)])
    return len(quiet) + len(fresh)


def _reasons(fresh: Sequence[str]) -> tuple[tuple[str, str | int], ...]:
    """The reason that most of them have, and how many others there are, where there are any."""
    counted = Counter(fresh)
    most = ("reason", legible(counted.most_common(1)[0][0], CUT))
    return (most, ("others", len(counted) - 1)) if len(counted) > 1 else (most,)


async def publish(db: Db, account: str, page: Page, now: datetime) -> tuple[SetAside, ...]:
    """Keep the marketplace's own numbers; what of them is refused is to be set aside."""
    if not page.published:
        return ()
    try:
        with refusing():
            async with db.transaction():
                await published.add(db, account, page.published, now)
    except Unstorable as fault:
        told = repr(page.published).encode("utf-8", "replace")
        return (SetAside("published", f"{divide.UNSTORABLE}: {fault}", told),)
    return ()
