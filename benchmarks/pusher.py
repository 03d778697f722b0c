"""eBay as a process of its own: many buyers write, and every message is pushed, really signed.

Serves the stand-in for a number of sellers and prints, as one line of JSON, how they are reached.
For a line ``URL RATE SECONDS`` it pushes so many messages a second to so many addresses under URL,
each in a conversation of its own that stands in the mailbox, and prints how it went: the seconds
from the instant at which each was to leave until it was acknowledged, and which were not. It ends
with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import uuid4

import psutil
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

from connectors.ebay.sandbox import opening, payload, topics
from connectors.ebay.sandbox.server import Sandbox
from core import loops

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from connectors.ebay.sandbox.market import Seller

SIGNATURE = "X-EBAY-SIGNATURE"
TOKEN = "a-verification-token-of-thirty-two-signs"
PATIENCE = ClientTimeout(total=30)


class Place(NamedTuple):
    """An address for pushes, as the settings of an account have it."""

    endpoint: str
    verification_token: Any


class Secret(NamedTuple):
    """A token as `Place` has it."""

    text: str

    def get_secret_value(self) -> str:
        return self.text


class Pusher:
    """The process, seen from the benchmark; *accounts* are options of accounts."""

    def __init__(self, said: IO[str], heard: IO[str], pid: int) -> None:
        self._said, self._heard = said, heard
        self.process = psutil.Process(pid)
        self.accounts: list[dict[str, Any]] = json.loads(said.readline())

    def push(self, url: str, rate: int, seconds: float) -> tuple[list[float], int]:
        """Push; the seconds that each took, and how many were not acknowledged."""
        told = self.tell(url, rate, seconds)
        return told["took"], told["lost"]

    def tell(self, url: str, rate: int, seconds: float) -> dict[str, Any]:
        """Let it push; what it says when it has."""
        self._heard.write(f"{url} {rate} {seconds}\n")
        self._heard.flush()
        told: dict[str, Any] = json.loads(self._said.readline())
        return told


PusherT = TypeVar("PusherT", bound=Pusher)


@contextmanager
def process(module: str, *words: str, of: type[PusherT]) -> Iterator[PusherT]:
    """*module* as a process, told *words*."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as made:  # fmt: skip
        assert made.stdout
        assert made.stdin
        yield of(made.stdout, made.stdin, made.pid)
        made.terminate()


def opened(sellers: int) -> AbstractContextManager[Pusher]:
    """So many sellers at one application."""
    return process("benchmarks.pusher", str(sellers), of=Pusher)


def place(url: str) -> str:
    """The one address under *url* to which the application is pushed."""
    return f"{url}/push/ebay/shop-0"


async def serve(sellers: int) -> None:
    async with (
        Sandbox(loops.utcnow) as sandbox,
        ClientSession(connector=TCPConnector(limit=0), timeout=PATIENCE) as session,
    ):
        known = [sandbox.market.add_seller(f"shop-{n}") for n in range(sellers)]
        sandbox.market.on_message = lambda *_: None  # what is written is pushed here, and timed
        tell([sandbox.options(one) for one in known])
        while line := (await asyncio.to_thread(sys.stdin.readline)).split():
            url, rate, seconds = place(line[0]), int(line[1]), float(line[2])
            for one in known:
                opening.subscribe(sandbox, one, Place(url, Secret(TOKEN)))
            tell(await burst(Burst(sandbox, known, session, url), rate, round(rate * seconds)))


class Burst(NamedTuple):
    """Who pushes to where."""

    sandbox: Sandbox
    sellers: list[Seller]
    session: ClientSession
    url: str


async def burst(by: Burst, rate: int, count: int) -> dict[str, Any]:
    """Push at a rate that nothing slows down: each is due at its own instant."""
    begun = monotonic()
    tasks = []
    for number in range(count):
        due = begun + number / rate
        if (wait := due - monotonic()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(by, number, due)))
    took = await asyncio.gather(*tasks)
    return {"took": [each for each in took if each is not None], "lost": took.count(None)}


async def one(by: Burst, number: int, due: float) -> float | None:
    """Write a message, push it; the seconds from *due* until it was acknowledged, None if not."""
    market = by.sandbox.market
    seller = by.sellers[number % len(by.sellers)]
    conversation = seller.asked(market.add_member(), f"Question {number}: where is my parcel?")
    told = topics.envelope(
        topics.NEW_MESSAGE,
        str(uuid4()),
        payload.pushed(conversation, conversation.messages[0]),
        event_at=market.clock(),
        published_at=market.clock(),
        attempt=1,
    )
    body = json.dumps(told).encode()
    headers = {"Content-Type": "application/json", SIGNATURE: market.keys.current.header(body)}
    try:
        async with by.session.post(by.url, data=body, headers=headers) as answer:
            await answer.read()
            return monotonic() - due if answer.status == 204 else None
    except (ClientError, TimeoutError):
        return None


def tell(said: object) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sellers", type=int)
    asyncio.run(serve(parser.parse_args().sellers))
