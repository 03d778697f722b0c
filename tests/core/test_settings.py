from __future__ import annotations

import os
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr, field_validator

from core import settings
from core.connector import Capabilities, Options, SandboxSpec, Spec
from core.durations import PositiveDuration
from core.errors import SettingsError
from core.model import NoticeKind, Stream
from core.routing import Subject
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "sup3r-secret-value"


class ShopOptions(Options):
    base_url: str
    api_key: SecretStr
    shop_id: int | None = None
    operator: str = "acme"
    poll_every: PositiveDuration = timedelta(minutes=5)

    @field_validator("base_url")
    @classmethod
    def _web(cls, url: str) -> str:
        if not url.startswith("http"):
            raise ValueError(f"{url} is no address of a page")
        return url


def contract(name: str) -> Policy:
    return Policy(
        name=name,
        version=1,
        role="contract",
        applies_to=frozenset({ThreadKind.MESSAGE}),
        waits_for=frozenset({Party.BUYER}),
        reply_within=timedelta(hours=24),
        calendar=Calendar.always(),
    )


@asynccontextmanager
async def no_sandbox(accounts, clock):
    yield {}


SHOP = Spec(
    name="shop",
    options=ShopOptions,
    policies=lambda o: (contract(f"shop-{o.operator}"),),
    streams=lambda o: (Stream("messages", o.poll_every),),
    open=lambda o, transport: None,
    can=lambda o: Capabilities(),
    marketplace=lambda o: o.operator,
    identity=lambda o: f"{o.base_url.rstrip('/')}#{o.shop_id}",
    budget=lambda o: o.base_url,
    sandbox=SandboxSpec({"base_url": "http://sandbox.invalid", "api_key": "none"}, no_sandbox),
)
SPECS = {"shop": SHOP}

GOOD = """
[accounts.shop-fr]
connector = "shop"
title = "Shop (FR)"
goals = ["ours-4h"]
routes = ["desk"]
[accounts.shop-fr.options]
base_url = "https://shop.example"
api_key = "env:SHOP_KEY"

[policies.ours-4h]
reply_within = "4h"
warn = ["50%", "1h"]
calendar = "desk"

[calendars.desk]
zone = "Europe/Paris"
hours = { mon-fri = ["09:00-12:30", "13:30-18:00"] }
holidays = "FR"
exceptions = { 2026-12-24 = ["09:00-12:00"], 2026-12-31 = [] }

[notifiers.log]
kind = "file"
path = "var/notices.jsonl"

[routes.ops]
notifiers = ["log"]
fallback = true

[routes.desk]
notifiers = ["log"]
kinds = ["warning", "breach"]
"""
ENVIRON = {"SHOP_KEY": KEY}


@pytest.fixture
def read(tmp_path):
    """Reads a settings file of this text."""

    def read(text=GOOD, environ=ENVIRON, *, sandbox=False):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return settings.load(path, SPECS, environ, sandbox=sandbox, now=NOW)

    return read


@pytest.fixture
def complaints(read):
    """What is complained of; no complaint shows the secret."""

    def complaints(text, environ=ENVIRON, *, sandbox=False):
        with pytest.raises(SettingsError) as found:
            read(text, environ, sandbox=sandbox)
        assert KEY not in "\n".join(found.value.complaints)
        return found.value.complaints

    return complaints


