"""Notices: facts told once. Raising one writes its dispatches, which are the outbox.

The key is unique for ever, so a fact raised twice is told once. Every function runs in the
caller's transaction: a notice stands or falls with the change of state that it tells.
"""

from __future__ import annotations

import json
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from core import keys
from core.model import NoticeKind
from core.routing import Subject, told_from
from core.store import dispatches, escalations, languages, overtaken
from core.store.escalations import Begun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.model import Notice
    from core.routing import Aim
    from core.rules import Rules
    from core.store import Db
    from core.store.keeping import Cutoffs

NO_DIGESTS: Mapping[str, str] = MappingProxyType({})

RAISE = """
    insert into notice (key, kind, account, thread, clock, due_at, facts, raised_at)
    select w.key, w.kind, w.account, w.thread, w.clock, w.due_at, w.facts::jsonb, w.raised_at
    from unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[],
        $7::text[], $8::timestamptz[]
    ) as w (key, kind, account, thread, clock, due_at, facts, raised_at)
    order by w.key
    on conflict (key) do nothing
    returning id, key
"""
SEND_OUT = """
    with outbox as (
        insert into dispatch (notice, notifier, digest, next_try_at, ways)
        select w.notice, w.notifier, w.digest,
               greatest(now(), w.not_before)
               + case when w.digest is null or w.not_before is not null then interval '0'
                      else $4::interval end,
               string_to_array(w.ways, ' ')
        from unnest($1::bigint[], $2::text[], $3::text[], $5::timestamptz[], $6::text[])
            as w (notice, notifier, digest, not_before, ways)
    )
    select pg_notify('replyby', 'deliver')
"""
# A breach told and taken back: to those who were told, whatever the routes say today, or who may
# have been by a process that died, where it was held back since. Where it stands open at a
# receiver, it is closed there instead: core.store.incidents.
CORRECT = """
    with wanted as (
        select * from unnest(
            $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[],
            $7::text[], $8::timestamptz[]
        ) as w (key, kind, account, thread, clock, due_at, facts, raised_at)
    ), heard as (
        select distinct on (w.key, d.notifier) w.key, d.notifier, d.ways
        from wanted w
        join notice n on n.clock = w.clock and n.kind = 'breach'
        join dispatch d on d.notice = n.id
        where (d.sent_at is not null
               or d.attempts > 0 and d.error is null
               and d.next_try_at > clock_timestamp() + $9::interval)
          and not exists (
            select from incident i
            where i.clock = w.clock and i.notifier = d.notifier and i.state = 'open'
        )
        order by w.key, d.notifier, d.sent_at
    ), told as (
        insert into notice (key, kind, account, thread, clock, due_at, facts, raised_at)
        select key, kind, account, thread, clock, due_at, facts::jsonb, raised_at
        from wanted where key in (select key from heard) order by key
        on conflict (key) do update set kind = excluded.kind
        returning id, key
    ), outbox as (
        insert into dispatch (notice, notifier, ways)
        select told.id, heard.notifier, heard.ways from told join heard using (key)
        on conflict do nothing
    )
    select count(*), case when count(*) > 0 then pg_notify('replyby', 'deliver') end from told
"""
DROP = """
    with theirs as (
        select d.notice, d.notifier from dispatch d
        join notice n on n.id = d.notice
        where n.clock = any($1) and n.kind in ('warning', 'breach', 'escalation')
          and d.sent_at is null and d.suppressed is null
        order by d.notice, d.notifier
        for update of d
    )
    update dispatch d set suppressed = $2
    from theirs
    where d.notice = theirs.notice and d.notifier = theirs.notifier
"""
KNOWN = "select key from notice where key = any($1)"
PURGE = """
    with gone as (
        delete from notice n
        where n.raised_at < coalesce(
                (select w.before
                 from account a
                 join unnest($2::text[], $3::timestamptz[]) as w (connector, before)
                     on w.connector = a.connector
                 where a.name = n.account),
                $1)
            and n.raised_at < $4 and n.kind not in ('policy_review', 'credential_expiring')
            and not exists (
                select from dispatch d
                where d.notice = n.id and d.sent_at is null and d.suppressed is null
            )
        returning n.id
    ), outbox as (
        delete from dispatch d using gone where d.notice = gone.id
    )
    select count(*) from gone
"""

HOLD = timedelta(minutes=15)
"""How long a first walk that does not end keeps its digest back."""


async def raise_(
    db: Db, rules: Rules, notices: Sequence[Notice], digests: Mapping[str, str] = NO_DIGESTS
) -> int:
    """Write *notices* that are new, with a dispatch to each notifier that the routes name.

    Those of a route that has a ladder begin to climb it. *digests* names, by notice key, the digest
    with which a notice leaves instead of by itself.

    Returns:
        How many were new; a key that was ever raised is not raised again.
    """
    tongues = await _languages(db, rules, notices)

    def about(notice: Notice) -> Subject:
        return subject(notice, tongues.get((notice.account, notice.thread or "")))

    def told(notice: Notice) -> tuple[Aim, ...]:
        return rules.routing.told(about(notice), notice.raised_at)

    new = await _raise(db, notices, told, digests)
    over = [(new[one.key], one.account, one.kind) for one in notices if one.key in new]
    await overtaken.tell_the_end(db, over)
    await escalations.begin(db, _climbing(rules, notices, about, told, new))
    return len(new)


async def raise_to(
    db: Db, notices: Sequence[Notice], aims: Callable[[Notice], tuple[Aim, ...]]
) -> int:
    """As `raise_`, to whom *aims* says of each, whatever the routes say."""
    return len(await _raise(db, notices, aims, NO_DIGESTS))


