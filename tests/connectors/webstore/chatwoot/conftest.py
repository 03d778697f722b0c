"""One account at Chatwoot with one inbox and a clock that stands; a connector for the inbox."""

from __future__ import annotations

import pytest

from connectors.webstore.chatwoot.options import ChatwootOptions
from connectors.webstore.chatwoot.sandbox.server import Sandbox
from core.stage import walk

SECRET = "a-secret-of-the-webhook"
ENDPOINT = "https://push.shop.example/push/webstore/chat"


@pytest.fixture
async def sandbox(clock):
    async with Sandbox(clock, seed=1) as sandbox:
        yield sandbox


@pytest.fixture
def account(sandbox):
    return sandbox.desk.add_account()


@pytest.fixture
def inbox(account):
    return account.add_inbox()


@pytest.fixture
def optioned(sandbox, inbox):
    """Options of an account, with more of them: `optioned(overlap="1h")`."""

    def optioned(**more):
        return ChatwootOptions(kind="chatwoot", **{**sandbox.options(inbox), **more})

    return optioned


@pytest.fixture
def chatwoot(opened):
    return opened()


@pytest.fixture
def read(chatwoot, clock):
    """All pages of one walk: `await read()`, `await read(cursor)`."""

    async def read(cursor=None, *, by=None):
        return await walk(by or chatwoot, "conversations", cursor, clock.now)

    return read
