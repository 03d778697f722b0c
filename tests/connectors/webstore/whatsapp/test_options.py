"""What a number says in the settings, and what is made of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.whatsapp.options import WhatsappOptions
from sla.policy import ThreadKind

GIVEN = {
    "kind": "whatsapp", "access_token": "t", "app_id": "10", "app_secret": "s",
    "verify_token": "v", "phone_number_id": "1060", "business_account_id": "2060",
    "endpoint": "https://push.shop.example/push/webstore/wa",
}  # fmt: skip


def optioned(**more):
    return WhatsappOptions.model_validate({**GIVEN, **more})


def test_what_is_written_is_an_account():
    found = spec.options_of(GIVEN).model_validate(GIVEN)
    assert isinstance(found, WhatsappOptions)
    assert spec.marketplace(found) == "webstore-whatsapp"
    assert spec.identity(found) == "whatsapp https://graph.facebook.com number 1060"
    assert spec.budget(found) == "whatsapp https://graph.facebook.com app 10"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("phone_number_id", "+48 600"), ("app_id", "app"), ("business_account_id", ""),
        ("endpoint", "http://push.shop.example"), ("api", "http://graph.example"),
        ("version", "25"), ("access_token", ""), ("app_secret", "a\nb"),
        ("phone", "1"), ("kind", "messenger"), ("order_pattern", "("), ("order_pattern", "x" * 201),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(name, value):
    with pytest.raises(ValidationError):
        optioned(**{name: value})


@pytest.mark.parametrize("name", sorted(set(GIVEN) - {"kind"}))
def test_what_is_needed_is_asked_for(name):
    with pytest.raises(ValidationError, match=name):
        WhatsappOptions.model_validate({k: v for k, v in GIVEN.items() if k != name})


def test_a_token_with_a_written_end_is_a_credential():
    assert spec.credentials(optioned()) == ()
    (found,) = spec.credentials(optioned(token_expires_on=date(2027, 1, 2)))
    assert (found.name, found.expires_at) == ("access token", datetime(2027, 1, 2, tzinfo=UTC))


def test_numbers_of_one_app_are_pushed_to_one_address():
    other = optioned(phone_number_id="2")
    assert spec.findings(optioned(), [other]) == ()
    elsewhere = optioned(phone_number_id="2", endpoint="https://push.shop.example/push/webstore/b")
    (found,) = spec.findings(optioned(), [elsewhere])
    assert found.startswith("endpoint:")
    stranger = elsewhere.model_copy(update={"app_id": "11"})
    assert spec.findings(optioned(), [stranger]) == ()


def test_the_window_is_a_contract_and_the_hour_a_goal_of_ours():
    (window,), (goal,) = spec.policies(optioned()), spec.goals(optioned())
    assert (window.name, window.role, window.counts_from) == (
        "webstore-whatsapp-window", "contract", "latest"
    )  # fmt: skip
    assert window.reply_within == timedelta(hours=24)
    assert (goal.name, goal.role, goal.reply_within) == (
        "webstore-whatsapp-reply", "goal", timedelta(hours=1)
    )  # fmt: skip
    assert window.applies_to == goal.applies_to == {ThreadKind.CHAT}


def test_its_state_is_asked_for_every_hour_and_no_clock_hangs_on_that():
    (stream,) = spec.streams(optioned())
    assert (stream.name, stream.every, stream.carries_clocks) == (
        "number", timedelta(hours=1), False
    )  # fmt: skip
    (near,) = spec.streams(optioned(api="http://127.0.0.1:9"))
    assert near.every == timedelta(minutes=1)


def test_it_is_checked_whether_the_address_leads_to_our_door():
    """Nothing else brings a message: one that leads nowhere is blindness."""
    assert spec.pushed_to(optioned()) == GIVEN["endpoint"]
