"""A member is to be erased: asked for here, in the transaction of whoever asks.

From its end on nothing of the member is stored any more (`core.arrival.screening`); what is there
goes at once afterwards (`core.running.forgetting`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from core.arrival import judging, naming
from core.model import Message
from core.store import erased, erasures, forgotten, legible, messages, readings, verdicts, wake
from sla.clock import Kind
from sla.policy import Party
from sla.turn import accepted_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from core.pushes import Member, Pushed
    from core.rules import Rules
    from core.store import Db
    from core.store.forgotten import Digests
    from sla.clock import Given


@dataclass(frozen=True, slots=True)
class Request:
    """That *members* of *connector* are to be erased, as the notification *pushed* asks.

    In all accounts of *connector*, or in *account* alone.
    """

    connector: str
    pushed: Pushed | None
    members: Sequence[Member]
    account: str | None = None

    @property
    def push(self) -> tuple[str, datetime | None] | None:
        """By what the notification is known; one that asks for several accounts has an id each."""
        if self.pushed is None:
            return None
        asked_in = "" if self.account is None else f"/{self.account}"
        return f"{self.pushed.id}{asked_in}", self.pushed.published_at


async def ask(
    db: Db,
    connector: str,
    pushed: Pushed | None,
    members: Sequence[Member],
    now: datetime,
    *,
    account: str | None = None,
) -> int | None:
    """Write down that *members* are to be erased, and stop what is on its way of them.

    In all accounts of *connector*, or in *account* alone. *pushed* is the notification that asks
    for it, None where a person does.

    Returns:
        The number of the request; None where the same push has asked before.
    """
    [number] = await ask_all(db, [Request(connector, pushed, members, account)], now)
    return number


async def ask_all(db: Db, requests: Sequence[Request], now: datetime) -> list[int | None]:
    """As `ask`, for many at once; their numbers.

    Whatever the requests' order, rows are taken in one: of two transactions that were told of the
    same members, one waits for the other.
    """
    numbers: dict[int, int | None] = {}
    remembered: defaultdict[str | None, set[forgotten.Id]] = defaultdict(set)
    for index in sorted(range(len(requests)), key=lambda index: _place(requests[index])):
        one = requests[index]
        asked = [ids for member in one.members if (ids := _ids(member))]
        added = await erasures.add(db, one.connector, one.account, one.push, asked, now)
        numbers[index] = added
        if added is not None:
            made = await forgotten.digests(db, one.connector)
            together = made.of_member(set().union(*asked))
            remembered[one.account].update(
                kept for ids in asked for id_ in ids
                for kept in _remembered(made, id_, together, now)
            )  # fmt: skip
    if any(number is not None for number in numbers.values()):
        for account in sorted(remembered, key=lambda name: name or ""):
            await forgotten.add(db, account, remembered[account])
        await wake.send(db, "erase")
    return [numbers[index] for index in range(len(requests))]


def _place(request: Request) -> tuple[str, str]:
    return request.connector, request.push[0] if request.push else ""


async def empty(
    db: Db, rules: Rules, account: str, threads: Collection[str], now: datetime
) -> None:
    """Empty *threads* of an erased buyer, which the caller has locked and recomputes.

    Their turns stay, and get one more that ends what runs for the buyer. Rule: clock.md, section 2.
    """
    ids = sorted(threads)
    if judging.is_judged(rules, account):
        await verdicts.forget(db, account, ids)
    await erased.empty(db, account, ids, now)
    turns = await messages.turns(db, account, ids)
    given = await readings.of(db, account, ids)
    for thread in ids:
        at = max(accepted_at(now, turns[thread]), *(_after(each) for each in given[thread]), now)
        await _put_turn(db, account, thread, at)


async def end(
    db: Db, account: str, blank: Collection[Message], now: datetime, slack: timedelta
) -> None:
    """End what *blank* messages begin, which came into threads that were erased before.

    Whoever has written there since, more than *slack* after that, is somebody new, who waits: what
    comes without a date ends nothing of theirs.
    """
    returned = await erased.returned(db, account, {one.thread for one in blank}, slack)
    last: dict[str, datetime] = {}
    for one in blank:
        if one.sent_at is not None or one.thread not in returned:
            at = min(one.sent_at or now, now) + timedelta(microseconds=1)
            last[one.thread] = max(at, last.get(one.thread, at))
    for thread, at in sorted(last.items()):
        await _put_turn(db, account, thread, at)


async def _put_turn(db: Db, account: str, thread: str, at: datetime) -> None:
    """Write the turn that ends what runs for an erased buyer."""
    turn = Message(
        id=legible(f"erased:{at.isoformat()}:{thread}"),
        thread=thread,
        party=Party.MARKETPLACE,
        kind=Kind.ERASED,
        origin="ours",
        sent_at=at,
    )
    if not await messages.known(
        db, account, [turn.id]
    ):  # else another of that instant has ended it
        await messages.add(db, account, [messages.told(turn)], at)


def _after(reading: Given) -> datetime:
    """The first instant after everything that *reading* says of its start."""
    begun = (reading.as_of, reading.read_at, reading.starts_at or reading.as_of)
    return max(begun) + timedelta(microseconds=1)


def _ids(member: Member) -> set[str]:
    """The ids of *member* as they are compared; what the database cannot hold is in none."""
    found = {naming.folded(id_.replace("\0", "")) for id_ in member.ids}
    return found - {""}


def _remembered(made: Digests, id_: str, member: bytes, now: datetime) -> Iterator[forgotten.Id]:
    """What is kept of an id: its digest and, once for all that stand in texts alike, its shape.

    An id that is a word alone is its own shape: no other begins with it and is put together so.
    """
    found, digest = naming.shape(id_), made.of(id_)
    if found is None:
        yield forgotten.Id(digest, now, member=member)
    elif found.head == id_:
        yield forgotten.Id(digest, now, made.of_head(id_), pieces=1, member=member)
    else:
        yield forgotten.Id(digest, now, member=member)
        yield forgotten.Id(made.of_shape(*found), now, made.of_head(found.head), *found[1:])
