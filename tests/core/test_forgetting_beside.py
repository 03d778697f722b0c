"""Texts are looked through beside the event loop: what else runs goes on meanwhile."""

from __future__ import annotations

import asyncio
from time import process_time

from core.arrival import erasing
from core.metrics import Metrics
from core.pushes import Member
from core.running import forgetting
from core.store import transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, stored, thread

TEXT = "Hello, where is my parcel? It was sent days ago. " * 60


async def test_the_event_loop_goes_on_while_texts_are_looked_through(pool, now):
    """Thousands of members and hundreds of long texts, all in one chunk, and large payloads.

    Between two turns of the loop the process may not work for long: on whatever a busy machine
    spends its time otherwise, it is not held against it.
    """
    await pages.monitored(pool, now - 900 * HOUR, pages.setup("mk"))
    told = [
        buyer(f"M{n}", now - HOUR, body=TEXT, raw=(TEXT * 30).encode() if n < 20 else None)
        for n in range(400)
    ]
    await stored(pool, now, thread(as_of=now, buyer="Other"), *told)
    gone = [Member(frozenset({f"q{n}x7k{n}z", f"name.{n}.{n}"})) for n in range(2000)]
    async with transaction(pool) as db:
        await erasing.ask(db, "mirakl", None, gone, now)
    rules = seeds.rules(accounts=("mk",))
    means = forgetting.Means(pool, rules, Metrics(), lambda: None)
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = process_time()
            await asyncio.sleep(0.005)
            longest = max(longest, process_time() - began)

    ticking = asyncio.create_task(tick())
    assert await forgetting.once(means, forgetting.Pace(), now) is None
    ticking.cancel()

    assert longest < 0.15
