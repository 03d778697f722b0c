"""What is over, or overtaken by a later word, before it leaves: the outbox keeps it back.

While a notifier fails each notice waits by itself, so an older one may be due after a newer one.
Whoever has claimed some asks here, just before they leave, what of them no longer stands; another
process, or a digest, makes no difference, for only what was raised decides. The order in which
notices of one clock, or of one account, were raised is that of their ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model import NoticeKind
from core.store import wake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from core.model import Dispatch
    from core.store import Db

WARNINGS = frozenset({NoticeKind.WARNING})
RETIRED = NoticeKind.ACCOUNT_RETIRED
TROUBLES = (
    (frozenset({NoticeKind.BLIND, NoticeKind.ACCOUNT_DOWN}), NoticeKind.ACCOUNT_UP),
    (frozenset({NoticeKind.PUSH_SILENT}), NoticeKind.PUSH_HEARD),
    (frozenset({NoticeKind.DISK_LOW}), NoticeKind.DISK_FREED),
)
"""Troubles of an account, or of the service, each with what says that all of them are over."""
_ENDS = tuple(
    (trouble.value, f"{end.value} {RETIRED.value}")
    for troubles, end in TROUBLES
    for trouble in troubles
)

_ENDED = {
    end: " ".join(sorted(trouble.value for trouble in troubles)) for troubles, end in TROUBLES
} | {
    RETIRED: " ".join(sorted(trouble.value for troubles, _ in TROUBLES for trouble in troubles)),
}
"""By what says that they are over, the troubles."""

# By whoever hears of the later step: a reader of warnings alone is told them still.
STEPS = """
    with mine as (
        select d.notice from dispatch d join notice n on n.id = d.notice
        where d.notifier = $1 and d.notice = any($2)
          and d.sent_at is null and d.suppressed is null
          and exists (
              select from notice later
              join dispatch theirs on theirs.notice = later.id and theirs.notifier = $1
              where later.clock = n.clock and later.id > n.id
                and later.kind in ('warning', 'breach')
          )
        order by d.notice
        for update of d
    )
    update dispatch d set suppressed = 'overtaken'
    from mine
    where d.notifier = $1 and d.notice = mine.notice
"""
# The claim was no attempt: what was never tried, nobody has heard of.
OVER = """
    with mine as (
        select d.notice from dispatch d join notice n on n.id = d.notice
        where d.notifier = $1 and d.notice = any($2)
          and d.sent_at is null and d.suppressed is null
          and exists (
              select from notice later
              where later.account = n.account and later.id > n.id
                and later.kind = any($3::text[])
          )
        order by d.notice
        for update of d
    )
    update dispatch d set suppressed = 'over', attempts = greatest(attempts - 1, 0)
    from mine
    where d.notifier = $1 and d.notice = mine.notice
"""
# An end is not true any more where the trouble ($3) came again. Where it (one of $4) stands it is
# told to whoever may have heard of what ended, by itself or by a rung: what was tried may have
# arrived.
ENDED = """
    with mine as (
        select d.notice,
               exists (
                   select from notice later
                   where later.account = n.account and later.id > n.id
                     and later.kind = any($3::text[])
               ) as again,
               before.raised > 0 and before.heard = 0 as unheard
        from dispatch d join notice n on n.id = d.notice
        cross join lateral (
            select coalesce(max(up.id), 0) as told
            from notice up join dispatch s on s.notice = up.id and s.notifier = $1
            where up.account = n.account and up.kind = any($4::text[]) and up.id < n.id
              and up.kind in ('account_up', 'account_retired', 'push_heard', 'disk_freed')
              and s.sent_at is not null
        ) as last
        cross join lateral (
            select count(*) as raised,
                   count(*) filter (where t.sent_at is not null or t.attempts > 0) as heard
            from notice trouble join dispatch t on t.notice = trouble.id and t.notifier = $1
            where trouble.account = n.account
              and (trouble.kind = any($3::text[])
                   or trouble.kind = 'escalation' and trouble.clock is null
                      and trouble.facts ->> 'of' = any($3::text[]))
              and trouble.id > last.told and trouble.id < n.id
        ) as before
        where d.notifier = $1 and d.notice = any($2)
          and d.sent_at is null and d.suppressed is null
        order by d.notice
        for update of d
    )
    update dispatch d set suppressed = case when again then 'overtaken' else 'over' end
    from mine
    where d.notifier = $1 and d.notice = mine.notice and (again or unheard)
