"""The command that shows how promises were kept, on a database of the test's own."""

from __future__ import annotations

import csv
import io
import json
from functools import partial

import pytest

from core.commands.reported import HEADERS
from core.loops import utcnow
from core.model import Published
from core.store import published
from tests.core import seeds, terminal
from tests.core.seeds import HOUR

DAY = 24 * HOUR
SETTINGS = terminal.settings("""
[accounts.mk]
connector = "mirakl"
title = "=Empik; \\"PL\\""
sandbox = true
shop = "empire"
goals = ["ours"]
policies = ["contract"]
options = { operator = "empik" }
[accounts.pc]
connector = "mirakl"
sandbox = true
options = { operator = "pccomponentes" }
[accounts.am]
connector = "amazon"
sandbox = true
options = { marketplaces = ["A1PA6795UKMFR9"] }
[policies.contract]
role = "contract"
reply_within = "24h"
judged_by = [{ measure = "share", windows = ["7d", "30d"], objective = 0.9, within = "24h" }]
[policies.ours]
reply_within = "4h"
""")


@pytest.fixture
def files(tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPLYBY_SETTINGS", raising=False)
    return tmp_path


@pytest.fixture
def given(files, address, monkeypatch):
    """Gives a command: its exit code, what it printed, what it complained of."""
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    with terminal.log_as_before():
        yield terminal.give


@pytest.fixture
def ask(address):
    return partial(terminal.ask, address)


@pytest.fixture
def at():
    """Noon, long enough ago that whatever is put before it lies in the past."""
    return (utcnow() - DAY).replace(hour=12, minute=0, second=0, microsecond=0)


async def put(db, started, hours=None, *, promise="contract", account="mk", thread="T1", due=24,
              **changes):  # fmt: skip
    """A clock that ran from then, for so many hours if it ended."""
    stopped = None if hours is None else started + hours * HOUR
    ended = None if hours is None else "met" if hours <= due else "late"
    row = {"stopped_at": stopped, "ended": ended, "stopped_by": stopped and f"R-{thread}"}
    await seeds.put_clock(
        db, started + due * HOUR, promise=promise, account=account, thread=thread,
        started_at=started, **(row | changes),
    )  # fmt: skip


@pytest.fixture
def kept(ask, at):
    """Eight of ten in time; a goal that was missed; a thread that still waits."""

    async def seed(db):
        for name in ("mk", "pc", "am"):
            await seeds.put_account(db, at, name)
        await seeds.put_thread(db, at, "T1")
        await seeds.put_thread(db, at, "T9")
        for number in range(8):
            await put(db, at - 3 * DAY, 2, thread=f"M{number}")
        await put(db, at - 5 * DAY, 30, thread="T1")
        await put(db, at - 4 * DAY, thread="T9")
        await put(db, at - HOUR, thread="runs")
        await put(db, at - 20 * DAY, 2, thread="older")
        await put(db, at - 3 * DAY, 6, thread="T1", promise="ours", due=4)

    ask(seed)


def numbers(given, *args):
    code, out, _ = given("report", "--json", *args)
    assert code == 0
    return {(n["account"], n["policy"], n["window"]): n for n in json.loads(out)["numbers"]}


def test_it_tells_attainment_budget_and_what_mends_it(given, kept, at):
    found = numbers(given, "--at", at.isoformat())

    week = found["mk", "contract", "7d"]
    assert (week["met"], week["missed"], week["running"], week["counted"]) == (8, 2, 1, 10)
    assert (week["in_time"], week["objective"], week["verdict"]) == (0.8, 0.9, "broken")
    assert (week["budget_messages"], week["needed_in_a_row"]) == (-1, 10)
    midnight = at.replace(hour=0)
    assert week["begins"] == (midnight - 6 * DAY).isoformat()
    assert week["ends"] == at.isoformat()
    assert week["eases_at"] == (midnight + 2 * DAY).isoformat()
    month = found["mk", "contract", "30d"]
    assert (month["met"], month["counted"], month["budget_messages"]) == (9, 11, -1)
    goal = found["mk", "ours", "7d"]
    assert (goal["in_time"], goal["verdict"], goal["role"]) == (0.0, "unjudged", "goal")
    assert {key[2] for key in found if key[:2] == ("mk", "ours")} == {"7d", "30d"}
    mean = found["pc", "mirakl-pccomponentes", "30d"]
    assert (mean["measure"], mean["verdict"], mean["limit_seconds"]) == ("mean", "uncounted", 86400)
    assert mean["alert_from_seconds"] == 20 * 3600


def test_people_get_tables(given, kept, at):
    code, out, err = given("report", "--at", at.isoformat())

    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["mk", "contract", "7d", "80", "%"] in [line[:5] for line in lines]
    assert "1 too many: 10 in a row mend it" in out
    assert "90 % in 24 h" in out
    assert "EASES AT" in out
    assert "amazon-return" not in out
    assert "left out: 3 of promises" in out
    assert "PUBLISHED" not in out
    assert "mean under 24 h" in out
    assert "Late by most:" in out
    assert "Answered elsewhere" not in out
    assert "Zenobia" not in out


def test_the_worst_are_named_by_id_and_address_alone(given, kept, at):
    _, out, _ = given("report", "--json", "--at", at.isoformat())

    worst = json.loads(out)["worst"]
    assert [(one["thread"], one["promises"], one["late_by_seconds"]) for one in worst] == [
        ("T9", ["contract"], 3 * 86400),
        ("T1", ["contract", "ours"], 6 * 3600),
    ]
    assert [one["ended_at"] for one in worst] == [None, (at - 5 * DAY + 30 * HOUR).isoformat()]
    assert worst[0]["url"] == "https://shop.example/threads/T9"
    assert "Zenobia" not in out
    assert "Quillon" not in out
    one = json.loads(given("report", "--json", "--at", at.isoformat(), "--worst", "1")[1])
    assert [each["thread"] for each in one["worst"]] == ["T9"]
    none = given("report", "--at", at.isoformat(), "--worst", "0")[1]
    assert "Late by most" not in none


def test_csv_holds_the_numbers_and_no_formula(given, kept, at):
    code, out, _ = given("report", "--format", "csv", "--at", at.isoformat())

    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    week = next(r for r in rows if (r["policy"], r["window"]) == ("contract", "7d"))
    assert week["title"] == '\'=Empik; "PL"'
    assert (week["met"], week["budget_messages"], week["in_time"]) == ("8", "-1", "0.8")
    assert (week["published_value"], week["cause_window_edge"]) == ("", "")
    assert len(rows) == len(numbers(given, "--at", at.isoformat()))


def test_csv_holds_the_worst_threads_when_they_are_asked_for(given, kept, ask, at):
    async def seed(db):
        await put(db, at - 6 * DAY, 40, thread="=1+1")

    ask(seed)
    args = ("--at", at.isoformat(), "--only", "worst")

    code, out, _ = given("report", "--format", "csv", *args)
    told = json.loads(given("report", "--json", *args)[1])

    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, told.keys()) == (0, {"at", "worst"})
    assert [row["thread"] for row in rows] == ["T9", "'=1+1", "T1"]
    late = {row["thread"]: row for row in rows}["T1"]
    assert late == {
        "account": "mk",
        "thread": "T1",
        "late_by_seconds": "21600.0",
        "promises": "contract, ours",
        "due_at": (at - 4 * DAY).isoformat(),
        "ended_at": (at - 5 * DAY + 30 * HOUR).isoformat(),
        "unseen_in_time": "false",
        "url": "https://shop.example/threads/T1",
    }
    assert [row.keys() for row in rows] == [one.keys() for one in told["worst"]]
    assert given("report", "--format", "csv", *args, "--worst", "1")[1].count("\n") == 2


