"""`replyby replay`: what another policy would have meant for what is stored, none of it written."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, timedelta

import pytest

from connectors.mirakl import spec
from core import ingest, settings, store
from core.loops import utcnow
from core.running import takeover
from core.store import catalogue, history, transaction
from tests.core import pages, terminal

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
SETTINGS = terminal.settings("""
[accounts.mk]
connector = "mirakl"
policies = ["day"]
goals = []
sandbox = true
options = { operator = "empik" }
[accounts.two]
connector = "mirakl"
policies = ["other"]
goals = []
sandbox = true
options = { operator = "empik", base_url = "http://127.0.0.1:9/two" }
[policies.day]
role = "contract"
reply_within = "24h"
judged_by = [{ measure = "share", objective = 0.9, windows = ["30d"] }]
[policies.other]
role = "contract"
reply_within = "24h"
[calendars.desk]
zone = "Europe/Paris"
hours = { mon-fri = ["09:00-17:00"] }
""")
DAY_POLICY = SETTINGS[SETTINGS.index("[policies.day]") : SETTINGS.index("[policies.other]")]
QUICK = DAY_POLICY.replace('"24h"', '"6h"')


@pytest.fixture
def now():
    return utcnow().replace(microsecond=0)


@pytest.fixture
def given(address, tmp_path, monkeypatch, now):
    """Replays a file over ten threads: T3 is answered after three hours, T4 after four."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    (tmp_path / "settings.toml").write_text(SETTINGS)
    begun = now - 2 * DAY

    async def seed():
        pool = await store.open_pool(address)
        environ = {"TEST_DSN": terminal.dsn_of(address)}
        found = settings.load(
            tmp_path / "settings.toml", {"mirakl": spec}, environ, sandbox=True, now=now - 9 * DAY
        )
        rules = await takeover.take_over(pool, found, now - 9 * DAY)
        asked = [pages.buyer(f"M{n}", begun + n * timedelta(minutes=1), f"T{n}") for n in range(10)]
        answers = [pages.seller(f"R{n}", begun + n * HOUR, f"T{n}") for n in range(1, 9)]
        late = pages.seller("R9", begun + 30 * HOUR, "T9")
        async with transaction(pool) as db:
            await ingest.page(db, rules, "mk", pages.page(*asked, *answers, late), now, None)
        await pool.close()

    asyncio.run(seed())

    def given(text, *args):
        (tmp_path / "other.toml").write_text(text)
        return terminal.give("replay", "--policy", "other.toml", *args)

    with terminal.log_as_before():
        yield given


def found(given, text, *args):
    code, told, complained = given(text, *args, "--json")
    assert code == 0, complained
    return json.loads(told)


def test_under_the_policy_in_force_nothing_is_otherwise(given, address):
    told = found(given, DAY_POLICY)

    [promise] = told["promises"]
    assert (promise["account"], promise["promise"]) == ("mk", "day")
    assert promise["now"] == promise["then"]
    assert (told["changed"], told["threads"]) == (0, [])
    stored = terminal.ask(address, lambda db: db.fetch(STORED))
    ended = {row["ended"]: row["n"] for row in stored}
    assert ended == {"met": promise["now"]["met"], "late": 1, None: 1}
    assert promise["now"]["missed"] == 2  # T9, and T0 that waits for two days by now


STORED = "select ended, count(*) as n from clock where account = 'mk' group by ended"


def test_another_policy_shows_what_would_have_been_late_the_most_affected_first(given):
    told = found(given, QUICK)

    [promise] = told["promises"]
    now, then = promise["now"], promise["then"]
    assert (now["met"], now["missed"], now["attainment"]) == (8, 2, 0.8)
    assert (then["met"], then["missed"], then["attainment"]) == (6, 4, 0.6)
    assert (now["verdict"], then["verdict"]) == ("broken", "broken")
    assert told["threads_read"] == 10
    assert told["changed"] == 2
    assert [(t["thread"], t["was"], t["would_be"]) for t in told["threads"]] == [
        ("T8", "met", "missed"), ("T7", "met", "missed"),
    ]  # fmt: skip
    assert told["threads"][0]["late_seconds"] > told["threads"][1]["late_seconds"] > 0
    assert then["warnings"] == sum(then["warnings_by_hour"]) > now["warnings"]


def test_people_see_both_beside_each_other(given):
    code, told, _ = given(QUICK, "--most", "1")

    assert code == 0
    assert "8 > 6" in told
    assert "80 % > 60 %" in told
    assert "T8" in told
    assert "T7" not in told
    assert "10 threads read; 2 waitings would have fared otherwise (1 are not named" in told
    assert told.endswith("Nothing was written.\n")


def test_a_mean_is_compared_as_a_mean(given):
    mean = 'judged_by = [{ measure = "mean", limit = "4h", windows = ["90d"] }]\n'
    told = found(given, DAY_POLICY[: DAY_POLICY.index("judged_by")] + mean)

    then = told["promises"][0]["then"]
    assert (then["measure"], then["counted"], then["verdict"]) == ("mean", 9, "broken")
    assert then["mean_reply_seconds"] == pytest.approx(66 * 3600 / 9, rel=0.1)


