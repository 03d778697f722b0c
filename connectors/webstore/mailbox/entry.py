"""The kind, declared. Light: its reader and its stand-in are imported when they are opened."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.kind import Kind
from connectors.webstore.mailbox import answering, offer, options
from connectors.webstore.mailbox.options import MailboxOptions
from core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport

NOWHERE = {"host": "127.0.0.1", "port": 1, "tls": "none"}


def _open(found: MailboxOptions, transport: Transport) -> Connector:
    """The connector; what it reads letters with is loaded for who has an account alone.

    Raises:
        SettingsError: that is not installed.
    """
    try:
        from connectors.webstore.mailbox import connector  # noqa: PLC0415  # an extra, see above
    except ImportError:
        told = ["a shop's mailbox is read by mail, which needs an extra: install replyby[mail]"]
        raise SettingsError(told) from None
    return connector.StoreMailbox(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, MailboxOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.webstore.mailbox.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_sandbox(accounts, clock) as opened:
        yield opened


kind = Kind(
    word="mailbox",
    options=MailboxOptions,
    open=_open,
    streams=offer.streams,
    can=offer.can,
    identity=options.identity,
    budget=options.budget,
    goals=offer.goals,
    findings=options.findings,
    refuses=answering.refuses,
    filling={
        "user": "sandbox",
        "password": "sandbox",
        "imap": NOWHERE,
        "smtp": NOWHERE,
        "sender": "support@shop.example",
        "authserv_ids": ["mx.shop.example"],
        "own_domains": ["shop.example"],
    },
    sandbox=_open_sandbox,
)