@pytest.mark.parametrize("part", ["worst", "unconfirmed"])
def test_csv_of_a_part_without_rows_is_its_header(given, kept, at, part):
    early = (at - 300 * DAY).isoformat()

    _, out, _ = given("report", "--format", "csv", "--only", part, "--at", early)
    _, text, _ = given("report", "--only", part, "--at", early)

    assert out == ",".join(HEADERS[part]) + "\n"
    assert "ACCOUNT" not in text
    assert {"nothing was late", "none"} & set(text.splitlines())


def test_what_is_asked_for_may_be_narrowed(given, kept):
    assert {key[0] for key in numbers(given, "--account", "pc")} == {"pc"}
    assert {key[1] for key in numbers(given, "--policy", "ours")} == {"ours"}
    assert {key[2] for key in numbers(given, "--window", "30d")} == {"30d"}
    assert numbers(given, "--window", "720h").keys() == numbers(given, "--window", "30d").keys()
    assert {key[0] for key in numbers(given, "--shop", "empire")} == {"mk"}
    _, out, _ = given("report", "--json", "--policy", "ours")
    assert [one["promises"] for one in json.loads(out)["worst"]] == [["ours"]]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--account", "mc"], 1, "no account is called mc; known: am, mk, pc"),
        (["--shop", "empier"], 1, "no shop is called empier; did you mean empire?"),
        (["--shop", "empire", "--account", "pc"], 1, "account pc is not of the shop empire"),
        (["--policy", "ors"], 1, "no promise of these accounts is called ors; did you mean ours?"),
        (["--window", "8d", "--policy", "contract"], 1, "no window is 8d long; known: 7d, 30d"),
        (["--window", "8"], 2, "is no duration"),
        (["--at", "2026-11-21T12:00"], 2, "has no zone"),
        (["--at", "2999-01-01T00:00Z"], 2, "lies in the future"),
        (["--at", "0001-01-01T00:00:00Z"], 2, "lies before 1970, and nothing was read"),
        (["--json", "--format", "csv"], 2, "two forms"),
    ],
)
def test_what_is_not_there_is_said(given, kept, args, code, said):
    found, out, err = given("report", *args)

    assert (found, out) == (code, "")
    assert said in err


