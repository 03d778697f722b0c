"""The stand-in and eBay's own contracts speak of the same calls."""

from __future__ import annotations

import pytest

from connectors.ebay.sandbox import messages_api, notification_api, small_apis
from connectors.ebay.sandbox.server import HOSTS
from tests.connectors.ebay.sandbox import answers

OURS = (messages_api, notification_api, small_apis)
ELSEWHERE = {"createImageFromFile", "getImage"}
"""Of the Media API, whose contract is not there."""

NOT_SERVED = {"createSubscriptionFilter", "getSubscriptionFilter", "deleteSubscriptionFilter"}


@pytest.mark.needs_shared(*answers.FILES)
def test_every_call_has_the_name_that_its_contract_gives_it():
    names = {one.kwargs["name"] for part in OURS for host in HOSTS for one in part.routes(host)}
    assert names - ELSEWHERE == answers.operations().keys() - NOT_SERVED


@pytest.mark.needs_shared(*answers.FILES)
@pytest.mark.parametrize(
    "body",
    [
        {"conversations": [], "strange": 1},
        {"conversations": [{"unreadCount": "many"}]},
        {"conversations": [{"latestMessage": {"senderUserName": "a"}}]},
        [],
    ],
)
def test_an_answer_that_does_not_fit_is_found_out(body):
    assert answers.faults("getConversations", 200, body)


@pytest.mark.needs_shared(*answers.FILES)
def test_an_error_is_held_against_the_contract_too():
    assert answers.faults("getConversations", 400, {"errors": [{"errorId": "355008"}]})
    assert answers.faults("getConversations", 400, {"error": []})
    assert not answers.faults("getConversations", 400, {"errors": [{"errorId": 355008}]})
