"""One number at Meta's stand-in, an address that it reaches, and a clock that stands."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from connectors.webstore.meta.sandbox.server import Sandbox
from connectors.webstore.whatsapp.options import WhatsappOptions
from core.connector import Transport
from core.model import Draft
from core.pushes import PushRequest
from core.transport.http import Http
from tests.connectors.standing import QUICK
from tests.connectors.webstore.meta import endpoints


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def graph(sandbox):
    return sandbox.graph


@pytest.fixture
async def endpoint(clock):
    async with endpoints.served(clock) as endpoint:
        yield endpoint


@pytest.fixture
def line(sandbox, endpoint):
    line = sandbox.graph.add_line("whatsapp")
    sandbox.subscribe(line, endpoint.url)
    return line


@pytest.fixture
def optioned(sandbox, line, endpoint):
    """Options of an account, with more of them: `optioned(version="v24.0")`."""

    def optioned(of=line, **more):
        told = {**sandbox.options(of), "endpoint": endpoint.url, **more}
        return WhatsappOptions(kind="whatsapp", **told)

    return optioned


@pytest.fixture
def whatsapp(optioned, session, endpoint):
    """A connector, to which what is pushed comes."""
    options = optioned()
    connector = spec.open(options, Transport(Http(session, limits=QUICK)))
    endpoint.receiver, endpoint.accounts = connector, {"shop": options}
    return connector


@pytest.fixture
def ana(graph, line):
    return graph.add_person(line, "Ana")


@pytest.fixture
def deliver(sandbox, clock, whatsapp):
    """Let time pass, and Meta push what is due."""

    async def deliver(**after):
        clock.advance(**(after or {"seconds": 1}))
        await sandbox.pushes.deliver()
        return [tried.status for tried in sandbox.pushes.tried]

    return deliver


@pytest.fixture
def take(whatsapp, line, endpoint, clock):
    """What becomes of a push: `take(content)`, signed by the app unless told otherwise."""

    async def take(content, *, headers=None, sign=None, method="POST", **query):
        body = endpoints.written(content)
        over = body if sign is None else endpoints.written(sign)
        given = endpoints.signed(line.app.secret, over) if headers is None else headers
        asked = {name.replace("__", "."): value for name, value in query.items()}
        request = PushRequest(method, endpoints.PATH, asked, given, body, endpoint.accounts)
        return await whatsapp.receive(request, clock())

    return take


@pytest.fixture
def drafted(clock):
    """A reply to a thread: `drafted(thread, "On its way.")`."""

    def drafted(thread, body="It is on its way.", **more):
        given = {"id": 1, "account": "shop", "queued_at": clock.now, **more}
        return Draft(thread=thread.id, body=body, **given)

    return drafted
