"""Dates that the marketplace gives: readings, appended, never overwritten (table `given`)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from core.model import MAX_LINE
from core.store import held, legible
from sla.clock import REST, Given
from sla.given import age

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from core.store import Db

OF = """
    select thread, kind, act, asks, as_of, read_at, due_at, starts_at, by_message, acted_at,
           outcome, uncertain, sentence
    from given where account = $1 and thread = any($2::text[])
"""
ADD = """
    insert into given (account, thread, kind, act, asks, as_of, read_at, due_at, starts_at,
                       by_message, acted_at, outcome, uncertain, sentence)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict (account, thread, kind, act, as_of, read_at) do nothing
"""

FORGET = """
    update given set sentence = null
    where account = $1 and thread = any($2::text[]) and sentence is not null
"""

Of = dict[str, list[Given]]


async def of(db: Db, account: str, threads: Collection[str]) -> Of:
    """All readings of *threads*, in no order."""
    found: Of = defaultdict(list)
    for thread, *columns in await db.fetch(OF, account, threads):
        found[thread].append(Given(*columns))
    return found


async def add(db: Db, account: str, readings: Iterable[tuple[str, Given]]) -> None:
    """Append readings (each with its thread, which is locked)."""
    rows = [
        (
            account, thread, g.kind, g.act, g.asks, held(g.as_of), held(g.read_at), held(g.due_at),
            held(g.starts_at),
            g.by_message, held(g.acted_at), g.outcome, g.uncertain,
            g.sentence and legible(g.sentence, MAX_LINE),
        )
        for thread, g in readings
    ]  # fmt: skip
    await db.executemany(ADD, rows)


async def forget(db: Db, account: str, threads: Collection[str]) -> None:
    """Erase the sentences that dates of *threads* were read from; the dates stay."""
    await db.execute(FORGET, account, list(threads))


def is_news(
    known: Sequence[Given],
    reading: Given,
    last_seen: datetime | None,
    beside: Collection[Given] = (),
) -> bool:
    """Whether *reading* says more than the readings of its thread that are stored.

    One that repeats the newest is news only if a message was seen since (*last_seen*): that the
    marketplace still asks after a reply is another fact than that it asked before. One of all the
    rest (`REST`) is news where something was asked until then of which those *beside* it, of the
    same instants, say nothing; it is stored before they are looked at, for it would end them.
    """
    same = [g for g in known if _is_about(g, reading)]
    if any(g.as_of == reading.as_of and _says(g) == _says(reading) for g in same):
        return False
    if reading.act == REST:
        return _ends(known, reading, beside) or _is_other(same, reading)
    if not same:
        return True
    newest = max(same, key=age)
    if reading.as_of < newest.as_of or _says(newest) != _says(reading):
        return True
    return last_seen is not None and last_seen > newest.read_at


def _is_about(known: Given, reading: Given) -> bool:
    """Whether *known* says something of what *reading* is about."""
    return known.kind == reading.kind and known.act in (reading.act, REST)


def _ends(known: Sequence[Given], rest: Given, beside: Collection[Given]) -> bool:
    """Whether something was asked last before *rest*, and is not asked *beside* it."""
    before = sorted((g for g in known if g.kind == rest.kind and age(g) < age(rest)), key=age)
    asked: set[str] = set()
    for g in before:
        if g.asks:
            asked.add(g.act)
        else:
            asked -= asked if g.act == REST else {g.act}
    return bool(asked - {g.act for g in beside})


def _is_other(same: Sequence[Given], reading: Given) -> bool:
    """Whether *reading* is no repetition of the newest of *same*."""
    return not same or _says(max(same, key=age)) != _says(reading)


def _says(g: Given) -> tuple[object, ...]:
    return g.asks, g.due_at, g.starts_at, g.by_message, held(g.acted_at), g.outcome, g.uncertain
