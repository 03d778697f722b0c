"""The Corner Shop keeps what every connector promises, and takes pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from replyby_example import spec
from replyby_example.stage import CornerShopStage

from core.conformance import ConnectorConformance
from core.connector import Receives, Transport, load_specs
from core.errors import BadCredentials, BadPayload
from core.transport.http import Http, open_session
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LINE = {
    "number": 7,
    "conversation": "c",
    "by": "customer",
    "text": "hello",
    "at": "2026-11-21T11:00:00Z",
}


@pytest.fixture
async def stage() -> AsyncIterator[CornerShopStage]:
    async with CornerShopStage() as opened:
        yield opened


@pytest.fixture
async def receiver(stage: CornerShopStage) -> AsyncIterator[Receives]:
    async with open_session() as session:
        opened = spec.open(stage.options, Transport(Http(session)))
        assert isinstance(opened, Receives)
        yield opened


class TestCornerShop(ConnectorConformance):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[CornerShopStage]:
        async with CornerShopStage() as opened:
            yield opened


def test_it_is_found_beside_the_built_in_ones() -> None:
    assert load_specs()["example"] is spec
    assert "mirakl" in load_specs()


async def test_a_signed_push_is_a_page_of_the_account_in_its_path(
    stage: CornerShopStage, receiver: Receives
) -> None:
    receipt = await receiver.receive(stage.push(LINE, account="corner-de"), stage.now)

    assert receipt.status == 204
    (message,) = receipt.pages["corner-de"].messages
    assert (message.id, message.party, message.body) == ("7", Party.BUYER, "hello")


async def test_a_push_signed_by_somebody_else_is_refused(
    stage: CornerShopStage, receiver: Receives
) -> None:
    with pytest.raises(BadCredentials):
        await receiver.receive(stage.push(LINE, account="a", secret="guess"), stage.now)


async def test_a_push_that_cannot_be_read_is_kept(
    stage: CornerShopStage, receiver: Receives
) -> None:
    with pytest.raises(BadPayload) as caught:
        await receiver.receive(stage.push({"text": "whose?"}, account="a"), stage.now)

    assert b"whose?" in caught.value.raw
