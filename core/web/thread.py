"""A thread's page: its clocks and why they are due, what was written, and what belongs to it.

Each look is a line of the audit trail, written before anything of a buyer leaves. Whoever may not
see the account learns no more than of a thread that is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web

from core.access import Act
from core.desk import answering, beaten, climbs, explaining
from core.store import (
    audit,
    claims,
    clocks,
    conversations,
    elsewhere,
    history,
    links,
    orders,
    titles,
    transaction,
)
from core.web import answerbox, deadlines, exchange, ladders, lines, pages, tongue, words
from core.web.exchange import Asked, Here
from core.web.glance import GLANCE
from core.web.lettering import line
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from core.access import Who
    from core.desk.climbs import Climb
    from core.desk.explaining import Explained
    from core.model import ClockRow, Order
    from core.store import Db
    from core.store.audit import Line
    from core.store.claims import Claim
    from core.store.conversations import Head, Message, Waiting
    from core.store.elsewhere import Beside
    from core.web.ways import Parts

BESIDE = 20
"""Other threads of the buyer that are shown."""
MOST_TONGUES = 3
TONGUE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*+")
PICTURE = words.phrase("picture")
LOOKS = 20
"""Lines of the audit trail that are shown."""
WHOLE, LIVE = "thread.html", "thread/live.html"
SAME_LOOK = timedelta(minutes=15)
"""So long what a page shows anew is part of the look with which it was opened."""
NUMBER = re.compile(r"[0-9]{1,9}")
SEEN = "messages"
"""How many were shown, in a look's line: by that it is no look at a file."""


@dataclass(frozen=True, slots=True)
class Read:
    """All that a thread's page is made of, as it was at one instant.

    *seen* is what whoever reads it has seen of what was written (`core.desk.beaten.seen`); *titles*
    are those of the people who write and claim.
    """

    head: Head
    messages: Sequence[Message]
    has_older: bool
    waiting: Sequence[Waiting]
    rows: Sequence[ClockRow]
    explained: Sequence[Explained]
    left_out: int
    orders: Sequence[Order]
    beside: Sequence[Beside]
    claim: Claim | None
    climbing: Sequence[Climb]
    mark: str | None
    trail: Sequence[Line]
    seen: str
    titles: Mapping[str, str]


async def page(request: web.Request) -> web.Response:
    """The page, or of it what changes by itself."""
    account, thread = _where(request)
    asked = _asked(request)
    found = await looked_up(request, account, thread, asked)
    detail = {SEEN: len(found.messages), "live": int(asked.live)}
    await note(request, account, thread, detail, _since(found, asked, parts(request).now()))
    facts = await _facts(request, found, asked)
    return pages.page(request, LIVE if asked.live else WHOLE, status=200, **facts)


async def file(request: web.Request) -> web.Response:
    """A file that is to leave with a reply, or a message's text: to be kept, not shown here."""
    account, thread = _where(request)
    if "message" in request.query:
        return await _text(request, account, thread, request.query["message"])
    reply, number = (request.query.get(name, "") for name in ("reply", "number"))
    if not (NUMBER.fullmatch(reply) and NUMBER.fullmatch(number)):
        raise web.HTTPNotFound
    async with transaction(parts(request).pool()) as db:
        found = await conversations.file(
            db, account, thread, int(reply), int(number), who(request).name
        )
    if found is None:
        raise web.HTTPNotFound
    await note(request, account, thread, {"reply": int(reply), "file": int(number)})
    return _kept(*found)


async def _text(request: web.Request, account: str, thread: str, message: str) -> web.Response:
    """All that a message says, as it came."""
    async with transaction(parts(request).pool()) as db:
        found = await conversations.text(db, account, thread, message)
    if found is None:
        raise web.HTTPNotFound
    await note(request, account, thread, {"text": 1})
    return _kept("message.txt", found.encode())


def _kept(name: str, content: bytes) -> web.Response:
    headers = {
        **pages.HEADERS,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(line(name) or 'file')}",
    }
    return web.Response(body=content, content_type="application/octet-stream", headers=headers)


def _where(request: web.Request) -> tuple[str, str]:
    """The account and the thread that the address names.

    Raises:
        HTTPNotFound: none can be called so, or who asks may not read there.
    """
    account, thread = request.match_info["account"], request.match_info["thread"]
    if "\0" in account + thread or not who(request).may(Act.READ, account):
        raise web.HTTPNotFound
    return account, thread


def _asked(request: web.Request) -> Asked:
    query = {key: value.replace("\0", "") for key, value in request.query.items()}
    return Asked(
        before=query.get("before") or None,
        whole=query.get("whole") or None,
        as_it_came=query.get("raw") or None,
        every=query.get("clocks") == "all",
        live=query.get("part") == "live",
    )


async def looked_up(request: web.Request, account: str, thread: str, asked: Asked) -> Read:
    """What there is of a thread.

    Raises:
        HTTPNotFound: there is no such thread.
    """
    async with transaction(parts(request).pool()) as db:
        await db.execute(history.READ_ONLY)
        head = await conversations.head(db, account, thread)
        if head is None:
            raise web.HTTPNotFound
        return await _read(db, parts(request), who(request), head, asked)


