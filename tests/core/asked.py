"""A pool that remembers what the database was asked: for what must cost few statements."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core import store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def remembering(address: store.Address) -> AsyncIterator[tuple[store.Pool, list[str]]]:
    """A pool of one connection, and each statement that it was asked, BEGIN and COMMIT too."""
    asked: list[str] = []
    pool = await store.open_pool(address, size=1)
    async with pool.acquire() as db:
        db.add_query_logger(lambda query: asked.append(query.query))
    yield pool, asked
    await pool.close()
