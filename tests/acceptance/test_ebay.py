"""eBay, the whole journey: the daemon as a process, really signed pushes, dates that eBay gives."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance import auction_house
from tests.acceptance.auction_house import ACCOUNT
from tests.acceptance.beside import Beside
from tests.acceptance.shop import free_port, shop_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.ebay.sandbox.market import Seller
    from tests.acceptance.shop import Shop

pytestmark = [pytest.mark.paired, pytest.mark.timeout(240)]

PROMISE = timedelta(minutes=10)
CLOCK = """
    select id, promise, started_at, due_at, due_from, ended, reason, revision, flags from clock
    where account = 'ebay-de' and thread = $1 and promise = $2
"""
WALKED = "select count(*) from stream where seen_through is null and carries_clocks"
STORED = "select id from message where thread = $1 order by id"


@dataclass
class Journey:
    beside: Beside
    sandbox: Any
    seller: Seller
    shop: Shop

    def rows(self, query: str, *args: object) -> list[Any]:
        return auction_house.rows(self.beside, self.shop, query, *args)

    def clock(self, thread: str, promise: str = "ours") -> Any:
        """The clock of *promise* in *thread*; None while there is none."""
        found = self.rows(CLOCK, thread, promise)
        return found[0] if found else None

    def until(self, holds, seconds: float = 30) -> float:
        """Seconds until *holds*."""
        began = time.monotonic()
        self.shop.until(holds, seconds)
        return round(time.monotonic() - began, 2)

    def do(self, act):
        """What *act* comes to, in the loop in which eBay stands."""

        async def done() -> Any:
            return act()

        return self.beside.run(done())

    def command(self, *words: str) -> str:
        done = self.shop.command(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def journey(place, request) -> Iterator[Journey]:
    every = getattr(request, "param", "10m")
    with Beside() as beside:
        sandbox, seller = beside.enter(auction_house.opened())
        told = auction_house.settings(sandbox, seller, free_port(), f"{PROMISE.seconds}s", every)
        with shop_at(place, told) as shop:
            shop.environ.update(auction_house.environ(seller))
            shop.start()
            made = Journey(beside, sandbox, seller, shop)
            shop.until(lambda: made.rows(WALKED)[0]["count"] == 0, 30)
            yield made


def test_a_push_starts_the_clock_a_poll_confirms_it_and_an_answer_ends_it(journey, tell):
    told = journey.command("subscribe", ACCOUNT, "--contact", "ops@shop.example")
    assert "NEW_MESSAGE" in told
    market, seller = journey.sandbox.market, journey.seller
    buyer = journey.do(lambda: market.add_member("hazel-of-example"))

    # Nobody reads for ten minutes: it is the push that starts the clock, at eBay's own instant.
    asked = journey.do(lambda: seller.asked(buyer, "Where is my parcel?"))
    took = journey.until(lambda: journey.clock(asked.id) is not None)
    tell("push: written at eBay to running clock, s", took)
    clock = journey.clock(asked.id)
    assert clock["started_at"] == asked.latest.at
    assert clock["due_at"] == asked.latest.at + PROMISE
    named = "select 1 from thread where id = $1 and buyer = $2"
    took = journey.until(lambda: journey.rows(named, asked.id, buyer.name))
    tell("push: written at eBay to confirmed by a poll, s", took)
    assert len(journey.rows(STORED, asked.id)) == 1

    # The answer leaves once, and ends it.
    journey.command("reply", ACCOUNT, asked.id, "--text", "It left on Monday & arrives tomorrow.")
    journey.until(lambda: journey.clock(asked.id)["ended"] == "met")
    assert [m.body for m in asked.messages if m.sender is seller.member] == [
        "It left on Monday & arrives tomorrow."
    ]
    journey.until(lambda: "confirmed" in journey.command("explain", ACCOUNT, asked.id), 60)
    assert len(journey.rows(STORED, asked.id)) == 2

    # A daemon that was killed while eBay pushed gets all of it with the next attempt, once.
    shop = journey.shop
    market.habits.again_after = timedelta(seconds=8)
    shop.kill()
    missed = journey.do(lambda: [seller.asked(buyer, f"And this one, {n}?") for n in range(3)])
    shop.start()
    journey.until(lambda: all(journey.clock(one.id) for one in missed), 60)
    for one in missed:
        assert journey.clock(one.id)["started_at"] == one.latest.at
    keys = [notice["key"] for notice in shop.notices()]
    assert len(keys) == len(set(keys))
    assert "Traceback" not in shop.log()


@pytest.mark.parametrize("journey", ["3s"], indirect=True)
def test_the_dates_that_ebay_gives_are_kept_moved_and_ended(journey, tell):
    desk, due = journey.seller.desk, timedelta(minutes=2)
    asked = journey.do(lambda: desk.open_return("It is broken.", within=due))
    thread, promise = f"return:{asked.id}", "given:return:SELLER_APPROVE_REQUEST"
    took = journey.until(lambda: journey.clock(thread, promise) is not None)
    tell("return: opened at eBay to running clock, s", took)
    clock = journey.clock(thread, promise)
    assert clock["due_at"] == asked.due_at
    assert clock["due_from"] == "marketplace"
    journey.until(lambda: journey.shop.told()["warning"] >= 1, 90)

    # What the seller does at eBay ends it, and what comes next is asked anew.
    journey.do(lambda: asked.seller_decides("APPROVE"))
    journey.until(lambda: journey.clock(thread, promise)["ended"] == "met")

    # Messages of a dossier are turns, and an answer from here lands in it.
    inquiry = journey.do(lambda: desk.open_inquiry("Nothing came.", within=due))
    of_inquiry = f"inquiry:{inquiry.id}"
    journey.until(lambda: journey.rows(STORED, of_inquiry))
    journey.command("reply", ACCOUNT, of_inquiry, "--text", "It is on its way.")
    journey.until(lambda: len(journey.rows(STORED, of_inquiry)) >= 2)
    dispute = journey.do(lambda: desk.open_dispute(within=timedelta(seconds=20)))
    of_dispute = f"dispute:{dispute.id}"
    sql = "select * from clock where thread = $1 and due_from = 'marketplace'"
    journey.until(lambda: journey.rows(sql, of_dispute))
    lapses_at = journey.rows(sql, of_dispute)[0]["due_at"]
    assert lapses_at == dispute.opened_at + timedelta(seconds=20)
    # Nobody answers it: eBay closes it at that very instant, and that is a breach.
    journey.until(lambda: journey.rows(sql, of_dispute)[0]["breached_at"] == lapses_at, 60)
    assert journey.rows(sql, of_dispute)[0]["ended"] == "late"


def test_a_member_who_leaves_ebay_leaves_no_trace_and_the_clocks_stay(journey, tell):
    journey.command("subscribe", ACCOUNT, "--contact", "ops@shop.example")
    market, seller, shop = journey.sandbox.market, journey.seller, journey.shop
    buyer = journey.do(lambda: market.add_member("hazel-of-example"))
    other = journey.do(lambda: market.add_member("olaf-of-example"))
    asked = journey.do(lambda: seller.asked(buyer, "Hazel-of-example here: where is it?"))
    kept = journey.do(lambda: seller.asked(other, "And mine?"))
    returned = journey.do(
        lambda: seller.desk.open_return("It is broken.", buyer=buyer, within=timedelta(hours=1))
    )
    notice = journey.do(lambda: seller.ebay_writes("hazel-of-example has opened a return."))
    journey.until(lambda: journey.clock(asked.id) and journey.clock(kept.id))
    journey.until(lambda: journey.rows(STORED, f"return:{returned.id}"))
    journey.command("poll", ACCOUNT, "--once")
    assert journey.rows(STORED, notice.id), "what eBay itself writes is read as well"
    words = frozenset({buyer.name, buyer.user_id, buyer.eias_token})
    assert auction_house.traces(journey.beside, shop, words), "there is something to erase"

    journey.do(lambda: journey.sandbox.pushes.deletion(buyer))
    took = journey.until(lambda: not auction_house.traces(journey.beside, shop, words), 60)
    tell("deletion notice: sent to no trace left, s", took)
    assert journey.clock(asked.id)["reason"] == "erased"
    assert asked.latest.id in [row["id"] for row in journey.rows(STORED, asked.id)]
    assert journey.clock(kept.id)["ended"] is None

    # eBay goes on telling what it told; nothing of it comes back.
    journey.command("poll", ACCOUNT, "--once")
    time.sleep(5)
    assert auction_house.traces(journey.beside, shop, words) == []
    [_, proof] = journey.command("erasures").splitlines()
    assert proof.split()[-2:] == ["2", "1"], "threads, and texts elsewhere"
    assert "Traceback" not in shop.log()
