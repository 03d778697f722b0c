"""An account's opening hours: which promises count on them, and what a change of them moves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from core import ingest, settings
from core.configuration.accounthours import UNLABELLED, moved
from core.connector import Capabilities
from core.errors import SettingsError
from core.model import Message, Page, Thread
from core.rules import Acknowledging
from core.running import checks, takeover
from core.store import transaction
from sla.calendar import Calendar, Span
from sla.policy import Party
from tests.core.test_settings import ENVIRON, GOOD, NOW, SHOP, contract

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
OWN = replace(contract("shop-own"), role="goal", reply_within=2 * HOUR)
OPEN = GOOD.replace('goals = ["ours-4h"]', 'goals = ["ours-4h", "shop-own"]\ncalendar = "desk"')
FRIDAY = datetime(2026, 12, 25, 8, tzinfo=UTC)
"""Christmas Day, a Friday: a holiday in France."""


@pytest.fixture
def read(tmp_path):
    def read(text=OPEN, *goals):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        specs = {"shop": replace(SHOP, goals=lambda _: goals or (OWN,)), "bare": SHOP}
        return settings.load(path, specs, ENVIRON, sandbox=False, now=NOW)

    return read


@pytest.fixture
def complaints(read):
    def complaints(text, *goals):
        with pytest.raises(SettingsError) as found:
            read(text, *goals)
        return found.value.complaints

    return complaints


def counted(found):
    """By name, on which calendar each promise of the account counts."""
    return {p.name: p.calendar for p in found.accounts["shop-fr"].promises}


def test_the_connectors_own_goal_counts_while_the_account_is_open(read):
    found = read()

    hours = found.accounts["shop-fr"].hours
    assert counted(found)["shop-own@shop-fr"] == hours
    assert hours.add(FRIDAY, 2 * HOUR) == datetime(2026, 12, 28, 10, tzinfo=UTC)
    assert found.accounts["shop-fr"].account.goals == ("ours-4h", "shop-own@shop-fr")


def test_a_contract_is_never_moved(read):
    assert counted(read())["shop-acme"] == Calendar.always()


def test_a_promise_of_the_settings_keeps_the_calendar_that_it_names(read):
    written = OPEN.replace('warn = ["50%", "1h"]\ncalendar = "desk"', 'calendar = "always"')
    in_its_place = written.replace("ours-4h", "shop-own")

    assert counted(read(written))["ours-4h"] == Calendar.always()
    assert counted(read(in_its_place)) == {
        "shop-acme": Calendar.always(), "shop-own": Calendar.always(),
    }  # fmt: skip


def test_without_hours_a_goal_is_as_the_connector_brings_it(read):
    found = read(OPEN.replace('\ncalendar = "desk"\nroutes', "\nroutes"))

    assert counted(found)["shop-own"] == Calendar.always()
    assert found.accounts["shop-fr"].hours is None


def test_two_accounts_may_have_hours_of_their_own(read):
    other = """
