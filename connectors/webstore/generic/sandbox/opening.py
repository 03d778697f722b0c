"""The first run: a store for each account that says ``sandbox = true``, and people who write.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.generic.sandbox.server import Sandbox
from connectors.webstore.generic.sandbox.stage import ShopStage
from core.sandbox import opening, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from connectors.webstore.generic.options import GenericOptions
    from connectors.webstore.generic.sandbox.shop import Shop

A_SECOND = 20
"""So many numbers are kept for each second, so that no later scene gives one of them again."""


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, GenericOptions], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its store is reached.

    Each instant begins another scene: who starts again meets nobody of the last one. What was said
    before the beginning is pushed nowhere.
    """
    begun = clock()
    async with Sandbox(clock, seed=opening.seed(begun)) as sandbox:
        shops = {name: _shop(sandbox, one, begun) for name, one in accounts.items()}
        stages = {name: ShopStage(sandbox, one) for name, one in shops.items()}
        async with opening.played(stages, begun, clock, regular=people.regular()):
            for one in shops.values():
                one.tell = sandbox.deliveries.tell
            yield {name: sandbox.options(one) for name, one in shops.items()}


def _shop(sandbox: Sandbox, options: GenericOptions, begun: datetime) -> Shop:
    """A store whose numbers go on where no earlier scene has been."""
    made = sandbox.add_shop(options)
    made.tell = lambda _shop, _message: None
    made.begin_at(opening.first_number(begun, A_SECOND))
    return made