@pytest.fixture
def read_with_goals(tmp_path):
    """As `read`, with a connector that has a goal of its own."""

    def read(text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        own = replace(contract("shop-day"), role="goal")
        specs = {"shop": replace(SHOP, goals=lambda _: (own,))}
        return settings.load(path, specs, ENVIRON, sandbox=False, now=NOW)

    return read


@pytest.mark.parametrize(
    ("line", "goals"),
    [("", ("shop-day",)), ("goals = []", ()), ('goals = ["ours-4h"]', ("ours-4h",))],
)
def test_a_connectors_goals_stand_where_the_settings_name_none(read_with_goals, line, goals):
    found = read_with_goals(GOOD.replace('goals = ["ours-4h"]', line))

    account = found.accounts["shop-fr"].account
    assert (account.policies, account.goals) == (("shop-acme",), goals)


def test_a_goal_of_the_same_name_takes_the_connectors_place(read_with_goals):
    found = read_with_goals(GOOD.replace("ours-4h", "shop-day").replace("goals =", "# goals ="))

    (_, goal) = found.accounts["shop-fr"].promises
    assert (goal.name, goal.reply_within) == ("shop-day", timedelta(hours=4))


def test_a_contract_may_not_take_the_place_of_a_connectors_goal(read_with_goals):
    text = GOOD.replace("ours-4h", "shop-day").replace('goals = ["shop-day"]', "")

    with pytest.raises(SettingsError) as found:
        read_with_goals(
            text.replace("[policies.shop-day]", '[policies.shop-day]\nrole = "contract"')
        )
    assert any("shop-day is a contract" in one for one in found.value.complaints)


def test_the_example_of_the_house_is_read(read, tmp_path):
    found = read()
    account = found.accounts["shop-fr"].account

    assert (account.name, account.title, account.marketplace) == ("shop-fr", "Shop (FR)", "acme")
    assert (account.policies, account.goals) == (("shop-acme",), ("ours-4h",))
    assert [p.name for p in found.accounts["shop-fr"].promises] == ["shop-acme", "ours-4h"]
    assert found.accounts["shop-fr"].options.api_key.get_secret_value() == KEY
    assert found.secrets == {KEY}
    assert found.store.embedded
    assert found.state_dir == tmp_path / "var"
    assert (found.ops.host, found.ops.port) == ("127.0.0.1", 9100)
    assert (found.web, found.push) == (None, None)
    assert [a.notifier for a in found.routing.told(Subject(NoticeKind.BREACH, "shop-fr"), NOW)] == [
        "log"
    ]


def test_a_goal_is_built_with_its_calendar(read):
    (policy,) = read().promises["ours-4h"]

    assert policy.role == "goal"
    assert policy.reply_within == timedelta(hours=4)
    assert policy.warn == (0.5, timedelta(hours=1))
    christmas_eve = datetime(2026, 12, 24, 10, tzinfo=UTC)
    due = policy.calendar.add(christmas_eve, timedelta(hours=2))
    assert due == datetime(2026, 12, 28, 9, tzinfo=UTC)
    assert date(2026, 7, 14) in policy.calendar.holidays


def test_nothing_shows_a_secret_by_accident(read):
    assert KEY not in repr(read().accounts["shop-fr"].options)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('title = "Shop (FR)"', 'titel = "x"',
         "accounts.shop-fr.titel: unknown key; did you mean title?"),
        ("[routes.desk]", "[rutes.desk]", "rutes: unknown section; did you mean routes?"),
        ('connector = "shop"', 'connector = "shup"',
         "accounts.shop-fr.connector: there is no connector of that name; did you mean shop?"),
        ('base_url = "https://shop.example"', "",
         "accounts.shop-fr.options.base_url: is missing; add it"),
        ("base_url =", "bas_url =",
         "accounts.shop-fr.options.bas_url: unknown key; did you mean base_url?"),
        ("https://shop.example", "ftp://shop.example",
         "accounts.shop-fr.options.base_url: ... is no address of a page"),
        ('"env:SHOP_KEY"', '"env:OTHER_KEY"',
         "accounts.shop-fr.options.api_key: environment variable OTHER_KEY is not set"),
        ('"env:SHOP_KEY"', f'"{KEY}"',
         ("accounts.shop-fr.options.api_key: a secret stands in the settings themselves; "
         "write env:NAME, file:/path or credential:NAME")),
        ('goals = ["ours-4h"]', 'goals = ["ours-5h"]',
         ("accounts.shop-fr.goals: there is no goal in [policies] of that name; "
         "did you mean ours-4h?")),
        ('goals = ["ours-4h"]', 'policies = ["ours-4h"]',
         ("accounts.shop-fr.policies: ours-4h is a goal; name it under goals, "
         "or give it another role")),
        ('goals = ["ours-4h"]', 'policies = ["shop-acmee"]',
         "accounts.shop-fr.policies: there is no contract of that name; did you mean shop-acme?"),
        ('routes = ["desk"]', 'routes = ["desc"]',
         "accounts.shop-fr.routes: there is no route of that name; did you mean desk?"),
        ('reply_within = "4h"', 'reply_within = "4 hours"',
         ("policies.ours-4h.reply_within: is no duration; "
         "write a number and a unit, such as 24h, 90m, 30s or 2d")),
        ('reply_within = "4h"', "reply_within = 4",
         ("policies.ours-4h.reply_within: is no duration; "
         "write it in quotes with a unit, such as 24h or 90s")),
        ('"50%", "1h"', '"50%", "4h"',
         "policies.ours-4h.warn.1: lies before the waiting begins; write less than reply_within"),
        ('"50%"', '"0%"', "policies.ours-4h.warn.0: lies outside the allowed time; write more"),
        ('"50%"', '"100%"', "policies.ours-4h.warn.0: lies outside the allowed time; write more"),
        ('"50%"', '"150%"', "policies.ours-4h.warn.0: lies outside the allowed time; write more"),
        ('"50%"', '"0h"', "policies.ours-4h.warn.0: is the deadline itself, which is told anyway"),
        ('path = "', 'path = "/no/such/directory/',
         "notifiers.log.path: its directory does not exist; make it, or name another"),
        ('"50%"', '"half"',
         ("policies.ours-4h.warn.0: is no duration; "
         "write a number and a unit, such as 24h, 90m, 30s or 2d")),
        ('calendar = "desk"', 'calendar = "desks"',
         "policies.ours-4h.calendar: there is no calendar of that name; did you mean desk?"),
        ('"Europe/Paris"', '"Europe/Pariss"',
         "calendars.desk.zone: is no known time zone; did you mean Europe/Paris?"),
        ("mon-fri", "mon-fry",
         "calendars.desk.hours.mon-fry: is no day; write mon, or mon-fri (did you mean fri?)"),
        ("mon-fri = [", 'fri = ["10:00-11:00"], mon-fri = [',
         "calendars.desk.hours.mon-fri: names fri a second time; name each day once"),
        ("09:00-12:30", "9-12:30",
         ("calendars.desk.hours.mon-fri: holds no span of the day; "
         'write it as "09:00-12:30"')),
        ('"FR"', '"XX"', "calendars.desk.holidays: is no country that is known; write its"),
        ('"FR"', '"de"',
         "calendars.desk.holidays: is no country that is known; did you mean DE?"),
        ('"FR"', '"de-by"',
         "calendars.desk.holidays: is no country that is known; did you mean DE-BY?"),
        ('"FR"', '"DE-by"',
         "calendars.desk.holidays: is no part of that country; did you mean DE-BY?"),
        ('"FR"', '"Germany"',
         "calendars.desk.holidays: is no country that is known; did you mean DE?"),
        ('"FR"', '"United Kingdom"',
         "calendars.desk.holidays: is no country that is known; did you mean GB?"),
        ('"FR"', '"DE-BX"',
         "calendars.desk.holidays: is no part of that country; "),
        ("2026-12-31 =", "2026-12-32 =",
         "calendars.desk.exceptions.2026-12-32: is no date; write it as 2026-12-31"),
        ("2026-12-31 =", "20261231 =",
         ('calendars.desk.exceptions.20261231: is no date; write it as 2026-12-31 = '
          '["09:00-12:00"], the year first')),
        ('kind = "file"', 'kind = "fil"',
         "notifiers.log.kind: there is no kind of notifier of that name; did you mean file?"),
        ('notifiers = ["log"]\nfallback', 'notifiers = ["lgo"]\nfallback',
         "routes.ops.notifiers: there is no notifier of that name; did you mean log?"),
        ("fallback = true", "",
         ("routes: no route takes what no other route takes; "
         "give one of them fallback = true")),
        ("fallback = true", "fallback = 7",
         "routes.ops.fallback: is no yes or no; write true or false"),
        ('"breach"]', '"breech"]', "routes.desk.kinds.1: is none of the allowed words; write "),
        ("[accounts.shop-fr]", "[accounts.Shop_FR]",
         ("accounts.Shop_FR: is no name; "
         "use small letters, digits, dots and dashes, 63 at most")),
        ('reply_within = "4h"', 'reply_within = "4h"\nrole = "gaol"',
         "policies.ours-4h.role: is none of the allowed words; write 'contract' or 'goal'"),
    ],
)  # fmt: skip
def test_each_fault_is_told_by_its_path_with_the_way_to_mend_it(complaints, old, new, complaint):
    assert old in GOOD

    found = complaints(GOOD.replace(old, new))

    assert any(line.startswith(complaint) for line in found), found


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[ops]\nlisten = "9100"', "ops.listen: is no address; write host:port"),
        ('[ops]\nlisten = "127.0.0.1:99999"', "ops.listen: is no address"),
        ('[web]\npublic_url = "example.com"', "web.public_url: is no address of a page"),
        ('[push]\nlisten = "127.0.0.1:9100"',
         "push.listen: is the address of [ops] too; give it a port of its own"),
        ('[log]\nlevel = "loud"', "log.level: is none of the allowed words; write 'debug'"),
        ('[metrics]\naccount_label = "some"', "metrics.account_label: is none of the allowed"),
        ("[poll]\nslots = 0", "poll.slots: is too small; write 1 or more"),
        ("[poll]\nslots = 257", "poll.slots: is too large; write 256 or less"),
        ("[poll]\nslots = true", "poll.slots: is no whole number; write it without quotes"),
        ('[poll]\nslots = "4"', "poll.slots: is no whole number; write it without quotes"),
        ('[poll]\nslots = "many"', "poll.slots: is no whole number; write it without quotes"),
        ('[store]\nstate_dir = ""', 'store.state_dir: is empty; name a directory, such as "var"'),
        ("[store]\nstate_dir = 5", "store.state_dir: is no path; put it in quotes"),
        ('[web]\npublic_url = "https://op erator.example"', "web.public_url: is no address of a"),
        ('[store]\ndsn = "postgresql://me:pw@db/x"',
         ("store.dsn: an address of a database holds a password; "
         'write "embedded" or "env:NAME"')),
        ('[store]\ndsn = "env:NO_DSN"', "store.dsn: environment variable NO_DSN is not set"),
        ('[store]\ndsn = "env:SHOP_KEY"',
         "store.dsn: is no address of PostgreSQL; it begins with postgresql://"),
        ('[store]\nstate = "x"', "store.state: unknown key; did you mean state_dir?"),
        ("[accounts]\nx = 5", "accounts.x: is no table; write [accounts.x]"),
        ('[calendars.shut]\nzone = "UTC"\nhours = {}',
         "calendars.shut: never opens within two years; give it hours"),
        ("[calendars.always]\nzone = 'UTC'", "calendars.always: means round the clock already"),
    ],
)  # fmt: skip
def test_each_fault_of_a_plain_section_is_told(complaints, text, complaint):
    found = complaints(text + "\n" + GOOD)

    assert any(line.startswith(complaint) for line in found), found


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://me:{KEY}#1@db/x",
        f"postgresql://me:{KEY}@db:port/x",
        f"postgresql://me:{KEY}@x@db:5432:1/x",
        f"postgresql://me:1/{KEY}@db/x",
        f"mysql://me:{KEY}@db/x",
        f"postgresql://me:{KEY}@[::1/x",
    ],
)
def test_a_malformed_address_of_a_database_is_told_without_its_password(complaints, dsn):
    (found,) = complaints('[store]\ndsn = "env:DSN"\n' + GOOD, ENVIRON | {"DSN": dsn})

    assert found.startswith("store.dsn: is no address of PostgreSQL; ")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:pw@db:5432/x",
        "postgres:///x?host=/run/postgresql",
        "postgresql://me:p%23w@[::1]:5432/x?sslmode=require",
        "postgresql://me@one:5432,two:5432/x",
    ],
)
def test_every_usual_address_of_a_database_is_taken(read, dsn):
    text = '[store]\ndsn = "env:DSN"\n' + GOOD

    found = read(text, ENVIRON | {"DSN": dsn})

    assert found.store.dsn.get_secret_value() == dsn
    assert dsn in found.secrets


