"""Messages: added once, changed when the marketplace changed them, read as turns."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, get_args

from pydantic import TypeAdapter

from core.model import Attachment, Origin
from core.store import copied, held, pairs
from sla.clock import Delivery, Kind, Level
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from core.model import Message
    from core.store import Db

# What was erased stays away, though the marketplace goes on telling it. One row of three arrays: as
# rows they would take asyncpg three times as long; of texts, for it asks the server about any other
# kind of array. Ids come as JSON, for of each element of an array it asks what that is.
KNOWN = """
    with asked as (select array(select jsonb_array_elements_text($2)) as ids),
    found as (
        select id, encode(hash, 'hex') as hash, thread from message
        where account = $1 and id = any((select ids from asked)::text[])
        union all
        select source_id, null, null from tombstone
        where account = $1 and source_id = any((select ids from asked)::text[])
    )
    select array_agg(id) as ids, array_agg(hash) as hashes, array_agg(thread) as threads from found
"""
# The same of few messages of several accounts.
KNOWN_OF = """
    with asked as (select * from unnest($1::text[], $2::text[]) as w (account, id))
    select m.account, m.id, encode(m.hash, 'hex') as hash, m.thread
    from asked w join message m on m.account = w.account and m.id = w.id
    union all
    select t.account, t.source_id, null, null
    from asked w join tombstone t on t.account = w.account and t.source_id = w.id
"""
COLUMNS = (
    "account", "seen_at", "origin", "party", "kind", "addressed_to", "delivery", "level", "id",
    "thread", "sent_at", "body", "visible_at", "language", "subject", "order_id", "attachments",
    "hash",
)  # fmt: skip
# Never seen_at, never origin; a refusal wins over whatever is read later. Of a letter ($17) the
# earliest instant counts, but for our own, which has no hash until it is read; and where ours
# stands is known, while that of others is inferred.
CHANGE = """
    update message
    set thread = case when $17 and origin = 'ours' then thread else $3 end,
        party = $4, kind = $5, addressed_to = $6,
        delivery = case when delivery = 'refused' then delivery else coalesce($7, delivery) end,
        level = $8,
        sent_at = case when $17 and hash <> '' then least(sent_at, $9)
                       else coalesce($9, sent_at) end,
        visible_at = case when $17 then least(visible_at, $10)
                          else coalesce($10, visible_at) end,
        language = $11, subject = $12, body = $13, order_id = $14, attachments = $15, hash = $16,
        told_in = null
    where account = $1 and id = $2
"""
KEEP_RAW = """
    insert into raw_message (account, id, seen_at, body) values ($1, $2, $3, $4)
    on conflict (account, id) do update set seen_at = excluded.seen_at, body = excluded.body
"""
# What was judged, and the silence after what was accepted, stand in the place of what was told.
TURNS = """
    select thread, id, coalesce(party_corrected, party),
           coalesce(kind_corrected, case when told_in is null then kind else 'message' end),
           sent_at, seen_at, case when told_in is null then addressed_to else '{buyer}' end,
           coalesce(judged, case when silent then 'confirmed' end, delivery), level, language
    from message where account = $1 and thread = any($2::text[])
"""
NEWEST = """
    select body from message
    where account = $1 and thread = $2 and coalesce(party_corrected, party) = any($3::text[])
      and coalesce(kind_corrected, kind) = 'message'
    order by least(coalesce(sent_at, seen_at), seen_at) desc, id desc
    limit 1
"""
ELSEWHERE = """
    select id from message where account = $1 and id = any($2::text[]) and origin = 'elsewhere'
"""
LAST_SEEN = """
    select thread, max(seen_at) as seen_at from message
    where account = $1 and thread = any($2::text[])
    group by thread
