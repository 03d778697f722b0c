"""A mailbox read for the first time, with and without old letters; and how soon a letter counts.

Against Dovecot. *First sync*: all that the product does until the letters of the look-back are
stored with their clocks, by its own poll into a database with fsync; what passes on the wire is
counted in between. *Arrival*: letters are delivered to a mailbox as mail systems do, and the real
daemon hears of them by IDLE; the time ends when another connection sees the clock's row.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles
from threading import Thread
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from benchmarks import daemon, harness, mailbag, wiretap
from benchmarks.harness import QUICK, ROUNDS, Row, heading, table
from connectors.amazon import spec
from core import loops, poll
from core.connector import Transport
from core.metrics import Metrics
from core.model import Account
from core.reading.walk import Reader
from core.routing import Route, Routing
from core.rules import Rules
from core.store import accounts, embedded, open_pool, transaction
from core.store.accounts import Setup
from core.transport.http import Http, open_session
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp
from tests.core import dovecot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from core.store import Address, Db
    from tests.core.dovecot import Dovecot

WINDOW = 200 if QUICK else 2_000
"""Letters of the look-back."""

OLD = 5_000 if QUICK else 100_000
LOOK_BACK = timedelta(days=30)
LINKS = 20_000
"""Old letters that are one file: a file system knows about 65,000 names of one."""

ARRIVALS = 5 if QUICK else 40
PATIENCE = 30.0
LOOK_EVERY = 0.002
SETTINGS = """
[store]
dsn = "embedded"
state_dir = "var"

[log]
format = "json"

[accounts.shop]
connector = "amazon"
title = "Shop"

[accounts.shop.options]
user = "{user}"
password = "env:BENCH_WORD"
sender = "{sender}"
imap = {{ host = "localhost", port = {port} }}
smtp = {{ host = "localhost", port = {port} }}
marketplaces = ["A1PA6795UKMFR9"]
authserv_ids = ["{server}"]

[notifiers.file]
kind = "file"
path = "notices.jsonl"