def test_all_faults_are_told_at_once(complaints):
    text = (
        GOOD.replace('"Europe/Paris"', '"Europe/Pariss"')
        .replace('title = "Shop (FR)"', 'titel = "x"')
        .replace('"env:SHOP_KEY"', '"env:NOT_SET"')
        .replace('kind = "file"', 'kind = "fil"')
        .replace('["50%", "1h"]', '["x"]')
    )

    paths = {line.partition(":")[0] for line in complaints(text)}

    assert paths == {
        "calendars.desk.zone",
        "accounts.shop-fr.titel",
        "accounts.shop-fr.options.api_key",
        "policies.ours-4h.warn.0",
        "notifiers.log.kind",
    }


def test_a_long_list_of_what_is_known_is_cut(complaints):
    (found,) = complaints(GOOD.replace('"FR"', '"XX"'))

    assert len(found) < 120


def test_a_warning_before_a_later_replys_shorter_time_is_taken(read):
    text = GOOD.replace('reply_within = "4h"', 'reply_within = "4h"\nnext_reply_within = "30m"')

    assert read(text).promises["ours-4h"][0].warn == (0.5, timedelta(hours=1))


def test_a_directory_is_no_file_for_notices(complaints, tmp_path):
    (tmp_path / "there").mkdir()
    path = next(line for line in GOOD.splitlines() if line.startswith("path = "))

    (found,) = complaints(GOOD.replace(path, 'path = "there"'))

    assert found == "notifiers.log.path: is a directory; name a file in it"


