"""The kind's README says what the code does."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from connectors.webstore.magento import api, mapping, offer, options, reading
from connectors.webstore.magento.options import MagentoOptions
from connectors.webstore.magento.payload import Complaint, Orders
from connectors.webstore.remarks import changes

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "connectors" / "webstore" / "magento"
RECORDED = Path(__file__).parent / "recorded"
GIVEN = {"kind": "magento", "base_url": "https://shop.example", "access_token": "t"}


def recorded(name):
    return (RECORDED / f"{name}.json").read_text(encoding="utf-8")


READ = {
    "orders": lambda text: Orders.model_validate_json(text).items,
    "status": api.STATUS.validate_json,
    "create_comment": json.loads,
}


@pytest.fixture
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def defaults():
    return MagentoOptions(**GIVEN)


def test_the_limits_in_the_readme_are_those_of_the_code(readme, defaults):
    (orders,) = offer.streams(defaults)

    assert f"| {orders.every.total_seconds() / 60:g} min, at least " in readme
    assert f"at least {options.FLOOR.total_seconds() / 60:g} min" in readme
    assert orders.floor == options.FLOOR
    assert f"{reading.PAGE} orders at a time" in readme
    assert f"read again, {changes.AGAIN} a walk in turn" in readme
    assert f"within {mapping.AT_ONCE.total_seconds():g} seconds of the order" in readme
    assert f"{offer.SHORTEST} to {offer.LONGEST:,} characters" in readme


def test_the_readme_lists_options_streams_and_limitations(readme, defaults):
    for name in type(defaults).model_fields:
        assert f"| `{name}` |" in readme
    for stream in offer.streams(defaults):
        assert f"| `{stream.name}` |" in readme
    assert readme.partition("## Known limitations")[2].count("\n- ") >= 4


def test_the_defaults_in_the_readme_are_those_of_the_code(readme, defaults):
    said = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", readme, re.MULTILINE))
    written = {name: text for name, text in said.items() if name in type(defaults).model_fields}

    assert MagentoOptions(**GIVEN, **written) == defaults
    assert set(written) == {"staff_orders", "look_back", "overlap", "poll_every"}


def test_the_goal_says_its_source_and_when_it_was_read(readme, defaults):
    (goal,) = offer.goals(defaults)

    assert f"`{goal.name}`, {goal.reply_within.total_seconds() / 3600:g} hours" in readme
    assert goal.source
    assert goal.checked_on


def test_the_readme_says_how_to_change_the_token(readme):
    assert "A new token" in readme
    assert "reload" in readme


@pytest.mark.parametrize("name", READ)
def test_every_call_has_a_recorded_answer(name):
    assert set(offer.OPERATIONS) == set(READ)
    assert READ[name](recorded(name))


def test_the_recorded_refusal_is_one_of_magentos():
    assert Complaint.model_validate_json(recorded("denied")).message


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
