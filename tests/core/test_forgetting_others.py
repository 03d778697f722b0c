"""What is other people's stays theirs: their messages go on, whoever they name."""

from __future__ import annotations

import asyncio

import pytest

from core import ingest
from core.arrival import erasing
from core.metrics import Metrics
from core.model import Attachment, File
from core.pushes import Member
from core.running import forgetting
from core.store import enclosures, forgotten, replies, transaction
from sla.clock import Kind
from sla.policy import Party
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, seller, stored, thread

NAME = "Quill-Buyer_7"
PICTURE = Attachment(id=f"https://pics.example/{NAME}/1.jpg", name="1.jpg")


@pytest.fixture
def rules():
    return seeds.rules(accounts=("mk", "other"))


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"), pages.setup("other"))
    return pool


@pytest.fixture
def erase(pool, rules, now):
    async def erase(*ids):
        async with transaction(pool) as db:
            await erasing.ask(db, "mirakl", None, [Member(frozenset(ids))], now)
        means = forgetting.Means(pool, rules, Metrics(), lambda: None)
        while await forgetting.once(means, forgetting.Pace(), now) is not None:
            pass

    return erase


@pytest.fixture
def known(pool, rules, now):
    """The member has a thread of their own here."""

    async def known(name=NAME):
        told = thread("T1", as_of=now, buyer=name), buyer("M0", now - HOUR, "T1", body="x")
        await stored(pool, now, *told, of=rules)

    return known


@pytest.mark.parametrize("first", [True, False])
async def test_the_id_of_a_file_names_nobody_who_was_erased(pool, rules, erase, known, now, first):
    """It may be an address with the member's name in it."""
    told = (
        thread("T3", as_of=now, buyer="Other"),
        buyer("M1", now - HOUR, "T3", body="hi", attachments=(PICTURE,)),
    )
    await known()
    if first:
        await stored(pool, now, *told, of=rules)
    await erase(NAME)
    if not first:
        await stored(pool, now, *told, of=rules)

    files = {row["id"]: row["attachments"] for row in await pages.rows(pool, "message")}
    assert files["M1"][0]["id"] == "https://pics.example/[erased]/1.jpg"


@pytest.mark.parametrize("first", [True, False])
async def test_another_buyers_message_that_named_a_member_goes_on(
    pool, rules, erase, known, now, first
):
    """Withdrawn later, it ends its clock; told again, it is screened again."""
    told = (
        thread("T3", as_of=now, buyer="Other"),
        buyer("M1", now - HOUR, "T3", body=f"like {NAME} said"),
    )
    await known()
    if first:
        await stored(pool, now, *told, of=rules)
    await erase(NAME)
    await stored(pool, now, *told, of=rules)
    assert [row[1] for row in await pages.clock_rows(pool) if row[2] is None] == ["M1"]

    gone = buyer("M1", now - HOUR, "T3", body=f"like {NAME} said", kind=Kind.WITHDRAWN)
    await stored(pool, now + HOUR, gone, of=rules)

    assert [row for row in await pages.clock_rows(pool) if row[2] is None] == []
    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert bodies["M1"] == "like [erased] said"


async def test_one_account_alone_is_held_while_a_page_of_it_is_waited_for(pool, rules, erase, now):
    async with pool.acquire() as other:
        storing = other.transaction()
        await storing.start()
        await other.execute("select from account where name = 'other' for share")
        erasing_it = asyncio.create_task(erase(NAME))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(2), transaction(pool) as db:
            await db.execute("select from account where name = 'mk' for share nowait")
        await storing.commit()
        await erasing_it


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("iphone13", "Is the iPhone13 unlocked?"),
        ("t-shirt", "Where is my T-Shirt?"),
        ("from_members", "see from_members"),
        ("thanks", "Hello\nthanks\n"),
        ("return", "I want to return it"),
    ],
)
async def test_whoever_is_called_as_goods_or_a_word_takes_nothing_from_what_others_write(
    pool, rules, erase, known, now, name, text
):
    """Strangers all, and a known member by a word; a queued reply leaves."""
    await stored(
        pool,
        now,
        thread("T3", as_of=now, buyer="Other", subject=text),
        buyer("M1", now - HOUR, "T3", body=text, raw=text.encode()),
        of=rules,
    )
    if name == "return":
        await known(name)
    async with transaction(pool) as db:
        await replies.queue(db, "mk", "T3", f"About this: {text}", {Party.BUYER}, now)

    await erase(name, "uQ7l4Z0k77xb", "AAAA0000gone+b/c==")

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    [reply] = await pages.rows(pool, "reply")
    assert (bodies["M1"], reply["state"]) == (text, "queued")
    assert len(await pages.rows(pool, "raw_message")) == 1


async def test_a_strangers_codes_and_a_members_name_go_from_every_sentence(
    pool, rules, erase, known, now
):
    """The marketplace's notices too name a member of whom there is a thread."""
    text = f"{NAME} or uQ7l4Z0k77xb has left"
    note = seller("M1", now - HOUR, "T3", party="marketplace", kind="system", body=text)
    await stored(pool, now, thread("T3", as_of=now, buyer="Other"), note, of=rules)
    await known()

    await erase(NAME)
    await erase("uQ7l4Z0k77xb")

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert bodies["M1"] == "[erased] or [erased] has left"


@pytest.mark.parametrize(
    ("name", "text"), [("t-shirt", "Where is my T-Shirt?"), ("max.mustermann", "Max.Mustermann?")]
)
async def test_a_page_after_that_keeps_what_strangers_are_called_as(
    pool, rules, erase, now, name, text
):
    await erase(name)

    told = thread("T3", as_of=now, buyer="Other", subject=text)
    await stored(pool, now, told, buyer("M1", now - HOUR, "T3", body=text), of=rules)

    [thread_, message] = [(await pages.rows(pool, table))[0] for table in ("thread", "message")]
    assert (thread_["subject"], message["body"]) == (text, text)