def test_spans_that_overlap_are_warned_of(read):
    spans = GOOD.replace("09:00-12:30", '09:00-14:00", "22:00-23:00')

    (warning,) = read(spans).warnings

    assert warning == (
        "calendars.desk.hours.mon-fri: its spans overlap; they count as one, so write one"
    )
    assert read().warnings == ()


def test_variables_that_override_nothing_are_warned_of(read):
    more = {
        "REPLYBY_OPS_LISTEN": "127.0.0.1:1",
        "REPLYBY_QUITE_OTHER_THINGS": "x",
        "REPLYBY_SETTINGS": "s",
        "REPLYBY_DEBUG": "1",
        "REPLYBY_REVISION": "92b939b",
        "REPLYBY_FOO": "1",
        "REPLYBY_KEY": KEY,
        "REPLYBY_LOG__LEVEL": "debug",
    }

    found = read(GOOD.replace("env:SHOP_KEY", "env:REPLYBY_KEY"), more).warnings

    how = "write section, two underscores, key, as in REPLYBY_OPS__LISTEN"
    assert [line.removeprefix("environment variable ") for line in found] == [
        f"REPLYBY_FOO: overrides nothing; {how}",
        "REPLYBY_OPS_LISTEN: overrides nothing; did you mean REPLYBY_OPS__LISTEN?",
        f"REPLYBY_QUITE_OTHER_THINGS: overrides nothing; {how}",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({'title = "Shop (FR)"': 'titel = "x"', '"env:SHOP_KEY"': f'"{KEY}"'},
         {"accounts.shop-fr.titel", "accounts.shop-fr.options.api_key"}),
        ({'connector = "shop"': 'connector = "shpo"', '"env:SHOP_KEY"': f'"{KEY}"'},
         {"accounts.shop-fr.connector", "accounts.shop-fr.options.api_key"}),
        ({'title = "Shop (FR)"': "sandbox = true", '"env:SHOP_KEY"': f'"{KEY}"'},
         {"accounts.shop-fr.sandbox", "accounts.shop-fr.options.api_key"}),
        ({'title = "Shop (FR)"': "title = 5", 'routes = ["desk"]': 'routes = ["desc"]',
          "https://shop.example": "ftp://shop.example"},
         {"accounts.shop-fr.title", "accounts.shop-fr.routes",
          "accounts.shop-fr.options.base_url"}),
        ({'"Europe/Paris"': '"Europe/Pariss"', "09:00-12:30": "9-12:30", '"FR"': '"XX"',
          "2026-12-31 =": "2026-12-32 ="},
         {"calendars.desk.zone", "calendars.desk.hours.mon-fri", "calendars.desk.holidays",
          "calendars.desk.exceptions.2026-12-32"}),
        ({'reply_within = "4h"': 'reply_within = "4 hours"\nrole = "gaol"',
          'calendar = "desk"': 'calendar = "desks"'},
         {"policies.ours-4h.reply_within", "policies.ours-4h.role", "policies.ours-4h.calendar"}),
        ({'"breach"]': '"breech"]', 'notifiers = ["log"]\nkinds': 'notifiers = ["lgo"]\nkinds',
          "fallback = true": ""},
         {"routes.desk.kinds.1", "routes.desk.notifiers", "routes"}),
        ({'kind = "file"': f'kind = "webhok"\nsecret = "{KEY}"'},
         {"notifiers.log.kind", "notifiers.log.secret"}),
        ({'kind = "file"': 'kind = "email"\nhost = "h"\nfrom = "a@b.example"\n'
          'to = ["a@b.example"]\nuser = "me"'},
         {"notifiers.log.path", "notifiers.log"}),
    ],
)  # fmt: skip
def test_no_fault_hides_another(complaints, changes, expected):
    text = GOOD
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)

    assert {line.partition(":")[0] for line in complaints(text)} == expected


