"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.kind import Kind
from connectors.webstore.magento import answering, offer, options
from connectors.webstore.magento.options import MagentoOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport


def _open(found: MagentoOptions, transport: Transport) -> Connector:
    from connectors.webstore.magento import connector  # noqa: PLC0415  # for who has one alone

    return connector.Magento(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, MagentoOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.magento.sandbox import opening  # noqa: PLC0415  # no image has it

    async with opening.open_sandbox(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="magento",
    options=MagentoOptions,
    open=_open,
    streams=offer.streams,
    can=offer.can,
    identity=options.identity,
    budget=options.budget,
    goals=offer.goals,
    findings=options.findings,
    refuses=answering.refuses,
    operations=offer.OPERATIONS,
    filling={"base_url": "http://127.0.0.1", "access_token": "sandbox"},
    sandbox=_open_sandbox,
)
