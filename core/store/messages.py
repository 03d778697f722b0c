"""Messages: added once, changed when the marketplace changed them, read as turns."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from core.store import held
from sla.clock import Delivery, Kind, Level
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from core.model import Attachment, Message
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
    "account", "id", "thread", "party", "kind", "addressed_to", "delivery", "level", "sent_at",
    "visible_at", "language", "subject", "body", "order_id", "attachments", "hash", "origin",
    "seen_at",
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


def digest(message: Message) -> bytes:
    """What tells an edited message from an unchanged one, without its body being read again.

    No text of a message holds NUL, so that it separates what is put together here.
    """
    sent, visible = message.sent_at, message.visible_at
    told = "\0".join((
        message.thread,
        message.party,
        message.kind,
        ",".join(_names(message.to)),
        delivery(message) or "",
        message.level or "",
        "" if sent is None else str(sent.timestamp()),
        "" if visible is None else str(visible.timestamp()),
        message.language or "",
        message.subject or "",
        message.order_id or "",
        _files(message.attachments) if message.attachments else "",
        message.body,
    ))  # fmt: skip
    return blake2b(told.encode(), digest_size=16).digest()


def delivery(message: Message) -> Delivery | None:
    """How far *message* got: what we read at the marketplace of a seller has got there."""
    told = message.delivery
    return _CONFIRMED if told is None and message.party is _SELLER else told


async def add(
    db: Db, account: str, messages: Iterable[tuple[Message, bytes]], now: datetime
) -> None:
    """Write messages (with their digests) that are not known; seen at *now*, threads locked.

    By COPY, which takes half the server's time of inserts; in one order for all. One that another
    transaction has added meanwhile, to another thread, is `Raced` under `refusing`.
    """
    rows = [
        (*_row(account, message, made), message.origin, now)
        for message, made in sorted(messages, key=lambda pair: pair[0].id)
    ]
    if rows:
        await db.copy_records_to_table("message", records=rows, columns=COLUMNS)


async def change(db: Db, account: str, messages: Iterable[tuple[Message, bytes]]) -> None:
    """Write what changed in known messages; `seen_at` and `origin` stay, threads locked."""
    ordered = sorted(messages, key=lambda pair: pair[0].id)
    await db.executemany(CHANGE, [_row(account, message, made) for message, made in ordered])


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


def _row(account: str, message: Message, made: bytes) -> tuple[object, ...]:
    return (
        account,
        message.id,
        message.thread,
        message.party,
        message.kind,
        _names(message.to),
        delivery(message),
        message.level,
        held(message.sent_at),
        held(message.visible_at),
        message.language,
        message.subject,
        message.body,
        message.order_id,
        [dict(file) for file in message.attachments] if message.attachments else None,
        made,
    )


def _names(parties: frozenset[Party]) -> Sequence[str]:
    if (known_ := _SORTED.get(parties)) is None:
        known_ = _SORTED.setdefault(parties, sorted(parties))
    return known_


def _files(files: Iterable[Attachment]) -> str:
    return str([(file.id, file.name, file.size, file.media_type) for file in files])


def _parties(names: tuple[str, ...]) -> frozenset[Party]:
    if (known_ := _ADDRESSED.get(names)) is None:
        known_ = _ADDRESSED.setdefault(names, frozenset(_PARTIES[name] for name in names))
    return known_


_PARTIES: Mapping[str, Party] = {party.value: party for party in Party}
_KINDS: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
_DELIVERIES: Mapping[str, Delivery] = {how.value: how for how in Delivery}
_LEVELS: Mapping[str, Level] = {level.value: level for level in Level}
_CONFIRMED, _SELLER = Delivery.CONFIRMED, Party.SELLER
_ADDRESSED: dict[tuple[str, ...], frozenset[Party]] = {}
_SORTED: dict[frozenset[Party], list[Party]] = {}
