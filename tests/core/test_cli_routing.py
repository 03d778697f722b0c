"""What `duty` and `routes explain` say to whoever asks before a night."""

from __future__ import annotations

import json

import pytest

from tests.core import terminal
from tests.core.test_telling import ACCOUNTS, DUTY, EVENT, PEOPLE, QUIET, ROUTE

TEXT = ACCOUNTS + PEOPLE.replace("[people.bo]", QUIET + "[people.bo]") + DUTY + ROUTE
STORE = '[store]\ndsn = "env:TEST_DSN"\n'


@pytest.fixture
def give(tmp_path, monkeypatch):
    """Gives commands; nothing answers where the database should be."""

    def give(*args, text=TEXT):
        (tmp_path / "settings.toml").write_text(STORE + text)
        return terminal.give(*args)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_DSN", "postgresql://nobody:nothing@127.0.0.1:9/none")
    with terminal.log_as_before():
        yield give


def rows(given):
    code, told, complaints = given
    assert (code, complaints) == (0, "")
    return json.loads(told)


def test_duty_says_who_until_when_and_by_what(give):
    (row,) = rows(give("duty", "--at", "2026-11-28T12:00:00+01:00", "--json"))

    assert row == {
        "duty": "night",
        "on_duty": "Anna Kim, bo",
        "people": ["anna", "bo"],
        "until": "2026-11-29T23:00:00+00:00",
        "told_by": "anna, bo",
    }


def test_duty_says_who_is_told_while_nobody_has_it(give):
    code, told, _ = give("duty", "night", "--at", "2026-11-24T12:00:00Z")

    assert code == 0
    assert "nobody: person:bo is told  2026-11-24 17:00:00Z  bo" in told


def test_duty_reads_a_calendar_file_around_the_day_that_is_asked_for(give, tmp_path):
    (tmp_path / "duty.ics").write_text((EVENT % "anna").replace("202611", "202711"))
    week = '[duty.week]\nfallback = "person:bo"\nzone = "Europe/Berlin"\nics = "duty.ics"\n'

    (row,) = rows(
        give(
            "duty", "week", "--at", "2027-11-24T12:00:00Z", "--json", text=ACCOUNTS + PEOPLE + week
        )
    )

    assert (row["people"], row["until"]) == (["anna"], "2027-11-27T23:00:00+00:00")


@pytest.mark.parametrize(
    ("args", "code", "complaint"),
    [
        (("duty", "nigt"), 1, "there is no duty of that name; did you mean night?"),
        (("duty", "--at", "noon"), 2, "is no instant"),
        (("routes", "explain", "mmm"), 1, "mm"),
        (("routes", "explain", "mm", "--kind", "breech"), 1, "did you mean breach?"),
        (("routes", "explain", "mm", "--kind", "foo"), 1, "(there is: account_down, "),
    ],
)
def test_what_is_not_there_is_refused(give, args, code, complaint):
    found, _, said = give(*args)

    assert found == code
    assert complaint in said


def test_no_duty_at_all_says_how_to_write_one(give):
    code, told, _ = give("duty", text=ACCOUNTS)

    assert (code, told) == (0, "no duty is planned: write [duty.NAME], see docs/settings.md\n")


def test_explain_says_each_routes_verdict_who_is_told_and_the_rungs(give):
    found = rows(
        give("routes", "explain", "mm", "--language", "de-AT", "--policy", "mirakl-mediamarkt",
             "--at", "2026-11-24T02:00:00+01:00", "--json")
    )  # fmt: skip

    assert [(row["route"], row["this_notice"]) for row in found["routes"]] == [
        ("german", "takes it"),
        ("ops", "is not asked: another route takes it"),
    ]
    assert [
        (row["notifier"], row["for"], row["when"], row["not_before"]) for row in found["told"]
    ] == [
        ("anna", "Anna Kim", "after quiet hours", "2026-11-24T06:30:00+00:00"),
        ("bo", "bo", "at once", None),
    ]
    assert [(row["after"], row["by"]) for row in found["ladder"]] == [
        ("15m", "anna, bo"),
        ("1h", "bo"),
    ]


def test_explain_says_which_conditions_are_not_met(give):
    code, told, _ = give("routes", "explain", "mm", "--step", "1", "--at", "2026-11-24T12:00:00Z")

    assert code == 0
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert lines[1] == "german does not: languages, policies, steps duty:night, team:desk"
    assert lines[2] == "ops takes it, as the fallback notifier:log"
    assert "log its readers ops at once -" in lines


def test_explain_names_the_duty_that_nobody_has(give):
    _, told, _ = give("routes", "explain", "mm", "--language", "de", "--policy",
                      "mirakl-mediamarkt", "--at", "2026-11-24T12:00:00Z")  # fmt: skip

    assert "bo (nobody is on duty night)" in told


def test_explain_says_where_nobody_is_told(give):
    text = ACCOUNTS.replace("fallback = true", 'fallback = true\nkinds = ["breach"]')

    _, told, _ = give("routes", "explain", "mm", "--kind", "blind", text=text)

    assert "Nobody is told: give the fallback route no kinds." in told


def test_a_broken_calendar_file_is_a_fault_to_check(give):
    week = '[duty.week]\nfallback = "person:bo"\nics = "none.ics"\n'

    code, _, said = give("check", "--offline", "--sandbox", text=ACCOUNTS + PEOPLE + week)

    assert code == 2
    assert said.startswith("duty.week.ics: cannot be read (No such file or directory); name a")


def test_check_tells_of_people_too_and_a_fault_ends_it(give):
    code, told, _ = give("check", "--offline", "--sandbox")
    assert code == 0
    assert "warning: duty.night: nobody is on duty from " in told

    code, _, said = give(
        "check", "--offline", "--sandbox", text=TEXT.replace('"team:desk"', '"team:d"')
    )
    assert code == 2
    assert "routes.german.tell: there is no team of that name; known: desk" in said
