"""The audit trail: who looked at what, did what, and was refused what; as a page and as a file."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from core.access import Act
from core.cells import guarded
from core.errors import Mistaken
from core.store import audit, transaction
from core.web import deeds, pages
from core.web.ways import Way, parts, who
from sla import zones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.access import Who
    from core.store.audit import Line

PATH, FILE = "/audit", "/audit.csv"
LINES = 100
OF_A_FILE = 1_000
"""Lines of a file that are read at once."""
FILTERS = ("who", "act", "account", "thread")
DAYS = ("since", "until")
MOST = 300
COLUMNS = ("number", "at", "who", "means", "act", "account", "thread", "detail", "address")
HEADERS = {
    "Content-Type": "text/csv; charset=utf-8",
    "Content-Disposition": 'attachment; filename="audit.csv"',
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


async def show(request: web.Request) -> web.Response:
    """The newest lines that a filter leaves, of accounts that one sees."""
    asks, given, wrong = who(request), _given(request), ""
    try:
        asked = _asked(request, given)
    except Mistaken as fault:
        asked, wrong = audit.Asked(), pages.tell(request, fault.said)
    async with transaction(parts(request).pool()) as db:
        lines = await audit.lines(db, asked, asks.accounts, asks.name, LINES + 1)
    older = None
    if len(lines) > LINES:
        lines = lines[:LINES]
        older = f"{PATH}?{urlencode({**given, 'before': lines[-1].id})}"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return pages.page(
        request, "audit.html", status=status, lines=lines, older=older, given=given, wrong=wrong,
        file=f"{FILE}?{urlencode(given)}", details=deeds.details,
    )  # fmt: skip


async def export(request: web.Request) -> web.StreamResponse:
    """All lines that a filter leaves, as a file for spreadsheets; that it was made is one, too.

    Raises:
        Mistaken: a day is none.
    """
    asks, given, now = who(request), _given(request), parts(request).now()
    asked = _asked(request, given)
    async with transaction(parts(request).pool()) as db:
        detail: dict[str, str | int] = {"did": "exported", "filter": urlencode(given)}
        await audit.write(db, asks, Act.AUDIT, detail=detail, now=now)
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    await response.write(_written([COLUMNS]))
    async for lines in _all(request, asks, asked):
        await response.write(_written([_row(line) for line in lines]))
    return response


async def _all(request: web.Request, asks: Who, asked: audit.Asked) -> AsyncIterator[list[Line]]:
    """Every line, some at a time: who reads slowly holds no connection meanwhile."""
    while True:
        async with transaction(parts(request).pool()) as db:
            lines = await audit.lines(db, asked, asks.accounts, asks.name, OF_A_FILE)
        if lines:
            yield lines
        if len(lines) < OF_A_FILE:
            return
        asked = replace(asked, before=lines[-1].id)


def _row(line: Line) -> tuple[object, ...]:
    """A line as cells; its instant in UTC."""
    detail = json.dumps(dict(line.detail), ensure_ascii=False) if line.detail else ""
    at = line.at.astimezone(UTC).isoformat()
    return (
        line.id, at, line.who, line.means, line.act, line.account, line.thread, detail,
        line.address,
    )  # fmt: skip


def _written(rows: list[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _given(request: web.Request) -> dict[str, str]:
    """What the address asks for, the empty ones left out."""
    said = {key: request.query.get(key, "").strip()[:MOST] for key in (*FILTERS, *DAYS)}
    return {key: value for key, value in said.items() if value}


def _asked(request: web.Request, given: Mapping[str, str]) -> audit.Asked:
    """Which lines that is; days are those of the reader's zone, the last one to its end.

    Raises:
        Mistaken: a day is none.
    """
    zone = zones.zone(pages.audience(request).zone)
    since, until = (_day(given[key]) if key in given else None for key in DAYS)
    before = request.query.get("before", "")
    return audit.Asked(
        **{key: given.get(key) for key in FILTERS},
        since=None if since is None else datetime.combine(since, time(), zone),
        until=None if until is None else datetime.combine(until + timedelta(1), time(), zone),
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
    )


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.max
    if not FIRST <= found <= LAST:
        raise Mistaken("that is no day; write it such as 2026-11-23")
    return found


FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)
WAYS = (
    Way("GET", PATH, show, Act.AUDIT),
    Way("GET", FILE, export, Act.AUDIT),
)