def test_it_counts_on_calendars_of_the_file_and_of_the_settings(given):
    closed = '[calendars.late]\nzone = "UTC"\nhours = {}\n'
    closed += 'exceptions = { 2027-12-24 = ["00:00-24:00"] }\n'
    on = '[policies.day]\nrole = "contract"\nreply_within = "6h"\ncalendar = '

    told = found(given, f'{on}"late"\n{closed}')
    assert (told["promises"][0]["then"]["missed"], told["promises"][0]["then"]["running"]) == (0, 1)

    assert found(given, f'{on}"desk"\n')["promises"][0]["then"]["met"] >= 6


def test_a_promise_that_nobody_has_is_tried_on_every_account_asked_for(given):
    goal = '[policies.new]\nreply_within = "3h"\n'

    told = found(given, goal)
    both = told["promises"]
    one = found(given, goal, "--account", "mk")["promises"]

    assert [p["account"] for p in both] == ["mk", "two"]
    assert [p["account"] for p in one] == ["mk"]
    assert one[0]["now"] is None
    assert one[0]["then"]["met"] == 3  # T1 to T3
    assert {(t["was"], t["would_be"]) for t in told["threads"]} == {(None, "missed")}
    assert told["changed"] == one[0]["then"]["missed"] == 7


def test_only_waitings_that_began_in_time_are_looked_at(given, now):
    begun = now - 2 * DAY
    from_, until = begun + timedelta(minutes=3), begun + timedelta(minutes=8)

    told = found(given, QUICK, "--from", from_.isoformat(), "--until", until.isoformat())

    assert (told["from"], told["until"]) == (from_.astimezone(UTC).isoformat(), until.isoformat())
    assert told["promises"][0]["now"]["met"] == 5
    assert [t["thread"] for t in told["threads"]] == ["T7"]


def test_a_day_begins_at_its_midnight_in_utc(given, now):
    day = (now - 2 * DAY).date()

    told = found(given, QUICK, "--from", f"{day}", "--until", f"{day + DAY}")

    assert told["from"] == f"{day}T00:00:00+00:00"
    assert told["until"] == f"{day + DAY}T00:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[policies.day\n", "other.toml: is no TOML"),
        ("", "policies: is missing; write [policies.NAME]"),
        ("[polices.day]\n", "polices: unknown section; did you mean policies?"),
        ("[policies.day]\n", "policies.day.reply_within: is missing; add it"),
        ('[policies.day]\nreply_within = "soon"\n', "policies.day.reply_within: is no duration"),
        (QUICK + 'calendar = "desc"\n', "policies.day.calendar: there is no calendar of that name"),
        ("[policies.day]\nreply_wihtin = 3\n", "did you mean reply_within?"),
    ],
)
def test_a_bad_file_is_complained_of_as_settings_are(given, text, complaint):
    code, told, complained = given(text)

    assert (code, told) == (2, "")
    assert complaint in complained


def test_what_is_not_there_is_named(given, address):
    code, _, complained = given(QUICK, "--account", "tow")
    assert (code, complained) == (1, "replyby: no account is called tow; did you mean two?\n")
    code, _, complained = terminal.give("replay", "--policy", "nowhere.toml")
    assert (code, complained) == (
        2, "nowhere.toml: there is no such file; name it with --policy FILE, or put it there\n",
    )  # fmt: skip
    terminal.ask(address, lambda db: db.execute("update account set retired_at = now()"))
    assert "nothing is stored of an account" in given(QUICK)[2]


def test_nothing_is_written(given, address):
    async def everything(db):
        return {
            table.name: await db.fetch(f"select xmin, * from {table.name}")
            for table in await catalogue.tables(db)
        }

    before = terminal.ask(address, everything)
    found(given, QUICK)

    assert terminal.ask(address, everything) == before


async def test_a_history_is_read_in_batches_each_thread_once(pool, now):
    await pages.monitored(pool, now - DAY)
    messages = [pages.buyer(f"M{n}", now - HOUR, f"T{n}") for n in range(25)]
    await pages.stored(pool, now, *messages, pages.thread("empty", as_of=now))

    batches = [batch async for batch in history.batches(pool, "mk", size=10)]

    assert [len(batch.threads) for batch in batches] == [10, 10, 6]
    threads = [thread for batch in batches for thread in batch.threads]
    assert sorted(threads) == sorted({*(f"T{n}" for n in range(25)), "empty"})
    for batch in batches:
        assert {row.thread for row in batch.rows} == {t for t in batch.threads if t != "empty"}
        assert {t for t, turns in batch.turns.items() if turns} == {
            t for t in batch.threads if t != "empty"
        }
    later = [b async for b in history.batches(pool, "mk", since=now + HOUR)]
    assert later == []
