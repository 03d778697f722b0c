from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core import labels, settings, watch
from core.connector import Capabilities
from core.errors import StoreUnavailable
from core.loops import Bell, Pulse
from core.metrics import Metrics
from core.rules import Rules
from core.running import crew
from core.running.rounds import Rounds
from core.running.state import State
from core.store import wake
from core.transport.http import open_session
from core.web.ops import Watched
from sla.policy import ThreadKind
from tests.core import seeds
from tests.core.test_settings import GOOD, SPECS

ENVIRON = {"SHOP_KEY": "k"}


@pytest.fixture
def read(tmp_path, now):
    def read(text=GOOD, **overrides):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return settings.load(path, SPECS, ENVIRON | overrides, sandbox=False, now=now)

    return read


@pytest.fixture
async def state(read, pool, now):
    metrics, pulse = Metrics(), Pulse()
    watched = Watched(metrics, pulse, lambda: now, pool=pool)
    async with open_session() as session:
        yield State(read(), metrics, pulse, watched, session=session)


def value(state, name, **of):
    return state.metrics.registry.get_sample_value(f"replyby_{name}", of or None)


async def test_adopted_settings_have_readers_notifiers_and_series(state, read, now):
    state.adopt(read(), seeds.rules(), now)

    assert state.readers["shop-fr"].account.title == "Shop (FR)"
    assert set(state.readers["shop-fr"].streams) == {"messages"}
    assert set(state.notifiers) == {"log"}
    of = {"marketplace": "acme", "account": "shop-fr", "outcome": "success"}
    assert value(state, "polls_total", **of) == 0
    critical = state.watched.promised.thresholds["acme", "critical"]
    assert critical == pytest.approx(3600 * 2.4)
    assert value(state, "config_last_reload_successful") == 1
    assert value(state, "config_last_reload_success_timestamp_seconds") == now.timestamp()


async def test_a_limit_that_accounts_share_is_named_by_the_first_of_them(state, read, now):
    second = GOOD.replace("shop-fr", "shop-de").partition("[policies.ours-4h]")[0]
    state.adopt(read(GOOD + second + "shop_id = 2\n"), seeds.rules(), now)

    assert state.watched.names.budgets == (("acme", "shop-fr", "https://shop.example"),)
    assert value(state, "rate_budget_wait_seconds_total", marketplace="acme", budget="shop-fr") == 0


async def test_adopted_settings_say_what_is_pushed_and_to_whom(state, read, now, monkeypatch):
    found = read()
    one = found.accounts["shop-fr"]
    pushed = replace(one.streams[0], pushed=True)
    spec = replace(one.spec, topics=("NEWS",), can=lambda options: Capabilities(receives=True))
    monkeypatch.setitem(found.accounts, "shop-fr", replace(one, spec=spec, streams=(pushed,)))

    state.adopt(found, seeds.rules(), now)

    assert state.woken("shop-fr") == ("messages",)
    assert state.woken("nobody") == ()
    assert state.options == {"shop": {"shop-fr": one.options}}
    for topic in ("NEWS", "other"):
        of = {"marketplace": "acme", "topic": topic, "outcome": "stored"}
        assert value(state, "pushes_total", **of) == 0


async def test_where_no_stream_is_pushed_a_push_is_about_messages(state, read, now, monkeypatch):
    found = read()
    one = found.accounts["shop-fr"]
    messages = one.streams[0]
    claims = replace(messages, name="claims", kinds=frozenset({ThreadKind.CLAIM}))
    limits = replace(messages, name="limits", carries_clocks=False)
    streams = (messages, claims, limits)
    monkeypatch.setitem(found.accounts, "shop-fr", replace(one, streams=streams))

    state.adopt(found, seeds.rules(), now)

    assert state.woken("shop-fr") == ("messages",)


async def test_where_nothing_is_pushed_there_is_no_series_of_it(state, read, now):
    state.adopt(read(), seeds.rules(), now)

    of = {"marketplace": "acme", "topic": "other", "outcome": "stored"}
    assert value(state, "pushes_total", **of) is None


async def test_an_account_is_received_only_by_its_own_connector(state, read, now):
    state.adopt(read(), seeds.rules(), now)

    assert state.receiver("other", "shop-fr") is None
    assert state.receiver("shop", "nobody") is None


@pytest.mark.parametrize(
    ("label", "most", "account"),
    [("auto", 0, ""), ("auto", 1, "shop-fr"), ("full", 0, "shop-fr"), ("none", 1, "")],
)
async def test_many_accounts_are_counted_without_their_names(
    state, read, now, monkeypatch, label, most, account
):
    monkeypatch.setattr(labels, "MANY_ACCOUNTS", most)

    with capture_logs() as lines:
        state.adopt(read(REPLYBY_METRICS__ACCOUNT_LABEL=label), seeds.rules(), now)

    of = {"marketplace": "acme", "account": account, "outcome": "success"}
    assert value(state, "polls_total", **of) == 0
    assert bool(lines) == (label == "auto" and most == 0)


async def test_a_jump_of_the_hosts_clock_is_shown(state, now):
    assert state.sure(now)
    assert value(state, "clock_unsure") == 0

    assert not state.sure(now + timedelta(hours=1))

    assert value(state, "clock_unsure") == 1
    assert not state.is_sure()


async def test_without_a_worker_or_a_pool_the_database_is_away(state):
    with pytest.raises(StoreUnavailable):
        _ = state.worker_id
    state.watched.pool = None
    with pytest.raises(StoreUnavailable):
        _ = state.pool


def test_a_deadline_is_seen_coming_before_it_is_to_be_read_for():
    assert timedelta(seconds=crew.TENDING) <= (watch.AHEAD - watch.LEAD) / 2


async def test_what_is_old_is_removed_and_counted(state, read, pool, now):
    state.adopt(read(), Rules({}, {}, read().routing), now)
    for key, age in {"old": 181, "new": 179}.items():
        await pool.execute(
            "insert into notice (key, kind, account, raised_at) values ($1, 'test', '', $2)",
            key, now - timedelta(days=age),
        )  # fmt: skip
    for key, age in {"old": 31, "new": 29}.items():
        at = now - timedelta(days=age)
        await pool.execute("insert into link values ('mk', $1, 'https://x', $2)", key, at)
        await pool.execute(
            "insert into verdict (account, id, at, delivery, body, is_copy, seen_at)"
            " values ('mk', $1, $2, 'confirmed', 'a text', true, $2)", key, at,
        )  # fmt: skip
    for key, age in {"old": 91, "new": 89}.items():
        at = now - timedelta(days=age)
        await pool.execute(
            "insert into deed (account, order_id, action, begun_at, state)"
            " values ('mk', $1, 'invoice', $2, 'done')", key, at,
        )  # fmt: skip
    bells = {name: Bell() for name in wake.LOOPS}
    rounds = Rounds(state, bells)

    again = await rounds.purge(now)

    assert [row["key"] for row in await pool.fetch("select key from notice")] == ["new"]
    assert [row["message"] for row in await pool.fetch("select message from link")] == ["new"]
    assert [row["order_id"] for row in await pool.fetch("select order_id from deed")] == ["new"]
    kept = await pool.fetch("select id from verdict where body <> ''")
    assert [row["id"] for row in kept] == ["new"]
    assert value(state, "retention_rows_deleted_total", table="verdict", action="emptied") == 1
    for table in ("notice", "link", "deed"):
        assert value(state, "retention_rows_deleted_total", table=table, action="deleted") == 1
    assert again == now + timedelta(hours=1)
