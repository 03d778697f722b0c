"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.kind import Kind
from connectors.webstore.meta import options as shared
from connectors.webstore.meta import window
from connectors.webstore.whatsapp import answering, offer, options
from connectors.webstore.whatsapp.options import WhatsappOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport


def _open(found: WhatsappOptions, transport: Transport) -> Connector:
    from connectors.webstore.whatsapp import connector  # noqa: PLC0415  # for who has one alone

    return connector.opened(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, WhatsappOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.meta.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_numbers(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="whatsapp",
    options=WhatsappOptions,
    open=_open,
    streams=offer.streams,
    can=offer.can,
    identity=options.identity,
    budget=shared.budget,
    policies=offer.policies,
    goals=offer.goals,
    credentials=shared.credentials,
    findings=shared.findings,
    pushed_to=shared.pushed_to,
    pusher=shared.pusher,
    refuses=answering.refuses,
    narrows=window.narrows,
    operations=offer.OPERATIONS,
    topics=offer.TOPICS,
    filling={**shared.FILLING, "phone_number_id": "1", "business_account_id": "1"},
    sandbox=_open_sandbox,
)
