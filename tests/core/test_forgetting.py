"""A member is erased: planted in every column of every table, and looked for everywhere after."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from base64 import b64encode
from datetime import timedelta
from functools import _lru_cache_wrapper, lru_cache
from types import FunctionType, ModuleType

import pytest
from structlog.testing import capture_logs

from core import ingest
from core.arrival import erasing
from core.metrics import Metrics
from core.model import Attachment, File, SetAside, Verdict
from core.pushes import Member, Pushed
from core.running import forgetting
from core.store import enclosures, erasures, forgotten, replies, streams, transaction
from core.store.traces import LARGE
from sla.clock import Delivery, Given
from sla.policy import Party
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, page, seller, stored, thread

DAY = 24 * HOUR
NAME, USER, OPAQUE = "Quill-Buyer_7", "uId-Quill-0077", "AAAA0000quill+b/c=="
IDS = frozenset({NAME, USER, OPAQUE})

TEXTS = """
    select c.table_name, c.column_name, c.data_type
    from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
      and (c.data_type in ('text', 'jsonb', 'bytea', 'json', 'xml') or c.data_type like '%char%'
           or c.udt_name in ('_text', '_varchar', '_jsonb', '_bytea'))
    order by 1, 2
"""
# Columns in which nobody can be named: our own words, the settings', and ids of the marketplace,
# of which no connector makes one that holds a name.
ID, OURS, SETTINGS = "an id, which stays", "closed words of ours", "from the settings"
DIGEST = "a keyed digest"
OPERATOR = "who works here"
KEPT = {
    "audit": {"who": OPERATOR, "means": OURS, "act": OURS, "account": SETTINGS, "thread": ID,
              "detail": OURS, "address": OPERATOR},
    "account": {"name": SETTINGS, "connector": SETTINGS, "marketplace": SETTINGS,
                "budget_key": SETTINGS, "shop": SETTINGS, "seller": SETTINGS},
    "about": {"account": SETTINGS, "thread": ID},
    "budget": {"key": SETTINGS},
    "claim": {"account": SETTINGS, "thread": ID, "by": OPERATOR, "ended": OURS},
    "clock": {"account": SETTINGS, "thread": ID, "promise": SETTINGS, "waits_for": OURS,
              "metric": OURS, "members": ID, "started_by": ID, "due_from": OURS,
              "stopped_by": ID, "ended": OURS, "reason": OURS, "correction": OURS, "flags": OURS,
              "kind": OURS, "language": OURS},
    "clock_entry": {"what": OURS, "before": ID, "after": ID},
    "deed": {"account": SETTINGS, "order_id": ID, "action": OURS, "state": OURS},
    "dispatch": {"notifier": SETTINGS, "suppressed": OURS, "digest": OURS, "ways": SETTINGS},
    "erasure": {"connector": SETTINGS, "account": SETTINGS, "push": ID},
    "erasure_key": {"key": "a key"},
    "erasure_member": {"ids": "whom we look for: gone with the work"},
    "escalation": {"kind": OURS, "account": SETTINGS, "thread": ID, "route": SETTINGS,
                   "ladder": SETTINGS, "terms": SETTINGS, "ended": OURS, "ended_by": OPERATOR},
    "forgotten": {"digest": DIGEST, "account": SETTINGS, "head": DIGEST, "member": DIGEST},
    "flood": {"account": SETTINGS},
    "given": {"account": SETTINGS, "thread": ID, "kind": OURS, "act": OURS, "outcome": OURS},
    "invitation": {"digest": DIGEST, "person": OPERATOR, "made_by": OPERATOR},
    "link": {"account": SETTINGS, "message": ID},
    "link_key": {"key": "a key"},
    "macro": {"name": OPERATOR, "title": OPERATOR, "accounts": SETTINGS, "marketplaces": SETTINGS,
              "written_by": OPERATOR},
    "macro_text": {"macro": OPERATOR, "language": OURS, "body": OPERATOR},
    "market_order": {"account": SETTINGS, "id": ID},
    "incident": {"notifier": SETTINGS, "names": "what a receiver calls our own messages",
                 "ways": SETTINGS, "state": OURS},
    "message": {"account": SETTINGS, "id": ID, "thread": ID, "party": OURS, "kind": OURS,
                "party_corrected": OURS, "kind_corrected": OURS, "addressed_to": OURS,
                "delivery": OURS, "origin": OURS, "level": OURS, "language": OURS,
                "order_id": ID, "hash": DIGEST, "judged": OURS, "told_in": ID},
    "mute": {"scope": OURS, "name": SETTINGS, "by": OPERATOR},
    "notice": {"key": ID, "kind": OURS, "account": SETTINGS, "thread": ID},
    "person": {"name": OPERATOR, "title": OPERATOR, "role": OURS, "accounts": SETTINGS,
               "language": OURS, "zone": OURS, "password": DIGEST, "subject": OPERATOR},
    "policy_version": {"name": SETTINGS, "definition": SETTINGS},
    "presence": {"account": SETTINGS, "thread": ID, "name": OPERATOR, "title": OPERATOR},
    "promise": {"account": SETTINGS, "name": SETTINGS},
    "redate": {"name": SETTINGS},
    "published": {"account": SETTINGS, "name": OURS},
    "push": {"account": SETTINGS, "id": ID, "topic": OURS},
    "push_hour": {"account": SETTINGS},
    "pushing": {"account": SETTINGS, "troubles": OURS},
    "raw_message": {"account": SETTINGS, "id": ID},
    "reply": {"account": SETTINGS, "thread": ID, "addressed_to": OURS, "state": OURS,
              "message_id": ID, "subject": SETTINGS, "written_by": OPERATOR},
    "reply_form": {"key": "of our own making"},
    "reply_file": {"media_type": OURS},
    "schema_migration": {"name": OURS, "sha256": OURS},
    "session": {"digest": DIGEST, "person": OPERATOR, "means": OURS, "address": OPERATOR,
                "network": OPERATOR, "other_address": OPERATOR, "other_network": OPERATOR,
                "browser": OPERATOR, "login": OPERATOR, "end_reason": OURS},
    "set_aside": {"account": SETTINGS, "stream": SETTINGS, "source_id": ID},
    "sign_in_try": {"key": DIGEST},
    "stream": {"account": SETTINGS, "stream": SETTINGS, "health": OURS},
    "tally": {"account": SETTINGS, "metric": OURS, "result": OURS},
    "thread": {"account": SETTINGS, "id": ID, "kind": OURS, "order_ids": ID, "keys": DIGEST,
               "language_set": OURS, "language_set_by": OPERATOR},
    "token": {"digest": DIGEST, "person": OPERATOR, "name": OPERATOR, "role": OURS,
              "accounts": SETTINGS},
    "tombstone": {"account": SETTINGS, "source_id": ID, "reason": OURS},
    "trouble": {"kind": OURS},
    "verdict": {"account": SETTINGS, "id": ID, "delivery": OURS, "message_id": ID,
                "order_id": ID, "thread": ID},
    "worker": {},
}  # fmt: skip
"""By table and column: why erasure leaves it alone. Every other column of text is planted below."""

PLANTED = {
    "about": {"what"},
    "deed": {"reason"},
    "dispatch": {"error", "parked_reason"},
    "given": {"sentence"},
    "link": {"url"},
    "market_order": {"facts"},
    "message": {"subject", "body", "attachments"},
    "mute": {"reason"},
    "notice": {"facts"},
    "raw_message": {"body"},
    "reply": {"body", "reason"},
    "reply_file": {"name", "content", "url"},
    "set_aside": {"reason", "raw"},
    "stream": {"cursor", "error"},
    "thread": {"subject", "buyer", "url", "reply_to"},
    "verdict": {"body", "buyer"},
}


@pytest.fixture
def rules():
    return seeds.rules(accounts=("mk", "other"))


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 30 * DAY, pages.setup("mk"), pages.setup("other"))
    return pool


@pytest.fixture
def ask(pool, now):
    async def ask(*members, push=None, at=now, account=None):
        async with transaction(pool) as db:
            those = [Member(frozenset(ids)) for ids in members or (IDS,)]
            return await erasing.ask(db, "mirakl", push, those, at, account=account)

    return ask


@pytest.fixture
def turn(pool, rules, now):
    async def turn(at=now, pace=None, metrics=None, **most):
        means = forgetting.Means(pool, rules, metrics or Metrics(), lambda: None)
        return await forgetting.once(means, pace or forgetting.Pace(), at, **most)

    return turn


@pytest.fixture
def erase(pool, ask, turn, now):
    async def erase(*members, at=now, **asked):
        number = await ask(*members, at=at, **asked)
        while await turn(at) is not None:
            pass
        async with transaction(pool) as db:
            return await erasures.of(db, number)

    return erase


async def everywhere(pool):
    """Every row of every table, and the planner's samples of them, as text."""
    async with pool.acquire() as db:
        tables = await db.fetch(
            "select table_name as t from information_schema.tables"
            " where table_schema = 'public' and table_type = 'BASE TABLE'"
        )
        found = {
            row["t"]: [_shown(one) for one in await db.fetch(f"select * from {row['t']}")]
            for row in tables
        }
        found["pg_stats"] = [
            _shown(one)
            for one in await db.fetch(
                "select tablename, attname, most_common_vals::text, histogram_bounds::text,"
                " most_common_elems::text from pg_stats where schemaname = 'public'"
            )
        ]
    return found


