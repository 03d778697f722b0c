"""Let less be told: mute an account or a route, take note of troubles; for command and API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.access import Act
from core.desk import taking
from core.errors import Mistaken, NotAllowed
from core.model import UNSEEN
from core.store import audit, escalations, linking, mutes, wake

if TYPE_CHECKING:
    from datetime import datetime

    from core.access import Who
    from core.store import Db
    from core.told import Mute, MuteScope

LONGEST = timedelta(days=30)
"""So long something is muted at most: what is forgotten must not be silent for ever."""
MOST_REASON = 200


async def mute(
    db: Db,
    who: Who,
    scope: MuteScope,
    name: str,
    until: datetime,
    why: str | None,
    now: datetime,
) -> tuple[Mute, datetime | None]:
    """Mute, or move the end of a mute that stands; that, and its end before, None: it is new.

    Raises:
        NotAllowed: *who* may not, or not there.
        Mistaken: the end is not ahead, or too far off.
    """
    _check_may(who, scope, name)
    check_end(until, now)
    found, before = await mutes.put(db, scope, name, until, who.name, why)
    await _note(db, who, "mute", found, now)
    await wake.changed(db, None, "deliver")
    return found, before


async def unmute(
    db: Db, who: Who, scope: MuteScope, name: str, now: datetime
) -> tuple[Mute, int] | None:
    """Lift a mute: what it held back leaves now, how many; None where there is none.

    Raises:
        NotAllowed: *who* may not, or not there.
    """
    _check_may(who, scope, name)
    lifted = await mutes.end(db, scope, name)
    if lifted is not None:
        await _note(db, who, "unmute", lifted[0], now)
        await wake.changed(db)
    return lifted


async def take_note(db: Db, who: Who, account: str, now: datetime) -> list[str]:
    """Acknowledge all troubles of *account* of which somebody else would be told; their kinds.

    Raises:
        NotAllowed: *who* may not act for it.
        Mistaken: there is none.
    """
    kinds = []
    for notice in await escalations.troubles(db, account):
        if found := await linking.about(db, notice):
            await taking.acknowledge(db, who, found, now)
            kinds.append(found.kind.value)
    if not kinds:
        raise Mistaken(
            "%(account)s: nobody else is told of any trouble of it as things stand",
            account=account,
        )
    return kinds


def check_end(at: datetime, now: datetime) -> None:
    """Refuse a mute that would end at no sensible instant.

    Raises:
        Mistaken: it is not ahead, or further off than `LONGEST`.
    """
    if at <= now:
        raise Mistaken("the end, %(at)s, is not ahead; it is %(now)s now", at=at, now=now)
    if at > now + LONGEST:
        raise Mistaken(
            "the end, %(at)s, is too far off; %(most)s days at most, then say it again",
            at=at, most=LONGEST.days,
        )  # fmt: skip


def reason(said: str | None) -> str | None:
    """A reason in a line, as others see it in the list.

    Raises:
        Mistaken: it is longer than a line, or holds what no keyboard writes.
    """
    if said is None or not said.strip():
        return None
    line = " ".join(said.split())
    if len(line) > MOST_REASON:
        raise Mistaken(
            "the reason is longer than %(most)s characters; shorten it", most=MOST_REASON
        )
    if UNSEEN.search(line) is not None:
        raise Mistaken("the reason holds a control character; remove it")
    return line


def sees(who: Who, one: Mute) -> bool:
    """Whether *one* is of what *who* sees: a route may tell of any account."""
    return who.sees(one.name) if one.scope == "account" else who.accounts is None


def _check_may(who: Who, scope: MuteScope, name: str) -> None:
    allowed = who.may(Act.MUTE, name) if scope == "account" else who.may(Act.MUTE)
    if not allowed or (scope == "route" and who.accounts is not None):
        raise NotAllowed("only a lead of all that it tells of mutes it; ask one")


async def _note(db: Db, who: Who, act: str, one: Mute, now: datetime) -> None:
    """Write down what is muted, and until when; never why: a person's words may name a buyer.

    No erasure looks for a buyer in the trail.
    """
    account = one.name if one.scope == "account" else None
    detail = {} if one.scope == "account" else {"route": one.name}
    detail["until"] = one.until.isoformat()
    await audit.write(db, who, act, account=account, detail=detail, now=now)
