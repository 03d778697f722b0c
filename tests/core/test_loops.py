from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from structlog.testing import capture_logs

from core import loops
from core.errors import BadCredentials, StoreImpaired, StoreUnavailable
from core.metrics import Metrics

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


async def started(coroutine):
    task = asyncio.create_task(coroutine)
    await asyncio.sleep(0)
    return task


async def test_a_pause_ends_at_once_when_asked_to_stop():
    stop = asyncio.Event()
    task = await started(loops.pause(stop, 60))

    stop.set()

    await asyncio.wait_for(task, 0.5)


async def test_a_pause_ends_at_once_when_woken_and_the_wake_is_spent():
    stop, wake = asyncio.Event(), asyncio.Event()
    task = await started(loops.pause_or_wake(stop, 60, wake))

    wake.set()

    await asyncio.wait_for(task, 0.5)
    assert not wake.is_set()


async def test_cancelling_a_pause_leaves_no_task():
    task = await started(loops.pause_or_wake(asyncio.Event(), 60, asyncio.Event()))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_round_begins_after_what_goes_first():
    stop, rounds = asyncio.Event(), []
    first = loops.Precedence()
    first.hold(held=True)

    async def once(_now):
        rounds.append(1)
        stop.set()

    task = await started(loops.every("poll", once, stop, after=first))
    await asyncio.sleep(0.05)
    assert rounds == []

    first.hold(held=False)
    await asyncio.wait_for(task, 0.5)
    assert rounds == [1]


async def test_what_goes_first_holds_nobody_up_for_ever():
    first = loops.Precedence(0.01)
    first.hold(held=True)

    await asyncio.wait_for(first.passed(asyncio.Event()), 0.5)


async def test_what_has_gone_first_for_long_lets_the_others_go_on_for_as_long():
    first, stop = loops.Precedence(0.2), asyncio.Event()
    first.hold(held=True)
    await first.passed(stop)

    first.hold(held=True)
    async with asyncio.timeout(0.1):
        for _ in range(100):
            first.hold(held=True)
            await first.passed(stop)

    await asyncio.sleep(0.2)
    first.hold(held=True)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(first.passed(stop), 0.1)


async def test_whatever_goes_first_without_end_the_others_have_half_of_the_time():
    first, stop, rounds = loops.Precedence(0.05), asyncio.Event(), []

    async def once(now):
        rounds.append(now)
        return now + timedelta(milliseconds=5)

    task = await started(loops.every("deliver", once, stop, after=first))
    for n in range(200):
        first.hold(held=n % 20 != 0)
        await asyncio.sleep(0.005)
    stop.set()
    await asyncio.wait_for(task, 0.5)

    # Of at most 200; a loop that was held up all but a twentieth of the time had some 10.
    assert len(rounds) > 40


async def test_who_waits_for_what_goes_first_stops_at_once_when_asked():
    stop, rounds = asyncio.Event(), []
    first = loops.Precedence(60)
    first.hold(held=True)

    async def once(_now):
        rounds.append(1)

    task = await started(loops.every("poll", once, stop, after=first))
    await asyncio.sleep(0.01)
    stop.set()

    await asyncio.wait_for(task, 0.5)
    assert rounds == []


@pytest.mark.parametrize(
    ("again", "wait"),
    [
        (None, 1.0),
        (NOW + timedelta(seconds=0.25), 0.25),
        (NOW + timedelta(hours=1), 1.0),
        (NOW - timedelta(hours=1), 0.0),
    ],
)
def test_a_loop_sleeps_until_the_instant_named_one_tick_at_most(again, wait):
    assert loops.seconds_until(again, NOW, 1.0) == wait


def test_the_wait_grows_with_failures_and_stays_bounded():
    assert loops.backoff(1) <= loops.FIRST_WAIT
    assert loops.backoff(1_000_000) <= loops.LONGEST_WAIT
    assert loops.backoff(5) > loops.backoff(1)


async def test_a_loop_gives_once_an_aware_now_and_stops_when_asked():
    stop, seen = asyncio.Event(), []

    async def once(now):
        seen.append(now)
        stop.set()

    await asyncio.wait_for(loops.every("test", once, stop), 1)

    assert seen[0].utcoffset() == timedelta(0)
    assert len(seen) == 1


