"""`python -m deploy.grafana [--runbook ADDRESS]`: write the dashboards' JSON beside this file."""

from __future__ import annotations

import argparse
from pathlib import Path

from deploy.grafana import deadlines, engine, ingestion
from deploy.grafana.frame import RUNBOOK, written

FOLDER = Path(__file__).resolve().parent / "dashboards"
DASHBOARDS = {"deadlines": deadlines, "ingestion": ingestion, "engine": engine}


def contents(runbook: str = RUNBOOK) -> dict[str, str]:
    """The JSON of each dashboard by the name of its file; links lead to *runbook*."""
    return {
        f"{name}.json": written(made.dashboard()).replace(RUNBOOK, runbook)
        for name, made in DASHBOARDS.items()
    }


def main() -> None:
    """Write them all."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--runbook", default=RUNBOOK, help="where the links of panels lead")
    chosen = given.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name, text in contents(chosen.runbook).items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
