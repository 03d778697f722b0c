"""What an account says, and what is wrong with it in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.chatwoot import offer
from connectors.webstore.chatwoot.options import ChatwootOptions
from sla.policy import Party, ThreadKind

ENDPOINT = "https://push.shop.example/push/webstore/chat"
GOOD = {
    "kind": "chatwoot", "base_url": "https://chat.shop.example/", "account_id": 1,
    "api_token": "a-token",
}  # fmt: skip


def made(**changes):
    return ChatwootOptions(**{**GOOD, **changes})


def test_what_is_left_out_is_as_the_readme_says():
    options = made()

    assert options.base_url == "https://chat.shop.example"
    assert (options.look_back, options.overlap) == (timedelta(days=30), timedelta(minutes=10))
    assert (options.poll_every, options.order_attribute) == (timedelta(seconds=30), "order_id")
    assert (options.inbox_id, options.push) == (None, None)


def test_the_webstore_knows_the_kind():
    assert spec.options_of(GOOD) is ChatwootOptions
    assert spec.marketplace(made()) == "webstore-chatwoot"


def test_no_secret_is_shown():
    options = made(push={"endpoint": ENDPOINT, "secret": "hush"})

    for text in (repr(options), str(options), spec.identity(options), spec.budget(options)):
        assert "a-token" not in text
        assert "hush" not in text


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"base_url": "http://chat.shop.example"}, "https://"),
        ({"base_url": "https://chat.shop.example/?x=1"}, "more than an address"),
        ({"base_url": "https://me@chat.shop.example"}, "more than an address"),
        ({"account_id": 0}, "greater"),
        ({"inbox_id": 0}, "greater"),
        ({"api_token": "a token\n"}, "more than a line"),
        ({"api_token": ""}, "is empty"),
        ({"poll_every": "9s"}, "write 10s"),
        ({"push": {"endpoint": "http://push.shop.example/"}}, "https://"),
        ({"push": {"endpoint": ENDPOINT, "secret": "s", "unsigned": True}}, "keep the secret"),
        ({"unknown": 1}, "Extra inputs"),
        ({"order_attribute": ""}, "at least 1"),
    ],
)
def test_what_is_wrong_is_said(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        made(**changes)


def test_a_stand_in_on_this_machine_may_be_asked_at_once():
    near = made(base_url="http://127.0.0.1:1", poll_every="1s")

    assert spec.streams(near)[0].floor == timedelta(seconds=1)
    assert spec.streams(made())[0].floor == timedelta(seconds=10)


def test_each_inbox_is_a_shop_of_its_own_and_one_server_has_one_budget():
    one, other, all_ = made(inbox_id=1), made(inbox_id=2), made()

    assert len({spec.identity(each) for each in (one, other, all_)}) == 3
    assert len({spec.budget(each) for each in (one, made(account_id=2))}) == 1


def test_a_push_that_nobody_can_believe_is_warned_of():
    (finding,) = spec.findings(made(push={"endpoint": ENDPOINT}), [])

    assert finding.startswith("push.secret: ")
    assert spec.findings(made(push={"endpoint": ENDPOINT, "unsigned": True}), []) == ()
    assert spec.findings(made(push={"endpoint": ENDPOINT, "secret": "s"}), []) == ()


def test_where_pushes_go_is_known():
    assert spec.pushed_to(made(push={"endpoint": ENDPOINT})) == ENDPOINT
    assert spec.pushed_to(made()) is None


def test_two_accounts_that_read_one_inbox_are_warned_of():
    (finding,) = spec.findings(made(), [made(inbox_id=2)])

    assert finding.startswith("inbox_id: ")
    assert spec.findings(made(), [made(account_id=2, inbox_id=2)]) == ()
    assert spec.findings(made(inbox_id=1), [made(inbox_id=2)]) == ()


def test_a_chat_is_promised_an_answer_within_five_minutes_by_a_goal_of_ours():
    (goal,) = spec.goals(made())

    assert (goal.name, goal.role) == ("webstore-chatwoot-chat", "goal")
    assert goal.reply_within == timedelta(minutes=5)
    assert (goal.applies_to, goal.waits_for) == ({ThreadKind.CHAT}, {Party.BUYER})
    assert goal.source
    assert goal.checked_on
    assert spec.policies(made()) == ()
    assert goal is offer.CHAT