def _shown(row):
    return {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
        for name, value in dict(row).items()
    }


def traces(found, ids=IDS):
    """Where one of *ids* stands, in any case or code: (table, row)."""
    words = {id_.casefold() for id_ in ids} | {HIDDEN.casefold(), ESCAPED.casefold()}
    return [
        (table, row)
        for table, rows in found.items()
        for row in rows
        if any(word in repr(row).casefold() for word in words)
    ]


HIDDEN = b64encode(f"a letter of {NAME}, who asks".encode()).decode()
ESCAPED = "Quill\\u002dBuyer_7"
ODD = [
    f"<b>{NAME}</b>", f"to {OPAQUE}, please", f"({USER})", NAME.upper(),
    "Quill&#45;Buyer_7", "https://market.example/usr/Quill%2DBuyer_7?a=1", ESCAPED,
]  # fmt: skip


async def planted(pool, rules, now):
    """A member in every column of `PLANTED`: in threads of their own, and in those of others."""
    for account in ("mk", "other"):
        await plant_pages(pool, rules, now, account)
        async with transaction(pool) as db:
            await plant_rows(db, now, account)


async def plant_pages(pool, rules, now, account):
    theirs = thread("T1", as_of=now, buyer=NAME.lower(), subject=f"{NAME} asks", order_ids=("O1",),
                    url=f"https://market.example/{NAME}", reply_to={"user": OPAQUE})  # fmt: skip
    keyed = thread("T2", as_of=now, buyer="somebody", reply_to={"token": OPAQUE.lower()})
    others = thread(
        "T3", as_of=now, buyer="Other", subject=f"as {NAME} said", url=f"https://m/{USER}"
    )
    files = (Attachment(id="A1", name=f"{NAME}.pdf"),)
    told = [
        buyer("M1", now - 2 * HOUR, "T1", body="my parcel", subject="hi", attachments=files),
        seller("M2", now - HOUR, "T1", body=f"Dear {NAME},", raw=f"<p>{NAME}</p>".encode()),
        buyer("M3", now - HOUR, "T1", body="still", raw=HIDDEN.encode()),
        buyer("M4", now - HOUR, "T2", body="no name"),
        *(buyer(f"O{n}", now - HOUR, "T3", body=text) for n, text in enumerate(ODD)),
        buyer("O9", now - HOUR, "T3", body="mine", raw=f"x {HIDDEN} y".encode(), attachments=files,
              subject=f"from {USER}"),
    ]  # fmt: skip
    given = [
        (where, Given("claim", "answer", asks=True, as_of=now, read_at=now, due_at=now + DAY,
                      sentence=f"Answer {NAME} by then"))
        for where in ("T1", "T3")
    ]  # fmt: skip
    items = [theirs, keyed, others, *told, *given]
    await stored(pool, now, *items, of=rules, account=account)
    aside = [
        SetAside("S1", f"no date of {USER}", b"{}"),
        SetAside("S2", "unreadable", json.dumps({"user": f"\n{NAME}"}).encode()),
        SetAside("S3", "large", b"x" * (LARGE * 5) + f" {NAME} ".encode() + b"y" * LARGE),
        SetAside("S4", "hidden", HIDDEN.encode()),
    ]
    async with transaction(pool) as db:
        await ingest.page(db, rules, account, page(set_aside=tuple(aside)), now, None)


