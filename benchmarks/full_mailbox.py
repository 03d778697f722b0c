"""eBay's stand-in with one seller and a full mailbox, a process whose figures are its own.

Prints the options that lead to the seller as JSON, then, for each line that it reads, a number: so
many old conversations go on by then. Ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

from connectors.ebay.sandbox.server import Sandbox
from core.loops import utcnow

if TYPE_CHECKING:
    from collections.abc import Iterator

NEWEST, OLDEST = timedelta(days=60), timedelta(days=3_000)
BUYERS = 500
SEED = 3


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The other end: *options* of an account that reads it."""

    options: dict[str, Any]
    asked: IO[bytes]
    told: IO[bytes]

    def write(self, count: int) -> None:
        """Let the buyers of so many old conversations write again, now."""
        self.asked.write(b"%d\n" % count)
        self.asked.flush()
        assert self.told.readline() == b"written\n"


@contextmanager
def opened(count: int) -> Iterator[Mailbox]:
    """A mailbox of *count* old conversations, as it is served by another process."""
    command = [sys.executable, "-m", "benchmarks.full_mailbox", str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        yield Mailbox(json.loads(process.stdout.readline()), process.stdin, process.stdout)
        process.terminate()


async def serve(count: int) -> None:
    async with Sandbox(utcnow, seed=SEED) as sandbox:
        seller = sandbox.market.add_seller("quillons")
        buyers = [sandbox.market.add_member(f"buyer-{number}") for number in range(BUYERS)]
        now = utcnow()
        bulk = seller.mailbox.fill(count, now - OLDEST, now - NEWEST, buyers)
        print(json.dumps(sandbox.options(seller)), flush=True)
        loop, place = asyncio.get_running_loop(), 0
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            for _ in range(int(line)):
                conversation = seller.mailbox.find(str(bulk.first + place * 997 % count))
                assert conversation
                seller.buyer_writes(conversation, "It has still not arrived.")
                place += 1
            print("written", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    asyncio.run(serve(parser.parse_args().count))
