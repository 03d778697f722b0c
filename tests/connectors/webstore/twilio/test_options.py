"""What a number says in the settings, and what is said of it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.twilio import options as declared
from connectors.webstore.twilio.options import TwilioOptions
from tests.connectors.webstore.twilio.conftest import ENDPOINT, OURS, WA_OURS

SID, KEY = "AC" + 32 * "a", "SK" + 32 * "b"


def options(**more):
    basic = {"kind": "twilio", "account_sid": SID, "auth_token": "t", "number": OURS}
    return TwilioOptions(**{**basic, **more})


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_sid": "AC1"},
        {"number": "0048600100200"},
        {"number": "sms:+48600100200"},
        {"auth_token": None},
        {"api_key": KEY},
        {"auth_token": None, "api_key": "SK1", "api_secret": "s"},
        {"auth_token": None, "api_key": KEY, "api_secret": "s", "endpoint": ENDPOINT},
        {"endpoint": "http://push.shop.example/push"},
        {"base_url": "https://api.twilio.com/2010-04-01"},
        {"base_url": "https://user@api.twilio.com"},
        {"poll_every": "5s"},
        {"kind": "sms"},
        {"colour": "red"},
    ],
)
def test_what_cannot_work_is_refused(wrong):
    with pytest.raises(ValidationError):
        options(**wrong)


def test_what_names_the_number_holds_no_secret():
    one = options(endpoint=ENDPOINT)

    assert declared.identity(one) == f"https://api.twilio.com {SID} {OURS}"
    assert declared.identity(options(number=WA_OURS)) != declared.identity(one)
    assert declared.budget(one) == declared.budget(options(number=WA_OURS))
    assert spec.pushed_to(one) == ENDPOINT
    assert spec.marketplace(one) == "webstore-twilio"
    assert one.base_url == "https://api.twilio.com"


def test_what_is_not_wise_is_said():
    assert [f.partition(":")[0] for f in spec.findings(options(), [])] == ["endpoint"]
    assert spec.findings(options(base_url="http://127.0.0.1:1"), []) == ()
    pushed = options(endpoint=ENDPOINT)
    assert spec.findings(pushed, [options(number=WA_OURS, endpoint=ENDPOINT)]) == ()
    (said,) = spec.findings(pushed, [options(number=WA_OURS, endpoint=ENDPOINT, auth_token="u")])
    assert said.startswith("auth_token:")


def test_a_stand_in_on_this_machine_may_be_asked_often():
    near = options(base_url="http://127.0.0.1:1", poll_every="1s")

    assert all(one.floor <= one.every for one in spec.streams(near))
    assert spec.streams(options())[0].floor.total_seconds() == 10
