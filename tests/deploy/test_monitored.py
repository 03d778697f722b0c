"""A Prometheus and an Alertmanager of one's own, by the word of docs/deployment.md.

Its commands and its configuration as they stand there, held against the distribution's programs.
"""

from __future__ import annotations

import getpass
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy import rules, towers

PAGE = rules.ROOT / "docs" / "deployment.md"
SECTION = re.search(
    r"(?ms)^## A Prometheus that is there already$(.*?)^## ", PAGE.read_text(encoding="utf-8")
)[1]
PLACE = "/etc/prometheus"
ADDRESS = "https://pager.example/hook"
RECEIVERS = {"deadman", "on-call", "desk", "channel"}
OTHERS = {"receiver": "theirs", "group_by": ["cluster"]}


def blocks(language, place):
    """The blocks of the section, about *place* and its owner instead."""
    found = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", SECTION)
    return [
        text.replace(PLACE, str(place)).replace("-o prometheus", f"-o {getpass.getuser()}")
        for text in found
    ]


def run(*words, given=None):
    done = subprocess.run(
        words, cwd=rules.ROOT, input=given, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def place(tmp_path):
    """What stands below /etc/prometheus once the first commands ran."""
    (tmp_path / "etc").mkdir()
    status, said = run("sh", "-euc", blocks("sh", tmp_path / "etc")[0], given=ADDRESS)
    assert (status, said) == (0, "")
    return tmp_path / "etc"


def written(place):
    return yaml.safe_load((place / "replyby" / "alertmanager.yml").read_text())


def older(place):
    """The routes for an Alertmanager that does not know `url_file`: as the section has them."""
    routes = written(place)
    known = {one["name"]: one for one in yaml.safe_load(blocks("yaml", place)[1])["receivers"]}
    routes["receivers"] = [known.pop(one["name"], one) for one in routes["receivers"]]
    assert known == {}
    return routes


def asked(place, command):
    """A command of the last block, run, by how it begins."""
    (words,) = [line for line in blocks("sh", place)[-1].splitlines() if line.startswith(command)]
    return run("sh", "-c", words)


def test_each_file_lies_where_the_configuration_looks_and_secrets_are_their_users(place):
    secrets = place / "replyby" / "secrets"
    routes = written(place)
    (pattern,) = routes["templates"]
    named = re.findall(r"_file: (\S+)", (place / "replyby" / "alertmanager.yml").read_text())

    assert {path.name for path in secrets.iterdir()} == RECEIVERS
    assert {place / path for path in named} == set(secrets.iterdir())
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o400}
    assert (secrets / "deadman").read_text() == ADDRESS
    assert (place / "replyby" / "alertmanager.yml").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in place.glob(os.path.relpath(pattern, place))] == ["replyby.tmpl"]


@pytest.mark.needs("promtool")
def test_promtool_takes_what_is_written_there_and_finds_every_rule(place):
    (place / "prometheus.yml").write_text(blocks("yaml", place)[0])

    status, said = asked(place, "promtool check config")

    assert status == 0, said
    found = [int(number) for number in re.findall(r"(\d+) rules found", said)]
    assert sorted(found) == sorted([len(rules.alerts()), len(rules.recordings())])


def test_what_prometheus_is_told_is_what_is_shipped_but_for_the_addresses(place):
    here = yaml.safe_load(blocks("yaml", place)[0])
    shipped = towers.shipped()
    daemons = next(job for job in shipped["scrape_configs"] if job["job_name"] == "replyby")
    (job,) = here["scrape_configs"]

    assert [Path(path).name for path in here["rule_files"]] == shipped["rule_files"]
    assert here["alerting"]["alert_relabel_configs"] == shipped["alerting"]["alert_relabel_configs"]
    assert job["job_name"] == daemons["job_name"]
    assert job["scrape_interval"] == shipped["global"]["scrape_interval"]


@pytest.mark.needs("amtool")
def test_amtool_takes_the_routes_as_an_older_alertmanager_has_them(place):
    (place / "alertmanager.yml").write_text(yaml.safe_dump(older(place)))

    status, said = asked(place, "amtool check-config")
    assert status == 0, said
    assert "1 templates" in said
    assert f"{len(RECEIVERS)} receivers" in said
    status, said = asked(place, "amtool config routes test")
    assert (status, said.splitlines()[0]) == (0, "on-call"), said


@pytest.mark.needs("amtool")
def test_among_somebody_elses_routes_they_take_our_alerts_and_no_others(place):
    ours = older(place)
    (matcher,) = re.findall(r"`matchers: \['(.+)'\]`", SECTION)
    theirs = {
        **ours,
        "route": {**OTHERS, "routes": [{"matchers": [matcher], **ours["route"]}]},
        "receivers": [{"name": "theirs"}, *ours["receivers"]],
    }
    file = place / "alertmanager.yml"
    file.write_text(yaml.safe_dump(theirs))

    for name, receiver in (("ReplyByReplyOverdue", "on-call"), ("HostDown", "theirs")):
        status, said = run(
            "amtool", "config", "routes", "test", f"--config.file={file}",
            f"--verify.receivers={receiver}", f"alertname={name}", "team=support",
            "severity=critical",
        )  # fmt: skip
        assert status == 0, said


def test_each_inhibition_names_our_alerts_on_both_sides():
    routes = yaml.safe_load(towers.ROUTES.read_text())

    for rule in routes["inhibit_rules"]:
        for side in ("source_matchers", "target_matchers"):
            assert re.match(r'alertname =~? "?ReplyBy', rule[side][0]), rule


def test_the_least_versions_are_those_that_the_settings_need():
    """`keep_firing_for` came with Prometheus 2.42, `location` with Alertmanager 0.25."""
    assert any("keep_firing_for" in alert.spans for alert in rules.alerts())
    assert "location: " in towers.ROUTES.read_text()
    assert "Prometheus 2.42 or newer (`keep_firing_for`)" in SECTION
    assert "Alertmanager 0.25 or newer (`location` of hours; 0.26 for `url_file`)" in SECTION
