"""The kind's README says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.webstore.prestashop import api, offer, options, reading
from connectors.webstore.prestashop.options import PrestaShopOptions
from connectors.webstore.prestashop.payload import Added, OrderRows, Rows, Settings, ThreadRows
from tests.connectors import described

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "connectors" / "webstore" / "prestashop"
RECORDED = Path(__file__).parent / "recorded"
GIVEN = {"kind": "prestashop", "base_url": "https://shop.example", "api_key": "k"}
MODELS = {
    "customer_messages": Rows, "customer_threads": ThreadRows, "orders": OrderRows,
    "configurations": Settings, "add_customer_message": Added,
}  # fmt: skip


@pytest.fixture
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def defaults():
    return PrestaShopOptions(**GIVEN)


def test_the_limits_in_the_readme_are_those_of_the_code(readme, defaults):
    (messages,) = offer.streams(defaults)

    assert f"| {messages.every.total_seconds() / 60:g} min, at least " in readme
    assert f"floor {options.FLOOR.total_seconds():g} s" in readme
    assert messages.floor == options.FLOOR
    assert f"{reading.PAGE} rows at a time" in readme
    assert f"the last {reading.AGAIN} numbers again" in readme
    assert f"{offer.SHORTEST} to {offer.LONGEST:,} characters" in readme
    assert f"{offer.MOST_ENCLOSED // 10**6} MB and {offer.MOST_FILES} files at most" in readme


def test_the_readme_lists_options_streams_and_limitations(readme, defaults):
    described.lists(readme, defaults, offer.streams(defaults))


def test_the_defaults_in_the_readme_are_those_of_the_code(readme, defaults):
    written = described.defaults(readme, defaults)

    assert PrestaShopOptions(**GIVEN, **written) == defaults
    assert set(written) == {"look_back", "poll_every", "employee_id"}


def test_the_goal_says_its_source_and_when_it_was_read(readme, defaults):
    (goal,) = offer.goals(defaults)

    described.tells_goal(readme, goal)


def test_the_readme_says_how_to_change_the_key(readme):
    assert "A new key" in readme
    assert "reload" in readme


@pytest.mark.parametrize("name", MODELS)
def test_every_call_has_a_recorded_answer(name):
    assert set(offer.OPERATIONS) == {*MODELS, "rights"}
    recorded = (RECORDED / f"{name}.json").read_text(encoding="utf-8")

    assert MODELS[name].model_validate_json(recorded)


def test_the_recorded_index_names_the_right_to_add():
    assert api.RIGHT.search((RECORDED / "rights.xml").read_text(encoding="utf-8"))


def test_each_trap_that_the_readme_names_has_a_test(readme):
    described.shows_its_traps(readme, Path(__file__).parent)


def test_the_connector_itself_logs_nothing():
    described.logs_nothing(FOLDER)
