"""What was set aside and waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.measuring.facts import Aside
from core.measuring.sections import INGESTION
from core.measuring.written import Room, Seen, written

if TYPE_CHECKING:
    from core.measuring.written import Families

KEPT = INGESTION.family(
    "payloads_set_aside", "gauge", ("marketplace",),
    "Unreadable payloads that are kept until somebody looks: `replyby set-aside list`.",
)  # fmt: skip
LAST = INGESTION.family(
    "payloads_set_aside_last_timestamp_seconds", "gauge", ("marketplace",),
    "When the newest of them came; one that comes again is not new; 0: none is kept.",
)  # fmt: skip


def _shown(seen: Seen) -> Families:
    none, aside = Aside(), seen.snapshot.aside
    kept = dict.fromkeys(seen.names.marketplaces, 0)
    last = dict.fromkeys(seen.names.marketplaces, 0.0)
    for marketplace, account in seen.names.accounts:
        of = aside.get(account, none)
        kept[marketplace] += of.n
        last[marketplace] = max(last[marketplace], of.last)
    yield KEPT, [(_place(marketplace), n) for marketplace, n in kept.items()]
    yield LAST, [(_place(marketplace), at) for marketplace, at in last.items()]


def _place(marketplace: str) -> str:
    return written(("marketplace",), (marketplace,))


ROOM = Room((KEPT, LAST), _shown)
