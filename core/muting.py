"""What a mute holds back: decided just before it would leave. No clock stops, nothing is forgotten.

An account's mute holds back what is told of it to anybody; a route's, what comes to a notifier by
that route and by no other. Of several the one that ends last holds it. What was tried before with
others, as a digest, leaves with them: who reads it may know it by its key already.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core import keys
from core.model import NoticeKind
from core.routing import Way
from core.store import dispatches, mutes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.routing import Routing
    from core.store import Db
    from core.told import Dispatch, Mute


def holding(
    standing: Iterable[Mute],
    routing: Routing,
    account: str,
    kind: NoticeKind,
    notifier: str,
    ways: Iterable[str] = (),
) -> Mute | None:
    """The mute that keeps a notice from *notifier*; None: it is told. Pure.

    *ways* are by what it came, where that was written down. What only closes disturbs nobody.
    """
    if kind is NoticeKind.ANSWERED:
        return None
    by_name = {(mute.scope, mute.name): mute for mute in standing}
    routes = {Way.of(way).route for way in ways} or routing.ways(account, kind, notifier)
    led = [by_name.get(("route", route)) for route in routes]
    shut = [mute for mute in led if mute is not None]
    found = [by_name.get(("account", account))]
    if shut and len(shut) == len(led):
        found.append(min(shut, key=lambda mute: mute.until))
    return max(filter(None, found), key=lambda mute: mute.until, default=None)


async def hold_due(db: Db, notifier: str, routing: Routing) -> bool:
    """Hold back what is due for *notifier* and muted; whether anything at all is muted."""
    standing = await mutes.shared(db)
    if not standing:
        return False
    due = {
        (account, kind, ways): mute
        for account, kind, ways in await mutes.due(db, notifier)
        if (mute := holding(standing, routing, account, kind, notifier, ways))
    }
    if due:
        await mutes.hold_due(db, notifier, due)
    return True


async def hold_claimed(
    db: Db, notifier: str, routing: Routing, claimed: Sequence[Dispatch]
) -> list[Dispatch]:
    """Hold back what is muted of *claimed*, none of which was tried yet; the others."""
    standing = await mutes.shared(db)
    by = {_number(one): mute for one in claimed if (mute := _holding(standing, routing, one))}
    mine = by.keys() - dispatches.settled(claimed, by)
    held = [(one, by[_number(one)]) for one in claimed if _number(one) in mine]
    gone = await mutes.hold_claimed(db, notifier, held) if held else frozenset()
    return [one for one in claimed if _number(one) not in gone]


async def closing(db: Db, notifier: str, claimed: Sequence[Dispatch]) -> list[Dispatch]:
    """*claimed*; what was held back with the mute of which its digest tells."""
    numbers = {number for one in claimed if (number := keys.mute_of(one.digest)) is not None}
    if not numbers:
        return list(claimed)
    told = await mutes.told(db, notifier, sorted(numbers))
    return [replace(one, muted=told.get(keys.mute_of(one.digest) or 0)) for one in claimed]


def _holding(standing: Iterable[Mute], routing: Routing, one: Dispatch) -> Mute | None:
    notice = one.notice
    return holding(standing, routing, notice.account, notice.kind, one.notifier, one.ways)


def _number(dispatch: Dispatch) -> int | None:
    return dispatch.notice.id