def test_a_faulty_account_hides_no_fault_of_its_neighbour(complaints):
    other = """
[accounts.shop-de]
connector = "shop"
[accounts.shop-de.options]
base_url = "https://de.example"
api_key = "env:DE_KEY"
"""
    paths = {
        line.partition(":")[0]
        for line in complaints(GOOD.replace('"env:SHOP_KEY"', '"env:NOT_SET"') + other)
    }

    assert "accounts.shop-fr.options.api_key" in paths
    assert "accounts.shop-de.options.api_key" in paths


def test_a_date_with_the_day_first_is_told_once(complaints):
    """TOML takes it for a table of a table."""
    found = complaints(GOOD.replace("2026-12-31 = []", "31.12.2026 = []"))

    assert found == [
        (
            "calendars.desk.exceptions.31: is no date; "
            'write it as 2026-12-31 = ["09:00-12:00"], the year first'
        )
    ]


@pytest.mark.parametrize(
    ("promised", "hours", "is_told"),
    [
        ("4h", '["09:00-09:01"]', True),
        ("4h", '["09:00-12:30", "13:30-18:00"]', False),
        ("60d", '["00:00-24:00"]', False),
        ("90d", '["00:00-24:00"]', False),
    ],
)
def test_a_calendar_that_hardly_opens_is_warned_of_with_the_day(read, promised, hours, is_told):
    text = GOOD.replace('["09:00-12:30", "13:30-18:00"]', hours)

    found = read(text.replace('reply_within = "4h"', f'reply_within = "{promised}"')).warnings

    assert [re.sub(r"20\d\d-\d\d-\d\d$", "DAY", line.partition(";")[0]) for line in found] == [
        "policies.ours-4h.reply_within: its calendar hardly opens: 4h that begin now end on DAY"
    ] * is_told