async def plant_rows(db, now, account):
    for where, message, text in (("T1", "M1", "a"), ("T3", "O9", USER)):
        await db.execute(
            "insert into link values ($1, $2, $3, $4)",
            account, message, f"https://m/?u={text}", now,
        )  # fmt: skip
        number = await replies.queue(db, account, where, f"Dear {NAME}", {Party.BUYER}, now)
        await enclosures.add(db, number, [File(f"{NAME}.txt", f"for {NAME}".encode())])
    silent = await replies.queue(db, account, "T3", "Dear you", {Party.BUYER}, now)
    await enclosures.add(db, silent, [File("list.txt", f"{NAME};{USER}".encode())])
    await db.execute(
        "update reply set state = 'refused', reason = $2 where id = $1",
        await replies.queue(db, account, "T3", "x", {Party.BUYER}, now), f"not to {NAME}",
    )  # fmt: skip
    await db.execute(
        "update reply_file set url = $1 where name = 'list.txt'", f"https://m.example/{NAME}"
    )
    for table, values in (
        ("about (account, what, thread)", (account, f"name:{NAME.casefold()}", "T9")),
        ("about (account, what, thread)", (account, f"buyer:{USER}", "T1")),
        ("market_order (account, id, asked_at, facts)", (account, "O1", now, {"total": NAME})),
        ("deed (account, order_id, action, begun_at, state, reason)",
         (account, "O1", "refund", now, "refused", f"not for {NAME}")),
        ("notice (key, kind, account, raised_at, facts)",
         (f"{account}/k", "payload_set_aside", account, now, {"reason": f"of {NAME}", "n": 1})),
        ("mute (scope, name, until, by, reason)",
         ("account", account, now, "mara", f"{NAME} writes all day")),
        ("mute (scope, name, until, by, reason)",
         ("route", f"{account}-desk", now, "mara", f"{NAME} again")),
        ("verdict (account, id, at, delivery, buyer, body, is_copy, seen_at)",
         (account, "V1", now, "refused", OPAQUE, f"to {NAME}".casefold(), False, now)),
        ("verdict (account, id, at, delivery, buyer, body, is_copy, seen_at)",
         (account, "V2", now, "refused", NAME, "no", False, now)),
    ):  # fmt: skip
        places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await db.execute(f"insert into {table} values ({places})", *values)
    await db.execute(
        "insert into dispatch (notice, notifier, error, parked_reason)"
        " select id, 'log', $2, $3 from notice where account = $1 and kind = 'payload_set_aside'"
        " on conflict (notice, notifier) do update"
        " set error = excluded.error, parked_reason = excluded.parked_reason",
        account, f"said {NAME}", f"no {USER}",
    )  # fmt: skip
    await db.execute(
        "update stream set cursor = $2, error = $3 where account = $1",
        account, f"after:{USER}", f"no answer about {NAME}",
    )  # fmt: skip


