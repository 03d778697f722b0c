"""A report for people as tables, for scripts as JSON or CSV: nothing of a buyer."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from core import durations
from core.cells import guarded
from core.commands import shown
from core.desk.comparing import CAUSES
from core.spoken import percent, span
from sla import contract as contracts
from sla.wording import duration, in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.desk.attaining import Line, Report
    from core.desk.comparing import Comparison
    from core.store.attainment import Late, Unconfirmed
    from sla.contract import Standing
    from sla.policy import Contract, Policy

    Row = Mapping[str, object]
    Form = Literal["table", "json", "csv"]
    Part = Literal["numbers", "worst", "unconfirmed"]

_MOMENT = timedelta(microseconds=1)

PARTS: Mapping[Part, str] = {
    "numbers": "numbers",
    "worst": "worst",
    "unconfirmed": "unconfirmed_answers",
}
"""The parts of a report, and what each is called in JSON."""

HEADERS: Mapping[Part, Sequence[str]] = {
    "numbers": (),
    "worst": (
        "account", "thread", "late_by_seconds", "promises", "due_at", "ended_at", "unseen_in_time",
        "url",
    ),
    "unconfirmed": ("account", "thread", "answered_at", "said_at", "url"),
}  # fmt: skip
"""The columns of CSV where there is no row; a number is there for whatever is promised."""


def written(report: Report, form: Form, only: Part | None = None) -> str:
    """*report* as text, or *only* a part of it; of CSV, which has one header, the numbers."""
    if form == "json":
        parts: Sequence[Part] = [only] if only else list(PARTS)
        found = {PARTS[part]: _rows(report, part) for part in parts}
        return json.dumps({"at": report.at.isoformat()} | found, indent=2, ensure_ascii=False)
    if form == "csv":
        part = only or "numbers"
        flat = _flat if part == "numbers" else _joined
        return _csv([flat(row) for row in _rows(report, part)], HEADERS[part])
    return "\n".join(_text(report, only))


def _rows(report: Report, part: Part) -> list[Row]:
    """A *part* for programs."""
    if part == "numbers":
        return [_row(line, report) for line in report.lines]
    if part == "unconfirmed":
        return [shown.plain(_said(one)) for one in report.unconfirmed]
    late = [_late(one, late_by_seconds=one.late_by.total_seconds()) for one in report.worst]
    return [shown.plain(row) for row in late]


def _row(line: Line, report: Report) -> dict[str, object]:
    """One number for programs: shares are of 1, times are seconds, instants ISO 8601."""
    number, standing, contract = line.number, line.standing, line.number.contract
    account, counts = report.accounts[number.account], line.standing.counts
    return {
        "account": number.account,
        "title": account.title,
        "shop": account.shop,
        "marketplace": number.marketplace,
        "policy": number.policy.name,
        "role": number.policy.role,
        "measure": contract.measure,
        "window": durations.write(number.length),
        "zone": contract.zone,
        "time": "real" if contracts.is_round_the_clock(number.policy) else "working",
        "begins": standing.window.begins.isoformat(),
        "ends": standing.window.ends.isoformat(),
        "verdict": standing.verdict,
        "in_time": None if standing.attainment is None else float(standing.attainment),
        "objective": contract.objective,
        "within_seconds": _within(number.policy, contract).total_seconds(),
        "budget_messages": standing.budget,
        "needed_in_a_row": standing.needed,
        "eases_at": _iso(standing.eases_at),
        "mean_reply_seconds": _seconds(standing.mean),
        "limit_seconds": _seconds(contract.limit),
        "alert_from_seconds": _seconds(contract.alert_from),
        "next_within_seconds": _seconds(standing.next_within),
        "counted": standing.counted,
        "met": counts.met,
        "missed": counts.missed,
        "running": counts.running,
        "replied": counts.replied,
        "note": contract.note,
        "source": number.policy.source,
        "published": _published(line.beside),
    }


def _published(beside: Comparison | None) -> dict[str, object] | None:
    if beside is None:
        return None
    theirs = beside.theirs
    return {
        "measure": theirs.measure,
        "value": theirs.value,
        "as_of": theirs.as_of.isoformat(),
        "window": None if theirs.length is None else durations.write(theirs.length),
        "counted": theirs.counted,
        "ours": beside.ours,
        "ours_counted": beside.counted,
        "gap": beside.gap,
        "causes": dict(beside.causes),
    }


def _flat(row: Row) -> dict[str, object]:
    """*row* without tables in it: what is published stands in columns of its own."""
    found = {name: value for name, value in row.items() if name != "published"}
    beside = row["published"] if isinstance(row["published"], dict) else {}
    for name in ("measure", "value", "as_of", "window", "counted", "ours", "gap"):
        found[f"published_{name}"] = beside.get(name)
    causes = beside.get("causes", {})
    return found | {f"cause_{cause}": causes.get(cause) for cause in CAUSES}


def _joined(row: Row) -> dict[str, object]:
    """*row* with its lists as one text each, and what is so or not as JSON writes it."""
    return {
        name: ", ".join(value)
        if isinstance(value, list)
        else json.dumps(value)
        if isinstance(value, bool)
        else value
        for name, value in row.items()
    }


def _csv(rows: Sequence[Row], header: Sequence[str]) -> str:
    """*rows* under the names of the first; where there is none, the *header* alone."""
    text = io.StringIO()
    if names := list(rows[0]) if rows else header:
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: guarded(value) for name, value in row.items()} for row in rows)
    return text.getvalue().removesuffix("\n")


def _text(report: Report, only: Part | None) -> Iterator[str]:
    yield f"How promises were kept, as of {in_utc(report.at)}:"
    if only in {None, "numbers"}:
        yield from _numbers(report)
    if only in {None, "worst"} and (report.worst or only):
        yield from ("", "Late by most:", "", _worst(report))
    if only in {None, "unconfirmed"} and (report.unconfirmed or only):
        yield from ("", "Answered elsewhere, as somebody said, and confirmed by nothing yet:", "")
        said = [_said(one) for one in report.unconfirmed]
        yield shown.table(said) if said else "none"


def _numbers(report: Report) -> Iterator[str]:
    yield ""
    rows = [_shown(line) for line in report.lines if not _is_idle(line.standing)]
    seldom = ("eases_at", "published")
    hidden = [name for name in seldom if all(row[name] is None for row in rows)]
    yield shown.table(rows, hidden=hidden) if rows else "nothing counts in these windows"
    if idle := len(report.lines) - len(rows):
        yield f"left out: {idle} of promises that nobody is judged by and nobody asked for; --json"
    beside = [text for line in report.lines for text in _gap(line)]
    if beside:
        yield from ("", *beside)


def _worst(report: Report) -> str:
    worst = [
        _late(one, late_by=span(one.late_by))
        | {"promises": ", ".join(one.promises), "unseen_in_time": _yes(one.is_unseen)}
        for one in report.worst
    ]
    return shown.table(worst) if worst else "nothing was late"


def _is_idle(standing: Standing) -> bool:
    """Whether there is nothing to show, and nobody who judges."""
    empty = not standing.counted and not standing.counts.running
    return standing.verdict == "unjudged" and empty


def _shown(line: Line) -> Row:
    number, standing = line.number, line.standing
    return {
        "account": number.account,
        "policy": number.policy.name,
        "window": durations.write(number.length),
        "in_time": percent(standing.attainment),
        "mean": None if standing.mean is None else span(standing.mean),
        "of": standing.counted,
        "running": standing.counts.running,
        "asked": _asked(number.contract, number.policy),
        "stands": standing.verdict,
        "left": _left(standing),
        "eases_at": standing.eases_at if standing.verdict == "broken" else None,
        "published": _theirs(line.beside),
    }


def _asked(contract: Contract, policy: Policy) -> str | None:
    """What the contract asks for; None where nobody judges."""
    share = contracts.objective(contract)
    if share is not None:
        return f"{percent(share)} in {duration(_within(policy, contract))}"
    if contract.measure == "mean" and contract.limit is not None:
        return f"mean under {duration(contract.limit)}"
    return None


def _left(standing: Standing) -> str | None:
    """The budget, in messages; of a mean, how long the next may take."""
    budget = standing.budget
    if budget is not None and standing.counted:
        if budget >= 0:
            return f"{budget} more may be missed"
        mend = f"{standing.needed} in a row mend it" if standing.needed else "only time mends it"
        return f"{-budget} too many: {mend}"
    if standing.next_within is not None:
        return f"the next under {span(standing.next_within + _MOMENT)}"
    return "over, at whatever time the next leaves" if standing.verdict == "broken" else None


def _theirs(beside: Comparison | None) -> str | None:
    return None if beside is None else _value(beside.theirs.measure, beside.theirs.value)


def _gap(line: Line) -> Iterator[str]:
    """What is told of a published number: ours over the same window, and what may explain it."""
    beside, number = line.beside, line.number
    if beside is None:
        return
    theirs = beside.theirs
    place = f"{number.account}, {number.policy.name}, {durations.write(number.length)}"
    of = f" of {theirs.counted}" if theirs.counted is not None else ""
    window = (
        "it does not say over which window, and" if theirs.length is None else "over that window"
    )
    said = f"{_value(theirs.measure, theirs.value)}{of} ({in_utc(theirs.as_of)})"
    time = "" if contracts.is_round_the_clock(number.policy) else " in working time"
    yield f"{place}: the marketplace says {said}; {window} {_ours(beside)}{time}."
    causes = [f"{n} {CAUSES[cause]}" for cause, n in beside.causes.items() if n]
    if beside.gap or theirs.counted not in {None, beside.counted}:
        yield f"  May explain the gap: {'; '.join(causes) or 'nothing that our rows show'}."


def _ours(beside: Comparison) -> str:
    if beside.ours is None:
        return "nothing of ours counts"
    return f"ours is {_value(beside.theirs.measure, beside.ours)} of {beside.counted}"


def _value(measure: str, value: float) -> str:
    if measure == "mean":
        return span(timedelta(seconds=value))
    return percent(Fraction(value).limit_denominator(10**9)) or ""


def _late(one: Late, **late_by: object) -> dict[str, object]:
    return {
        "account": one.account,
        "thread": one.thread,
        **late_by,
        "promises": list(one.promises),
        "due_at": one.due_at,
        "ended_at": one.stopped_at,
        "unseen_in_time": one.is_unseen,
        "url": one.url,
    }


def _yes(claim: bool) -> str | None:  # noqa: FBT001  # private, one caller
    return "yes" if claim else None


def _said(one: Unconfirmed) -> dict[str, object]:
    return {
        "account": one.account,
        "thread": one.thread,
        "answered_at": one.at,
        "said_at": one.said_at,
        "url": one.url,
    }


def _within(policy: Policy, contract: Contract) -> timedelta:
    return contract.within or policy.reply_within


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
