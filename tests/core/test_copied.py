"""Cells as PostgreSQL reads them: what is written by COPY comes back as the library reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import pytest

from core.store import copied, transaction

EAST = timezone(timedelta(hours=5, minutes=45))
CELLS = [
    ("text", "", copied.text("")),
    ("text", "Grüße, 你好 \t\n\\N", copied.text("Grüße, 你好 \t\n\\N")),
    ("text", None, copied.text(None)),
    ("bytea", b"\x00\xff", copied.blob(b"\x00\xff")),
    ("integer", -(2**31), copied.integer(-(2**31))),
    ("integer", None, copied.integer(None)),
    ("bigint", 2**63 - 1, copied.bigint(2**63 - 1)),
    *(("boolean", value, copied.boolean(value)) for value in (True, False)),
    ("timestamptz", None, copied.instant(None)),
    *(
        ("timestamptz", at, copied.instant(at))
        for at in (
            datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(2026, 3, 29, 2, 30, tzinfo=EAST),
            datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC),
        )
    ),
    ("jsonb", None, copied.json_(None)),
    ("jsonb", {"a": [1, None, "ü"]}, copied.json_(json.dumps({"a": [1, None, "ü"]}).encode())),
    ("text[]", [], copied.texts([])),
    ("text[]", ["", "a,b", '"{}'], copied.texts(["", "a,b", '"{}'])),
    ("bytea[]", None, copied.blobs(None)),
    ("bytea[]", [], copied.blobs([])),
    ("bytea[]", [b"", b"\x00\xff"], copied.blobs([b"", b"\x00\xff"])),
    ("timestamptz[]", [], copied.instants([])),
    (
        "timestamptz[]",
        [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)],
        copied.instants([
            datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        ]),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "cell"), CELLS)
async def test_what_is_copied_comes_back(pool, kind, value, cell):
    async with transaction(pool) as db:
        await db.execute(f"create temp table told (it {kind}) on commit drop")
        await copied.write(db, "told", ("it",), [cell])
        assert await db.fetchval("select it from told") == value


@pytest.mark.parametrize("rows", [0, 1, copied.PART, copied.PART + 1])
async def test_every_row_is_written_whatever_their_number(pool, rows):
    cells = [copied.integer(n) + copied.text(str(n)) for n in range(rows)]
    async with transaction(pool) as db:
        await db.execute("create temp table told (n integer, name text) on commit drop")
        await copied.write(db, "told", ("n", "name"), cells)
        found = await db.fetch("select n, name from told order by n")
    assert [tuple(row) for row in found] == [(n, str(n)) for n in range(rows)]


async def test_what_no_text_can_hold_is_refused_by_the_server(pool):
    async with pool.acquire() as db:
        await db.execute("create temp table told (it text)")
        with pytest.raises(asyncpg.CharacterNotInRepertoireError):
            await copied.write(db, "told", ("it",), [copied.text("a\0b")])
        await db.execute("drop table told")


def test_what_is_no_text_is_refused_before():
    with pytest.raises(UnicodeEncodeError):
        copied.text("\ud800")
