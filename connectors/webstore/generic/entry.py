"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.generic import answering, offer, options
from connectors.webstore.generic.options import GenericOptions
from connectors.webstore.kind import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport

FOR_THE_STAND_IN = "0123456789abcdef0123456789abcdef"
"""No secret, however it is spelt: text, hex and base64 alike."""


def _open(found: GenericOptions, transport: Transport) -> Connector:
    from connectors.webstore.generic import connector  # noqa: PLC0415  # for who has one alone

    return connector.opened(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, GenericOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.generic.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_sandbox(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="generic",
    options=GenericOptions,
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
        "mapping": {
            "id": "id",
            "thread": "conversation",
            "party": "from",
            "parties": {"customer": "buyer", "agent": "seller"},
            "text": "text",
            "sent_at": "sent_at",
            "buyer": "name",
            "mail": "email",
            "phone": "phone",
            "subject": "subject",
            "orders": "orders",
        },
        "poll": {
            "url": "http://127.0.0.1/messages",
            "items": "messages",
            "since": {"parameter": "since"},
        },
    },
    tables={
        "auth": {"secret": FOR_THE_STAND_IN},
        "poll": {"url": "http://127.0.0.1/messages"},
        "reply": {"url": "http://127.0.0.1/messages"},
        "webhook": {"secret": FOR_THE_STAND_IN},
    },
    sandbox=_open_sandbox,
)
