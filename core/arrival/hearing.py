"""Whether pushes arrive: their silence is told once, and its end.

Polling goes on whatever pushes do, and a silent push connection costs nothing but time. So it is
told only when walks have again and again found what no push had brought, or when the marketplace
itself says that it sends none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import keys
from core.model import Notice, NoticeKind
from core.store import notices, pushes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from core.model import PushTrouble
    from core.rules import Rules
    from core.store import Db
    from core.store.pushes import Pushing

AGAIN_AND_AGAIN = 3
"""So many walks in a row, with no push between them: one finds what came while we did not run."""


async def heard(db: Db, rules: Rules, accounts: Collection[str], now: datetime) -> None:
    """Pushes about *accounts* were stored, in the caller's transaction."""
    await _settle(db, rules, await pushes.heard(db, accounts, now), now)


async def missed(db: Db, rules: Rules, account: str, now: datetime) -> None:
    """A walk found a buyer's message that a push should have brought."""
    await _settle(db, rules, [await pushes.missed(db, account, now)], now)


async def told(
    db: Db, rules: Rules, account: str, troubles: Sequence[PushTrouble], now: datetime
) -> None:
    """The marketplace said why none can arrive; nothing: all is as it should be."""
    await _settle(db, rules, [await pushes.told(db, account, troubles)], now)


def is_silent(one: Pushing) -> bool:
    """Whether pushes about the account do not arrive, as far as anybody can know."""
    return bool(one.troubles) or one.missed >= AGAIN_AND_AGAIN


async def _settle(db: Db, rules: Rules, all_: Iterable[Pushing], now: datetime) -> None:
    """Tell what changed since it was told last."""
    changed = [one for one in all_ if is_silent(one) is (one.silent_since is None)]
    for one in changed:
        await pushes.silent(db, one.account, now if is_silent(one) else None)
    await notices.raise_(db, rules, [_notice(one, now) for one in changed])


def _notice(one: Pushing, now: datetime) -> Notice:
    """That they are silent, or that they are back: its key is of the silence either way."""
    account = one.account
    if one.silent_since is not None:
        key = keys.account(account, NoticeKind.PUSH_HEARD, one.silent_since)
        facts = (("since", one.silent_since.isoformat()),)
        return Notice(key, NoticeKind.PUSH_HEARD, account, now, facts=facts)
    since = (one.missed_since or now).isoformat()
    why = (("since", since), ("trouble", ", ".join(one.troubles)))
    key = keys.account(account, NoticeKind.PUSH_SILENT, now)
    return Notice(key, NoticeKind.PUSH_SILENT, account, now, facts=why)
