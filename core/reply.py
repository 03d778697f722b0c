"""Answer: a queued reply leaves once, and what became of it is written down and told.

`sending` is committed before anything leaves. A process that dies, or is stopped, in between leaves
the reply `unknown`: a person is told, the thread is read until it shows up there, and it is never
sent again by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from core import crash, ingest, keys, spans
from core.arrival import acknowledging, refusals
from core.connector import Replies
from core.desk import promising
from core.errors import (
    BadCredentials,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.model import Draft, Message, Notice, NoticeKind, Page
from core.reading import finding, observe
from core.reading.walk import Round
from core.stopwatch import running_from
from core.store import (
    accounts,
    enclosures,
    messages,
    notices,
    outgoing,
    replies,
    statement,
    threads,
    transaction,
    wake,
)
from core.together import gathered
from core.told import ERASED, REFUSALS
from sla.clock import Kind
from sla.policy import Party
from sla.turn import accepted_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from core.metrics import Metrics
    from core.model import File, Thread
    from core.reading.walk import Reader
    from core.rules import Rules
    from core.store import Db, Pool
    from core.store.replies import Reply

AT_ONCE = 8
LIMIT = 60.0
"""Seconds for one sending: below the lease, so that nobody takes a slow one for a dead one."""
SHORTEST = timedelta(milliseconds=10)
"""Until the next look where what is due is locked by another."""
NOW = timedelta(0)

ATTEMPTS = 10
LONGEST_WAIT = 600.0
CUT = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A claimed reply; *until*, monotonic, it may begin to leave: its lease is long enough.

    *quoted* is the newest message of those whom it answers.
    """

    reply: Reply
    thread: Thread
    quoted: str | None = field(repr=False)
    files: tuple[File, ...] = field(repr=False)
    reader: Reader
    until: float


async def once(
    pool: Pool,
    readers: Mapping[str, Reader],
    rules: Rules,
    metrics: Metrics,
    now: datetime,
    *,
    sure: bool = True,
) -> datetime | None:
    """Send queued replies, find those that left; *readers* by account.

    Returns:
        When to look again: at once after something left; None while nothing is open.
    """
    this = Round(pool, rules, metrics, running_from(now), sure)
    waits = await _waits(this, readers)
    if waits is None or waits > NOW:
        return None if waits is None else this.clock() + waits
    leaving = [each async for each in _claimed(this, readers)]
    await gathered(_send(this, each) for each in leaving)
    await _strand(this)
    await finding.look_for(this, readers)
    if leaving:
        return this.clock()
    waits = await _waits(this, readers)
    return None if waits is None else this.clock() + max(waits, SHORTEST)


async def _waits(this: Round, readers: Mapping[str, Reader]) -> timedelta | None:
    """How long until a reply is due; None while none is open. All that most rounds ask."""
    async with statement(this.pool) as db:
        seconds = await outgoing.waits(db, list(readers))
    return None if seconds is None else timedelta(seconds=seconds)


async def _claimed(this: Round, readers: Mapping[str, Reader]) -> AsyncIterator[_Leaving]:
    """Replies that leave now; each is committed as `sending` before the next is looked for."""
    for _ in range(AT_ONCE):
        until = monotonic() + replies.LEASE.total_seconds() - LIMIT
        async with transaction(this.pool) as db:
            reply = await replies.claim(db, list(readers), this.clock())
            if reply is None:
                return
            await accounts.watched_since(db, reply.account, share=True)
            await threads.lock(db, reply.account, [reply.thread])
            if await _keep_back(db, this, reply):
                log.info("reply kept back", account=reply.account, reply=reply.id)
                continue
            turns = await messages.turns(db, reply.account, [reply.thread])
            await replies.leave(db, reply, accepted_at(this.clock(), turns[reply.thread]))
            await wake.changed(db, {reply.account: [reply.thread]})
            thread = await threads.of(db, reply.account, reply.thread)
            quoted = await messages.newest(db, reply.account, reply.thread, reply.to)
            files = await enclosures.of(db, reply.id)
        if thread is not None:
            yield _Leaving(reply, thread, quoted, files, readers[reply.account], until)


async def _keep_back(db: Db, this: Round, reply: Reply) -> bool:
    """Refuse what is not to leave after all: its thread is held."""
    if not reply.automatic:
        is_kept = await refusals.keep_back(db, this.rules, reply, this.clock())
        if is_kept:
            await promising.go_on(db, this.rules, reply, this.clock(), sure=this.sure)
        return is_kept
    why = await acknowledging.looked_at(db, this.rules, reply, this.clock(), sure=this.sure)
    if why is None:
        return False
    await replies.refuse(db, reply, why, this.clock())
    _count(this, reply, why)
    return True


def _count(this: Round, reply: Reply, outcome: str) -> None:
    """Count what became of *reply* where nobody wrote it: nobody is told of that."""
    if reply.automatic:
        observe.acknowledged(this.metrics, this.rules.accounts[reply.account], outcome)


async def _send(this: Round, leaving: _Leaving) -> None:
    """Send one reply and write down what became of it."""
    reply = leaving.reply
    if monotonic() > leaving.until:  # we were stopped meanwhile: to another it may look lost
        await _put_back(this, reply, timedelta(0), "too_late")
        return
    try:
        message_id = await _sent(this, leaving)
    except asyncio.CancelledError:
        await asyncio.shield(_lost(this, reply))
        raise
    except (Refused, BadCredentials) as fault:
        await _refused(this, reply, fault)
        if isinstance(fault, Refused) and fault.unanswerable:
            await _end(this, reply)
    except (RateLimited, Unreachable) as fault:
        await _not_sent(this, reply, fault)
    except (ConnectorError, TimeoutError) as fault:
        log.info("reply outcome unknown", account=reply.account, error=type(fault).__name__)
        await _lost(this, reply, fault.message_id if isinstance(fault, OutcomeUnknown) else None)
    except Exception as bug:  # noqa: BLE001  # a connector's bug: nobody knows what had left by then
        where = crash.places(bug)
        log.error("reply crashed", account=reply.account, error=type(bug).__name__, trace=where)  # noqa: TRY400  # its text may quote a buyer
        await _lost(this, reply)
    else:
        await _accepted(this, reply, message_id)


