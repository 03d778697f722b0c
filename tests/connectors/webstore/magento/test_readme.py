"""The kind's README says what the code does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.webstore.magento import api, mapping, offer, options, reading
from connectors.webstore.magento.options import MagentoOptions
from connectors.webstore.magento.payload import Complaint, Orders
from connectors.webstore.remarks import changes
from tests.connectors import described

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
    described.lists(readme, defaults, offer.streams(defaults))


def test_the_defaults_in_the_readme_are_those_of_the_code(readme, defaults):
    written = described.defaults(readme, defaults)

    assert MagentoOptions(**GIVEN, **written) == defaults
    assert set(written) == {"staff_orders", "look_back", "overlap", "poll_every"}


def test_the_goal_says_its_source_and_when_it_was_read(readme, defaults):
    (goal,) = offer.goals(defaults)

    described.tells_goal(readme, goal)


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
    described.shows_its_traps(readme, Path(__file__).parent)


def test_the_connector_itself_logs_nothing():
    described.logs_nothing(FOLDER)
