"""How far a folder is read, and what is to be read next. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from core.transport.imap_client import Examined, Facts

WRITTEN = re.compile(r"(\d{1,20}):(\d{1,20})(?::(\d{1,20}))?")


class Position(NamedTuple):
    """Everything below *first* is read; what is below *until* only counts since the look-back.

    UIDs mean nothing under another *uidvalidity*.
    """

    uidvalidity: int
    first: int
    until: int = 0

    def __str__(self) -> str:
        """As a connector keeps it."""
        window = f":{self.until}" if self.until else ""
        return f"{self.uidvalidity}:{self.first}{window}"

    @property
    def last(self) -> int | None:
        """The last UID to look at in this walk, None for all."""
        return self.until - 1 if self.until else None

    def after(self, uid: int | None) -> Position:
        """Where to go on when *uid* was read; None: when all of it was."""
        if uid is not None:
            return self._replace(first=uid + 1)
        return Position(self.uidvalidity, max(self.first, self.until))


def begun(written: str | None, seen: Examined) -> Position:
    """Where reading begins: at *written*, or with the look-back where that says nothing.

    It says nothing when the folder was numbered anew: under another UIDVALIDITY, or, by servers
    that were restored and do not tell, when the next UID is one that we have read.
    """
    known = _read(written)
    if known is None or known.uidvalidity != seen.uidvalidity or known.first > seen.uidnext:
        return Position(seen.uidvalidity, 1, seen.uidnext)
    return known


def _read(written: str | None) -> Position | None:
    match = WRITTEN.fullmatch(written or "")
    return Position(*(int(part or 0) for part in match.groups())) if match else None


def batches(
    facts: Sequence[Facts], most_bytes: int, largest: int, alone: Collection[int]
) -> Iterator[list[Facts]]:
    """The letters in order, in groups to be fetched at once.

    A group holds *most_bytes* at most unless one letter alone is more; what is larger than
    *largest* or doubtful (*alone*) is a group by itself.
    """
    group: list[Facts] = []
    for this in facts:
        single = this.size > largest or this.uid in alone
        if group and (single or sum(each.size for each in group) + this.size > most_bytes):
            yield group
            group = []
        group.append(this)
        if single:
            yield group
            group = []
    if group:
        yield group
