"""A webstore, the whole journey: one buyer asks in four ways about one order; the daemon runs."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connectors.webstore.chatwoot.sandbox.chats import Bot
from connectors.webstore.twilio.sandbox import telephony
from tests.acceptance import auction_house, premises, storefront
from tests.acceptance.beside import Beside
from tests.acceptance.shop import free_port, shop_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.mirakl.sandbox.inbox import Thread
    from connectors.webstore.chatwoot.sandbox.chats import Chat
    from connectors.webstore.mailbox.sandbox.shop import Talk
    from connectors.webstore.meta.sandbox.graph import Person
    from connectors.webstore.twilio.sandbox.desk import Call
    from tests.acceptance.shop import Shop
    from tests.acceptance.storefront import Storefront

pytestmark = [pytest.mark.paired, pytest.mark.timeout(300)]

ADDRESS, NAME = "ana@buyers.example", "Ana Sample"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PROMISED = {
    "mail": {"webstore-mailbox-message": 24 * HOUR},
    "chat": {"webstore-chatwoot-chat": 5 * MINUTE},
    "whatsapp": {"webstore-whatsapp-reply": HOUR, "webstore-whatsapp-window": 24 * HOUR},
    "phone": {"webstore-twilio-call-back": 4 * HOUR},
    "empik": {"ours-2h": 2 * HOUR},
}
"""What each way of asking promises where the settings say nothing, and our goal at the market."""

SAME = re.compile(r"waits on Shop: (\w+) as well: [\w ]+ left \(\1 \S+, (\S+)\)")
CLOCKS = "select account, thread, promise, id, started_at, due_at, ended, flags from clock"
SAID = "select id, kind, party, delivery from message where account = $1 order by sent_at, id"
ASKED = """
    select account, count(*) from message where party = 'buyer' and account <> 'strange' group by 1
"""
OURS_THERE = """
    select coalesce(judged, delivery) as delivery from message
    where account = 'whatsapp' and party = 'seller'
"""
WALKED = """
    select count(*) from stream s join account a on a.name = s.account
    where s.carries_clocks
      and (s.seen_through is null or date_trunc('second', now()) <= a.monitored_since)
"""
"""What is not watched yet for a whole second: letters and calls are dated by whole ones."""


@dataclass
class Asked:
    """The one buyer's five ways in; what each tells of them differs."""

    talk: Talk
    chat: Chat
    person: Person
    call: Call
    thread: Thread


