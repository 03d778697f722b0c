"""One phone number at Twilio, one sender of WhatsApp, and a clock that stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.webstore.twilio import connector
from connectors.webstore.twilio.options import TwilioOptions
from connectors.webstore.twilio.sandbox.server import Sandbox
from core.connector import Transport
from core.stage import walk
from core.transport.http import Http
from tests.connectors.standing import QUICK, Clock

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OURS, BUYER = "+48221230001", "+48600100200"
WA_OURS, WA_BUYER = f"whatsapp:{OURS}", f"whatsapp:{BUYER}"
ENDPOINT = "https://push.shop.example/push/webstore/sms"


@pytest.fixture
def clock():
    return Clock(NOON)


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def account(sandbox):
    return sandbox.desk.add_account()


@pytest.fixture
def number(account):
    return account.add_number(OURS, url=ENDPOINT)


@pytest.fixture
def sender(account):
    return account.add_number(WA_OURS, url=ENDPOINT)


@pytest.fixture
def optioned(sandbox, account, number):
    """Options of a number, with more of them: `optioned(overlap="1h")`."""

    def optioned(of=None, **more):
        told = sandbox.options(account, of or number)
        return TwilioOptions(kind="twilio", **{**told, **more})

    return optioned


@pytest.fixture
def opened(optioned, session):
    """A connector with options of its own."""

    def opened(of=None, *, limits=QUICK, **more):
        transport = Transport(Http(session, limits=limits))
        return connector.opened(optioned(of, **more), transport)

    return opened


@pytest.fixture
def twilio(opened):
    return opened()


@pytest.fixture
def read(twilio, clock):
    """All pages of one walk: `await read()`, `await read("calls", cursor)`."""

    async def read(stream="messages", cursor=None, *, by=None):
        return await walk(by or twilio, stream, cursor, clock.now)

    return read
