"""What stands in the cells of a file for spreadsheets. Pure."""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula."""


def guarded(value: object) -> object:
    """*value*; a text that a spreadsheet would reckon begins with an apostrophe instead."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
