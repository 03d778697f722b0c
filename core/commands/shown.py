"""Rows for people as a table, for scripts as JSON."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Rows = Sequence[Mapping[str, object]]

WIDEST = 60


def rows(found: Rows, *, as_json: bool, none: str, hidden: Sequence[str] = ()) -> None:
    """Print *found*; *none* is said where there is nothing, *hidden* columns stand in JSON only."""
    if as_json:
        click.echo(json.dumps([plain(row) for row in found], indent=2, ensure_ascii=False))
    else:
        click.echo(table(found, hidden=hidden) if found else none)


def table(found: Rows, *, hidden: Sequence[str] = ()) -> str:
    """*found*, of which there is something, as lines for people."""
    columns = [name for name in found[0] if name not in hidden]
    return "\n".join(_table(columns, found))


def _table(columns: Sequence[str], found: Rows) -> list[str]:
    cells = [[_cell(row[name]) for name in columns] for row in found]
    widths = [max(len(name), *(len(line[n]) for line in cells)) for n, name in enumerate(columns)]
    head = [name.replace("_", " ").upper() for name in columns]
    return [_line(line, widths) for line in [head, *cells]]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _cell(value: object) -> str:
    """One line, cut where it is long."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    text = " ".join(str(value).split())
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def plain(row: Mapping[str, object]) -> dict[str, object]:
    """*row* as JSON holds it: instants in ISO 8601."""
    return {name: _json(value) for name, value in row.items()}


def _json(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    return value
