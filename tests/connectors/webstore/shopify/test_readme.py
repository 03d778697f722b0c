"""The kind's README says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from connectors.webstore.shopify import mapping, offer, options, reading, refusals
from connectors.webstore.shopify.options import ShopifyOptions
from connectors.webstore.shopify.payload import (
    App,
    DisputeNodes,
    Disputes,
    HookMade,
    Hooks,
    Order,
    OrderNodes,
    Orders,
    Redaction,
)
from core.errors import BadCredentials, RateLimited
from tests.connectors import described

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "connectors" / "webstore" / "shopify"
RECORDED = Path(__file__).parent / "recorded"
GIVEN = {"kind": "shopify", "store": "toys.myshopify.com", "access_token": "t"}
PUSH = {"push": {"endpoint": "https://push.store.example/"}, "client_secret": "s"}
MODELS = {
    "orders": Orders, "order_nodes": OrderNodes, "disputes": Disputes, "app": App,
    "dispute_nodes": DisputeNodes, "webhook_subscriptions": Hooks,
    "webhook_subscription_create": HookMade,
}  # fmt: skip


@pytest.fixture
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def defaults():
    return ShopifyOptions(**GIVEN)


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def test_the_limits_in_the_readme_are_those_of_the_code(readme, defaults):
    orders, disputes, hooks = offer.streams(ShopifyOptions(**GIVEN, **PUSH))

    assert f"| {orders.every.total_seconds() / 60:g} min, at least " in readme
    assert f"at least {options.FLOOR.total_seconds() / 60:g} min" in readme
    assert orders.floor == options.FLOOR
    assert f"| {disputes.every.total_seconds() / 60:g} min |" in readme
    assert hooks.every == offer.HOUR
    assert f"{reading.ORDERS} orders and {reading.DISPUTES} disputes a page" in readme
    assert f"{reading.BACK.days} days" in readme
    assert reading.MOST_PAGES * reading.ORDERS < 25_000
    assert f"{options.SHOWN.days} days" in readme
    assert f"within {mapping.YOUNG.total_seconds() / 3600:g} hour" in readme
    assert f"{offer.SHORTEST} to {offer.LONGEST:,} characters" in readme
    assert f"{offer.MOST_ENCLOSED // 10**6} MB and {offer.MOST_FILES} files at most" in readme


def test_the_readme_lists_options_streams_topics_and_limitations(readme, defaults):
    described.lists(readme, defaults, offer.streams(ShopifyOptions(**GIVEN, **PUSH)), offer.TOPICS)


def test_the_defaults_in_the_readme_are_those_of_the_code(readme, defaults):
    written = described.defaults(readme, defaults)
    disputes = {"disputes": written.pop("disputes") == "true"}

    assert ShopifyOptions(**GIVEN, **written, **disputes) == defaults
    assert set(written) == {"look_back", "overlap", "poll_every", "api_version"}


def test_the_goal_says_its_source_and_when_it_was_read(readme, defaults):
    (goal,) = offer.goals(defaults)

    described.tells_goal(readme, goal)


def test_the_readme_says_how_to_change_the_token(readme):
    assert "A new token" in readme
    assert "reload" in readme


@pytest.mark.parametrize("name", MODELS)
def test_every_call_has_a_recorded_answer(name):
    assert set(offer.OPERATIONS) == {*MODELS, "token"}

    assert MODELS[name].model_validate(recorded(name)["data"])


def test_the_recorded_pushes_are_read():
    assert Order.model_validate(recorded("push")).note == "Please ring twice"
    assert Redaction.model_validate(recorded("redaction")).orders_to_redact == [
        "450789469", "450789470",
    ]  # fmt: skip


def test_the_recorded_refusals_are_understood():
    throttled = refusals.fault(recorded("throttled"), "orders")
    denied = refusals.fault(recorded("denied"), "disputes")

    assert isinstance(throttled, RateLimited)
    assert throttled.retry_after == pytest.approx((752 - 666) / 50)
    assert isinstance(denied, BadCredentials)
    assert denied.alone


def test_each_trap_that_the_readme_names_has_a_test(readme):
    described.shows_its_traps(readme, Path(__file__).parent)


def test_each_check_of_the_readme_names_a_test_that_is_there(readme):
    named = re.findall(r"`(tests/[\w/.]+)::([\w:]+)`", readme)

    assert len(named) >= 13
    for path, name in named:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"(?:def|class) {name.rpartition('::')[2]}\b", text), name


def test_the_connector_itself_logs_nothing():
    described.logs_nothing(FOLDER)
