"""How many calls a day of walks costs, and what is read again though its summary says the same."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors import ebay
from connectors.ebay.dossiers import walk as walking
from connectors.ebay.dossiers.reading import Dossiers
from connectors.ebay.dossiers.walk import Known
from core.transport import salvage
from tests.connectors.ebay.conftest import NOON
from tests.connectors.ebay.dossiers.files import DAY, HOUR
from tests.connectors.ebay.dossiers.lives import LIVES

README = Path(ebay.__file__).with_name("README.md").read_text(encoding="utf-8")
MINUTE = timedelta(minutes=1)
EVERY = 5 * MINUTE
KINDS = {
    "inquiries": "inquiry",
    "returns": "return",
    "cancellations": "cancellation",
    "cases": "case",
}
POST_ORDER = {
    "inquiries": "open_inquiry",
    "returns": "open_return",
    "cancellations": "open_cancellation",
    "cases": "open_case",
}


def known(*, read, due=None, mark="x"):
    asked = (("ACT", due.isoformat() if due else None, None, False),)
    return Known(mark=mark, opened=None, read=read.isoformat(), asked=asked)


def again(**open_):
    return walking.again(open_, EVERY, NOON)


class TestAgain:
    def test_what_was_read_lately_is_not(self):
        assert again(a=known(read=NOON - 25 * MINUTE)) == frozenset()

    def test_what_would_be_too_old_at_the_next_walk_is(self):
        assert again(a=known(read=NOON - 26 * MINUTE)) == {"a"}

    @pytest.mark.parametrize("due", [NOON + HOUR, NOON - HOUR])
    def test_what_is_to_be_answered_soon_or_was_just_now_is_sooner(self, due):
        assert again(a=known(read=NOON - 5 * MINUTE, due=due)) == frozenset()
        assert again(a=known(read=NOON - 6 * MINUTE, due=due)) == {"a"}
        later = due + (due - NOON) / 60
        assert again(a=known(read=NOON - 6 * MINUTE, due=later)) == frozenset()

    def test_what_could_not_be_read_always_is(self):
        assert again(a=known(read=NOON, mark="")) == {"a"}

    def test_of_many_the_longest_unread_are_and_all_that_are_urgent(self):
        many = {f"{n}": known(read=NOON - n * MINUTE) for n in range(40, 200)}
        urgent = {f"u{n}": known(read=NOON - HOUR, due=NOON) for n in range(60)}
        owed = {f"o{n}": known(read=NOON - HOUR, mark="") for n in range(60)}

        found = again(**many, **urgent, **owed)

        assert found == {f"{n}" for n in range(188, 200)} | urgent.keys() | owed.keys()

    @pytest.mark.parametrize("many", [1, 12, 13, 25, 60])
    @pytest.mark.parametrize("every", [MINUTE, EVERY, 10 * MINUTE])
    def test_none_is_unread_for_more_than_half_an_hour(self, many, every):
        ages = [age for age, _ in unread(many, every, 100)]

        assert max(ages) <= 30 * MINUTE

    def test_of_more_each_is_read_in_its_turn(self):
        ages = [age for age, _ in unread(240, EVERY, 100)]

        assert max(ages) == 240 / 12 * EVERY

    @pytest.mark.parametrize("many", [75, 2000])
    def test_however_many_there_are_a_day_costs_less_than_ebay_was_seen_to_allow(self, many):
        details = sum(read for _, read in unread(many, EVERY, DAY // EVERY))

        assert details + 2 * (DAY // EVERY) < 4_500


def unread(many, every, walks):
    """By walk: how long the longest was unread, and how many are read again."""
    open_ = {f"{n}": known(read=NOON) for n in range(many)}
    for number in range(1, walks + 1):
        now = NOON + number * every
        oldest = min(datetime.fromisoformat(one.read) for one in open_.values())
        found = walking.again(open_, every, now)
        yield now - oldest, len(found)
        open_ |= {id_: known(read=now) for id_ in found}


class Counting:
    """Answers by what stands at the desk, without HTTP: a day is thousands of calls."""

    def __init__(self, desk):
        self.desk, self.calls = desk, Counter()

    def is_own(self, name):
        return False

    async def get_items(self, host, path, model, *, operation, params=None, names=(), **how):
        self.calls[operation] += 1
        [life] = [life for life in LIVES.values() if operation in life.source.operations]
        one = self.desk.dossiers.get(path.rpartition("/")[2])
        if one is not None:
            return salvage.read(model, life.module.detail(one), names)
        begin, end = (datetime.fromisoformat(params[name]) for name in life.source.window)
        every = [d for d in self.desk.dossiers.values() if KINDS[life.source.stream] == d.KIND]
        found = [life.module.summary(d) for d in every if begin <= d.opened_at <= end]
        return salvage.read(model, {life.source.members: found, "total": len(found)}, names)


async def test_a_day_of_ten_open_ones_of_each_kind_costs_few_calls(desk, options, clock):
    """What README says; nothing happens, and no date comes near."""
    access = Counting(desk)
    dossiers, cursors = Dossiers(access, options), {}
    for name in POST_ORDER.values():
        for _ in range(10):
            getattr(desk, name)(at=clock() - HOUR, within=9 * DAY)

    async def walks():
        for stream in POST_ORDER:
            position, more = None, True
            while more:
                page = await dossiers.fetch(stream, cursors.get(stream), position, clock())
                position, more = page.position, page.more
            cursors[stream] = page.cursor

    await walks()
    access.calls.clear()
    for _ in range(DAY // EVERY):
        clock.advance(minutes=5)
        await walks()

    searches = sum(n for name, n in access.calls.items() if name.startswith("search"))
    total = access.calls.total()
    assert (searches, total) == (288 * 6, 288 * 6 + 48 * 40)
    assert f"{total:,} calls a day, {searches:,} of them searches" in README
    assert all(len(json.loads(cursor)["open"]) == 10 for cursor in cursors.values())
