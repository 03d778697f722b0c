"""The board over 1,000,000 open clocks: a page of the queue by every filter, and 500 open boards.

The product's own pages over real HTTP, by a client in this process that times each request from
its first byte to the last. The open boards are another process, which also makes the changes that
they show; what is counted is the processor time of the process that serves, and of PostgreSQL.
"""

from __future__ import annotations

import asyncio
import gzip
import html
import json
import re
import sys
from contextlib import asynccontextmanager
from statistics import quantiles
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp

from benchmarks import harness
from benchmarks.harness import QUICK, Row
from core import loops
from core.access import Role
from core.configuration.access import Web
from core.configuration.board import Board
from core.loops import Pulse
from core.metrics import Metrics
from core.model import Account
from core.routing import Routing
from core.rules import Rules
from core.store import connect, open_pool, people, sessions, transaction, wake
from core.transport.http import Http
from core.web import app, ops, room, site
from core.web.signing import cookies, networks
from core.web.signing.service import Signing
from core.web.ways import Parts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.store import Address, Db, Pool

CLOCKS = 20_000 if QUICK else 1_000_000
ACCOUNTS, MARKETPLACES = 200, 10
PAGES, SPARSE = (20, 10) if QUICK else (150, 60)
BOARDS, VIEWS = (50, 5) if QUICK else (500, 20)
SECONDS = 4.0 if QUICK else 10.0
RATES = (0.0, 1.0, 20.0)
PAGE_GOAL, SEEN_GOAL, SHARE_GOAL, WIRE_GOAL = "<= 50", "<= 1", "<= 30", "<= 60"
ZONES = (
    "UTC", "Europe/Berlin", "Asia/Seoul", "America/New_York", "Europe/London", "Asia/Tokyo",
    "Europe/Paris", "Europe/Warsaw", "America/Chicago", "Asia/Kolkata",
)  # fmt: skip
ACCOUNT = """
    insert into account (name, connector, marketplace, budget_key, monitored_since)
    select 'account-' || n, 'mirakl', 'market-' || n % $2::int, 'account-' || n,
           now() - interval '90 days'
    from generate_series(0, $1::int - 1) n
"""
THREAD = """
    insert into thread (account, id, kind, subject, buyer, order_ids, as_of)
    select 'account-' || n % $2::int, 'T' || n,
           case when n % 100 = 0 then 'claim' else 'message' end,
           'Where is my parcel ' || n || '? It was promised for Tuesday',
           initcap(translate(left(md5((n % 997)::text), 6), '0123456789', 'ghijklmnop')) || ' '
           || initcap(translate(left(md5((n % 49999)::text), 8), '0123456789', 'ghijklmnop')),
           array['ORDER-' || n], now()
    from generate_series(1, $1::int) n
"""
# One in thirty threads has a second clock; they are due over three days, a third of them past.
CLOCK = """
    insert into clock (account, thread, promise, waits_for, metric, policy_version, members,
                       started_by, started_at, due_at, due_from, steps, kind, language)
    select 'account-' || n % $2::int, 'T' || n, promise, 'buyer', 'first_reply', 1, array['M' || n],
           'M' || n, due - lasts, due, 'policy',
           array[due - lasts * 0.5, due - lasts * 0.25, due - lasts * 0.1, due],
           case when n % 100 = 0 then 'claim' else 'message' end,
           case n % 3 when 0 then case n % 7 when 0 then 'de-AT' else 'de' end when 1 then 'fr' end
    from (
        select n, promise,
               now() + ((n::bigint * 7919 % $1)::float8 / $1 * 3 - 1) * interval '1 day' as due,
               case promise when 'ours-4h' then interval '4 hours' else interval '1 day' end
                   as lasts
        from generate_series(1, $1::int) n
        cross join lateral (
            select unnest(case when n % 30 = 0 then array['reply-24h', 'ours-4h']
                               when n % 5 = 0 then array['reply-24h'] else array['ours-4h'] end)
        ) as p (promise)
    ) clocks
"""
RARE = """
    update clock set promise = 'rare', language = 'ko', kind = 'dispute'
    where id in (select id from clock order by due_at desc limit 10)
"""
ASKED = {
    "everything": "",
    "one account": "?account=account-7",
    "one marketplace of ten": "?marketplace=market-3",
    "overdue": "?band=breached",
    "on time": "?band=ok",
    "critical": "?band=critical",
    "one kind of a hundred": "?kind=claim",
    "one language of three": "?language=de",
    "free": "?claimed=free",
    "mine": "?claimed=mine",
    "the second page": "",
    "ten of all, by policy": "?promise=rare",
    "ten of all, by language": "?language=ko",
    "ten of all, by kind": "?kind=dispute",
    "none, by account": "?account=nobody",
    "none, by a band and a language": "?band=breached&language=ko",
    "none, by a kind and an account": "?kind=dispute&account=account-7",
}