"""
# Whoever was told of a trouble by a rung alone is told that it is over, too; by the routes it came
# to others. Any end before this one was told to them by then, but for one that has not left yet
# and will not: the trouble came again.
HEARD = """
    insert into dispatch (notice, notifier, ways)
    select distinct on (w.notice, d.notifier) w.notice, d.notifier, d.ways
    from unnest($1::bigint[], $2::text[], $3::text[]) as w (notice, account, kinds)
    join notice rung on rung.account = w.account and rung.kind = 'escalation'
        and rung.facts ->> 'of' = any(string_to_array(w.kinds, ' ')) and rung.clock is null
    join unnest($4::text[], $5::text[]) as over (kind, ends) on over.kind = rung.facts ->> 'of'
    join dispatch d on d.notice = rung.id
    where rung.id < w.notice and (d.sent_at is not null or d.attempts > 0)
      and not exists (
          select from notice up
          left join dispatch s on s.notice = up.id and s.notifier = d.notifier
          where up.account = w.account and up.id > rung.id and up.id < w.notice
            and up.kind = any(string_to_array(over.ends, ' '))
            and up.kind in ('account_up', 'account_retired', 'push_heard', 'disk_freed')
            and (s.notice is null or s.sent_at is not null or not exists (
                select from notice again
                where again.account = w.account and again.id > up.id and again.id < w.notice
                  and again.kind = any(string_to_array(w.kinds, ' '))
            ))
      )
    order by w.notice, d.notifier, rung.id desc
    on conflict do nothing
"""
# Its notice climbs no more. What has climbed to the end still holds, but where the trouble is over:
# its last rung may have waited for quiet hours, or a mute. The claim was no attempt.
CLIMBED = """
    with mine as (
        select d.notice from dispatch d join notice n on n.id = d.notice
        join escalation e on e.id = (n.facts ->> 'escalation')::bigint
        where d.notifier = $1 and d.notice = any($2)
          and (e.ended <> 'exhausted' or e.clock is null and exists (
              select from unnest($3::text[], $4::text[]) as w (kind, ends)
              join notice later on later.kind = any(string_to_array(w.ends, ' '))
                  and later.kind in ('account_up', 'account_retired', 'push_heard', 'disk_freed')
              where w.kind = e.kind and later.account = e.account and later.id > e.notice
          ))
          and d.sent_at is null and d.suppressed is null
        order by d.notice
        for update of d
    )
    update dispatch d set suppressed = 'over', attempts = greatest(attempts - 1, 0)
    from mine
    where d.notifier = $1 and d.notice = mine.notice
"""


async def keep_back(db: Db, notifier: str, claimed: Sequence[Dispatch]) -> None:
    """Suppress what of *claimed*, which is about to leave, was overtaken or is over.

    A warning, by a later step of its clock; a trouble of `TROUBLES`, once its end was raised or the
    account is not read any more; a rung, where its notice climbs no more; an end, where the trouble
    came again, or where nobody has heard of it. The words are those of `core.labels.SUPPRESSED`.
    """
    if ids := _of(claimed, WARNINGS):
        await db.execute(STEPS, notifier, ids)
    if ids := _of(claimed, {NoticeKind.ESCALATION}):
        await db.execute(CLIMBED, notifier, ids, *map(list, zip(*_ENDS, strict=True)))
    for kinds, end in TROUBLES:
        troubles = [kind.value for kind in kinds]
        ends = [end.value, RETIRED.value]
        if ids := _of(claimed, kinds):
            await db.execute(OVER, notifier, ids, ends)
        if ids := _of(claimed, {end}):
            await db.execute(ENDED, notifier, ids, troubles, ends)


async def tell_the_end(db: Db, raised: Iterable[tuple[int, str, NoticeKind]]) -> None:
    """Tell the ends among what was just *raised* (id, account, kind) to who heard by rungs."""
    told = [(id_, account, kind) for id_, account, kind in raised if kind in _ENDED]
    if told:
        ids, accounts, kinds = zip(*told, strict=True)
        over = [_ENDED[kind] for kind in kinds]
        ends = map(list, zip(*_ENDS, strict=True))
        if not (await db.execute(HEARD, ids, accounts, over, *ends)).endswith(" 0"):
            await wake.send(db, "deliver")


def _of(claimed: Iterable[Dispatch], kinds: Collection[NoticeKind]) -> list[int]:
    notices = (each.notice for each in claimed)
    return [n.id for n in notices if n.id is not None and n.kind in kinds]
