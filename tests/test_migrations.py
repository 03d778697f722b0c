"""A new version beside the old one: what a migration may do to those who do not know it.

A migration is an expansion or a contraction, and says which (`core.store.migrate`). That an
expansion only adds is read off its text, by a list of what may stand in one: whatever is not on it
is none. That is no proof, for SQL can do more than a pattern sees; so every statement of released
versions is prepared against the newest tables too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.store import migrate, recalled

RELEASED = Path(__file__).parent / "released"
UNMARKED = 38
"""Migrations up to this one were made before they had to say what they are."""

TOGETHER = 47
"""Migrations up to this one built indexes of older tables while they held up who wrote."""

NAME = r"[a-z_]+"
TYPE = r"(?:(?!\bnot\b)[a-z]+ ?)+(?:\(\d+\))?(?:\[\])?"
COLUMN = rf"add column (?:if not exists )?{NAME} {TYPE}(?: ?(?:not null )?default [^,]+)?"
STATISTICS = rf"alter column {NAME} set statistics \d+"
ADDS = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"create table (?:if not exists )?{NAME} \(.*\)(?: with \([^)]*\))?",
        rf"create type {NAME} as enum \(.*\)",
        rf"create index (?:concurrently )?(?:if not exists )?{NAME}\s+on {NAME}\b.*",
        rf"alter table {NAME}\s+(?:(?:{COLUMN}|{STATISTICS})(?:,\s+|$))+",
        rf"alter index {NAME} alter column \d+ set statistics \d+",
        rf"alter type {NAME} add value .*",
        rf"comment on (?:table|column|index|type) {NAME}(?:\.{NAME})? is\s+'.*'",
        rf"insert into {NAME} .*",
        rf"analyze {NAME}",
    )
]
UNIQUE = re.compile(
    rf"create unique index (?:if not exists )?{NAME}\s+on (?P<table>{NAME})\b.*", re.DOTALL
)
MADE = re.compile(rf"create table (?:if not exists )?({NAME})")
INDEXED = re.compile(
    rf"create (?:unique )?index (?!concurrently)(?:if not exists )?{NAME}\s+on ({NAME})"
)
FILLED = re.compile(rf"insert into ({NAME})")


def statements(sql: str) -> list[str]:
    """The statements of a file, without its comments; none of ours has a semicolon in a text."""
    bare = re.sub(r"^\s*--.*$", "", sql, flags=re.MULTILINE)
    parts = re.findall(r"(?:'(?:[^']|'')*'|[^';])+", bare)
    return [said for part in parts if (said := " ".join(part.split("\n")).strip())]


def more_than_adds(sql: str) -> list[str]:
    """What of a file an expansion may not do, as far as its text tells."""
    found, made = statements(sql), set(MADE.findall(sql))
    return [said for said in found if not _adds(said, made)]


def holding_up(sql: str) -> list[str]:
    """The tables whose writers a file lets wait while it builds an index of them."""
    made = set(MADE.findall(sql))
    return [table for table in INDEXED.findall(sql) if table not in made]


def _adds(said: str, made: set[str]) -> bool:
    if unique := UNIQUE.fullmatch(said):
        return unique["table"] in made  # of an older table it refuses what older programs write
    if (filled := FILLED.match(said)) and filled[1] not in made:
        return False
    return any(pattern.fullmatch(said) for pattern in ADDS)


@pytest.mark.parametrize(
    "migration", [m for m in migrate.shipped() if m.version > UNMARKED], ids=lambda m: m.name
)
def test_each_new_migration_says_what_it_is_and_an_expansion_only_adds(migration):
    assert migration.needs is not None, "say -- expand, or -- contract: needs NNNN"
    if migration.needs == 0:
        assert more_than_adds(migration.sql) == []


@pytest.mark.parametrize(
    "migration", [m for m in migrate.shipped() if m.version > TOGETHER], ids=lambda m: m.name
)
def test_an_index_of_a_table_that_is_written_to_is_built_beside_who_writes(migration):
    assert holding_up(migration.sql) == []


def test_which_indexes_hold_up_who_writes():
    assert holding_up("create index a_b on a (b);") == ["a"]
    assert holding_up("create table a (b text); create index a_b on a (b);") == []
    assert holding_up("create index concurrently if not exists a_b on a (b);") == []


@pytest.mark.parametrize(
    "sql",
    [
        "create table a (\n    b text primary key,\n    c text not null\n) with (fillfactor = 50);",
        "create table a (b text); create unique index a_b on a (b) where b <> ';';",
        "alter table a add column b text, add column c integer not null default 0;",
        "alter table a add column b bytea[];\nalter table a alter column b set statistics 0;",
        "create index concurrently if not exists a_b on a (b);",
        "-- drop table a;\ncomment on column a.b is 'drop table; a''s';",
        "create table a (b text); insert into a select c from d;",
    ],
)
def test_what_only_adds_is_an_expansion(sql):
    assert more_than_adds(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "drop table a;",
        "alter table a drop column b;",
        "alter table a rename column b to c;",
        "alter table a rename to b;",
        "alter table a alter column b type text;",
        "alter table a alter column b set not null;",
        "alter table a alter column b drop not null;",
        "alter table a add column b text not null;",
        "alter table a add column b text, drop column c;",
        "alter table a add constraint c check (b > 0);",
        "create unique index a_b on a (b);",
        "create table b (c text); create unique index a_b on a (b);",
        "drop index a_b;",
        "update a set b = 1;",
        "delete from a;",
        "truncate a;",
        "insert into a values (1);",
        "alter type a rename value 'b' to 'c';",
        "create trigger t before insert on a execute function f();",
        "comment on table a is 'harmless'; drop table a;",
    ],
)
def test_what_changes_what_was_there_is_no_expansion(sql):
    assert more_than_adds(sql) != []


def test_every_statement_of_the_first_migrations_is_found():
    """The reader of statements sees as many as psql would."""
    for migration in migrate.shipped():
        bare = re.sub(r"^\s*--.*$", "", migration.sql, flags=re.MULTILINE)
        texts = re.sub(r"'(?:[^']|'')*'", "''", bare)
        ends = len([part for part in texts.split(";") if part.strip()])
        assert len(statements(migration.sql)) == ends, migration.name


def releases() -> list[Path]:
    """Frozen statements of the versions that the newest tables still serve."""
    least = max((m.needs for m in migrate.shipped() if m.needs), default=0)
    return [path for path in sorted(RELEASED.glob("*.json")) if int(path.stem) >= least]


@pytest.mark.parametrize("path", releases(), ids=lambda path: path.stem)
async def test_statements_of_a_released_version_prepare_against_the_newest_tables(path, pool):
    said = json.loads(path.read_text())
    assert len(said) > 200

    async with pool.acquire() as db:
        for made in (recalled.MAKE_KEYS, recalled.MAKE):  # of a command, for as long as it takes
            await db.execute(made)
        for where, text in said.items():
            try:
                await db.prepare(text)
            except Exception as fault:
                raise AssertionError(f"{where} of {path.stem}: {fault}") from fault


def test_a_released_version_is_frozen():
    assert releases() != []
