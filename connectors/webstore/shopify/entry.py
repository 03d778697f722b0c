"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.kind import Kind
from connectors.webstore.shopify import answering, offer, options
from connectors.webstore.shopify.options import ShopifyOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport


def _open(found: ShopifyOptions, transport: Transport) -> Connector:
    from connectors.webstore.shopify import connector  # noqa: PLC0415  # for who has one alone

    return connector.opened(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, ShopifyOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.shopify.sandbox import opening  # noqa: PLC0415  # no image has it

    async with opening.open_sandbox(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="shopify",
    options=ShopifyOptions,
    open=_open,
    streams=offer.streams,
    can=offer.can,
    identity=options.identity,
    budget=options.budget,
    goals=offer.goals,
    findings=options.findings,
    pushed_to=options.pushed_to,
    refuses=answering.refuses,
    operations=offer.OPERATIONS,
    topics=offer.TOPICS,
    filling={
        "base_url": "http://127.0.0.1",
        "store": "sandbox.myshopify.com",
        "access_token": "sandbox",
        "client_secret": "a-secret-for-the-stand-in-alone",
    },
    sandbox=_open_sandbox,
)
