"""The first run: a store for each account that says ``sandbox = true``, and people who write.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.bigcommerce.sandbox.server import Sandbox
from connectors.webstore.bigcommerce.sandbox.stage import StoreStage
from connectors.webstore.bigcommerce.sandbox.store import CREATED
from core.sandbox import opening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from connectors.webstore.bigcommerce.sandbox.store import Store

A_SECOND = 20
"""So many numbers are kept for each second, so that no later scene gives one of them again."""


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, opening.AccountOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its store is reached.

    Each instant begins another scene: who starts again meets nobody of the last one. What was said
    before the beginning is pushed nowhere.
    """
    begun = clock()
    async with Sandbox(clock, seed=opening.seed(begun)) as sandbox:
        stores = {name: _store(sandbox, number, begun) for number, name in enumerate(accounts)}
        stages = {name: StoreStage(sandbox, one) for name, one in stores.items()}
        async with opening.played(stages, begun, clock):
            yield {
                name: _options(sandbox, one, accounts[name].push) for name, one in stores.items()
            }


def _store(sandbox: Sandbox, number: int, begun: datetime) -> Store:
    """A store whose numbers go on where no earlier scene has been."""
    made = sandbox.add_store(f"store{number + 1}")
    made.begin_at(opening.first_number(begun, A_SECOND))
    return made


def _options(sandbox: Sandbox, store: Store, push: opening.AccountPush | None) -> dict[str, Any]:
    told = sandbox.options(store)
    if push is not None:
        store.add_hook(CREATED, push.endpoint)
        told["push"] = {"endpoint": push.endpoint, "client_secret": store.client_secret}
    return told