def subject(notice: Notice, language: str | None = None, at: datetime | None = None) -> Subject:
    """What *notice* is about, of a thread in this *language*, told *at* an instant (None: at once).

    A rung is about the notice that climbs: nobody is woken by a ladder whom that would not have
    woken. Once the deadline has passed it is about a breach, whatever began to climb.
    """
    facts = dict(notice.facts)
    policy = facts.get("promise")
    kind, step = notice.kind, facts.get("step")
    if kind is NoticeKind.ESCALATION:
        kind = _climber(notice, at or notice.raised_at)
    elif kind is NoticeKind.WARNING:
        step = keys.number(notice.key)
    return Subject(
        kind=kind,
        account=notice.account,
        language=language,
        policy=str(policy) if policy is not None else None,
        step=step if isinstance(step, int) and kind is NoticeKind.WARNING else None,
    )


def _climber(rung: Notice, at: datetime) -> NoticeKind:
    """What the notice is, of which *rung* tells *at* an instant."""
    if rung.clock is not None and rung.due_at is not None and rung.due_at < at:
        return NoticeKind.BREACH
    return NoticeKind(str(dict(rung.facts).get("of", rung.kind.value)))


async def correct(db: Db, notices: Sequence[Notice]) -> int:
    """Tell each correction to those who heard the breach of its clock, or may have; nobody else.

    Call it after `drop`. A breach that is just leaving is corrected when it has left.
    """
    if not notices:
        return 0
    each = list({notice.key: notice for notice in notices}.values())
    return int(await db.fetchval(CORRECT, *_columns(each), dispatches.LEASE))


async def drop(db: Db, clocks: Sequence[int], why: str) -> int:
    """Keep back what was told of *clocks* and nobody was sent yet, parked ones too.

    To be called in the transaction that ends or moves them, after their rows were changed. *why*
    is one of `core.labels.SUPPRESSED`.
    """
    if not clocks:
        return 0
    return int((await db.execute(DROP, clocks, why)).split()[-1])


async def send_out(db: Db, outbox: Iterable[tuple[int, Aim, str | None]]) -> None:
    """Write dispatches of notices that were just written: (notice, aim, digest).

    A *digest* names that with which it leaves instead of by itself. What waits for the end of quiet
    hours leaves with whatever else waited there, as one.
    """
    rows = [(notice, aim.notifier, digest or _waiting(aim), aim) for notice, aim, digest in outbox]
    if not rows:
        return
    ids, notifiers, names, aims = zip(*rows, strict=True)
    not_before = [aim.not_before for aim in aims]
    ways = [" ".join(aim.ways) or None for aim in aims]
    await db.execute(SEND_OUT, ids, notifiers, names, HOLD, not_before, ways)


def _waiting(aim: Aim) -> str | None:
    return keys.quiet(aim.notifier, aim.not_before) if aim.not_before else None


async def known(db: Db, keys: Sequence[str]) -> frozenset[str]:
    """Those of *keys* that were ever raised."""
    return frozenset(row["key"] for row in await db.fetch(KNOWN, keys))


async def purge(db: Db, before: Cutoffs) -> int:
    """Remove notices raised *before* that are done with; what is parked or waits stays.

    A review and the end of a key stay too: their keys are the only memory of having told them.
    """
    return int(await db.fetchval(PURGE, *before, max((before.default, *before.before))))


async def _raise(
    db: Db,
    notices: Sequence[Notice],
    aims: Callable[[Notice], tuple[Aim, ...]],
    digests: Mapping[str, str],
) -> dict[str, int]:
    """Write *notices* and their dispatches; the ids of those that are new, by key."""
    if not notices:
        return {}
    rows = await db.fetch(RAISE, *_columns(notices))
    new = {row["key"]: row["id"] for row in rows}
    each = {notice.key: notice for notice in notices if notice.key in new}.values()
    outbox = [(new[n.key], aim, digests.get(n.key)) for n in each for aim in aims(n)]
    await send_out(db, outbox)
    return new


def _climbing(
    rules: Rules,
    notices: Sequence[Notice],
    about: Callable[[Notice], Subject],
    told: Callable[[Notice], tuple[Aim, ...]],
    new: Mapping[str, int],
) -> Iterator[Begun]:
    """What of the *new* notices climbs a ladder."""
    if not rules.routing.ladders:
        return
    for n in {notice.key: notice for notice in notices if notice.key in new}.values():
        if found := rules.routing.ladder(about(n)):
            route, ladder = found
            at, since = n.raised_at, told_from(told(n), n.raised_at)
            name = route.name
            yield Begun(new[n.key], n.kind, n.account, n.thread, n.clock, name, ladder, at, since)


async def _languages(
    db: Db, rules: Rules, notices: Sequence[Notice]
) -> dict[languages.Thread, str]:
    """The language of the threads that *notices* are about, where it matters to anybody."""
    if not rules.routing.asks_language:
        return {}
    return await languages.of(db, [(n.account, n.thread) for n in notices if n.thread])


def _columns(notices: Sequence[Notice]) -> tuple[list[object], ...]:
    return (
        [n.key for n in notices],
        [n.kind.value for n in notices],
        [n.account for n in notices],
        [n.thread for n in notices],
        [n.clock for n in notices],
        [n.due_at for n in notices],
        [json.dumps(dict(n.facts)) for n in notices],
        [n.raised_at for n in notices],
    )
