"""Amazon: buyers' messages as they travel, by relayed mail; answers go back the same way.

No API reads or answers them (trap 1). What needs no network: which letter is which (`kinds`,
`addresses`), what it says (`body`, `deadlines`), what follows from it (`mapping`, `notices`), and
what Amazon asks of a seller (`policies`). Trap numbers are those of README.md.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.amazon import answering, offer, options, policies
from connectors.amazon.options import AmazonOptions
from connectors.amazon.spapi import metrics
from core.connector import SandboxSpec, Spec
from core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.connector import Connector, SandboxClock, Transport

NOWHERE = {"host": "127.0.0.1", "port": 1, "tls": "none"}


def _open(found: AmazonOptions, transport: Transport) -> Connector:
    """The connector; what it reads letters with is loaded for who has an account alone.

    Raises:
        SettingsError: that is not installed.
    """
    try:
        from connectors.amazon import both, connector  # noqa: PLC0415  # an extra, see above
    except ImportError:
        told = ["an Amazon account reads mail, which needs an extra: install replyby[mail]"]
        raise SettingsError(told) from None
    if found.sp_api is not None:
        return both.AmazonAndApi(found, found.sp_api, transport)
    return connector.Amazon(found, transport)


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, AmazonOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.amazon.sandbox import opening  # noqa: PLC0415  # an image holds none

    async with opening.open_sandbox(accounts, clock) as opened:
        yield opened


spec = Spec(
    name="amazon",
    options=AmazonOptions,
    policies=policies.of,
    streams=offer.streams,
    open=_open,
    can=offer.can,
    marketplace=options.marketplace,
    identity=options.identity,
    language=options.language,
    budget=options.budget,
    operations=offer.OPERATIONS,
    findings=options.findings,
    credentials=offer.credentials,
    refuses=answering.refuses,
    reported=metrics.reported,
    texts_kept=timedelta(days=30),  # Data Protection Policy 2.1: after the delivery
    sandbox=SandboxSpec(
        options={
            "user": "sandbox",
            "password": "sandbox",
            "imap": NOWHERE,
            "smtp": NOWHERE,
            "sender": "support@shop.example",
            "marketplaces": ["A1PA6795UKMFR9"],
            "authserv_ids": ["mx.sandbox.example"],
        },
        open=_open_sandbox,
    ),
)
