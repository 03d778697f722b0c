"""Who works on a thread, and who is told next of it, as `explain` says it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sla.wording import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.desk.climbs import Climb
    from core.people.ladders import Ladder
    from core.store.claims import Claim
    from core.store.escalations import Told

Said = dict[str, Any]

_HELD = {"claim": ", held by the claim", "mute": ", held by a mute"}


def claimed(claim: Claim | None) -> Said | None:
    """Who has the thread; None: nobody."""
    if claim is None:
        return None
    return {"by": claim.by, "since": claim.since.isoformat(), "until": claim.until.isoformat()}


def told(one: Climb) -> Said:
    """How a notice stands on its ladder."""
    climbs = one.escalation
    return {
        "notice": climbs.notice,
        "kind": climbs.kind.value,
        "route": climbs.route,
        "ladder": climbs.ladder.name,
        "rungs": len(climbs.ladder.rungs),
        "rung": climbs.rung,
        "began_at": climbs.began_at.isoformat(),
        "next_at": one.next_at and one.next_at.isoformat(),
        "next_to": list(one.targets),
        "held": one.held,
        "ended": climbs.ended,
        "ended_at": climbs.ended_at and climbs.ended_at.isoformat(),
        "told": [_rung(each, climbs.ladder) for each in one.told],
    }


def _rung(each: Told, ladder: Ladder) -> Said:
    rung, repeat = ladder.place(each.rung)
    at = each.at.isoformat()
    return {"rung": rung, "repeat": repeat, "at": at, "to": each.notifier, "state": each.state}


def lines(claim: Said | None, escalations: Sequence[Said]) -> Iterator[str]:
    """What of it a person reads."""
    if claim:
        yield f"claimed by {claim['by']} since {_at(claim['since'])}, until {_at(claim['until'])}"
    for one in escalations:
        yield (
            f"ladder {one['ladder']} of route {one['route']}: "
            f"the {one['kind'].replace('_', ' ')} climbs since {_at(one['began_at'])}"
        )
        for each in one["told"]:
            which = f"rung {each['rung']}{_again(each['repeat'])}"
            yield f"  {which} told {_at(each['at'])} to {each['to']}: {each['state']}"
        yield f"  {_next(one)}"


def _next(one: Said) -> str:
    if one["ended"] == "exhausted":
        return f"no rung is left since {_at(one['ended_at'])}"
    if one["ended"]:
        return f"ended {_at(one['ended_at'])}: {one['ended']}"
    rung = min(one["rung"] + 1, one["rungs"])
    again = _again(one["rung"] + 1 - rung)
    to, held = ", ".join(one["next_to"]), _HELD.get(one["held"], "")
    return f"next: rung {rung} of {one['rungs']}{again} {_at(one['next_at'])} to {to}{held}"


def _again(repeat: int) -> str:
    return f" again (repeat {repeat})" if repeat else ""


def _at(text: str) -> str:
    return in_utc(datetime.fromisoformat(text))