async def test_a_woken_loop_turns_at_once():
    stop, wake, turned = asyncio.Event(), asyncio.Event(), asyncio.Queue()

    async def once(now):
        turned.put_nowait(now)

    task = await started(loops.every("test", once, stop, wake=wake, tick=60))
    await asyncio.wait_for(turned.get(), 0.5)
    wake.set()
    await asyncio.wait_for(turned.get(), 0.5)
    stop.set()
    await asyncio.wait_for(task, 0.5)


async def test_a_wake_during_a_round_is_not_lost():
    stop, wake, rounds = asyncio.Event(), asyncio.Event(), []

    async def once(now):
        rounds.append(now)
        if len(rounds) == 1:
            wake.set()
        else:
            stop.set()

    await asyncio.wait_for(loops.every("test", once, stop, wake=wake, tick=60), 1)


@pytest.mark.parametrize("fault", [StoreUnavailable("gone"), BadCredentials("401")])
async def test_trouble_is_waited_out_and_told_once_at_each_change(fault):
    stop, rounds = asyncio.Event(), []

    async def once(now):
        rounds.append(now)
        if len(rounds) < 3:
            raise fault
        stop.set()

    with capture_logs() as lines:
        await asyncio.wait_for(loops.every("test", once, stop, tick=0.01), 5)

    assert [line["event"] for line in lines] == ["loop waits", "loop goes on"]
    assert lines[0]["reason"] == fault.reason
    assert lines[1]["failures"] == 2


class Gate:
    """Lets a loop turn where it is told to; the next turn is known or not."""

    def __init__(self, on, next_turn=None):
        self.on, self.next_turn = on, next_turn

    def is_on(self, now):
        return self.on()


async def test_a_loop_that_may_not_turn_asks_again_when_the_next_turn_is_due():
    stop, on, turned = asyncio.Event(), [False, True], []

    async def once(now):
        turned.append(now)
        stop.set()

    gate = Gate(lambda: on.pop(0), loops.utcnow() + timedelta(seconds=0.1))
    await asyncio.wait_for(loops.every("poll", once, stop, tick=60, gate=gate), 5)

    assert turned


async def test_a_round_in_which_another_looks_is_no_sign_that_it_works_again():
    stop, tried, on = asyncio.Event(), [], [True, False, True, False, True]

    async def once(now):
        tried.append(now)
        if len(tried) < 3:
            raise StoreUnavailable("gone")
        stop.set()

    with capture_logs() as lines:
        gate = Gate(lambda: on.pop(0))
        looking = loops.every("poll", once, stop, tick=0.01, gate=gate)
        await asyncio.wait_for(looking, 5)

    assert [line["event"] for line in lines] == ["loop waits", "loop goes on"]
    assert lines[1]["failures"] == 2


async def test_a_loop_that_rests_after_a_failure_is_woken():
    stop, wake, rested = asyncio.Event(), asyncio.Event(), asyncio.Event()
    tried, on = [], [True, False, True]

    async def once(now):
        tried.append(now)
        if len(tried) == 1:
            raise StoreUnavailable("gone")
        stop.set()

    def is_on():
        if len(on) == 2:
            rested.set()
        return on.pop(0)

    gate = Gate(is_on)
    task = await started(loops.every("poll", once, stop, wake=wake, tick=60, gate=gate))
    await rested.wait()
    wake.set()

    await asyncio.wait_for(task, 5)
    assert len(tried) == 2


async def test_an_unknown_exception_ends_the_loop():
    async def once(now):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(loops.every("test", once, asyncio.Event()), 1)


async def test_a_failing_loop_does_not_stop_its_neighbours():
    stop, rounds = asyncio.Event(), []

    async def failing(now):
        raise StoreUnavailable("gone")

    async def steady(now):
        rounds.append(now)
        if len(rounds) == 5:
            stop.set()

    async with asyncio.timeout(3), asyncio.TaskGroup() as group:
        group.create_task(loops.every("failing", failing, stop))
        group.create_task(loops.every("steady", steady, stop, tick=0.001))

    assert len(rounds) == 5


