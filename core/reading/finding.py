"""Finds replies that left in their threads, as the marketplace has them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from core import ingest
from core.arrival import judging, recalling
from core.arrival.naming import INSTEAD
from core.reading import observe, reread
from core.store import accounts, outgoing, readback, replies, traces, transaction
from core.together import gathered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from core.reading.walk import Reader, Round
    from core.store import Db
    from core.store.replies import Reply

AT_ONCE = 8
LOOK = 10.0
"""Seconds that a look at one thread may take."""

log = structlog.get_logger()


@asynccontextmanager
async def thread_of(this: Round, reply: Reply, message_id: str | None = None) -> AsyncIterator[Db]:
    """A transaction that holds the reply's thread; its clocks are recomputed at the end.

    So is the thread in which the reply may have been read already, as *message_id*.
    """
    async with transaction(this.pool) as db:
        await accounts.watched_since(db, reply.account, share=True)
        ids = await replies.threads_of(db, reply, message_id)
        await judging.lock(db, this.rules, reply.account, ids)
        yield db
        put = await ingest.recompute(
            db, this.rules, reply.account, ids, this.clock(), sure=this.sure
        )
    account = this.rules.accounts[reply.account]
    observe.replies(this.metrics, this.rules, account.marketplace, put.replied)


async def look_for(this: Round, readers: Mapping[str, Reader]) -> None:
    """Read the threads of replies that left, to find them as the marketplace has them."""
    async with transaction(this.pool) as db:
        left = await outgoing.to_look_for(db, list(readers), this.clock(), AT_ONCE)
    await gathered(_find(this, reply, readers[reply.account]) for reply in left)


async def _find(this: Round, reply: Reply, reader: Reader) -> None:
    """Settle *reply* by what is stored of its thread, else by what a look brings."""
    if not await _is_found(this, reply) and await reread.now(this, reader, [reply.thread], LOOK):
        await _is_found(this, reply)


async def _is_found(this: Round, reply: Reply) -> bool:
    async with thread_of(this, reply) as db:
        await forget_names(this, db, reply)
        found = await readback.find(db, reply)
        if found is None:
            return False
        await replies.confirm(db, reply, *found, this.clock())
    log.info("reply settled", account=reply.account, reply=reply.id, state=found[0])
    return True


async def forget_names(this: Round, db: Db, reply: Reply) -> None:
    """Take out of what was read back of *reply* the names that it lost here while it was leaving.

    The marketplace may date it later than the request, as if it were somebody's new message.
    """
    body = await replies.body(db, reply)
    if INSTEAD not in body:
        return
    theirs = await readback.theirs(db, reply)
    asked = await recalling.of_texts(db, this.rules, reply.account, [body for _, body in theirs])
    without = asked.names().in_sentences.without
    told = [(id_, without(body)) for id_, body in theirs]
    if asked and (ours := readback.which(body, told)) is not None:
        await traces.rewrite_messages(db, reply.account, [ours], without, without)
        await traces.clear(db, traces.CLEAR_LINKS, reply.account, [ours])
