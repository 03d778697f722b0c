"""The rules are valid, ask for what there is, and each alert is shown to fire, and to be silent."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from datetime import timedelta

import click
import pytest
import yaml

from core import durations
from core.cli import main
from tests.deploy import rules
from tests.deploy.expressions import complaints, metrics, shape

ALERTS = rules.alerts()
NAMES = sorted({alert.name for alert in ALERTS})
KNOWN = rules.known()
RUNBOOK = rules.ROOT / "docs" / "runbook.md"
STEADY = "ReplyByWatchdog"
KEPT, AUTH = "keep_firing_for", "AccountAuthFailed"
RESTART = timedelta(minutes=2)
COUNTS_ANEW = {"ReplyByCountsTooOld", "ReplyByContractsUncounted"}
"""What a daemon counts at its start: a restart is what mends it."""


def told_by_all(expression):
    """Whether every daemon tells the same: it is of the database, or of the settings."""
    named = metrics(expression)
    made = rules.recordings()
    return bool(named) and all(
        told_by_all(made[name]) if name in made else KNOWN[name].everywhere for name in named
    )


LASTING = [a for a in ALERTS if a.name not in COUNTS_ANEW and told_by_all(a.expression)]


def promtool(*words):
    run = subprocess.run(
        ["promtool", *words], cwd=rules.FOLDER, check=False, capture_output=True, text=True
    )
    return run.returncode, run.stdout + run.stderr


@pytest.mark.needs("promtool")
def test_promtool_takes_the_configuration_and_finds_nothing_in_the_rules():
    for words in (
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "--lint=all", "--lint-fatal", "recording.yml", "alerts.yml"),
    ):
        status, said = promtool(*words)
        assert status == 0, said


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", rules.TESTS, ids=lambda path: path.stem)
def test_the_rules_do_what_their_tests_say(path):
    status, said = promtool("test", "rules", str(path))

    assert status == 0, said


def test_each_alert_is_shown_to_fire_to_be_silent_before_and_to_resolve():
    seen = defaultdict(set)
    for _, expected in rules.tests():
        fired = set()
        for one in sorted(expected, key=lambda e: at(e["eval_time"])):
            name = one["alertname"]
            if one["exp_alerts"]:
                fired.add(name)
                seen[name].add("fires")
            else:
                seen[name].add("resolves" if name in fired else "silent")
    wanted = {name: {"fires", "silent", "resolves"} for name in NAMES}

    assert {**seen} == wanted | {STEADY: {"fires"}}


def at(text):
    (count, unit), *_ = re.findall(r"(\d+)([hm])", text)
    return timedelta(minutes=int(count) * (60 if unit == "h" else 1))


def test_each_firing_that_is_expected_says_all_that_it_tells():
    for group, expected in rules.tests():
        for one in expected:
            for alert in one["exp_alerts"]:
                assert set(alert["exp_annotations"]) == {"summary", "runbook"}, group


def test_each_file_of_tests_evaluates_the_groups_in_their_order():
    groups = [
        group["name"]
        for name in ("recording.yml", "alerts.yml")
        for group in yaml.safe_load((rules.FOLDER / name).read_text())["groups"]
    ]
    for path in rules.TESTS:
        assert yaml.safe_load(path.read_text())["group_eval_order"] == groups, path.name


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_alert_asks_for_what_there_is_and_shows_labels_that_are_left(alert):
    shown = alert.shows() - alert.labels.keys()

    assert complaints(alert.expression, KNOWN, shown=shown) == []
    for asked in alert.asks():
        assert complaints(asked, KNOWN) == [], asked


@pytest.mark.parametrize(("name", "expression"), rules.recordings().items(), ids=lambda one: one)
def test_each_recording_asks_for_what_there_is_and_is_named_by_what_is_left(name, expression):
    level, _, _ = name.partition(":")

    assert complaints(expression, KNOWN) == []
    assert shape(expression, KNOWN).labels == frozenset(level.split("_"))


def test_every_recording_is_asked_for():
    asked = {name for alert in ALERTS for name in metrics(alert.expression)}
    asked |= {name for e in rules.recordings().values() for name in metrics(e)}

    assert set(rules.recordings()) - asked == set()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_alert_says_what_where_to_read_on_how_bad_and_to_whom(alert):
    anchor = alert.name.lower()

    assert alert.name.startswith("ReplyBy")
    assert alert.annotations["runbook"] == ("{{ $externalLabels.docs }}docs/runbook.md#" + anchor)
    assert alert.labels["severity"] in {"critical", "warning", "none"}
    assert alert.labels["team"] in {"support", "platform"}
    assert set(alert.annotations) == {"summary", "runbook"}


def test_each_alert_has_its_heading_in_the_runbook_and_each_heading_its_alert():
    part = RUNBOOK.read_text().partition("\n## Alerts\n")[2].split("\n## ")[0]

    assert sorted(re.findall(r"^### (\w+)$", part, re.MULTILINE)) == NAMES


def test_each_command_and_each_place_that_the_alerts_part_names_is_there():
    page = RUNBOOK.read_text()
    part = page.partition("\n## Alerts\n")[2].split("\n## ")[0]
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)

    for words in re.findall(r"`replyby ((?:[^`\n]|\n)+)`", part):
        command, context = main, click.Context(main)
        for word in words.split():
            if isinstance(command, click.Group):
                command = command.get_command(context, word)
                assert command is not None, words
            elif word.startswith("--"):
                assert word in {o for p in command.params for o in p.opts}, words
    for anchor in re.findall(r"\]\(#([^)]+)\)", part):
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


def test_each_expression_of_the_alerts_part_asks_for_what_there_is():
    part = RUNBOOK.read_text().partition("\n## Alerts\n")[2].split("\n## ")[0]
    spans = [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", part)]

    for asked in spans:
        if re.search(r"\breplyby_|:replyby_", asked) and not re.fullmatch(r"\w+", asked):
            assert complaints(asked.replace('"..."', '"x"'), KNOWN) == [], asked
        elif asked.startswith("replyby_"):
            assert asked in KNOWN, asked


def test_no_two_alerts_of_one_name_are_the_same_to_whoever_is_told():
    keys = [(alert.name, *sorted(alert.labels.items())) for alert in ALERTS]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("alert", LASTING, ids=lambda alert: alert.name)
def test_what_stays_true_while_the_one_daemon_is_restarted_goes_on_to_be_told(alert):
    """It is gone for some scrapes; what is kept meanwhile does not wait anew."""
    assert durations.parse(alert.spans.get(KEPT, "0s")) > RESTART


def test_what_is_held_back_is_over_before_what_holds_it_back():
    """Else it is told when all is well again."""
    kept = {alert.name: durations.parse(alert.spans.get(KEPT, "0s")) for alert in ALERTS}
    stale, blind, refused = (kept[f"ReplyBy{n}"] for n in ("PollStale", "AccountBlind", AUTH))

    assert stale < blind < refused


def test_an_alert_of_what_all_tell_alike_is_known_from_one_of_a_process():
    lasting = {alert.name for alert in LASTING}

    assert lasting >= {"ReplyByReplyOverdue", "ReplyByAccountBlind", "ReplyByOutboxStuck"}
    assert not lasting & {"ReplyByLoopStuck", "ReplyByTargetDown", "ReplyByMetricsAbsent", STEADY}


def test_no_span_is_shorter_than_two_looks():
    for alert in ALERTS:
        for span in alert.spans.values():
            assert durations.parse(span) >= timedelta(seconds=30), alert.name
