"""Takes in what an operator says of since when a promise has been in force, while all else turns.

What turns meanwhile works by rules that it took when it began: the promises in them are replaced
where they stand. So whoever has computed by the old dates holds its threads by then, and all that
is recomputed here comes after it. Another process has its own promises, and its own such round: it
computes again what it may have computed by the old dates.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from core.running import takeover
from core.store import policies, redates, statement, transaction

if TYPE_CHECKING:
    from datetime import datetime

    from core.running.state import State

LOOP = "redate"
"""The loop that does this, as it is woken and beats."""

log = structlog.get_logger()


async def once(state: State, now: datetime, *, sure: bool = True) -> datetime | None:
    """Work by what was said since we took the promises over, and compute again what that changes.

    Returns:
        At once where the settings were replaced meanwhile: theirs are to be looked at.

    Raises:
        StoreUnavailable: the database went away; all of it is done again.
    """
    pool, rules = state.pool, state.rules
    async with statement(pool) as db:
        if await redates.newest(db) == rules.redated_at:
            return None
    async with transaction(pool) as db:
        newest = await redates.newest(db)
        versions = await policies.in_force(db, list(rules.accounts))
    if state.rules is not rules:
        return now
    accounts = {name: state.settings.accounts[name] for name in rules.accounts}
    rules.policies.update(takeover.as_they_hold(versions, accounts))
    async with transaction(pool) as db:
        await redates.outdate(db, rules.redated_at)
    turned = partial(state.pulse.beat, LOOP)
    await takeover.bring_up_to_date(pool, rules, now, sure=sure, turned=turned)
    if state.rules is not rules:
        return now
    state.rules = replace(rules, redated_at=newest)
    log.info("promises redated", said_at=newest and newest.isoformat())
    return None
