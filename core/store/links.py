"""Links that only a person follows, once: secrets, never fetched, shown to whoever asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from core.store import Db

KNOWN = """
    select w.id from unnest($2::text[]) as w (id)
    where exists (select from link l where l.account = $1 and l.message = w.id)
       or exists (select from tombstone t where t.account = $1 and t.source_id = w.id)
"""
# Only of a message that is there: what was erased takes its link with it.
LOST = """
    select w.id from unnest($2::text[]) as w (id)
    where not exists (select from message m where m.account = $1 and m.id = w.id)
      and not exists (select from tombstone t where t.account = $1 and t.source_id = w.id)
    order by w.id
"""
KEEP = """
    insert into link (account, message, url, seen_at)
    select $1, w.message, w.url, $4 from unnest($2::text[], $3::text[]) as w (message, url)
    where exists (select from message m where m.account = $1 and m.id = w.message)
    order by w.message
    on conflict (account, message) do nothing
"""
OF_THREAD = """
    select m.id, l.url from message m join link l on l.account = m.account and l.message = m.id
    where m.account = $1 and m.thread = $2
    order by coalesce(m.sent_at, m.seen_at) desc, m.id desc
"""
FORGET = "delete from link where account = $1 and message = any($2::text[])"
PURGE = """
    with gone as (delete from link where seen_at < $1 returning message) select count(*) from gone
"""


async def known(db: Db, account: str, messages: Collection[str]) -> frozenset[str]:
    """Those of *messages* whose link is stored, or was erased with them."""
    return frozenset(row["id"] for row in await db.fetch(KNOWN, account, list(messages)))


async def keep(db: Db, account: str, links: Mapping[str, SecretStr], now: datetime) -> list[str]:
    """Write the links of messages that are stored.

    Returns:
        The messages that are not, and were not erased either: their links are lost.
    """
    urls = [url.get_secret_value() for url in links.values()]
    await db.execute(KEEP, account, list(links), urls, now)
    return [row["id"] for row in await db.fetch(LOST, account, list(links))]


async def of_thread(db: Db, account: str, thread: str) -> list[tuple[str, str]]:
    """The links of a thread by message, the newest message first: secrets."""
    return [(row["id"], row["url"]) for row in await db.fetch(OF_THREAD, account, thread)]


async def forget(db: Db, account: str, messages: Collection[str]) -> None:
    """Erase the links of these messages."""
    await db.execute(FORGET, account, list(messages))


async def purge(db: Db, before: datetime) -> int:
    """Remove links that were read before then; how many there were."""
    gone: int = await db.fetchval(PURGE, before)
    return gone
