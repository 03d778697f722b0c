"""Orders as an agent sees them: nothing about a person is asked for, come, or kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.amazon.sandbox.spapi_market import Bought, Line
from connectors.amazon.spapi import orders
from connectors.amazon.spapi.payload import OrderAnswer
from core.errors import BadCredentials, BadPayload, RateLimited, Unreachable
from core.model import Item
from tests.connectors.amazon.spapi.conftest import DE, FR, ORDER

DAY = timedelta(days=1)
ANOTHER, UNKNOWN = "302-1111111-2222222", "302-7654321-7654321"


async def test_an_order_tells_what_an_agent_wants_to_see(selling, partner, clock):
    at = clock() - 4 * DAY
    selling.bought(
        Bought(
            ANOTHER, DE, at, (Line("B0A", "S-1", "Lamp", 2), Line("B0B", "S-2", "Bell")),
            is_cancel_asked=True, total=("64.80", "EUR"),
        )
    )  # fmt: skip

    told = (await partner.orders([ANOTHER], clock()))[ANOTHER]

    assert told.as_of == clock()
    assert (told.status, told.fulfilled_by, told.parcels) == ("shipped", "seller", ("in_transit",))
    assert (told.bought_at, told.shipped_at) == (at, at + DAY)
    assert (told.ship_by, told.deliver_by) == (at + 2 * DAY, at + 5 * DAY)
    assert (told.total, told.currency, told.cancel_asked) == ("64.80", "EUR", True)
    assert told.items == (
        Item(product="B0A", sku="S-1", title="Lamp", quantity=2),
        Item(product="B0B", sku="S-2", title="Bell", quantity=1),
    )


async def test_trap_22_orders_are_the_new_ones_and_nothing_about_a_person_comes(
    api, selling, partner, clock
):
    told = (await partner.orders([ORDER], clock()))[ORDER]

    (asked,) = api.calls("getOrder")
    assert asked.path.startswith("/eu/orders/2026-01-01/orders/")
    assert not {"BUYER", "RECIPIENT"} & set(asked.query["includedData"].split(","))
    buyer = selling.orders[ORDER].buyer
    assert buyer not in told.model_dump_json()
    assert "1Z999" not in told.model_dump_json()


async def test_an_order_of_amazons_own_stock_has_no_parcels(selling, partner, clock):
    selling.orders[ORDER].fulfilled_by = "AMAZON"

    told = (await partner.orders([ORDER], clock()))[ORDER]

    assert (told.fulfilled_by, told.parcels, told.shipped_at) == ("marketplace", (), None)


async def test_unknown_and_misshapen_ids_are_no_orders(partner, clock):
    ids = [UNKNOWN, "123-1234567-0000000", "../../token", "x y"]

    assert await partner.orders(ids, clock()) == dict.fromkeys(ids)


async def test_what_the_rate_does_not_allow_is_left_out_and_comes_later(
    api, selling, partner, clock
):
    selling.rates["getOrder"] = (0.5, 2)
    selling.bought(Bought(ANOTHER, DE, clock()))

    found = await partner.orders([ORDER, UNKNOWN, ANOTHER], clock())
    assert list(found) == [ORDER, UNKNOWN]

    with pytest.raises(RateLimited) as caught:
        await partner.orders([ANOTHER], clock())
    assert 1 < caught.value.retry_after <= 2
    assert [one.status for one in api.calls("getOrder")] == [200, 404, 429]


async def test_the_burst_leaves_and_then_nothing_is_asked_in_vain(api, selling, partner, clock):
    ids = [f"302-0000000-{number:07}" for number in range(1, 41)]

    assert len(await partner.orders(ids, clock())) == 30
    assert [one.status for one in api.calls("getOrder")] == [404] * 30


async def test_trap_23_the_rate_is_learnt_from_the_header_and_not_needed(
    api, selling, partner, clock
):
    selling.rates["getOrder"] = (0.25, 30)
    await partner.orders([ORDER], clock())
    assert partner._calls._paces["getOrder"].rate == 0.25

    selling.tells_rate = False
    assert await partner.orders([ORDER], clock())


async def test_a_refusal_for_the_rate_tells_how_long_to_wait(api, partner, clock):
    api.faults.order("status", status=429, operation="getOrder")

    with pytest.raises(RateLimited) as caught:
        await partner.orders([ORDER], clock())
    assert 1.9 < caught.value.retry_after <= 2

    with pytest.raises(RateLimited):
        await partner.orders([ORDER], clock())
    assert len(api.calls("getOrder")) == 1


@pytest.mark.parametrize(
    ("kind", "how", "error"),
    [
        ("status", {"status": 500}, Unreachable),
        ("status", {"status": 503}, Unreachable),
        ("status", {"status": 403}, BadCredentials),
        ("status", {"status": 418}, BadPayload),
        ("html", {"status": 200}, BadPayload),
        ("truncated", {}, BadPayload),
        ("missing", {"field": "order.orderId"}, BadPayload),
        ("drop", {}, Unreachable),
    ],
)
async def test_an_answer_that_cannot_be_used_becomes_the_right_error(
    api, partner, clock, kind, how, error
):
    api.faults.order(kind, operation="getOrder", **how)

    with pytest.raises(error):
        await partner.orders([ORDER], clock())
    assert isinstance((await _after(api, partner, clock)), dict)


async def _after(api, partner, clock):
    api.faults.lift()
    return await partner.orders([ORDER], clock())


async def test_a_fault_in_the_middle_costs_what_came_before_it_nothing(api, partner, clock):
    api.faults.order("status", status=500, operation="getOrder", skip=1)

    assert list(await partner.orders([ORDER, UNKNOWN], clock())) == [ORDER]


async def test_an_order_that_cannot_be_read_holds_no_other_up(api, selling, partner, clock):
    selling.bought(Bought(ANOTHER, DE, clock()))
    api.faults.order("truncated", operation="getOrder", count=1)

    found = await partner.orders([ANOTHER, ORDER], clock())

    assert found[ANOTHER] is None
    assert found[ORDER].status == "shipped"


def test_an_order_of_which_nearly_nothing_is_told_is_one(clock):
    answer = OrderAnswer.model_validate(
        {"order": {"orderId": "A", "orderItems": None, "packages": None, "proceeds": {},
                   "fulfillment": {"fulfillmentStatus": None, "fulfilledBy": "MOON"}}}
    )  # fmt: skip

    told = orders.order(answer.order, clock())

    assert (told.id, told.status, told.fulfilled_by, told.items) == ("A", "", None, ())
    assert orders.marketplace(answer.order) is None


def test_the_buyers_name_in_an_answer_is_not_even_read(clock):
    answer = OrderAnswer.model_validate(
        {"order": {"orderId": "A", "buyer": {"buyerName": "Ada Sample"},
                   "salesChannel": {"marketplaceId": FR}}}
    )  # fmt: skip

    assert "Ada" not in repr(answer)
    assert orders.marketplace(answer.order) == FR
