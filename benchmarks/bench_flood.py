"""A robot fills in a contact form 10,000 times at once: what another mailbox notices of it.

Against Dovecot, with the real daemon and a database with fsync. Buyers' letters come to one
mailbox, and the time from each one's delivery until another connection sees its clock is taken:
first with nothing else to do, then while the robot's letters to a second mailbox are read.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import daemon, harness
from benchmarks.harness import QUICK, Row, heading, table
from connectors.webstore.mailbox.sandbox import letters
from connectors.webstore.mailbox.sandbox.letters import Written
from core import loops
from core.store import embedded
from tests.core import dovecot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from benchmarks.daemon import Started
    from core.store import Db
    from tests.core.dovecot import Dovecot

ROBOT = 500 if QUICK else 10_000
"""Letters of the robot, all of which lie there at once."""

BUYERS = 5 if QUICK else 30
"""Letters of buyers beforehand; they come on for as long as the robot's are read."""

PATIENCE = 120.0
LOOK_EVERY = 0.002
FORM, OTHER = "user1", "user2"
SETTINGS = """
[store]
dsn = "embedded"
state_dir = "var"

[log]
format = "json"

{accounts}

[notifiers.file]
kind = "file"
path = "notices.jsonl"

[routes.all]
notifiers = ["file"]
fallback = true
"""
ACCOUNT = """
[accounts.{user}]
connector = "webstore"

[accounts.{user}.options]
kind = "mailbox"
user = "{user}"
password = "env:BENCH_WORD"
sender = "{user}@shop.example"
own_domains = ["shop.example"]
authserv_ids = ["mx.shop.example"]
imap = {{ host = "localhost", port = {port} }}
smtp = {{ host = "localhost", port = {port} }}
"""
KNOWN = "select exists (select from clock where account = $1 and started_by = $2)"
CLOCKS = "select count(*) from clock where account = $1"
FLOODS = "select count(*) from notice where kind = 'flooded' and account = $1"


class Seen(NamedTuple):
    """Seconds from delivery to clock of buyers' letters, and what became of the flood."""

    before: list[float]
    during: list[float]
    seconds: float
    most_bytes: int
    notices: int


def main() -> None:
    heading("Flood")
    if shutil.which("dovecot") is None:
        print("No Dovecot is installed (.ci/programs): nothing is measured.")
        return
    os.environ["BENCH_WORD"] = dovecot.PASSWORD
    with mailboxes() as server, harness.directory() as place:
        os.environ["SSL_CERT_FILE"] = str(server.place / "cert.pem")
        accounts = "".join(ACCOUNT.format(user=user, port=server.tls) for user in (FORM, OTHER))
        with daemon.started(place, SETTINGS.format(accounts=accounts)) as running:
            seen = asyncio.run(measured(server, place, running))
    assert seen.notices == 1, f"{seen.notices} notices of one flood"
    print()
    table([
        Row(f"{len(seen.before)} buyers' letters, nothing else to do: to a running clock, s",
            seen.before),
        Row(f"{len(seen.during)} while {ROBOT:,} letters of a robot are read, s", seen.during),
        Row("the median of these in the median of those",
            [median(seen.during) / median(seen.before)]),
        Row("the robot's letters until all are stored with their clocks, s", [seen.seconds]),
        Row("letters/s", [ROBOT / seen.seconds]),
        Row("the daemon's memory at most, MB", [seen.most_bytes / 1e6]),
        Row("notices of the flood", [seen.notices]),
    ], "flood")  # fmt: skip


@contextmanager
def mailboxes() -> Iterator[Dovecot]:
    """A Dovecot with the two mailboxes, empty."""
    with harness.directory() as place, dovecot.serving(place) as server:
        for user in (FORM, OTHER):
            server.boxes(user)
        yield server


async def measured(server: Dovecot, place: Path, running: Started) -> Seen:
    """Letters to the other mailbox before and during the flood of the first."""
    draw, most = random.Random(11), 0
    async with embedded.join(place / "var") as address, harness.connection(address) as db:
        await counted(db, server)  # by then somebody listens
        await asyncio.sleep(3)
        before = [await one(db, server, draw) for _ in range(BUYERS)]
        begun, during = perf_counter(), []
        fill(server, loops.utcnow())
        while await db.fetchval(CLOCKS, FORM) < ROBOT:
            during.append(await one(db, server, draw))
            most = max(most, running.process.memory_info().rss)
            if perf_counter() - begun > PATIENCE:
                raise RuntimeError("the robot's letters are not read")
        seconds = perf_counter() - begun
        notices = 0
        while not notices and perf_counter() - begun < PATIENCE:
            await asyncio.sleep(1)
            notices = await db.fetchval(FLOODS, FORM)
    return Seen(before, during, seconds, most, notices)


def fill(server: Dovecot, now: datetime) -> None:
    """The robot's letters lie in the mailbox, each of somebody else."""
    for number in range(ROBOT):
        id_ = f"robot-{number}@shop.example"
        written = Written(f"Visit my page {number}", "Hello")
        mail = f"r{number}@robots.example"
        letter = letters.by_form(
            written, "Robot", mail, f"{FORM}@shop.example", id_, now, automatic=True
        )
        raw = letters.arrived(letter, f"{FORM}@shop.example", "mx.shop.example", now)
        server.drop_in(raw, user=FORM, name=f"robot{number}")


async def one(db: Db, server: Dovecot, draw: random.Random) -> float:
    """A buyer's letter after a moment; seconds until its clock is seen."""
    await asyncio.sleep(draw.uniform(0.1, 0.8))
    return await counted(db, server)


async def counted(db: Db, server: Dovecot) -> float:
    """Seconds from the delivery of a buyer's letter until its clock is seen."""
    name, now = secrets.token_hex(8), loops.utcnow()
    id_, to = f"{name}@buyers.example", f"{OTHER}@shop.example"
    written = Written("Where is my parcel?", f"Parcel {name}")
    letter = letters.by_buyer(written, "Ana", f"ana{name}@buyers.example", to, id_, now)
    begun = perf_counter()
    server.drop_in(letters.arrived(letter, to, "mx.shop.example", now), user=OTHER, name=name)
    while not await db.fetchval(KNOWN, OTHER, id_):
        if perf_counter() - begun > PATIENCE:
            raise RuntimeError("a letter was delivered and has no clock")
        await asyncio.sleep(LOOK_EVERY)
    return perf_counter() - begun


if __name__ == "__main__":
    main()
