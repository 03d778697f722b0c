from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from core.arrival import hearing, rhythm
from core.arrival.rhythm import ALL, HOUR, SLOT
from core.metrics import Metrics
from core.model import NoticeKind
from core.reading import heartbeat
from core.reading.heartbeat import LOOK_EVERY, Place
from core.store import heartbeats, pushes, transaction
from sla.calendar import WHOLE_DAY, Calendar
from tests.core import pages, pulses, seeds
from tests.core.pulses import DAY

SILENT, HEARD = NoticeKind.PUSH_SILENT, NoticeKind.PUSH_HEARD
TOLD = {"receives": True, "polled": False}
WEEKS = 9
CLOSED, CHRISTMAS = date(2026, 6, 3), date(2026, 12, 25)


class Channel:
    """An account that is pushed, with what was heard of it; *now* moves on."""

    def __init__(self, pool, now, **says):
        self.pool, self.now, self.metrics = pool, now, Metrics()
        self.rules = seeds.rules(says=TOLD | says)
        self.place = Place()

    async def has_heard(self, instants):
        """As if these had been pushed, and somebody had listened since the first of them."""
        instants = [at for at in instants if at <= self.now]
        async with transaction(self.pool) as db:
            for hour, slots in pulses.by_hour(instants).items():
                await heartbeats.mark(db, ["mk"], hour, slots)
            await db.execute(
                "insert into pushing (account, last_at) values ('mk', $1)"
                " on conflict (account) do update set last_at = $1",
                instants[-1],
            )
        await self.has_listened(rhythm.floor(instants[0], HOUR), self.now)
        return instants[-1]

    async def has_listened(self, begin, end):
        async with transaction(self.pool) as db:
            await heartbeats.listened(db, rhythm.masks(begin, end))

    async def pushed(self, *, sure=True):
        async with transaction(self.pool) as db:
            await hearing.heard(db, self.rules, ["mk"], self.now, sure=sure)

    async def looks(self, *, place=None, sure=True):
        place = place or self.place
        return await heartbeat.once(self.pool, self.rules, self.metrics, place, self.now, sure=sure)

    async def turns(self, length, every=LOOK_EVERY, **kwargs):
        """Look all the while; what is told meanwhile."""
        end = self.now + length
        while self.now < end:
            await self.looks(**kwargs)
            self.now += every
        return await self.told()

    async def is_silent_for(self, length):
        """As `turns`, in one step: some process listened meanwhile, and this one looks again."""
        end = self.now + length
        await self.has_listened(self.now, end)
        self.now, self.place = end, Place()
        await self.looks()
        return await self.told()

    async def told(self):
        found = await pages.rows(self.pool, "notice", "id")
        return [(row["kind"], row["facts"]) for row in found]

    async def kinds(self):
        return [kind for kind, _ in await self.told()]

    async def marked(self, table):
        return {row["hour"]: row["slots"] for row in await pages.rows(self.pool, table)}


@pytest.fixture
def at():
    return pulses.MONDAY + WEEKS * timedelta(weeks=1) + 12 * HOUR


@pytest.fixture
async def channel(pool, at):
    await pages.monitored(pool, at - 300 * DAY)
    return Channel(pool, at)


@pytest.fixture
async def busy(channel):
    """Three hundred a day, until just now."""
    last = await channel.has_heard(pulses.pushes(Random(1), 300, WEEKS + 1, sunday=0.5))
    channel.last = last
    return channel


async def test_a_busy_account_that_falls_silent_is_told_once(busy):
    told = await busy.turns(9 * HOUR)

    assert [kind for kind, _ in told] == [SILENT]
    facts = told[0][1]
    assert facts["since"] == busy.last.isoformat()
    assert 50 < facts["usual"] < 288
    assert facts["polled"] is False
    assert facts["trouble"] == ""


async def test_the_next_push_takes_it_back_once(busy):
    await busy.is_silent_for(2 * DAY)
    await busy.pushed()
    await busy.pushed()
    await busy.turns(HOUR)

    told = await busy.told()
    assert [kind for kind, _ in told] == [SILENT, HEARD]
    assert told[1][1] == {"since": busy.last.isoformat(), "polled": False}


