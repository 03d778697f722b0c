from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import permutations
from math import nan

import pytest

from core import ingest
from core.arrival.stored import Stored
from core.errors import LeaseLost
from core.model import Page, Published, SetAside
from core.store import messages, setaside, streams, threads, transaction
from sla.calendar import WHOLE_DAY, Calendar
from sla.clock import Delivery, Given
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, page, seller, stored, thread

DAY = 24 * HOUR


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 30 * DAY)
    return pool


async def test_a_buyers_message_starts_a_clock(pool, now):
    sent = now - HOUR

    done = await stored(pool, now, thread(as_of=now), buyer("M1", sent))

    [row] = await pages.rows(pool, "clock")
    assert (done.received, done.sent, done.delays) == (1, 0, (3600.0,))
    assert (row["started_by"], row["started_at"], row["due_at"]) == ("M1", sent, sent + DAY)
    assert row["next_alert_at"] == sent + DAY / 2
    assert (row["ended"], row["history"]) == (None, False)


async def test_the_answer_ends_it_and_says_how_long_it_took(pool, now):
    await stored(pool, now, thread(as_of=now), buyer("M1", now - HOUR))

    done = await stored(pool, now, seller("M2", now))

    [row] = await pages.rows(pool, "clock")
    assert (row["ended"], row["stopped_at"], row["stopped_by"]) == ("met", now, "M2")
    assert row["next_alert_at"] is None
    assert [r.clock.stopped_by for r in done.replied] == ["M2"]


async def test_an_unchanged_page_writes_nothing(pool, now):
    items = (
        thread(as_of=now), buyer("M1", now - HOUR), seller("M2", now - MINUTE),
        ("T1", Given("reply", "", asks=True, as_of=now, read_at=now, starts_at=now - HOUR)),
    )  # fmt: skip
    await stored(pool, now, *items)
    async with transaction(pool) as db:
        again = await ingest.page(db, seeds.rules(), "mk", page(*items), now, None)
        assert await db.fetchval("select pg_current_xact_id_if_assigned()") is None

    assert (again.received, again.sent, again.changed, again.repeated) == (0, 0, 0, 2)


ODD_IDS = ('a"b', "a\\u0000", "a\nb\tc\x1e", "ü你🙂", "{a,b}", "null", " ", "1")


async def test_what_is_told_again_is_known_whatever_its_id_is_made_of(pool, now):
    items = [
        item
        for id_ in ODD_IDS
        for item in (thread(id_, as_of=now, buyer=id_), buyer(id_, now - HOUR, thread=id_))
    ]
    await stored(pool, now, *items)

    again = await stored(pool, now + MINUTE, *items)

    assert (again.received, again.changed, again.repeated) == (0, 0, len(ODD_IDS))
    assert {row["id"] for row in await pages.rows(pool, "thread")} == set(ODD_IDS)


async def test_an_edit_changes_the_text_and_never_when_we_saw_it(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR, body="blue"))

    done = await stored(pool, now + MINUTE, buyer("M1", now - HOUR, body="green"))

    [row] = await pages.rows(pool, "message")
    assert (done.changed, row["body"], row["seen_at"]) == (1, "green", now)


async def test_what_we_sent_stays_ours_when_it_is_read_back(pool, now):
    await stored(pool, now, seller("R1", now - HOUR, origin="ours", delivery="accepted"))

    await stored(pool, now, seller("R1", now - 2 * HOUR))

    [row] = await pages.rows(pool, "message")
    assert (row["origin"], row["delivery"]) == ("ours", "confirmed")
    assert row["sent_at"] == now - 2 * HOUR


async def test_a_refusal_wins_over_what_is_read_later(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR), seller("M2", now, delivery="refused"))

    await stored(pool, now, seller("M2", now, delivery="confirmed"))

    [row] = await pages.rows(pool, "clock")
    assert (await pages.rows(pool, "message"))[1]["delivery"] == "refused"
    assert row["ended"] is None


async def test_a_seller_read_at_the_marketplace_has_been_delivered(pool, now):
    await stored(pool, now, seller("M2", now))

    [row] = await pages.rows(pool, "message")
    assert (row["delivery"], row["origin"]) == (Delivery.CONFIRMED, "elsewhere")


