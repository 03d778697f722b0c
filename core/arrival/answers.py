"""Counts what the seller answers without us: at the marketplace itself, read there or told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import labels
from core.store import answered, tally
from sla.policy import Party
from sla.turn import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from core.arrival.news import News
    from core.store import Db


async def count(db: Db, account: str, found: News, since: datetime, now: datetime) -> None:
    """Count the answers among what is new, of an account that is monitored *since* an instant.

    After its clocks, whose counts are locked first, and before acknowledging, which asks for no
    lock any more.
    """
    told = [
        (message.thread, at)
        for message in found.added
        if message.party is Party.SELLER
        and message.kind is Kind.MESSAGE
        and message.origin == "elsewhere"
        and (at := message.sent_at or now) >= since
    ]
    if told:
        threads, instants = zip(*told, strict=True)
        await add(db, account, await answered.elsewhere(db, account, threads, instants))


async def add(db: Db, account: str, n: int = 1) -> None:
    """Count *n* answers that were given elsewhere."""
    if n:
        await tally.add(db, {(account, labels.REPLY, labels.ELSEWHERE): n})
