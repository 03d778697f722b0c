"""A marketplace that was away for a week, and comes back with all that was written meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.loops import utcnow
from tests.acceptance import market, week
from tests.acceptance.beside import Beside
from tests.acceptance.ledger import Ledger
from tests.acceptance.receiver import received
from tests.acceptance.shop import shop_at
from tests.acceptance.week import ENDS, HOUR, PROMISE, Week

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.mirakl.sandbox.server import Sandbox
    from tests.acceptance.receiver import Receiver
    from tests.acceptance.shop import Shop

pytestmark = [pytest.mark.paired, pytest.mark.timeout(900)]

AWAY, HERE = "alpha", "beta"
KNOWN, ANSWERED = 12, 4
"""Threads that were read before the week began; how many of them were answered in time there."""

STEPS = frozenset({"warning", "breach", "corrected", "digest"})
A_MINUTE = timedelta(minutes=1)
CLOCKS = """
    select thread, due_at, breached_at, ended, flags from clock where account = $1
"""
SENT = """
    select n.kind, count(*) from dispatch d join notice n on n.id = d.notice
    where d.notifier = $1 and d.sent_at is not null group by n.kind
"""
UNSETTLED = """
    select (select count(*) from alarm where kind in ('warning', 'breach') and at < now())
         + (select count(*) from clock
            where not history and due_at < now() and breached_at is null
              and (ended is null or ended = 'late'))
         + (select count(*) from dispatch
            where sent_at is null and suppressed is null and parked_reason is null)
