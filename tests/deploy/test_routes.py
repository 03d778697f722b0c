"""Who is told of what, when, and what is held back: by amtool, and by a real Alertmanager."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from datetime import timedelta

import pytest
import yaml

from core import durations
from tests.deploy import rules, towers
from tests.deploy.towers import Receiver, alertmanager, redirected, wait

pytestmark = pytest.mark.needs("amtool", "prometheus-alertmanager")

ALERTS = rules.alerts()
NAMES = {alert.name for alert in ALERTS}
STEADY = "ReplyByWatchdog"
HERE = {
    "marketplace": "shop", "account": "de", "policy": "answer", "window": "30d",
    "instance": "a:9100", "loop": "watch", "notifier": "chat",
}  # fmt: skip
"""Where all alerts of a test stand, so that each that may hold back another does."""

STALE = {"ReplyByLoopStuck", "ReplyByPollHangs", "ReplyByHeartbeatFailing"}
HELD = {
    "ReplyByMetricsAbsent": NAMES - {STEADY, "ReplyByMetricsAbsent"},
    "ReplyByDatabaseDown": NAMES - {
        STEADY, "ReplyByMetricsAbsent", "ReplyByDatabaseDown", "ReplyByDiskFull",
        "ReplyByDiskFilling", "ReplyByHostClockUnsure", "ReplyByTargetDown", "ReplyByReloadFailed",
        "ReplyByCredentialExpiring", "ReplyByEventLoopSlow", "ReplyByThrottled",
    },
    "ReplyByDatabaseImpaired": {
        "ReplyByLoopStuck", "ReplyByCountsTooOld", "ReplyByContractsUncounted",
        "ReplyByPollQueueLate", "ReplyByHeartbeatFailing",
    },
    "ReplyByTargetDown": STALE | {"ReplyByEventLoopSlow", "ReplyByReloadFailed"},
    "ReplyByHostClockUnsure": STALE | {
        "ReplyByDeadlineImminent", "ReplyByCountsTooOld", "ReplyByContractsUncounted",
        "ReplyByPollQueueLate", "ReplyByPollStale",
    },
    "ReplyByReplyOverdue": {"ReplyByDeadlineImminent"},
    "ReplyByAccountAuthFailed": {
        "ReplyByAccountBlind", "ReplyByPollStale", "ReplyByCredentialExpiring"
    },
    "ReplyByAccountBlind": {"ReplyByPollStale"},
    "ReplyByContractBudgetOverspent": {"ReplyByContractBudgetNearlySpent"},
    "ReplyByDiskFull": {"ReplyByDiskFilling"},
}  # fmt: skip
"""By the alert that fires, what it holds back."""

GONE = {"ReplyByMetricsAbsent", "ReplyByDatabaseDown", "ReplyByTargetDown"}
"""While one of these fires, the series of what it holds back are gone: nothing begins to fire."""

LATE = timedelta(minutes=1)
"""So late at most, after a scrape, a daemon notices a jump and Alertmanager hears of it."""

MUST_BE_HEARD = {
    ("ReplyByHostClockUnsure", "ReplyByReplyOverdue"),
    ("ReplyByHostClockUnsure", "ReplyByAccountBlind"),
    ("ReplyByDatabaseDown", "ReplyByDiskFull"), ("ReplyByDatabaseImpaired", "ReplyByReplyOverdue"),
    ("ReplyByTargetDown", "ReplyByReplyOverdue"), ("ReplyByAccountBlind", "ReplyByReplyOverdue"),
}  # fmt: skip


def labels(name, **other):
    """An alert as Prometheus sends it, everything at one place."""
    (*_, rule) = [alert for alert in ALERTS if alert.name == name]
    return {"alertname": name, **HERE, **rule.labels, **other}


@pytest.fixture(scope="module")
def heard():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def manager(heard, tmp_path_factory):
    with alertmanager(tmp_path_factory.mktemp("alertmanager"), heard) as running:
        yield running


@pytest.fixture
def quiet(manager):
    """An Alertmanager in which nothing fires, before and after."""
    yield manager
    manager.post(*(one["labels"] for one in manager.alerts()), over=True)
    wait(lambda: not manager.alerts())


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(redirected(tmp_path)))
    return path


def amtool(*words):
    run = subprocess.run(["amtool", *words], check=False, capture_output=True, text=True)
    return run.returncode, run.stdout + run.stderr


def test_amtool_takes_the_routes(file):
    status, said = amtool("check-config", str(file))

    assert status == 0, said


def test_no_address_and_no_secret_stands_in_the_file():
    routes = yaml.safe_load(towers.ROUTES.read_text())
    keys = {
        key
        for receiver in routes["receivers"]
        for kind, hooks in receiver.items()
        if kind != "name"
        for hook in hooks
        for key in hook
    }

    assert keys & {"url", "api_url", "routing_key", "service_key", "bot_token"} == set()
    assert "://" not in towers.ROUTES.read_text()


@pytest.mark.parametrize(
    ("receiver", "told"),
    [
        ("deadman", "alertname=ReplyByWatchdog severity=none team=platform"),
        ("on-call", "alertname=ReplyByReplyOverdue severity=critical team=support marketplace=x"),
        ("desk", "alertname=ReplyByDeadlineImminent severity=warning team=support marketplace=x"),
        ("desk", "alertname=ReplyByBreachBudgetBurn severity=warning team=support window=6h"),
        ("on-call", "alertname=ReplyByAccountBlind severity=critical team=platform account=x"),
        ("on-call", "alertname=ReplyByMetricsAbsent severity=critical team=platform"),
        ("channel", "alertname=ReplyByThrottled severity=warning team=platform marketplace=x"),
        ("channel", "alertname=SomebodyElses severity=critical"),
    ],
)
def test_an_alert_reaches_whom_it_concerns(file, receiver, told):
    status, said = amtool(
        "config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receiver}",
        *told.split(),
    )  # fmt: skip

    assert status == 0, said


@pytest.mark.parametrize(
    "alert", ALERTS, ids=lambda alert: f"{alert.name}-{alert.labels['severity']}"
)
def test_every_alert_is_routed_by_its_team_and_how_bad_it_is(file, alert):
    receivers = {"critical": "on-call", "none": "deadman"}
    at_a_desk = {"support": "desk", "platform": "channel"}[alert.labels["team"]]
    receiver = receivers.get(alert.labels["severity"], at_a_desk)
    told = [f"{k}={v}" for k, v in {"alertname": alert.name, **alert.labels}.items()]

    status, said = amtool(
        "config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receiver}", *told
    )

    assert status == 0, said


def test_only_the_desk_has_hours_and_they_are_of_a_place():
    routes = yaml.safe_load(towers.ROUTES.read_text())
    support = next(r for r in routes["route"]["routes"] if r["receiver"] == "desk")
    critical = support["routes"][0]
    (hours,) = routes["time_intervals"]

    assert support["active_time_intervals"] == [hours["name"]]
    assert "active_time_intervals" not in critical
    assert all("location" in interval for interval in hours["time_intervals"])


def held_back(manager, by):
    """The names of the alerts that *by* holds back; None while the manager does not know it."""
    found = {one["labels"]["alertname"]: one for one in manager.alerts()}
    if by not in found:
        return None
    print_ = found[by]["fingerprint"]
    return {name for name, one in found.items() if print_ in one["status"]["inhibitedBy"]}


def settles(manager, by, wanted):
    """Wait until *by* holds back what is wanted, then say what it does."""
    with suppress(towers.TooLong):
        wait(lambda: held_back(manager, by) == wanted, within=5)
    return held_back(manager, by)


@pytest.mark.parametrize("source", HELD)
def test_an_alert_holds_back_what_follows_from_it_and_nothing_else(quiet, source):
    plain = NAMES - set(HELD)
    quiet.post(*(labels(name) for name in sorted(plain | {source})))
    assert settles(quiet, source, HELD[source] & plain) == HELD[source] & plain

    for other in sorted(set(HELD) - {source}):
        quiet.post(labels(other))
        found = wait(lambda name=other: {
            one["labels"]["alertname"]: one["status"]["inhibitedBy"] for one in quiet.alerts()
            if one["labels"]["alertname"] in {name, source}
        })  # fmt: skip
        assert bool(found[other]) == (other in HELD[source]), other
        quiet.post(labels(other), over=True)
        wait(lambda name=other: all(o["labels"]["alertname"] != name for o in quiet.alerts()))


def test_what_a_wrong_clock_makes_look_old_waits_until_that_is_told():
    """By a jump every age is wrong at once: what holds them back has to be there first."""
    spans = {
        alert.name: [durations.parse(alert.spans.get(n, "0s")) for n in ("for", "keep_firing_for")]
        for alert in ALERTS
    }
    waits, goes_on = spans["ReplyByHostClockUnsure"]

    for name in HELD["ReplyByHostClockUnsure"]:
        assert spans[name][0] >= waits + LATE, name
    assert goes_on >= LATE


@pytest.mark.parametrize("source", sorted(HELD.keys() - GONE))
def test_what_holds_another_back_goes_on_for_as_long_as_that_one(source):
    """Else the other would be told when all is well again."""
    spans = {
        alert.name: durations.parse(alert.spans.get("keep_firing_for", "0s")) for alert in ALERTS
    }

    for name in HELD[source]:
        assert spans[source] >= spans[name], name


def test_what_must_be_heard_is_held_back_by_nothing_of_the_kind():
    assert [pair for pair in MUST_BE_HEARD if pair[1] in HELD[pair[0]]] == []


@pytest.mark.parametrize(
    ("source", "target", "elsewhere"),
    [
        ("ReplyByReplyOverdue", "ReplyByDeadlineImminent", {"account": "at"}),
        ("ReplyByAccountAuthFailed", "ReplyByAccountBlind", {"account": "at"}),
        ("ReplyByAccountBlind", "ReplyByPollStale", {"marketplace": "other"}),
        ("ReplyByTargetDown", "ReplyByLoopStuck", {"instance": "b:9100"}),
        ("ReplyByHostClockUnsure", "ReplyByLoopStuck", {"instance": "b:9100"}),
        ("ReplyByDiskFull", "ReplyByDiskFilling", {"instance": "b:9100"}),
        ("ReplyByContractBudgetOverspent", "ReplyByContractBudgetNearlySpent", {"window": "7d"}),
    ],
)
def test_nothing_is_held_back_that_happens_elsewhere(quiet, source, target, elsewhere):
    near = labels(target)
    quiet.post(labels(source), near, labels(target, **elsewhere))

    def found():
        return [one for one in quiet.alerts() if one["labels"]["alertname"] == target]

    wait(lambda: any(one["status"]["inhibitedBy"] for one in found()))
    assert [one["labels"] for one in found() if one["status"]["inhibitedBy"]] == [near]


def test_the_slow_burn_is_held_back_by_the_fast_one_of_the_same_marketplace(quiet):
    burns = [
        labels("ReplyByBreachBudgetBurn", window=window, marketplace=marketplace)
        for window, marketplace in (("6h", "shop"), ("3d", "shop"), ("3d", "other"))
    ]
    quiet.post(*burns)

    def held():
        return [one["labels"] for one in quiet.alerts() if one["status"]["inhibitedBy"]]

    assert wait(held) == [burns[1]]


def accounts(told):
    return {one["labels"]["account"] for one in told.alerts}


def test_who_answers_buyers_hears_once_for_all_accounts_and_what_is_held_back_not(quiet, heard):
    overdue = [
        labels("ReplyByReplyOverdue", marketplace=marketplace, account=account)
        for marketplace, account in (("shop", "de"), ("webstore-mailbox", "mail"))
    ]
    imminent = labels("ReplyByDeadlineImminent", account="de")
    late = labels("ReplyByDeadlineImminent", account="fr")
    quiet.post(*overdue, imminent)
    quiet.post(late)

    paged = heard.until(lambda told: told.place == "on-call" and accounts(told) == {"de", "mail"})
    chat = heard.until(lambda told: told.place == "desk")

    assert paged.names() == {"ReplyByReplyOverdue"}
    assert chat.payload["attachments"][0]["title"] == "1 of ReplyByDeadlineImminent shop"
    quiet.post(*overdue, over=True)
    over = heard.until(lambda told: told.status == "resolved" and "mail" in accounts(told))
    assert (over.place, over.names()) == ("on-call", {"ReplyByReplyOverdue"})


def test_who_runs_the_program_hears_once_for_each_marketplace(quiet, heard):
    failed = [
        labels("ReplyByAccountAuthFailed", marketplace=marketplace, account=account)
        for marketplace, account in (("bay", "es"), ("bay", "fr"), ("mall", "it"))
    ]
    quiet.post(*failed)

    for told in ({"es", "fr"}, {"it"}):
        page = heard.until(lambda found, told=told: accounts(found) == told)
        assert (page.place, page.names()) == ("on-call", {"ReplyByAccountAuthFailed"})


def test_the_watchdog_is_told_again_and_again_to_whoever_waits_for_it(quiet, heard):
    quiet.post(labels(STEADY))

    def beats():
        return [told for told in heard.told() if told.place == "deadman"]

    assert wait(lambda: len(beats()) >= 2)
    assert {told.status for told in beats()} == {"firing"}
