"""Whoever looks at the queue is told first what it may lack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from core.access import Role, Who
from core.measuring.facts import Muting, Reading, Snapshot
from core.metrics import Metrics
from core.web import pages, troubles
from core.web.troubles import Trouble
from tests.core import seeds

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ALL = Who("anna", Role.AGENT)
RULES = seeds.rules(accounts=("de", "fr", "pl"))


def shown(found, language="en"):
    reader = pages.Audience(ALL, language, "Europe/Berlin")
    return pages.render("queue/troubles.html", reader, NOW, troubles=list(found))


def told(snapshot, who=ALL, blind=(), unseen=0.0):
    metrics = Metrics()
    metrics.blind_from.show({name: (NOW - timedelta(hours=1)).timestamp() for name in blind})
    metrics.unseen_messages_expected.show(dict.fromkeys(blind, unseen))
    return list(troubles.of_accounts(RULES, troubles.sighted(metrics), snapshot, NOW, who))


def read(minutes, **more):
    at = (NOW - timedelta(minutes=minutes)).timestamp()
    return Reading(last_success=at, seen_through=at, **more)


def test_a_blind_account_is_told_with_since_when_and_how_much_is_unseen():
    (found,) = told(Snapshot(readings={"de": read(48)}), blind=("de",), unseen=6.2)

    assert (found.kind, found.unseen) == ("blind", 6)
    assert "<b>empik/de</b>: not read since <time" in shown([found])
    assert ">09:12</time>; about 6 messages unseen" in shown([found])
    assert ">09:12</time> 이후 읽지 못함; 읽지 못한 메시지 약 6건" in shown([found], "ko")


def test_an_account_that_was_never_read_and_one_that_misses_nothing_are_told_so():
    (found,) = told(Snapshot(readings={"de": Reading()}), blind=("de",), unseen=0.3)

    assert "was never read; probably no message unseen" in shown([found])


def test_nothing_is_told_of_accounts_that_are_read_or_that_one_does_not_see():
    snapshot = Snapshot(readings={name: read(1) for name in RULES.accounts})
    few = Who("max", Role.AGENT, accounts=frozenset({"fr"}))

    assert told(snapshot) == []
    assert told(snapshot, few, blind=("de",)) == []
    assert shown([]).strip() == ""


def test_a_refused_key_and_a_mute_are_told_after_what_is_blind():
    snapshot = Snapshot(
        readings={"de": read(5, authorized=False), "pl": read(5)},
        muted={("account", "fr"): Muting(0.0, (NOW + timedelta(hours=2)).timestamp())},
    )
    found = told(snapshot, blind=("pl",))

    assert [(one.kind, one.account.name) for one in found] == [
        ("blind", "pl"), ("refused", "de"), ("muted", "fr"),
    ]  # fmt: skip
    assert "the marketplace refuses our key; last read <time" in shown(found)
    assert "nothing is told until <time" in shown(found)


@pytest.mark.parametrize(
    ("faults", "sure", "kinds"),
    [
        ([], True, []),
        (["database: no answer"], True, ["database"]),
        (["schema: 0040_people is not applied"], False, ["schema", "clock"]),
        (["stopping"], True, ["stopping"]),
    ],
)
def test_what_is_wrong_with_the_whole_is_told_in_plain_words(faults, sure, kinds):
    found = list(troubles.of_program(faults, sure=sure))

    assert [one.kind for one in found] == kinds
    assert shown(found).count("<li") == len(kinds)


def test_before_anybody_looked_nothing_is_called_blind():
    assert Metrics().blind_from.get("de") == inf
    assert told(Snapshot()) == []
    assert Trouble("database").account is None
