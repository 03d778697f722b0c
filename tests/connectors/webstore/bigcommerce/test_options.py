"""What an account may say, and what is complained of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.bigcommerce.options import BigCommerceOptions
from core.connector import Looks, Receives, Replies, Subscribes, Transport
from core.transport.http import Http
from core.transport.smtp import Smtp

GIVEN = {"kind": "bigcommerce", "store_hash": "abc123", "access_token": "t"}
PUSH = {"endpoint": "https://push.store.example/push/webstore/toys", "client_secret": "s"}
MAIL = {
    "smtp": {"host": "mail.store.example", "port": 465},
    "user": "support@store.example",
    "password": "p",
    "sender": "support@store.example",
}


def options(**more):
    return BigCommerceOptions(**{**GIVEN, **more})


def test_the_kind_is_found_by_its_word():
    assert spec.options_of(GIVEN) is BigCommerceOptions


@pytest.mark.parametrize(
    "more",
    [
        {"store_hash": "../v3"},
        {"store_hash": "ABC"},
        {"access_token": "two\nlines"},
        {"base_url": "http://api.bigcommerce.com"},
        {"base_url": "https://KEY@api.bigcommerce.com"},
        {"base_url": "https://api.bigcommerce.com?token=KEY"},
        {"poll_every": "30s"},
        {"push": {"endpoint": PUSH["endpoint"]}},
        {"push": {**PUSH, "endpoint": "http://push.store.example"}},
        {"mail": {**MAIL, "password": None}},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_refused_and_no_secret_told(more):
    with pytest.raises(ValidationError) as caught:
        options(**more)
    assert "KEY" not in str(caught.value)


@pytest.mark.parametrize(("push", "mail"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_it_can_what_the_settings_give_it(session, push, mail):
    given = options(push=PUSH if push else None, mail=MAIL if mail else None)
    account = spec.open(given, Transport(Http(session), smtp=Smtp()))

    assert isinstance(account, Looks)
    assert isinstance(account, Receives) == isinstance(account, Subscribes) == bool(push)
    assert isinstance(account, Replies) == spec.can(given).replies == bool(mail)
    assert [one.name for one in spec.streams(given)] == ["messages", "hooks"][: 1 + push]
    assert spec.streams(given)[0].pushed == bool(push)


def test_where_pushes_go_is_known():
    assert spec.pushed_to(options(push=PUSH)) == PUSH["endpoint"]
    assert spec.pushed_to(options()) is None


def test_one_store_is_one_and_has_one_budget():
    assert spec.identity(options()) == "bigcommerce https://api.bigcommerce.com/stores/abc123"
    assert spec.budget(options()) == spec.identity(options())
    assert spec.marketplace(options()) == "webstore-bigcommerce"


def test_what_is_allowed_and_not_wise_is_told():
    no_push, no_mail = spec.findings(options(), [])
    assert no_push.startswith("push: ")
    assert no_mail.startswith("mail: ")
    assert spec.findings(options(push=PUSH, mail=MAIL), []) == ()