async def test_a_page_after_that_loses_every_id_of_whoever_had_a_thread(
    pool, rules, erase, known, now
):
    await known()
    await erase(NAME, "uid-quill-77")

    text = f"{NAME} is uid-quill-77"
    told = thread("T3", as_of=now, buyer="Other"), buyer("M1", now - HOUR, "T3", body=text)
    await stored(pool, now, *told, of=rules)

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert bodies["M1"] == "[erased] is [erased]"


async def test_whoever_has_a_thread_in_a_later_page_is_no_stranger_from_then_on(
    pool, rules, erase, known, now
):
    """The thread was on its way; what is told afterwards names them no more."""
    await erase(NAME, "uid-quill-77")
    await known()

    told = (
        thread("T3", as_of=now, buyer="Other"),
        buyer("M1", now - HOUR, "T3", body="uid-quill-77"),
    )
    await stored(pool, now, *told, of=rules)

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert bodies == bodies | {"M0": "", "M1": "[erased]"}


async def test_a_page_that_took_a_member_for_a_stranger_is_looked_through(pool, rules, known, now):
    """Only the look finds whose the thread is; a page that is just being stored is waited for."""
    means = forgetting.Means(pool, rules, Metrics(), lambda: None)
    mine = thread("T1", as_of=now, buyer="somebody", reply_to={"user": NAME})
    await stored(pool, now, mine, buyer("M0", now - HOUR, "T1", body="x"), of=rules)
    async with transaction(pool) as db:
        await erasing.ask(db, "mirakl", None, [Member(frozenset({NAME}))], now)
    resting = forgetting.Pace()
    resting.took(60.0)
    await forgetting.once(means, resting, now)
    told = pages.page(
        thread("T3", as_of=now, buyer="Other"), buyer("M1", now - HOUR, "T3", body=f"to {NAME}")
    )
    async with pool.acquire() as other:
        storing = other.transaction()
        await storing.start()
        await ingest.page(other, rules, "mk", told, now, None)
        looking = asyncio.create_task(forgetting.once(means, forgetting.Pace(), now))
        await asyncio.sleep(0.3)
        await storing.commit()
        await looking

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert bodies["M1"] == "to [erased]"


async def test_who_wrote_a_reply_that_names_a_member_is_told_that_it_did_not_leave(
    pool, rules, erase, known, now
):
    """To another buyer, who waits: once for each, with what to do; the deadline stands."""
    await known()
    told = thread("T3", as_of=now, buyer="Other"), buyer("M1", now - HOUR, "T3", body="?")
    await stored(pool, now, *told, of=rules)
    async with transaction(pool) as db:
        named = await replies.queue(db, "mk", "T3", f"As {NAME} said", {Party.BUYER}, now)
        filed = await replies.queue(db, "mk", "T3", "See the list", {Party.BUYER}, now)
        await enclosures.add(db, filed, [File("list.txt", f"for {NAME}".encode())])
        other = await replies.queue(db, "mk", "T3", "It leaves", {Party.BUYER}, now)

    await erase(NAME)

    rows = {row["id"]: (row["state"], row["reason"]) for row in await pages.rows(pool, "reply")}
    assert rows[named] == rows[filed] == ("refused", "names_erased")
    assert rows[other] == ("queued", None)
    clock = next(row for row in await pages.rows(pool, "clock") if row["thread"] == "T3")
    notices = {
        row["key"]: row
        for row in await pages.rows(pool, "notice")
        if row["kind"] == "reply_refused"
    }
    assert set(notices) == {f"{clock['id']}/refused/reply:{n}" for n in (named, filed)}
    assert {row["facts"]["reason"] for row in notices.values()} == {"names_erased"}
    assert {row["due_at"] for row in notices.values()} == {clock["due_at"]}
    assert len(await pages.rows(pool, "dispatch")) >= len(notices)
    assert clock["ended"] is None
    assert await pages.rows(pool, "reply_file") == []


@pytest.mark.parametrize("first", [True, False])
async def test_a_name_comes_back_by_no_later_state_though_nobody_remembers_it(
    pool, rules, erase, known, now, first
):
    """Whatever else is told of that message and thread counts: the digests are long gone."""
    text, late = f"like {NAME} said", now + 40 * 24 * HOUR

    def told(at, **changes):
        return (
            thread("T3", as_of=at, buyer="Other", subject=f"with {NAME}", url=f"https://m/{NAME}"),
            buyer("M1", now - HOUR, "T3", body=text, attachments=(PICTURE,), raw=text.encode(),
                  **changes),
        )  # fmt: skip

    await known()
    if first:
        await stored(pool, now, *told(now), of=rules)
    await erase(NAME)
    await stored(pool, now, *told(now), of=rules)
    async with transaction(pool) as db:
        await forgotten.purge(db, late)
    await stored(pool, late, *told(late), buyer("M2", late - HOUR, "T3", body="and?"), of=rules)
    again = await stored(pool, late, *told(late), of=rules)
    await stored(pool, late, *told(late, kind=Kind.WITHDRAWN), of=rules)

    [message] = [row for row in await pages.rows(pool, "message") if row["id"] == "M1"]
    [row] = [row for row in await pages.rows(pool, "thread") if row["id"] == "T3"]
    assert (message["body"], message["kind"]) == ("like [erased] said", "withdrawn")
    assert NAME not in f"{message} {row} {await pages.rows(pool, 'raw_message')}"
    assert (row["as_of"], again.changed, again.repeated) == (late, 0, 1)
