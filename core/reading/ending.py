"""Walks that found nothing new give their streams back together: one statement, one commit.

Nothing but the row of its stream depends on such a walk, so each row is compared and set by itself:
one that another worker has taken meanwhile is lost alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.errors import LeaseLost, StoreUnavailable
from core.store import statement, streams

if TYPE_CHECKING:
    from core.store import Pool
    from core.store.streams import Finished

GATHER = 0.005
"""Seconds that the first of them waits for others."""

Key = tuple[str, str]
Told = Mapping[Key, Exception]
"""Why streams were not given back, by account and stream; nothing of those that were."""


class _Together:
    """Walks that end together; *told* is set when their streams are given back, or are not."""

    def __init__(self) -> None:
        self.walks: list[Finished] = []
        self.told = asyncio.Event()

    def written_by(self, writing: asyncio.Task[Told]) -> None:
        self.writing = writing
        writing.add_done_callback(lambda _: self.told.set())


class Endings:
    """Where walks of one process meet."""

    def __init__(self) -> None:
        self._gathering: _Together | None = None

    async def finish(self, pool: Pool, finished: Finished) -> None:
        """Give a lease back after a complete walk of which nothing is to be stored.

        Raises:
            LeaseLost: another worker has it.
            StoreUnavailable: the database went away; the stream is read again.
        """
        together = self._gathering
        if together is None:
            together = self._gathering = _Together()
            together.written_by(asyncio.create_task(self._write(pool, together)))
        together.walks.append(finished)
        await together.told.wait()  # who is cancelled here takes nobody along
        fault = together.writing.result().get(_key(finished))
        if isinstance(fault, StoreUnavailable):
            raise type(fault)(str(fault)) from fault
        if fault is not None:
            raise fault

    async def _write(self, pool: Pool, together: _Together) -> Told:
        await asyncio.sleep(GATHER)
        self._gathering = None
        return await _told(pool, together.walks)


async def _told(pool: Pool, together: list[Finished]) -> Told:
    """Give all back; where the database refuses one, each by itself, for it is that one's fault."""
    try:
        async with statement(pool) as db:
            held = await streams.finish_all(db, together)
    except StoreUnavailable as fault:
        return {_key(each): fault for each in together}
    except Exception as fault:  # noqa: BLE001  # a cursor that cannot be stored, say
        if len(together) == 1:
            return {_key(together[0]): fault}
        return {k: v for each in together for k, v in (await _told(pool, [each])).items()}
    lost = [_key(each) for each in together if _key(each) not in held]
    return {key: LeaseLost(f"{key[0]}/{key[1]}: another worker reads it") for key in lost}


def _key(finished: Finished) -> Key:
    return finished.lease.account, finished.lease.stream
