"""Standard Webhooks: what is pushed to us proves who sent it."""

from __future__ import annotations

import pytest

from core.transport import webhooks

KEY = b"a secret of 24 random by"
BODY = b'{"test": 2432232314}'
SENT = webhooks.signed(KEY, "msg_1", 1614265330, BODY)


def test_the_vector_of_the_specification_holds():
    key = webhooks.key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    assert webhooks.holds(key, headers, BODY)


def test_of_several_signatures_one_is_enough():
    other = webhooks.signature(b"another", "msg_1", "1614265330", BODY)

    assert webhooks.holds(
        KEY, {**SENT, "webhook-signature": f"{other} {SENT['webhook-signature']}"}, BODY
    )


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": ""},
        {"webhook-signature": ""},
        {"webhook-signature": SENT["webhook-signature"].removeprefix("v1,")},
        {"webhook-signature": "v1," + bytes.fromhex("00" * 32).hex()},
        {"webhook-signature": "v1,\udcff"},
        {"webhook-id": "msg_\udcff"},
        {"webhook-timestamp": "1614265330\udcff"},
        {"webhook-id": "msg_1\ud800"},
    ],
    ids=str,
)
def test_what_differs_in_anything_is_refused(change):
    assert webhooks.holds(KEY, SENT, BODY)
    assert not webhooks.holds(KEY, {**SENT, **change}, BODY)


def test_what_was_written_anew_is_refused():
    assert not webhooks.holds(KEY, SENT, b'{"test":2432232314}')


def test_a_secret_that_is_no_base64_is_told():
    with pytest.raises(ValueError, match=r"base64|padding"):
        webhooks.key("whsec_?")
    assert webhooks.key("plain") == b"plain"


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_a_secret_of_nothing_is_none(secret):
    """By it anybody could sign."""
    with pytest.raises(ValueError, match="empty"):
        webhooks.key(secret)
