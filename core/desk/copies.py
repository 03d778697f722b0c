"""When a form that comes again is a copy of one that came before. Pure."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.desk.answering import Written


def form(written: Written) -> str | None:
    """Under what *written* is known when it comes again: its key, and what it says.

    With another text under the same key somebody has written on: that is no copy of it, but for who
    asks for one reply of one key.
    """
    if written.key is None:
        return None
    where: list[object] = [written.key, written.account, written.thread]
    return _digest(where if written.once else [*where, *_said(written)])


def _said(written: Written) -> list[object]:
    by = written.follow_up_at
    files = [(one.name, one.url, sha256(one.content).hexdigest()) for one in written.files]
    to, numbers = sorted(written.to), sorted(written.numbers)
    return [written.text, to, by and by.timestamp(), written.kept, numbers, files]


def _digest(said: list[object]) -> str:
    return sha256(json.dumps(said).encode()).hexdigest()
