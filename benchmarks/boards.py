"""Open boards, as browsers hold them: run by `bench_board` as a process of its own.

Told where the board is, with which cookies and how many streams, it opens them, changes what they
show, and says as JSON how long it took until each was told.
"""

from __future__ import annotations

import asyncio
import json
import sys
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 10.0
TOP = """
    select account, thread from clock
    where ended is null and not history and steps <> '{}'
    order by due_at, id limit 40
"""
CLAIM = """
    insert into claim (account, thread, by, since, until)
    values ($1, $2, 'bo', now(), now() + interval '1 hour')
"""
RELEASE = "delete from claim where account = $1 and thread = $2"
TELL = "select pg_notify('replyby', $1)"


class Board:
    """One open stream; *told* is when the last change of its lines came."""

    def __init__(self) -> None:
        self.told, self.bytes, self.events = 0.0, 0, 0
        self.came = asyncio.Event()

    async def listen(self, host: str, port: int, path: str, cookie: str) -> None:
        """Listen for as long as the board does."""
        reader, writer = await asyncio.open_connection(host, port)
        head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: replyby={cookie}\r\n\r\n"
        writer.write(head.encode())
        while line := await reader.readline():
            self.bytes += len(line)
            if line in (b"event: lines\n", b"event: reload\n"):
                self.events += 1
                self.told = perf_counter()
                self.came.set()


async def opened(told: dict[str, Any], boards: Sequence[Board]) -> list[asyncio.Task[None]]:
    """Open as many streams as there are *boards*; all of them are told what there is."""
    cookies = told["cookies"]
    tasks = [
        asyncio.create_task(
            board.listen(told["host"], told["port"], told["path"], cookies[n % len(cookies)])
        )
        for n, board in enumerate(boards)
    ]
    for board in boards:
        await asyncio.wait_for(board.came.wait(), 60)
    await asyncio.sleep(2)
    return tasks


class Desk:
    """Claims a thread that every board shows, and gives it back, over and over."""

    def __init__(self, db: asyncpg.Connection, top: Sequence[tuple[str, str]]) -> None:
        self._db, self._top, self._n = db, top, 0

    async def change(self) -> None:
        """One change, in a transaction of its own."""
        account, thread = self._top[self._n // 2 % len(self._top)]
        async with self._db.transaction():
            await self._db.execute(RELEASE if self._n % 2 else CLAIM, account, thread)
            await self._db.execute(TELL, f"board {json.dumps({account: [thread]})}")
        self._n += 1


async def seen(desk: Desk, boards: Sequence[Board]) -> float:
    """Seconds from a change's commit until the last of *boards* was told."""
    for board in boards:
        board.came.clear()
    begun = perf_counter()
    await desk.change()
    for board in boards:
        await asyncio.wait_for(board.came.wait(), PATIENCE)
    return max(board.told for board in boards) - begun


async def main(told: dict[str, Any]) -> None:
    """Say what was found, one line for each word of what is asked for on stdin."""
    db = await asyncpg.connect(**told["address"])
    desk = Desk(db, [tuple(row) for row in await db.fetch(TOP)])
    boards = [Board() for _ in range(told["boards"])]
    tasks = await opened(told, boards)
    print(json.dumps({"open": len(boards)}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        rate, seconds = (float(word) for word in line.split())
        print(json.dumps(await changed(desk, boards, rate, seconds)), flush=True)
    for task in tasks:
        task.cancel()


async def changed(
    desk: Desk, boards: Sequence[Board], rate: float, seconds: float
) -> dict[str, float]:
    """Make *rate* changes a second for so long; at one a second, how soon each was seen by all."""
    begun, cpu = perf_counter(), process_time()
    events, received = sum(b.events for b in boards), sum(b.bytes for b in boards)
    took: list[float] = []
    n = 0
    while perf_counter() - begun < seconds:
        n += 1
        if rate <= 1:
            took.append(await seen(desk, boards))
        elif rate:
            await desk.change()
        await asyncio.sleep(max(0.0, begun + n / (rate or 1) - perf_counter()))
    return {
        "changes": n if rate else 0,
        "seconds": perf_counter() - begun,
        "cpu": process_time() - cpu,
        "events": sum(b.events for b in boards) - events,
        "bytes": sum(b.bytes for b in boards) - received,
        "median": median(took) if took else 0.0,
        "most": max(took, default=0.0),
    }


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
