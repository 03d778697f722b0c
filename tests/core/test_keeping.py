"""Texts go when their time is over; turns, clocks and dates stay as they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import generate_latest

from core import ingest, settings
from core.configuration.retention import Keeping, Kept, Retention
from core.connector import load_specs
from core.errors import SettingsError
from core.metrics import Metrics
from core.reading.walk import merged
from core.running import keeping, purging
from core.store import keeping as stored
from core.store import notices, replies, transaction
from core.store.keeping import Cutoffs
from sla.policy import Party
from tests.core import seeds
from tests.core.pages import HOUR, buyer, page, seller, thread

DAY = 24 * HOUR
TEXTS = "select id, subject, body, attachments from message where account = $1 order by id"
TURNS = "select id, thread, party, kind, sent_at, seen_at, hash from message order by id"
CLOCKS = "select * from clock order by id"
HEADS = "select id, subject, buyer, reply_to from thread order by id"


@pytest.fixture
async def db(pool, now):
    async with pool.acquire() as db:
        await seeds.put_account(db, now - 999 * DAY)
        yield db


@pytest.fixture
def store(pool):
    async def put(at, *told):
        async with transaction(pool) as other:
            await ingest.page(other, seeds.rules(), "mk", merged(told), at, None)

    return put


def asked(at, id_="T1", text="Where is my Quillon?"):
    known = thread(id_, as_of=at, buyer="Ada", subject="Ada asks")
    return page(buyer(f"Q-{id_}", at, id_, body=text, subject="Ada asks"), known)


def answered(at, id_="T1"):
    return page(seller(f"A-{id_}", at, id_, body="Dear Ada, it comes."))


@pytest.fixture
async def over(store, db, now):
    """A thread that was answered 400 days ago."""
    await store(now - 400 * DAY, asked(now - 400 * DAY))
    await store(now - 400 * DAY + HOUR, answered(now - 400 * DAY + HOUR))


def kept(days=365):
    return lambda connector: timedelta(days=days)


async def fade(pool, now, days=365, **more):
    return await keeping.once(pool, kept(days), keeping.Place(), now, **more)


async def held(db):
    """Everything that tells what somebody wrote, or who."""
    told = [tuple(row) for row in await db.fetch(TEXTS, "mk")]
    heads = [tuple(row) for row in await db.fetch(HEADS)]
    return repr((told, heads))


async def test_texts_and_names_go_and_clocks_stay(pool, db, over, now):
    clocks, turns = await db.fetch(CLOCKS), await db.fetch(TURNS)
    assert "Ada" in await held(db)

    assert await fade(pool, now) == 1

    assert "Ada" not in await held(db)
    assert "Quillon" not in await held(db)
    assert (await db.fetch(CLOCKS), await db.fetch(TURNS)) == (clocks, turns)


async def test_clocks_come_out_the_same_when_the_thread_is_computed_again(pool, db, over, now):
    clocks = await db.fetch(CLOCKS)
    await fade(pool, now)

    async with transaction(pool) as other:
        await ingest.recompute(other, seeds.rules(), "mk", ["T1"], now)

    assert await db.fetch(CLOCKS) == clocks


async def test_what_is_younger_stays(pool, db, over, now):
    assert await fade(pool, now, 401) == 0
    assert "Ada" in await held(db)


async def test_a_thread_in_which_somebody_waits_stays_however_old_it_is(pool, db, store, now):
    await store(now - 400 * DAY, asked(now - 400 * DAY))

    assert await fade(pool, now) == 0


async def test_a_thread_with_a_reply_of_unknown_fate_stays(pool, db, over, now):
    async with transaction(pool) as other:
        await replies.queue(other, "mk", "T1", "Dear Ada", {Party.BUYER}, now)

    assert await fade(pool, now) == 0


async def test_what_was_written_here_goes_too(pool, db, over, now):
    async with transaction(pool) as other:
        reply = await replies.queue(other, "mk", "T1", "Dear Ada", {Party.BUYER}, now)
        await other.execute("update reply set state = 'confirmed' where id = $1", reply)

    await fade(pool, now)

    assert await db.fetchval("select body from reply") == ""


async def test_read_again_unchanged_it_stays_empty_and_nothing_is_written(
    pool, db, over, store, now
):
    await fade(pool, now)
    before = await db.fetch("select xmin, id from message order by id")

    at = now - 400 * DAY
    await store(now, page(buyer("Q-T1", at, body="Where is my Quillon?", subject="Ada asks")))

    assert "Quillon" not in await held(db)
    assert await db.fetch("select xmin, id from message order by id") == before


async def test_edited_there_it_is_read_anew_and_goes_again(pool, db, over, store, now):
    await fade(pool, now)

    await store(now, page(buyer("Q-T1", now - 400 * DAY, body="Where is my Zither?")))
    assert "Zither" in await held(db)

    assert await fade(pool, now) == 1
    assert "Zither" not in await held(db)


async def test_a_buyer_who_writes_again_is_answered_as_ever(pool, db, over, store, now):
    await fade(pool, now)

    again = thread("T1", as_of=now, buyer="Ada", subject="Ada asks")
    await store(now, page(buyer("Q2", now, body="And now?"), again))

    (clock,) = await db.fetch("select started_by from clock where ended is null")
    assert clock["started_by"] == "Q2"
    assert await fade(pool, now) == 0


async def test_the_walk_goes_on_where_it_was(pool, db, store, now):
    for number in range(7):
        at = now - 400 * DAY
        await store(at, asked(at, f"T{number}"))
        await store(at + HOUR, answered(at + HOUR, f"T{number}"))
    place = keeping.Place()

    found = [await keeping.once(pool, kept(), place, now, seconds=0, at_once=3) for _ in range(4)]

    assert found == [3, 3, 1, 0]
    assert place == keeping.Place()


async def test_the_walk_sorts_names_as_it_compares_them_whatever_the_collation(db):
    """Danish sorts aa after z: such a name was passed over by whoever goes on by code points."""
    plan = "\n".join(row[0] for row in await db.fetch("explain verbose " + stored.ACCOUNTS))

    assert 'Sort Key: account.name COLLATE "C"' in plan


def test_what_is_kept_how_long_is_said_by_connector(now):
    retention = Retention(raw=timedelta(days=9), connectors={"ebay": Kept(raw=DAY, texts=2 * DAY)})
    keeping = Keeping(retention, {"amazon": 30 * DAY})

    assert keeping.before("raw", now) == Cutoffs(now - 9 * DAY, ("ebay",), (now - DAY,))
    assert keeping.before("notices", now) == Cutoffs(now - 180 * DAY)
    found = [keeping.texts_of(name) for name in ("ebay", "amazon", "mirakl")]
    assert found == [2 * DAY, 30 * DAY, 365 * DAY]
    assert Keeping(Retention(texts=DAY), {"amazon": 30 * DAY}).texts_of("amazon") == DAY


async def test_raw_and_set_aside_go_by_connector(pool, db, now):
    await seeds.put_account(db, now, "eb")
    await db.execute("update account set connector = 'ebay' where name = 'eb'")
    for account in ("mk", "eb"):
        for days in (1, 20, 100):
            await db.execute(
                "insert into raw_message (account, id, seen_at, body) values ($1, $2, $3, 'x')",
                account, str(days), now - days * DAY,
            )  # fmt: skip
            await db.execute(
                "insert into set_aside (account, stream, source_id, reason, raw, at)"
                " values ($1, 's', $2, 'r', 'x', $3)",
                account, str(days), now - days * DAY,
            )  # fmt: skip
    own = Kept(raw=10 * DAY, set_aside=200 * DAY)
    keeping = Keeping(Retention(connectors={"ebay": own}))

    await purge(pool, keeping, now)

    raw = await db.fetch("select account, id from raw_message order by 1, length(id)")
    aside = await db.fetch("select account, source_id from set_aside order by 1, length(source_id)")
    assert [tuple(row) for row in raw] == [("eb", "1"), ("mk", "1"), ("mk", "20")]
    assert len(aside) == 3 + 2


async def purge(pool, keeping_, now, *, sure=True, metrics=None):
    place = keeping.Place()
    await purging.once(pool, keeping_, place, metrics or Metrics(), now, sure=sure)


async def test_nothing_goes_by_a_clock_that_is_not_believed(pool, db, over, now):
    await purge(pool, Keeping(), now, sure=False)

    assert "Ada" in await held(db)


async def test_what_goes_is_counted(pool, db, over, now):
    metrics = Metrics()

    await purge(pool, Keeping(), now, metrics=metrics)

    told = generate_latest(metrics.registry).decode()
    line = 'replyby_retention_rows_deleted_total{action="emptied",table="thread"} 1.0'
    assert line in told


async def test_notices_of_one_connector_may_be_kept_longer(pool, db, now):
    async with transaction(pool) as other:
        await seeds.put_account(other, now, "eb")
        await other.execute("update account set connector = 'ebay' where name = 'eb'")
        for account in ("mk", "eb", ""):
            await other.execute(
                "insert into notice (key, kind, account, raised_at) values ($1, 'test', $1, $2)",
                account, now - 10 * DAY,
            )  # fmt: skip
        gone = await notices.purge(other, Cutoffs(now - DAY, ("ebay",), (now - 20 * DAY,)))

    assert gone == 2
    assert await db.fetchval("select account from notice") == "eb"


async def test_what_is_known_to_have_been_told_by_its_notice_alone_keeps_it(pool, db, now):
    """A key that has ended, and a promise past its review, stand in the settings for years."""
    async with transaction(pool) as other:
        for kind in ("policy_review", "credential_expiring", "test"):
            await other.execute(
                "insert into notice (key, kind, account, raised_at) values ($1, $1, 'mk', $2)",
                kind, now - 10 * DAY,
            )  # fmt: skip

        assert await notices.purge(other, Cutoffs(now - DAY)) == 1

    rest = await db.fetch("select kind from notice order by kind")
    assert [row["kind"] for row in rest] == ["credential_expiring", "policy_review"]


def test_amazons_texts_are_kept_as_its_policy_says(tmp_path, now):
    path = tmp_path / "settings.toml"
    path.write_text(
        '[notifiers.log]\nkind = "file"\npath = "n.jsonl"\n'
        '[routes.ops]\nnotifiers = ["log"]\nfallback = true\n'
        '[retention.connectors.ebay]\ntexts = "90d"\n'
    )

    kept = settings.load(path, load_specs(), {}, sandbox=False, now=now).retention

    found = [kept.texts_of(name) for name in ("amazon", "ebay", "mirakl")]
    assert found == [30 * DAY, 90 * DAY, 365 * DAY]


def test_what_goes_within_a_day_is_warned_of_for_it_does_not_come_back(tmp_path, now):
    path = tmp_path / "settings.toml"
    path.write_text(
        '[notifiers.log]\nkind = "file"\npath = "n.jsonl"\n'
        '[routes.ops]\nnotifiers = ["log"]\nfallback = true\n'
        '[retention]\ntexts = "1s"\nraw = "1d"\n[retention.connectors.ebay]\nnotices = "23h"\n'
    )

    warned = settings.load(path, load_specs(), {}, sandbox=False, now=now).warnings

    assert [line.partition(" ")[0] for line in warned] == [
        "retention.texts:", "retention.connectors.ebay.notices:",
    ]  # fmt: skip
    assert "is below a day, and what went is gone" in warned[0]


def test_a_connector_that_is_none_is_complained_of(tmp_path, now):
    path = tmp_path / "settings.toml"
    path.write_text('[retention.connectors.amazn]\ntexts = "90d"\n')

    with pytest.raises(SettingsError) as found:
        settings.load(path, load_specs(), {}, sandbox=False, now=now)

    (line,) = [one for one in found.value.complaints if one.startswith("retention")]
    assert line.startswith("retention.connectors.amazn: ")
    assert "amazon" in line
