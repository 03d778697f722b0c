"""`/metrics`, `/livez` and `/readyz`: for Prometheus and for whoever restarts processes."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from aiohttp import web
from prometheus_client.exposition import choose_encoder

from core.errors import Error, StoreImpaired
from core.measuring import fleet
from core.measuring.facts import Names, Promised, Snapshot
from core.store import migrate, stats, unavailable
from core.web.contracts import Contracts
from core.web.count import Count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from core.loops import Pulse
    from core.metrics import Metrics
    from core.store import Pool

QUERY_LIMIT = 2.0
FRESH = 1.0
STUCK_AFTER = 180.0
"""Seconds without a turn: above the longest request with its storing."""
END = b"# EOF\n"
GZIP = 16
"""Asks zlib for gzip's head and tail."""

log = structlog.get_logger()


@dataclass(slots=True)
class Watched:
    """What the answers are made of; the daemon fills it in as it comes up.

    *pool* is None while the database was never reached; *stopping* says that we are going down,
    *pending* which migrations the start waits for, that another step is to apply.
    """

    metrics: Metrics
    pulse: Pulse
    now: Callable[[], datetime]
    names: Names = field(default_factory=Names)
    promised: Promised = field(default_factory=Promised)
    count: Count = field(default_factory=Count)
    contracts: Contracts = field(default_factory=Contracts)
    pool: Pool | None = None
    stopping: bool = False
    pending: tuple[str, ...] = ()
    told: str = ""

    async def snapshot(self) -> Snapshot | None:
        """What the database says, within two seconds; None where it does not answer.

        How many clocks run is no part of that question: it is what was counted last.
        """
        if self.pool is None:
            return None
        try:
            async with asyncio.timeout(QUERY_LIMIT):
                with unavailable():
                    async with self.pool.acquire() as db:
                        found = await stats.snapshot(db, self.now(), self.pool)
        except Exception as fault:  # noqa: BLE001  # whatever the database says, a scrape is answered
            self._say(type(fault).__name__)
            return None
        self._say("")
        counted = await self.count.latest()
        return replace(found, counted=counted, judgement=self.contracts.latest)

    def _say(self, fault: str) -> None:
        """Log the change, not every scrape."""
        if fault and not self.told:
            log.warning("scrape without database", error=fault)
        self.told = fault

    async def faults(self) -> list[str]:
        """Why we are not ready, one line each; none: ready."""
        if self.stopping:
            return ["stopping"]
        if self.pool is None:
            return _unapplied(self.pending) or ["database: not reached yet"]
        try:
            async with asyncio.timeout(QUERY_LIMIT):
                with unavailable():
                    async with self.pool.acquire() as db:
                        pending = await migrate.pending(db)
        except TimeoutError:
            return ["database: no answer"]
        except Error as fault:
            return [f"database: {fault.reason}"]
        except Exception as fault:  # noqa: BLE001  # whatever the database says, this is answered
            return [f"database: {type(fault).__name__}"]
        said = self.pulse.impaired()
        impaired = [f"database: {StoreImpaired.reason} ({said})"] if said else []
        return [*impaired, *_unapplied(pending)]


def _unapplied(pending: Iterable[str]) -> list[str]:
    return [f"schema: {name} is not applied" for name in pending]


class Exposition:
    """`/metrics`, at most one rendering a second whatever the number of scrapers."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._lock = asyncio.Lock()
        self._kept: dict[str, tuple[float, bytes]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        """All metrics in the format and the encoding that the scraper accepts."""
        encode, content_type = choose_encoder(",".join(request.headers.getall("Accept", [])))
        async with self._lock:
            at, packed = self._kept.get(content_type, (-FRESH, b""))
            if not packed or monotonic() - at >= FRESH:
                snapshot = await self._watched.snapshot()
                self._watched.metrics.turned(self._watched.pulse.ended)
                packed = await asyncio.to_thread(self._render, encode, snapshot)
                self._kept[content_type] = (monotonic(), packed)
        headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=packed, headers={**headers, "Content-Encoding": "gzip"})
        plain = await asyncio.to_thread(gzip.decompress, packed)
        return web.Response(body=plain, headers=headers)

    def _render(self, encode: Callable[..., bytes], snapshot: Snapshot | None) -> bytes:
        """The exposition, packed piece by piece: of one large piece nobody else gets a turn."""
        watched = self._watched
        own = encode(watched.metrics.registry)
        open_metrics = own.endswith(END)
        stored = fleet.write(
            watched.names,
            watched.promised,
            watched.metrics.account_gauges,
            snapshot,
            open_metrics=open_metrics,
        )
        packer = zlib.compressobj(level=3, wbits=zlib.MAX_WBITS | GZIP)
        packed = [packer.compress(own.removesuffix(END))]
        packed += [packer.compress(text.encode()) for text in stored]
        packed.append(packer.compress(END if open_metrics else b""))
        return b"".join((*packed, packer.flush()))


WATCHED = web.AppKey("watched", Watched)


def application(watched: Watched) -> web.Application:
    """The three paths; no other says anything about health."""
    app = web.Application()
    app[WATCHED] = watched
    app.add_routes(
        [
            web.get("/metrics", Exposition(watched).answer),
            web.get("/livez", _livez),
            web.get("/readyz", _readyz),
        ]
    )
    return app


async def _livez(request: web.Request) -> web.Response:
    """200 while every loop turns; else the loops that do not: restart the process."""
    stuck = request.app[WATCHED].pulse.stuck(STUCK_AFTER)
    return _lines([f"loop {name} does not turn" for name in stuck], "alive")


async def _readyz(request: web.Request) -> web.Response:
    """200 with settings loaded, the database up and able, and its schema right; else why not."""
    return _lines(await request.app[WATCHED].faults(), "ready")


def _lines(faults: list[str], well: str) -> web.Response:
    return web.Response(text="\n".join(faults or [well]) + "\n", status=503 if faults else 200)