ONE_DAY = """
[calendars.one-day]
zone = "UTC"
hours = {}
exceptions = { 2026-12-24 = ["09:00-12:00"] }
"""


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ('reply_within = "99999d"', "reply_within"),
        ('reply_within = "4h"\nnext_reply_within = "99999d"', "next_reply_within"),
    ],
)
def test_a_time_that_the_calendar_never_opens_for_is_refused(complaints, written, key):
    [line] = complaints(GOOD.replace('reply_within = "4h"', written))

    assert line.startswith(f"policies.ours-4h.{key}: its calendar does not open for that long")


def test_a_calendar_of_exceptions_alone_carries_what_fits_into_them(complaints, read):
    few = GOOD.replace('calendar = "desk"', 'calendar = "one-day"') + ONE_DAY

    [line] = complaints(few)
    assert line.startswith("policies.ours-4h.reply_within: ")
    read(few.replace('"4h"', '"3h"'))


def test_a_version_whose_time_is_over_needs_no_calendar_that_opens(read):
    over = 'reply_within = "4h"\neffective_to = 2026-01-01T00:00:00Z'
    few = GOOD.replace('calendar = "desk"', 'calendar = "one-day"') + ONE_DAY

    read(few.replace('reply_within = "4h"', over))


def test_a_faulty_calendar_is_no_unknown_calendar(complaints):
    found = complaints(GOOD.replace('"Europe/Paris"', '"Europe/Pariss"'))

    assert [line.partition(":")[0] for line in found] == ["calendars.desk.zone"]


TWIN = """
[accounts.twin]
connector = "shop"
[accounts.twin.options]
base_url = "https://shop.example/"
api_key = "env:SHOP_KEY"
shop_id = {shop}
"""


OF_A_SHOP = """
[accounts.{name}]
connector = "shop"
shop = "main"
{seller}
[accounts.{name}.options]
base_url = "https://{name}.example/"
api_key = "env:SHOP_KEY"
"""


@pytest.mark.parametrize("sellers", [("x", "x"), ("x", "y"), ("", "")])
def test_accounts_of_one_shop_name_the_seller_or_none_does(read, sellers):
    said = [seller and f'seller = "{seller}"' for seller in sellers]
    one, other = (OF_A_SHOP.format(name=n, seller=s) for n, s in zip("ab", said, strict=True))

    found = read(GOOD + one + other).accounts
    assert [(found[n].account.shop, found[n].account.seller) for n in "ab"] == [
        ("main", seller or None) for seller in sellers
    ]


def test_a_shop_that_is_a_sellers_in_one_account_only_is_a_fault(complaints):
    named = OF_A_SHOP.format(name="a", seller='seller = "x"')
    unnamed = OF_A_SHOP.format(name="b", seller="")
    fault = (
        "shop main is x's in accounts.a, and no seller's in accounts.b; name the seller in both, "
        "or call one shop otherwise"
    )

    assert complaints(GOOD + named + unnamed) == [f"accounts.b.shop: {fault}"]
    assert complaints(GOOD + unnamed + named) == [f"accounts.a.shop: {fault}"]


def test_the_same_shop_at_the_same_address_is_read_once(complaints, read):
    found = complaints(
        GOOD.replace('api_key = "env:SHOP_KEY"', 'api_key = "env:SHOP_KEY"\nshop_id = 7')
        + TWIN.format(shop=7)
    )

    assert found == [
        "accounts.twin: reads the same shop at the same address as accounts.shop-fr; remove one"
    ]
    assert set(read(GOOD + TWIN.format(shop=8)).accounts) == {"shop-fr", "twin"}


SANDBOX = """
[accounts.play]
connector = "shop"
sandbox = true
[accounts.play-two]
connector = "shop"
sandbox = true
"""


