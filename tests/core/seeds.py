"""Rows and rules that tests about notices start from."""

from __future__ import annotations

from datetime import timedelta

from core import watch
from core.model import Account
from core.routing import Route, Routing
from core.rules import Rules
from core.store import alarms, clocks, migrate
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def account(name="mk", **changes):
    given = {"connector": "mirakl", "marketplace": "empik", "title": "Empik PL", "identity": name}
    return Account(name=name, **(given | changes))


def policy(name="reply-24h", **changes):
    given = {
        "name": name,
        "version": 1,
        "role": "contract",
        "applies_to": frozenset(ThreadKind),
        "waits_for": frozenset({Party.BUYER}),
        "reply_within": 24 * HOUR,
        "calendar": Calendar.always(),
    }
    return Policy(**(given | changes))


def rules(*routes, accounts=("mk",), policies=None, of=None, says=None):
    """Rules whose last route is the fallback; without routes, everything goes to ``log``.

    *says* is what the connectors of the accounts declare.
    """
    routes = routes or (Route("ops", ("log",), fallback=True),)
    return Rules(
        accounts={name: account(name, **(says or {})) for name in accounts},
        policies=policies or {name: (policy(),) for name in accounts},
        routing=Routing({route.name: route for route in routes}, of or {}),
    )


async def put_account(db, now, name="mk", *, first_walk_at="monitored", since=None):
    since = since or now - 30 * 24 * HOUR
    walked = since if first_walk_at == "monitored" else first_walk_at
    await db.execute(
        "insert into account (name, connector, marketplace, budget_key, monitored_since,"
        " first_walk_at) values ($1, 'mirakl', 'empik', $1, $2, $3)",
        name, since, walked,
    )  # fmt: skip


async def put_stream(db, now, account="mk", name="threads", *, seen_through=None, every=MINUTE,
                     carries_clocks=True):  # fmt: skip
    await db.execute(
        'insert into stream (account, stream, carries_clocks, ascending, next_due, "interval",'
        " floor, health_since, seen_through, not_before)"
        " values ($1, $2, $3, false, now() + $4::interval, $4, '1 s', $5, $6,"
        " now() - interval '1 hour')",
        account, name, carries_clocks, every, now, seen_through,
    )  # fmt: skip


async def put_thread(db, now, name="T1", account="mk", *, buyer="Zenobia Quill"):
    await db.execute(
        "insert into thread (account, id, kind, subject, buyer, url, as_of)"
        " values ($1, $2, 'message', 'Where is my Quillon?', $3, $4, $5)",
        account, name, buyer, f"https://shop.example/threads/{name}", now,
    )  # fmt: skip


async def put_message(db, at, name="M1", thread="T1", account="mk", *, seen_at=None, party="buyer",
                      delivery=None, body="my parcel, please", to=()):  # fmt: skip
    await db.execute(
        "insert into message (account, id, thread, party, kind, addressed_to, delivery, origin,"
        " sent_at, seen_at, body, hash)"
        " values ($1, $2, $3, $4, 'message', $5, $6, 'elsewhere', $7, $8, $9, 'x')",
        account, name, thread, party, list(to), delivery, at, seen_at or at, body,
    )  # fmt: skip


async def put_clock(db, due_at, *, thread="T1", account="mk", steps=None, step=0, **changes):
    """A running clock; *steps* default to a warning an hour before, and the deadline."""
    steps = [due_at - HOUR, due_at] if steps is None else steps
    row = {
        "account": account, "thread": thread, "promise": "reply-24h", "waits_for": "buyer",
        "metric": "first_reply", "policy_version": 1, "members": ["M1"], "started_by": "M1",
        "started_at": due_at - 24 * HOUR, "due_at": due_at, "due_from": "policy", "steps": steps,
        "step": step,
    } | changes  # fmt: skip
    columns = ", ".join(row)
    places = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    number = await db.fetchval(
        f"insert into clock ({columns}) values ({places}) returning id", *row.values()
    )
    await put_alarms(db, number)
    return number


def _alarms():
    """The rule as the migration says it that made the table."""
    [text] = [migration.sql for migration in migrate.shipped() if migration.version == 7]
    return text[text.index("insert into alarm") : text.index("order by id;")]


async def put_alarms(db, clock=None):
    """The alarm of one clock, or of all, as their own rows say: they were written by hand."""
    await db.execute("delete from alarm where $1::bigint is null or clock = $1", clock)
    await db.execute(f"{_alarms()} and ($1::bigint is null or id = $1)", clock)


async def clock_rows(db):
    """Every clock by id, with the *step* that was told, its *alarm*, and *next_alert_at* of it.

    *next_alert_at* is None of what is only to be counted.
    """
    found = await db.fetch("select * from clock order by id")
    kept = await db.fetch("select clock, at, kind::text as kind, step from alarm")
    said = {row["clock"]: row for row in kept}
    return [dict(row) | _next(said.get(row["id"]), row["step"]) for row in found]


def _next(alarm, step):
    if alarm is None:
        return {"alarm": None, "next_alert_at": None}
    at, kind = alarm["at"], alarm["kind"]
    told = at if kind in alarms.TO_TELL else None
    return {"alarm": (at, kind), "next_alert_at": told, "step": alarm["step"]}


async def wrong_alarms(db):
    """The clocks whose alarm is not what the rule makes of them: what it is, and should be."""
    threads = await db.fetch("select distinct account, thread from clock")
    rows = [row for of in threads for row in await clocks.of_thread(db, *of)]
    right = {row.id: alarm for row in rows if (alarm := alarms.of(row))}
    found = await db.fetch("select clock, at, kind::text as kind from alarm")
    are = {row["clock"]: (row["at"], row["kind"]) for row in found}
    return {
        one: (are.get(one), right.get(one))
        for one in are.keys() | right.keys()
        if are.get(one) != right.get(one)
    }


async def watched(pool, rules, now, *, sure=True):
    """All that the watcher tells at *now*, and what follows; when it wants to look again."""
    again = now
    while again in {now, now + watch.PAUSE}:
        _, again = await watch.once(pool, rules, now, sure=sure)
    while await watch.tend(pool, rules, now, set(), sure=sure):
        pass
    return again


async def dispatches(db):
    """(notice key, notifier, what became of it), in order."""
    rows = await db.fetch(
        "select n.key, d.notifier, case when d.sent_at is not null then 'sent'"
        " when d.parked_reason is not null then d.parked_reason"
        " else coalesce(d.suppressed, 'waits') end as state"
        " from dispatch d join notice n on n.id = d.notice order by n.id, d.notifier"
    )
    return [tuple(row) for row in rows]
