"""Several daemons on one database, each under a role of its own, so that the database knows who.

A trigger of the test's own writes down every change of a stream's lease: the whole history, not a
sample of it.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from core.store import migrate
from tests.acceptance import market
from tests.acceptance.beside import Beside
from tests.acceptance.journey import Journey
from tests.acceptance.postgres import postgres_at
from tests.acceptance.receiver import received
from tests.acceptance.shop import shop_at
from tests.acceptance.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.acceptance.postgres import Postgres
    from tests.acceptance.shop import Shop

OPERATORS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
NAMES = ("one", "two")
WORD = "fleet"
RECORDER = """
    create schema watched;
    create table watched.lease (
        number bigint generated always as identity, at timestamptz, who name, account text,
        stream text, fence bigint, holder bigint, old_fence bigint, old_holder bigint,
        old_leased_until timestamptz, result boolean
    );
    create function watched.note() returns trigger language plpgsql as $$
    begin
        insert into watched.lease
            (at, who, account, stream, fence, holder, old_fence, old_holder, old_leased_until,
             result)
        values (clock_timestamp(), session_user, new.account, new.stream, new.fence, new.holder,
                old.fence, old.holder, old.leased_until,
                (new.cursor, new.seen_through) is distinct from (old.cursor, old.seen_through));
        return null;
    end $$;
    create trigger noted after update on stream for each row execute function watched.note();
"""
LEASES = """
    select at, who, account, stream, fence, holder, old_fence, old_holder, old_leased_until, result
    from watched.lease order by number
"""
# Who starts touches every stream, also those that another holds: only a claim is one's own.
HELD = """
    select s.account, s.stream from stream s
    where s.holder is not null and exists (
        select from watched.lease l
        where (l.account, l.stream, l.fence, l.holder, l.who)
            = (s.account, s.stream, s.fence, s.holder, $1)
          and l.holder is distinct from l.old_holder
    )
"""
# What others have done since then does not count: they may have freed some of it already.
LEFT = """
    select account, stream from (
        select distinct on (account, stream) account, stream, fence, holder from watched.lease
        where who = $1 or at <= $2
        order by account, stream, number desc
    ) last
    where exists (
        select from watched.lease l
        where (l.account, l.stream, l.fence, l.holder, l.who)
            = (last.account, last.stream, last.fence, last.holder, $1)
          and l.holder is distinct from l.old_holder
    )
"""
FREED = """
    select min(at) from watched.lease
    where who = $1 and account = $2 and stream = $3 and fence > old_fence and at > $4
"""
CLAIMED = """
    select min(at) from watched.lease
    where who = $1 and account = $2 and stream = $3 and fence > old_fence and holder is not null
      and at > $4
"""
UNWRITTEN = """
    select true from dispatch d join notice n on n.id = d.notice
    where n.key = $1 and d.notifier = 'hook' and d.sent_at is null and d.suppressed is null
"""
# One that waits for a lock will have it while its owner is stopped, and keep it.
UNENDED = "select count(*) from pg_stat_activity where usename = $1 and xact_start is not null"
END_LIVENESS = """
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where usename = $1 and application_name = 'replyby worker'
"""


class Change(NamedTuple):
    """A change of a stream's row, and the role of the process that made it."""

    at: datetime
    who: str
    account: str
    stream: str
    fence: int
    holder: int | None
    old_fence: int
    old_holder: int | None
    old_leased_until: datetime | None
    result: bool


@dataclass(slots=True, repr=False)
class Fleet:
    """*shops* by role; the journey's own shop is the last of them."""

    journey: Journey
    shops: dict[str, Shop]

    def held(self, who: str) -> set[tuple[str, str]]:
        """The streams (account, name) that *who* holds at this moment."""
        return {(account, stream) for account, stream in self.journey.rows(HELD, who)}

    def left(self, who: str, killed: datetime) -> set[tuple[str, str]]:
        """The streams that *who*, *killed* at this instant, did not give back any more."""
        return {(account, stream) for account, stream in self.journey.rows(LEFT, who, killed)}

    def is_amid(self, who: str) -> bool:
        """Whether *who*, which is stopped, was in the middle of a transaction."""
        return bool(self.journey.value(UNENDED, who))

    def is_unwritten(self, key: str) -> bool:
        """Whether this notice is not written down as told by the webhook."""
        return bool(self.journey.rows(UNWRITTEN, key))

    def freed_at(self, who: str, stream: tuple[str, str], since: datetime) -> datetime | None:
        """When *who* first freed or claimed *stream* after *since*; None: not yet."""
        at: datetime | None = self.journey.value(FREED, who, *stream, since)
        return at

    def claimed_at(self, who: str, stream: tuple[str, str], since: datetime) -> datetime | None:
        """When *who* first claimed *stream* after *since*; None: not yet."""
        at: datetime | None = self.journey.value(CLAIMED, who, *stream, since)
        return at

    def end_liveness(self, who: str) -> None:
        """End the session that is the life of *who*, as a server does of a peer it cannot reach."""
        assert self.journey.rows(END_LIVENESS, who) == [(True,)]

    def changes(self) -> list[Change]:
        return [Change(*row) for row in self.journey.rows(LEASES)]


def no_stream_was_held_by_two(changes: list[Change]) -> int:
    """Hold each lease against the one before it; how many there were.

    A claim begins only where nobody holds the stream or the lease has ended, with a fence of its
    own; a result is written only by the process whose claim has this fence.
    """
    claimed: dict[tuple[str, str], Change] = {}
    leases = 0
    for change in changes:
        stream = (change.account, change.stream)
        assert change.fence >= change.old_fence, change
        if change.holder is not None and change.holder != change.old_holder:
            assert change.fence == change.old_fence + 1, change
            ended = change.old_leased_until is None or change.old_leased_until <= change.at
            assert change.old_holder is None or ended, change
            claimed[stream] = change
            leases += 1
        if change.result:
            owner = claimed[stream]
            assert (change.who, change.old_fence) == (owner.who, owner.fence), (change, owner)
            assert change.old_holder == owner.holder, (change, owner)
    return leases


@contextmanager
def fleet_at(place: Path, *, promise: str = "4s") -> Iterator[Fleet]:
    """Two shops, neither started, on one database that has its tables already."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres_at(place))
        asyncio.run(_prepare(server))
        beside = stack.enter_context(Beside())
        sandbox = beside.enter(market.opened(*OPERATORS))
        receiver = beside.enter(received())
        shops = {}
        for name in NAMES:
            (place / name).mkdir()
            dsn = f"postgresql://{name}:{WORD}@127.0.0.1:{server.port}/postgres?sslmode=disable"
            settings = market.settings(sandbox, dsn="env:DSN", promise=promise)
            shops[name] = stack.enter_context(shop_at(place / name, settings))
            shops[name].environ.update(market.environ(sandbox, receiver.url), DSN=dsn)
        traffic = Traffic(sandbox, 0.25)
        stack.callback(lambda: beside.run(traffic.stop()))
        journey = Journey(beside, sandbox, receiver, traffic, shops[NAMES[-1]], server.address)
        yield Fleet(journey, shops)


async def _prepare(server: Postgres) -> None:
    db: Any = await asyncpg.connect(**server.address())
    await migrate.apply(db)
    for name in NAMES:
        await db.execute(f"create role {name} superuser login password '{WORD}'")
    await db.execute(RECORDER)
    await db.close()
