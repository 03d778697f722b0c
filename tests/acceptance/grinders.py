"""Several processes that grind payloads side by side, each with a database of its own."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from core import store
from tests.acceptance import corpus, moulds
from tests.acceptance.grinding import Maker
from tests.acceptance.mill import Figures, Mill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.store import Address
    from tests.acceptance.moulds import Payload

GROUPS, SIZE = 25, 12
"""A batch is so many groups of so many payloads; the last group goes over a real wire."""

WIRED = 6
"""The size of that group: 2 % of the batch."""


@dataclass(slots=True)
class Ground:
    """What one process has seen; *rss* in bytes after its first batch and after its last."""

    figures: Figures = field(default_factory=Figures)
    rss: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


def workers() -> int:
    """One process a processor, as far as payloads go."""
    return os.cpu_count() or 1


async def ground(addresses: Sequence[Address], seed: str, payloads: int) -> list[Ground]:
    """Grind as many *payloads*, one process for each address; the same seed makes the same ones."""
    loop = asyncio.get_running_loop()
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(addresses), mp_context=fresh) as pool:
        each = -(-payloads // len(addresses))
        work = [
            loop.run_in_executor(pool, _grind, dict(address), f"{seed}/{n}", each)
            for n, address in enumerate(addresses)
        ]
        return list(await asyncio.gather(*work))


def _grind(address: dict[str, Any], seed: str, payloads: int) -> Ground:
    warnings.simplefilter("error")
    return asyncio.run(_ground(address, seed, payloads))


async def _ground(address: dict[str, Any], seed: str, payloads: int) -> Ground:
    """Batch after batch; a payload that does harm is made small, kept, and told at the end."""
    pool = await store.open_pool(address, size=2)
    mill, done = Mill(pool, await moulds.real()), Ground()
    maker = Maker(mill.moulds, seed)
    began = asyncio.get_running_loop().time()
    while mill.figures.payloads < payloads and len(done.faults) < 3:
        group: list[Payload] = []
        try:
            await _batch(mill, maker, group)
        except Exception as fault:  # noqa: BLE001  # whatever it is, its payload is what we look for
            done.faults.append(await _told(mill, group, fault))
        gc.collect()
        rss = psutil.Process().memory_info().rss
        done.rss = (done.rss[0] or rss, rss)
    done.figures, done.seconds = mill.figures, asyncio.get_running_loop().time() - began
    await pool.close()
    return done


async def _batch(mill: Mill, maker: Maker, group: list[Payload]) -> None:
    """One life of the account; *group* is what was ground last."""
    await mill.begin()
    for n in range(GROUPS):
        real = n == GROUPS - 1
        known = mill.known
        group[:] = [maker.payload(known, real=real) for _ in range(WIRED if real else SIZE)]
        await mill.grind(group, real=real)
    await mill.end()


async def _told(mill: Mill, group: Sequence[Payload], fault: Exception) -> str:
    """The fault and where its payloads lie, as small as can be."""
    kind = _kind(fault)
    if not group:
        return kind

    async def fails(payloads: Sequence[Payload]) -> bool:
        try:
            await mill.begin()
            await mill.grind(payloads, real=any(one.headers for one in payloads))
            await mill.end()
        except Exception as again:  # noqa: BLE001  # whatever it is, its payload is what we look for
            return _kind(again) == kind
        return False

    figures, mill.figures = mill.figures, Figures()
    kept = await corpus.smallest(group, fails) if await fails(group) else list(group)
    mill.figures = figures
    path = corpus.keep(kept, f"{type(fault).__name__}: {fault}"[:200])
    return f"{type(fault).__name__}: {fault}\n{path.read_text()[:2000]}\nkept as {path}"


def _kind(fault: Exception) -> str:
    """Which fault it is, without what tells one payload from another."""
    return f"{type(fault).__name__}: {str(fault).partition(':')[0]}"


def summed(done: Sequence[Ground]) -> Figures:
    """The figures of all processes as one."""
    total = Figures()
    for one in (each.figures for each in done):
        for name in ("payloads", "bytes", "walks", "wired", "stored", "aside"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.slowest = max(total.slowest, one.slowest)
        total.ends, total.made = total.ends + one.ends, total.made + one.made
    return total