async def test_what_needs_the_database_is_tried_until_it_comes_and_told_once():
    tries = []

    async def act(now):
        tries.append(now)
        if len(tries) < 3:
            raise StoreUnavailable("gone")
        return "there"

    with capture_logs() as lines:
        assert await asyncio.wait_for(loops.patiently("start", act), 5) == "there"

    assert [line["event"] for line in lines] == ["loop waits", "loop goes on"]


async def test_a_bell_wakes_every_ear_and_each_spends_its_own():
    bell = loops.Bell()
    one, two = bell.ear(), bell.ear()

    bell.set()
    await loops.pause_or_wake(asyncio.Event(), 60, one)

    assert (one.is_set(), two.is_set()) == (False, True)


async def test_the_loop_stands_in_the_log():
    stop, bound = asyncio.Event(), {}

    async def once(now):
        bound.update(structlog.contextvars.get_contextvars())
        stop.set()

    await loops.every("watch", once, stop)

    assert bound == {"loop": "watch"}


async def test_a_hanging_loop_is_found_and_an_ended_one_is_not():
    stop, pulse = asyncio.Event(), loops.Pulse()
    hanging = asyncio.Event()

    async def once(now):
        await hanging.wait()
        stop.set()

    task = await started(loops.every("poll", once, stop, pulse=pulse))
    await asyncio.sleep(0.03)

    assert pulse.stuck(10) == []
    assert pulse.stuck(0.01) == ["poll"]
    hanging.set()
    await asyncio.wait_for(task, 1)
    assert pulse.stuck(0.0) == []


async def test_a_loop_that_sleeps_until_its_tick_is_not_stuck_meanwhile():
    stop, pulse, turned = asyncio.Event(), loops.Pulse(), asyncio.Event()

    async def once(now):
        turned.set()

    task = await started(loops.every("purge", once, stop, tick=3600, pulse=pulse))
    await asyncio.wait_for(turned.wait(), 0.5)
    await asyncio.sleep(0.03)

    assert pulse.stuck(0.01) == []
    pulse.turned["purge"] -= 3600
    assert pulse.stuck(0.01) == ["purge"]
    stop.set()
    await asyncio.wait_for(task, 0.5)


async def test_a_held_event_loop_shows_in_the_lag():
    stop, metrics = asyncio.Event(), Metrics()
    task = await started(loops.measure_lag(stop, metrics.event_loop_delay))
    threshold = 0.25
    deadline = asyncio.get_running_loop().time() + threshold + loops.LAG_INTERVAL
    while asyncio.get_running_loop().time() < deadline:
        pass
    await asyncio.sleep(0.01)
    stop.set()
    await task

    late = metrics.registry.get_sample_value("replyby_event_loop_delay_seconds_sum")
    assert late is not None
    assert late >= threshold


async def broken(fault, pulse):
    """One round that breaks off by *fault*."""
    stop = asyncio.Event()

    async def once(_now):
        stop.set()
        raise fault

    await asyncio.wait_for(loops.every("test", once, stop, pulse=pulse), 1)


async def test_each_round_that_breaks_off_counts_by_its_reason():
    reasons = []
    pulse = loops.Pulse(count=reasons.append)
    await broken(StoreUnavailable("gone"), pulse)
    await broken(StoreImpaired("full"), pulse)

    assert reasons == ["store_unavailable", "store_impaired"]


async def test_a_database_that_cannot_do_its_work_is_known_until_the_next_tries_have_passed(
    monkeypatch,
):
    pulse = loops.Pulse()
    await broken(StoreUnavailable("gone"), pulse)
    assert pulse.impaired() == ""

    await broken(StoreImpaired("DiskFullError: no space"), pulse)
    await passed_once(pulse)  # what needs no room says nothing of what does
    assert pulse.impaired() == "DiskFullError: no space"

    monkeypatch.setattr(loops, "AGAIN", -loops.LONGEST_WAIT)
    pulse = loops.Pulse()
    await broken(StoreImpaired("DiskFullError: no space"), pulse)
    assert pulse.impaired() == ""


async def passed_once(pulse):
    stop = asyncio.Event()

    async def once(_now):
        stop.set()

    await asyncio.wait_for(loops.every("other", once, stop, pulse=pulse), 1)