"""


Known = tuple[str, str] | tuple[None, None]
"""The hash (in hexadecimal) and the thread of a stored message; nothing of one that was erased."""


class StoredTurn(NamedTuple):
    """A message as the clock sees it, corrections included. It satisfies `sla.clock.Turn`."""

    id: str
    party: Party
    kind: Kind
    sent_at: datetime | None
    seen_at: datetime
    to: frozenset[Party]
    delivery: Delivery | None
    level: Level | None
    language: str | None = None


async def known(db: Db, account: str, ids: Collection[str]) -> dict[str, Known]:
    """What is stored of these messages; an erased one counts as erased alone."""
    row = await db.fetchrow(KNOWN, account, list(ids))
    if row is None or row["ids"] is None:
        return {}
    ids, hashes, homes = row["ids"], row["hashes"], row["threads"]
    found: dict[str, Known] = dict(zip(ids, zip(hashes, homes, strict=True), strict=True))
    erased = [id_ for id_, digest in zip(ids, hashes, strict=True) if digest is None]
    found.update(dict.fromkeys(erased, (None, None)))  # whichever came first
    return found


async def known_of(
    db: Db, ids: Mapping[str, Collection[str]]
) -> defaultdict[str, dict[str, Known]]:
    """What is stored of these messages of several accounts, by account; erased as in `known`."""
    found: defaultdict[str, dict[str, Known]] = defaultdict(dict)
    for account, id_, digest, home in await db.fetch(KNOWN_OF, *pairs(ids)):
        if digest is None:
            found[account][id_] = None, None
        else:
            found[account].setdefault(id_, (digest, home))
    return found


Told = tuple[str, bytes, bytes, "Message"]
"""The id of a message, its cells as COPY writes them, the hash of these, and the message.

