"""Where the buyer of a thread waits beside it, as commands tell it: nothing of who that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.spoken import left
from core.store.elsewhere import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from core.settings import Settings
    from core.store.elsewhere import Elsewhere, Waiting

Told = dict[str, Any]

SHOWN = 5
"""So many threads are named to a person; how many there are beside these is said."""


def told(found: Elsewhere, configured: Settings, now: datetime) -> Told:
    """*found* for programs."""
    return {
        "waits": [
            {
                "account": one.account,
                "title": _title(one, configured),
                "thread": one.thread,
                "promise": one.promise,
                "due_at": one.due_at.isoformat(),
                "left": left(one.due_at - now),
            }
            for one in found.waits
        ],
        "too_common": found.too_common,
    }


def lines(told: Told, account: str) -> Iterator[str]:
    """For people who look at a thread of *account*."""
    for one in told["waits"][:SHOWN]:
        place = "in another thread" if one["account"] == account else f"on {one['title']}"
        where = f"{one['account']} {one['thread']}"
        yield f"The same buyer waits {place} as well: {one['left']} ({where}, {one['promise']})."
    if (more := len(told["waits"]) - SHOWN) > 0:
        yield f"The same buyer waits in {more} more; for all: --json"
    if told["too_common"]:
        yield (
            f"An order, address or phone of this thread is that of more than {MOST} threads, and "
            "says nothing of who waits elsewhere."
        )


def short(found: Elsewhere, configured: Settings, now: datetime) -> str | None:
    """As few words as a column holds; None where the buyer waits nowhere else."""
    if not found.waits:
        return None
    first, *others = found.waits
    more = f" (+{len(others)})" if others else ""
    return f"{_title(first, configured)}: {left(first.due_at - now)}{more}"


def _title(one: Waiting, configured: Settings) -> str:
    """How the account is called; its name, where the settings have left it."""
    found = configured.accounts.get(one.account)
    return one.account if found is None else found.account.title
