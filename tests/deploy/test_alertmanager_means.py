"""Notices as alerts, against Debian's own Alertmanager: told, raised, kept alive, ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core import loops
from core.model import Notice, NoticeKind
from core.notifier import Means, Words
from core.notifiers import registry
from core.transport.http import Http, open_session
from tests.deploy.towers import Receiver, alertmanager, wait

pytestmark = pytest.mark.needs("prometheus-alertmanager")


@pytest.fixture(scope="module")
def heard():
    with Receiver() as found:
        yield found


@pytest.fixture(scope="module")
def manager(tmp_path_factory, heard):
    with alertmanager(tmp_path_factory.mktemp("am"), heard) as found:
        yield found


@pytest.fixture
def tell(manager, tmp_path):
    """Do something with the notifier, in a loop of its own."""

    def go(do):
        async def doing():
            async with open_session() as session:
                kind = registry.KINDS["alertmanager"]
                urls = [f"http://{manager.address}"]
                options = kind.options.model_validate({"kind": "alertmanager", "urls": urls})
                await do(kind.open("am", options, Means(Http(session), tmp_path)))

        asyncio.run(doing())

    return go


def firing(manager):
    return {
        (one["labels"]["alertname"], one["labels"].get("thread"), one["labels"]["severity"])
        for one in manager.alerts()
        if one["status"]["state"] != "suppressed"
    }


def said(kind, thread, clock):
    now = loops.utcnow()
    facts = (("promise", "reply-24h"),)
    notice = Notice(f"{clock}/0/{kind}", kind, "mk", now, thread, clock, now, facts)
    return notice, Words("Reply overdue", "Late.", "https://shop.example/T", now, None, "empik")


def test_a_clock_is_one_alert_that_becomes_critical_and_ends(manager, tell):
    warned, words = said(NoticeKind.WARNING, "T1", 1)
    tell(lambda am: am.send(warned, words))
    wait(lambda: ("ReplyDeadline", "T1", "warning") in firing(manager))
    (alert,) = [a for a in manager.alerts() if a["labels"].get("thread") == "T1"]
    assert alert["labels"] == {
        "alertname": "ReplyDeadline", "severity": "warning", "team": "support",
        "marketplace": "empik", "account": "mk", "policy": "reply-24h", "thread": "T1",
        "clock": "1",
    }  # fmt: skip
    assert alert["generatorURL"] == "https://shop.example/T"

    breached, words = said(NoticeKind.BREACH, "T1", 1)
    tell(lambda am: am.send(breached, words))
    wait(lambda: {one for one in firing(manager) if one[1] == "T1"}
         == {("ReplyDeadline", "T1", "critical")})  # fmt: skip

    ended, words = said(NoticeKind.ANSWERED, "T1", 1)
    tell(lambda am: am.close(ended, words, []))
    wait(lambda: not {one for one in firing(manager) if one[1] == "T1"})


def test_it_reaches_whom_the_shipped_routes_name(tell, heard):
    def told(status):
        return lambda one: (
            one.place == "on-call"
            and any(
                (alert["status"], alert["labels"]["thread"]) == (status, "T2")
                for alert in one.alerts
            )
        )

    tell(lambda am: am.send(*said(NoticeKind.BREACH, "T2", 2)))
    heard.until(told("firing"))
    tell(lambda am: am.close(*said(NoticeKind.ANSWERED, "T2", 2), []))
    heard.until(told("resolved"))


def test_what_stands_is_told_again_and_outlives_its_end(manager, tell):
    """An alert has ended, as after an hour without us: `keep` moves its end."""
    breached, words = said(NoticeKind.BREACH, "T3", 3)
    gone = replace(words, at=words.at - timedelta(hours=2))
    tell(lambda am: am.send(breached, gone))
    wait(lambda: not {one for one in firing(manager) if one[1] == "T3"})

    tell(lambda am: am.keep([(breached, words)]))

    wait(lambda: ("ReplyDeadline", "T3", "critical") in firing(manager))
    (alert,) = [a for a in manager.alerts() if a["labels"].get("thread") == "T3"]
    assert datetime.fromisoformat(alert["endsAt"]) > loops.utcnow()


def test_a_trouble_and_its_end_are_one_alert(manager, tell):
    down, words = said(NoticeKind.ACCOUNT_DOWN, None, None)
    tell(lambda am: am.send(down, words))
    wait(lambda: ("ReplybyReading", None, "critical") in firing(manager))

    up, words = said(NoticeKind.ACCOUNT_UP, None, None)
    tell(lambda am: am.send(up, words))
    wait(lambda: ("ReplybyReading", None, "critical") not in firing(manager))