async def test_an_erased_message_does_not_come_back(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR, body="secret"))
    async with transaction(pool) as db:
        await db.execute("update message set body = ''")
        await db.execute("insert into tombstone values ('mk', 'M1', 'erased', $1)", now)
        await db.execute("insert into tombstone values ('mk', 'M0', 'erased', $1)", now)

    await stored(pool, now, buyer("M1", now - HOUR, body="secret"), buyer("M0", now - DAY))

    assert [(r["id"], r["body"]) for r in await pages.rows(pool, "message")] == [("M1", "")]


async def test_a_message_whose_thread_nobody_described_is_stored(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR))
    await stored(pool, now, thread(as_of=now - DAY, subject="Where is it?"))

    [row] = await pages.rows(pool, "thread")
    assert row["subject"] == "Where is it?"
    assert await pages.clock_rows(pool) == [("T1", "M1", None, None)]


async def test_an_older_state_of_a_thread_never_overwrites_a_newer_one(pool, now):
    await stored(pool, now, thread(as_of=now, subject="new"))
    await stored(pool, now, thread(as_of=now - MINUTE, subject="old"))

    assert [row["subject"] for row in await pages.rows(pool, "thread")] == ["new"]


async def test_of_a_thing_told_twice_in_one_page_the_last_counts(pool, now):
    await stored(
        pool, now,
        thread(as_of=now, subject="new"), thread(as_of=now - MINUTE, subject="old"),
        buyer("M1", now - HOUR, body="old"), buyer("M1", now - HOUR, body="new"),
    )  # fmt: skip

    assert (await pages.rows(pool, "thread"))[0]["subject"] == "new"
    assert [row["body"] for row in await pages.rows(pool, "message")] == ["new"]


async def test_a_message_that_moves_takes_its_clock_along(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR, "A"), buyer("M2", now - MINUTE, "B"))

    await stored(pool, now, buyer("M1", now - HOUR, "B"))

    found = await pages.rows(pool, "clock", "id")
    living = [row for row in found if row["ended"] is None]
    assert [(row["thread"], row["started_by"]) for row in living] == [("B", "M1")]
    assert {row["reason"] for row in found if row["ended"]} == {"merged"}


async def test_a_thread_told_in_part_says_that_its_start_is_uncertain(pool, now):
    await stored(pool, now, thread(as_of=now, incomplete=True), buyer("M1", now - HOUR))
    [part] = await pages.rows(pool, "clock")

    await stored(pool, now, thread(as_of=now + MINUTE), buyer("M0", now - 2 * HOUR))

    [whole] = await pages.rows(pool, "clock")
    assert part["flags"] == ["start_uncertain"]
    assert (whole["id"], whole["flags"], whole["started_by"]) == (part["id"], [], "M0")


async def test_a_page_of_a_retired_account_is_dropped(pool, now):
    await pages.monitored(pool, now, pages.setup("other"))

    done = await stored(pool, now, buyer("M1", now - HOUR))

    assert (done, await pages.rows(pool, "message")) == (Stored(), [])


async def test_a_lost_lease_rolls_everything_back(pool, now):
    async with transaction(pool) as db:
        [lease] = await streams.claim(db, 1, 1, ingest.LEASE)
        await db.execute("update stream set fence = fence + 1")

    with pytest.raises(LeaseLost):
        async with transaction(pool) as db:
            await ingest.page(db, seeds.rules(), "mk", page(buyer("M1", now - HOUR)), now, lease)

    assert await pages.rows(pool, "message") == []


async def test_raw_payloads_are_kept_beside_the_text(pool, now):
    await stored(pool, now, buyer("M1", now - HOUR, raw=b"\xff\x00 as sent"))
    await stored(pool, now, buyer("M1", now - HOUR, body="edited", raw=b"as sent later"))

    assert [row["body"] for row in await pages.rows(pool, "raw_message")] == [b"as sent later"]


# A reading of what the marketplace asks


def asks(as_of, *, since, read_at=None, asks=True):
    return "T1", Given(
        "reply", "", asks=asks, as_of=as_of, read_at=read_at or as_of, starts_at=since
    )