async def test_a_second_silence_is_told_again(busy):
    await busy.is_silent_for(2 * DAY)
    await busy.pushed()
    await busy.is_silent_for(3 * DAY)

    assert await busy.kinds() == [SILENT, HEARD, SILENT]


async def test_the_metric_says_beforehand_when_it_will_be_told(busy):
    await busy.looks()
    foreseen = busy.metrics.push_silent_from.get("mk")
    while not await busy.told():
        await busy.turns(SLOT)

    assert busy.now.timestamp() - foreseen <= 2 * SLOT.total_seconds()
    assert busy.metrics.push_silent_from.get("mk") == foreseen


async def test_our_own_downtime_is_not_the_platforms_silence(busy):
    busy.now += 3 * DAY
    told = await busy.turns(HOUR)

    assert told == []
    assert [kind for kind, _ in await busy.is_silent_for(2 * DAY)] == [SILENT]


async def test_a_process_that_was_stopped_did_not_listen(busy):
    """It turned before, and turns again: in between nobody knows."""
    await busy.turns(2 * SLOT)
    busy.now += 3 * DAY

    assert await busy.turns(2 * SLOT) == []
    assert await busy.kinds() == []


async def test_a_silence_is_told_after_a_kill_as_well_and_only_once(busy):
    """Whoever begins anew remembers nothing but what is stored."""
    kinds = []
    for _ in range(12):
        busy.place = Place()
        kinds = [kind for kind, _ in await busy.turns(HOUR)]

    assert kinds == [SILENT]


async def test_two_processes_tell_it_once(busy):
    await busy.has_listened(busy.now, busy.now + 2 * DAY)
    busy.now += 2 * DAY

    await asyncio.gather(*(busy.looks(place=Place()) for _ in range(5)))

    assert await busy.kinds() == [SILENT]


async def test_what_is_pushed_while_it_is_judged_is_no_silence(busy):
    """It came after the look had read when the last one came."""
    last_at = busy.last
    await busy.pushed()

    async with transaction(busy.pool) as db:
        await hearing.quiet(db, busy.rules, "mk", last_at, last_at, (), busy.now)

    assert await busy.told() == []


async def test_what_is_told_for_another_reason_is_not_told_again(busy):
    async with transaction(busy.pool) as db:
        await hearing.told(db, busy.rules, "mk", ("destination_disabled",), busy.now)
    await busy.is_silent_for(2 * DAY)
    assert await busy.kinds() == [SILENT]

    async with transaction(busy.pool) as db:
        await hearing.told(db, busy.rules, "mk", (), busy.now)
    assert await busy.kinds() == [SILENT], "it is switched on again, and nothing comes all the same"
    await busy.pushed()
    assert await busy.kinds() == [SILENT, HEARD]


async def test_of_a_new_account_nothing_is_told(channel):
    channel.last = await channel.has_heard([channel.now - 3 * DAY + n * HOUR for n in range(72)])

    assert await channel.is_silent_for(3 * DAY) == []
    assert channel.metrics.push_silent_from.get("mk") == float("inf")


async def test_of_one_that_was_never_pushed_anything_nothing_is_told(channel):
    assert await channel.is_silent_for(3 * DAY) == []


async def test_the_settings_may_say_how_long_it_may_last(pool, at):
    await pages.monitored(pool, at)
    channel = Channel(pool, at, silence=6 * HOUR)
    await channel.pushed()

    assert await channel.is_silent_for(6 * HOUR) == []
    told = await channel.turns(HOUR)
    assert [kind for kind, _ in told] == [SILENT]
    assert told[0][1]["limit"] == 6 * 3600


async def test_with_such_a_limit_a_webhook_that_never_worked_is_told_too(pool, at):
    await pages.monitored(pool, at)
    channel = Channel(pool, at, silence=6 * HOUR)

    ((kind, facts),) = await channel.is_silent_for(7 * HOUR)

    assert kind == SILENT
    assert facts["since"] == at.isoformat()