async def columns_with(db, ids):
    """The columns of text in which one of *ids* stands, by table."""
    found = {}
    for row in await db.fetch(TEXTS):
        table, column = row["table_name"], row["column_name"]
        rows = await db.fetch(f'select "{column}" as it from {table}')
        if any(traces({table: [_shown(each)]}, ids) for each in rows):
            found.setdefault(table, set()).add(column)
    return found


async def test_erasure_knows_every_column_that_holds_text(pool):
    """A new column of text fails here until it is said why it names nobody, or it is sought."""
    async with pool.acquire() as db:
        columns = {(row["table_name"], row["column_name"]) for row in await db.fetch(TEXTS)}
    kept = {(table, column) for table, columns in KEPT.items() for column in columns}
    planted = {(table, column) for table, columns in PLANTED.items() for column in columns}

    assert columns == kept | planted
    assert kept & planted == set()


async def test_nothing_of_a_member_is_left_anywhere(pool, rules, erase, now):
    """Every column that may name somebody does; afterwards the whole database names nobody."""
    await planted(pool, rules, now)
    async with pool.acquire() as db:
        await db.execute("analyze")
        assert await columns_with(db, IDS) == PLANTED
    assert {table for table, _ in traces(await everywhere(pool))} > {"pg_stats", "message"}

    with capture_logs() as said:
        proof = await erase(push=Pushed("N1", "MARKETPLACE_ACCOUNT_DELETION", now - MINUTE))

    assert traces(await everywhere(pool)) == []
    assert traces({"log": said}) == []
    assert (proof.push, proof.members, proof.done_at is not None) == ("N1", 1, True)
    assert proof.threads == 4
    assert proof.texts > 30


def remembered():
    """Every text that a cache of ours, or a value of a module of ours, holds at this moment."""
    gc.collect()
    cached = [one for one in gc.get_objects() if isinstance(one, _lru_cache_wrapper)]
    ours = [m for name, m in sys.modules.items() if name.split(".")[0] in ("core", "sla")]
    held = [v for m in ours for v in vars(m).values() if isinstance(v, dict | list | set | tuple)]
    seen, found, left = set(), [], [*cached, *held]
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
            continue
        seen.add(id(one))
        if isinstance(one, str | bytes):
            found.append(one if isinstance(one, str) else one.decode("utf-8", "replace"))
        else:
            left += gc.get_referents(one)
    return found


async def test_no_cache_of_the_process_holds_a_member(pool, rules, erase, now):
    await planted(pool, rules, now)

    await erase()

    assert traces({"memory": remembered()}) == []
    known = lru_cache(str.casefold)
    known(NAME)
    assert traces({"memory": remembered()}) != []


