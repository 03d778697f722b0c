"""Amazon by mail, the whole journey: the daemon as a process, a real Dovecot, real SMTP."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from connectors.amazon.sandbox import notices
from connectors.amazon.sandbox.composing import Mailbox
from core.loops import utcnow
from tests.acceptance import post_office
from tests.acceptance.beside import Beside
from tests.acceptance.journey import embedded
from tests.acceptance.shop import shop_at
from tests.core import dovecot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.amazon.sandbox.cases import Case
    from connectors.amazon.sandbox.seller import Seller
    from tests.acceptance.shop import Shop

pytestmark = [
    pytest.mark.paired,
    pytest.mark.timeout(240),
    pytest.mark.needs("dovecot", "openssl"),
]

PROMISE = timedelta(seconds=45)
LETTERS = 5

CLOCK = """
    select id, started_at, due_at, ended, revision, breached_at, flags from clock
    where account = 'amazon-de' and promise = 'ours' and thread like $1
"""
READ = "select count(*) from stream where last_ok_at is not null"


@dataclass
class Journey:
    beside: Beside
    sandbox: Any
    seller: Seller
    shop: Shop

    def rows(self, query: str, *args: object) -> list[Any]:
        async def fetched() -> list[Any]:
            db = await asyncpg.connect(**embedded(self.shop.place), timeout=10, command_timeout=10)
            try:
                return await db.fetch(query, *args)
            finally:
                await db.close()

        return self.beside.run(fetched())

    def clock(self, case: Case) -> Any:
        """The clock of a case; None while it has none."""
        found = self.rows(CLOCK, f"%{case.id}%")
        return found[0] if found else None

    def until(self, holds, seconds: float = 30) -> float:
        """Seconds until *holds*."""
        began = time.monotonic()
        self.shop.until(holds, seconds)
        return time.monotonic() - began

    def asked(self, words: str, *, ago: float = 0.0) -> tuple[Case, datetime, datetime]:
        """A buyer wrote so many seconds *ago*, and the letter arrives now: case, stamp, arrival."""

        async def write() -> tuple[Case, datetime, datetime]:
            arrives = utcnow()
            at = (arrives - timedelta(seconds=ago)).replace(microsecond=0)
            buyer = self.seller.add_buyer("Ada Sample")
            order = self.seller.add_order(buyer, at)
            case = self.seller.open_case(buyer, order, "sender")
            self.seller.buyer_writes(case, words, at, arrives=arrives)
            await self.sandbox.post.deliver()
            return case, at, arrives

        return self.beside.run(write())

    def opts_out(self, case: Case) -> None:
        """Amazon says that what was sent last did not reach the buyer."""

        async def write() -> None:
            now = utcnow()
            self.seller.posts(notices.opt_out(self.seller.author, case, now, now), now)
            await self.sandbox.post.deliver()

        self.beside.run(write())


@pytest.fixture
def journey(place) -> Iterator[Journey]:
    home = place / "dovecot"
    home.mkdir()
    with dovecot.serving(home) as server, Beside() as beside:
        sandbox, seller = beside.enter(post_office.opened(server))
        told = post_office.settings(server, sandbox, f"{PROMISE.seconds}s")
        with shop_at(place, told) as shop:
            shop.environ.update(post_office.environ(server))
            yield Journey(beside, sandbox, seller, shop)


def thread_of(journey: Journey, case: Case) -> str:
    return journey.rows("select id from thread where id like $1", f"%{case.id}%")[0]["id"]


def test_a_buyers_mail_is_answered_refused_and_told_at_its_original_deadline(journey, tell):
    shop = journey.shop
    shop.start()
    shop.until(lambda: journey.rows(READ)[0]["count"] == 1, 30)

    # What Amazon signed counts from its own stamp; the rest from its arrival.
    case, stamp, _ = journey.asked("Wo ist mein Paket?", ago=3)
    tell("first letter: arrival to running clock, s", waited(journey, case))
    clock = journey.clock(case)
    assert (clock["started_at"], clock["due_at"]) == (stamp, stamp + PROMISE)
    journey.seller.mailbox = Mailbox(post_office.USER, journey.seller.mailbox.server, "none")
    unsigned, _, arrival = journey.asked("Und meins?", ago=9)
    waited(journey, unsigned)
    started = journey.clock(unsigned)["started_at"]
    assert arrival - timedelta(seconds=1) <= started <= utcnow()
    journey.seller.mailbox = Mailbox(post_office.USER, journey.seller.mailbox.server)

    # An answer leaves once, to the whole alias, and ends the clock at once.
    thread = thread_of(journey, case)
    done = shop.command("reply", "amazon-de", thread, "--text", "Es kommt am Montag, versprochen.")
    assert done.returncode == 0, done.stderr
    journey.until(lambda: journey.clock(case)["ended"] == "met")
    (taken,) = journey.sandbox.mail.taken
    assert (taken.sender, taken.recipients) == (post_office.SENDER, (case.alias,))
    assert case.entries[-1].by == "seller"
    assert "Es kommt am Montag" in case.entries[-1].text

    # Amazon did not deliver it: the same clock goes on, to its original deadline.
    journey.opts_out(case)
    took = journey.until(lambda: journey.clock(case)["ended"] is None)
    tell("opt-out: arrival to reopened clock, s", round(took, 2))
    again = journey.clock(case)
    assert again["id"] == clock["id"]
    assert (again["started_at"], again["due_at"]) == (stamp, stamp + PROMISE)
    shop.until(lambda: shop.told()["reply_refused"] >= 1, 20)

    # The breach is told at that deadline.
    shop.until(lambda: breach(shop, thread) is not None, PROMISE.seconds + 30)
    told = breach(shop, thread)
    assert datetime.fromisoformat(told["due_at"]) == stamp + PROMISE
    assert datetime.fromisoformat(told["raised_at"]) >= stamp + PROMISE
    shop.until(lambda: journey.clock(case)["breached_at"] == stamp + PROMISE, 90)
    assert len(journey.sandbox.mail.taken) == 1, "no answer leaves twice"
    assert "Traceback" not in shop.log()
    assert "Paket" not in shop.log()


def breach(shop: Shop, thread: str) -> dict[str, Any] | None:
    found = (n for n in shop.notices() if (n["kind"], n["thread"]) == ("breach", thread))
    return next(found, None)


def waited(journey: Journey, case: Case) -> float:
    """Seconds until the clock of *case* runs, from now on."""
    began = time.monotonic()
    while journey.clock(case) is None:
        assert time.monotonic() - began < 30, journey.shop.log()[-3000:]
        time.sleep(0.02)
    return round(time.monotonic() - began, 2)


def test_a_new_mail_has_a_running_clock_by_idle_long_before_the_next_poll(journey, tell):
    """The goal is 2 s; the poll is every ten minutes, so that nothing else can bring it."""
    shop = journey.shop
    shop.start()
    shop.until(lambda: journey.rows(READ)[0]["count"] == 1, 30)

    found = []
    for number in range(LETTERS):
        case, _, arrival = journey.asked(f"Frage {number}")
        waited(journey, case)
        (row,) = journey.rows("select seen_at from message where thread like $1", f"%{case.id}%")
        found.append((row["seen_at"].astimezone(UTC) - arrival).total_seconds())

    tell("arrival to stored message, s: median", round(sorted(found)[LETTERS // 2], 2))
    tell("arrival to stored message, s: worst", round(max(found), 2))
    assert max(found) < 20
