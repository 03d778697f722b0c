"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.kind import Kind
from connectors.webstore.messenger.options import MessengerOptions
from connectors.webstore.meta import options as shared
from connectors.webstore.meta import window
from connectors.webstore.meta.pages import answering, offer, options
from connectors.webstore.meta.pages.platform import MESSENGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport


def _open(found: MessengerOptions, transport: Transport) -> Connector:
    from connectors.webstore.meta.pages import connector  # noqa: PLC0415  # for who has one alone

    return connector.Pages(found, MESSENGER, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, MessengerOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.meta.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_pages(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="messenger",
    options=MessengerOptions,
    open=_open,
    streams=offer.streams,
    can=lambda found: offer.can(MESSENGER, offer.within(found)),
    identity=options.identity,
    budget=shared.budget,
    policies=lambda found: offer.policies(found, MESSENGER),
    goals=lambda _: offer.goals(MESSENGER),
    credentials=shared.credentials,
    findings=shared.findings,
    pushed_to=shared.pushed_to,
    pusher=shared.pusher,
    refuses=answering.refuses,
    narrows=window.narrows,
    operations=offer.OPERATIONS,
    topics=offer.TOPICS,
    filling={**shared.FILLING, "page_id": "1"},
    sandbox=_open_sandbox,
)
