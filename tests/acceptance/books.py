"""The books at the end of a bad day: what is stored, held against all who were spoken to.

Every clock is computed anew from its thread; every step, notice, dispatch and reply has its
counterpart at the marketplace and at the reader's, and nothing stands on one side only.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core import store
from core.loops import utcnow
from core.notifier import stable_id
from core.store import alarms, clocks, messages, policies, readings
from sla.clock import clocks as clocks_of
from tests.acceptance import market

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.mirakl.sandbox.server import Sandbox
    from core.model import ClockRow
    from core.store import Db
    from core.store.alarms import Alarm
    from sla.clock import Clock
    from tests.acceptance.desk import Desk

    Row = Mapping[str, Any]

STEP = re.compile(r"^(\d+)/(\d+)/(\d+)$")
VOID = {"gone", "merged"}
TOLD = """
    select n.id, n.key, n.kind, n.clock, n.raised_at, d.notifier, d.sent_at, d.suppressed,
           d.parked_reason, d.digest
    from notice n left join dispatch d on d.notice = n.id
"""
ALARMS = "select clock, at, kind::text as kind from alarm"
OPEN = """
    select (select count(*) from alarm where kind in ('warning', 'breach')) as untold,
           (select count(*) from clock where not history and due_at < now() and breached_at is null
                                         and (ended is null or ended = 'late')) as uncounted,
           (select count(*) from dispatch where sent_at is null and suppressed is null
                                            and parked_reason is null) as unsent,
           (select count(*) from reply where state in ('queued', 'sending')) as unanswered,
           (select count(*) from reply where state in ('unknown', 'accepted')
                                         and body = any($1)) as unread
"""


@dataclass(slots=True, repr=False)
class Books:
    """All rows as they are; *computed* are the clocks of each thread, computed anew."""

    now: datetime
    messages: list[Row]
    clocks: list[ClockRow]
    alarms: Mapping[int, Alarm]
    computed: Mapping[tuple[str, str], Sequence[Clock]]
    told: list[Row]
    replies: list[Row]
    tally: Counter[str]
    streams: list[Row]


async def read(address: Mapping[str, Any]) -> Books:
    db = await store.connect(address, name="books")
    try:
        async with db.transaction(isolation="repeatable_read", readonly=True):
            return await _read(db)
    finally:
        await db.close()


async def still_open(address: Mapping[str, Any], sandbox: Sandbox) -> dict[str, int]:
    """What is still to be done, by kind; empty when all is quiet."""
    db = await store.connect(address, name="books")
    try:
        row = await db.fetchrow(OPEN, [reply.body for reply in sandbox.replies])
        stored = {id_ for (id_,) in await db.fetch("select id from message")}
    finally:
        await db.close()
    found = {**dict(row or {}), "unstored": len(market.messages(sandbox) - stored)}
    return {kind: n for kind, n in found.items() if n}


async def _read(db: Db) -> Books:
    threads = await db.fetch(
        "select account, id, kind, incomplete from thread order by account, id"
    )
    found: dict[tuple[str, str], Sequence[Clock]] = {}
    rows: list[ClockRow] = []
    for account, id_, kind, incomplete in threads:
        turns = (await messages.turns(db, account, [id_]))[id_]
        given = (await readings.of(db, account, [id_]))[id_]
        promise = await policies.version(db, "ours", 1)
        assert promise is not None
        found[account, id_] = clocks_of(turns, [promise], given, kind=kind, incomplete=incomplete)
        rows += await clocks.of_thread(db, account, id_)
    tally = await db.fetch("select result, sum(n)::int as n from tally group by result")
    return Books(
        now=utcnow(),
        messages=await db.fetch("select * from message"),
        clocks=rows,
        alarms={clock: alarms.Alarm(at, kind) for clock, at, kind in await db.fetch(ALARMS)},
        computed=found,
        told=await db.fetch(TOLD),
        replies=await db.fetch("select * from reply"),
        tally=Counter({row["result"]: row["n"] for row in tally}),
        streams=await db.fetch("select * from stream"),
    )


def messages_are_stored(books: Books, sandbox: Sandbox) -> None:
    """Every id that was sent is a row, in its account and thread; beyond that, replies in doubt."""
    sent = {
        (operator.name, thread.id, message.id)
        for operator in sandbox.operators.values()
        for thread in operator.threads.values()
        for message in thread.messages
    }
    stored = {(row["account"], row["thread"], row["id"]) for row in books.messages}
    in_doubt = {
        (row["account"], row["thread"], row["message_id"])
        for row in books.replies
        if row["state"] == "unknown"
    }
    assert stored - in_doubt == sent


def clocks_are_computed(books: Books, sandbox: Sandbox) -> None:
    """The rows are what the threads come to; who waits by the marketplace's word has a clock."""
    for (account, thread), computed in books.computed.items():
        rows = [r for r in books.clocks if (r.account, r.thread) == (account, thread)]
        live = [row.clock for row in rows if row.clock.reason not in VOID]
        assert sorted(live, key=repr) == sorted(computed, key=repr), (account, thread)
    running = {row.thread for row in books.clocks if row.clock.ended is None}
    waiting = {
        thread.id
        for operator in sandbox.operators.values()
        for thread in operator.threads.values()
        if thread.reply_needed_since() is not None
    }
    assert running == waiting