async def test_a_reading_that_repeats_the_newest_is_not_written_again(pool, now):
    for minutes in range(3):
        await stored(pool, now, asks(now + minutes * MINUTE, since=now - HOUR))

    assert len(await pages.rows(pool, "given")) == 1


async def test_that_it_still_asks_after_an_answer_is_another_reading(pool, now):
    await stored(pool, now, asks(now, since=now - HOUR))
    await stored(pool, now + MINUTE, seller("M2", now + MINUTE))

    await stored(pool, now + 2 * MINUTE, asks(now + 2 * MINUTE, since=now - HOUR))

    assert len(await pages.rows(pool, "given")) == 2


async def test_an_older_reading_that_comes_late_is_kept_once(pool, now):
    late = asks(now - HOUR, since=now - DAY)
    await stored(pool, now, asks(now, since=now - HOUR))
    await stored(pool, now, late)
    await stored(pool, now, late)

    assert len(await pages.rows(pool, "given")) == 2


# Bad input


UNINDEXABLE = "".join(chr(0x1F300 + n % 700) for n in range(1000))
WEIRD = {
    "a body of 10 MB": {"body": "ä" * 10 * 2**20},
    "an id of 500 letters": {"id": "".join(chr(0x4E00 + n) for n in range(500))},
    "an id that no index can hold": {"id": UNINDEXABLE},
    "NUL and lone surrogates": {"body": "\x00 \ud83d \udc00", "subject": "\x00"},
    "the year 1": {"sent_at": datetime(1, 1, 1, tzinfo=UTC)},
    "the year 1, east of Greenwich": {
        "sent_at": datetime.fromisoformat("0001-01-01T00:00:00+05:00")
    },
    "the year 9999": {"sent_at": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)},
    "the year 9999, west of Greenwich": {
        "sent_at": datetime.fromisoformat("9999-12-31T23:59:59-05:00")
    },
    "no date": {"sent_at": None},
}


@pytest.mark.parametrize("odd", WEIRD.values(), ids=list(WEIRD))
async def test_an_odd_message_is_stored_or_set_aside_and_its_neighbours_are_stored(pool, now, odd):
    given = {"id": "X", "sent_at": now - HOUR} | odd
    message = buyer(given.pop("id"), given.pop("sent_at"), **given)
    around = [buyer(f"M{n}", now - n * MINUTE, f"T{n % 3}") for n in range(20)]

    done = await stored(pool, now, *around[:10], message, *around[10:])

    ids = {row["id"] for row in await pages.rows(pool, "message")}
    aside = {row["source_id"] for row in await pages.rows(pool, "set_aside")}
    assert {m.id for m in around} <= ids
    assert len(done.aside) == len(aside) == 20 + 1 - len(ids)
    if not aside:
        assert message.id in ids


async def test_dates_that_the_database_can_hold_are_kept_as_told(pool, now):
    for name, year in (("old", 1), ("new", 9999)):
        await stored(pool, now, buyer(name, datetime(year, 1, 1, tzinfo=UTC)))

    kept = {row["id"]: row["sent_at"].year for row in await pages.rows(pool, "message")}
    assert kept == {"old": 1, "new": 9999}
    found = await pages.rows(pool, "clock")
    assert [(row["started_at"], row["history"]) for row in found] == [(now, False)]


async def test_what_is_refused_is_kept_with_the_reason_and_without_its_words_in_it(pool, now):
    odd = buyer(UNINDEXABLE, now - HOUR, body="private words")
    done = await stored(pool, now, odd)

    [row] = await pages.rows(pool, "set_aside")
    assert (row["source_id"][:99], row["stream"]) == (UNINDEXABLE[:99], "push")
    assert (done.set_aside, done.received) == (1, 0)
    assert row["reason"].startswith("unstorable: ")
    assert "private words" not in row["reason"]
    assert b"private words" in row["raw"]

    again = await stored(pool, now, odd)
    assert (again.set_aside, (await pages.rows(pool, "set_aside"))[0]["times"]) == (0, 2)


