"""How promises were kept, counted from the clocks as they are now known."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from sla import contract as contracts
from sla.contract import Counts, Judged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from asyncpg import Record

    from core.measuring.contracts import Number
    from core.store import Db
    from sla.contract import Standing, Window
    from sla.policy import Contract, Policy

    Found = dict[tuple[int, str], Counts]

BATCH = 5_000
"""So many rows are held at once where a calendar has to say how long each took."""

# `sla.contract.count` says the same of one promise; a superseded clock has no steps. What
# `offset 0` keeps apart finds the fate of a clock once, and not for each of the counts.
COUNTS = """
    select n, account,
           count(*) filter (where fate = 'met') as met,
           count(*) filter (where fate = 'missed') as missed,
           count(*) filter (where fate = 'running') as running,
           count(*) filter (where replied and timed) as replied,
           sum(stopped_at - started_at) filter (where replied and timed) as reply_time,
           min(started_at) filter (where fate = 'missed') as oldest_missed
    from (
        select w.n, w.timed, c.account, c.started_at, c.stopped_at, c.replied,
               case when c.ended is null and c.allowed_until < $6 then 'missed'
                    when c.ended is null then 'running'
                    when c.stopped_at <= c.allowed_until and (c.ended = 'met' or c.replied)
                    then 'met'
                    else 'missed'
               end as fate
        from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::interval[], $5::bool[])
             with ordinality as w (promise, begins, ends, within, timed, n)
        cross join lateral (
            select account, started_at, stopped_at, ended,
                   coalesce(started_at + w.within, due_at) as allowed_until,
                   ended in ('met', 'late') and reason is null and stopped_by is not null as replied
            from clock
            where promise = w.promise and started_at >= w.begins and started_at < w.ends
              and not history and steps <> '{}' and ended is distinct from 'void'
              and ($7::text[] is null or account = any($7))
        ) c
        offset 0
    ) judged
    group by n, account
"""
ROWS = """
    select account, started_at, due_at, stopped_at, ended,
           coalesce(ended in ('met', 'late'), false) and reason is null and stopped_by is not null
               as replied
    from clock
    where promise = $1 and started_at >= $2 and started_at < $3
      and not history and steps <> '{}' and ended is distinct from 'void'
      and ($4::text[] is null or account = any($4))
    order by account
"""
# What a clock is late by is real time, of given deadlines too. Of a thread its latest clock stands.
WORST = """
    select l.account, l.thread, array_agg(l.promise order by late_by desc, l.id) as promises,
           max(late_by) as late_by, (array_agg(l.due_at order by late_by desc, l.id))[1] as due_at,
           (array_agg(l.stopped_at order by late_by desc, l.id))[1] as stopped_at,
           bool_or(l.flags @> '{unseen_in_time}') as is_unseen, min(t.url) as url
    from (
        select id, account, thread, promise, due_at, stopped_at, flags,
               coalesce(stopped_at, $3) - due_at as late_by
        from clock
        where account = any($1) and started_at >= $2 and started_at < $3
          and ($4::text[] is null or promise = any($4))
          and not history and steps <> '{}' and (ended = 'late' or ended is null and due_at < $3)
    ) l
    left join thread t on t.account = l.account and t.id = l.thread
    group by l.account, l.thread
    order by max(late_by) desc, l.account, l.thread
    limit $5
"""
# What a person said was answered elsewhere, and ended a clock: a copy confirms it, or an answer
# that was read in the thread within a day of it.
UNCONFIRMED = """
    select distinct c.account, c.thread, m.sent_at as said, m.seen_at, t.url
    from clock c
    join message m on m.account = c.account and m.id = c.stopped_by
    left join thread t on t.account = c.account and t.id = c.thread
    where c.account = any($1) and c.started_at >= $2 and c.started_at < $3
      and ($4::text[] is null or c.promise = any($4))
      and not c.history and c.steps <> '{}' and c.stopped_by like 'answered:%'
      and m.kind = 'answered_elsewhere' and m.judged is distinct from 'confirmed'
      and not exists (
          select from message o
          where o.account = c.account and o.thread = c.thread and o.party = 'seller'
            and o.kind = 'message' and coalesce(o.judged, o.delivery) = 'confirmed'
            and o.sent_at between m.sent_at - interval '1 day' and m.sent_at + interval '1 day'
      )
    order by m.sent_at, c.account, c.thread
