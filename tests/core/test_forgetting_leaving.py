"""A reply that is just leaving when somebody is erased leaves as it was written, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import reply
from core.arrival import erasing
from core.connector import Sent
from core.desk import answering
from core.errors import RateLimited
from core.metrics import Metrics
from core.model import File, Page, Stream
from core.pushes import Member
from core.reading.walk import Reader
from core.running import forgetting
from core.store import enclosures, traces, transaction
from sla.policy import Party
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, seller, stored, thread

NAME = "Quill-Buyer_7"
TEXT = f"As {NAME} said"


class Shop:
    """A marketplace that does *meanwhile* while a reply leaves, and takes it, or says *fault*."""

    def __init__(self, meanwhile, fault=None, message_id="R1"):
        self.meanwhile, self.fault, self.message_id = meanwhile, fault, message_id
        self.sent = []

    async def check(self): ...

    async def fetch(self, stream, cursor, position, now):
        return Page()

    async def look(self, threads, now):
        return Page()

    async def reply(self, thread, draft, now):
        self.sent.append((draft.body, len(draft.files)))
        await self.meanwhile()
        if self.fault is not None:
            raise self.fault
        return Sent(self.message_id)


@pytest.fixture
def rules():
    return seeds.rules(accounts=("mk",))


@pytest.fixture
def send(pool, rules, now):
    """Lets a reply leave, several rounds long, while the member is erased; what the shop took."""

    async def erase():
        async with transaction(pool) as db:
            await erasing.ask(db, "mirakl", None, [Member(frozenset({NAME}))], now)
        means = forgetting.Means(pool, rules, Metrics(), lambda: None)
        await forgetting.once(means, forgetting.Pace(), now)

    async def send(owner, text, fault=None, files=()):
        await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"))
        mine = thread("T1", as_of=now, buyer=NAME), buyer("M0", now - HOUR, "T1")
        told = thread("T3", as_of=now, buyer="Other"), buyer("M1", now - HOUR, "T3")
        await stored(pool, now, *mine, *told, of=rules)
        async with transaction(pool) as db:
            number = await answering.queue(db, "mk", owner, text, {Party.BUYER}, now)
            await enclosures.add(db, number, files)
        shop = Shop(erase, fault)
        readers = {"mk": Reader(seeds.account(), shop, {"s": Stream("s", MINUTE)}, "mk")}
        for _ in range(3):
            await reply.once(pool, readers, rules, Metrics(), now)
            async with pool.acquire() as db:
                await db.execute("update reply set next_try_at = now() where state = 'queued'")
        return shop.sent

    return send


async def refusals(pool):
    found = await pages.rows(pool, "notice")
    return [row["facts"]["reason"] for row in found if row["kind"] == "reply_refused"]


@pytest.mark.parametrize(
    ("owner", "why", "told"), [("T3", "names_erased", ["names_erased"]), ("T1", "erased", [])]
)
async def test_what_lost_its_words_is_not_sent_again(pool, send, owner, why, told):
    """It certainly was not sent, and the rest is no reply; where a buyer waits, it is told."""
    sent = await send(owner, TEXT, RateLimited("429"))

    [row] = await pages.rows(pool, "reply")
    assert sent == [(TEXT, 0)]
    assert (row["state"], row["reason"]) == ("refused", why)
    assert await refusals(pool) == told


async def test_what_lost_its_files_is_not_sent_again(pool, send):
    sent = await send("T3", "See", RateLimited("429"), [File("a.txt", f"of {NAME}".encode())])

    [row] = await pages.rows(pool, "reply")
    assert sent == [("See", 1)]
    assert (row["state"], row["reason"]) == ("refused", "names_erased")
    assert await refusals(pool) == ["names_erased"]


async def test_what_was_taken_was_taken(pool, send):
    await send("T3", TEXT)

    [row] = await pages.rows(pool, "reply")
    assert (row["state"], row["reason"], row["body"]) == ("accepted", None, "As [erased] said")
    assert await refusals(pool) == []


@pytest.fixture
async def other(pool, rules, now):
    """A member's thread, and one of another buyer, who waits."""
    await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"))
    mine = thread("T1", as_of=now, buyer=NAME), buyer("M0", now - HOUR, "T1")
    told = thread("T3", as_of=now, buyer="Other"), buyer("M1", now - HOUR, "T3")
    await stored(pool, now, *mine, *told, of=rules)


@pytest.fixture
def ask(pool, rules, now):
    """The member's thread is emptied at once; texts wait to be looked through."""

    async def ask():
        async with transaction(pool) as db:
            await erasing.ask(db, "mirakl", None, [Member(frozenset({NAME}))], now)
        resting = forgetting.Pace()
        resting.took(60.0)
        means = forgetting.Means(pool, rules, Metrics(), lambda: None)
        await forgetting.once(means, resting, now)

    return ask


@pytest.fixture
def sweep(pool, rules, now):
    async def sweep():
        means = forgetting.Means(pool, rules, Metrics(), lambda: None)
        while await forgetting.once(means, forgetting.Pace(), now) is not None:
            pass

    return sweep


@pytest.fixture
def write(pool, now):
    async def write(text, files=(), at=now):
        async with transaction(pool) as db:
            return await answering.queue(db, "mk", "T3", text, {Party.BUYER}, at, files)

    return write


