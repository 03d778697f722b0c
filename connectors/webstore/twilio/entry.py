"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.kind import Kind
from connectors.webstore.twilio import answering, offer, options
from connectors.webstore.twilio.options import TwilioOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport


def _open(found: TwilioOptions, transport: Transport) -> Connector:
    from connectors.webstore.twilio import connector  # noqa: PLC0415  # for who has one alone

    return connector.opened(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, TwilioOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.twilio.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_sandbox(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="twilio",
    options=TwilioOptions,
    open=_open,
    streams=offer.streams,
    can=offer.can,
    identity=options.identity,
    budget=options.budget,
    goals=offer.goals,
    policies=offer.policies,
    findings=options.findings,
    refuses=answering.refuses,
    narrows=answering.narrows,
    pushed_to=options.pushed_to,
    operations=offer.OPERATIONS,
    topics=offer.TOPICS,
    filling={
        "account_sid": "AC" + 32 * "0",
        "auth_token": "sandbox",
        "number": "+15005550006",
        "base_url": "http://127.0.0.1",
    },
    sandbox=_open_sandbox,
)
