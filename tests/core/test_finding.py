"""Threads that somebody looks for: by order, by id, by buyer, and by who answered them when."""

from __future__ import annotations

from random import Random

import pytest

from core.access import Role, Who
from core.store import audit, board, erased, finding
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE

ANNA = Who("anna", Role.AGENT)
ORDERS = "update thread set order_ids = $3 where account = $1 and id = $2"
REPLY = """
    insert into reply (account, thread, body, addressed_to, state, next_try_at, queued_at,
                       message_id, written_by)
    values ('mk', $1, 'soon', '{buyer}', 'confirmed', $2, $2, $3, $4)
"""
SAID = """
    update message set kind = $2, origin = 'ours', seen_at = $3 where account = 'mk' and id = $1
"""


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db, db.transaction():
        for account in ("mk", "other"):
            await seeds.put_account(db, now, account)
        yield db


async def put(db, now, name, buyer="", orders=(), account="mk", **clock):
    """A thread, with a clock where its *due_at* is given."""
    await seeds.put_thread(db, now, name, account, buyer=buyer)
    await db.execute(ORDERS, account, name, list(orders))
    if clock:
        return await seeds.put_clock(db, clock.pop("due_at"), thread=name, account=account, **clock)
    return None


async def names(db, word, now, accounts=None, *, names=True, limit=50):
    """The ids of the threads that *word* finds, in order."""
    found = await finding.search(db, word, accounts, now, limit, names=names)
    return [one.thread for one in found.found]


@pytest.mark.parametrize(
    ("word", "threads"),
    [
        ("305-1234567-1234567", ["whole"]),
        ("305 1234567 1234567", ["whole"]),
        ("30512345671234567", ["whole"]),
        ("305-12", ["whole", "other"]),
        ("305", []),
        ("1001", ["short"]),
        ("#1001", ["short"]),
        ("ab-9'\\", ["odd"]),
        ("second-1", ["several"]),
        ("T/42", ["T/42"]),
        ("t/42", []),
        ("-", []),
    ],
)
async def test_an_order_is_found_whole_or_in_part_however_it_is_written(db, now, word, threads):
    await put(db, now, "whole", orders=["305-1234567-1234567"], due_at=now + HOUR)
    await put(db, now, "other", orders=["305-1299999-0000000"], due_at=now + 2 * HOUR)
    await put(db, now, "short", orders=["#1001"])
    await put(db, now, "several", orders=["first-1", "SECOND-1"])
    await put(db, now, "odd", orders=["AB-9'\\"])
    await put(db, now, "T/42")

    assert await names(db, word, now) == threads


@pytest.mark.parametrize(
    ("word", "threads"),
    [
        ("anna", ["hyphen", "two"]),
        ("Ann Schm", ["two"]),
        ("schmidt anna", ["two"]),
        ("schmi", ["other", "two"]),
        ("schmitz", []),
        ("muller", ["hyphen"]),
        ("MÜLLER", ["hyphen"]),
        ("gmx", ["hyphen"]),
        ("김", ["korean"]),
        ("김민지", ["korean"]),
        ("민지", []),
        ("a", []),
        ("100%", []),
        ("nna", []),
    ],
)
async def test_a_buyer_is_found_by_the_beginnings_of_their_names(db, now, word, threads):
    await put(db, now, "two", buyer="Anna Schmidt")
    await put(db, now, "other", buyer="Schmiedel, Bo")
    await put(db, now, "hyphen", buyer="Anna-Maria Müller <am@gmx.example>")
    await put(db, now, "korean", buyer="김민지")

    assert await names(db, word, now) == threads
    assert await names(db, word, now, names=False) == []