"""
# Of the clocks that count, and of those that an agent's mark keeps outside: what each shows that a
# marketplace may have seen otherwise.
CAUSES = """
    select count(*) filter (where counts and flags @> '{unseen_in_time}') as unseen_message,
           count(*) filter (where counts and (refused or unheard)) as reply_not_accepted,
           count(*) filter (where counts and automatic) as automatic_reply,
           count(*) filter (where counts and flags && '{since_differs,start_uncertain}')
               as other_start,
           count(*) filter (where not counts) as no_reply_needed
    from (
        select c.flags, c.ended is distinct from 'void' as counts,
               coalesce(bool_or(m.judged = 'refused' or m.delivery = 'refused'), false) as refused,
               coalesce(bool_or(m.id = c.stopped_by and coalesce(
                   m.judged, case when m.silent then 'confirmed' end, m.delivery
               ) <> 'confirmed'), false) as unheard,
               coalesce(bool_or(coalesce(m.kind_corrected, m.kind) = 'automatic'), false)
                   as automatic
        from clock c
        left join message m on m.account = c.account and m.thread = c.thread
          and coalesce(m.party_corrected, m.party) = 'seller'
          and coalesce(m.sent_at, m.seen_at) >= c.started_at
          and coalesce(m.sent_at, m.seen_at) <= coalesce(c.stopped_at, $5)
        where c.account = $1 and c.promise = $2 and c.started_at >= $3 and c.started_at < $4
          and not c.history and c.steps <> '{}'
          and (c.ended is distinct from 'void' or c.reason in ('decided', 'marked'))
        group by c.id
    ) looked_at