async def test_a_promise_that_its_calendar_cannot_place_costs_no_message(pool, now):
    over = Calendar("UTC", {}, {(now - 9 * DAY).date(): WHOLE_DAY})
    odd = seeds.rules(policies={"mk": (seeds.policy(calendar=over, reply_within=HOUR),)})

    done = await stored(pool, now, buyer("M1", now - MINUTE), of=odd)

    [row] = await pages.rows(pool, "clock")
    assert (done.received, done.set_aside) == (1, 0)
    assert (row["due_at"], row["flags"]) == (now - MINUTE + HOUR, ["calendar_ended"])


async def test_a_fault_of_the_computing_is_not_blamed_on_the_page(pool, now):
    odd = seeds.rules(policies={"mk": (seeds.policy(warn=(nan,)),)})

    with pytest.raises(ValueError, match="NaN"):
        await stored(pool, now, buyer("M1", now - MINUTE), of=odd)

    assert await pages.rows(pool, "set_aside") == []


async def test_a_thread_that_is_refused_leaves_its_messages(pool, now):
    odd = thread(as_of=now, reply_to={"to": "\x00"})

    await stored(pool, now, odd, buyer("M1", now - HOUR))

    assert [row["id"] for row in await pages.rows(pool, "message")] == ["M1"]
    assert [row["source_id"] for row in await pages.rows(pool, "set_aside")] == ["T1"]


async def test_a_reading_of_words_that_cannot_be_held_is_set_aside(pool, now):
    odd = Given("reply\x00", "\ud800", asks=True, as_of=now, read_at=now, starts_at=now)

    await stored(pool, now, buyer("M1", now - HOUR), ("T1", odd))

    assert [row["id"] for row in await pages.rows(pool, "message")] == ["M1"]
    assert [row["source_id"] for row in await pages.rows(pool, "set_aside")] == ["T1"]


async def test_what_was_to_be_expected_is_set_aside_and_nobody_is_told(pool, now):
    expected = SetAside("private", "foreign", b"x", quiet=True)
    found = []
    for items in ((expected,), (expected, SetAside("broken", "unreadable", b"x"))):
        async with transaction(pool) as db:
            await ingest.page(db, seeds.rules(), "mk", Page(set_aside=items), now, None)
            kept = await setaside.kept(db, "mk")
        found.append(await pages.rows(pool, "notice"))

    assert [len(notices) for notices in found] == [0, 1]
    assert "unreadable" in str(found[1][0])
    assert {(one.source_id, one.times) for one in kept} == {("private", 2), ("broken", 1)}


async def test_what_the_connector_set_aside_is_counted_once(pool, now):
    item = SetAside("thread 7\x00" * 100, "subject: \ud800", b"\xff{")
    for _ in range(3):
        async with transaction(pool) as db:
            await ingest.page(db, seeds.rules(), "mk", Page(set_aside=(item,)), now, None)

    async with pool.acquire() as db:
        [kept] = await setaside.kept(db, "mk")
        assert await setaside.read(db, [kept.id]) == {kept.id: b"\xff{"}
        assert (kept.times, kept.size) == (3, 2)
        assert await setaside.drop(db, [kept.id]) == 1


async def test_published_numbers_are_kept_and_corrected(pool, now):
    for value in (0.9, 0.95):
        numbers = (Published("reply rate", value, now), Published("other", 1.0, now))
        async with transaction(pool) as db:
            await ingest.page(db, seeds.rules(), "mk", Page(published=numbers), now, None)

    assert {r["name"]: r["value"] for r in await pages.rows(pool, "published")} == {
        "reply rate": 0.95, "other": 1.0,
    }  # fmt: skip


async def test_a_published_number_that_is_refused_harms_nothing(pool, now):
    odd = Published("rate\x00", 1.0, now)
    told = page(buyer("M1", now - HOUR), published=(odd,))
    async with transaction(pool) as db:
        await ingest.page(db, seeds.rules(), "mk", told, now, None)

    assert len(await pages.rows(pool, "message")) == 1
    assert [row["source_id"] for row in await pages.rows(pool, "set_aside")] == ["published"]


# Side by side


