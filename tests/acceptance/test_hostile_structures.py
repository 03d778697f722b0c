"""Threads of any shape, made by hypothesis beside one that is as it should be."""

from __future__ import annotations

import asyncio
import json
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import store
from tests.acceptance import moulds
from tests.acceptance.mill import Mill
from tests.acceptance.moulds import FRESH, Payload
from tests.acceptance.mutation import DATES, INJECTED, NUMBERS, WORDS

EXAMPLES, LONG_EXAMPLES = 200, 20_000
LIFE = 200
"""After so many examples the account begins anew."""

GOOD = {"id": f"good{FRESH}", "messages": [{"id": f"good-1{FRESH}", "body": "x"}]}
NAMES = ("a", "A", "a ", "á", "á", "5", "ａ", "x" * 900, "x" * 901, "x" * 1000, "x" * 1001)  # noqa: RUF001  # that they look alike is the point

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from(NUMBERS)
    | st.integers()
    | st.floats()
    | st.sampled_from(INJECTED)
    | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


def mostly(usual):
    """*usual*, and now and then anything."""
    return st.one_of(usual, usual, usual, usual, JSON)


IDS = mostly(
    st.sampled_from([*NAMES, *(f"{name[:800]}{FRESH}" for name in NAMES)])
    | st.sampled_from([5, 5.0, -0.0, True, 2**70])
)
TEXT = mostly(st.sampled_from(INJECTED) | st.text(max_size=40))
DATE = mostly(st.sampled_from(DATES) | st.datetimes().map(lambda at: at.isoformat() + "Z"))
WORD = mostly(st.sampled_from(WORDS))
SOMEBODY = st.fixed_dictionaries({}, optional={"type": WORD, "id": IDS, "display_name": TEXT})
PEOPLE = mostly(st.lists(mostly(SOMEBODY), max_size=3))
FILE = st.fixed_dictionaries({"id": IDS}, optional={"name": TEXT, "size": JSON})
MESSAGE = st.fixed_dictionaries(
    {"id": IDS},
    optional={
        "date_created": DATE,
        "body": TEXT,
        "from": mostly(SOMEBODY),
        "to": PEOPLE,
        "attachments": mostly(st.lists(mostly(FILE), max_size=2)),
    },
)
CLICK = st.fixed_dictionaries({}, optional={"date": DATE, "user_type": WORD})
THREAD = st.fixed_dictionaries(
    {"id": IDS},
    optional={
        "topic": mostly(st.fixed_dictionaries({"type": WORD, "value": TEXT})),
        "entities": PEOPLE,
        "current_participants": PEOPLE,
        "date_updated": DATE,
        "metadata": mostly(
            st.fixed_dictionaries(
                {}, optional={"total_count": JSON, "shop_reply_needed_since": DATE}
            )
        ),
        "no_store_reply_needed": mostly(st.lists(mostly(CLICK), max_size=3)),
        "messages": mostly(st.lists(mostly(MESSAGE), max_size=4)),
    },
)
THREADS = st.lists(mostly(THREAD), max_size=4)


@pytest.fixture
def grinding(address):
    """Grinds a page in a loop of its own; after a fault the account begins anew."""
    with asyncio.Runner() as runner:
        pool = runner.run(store.open_pool(address, size=2))
        mill = Mill(pool, runner.run(moulds.real()))
        marks = count()

        async def grind(threads):
            mark = next(marks)
            if mark % LIFE == 0:
                await mill.begin()
            text = json.dumps({"data": [*threads, GOOD]}).replace(FRESH, f"-{mark}")
            whole = {f"good-{mark}": frozenset({f"good-1-{mark}"})}
            try:
                await mill.grind([Payload("M11", text.encode(), whole)])
                if mark % LIFE == LIFE - 1:
                    await mill.end()
            except BaseException:
                await mill.begin()
                raise

        yield lambda threads: runner.run(grind(threads))
        runner.run(mill.end())
        runner.run(pool.close())


@pytest.mark.timeout(3600)
def test_whatever_a_thread_looks_like_it_is_accounted_for_and_its_neighbour_is_stored(
    grinding, long_form, tell
):
    examples = LONG_EXAMPLES if long_form else EXAMPLES
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

    @settings(max_examples=examples, suppress_health_check=quiet)
    @given(THREADS)
    def holds(threads):
        grinding(threads)

    holds()
    tell("examples", examples)
