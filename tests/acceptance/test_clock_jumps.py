"""The host's clock jumps by an hour, both ways, and back; monotonic time stays true."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from core.loops import utcnow
from tests.acceptance.hostclock import Clock
from tests.acceptance.journey import journey_at
from tests.acceptance.postgres import postgres_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.journey import Journey

pytestmark = [pytest.mark.paired, pytest.mark.timeout(1200), pytest.mark.needs("faketime")]

PROMISE = timedelta(seconds=4)
HOUR = 3600
# What lies before an account's first walk is told as one digest: an hour back must not lie there.
WATCHED_SINCE_YESTERDAY = """
    update account set monitored_since = monitored_since - interval '1 day',
                       first_walk_at = first_walk_at - interval '1 day'
"""
BY_A_CLOCK = {"host_clock", "start_moved", "deadline_moved"}
NEWEST = "select coalesce(max(id), 0) from notice where kind = 'breach'"
COUNTED = "select coalesce(sum(n), 0)::int from tally where result = 'breached'"


@pytest.fixture
def clock(place) -> Clock:
    return Clock(place)


@pytest.fixture(params=["alone", "with the database"])
def journey(place, clock, request) -> Iterator[Journey]:
    """The daemon's clock jumps alone, or that of the machine on which its database is too."""
    environ = None if request.param == "alone" else clock.environ
    with (
        postgres_at(place, environ) as server,
        journey_at(place, dsn="env:TEST_DSN", server=server) as found,
    ):
        found.shop.environ.update(TEST_DSN=server.dsn(), **clock.environ)
        found.begin()
        found.rows(WATCHED_SINCE_YESTERDAY)
        yield found


def is_unsure(journey: Journey) -> bool:
    """Whether it does not believe its clock; a busy machine may keep it from saying so at once."""
    for _ in range(5):
        _, text = journey.shop.get("/metrics")
        if "replyby_clock_unsure " in text:
            return "replyby_clock_unsure 1.0" in text
    raise AssertionError(journey.shop.log()[-3000:])


def breached(journey: Journey) -> tuple[int, int]:
    """The newest breach that was raised, told by now or not, and how many were counted.

    One that is answered before it leaves is dropped, so there may be an older one.
    """
    return journey.value(NEWEST), journey.value(COUNTED)


def are_true(journey: Journey) -> bool:
    """Whether each thread of which a breach was told has waited for its promise by now."""
    told = {notice["thread"] for notice in journey.receiver.told if notice["kind"] == "breach"}
    latest = utcnow() - PROMISE + timedelta(seconds=0.5)
    return all(
        thread.messages[0].at <= latest for thread in journey.traffic.threads if thread.id in told
    )


def test_while_the_clock_is_wrong_no_breach_is_told_and_afterwards_each_once(
    journey, clock, tell, long_form
):
    took, stored, before = [], [], journey.counters()
    for seconds in (HOUR, -HOUR) * (10 if long_form else 1):
        clock.jump(seconds)
        journey.shop.until(lambda: is_unsure(journey), 30)
        time.sleep(1)  # what was being counted by the right clock ends
        known = breached(journey)
        stored.append(journey.seconds_until_told(30))
        end = time.monotonic() + 6
        while time.monotonic() < end:
            assert is_unsure(journey)
            raised, counted = breached(journey)
            assert raised <= known[0]
            assert counted == known[1]
            assert are_true(journey)
            time.sleep(0.3)

        clock.jump(0)
        began = time.monotonic()
        journey.shop.until(lambda: not is_unsure(journey), 90)
        took.append(time.monotonic() - began)
        journey.shop.until(lambda known=known: breached(journey)[0] > known[0], 30)
    journey.settle()

    journey.agree(before)
    assert journey.told_twice() == {}
    assert breaches_of_a_clock(journey) <= 1
    corrected = [told["facts"] for told in journey.receiver.told if told["kind"] == "corrected"]
    assert not [facts for facts in corrected if facts.get("correction") in BY_A_CLOCK]
    tell("seconds until a new message is told, while it is wrong", round(max(stored), 1))
    tell("seconds until it is believed again", round(max(took), 1))


def breaches_of_a_clock(journey: Journey) -> int:
    """The most breaches that were told of one clock."""
    told = [notice["clock"] for notice in journey.receiver.told if notice["kind"] == "breach"]
    return max(told.count(clock) for clock in told)
