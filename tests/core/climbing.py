"""Ladders, people and rules that tests about escalations start from."""

from __future__ import annotations

from core.model import NoticeKind
from core.people.directory import Directory
from core.people.ladders import Ladder, Rung
from core.people.person import Person
from core.routing import Route, Routing
from core.rules import Rules
from tests.core import seeds
from tests.core.seeds import MINUTE

LADDER = Ladder("late", (Rung(15 * MINUTE, ("person:lea",)), Rung(45 * MINUTE, ("person:boss",))))
PEOPLE = {name: Person(name, name.title(), notifiers=(f"mail-{name}",)) for name in ("lea", "boss")}
KNOWN = frozenset({"chat", "log", "mail-lea", "mail-boss"})


def rules(ladder=LADDER, *, kinds=(), people=PEOPLE, accounts=("mk",)):
    """Rules whose route ``desk`` tells ``chat``, and climbs *ladder*."""
    desk = Route("desk", ("chat",), frozenset(kinds), ladder=ladder.name if ladder else None)
    ops = Route("ops", ("log",), fallback=True)
    return Rules(
        accounts={name: seeds.account(name) for name in accounts},
        policies={name: (seeds.policy(),) for name in accounts},
        routing=Routing(
            {"desk": desk, "ops": ops},
            dict.fromkeys(accounts, ("desk",)),
            Directory(people=people),
            {ladder.name: ladder} if ladder else {},
        ),
    )


async def told(db):
    """(rung, notifier) of every rung that was told, in order."""
    rows = await db.fetch(
        "select (n.facts ->> 'rung')::integer as rung, d.notifier from notice n"
        " join dispatch d on d.notice = n.id where n.kind = $1 order by n.id, d.notifier",
        NoticeKind.ESCALATION.value,
    )
    return [tuple(row) for row in rows]


async def waits(db):
    """(notifier, until when) of every rung that has not left."""
    rows = await db.fetch(
        "select d.notifier, d.next_try_at from notice n join dispatch d on d.notice = n.id"
        " where n.kind = 'escalation' and d.sent_at is null and d.suppressed is null order by n.id"
    )
    return [tuple(row) for row in rows]


async def standing(db):
    """(rung, ended) of every escalation, in order."""
    rows = await db.fetch("select rung, ended from escalation order by id")
    return [tuple(row) for row in rows]
