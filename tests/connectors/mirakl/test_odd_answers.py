"""Answers that are odd in a way that could cost more than what is odd in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from connectors.mirakl import incidents, spec
from connectors.mirakl.connector import MOST_PAGES
from core.connector import Transport
from core.errors import BadPayload
from core.transport.http import Http
from tests.acceptance.moulds import Payload
from tests.acceptance.wire import Program, Wireless

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def answering(**bodies):
    """A connector whose operator answers each operation with these bodies, one after the other."""
    program = Program()
    for operation, body in bodies.items():
        for each in body:
            program.add(Payload(operation, json.dumps(each).encode()))
    connector = spec.open(
        spec.options(base_url="http://127.0.0.1", api_key="k"), Transport(Http(Wireless(program)))
    )
    return connector, program


def told(id_, *messages, total=None, **more):
    return {
        "id": id_,
        "messages": [{"id": m} for m in messages],
        "metadata": {"total_count": total},
    } | more


@pytest.mark.parametrize("token", [{"page": 2}, ["x"], [], False, True, 1.5])
async def test_a_token_that_is_no_text_is_not_the_end_of_the_walk(token):
    connector, _ = answering(M11=[{"data": [told("T1", "M1")], "next_page_token": token}])
    page = await connector.fetch("messages", None, None, NOON)

    assert [t.id for t in page.threads] == ["T1"]
    assert page.more
    with pytest.raises(BadPayload, match="next_page_token"):
        await connector.fetch("messages", None, page.position, NOON)


@pytest.mark.parametrize("token", [None, ""])
async def test_no_token_is_the_end_of_the_walk(token):
    connector, _ = answering(M11=[{"data": [], "next_page_token": token}])

    assert not (await connector.fetch("messages", None, None, NOON)).more


@pytest.mark.parametrize(
    "whole", [told("T1"), told("T1") | {"messages": 5}, told("T2", "M9"), {"id": "T1"}]
)
async def test_a_whole_thread_that_lacks_messages_does_not_take_away_those_of_the_page(
    whole,
):
    part = told("T1", "M1", "M2", total=150)
    connector, program = answering(M11=[{"data": [part]}])
    program.companions["T1"] = Payload("M10", json.dumps(whole).encode())
    page = await connector.fetch("messages", None, None, NOON)

    assert {"M1", "M2"} <= {m.id for m in page.messages}
    first = next(t for t in page.threads if t.id == "T1")
    assert first.incomplete is (whole["id"] == "T2")


async def test_reasons_that_cannot_be_read_are_kept_aside():
    coded = told("T1", "M1", topic={"type": "REASON_CODE", "value": "26"})
    odd = {"reasons": [{"code": "26", "label": ["Where?"]}, {"code": "27", "label": "What?"}]}
    connector, _ = answering(M11=[{"data": [coded]}], RE01=[odd])
    page = await connector.fetch("messages", None, None, NOON)
    assert ("26", "reasons.label: string_type") in {(a.source_id, a.reason) for a in page.set_aside}

    connector, _ = answering(M11=[{"data": [coded]}], RE01=[{"reasons": 5}])
    page = await connector.fetch("messages", None, None, NOON)
    assert "reasons" in {a.source_id for a in page.set_aside}


async def test_a_walk_through_orders_that_never_ends_is_broken_off():
    full = {"orders": [{"order_id": "A"}], "total_count": 10**12}
    connector, _ = answering(OR11=[full, full])
    page = await connector.fetch("incidents", None, None, NOON)
    assert page.more

    far = incidents.Walk({}, MOST_PAGES * 100).write()
    with pytest.raises(BadPayload, match="does not end"):
        await connector.fetch("incidents", None, far, NOON)


@pytest.mark.parametrize("said", ["NaN", "Infinity", "-1e999"])
async def test_a_mean_that_is_no_number_is_kept_aside(said):
    connector, _ = answering(A01=[{"order_messages_response_delay": float(said)}])
    page = await connector.fetch("report", None, None, NOON)

    assert page.published == ()
    assert [a.reason for a in page.set_aside] == ["order_messages_response_delay: finite_number"]


async def test_incidents_are_kept_though_nobody_tells_what_became_of_the_others():
    """They are a page of their own: what is listed does not wait for what is not."""
    line = {"order_line_id": "1", "order_line_state": "INCIDENT_OPEN"}
    listed = {"orders": [{"order_id": "A", "has_incident": True, "order_lines": [line]}]}
    connector, _ = answering(OR11=[listed, ["no", "orders"], listed, {"orders": []}])
    before = incidents.Walk({"incident:B:1": NOON.isoformat()}).write()
    page = await connector.fetch("incidents", before, None, NOON)

    assert [t.id for t in page.threads] == ["incident:A:1"]
    assert page.more
    for odd in ({"orders"}, set()):
        last = await connector.fetch("incidents", before, page.position, NOON)
        assert {a.source_id for a in last.set_aside} == odd
        assert not last.more
        assert incidents.Walk.read(last.cursor).open.keys() == {"incident:A:1", "incident:B:1"}
        page = await connector.fetch("incidents", before, None, NOON)


async def test_of_many_orders_those_that_can_be_read_are():
    line = {"order_line_id": "1", "order_line_state": "CLOSED"}
    good = {"orders": [{"order_id": "O100", "order_lines": [line]}]}
    connector, _ = answering(OR11=[{"orders": []}, ["no", "orders"], good])
    names = [f"incident:O{n}:1" for n in range(100, 210)]
    before = incidents.Walk(dict.fromkeys(names, NOON.isoformat())).write()
    page = await connector.fetch("incidents", before, None, NOON)
    last = await connector.fetch("incidents", before, page.position, NOON)

    assert [(name, one.asks) for name, one in last.given] == [("incident:O100:1", False)]
    assert incidents.Walk.read(last.cursor).open.keys() == set(names[1:])
    assert [a.source_id for a in last.set_aside] == ["orders"]


async def test_a_whole_thread_that_is_none_is_kept_aside_at_once():
    connector, program = answering(M11=[{"data": [told("T1", "M1", total=150)]}])
    program.companions["T1"] = Payload("M10", b"<html>")
    page = await connector.fetch("messages", None, None, NOON)

    assert ("T1", b"<html>") in {(a.source_id, a.raw) for a in page.set_aside}
    assert page.threads[0].incomplete


@pytest.mark.parametrize("neighbour", [{"id": "T2"}, {"id": "T2", "messages": 5}])
@pytest.mark.parametrize("odd", [1e5, 5.0, 0.1e-7, float("nan")])
async def test_a_number_with_a_point_is_no_id_whatever_stands_beside_it(odd, neighbour):
    connector, _ = answering(M11=[{"data": [{"id": odd}, {"id": 5}, neighbour]}])
    page = await connector.fetch("messages", None, None, NOON)

    assert {t.id for t in page.threads} == {"5", "T2"}
    assert "data.id: value_error" in {a.reason for a in page.set_aside}


async def test_a_look_keeps_what_came_in_place_of_orders_and_the_threads_it_has_read():
    connector, program = answering(OR11=[["no", "orders"]])
    program.companions["T1"] = Payload("M10", json.dumps(told("T1", "M1")).encode())
    page = await connector.look(["T1", "incident:A:1"], NOON)

    assert [m.id for m in page.messages] == ["M1"]
    assert ("orders", b'["no", "orders"]') in {(a.source_id, a.raw) for a in page.set_aside}
