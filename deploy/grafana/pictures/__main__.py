"""`python -m deploy.grafana.pictures PROMETHEUS`: draw each dashboard from what its queries bring.

No Grafana is asked: a page lays the panels out as Grafana would, with uPlot (MIT, beside this
file), in a headless Chromium of the system. What it shows is what that Prometheus answered.
"""

from __future__ import annotations

import argparse
import json
import shutil
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from deploy.grafana.__main__ import FOLDER
from deploy.grafana.asking import answers, instants, now
from deploy.grafana.panels import Span, dashboards

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from playwright.sync_api import Browser

    from deploy.grafana.asking import Answer

HERE = Path(__file__).resolve().parent
WIDTH = 1600
Mark = tuple[float, str]
"""An instant and its colour."""

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--allow-file-access-from-files",
)  # fmt: skip


def content(
    dashboard: Mapping[str, Any], found: Iterable[Answer], marks: Iterable[Mark], span: Span
) -> dict[str, Any]:
    """What the page is given: a dashboard's panels with what their queries brought."""
    brought: dict[str, list[dict[str, Any]]] = {}
    for answer in found:
        end = answer.span.end // answer.step * answer.step
        brought.setdefault(answer.asked.panel, []).append(
            {
                "ref": answer.asked.ref,
                "legend": answer.asked.legend,
                "step": answer.step,
                "from": end - answer.span.length,
                "to": end,
                "series": [{"labels": s.labels, "points": s.points} for s in answer.series],
            }
        )
    variables = [v for v in dashboard["templating"]["list"] if v["type"] != "textbox"]
    return {
        "title": dashboard["title"],
        "range": _range(span),
        "chosen": [
            (v["label"], "Prometheus" if v["type"] == "datasource" else "All") for v in variables
        ],
        "panels": [
            {**panel, "answers": brought.get(panel["title"], [])} for panel in dashboard["panels"]
        ],
        "marks": [{"at": at, "color": color} for at, color in marks],
    }


def _range(span: Span) -> str:
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (span.end - span.length, span.end))
    return f"{begin:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"


def _marks(prometheus: str, dashboard: Mapping[str, Any], span: Span) -> Iterator[Mark]:
    """The marks whose instants stand in values: starts, reloads."""
    for note in dashboard["annotations"]["list"]:
        if note.get("useValueForTime") == "on":
            for at in instants(prometheus, note["expr"], span):
                yield at, note["iconColor"]


def painted(drawings: Mapping[str, Mapping[str, Any]], into: Path) -> dict[str, str]:
    """Draw each `content` into a PNG of its name; the words that stand in it, by name."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("no chromium: install it (Debian's package chromium)")
    into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=QUIET)
        said = {
            name: _picture(browser, given, into / f"{name}.png") for name, given in drawings.items()
        }
        browser.close()
    return said


def _picture(browser: Browser, given: Mapping[str, Any], path: Path) -> str:
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto((HERE / "page.html").as_uri())
    height = page.evaluate(f"draw({json.dumps(given)})")
    page.set_viewport_size({"width": WIDTH, "height": int(height)})
    shot = b64encode(page.screenshot()).decode()
    path.write_bytes(b64decode(page.evaluate("pack", shot)))
    words = page.inner_text("body")
    page.close()
    if faults:
        raise RuntimeError(f"{path.name}: {faults[0]}")
    return words


def draw(prometheus: str, span: Span, into: Path) -> None:
    """Draw all dashboards from what a Prometheus holds."""
    painted(
        {
            name: content(
                dashboard,
                answers(prometheus, name, dashboard, span),
                _marks(prometheus, dashboard, span),
                span,
            )
            for name, dashboard in dashboards(FOLDER).items()
        },
        into,
    )


def main() -> None:
    """Draw what a Prometheus holds."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("prometheus", help="its address, as http://127.0.0.1:9090")
    given.add_argument("--minutes", type=float, default=60, help="how much is shown")
    given.add_argument("--scrape", type=float, default=15, help="its scrape interval in seconds")
    given.add_argument("--into", type=Path, default=Path("docs/pictures"))
    chosen = given.parse_args()
    end = now(chosen.prometheus)
    draw(chosen.prometheus, Span(end, 60 * chosen.minutes, chosen.scrape), chosen.into)


if __name__ == "__main__":
    main()