[accounts.shop-de]
connector = "shop"
calendar = "always"
[accounts.shop-de.options]
base_url = "https://de.example"
api_key = "env:SHOP_KEY"
"""
    found = read(OPEN + other)

    names = [p.name for p in found.accounts["shop-de"].promises]
    assert names == ["shop-acme", "shop-own@shop-de"]


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('"desk"\nroutes', '"desks"\nroutes',
         "accounts.shop-fr.calendar: there is no calendar of that name; did you mean desk?"),
        (('{ mon-fri = ["09:00-12:30", "13:30-18:00"] }\nholidays = "FR"\n'
         'exceptions = { 2026-12-24 = ["09:00-12:00"], 2026-12-31 = [] }'), "{}",
         "calendars.desk: never opens within two years; give it hours"),
        ('"shop-own"', '"shop-owm"',
         ("accounts.shop-fr.goals: there is no goal in [policies] of that name; did you mean "
         "shop-own?")),
    ],
)  # fmt: skip
def test_what_cannot_be_is_complained_of(complaints, before, after, complaint):
    assert complaints(OPEN.replace(before, after)) == [complaint]


def test_hours_that_do_not_open_for_as_long_as_is_promised_are_a_fault(complaints):
    never = replace(OWN, next_reply_within=99_999 * DAY)

    assert complaints(OPEN, never) == [
        (
            "accounts.shop-fr.calendar: does not open for as long as shop-own promises; "
            "give it more hours"
        )
    ]


def test_hours_that_hardly_open_are_warned_of_with_the_day(read):
    rarely = OPEN.replace("12:30", "09:01").replace(', "13:30-18:00"', "").replace("12:00", "09:01")

    (found,) = [line for line in read(rarely).warnings if line.startswith("accounts.")]
    assert found.startswith("accounts.shop-fr.calendar: hardly opens: 2h that begin now end on")
    assert found.endswith(", as shop-own promises; give it more hours")
    assert read().warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        OPEN.replace('connector = "shop"', 'connector = "bare"').replace(', "shop-own"', ""),
        OPEN.replace(', "shop-own"', ""),
    ],
)
def test_hours_on_which_nothing_counts_are_warned_of(read, text):
    (found,) = [each for each in checks.findings(read(text), NOW) if "moves no deadline" in each]

    assert found.startswith("accounts.shop-fr.calendar: moves no deadline: the account has none")


def test_hours_on_which_something_counts_are_well(read):
    assert not [each for each in checks.findings(read(), NOW) if "calendar" in each]


def test_a_moved_goal_differs_in_name_and_calendar_alone():
    hours = Calendar("Europe/Paris", {0: (Span(time(9), time(17)),)})

    (goal,) = moved([OWN], "a", hours)

    assert replace(goal, name=OWN.name, calendar=OWN.calendar) == OWN
    assert (goal.name, goal.calendar) == ("shop-own@a", hours)


def asked(name, at, thread="T1"):
    message = Message(id=name, thread=thread, party=Party.BUYER, sent_at=at, body="Where?")
    return Page(messages=(message,), threads=(Thread(id=thread, as_of=at),))


@pytest.fixture
def desk(pool, read):
    """Takes settings over, stores questions by them, and tells the clocks of the own goal."""

    class Desk:
        rules = None

        async def reload(self, text, now):
            self.rules = await takeover.take_over(pool, read(text), now)

        async def ask(self, name, at, thread):
            async with transaction(pool) as db:
                await ingest.page(db, self.rules, "shop-fr", asked(name, at, thread), at, None)

        async def due(self):
            rows = await pool.fetch(
                "select started_by, promise, policy_version, due_at from clock"
                " where promise like 'shop-own%' order by started_by, promise"
            )
            return {row["started_by"]: tuple(row)[1:] for row in rows}

    return Desk()


THURSDAY = datetime(2026, 12, 17, 16, 30, tzinfo=UTC)
"""17:30 in Paris: half an hour before the desk closes."""


async def test_a_deadline_is_counted_on_the_hours_with_the_holiday_in_it(desk):
    await desk.reload(OPEN, NOW)

    await desk.ask("M1", datetime(2026, 12, 24, 10, 30, tzinfo=UTC), "T1")

    due = datetime(2026, 12, 28, 9, 30, tzinfo=UTC)
    assert await desk.due() == {"M1": ("shop-own@shop-fr", 1, due)}


async def test_other_hours_are_another_version_and_move_no_clock_that_runs(desk):
    """As any promise that changed: a waiting that began before is due as it was told."""
    await desk.reload(OPEN, NOW)
    await desk.ask("M1", THURSDAY, "T1")
    await desk.reload(OPEN.replace('"13:30-18:00"', '"13:30-22:00"'), THURSDAY + HOUR)
    await desk.ask("M2", THURSDAY + HOUR, "T2")
    await desk.ask("M3", THURSDAY + 2 * HOUR, "T1")

    name, next_day = "shop-own@shop-fr", datetime(2026, 12, 18, 9, 30, tzinfo=UTC)
    assert await desk.due() == {"M1": (name, 1, next_day), "M2": (name, 2, THURSDAY + 3 * HOUR)}


async def test_another_holiday_counts_from_the_reload_on(desk):
    await desk.reload(OPEN.replace('holidays = "FR"\n', ""), NOW)
    await desk.ask("M1", FRIDAY, "T1")
    await desk.reload(OPEN, FRIDAY + HOUR)
    await desk.ask("M2", FRIDAY + HOUR, "T2")

    found = await desk.due()
    assert found["M1"][1:] == (1, FRIDAY + 2 * HOUR)
    assert found["M2"][1:] == (2, datetime(2026, 12, 28, 10, tzinfo=UTC))


async def test_an_account_that_gets_hours_keeps_its_running_clocks_as_they_are(desk):
    without = OPEN.replace('\ncalendar = "desk"\nroutes', "\nroutes")
    await desk.reload(without, NOW)
    await desk.ask("M1", THURSDAY, "T1")
    await desk.reload(OPEN, THURSDAY + HOUR)
    await desk.ask("M2", THURSDAY + HOUR, "T2")

    assert await desk.due() == {
        "M1": ("shop-own", 1, THURSDAY + 2 * HOUR),
        "M2": ("shop-own@shop-fr", 1, datetime(2026, 12, 18, 10, tzinfo=UTC)),
    }


LABELLING = replace(SHOP, can=lambda _: Capabilities(replies=True, labels_automatic=True,
                                                     longest_reply=40))  # fmt: skip
SAYS = """
[accounts.shop-fr.acknowledge]
text = "We have your message."
"""


@pytest.fixture
def acknowledging(tmp_path):
    """Read settings whose connector can label what nobody wrote; what the account sends."""

    def read(text=OPEN + SAYS, spec=LABELLING):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        specs = {"shop": replace(spec, goals=lambda _: (OWN,))}
        return settings.load(path, specs, ENVIRON, sandbox=False, now=NOW)

    return read


def test_an_account_acknowledges_with_the_shops_words_outside_its_hours(acknowledging):
    found = acknowledging().accounts["shop-fr"]

    hours = counted(acknowledging())["shop-own@shop-fr"]
    assert found.acknowledging == Acknowledging(hours, "We have your message.", "Automatic reply")


def test_left_out_nothing_is_sent(acknowledging):
    assert acknowledging(OPEN).accounts["shop-fr"].acknowledging is None


def test_opening_hours_that_only_say_when_to_acknowledge_are_not_idle(acknowledging):
    found = acknowledging(OPEN.replace(', "shop-own"', "") + SAYS)

    assert not [each for each in checks.findings(found, NOW) if "moves no deadline" in each]


def test_an_account_that_never_closes_is_warned_of(acknowledging):
    text = OPEN.replace('"desk"\nroutes', '"always"\nroutes') + SAYS

    assert any("is never sent" in each for each in checks.findings(acknowledging(text), NOW))


PLACE = "accounts.shop-fr.acknowledge"


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('\ncalendar = "desk"\nroutes', "\nroutes", f"{PLACE}: needs the account's opening"),
        ('"We have your message."', '" "', f"{PLACE}.text: is empty; write what the buyer"),
        ('"We have your message."', '"A\\u0007"', f"{PLACE}.text: holds a control character"),
        ('text = "We', 'words = "We', f"{PLACE}.text: is missing; add it"),
        ('message."', f'message. {"x" * 40}"', f"{PLACE}: is longer than a reply may be there; 40"),
        ('message."', 'message."\nsubject = "a\\nb"', f"{PLACE}.subject: is more than a line"),
        ('reply_within = "4h"', 'reply_within = "4h"\ncounts_automatic = true',
         f"{PLACE}: would end the waiting for ours-4h, which counts automatic replies; "),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_with_how_to_mend_it(
    acknowledging, before, after, complaint
):
    text = OPEN + SAYS
    assert before in text

    with pytest.raises(SettingsError) as found:
        acknowledging(text.replace(before, after))

    assert any(each.startswith(complaint) for each in found.value.complaints)


def test_where_nothing_marks_a_reply_as_automatic_it_is_refused(acknowledging):
    with pytest.raises(SettingsError) as found:
        acknowledging(spec=SHOP)

    assert found.value.complaints == [f"{PLACE}: {UNLABELLED}"]


async def test_it_becomes_a_rule(acknowledging, pool):
    rules = await takeover.take_over(pool, acknowledging(), NOW)

    assert rules.acknowledging["shop-fr"].text == "We have your message."
