"""Chats, texts and WhatsApp as a process of its own: buyers write, and every message is pushed.

Serves the stand-ins of Chatwoot, Twilio and Meta and prints, as one line of JSON, how so many
accounts of each kind are reached. For a line ``URL RATE SECONDS`` it has buyers write and pushes so
many messages a second to the accounts' addresses under URL, really signed, in conversations of
`TALK` messages that stand in the stand-ins from the instant at which they leave; it prints how it
went: the seconds from the instant at which each was to leave until it was acknowledged, how many
were not, and their ids. Who signs is done before the first one leaves, and what leaves is written
to a few connections that stay open: two cores are shared with whom is measured. It ends with its
standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import pushing
from benchmarks.pusher import tell
from benchmarks.webstore import KINDS
from core import loops

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.webstore import Kind

LEAD = timedelta(seconds=1)
"""Between the last message that was signed and the first that leaves."""
SIGNED = 5000
"""So many messages at least are made and signed in a second here."""


class Burst(NamedTuple):
    """How many to push, how fast, to where."""

    url: str
    rate: int
    seconds: float

    @property
    def most(self) -> int:
        return round(self.rate * self.seconds)


async def serve(counts: Mapping[str, int]) -> None:
    async with AsyncExitStack() as stack:
        shops: list[Kind] = [
            await stack.enter_async_context(KINDS[word](f"{word}-{n}"))
            for word, count in counts.items()
            for n in range(count)
        ]
        tell({shop.account: shop.options for shop in shops})
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            tell(await pushed(shops, Burst(line[0], int(line[1]), float(line[2]))))


async def pushed(shops: Sequence[Kind], burst: Burst) -> dict[str, object]:
    """Make them, then let them leave at a rate that nothing slows down."""
    for shop in shops:
        shop.listen(burst.url)
    begins = loops.utcnow() + LEAD + timedelta(seconds=burst.most / SIGNED)
    every = timedelta(seconds=1 / burst.rate)
    made = [shops[n % len(shops)].asked(begins + n * every) for n in range(burst.most)]
    wait = (begins - loops.utcnow()).total_seconds()
    await asyncio.sleep(max(wait, 0))
    took = await pushing.sent(burst.url, made, burst.rate)
    return {
        "took": [each for each in took if each is not None],
        "lost": took.count(None),
        "ids": [one.id for one in made],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="+", help="word=count")
    told = (one.partition("=") for one in parser.parse_args().counts)
    asyncio.run(serve({word: int(count) for word, _, count in told}))
