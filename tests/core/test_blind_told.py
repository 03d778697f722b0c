"""What a person is told of an account that is blind: by the real rounds, through a notifier."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core import deliver, spoken
from core.metrics import Metrics
from core.model import NoticeKind, Stream
from core.notifier import Means
from core.notifiers.file import File, FileOptions
from core.reading import blind
from core.routing import Route
from core.transport.http import Http
from tests.core import pages, seeds
from tests.core.pages import HOUR, MINUTE, buyer, setup, stored, thread
from tests.core.test_blind import DAY, LONG_AGO, WEEK, read_through

BERLIN = ZoneInfo("Europe/Berlin")
OPS = Route("ops", ("log",), fallback=True)


@pytest.fixture
def log(tmp_path):
    options = FileOptions(kind="file", path="notices.jsonl", zone="Europe/Berlin")
    return File("log", options, Means(http=Http(None), directory=tmp_path))


@pytest.fixture
def rules():
    """An account ``de`` at the marketplace ``ebay``, whose promise is 2 h around the clock."""
    found = seeds.rules(
        OPS, accounts=("de",), policies={"de": (seeds.policy(reply_within=2 * HOUR),)}
    )
    shop = found.accounts["de"].model_copy(update={"marketplace": "ebay", "title": "eBay DE"})
    return replace(found, accounts={"de": shop})


@pytest.fixture
def said(pool, rules, log, tmp_path):
    """What the notifier wrote of blindness, after a look and a delivery."""

    async def go(at, *, sent_at=None):
        await blind.once(pool, rules, Metrics(), at, started=LONG_AGO)
        await deliver.once(pool, {"log": log}, rules, {}, Metrics(), sent_at or at)
        lines = (tmp_path / "notices.jsonl").read_text().splitlines()
        told = [json.loads(line) for line in lines]
        return [one["text"] for one in told if one["kind"] == NoticeKind.BLIND]

    return go


async def watched(pool, now, *, since):
    account = setup("de", Stream("threads", 3 * MINUTE))
    await pages.monitored(pool, now - since, account)


async def test_it_says_for_how_long_how_many_are_unseen_and_what_that_may_cost(
    pool, rules, said, now
):
    """Read through 12:10 in Berlin; of each of four Saturdays eight came in the hour to 13:10."""
    await watched(pool, now, since=40 * DAY)
    read = now - 50 * MINUTE
    came = [
        buyer(f"M{week}-{n}", read - week * WEEK + n * 7 * MINUTE, f"T{week}")
        for week in range(1, 5)
        for n in range(8)
    ]
    threads = [thread(f"T{week}", as_of=now) for week in range(1, 5)]
    await stored(pool, now, *came, *threads, of=rules, account="de")
    await read_through(pool, read)

    [text] = await said(read + 47 * MINUTE + timedelta(seconds=20))

    sentence = (
        "blind on ebay/de for 47 min, about 6 messages unseen, earliest possible breach 14:10"
    )
    first, *others = text.splitlines()
    assert first[0].lower() + first[1:] == f"{sentence}."
    assert "Last read completely: Sat 2026-11-21 12:10 (Europe/Berlin)." in others
    assert "A promise may break unseen from Sat 2026-11-21 14:10 (Europe/Berlin) on." in others


async def test_a_new_account_says_that_its_number_is_assumed(pool, said, now):
    await watched(pool, now, since=2 * DAY)
    await read_through(pool, now)

    [text] = await said(now + 20 * MINUTE)

    first, *others = text.splitlines()
    assert first.startswith("Blind on ebay/de for 20 min, about 1 message unseen, ")
    assert "Its own history is too short to tell: a message an hour is assumed." in others


async def test_what_is_sent_late_says_what_is_true_by_then(pool, said, now):
    """The notifier was away for two hours."""
    await watched(pool, now, since=2 * DAY)
    read = now + 8 * HOUR
    await read_through(pool, read)

    [text] = await said(read + 30 * MINUTE, sent_at=read + 160 * MINUTE)

    [first, *_] = text.splitlines()
    assert first == (
        "Blind on ebay/de for 2 h 40 min, about 3 messages unseen, earliest possible breach 23:00."
    )


async def test_a_quiet_account_says_that_probably_nothing_is_unseen(pool, said, now):
    await watched(pool, now, since=40 * DAY)
    await read_through(pool, now)

    [text] = await said(now + 20 * MINUTE)

    assert ", probably no message unseen, earliest" in text.splitlines()[0]
    assert "assumed" not in text


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-21T13:10", "14:10"),
        ("2026-11-21T22:59", "23:59"),
        ("2026-11-21T23:00", "Sun 00:00"),
        ("2026-11-20T13:10", "Fri 14:10"),
        ("2026-11-27T13:10", "Fri 14:10"),
        ("2026-11-28T13:10", "2026-11-28 14:10"),
        ("2026-11-14T13:10", "2026-11-14 14:10"),
    ],
)
def test_an_instant_is_said_as_shortly_as_the_readers_day_allows(at, said, now):
    """Now is Saturday 13:00 there; the same weekday of another week is a date."""
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)

    assert spoken.soon(instant, now, BERLIN) == said
