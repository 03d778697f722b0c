"""Amazon's own numbers about the seller: asked for once a day, read when they are made.

A report may take hours, and may stay unmade for ever. What was asked for, by whomever, stands in
Amazon's list: nothing of it is kept here but which report was read last.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.amazon.spapi import metrics
from connectors.amazon.spapi.payload import Document, ReportsAnswer, ReportWanted
from core.errors import BadCredentials, BadPayload, OutcomeUnknown, Refused, Unreachable
from core.model import Page, SetAside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.amazon.spapi.calls import Calls
    from connectors.amazon.spapi.payload import Report

TYPE = "GET_V1_SELLER_PERFORMANCE_REPORT"
PATH = "/reports/2021-06-30"

DAY = timedelta(days=1)
MADE = "DONE"
NONE = "none since "
"""A cursor: Amazon said then that it makes no such report for this account, or lets us see none."""
UNREAD = "-"
"""A cursor: no report was read yet."""


async def read(
    calls: Calls, marketplaces: Sequence[str], cursor: str | None, now: datetime
) -> Page:
    """The newest report, where it was not read before; *cursor* is the one that was.

    Where SP-API cannot be entered, that is set aside, once a day: letters are read all the same, so
    the account is not down.

    Raises:
        RateLimited, Unreachable: again later.
        BadPayload: an answer cannot be read.
    """
    if _has_none(cursor, now):
        return Page(cursor=cursor)
    try:
        return await _read(calls, marketplaces, cursor, now)
    except BadCredentials as fault:
        aside = SetAside(TYPE, str(fault), str(fault).encode())
        return Page(set_aside=(aside,), cursor=_none(now))


def _none(now: datetime) -> str:
    return f"{NONE}{now.isoformat()}"


def _has_none(cursor: str | None, now: datetime) -> bool:
    """Whether Amazon said within a day that it makes no such report for this account."""
    if cursor is None or not cursor.startswith(NONE):
        return False
    return now - datetime.fromisoformat(cursor.removeprefix(NONE)) < DAY


async def _read(
    calls: Calls, marketplaces: Sequence[str], cursor: str | None, now: datetime
) -> Page:
    recent = await _listed(calls, marketplaces, now - DAY)
    made = [one for one in recent if one.processing_status == MADE and one.report_document_id]
    newest = max(made, key=lambda one: one.created_time, default=None)
    if newest is not None and newest.report_id != cursor:
        return await _taken(calls, newest)
    if not recent and not await _is_asked(calls, marketplaces):
        return Page(cursor=_none(now))
    return Page(cursor=cursor or UNREAD)


async def _listed(calls: Calls, marketplaces: Sequence[str], since: datetime) -> Sequence[Report]:
    """What was asked for since then: waiting, made, given up."""
    params = {
        "reportTypes": TYPE,
        "marketplaceIds": ",".join(marketplaces[:10]),
        "createdSince": since.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "pageSize": "100",
    }
    return (await calls.get("getReports", f"{PATH}/reports", ReportsAnswer, params)).reports


async def _is_asked(calls: Calls, marketplaces: Sequence[str]) -> bool:
    """Ask for a report; False where Amazon makes none for this account (trap 20)."""
    body = ReportWanted(report_type=TYPE, marketplace_ids=tuple(marketplaces))
    try:
        await calls.send("createReport", f"{PATH}/reports", body)
    except Refused as fault:
        if fault.detail == "400":
            return False
        raise BadPayload(str(fault), detail=fault.detail) from None
    except OutcomeUnknown as fault:  # a second one does no harm
        raise Unreachable(str(fault), detail=fault.detail) from None
    return True


async def _taken(calls: Calls, report: Report) -> Page:
    """What *report* tells; one that cannot be read is set aside, and not read again."""
    id_ = quote(report.report_document_id or "", safe="")
    place = await calls.get("getReportDocument", f"{PATH}/documents/{id_}", Document)
    raw = await calls.download("getDocument", place.url)
    as_of = report.data_end_time or report.created_time
    try:
        numbers = metrics.published(metrics.unpacked(raw), as_of)
    except BadPayload as fault:
        aside = SetAside(report.report_id, str(fault), raw)
        return Page(set_aside=(aside,), cursor=report.report_id)
    return Page(published=numbers, cursor=report.report_id)