async def test_two_pages_on_the_same_threads_never_deadlock(pool, now):
    """Each brings messages for many threads, in orders of their own, old threads and new."""
    names = [f"T{n}" for n in range(40)]
    await stored(pool, now, *(thread(name, as_of=now) for name in names[::2]))

    async def one(k):
        turned = names[k:] + names[:k] if k % 2 else list(reversed(names))
        items = [buyer(f"{name}/{k}", now - HOUR, name) for name in turned]
        await stored(pool, now, *items, buyer(f"shared/{k % 3}", now, turned[0]))
        async with transaction(pool) as db:
            await ingest.recompute(db, seeds.rules(), "mk", turned, now)

    await asyncio.gather(*(one(k) for k in range(8)))

    found = await pages.rows(pool, "clock")
    assert len([row for row in found if row["ended"] is None]) == len(names)


async def test_recomputations_of_the_same_threads_never_deadlock(pool, now):
    names = [f"T{n}" for n in range(30)]
    await stored(pool, now, *(buyer(f"M{name}", now - HOUR, name) for name in names))

    async def recompute(k):
        for n in range(5):
            turned = names[k + n :] + names[: k + n]
            async with transaction(pool) as db:
                await ingest.recompute(db, seeds.rules(), "mk", turned, now)

    await asyncio.gather(*(recompute(k) for k in range(8)))


async def test_one_message_told_in_two_threads_at_once_stands_in_one(pool, now):
    for n in range(10):
        await asyncio.gather(
            stored(pool, now, buyer(f"M{n}", now, "A"), buyer(f"a{n}", now, "A")),
            stored(pool, now, buyer(f"M{n}", now, "B"), buyer(f"b{n}", now, "B")),
        )

    async with transaction(pool) as db:
        at_rest = {
            name: {turn.id for turn in turns}
            for name, turns in (await messages.turns(db, "mk", ["A", "B"])).items()
        }
    for row in await pages.rows(pool, "clock"):
        if row["ended"] is None:
            assert set(row["members"]) <= at_rest[row["thread"]]


async def test_every_commit_order_of_a_page_a_push_and_a_reply_gives_the_same_rows(
    address, pool, now
):
    """Each of three writers is stopped just before it commits, so that the others must wait."""
    outcomes = set()
    for number, order in enumerate(permutations(range(3))):
        name = f"T{number}"
        await stored(pool, now, thread(name, as_of=now), buyer(f"{name}/0", now - DAY, name))
        await _commit_in_order(pool, now, name, order)
        found = [
            (r["started_by"].split("/")[1], r["ended"], (r["stopped_by"] or "/").split("/")[1])
            for r in await pages.rows(pool, "clock", "started_at, id")
            if r["thread"] == name
        ]
        outcomes.add(tuple(found))

    assert outcomes == {(("0", "met", "3"), ("2", None, ""))}


async def _commit_in_order(pool, now, name, order):
    gates = [asyncio.Event() for _ in order]

    async def told_by_page(db):
        told = page(buyer(f"{name}/1", now - 20 * HOUR, name))
        await ingest.page(db, seeds.rules(), "mk", told, now, None)

    async def told_by_push(db):
        told = page(buyer(f"{name}/2", now - MINUTE, name))
        await ingest.page(db, seeds.rules(), "mk", told, now, None)

    async def reply(db):
        await threads.lock(db, "mk", [name])
        sent = seller(f"{name}/3", now - HOUR, name, origin="ours", delivery="accepted")
        await messages.add(db, "mk", [messages.told(sent)], now)
        await ingest.recompute(db, seeds.rules(), "mk", [name], now)

    async def write(what, gate):
        async with transaction(pool) as db:
            work = asyncio.ensure_future(what(db))
            await gate.wait()
            await work

    tasks = []
    writers = (told_by_page, told_by_push, reply)
    for which in order:
        tasks.append(asyncio.ensure_future(write(writers[which], gates[which])))
        await asyncio.sleep(0.03)
    for which in order:
        gates[which].set()
    await asyncio.gather(*tasks)


async def test_an_account_retired_meanwhile_has_no_running_clock(pool, now):
    """A push that has begun either is stored before the retirement, or dropped after it."""

    async def push(n):
        await stored(pool, now, buyer(f"M{n}", now - HOUR, f"T{n}"))

    async def retire():
        await pages.monitored(pool, now, pages.setup("other"))

    await asyncio.gather(*(push(n) for n in range(4)), retire(), *(push(n) for n in range(4, 8)))

    assert {row[2:] for row in await pages.clock_rows(pool)} <= {("void", "account_retired")}
