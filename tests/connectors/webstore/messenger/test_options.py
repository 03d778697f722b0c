"""What an account of Messenger says in the settings, and what is made of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.messenger.options import MessengerOptions

GIVEN = {
    "kind": "messenger", "access_token": "t", "app_id": "10", "app_secret": "s",
    "verify_token": "v", "page_id": "1060",
    "endpoint": "https://push.shop.example/push/webstore/shop",
}  # fmt: skip


def optioned(**more):
    return MessengerOptions.model_validate({**GIVEN, **more})


def test_what_is_written_is_an_account():
    found = spec.options_of(GIVEN).model_validate(GIVEN)
    assert isinstance(found, MessengerOptions)
    assert spec.marketplace(found) == "webstore-messenger"
    assert spec.identity(found) == f"messenger https://graph.facebook.com {found.own_id}"
    assert found.own_id == "1060"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_id", "shop"), ("app_id", ""), ("endpoint", "http://push.shop.example"),
        ("poll_every", "30s"), ("version", "25"), ("human_agent", "perhaps"), ("phone", "1"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(name, value):
    with pytest.raises(ValidationError):
        optioned(**{name: value})


@pytest.mark.parametrize("name", sorted(set(GIVEN) - {"kind"}))
def test_what_is_needed_is_asked_for(name):
    with pytest.raises(ValidationError, match=name):
        MessengerOptions.model_validate({k: v for k, v in GIVEN.items() if k != name})


def test_a_stand_in_may_be_asked_often():
    assert optioned(api="http://127.0.0.1:9", poll_every="2s").poll_every == timedelta(seconds=2)


def test_conversations_are_read_under_the_pushes():
    chats, standing = spec.streams(optioned())
    assert (chats.name, chats.every, chats.pushed, chats.carries_clocks) == (
        "conversations", timedelta(minutes=5), True, True
    )  # fmt: skip
    assert (standing.name, standing.every, standing.carries_clocks) == (
        "standing", timedelta(hours=1), False
    )  # fmt: skip


def test_a_token_with_a_written_end_is_a_credential():
    (found,) = spec.credentials(optioned(token_expires_on=date(2027, 1, 2)))
    assert found.expires_at == datetime(2027, 1, 2, tzinfo=UTC)
    assert spec.credentials(optioned()) == ()


def test_accounts_of_one_app_are_pushed_to_one_address():
    elsewhere = optioned(endpoint="https://push.shop.example/push/webstore/b")
    assert spec.findings(optioned(), [optioned()]) == ()
    assert spec.findings(optioned(), [elsewhere])[0].startswith("endpoint:")
