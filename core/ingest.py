"""From a page to rows: one transaction, whatever the page holds, in a handful of statements.

Lock before read, threads in order: account, stream, its judging, threads, messages, clocks. What
did not change is found without a lock and written nowhere. Clocks are recomputed from the thread,
never patched, so that late, doubled and disordered pages need no special case.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from core.arrival import (
    abreast,
    acknowledging,
    answers,
    computing,
    divide,
    hearing,
    judging,
    news,
    refusals,
    screening,
    speaking,
    stored,
)  # fmt: skip
from core.arrival.aside import keep, publish
from core.arrival.judging import Settled
from core.arrival.stored import Stored
from core.errors import StoreGaveUp, Unstorable
from core.stopwatch import running_from
from core.store import (
    Raced,
    accounts,
    clocks,
    links,
    messages,
    readings,
    refusing,
    streams,
    threads,
    transaction,
    unread,
    verdicts,
    wake,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from core.arrival.news import News
    from core.arrival.screening import Screened
    from core.model import Page, SetAside, Thread
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.buyers import Keys
    from core.store.clocks import Put
    from core.store.messages import StoredTurn
    from core.store.streams import Lease
    from core.store.threads import Locked

LEASE = timedelta(seconds=90)
SOON = timedelta(seconds=1)
TRIES = 10
BATCH = 200
PUSHED = "push"
"""The name under which is set aside what no stream brought."""


@dataclass(frozen=True, slots=True)
class _Case:
    """For whom, by which rules and when something is stored."""

    rules: Rules
    account: str
    monitored_since: datetime
    now: datetime
    sure: bool
    leased: bool = False
    keys: Keys | None = None

    @property
    def is_judged(self) -> bool:
        """Whether its marketplace says later what became of a reply."""
        return judging.is_judged(self.rules, self.account)

    @property
    def has_letters(self) -> bool:
        """Whether what is read of it are letters."""
        found = self.rules.accounts.get(self.account)
        return found is not None and found.letters


async def page(
    db: Db,
    rules: Rules,
    account: str,
    page: Page,
    now: datetime,
    lease: Lease | None,
    *,
    stream: str = PUSHED,
    sure: bool = True,
) -> Stored:
    """Store *page* and recompute the clocks that it moves, in the caller's transaction.

    *now* is when it was read, not before: a message is not older than its sight. *lease* is the
    one under which it was read, None for a push or a look; *stream* then says under which name
    something is set aside. What PostgreSQL refuses is set aside with the reason; its neighbours
    are stored. A page of a retired account is dropped.

    Raises:
        LeaseLost: another worker has the stream; nothing of this transaction may count.
    """
    if lease is not None:
        await streams.hold(db, lease, LEASE)
    watched = await accounts.watched(db, account, share=False)
    if watched is None:
        return Stored()
    leased = lease is not None
    case = _Case(rules, account, watched.since, now, sure, leased=leased, keys=watched.keys)
    page = divide.legible(page if case.is_judged else divide.undeclared(page))
    done = await _store(db, case, page)
    kept = (*page.set_aside, *done.aside, *await publish(db, account, page, now))
    if kept and lease is None:
        await accounts.watched_since(db, account, share=True)
    kept = await screening.unnamed(db, rules, account, kept)
    if page.pushes is not None:
        await hearing.told(db, rules, account, page.pushes, now)
    where = stream if lease is None else lease.stream
    fresh = await keep(db, rules, account, where, kept, now)
    return replace(done, aside=kept, set_aside=fresh)


async def pages(
    db: Db, rules: Rules, pages: Mapping[str, Page], now: datetime, *, sure: bool = True
) -> dict[str, Stored]:
    """As `page` of what was pushed, for several accounts at once; by account what became of it.

    In common statements as far as that goes. What of it does not, or has a fault, costs the others
    nothing but time: it is stored by itself.
    """
    done: dict[str, Stored] = {}
    with suppress(Raced, Unstorable):
        written = await abreast.store(db, rules, pages, now, sure=sure)
        if written.threads:
            await _wake(db, written.threads, written.next_alert_at, now)
        done.update(written.stored)
    for account in sorted(pages.keys() - done.keys()):
        done[account] = await page(db, rules, account, pages[account], now, None, sure=sure)
    return done


async def unchanged(db: Db, account: str, page: Page) -> Stored | None:
    """What *page* comes to where all that it says is stored; None where something is to be written.

    Looks without a lease, a lock or a transaction, as `page` does before it writes: what is found
    counts if the stream can then be given back under its fence, which moves with every claim and
    with the account's retirement.
    """
    if page.set_aside or page.published or page.pushes is not None:
        return None
    found = await news.look(db, account, divide.legible(page))
    return Stored(repeated=found.repeated) if found.is_nothing else None


async def recompute(
    db: Db,
    rules: Rules,
    account: str,
    ids: Collection[str],
    now: datetime,
    *,
    sure: bool = True,
) -> Put:
    """Recompute the clocks of threads whose turns the caller has changed in this transaction.

    The threads are locked here, before their turns are read; who changes a turn by itself holds
    its thread first (`core.arrival.judging.lock`).
    """
    since = await accounts.watched_since(db, account, share=True)
    if since is None:
        return clocks.Put()
    case, settled = _Case(rules, account, since, now, sure), Settled()
    locked: Mapping[str, Locked | Thread] = await judging.lock(db, rules, account, ids)
    if case.is_judged:
        near = await verdicts.near(db, account, ids)
        settled = await judging.settle(db, rules, account, near, now)
        locked = _only(locked, settled.threads.union(ids))
    put = await _recompute(db, case, locked, {})
    await refusals.tell(db, rules, account, settled.refused, now)
    return put


async def recompute_all(
    pool: Pool,
    rules: Rules,
    account: str,
    ids: Sequence[str],
    now: datetime,
    *,
    sure: bool = True,
    turned: Callable[[], None] | None = None,
) -> None:
    """Recompute threads of which no turn changed but a promise, the account or our own time did.

    In batches, each a transaction of its own: what a page changes meanwhile is not held up.
    *turned* is called after each.

    Raises:
        StoreUnavailable: the database went away; some are recomputed, and all may be again.
    """
    clock = running_from(now)
    for first in range(0, len(ids), BATCH):
        async with transaction(pool) as db:
            await recompute(db, rules, account, ids[first : first + BATCH], clock(), sure=sure)
        if turned is not None:
            turned()


async def _store(db: Db, case: _Case, page: Page) -> Stored:
    """Store *page*, or what can be stored of it: halved until the refused items stand alone."""
    try:
        return await _store_whole(db, case, page)
    except Unstorable as fault:
        parts = divide.halves(page)
        if parts is None:
            return Stored(aside=(divide.refused(page, str(fault)),))
    return await _store(db, case, parts[0]) + await _store(db, case, parts[1])


async def _store_whole(db: Db, case: _Case, page: Page) -> Stored:
    for _ in range(TRIES):
        found = await news.look(db, case.account, page)
        if found.is_nothing:
            return Stored(repeated=found.repeated)
        with suppress(Raced):
            async with db.transaction():
                return await _write(db, case, found)
    raise StoreGaveUp("messages keep moving between threads; the page is read again later")


async def _write(db: Db, case: _Case, found: News) -> Stored:
    """Write what is new, and recompute. A fault of the computing is no fault of the page."""
    if not case.leased:
        watched = await accounts.watched(db, case.account, share=True)
        if watched is None:
            return Stored()
        case = replace(case, keys=watched.keys)
    settled = Settled()
    if case.is_judged:
        await verdicts.hold(db, case.account)
    screen = await screening.screened(db, case.rules, case.account, found)
    screen = replace(screen, news=speaking.understood(case.rules, case.account, screen.news))
    with refusing():
        screen, locked = await _keep(db, case, screen)
        found = screen.news
        await screening.finish(db, case.rules, case.account, screen, case.now)
        aside = await _keep_links(db, case, found)
        if case.is_judged:
            settled = await judging.settle_page(
                db, case.rules, case.account, found, locked, case.now
            )
            locked = _only(locked, settled.threads | found.touched)
    fresh = computing.fresh(found, case.now, settled.threads | screen.emptied)
    put = await _recompute(db, case, locked, fresh)
    await refusals.tell(db, case.rules, case.account, settled.refused, case.now)
    await answers.count(db, case.account, found, case.monitored_since, case.now)
    became = await acknowledging.acknowledge(
        db, case.rules, case.account, found.added, case.monitored_since, case.now, sure=case.sure
    )
    counted = stored.counted(found, put, case.monitored_since, case.now)
    return replace(counted, aside=aside, acknowledged=became)


async def _keep_links(db: Db, case: _Case, found: News) -> tuple[SetAside, ...]:
    """Keep the links of stored messages; what is told of one that could not be is set aside."""
    if not found.links:
        return ()
    lost = await links.keep(db, case.account, found.links, case.now)
    return tuple(divide.lost_link(message, "its message is not stored") for message in lost)


async def _keep(
    db: Db, case: _Case, screen: Screened
) -> tuple[Screened, Mapping[str, Locked | Thread]]:
    """Write threads, messages and readings; what of *screen* is still news, and its threads.

    What we have written ourselves is ours until the transaction ends: it needs no lock. What is to
    be judged with it is locked too.
    """
    account, found = case.account, screen.news
    await threads.add(db, account, found.opened, case.keys)
    await threads.add_bare(db, account, found.bare)
    opened = {thread.id: thread for thread in found.opened}
    reached = await judging.reach(db, account, found, case.now) if case.is_judged else frozenset()
    known = (found.touched | reached) - opened.keys()
    locked = await threads.lock(db, account, known) if known else {}
    screen = replace(screen, news=await news.confirm(db, account, found))
    screen = screening.emptied(screen, locked)
    found = screen.news
    if found.restated:
        await threads.change(db, account, found.restated, case.keys)
        locked = await threads.lock(db, account, known)
    await messages.add(db, account, found.new.values(), case.now)
    if found.changed:
        await messages.change(db, account, found.changed.values(), letters=case.has_letters)
    written = [message for _, _, _, message in (*found.new.values(), *found.changed.values())]
    await messages.keep_raw(db, account, written, case.now)
    if found.readings:
        await readings.add(db, account, found.readings)
    return screen, {**opened, **locked}


def _only(
    locked: Mapping[str, Locked | Thread], ids: Collection[str]
) -> dict[str, Locked | Thread]:
    return {id_: thread for id_, thread in locked.items() if id_ in ids}


async def _recompute(
    db: Db,
    case: _Case,
    locked: Mapping[str, Locked | Thread],
    fresh: Mapping[str, Sequence[StoredTurn]],
) -> Put:
    known = [id_ for id_ in locked if id_ not in fresh]
    turns = {**fresh, **await messages.turns(db, case.account, known)} if known else fresh
    given = await unread.given(db, case.account, known, turns) if known else {}
    computed = computing.computed(case.rules, case.account, locked, turns, given)
    put = await clocks.put(
        db,
        case.rules,
        case.account,
        computed,
        case.now,
        known=known,
        monitored_since=case.monitored_since,
        sure=case.sure,
    )
    if locked:
        await _wake(db, {case.account: locked.keys()}, put.next_alert_at, case.now)
    return put


async def _wake(
    db: Db, threads: Mapping[str, Collection[str]], next_alert_at: datetime | None, now: datetime
) -> None:
    """Have open boards show *threads* as they are now.

    And wake the watcher where a step is to be told before he would look by himself.
    """
    is_soon = next_alert_at is not None and next_alert_at < now + SOON
    await wake.changed(db, threads, *(("watch",) if is_soon else ()))