@pytest.fixture
def round_(pool, rules, now):
    """The reply loop's round, as soon as anything waits."""

    async def round_(shop, at=now):
        await pool.execute("update reply set next_try_at = now() where state <> 'sending'")
        readers = {"mk": Reader(seeds.account(), shop, {"s": Stream("s", MINUTE)}, "mk")}
        await reply.once(pool, readers, rules, Metrics(), at)

    return round_


async def nothing():
    pass


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (TEXT, ()),
        ("See", (File(f"{NAME}.txt", b"x"),)),
        ("See", (File("a.png", b"", "image/png", f"https://m.example/{NAME}/a.png"),)),
    ],
)
@pytest.mark.usefixtures("other")
async def test_what_names_somebody_who_waits_to_be_erased_does_not_leave(
    pool, ask, write, round_, text, files
):
    """Texts are looked through later; what leaves until then would leave with the name."""
    await write(text, files)
    await ask()
    shop = Shop(nothing)
    await round_(shop)

    [row] = await pages.rows(pool, "reply")
    assert shop.sent == []
    assert (row["state"], row["reason"]) == ("refused", "names_erased")
    assert NAME not in row["body"]
    assert await refusals(pool) == ["names_erased"]
    assert await pages.rows(pool, "reply_file") == []
    ids = [row["id"] for row in await pages.rows(pool, "message")]
    assert not [id_ for id_ in ids if id_.startswith("reply:")]


@pytest.mark.usefixtures("other")
async def test_what_was_not_sent_before_does_not_leave_after(pool, ask, write, round_):
    """It stands in its thread since the first try."""
    number = await write(TEXT)
    shop = Shop(nothing, RateLimited("429"))
    await round_(shop)
    await ask()
    await round_(shop)

    found = {row["id"]: row for row in await pages.rows(pool, "message")}
    ours = found[f"reply:{number}"]
    assert len(shop.sent) == 1
    assert (ours["body"], ours["delivery"]) == ("As [erased] said", "refused")


@pytest.mark.usefixtures("other")
async def test_what_is_cleared_between_two_tries_is_not_being_sent_any_more(
    pool, ask, sweep, write, round_
):
    number = await write(TEXT)
    await round_(Shop(nothing, RateLimited("429")))
    await ask()
    await sweep()

    found = {row["id"]: row for row in await pages.rows(pool, "message")}
    assert found[f"reply:{number}"]["delivery"] == "refused"


@pytest.mark.usefixtures("other")
async def test_what_was_to_go_to_who_is_erased_is_not_being_sent_any_more(pool, ask, round_, now):
    async with transaction(pool) as db:
        number = await answering.queue(db, "mk", "T1", "Soon", {Party.BUYER}, now)
    await round_(Shop(nothing, RateLimited("429")))
    await ask()

    found = {row["id"]: row for row in await pages.rows(pool, "message")}
    assert found[f"reply:{number}"]["delivery"] == "refused"


@pytest.mark.usefixtures("other")
async def test_what_is_written_after_the_request_leaves(pool, ask, write, round_, now):
    """Who comes again is somebody new, and may be called by name."""
    await ask()
    await write(TEXT, at=now + HOUR)
    shop = Shop(nothing)
    await round_(shop, now + HOUR)

    assert shop.sent == [(TEXT, 0)]


@pytest.mark.parametrize("is_pushed", [True, False])
@pytest.mark.usefixtures("other")
async def test_what_is_read_back_later_stands_once_and_without_the_name(
    pool, rules, ask, sweep, write, round_, now, is_pushed
):
    """The marketplace dates it after the request; a push may tell of it before it is answered."""
    late = now + timedelta(minutes=2)

    async def read_back():
        told = seller("R1", now + timedelta(minutes=1), "T3", body=TEXT)
        await stored(pool, late, told, of=rules)

    async def meanwhile():
        await ask()
        await sweep()
        if is_pushed:
            await read_back()

    await write(TEXT)
    await round_(Shop(meanwhile, message_id="R1" if is_pushed else None))
    if not is_pushed:
        await read_back()
        await round_(Shop(nothing), late)

    [row] = await pages.rows(pool, "reply")
    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert row["message_id"] == "R1"
    assert row["state"] == ("accepted" if is_pushed else "confirmed")
    assert [body for id_, body in bodies.items() if id_.startswith("R")] == ["As [erased] said"]
    assert not any(id_.startswith("reply:") or NAME in body for id_, body in bodies.items())


@pytest.mark.usefixtures("other")
async def test_what_is_read_back_while_texts_are_looked_through_loses_the_name(
    pool, rules, ask, sweep, write, round_, now, monkeypatch
):
    """What was written here is cleared before the messages that it becomes."""
    late, read = now + timedelta(minutes=2), traces.read

    async def read_and_go_on(db, query, *given):
        rows = await read(db, query, *given)
        if query == traces.MESSAGES:
            told = seller("R1", now + timedelta(minutes=1), "T3", body=TEXT)
            await stored(pool, late, told, of=rules)
            await round_(Shop(nothing), late)
        return rows

    await write(TEXT)
    await round_(Shop(ask, message_id=None))
    monkeypatch.setattr(traces, "read", read_and_go_on)
    await sweep()

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert bodies["R1"] == "As [erased] said"
