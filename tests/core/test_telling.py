"""People, teams, duties, ladders and routes as settings write them: read, and complained of."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core import settings
from core.connector import load_specs
from core.errors import SettingsError
from core.model import NoticeKind
from core.people.rota import Rota
from core.routing import Aim, Subject
from core.running import checks, reach

NOW = datetime(2026, 11, 23, 11, tzinfo=UTC)
ACCOUNTS = """
[accounts.mk]
connector = "mirakl"
sandbox = true
routes = ["desk"]
options = { operator = "empik" }
[accounts.mm]
connector = "mirakl"
sandbox = true
options = { operator = "mediamarkt-de" }
[notifiers.log]
kind = "file"
path = "log.jsonl"
[notifiers.anna]
kind = "file"
path = "anna.jsonl"
[notifiers.bo]
kind = "file"
path = "bo.jsonl"
zone = "UTC"
[routes.ops]
notifiers = ["log"]
fallback = true
[routes.desk]
notifiers = ["log"]
"""
PEOPLE = """
[people.anna]
title = "Anna Kim"
zone = "Europe/Berlin"
languages = ["de", "en"]
notifiers = ["anna"]
also = ["anna@shop.example"]
[people.bo]
zone = "Asia/Seoul"
notifiers = ["bo"]
"""
QUIET = """
quiet = { mon-fri = ["20:00-07:30"], sat-sun = ["00:00-24:00"] }
quiet_holidays = "DE"
quiet_exceptions = { 2026-12-24 = ["00:00-24:00"] }
quiet_lets_pass = ["blind", 3]
"""
DUTY = """
[teams.desk]
members = ["anna", "bo"]
[duty.night]
zone = "Europe/Berlin"
fallback = "person:bo"
shifts = [
    { people = ["anna"], hours = { mon-thu = ["18:00-08:00"] } },
    { people = ["anna", "bo"], hours = { fri-sun = ["00:00-24:00"] } },
]
[ladders.up]
rungs = [{ after = "15m", tell = ["team:desk"] }, { after = "1h", tell = ["person:bo"] }]
repeat = "1h"
"""
ROUTE = """
[routes.german]
tell = ["duty:night", "team:desk"]
marketplaces = ["mediamarkt-de"]
languages = ["de"]
policies = ["mirakl-mediamarkt"]
steps = ["breach", 2]
ladder = "up"
"""
EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//t//EN
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:20261123
DTEND;VALUE=DATE:20261128
SUMMARY:%s
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def read(tmp_path):
    """Reads a settings file of this text."""

    def read(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return settings.load(path, load_specs(), {**os.environ}, sandbox=True, now=NOW)

    return read


@pytest.fixture
def complaints(read):
    def complaints(text):
        with pytest.raises(SettingsError) as found:
            read(text)
        return found.value.complaints

    return complaints


@pytest.fixture
def findings(read):
    """What of these settings could be wiser about who is told."""

    def findings(text, now=NOW):
        return list(reach.findings(read(text), now))

    return findings


def told(found, account, at=NOW, **more):
    return found.routing.told(Subject(NoticeKind.BREACH, account, **more), at)


def test_everything_is_read_as_it_is_written(read):
    found = read(ACCOUNTS + PEOPLE + DUTY + ROUTE)
    promise = next(p.name for p in found.accounts["mm"].promises)
    directory = found.routing.directory

    assert directory.people["anna"].languages == ("de", "en")
    assert directory.people["bo"].title == "bo"
    assert directory.duties["night"].roster.on(NOW) == ()
    assert found.routing.ladders["up"].repeat == timedelta(hours=1)
    assert told(found, "mm", language="de", policy=promise) == (
        Aim("bo", None, ("german/bo!night", "german/bo")),
        Aim("anna", None, ("german/anna",)),
    )
    assert [aim.notifier for aim in told(found, "mk", language="de")] == ["log"]


def test_settings_without_people_are_what_they_were(read, findings):
    found = read(ACCOUNTS)

    assert found.routing.plain
    assert told(found, "mk") == told(found, "mm") == (Aim("log"),)
    assert findings(ACCOUNTS) == []


def test_a_team_of_one_needs_nothing_of_it(findings):
    one = ACCOUNTS.partition("[notifiers.anna]")[0] + '[routes.ops]\nnotifiers=["log"]\n'

    assert findings((one + "fallback = true\n").replace('routes = ["desk"]\n', "")) == []


def test_quiet_hours_are_a_persons_with_holidays_and_exceptions(read):
    found = read(ACCOUNTS + PEOPLE.replace("[people.bo]", QUIET + "[people.bo]"))
    anna = found.routing.directory.people["anna"]
    berlin = ZoneInfo("Europe/Berlin")

    assert anna.passes == {NoticeKind.BLIND, 3}
    assert anna.quiet_until(datetime(2026, 11, 23, 19, 30, tzinfo=UTC)) == datetime(
        2026, 11, 24, 7, 30, tzinfo=berlin
    )
    christmas = datetime(2026, 12, 24, 12, tzinfo=berlin)
    assert anna.quiet_until(christmas) == datetime(2026, 12, 28, 0, tzinfo=berlin)


def test_a_notifier_without_a_zone_has_that_of_whom_it_tells(read):
    found = read(ACCOUNTS + PEOPLE)

    assert [found.notifiers[name].zone for name in ("log", "anna", "bo")] == [
        "UTC", "Europe/Berlin", "UTC",
    ]  # fmt: skip
    shared = PEOPLE.replace('notifiers = ["bo"]', 'notifiers = ["bo", "anna"]')
    assert read(ACCOUNTS + shared).notifiers["anna"].zone == "UTC"


def test_a_calendar_file_names_people_and_starts_beside_the_settings(read, tmp_path):
    (tmp_path / "duty.ics").write_text(EVENT % "Anna Kim")
    text = '[duty.week]\nfallback = "person:bo"\nzone = "Europe/Berlin"\nics = "duty.ics"\n'

    found = read(ACCOUNTS + PEOPLE + text)

    roster = found.routing.directory.duties["week"].roster
    assert isinstance(roster, Rota)
    assert roster.on(NOW) == ("anna",)
    assert roster.on(NOW + timedelta(days=7)) == ()


SHIFT = "shifts = [{ people = ['anna'], hours = { mon-sun = ['00:00-24:00'] } }]\n"
FAULTS = [
    ('[people.cy]\nnotifiers = ["bbo"]', "people.cy.notifiers: there is no notifier of that name"),
    ('[people.cy]\nquiet = { mon = ["20:00-07:00"] }', "people.cy.zone: is missing: quiet hours"),
    ('[people.cy]\nzone = "UTC"\nquiet = { mon-sun = ["00:00-24:00"] }',
     "people.cy.quiet: never ends"),
    ('[people.cy]\nzone = "UTC"\nquiet = { mon = ["20"] }', "people.cy.quiet.mon: holds no span"),
    ('[people.cy]\nlanguages = ["german!"]', "people.cy.languages.0: is no language"),
    ('[people.cy]\nquiet_lets_pass = ["breech"]', "people.cy.quiet_lets_pass.0: is no kind"),
    ("[people.cy]\nquiet_lets_pass = [true]", "people.cy.quiet_lets_pass.0: is no kind"),
    ('[people.cy]\nnotifier = "bo"', "people.cy.notifier: unknown key; did you mean notifiers?"),
    ('[teams.t]\nmembers = ["ann"]', "teams.t.members: there is no person of that name; did you"),
    ('[people.cy]\n[teams.t]\nmembers = ["cy"]\n[routes.x]\ntell = ["team:t"]',
     "routes.x.tell: team:t has nobody who has notifiers; write them under teams.t.notifiers"),
    ('[people.cy]\n[routes.x]\ntell = ["person:cy"]', "routes.x.tell: person:cy has no notifiers"),
    ('[routes.x]\ntell = ["person:ana"]', "routes.x.tell: there is no person of that name; did"),
    ('[routes.x]\ntell = ["anna"]', "routes.x.tell.0: is nobody who can be told; write"),
    ('[routes.x]\ntell = ["duty:night"]', "routes.x.tell: there is no duty of that name; none is"),
    ('[routes.x]\nkinds = ["breach"]', "routes.x.notifiers: is missing; add it, or say whom to"),
    ("[routes.x]\nnotifiers = []", "routes.x.notifiers: is empty; name at least one"),
    ('[routes.x]\nnotifiers = ["log"]\nladder = "up"', "routes.x.ladder: there is no ladder"),
    ('[routes.x]\nnotifiers = ["log"]\nsteps = ["blind"]', "routes.x.steps.0: is no step"),
    ("[routes.x]\nnotifiers = ['log']\nsteps = [0]", "routes.x.steps.0: is no step; write"),
    ('[routes.x]\nnotifiers = ["log"]\naccounts = ["mkk"]', "routes.x.accounts: there is no acc"),
    ('[routes.x]\nnotifiers = ["log"]\nmarketplaces = ["ebay"]', "routes.x.marketplaces: there"),
    ('[routes.x]\nnotifiers = ["log"]\npolicies = ["mirakl-x"]', "routes.x.policies: there is no"),
    ('[routes.x]\nnotifiers = ["log"]\nfallback = true\nlanguages = ["de"]',
     "routes.x.languages: narrows a fallback"),
    ("[duty.d]\nfallback = 'person:bo'", "duty.d: says when by nothing, or by two things"),
    ("[duty.d]\nshifts = [{ people = ['bo'], hours = { mon = ['08:00-09:00'] } }]",
     "duty.d.fallback: is missing; add it"),
    ("[duty.d]\nfallback = 'duty:d'\n" + SHIFT, "duty.d.fallback: is a duty, which may be"),
    ("[duty.d]\nfallback = 'person:boo'\n" + SHIFT, "duty.d.fallback: there is no person"),
    ("[duty.d]\nfallback = 'person:bo'\nics = 'https://x.example/d.ics'", "duty.d.ics: is no file"),
    (("[people.cy]\n[duty.d]\nfallback = 'person:bo'\n"
     "shifts = [{ people = ['cy'], hours = { mon = ['08:00-09:00'] } }]"),
     "duty.d.shifts.0.people: person:cy has no notifiers"),
    (("[duty.d]\nfallback = 'person:bo'\n"
     "shifts = [{ people = ['bo'], hours = { monday = ['08:00-09:00'] } }]"),
     "duty.d.shifts.0.hours.monday: is no day"),
    ("[ladders.u]\nrungs = []", "ladders.u.rungs: is empty; name at least one"),
    ("[ladders.u]\nrungs = [{ after = 15, tell = ['person:bo'] }]", "ladders.u.rungs.0.after: "),
    ("[notifiers.pd]\nkind = 'pagerduty'\nrouting_key = 'env:SHORT'",
     "notifiers.pd.routing_key: is too short; write 32 characters at least"),
    (("[ladders.u]\nrungs = [{ after = '1h', tell = ['person:bo'] },"
     " { after = '30m', tell = ['person:bo'] }]"), "ladders.u.rungs: do not come one after"),
    ("[ladders.u]\nrungs = [{ after = '1h', tell = ['team:x'] }]",
     "ladders.u.rungs.0.tell: there is no team of that name"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "complaint"), FAULTS)
def test_a_fault_names_its_key_and_says_how_to_mend_it(complaints, text, complaint, monkeypatch):
    monkeypatch.setenv("SHORT", "abc")
    found = complaints(ACCOUNTS + PEOPLE + text + "\n")

    assert len(found) == 1, found
    assert found[0].startswith(complaint)
    assert "; " in found[0] or ": " in found[0].partition(": ")[2]


def test_given_deadlines_are_promises_that_a_route_may_name(read):
    found = read(ACCOUNTS + '[routes.x]\nnotifiers = ["bo"]\naccounts = ["mk"]\n'
                 'policies = ["given:claim"]\n')  # fmt: skip

    assert [a.notifier for a in told(found, "mk", policy="given:claim:ACT")] == ["log", "bo"]


ASLEEP = PEOPLE.replace("[people.bo]", QUIET + "[people.bo]")
DOUBTS = [
    (PEOPLE + DUTY + ROUTE, ("duty.night: nobody is on duty from Mon 2026-11-23 12:00 to Mon "
     "2026-11-23 18:00 (Europe/Berlin), and 8 more times within 14d; person:bo is told then")),
    (PEOPLE + "[duty.d]\nfallback = 'person:bo'\n" + SHIFT, "duty.d: no route tells it; write"),
    (PEOPLE + "[teams.t]\nmembers = ['bo']\n", "teams.t: no route tells it; write tell ="),
    (PEOPLE + "[ladders.u]\nrungs = [{ after = '1h', tell = ['person:bo'] }]\n",
     "ladders.u: no route climbs it"),
    (PEOPLE + "[routes.x]\ntell = ['person:anna']\naccounts = ['mk']\nlanguages = ['pl']\n",
     "routes.x.languages: nobody whom it tells answers pl; name it under"),
    (ASLEEP + "[routes.x]\ntell = ['person:anna']\nmarketplaces = ['mediamarkt-de']\n",
     ("accounts.mm: a breach waits for the end of quiet hours from Mon 2026-11-23 19:00 to Tue "
     "2026-11-24 06:30 (UTC), and 9 more times within 14d; let it pass for somebody")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "doubt"), DOUBTS)
def test_what_reaches_nobody_at_some_time_is_told(findings, text, doubt):
    (found,) = findings(ACCOUNTS + text)

    assert found.startswith(doubt)


@pytest.mark.parametrize(
    "text",
    [
        ASLEEP.replace('"blind"', '"breach"') + "[routes.x]\ntell = ['person:anna']\n",
        ASLEEP + "[routes.x]\ntell = ['person:anna', 'person:bo']\naccounts = ['mm']\n",
        ASLEEP + "[routes.x]\ntell = ['person:anna']\nnotifiers = ['log']\naccounts = ['mm']\n",
        PEOPLE + "[routes.x]\ntell = ['person:bo']\naccounts = ['mk']\nlanguages = ['pl']\n",
        PEOPLE + "[teams.t]\nmembers = ['bo']\n[duty.d]\nfallback = 'team:t'\n" + SHIFT
        + "[routes.x]\ntell = ['duty:d']\naccounts = ['mk']\n",
    ],
)  # fmt: skip
def test_what_is_well_is_not_told(findings, text):
    assert findings(ACCOUNTS + text) == []


def test_kinds_that_reach_nobody_are_named_with_their_account(findings):
    text = ACCOUNTS.replace("fallback = true", 'fallback = true\nkinds = ["blind", "breach"]')

    (found,) = findings(text)

    assert found.startswith("accounts.mm: nobody is told of warning, corrected, reply_refused")


def test_events_that_name_nobody_are_told_by_their_days(findings, tmp_path):
    (tmp_path / "duty.ics").write_text(EVENT % "Zoe")
    text = '[duty.week]\nfallback = "person:bo"\nics = "duty.ics"\n[routes.x]\n'

    vacant, unnamed = findings(ACCOUNTS + PEOPLE + text + 'tell = ["duty:week"]\naccounts=["mk"]\n',
                               NOW - timedelta(days=1))  # fmt: skip

    assert vacant.startswith("duty.week: nobody is on duty from Sun 2026-11-22 11:00 to Sun")
    assert unnamed.startswith("duty.week.ics: 1 event names nobody of [people] (2026-11-23)")
    assert "Zoe" not in unnamed


def test_a_calendar_file_that_cannot_be_read_ends_no_start_and_is_said(read, tmp_path):
    (tmp_path / "duty.ics").write_text("<html>502 Bad Gateway</html>")
    text = '[duty.week]\nfallback = "person:bo"\nics = "duty.ics"\n[routes.x]\n'

    found = read(ACCOUNTS + PEOPLE + text + 'tell = ["duty:week"]\naccounts=["mk"]\n')

    assert [aim.notifier for aim in told(found, "mk")] == ["log", "bo"]
    (fault,) = reach.unread(found)
    assert fault.startswith("duty.week.ics: is no whole calendar, from BEGIN:VCALENDAR to END")
    (finding,) = reach.findings(found, NOW)
    assert finding == f"{fault}; person:bo is told until it can be read"


def test_a_language_that_arrives_and_nobody_answers_is_told(read):
    text = PEOPLE + "[routes.x]\ntell = ['person:anna']\naccounts = ['mm']\n"
    routing = read(ACCOUNTS + text).routing
    arrived = {"mm": {"pl", "de-AT"}, "mk": {"pl"}}

    (found,) = reach.unspoken(routing, arrived, NOW)

    assert found.startswith("accounts.mm: buyers write in pl, and nobody answers it who is told;")


def test_whoever_is_told_by_people_needs_no_route_that_names_their_notifiers(read):
    found = read(ACCOUNTS + PEOPLE + "[routes.x]\ntell = ['person:bo']\naccounts = ['mk']\n")

    assert not [line for line in checks.findings(found, NOW) if "no route names it" in line]
