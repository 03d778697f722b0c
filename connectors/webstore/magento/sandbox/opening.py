"""The first run: a shop for each account that says ``sandbox = true``, and people who buy.

Made for promises of one minute: see `core.sandbox.scene`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connectors.webstore.magento.sandbox.server import Sandbox
from connectors.webstore.magento.sandbox.stage import ShopStage
from core.sandbox import opening, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from connectors.webstore.magento.sandbox.shop import Shop

A_SECOND = 40
"""So many numbers are kept for each second, so that no later scene gives one of them again."""


@asynccontextmanager
async def open_sandbox(
    accounts: Mapping[str, object], clock: Callable[[], datetime]
) -> AsyncIterator[Mapping[str, Mapping[str, Any]]]:
    """Serve and play while entered; yields, by account, how its shop is reached.

    Each instant begins another scene: who starts again meets nobody of the last one.
    """
    begun = clock()
    async with Sandbox(clock, seed=opening.seed(begun)) as sandbox:
        shops = {name: _shop(sandbox, number, begun) for number, name in enumerate(accounts)}
        stages = {name: ShopStage(sandbox, one) for name, one in shops.items()}
        async with opening.played(stages, begun, clock, regular=people.regular()):
            yield {name: sandbox.options(one) for name, one in shops.items()}


def _shop(sandbox: Sandbox, number: int, begun: datetime) -> Shop:
    """A shop whose numbers go on where no earlier scene has been."""
    made = sandbox.add_shop(f"shop{number + 1}")
    made.begin_at(opening.first_number(begun, A_SECOND))
    return made