The hash tells an edited message from an unchanged one, without its body being read again.
"""


def told(message: Message) -> Told:
    """*message* as it is compared with what is stored, and written."""
    id_, thread, body = message.id.encode(), message.thread.encode(), message.body.encode()
    cells = b"".join((
        _closed(message.party, message.kind, message.to, message.delivery, message.level),
        copied.length(len(id_)), id_,
        copied.length(len(thread)), thread,
        copied.instant(message.sent_at),
        copied.length(len(body)), body,  # a long text is copied once
        _rare(message),
    ))  # fmt: skip
    return message.id, cells, sha256(cells).digest()[:16], message


async def add(db: Db, account: str, messages: Iterable[Told], now: datetime) -> None:
    """Write messages that are not known; seen at *now*, threads locked.

    By COPY, which takes half the server's time of inserts; in one order for all. One that another
    transaction has added meanwhile, to another thread, is `Raced` under `refusing`.
    """
    await add_all(db, {account: messages}, now)


async def add_all(db: Db, messages: Mapping[str, Iterable[Told]], now: datetime) -> None:
    """As `add`, of several accounts in order."""
    rows = [row for account, of in sorted(messages.items()) for row in _rows(account, of, now)]
    if rows:
        await copied.write(db, "message", COLUMNS, rows)


async def change(db: Db, account: str, messages: Iterable[Told], *, letters: bool = False) -> None:
    """Write what changed in known messages; `seen_at` and `origin` stay, threads locked.

    With *letters* (`core.connector.Capabilities`) no message becomes younger, and none of ours
    moves. What was judged of them is to be judged again.
    """
    await db.executemany(CHANGE, [(*_row(account, told), letters) for told in sorted(messages)])


async def keep_raw(db: Db, account: str, messages: Iterable[Message], now: datetime) -> None:
    """Keep what the marketplace sent, where the body loses something of it."""
    rows = [(account, m.id, now, m.raw) for m in messages if m.raw is not None]
    if rows:
        await db.executemany(KEEP_RAW, sorted(rows))


async def turns(db: Db, account: str, threads: Collection[str]) -> dict[str, list[StoredTurn]]:
    """All turns of *threads*, in no order; a thread without any has an empty list."""
    found: dict[str, list[StoredTurn]] = defaultdict(list)
    for thread, id_, party, kind, sent_at, seen_at, to, how, level, language in await db.fetch(
        TURNS, account, threads
    ):
        found[thread].append(
            StoredTurn(
                id_,
                _PARTIES[party],
                _KINDS[kind],
                sent_at,
                seen_at,
                _parties(tuple(to)),
                None if how is None else _DELIVERIES[how],
                None if level is None else _LEVELS[level],
                language,
            )
        )
    return found


def turn(message: Message, now: datetime) -> StoredTurn:
    """*message*, seen at *now*, as `turns` would give it back."""
    sent_at = held(message.sent_at)
    if sent_at is not None and sent_at.tzinfo is not UTC:
        sent_at = sent_at.astimezone(UTC)
    return StoredTurn(
        message.id,
        message.party,
        message.kind,
        sent_at,
        now,
        message.to,
        _delivery(message.party, message.delivery),
        message.level,
        message.language,
    )


async def elsewhere(db: Db, account: str, ids: Collection[str]) -> frozenset[str]:
    """Those of *ids* that nobody wrote here, as far as is known."""
    return frozenset(row["id"] for row in await db.fetch(ELSEWHERE, account, list(ids)))


async def newest(db: Db, account: str, thread: str, parties: Collection[Party]) -> str | None:
    """The text of the newest message of *parties* in a thread; None where there is none."""
    body: str | None = await db.fetchval(NEWEST, account, thread, sorted(parties))
    return body or None


async def last_seen(db: Db, account: str, threads: Collection[str]) -> dict[str, datetime]:
    """When the newest message of each thread was stored."""
    rows = await db.fetch(LAST_SEEN, account, threads)
    return {row["thread"]: row["seen_at"] for row in rows}


def _rows(account: str, messages: Iterable[Told], now: datetime) -> Iterator[bytes]:
    """Rows of `COLUMNS`."""
    seen = copied.text(account) + copied.instant(now)
    begins = {origin: seen + copied.text(origin) for origin in get_args(Origin)}
    for _, cells, digest, message in sorted(messages):
        yield b"".join((begins[message.origin], cells, _HASH_LENGTH, digest))


@lru_cache(maxsize=4096)
def _closed(
    party: Party,
    kind: Kind,
    to: frozenset[Party],
    how: Delivery | None,
    level: Level | None,
) -> bytes:
    """The cells of closed words: there are few, and many messages have the same."""
    words = copied.text(party), copied.text(kind), copied.texts(sorted(to))
    return b"".join((*words, copied.text(_delivery(party, how)), copied.text(level)))


def _delivery(party: Party, told: Delivery | None) -> Delivery | None:
    """How far a message got: what we read at the marketplace of a seller has got there."""
    return _CONFIRMED if told is None and party is _SELLER else told


def _rare(message: Message) -> bytes:
    """The cells that most messages leave empty."""
    files = message.attachments
    seldom = message.visible_at, message.language, message.subject, message.order_id
    if seldom == _NOTHING and not files:
        return _NO_CELLS
    return b"".join((
        copied.instant(message.visible_at),
        copied.text(message.language),
        copied.text(message.subject),
        copied.text(message.order_id),
        copied.json_(_FILES.serializer.to_json(files) if files else None),
    ))  # fmt: skip


def _row(account: str, told: Told) -> tuple[object, ...]:
    _, _, digest, message = told
    return (
        account,
        message.id,
        message.thread,
        message.party,
        message.kind,
        sorted(message.to),
        _delivery(message.party, message.delivery),
        message.level,
        held(message.sent_at),
        held(message.visible_at),
        message.language,
        message.subject,
        message.body,
        message.order_id,
        [dict(file) for file in message.attachments] if message.attachments else None,
        digest,
    )


def _parties(names: tuple[str, ...]) -> frozenset[Party]:
    if (known_ := _ADDRESSED.get(names)) is None:
        known_ = _ADDRESSED.setdefault(names, frozenset(_PARTIES[name] for name in names))
    return known_


_PARTIES: Mapping[str, Party] = {party.value: party for party in Party}
_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
_DELIVERIES: Mapping[str, Delivery] = {how.value: how for how in Delivery}
_LEVELS: Mapping[str, Level] = {level.value: level for level in Level}
_FILES = TypeAdapter(tuple[Attachment, ...])
_NOTHING, _NO_CELLS = (None,) * 4, copied.NULL * 5
_HASH_LENGTH = copied.length(16)
_CONFIRMED, _SELLER = Delivery.CONFIRMED, Party.SELLER
_ADDRESSED: dict[tuple[str, ...], frozenset[Party]] = {}
