"""The page that a person sees: how the accounts are, and where to look further."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from math import inf
from typing import TYPE_CHECKING

from aiohttp import web

from core import labels
from core.measuring.facts import Clocks, Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.measuring.facts import Snapshot
    from core.rules import Rules
    from core.web.ops import Watched

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>replyby</title></head><body>
<h1>replyby</h1>
<p>{state}</p>
<table><thead><tr><th>account</th><th>marketplace</th>{bands}<th>next deadline</th>
<th>last read</th></tr></thead><tbody>
{rows}
</tbody></table>
<p>{counted}</p>
{muted}<p>Numbers for machines: <a href="{ops}/metrics">/metrics</a>,
<a href="{ops}/readyz">/readyz</a>. Single threads: <code>replyby threads --at-risk</code>.</p>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Front:
    """What the page is made of. *ops* is the address of the other listener."""

    watched: Watched
    rules: Callable[[], Rules]
    ops: Callable[[], str]


FRONT = web.AppKey("front", Front)


def application(front: Front) -> web.Application:
    """One page."""
    app = web.Application()
    app[FRONT] = front
    app.add_routes([web.get("/", _page)])
    return app


async def _page(request: web.Request) -> web.Response:
    front = request.app[FRONT]
    snapshot = await front.watched.snapshot()
    faults = await front.watched.faults()
    page = PAGE.format(
        state=escape("; ".join(faults)) or "Ready.",
        bands="".join(f"<th>{band}</th>" for band in labels.BANDS),
        rows="\n".join(_rows(front.rules(), snapshot)),
        counted=_counted(snapshot),
        muted=_muted(snapshot),
        ops=escape(front.ops(), quote=True),
    )
    return web.Response(text=page, content_type="text/html", status=503 if faults else 200)


def _rows(rules: Rules, snapshot: Snapshot | None) -> list[str]:
    if snapshot is None:
        return []
    return [
        _row(
            [account.title, account.marketplace],
            snapshot.counted.clocks.get(name, Clocks()) if snapshot.counted.at else None,
            snapshot.readings.get(name, Reading()),
        )
        for name, account in sorted(rules.accounts.items())
    ]


def _counted(snapshot: Snapshot | None) -> str:
    """As of when the numbers of clocks are; with many clocks it is not the page's own instant."""
    if snapshot is None:
        return ""
    at = snapshot.counted.at
    return f"Running clocks as of {_instant(at)}." if at else "Running clocks are just counted."


def _muted(snapshot: Snapshot | None) -> str:
    """What is not told, and until when."""
    if snapshot is None or not snapshot.muted:
        return ""
    said = (
        f"{scope} {name} until {_instant(of.until)}" for (scope, name), of in snapshot.muted.items()
    )
    return f"<p>Muted, while its clocks run on: {escape('; '.join(said))}.</p>\n"


def _row(who: list[str], clocks: Clocks | None, reading: Reading) -> str:
    """One account; *clocks* is None where they were not counted yet."""
    cells = [
        *who,
        *(map(str, clocks.bands) if clocks else ["-"] * len(labels.BANDS)),
        _instant(clocks.next_deadline if clocks else inf),
        _instant(reading.last_success),
    ]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _instant(at: float) -> str:
    if at in {0.0, inf}:
        return "-"
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
