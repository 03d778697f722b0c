"""Several things at once, none of which is left behind when another fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

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
