"""The kind's README says what the code does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.webstore.bigcommerce import api, connector, offer, options, reading, receiving
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from connectors.webstore.bigcommerce.payload import (
    Entries,
    Hooks,
    OneHook,
    Order,
    Orders,
    Told,
)  # fmt: skip
from tests.connectors import described

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "connectors" / "webstore" / "bigcommerce"
RECORDED = Path(__file__).parent / "recorded"
GIVEN = {"kind": "bigcommerce", "store_hash": "abc", "access_token": "t"}
PUSH = {"endpoint": "https://push.store.example/", "client_secret": "s"}
MODELS = {
    "orders": Orders, "order": Order, "order_messages": Entries, "hooks": Hooks,
    "create_hook": OneHook, "update_hook": OneHook,
}  # fmt: skip


@pytest.fixture
def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def defaults():
    return BigCommerceOptions(**GIVEN)


def test_the_limits_in_the_readme_are_those_of_the_code(readme, defaults):
    (messages,) = offer.streams(defaults)

    assert f"| {messages.every.total_seconds() / 60:g} min, at least " in readme
    assert f"at least {options.FLOOR.total_seconds() / 60:g} min" in readme
    assert messages.floor == options.FLOOR
    assert offer.streams(BigCommerceOptions(**GIVEN, push=PUSH))[1].every == offer.HOUR
    assert f"{reading.PAGE} orders at a time" in readme
    assert f"{api.MOST} messages" in readme
    assert f"the last {api.FEW} calls" in readme
    assert f"{connector.PATIENCE:g} s for what it names" in readme
    assert f"older than {receiving.FRESH.total_seconds() / 60:g} minutes" in readme
    assert f"{offer.SHORTEST} to {offer.LONGEST:,} characters" in readme
    assert f"{offer.MOST_ENCLOSED // 10**6} MB and {offer.MOST_FILES} files at most" in readme


def test_the_readme_lists_options_streams_and_limitations(readme, defaults):
    described.lists(readme, defaults, offer.streams(BigCommerceOptions(**GIVEN, push=PUSH)))


def test_the_defaults_in_the_readme_are_those_of_the_code(readme, defaults):
    written = described.defaults(readme, defaults)

    assert BigCommerceOptions(**GIVEN, **written) == defaults
    assert set(written) == {"look_back", "overlap", "poll_every", "base_url"}


def test_the_goal_says_its_source_and_when_it_was_read(readme, defaults):
    (goal,) = offer.goals(defaults)

    described.tells_goal(readme, goal)


def test_the_readme_says_how_to_change_the_token(readme):
    assert "A new token" in readme
    assert "reload" in readme


@pytest.mark.parametrize("name", MODELS)
def test_every_call_has_a_recorded_answer(name):
    assert set(offer.OPERATIONS) == set(MODELS)
    recorded = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))

    assert MODELS[name].model_validate({"items": recorded} if type(recorded) is list else recorded)


def test_the_recorded_push_is_read():
    recorded = (RECORDED / "push.json").read_text(encoding="utf-8")

    assert Told.model_validate_json(recorded).scope == offer.CREATED


def test_each_trap_that_the_readme_names_has_a_test(readme):
    described.shows_its_traps(readme, Path(__file__).parent)


def test_the_connector_itself_logs_nothing():
    described.logs_nothing(FOLDER)
