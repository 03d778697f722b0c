"""What is judged together is found by indexes alone, however many there are of it."""

from __future__ import annotations

import pytest

from core.store import verdicts
from tests.core import seeds

MANY = 20_000
FILL = (
    """insert into thread (account, id, kind, buyer, as_of, order_ids)
       select 'mk', 'T' || i, 'message', 'Ada', $1::timestamptz, array['O' || i]
       from generate_series(1, $2::integer) i""",
    """insert into about
       select 'mk', what || case what when 'name:' then 'ada' else i::text end, 'T' || i
       from generate_series(1, $2::integer) i, unnest(array['name:', 'order:O', 'buyer:B']) what
       where $1::timestamptz is not null""",
    """insert into message (account, id, thread, party, kind, addressed_to, delivery, origin,
                            sent_at, seen_at, body, hash)
       select 'mk', 'A' || i, 'T' || i, 'seller', 'message', '{buyer}', 'accepted', 'elsewhere',
              $1::timestamptz - i * interval '1 hour', $1, 'An answer.', ''
       from generate_series(1, $2::integer) i""",
    """insert into verdict (account, id, at, delivery, body, is_copy, seen_at, message_id, thread,
                            order_id, buyer)
       select 'mk', 'V' || i, $1::timestamptz - i * interval '1 hour', 'confirmed', 'to ada: hello',
              true, $1, case i % 5 when 1 then 'A' || i end, case i % 5 when 2 then 'T' || i end,
              case i % 5 when 3 then 'O' || i end, case i % 5 when 4 then 'B' || i end
       from generate_series(1, $2::integer) i""",
    "analyze",
)


@pytest.fixture
async def db(pool, now):
    """One buyer's name for all, and a fifth of the verdicts tells no more than that."""
    async with pool.acquire() as db:
        await seeds.put_account(db, now)
        for sql in FILL:
            await db.execute(sql, *((now, MANY) if "$1" in sql else ()))
        yield db


async def plan(db, ids, named, leaving=()):
    told = [list(ids), list(named), [one for one, _ in leaving], [at for _, at in leaving]]
    sql = f"explain (analyze, costs off, timing off) {verdicts.NEAR}"
    return [row[0] for row in await db.fetch(sql, "mk", *told, verdicts.BACK, verdicts.AHEAD)]


@pytest.mark.parametrize("number", range(1, 6))
async def test_all_that_belongs_together_is_found_by_indexes_alone(db, now, number):
    ids, named = [f"T{number}"], [f"V{number}", f"A{number + 5}"]

    lines = await plan(db, ids, named, [(f"T{number + 10}", now)])

    assert [line for line in lines if "Seq Scan" in line and "WorkTable" not in line] == []
    removed = [int(line.split(":")[1]) for line in lines if "Rows Removed by" in line]
    assert max(removed, default=0) < 100


async def test_a_name_that_all_have_finds_what_left_at_about_its_time_alone(db):
    those = {"T100", "T101", "T102"}

    assert (await verdicts.near(db, "mk", ["T100"])).threads == those
    assert (await verdicts.near(db, "mk", [], ["V100"])).threads == those
    assert (await verdicts.near(db, "mk", ["T104"])).threads == {"T104"}
