"""Whether a program takes an answer of some kind, as its header Accept says (RFC 9110). Pure."""

from __future__ import annotations

import re

RANGE = re.compile(r"\s*([^\s;/]+)/([^\s;/]+)\s*((?:;[^;]*)*)")
NONE = re.compile(r";\s*q\s*=\s*0(?:\.0{0,3})?\s*(?:;|$)", re.IGNORECASE)


def accepts(said: str, kind: str) -> bool:
    """Whether *said* lets *kind* (``application/json``) in, by what names it most closely.

    Nothing said, and nothing that can be read, is no wish.
    """
    wishes = [_wish(one, kind) for one in said.split(",") if RANGE.fullmatch(one)]
    closest = max((one for one in wishes if one is not None), default=None)
    return not wishes or (closest is not None and closest[1])


def _wish(one: str, kind: str) -> tuple[int, bool] | None:
    """How closely the range *one* names *kind*, and whether it is wanted; None: it is another."""
    found = RANGE.fullmatch(one)
    if found is None:
        return None
    main, sub = found[1].lower(), found[2].lower()
    ours, of_ours = kind.split("/")
    if (main, sub) == (ours, of_ours):
        close = 2
    elif (main, sub) == (ours, "*"):
        close = 1
    elif (main, sub) == ("*", "*"):
        close = 0
    else:
        return None
    return close, NONE.search(found[3]) is None