async def _read(db: Db, of: Parts, reader: Who, head: Head, asked: Asked) -> Read:
    account, thread, now = head.account, head.id, of.now()
    whole = asked.whole or asked.as_it_came
    some, has_older = await conversations.messages(
        db, account, thread, before=asked.before, whole=whole
    )
    rows = await clocks.of_thread(db, account, thread)
    shown, left_out = deadlines.chosen(rows, every=asked.every)
    claim = (await claims.of(db, [(account, thread)], now)).get((account, thread))
    waiting = await conversations.waiting(db, account, thread)
    writers = [*(one.written_by for one in some), *(one.written_by for one in waiting)]
    return Read(
        head,
        some,
        has_older,
        waiting,
        rows,
        await explaining.of(db, shown, now, own_mark=_own_mark(of, account)),
        left_out,
        await orders.of(db, account, head.order_ids),
        await elsewhere.beside(db, account, thread, reader.accounts, BESIDE),
        claim,
        await climbs.of(db, account, thread, now),
        await _mark(db, reader, account, thread),
        await _trail(db, reader, account, thread),
        beaten.seen(await answering.seen(db, account, thread)),
        await titles.of(db, (*writers, claim.by if claim else None, head.language_set_by)),
    )


def _own_mark(of: Parts, account: str) -> bool:
    configured = of.settings().accounts.get(account)
    return configured is not None and configured.own_mark


async def _mark(db: Db, reader: Who, account: str, thread: str) -> str | None:
    """The link by which a person sets the marketplace's own mark, for who may."""
    if not reader.may(Act.ANSWER, account):
        return None
    found = await links.of_thread(db, account, thread)
    return found[0][1] if found else None


async def _trail(db: Db, reader: Who, account: str, thread: str) -> Sequence[Line]:
    if not reader.may(Act.AUDIT, account):
        return ()
    asked = audit.Asked(account=account, thread=thread)
    return await audit.lines(db, asked, reader.accounts, reader.name, LOOKS)


async def note(
    request: web.Request,
    account: str,
    thread: str,
    detail: dict[str, int],
    since: datetime | None = None,
) -> None:
    """Write down that they looked, unless they did *since* then.

    In a transaction of its own, so that a look waits for no other.
    """
    reader, now = who(request), parts(request).now()
    async with transaction(parts(request).pool()) as db:
        if since and await audit.did(db, reader, Act.READ, account, thread, since, SEEN):
            return
        await audit.write(
            db, reader, Act.READ, account=account, thread=thread, detail=detail, now=now
        )


def _since(found: Read, asked: Asked, now: datetime) -> datetime | None:
    """From when on an earlier look is this one; None: none is.

    A page that lies open is looked at anew with each message that comes, and now and then.
    """
    if not asked.live or asked.before or asked.whole or asked.as_it_came:
        return None
    return max((now - SAME_LOOK, *(one.seen_at for one in found.messages)))


async def _facts(request: web.Request, found: Read, asked: Asked) -> dict[str, Any]:
    """What the templates name."""
    rules, now = parts(request).rules(), parts(request).now()
    head, here = found.head, Here(found.head.account, found.head.id, asked)
    places = {one.account: lines.place(rules, one.account) for one in found.beside}
    reader = pages.audience(request)
    subject, picture = line(head.subject), reader.say(PICTURE)
    several = exchange.entries(found.messages, subject, here, picture)
    waiting, earlier = exchange.split(several)
    seen = await request.app[GLANCE].of(who(request), now)
    return {
        "troubles": [
            t for t in seen.troubles if t.account is None or t.account.name == head.account
        ],
        "alone": seen.alone,
        "polled": head.account not in rules.accounts or rules.accounts[head.account].polled,
        "tongues": _tongues(found.messages, reader.language),
        "variety": partial(words.variety, reader.language),
        "languages": tongue.offered(reader.language, filter(None, [head.language_set])),
        "waits": any(row.clock.ended is None and row.clock.steps for row in found.rows),
        "head": head,
        "place": lines.place(rules, head.account),
        "subject": subject,
        "buyer": line(head.buyer),
        "order_ids": exchange.lines_of(head.order_ids),
        "url": exchange.web_address(head.url),
        "clocks": deadlines.clocks(found.explained, now),
        "left_out": found.left_out,
        "entries": several if asked.before else waiting,
        "earlier": () if asked.before else earlier,
        "leaving": exchange.leaving(found.waiting, here, picture) if not asked.before else [],
        "older": here.address(before=found.messages[-1].id) if found.has_older else "",
        "newest": here.address(before="") if asked.before else "",
        "every": here.address(clocks="all"),
        "live": _live(head),
        "orders": found.orders,
        "siblings": deadlines.siblings(found.beside, found.rows, places),
        "claim": found.claim,
        "ladders": ladders.shown(found.climbing, rules.routing.directory),
        "mark": exchange.web_address(found.mark),
        "trail": _grouped(found.trail),
        "named": lambda name: line(found.titles.get(name, name)),
        "here": here.address(),
        "answer": None if asked.before else await _box(request, found),
    }


async def _box(request: web.Request, found: Read) -> answerbox.Box | None:
    """The box for an answer, which says that what stands on this page was seen, and no more."""
    return await answerbox.facts(request, found.head.account, found.head.id, found.seen)


def _grouped(trail: Sequence[Line]) -> list[tuple[Line, int]]:
    """Lines of which somebody's several alike in a row are one: the last, and how many."""
    runs = (list(run) for _, run in groupby(trail, lambda line: (line.who, line.act)))
    return [(run[0], len(run)) for run in runs]


def _live(head: Head) -> str:
    """Where changes of the thread are heard of."""
    return f"/live?account={quote(head.account, safe='')}&thread={quote(head.id, safe='')}"


def _tongues(messages: Sequence[Message], language: str) -> list[str]:
    """The languages that were written in, as the reader calls them, the latest first."""
    told = dict.fromkeys(one.language for one in messages if one.language)
    codes = [code for code in told if TONGUE.fullmatch(code)]
    return [line(words.tongue(language, code)) for code in codes[:MOST_TONGUES]]


WAYS = (
    Way("GET", "/thread/{account}/{thread:.+}", page, Act.READ),
    Way("GET", "/file/{account}/{thread:.+}", file, Act.READ),
)
