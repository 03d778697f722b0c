"""What an account of Messenger or Instagram says in the settings, and what is made of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.instagram.options import InstagramOptions
from connectors.webstore.messenger.options import MessengerOptions

KINDS = {"messenger": MessengerOptions, "instagram": InstagramOptions}
OWN = {"messenger": "1060", "instagram": "2060"}
GIVEN = {
    "access_token": "t", "app_id": "10", "app_secret": "s", "verify_token": "v", "page_id": "1060",
    "endpoint": "https://push.shop.example/push/webstore/shop",
}  # fmt: skip


@pytest.fixture
def given(word):
    """What is needed of an account: an Instagram profile has a number of its own besides."""
    own = {"instagram_id": OWN[word]} if word == "instagram" else {}
    return {"kind": word, **GIVEN, **own}


@pytest.fixture
def optioned(word, given):
    """Options with more of them: `optioned(human_agent=True)`."""
    return lambda **more: KINDS[word].model_validate({**given, **more})


def test_what_is_written_is_an_account(word, given):
    found = spec.options_of(given).model_validate(given)
    assert isinstance(found, KINDS[word])
    assert spec.marketplace(found) == f"webstore-{word}"
    assert spec.identity(found) == f"{word} https://graph.facebook.com {found.own_id}"
    assert found.own_id == OWN[word]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_id", "shop"), ("app_id", ""), ("endpoint", "http://push.shop.example"),
        ("poll_every", "30s"), ("version", "25"), ("human_agent", "perhaps"), ("phone", "1"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(optioned, name, value):
    with pytest.raises(ValidationError):
        optioned(**{name: value})


def test_what_is_needed_is_asked_for(word, given):
    for name in set(given) - {"kind"}:
        with pytest.raises(ValidationError, match=name):
            KINDS[word].model_validate({k: v for k, v in given.items() if k != name})


def test_a_stand_in_may_be_asked_often(optioned):
    assert optioned(api="http://127.0.0.1:9", poll_every="2s").poll_every == timedelta(seconds=2)


def test_conversations_are_read_under_the_pushes(optioned):
    chats, standing = spec.streams(optioned())
    assert (chats.name, chats.every, chats.pushed, chats.carries_clocks) == (
        "conversations", timedelta(minutes=5), True, True
    )  # fmt: skip
    assert (standing.name, standing.every, standing.carries_clocks) == (
        "standing", timedelta(hours=1), False
    )  # fmt: skip


def test_a_token_with_a_written_end_is_a_credential(optioned):
    (found,) = spec.credentials(optioned(token_expires_on=date(2027, 1, 2)))
    assert found.expires_at == datetime(2027, 1, 2, tzinfo=UTC)
    assert spec.credentials(optioned()) == ()


def test_it_is_checked_whether_the_address_leads_to_our_door(optioned):
    assert spec.pushed_to(optioned()) == GIVEN["endpoint"]


def test_accounts_of_one_app_are_pushed_to_one_address(optioned):
    elsewhere = optioned(endpoint="https://push.shop.example/push/webstore/b")
    assert spec.findings(optioned(), [optioned()]) == ()
    assert spec.findings(optioned(), [elsewhere])[0].startswith("endpoint:")
