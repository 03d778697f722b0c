"""One page or profile at Meta's stand-in, an address that it reaches, a clock that stands."""

from __future__ import annotations

import pytest

from connectors.webstore import spec
from connectors.webstore.meta.sandbox.server import Sandbox
from core.connector import Transport
from core.model import Draft
from core.pushes import PushRequest
from core.stage import walk
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


@pytest.fixture(params=["messenger", "instagram"])
def word(request):
    return request.param


@pytest.fixture
async def shop(clock):
    """The address to which the page is pushed."""
    async with endpoints.served(clock) as endpoint:
        yield endpoint


@pytest.fixture
def page(sandbox, word, shop):
    line = sandbox.graph.add_line(word)
    sandbox.subscribe(line, shop.url)
    return line


@pytest.fixture
def bo(graph, page):
    return graph.add_person(page, "Bo")


@pytest.fixture
def optioned(sandbox, page, shop, word):
    """Options of an account, with more of them: `optioned(human_agent=True)`."""

    def optioned(of=page, **more):
        told = {"kind": word, **sandbox.options(of), "endpoint": shop.url, **more}
        return spec.options_of(told).model_validate(told)

    return optioned


@pytest.fixture
def opened(optioned, session, shop):
    """A connector, to which what is pushed comes: `opened(human_agent=True)`."""

    def opened(**more):
        options = optioned(**more)
        connector = spec.open(options, Transport(Http(session, limits=QUICK)))
        shop.receiver, shop.accounts = connector, {"shop": options}
        return connector

    return opened


@pytest.fixture
def pages(opened):
    return opened()


@pytest.fixture
def read(pages, clock):
    async def read(cursor=None):
        return await walk(pages, "conversations", cursor, clock.now)

    return read


@pytest.fixture
def take(pages, page, shop, clock):
    """What becomes of a push that the app has signed."""

    async def take(content, **headers):
        body = endpoints.written(content)
        given = headers or endpoints.signed(page.app.secret, body)
        request = PushRequest("POST", endpoints.PATH, {}, given, body, shop.accounts)
        return await pages.receive(request, clock())

    return take


@pytest.fixture
def drafted(clock):
    def drafted(thread, body="It is on its way.", **more):
        given = {"id": 1, "account": "shop", "queued_at": clock.now, **more}
        return Draft(thread=thread.id, body=body, **given)

    return drafted
