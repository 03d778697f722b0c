"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.instagram.options import InstagramOptions
from connectors.webstore.kind import Kind
from connectors.webstore.meta import options as shared
from connectors.webstore.meta import window
from connectors.webstore.meta.pages import answering, offer, options
from connectors.webstore.meta.pages.platform import INSTAGRAM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport


def _open(found: InstagramOptions, transport: Transport) -> Connector:
    from connectors.webstore.meta.pages import connector  # noqa: PLC0415  # for who has one alone

    return connector.Pages(found, INSTAGRAM, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, InstagramOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.meta.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_profiles(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="instagram",
    options=InstagramOptions,
    open=_open,
    streams=offer.streams,
    can=lambda found: offer.can(INSTAGRAM, offer.within(found)),
    identity=options.identity,
    budget=shared.budget,
    policies=lambda found: offer.policies(found, INSTAGRAM),
    goals=lambda _: offer.goals(INSTAGRAM),
    credentials=shared.credentials,
    findings=shared.findings,
    pushed_to=shared.pushed_to,
    pusher=shared.pusher,
    refuses=answering.refuses,
    narrows=window.narrows,
    operations=offer.OPERATIONS,
    topics=offer.TOPICS,
    filling={**shared.FILLING, "page_id": "1", "instagram_id": "1"},
    sandbox=_open_sandbox,
)
