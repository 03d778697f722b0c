"""What the database itself says of its tables: nothing that is dumped is listed by hand."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from core.store.dumpfile import Counter, Table, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.store import Db
    from core.store.migrate import Migration

TABLES = """
    select c.relname::text as name,
           array(select a.attname::text from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                   and a.attgenerated = ''
                 order by a.attnum) as columns
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    order by c.relname
"""
NEEDED = """
    select t.relname::text as name, n.relname::text as needs
    from pg_constraint f
    join pg_class t on t.oid = f.conrelid
    join pg_class n on n.oid = f.confrelid
    where f.contype = 'f' and t.relnamespace = current_schema()::regnamespace
"""
COUNTERS = """
    select t.name, t.column, pg_sequence_last_value(t.sequence::regclass) as value
    from (
        select c.relname::text as name, a.attname::text as "column",
               pg_get_serial_sequence(quote_ident(c.relname), a.attname) as sequence
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
          and a.attnum > 0 and not a.attisdropped
    ) t
    where t.sequence is not null
    order by t.name, t.column
"""
SET = "select setval(pg_get_serial_sequence(quote_ident($1), $2)::regclass, $3)"
MADE = re.compile(r"^create (table|type) (?:if not exists )?(\w+)", re.MULTILINE)
GONE = re.compile(r"^drop (table|type) (?:if exists )?(\w+)", re.MULTILINE)


async def tables(db: Db) -> list[Table]:
    """Every table of the schema, each after those that it refers to."""
    found = {
        row["name"]: Table(row["name"], tuple(row["columns"])) for row in await db.fetch(TABLES)
    }
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(sorted(found), ()))
    for name, needs in await db.fetch(NEEDED):
        if name != needs and needs in found:
            order.add(name, needs)
    return [found[name] for name in order.static_order()]


async def counters(db: Db) -> list[Counter]:
    """Where the sequence of each column that has one stands."""
    return [Counter(*row) for row in await db.fetch(COUNTERS)]


def made(migrations: Iterable[Migration], what: str = "table") -> frozenset[str]:
    """The names of the tables, or types, that *migrations* leave behind."""
    there: set[str] = set()
    for migration in migrations:
        there |= {name for kind, name in MADE.findall(migration.sql) if kind == what}
        there -= {name for kind, name in GONE.findall(migration.sql) if kind == what}
    return frozenset(there)


def listed(names: Sequence[str]) -> str:
    """*names* as SQL lists them."""
    return ", ".join(map(quoted, names))
