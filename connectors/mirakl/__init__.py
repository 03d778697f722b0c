"""Mirakl: one connector for every marketplace that runs on it, one account for each shop there."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.mirakl import answering, connector, options, policies
from connectors.mirakl.api import OPERATIONS
from connectors.mirakl.options import MiraklOptions
from core.connector import SandboxSpec, Spec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from core.connector import SandboxClock


@asynccontextmanager
async def _open_sandbox(
    accounts: Mapping[str, MiraklOptions], clock: SandboxClock
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    from connectors.mirakl.sandbox import backoffice, opening  # noqa: PLC0415  # an image holds none

    async with opening.open_sandbox(accounts, clock) as opened:
        yield {
            name: {**found, "thread_url": found["base_url"] + backoffice.PATH}
            for name, found in opened.items()
        }


def _findings(found: MiraklOptions, others: Sequence[MiraklOptions]) -> tuple[str, ...]:
    return (*policies.findings(found), *options.findings(found, others))


spec = Spec(
    name="mirakl",
    options=MiraklOptions,
    policies=policies.of,
    streams=connector.streams,
    open=connector.Mirakl,
    can=connector.can,
    marketplace=options.marketplace,
    identity=options.identity,
    budget=options.budget,
    operations=OPERATIONS,
    findings=_findings,
    refuses=answering.refuses,
    reported=policies.reported,
    sandbox=SandboxSpec(
        options={"base_url": "http://127.0.0.1", "api_key": "sandbox"}, open=_open_sandbox
    ),
)
