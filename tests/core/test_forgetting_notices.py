"""What the marketplace itself writes calls members by their names, though these be words."""

from __future__ import annotations

import pytest

from core.arrival import erasing
from core.metrics import Metrics
from core.pushes import Member
from core.running import forgetting
from core.store import transaction
from sla.clock import Given
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, seller, stored, thread

WORD = "quillbuyer"
SAID = f"Your buyer {WORD} has left you feedback."


@pytest.fixture
def rules():
    return seeds.rules(accounts=("mk",))


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"))
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


def notice(id_, at, thread, body, **changes):
    return seller(id_, at, thread, party="marketplace", kind="system", body=body, **changes)


def told(now, text=SAID):
    """Of the marketplace a notice, another with more in its payload, and a date; of a buyer one."""
    given = Given("claim", "answer", asks=True, as_of=now, read_at=now, due_at=now + HOUR,
                  sentence=f"Answer {text}")  # fmt: skip
    raw = f"<p title='{text}'>Feedback</p>".encode()
    return (
        thread("N1", as_of=now, subject=text),
        notice("M1", now - HOUR, "N1", text),
        thread("N2", as_of=now, subject="Feedback"),
        notice("M2", now - HOUR, "N2", "Feedback", raw=raw),
        thread("T3", as_of=now, buyer="Other", subject=text),
        buyer("M3", now - HOUR, "T3", body=text),
        ("N2", given),
    )


async def texts(pool):
    found = {row["id"]: row["subject"] for row in await pages.rows(pool, "thread")}
    found |= {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    found |= {row["id"] + " raw": row["body"] for row in await pages.rows(pool, "raw_message")}
    [given] = await pages.rows(pool, "given")
    return found | {"given": given["sentence"]}


@pytest.mark.parametrize("first", [True, False])
async def test_a_notice_names_no_erased_member_of_whom_there_was_a_thread(
    pool, rules, erase, now, first
):
    """In whatever the marketplace writes; what a person writes keeps the word."""
    mine = thread("T1", as_of=now, buyer=WORD.title()), buyer("M0", now - HOUR, "T1", body="x")
    await stored(pool, now, *mine, *(told(now) if first else ()), of=rules)

    await erase(WORD, "uQ7l4Z0k77xb")

    if not first:
        await stored(pool, now, *told(now), of=rules)
    found = await texts(pool)
    assert found["M1"] == SAID.replace(WORD, "[erased]")
    assert WORD not in f"{found['N1']} {found['given']}"
    assert "M2 raw" not in found
    assert (found["T3"], found["M3"]) == (SAID, SAID)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("name", "known"), [(WORD, False), ("1234567", True)])
async def test_a_notice_keeps_the_words_of_strangers_and_the_numbers_of_all(
    pool, rules, erase, now, first, name, known
):
    text = f"Order {name} was paid"
    if known:
        mine = thread("T1", as_of=now, buyer=name), buyer("M0", now - HOUR, "T1", body="x")
        await stored(pool, now, *mine, of=rules)
    if first:
        await stored(pool, now, *told(now, text), of=rules)

    await erase(name)

    if not first:
        await stored(pool, now, *told(now, text), of=rules)
    found = await texts(pool)
    assert (found["M1"], found["N1"], found["given"]) == (text, text, f"Answer {text}")
    assert text.encode() in found["M2 raw"]