"""
TALLY = "select result, sum(n)::int from tally where account = $1 group by result"


@dataclass(slots=True)
class Town:
    """A market, who is told, and the daemon in between."""

    beside: Beside
    sandbox: Sandbox
    receiver: Receiver
    shop: Shop
    ledger: Ledger

    def unread(self) -> set[str]:
        return market.messages(self.sandbox) - self.ledger.stored()

    def settle(self, seconds: float) -> None:
        """Wait until all is told and counted."""
        self.shop.until(lambda: self.ledger.value(UNSETTLED) == 0, seconds)

    def go_away(self) -> None:
        async def gone() -> None:
            self.sandbox.faults.order("drop", path=f"/{AWAY}/*")

        self.beside.run(gone())

    def come_back(self, *, delay: float) -> None:
        """With pages that take *delay* seconds."""

        async def back() -> None:
            self.sandbox.faults.lift()
            self.sandbox.faults.order("slow", operation="M11", path=f"/{AWAY}/*", delay=delay)

        self.beside.run(back())

    def told(self) -> list[dict[str, Any]]:
        """What the reader was told of deadlines, each once."""
        each = {told["webhook_id"]: told for told in list(self.receiver.told)}
        return [told for told in each.values() if told["kind"] in STEPS]


@pytest.fixture
def town(place) -> Iterator[Town]:
    with ExitStack() as stack:
        beside = stack.enter_context(Beside())
        sandbox = beside.enter(market.opened(AWAY, HERE))
        receiver = beside.enter(received())
        settings = market.settings(sandbox, promise="2h", digest_after=2)
        shop = stack.enter_context(shop_at(place, settings))
        shop.environ.update(market.environ(sandbox, receiver.url))
        yield Town(beside, sandbox, receiver, shop, Ledger(beside, place))


def read_before(town: Town) -> list[str]:
    """Threads that were read and open when the week began; nobody was told yet."""

    async def opened() -> list[str]:
        shop = market.shop(town.sandbox, AWAY)
        return [shop.open_thread("Is it red?").id for _ in range(KNOWN)]

    known = town.beside.run(opened())
    town.shop.start()
    town.shop.until(lambda: not town.unread(), 30)
    town.shop.stop()
    assert not town.told()
    return known


def let_a_week_pass(town: Town, known: list[str], messages: int) -> Week:
    """What was stored is a week old now, and so much was written meanwhile."""
    asyncio.run(week.move_stored_back(town.shop.place / "var"))
    passed = Week(town.sandbox, AWAY, utcnow())

    async def written() -> None:
        await week.move_back(town.sandbox)
        threads = town.sandbox.operators[AWAY].threads
        for id_ in known[:ANSWERED]:
            begun = threads[id_].messages[0].at
            threads[id_].shop_answers("It is.", at=begun + HOUR)
            threads[id_].updated_at = passed.now - HOUR
        await passed.write(messages)

    town.beside.run(written())
    return passed


def counted(told: list[dict[str, Any]]) -> int:
    """How many notices these messages told."""
    return sum(each["facts"]["notices"] if each["kind"] == "digest" else 1 for each in told)


def busiest_minute(told: list[dict[str, Any]]) -> int:
    """The most messages that left within one minute."""
    at = sorted(datetime.fromisoformat(each["sent_at"]) for each in told)
    return max((sum(one <= other < one + A_MINUTE for other in at) for one in at), default=0)


def kill_in_the_middle(town: Town, messages: int) -> int:
    """Kill -9 while what was written is being read; how much was stored by then."""
    town.shop.until(lambda: len(town.ledger.stored(AWAY)) > messages / 4, 120)
    town.shop.kill()
    town.shop.start()
    return len(town.ledger.stored(AWAY))


@pytest.mark.parametrize("killed", [False, True], ids=["", "killed"])
def test_a_week_away_is_one_digest_and_each_breach_at_its_true_time(town, long_form, tell, killed):
    messages = 20_000 if long_form else 2_000
    known = read_before(town)
    passed = let_a_week_pass(town, known, messages)
    town.go_away()
    town.shop.start()
    town.shop.until(lambda: counted(town.told()) == KNOWN, 60)
    at_the_start = town.told()

    began = time.monotonic()
    town.come_back(delay=0.3)
    if killed:
        tell("stored when the daemon was killed", kill_in_the_middle(town, messages))
    town.shop.until(lambda: not town.unread(), 300)
    reading = time.monotonic() - began
    town.settle(300)
    after = [told for told in town.told() if told not in at_the_start]
    tell("messages written while it was away", len(market.messages(town.sandbox)) - KNOWN)
    tell("seconds until all was stored", f"{reading:.0f}")
    tell("seconds until all was told and counted", f"{time.monotonic() - began:.0f}")
    tell("told of deadlines by the webhook", dict(Counter(told["kind"] for told in after)))
    tell("most of these in a minute", busiest_minute(town.told()))

    assert_true_times(town, passed, known)
    assert_counted_once(town, passed)
    assert_told_once(town, passed, again=int(killed))
    assert busiest_minute(town.told()) <= 5
    digests = [told for told in after if told["kind"] == "digest"]
    assert len(digests) <= 1 + killed + reading // 30, "one, and one each half a minute it is read"
    assert len(after) - len(digests) <= 2


def assert_true_times(town: Town, passed: Week, known: list[str]) -> None:
    """Each breach stands at its deadline, and says that it was seen too late to be warned of."""
    clocks = {row[0]: row[1:] for row in town.ledger.rows(CLOCKS, AWAY)}
    assert clocks.keys() == {*passed.fates, *known}
    for thread, fate in passed.fates.items():
        due_at, breached_at, ended, flags = clocks[thread]
        broken = fate in {"open", "late"}
        assert due_at == passed.asked[thread] + PROMISE
        assert ended == ENDS[fate]
        assert breached_at == (due_at if broken else None)
        assert ("unseen_in_time" in flags) is broken
    for n, thread in enumerate(known):
        due_at, breached_at, ended, flags = clocks[thread]
        assert breached_at == due_at
        assert ended == ("met" if n < ANSWERED else None)
        assert "unseen_in_time" not in flags, "it was read in time; nobody answered"


def assert_counted_once(town: Town, passed: Week) -> None:
    fates, tally = passed.count(), dict(town.ledger.rows(TALLY, AWAY))
    expected = {
        "started": len(passed.fates) + KNOWN,
        "breached": fates["open"] + fates["late"] + KNOWN,
        "met": fates["in time"] + ANSWERED,
        "late": fates["late"],
        "corrected": ANSWERED,
    }
    assert {name: tally.get(name, 0) for name in expected} == expected
    for result in ("met", "breached"):
        name = "replyby_clocks_closed_total"
        assert town.shop.total(name, account=AWAY, result=result) == expected[result]


def assert_told_once(town: Town, passed: Week, *, again: int) -> None:
    """A digest and not a flood; every notice of it is sent, to the file one by one.

    *again* is how much may arrive twice: what left in the instant of a kill.
    """
    fates, told = passed.count(), town.told()
    expected = {"breach": fates["open"] + KNOWN, "warning": fates["soon"], "corrected": ANSWERED}
    for notifier in ("hook", "file"):
        sent = dict(town.ledger.rows(SENT, notifier))
        assert {kind: sent.get(kind, 0) for kind in expected} == expected
    assert counted(told) == sum(expected.values())
    lines = Counter(one["key"] for one in town.shop.notices() if one["kind"] in STEPS)
    assert len(lines) == sum(expected.values())
    assert sum(lines.values()) <= len(lines) + again
    ids = [one["webhook_id"] for one in town.receiver.told if one["kind"] in STEPS]
    assert len(ids) <= len(set(ids)) + again
