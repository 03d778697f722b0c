"""One address for all that an app is pushed, whichever of its accounts it is named after."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from core.connector import Transport
from core.transport.http import Http
from tests.connectors.standing import QUICK
from tests.connectors.webstore.meta import endpoints

KINDS = ("whatsapp", "messenger", "instagram")


@pytest.fixture
def lines(graph):
    app = graph.add_app()
    return {kind: graph.add_line(kind, app) for kind in KINDS}


@pytest.fixture(params=KINDS)
async def address(request, lines, sandbox, session, clock):
    """The address of one of three accounts of an app, registered for all that it is pushed."""
    async with endpoints.served(clock) as endpoint:
        for kind, line in lines.items():
            told = {"kind": kind, **sandbox.options(line), "endpoint": endpoint.url}
            endpoint.accounts[kind] = spec.options_of(told).model_validate(told)
            sandbox.subscribe(line, endpoint.url)
        own = endpoint.accounts[request.param]
        endpoint.receiver = spec.open(own, Transport(Http(session, limits=QUICK)))
        yield endpoint


@pytest.fixture
def deliver(sandbox, clock):
    async def deliver():
        clock.advance(seconds=1)
        await sandbox.pushes.deliver()
        return {one.status for one in sandbox.pushes.tried}

    return deliver


async def test_whoever_is_written_to_gets_what_is_pushed_to_the_one_address(
    address, lines, graph, deliver
):
    """What WhatsApp pushes can never be read again: a 200 that stores nothing loses it."""
    for kind, line in lines.items():
        graph.says(line, graph.add_person(line), f"Hello {kind}")

    assert await deliver() == {200}

    found = {name: [m.body for m in address.messages(name).values()] for name in address.accounts}
    assert found == {kind: [f"Hello {kind}"] for kind in KINDS}
    assert {receipt.outcome for receipt in address.receipts} == {"stored"}


async def test_what_can_be_read_again_is_read_at_once(address, lines, graph, deliver):
    for line in lines.values():
        graph.says(line, graph.add_person(line), "Hello")

    await deliver()

    woken = [name for receipt in address.receipts for name in receipt.wake]
    assert sorted(woken) == ["instagram", "messenger"]


async def test_an_object_of_another_kind_is_acknowledged_and_counted(address, lines, clock):
    body = endpoints.written({"object": "permissions", "entry": [{"id": "1", "time": 1}]})
    headers = endpoints.signed(lines["whatsapp"].app.secret, body)
    told = endpoints.PushRequest("POST", endpoints.PATH, {}, headers, body, address.accounts)

    receipt = await address.receiver.receive(told, clock())

    assert (receipt.status, receipt.outcome, receipt.pages) == (200, "unknown_topic", {})
