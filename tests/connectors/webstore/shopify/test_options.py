"""What an account may say, and what is complained of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.shopify.options import ShopifyOptions
from core.connector import Looks, Receives, Replies, Subscribes, Transport
from core.transport.http import Http
from core.transport.smtp import Smtp

GIVEN = {"kind": "shopify", "store": "toys.myshopify.com", "access_token": "shpat_x"}
PUSH = {
    "push": {"endpoint": "https://push.store.example/push/webstore/toys"}, "client_secret": "s",
}  # fmt: skip
MAIL = {
    "smtp": {"host": "mail.store.example", "port": 465},
    "user": "support@store.example",
    "password": "p",
    "sender": "support@store.example",
}


def options(**more):
    return ShopifyOptions(**{**GIVEN, **more})


def test_the_kind_is_found_by_its_word():
    assert spec.options_of(GIVEN) is ShopifyOptions


@pytest.mark.parametrize(
    "more",
    [
        {"store": "toys.example"},
        {"store": "toys.myshopify.com/admin"},
        {"store": "TOYS.myshopify.com"},
        {"store": "toys.myshopify.com.evil.example"},
        {"access_token": "two\nlines"},
        {"access_token": None},
        {"client_id": "both-ways", "client_secret": "KEY"},
        {"access_token": None, "client_id": "alone"},
        {"base_url": "http://toys.myshopify.com"},
        {"base_url": "https://KEY@toys.myshopify.com"},
        {"base_url": "https://toys.myshopify.com?token=KEY"},
        {"api_version": "2026-11"},
        {"api_version": "unstable"},
        {"poll_every": "30s"},
        {"push": PUSH["push"]},
        {"push": {"endpoint": "http://push.store.example"}, "client_secret": "s"},
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
    given = options(**(PUSH if push else {}), mail=MAIL if mail else None)
    account = spec.open(given, Transport(Http(session), smtp=Smtp()))

    assert isinstance(account, Looks)
    assert isinstance(account, Receives) == isinstance(account, Subscribes) == bool(push)
    assert isinstance(account, Replies) == spec.can(given).replies == bool(mail)
    assert spec.can(given).sees_replies == "never"
    assert [s.name for s in spec.streams(given)] == ["orders", "disputes", "hooks"][: 2 + push]
    assert spec.streams(given)[0].pushed == bool(push)


def test_a_store_without_shopify_payments_has_no_disputes():
    assert [s.name for s in spec.streams(options(disputes=False))] == ["orders"]


def test_where_pushes_go_is_known():
    assert spec.pushed_to(options(**PUSH)) == PUSH["push"]["endpoint"]
    assert spec.pushed_to(options()) is None


def test_one_store_is_one_and_has_one_budget():
    assert spec.identity(options()) == "shopify toys.myshopify.com"
    assert spec.budget(options()) == spec.identity(options())
    assert spec.marketplace(options()) == "webstore-shopify"


def test_what_is_allowed_and_not_wise_is_told():
    no_push, no_mail = spec.findings(options(), [])
    assert no_push.startswith("push: ")
    assert no_mail.startswith("mail: ")
    assert spec.findings(options(**PUSH, mail=MAIL), []) == ()