async def _sent(this: Round, leaving: _Leaving) -> str | None:
    """Let the connector send; the marketplace's id of the message, where it tells."""
    reply, connector = leaving.reply, leaving.reader.connector
    if not isinstance(connector, Replies):
        raise Refused("this account cannot answer from here", detail="cannot_reply")
    draft = Draft(
        id=reply.id,
        account=reply.account,
        thread=reply.thread,
        body=reply.body,
        to=reply.to,
        queued_at=reply.queued_at,
        files=leaving.files,
        quoted=None if reply.automatic else leaving.quoted,
        automatic=reply.automatic,
        subject=reply.subject,
    )
    with spans.of("reply", account=reply.account):
        async with asyncio.timeout(LIMIT):
            sent = await connector.reply(leaving.thread, draft, this.clock())
    return sent.message_id


async def _accepted(this: Round, reply: Reply, message_id: str | None) -> None:
    async with finding.thread_of(this, reply, message_id) as db:
        await finding.forget_names(this, db, reply)
        if await replies.accept(db, reply, message_id, this.clock()):
            await promising.begin(db, reply, this.clock())
        await enclosures.drop(db, reply.id)
    _count(this, reply, "sent")
    log.info("reply accepted", account=reply.account, reply=reply.id)


async def _refused(this: Round, reply: Reply, fault: ConnectorError) -> None:
    """Say so at once: the clock has been running all the time."""
    async with finding.thread_of(this, reply) as db:
        refused = await replies.refuse(db, reply, str(fault)[:CUT], this.clock())
        if refused and fault.detail != ERASED and not reply.automatic:
            await notices.raise_(db, this.rules, [await _told(db, this, reply, fault)])
        if refused:
            await promising.go_on(db, this.rules, reply, this.clock(), sure=this.sure)
        await enclosures.drop(db, reply.id)
    _count(this, reply, "refused")
    log.warning("reply refused", account=reply.account, reply=reply.id, reason=fault.reason)


async def _end(this: Round, reply: Reply) -> None:
    """Whoever waited when the reply left can be answered no more; who writes again waits again."""
    now = this.clock()
    ended = Message(
        id=f"reply:{reply.id}/unanswerable",
        thread=reply.thread,
        party=Party.MARKETPLACE,
        kind=Kind.UNANSWERABLE,
        sent_at=reply.left_at or now,
        body="No answer is taken any more.",
    )
    async with transaction(this.pool) as db:
        page = Page(messages=(ended,))
        await ingest.page(db, this.rules, reply.account, page, now, None, sure=this.sure)


async def _told(db: Db, this: Round, reply: Reply, fault: ConnectorError) -> Notice:
    known = fault.detail if fault.detail in REFUSALS else fault.reason
    return await refusals.notice(db, reply, f"reply:{reply.id}", known, this.clock())


async def _not_sent(this: Round, reply: Reply, fault: RateLimited | Unreachable) -> None:
    """It has certainly not left: it waits its turn, and is given up visibly."""
    if reply.attempts >= ATTEMPTS:
        await _refused(this, reply, fault)
        return
    await _put_back(this, reply, wait_after(reply.attempts, fault.retry_after), fault.reason)
    log.info("reply waits", account=reply.account, reply=reply.id, reason=fault.reason)


async def _put_back(this: Round, reply: Reply, wait: timedelta, reason: str) -> None:
    """Let it wait its turn; refuse it where its words were erased while it was leaving."""
    async with transaction(this.pool) as db:
        await replies.requeue(db, reply, wait, reason)
        await wake.changed(db, {reply.account: [reply.thread]})
        why = await replies.kept_back(db, reply)
    if why is not None:
        await _refused(this, reply, Refused(why, detail=why))


def wait_after(attempts: int, asked: float | None) -> timedelta:
    """How long a reply waits that was not sent: doubling from 2 s, at least as asked."""
    return timedelta(seconds=min(LONGEST_WAIT, max(2.0 ** min(attempts, 10), asked or 0.0)))


async def _lost(this: Round, reply: Reply, message_id: str | None = None) -> None:
    """Nobody knows whether it was sent: a person is told once, of what a person wrote."""
    async with finding.thread_of(this, reply, message_id) as db:
        await finding.forget_names(this, db, reply)
        if await replies.lose(db, reply, message_id) and not reply.automatic:
            await promising.begin(db, reply, this.clock())
            await notices.raise_(db, this.rules, [await _in_doubt(db, this, reply)])
        await enclosures.drop(db, reply.id)
    _count(this, reply, "unknown")
    log.warning("reply unknown", account=reply.account, reply=reply.id)


async def _in_doubt(db: Db, this: Round, reply: Reply) -> Notice:
    clock = await refusals.most_urgent(db, reply)
    return Notice(
        key=keys.unknown(f"reply:{reply.id}"),
        kind=NoticeKind.REPLY_UNKNOWN,
        account=reply.account,
        raised_at=this.clock(),
        thread=reply.thread,
        clock=clock.id if clock else None,
        due_at=clock.clock.due_at if clock else None,
    )


async def _strand(this: Round) -> None:
    """Take what was leaving when its process died for what it is: unknown."""
    async with transaction(this.pool) as db:
        stranded = await outgoing.stranded(db)
    for reply in stranded:
        await _lost(this, reply)
