"""Tells what stands open once more, where the receiver forgets what it does not hear again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from core import crash
from core.errors import NotifierError
from core.notifier import Keeps
from core.outbox import batch, naming
from core.store import budget, incidents, transaction

if TYPE_CHECKING:
    from core.outbox.batch import Outbox

log = structlog.get_logger()


async def keep(outbox: Outbox) -> None:
    """Do so if it is the turn: once for all processes. What fails is told again the next time."""
    notifier = outbox.notifier
    if not isinstance(notifier, Keeps):
        return
    async with transaction(outbox.this.pool) as db:
        if not await budget.take(db, f"keep {outbox.name}", notifier.every):
            return
        standing = await incidents.standing(db, outbox.name)
    told = [(one.notice, naming.alone(outbox, one)) for one in standing]
    try:
        async with asyncio.timeout(batch.SECONDS):
            await notifier.keep(told)
    except NotifierError as fault:
        outbox.unsettled.trouble.failed(fault, notifier=outbox.name)
    except TimeoutError:
        late = NotifierError("no answer in time")
        outbox.unsettled.trouble.failed(late, notifier=outbox.name)
    except Exception as fault:  # noqa: BLE001  # as of a notice: its bug ends no loop
        error, trace = type(fault).__name__, crash.places(fault)
        log.error("notifier failed", notifier=outbox.name, error=error, trace=trace)  # noqa: TRY400  # its text may quote what was sent
