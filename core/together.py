"""Several things at once, none of which is left behind when another fails or when we stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Iterable

T = TypeVar("T")


async def gathered(awaitables: Iterable[Awaitable[T]]) -> list[T]:
    """Every result, in order; when all have ended, the first failure is raised as it is."""
    results = await asyncio.gather(*awaitables, return_exceptions=True)
    done: list[T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done


async def in_turn(works: Iterable[Coroutine[object, object, T]], patience: float) -> list[T]:
    """As `gathered`, but each begins when the one before it has ended or took *patience* seconds.

    After a failure none begins any more.
    """
    begun: list[asyncio.Task[T]] = []
    try:
        for work in works:
            begun.append(asyncio.create_task(work))
            await asyncio.wait(begun[-1:], timeout=patience)
            if any(task.done() and task.exception() for task in begun):
                break
        return await gathered(begun)
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
