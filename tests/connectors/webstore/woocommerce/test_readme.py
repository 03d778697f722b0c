"""The kind's README says what the code does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.webstore.remarks import changes
from connectors.webstore.woocommerce import api, connector, offer, options, reading, receiving
from connectors.webstore.woocommerce.options import WooCommerceOptions
from connectors.webstore.woocommerce.payload import (
    Action,
    Hook,
    Hooks,
    Note,
    Notes,
    Order,
    Orders,
    Setting,
)
from tests.connectors import described

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "connectors" / "webstore" / "woocommerce"
RECORDED = Path(__file__).parent / "recorded"
GIVEN = {
    "kind": "woocommerce", "base_url": "https://shop.example", "consumer_key": "k",
    "consumer_secret": "s",
}  # fmt: skip
PUSH = {"endpoint": "https://push.shop.example/", "secret": "s"}
MODELS = {
    "orders": Orders, "order": Order, "notes": Notes, "create_note": Note, "note_mail": Setting,
    "hooks": Hooks, "create_hook": Hook, "update_hook": Hook,
}  # fmt: skip


@pytest.fixture
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def defaults():
    return WooCommerceOptions(**GIVEN)


def test_the_limits_in_the_readme_are_those_of_the_code(readme, defaults):
    (orders,) = offer.streams(defaults)

    assert f"| {orders.every.total_seconds() / 60:g} min, at least " in readme
    assert f"at least {options.FLOOR.total_seconds() / 60:g} min" in readme
    assert orders.floor == options.FLOOR
    assert offer.streams(WooCommerceOptions(**GIVEN, push=PUSH))[1].every == offer.HOUR
    assert f"{reading.PAGE} orders at a time" in readme
    assert f"{api.MOST} webhooks" in readme
    assert f"read again, {changes.AGAIN} a walk in turn" in readme
    assert f"Of more than {changes.MOST_WAITING} orders" in readme
    assert f"{connector.PATIENCE:g} s for the notes" in readme
    assert f"a state older than {receiving.FRESH.days} days" in readme
    assert f"{offer.SHORTEST} to {offer.LONGEST:,} characters" in readme


def test_the_readme_lists_options_streams_and_limitations(readme, defaults):
    described.lists(
        readme, defaults, offer.streams(WooCommerceOptions(**GIVEN, push=PUSH)), offer.TOPICS
    )


def test_the_defaults_in_the_readme_are_those_of_the_code(readme, defaults):
    written = described.defaults(readme, defaults)

    assert WooCommerceOptions(**GIVEN, **written) == defaults
    assert set(written) == {"permalinks", "look_back", "overlap", "poll_every"}


def test_the_goal_says_its_source_and_when_it_was_read(readme, defaults):
    (goal,) = offer.goals(defaults)

    described.tells_goal(readme, goal)


def test_the_readme_says_how_to_change_the_key(readme):
    assert "A new key" in readme
    assert "reload" in readme


@pytest.mark.parametrize("name", MODELS)
def test_every_call_has_a_recorded_answer(name):
    assert set(offer.OPERATIONS) == set(MODELS)
    recorded = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))

    assert MODELS[name].model_validate({"items": recorded} if type(recorded) is list else recorded)


def test_the_recorded_pushes_are_read():
    order = (RECORDED / "push.json").read_text(encoding="utf-8")
    note = (RECORDED / "push_note.json").read_text(encoding="utf-8")

    assert Order.model_validate_json(order).number == "WS-727"
    assert Action.model_validate_json(note).arg.order_id == "727"


def test_each_trap_that_the_readme_names_has_a_test(readme):
    described.shows_its_traps(readme, Path(__file__).parent)


def test_the_connector_itself_logs_nothing():
    described.logs_nothing(FOLDER)
