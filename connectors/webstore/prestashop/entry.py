"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.kind import Kind
from connectors.webstore.prestashop import answering, offer, options
from connectors.webstore.prestashop.options import PrestaShopOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport


def _open(found: PrestaShopOptions, transport: Transport) -> Connector:
    from connectors.webstore.prestashop import connector  # noqa: PLC0415  # for who has one alone

    return connector.opened(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, PrestaShopOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.prestashop.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_sandbox(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="prestashop",
    options=PrestaShopOptions,
    open=_open,
    streams=offer.streams,
    can=offer.can,
    identity=options.identity,
    budget=options.budget,
    goals=offer.goals,
    findings=options.findings,
    refuses=answering.refuses,
    operations=offer.OPERATIONS,
    filling={"base_url": "http://127.0.0.1", "api_key": "sandbox"},
    sandbox=_open_sandbox,
)