async def main() -> None:
    """Print the tables."""
    room.widen()
    harness.heading(f"The board over {CLOCKS:,} open clocks")
    settings = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
    async with harness.server(settings) as server:
        address = await harness.database(server, "board")
        async with harness.connection(address) as db:
            await fill(db)
        async with served(address) as (base, pool):
            who = await person(pool, "anna", 0)
            await pages(base, who)
            print()
            await boards(address, base, pool)
            print()
        await told(address)


async def fill(db: Db) -> None:
    """As many clocks as are asked for, and what they belong to."""
    await db.execute("set synchronous_commit = off")
    await db.execute(ACCOUNT, ACCOUNTS, MARKETPLACES)
    await db.execute(THREAD, CLOCKS, ACCOUNTS)
    await db.execute(CLOCK, CLOCKS, ACCOUNTS)
    await db.execute(RARE)
    await db.execute("vacuum analyze")


@asynccontextmanager
async def served(address: Address) -> AsyncIterator[tuple[str, Pool]]:
    """The board as the daemon serves it; its address, and the pool it works with."""
    pool, metrics, changes = await open_pool(address), Metrics(), wake.Changes()
    rules = Rules({name: _account(name, n) for n, name in _names()}, {}, Routing({}, {}))
    settings = SimpleNamespace(web=Web(listen="127.0.0.1:0"), board=Board(), accounts={})
    listener = await connect(address)
    await wake.listen(listener, {}, changes)
    parts = Parts(
        watched=ops.Watched(metrics, Pulse(), loops.utcnow, pool=pool),
        pool=lambda: pool,
        settings=lambda: settings,  # type: ignore[arg-type,return-value]  # what pages ask of it
        rules=lambda: rules,
        readers=dict,
        metrics=metrics,
        now=loops.utcnow,
        changes=changes,
    )
    async with aiohttp.ClientSession() as outside:
        signing = Signing(parts, lambda: Http(outside))
        async with app.served("web", settings.web, site.application(parts, signing)) as base:
            yield base, pool
    await listener.close()
    await pool.close()


def _names() -> list[tuple[int, str]]:
    return [(n, f"account-{n}") for n in range(ACCOUNTS)]


def _account(name: str, n: int) -> Account:
    market = f"market-{n % MARKETPLACES}"
    return Account(name=name, connector="mirakl", marketplace=market, title=name, identity=name)


