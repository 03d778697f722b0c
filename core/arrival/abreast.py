"""Pages of several accounts side by side: what each would ask of the database is asked for all.

For what comes often and holds little, as pushes do: messages and threads, and nothing else. The
order of locks is that of a page, by kinds: all accounts, then all threads, then all clocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.arrival import (
    acknowledging,
    answers,
    computing,
    judging,
    news,
    recalling,
    speaking,
    stored,
)  # fmt: skip
from core.arrival.stored import Stored
from core.store import Raced, accounts, clocks, messages, refusing, threads, unread
from core.store.clocks import Wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from core.arrival.news import News
    from core.model import Page, Thread
    from core.rules import Rules
    from core.store import Db
    from core.store.accounts import Watched
    from core.store.clocks import Put
    from core.store.threads import Locked


@dataclass(frozen=True, slots=True)
class Written:
    """What was *stored*, by account; *next_alert_at* is the earliest step of it to be told.

    *threads* are by account those that something was written of.
    """

    stored: Mapping[str, Stored]
    next_alert_at: datetime | None = None
    threads: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Case:
    """What is news of each account, and how that is monitored."""

    rules: Rules
    found: Mapping[str, News]
    watched: Mapping[str, Watched]
    now: datetime
    sure: bool


async def store(
    db: Db, rules: Rules, pages: Mapping[str, Page], now: datetime, *, sure: bool
) -> Written:
    """Store what of *pages* can be stored in common; whatever it leaves out is for `ingest.page`.

    All of it, or nothing: a fault of one ends it for all, in a savepoint of its own.

    Raises:
        Raced: another transaction was first with something of it.
        Unstorable: PostgreSQL refuses something of it.
    """
    plain = {account: page for account, page in pages.items() if _is_plain(rules, account, page)}
    watched = await accounts.all_watched(db, plain) if plain else {}
    if not watched:
        return Written({})
    found = await news.look_all(db, {account: plain[account] for account in sorted(watched)})
    done = {a: Stored(repeated=one.repeated) for a, one in found.items() if one.is_nothing}
    new = {a: one for a, one in found.items() if a not in done and _is_simple(one)}
    erased = await recalling.named(db, rules, new)
    new = {
        account: speaking.understood(rules, account, one)
        for account, one in new.items()
        if account not in erased
    }
    if not new:
        return Written(done)
    async with db.transaction():
        put = await _write(db, _Case(rules, new, watched, now, sure))
        for account, one in sorted(new.items()):
            await answers.count(db, account, one, watched[account].since, now)
        became = {
            a: await acknowledging.acknowledge(
                db, rules, a, new[a].added, watched[a].since, now, sure=sure
            )
            for a in new
        }
    steps = [one.next_alert_at for one in put.values() if one.next_alert_at is not None]
    told = {
        a: replace(stored.counted(new[a], put[a], watched[a].since, now), acknowledged=became[a])
        for a in new
    }
    touched = {account: one.touched for account, one in new.items()}
    return Written({**done, **told}, min(steps, default=None), touched)


def _is_plain(rules: Rules, account: str, page: Page) -> bool:
    """Whether *page* holds nothing but messages and threads, and is stored without judging."""
    more = page.given or page.set_aside or page.published or page.verdicts or page.links
    return not (more or page.pushes is not None or judging.is_judged(rules, account))


def _is_simple(found: News) -> bool:
    """Whether it is of messages unknown so far, in threads unknown or unchanged."""
    return not (found.changed or found.restated or found.bare)


async def _write(db: Db, case: _Case) -> dict[str, Put]:
    found, now = case.found, case.now
    with refusing():
        opened = {account: one.opened for account, one in found.items()}
        await threads.add_all(db, opened, {a: case.watched[a].keys for a in opened})
        locked = await _locked(db, found)
        told = {account: one.new.values() for account, one in found.items()}
        await messages.add_all(db, told, now)
        for account, of in told.items():
            await messages.keep_raw(db, account, [message for *_, message in of], now)
    return await _recompute(db, case, locked)


async def _locked(db: Db, found: Mapping[str, News]) -> dict[str, dict[str, Locked | Thread]]:
    """The threads of *found*: those that were stored before are locked.

    Raises:
        Raced: the buyer of one was erased, so that it is to be looked at more closely.
    """
    all_: dict[str, dict[str, Locked | Thread]] = {}
    for account, one in found.items():
        opened = {thread.id: thread for thread in one.opened}
        known = one.touched - opened.keys()
        locked = await threads.lock(db, account, known) if known else {}
        if any(thread.erased_at is not None for thread in locked.values()):
            raise Raced
        all_[account] = {**opened, **locked}
    return all_


async def _recompute(
    db: Db, case: _Case, locked: Mapping[str, Mapping[str, Locked | Thread]]
) -> dict[str, Put]:
    wanted = {}
    for account, of in locked.items():
        turns = computing.fresh(case.found[account], case.now)
        known = [id_ for id_ in of if id_ not in turns]
        turns |= await messages.turns(db, account, known) if known else {}
        given = await unread.given(db, account, known, turns) if known else {}
        computed = computing.computed(case.rules, account, of, turns, given)
        wanted[account] = Wanted(computed, known, case.watched[account].since)
    return await clocks.put_all(db, case.rules, wanted, case.now, sure=case.sure)
