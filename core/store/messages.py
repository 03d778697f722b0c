"""Messages: added once, changed when the marketplace changed them, read as turns."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from pydantic import TypeAdapter

from core.model import Attachment
from core.store import copied, held
from sla.clock import Delivery, Kind, Level
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from core.model import Message
    from core.store import Db

# What was erased stays away, though the marketplace goes on telling it.
KNOWN = """
    select m.id, m.hash, m.thread, false as erased from message m
    where m.account = $1 and m.id = any($2::text[])
    union all
    select t.source_id, null, null, true from tombstone t
    where t.account = $1 and t.source_id = any($2::text[])
"""
COLUMNS = (
    "account", "seen_at", "origin", "party", "kind", "addressed_to", "delivery", "level", "id",
    "thread", "sent_at", "body", "visible_at", "language", "subject", "order_id", "attachments",
    "hash",
)  # fmt: skip
# Never seen_at, never origin; a refusal wins over whatever is read later.
CHANGE = """
    update message
    set thread = $3, party = $4, kind = $5, addressed_to = $6,
        delivery = case when delivery = 'refused' then delivery else coalesce($7, delivery) end,
        level = $8, sent_at = coalesce($9, sent_at), visible_at = coalesce($10, visible_at),
        language = $11, subject = $12, body = $13, order_id = $14, attachments = $15, hash = $16
    where account = $1 and id = $2
"""
KEEP_RAW = """
    insert into raw_message (account, id, seen_at, body) values ($1, $2, $3, $4)
    on conflict (account, id) do update set seen_at = excluded.seen_at, body = excluded.body
"""
TURNS = """
    select thread, id, coalesce(party_corrected, party), coalesce(kind_corrected, kind), sent_at,
           seen_at, addressed_to, delivery, level
    from message where account = $1 and thread = any($2::text[])
"""
LAST_SEEN = """
    select thread, max(seen_at) as seen_at from message
    where account = $1 and thread = any($2::text[])
    group by thread
"""


class Known(NamedTuple):
    """A stored message; *thread* and *hash* are None for one that was erased."""

    hash: bytes | None
    thread: str | None
    erased: bool


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


async def known(db: Db, account: str, ids: Collection[str]) -> dict[str, Known]:
    """What is stored of these messages; an erased one counts as erased alone."""
    found: dict[str, Known] = {}
    for id_, digest, thread, erased in await db.fetch(KNOWN, account, ids):
        if erased or id_ not in found:
            found[id_] = Known(digest, thread, erased)
    return found


class Told(NamedTuple):
    """A message with its *cells* as COPY writes them, and the *hash* of these.

    The hash tells an edited message from an unchanged one, without its body being read again.
    """

    message: Message
    cells: bytes
    hash: bytes


def told(message: Message) -> Told:
    """*message* as it is compared with what is stored, and written."""
    cells = b"".join((
        _closed(message.party, message.kind, message.to, delivery(message), message.level),
        copied.text(message.id),
        copied.text(message.thread),
        copied.instant(held(message.sent_at)),
        copied.text(message.body),
        _rare(message),
    ))  # fmt: skip
    return Told(message, cells, blake2b(cells, digest_size=16).digest())


def delivery(message: Message) -> Delivery | None:
    """How far *message* got: what we read at the marketplace of a seller has got there."""
    told = message.delivery
    return _CONFIRMED if told is None and message.party is _SELLER else told


async def add(db: Db, account: str, messages: Iterable[Told], now: datetime) -> None:
    """Write messages that are not known; seen at *now*, threads locked.

    By COPY, which takes half the server's time of inserts; in one order for all. One that another
    transaction has added meanwhile, to another thread, is `Raced` under `refusing`.
    """
    begin = copied.text(account) + copied.instant(now)
    rows = [
        b"".join((begin, copied.text(one.message.origin), one.cells, copied.blob(one.hash)))
        for one in sorted(messages, key=_id)
    ]
    if rows:
        await copied.write(db, "message", COLUMNS, rows)


async def change(db: Db, account: str, messages: Iterable[Told]) -> None:
    """Write what changed in known messages; `seen_at` and `origin` stay, threads locked."""
    await db.executemany(CHANGE, [_row(account, one) for one in sorted(messages, key=_id)])


async def keep_raw(db: Db, account: str, messages: Iterable[Message], now: datetime) -> None:
    """Keep what the marketplace sent, where the body loses something of it."""
    rows = [(account, m.id, now, m.raw) for m in messages if m.raw is not None]
    if rows:
        await db.executemany(KEEP_RAW, sorted(rows))


async def turns(db: Db, account: str, threads: Collection[str]) -> dict[str, list[StoredTurn]]:
    """All turns of *threads*, in no order; a thread without any has an empty list."""
    found: dict[str, list[StoredTurn]] = defaultdict(list)
    for thread, id_, party, kind, sent_at, seen_at, to, how, level in await db.fetch(
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
        delivery(message),
        message.level,
    )


async def last_seen(db: Db, account: str, threads: Collection[str]) -> dict[str, datetime]:
    """When the newest message of each thread was stored."""
    rows = await db.fetch(LAST_SEEN, account, threads)
    return {row["thread"]: row["seen_at"] for row in rows}


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
    return b"".join((*words, copied.text(how), copied.text(level)))


def _rare(message: Message) -> bytes:
    """The cells that most messages leave empty."""
    seldom = message.visible_at, message.language, message.subject, message.order_id
    if seldom == _NOTHING and not message.attachments:
        return _NO_CELLS
    return b"".join((
        copied.instant(held(message.visible_at)),
        copied.text(message.language),
        copied.text(message.subject),
        copied.text(message.order_id),
        copied.json_(_FILES.dump_json(message.attachments) if message.attachments else None),
    ))  # fmt: skip


def _id(told: Told) -> str:
    return told.message.id


def _row(account: str, told: Told) -> tuple[object, ...]:
    message = told.message
    return (
        account,
        message.id,
        message.thread,
        message.party,
        message.kind,
        sorted(message.to),
        delivery(message),
        message.level,
        held(message.sent_at),
        held(message.visible_at),
        message.language,
        message.subject,
        message.body,
        message.order_id,
        [dict(file) for file in message.attachments] if message.attachments else None,
        told.hash,
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
_CONFIRMED, _SELLER = Delivery.CONFIRMED, Party.SELLER
_ADDRESSED: dict[tuple[str, ...], frozenset[Party]] = {}