def steps_are_told(books: Books) -> None:
    """Each step of a clock's memory has its notice, at its time; each breach is counted once.

    What is still to be told or counted has its alarm, and nothing else has one.
    """
    assert books.alarms == {row.id: alarm for row in books.clocks if (alarm := alarms.of(row))}
    told: dict[int, dict[int, list[tuple[int, datetime]]]] = {}
    for key, raised_at in {(row["key"], row["raised_at"]) for row in books.told}:
        if found := STEP.match(key):
            clock, revision, step = map(int, found.groups())
            told.setdefault(clock, {}).setdefault(revision, []).append((step, raised_at))
    known = {row.id for row in books.clocks}
    assert set(told) <= known
    for row in books.clocks:
        assert row.id is not None
        if row.history:  # due before anybody watched
            assert row.id not in told
            continue
        clock, steps = row.clock, told.get(row.id, {}).get(row.revision, [])
        assert set(told.get(row.id, {})) <= set(range(row.revision + 1)), row
        assert max((step for step, _ in steps), default=0) == row.step, (row, steps)
        for step, raised_at in steps:
            assert raised_at > clock.steps[step - 1], ("told too early", row, step)
        if clock.ended is None:
            assert row.step == len(clock.steps), ("not told", row)
        late = clock.ended == "late" or (clock.ended is None and clock.due_at < books.now)
        assert (row.breached_at == clock.due_at) or not late, row
    corrected = [row for row in books.clocks if row.corrected_at]
    assert books.tally["breached"] == sum(row.breached_at is not None for row in books.clocks)
    assert books.tally["corrected"] == len(corrected), corrected
    assert books.tally["started"] == sum(row.counted for row in books.clocks)


def dispatches_arrived(
    books: Books,
    notifier: str,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    settled_at: datetime,
) -> None:
    """What is written down as sent has arrived, what arrived was raised, under one id each.

    The daemon still works: *before* the books were read and *after* that is what had arrived; what
    was raised since *settled_at* may be on its way.
    """
    mine = [row for row in books.told if row["notifier"] == notifier]
    done = [row for row in mine if row["raised_at"] < settled_at]
    assert {r["key"] for r in books.told if r["notifier"] is None} == set(), "told to nobody"
    assert [r for r in mine if r["parked_reason"]] == []
    assert [r for r in done if (r["sent_at"] is None) == (r["suppressed"] is None)] == []
    sent = {row["digest"] or row["key"] for row in mine if row["sent_at"]}
    raised = {row["digest"] or row["key"] for row in mine}
    assert sent <= {notice["key"] for notice in after}, "lost"
    assert {notice["key"] for notice in before} <= raised, "told out of nothing"
    for notice in before:
        assert notice["id"] == _id_of(notice["key"])
        assert notice.get("webhook_id", notice["id"]) == notice["id"]


def breaches_taken_back(books: Books, notifier: str, received: Sequence[Mapping[str, Any]]) -> None:
    """Whoever was told a breach of what was met in time was told the correction too.

    But for the breach that left in the instant of a kill: nobody knows that it was told.
    """
    arrived = {notice["key"] for notice in received}
    sent = {r["key"] for r in books.told if r["notifier"] == notifier and r["sent_at"]}
    for row in books.clocks:
        breach = f"{row.id}/{row.revision}/{len(row.clock.steps)}"
        if row.clock.ended == "met" and breach in sent:
            assert f"{row.id}/{row.revision}/corrected" in arrived, row


def repeated(received: Sequence[Mapping[str, Any]], marks: Sequence[int]) -> list[int]:
    """How many dispatches of each stretch between kills were told again after it.

    *marks* are how many had arrived at each kill; the last stretch is the one after all kills.
    """
    last = {notice["key"]: number for number, notice in enumerate(received)}
    again = [number for number, notice in enumerate(received) if last[notice["key"]] != number]
    found = [0] * (len(marks) + 1)
    for number in again:
        found[sum(mark <= number for mark in marks)] += 1
    return found


def replies_left_once(books: Books, sandbox: Sandbox, desk: Desk) -> None:
    """Each answer of the desk reached its buyer once or not at all, and we know which."""
    left = Counter(reply.body for reply in sandbox.replies)
    assert [body for body, n in left.items() if n > 1] == [], "sent twice"
    assert desk.queued <= {row["body"] for row in books.replies} <= desk.queued | desk.doubtful
    arrived = {reply.body: reply.message for reply in sandbox.replies}
    assert set(arrived) <= {row["body"] for row in books.replies}
    told = {row["key"] for row in books.told}
    ours = {row["id"] for row in books.messages if row["origin"] == "ours"}
    for row in books.replies:
        if row["body"] in arrived:
            assert row["state"] == "confirmed", row["state"]
            assert row["message_id"] == arrived[row["body"]]
            assert row["message_id"] in ours
        else:
            assert row["state"] == "unknown", row["state"]
            assert f"reply:{row['id']}/unknown" in told


def _id_of(key: str) -> str:
    return stable_id(_Keyed(key))  # type: ignore[arg-type]  # only the key is asked for


@dataclass(frozen=True, slots=True)
class _Keyed:
    key: str
