"""What `coverage` says: the weekends, holidays and nights in which a deadline passes unattended."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from core.loops import utcnow
from tests.core import seeds, terminal

SETTINGS = """
[accounts.mk]
connector = "mirakl"
policies = ["day"]
goals = []
sandbox = true
options = { operator = "empik" }
[accounts.two]
connector = "mirakl"
policies = ["day"]
goals = ["desk-4h"]
calendar = "desk"
sandbox = true
options = { operator = "empik", base_url = "http://127.0.0.1:9/two" }
[policies.day]
role = "contract"
reply_within = "24h"
[policies.desk-4h]
reply_within = "4h"
calendar = "desk"
[calendars.desk]
zone = "Europe/Paris"
hours = { mon-fri = ["09:00-17:00"] }
exceptions = { 2027-03-26 = [], 2027-03-29 = [] }
"""
EASTER = ("coverage", "--offline", "--account", "two", "--from", "2027-03-22", "--days", "14")


@pytest.fixture
def give(tmp_path, monkeypatch):
    """Gives commands; nothing answers where the database should be."""

    def give(*args, text=SETTINGS):
        (tmp_path / "settings.toml").write_text(terminal.settings(text))
        return terminal.give(*args)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", "postgresql://nobody:nothing@127.0.0.1:9/none")
    with terminal.log_as_before():
        yield give


def holes(given, *args):
    code, told, _ = given(*args, "--json")
    return code, json.loads(told)


def test_it_lists_the_weekends_before_which_nobody_can_answer_any_more(give):
    code, found = holes(give, *EASTER)

    assert code == 1
    looks = {(row["arrives"], row["arrives_until"], row["wide"], row["times"]) for row in found}
    assert looks == {
        ("Thu 16:30", "Mon 09:30", "3 d 16 h", 1),  # Easter, of which the clocks take an hour
        ("Fri 16:30", "Sun 09:30", "1 d 17 h", 1),
    }
    assert {row["promise"] for row in found} == {"day"}
    assert [len(row["occurrences"]) for row in found] == [1, 1]
    assert found[0]["occurrences"][0]["staffed_seconds"] == 0


def test_people_see_a_table_and_what_it_comes_to(give):
    code, told, _ = give(*EASTER)

    assert code == 1
    assert "Thu 16:30" in told
    assert "Fri 16:30 to Tue 09:30" in told
    assert "2 holes of 1 account in 14 days" in told
    assert "an answer takes 30 min" in told


def test_where_somebody_is_always_there_is_no_hole(give):
    code, told, _ = give("coverage", "--offline", "--calendar", "always")

    assert code == 0
    assert "no hole in 90 days" in told


def test_nights_that_are_alike_are_one_line(give):
    daily = SETTINGS.replace("mon-fri", "mon-sat").replace('"24h"', '"2h"')

    _, found = holes(lambda *args: give(*args, text=daily), *EASTER[:-2], "--days", "5")

    (night,) = [row for row in found if row["times"] > 1]
    assert (night["arrives"], night["arrives_until"]) == ("Mon-Wed 16:30", "Tue-Thu 07:30")
    assert night["due"] == "Mon-Wed 18:30 to Tue-Thu 09:30"
    assert night["times"] == 3


def test_an_answer_that_takes_longer_makes_a_hole_wider(give):
    _, (_, longer) = holes(give, *EASTER, "--least", "2h")

    assert (longer["arrives"], longer["arrives_until"]) == ("Fri 15:00", "Sun 11:00")


def test_a_hole_at_the_edge_of_what_is_asked_is_told_whole(give):
    monday = [*EASTER[:-3], "2027-03-20", "--days", "3"]

    _, (found,) = holes(give, *monday)

    assert found["occurrences"][0]["begin"].startswith("2027-03-19T15:30:00")


def test_the_seasons_of_a_promise_are_laid_over_the_calendar_each_for_its_time(give):
    season = """
[[policies.day.versions]]
reply_within = "96h"
effective_to = 2027-03-29T00:00:00Z
[[policies.day.versions]]
reply_within = "24h"
effective_from = 2027-03-29T00:00:00Z
"""
    text = SETTINGS.replace('role = "contract"\nreply_within = "24h"', 'role = "contract"')

    _, found = holes(lambda *args: give(*args, text=text + season), *EASTER)

    assert {(row["within"], row["arrives"]) for row in found} == {
        ("4 d", "Thu 16:30"), ("1 d", "Mon 02:00"), ("1 d", "Fri 16:30"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ((), "accounts.mk.calendar: nothing says when somebody is there who answers"),
        (
            ("--calendar", "desc"),
            "--calendar: there is no calendar of that name; did you mean desk?",
        ),
        (("--least", "soon"), "is no duration"),
        (("--least", "0m"), "must be longer than nothing"),
        (("--from", "tomorrow"), "is no day; write it as 2026-11-21"),
        (("--from", "2019-12-31"), "lies beyond the years for which holidays are known"),
        (("--from", "9999-12-31"), "lies beyond the years for which holidays are known"),
        (("--from", "2040-12-01", "--days", "31"), "name a day and --days within them"),
    ],
)
def test_what_cannot_be_looked_at_is_said_with_the_mend(give, args, complaint):
    code, told, complained = give("coverage", "--offline", *args)

    assert (code, told) == (2, "")
    assert complaint in complained


def test_an_account_that_is_not_there_is_named(give):
    code, _, complained = give("coverage", "--offline", "--account", "to")

    assert code == 1
    assert "no account is called to; did you mean two?" in complained


def test_it_says_how_many_messages_usually_come_in_a_hole(give, address, monkeypatch):
    monkeypatch.setenv("TEST_DSN", terminal.dsn_of(address))
    saturday = utcnow() - timedelta(days=1)
    saturday -= timedelta(days=(saturday.weekday() - 5) % 7)
    instants = [saturday.replace(hour=12) - timedelta(weeks=n) for n in range(3) for _ in range(2)]

    async def come(db):
        await seeds.put_account(db, utcnow(), "two", since=utcnow() - timedelta(days=60))
        await seeds.put_account(db, utcnow(), "mk", since=utcnow() - timedelta(days=60))
        await seeds.put_thread(db, utcnow(), account="two")
        for number, at in enumerate(instants):
            await seeds.put_message(db, at, f"M{number}", account="two")

    terminal.ask(address, come)

    _, found = holes(give, "coverage", "--calendar", "desk", "--days", "70")

    weekends = [row for row in found if row["account"] == "two" and row["arrives"] == "Fri 16:30"]
    assert sum(row["expected"] for row in weekends) > 15
    assert {row["expected"] for row in found if row["account"] == "mk"} == {None}