"""
NOTHING = Counts()
ANY = "select exists (select from clock where account = any($1))"


class Asked(NamedTuple):
    """A question: how the clocks of *policy* stand by *contract* in a *window*."""

    policy: Policy
    contract: Contract
    window: Window


class Late(NamedTuple):
    """A thread that was answered late, or still waits past a deadline: nothing of a buyer.

    *promises* are those that are late there, the one that is so by most first: *late_by*, *due_at*
    and *stopped_at* (None while it runs) are of that. *is_unseen*: it was first seen too late.
    """

    account: str
    thread: str
    promises: Sequence[str]
    late_by: timedelta
    due_at: datetime
    stopped_at: datetime | None
    is_unseen: bool
    url: str | None


class Unconfirmed(NamedTuple):
    """An answer of which a person says that it was given elsewhere *at*; *said_at*: when."""

    account: str
    thread: str
    at: datetime
    said_at: datetime
    url: str | None


class Chosen(NamedTuple):
    """Clocks of *accounts* that started in *window*, of these *promises*; None: of all."""

    accounts: Sequence[str]
    window: Window
    promises: Sequence[str] | None = None


async def counts(
    db: Db, asked: Sequence[Asked], at: datetime, accounts: Collection[str] | None = None
) -> Found:
    """What the clocks come to, by the number of the question and by account; left out: nothing.

    Of *accounts*, or of all. Where a contract counts time on a calendar that is not round the
    clock, its clocks are counted here, one by one; the caller has a transaction open.
    """
    plain = [number for number, one in enumerate(asked) if not _needs_calendar(one)]
    found = await _counted(db, [asked[number] for number in plain], at, accounts)
    counted = {(plain[number], account): n for (number, account), n in found.items()}
    for number, one in enumerate(asked):
        if _needs_calendar(one):
            by_account = await _by_calendar(db, one, at, accounts)
            counted |= {(number, account): counts for account, counts in by_account.items()}
    return counted


async def standings(
    db: Db, numbers: Sequence[Number], at: datetime, accounts: Collection[str] | None = None
) -> list[Standing]:
    """How each of *numbers* stands *at* an instant, in their order; *accounts* are all of theirs.

    Left out, they are looked for among all. The caller has a transaction open.
    """
    asked = dict.fromkeys((one.policy.name, one.contract, one.length) for one in numbers)
    places = {key: place for place, key in enumerate(asked)}
    windows = [contracts.window(contract, length, at) for _, contract, length in asked]
    policies = {one.policy.name: one.policy for one in numbers}
    questions = [
        Asked(policies[name], contract, window)
        for (name, contract, _), window in zip(asked, windows, strict=True)
    ]
    found = await counts(db, questions, at, accounts)
    return await asyncio.to_thread(_stand, numbers, places, windows, found)


def _stand(
    numbers: Sequence[Number],
    places: Mapping[tuple[str, Contract, timedelta], int],
    windows: Sequence[Window],
    found: Found,
) -> list[Standing]:
    stands = []
    for one in numbers:
        place = places[one.policy.name, one.contract, one.length]
        counted = found.get((place, one.account), NOTHING)
        stands.append(contracts.standing(one.contract, one.length, counted, windows[place]))
    return stands


async def worst(db: Db, chosen: Chosen, limit: int) -> list[Late]:
    """Those that are late by most, at the end of the window as far as they run."""
    where = chosen.accounts, *chosen.window, chosen.promises
    return [Late(*row) for row in await db.fetch(WORST, *where, limit)]


async def unconfirmed(db: Db, chosen: Chosen) -> list[Unconfirmed]:
    """Answers given elsewhere, as somebody said, that ended a clock and that nothing confirms."""
    rows = await db.fetch(UNCONFIRMED, chosen.accounts, *chosen.window, chosen.promises)
    return [Unconfirmed(*row) for row in rows]


async def causes(
    db: Db, account: str, promise: str, window: Window, at: datetime
) -> dict[str, int]:
    """Of how many clocks a marketplace may know otherwise than we do, by the cause.

    *no_reply_needed* are outside our number by an agent's mark.
    """
    row = await db.fetchrow(CAUSES, account, promise, *window, at)
    return dict(row) if row else {}


async def is_anything(db: Db, accounts: Collection[str]) -> bool:
    """Whether these accounts have any clock at all."""
    return bool(await db.fetchval(ANY, accounts))


def _needs_calendar(asked: Asked) -> bool:
    policy, contract, _ = asked
    if contracts.is_round_the_clock(policy):
        return False
    return contract.measure != "share" or contracts.within(policy, contract) is not None


async def _counted(
    db: Db, asked: Sequence[Asked], at: datetime, accounts: Collection[str] | None
) -> Found:
    columns: list[list[object]] = [
        [one.policy.name for one in asked],
        [one.window.begins for one in asked],
        [one.window.ends for one in asked],
        [contracts.within(one.policy, one.contract) for one in asked],
        [contracts.is_timed(one.policy, one.contract) for one in asked],
    ]
    found: Found = {}
    for row in await db.fetch(COUNTS, *columns, at, accounts) if asked else ():
        n, account, met, missed, running, replied, reply_time, oldest = row
        time = reply_time or timedelta(0)
        found[n - 1, account] = Counts(met, missed, running, replied, time, oldest)
    return found


async def _by_calendar(
    db: Db, asked: Asked, at: datetime, accounts: Collection[str] | None
) -> dict[str, Counts]:
    """What each account's clocks come to, counted beside the loop."""
    found: defaultdict[str, Counts] = defaultdict(Counts)
    cursor = await db.cursor(ROWS, asked.policy.name, *asked.window, accounts)
    while rows := await cursor.fetch(BATCH):
        for account, counts in (await asyncio.to_thread(_of_rows, rows, asked, at)).items():
            found[account] = found[account].plus(counts)
    return found


def _of_rows(rows: Iterable[Record], asked: Asked, at: datetime) -> dict[str, Counts]:
    by_account = groupby(rows, key=lambda row: str(row["account"]))
    return {
        account: contracts.count((Judged(*row[1:]) for row in found), *asked, at)
        for account, found in by_account
    }
