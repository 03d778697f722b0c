"""What a marketplace says of all the rest: stored where it ends something, and only there."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from core.store import readings, transaction
from sla.clock import REST, Given, clocks
from tests.core import pages, seeds
from tests.core.pages import HOUR

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
ACTS = ("approve", "refund", "write")


def bundle(step, asked, acted_at=None, outcome=None, read_at=None):
    """What one reading of a return says: what it asks, and that the rest is not asked."""
    as_of = BEGIN + step * HOUR
    read_at = read_at or as_of
    asks = [
        Given("return", act, asks=True, as_of=as_of, read_at=read_at, due_at=due)
        for act, due in asked.items()
    ]
    rest = Given(
        "return", REST, asks=False, as_of=as_of, read_at=read_at, acted_at=acted_at, outcome=outcome
    )
    return [*asks, rest]


def kept(bundles):
    """What is stored of these, one after the other, as `core.arrival.news` looks at them."""
    known = []
    for told in bundles:
        for one in sorted(told, key=lambda g: g.act != REST):
            if readings.is_news(known, one, None, told):
                known.append(one)
    return known


asked = st.dictionaries(
    st.sampled_from(ACTS), st.integers(1, 4).map(lambda day: BEGIN + day * 24 * HOUR), max_size=2
)
acts = st.none() | st.integers(0, 3).map(lambda hour: BEGIN + hour * HOUR)
outcomes = st.none() | st.sampled_from(["withdrawn", "escalated"])


@given(st.lists(st.tuples(asked, acts, outcomes), max_size=8))
def test_what_is_left_out_changes_no_clock(told):
    bundles = [bundle(step, *one) for step, one in enumerate(told)]

    everything = [one for each in bundles for one in each]

    assert clocks([], [], kept(bundles)) == clocks([], [], everything)


def test_what_repeats_is_stored_once():
    due = {"approve": BEGIN + 24 * HOUR}

    assert len(kept([bundle(step, due) for step in range(9)])) == 2


def test_what_is_still_asked_is_told_again_beside_what_ends():
    due = BEGIN + 24 * HOUR
    first, second = bundle(0, {"approve": due, "refund": due}), bundle(1, {"refund": due})

    found = {c.promise: c.ended for c in clocks([], [], kept([first, second]))}

    assert found == {"given:return:approve": "met", "given:return:refund": None}


async def test_the_rest_ends_a_stored_deadline(pool, now):
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
    first = [("T1", g) for g in bundle(0, {"approve": BEGIN + 24 * HOUR})]
    second = [("T1", g) for g in bundle(1, {"refund": BEGIN + 48 * HOUR})]
    again = [("T1", g) for g in bundle(2, {"refund": BEGIN + 48 * HOUR})]

    for told in (first, second, again):
        await pages.stored(pool, now, *told)

    async with transaction(pool) as db:
        known = (await readings.of(db, "mk", ["T1"]))["T1"]
    assert sorted((g.act, (g.as_of - BEGIN) / HOUR) for g in known) == [
        ("*", 0), ("*", 1), ("approve", 0), ("refund", 1),
    ]  # fmt: skip
    ended = {c.promise: c.ended for c in clocks([], [], known)}
    assert ended == {"given:return:approve": "met", "given:return:refund": None}