async def ends(pool):
    """How the clocks of each thread have ended, and why."""
    found = {}
    for row in await pages.rows(pool, "clock", "id"):
        found.setdefault((row["account"], row["thread"]), set()).add((row["ended"], row["reason"]))
    return found


async def test_turns_ids_and_clocks_stay(pool, rules, erase, now):
    await planted(pool, rules, now)
    shape = "select account, id, thread, party, kind, sent_at, seen_at from message order by 1, 2"
    async with pool.acquire() as db:
        before = [tuple(row) for row in await db.fetch(shape)]
        clocks = await db.fetchval("select count(*) from clock")

    await erase()

    async with pool.acquire() as db:
        after = [tuple(row) for row in await db.fetch(shape) if row["kind"] != "erased"]
        assert after == before
        assert await db.fetchval("select count(*) from clock") == clocks
        assert await db.fetchval("select order_ids from thread where id = 'T1' limit 1") == ["O1"]
        assert (
            await db.fetchval("select due_at from given where thread = 'T1' limit 1") == now + DAY
        )


async def test_what_runs_for_the_erased_buyer_ends_as_erased_and_for_others_goes_on(
    pool, rules, erase, now
):
    await planted(pool, rules, now)

    await erase()

    clocks = await ends(pool)
    for account in ("mk", "other"):
        assert clocks[account, "T1"] == {("met", None), ("void", "erased")}
        assert clocks[account, "T2"] == {("void", "erased")}
        assert clocks[account, "T3"] == {(None, None)}
    async with pool.acquire() as db:
        assert await seeds.wrong_alarms(db) == {}


async def test_another_buyers_words_lose_the_name_alone(pool, erase, now):
    body = f"Is {NAME} a friend of not{NAME}? My parcel!"
    await stored(pool, now, thread(as_of=now, buyer="Other"), buyer("M1", now - HOUR, body=body))
    await stored(pool, now, thread("T2", as_of=now, buyer=NAME))

    await erase()

    [row] = [row for row in await pages.rows(pool, "message") if row["id"] == "M1"]
    assert row["body"] == body.replace(f" {NAME}", " [erased]")
    assert await pages.clock_rows(pool) == [("T1", "M1", None, None)]


async def test_a_queued_reply_that_names_an_erased_member_does_not_leave(pool, rules, erase, now):
    await planted(pool, rules, now)

    await erase()

    async with pool.acquire() as db:
        rows = await db.fetch(
            "select state, reason, body from reply where account = 'mk' order by id"
        )
        assert await db.fetchval("select count(*) from reply_file") == 0
        assert await replies.claim(db, ["mk", "other"], now) is None
    assert {r["state"] for r in rows} == {"refused"}
    assert [r["reason"] for r in rows[:3]] == ["erased", "names_erased", "names_erased"]
    assert [r["body"] for r in rows] == ["", "Dear [erased]", "Dear you", "x"]
    assert rows[3]["reason"] == "not to [erased]"


async def test_the_next_page_brings_nothing_back(pool, rules, erase, now):
    """The overlap tells all of it again, and again when the digests are long gone."""
    await planted(pool, rules, now)
    await erase()
    before = await pages.rows(pool, "clock", "id")

    await plant_pages(pool, rules, now, "mk")
    assert traces(await everywhere(pool)) == []

    async with transaction(pool) as db:
        await forgotten.purge(db, now + DAY)
        await db.execute("delete from set_aside")
    theirs = thread("T1", as_of=now + HOUR, buyer=NAME, subject=NAME, reply_to={"a": NAME})
    late = Given("claim", "answer", asks=True, as_of=now + HOUR, read_at=now + HOUR,
                 due_at=now + DAY, sentence=f"of {NAME}")  # fmt: skip
    await stored(pool, now + HOUR, theirs, buyer("M1", now - 2 * HOUR, body=NAME), ("T1", late),
                 buyer("M8", now - HOUR, body=f"by {NAME}"), of=rules)  # fmt: skip
    assert traces(await everywhere(pool)) == []
    after = await pages.rows(pool, "clock", "id")
    assert [row["reason"] for row in after] == [row["reason"] for row in before]


async def test_a_page_that_tells_an_erased_thread_again_is_unchanged(pool, rules, erase, now):
    told = page(thread(as_of=now, buyer=NAME, subject="x"), buyer("M1", now - HOUR, body="y"))
    async with transaction(pool) as db:
        await ingest.page(db, rules, "mk", told, now, None)
    await erase()

    async with transaction(pool) as db:
        assert await ingest.unchanged(db, "mk", told) is not None


