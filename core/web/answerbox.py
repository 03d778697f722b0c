"""The box for an answer on a thread's page: all that it shows, before and after it is sent.

What somebody has written and could not be sent comes back with it (`BACK`), and stands in no log.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from core.access import Act
from core.desk import answering, beaten, macros, marking, presence, promising
from core.errors import Mistaken
from core.said import phrase
from core.store import (
    claims,
    enclosures,
    marked,
    orders,
    replies,
    threads,
    titles,
    transaction,
)
from core.store import macros as stored
from core.web import pages
from core.web.ways import parts, who
from sla import zones
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

    from core.access import Who
    from core.capabilities import Capabilities
    from core.configuration.configured import Configured
    from core.desk.answering import Beaten
    from core.desk.limits import Complaint
    from core.desk.macros import Filled
    from core.desk.marking import Foreseen
    from core.model import ClockRow, Order, Thread
    from core.store import Db
    from core.store.claims import Claim
    from core.store.macros import Macro
    from core.store.marked import Said
    from core.store.presence import Present
    from core.store.replies import Reply

SHOWN = 4
"""Replies of which it is shown what became of them, beside those that nobody knows of yet."""
LATELY = timedelta(days=1)
OPEN = frozenset({"queued", "sending", "unknown"})
PICKED = "%Y-%m-%dT%H:%M"
"""How a browser writes a date and a time, in no zone."""


@dataclass(frozen=True, slots=True)
class Back:
    """What somebody wrote that did not leave, and why.

    *kept* is the reply that holds its files. *fault* is ours, in its writer's language. *filled*: a
    macro was put into it. *seen* is what its writer had seen, empty: all that there is. *unsaid*:
    it was no reply that was not taken, but what another button says.
    """

    text: str = field(repr=False)
    to: frozenset[Party] = frozenset({Party.BUYER})
    complaints: tuple[Complaint, ...] = ()
    beaten: Beaten | None = None
    fault: str = ""
    kept: int | None = None
    follow_up: str = ""
    filled: Filled | None = None
    taken_back: bool = False
    seen: str = ""
    unsaid: bool = False


BACK = web.RequestKey("answer_back", Back)


@dataclass(frozen=True, slots=True)
class Status:
    """What goes on about a thread beside what is written: it changes by itself.

    *may_undo* are the *replies* that who asks can take back; *titles* are those of the people who
    are named.
    """

    account: str
    thread: str
    others: Sequence[Present]
    claim: Claim | None
    replies: Sequence[Reply]
    may_undo: frozenset[int]
    promises: Sequence[ClockRow]
    said: Sequence[Said]
    url: str | None
    titles: Mapping[str, str]

    def named(self, name: str) -> str:
        """How others see whoever is called *name*."""
        return self.titles.get(name, name)


@dataclass(frozen=True, slots=True)
class Box:
    """The form: *refused* says why nobody can be answered from here, where that is so.

    *parties* can be answered from here, *answered* may have been answered there.

    *key* makes it one form, however often it is sent; *seen* is what is known of answers.
    """

    status: Status
    zone: str
    key: str
    seen: str
    can: Capabilities
    parties: tuple[Party, ...]
    answered: tuple[Party, ...]
    refused: str
    macros: Sequence[Macro]
    back: Back
    files: Mapping[int, str]
    foreseen: Sequence[Foreseen]
    picked_now: str


async def facts(request: web.Request, account: str, thread: str, shown: str = "") -> Box | None:
    """The box for who asks; None where they may not answer there, or there is no such thread.

    *shown* is what was seen by whom the page shows that is read already (`beaten.seen`).
    """
    configured = parts(request).settings().accounts.get(account)
    if configured is None or not who(request).may(Act.ANSWER, account):
        return None
    async with transaction(parts(request).pool()) as db:
        known = await threads.of(db, account, thread)
        return None if known is None else await _box(request, db, configured, known, shown)


async def _box(
    request: web.Request, db: Db, configured: Configured, known: Thread, shown: str
) -> Box:
    of, asks, now = parts(request), who(request), parts(request).now()
    account, thread = configured.account.name, known.id
    terms = answering.terms(configured.spec, configured.options)
    back, files = await _with_files(db, asks, account, thread, await _back(request, db))
    can, to = terms.can_in(known), answering.parties(known, terms.refuses)
    found = await answering.seen(db, account, thread)
    told = back.beaten
    [state] = (await threads.states(db, account, [thread])).values()
    rules = of.rules()
    return Box(
        status=await status(db, asks, known, account, now, told.by if told else None),
        zone=zone(request).key,
        key=secrets.token_urlsafe(24),
        seen=told.seen if told is not None else back.seen or shown or beaten.seen(found),
        can=can,
        parties=to,
        answered=to or (Party.BUYER,),
        refused=_refused(can, to, terms, known, is_erased=isinstance(state, threads.Nameless)),
        macros=macros.fitting(await stored.all_(db), configured.account),
        back=back,
        files=files,
        foreseen=[
            await marking.foreseen(db, rules, account, thread, level, now)
            for level in marking.levels(can)
        ],
        picked_now=now.astimezone(zone(request)).strftime(PICKED),
    )


def _refused(
    can: Capabilities,
    to: Sequence[Party],
    terms: answering.Terms,
    known: Thread,
    *,
    is_erased: bool,
) -> str:
    """Why nobody can be answered, in English; empty where somebody can."""
    if is_erased:
        return phrase("the buyer was erased: nothing here knows whom to answer")
    if not can.replies:
        return phrase("this account cannot answer from here; answer at the marketplace")
    if to or terms.refuses is None:
        return ""
    return terms.refuses(known, {Party.BUYER}) or ""


async def _back(request: web.Request, db: Db) -> Back:
    """What came back with this request, or what is to be written on: a reply taken back."""
    back: Back | None = request.get(BACK)
    if back is not None:
        return back
    number = request.query.get("back", "")
    if number.isdecimal() and len(number) < 18:
        account, thread = request.match_info["account"], request.match_info["thread"]
        mine = await answering.given_back(db, who(request), account, thread, int(number))
        if mine is not None:
            return given(mine, zone(request))
    return Back("")


async def _with_files(
    db: Db, asks: Who, account: str, thread: str, back: Back
) -> tuple[Back, dict[int, str]]:
    """*back*, and what the files are called that are kept for it: its writer's, of this thread."""
    if back.kept is None:
        return back, {}
    if await answering.given_back(db, asks, account, thread, back.kept) is None:
        return replace(back, kept=None), {}
    return back, await enclosures.names(db, back.kept)


