"""OR11 and OR64: orders, paging by offset, incidents as states of lines."""

from __future__ import annotations

from datetime import timedelta

import pytest


async def orders(call, **query):
    status, body = await call("/orders", params=query)
    assert status == 200
    return body


def ids(body):
    return [one["order_id"] for one in body["orders"]]


async def test_an_order_looks_as_documented(call, clock, shop):
    order = shop.add_order("1001-A", lines=2)
    shop.open_thread("a", order=order)
    shop.add_order("1002-A")
    clock.advance(hours=1)
    order.open_incident(line=2)

    (one,) = (await orders(call, has_incident="true"))["orders"]
    first, second = one["order_lines"]

    assert (one["order_id"], one["commercial_id"]) == ("1001-A", "1001")
    assert (one["has_incident"], one["has_customer_message"]) == (True, True)
    assert one["last_updated_date"] == "2026-03-02T13:00:01.500Z"
    assert one["customer"]["locale"] == "en_US"
    assert one["customer_notification_email"].endswith(".example")
    assert (first["order_line_id"], first["order_line_state"]) == ("1001-A-1", "SHIPPED")
    assert first["last_updated_date"] == "2026-03-02T12:00:01.500Z"
    assert (second["order_line_id"], second["order_line_state"]) == ("1001-A-2", "INCIDENT_OPEN")
    assert second["last_updated_date"] == "2026-03-02T13:00:01.500Z"
    assert (second["order_line_state_reason_code"], second["order_line_state_reason_label"]) == (
        "14",
        "Item not received",
    )


async def test_a_closed_incident_is_no_longer_listed(call, clock, shop):
    order = shop.add_order("1001-A")
    order.open_incident()
    clock.advance(hours=1)
    order.close_incident()

    assert ids(await orders(call, has_incident="true")) == []
    assert ids(await orders(call, has_incident="false")) == ["1001-A"]
    (one,) = (await orders(call, order_ids="1001-A"))["orders"]
    assert one["order_lines"][0]["order_line_state"] == "INCIDENT_CLOSED"


async def test_an_incident_is_never_a_thread(call, shop):
    shop.add_order("1001-A").open_incident()

    assert (await call("/inbox/threads"))[1]["data"] == []


async def test_orders_are_found_by_id_date_and_channel(call, clock, shop):
    for number in range(3):
        shop.add_order(f"{number}-A", at=clock.now + timedelta(hours=number), channel=f"C{number}")

    assert ids(await orders(call, order_ids="2-A,0-A,9-A")) == ["0-A", "2-A"]
    assert ids(await orders(call, start_update_date="2026-03-02T13:00:01.500Z")) == ["1-A", "2-A"]
    assert ids(await orders(call, channel_codes="C1")) == ["1-A"]


async def test_pages_go_by_offset_and_the_oldest_comes_first(call, clock, shop):
    for number in range(25):
        shop.add_order(f"{number:02}-A", at=clock.now + timedelta(hours=number))

    status, headers, _ = await call("/orders", params={"offset": 10}, raw=True)
    pages = [ids(await orders(call, offset=begin)) for begin in (0, 10, 20)]
    body = await orders(call, max=100)

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [one for page in pages for one in page] == ids(body) == [f"{n:02}-A" for n in range(25)]
    assert body["total_count"] == 25
    assert status == 200
    assert 'offset=0&max=10>; rel="previous"' in headers["Link"]
    assert 'offset=20&max=10>; rel="next"' in headers["Link"]


async def test_what_closes_meanwhile_shifts_the_pages(call, clock, shop):
    made = [shop.add_order(f"{n}-A", at=clock.now + timedelta(hours=n)) for n in range(4)]
    for order in made:
        order.open_incident()
    first = ids(await orders(call, has_incident="true", max=2))
    made[0].close_incident()

    second = ids(await orders(call, has_incident="true", max=2, offset=2))

    assert (first, second) == (["0-A", "1-A"], ["3-A"])


@pytest.mark.parametrize(
    "query",
    [
        {"max": "101"},
        {"max": "0"},
        {"offset": "-1"},
        {"has_incident": "yes"},
        {"start_update_date": "yesterday"},
        {"order_ids": ",".join(str(n) for n in range(101))},
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(call, query):
    assert (await call("/orders", params=query))[0] == 400


async def test_the_shop_may_mark_an_incident_as_solved(call, shop):
    order = shop.add_order("1001-A", lines=2)
    order.open_incident(line=2)
    path = "/orders/1001-A/lines/1001-A-2/resolve_incident"

    wrong = [(await call(path, "PUT", json=body))[0] for body in ({}, {"reason_code": "26"}, ["8"])]
    status, _, _ = await call(path, "PUT", json={"reason_code": "8"}, raw=True)

    assert (wrong, status) == ([400, 400, 400], 204)
    assert [line.state for line in order.lines] == ["SHIPPED", "INCIDENT_CLOSED"]
    assert (await call(path, "PUT", json={"reason_code": "8"}))[0] == 400


async def test_an_unknown_order_or_line_or_another_shops_is_not_found(call, operator, shop):
    operator.add_shop(3000).add_order("2-A").open_incident()
    shop.add_order("1-A").open_incident()

    for path in ("/orders/9-A/lines/x", "/orders/1-A/lines/x", "/orders/2-A/lines/2-A-1"):
        status, _ = await call(f"{path}/resolve_incident", "PUT", json={"reason_code": "8"})
        assert status == 404, path
