"""Macros: what agents answer with, in one or more languages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.store import languages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from asyncpg import Record

    from core.store import Db

ALL = """
    select m.*, coalesce(
        (select jsonb_object_agg(t.language, t.body) from macro_text t where t.macro = m.name),
        '{}') as texts
    from macro m order by m.title, m.name
"""
OF = """
    select m.*, coalesce(
        (select jsonb_object_agg(t.language, t.body) from macro_text t where t.macro = m.name),
        '{}') as texts
    from macro m where m.name = $1
"""
ADD = """
    insert into macro (name, title, accounts, marketplaces, written_by, written_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (name) do nothing
    returning revision
"""
CHANGE = """
    update macro set title = $2, accounts = $3, marketplaces = $4, written_by = $5,
        written_at = $6, revision = revision + 1
    where name = $1 and revision = $7
    returning revision
"""
CLEAR = "delete from macro_text where macro = $1"
SAY = "insert into macro_text (macro, language, body) values ($1, $2, $3)"
REMOVE = "delete from macro where name = $1 and revision = $2 returning true"


@dataclass(frozen=True, slots=True)
class Macro:
    """What agents answer with: *texts* by language (``de``, ``pt-BR``), with gaps.

    *accounts* and *marketplaces* are those that it fits; all, where both are empty. *revision*
    rises with every change; 0: it is not stored yet.
    """

    name: str
    title: str
    texts: Mapping[str, str] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    marketplaces: tuple[str, ...] = ()
    written_by: str = ""
    written_at: datetime | None = None
    revision: int = 0


async def all_(db: Db) -> list[Macro]:
    """Every macro, by title."""
    return [_macro(row) for row in await db.fetch(ALL)]


async def of(db: Db, name: str) -> Macro | None:
    """One macro; None where none has this name."""
    row = await db.fetchrow(OF, name)
    return None if row is None else _macro(row)


async def put(db: Db, macro: Macro, by: str, now: datetime) -> bool:
    """Write *macro*; False where another has changed, made or removed it since *revision*."""
    values = macro.name, macro.title, macro.accounts, macro.marketplaces, by[:128], now
    if macro.revision:
        done = await db.fetchval(CHANGE, *values, macro.revision)
    else:
        done = await db.fetchval(ADD, *values)
    if done is None:
        return False
    await db.execute(CLEAR, macro.name)
    await db.executemany(SAY, [(macro.name, *text) for text in sorted(macro.texts.items())])
    return True


async def remove(db: Db, name: str, revision: int) -> bool:
    """Remove a macro; False where another has changed it since *revision*."""
    return bool(await db.fetchval(REMOVE, name, revision))


async def tongue(db: Db, account: str, thread: str) -> str | None:
    """In which language a thread is; None where nobody knows."""
    return (await languages.of(db, [(account, thread)])).get((account, thread))


def _macro(row: Record) -> Macro:
    return Macro(
        name=row["name"],
        title=row["title"],
        texts=row["texts"],
        accounts=tuple(row["accounts"]),
        marketplaces=tuple(row["marketplaces"]),
        written_by=row["written_by"],
        written_at=row["written_at"],
        revision=row["revision"],
    )
