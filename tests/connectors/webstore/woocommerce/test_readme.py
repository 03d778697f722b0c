"""The kind's README says what the code does."""

from __future__ import annotations

import ast
import json
import re
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
    for name in type(defaults).model_fields:
        assert f"| `{name}` |" in readme
    for stream in offer.streams(WooCommerceOptions(**GIVEN, push=PUSH)):
        assert f"| `{stream.name}` |" in readme
    for topic in offer.TOPICS:
        assert f"`{topic}`" in readme
    assert readme.partition("## Known limitations")[2].count("\n- ") >= 4


def test_the_defaults_in_the_readme_are_those_of_the_code(readme, defaults):
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", readme, re.MULTILINE))
    written = {name: text for name, text in said.items() if name in type(defaults).model_fields}

    assert WooCommerceOptions(**GIVEN, **written) == defaults
    assert set(written) == {"permalinks", "look_back", "overlap", "poll_every"}


def test_the_goal_says_its_source_and_when_it_was_read(readme, defaults):
    (goal,) = offer.goals(defaults)

    assert f"`{goal.name}`, {goal.reply_within.total_seconds() / 3600:g} hours" in readme
    assert goal.source
    assert goal.checked_on


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
    tests = "".join(p.read_text(encoding="utf-8") for p in Path(__file__).parent.glob("test_*.py"))

    for number in re.findall(r"trap (\d+)", readme):
        assert f"def test_trap_{number}_" in tests


def test_the_connector_itself_logs_nothing():
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"logging", "structlog", "warnings"} & set(names), path