def test_an_empty_database_says_what_to_do(given):
    for form in ("table", "json", "csv"):
        code, out, err = given("report", "--format", form)

        assert code == 0
        assert "nothing was counted" in err
        assert "replyby poll ACCOUNT --once" in err
        assert "uncounted" in out
    assert "pc: not read yet" in given("report")[1]
    assert "pc: not read yet" in given("report", "--json")[2]


def test_answers_elsewhere_that_nothing_confirms_are_listed(given, kept, ask, at):
    async def say(db):
        name, said = "answered:buyer:then:T1", at - 2 * DAY
        await seeds.put_message(db, said, name, "T1", party="seller", delivery="accepted")
        await db.execute("update message set kind = 'answered_elsewhere' where id = $1", name)
        await put(db, said - HOUR, 1, thread="T1", stopped_by=name)

    ask(say)

    _, out, _ = given("report", "--at", at.isoformat())
    _, told, _ = given("report", "--json", "--at", at.isoformat())

    assert "Answered elsewhere, as somebody said, and confirmed by nothing yet:" in out
    (one,) = json.loads(told)["unconfirmed_answers"]
    assert one["thread"] == "T1"
    assert one["answered_at"] == (at - 2 * DAY).isoformat()
    assert one["url"] == "https://shop.example/threads/T1"


AMAZON = {
    "response_under_24_hours": 9.0,
    "response_time_greater_than_24_hours": 2.0,
    "no_response_for_contacts_older_than_24_hours": 1.0,
}


@pytest.fixture
def told(ask, at, kept):
    """Amazon's own number of the week that ended yesterday, beside ours."""
    until = at.replace(hour=0)

    async def seed(db):
        found = [Published(f"amazon_{name}_7_days", value, until) for name, value in AMAZON.items()]
        await published.add(db, "am", found, at)
        of = {"account": "am", "promise": "amazon-message"}
        for number in range(10):
            await put(db, until - 3 * DAY, 2, thread=f"A{number}", **of)
        await put(db, until - 3 * DAY, 30, thread="unseen", flags=["unseen_in_time"], **of)
        await put(db, until - 7 * DAY + HOUR, 2, thread="first day", **of)
        await put(db, until + HOUR, 2, thread="today", **of)

    ask(seed)
    return until


def test_the_marketplaces_own_number_stands_beside_ours_over_its_window(given, told, at):
    beside = numbers(given, "--account", "am", "--at", at.isoformat())
    week = beside["am", "amazon-message", "7d"]

    assert (week["met"], week["missed"]) == (11, 1)
    assert week["published"] == {
        "measure": "share",
        "value": 0.75,
        "as_of": told.isoformat(),
        "window": "7d",
        "counted": 12,
        "ours": 11 / 12,
        "ours_counted": 12,
        "gap": 0.75 - 11 / 12,
        "causes": {
            "unseen_message": 1,
            "reply_not_accepted": 0,
            "automatic_reply": 0,
            "other_start": 0,
            "window_edge": 2,
            "no_reply_needed": 0,
        },
    }
    assert beside["am", "amazon-message", "30d"]["published"] is None
    out = given("report", "--account", "am", "--at", at.isoformat())[1]
    assert "am, amazon-message, 7d: the marketplace says 75 % of 12" in out
    assert "over that window ours is 91.6 % of 12." in out
    assert "1 first seen by us after the deadline; 2 in one of the two windows only." in out


def test_what_was_told_later_is_not_known_yet(given, told):
    before = told - 2 * DAY

    week = numbers(given, "--account", "am", "--at", before.isoformat())[
        "am", "amazon-message", "7d"
    ]

    assert week["published"] is None


def test_a_mean_that_names_no_window_stands_beside_ours(given, kept, ask, at):
    async def tell(db):
        mean = Published("order_messages_response_delay", 3600.0, at)
        await published.add(db, "pc", [mean], at)
        of = {"account": "pc", "promise": "mirakl-pccomponentes"}
        await put(db, at - 3 * DAY, 2, thread="P1", **of)
        await put(db, at - 3 * DAY, 4, thread="P2", waits_for="marketplace", **of)

    ask(tell)

    found = numbers(given, "--account", "pc", "--at", at.isoformat())
    out = given("report", "--account", "pc", "--at", at.isoformat())[1]

    number = found["pc", "mirakl-pccomponentes", "30d"]
    assert (number["mean_reply_seconds"], number["verdict"]) == (3 * 3600, "kept")
    assert (number["published"]["value"], number["published"]["gap"]) == (3600, -2 * 3600)
    assert number["published"]["window"] is None
    assert "says 1 h" in out
    assert "it does not say over which window, and ours is 3 h of 2." in out
    assert "May explain the gap: nothing that our rows show." in out
    assert "the next under 2 d 18 h" in out
