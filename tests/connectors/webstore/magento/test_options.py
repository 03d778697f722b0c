"""What an account may say, and what is complained of."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.webstore import spec
from connectors.webstore.magento.options import MagentoOptions
from core.connector import Looks, Receives, Replies, Transport
from core.transport.http import Http

GIVEN = {"kind": "magento", "base_url": "https://shop.example/", "access_token": "t"}


def options(**more):
    return MagentoOptions(**{**GIVEN, **more})


def test_the_kind_is_found_by_its_word():
    assert spec.options_of(GIVEN) is MagentoOptions


@pytest.mark.parametrize(
    "more",
    [
        {"base_url": "http://shop.example"},
        {"base_url": "https://KEY@shop.example"},
        {"base_url": "https://shop.example?token=KEY"},
        {"access_token": "two\nlines"},
        {"automatic": "(KEY"},
        {"store_id": -1},
        {"poll_every": "30s"},
        {"push": {"endpoint": "https://push.shop.example"}},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_refused_and_no_secret_told(more):
    with pytest.raises(ValidationError) as caught:
        options(**more)
    assert "KEY" not in str(caught.value)


@pytest.mark.parametrize("told", ["https://a.example/shop/", "https://a.example/shop/rest/V1"])
def test_the_address_is_the_shops_own(told):
    assert options(base_url=told).base_url == "https://a.example/shop"


def test_it_reads_looks_and_answers_and_is_never_pushed(session):
    account = spec.open(options(), Transport(Http(session)))

    assert isinstance(account, Looks)
    assert isinstance(account, Replies)
    assert not isinstance(account, Receives)
    assert spec.pushed_to(options()) is None
    assert [one.name for one in spec.streams(options())] == ["orders"]


def test_one_shop_has_one_budget_and_each_of_its_stores_is_one():
    assert spec.identity(options()) == "magento https://shop.example"
    assert spec.identity(options(store_id=2)) == "magento https://shop.example store 2"
    assert spec.budget(options(store_id=2)) == spec.budget(options())
    assert spec.marketplace(options()) == "webstore-magento"


def test_orders_that_would_be_read_twice_are_told():
    (twice,) = spec.findings(options(), [options(store_id=2)])
    assert twice.startswith("store_id: ")
    assert spec.findings(options(store_id=1), [options(store_id=2)]) == ()
    assert spec.findings(options(), []) == ()
