"""What is other people's stays theirs: their messages go on, whoever they name."""

from __future__ import annotations

import asyncio

import pytest

from core.arrival import erasing
from core.metrics import Metrics
from core.model import Attachment
from core.pushes import Member
from core.running import forgetting
from core.store import replies, transaction
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
