"""Where a text may name somebody, whoever's it is: read in chunks of an account, and cleared of it.

A test compares this with the columns of all tables, so that none is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from core.store import erased

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from core.store import Db

    Rewrite = Callable[[str], str]

Key = str | int

LARGE = 2**17
"""Bytes of what is read together with its neighbours; what is larger is read in slices.

Nothing else runs while so much is taken apart.
"""
SLICE, OVERLAP = 2**17, 2**12

THREADS = """
    select id, buyer, reply_to from thread
    where account = $1 and id > $2 and (buyer <> '' or reply_to <> '{}')
    order by id limit $3
"""
# What has neither a buyer nor a word of one is a thread of the marketplace's own.
HEADLINES = """
    select id, concat_ws(E'\\x1f', subject, url) as text,
           buyer = '' and not exists (
               select from message m
               where m.account = thread.account and m.thread = thread.id
                 and m.party <> 'marketplace'
           ) as is_notice
    from thread
    where account = $1 and id > $2 and (subject is not null or url is not null)
    order by id limit $3
"""
CLEAR_THREADS = """
    update thread set subject = '[erased]', url = null where account = $1 and id = any($2::text[])
"""
MESSAGES = """
    select id, concat_ws(E'\\x1f', subject, body, attachments::text) as text,
           party = 'marketplace' as is_notice
    from message
    where account = $1 and id > $2
      and (body <> '' or subject is not null or attachments is not null)
    order by id limit $3
"""
GIVEN = """
    select thread, string_agg(sentence, E'\\x1f') as text, true as is_notice from given
    where account = $1 and thread > $2 and sentence is not null
    group by thread order by thread limit $3
"""
CLEAR_GIVEN = "update given set sentence = null where account = $1 and thread = any($2::text[])"
VERDICTS = """
    select id, concat_ws(E'\\x1f', buyer, body) as text from verdict
    where account = $1 and id > $2 and not forgotten
    order by id limit $3
"""
ABOUT = """
    select distinct what, substr(what, strpos(what, ':') + 1) as text from about
    where account = $1 and what > $2 and what not like 'order:%'
    order by what limit $3
"""
CLEAR_ABOUT = "delete from about where account = $1 and what = any($2::text[])"
LINKS = """
    select message, url as text from link where account = $1 and message > $2
    order by message limit $3
"""
CLEAR_LINKS = "delete from link where account = $1 and message = any($2::text[])"
ORDERS = """
    select id, facts::text as text from market_order
    where account = $1 and id > $2 and facts <> '{}'
    order by id limit $3
"""
CLEAR_ORDERS = "delete from market_order where account = $1 and id = any($2::text[])"
ERRORS = """
    select stream, error as text from stream
    where account = $1 and stream > $2 and error is not null
    order by stream limit $3
"""
CLEAR_ERRORS = """
    update stream set error = '[erased]' where account = $1 and stream = any($2::text[])
"""
CURSORS = """
    select stream, cursor as text from stream
    where account = $1 and stream > $2 and cursor is not null
    order by stream limit $3
"""
# The fence moves: a walk that is on its way may not put its cursor back.
CLEAR_CURSORS = """
    update stream set cursor = null, fence = fence + 1
    where account = $1 and stream = any($2::text[])
"""
DEEDS = """
    select id, reason as text from deed
    where account = $1 and id > $2 and reason is not null
    order by id limit $3
"""
CLEAR_DEEDS = """
    update deed set reason = '[erased]' where account = $1 and id = any($2::bigint[])
"""
# A route's mute is nobody's: every account looks at it.
MUTES = """
    select id, reason as text from mute
    where (scope = 'route' or name = $1) and id > $2 and reason is not null order by id limit $3
"""
CLEAR_MUTES = """
    update mute set reason = '[erased]'
    where (scope = 'route' or name = $1) and id = any($2::bigint[])
"""
DISPATCHES = """
    select n.id, string_agg(concat_ws(E'\\x1f', d.error, d.parked_reason), E'\\x1f') as text
    from notice n join dispatch d on d.notice = n.id
    where n.account = $1 and n.id > $2 and coalesce(d.error, d.parked_reason) is not null
    group by n.id order by n.id limit $3
"""
CLEAR_DISPATCHES = """
    update dispatch d
    set error = case when d.error is not null then '[erased]' end,
        parked_reason = case when d.parked_reason is not null then '[erased]' end
    from notice n where n.account = $1 and n.id = any($2::bigint[]) and d.notice = n.id
"""
NOTICES = """
    select id, facts::text as text from notice
    where account = $1 and id > $2 and facts <> '{}'
    order by id limit $3
"""
REPLIES = """
    select id, concat_ws(E'\\x1f', body, reason) as text from reply
    where account = $1 and id > $2 and (body <> '' or reason is not null)
    order by id limit $3
"""
RAW = """
    select r.id, '' as text, octet_length(r.body) as size,
           case when octet_length(r.body) <= $4 then r.body end as raw,
           coalesce(m.party = 'marketplace', false) as is_notice
    from raw_message r left join message m on m.account = r.account and m.id = r.id
    where r.account = $1 and r.id > $2
    order by r.id limit $3