[routes.all]
notifiers = ["file"]
fallback = true
"""
KNOWN = "select exists (select from clock where started_by = $1)"


@dataclass(frozen=True, slots=True)
class Synced:
    """What one walk took: seconds, processor time of ours, and what passed on the wire."""

    seconds: float
    cpu: float
    commands: int
    asked: int
    answered: int


def fill(server: Dovecot, user: str, old: int) -> None:
    """A mailbox with *old* letters, and those of the look-back, which arrived after them."""
    server.boxes(user)
    box = server.place / "mail" / user / "cur"
    now = loops.utcnow()
    for number, raw in enumerate(mailbag.buyers(-(-old // LINKS), seed=9)):
        first = box / f"old{number}.0:2,S"
        _written(first, raw, (now - timedelta(days=60 + 30 * number)).timestamp())
        for link in range(1, min(LINKS, old - number * LINKS)):
            os.link(first, box / f"old{number}.{link}:2,S")
    _numbered(server, user)
    for number, raw in enumerate(mailbag.buyers(WINDOW)):
        at = now - LOOK_BACK * (WINDOW + 1 - number) / (WINDOW + 2)
        _written(box / f"new{number:06}:2,S", raw, at.timestamp())
    _numbered(server, user)


def _written(path: Path, raw: bytes, at: float) -> None:
    path.write_bytes(raw)
    path.chmod(0o666)
    os.utime(path, (at, at))


def _numbered(server: Dovecot, user: str) -> float:
    """Let the server give UIDs to what lies there now, and know when it arrived.

    As it does of a mailbox that is in use; what lies there first has the lower ones. Returns the
    seconds that it takes a client to open the folder and to look for the letters of the look-back.
    """
    with server.beside(user) as owner:
        begun = perf_counter()
        owner.select("INBOX", readonly=True)
        owner.uid("SEARCH", f"SINCE {loops.utcnow() - LOOK_BACK:%d-%b-%Y}")
        return perf_counter() - begun


@asynccontextmanager
async def account(server: Dovecot, port: int, user: str) -> AsyncIterator[tuple[Reader, Rules]]:
    """An account that is read through the tap at *port*, and what was promised there."""
    host = {"host": "127.0.0.1", "port": port, "tls": "none"}
    options = spec.options.model_validate({
        "user": user, "password": dovecot.PASSWORD, "sender": mailbag.SHOP, "imap": host,
        "smtp": host, "marketplaces": ["A1PA6795UKMFR9"], "authserv_ids": [mailbag.SERVER],
    })  # fmt: skip
    named = Account(
        name="shop", connector="amazon", marketplace="amazon-de", title="Shop", identity="shop"
    )
    routing = Routing({"all": Route("all", ("file",), fallback=True)}, {})
    rules = Rules({"shop": named}, {"shop": tuple(spec.policies(options))}, routing)
    async with open_session() as session, Mailboxes(tls=server.trusting()) as mailboxes:
        transport = Transport(Http(session), mailboxes=mailboxes, smtp=Smtp())
        only = {one.name: one for one in spec.streams(options) if one.name == "mail"}
        yield Reader(named, spec.open(options, transport), only, "shop"), rules


async def walked(address: Address, server: Dovecot, user: str) -> tuple[Synced, Synced]:
    """The first walk of a mailbox into a fresh database, and the next one, which finds nothing."""
    made = await harness.database(address, "mailbox")
    pool = await open_pool(made)
    async with (
        wiretap.opened(server.starttls) as tap,
        account(server, tap.port, user) as (one, rules),
    ):
        async with transaction(pool) as db:
            setup = Setup(one.account, tuple(one.streams.values()), one.budget)
            await accounts.sync(db, [setup], loops.utcnow() - LOOK_BACK)

        async def walk() -> Synced:
            before = tap.commands, tap.asked, tap.answered
            begun, used = perf_counter(), process_time()
            told = await poll.account(pool, 1, one, rules, Metrics(), loops.utcnow())
            assert told["mail"][0] == "success", told
            spent = perf_counter() - begun, process_time() - used
            passed = [
                now - then
                for now, then in zip((tap.commands, tap.asked, tap.answered), before, strict=True)
            ]
            return Synced(*spent, *passed)

        first, again = await walk(), await walk()
    for kind in ("message", "clock"):
        assert await pool.fetchval(f"select count(*) from {kind}") == WINDOW
    await pool.close()
    return first, again


def first_syncs() -> None:
    """Print what the first walk takes, with old letters and without, round by round."""
    sizes = (0, OLD) if QUICK else (0, OLD // 10, OLD)
    found: dict[int, list[tuple[Synced, Synced]]] = {size: [] for size in sizes}
    with mailboxes() as server:
        for size in sizes:
            fill(server, f"user{size % 59}", size)
        asyncio.run(_rounds(server, found))
        looks = {size: [_numbered(server, f"user{size % 59}") for _ in range(3)] for size in sizes}
    few, many = found[0], found[OLD]
    print(f"{WINDOW:,} letters of the look-back, {OLD:,} older ones beside them or none.\n")
    table([
        *_rows("window alone", [first for first, _ in few]),
        *_rows(f"and {OLD:,} old", [first for first, _ in many]),
        Row("seconds of one in the other", _ratios(few, many, "seconds"), "<= 1.25"),
        Row("a bare client opens the folder and searches: alone, s", looks[0]),
        Row(f"the same, {OLD:,} old letters, s", looks[OLD]),
        Row("commands", _ratios(few, many, "commands"), "<= 1.02"),
        Row("bytes", _ratios(few, many, "answered"), "<= 1.02"),
        Row("read again, nothing new, s", [again.seconds for _, again in many]),
        Row("its commands", [again.commands for _, again in many]),
    ], "first sync")  # fmt: skip
    if not QUICK:
        print()
        _grows(found)


async def _rounds(server: Dovecot, found: dict[int, list[tuple[Synced, Synced]]]) -> None:
    async with harness.server() as address:
        for _ in range(ROUNDS):
            for size, seen in found.items():
                seen.append(await walked(address, server, f"user{size % 59}"))


def _grows(found: dict[int, list[tuple[Synced, Synced]]]) -> None:
    """Print how the first walk moves with the old letters: none, a tenth, all of them."""
    sizes = sorted(found)
    print(f"| old letters | {' | '.join(f'{size:,}' for size in sizes)} |")
    print(f"| --- |{' --- |' * len(sizes)}")
    for name in ("seconds", "cpu", "commands", "asked", "answered"):
        seen = [min(getattr(first, name) for first, _ in found[size]) for size in sizes]
        print(f"| {name} | {' | '.join(f'{value:.6g}' for value in seen)} |")


def _rows(what: str, walks: Sequence[Synced]) -> list[Row]:
    return [
        Row(f"{what}: s", [one.seconds for one in walks]),
        Row(f"{what}: letters/s", [WINDOW / one.seconds for one in walks]),
        Row(
            f"{what}: processor time of ours, ms a letter",
            [one.cpu / WINDOW * 1e3 for one in walks],
        ),
        Row(f"{what}: commands", [one.commands for one in walks]),
        Row(f"{what}: kB asked and answered", [(one.asked + one.answered) / 1e3 for one in walks]),
    ]


def _ratios(
    few: Sequence[tuple[Synced, Synced]], many: Sequence[tuple[Synced, Synced]], name: str
) -> list[float]:
    return [
        getattr(more, name) / getattr(less, name)
        for (less, _), (more, _) in zip(few, many, strict=True)
    ]


@contextmanager
def mailboxes() -> Iterator[Dovecot]:
    """A Dovecot with empty mailboxes, on disk."""
    with harness.directory() as place, dovecot.serving(place) as server:
        yield server


def arrivals() -> None:
    """Print how long letters take from their delivery to a clock that runs."""
    os.environ["BENCH_WORD"] = dovecot.PASSWORD
    with mailboxes() as server, harness.directory() as place:
        os.environ["SSL_CERT_FILE"] = str(server.place / "cert.pem")
        server.boxes("user1")
        text = SETTINGS.format(
            user="user1", sender=mailbag.SHOP, port=server.tls, server=mailbag.SERVER
        )
        with daemon.started(place, text):
            seen = asyncio.run(_delivered(server, place))
    whole = [counted for counted, _ in seen]
    cuts = quantiles(whole, n=100, method="inclusive")
    print()
    table([
        Row(f"{ARRIVALS} letters, from delivery to a running clock, s", whole),
        Row("of it until Dovecot tells anybody, s", [told for _, told in seen]),
        Row("of it ours, s", [counted - told for counted, told in seen]),
        Row("90 % of them within, s", [cuts[89]]),
        Row("99 % of them within, s", [cuts[98]], "<= 2"),
    ], "arrival")  # fmt: skip


async def _delivered(server: Dovecot, place: Path) -> list[tuple[float, float]]:
    """Seconds from each letter's delivery until its clock is seen, and until Dovecot tells."""
    draw = random.Random(11)
    raws = mailbag.buyers(ARRIVALS + 1, seed=secrets.randbits(32))
    async with embedded.join(place / "var") as address, harness.connection(address) as db:
        await _counted(db, server, raws[0])  # by then somebody listens
        await asyncio.sleep(3)
        seen = []
        with _overheard(server) as told:
            for raw in raws[1:]:
                await asyncio.sleep(draw.uniform(0.1, 1.5))
                begun = perf_counter()
                counted = await _counted(db, server, raw)
                seen.append((counted, min(at for at in told if at >= begun) - begun))
    return seen