async def test_what_waits_comes_by_deadline_then_what_was_answered_the_last_first(db, now):
    of = {"orders": ["ORDER-77"]}
    await put(db, now, "late", **of, due_at=now - HOUR)
    await put(db, now, "soon", **of, due_at=now + HOUR)
    await put(db, now, "old", **of, due_at=now, ended="met", stopped_at=now - 9 * HOUR)
    await put(db, now, "new", **of, due_at=now, ended="late", stopped_at=now - HOUR)
    await put(db, now, "none", **of)
    await put(db, now, "again", **of, due_at=now, ended="met", stopped_at=now - 2 * HOUR)
    await seeds.put_clock(db, now + 2 * HOUR, thread="again")

    found = await finding.search(db, "order77", None, now, 3, names=True)

    assert await names(db, "order77", now) == ["late", "soon", "again", "new", "old", "none"]
    assert [one.thread for one in found.found] == ["late", "soon", "again"]
    assert found.is_part
    assert [one.band(now) for one in found.found] == ["breached", "ok", "ok"]


async def test_nobody_finds_what_is_not_theirs_nor_whom_was_erased(db, now):
    for account in ("mk", "other"):
        await put(db, now, "T1", buyer="Zenobia Quill", orders=["ORDER-77"], account=account)
    theirs = await finding.search(db, "zenobia", {"other"}, now, 9, names=True)

    assert [(one.account, one.buyer) for one in theirs.found] == [("other", "Zenobia Quill")]
    assert await names(db, "T1", now, {"other"}) == ["T1"]
    assert await names(db, "ORDER-77", now, set()) == []

    await erased.empty(db, "mk", ["T1"], now)
    for word in ("zenobia", "ORDER-77", "T1"):
        found = await finding.search(db, word, None, now, 9, names=True)
        assert [one.account for one in found.found] == ["other"]


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_typed_finds_what_is_called_so(db, now, seed):
    random = Random(seed)
    signs = "aB9 '\\\"%_-:*&|!<>()\u0301é가ßЖ\ufdfa\U0001f600.,"
    for n in range(40):
        word = "".join(random.choices(signs, k=random.choice((1, 3, 9, 200)))).strip()
        by_name, by_order = f"N{n}", f"O{n}"
        await put(db, now, by_name, buyer=word)
        await put(db, now, by_order, orders=[word or "-"])
        found = await finding.search(db, word, None, now, 1000, names=True)
        order, words = await db.fetchrow(finding.SAID, word)

        threads = {one.thread for one in found.found}
        assert (by_order in threads) == bool(order)
        assert (by_name in threads) == (len("".join(words)) >= finding.LEAST_NAME)


async def answer(db, now, thread, by, ended="met", **clock):
    """A thread that somebody has answered *now*, by a reply from here."""
    await put(db, now, thread, due_at=now + HOUR, ended=ended, stopped_at=now,
              stopped_by=f"R-{thread}", **clock)  # fmt: skip
    await db.execute(REPLY, thread, now - MINUTE, f"R-{thread}", by)


async def mark(db, now, thread, by, kind="no_reply_needed", ended="void", reason="decided"):
    """A thread of which somebody has said *now* that it needs no reply, or was given one."""
    await put(db, now, thread, due_at=now + HOUR, ended=ended, stopped_at=now, reason=reason,
              stopped_by=f"S-{thread}")  # fmt: skip
    await seeds.put_message(db, now, f"S-{thread}", thread, party="seller")
    await db.execute(SAID, f"S-{thread}", kind, now)
    act = "mark" if kind == "no_reply_needed" else "answered"
    await audit.write(db, by, act, account="mk", thread=thread, now=now)


async def ended(db, now, accounts=None, by=None, after=None, limit=50):
    return await finding.answered(db, accounts, by, after, now, limit)


