"""The queue of the board against a model of it in Python, on queues made by chance."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from random import Random

import pytest

from core import labels
from core.running import keying
from core.store import board, described, queue
from core.store.board import After, Sought
from tests.core import seeds
from tests.core.seeds import HOUR, MINUTE

ACCOUNTS = ("amazon-de", "amazon-fr", "mirakl")
PROMISES = ("reply-24h", "ours-4h", "given:claim:answer")
KINDS = ("message", "claim", "dispute")
LANGUAGES = (None, "de", "de-AT", "del", "ko")
PEOPLE = ("anna", "bo")
CLOCK = """
    insert into clock (account, thread, promise, waits_for, metric, members, started_by, started_at,
                       due_at, due_from, steps, ended, history, kind, language)
    values ($1, $2, $3, 'buyer', 'first_reply', '{m}', 'm', $4, $5, 'policy', $6, $7, $8, $9, $10)
    returning id
"""
CLAIM = "insert into claim (account, thread, by, since, until) values ($1, $2, $3, $4, $5)"
THREAD = "insert into thread (account, id, kind, subject, as_of) values ($1, $2, $3, $4, $5)"


@dataclass(frozen=True)
class Clock:
    """A clock of the model; *claimed* by whom its thread is, at this moment."""

    id: int
    account: str
    thread: str
    promise: str
    due_at: object
    steps: tuple
    kind: str
    language: str | None
    runs: bool
    claimed: str | None

    @property
    def ref(self):
        return self.account, self.thread


async def put(db, random, now, threads=60):
    """Threads with up to three clocks each, of all kinds and in all bands; the clocks."""
    made = []
    for n in range(threads):
        account, thread = random.choice(ACCOUNTS), f"T{n}"
        kind, language = random.choice(KINDS), random.choice(LANGUAGES)
        await db.execute(THREAD, account, thread, kind, f"Parcel {n}?", now)
        claimed = await _claim(db, random, account, thread, now)
        for _ in range(random.randint(0, 3)):
            due = now + random.choice((0, 1, -1, 30, 90, -90, 200)) * MINUTE
            before = random.choices((1, 20, 60, 100, 150), k=random.choice((0, 1, 2, 3)))
            warnings = sorted({due - minutes * MINUTE for minutes in before})
            steps = [] if random.random() < 0.1 else [*warnings, due]
            ended = "met" if random.random() < 0.15 else None
            history = random.random() < 0.1
            promise = random.choice(PROMISES)
            number = await db.fetchval(
                CLOCK, account, thread, promise, due - 24 * HOUR, due, steps, ended, history, kind,
                language,
            )  # fmt: skip
            runs = not (ended or history) and bool(steps)
            of = (promise, due, tuple(steps), kind, language, runs, claimed)
            made.append(Clock(number, account, thread, *of))
    return made


async def _claim(db, random, account, thread, now):
    """A claim that holds, one whose time is over, or none; whose the thread is."""
    by, until = random.choice(PEOPLE), random.choice((now + HOUR, now - MINUTE, None))
    if until is not None:
        await db.execute(CLAIM, account, thread, by, now - HOUR, until)
    return by if until is not None and until > now else None


def expected(clocks, sought, now):
    """The ids of the lines that *sought* is to find, by the rule, in plain words."""
    running = [c for c in clocks if c.runs and sought.promise in (None, c.promise)]
    nearest = {}
    for clock in sorted(running, key=lambda c: (c.due_at, c.id)):
        nearest.setdefault(clock.ref, clock)
    return [c.id for c in nearest.values() if is_shown(c, sought, now)]


def is_shown(clock, sought, now):
    claimed = {
        None: True,
        "free": clock.claimed is None,
        "mine": clock.claimed == sought.me,
        "others": clock.claimed not in (None, sought.me),
    }
    return (
        (sought.accounts is None or clock.account in sought.accounts)
        and sought.band in (None, queue.band(clock.due_at, clock.steps, now))
        and sought.kind in (None, clock.kind)
        and (sought.language is None or speaks(clock.language, sought.language))
        and claimed[sought.claimed]
    )


def speaks(language, asked):
    """A language is found in all countries, one of a country there alone."""
    return language is not None and asked in (language, language.partition("-")[0])


def counted(clocks, now):
    """How many lines each account has, by band."""
    found = {}
    for account, band in product(ACCOUNTS, labels.BANDS):
        sought = Sought(accounts=frozenset({account}), band=band)
        found.setdefault(account, []).append(len(expected(clocks, sought, now)))
    return {account: tuple(n) for account, n in found.items() if any(n)}


def views(random):
    """Every filter by itself, and some of them together."""
    yield Sought()
    values = {
        "accounts": [frozenset(), frozenset({"mirakl"}), frozenset(ACCOUNTS[:2]), frozenset({"?"})],
        "band": labels.BANDS,
        "kind": (*KINDS, "chat"),
        "language": ("de", "de-AT", "del", "ko", "fr"),
        "promise": (*PROMISES, "other"),
        "claimed": ("mine", "free", "others"),
    }
    for name, of in values.items():
        yield from (with_me(Sought(**{name: value})) for value in of)
    for _ in range(30):
        names = random.sample(sorted(values), random.randint(2, 4))
        yield with_me(Sought(**{name: random.choice(values[name]) for name in names}))


def with_me(sought):
    return replace(sought, me="anna") if sought.claimed in ("mine", "others") else sought


async def ids(db, sought, now, limit=1000):
    async with db.transaction():
        return [line.id for line in await board.lines(db, sought, now, limit)]


@pytest.fixture
async def db(pool):
    async with pool.acquire() as db:
        yield db


@pytest.mark.parametrize("few", [0, 10, board.FEW])
@pytest.mark.parametrize("seed", range(2))
async def test_lines_and_counts_are_those_of_the_model(db, now, seed, few, monkeypatch):
    monkeypatch.setattr(board, "FEW", few)
    random = Random(f"{seed} {few}")
    clocks = await put(db, random, now)

    for sought in views(random):
        assert await ids(db, sought, now) == expected(clocks, sought, now), sought
    async with db.transaction():
        counts = await board.counts(db, now)
    assert dict(counts.by_account) == counted(clocks, now)
    assert set(counts.of(["mirakl"])) <= {"mirakl"}


async def test_pages_hold_every_line_once_while_others_change(db, now):
    random = Random(7)
    clocks = await put(db, random, now, threads=120)
    changing = random.sample(clocks, 20)
    changed = {clock.ref for clock in changing}
    stay = [one for one in clocks if one.ref not in changed]
    seen, sought = [], Sought()
    while page := await _page(db, sought, now):
        seen += page
        sought = Sought(after=page[-1].place)
        if changing:
            change = random.choice(("ended = 'met'", "due_at = due_at + '40 min', steps = '{}'"))
            await db.execute(f"update clock set {change} where id = $1", changing.pop().id)

    assert len(seen) == len({line.id for line in seen})
    untouched = [line.id for line in seen if (line.account, line.thread) not in changed]
    assert untouched == expected(stay, Sought(), now)


async def _page(db, sought, now):
    async with db.transaction():
        return await board.lines(db, sought, now, 7)


async def test_what_an_agent_sees_of_a_line(db, now):
    await seeds.put_account(db, now)
    await seeds.put_thread(db, now)
    near = await seeds.put_clock(db, now + HOUR, kind="message", language="ko")
    await seeds.put_clock(db, now + 3 * HOUR, promise="reply-48h")
    await seeds.put_clock(db, now - HOUR, promise="old", ended="met")
    await db.execute(CLAIM, "mk", "T1", "anna", now, now + HOUR)
    await db.execute(
        "insert into reply (account, thread, body, addressed_to, state, next_try_at, queued_at)"
        " values ('mk', 'T1', 'soon', '{buyer}', $1, $2, $2)", "refused", now)  # fmt: skip

    async with db.transaction():
        [line] = await board.lines(db, Sought(), now, 10)

    assert (line.id, line.account, line.thread, line.kind) == (near, "mk", "T1", "message")
    assert (line.subject, line.language, line.others) == ("Where is my Quillon?", "ko", 1)
    assert (line.claimed_by, line.claimed_until) == ("anna", now + HOUR)
    assert line.reply_state == "refused"
    assert line.band(now) == "ok"
    assert line.next_band_at(now + MINUTE) == now + HOUR
    assert line.next_band_at(now + 2 * HOUR) is None
    assert After(*line.place).due_at == line.due_at


async def test_a_reply_to_an_earlier_question_says_nothing_of_this_one(db, now):
    await seeds.put_account(db, now)
    await seeds.put_thread(db, now)
    await seeds.put_clock(db, now + HOUR, started_at=now - HOUR)
    before = now - 2 * HOUR
    await db.execute(
        "insert into reply (account, thread, body, addressed_to, state, next_try_at, queued_at)"
        " values ('mk', 'T1', 'yes', '{buyer}', 'confirmed', $1, $1)", before)  # fmt: skip

    async with db.transaction():
        [line] = await board.lines(db, Sought(), now, 10)

    assert line.reply_state is None


async def test_a_clock_of_an_older_version_is_found_by_its_kind_once_it_was_filled(pool, db, now):
    await seeds.put_account(db, now)
    await seeds.put_thread(db, now)
    old = await seeds.put_clock(db, now + HOUR)

    assert await ids(db, Sought(kind="message"), now) == []
    assert await described.fill(db, 10) == 1
    assert await described.fill(db, 10) == 0
    assert not await keying.describe(pool, keying.Place())
    assert await ids(db, Sought(kind="message"), now) == [old]


MANY = """
    insert into clock (account, thread, promise, waits_for, metric, members, started_by, started_at,
                       due_at, due_from, steps, kind, language)
    select 'mk' || n % 5, 'T' || n, 'p', 'buyer', 'first_reply', '{m}', 'm', $1, at, 'policy',
           array[at - interval '1 hour', at - interval '1 minute', at], 'message', 'de'
    from generate_series(1, 3000) n
    cross join lateral (select $1::timestamptz + n * interval '1 minute' as at) as due
