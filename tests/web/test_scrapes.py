"""What scrapes of several daemons, of one that was restarted, and of many accounts come to."""

from __future__ import annotations

import subprocess
import threading
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from core import labels, loops
from core.configuration.sections import Ops
from core.instruments import AccountGauge, Source
from core.loops import Pulse
from core.measuring import contracts, fleet
from core.measuring.contracts import Number
from core.measuring.facts import Counted, Names, Promised, Snapshot
from core.metrics import Metrics
from core.web import app, catalogue, count, ops
from sla.policy import Contract
from tests.core import pages, seeds

NAMES = Names(accounts=(("empik", "mk"),), notifiers=("log",))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
COUNTERS = tuple(
    family.name
    for family in catalogue.families()
    if family.kind == "counter" and family.source is Source.DATABASE
)


@asynccontextmanager
async def daemon(pool, *, gauges=None, collector=None):
    """The exposition of a process of its own; yields what reads its samples."""
    metrics = Metrics()
    metrics.declare(NAMES)
    if gauges is not None:
        metrics.account_gauges = gauges
    if collector is not None:
        metrics.registry.register(collector)
    watched = ops.Watched(metrics, Pulse(), loops.utcnow, names=NAMES, pool=pool)
    watched.count.asked.set()
    served = app.served("ops", Ops(listen="127.0.0.1:0"), ops.application(watched))
    async with served as url, aiohttp.ClientSession(url) as web:

        async def scrape(**headers):
            async with web.get("/metrics", headers=headers) as answer:
                assert answer.status == 200
                text = await answer.text()
            return {
                (sample.name, tuple(sorted(sample.labels.items()))): sample.value
                for family in parse_text(text)
                for sample in family.samples
            }

        yield scrape


def durable(samples):
    return {key: value for key, value in samples.items() if key[0] in COUNTERS}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Each scrape is a new one, and nobody waits for a count of clocks."""
    monkeypatch.setattr(ops, "FRESH", 0.0)
    monkeypatch.setattr(count, "PATIENCE", 0.0)


async def breach(pool, now, name):
    """A buyer whose deadline passes unanswered."""
    question = pages.buyer(name, now - 25 * HOUR, f"T{name}")
    await pages.stored(pool, now - 2 * HOUR, question, pages.thread(f"T{name}", as_of=now))
    await seeds.watched(pool, seeds.rules(), now)


async def test_two_daemons_and_one_that_was_restarted_tell_the_same_of_clocks(pool, now):
    """So `max by` of them is the count, and no breach is lost in a gap or told twice."""
    await pages.monitored(pool, now - 60 * HOUR)
    key = (
        "replyby_clocks_closed_total",
        (
            ("account", "mk"), ("clock", "first_reply"), ("marketplace", "empik"),
            ("result", "breached"),
        ),
    )  # fmt: skip
    async with daemon(pool) as first, daemon(pool) as second:
        before = durable(await first())
        assert before[key] == 0
        await breach(pool, now, "M1")
        both = durable(await first()), durable(await second())
        assert both[0] == both[1]
        assert both[0][key] == 1
        await breach(pool, now + HOUR, "M2")  # while nobody looks
    async with daemon(pool) as restarted:
        after = durable(await restarted())

    assert after[key] == 2
    assert before.keys() == after.keys()
    assert [key for key, value in before.items() if after[key] < value] == []


async def test_each_durable_counter_stands_at_nought_before_anything_happened(pool, now):
    async with daemon(pool) as scrape:
        found = durable(await scrape())

    assert {name for name, _ in found} == set(COUNTERS)
    assert set(found.values()) == {0.0}


class Noting(AccountGauge):
    """Remembers in which thread it was written."""

    def __init__(self, *args):
        super().__init__(*args)
        self.threads = set()

    def get(self, account):
        self.threads.add(threading.get_ident())
        return super().get(account)


class Collector:
    """One that remembers in which thread it was collected."""

    def __init__(self):
        self.threads = set()

    def collect(self):
        self.threads.add(threading.get_ident())
        return []


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
async def test_what_is_written_is_written_off_the_event_loop(pool, accepted):
    """Both what is stored and what the process counts: with many accounts that takes long."""
    made = Metrics().blind_from
    gauge, collector = Noting(made.family, made.default), Collector()
    async with daemon(pool, gauges=(gauge,), collector=collector) as scrape:
        collector.threads.clear()  # whoever registers it describes it
        await scrape(**{"Accept-Encoding": accepted})

    for threads in (gauge.threads, collector.threads):
        assert threads
        assert threading.get_ident() not in threads


@pytest.fixture(scope="module")
def crowd():
    """What 5,000 accounts of twenty marketplaces export, contracts judged in three windows too."""
    names = Names(
        accounts=tuple((f"market-{n % 20}", f"account-{n}") for n in range(5_000)),
        notifiers=("log",),
        operations=tuple((f"market-{n}", "M11") for n in range(20)),
    )
    metrics = Metrics()
    metrics.declare(names, account_label=False)
    share = Contract("share", (7 * DAY, 30 * DAY, 90 * DAY), objective=0.9, within=DAY)
    numbers = [
        Number(*pair, seeds.policy(), share, w) for pair in names.accounts for w in share.windows
    ]
    snapshot = Snapshot(counted=Counted(at=1.0), judgement=contracts.judgement(numbers))
    stored = fleet.write(names, Promised(), metrics.account_gauges, snapshot, open_metrics=False)
    return generate_latest(metrics.registry).decode() + "".join(stored)


@pytest.mark.needs("promtool")
def test_promtool_finds_nothing_amiss_in_what_5000_accounts_export(crowd):
    told = subprocess.run(
        ["promtool", "check", "metrics"], input=crowd, text=True, capture_output=True, check=False
    )

    assert (told.returncode, told.stdout + told.stderr) == (0, "")
    assert crowd.count("\n") > 225_000


def test_of_so_many_accounts_the_counters_of_a_process_name_none(crowd):
    """Else each poll's outcome would cost 5,000 series in every process."""
    polls = [line for line in crowd.splitlines() if line.startswith("replyby_polls_total{")]

    assert len(polls) == 20 * len(labels.OUTCOMES)
    assert not [line for line in polls if 'account=""' not in line]
