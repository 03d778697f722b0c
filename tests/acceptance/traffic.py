"""Buyers who write, and people of the shop who answer, while bad days are played."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from tests.acceptance import market

if TYPE_CHECKING:
    from connectors.mirakl.sandbox.inbox import Thread
    from connectors.mirakl.sandbox.server import Sandbox

OURS = "SHOP_USER"


@dataclass(slots=True, eq=False, repr=False)
class Traffic:
    """Something happens every *pause* seconds, at chance; *threads* are all that were opened.

    Its methods run in the loop of *sandbox*.
    """

    sandbox: Sandbox
    pause: float = 0.3
    random: Random = field(default_factory=lambda: Random(0))
    threads: list[Thread] = field(default_factory=list)
    _going: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._going = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        if self._going is not None:
            going, self._going = self._going, None
            going.cancel()
            await asyncio.wait([going])
            if not going.cancelled():
                going.result()

    async def act(self) -> None:
        """A buyer opens a thread or writes once more, or the shop answers."""
        name = self.random.choice(list(self.sandbox.operators))
        thread = self.random.choice(self.threads) if self.threads else None
        chance = self.random.random()
        if thread is None or chance < 0.5:
            self.threads.append(market.shop(self.sandbox, name).open_thread("Where is it?"))
        elif chance < 0.75:
            thread.buyer_writes("And now?")
        else:
            thread.shop_answers("It leaves the house today.")

    async def waiting(self) -> set[str]:
        """The threads whose buyer has the last word."""
        return {t.id for t in self.threads if t.messages[-1].sender_type != OURS}

    async def _go_on(self) -> None:
        while True:
            await self.act()
            await asyncio.sleep(self.pause * self.random.uniform(0.5, 1.5))