async def test_with_such_a_limit_only_the_time_in_which_anybody_listened_counts(pool, at):
    """No push ever came, and nobody listened for the first days: that is nobody's silence."""
    await pages.monitored(pool, at, replace(pages.setup(), streams=()))
    channel = Channel(pool, at + 3 * DAY, silence=6 * HOUR)

    assert await channel.is_silent_for(5 * HOUR) == []
    told = await channel.turns(2 * HOUR)

    assert [kind for kind, _ in told] == [SILENT]


async def test_who_was_not_read_for_a_while_is_silent_from_his_return_on(busy):
    async with busy.pool.acquire() as db:
        await db.execute("update account set monitored_since = $1", busy.now + 2 * DAY)
    await busy.has_listened(busy.last, busy.now + 2 * DAY)
    busy.now += 2 * DAY

    assert await busy.turns(HOUR) == []


async def test_only_accounts_that_are_pushed_have_a_heartbeat(busy):
    busy.rules = seeds.rules(says={"receives": False})

    assert await busy.is_silent_for(2 * DAY) == []


BERLIN = Calendar("Europe/Berlin", {0: WHOLE_DAY}, {CLOSED: ()}, holidays=frozenset({CHRISTMAS}))


@pytest.mark.parametrize(
    ("calendars", "zone", "holidays", "is_told"),
    [
        ((), "UTC", set(), False),
        ((Calendar.always(),), "UTC", set(), False),
        ((Calendar.always(), BERLIN), "Europe/Berlin", {CLOSED, CHRISTMAS}, True),
        ((replace(BERLIN, holidays=frozenset()),), "Europe/Berlin", {CLOSED}, False),
    ],
)
def test_the_calendars_of_its_promises_say_how_its_week_goes(calendars, zone, holidays, is_told):
    week = heartbeat.week_of([seeds.policy(calendar=one) for one in calendars])

    assert (week.zone.key, week.holidays, week.is_told) == (zone, holidays, is_told)


async def test_a_clock_that_is_not_believed_marks_and_tells_nothing(busy):
    before = await busy.marked("listened_hour"), await busy.marked("push_hour")
    busy.now += 40 * DAY
    await busy.turns(HOUR, sure=False)
    await busy.pushed(sure=False)

    assert (await busy.marked("listened_hour"), await busy.marked("push_hour")) == before
    assert await busy.told() == []


async def test_a_push_of_next_year_hides_no_silence(busy):
    """The clock ran ahead, and nobody had noticed yet."""
    now = busy.now
    busy.now += 365 * DAY
    await busy.pushed()
    busy.now = now
    await busy.pushed()

    await busy.is_silent_for(2 * DAY)

    assert await busy.kinds() == [SILENT]


async def test_a_thousand_pushes_write_one_row_an_hour(channel):
    for _ in range(100):
        await asyncio.gather(*(channel.pushed() for _ in range(5)))
        channel.now += timedelta(seconds=1)

    marked = await channel.marked("push_hour")
    assert len(marked) == 1
    assert sum(slots.bit_count() for slots in marked.values()) == 1


async def test_slots_are_marked_once_they_are_over(channel):
    channel.now += timedelta(minutes=2)
    await channel.turns(timedelta(minutes=30))

    marked = await channel.marked("listened_hour")
    assert set(marked) == {rhythm.floor(channel.now, HOUR)}
    assert marked.popitem()[1].bit_count() in {5, 6}


async def test_what_is_old_is_forgotten_and_what_a_clock_ahead_has_left(busy):
    async with transaction(busy.pool) as db:
        await heartbeats.mark(db, ["mk"], busy.now + 300 * DAY, ALL)
        await heartbeats.mark(db, ["mk"], busy.now - 300 * DAY, ALL)
        gone = await heartbeat.purge(db, busy.now)

    assert gone == 2


async def test_the_state_is_that_of_pushes(busy):
    await busy.is_silent_for(2 * DAY)

    async with transaction(busy.pool) as db:
        assert (await pushes.states(db))["mk"] == (busy.last, True)