"""
RAW_SLICE = """
    select substring(body from $3 for $4) from raw_message where account = $1 and id = $2
"""
CLEAR_RAW = "delete from raw_message where account = $1 and id = any($2::text[])"
ASIDE = """
    select id, reason as text, octet_length(raw) as size,
           case when octet_length(raw) <= $4 then raw end as raw
    from set_aside where account = $1 and id > $2
    order by id limit $3
"""
ASIDE_SLICE = """
    select substring(raw from $3 for $4) from set_aside where account = $1 and id = $2
"""
CLEAR_ASIDE = "delete from set_aside where account = $1 and id = any($2::bigint[])"
FILES = """
    select f.reply::bigint * 1000 + f.number as id, concat_ws(E'\\x1f', f.name, f.url) as text,
           octet_length(f.content) as size,
           case when octet_length(f.content) <= $4 then f.content end as raw
    from reply_file f join reply r on r.id = f.reply
    where r.account = $1 and f.reply::bigint * 1000 + f.number > $2
    order by 1 limit $3
"""
FILE_SLICE = """
    select substring(f.content from $3 for $4) from reply_file f join reply r on r.id = f.reply
    where r.account = $1 and f.reply = $2::bigint / 1000 and f.number = $2::bigint % 1000
"""
# A reply leaves whole or not at all; one that is just leaving is not sent a second time.
CLEAR_FILES = """
    with named as (
        select r.id from reply r
        where r.account = $1 and r.id in (select k / 1000 from unnest($2::bigint[]) as k)
    ), dropped as (
        delete from reply_file f using named where f.reply = named.id
    )
    update reply r
    set reason = 'names_erased',
        settled_at = case when r.state = 'queued' then now() else r.settled_at end,
        state = case when r.state = 'queued' then 'refused' else r.state end
    from named where r.id = named.id and r.state in ('queued', 'sending')
    returning case when r.state = 'refused' then r.id end
"""

HOMES = "select distinct thread from message where account = $1 and id = any($2::text[])"
MESSAGES_OF = """
    select id, subject, body, attachments, party = 'marketplace' as is_notice from message
    where account = $1 and id = any($2::text[])
"""
PUT_MESSAGE = """
    update message set subject = $3, body = $4, attachments = $5, hash = $6
    where account = $1 and id = $2
"""
REPLIES_OF = """
    select id, body, reason, state = 'queued' as waits from reply
    where account = $1 and id = any($2::bigint[])
    order by id
    for update
"""
# What waited for its next try stands in its thread since the first.
PUT_REPLY = """
    with cleared as (
        update reply
        set body = $3,
            reason = case when state in ('queued', 'sending') then 'names_erased' else $4 end,
            settled_at = case when state = 'queued' then $5 else settled_at end,
            state = case when state = 'queued' then 'refused' else state end
        where account = $1 and id = $2
        returning id, state
    )
    update message m set delivery = 'refused'
    from cleared c
    where c.state = 'refused' and m.account = $1 and m.id = 'reply:' || c.id
      and m.delivery = 'sending'
"""
NOTICES_OF = "select id, facts from notice where account = $1 and id = any($2::bigint[])"
PUT_NOTICE = "update notice set facts = $3 where account = $1 and id = $2"
# What the planner remembers of the words by which texts are found goes with them; of the texts
# themselves it takes no samples. An empty table would keep those that it has.
SAMPLE = """
    insert into about (account, what, thread) values ('', 'name:', '') on conflict do nothing
