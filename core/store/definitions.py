"""A promise as JSON and back: how a version of a policy is kept for ever. Pure.

What a newer program added and an older one does not know is passed over when it is read.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sla.calendar import Calendar, Span
from sla.policy import Contract, Party, Policy, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = dict[str, Any]

_NAMES = frozenset(field.name for field in fields(Policy))


def dump(policy: Policy) -> Json:
    """Everything that *policy* says but its name and version, as JSON values."""
    return {
        "role": policy.role,
        "applies_to": sorted(policy.applies_to),
        "waits_for": sorted(policy.waits_for),
        "reply_within": _seconds(policy.reply_within),
        "calendar": _dump_calendar(policy.calendar),
        "next_reply_within": _maybe(_seconds, policy.next_reply_within),
        "counts_automatic": policy.counts_automatic,
        "counts_from": policy.counts_from,
        "warn": [_dump_warning(warning) for warning in policy.warn],
        "marketplace_mark": policy.marketplace_mark,
        "judged_by": [_dump_contract(contract) for contract in policy.judged_by],
        "effective_from": _maybe(datetime.isoformat, policy.effective_from),
        "effective_to": _maybe(datetime.isoformat, policy.effective_to),
        "source": policy.source,
        "checked_on": _maybe(date.isoformat, policy.checked_on),
        "review_after": _maybe(date.isoformat, policy.review_after),
    }


def load(name: str, version: int, definition: Mapping[str, Any]) -> Policy:
    """The policy that `dump` wrote down."""
    told = {key: value for key, value in definition.items() if key in _NAMES}
    readers: dict[str, Callable[[Any], Any]] = {
        "applies_to": lambda kinds: frozenset(map(ThreadKind, kinds)),
        "waits_for": lambda parties: frozenset(map(Party, parties)),
        "reply_within": _duration,
        "next_reply_within": _duration,
        "calendar": _load_calendar,
        "warn": lambda warnings: tuple(map(_load_warning, warnings)),
        "judged_by": lambda contracts: tuple(map(_load_contract, contracts)),
        "effective_from": datetime.fromisoformat,
        "effective_to": datetime.fromisoformat,
        "checked_on": date.fromisoformat,
        "review_after": date.fromisoformat,
    }
    for key, read in readers.items():
        if told.get(key) is not None:
            told[key] = read(told[key])
    return Policy(name=name, version=version, **told)


def _maybe(write: Any, value: Any) -> Any:
    return None if value is None else write(value)


def _seconds(duration: timedelta) -> float:
    return duration.total_seconds()


def _duration(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _dump_warning(warning: float | timedelta) -> Json:
    if isinstance(warning, timedelta):
        return {"before": _seconds(warning)}
    return {"share": warning}


def _load_warning(warning: Json) -> float | timedelta:
    if "before" in warning:
        return _duration(warning["before"])
    return float(warning["share"])


def _dump_contract(contract: Contract) -> Json:
    return {
        "measure": contract.measure,
        "windows": [_seconds(window) for window in contract.windows],
        "zone": contract.zone,
        "objective": contract.objective,
        "within": _maybe(_seconds, contract.within),
        "limit": _maybe(_seconds, contract.limit),
        "alert_from": _maybe(_seconds, contract.alert_from),
        "note": contract.note,
    }


def _load_contract(told: Json) -> Contract:
    return Contract(
        measure=told["measure"],
        windows=tuple(map(_duration, told["windows"])),
        zone=told["zone"],
        objective=told["objective"],
        within=_maybe(_duration, told["within"]),
        limit=_maybe(_duration, told["limit"]),
        alert_from=_maybe(_duration, told["alert_from"]),
        note=told["note"],
    )


def _dump_calendar(calendar: Calendar) -> Json:
    return {
        "zone": calendar.zone,
        "hours": {str(day): _dump_spans(spans) for day, spans in sorted(calendar.hours.items())},
        "exceptions": {
            day.isoformat(): _dump_spans(spans)
            for day, spans in sorted(calendar.exceptions.items())
        },
        "holidays": [day.isoformat() for day in sorted(calendar.holidays)],
    }


def _load_calendar(told: Json) -> Calendar:
    return Calendar(
        told["zone"],
        {int(day): _load_spans(spans) for day, spans in told["hours"].items()},
        {date.fromisoformat(day): _load_spans(spans) for day, spans in told["exceptions"].items()},
        frozenset(map(date.fromisoformat, told["holidays"])),
    )


def _dump_spans(spans: tuple[Span, ...]) -> list[list[str]]:
    return [[span.start.isoformat(), span.end.isoformat()] for span in spans]


def _load_spans(told: list[list[str]]) -> tuple[Span, ...]:
    return tuple(Span(time.fromisoformat(start), time.fromisoformat(end)) for start, end in told)
