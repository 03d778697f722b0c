"""What an account may say, and what is complained of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.woocommerce.options import WooCommerceOptions
from core.connector import Looks, Receives, Replies, Subscribes, Transport
from core.transport.http import Http

GIVEN = {
    "kind": "woocommerce", "base_url": "https://shop.example/", "consumer_key": "ck_1",
    "consumer_secret": "cs_1",
}  # fmt: skip
PUSH = {"endpoint": "https://push.shop.example/push/webstore/toys", "secret": "s"}


def options(**more):
    return WooCommerceOptions(**{**GIVEN, **more})


def test_the_kind_is_found_by_its_word():
    assert spec.options_of(GIVEN) is WooCommerceOptions


@pytest.mark.parametrize(
    "more",
    [
        {"base_url": "http://shop.example"},
        {"base_url": "https://KEY@shop.example"},
        {"base_url": "https://shop.example?consumer_key=KEY"},
        {"consumer_key": "two\nlines"},
        {"consumer_key": "cs_KEY", "consumer_secret": "ck_KEY"},
        {"consumer_secret": "ck_KEY"},
        {"poll_every": "30s"},
        {"push": {"endpoint": PUSH["endpoint"]}},
        {"push": {**PUSH, "endpoint": "http://push.shop.example"}},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_refused_and_no_secret_told(more):
    with pytest.raises(ValidationError) as caught:
        options(**more)
    assert "KEY" not in str(caught.value)


@pytest.mark.parametrize(
    "told",
    ["https://shop.example", "https://shop.example/", "https://shop.example/wp-json/wc/v3/"],
)
def test_the_address_is_the_shops_own(told):
    assert options(base_url=told).base_url == "https://shop.example"
    assert options(base_url="https://a.example/shop/").base_url == "https://a.example/shop"


@pytest.mark.parametrize("push", [False, True])
def test_it_can_what_the_settings_give_it(session, push):
    given = options(push=PUSH if push else None)
    account = spec.open(given, Transport(Http(session)))

    assert isinstance(account, Looks)
    assert isinstance(account, Replies)
    assert isinstance(account, Receives) == isinstance(account, Subscribes) == push
    assert [one.name for one in spec.streams(given)] == ["orders", "hooks"][: 1 + push]
    assert spec.streams(given)[0].pushed == push


def test_where_pushes_go_is_known():
    assert spec.pushed_to(options(push=PUSH)) == PUSH["endpoint"]
    assert spec.pushed_to(options()) is None


def test_one_shop_is_one_and_has_one_budget():
    assert spec.identity(options()) == "woocommerce https://shop.example"
    assert spec.budget(options()) == spec.identity(options())
    assert spec.marketplace(options()) == "webstore-woocommerce"


def test_what_is_allowed_and_not_wise_is_told():
    (unpushed,) = spec.findings(options(), [])
    assert unpushed.startswith("push: ")
    assert spec.findings(options(push=PUSH), []) == ()