def given(reply: Reply, place: ZoneInfo) -> Back:
    """*reply* as it is written on: its text, whom it is to, its files and what it promises."""
    by = reply.follow_up_at
    return Back(
        reply.body,
        reply.to,
        kept=reply.id,
        follow_up="" if by is None else by.astimezone(place).strftime(PICKED),
        taken_back=True,
    )


async def status(
    db: Db, asks: Who, known: Thread, account: str, now: datetime, *named: str | None
) -> Status:
    """What goes on about the thread *known*, for who asks; *named* are people named beside it."""
    key = account, known.id
    written = [one for one in await replies.of_thread(db, *key) if not one.automatic]
    shown = _shown(written, now)
    claim = (await claims.of(db, [key], now)).get(key)
    return Status(
        account,
        known.id,
        (await presence.others(db, asks.name, [key], now)).get(key, ()),
        claim,
        shown,
        frozenset(one.id for one in shown if _may_undo(asks, one)),
        await promising.of_thread(db, *key),
        await marked.of(db, *key),
        known.url,
        await titles.of(
            db, (*named, claim.by if claim else None, *(one.written_by for one in shown))
        ),
    )


def _shown(written: Sequence[Reply], now: datetime) -> list[Reply]:
    """The replies of which it is said what became of them, the newest first."""
    recent = [
        one
        for one in reversed(written)
        if one.state != "undone"
        and (one.state in OPEN or (one.settled_at or one.queued_at) > now - LATELY)
    ]
    kept = recent[:SHOWN]
    return [*kept, *(one for one in recent[SHOWN:] if one.state in OPEN)]


def _may_undo(asks: Who, reply: Reply) -> bool:
    mine = reply.written_by == asks.name or asks.may(Act.OVERRULE, reply.account)
    return reply.state == "queued" and mine


def zone(request: web.Request) -> ZoneInfo:
    """The zone in which who asks reads and writes times."""
    return zones.zone(pages.audience(request).zone)


def instant(picked: str, place: ZoneInfo) -> datetime:
    """The instant that somebody picked in a form, in the zone *place*.

    Raises:
        Mistaken: it is none, or the wall clocks of *place* never show it.
    """
    try:
        wall = datetime.fromisoformat(picked).replace(tzinfo=None)
    except ValueError:
        raise Mistaken("that is no date and time; write it as 2026-11-27 12:00") from None
    at = wall.replace(tzinfo=place).astimezone(UTC)
    if at.astimezone(place).replace(tzinfo=None) != wall:
        raise Mistaken(
            "clocks in %(zone)s skip that hour on that day; pick another", zone=place.key
        )
    return at


def case(
    configured: Configured,
    known: Thread,
    asks: Who,
    place: str,
    *,
    due_at: datetime | None,
    follow_up_at: datetime | None,
    order: Order | None,
) -> macros.Case:
    """What fills a macro's gaps in the thread *known*."""
    return macros.Case(known, configured.account, asks, place, order, due_at, follow_up_at)


async def filled(
    request: web.Request, db: Db, name: str, wanted: str | None, follow_up_at: datetime | None
) -> Filled:
    """The macro *name* for the thread that *request* names; in its language where *wanted* is None.

    Raises:
        Mistaken: there is no such macro for it, or no such thread.
    """
    account, thread = request.match_info["account"], request.match_info["thread"]
    configured = parts(request).settings().accounts.get(account)
    known, macro = await threads.of(db, account, thread), await stored.of(db, name)
    if configured is None or known is None or macro is None:
        raise Mistaken("there is no such macro any more; pick another")
    if not macros.fits(macro, configured.account):
        raise Mistaken("this macro is for other accounts; pick another")
    bought = await orders.of(db, account, known.order_ids[:1])
    told = case(
        configured,
        known,
        who(request),
        pages.audience(request).zone,
        due_at=await claims.due_at(db, account, thread),
        follow_up_at=follow_up_at,
        order=next(iter(bought), None),
    )
    return macros.fill(macro, wanted or await stored.tongue(db, account, thread), told)