def test_a_sandbox_account_is_refused_without_sandbox(complaints, read):
    found = complaints(GOOD + SANDBOX)

    assert found[0] == (
        "accounts.play.sandbox: needs the marketplace's stand-in; "
        "give this command --sandbox, or remove the account"
    )
    assert read(GOOD + SANDBOX, sandbox=True).accounts["play"].account.sandbox


def test_two_sandbox_accounts_are_not_yet_the_same_shop(read):
    accounts = read(GOOD + SANDBOX, sandbox=True).accounts

    assert accounts["play"].account.identity == accounts["play-two"].account.identity


VERSIONS = """
[policies.peak]
calendar = "desk"
reply_within = "8h"
[[policies.peak.versions]]
effective_to = {end}
[[policies.peak.versions]]
effective_from = 2026-12-01T00:00:00Z
reply_within = "2h"
"""


def test_seasons_are_versions_with_dates(read):
    found = read(GOOD + VERSIONS.format(end="2026-12-01T00:00:00Z")).promises["peak"]

    assert [(p.version, p.reply_within.total_seconds() / 3600) for p in found] == [(1, 8), (2, 2)]


@pytest.mark.parametrize("end", ["2026-12-02T00:00:00Z", "2026-12-01T00:00:01Z"])
def test_versions_whose_dates_overlap_are_refused(complaints, end):
    (found,) = complaints(GOOD + VERSIONS.format(end=end))

    assert found.startswith("policies.peak.versions: their dates overlap")


def test_a_version_that_ends_before_it_begins_is_refused(complaints):
    text = GOOD.replace(
        'reply_within = "4h"',
        'reply_within = "4h"\neffective_from = 2026-12-02T00:00:00Z\n'
        "effective_to = 2026-12-01T00:00:00Z",
    )

    (found,) = complaints(text)

    assert found.startswith("policies.ours-4h.effective_to: is not after effective_from")


def test_an_instant_without_a_zone_is_refused(complaints):
    (found,) = complaints(GOOD + VERSIONS.format(end="2026-12-01T00:00:00"))

    assert found.startswith("policies.peak.versions.0.effective_to: has no zone")


def test_a_contract_of_the_settings_replaces_the_connectors(read):
    text = GOOD + '\n[policies.shop-acme]\nrole = "contract"\nreply_within = "12h"\n'

    found = read(text).accounts["shop-fr"]

    assert [p.reply_within for p in found.promises if p.name == "shop-acme"] == [
        timedelta(hours=12)
    ]
    assert found.account.policies == ("shop-acme",)


def test_the_environment_overrides_the_file(read):
    found = read(
        environ=ENVIRON
        | {
            "REPLYBY_OPS__LISTEN": "127.0.0.1:9200",
            "REPLYBY_ACCOUNTS__SHOP_FR__TITLE": "2024",
            "REPLYBY_ACCOUNTS__SHOP_FR__OPTIONS__POLL_EVERY": "2m",
            "REPLYBY_ROUTES__DESK__KINDS": '["blind"]',
            "REPLYBY_LOG__LEVEL": "debug",
            "REPLYBY_SETTINGS": "elsewhere",
            "REPLYBYX_OPS__LISTEN": "nonsense",
        }
    )

    assert found.ops.port == 9200
    assert found.accounts["shop-fr"].account.title == "2024"
    assert found.accounts["shop-fr"].streams[0].every == timedelta(minutes=2)
    assert found.routing.routes["desk"].kinds == {NoticeKind.BLIND}
    assert found.log.level == "debug"


def test_an_override_of_an_unknown_key_is_refused(complaints):
    (found,) = complaints(GOOD, ENVIRON | {"REPLYBY_OPS__LISTN": "127.0.0.1:1"})

    assert found == "ops.listn: unknown key; did you mean listen?"


def test_a_secret_in_the_environment_override_is_a_reference_too(complaints):
    (found,) = complaints(GOOD, ENVIRON | {"REPLYBY_ACCOUNTS__SHOP_FR__OPTIONS__API_KEY": KEY})

    assert found.startswith("accounts.shop-fr.options.api_key: a secret stands in the settings")


def test_a_secret_file_is_read_without_its_last_newline(read, tmp_path):
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "key").chmod(0o600)

    found = read(GOOD.replace("env:SHOP_KEY", "file:key"))

    assert found.accounts["shop-fr"].options.api_key.get_secret_value() == KEY
    assert found.warnings == ()