@dataclass
class Journey:
    beside: Beside
    front: Storefront
    shop: Shop

    def rows(self, query: str, *args: object) -> list[Any]:
        return auction_house.rows(self.beside, self.shop, query, *args)

    def clocks(self) -> dict[tuple[str, str], Any]:
        """All clocks, by account and promise."""
        return {(row["account"], row["promise"]): row for row in self.rows(CLOCKS)}

    def running(self) -> set[str]:
        """The accounts in which somebody waits."""
        return {row["account"] for row in self.rows(CLOCKS) if row["ended"] is None}

    def asked(self) -> dict[str, int]:
        """How many messages of the buyer are stored, by account."""
        return {row["account"]: row["count"] for row in self.rows(ASKED)}

    def until(self, holds: Callable[[], object], seconds: float = 60) -> float:
        """Seconds until *holds*."""
        began = time.monotonic()
        self.shop.until(lambda: bool(holds()), seconds)
        return round(time.monotonic() - began, 2)

    def do(self, act: Callable[[], Any]) -> Any:
        """What *act* comes to, in the loop in which the stand-ins stand."""

        async def done() -> Any:
            return act()

        return self.beside.run(done())

    def command(self, *words: str) -> str:
        done = self.shop.command(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def beside_of(self, account: str) -> set[str]:
        """Where else the buyer waits, as `threads` tells it for each of the account's threads."""
        rows = json.loads(self.command("threads", "--json"))
        told = [row["same_buyer"]["waits"] for row in rows if row["account"] == account]
        assert told, f"nobody waits in {account}"
        assert all(one == told[0] for one in told)
        return {one["account"] for one in told[0]}


def test_a_first_run_shows_one_buyer_who_waits_in_six_accounts(place):
    """The settings as shipped: five of the shop's, and a marketplace of the same shop."""
    own = {"shop-mail", "shop-chat", "shop-whatsapp", "shop-phone", "shop-orders"}
    wanted = own | {"pccomponentes"}
    with shop_at(place) as shop:
        shop.start()
        shop.until(lambda: {one for group in groups(shop) for one in group} >= wanted, 60)
        shop.until(lambda: wanted in groups(shop), 60)


def groups(shop: Shop) -> list[set[str]]:
    """For each thread that waits, the accounts in which its buyer does."""
    rows = json.loads(shop.command("threads", "--json").stdout)
    return [
        {row["account"], *(one["account"] for one in row["same_buyer"]["waits"])} for row in rows
    ]


@pytest.fixture
def journey(place) -> Iterator[Journey]:
    with Beside() as beside:
        front = beside.enter(storefront.opened(free_port()))
        settings = premises.settings(front.settings(), "1d", level="debug")
        with shop_at(place, settings) as shop:
            shop.environ.update(front.environ)
            shop.start()
            made = Journey(beside, front, shop)
            made.until(lambda: made.rows(WALKED)[0]["count"] == 0)
            yield made


def asks(front: Storefront) -> Asked:
    """One buyer asks five times about one order.

    The marketplace tells the order alone, the letter an address and the order, the chat's widget
    an address and a phone; WhatsApp and a call tell the phone.
    """
    order = front.market.add_order()
    thread = front.market.open_thread("Where is my parcel?", order=order)
    talk = front.mail.open(NAME, ADDRESS, f"Order {order.id}")
    front.mail.buyer_writes(talk, f"Where is order {order.id}?")
    person = front.meta.graph.add_person(front.line, NAME)
    phone = f"+{person.id}"
    contact = front.inbox.account.add_contact(NAME, ADDRESS.title(), phone)
    chat = front.inbox.account.open_chat("Is anybody there?", inbox=front.inbox, contact=contact)
    front.meta.graph.says(front.line, person, "Hello? My parcel?")
    call = calls(front, phone)
    # Another seller has the same buyer, who even names the same order there.
    stranger = front.strange.open(NAME, ADDRESS, f"Order {order.id}")
    front.strange.buyer_writes(stranger, f"Where is order {order.id}?")
    return Asked(talk, chat, person, call, thread)


def calls(front: Storefront, phone: str) -> Call:
    """A call that nobody takes, and what is left on the machine."""
    text = "Please call me back about my parcel."
    return telephony.buyer_calls(*front.phone, phone, "voicemail", text=text)


def test_one_buyer_asks_in_four_ways_and_four_linked_clocks_run_each_by_its_own(journey, tell):
    asked = journey.do(lambda: asks(journey.front))
    wanted = {(account, name) for account, those in PROMISED.items() for name in those}
    tell("five ways to running clocks, s", journey.until(lambda: wanted <= journey.clocks().keys()))

    # What is pushed of a call has no date: that a walk finds.
    journey.until(lambda: not any(clock["flags"] for clock in journey.clocks().values()))
    each_has_its_own_deadline(journey)
    each_is_told_beside_all_others(journey)
    notes_and_machines_end_nothing(journey, asked)
    each_push_is_counted(journey)
    nothing_is_lost_with_a_killed_daemon(journey, asked)
    an_answer_ends_its_own_clock_and_no_other(journey, asked)
    metrics_tell_of_each(journey)
    assert "Traceback" not in journey.shop.log()
    assert NAME not in journey.shop.log()
    assert asked.call.sender not in journey.shop.log()


def each_has_its_own_deadline(journey: Journey) -> None:
    found = journey.clocks()
    for account, promises in PROMISED.items():
        for name, within in promises.items():
            clock = found[account, name]
            assert clock["due_at"] - clock["started_at"] == within
    assert len({found[account, first_due(account)]["due_at"] for account in PROMISED}) == 5


def each_is_told_beside_all_others(journey: Journey) -> None:
    """From the call, which tells a phone, three steps lead to the market, which tells an order."""
    rows = journey.clocks()
    for account in PROMISED:
        others = PROMISED.keys() - {account}
        assert journey.beside_of(account) == others
        of = rows[account, first_due(account)]["thread"]
        told = json.loads(journey.command("explain", account, of, "--json"))["same_buyer"]
        dues = {one["account"]: datetime.fromisoformat(one["due_at"]) for one in told["waits"]}
        assert dues == {other: rows[other, first_due(other)]["due_at"] for other in others}
        said = SAME.findall(journey.command("explain", account, of))
        assert sorted(said) == sorted((other, first_due(other)) for other in others)
    assert journey.beside_of("strange") == set()


def first_due(account: str) -> str:
    """The promise of *account* whose deadline comes first."""
    return min(PROMISED[account], key=PROMISED[account].__getitem__)


def notes_and_machines_end_nothing(journey: Journey, asked: Asked) -> None:
    def said() -> None:
        asked.chat.agent_writes("Ask the warehouse.", private=True)
        asked.chat.bot_writes("I am looking for an answer.", Bot(1, "Robot"))
        asked.chat.template_writes("Somebody will be with you in a minute.")

    journey.do(said)
    journey.until(lambda: len(journey.rows(SAID, "chat")) == 4)
    kinds = sorted(row["kind"] for row in journey.rows(SAID, "chat"))
    assert kinds == ["automatic", "automatic", "internal", "message"]
    assert journey.running() == {*PROMISED, "strange"}


def each_push_is_counted(journey: Journey) -> None:
    wanted, total = {"message_created": 4, "messages": 1, "recording": 1}, journey.shop.total
    of = {"name": "replyby_pushes_total", "outcome": "stored"}
    journey.until(lambda: {topic: total(topic=topic, **of) for topic in wanted} == wanted)
    for refused in ("bad_signature", "no_signature", "failed"):
        assert total("replyby_pushes_total", outcome=refused) == 0


def nothing_is_lost_with_a_killed_daemon(journey: Journey, asked: Asked) -> None:
    """What is pushed meanwhile comes again at Meta alone; walks find the rest."""
    front, before = journey.front, journey.clocks()
    front.meta.graph.habits.again_after = timedelta(seconds=2)
    journey.shop.kill()

    def more() -> None:
        front.mail.buyer_writes(asked.talk, "And? I am still waiting.")
        asked.chat.contact_writes("Still there?")
        front.meta.graph.says(front.line, asked.person, "Is it lost?")
        calls(front, asked.call.sender)
        asked.thread.buyer_writes("And?")

    journey.do(more)
    journey.shop.start()
    journey.command("poll", "chat", "--once")
    wanted = {"mail": 2, "chat": 2, "whatsapp": 2, "phone": 4, "empik": 2}
    journey.until(lambda: sum(journey.asked().values()) == sum(wanted.values()))
    assert journey.asked() == wanted

    # The oldest unanswered message counts on; only WhatsApp's window begins anew with the newest.
    window = ("whatsapp", "webstore-whatsapp-window")
    journey.until(lambda: journey.clocks()[window]["due_at"] > before[window]["due_at"])
    after = journey.clocks()
    for account, promises in PROMISED.items():
        for name in promises:
            assert after[account, name]["id"] == before[account, name]["id"]
            if (account, name) != window and account != "phone":
                assert after[account, name]["due_at"] == before[account, name]["due_at"]
    called = after["phone", "webstore-twilio-call-back"]
    assert called["started_at"] == asked.call.created_at.replace(microsecond=0)
    assert not called["flags"]
    keys = [notice["key"] for notice in journey.shop.notices()]
    assert len(keys) == len(set(keys))


def an_answer_ends_its_own_clock_and_no_other(journey: Journey, asked: Asked) -> None:
    rows, front, waits = journey.clocks(), journey.front, set(PROMISED)

    said = replied(journey, rows["chat", "webstore-chatwoot-chat"])
    for other in waits - {"chat"}:
        assert f"The same buyer waits on Shop: {other} as well" in said
    assert said.splitlines()[-1] == "This reply does not stop what runs there."
    ends(journey, "chat", waits)

    # What was taken at WhatsApp is there when its status says so.
    front.meta.graph.habits.statuses = ("sent",)
    replied(journey, rows["whatsapp", "webstore-whatsapp-reply"])
    journey.until(lambda: [one for one in front.line.said if one.author == "api"])
    ends(journey, "whatsapp", waits)
    [sent] = [one for one in front.line.said if one.author == "api"]
    journey.until(lambda: delivered(journey) == ["accepted"])
    journey.do(lambda: front.meta.pushes.became(front.line, sent, ["delivered"]))
    journey.until(lambda: delivered(journey) == ["confirmed"])

    journey.do(lambda: telephony.agent_calls(*front.phone, asked.call.sender))
    ends(journey, "phone", waits)
    assert journey.beside_of("mail") == {"empik"}

    said = replied(journey, rows["mail", "webstore-mailbox-message"])
    assert "waits on Shop: empik as well" in said
    ends(journey, "mail", waits)
    assert [one.fate for one in front.mail.outcomes] == ["delivered"]
    assert journey.beside_of("empik") == set()


def delivered(journey: Journey) -> list[str]:
    """How far the answers at WhatsApp are."""
    return [row["delivery"] for row in journey.rows(OURS_THERE)]


def replied(journey: Journey, clock: Any) -> str:
    """What `reply` says."""
    return journey.command("reply", clock["account"], clock["thread"], "--text", "It is on its way")


def ends(journey: Journey, account: str, waits: set[str]) -> None:
    """The clocks of *account* are met; everybody else of those who wait waits on."""
    of = PROMISED[account]
    journey.until(lambda: all(journey.clocks()[account, name]["ended"] == "met" for name in of))
    waits.discard(account)
    assert journey.running() == {*waits, "strange"}


def metrics_tell_of_each(journey: Journey) -> None:
    shop = journey.shop
    met = {name: 0 if name == "empik" else len(of) for name, of in PROMISED.items()}
    closed, runs = "replyby_clocks_closed_total", "replyby_open_clocks"
    journey.until(lambda: {n: shop.total(closed, account=n, result="met") for n in met} == met)
    waits = {name: len(of) - met[name] for name, of in PROMISED.items()}
    journey.until(lambda: {n: shop.total(runs, account=n) for n in waits} == waits)
    assert shop.total("replyby_pushes_total", topic="statuses", outcome="stored") >= 2