async def test_what_was_fetched_before_and_comes_after_is_stored_without_words(
    pool, rules, erase, now
):
    """Nothing was stored of the member yet: known by digests alone; the clock never runs."""
    proof = await erase()

    await plant_pages(pool, rules, now, "mk")

    assert (proof.threads, proof.texts) == (0, 0)
    assert traces(await everywhere(pool)) == []
    clocks = await ends(pool)
    assert clocks["mk", "T1"] == {("met", None), ("void", "erased")}
    assert clocks["mk", "T2"] == {("void", "erased")}
    assert clocks["mk", "T3"] == {(None, None)}
    messages = {row["id"] for row in await pages.rows(pool, "message")}
    assert {"M1", "M2", "M3", "M4", "O1", "O9"} <= messages
    assert await pages.rows(pool, "set_aside") == []


async def test_whoever_writes_again_after_being_erased_is_somebody_new(pool, rules, erase, now):
    await stored(pool, now, thread(as_of=now, buyer=NAME), buyer("M1", now - HOUR, body="old"))
    await erase()
    later = now + DAY

    await stored(pool, later, buyer("M2", later - MINUTE, body="me again"), of=rules)
    await stored(pool, later, thread("T9", as_of=later, buyer=NAME),
                 buyer("M3", later - MINUTE, "T9", body="here too"), of=rules)  # fmt: skip

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert (bodies["M1"], bodies["M2"], bodies["M3"]) == ("", "me again", "here too")
    clocks = [row for row in await pages.clock_rows(pool) if row[2] is None]
    assert [row[:2] for row in clocks] == [("T1", "M2"), ("T9", "M3")]


async def test_a_page_that_is_just_being_stored_is_waited_for(pool, rules, ask, turn, now):
    """It looked before anybody asked, and commits after: erasing waits, and finds it."""
    told = page(thread(as_of=now, buyer=NAME), buyer("M1", now - HOUR, body=f"I am {NAME}"))
    async with pool.acquire() as other:
        leased = await _leased(other)
        storing = other.transaction()
        await storing.start()
        await ingest.page(other, rules, "mk", told, now, leased)
        await ask()
        erasing_it = asyncio.create_task(turn())
        await asyncio.sleep(0.2)
        assert not erasing_it.done()
        await storing.commit()
        await erasing_it

    assert traces(await everywhere(pool)) == []


async def test_a_push_that_is_just_being_stored_is_waited_for(pool, rules, ask, turn, now):
    told = page(thread(as_of=now, buyer=NAME), buyer("M1", now - HOUR, body=f"I am {NAME}"))
    async with pool.acquire() as other:
        storing = other.transaction()
        await storing.start()
        await ingest.page(other, rules, "mk", told, now, None)
        await ask()
        erasing_it = asyncio.create_task(turn())
        await asyncio.sleep(0.2)
        assert not erasing_it.done()
        await storing.commit()
        await erasing_it

    assert traces(await everywhere(pool)) == []


async def _leased(db):
    await db.execute("update stream set next_due = now() - interval '1 s'")
    found = await streams.claim(db, 1, 10, timedelta(seconds=90))
    return next(lease for lease in found if lease.account == "mk")


async def test_a_page_that_looked_before_its_thread_was_erased_brings_no_words(
    pool, rules, ask, turn, now
):
    """The digests are gone, and the thread is erased between the look and the lock."""
    first = page(thread(as_of=now, buyer=NAME), buyer("M1", now - HOUR, body="old"))
    later = page(thread(as_of=now + MINUTE, buyer=NAME, subject=NAME),
                 buyer("M1", now - HOUR, body=f"edited by {NAME}"),
                 buyer("M2", now - HOUR, body=f"late of {NAME}"))  # fmt: skip
    async with transaction(pool) as db:
        await ingest.page(db, rules, "mk", first, now, None)
    async with pool.acquire() as holder:
        held = holder.transaction()
        await held.start()
        await holder.execute("select from thread where id = 'T1' for no key update")
        storing = asyncio.create_task(_store(pool, rules, later, now + MINUTE))
        await asyncio.sleep(0.2)
        await erasing.empty(holder, rules, "mk", ["T1"], now)
        await held.commit()
        await storing

    assert traces(await everywhere(pool)) == []


async def _store(pool, rules, told, now):
    async with transaction(pool) as db:
        await ingest.page(db, rules, "mk", told, now, None)


async def test_one_account_alone_is_asked_for_by_hand(pool, rules, erase, now):
    await planted(pool, rules, now)

    await erase(account="mk")

    async with pool.acquire() as db:
        for account, left in (("mk", 0), ("other", 2)):
            found = "select count(*) from thread where account = $1 and buyer <> '' and id <> 'T3'"
            assert await db.fetchval(found, account) == left
    await plant_pages(pool, rules, now, "mk")
    assert [
        row for table, row in traces(await everywhere(pool)) if row.get("account") == "'mk'"
    ] == []