"""


async def plan(db, **asked):
    """How the page is looked up of which a place of `board.PAGE` says the rest."""
    places = {"above": 0, "id": 1, "first_from": 3, "promise": 8, "kind": 9, "language": 10,
              "last": 11}  # fmt: skip
    values: list[object] = [None] * 14
    for name, value in {"id": 0, **asked}.items():
        values[places[name]] = value
    values[13] = 50
    async with db.transaction():
        await db.execute(board.PLANNED)
        rows = await db.fetch(f"explain {board.PAGE}", *values)
    return "\n".join(row[0] for row in rows)


async def test_a_page_is_looked_up_in_the_order_of_the_queue_and_few_by_what_they_have(db, now):
    await db.execute(MANY, now)
    await db.execute("analyze clock")

    every = await plan(db, above=now)
    on_time = await plan(db, above=now, first_from=now)
    few = [
        await plan(db, above=now, kind="dispute"),
        await plan(db, above=now, language="ko", last="ko-zzzzzzzz"),
        await plan(db, above=now, promise="rare"),
    ]

    assert "Index Scan using clock_board on clock c" in every
    assert "Index Scan using clock_board on clock c" in on_time
    assert "Sort" not in every + on_time
    [condition] = [
        line for line in on_time.splitlines() if "Index Cond" in line and "steps" in line
    ]
    assert "steps[1] >= " in condition
    for one in few:
        assert re.search(r"using clock_(few|board) on clock c", one)
        assert re.search(r"Index Cond: .*(dispute|ko|rare)", one)


def test_every_instant_has_a_place(now):
    last, early = now.replace(year=9999), now.replace(year=1971)
    for due in (now, now + timedelta(microseconds=1), last, early):
        line = board.Line(
            7, "a", "t", "message", None, (), None, "p", "buyer", "first_reply", now, due, (), ()
        )
        assert line.place.due_at == due