async def person(pool: Pool, name: str, n: int) -> str:
    """What the cookie of somebody holds who reads in the *n*-th language and zone."""
    now, secret = loops.utcnow(), cookies.secret()
    async with transaction(pool) as db:
        await people.add(db, name, name.title(), Role.AGENT, None, now)
        language = ("en", "ko")[n % 2]
        zone = ZONES[n // 2 % len(ZONES)]
        await db.execute(
            "update person set language = $2, zone = $3 where name = $1", name, language, zone
        )
        await sessions.begin(
            db, secret, name, "password", address="127.0.0.1", browser="", now=now,
            network=networks.near("127.0.0.1"),
        )  # fmt: skip
    return secret


async def pages(base: str, cookie: str) -> None:
    """Print how long each filter's first page takes, and how large the page is."""
    headers = {"Cookie": f"replyby={cookie}", "Accept-Encoding": "gzip"}
    rows = []
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        for what, query in ASKED.items():
            if what == "the second page":
                query = await second(session, base)  # noqa: PLW2901  # it depends on the first
            n = SPARSE if "of all" in what or "none" in what else PAGES
            took = [1e3 * await timed(session, f"{base}/{query}") for _ in range(n + 5)][5:]
            cut = quantiles(took, n=100)
            rows += [Row(f"{what}: p50", [cut[49]]), Row(f"{what}: p99", [cut[98]], PAGE_GOAL)]
        wire = await _wire(session, base)
    harness.table(rows, "ms, whole request")
    print()
    harness.table(
        [
            Row("the page alone", [wire[0] / 1e3]),
            Row("with style, script and picture, first visit", [sum(wire) / 1e3], WIRE_GOAL),
        ],
        "kB over the wire",
    )


async def timed(session: aiohttp.ClientSession, url: str) -> float:
    """Seconds until all of *url* was there."""
    begun = perf_counter()
    async with session.get(url) as answer:
        await answer.read()
        assert answer.status == 200, answer.status
    return perf_counter() - begun


async def second(session: aiohttp.ClientSession, base: str, first: str = "") -> str:
    """Where the page after the *first* is."""
    async with session.get(f"{base}/{first}") as answer:
        text = gzip.decompress(await answer.read()).decode()
    found = re.search(r'href="/(\?[^"]*after=[^"]+)" rel="next"', text)
    assert found, "there is one page only"
    return html.unescape(found[1])


async def _wire(session: aiohttp.ClientSession, base: str) -> list[int]:
    """Bytes of bodies as sent: the page, then each of what it asks for."""
    async with session.get(f"{base}/") as answer:
        body = await answer.read()
    text = gzip.decompress(body).decode()
    sizes = [len(body)]
    for path in dict.fromkeys(re.findall(r'(?:href|src)="(/static/[^"]+)"', text)):
        async with session.get(base + path) as answer:
            sizes.append(len(await answer.read()))
    return sizes


async def boards(address: Address, base: str, pool: Pool) -> None:
    """Print what so many open boards cost, at each rate of changes."""
    made = [await person(pool, f"agent-{n}", n) for n in range(VIEWS)]
    told = {
        "host": urlsplit(base).hostname, "port": urlsplit(base).port, "path": "/live",
        "cookies": made, "boards": BOARDS, "address": dict(address),
    }  # fmt: skip
    rows: list[Row] = []
    async with _opened(told) as ask:
        servers = await harness.processes(address)
        for rate in RATES:
            begun, cpu, theirs = perf_counter(), process_time(), harness.cpu(servers)
            found = await ask(f"{rate} {SECONDS}\n")
            took = perf_counter() - begun
            share, database = process_time() - cpu, harness.cpu(servers) - theirs
            rows += _of(rate, found, 100 * share / took, 100 * database / took)
    harness.table(rows, f"{BOARDS} boards over {VIEWS} views")


def _of(rate: float, found: dict[str, float], share: float, database: float) -> Sequence[Row]:
    what = f"{rate:g} changes a second" if rate else "nothing changes"
    rows = [
        Row(f"{what}: % of a core", [share], SHARE_GOAL),
        Row(f"{what}: PostgreSQL, % of a core", [database]),
    ]
    if rate == 1:
        rows += [
            Row("a change until all were told: median, s", [found["median"]], SEEN_GOAL),
            Row("a change until all were told: most, s", [found["most"]], SEEN_GOAL),
            Row("bytes a board and change", [found["bytes"] / BOARDS / found["changes"]]),
        ]
    if rate:
        rows.append(Row(f"{what}: events a second", [found["events"] / found["seconds"]]))
    return rows


@asynccontextmanager
async def _opened(told: dict[str, Any]) -> AsyncIterator[Any]:
    """The other process, when its boards are open; what it is asked for, it answers."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.boards", json.dumps(told),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert running.stdin is not None
    assert running.stdout is not None
    told_to, said = running.stdin, running.stdout
    assert json.loads(await said.readline())["open"] == BOARDS

    async def ask(line: str) -> dict[str, float]:
        told_to.write(line.encode())
        return dict(json.loads(await said.readline()))

    yield ask
    running.kill()
    await running.wait()


NOTED = "insert into tally (account, metric, result, n) values ($1, 'x', $2, 1)"
WRITERS = 8


async def told(address: Address) -> None:
    """Print what it costs to say with each commit that something has changed."""
    pool, changes = await open_pool(address, size=WRITERS), wake.Changes()
    listener = await connect(address)
    await wake.listen(listener, {}, changes)
    rates: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(2 * harness.ROUNDS):
        with_it = bool(turn % 2)
        rates[with_it].append(await _committed(pool, turn, with_it=with_it))
    await listener.close()
    await pool.close()
    ratios = [a / b for a, b in zip(rates[True], rates[False], strict=True)]
    harness.table(
        [
            Row("without a word", rates[False]),
            Row("each with its notification", rates[True]),
            Row("ratio", ratios),
        ],
        f"small commits a second, {WRITERS} writers",
    )


async def _committed(pool: Pool, turn: int, *, with_it: bool) -> float:
    begun, seconds = perf_counter(), 1.0 if QUICK else 3.0

    async def write(place: int) -> int:
        n = 0
        while perf_counter() - begun < seconds:
            n += 1
            async with transaction(pool) as db:
                await db.execute(NOTED, f"{turn}/{place}", str(n))
                if with_it:
                    await wake.changed(db, {f"account-{place}": [f"T{n}"]})
        return n

    done = sum(await asyncio.gather(*(write(place) for place in range(WRITERS))))
    return done / (perf_counter() - begun)


if __name__ == "__main__":
    asyncio.run(main())
