"""In which language a thread is: as a person says, else that of the newest message of its buyer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.store import Db

# A message that is dated in the future was written when we saw it, at the latest.
OF = """
    select distinct on (w.account, w.thread) w.account, w.thread,
           coalesce(t.language_set, m.language) as language
    from unnest($1::text[], $2::text[]) as w (account, thread)
    left join thread t on t.account = w.account and t.id = w.thread
    left join message m on m.account = w.account and m.thread = w.thread
        and m.language is not null and coalesce(m.party_corrected, m.party) = 'buyer'
        and t.language_set is null
    where coalesce(t.language_set, m.language) is not null
    order by w.account, w.thread,
        least(coalesce(m.sent_at, m.seen_at), m.seen_at) desc, m.id desc
"""
# The newest of each account, by the index message_written.
ARRIVED = """
    select a.name as account, m.language
    from account a cross join lateral (
        select distinct language from (
            select language from message
            where account = a.name and party = 'buyer' and sent_at >= $1
            order by sent_at desc
            limit 1000
        ) as newest
        where language is not null
    ) as m
    where a.retired_at is null
"""

Thread = tuple[str, str]


async def of(db: Db, threads: Collection[Thread]) -> dict[Thread, str]:
    """The language of each of *threads*, by account and id; unknown ones are left out."""
    if not threads:
        return {}
    accounts, ids = zip(*dict.fromkeys(threads), strict=True)
    rows = await db.fetch(OF, accounts, ids)
    return {(row["account"], row["thread"]): row["language"] for row in rows}


async def arrived(db: Db, since: datetime) -> dict[str, frozenset[str]]:
    """By account, the languages of buyers' newest messages *since*, as far as they are known."""
    found: dict[str, set[str]] = {}
    for row in await db.fetch(ARRIVED, since):
        found.setdefault(row["account"], set()).add(row["language"])
    return {account: frozenset(tongues) for account, tongues in found.items()}
