"""A process that uses the embedded PostgreSQL, for tests that kill it.

    python process.py (own | join) PLACE [USER_ID]

Prints a line of JSON when it is served, then each number that it has committed to table t.
Ends, tidily, when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg

from core.errors import Error
from core.store import Address, embedded


async def own(place: Path) -> None:
    async with embedded.own(place / "var", elsewhere=place / "lib") as server:
        watching = asyncio.create_task(server.watch())
        await count(server.address)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def join(place: Path) -> None:
    async with embedded.join(place / "var", elsewhere=place / "lib") as address:
        await count(address)


async def count(address: Address) -> None:
    """Commit one number after another until standard input ends."""
    tell(host=address["host"], uid=os.geteuid())
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    loop.add_reader(sys.stdin, asked.set)
    number = 0
    gone = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    while not asked.is_set():
        with suppress(*gone):
            db = await asyncpg.connect(**address)
            await db.execute("create table if not exists t (n int)")
            while not asked.is_set():
                await db.execute("insert into t values ($1)", number + 1)
                number += 1
                tell(number=number)
                await asyncio.sleep(0.002)
            await db.close()
        await asyncio.sleep(0.02)


def tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    way, place, *uid = sys.argv[1:]
    if uid:  # only after the imports: that user may not be able to read them
        os.setgroups([])
        os.setgid(int(uid[0]))
        os.setuid(int(uid[0]))
    try:
        asyncio.run({"own": own, "join": join}[way](Path(place)))
    except Error as error:
        tell(error=type(error).__name__, says=str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
