"""Claim a thread for a while, give it back, take it over: the same for page, API, link and command.

Everything here runs in the caller's transaction and writes a line of the audit trail in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.access import Act
from core.desk import leases
from core.errors import Mistaken, NotAllowed
from core.said import phrase
from core.store import audit, claims, threads, wake
from core.store.claims import Claim

if TYPE_CHECKING:
    from datetime import datetime

    from core.access import Who
    from core.desk.leases import Terms
    from core.store import Db

Step = Literal["take", "renew", "held"]

MAY_NOT = {
    Act.CLAIM: phrase("%(name)s may not claim threads of account %(account)s"),
    Act.OVERRULE: phrase("%(name)s may not overrule threads of account %(account)s"),
}
MAY_NOT_RELEASE = phrase("%(name)s may not release threads of account %(account)s")


@dataclass(frozen=True, slots=True)
class Held:
    """The thread is somebody else's: nothing was changed."""

    claim: Claim


def decide(current: Claim | None, by: str, now: datetime) -> Step:
    """What a claim of *by* at *now* comes to, where *current* was not ended. Pure.

    One that was made by a link to several is no one person's: whoever comes goes on with it.
    """
    if current is None or not current.holds(now):
        return "take"
    if current.by == by:
        return "renew"
    return "take" if current.is_shared else "held"


async def claim(
    db: Db,
    who: Who,
    account: str,
    thread: str,
    now: datetime,
    terms: Terms = leases.USUAL,
    *,
    over: bool = False,
) -> Claim | Held:
    """Claim a thread, or let one's own claim of it last from now on; *over* takes another's.

    Of several who claim at once one wins, and the others are told who.

    Raises:
        NotAllowed: *who* may not claim threads of *account*, or not take them from others.
        Mistaken: there is no such thread.
    """
    _check(who, Act.OVERRULE if over else Act.CLAIM, account)
    await _hold(db, account, thread)
    current = await claims.current(db, account, thread)
    step = decide(current, who.name, now)
    if current is not None and step == "held" and not over:
        return Held(current)
    until = leases.until(now, await claims.due_at(db, account, thread), terms)
    if current is not None and step == "renew":
        made = await claims.renew(db, current, until)
    else:
        if current is not None:
            await _supersede(db, current, now)
        made = await claims.take(db, Claim(account, thread, who.name, now, until))
    if made is None:
        raise _raced(account, thread)
    detail = {"until": made.until.isoformat()}
    if current is not None and step == "held":
        detail["from"] = current.by
    await _done(db, who, Act.OVERRULE if over else Act.CLAIM, made, detail, now)
    return made


async def release(db: Db, who: Who, account: str, thread: str, now: datetime) -> Claim | None:
    """Give a thread back, one's own or, with the right to, another's; None: nobody has it.

    Raises:
        NotAllowed: it is another's, and *who* may not end that.
        Mistaken: there is no such thread.
    """
    if not who.may(Act.CLAIM, account):
        raise NotAllowed(MAY_NOT_RELEASE, name=who.name, account=account)
    await _hold(db, account, thread)
    current = await claims.current(db, account, thread)
    if current is None or not current.holds(now):
        return None
    if current.by != who.name and not current.is_shared:
        _check(who, Act.OVERRULE, account)
    if not await claims.end(db, current, "released", now):
        raise _raced(account, thread)
    act = Act.CLAIM if current.by == who.name else Act.OVERRULE
    await _done(db, who, act, current, {"released": current.by}, now)
    return replace(current, until=now)


def _check(who: Who, act: Act, account: str) -> None:
    if not who.may(act, account):
        raise NotAllowed(MAY_NOT[act], name=who.name, account=account)


async def _hold(db: Db, account: str, thread: str) -> None:
    """Lock the thread, as whoever stores an answer does: no claim is made behind its back."""
    if not await threads.lock(db, account, [thread]):
        hint = "see: replyby threads"
        raise Mistaken(threads.UNKNOWN, account=account, thread=thread, hint=hint)


async def _supersede(db: Db, current: Claim, now: datetime) -> None:
    if current.holds(now):
        await claims.end(db, current, "taken_over", now)
    else:
        await claims.end(db, current, "lapsed", current.until)


async def _done(
    db: Db, who: Who, act: Act, claim: Claim, detail: dict[str, str], now: datetime
) -> None:
    account, thread = claim.account, claim.thread
    await audit.write(db, who, act.value, account=account, thread=thread, detail=detail, now=now)
    await wake.changed(db, {account: [thread]}, "escalate", "deliver")


def _raced(account: str, thread: str) -> Mistaken:
    """Nobody can have changed what is locked, but by hand."""
    return Mistaken(
        "the claim of %(thread)s in account %(account)s was changed meanwhile: try again",
        thread=thread,
        account=account,
    )