"""
FORGET_SAMPLES = "analyze about (what), verdict (buyer)"
UNSAMPLE = "delete from about where account = ''"
SAMPLED_WITHIN = 600.0
"""Seconds for samples to be taken anew."""


class Texts(NamedTuple):
    """Rows of an account by a key, in its order, with their text; *clear* empties some of them.

    *first* lies before every key.
    """

    table: str
    read: str
    clear: str
    first: Key = ""


class Blobs(NamedTuple):
    """As `Texts`, of what is no text by itself; *slice* reads a part of what is large.

    *wrote*: it is what people write to each other.
    """

    table: str
    read: str
    slice: str
    clear: str
    first: Key = ""
    wrote: bool = False


class Row(NamedTuple):
    """A *text* by its key; *is_notice*: the marketplace says it, and no person."""

    key: Key
    text: str
    is_notice: bool = False


class Blob(NamedTuple):
    """What is no text by itself, with the *text* beside it; *raw* is None where it is large."""

    key: Key
    text: str
    size: int
    raw: bytes | None
    is_notice: bool = False


class Owned(NamedTuple):
    """A thread, with whatever may name its buyer."""

    id: str
    buyer: str
    reply_to: dict[str, str]


TEXTS = (
    Texts("given", GIVEN, CLEAR_GIVEN),
    Texts("about", ABOUT, CLEAR_ABOUT),
    Texts("link", LINKS, CLEAR_LINKS),
    Texts("market_order", ORDERS, CLEAR_ORDERS),
    Texts("stream", ERRORS, CLEAR_ERRORS),
    Texts("stream", CURSORS, CLEAR_CURSORS),
    Texts("deed", DEEDS, CLEAR_DEEDS, 0),
    Texts("mute", MUTES, CLEAR_MUTES, 0),
    Texts("dispatch", DISPATCHES, CLEAR_DISPATCHES, 0),
)
BLOBS = (
    Blobs("raw_message", RAW, RAW_SLICE, CLEAR_RAW),
    Blobs("set_aside", ASIDE, ASIDE_SLICE, CLEAR_ASIDE, 0),
    Blobs("reply_file", FILES, FILE_SLICE, CLEAR_FILES, 0, wrote=True),
)


async def read(db: Db, query: str, account: str, after: Key, most: int) -> list[Row]:
    """The next rows after a key, with their text."""
    rows = await db.fetch(query, account, after, most)
    return [Row(key, text or "", *rest) for key, text, *rest in rows]


async def read_threads(db: Db, account: str, after: Key, most: int) -> list[Owned]:
    """The next threads after one that name somebody, or may."""
    return [Owned(*row) for row in await db.fetch(THREADS, account, after, most)]


async def read_blobs(db: Db, place: Blobs, account: str, after: Key, most: int) -> list[Blob]:
    """The next rows after a key that hold bytes."""
    return [Blob(*row) for row in await db.fetch(place.read, account, after, most, LARGE)]


def slices(blob: Blob) -> range:
    """Where the parts of what is large begin; each but the first lies within the one before too."""
    return range(1, blob.size + 1, SLICE)


async def read_slice(db: Db, place: Blobs, account: str, blob: Blob, first: int) -> bytes:
    """The part of *blob* that begins at *first*; nothing of one that is gone."""
    part: bytes | None = await db.fetchval(place.slice, account, blob.key, first, SLICE + OVERLAP)
    return part or b""


async def clear(db: Db, statement: str, account: str, keys: Collection[Key]) -> list[int]:
    """Empty these rows; the replies that do not leave because of it."""
    rows = await db.fetch(statement, account, list(keys))
    return [row[0] for row in rows if row[0] is not None]


async def homes(db: Db, account: str, messages: Collection[Key]) -> list[str]:
    """The threads in which these messages stand."""
    return [row["thread"] for row in await db.fetch(HOMES, account, list(messages))]


async def rewrite_messages(
    db: Db, account: str, ids: Collection[Key], people: Rewrite, market: Rewrite
) -> None:
    """Take names out of messages; their threads are locked.

    Later states of them still count, and find the words that are left (`erased.left`).

    *people* is for what people wrote, *market* for what the marketplace did.
    """
    for row in await db.fetch(MESSAGES_OF, account, list(ids)):
        without = market if row["is_notice"] else people
        subject, files = row["subject"], row["attachments"]
        told = [_nameless(file, without) for file in files or ()]
        cleared = subject and without(subject)
        body = without(row["body"])
        put = (cleared, body, told or None, erased.marked(b""))
        await db.execute(PUT_MESSAGE, account, row["id"], *put)
    await clear(db, CLEAR_RAW, account, ids)


def _nameless(file: dict[str, Any], without: Rewrite) -> dict[str, Any]:
    """A file of a message: its name and its id, which may be an address, *without* names."""
    told = {"name": without(file.get("name", "")), "id": without(file["id"]) or "[erased]"}
    return {**file, **told}


async def rewrite_replies(
    db: Db, account: str, ids: Collection[Key], without: Rewrite, now: datetime
) -> list[int]:
    """Take names out of replies; those that have not left, and do not leave any more."""
    rows = await db.fetch(REPLIES_OF, account, list(ids))
    for row in rows:
        reason = row["reason"] and without(row["reason"])
        await db.execute(PUT_REPLY, account, row["id"], without(row["body"]), reason, now)
    return [row["id"] for row in rows if row["waits"]]


async def rewrite_notices(db: Db, account: str, ids: Collection[Key], without: Rewrite) -> None:
    """Take names out of what is told with notices."""
    for row in await db.fetch(NOTICES_OF, account, list(ids)):
        await db.execute(PUT_NOTICE, account, row["id"], _cleared(row["facts"], without))


def _cleared(value: Any, without: Rewrite) -> Any:
    """Whatever JSON holds, *without* in every string of it."""
    if isinstance(value, str):
        return without(value)
    if isinstance(value, dict):
        return {name: _cleared(each, without) for name, each in value.items()}
    return [_cleared(each, without) for each in value] if isinstance(value, list) else value


async def forget_samples(db: Db) -> None:
    """Let the planner take its samples anew, in one transaction: they hold whole values."""
    await db.execute(SAMPLE)
    await db.execute(FORGET_SAMPLES, timeout=SAMPLED_WITHIN)
    await db.execute(UNSAMPLE)