@contextmanager
def _overheard(server: Dovecot) -> Iterator[list[float]]:
    """The instants at which a client that does nothing else hears of a letter by IDLE."""
    told: list[float] = []
    owner = server.beside("user1")
    owner.select("INBOX", readonly=True)
    owner.send(b"bench IDLE\r\n")

    def listen() -> None:
        while line := owner.readline():
            if line.rstrip().endswith(b"EXISTS"):
                told.append(perf_counter())
            if line.startswith(b"bench "):
                return

    listening = Thread(target=listen)
    listening.start()
    try:
        yield told
    finally:
        owner.send(b"DONE\r\n")
        listening.join()
        owner.shutdown()


async def _counted(db: Db, server: Dovecot, raw: bytes) -> float:
    """Seconds from the delivery of *raw* until its clock is seen."""
    name = raw.partition(b"Message-ID: <")[2].partition(b">")[0].decode()
    begun = perf_counter()
    server.drop_in(raw, user="user1", name=name.partition("-")[0])
    while not await db.fetchval(KNOWN, name):
        if perf_counter() - begun > PATIENCE:
            raise RuntimeError("a letter was delivered and has no clock")
        await asyncio.sleep(LOOK_EVERY)
    return perf_counter() - begun


def main() -> None:
    heading("Mailbox")
    if shutil.which("dovecot") is None:
        print("No Dovecot is installed (.ci/programs): nothing is measured.")
        return
    first_syncs()
    arrivals()


if __name__ == "__main__":
    main()