async def test_another_connectors_accounts_are_left_alone(pool, rules, ask, turn, now):
    await planted(pool, rules, now)
    async with transaction(pool) as db:
        await erasing.ask(db, "ebay", None, [Member(IDS)], now)

    await turn()

    async with pool.acquire() as db:
        assert await columns_with(db, IDS) == PLANTED


async def test_an_account_that_left_the_settings_is_cleared_too(pool, rules, erase, now):
    await planted(pool, rules, now)
    await pages.monitored(pool, now, pages.setup("mk"))

    await erase()

    assert traces(await everywhere(pool)) == []


async def test_thousands_of_strangers_are_looked_for_together(pool, rules, turn, now):
    """One look through all texts for a burst of notices; the next waits its time."""
    await planted(pool, rules, now)
    async with transaction(pool) as db:
        for n in range(1500):
            push = Pushed(f"N{n}", "MARKETPLACE_ACCOUNT_DELETION")
            ids = frozenset({f"stranger-{n}", f"uid{n:09}", f"AAAA{n:09}=="})
            await erasing.ask(db, "mirakl", push, [Member(ids)], now)
    metrics = Metrics()

    again = await turn(metrics=metrics)

    async with pool.acquire() as db:
        assert again is None
        assert await erasures.waiting(db) == (0, None)
        assert await columns_with(db, IDS) == PLANTED
    assert metrics.registry.get_sample_value("replyby_erasures_total") == 1500
    assert metrics.registry.get_sample_value("replyby_erased_rows_total", {"what": "text"}) == 0


async def test_a_look_through_all_texts_is_followed_by_a_rest_and_threads_go_at_once(
    pool, rules, ask, turn, now
):
    await planted(pool, rules, now)
    pace, metrics = forgetting.Pace(), Metrics()
    pace.took(60.0)
    await ask()

    again = await turn(pace=pace, metrics=metrics)

    async with pool.acquire() as db:
        assert await db.fetchval("select count(*) from thread where buyer ilike $1", NAME) == 0
        assert (await erasures.waiting(db))[0] == 1
    assert (again - now).total_seconds() == pytest.approx(60 * forgetting.REST, rel=0.1)
    oldest = metrics.registry.get_sample_value("replyby_erasure_oldest_asked_timestamp_seconds")
    assert oldest == now.timestamp()
    pace.again = 0.0
    assert await turn(pace=pace) is None
    assert traces(await everywhere(pool)) == []


async def test_no_thread_waits_because_many_wait_for_texts(pool, ask, turn, now):
    """A batch of those who wait for the next look through all texts keeps no new one back."""
    pace = forgetting.Pace()
    pace.took(60.0)
    for number in range(3):
        await ask({f"{NAME}-{number}"})
    await stored(pool, now, thread(as_of=now, buyer=NAME), buyer("M1", now - HOUR))

    first = await turn(pace=pace, most=2)
    second = await turn(pace=pace, most=2)
    await ask()
    third = await turn(pace=pace, most=2)

    assert (first - now).total_seconds() < 60
    assert (second - now).total_seconds() > 60
    assert (third - now).total_seconds() > 60
    async with pool.acquire() as db:
        assert (await erasures.waiting(db))[0] == 4
        assert await db.fetchval("select buyer from thread") == ""


async def test_erasing_goes_on_where_it_was_broken_off(pool, rules, ask, turn, now):
    """A process that dies leaves a lease; when that is over, another does all of it."""
    await planted(pool, rules, now)
    await ask()
    async with transaction(pool) as db:
        await erasures.claim(db, 10)

    assert await turn() is None
    async with transaction(pool) as db:
        await db.execute("update erasure set leased_until = now() - interval '1 s'")
    await turn()

    assert traces(await everywhere(pool)) == []


