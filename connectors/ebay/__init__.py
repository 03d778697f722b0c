"""eBay: conversations, dossiers with the dates that eBay itself gives, and pushes.

What needs no network: what its refusals mean (`refusals`), its quotas (`limits`), what a seller is
to keep (`policies`), and the mappings of each part. All calls leave by `access`. The parts:
`messages` (conversations), `trading` (the same for who may not read them), `dossiers` (inquiries,
returns, cancellations, cases, disputes), `push`. Trap numbers are those of README.md.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.ebay import offer, options, policies
from connectors.ebay.options import EbayOptions
from core.connector import SandboxSpec, Spec
from core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport


def _open(found: EbayOptions, transport: Transport) -> Connector:
    """The connector; signatures and XML are loaded for who has an account alone.

    Raises:
        SettingsError: what reads them is not installed.
    """
    try:
        from connectors.ebay import connector  # noqa: PLC0415  # an extra, see above
    except ImportError:
        told = ["an eBay account needs an extra: install replyby[ebay]"]
        raise SettingsError(told) from None
    return connector.opened(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, EbayOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.ebay.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_sandbox(accounts, clock) as opened:
        yield opened


spec = Spec(
    name="ebay",
    options=EbayOptions,
    policies=policies.of,
    goals=policies.goals,
    streams=offer.streams,
    open=_open,
    can=offer.can,
    marketplace=options.marketplace,
    identity=options.identity,
    language=options.language,
    budget=options.budget,
    operations=offer.OPERATIONS,
    topics=offer.TOPICS,
    credentials=offer.credentials,
    findings=options.findings,
    own=lambda found: found.own,
    pushed_to=options.pushed_to,
    refuses=offer.refuses,
    narrows=offer.narrows,
    sandbox=SandboxSpec(
        options={
            "client_id": "sandbox",
            "client_secret": "sandbox",
            "refresh_token": "sandbox",
            "seller": "sandbox",
            "hosts": dict.fromkeys(options.PRODUCTION, "http://127.0.0.1"),
        },
        tables={"push": {"verification_token": "a-token-for-the-stand-in-of-eBay-alone"}},
        open=_open_sandbox,
    ),
)
