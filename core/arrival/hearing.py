"""Whether pushes arrive: their silence is told once, each trouble found in it, and its end.

Where polling goes on whatever pushes do, a silent push connection costs nothing but time: it is
told when walks have again and again found what no push had brought, or when the marketplace itself
says that it sends none. Where nothing can be polled the silence itself is all there is to see: it
is told when it lasts beyond what is usual (`core.arrival.rhythm`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import keys
from core.arrival import rhythm
from core.model import Notice, NoticeKind
from core.store import heartbeats, notices, pushes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from core.model import PushTrouble
    from core.rules import Rules
    from core.store import Db
    from core.store.pushes import Pushing

    Facts = tuple[tuple[str, str | float | bool | None], ...]

AGAIN_AND_AGAIN = 3
"""So many walks in a row, with no push between them: one finds what came while we did not run."""


async def heard(
    db: Db, rules: Rules, accounts: Collection[str], now: datetime, *, sure: bool = True
) -> None:
    """Pushes about *accounts* were stored, in the caller's transaction.

    Without *sure* (the host's clock is not believed) nobody knows when.
    """
    all_ = await pushes.heard(db, accounts, now)
    slot = rhythm.floor(now)
    if sure and (fresh := [one.account for one in all_ if _slot(one.before) != slot]):
        await heartbeats.mark(db, fresh, rhythm.floor(now, rhythm.HOUR), rhythm.bit(now))
    await _settle(db, rules, all_, now)


def _slot(at: datetime | None) -> datetime | None:
    """The slot that was marked when the push at *at* was stored: once is enough."""
    return None if at is None else rhythm.floor(at)


async def quiet(
    db: Db,
    rules: Rules,
    account: str,
    last_at: datetime | None,
    since: datetime,
    facts: Facts,
    now: datetime,
) -> None:
    """Nothing was pushed *since* then, which is too long; *last_at* is the last that is known."""
    one = await pushes.quiet(db, account, since, last_at)
    await _settle(db, rules, [one] if one else [], now, facts)


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
    return bool(one.troubles) or one.missed >= AGAIN_AND_AGAIN or one.quiet_since is not None


async def _settle(
    db: Db, rules: Rules, all_: Iterable[Pushing], now: datetime, facts: Facts = ()
) -> None:
    """Tell what changed since it was told last: a silence, its end, or why it is one."""
    found = list[Notice]()
    for one in all_:
        if is_silent(one) is (one.silent_since is None):
            since = (one.quiet_since or now) if is_silent(one) else None
            await pushes.silent(db, one.account, since)
            found.append(_notice(one, rules, now, facts))
        elif one.silent_since is not None and one.fresh:
            found.append(_troubled(one, rules, now))
    await notices.raise_(db, rules, found)


def _notice(one: Pushing, rules: Rules, now: datetime, facts: Facts) -> Notice:
    """That they are silent, or that they are back: its key is of the silence either way.

    Back is what came. Where nothing did, the marketplace has taken back what it told, and that is
    all that is known.
    """
    where = _where(one, rules)
    if one.silent_since is not None:
        key = keys.account(one.account, NoticeKind.PUSH_HEARD, one.silent_since)
        over: Facts = (("trouble", ", ".join(one.was)),) if one.was else ()
        heard: Facts = (("since", one.silent_since.isoformat()), *over, *where)
        return Notice(key, NoticeKind.PUSH_HEARD, one.account, now, facts=heard)
    key = _key(one, one.quiet_since or now)
    why = _why(one, one.quiet_since or one.missed_since or now)
    return Notice(key, NoticeKind.PUSH_SILENT, one.account, now, facts=(*why, *where, *facts))


def _troubled(one: Pushing, rules: Rules, now: datetime) -> Notice:
    """What the marketplace has against it since a silence is told, which is to be mended there.

    Once in a silence, however often it comes and goes.
    """
    since = one.silent_since or now
    facts = (*_why(one, since), *_where(one, rules))
    return Notice(_key(one, since), NoticeKind.PUSH_SILENT, one.account, now, facts=facts)


def _key(one: Pushing, since: datetime) -> str:
    """Of the silence, and of the troubles: whoever is told the same meanwhile tells nothing new."""
    if one.fresh:
        return keys.troubled(one.account, NoticeKind.PUSH_SILENT, since, one.fresh)
    return keys.account(one.account, NoticeKind.PUSH_SILENT, since)


def _why(one: Pushing, since: datetime) -> Facts:
    return ("since", since.isoformat()), ("trouble", ", ".join(one.troubles))


def _where(one: Pushing, rules: Rules) -> Facts:
    known = rules.accounts.get(one.account)
    return () if known is None or known.polled else (("polled", False),)
