"""The mailbox with SP-API beside it: what is offered when, and what breaks neither."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.amazon import spec
from connectors.amazon.connector import Amazon
from connectors.amazon.sandbox.server import Sandbox
from core.connector import Acts, Enriches, Replies, Transport, Waits
from core.errors import BadCredentials, Unreachable
from core.transport.http import Http
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp
from tests.connectors.amazon.spapi.conftest import ORDER, QUICK


@pytest.fixture
async def transport(session):
    mailboxes = Mailboxes()
    async with mailboxes:
        yield Transport(Http(session, limits=QUICK), mailboxes, Smtp())


@pytest.fixture
async def told(selling, clock):
    """The options of an account whose mailbox and whose SP-API both answer."""
    async with Sandbox(clock, seed=3) as sandbox:
        shop = await sandbox.add_seller(selling.marketplaces[0])
        mail = {**sandbox.options(shop), "poll_every": "2s"}
        yield {**mail, "sp_api": selling.options()}


@pytest.fixture
def both(told, transport):
    return spec.open(spec.options.model_validate(told), transport)


def test_without_sp_api_nothing_of_it_is_offered(told, transport):
    alone = spec.options.model_validate({**told, "sp_api": None})
    can, connector = spec.can(alone), spec.open(alone, transport)

    assert type(connector) is Amazon
    assert (can.enriches, can.acts, can.reports) == (False, False, False)
    assert not isinstance(connector, Enriches | Acts)
    assert [stream.name for stream in spec.streams(alone)] == ["mail"]
    assert spec.credentials(alone) == ()


def test_with_sp_api_it_can_what_it_says(told, both):
    options = spec.options.model_validate(told)
    can = spec.can(options)

    assert (can.enriches, can.acts, can.reports) == (True, True, True)
    for protocol in (Enriches, Acts, Replies, Waits):
        assert isinstance(both, protocol)
    assert [stream.name for stream in spec.streams(options)] == ["mail", "performance"]


def test_amazons_numbers_are_looked_at_hourly_and_a_stand_ins_each_minute(told):
    real = {**told, "sp_api": {**told["sp_api"], "base_url": None}}

    found = [spec.streams(spec.options.model_validate(one))[1].every for one in (real, told)]

    assert found == [timedelta(hours=1), timedelta(minutes=1)]


async def test_a_check_asks_both(api, selling, both):
    await both.check()
    assert len(api.calls("getMarketplaceParticipations")) == 1

    selling.revoke()
    selling.end_tokens()
    with pytest.raises(BadCredentials, match="authorise the application again"):
        await both.check()


@pytest.mark.parametrize("key", ["base_url", "token_url"])
async def test_an_address_of_sp_api_that_does_not_answer_is_told_by_its_key(told, transport, key):
    there = {**told, "sp_api": {**told["sp_api"], key: "http://127.0.0.1:1/there"}}
    both = spec.open(spec.options.model_validate(there), transport)

    with pytest.raises(Unreachable, match=rf"is sp_api\.{key} right, and does it answer\?"):
        await both.check()


async def test_each_stream_is_read_where_it_comes_from(api, both, clock):
    letters = await both.fetch("mail", None, None, clock())
    assert (letters.messages, list(api.received)) == ((), [])

    numbers = await both.fetch("performance", None, None, clock())
    assert numbers.published == ()
    assert len(api.calls("createReport")) == 1
    with pytest.raises(ValueError, match="no stream report"):
        await both.fetch("report", None, None, clock())


async def test_orders_and_actions_are_those_of_the_seller(both, clock):
    assert (await both.orders([ORDER], clock()))[ORDER].status == "shipped"
    assert "invoice" in [one.name for one in (await both.allowed(ORDER, clock())).actions]
