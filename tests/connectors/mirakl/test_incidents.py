"""OR11 on the stand-in: an incident is a state of a line, undated, and gone when it closes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.mirakl import incidents, mapping, spec
from connectors.mirakl.payload import Orders
from sla.clock import clocks
from sla.policy import Party, ThreadKind

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOWN = mapping.Shown("https://op.example")
RECORDED = Path(__file__).parent / "recorded"


@pytest.fixture
def policies():
    options = spec.options(base_url="https://x.example", api_key="k", operator="bestbuy")
    return spec.policies(options)


async def test_an_open_incident_is_a_thread_with_a_start_that_is_not_sure(read, shop, clock):
    order = shop.add_order("77-A", lines=2, at=clock.now - 9 * HOUR)
    order.open_incident(line=2, at=clock.now - 2 * HOUR)
    found = await read("incidents")

    (thread,) = found.threads.values()
    assert (thread.id, thread.kind) == ("incident:77-A:77-A-2", ThreadKind.INCIDENT)
    assert (thread.order_ids, thread.subject) == (("77-A",), "Item not received")
    assert thread.buyer == "Ada Sample"
    assert thread.url.endswith("/mmp/shop/order/77-A")
    given = found.given[thread.id]
    assert (given.kind, given.asks, given.due_at) == ("incident", True, None)
    assert given.starts_at == given.as_of == clock.now - 2 * HOUR
    assert given.uncertain


async def test_incidents_never_appear_among_messages(read, shop):
    shop.add_order("77-A").open_incident()

    assert (await read()).threads == {}


async def test_an_incident_that_is_closed_is_asked_for_once_more(read, sandbox, shop, clock):
    order = shop.add_order("77-A", at=clock.now - 9 * HOUR)
    order.open_incident(at=clock.now - 2 * HOUR)
    first = await read("incidents")
    order.close_incident(at=clock.now - HOUR)
    second = await read("incidents", first.cursor)
    third = await read("incidents", second.cursor)

    (given,) = second.given.values()
    assert (given.asks, given.starts_at, given.as_of) == (False, None, clock.now - HOUR)
    assert second.threads["incident:77-A:77-A-1"].closed_at == clock.now - HOUR
    assert third.given == {}
    assert sandbox.calls("OR11")[2].query["order_ids"] == "77-A"


@pytest.mark.parametrize(("hours", "ended"), [(95, "met"), (97, "late")])
async def test_best_buy_wants_it_solved_within_four_days(read, shop, clock, policies, hours, ended):
    began = clock.now
    order = shop.add_order("77-A", at=began - HOUR)
    order.open_incident(at=began)
    first = await read("incidents")
    clock.advance(hours=hours)
    order.close_incident()
    second = await read("incidents", first.cursor)
    (name,) = first.given
    (running,) = first.clocks(name, policies, began, kind=ThreadKind.INCIDENT)
    first.given |= second.given
    both = [*first.pages, *second.pages]
    readings = [given for page in both for _, given in page.given]

    assert (running.waits_for, running.due_at) == (Party.BUYER, began + 96 * HOUR)
    assert running.steps[0] == began + 48 * HOUR
    (done,) = clocks_of(readings, policies)
    assert (done.started_at, done.stopped_at, done.ended) == (began, clock.now, ended)


def clocks_of(readings, policies):
    fitting = [p for p in policies if ThreadKind.INCIDENT in p.applies_to]
    return clocks([], fitting, readings, kind=ThreadKind.INCIDENT)


async def test_one_of_two_incidents_of_an_order_closes(read, shop, clock):
    order = shop.add_order("77-A", lines=2, at=clock.now - 9 * HOUR)
    order.open_incident(line=1, at=clock.now - 3 * HOUR)
    order.open_incident(line=2, at=clock.now - 2 * HOUR)
    first = await read("incidents")
    order.close_incident(line=1, at=clock.now - HOUR)
    second = await read("incidents", first.cursor)

    asks = {name: given.asks for name, given in second.given.items()}
    assert asks == {"incident:77-A:77-A-1": False, "incident:77-A:77-A-2": True}


async def test_many_incidents_are_walked_by_offset_and_none_is_lost(read, sandbox, shop, clock):
    orders = [shop.add_order(f"{n}-A", at=clock.now - n * HOUR) for n in range(1, 231)]
    for order in orders:
        order.open_incident(at=clock.now - HOUR)
    first = await read("incidents")

    def closes():
        for order in orders[-3:]:
            order.close_incident(at=clock.now)

    second = await read("incidents", first.cursor, between=closes)
    third = await read("incidents", second.cursor)

    assert len(first.threads) == 230
    assert [c.query["offset"] for c in sandbox.calls("OR11")[:3]] == ["0", "100", "200"]
    assert len(second.given) == 230  # those that the shift skipped were asked for by their orders
    closed = {name for name, given in third.given.items() if not given.asks}
    assert closed == {f"incident:{n}-A:{n}-A-1" for n in (228, 229, 230)}


async def test_an_order_that_is_no_longer_told_changes_nothing(read, shop, operator, clock):
    shop.add_order("77-A").open_incident()
    first = await read("incidents")
    operator.orders.clear()
    second = await read("incidents", first.cursor)

    assert second.given == {}
    assert json.loads(second.cursor)["open"] == json.loads(first.cursor)["open"]


async def test_a_failed_reading_changes_nothing(mirakl, sandbox, shop, clock):
    shop.add_order("77-A").open_incident()
    page = await mirakl.fetch("incidents", None, None, clock.now)
    shop.operator.orders["77-A"].close_incident()
    sandbox.faults.order("status", status=500, operation="OR11", skip=1, count=3)
    listed = await mirakl.fetch("incidents", page.cursor, None, clock.now)
    assert listed.more
    with pytest.raises(Exception, match="status 500"):
        await mirakl.fetch("incidents", page.cursor, listed.position, clock.now)
    again = await mirakl.fetch("incidents", page.cursor, listed.position, clock.now)

    assert [given.asks for _, given in again.given] == [False]


async def test_a_look_tells_how_an_incident_is_now(mirakl, shop, clock):
    order = shop.add_order("77-A", at=clock.now - 9 * HOUR)
    order.open_incident(at=clock.now - HOUR)
    name = "incident:77-A:77-A-1"
    asking = await mirakl.look([name], clock.now)
    order.close_incident(at=clock.now)
    closed = await mirakl.look([name], clock.now)

    assert [given.asks for _, given in asking.given] == [True]
    assert [given.asks for _, given in closed.given] == [False]


async def test_incidents_can_be_left_out(opened):
    options = spec.options(base_url="https://x.example", api_key="k", incidents=False)

    assert [s.name for s in spec.streams(options)] == ["messages", "report"]
    assert {k for p in spec.policies(options) for k in p.applies_to} == {ThreadKind.MESSAGE}


def recorded(**changes):
    orders = json.loads((RECORDED / "or11.json").read_text())
    orders["orders"][0]["order_lines"][0] |= changes
    return Orders.model_validate(orders).orders


NAME = "incident:ORD-1001-A:ORD-1001-A-1"


def test_a_recorded_order_becomes_one_incident():
    found = incidents.found(recorded(), {}, SHOWN, NOW)

    assert list(found.open) == [NAME]
    assert found.page.set_aside == ()


@pytest.mark.parametrize("state", ["INCIDENT_ESCALATED", "", None])
def test_a_state_that_is_not_documented_is_open_and_counted(state):
    for known in ({}, {NAME: "2026-03-01T11:00:00+00:00"}):
        found = incidents.found(recorded(order_line_state=state), known, SHOWN, NOW)

        assert list(found.open) == [NAME]
        assert [a.reason for a in found.page.set_aside] == ["order_line_state: unknown"]


def test_an_order_whose_ids_make_too_long_a_name_is_kept_aside_and_its_neighbour_read():
    good, odd = recorded()[0], recorded()[0].model_copy(update={"order_id": "\u0301" * 299})
    found = incidents.found([odd, good], {}, SHOWN, NOW)

    assert list(found.open) == [NAME]
    assert "order_line_id: too long" in {a.reason for a in found.page.set_aside}


def test_an_incident_that_no_line_has_is_counted():
    found = incidents.found(recorded(order_line_state="SHIPPED"), {}, SHOWN, NOW)

    assert found.open == {}
    assert [a.reason for a in found.page.set_aside] == ["has_incident: no line has one"]


@pytest.mark.parametrize("date", [None, "soon", "2036-01-01T00:00:00Z"])
def test_a_line_without_a_date_counts_from_now(date):
    found = incidents.found(recorded(last_updated_date=date), {}, SHOWN, NOW)

    ((_, given),) = found.page.given
    assert given.starts_at == given.as_of == NOW


@pytest.mark.parametrize("date", [None, "soon", "2036-01-01T00:00:00Z"])
def test_read_again_without_a_date_it_is_the_same_reading_until_it_closes(date):
    known, said = {}, []
    for hour in range(3):
        orders = recorded(last_updated_date=date)
        found = incidents.found(orders, known, SHOWN, NOW + hour * HOUR)
        known = found.open
        said += [(given.as_of, given.starts_at) for _, given in found.page.given]

    assert said == [(NOW, NOW)] * 3

    closed = recorded(last_updated_date=date, order_line_state="REFUNDED")
    found = incidents.found(closed, known, SHOWN, NOW + 3 * HOUR)
    assert [(g.asks, g.as_of) for _, g in found.page.given] == [(False, NOW + 3 * HOUR)]


def test_a_look_says_nothing_new_of_one_that_still_asks_without_a_date():
    known = {NAME: incidents.ASKED}
    looked = incidents.found(recorded(last_updated_date=None), known, SHOWN, NOW).page
    dated = incidents.found(recorded(), known, SHOWN, NOW).page
    solved = recorded(last_updated_date=None, order_line_state="REFUNDED")
    closed = incidents.found(solved, known, SHOWN, NOW).page

    assert ([t.id for t in looked.threads], looked.given) == ([NAME], ())
    assert [g.asks for _, g in dated.given] == [True]
    assert [g.asks for _, g in closed.given] == [False]


def test_a_date_that_appears_later_counts():
    found = incidents.found(
        recorded(last_updated_date="2026-03-02T13:00:00Z"),
        {NAME: NOW.isoformat()},
        SHOWN,
        NOW + 2 * HOUR,
    )

    ((_, given),) = found.page.given
    assert given.as_of == NOW + HOUR


def test_a_closing_is_never_older_than_the_reading_that_asked():
    known = {NAME: "2026-03-01T13:00:00+00:00"}
    found = incidents.found(recorded(order_line_state="REFUNDED"), known, SHOWN, NOW)

    ((_, given),) = found.page.given
    assert not given.asks
    assert given.as_of == datetime(2026, 3, 1, 13, tzinfo=UTC)
    assert found.closed == {NAME}


@pytest.mark.parametrize("order", ["77-A", "a:b", "a/b c", "é"])
def test_an_incidents_thread_names_its_order(order):
    assert incidents.order_of(incidents.thread_id(order, "1:2")) == order
    assert incidents.order_of("702c3e56") is None
