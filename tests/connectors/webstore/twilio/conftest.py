"""One phone number at Twilio, one sender of WhatsApp, and a clock that stands."""

from __future__ import annotations

import pytest

from connectors.webstore.twilio.options import TwilioOptions
from connectors.webstore.twilio.sandbox.server import Sandbox
from core.stage import walk

OURS, BUYER = "+48221230001", "+48600100200"
WA_OURS, WA_BUYER = f"whatsapp:{OURS}", f"whatsapp:{BUYER}"
ENDPOINT = "https://push.shop.example/push/webstore/sms"


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
def twilio(opened):
    return opened()


@pytest.fixture
def read(twilio, clock):
    """All pages of one walk: `await read()`, `await read("calls", cursor)`."""

    async def read(stream="messages", cursor=None, *, by=None):
        return await walk(by or twilio, stream, cursor, clock.now)

    return read