def test_a_secret_file_that_everybody_can_read_is_warned_of(read, tmp_path):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o644)

    (warning,) = read(GOOD.replace("env:SHOP_KEY", "file:key")).warnings

    assert warning.startswith("accounts.shop-fr.options.api_key: secret file ")
    assert KEY not in warning


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "cannot be read (it is no UTF-8 text)"),
        (b"x" * 70_000, "cannot be read (it is over 64 KiB)"),
    ],
)
def test_a_secret_file_without_a_usable_secret_is_a_fault(complaints, tmp_path, content, fault):
    if content is not None:
        (tmp_path / "key").write_bytes(content)

    (found,) = complaints(GOOD.replace("env:SHOP_KEY", "file:key"))

    assert fault in found


@pytest.mark.parametrize(
    ("text", "fault"), [("a =", "is no TOML"), ("\x00", "is no TOML"), ("a = 1\na = 2", "no TOML")]
)
def test_a_file_that_is_no_toml_is_told_with_the_line(complaints, text, fault):
    (found,) = complaints(text)

    assert fault in found
    assert "line" in found


def test_a_table_that_stands_there_twice_is_told_in_plain_words(complaints):
    (found,) = complaints('[ops]\n[accounts.one]\ntitle = "x"\n[accounts.one]\n')

    assert found.endswith(
        "settings.toml: [accounts.one] stands there a second time (line 4); make one of the two"
    )


def test_a_byte_order_mark_is_no_part_of_the_file(read):
    assert read("\ufeff" + GOOD.lstrip()).ops.port == 9100


def test_each_warning_that_does_not_fit_is_told(complaints):
    found = complaints(GOOD.replace('["50%", "1h"]', '["150%", "5h", "half"]'))

    assert [line.partition(":")[0] for line in found] == [
        f"policies.ours-4h.warn.{number}" for number in (0, 2, 1)
    ]


def test_numbers_in_quotes_are_refused_as_far_as_tables_go(complaints):
    judged = 'judged_by = [{ measure = "share", windows = ["7d"], objective = "0.9" }]'
    text = GOOD.replace('reply_within = "4h"', f'reply_within = "4h"\n{judged}')
    option = 'api_key = "env:SHOP_KEY"'

    found = complaints(text.replace(option, f'{option}\nshop_id = "7"'))

    assert found == [
        "policies.ours-4h.judged_by.0.objective: is no number; write it without quotes",
        "accounts.shop-fr.options.shop_id: is no whole number; write it without quotes",
    ]


def test_a_number_is_text_in_the_environment(read):
    more = {"REPLYBY_POLL__SLOTS": "7", "REPLYBY_ROUTES__DESK__FALLBACK": "true"}

    found = read(environ=ENVIRON | more)

    assert (found.poll.slots, found.routing.routes["desk"].fallback) == (7, True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[breach]", "is no JSON; put each text in double quotes, such as"),
        ("breach", "is no list; write it in brackets, such as"),
    ],
)
def test_a_list_of_the_environment_that_is_no_json_is_told(complaints, text, fault):
    (found,) = complaints(GOOD, ENVIRON | {"REPLYBY_ROUTES__DESK__KINDS": text})

    assert found.startswith(f"routes.desk.kinds: {fault}")


@pytest.mark.parametrize("secret", ["short", "use", "too", "bytes"])
def test_our_own_words_are_the_same_whatever_was_written(complaints, secret):
    """What is missing from a known sentence is what was written."""
    hook = '[notifiers.hook]\nkind = "webhook"\nurl = "env:HOOK"\nsecret = "env:SECRET"\n'

    found = complaints(GOOD + hook, ENVIRON | {"HOOK": "https://x.example", "SECRET": secret})

    assert found == ["notifiers.hook.secret: is too short; use at least 16 random bytes"]


@pytest.mark.parametrize(
    ("url", "said"),
    [("page", "... is no address of a ..."), ("add", "... is no address of a page")],
)
def test_what_a_foreign_check_quotes_is_taken_out_as_a_word_of_its_own(complaints, url, said):
    """The check of this file's own connector quotes the value, as a foreign one may."""
    (found,) = complaints(GOOD.replace("https://shop.example", url))

    assert found == f"accounts.shop-fr.options.base_url: {said}"


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SettingsError, match="no such file; name it with --settings"):
        settings.load(tmp_path / "none.toml", SPECS, {}, sandbox=False, now=NOW)


def test_a_file_with_broken_bytes_is_told(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"# one\n# tw\xff\n")

    with pytest.raises(SettingsError, match="line 2 is no UTF-8; save the file in that encoding"):
        settings.load(path, SPECS, os.environ, sandbox=False, now=NOW)
