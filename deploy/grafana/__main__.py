"""`python -m deploy.grafana`: write the dashboards' JSON beside this file."""

from __future__ import annotations

from pathlib import Path

from deploy.grafana import deadlines, engine, ingestion
from deploy.grafana.frame import written

FOLDER = Path(__file__).resolve().parent / "dashboards"
DASHBOARDS = {"deadlines": deadlines, "ingestion": ingestion, "engine": engine}


def contents() -> dict[str, str]:
    """The JSON of each dashboard by the name of its file."""
    return {f"{name}.json": written(made.dashboard()) for name, made in DASHBOARDS.items()}


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in contents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