async def test_what_was_answered_is_told_with_how_it_ended_and_who_did_it(db, now):
    await answer(db, now - MINUTE, "by-anna", "anna")
    await answer(db, now - 2 * MINUTE, "late", "bo", ended="late")
    await mark(db, now - 3 * MINUTE, "decided", ANNA)
    await mark(db, now - 4 * MINUTE, "told", ANNA, "answered_elsewhere", "met", None)
    await put(
        db, now, "there", due_at=now, ended="met", stopped_at=now - 5 * MINUTE, stopped_by="M"
    )
    await put(db, now, "gone", due_at=now, ended="void", stopped_at=now - 6 * MINUTE, reason="gone")
    await put(db, now, "long ago", due_at=now, ended="met", stopped_at=now - 15 * 24 * HOUR)
    await put(db, now, "waits", due_at=now + HOUR)
    await answer(db, now - MINUTE, "before we watched", "anna", history=True)

    told = [(one.thread, one.ended, one.reason, one.by, one.is_elsewhere)
            for one in await ended(db, now)]  # fmt: skip

    assert told == [
        ("by-anna", "met", None, "anna", False),
        ("late", "late", None, "bo", False),
        ("decided", "void", "decided", "anna", False),
        ("told", "met", None, "anna", False),
        ("there", "met", None, None, True),
        ("gone", "void", "gone", None, False),
    ]
    assert [one.thread for one in await ended(db, now, by="anna")] == ["by-anna", "decided", "told"]
    assert [one.thread for one in await ended(db, now, by="bo")] == ["late"]
    assert [one.thread for one in await ended(db, now, {"other"})] == []
    assert [one.thread for one in await ended(db, now, {"other"}, by="anna")] == []


@pytest.mark.parametrize("by", [None, "anna"])
async def test_pages_of_what_was_answered_hold_each_thread_once(db, now, by):
    for n in range(20):
        await answer(db, now - n // 2 * MINUTE, f"T{n}", "anna")
        await seeds.put_clock(db, now + HOUR, thread=f"T{n}", promise="other", ended="met",
                              stopped_at=now - n // 2 * MINUTE, stopped_by=f"R-T{n}")  # fmt: skip
    seen, after = [], None
    while page := await ended(db, now, by=by, after=after, limit=3):
        seen += [one.thread for one in page]
        after = page[-1].place

    assert sorted(seen) == sorted(f"T{n}" for n in range(20))
    assert [int(name[1:]) // 2 for name in seen] == [n // 2 for n in range(20)]


async def test_much_that_somebody_wrote_in_one_thread_hides_none_of_their_others(db, now):
    for n in range(3):
        await answer(db, now - HOUR - n * MINUTE, f"T{n}", "anna")
    await answer(db, now, "long", "anna")
    for n in range(finding.MOST_ACTS):
        await db.execute(REPLY, "long", now - MINUTE, f"more-{n}", "anna")

    assert [one.thread for one in await ended(db, now, by="anna")] == ["long", "T0", "T1", "T2"]
    first = await ended(db, now, by="anna", limit=2)
    assert [one.thread for one in first] == ["long", "T0"]


async def test_who_was_erased_is_not_among_what_was_answered(db, now):
    await answer(db, now, "T1", "anna")
    await erased.empty(db, "mk", ["T1"], now)

    assert await ended(db, now) == await ended(db, now, by="anna") == []


MANY = """
    insert into thread (account, id, kind, buyer, order_ids, as_of)
    select 'mk', 'T' || n, 'message', 'Buyer' || n || ' Name' || n, array['305-' || n], $1
    from generate_series(1, 3000) n
"""
MANY_ENDED = """
    insert into clock (account, thread, promise, waits_for, metric, members, started_by, started_at,
                       due_at, due_from, steps, ended, stopped_at)
    select 'mk', 'T' || n, 'p', 'buyer', 'first_reply', '{m}', 'm', at, at, 'policy', array[at],
           'met', at - n * interval '1 minute'
    from generate_series(1, 3000) n cross join (select $1::timestamptz as at) as one
"""


async def test_each_is_found_by_its_index(db, now):
    await db.execute(MANY, now)
    await db.execute(MANY_ENDED, now)
    await db.execute("analyze")
    await db.execute(finding.PLANNED)
    asked = ["x", None, "'3051':*", "'buyer':* & 'name1'", ["% buyer1%"], 1000, 50]
    found = "\n".join(row[0] for row in await db.fetch(f"explain {finding.SEARCH}", *asked))
    await db.execute(board.PLANNED)
    since = [now - HOUR, now, 0, None, 50]
    late = "\n".join(row[0] for row in await db.fetch(f"explain {finding.ANSWERED}", *since))

    assert found.count("Bitmap Index Scan on thread_sought") == 2
    assert "Seq Scan" not in found + late
    assert "Index Scan Backward using clock_ended on clock c" in late
    assert "Sort" not in late