async def test_what_verdicts_meant_stays_and_their_words_go(pool, now):
    """In an account whose marketplace says later what became of replies."""
    judged = seeds.rules(says={"judged": True, "letters": True})
    answer = f"Dear {NAME}, your parcel will arrive on Monday, we are sorry."
    note = seller("V1", now - MINUTE, "V", kind="internal", to=frozenset(), delivery="confirmed")
    verdict = Verdict(
        "V1", Delivery.REFUSED, now - MINUTE, order_id="O1", text=f"To {NAME}: {answer}"
    )
    known = thread("T1", as_of=now, buyer=NAME, order_ids=("O1",), reply_to={"buyer": NAME})
    sent = seller("R1", now - HOUR, "T1", delivery="accepted", body=answer)
    told = page(known, buyer("M1", now - 2 * HOUR, "T1"), sent, note, verdicts=(verdict,))
    await _store(pool, judged, told, now)
    assert (await _judged(pool))["R1"] == "refused"
    async with transaction(pool) as db:
        await erasing.ask(db, "mirakl", None, [Member(IDS)], now)

    means = forgetting.Means(pool, judged, Metrics(), lambda: None)
    await forgetting.once(means, forgetting.Pace(), now)

    assert traces(await everywhere(pool)) == []
    assert (await _judged(pool))["R1"] == "refused"
    assert (await ends(pool))["mk", "T1"] == {("void", "erased")}
    await _store(pool, judged, told, now)
    assert traces(await everywhere(pool)) == []
    assert (await _judged(pool))["R1"] == "refused"


async def _judged(pool):
    async with pool.acquire() as db:
        rows = await db.fetch("select id, coalesce(judged, delivery) as how from message")
    return {row["id"]: row["how"] for row in rows}


async def test_a_burst_of_pages_and_requests_in_any_order_leaves_nothing(
    pool, rules, turn, ask, now
):
    """Pages, looks, requests and erasing at once: whatever commits first."""
    for number in range(6):
        name = f"{NAME}-{number}"
        told = [
            page(thread(f"B{number}-{n}", as_of=now, buyer=name, subject=name),
                 buyer(f"B{number}-{n}", now - HOUR, f"B{number}-{n}", body=f"of {name}"))
            for n in range(5)
        ]  # fmt: skip
        await asyncio.gather(
            *(_store(pool, rules, each, now) for each in told[:3]),
            ask({name}),
            turn(),
            *(_store(pool, rules, each, now) for each in told[3:]),
        )
    await turn()

    assert traces(await everywhere(pool), {NAME}) == []


WORD = "versand"
SAID = "Wo bleibt der Versand?"


@pytest.mark.parametrize("known", [False, True])
async def test_whoever_is_called_as_a_common_word_takes_it_out_of_nobodys_sentence(
    pool, erase, now, known
):
    """Many close their accounts of whom nothing is here; some are called as what everybody says."""
    items = [thread(as_of=now, buyer="Other", subject=SAID), buyer("M1", now - HOUR, body=SAID)]
    mine = [thread("T2", as_of=now, buyer="VERSAND"), buyer("M2", now - HOUR, "T2", body="x")]
    await stored(pool, now, *items, *(mine if known else ()))
    aside = (
        SetAside("S1", "unreadable", b'{"user": "Versand", "text": "hello"}'),
        SetAside("S2", "unreadable", b"<UserID>versand</UserID>"),
        SetAside("S3", "unreadable", b'{"versand": 1, "text": "Der Versand?"}'),
    )
    async with transaction(pool) as db:
        await ingest.page(db, seeds.rules(), "mk", page(set_aside=aside), now, None)

    await erase({WORD})

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    left = {row["source_id"] for row in await pages.rows(pool, "set_aside")}
    assert bodies["M1"] == SAID
    assert left == {"S3"}
    assert (await pages.rows(pool, "thread"))[0]["subject"] == SAID


async def test_a_page_after_that_keeps_the_common_word_too(pool, rules, erase, now):
    await erase({WORD})

    mine = thread("T2", as_of=now, buyer="Versand", subject="x")
    await stored(pool, now, thread(as_of=now, buyer="Other"), buyer("M1", now - HOUR, body=SAID),
                 mine, buyer("M2", now - HOUR, "T2", body="mine"), of=rules)  # fmt: skip

    bodies = {row["id"]: row["body"] for row in await pages.rows(pool, "message")}
    assert (bodies["M1"], bodies["M2"]) == (SAID, "")


@pytest.mark.parametrize("first", [True, False])
async def test_whoever_is_called_as_a_word_of_ours_owns_no_thread_by_it(
    pool, rules, erase, now, first
):
    """Somebody calls themselves `from_members`, closes the account, and erases nobody else."""
    words = {"type": "FROM_MEMBERS", "from": "member", "item": "110123456789"}
    told = thread(as_of=now, buyer="Other", reply_to=words)
    if first:
        await stored(pool, now, told, buyer("M1", now - HOUR, body=SAID), of=rules)

    await erase({"from_members"}, {"Member"}, {"110123456789"})

    if not first:
        await stored(pool, now, told, buyer("M1", now - HOUR, body=SAID), of=rules)
    [row] = await pages.rows(pool, "thread")
    [message] = await pages.rows(pool, "message")
    assert (row["buyer"], row["erased_at"], message["body"]) == ("Other", None, SAID)
