"""Several notices as one message: what it counts, which threads it names, what it says. Pure.

A digest tells what a first walk found, what came due between a dump and its restore, what a mute
held back, or a flood: more warnings and breaches, or notices that could not be delivered, than a
person can take one by one, or than a notifier may be told. It holds numbers and the most urgent
threads; the whole list is a click away where there is a board, else a command.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from core import keys, spoken
from core.model import Notice, NoticeKind
from core.notifier import Words
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from core.model import Dispatch
    from core.rules import Rules

SHOWN = 10
"""How many threads and accounts a digest names; the rest is counted."""

LIST = "replyby threads --at-risk"

COUNTED: Mapping[NoticeKind, tuple[str, str]] = {
    NoticeKind.BREACH: ("breaches", "late"),
    NoticeKind.ESCALATION: ("escalations", "still open"),
    NoticeKind.WARNING: ("warnings", "due soon"),
    NoticeKind.DEADLINE_MOVED: ("moved", "moved nearer"),
    NoticeKind.CORRECTED: ("corrected", "taken back"),
    NoticeKind.PARKED: ("parked", "not delivered"),
}
"""By kind, the name of its number among the facts, and what is said of it."""


def notice(parts: Sequence[Dispatch]) -> Notice:
    """The notice under which *parts* leave together; its account is empty where they have several.

    Of a first walk `raised_at` is the first part's; so it is of a flood, as the fact ``since``.
    The fact ``notices`` is how many leave; the other numbers count a deadline once: as late, or as
    due soon, however many of its steps are told.
    """
    first = parts[0]
    kinds = Counter(part.notice.kind for part in _highest(parts))
    accounts = {part.notice.account for part in parts}
    since = min(part.notice.raised_at for part in parts)
    urgent = min(
        (part.notice.due_at for part in _waiting(parts) if part.notice.due_at), default=None
    )
    return Notice(
        key=first.digest or first.notice.key,
        kind=NoticeKind.DIGEST,
        account=first.notice.account if len(accounts) == 1 else "",
        raised_at=since,
        due_at=urgent,
        facts=(
            ("notices", len(parts)),
            *((name, kinds[kind]) for kind, (name, _) in COUNTED.items()),
            ("since", since.isoformat()),
            *_muted(first),
        ),
    )


def _muted(first: Dispatch) -> Iterator[tuple[str, str | int]]:
    """What is told beside, of the mute that held it all back."""
    if first.muted is not None:
        yield "muted_since", first.muted.mute.since.isoformat()
        yield "muted_until", first.muted.mute.end.isoformat()
        yield "dropped", first.muted.dropped


def render(
    told: Notice,
    parts: Sequence[Dispatch],
    rules: Rules,
    said: Sequence[tuple[Dispatch, str]] = (),
    *,
    zone: str,
    now: datetime,
) -> Words:
    """The words for *parts*, which leave together as *told*, for a reader in *zone*.

    *said* are those of kinds that are not `COUNTED`, each with its subject.
    """
    where, highest = zones.zone(zone), _highest(parts)
    subject = _counts(highest)
    if keys.is_flood(told.key):
        subject = _kept(highest, len(said))
        lines = _flood(parts, highest, said, rules, where, now)
    elif keys.mute_of(told.key) is not None:
        subject = f"Held back: {_kept(highest, len(said))}"
        lines = _held(parts, highest, said, rules, where, now)
    elif keys.quiet_until(told.key) is not None:
        subject = f"After quiet hours: {_kept(highest, len(said))}"
        lines = _waited(parts, highest, said, rules, where, now)
    elif (at := keys.restored_at(told.key)) is not None:
        subject, lines = f"{subject} after the restore", _restored(highest, at, rules, where, now)
    else:
        subject, lines = f"{subject} after the first reading", _first(highest, rules, where, now)
    whose = _whose(told, parts, rules)
    return Words(
        " ".join((f"{subject}: {whose}" if whose else subject).split()),
        "\n".join([*lines, *_place(told, rules)]),
        _page(told, rules),
        now,
    )


def _page(told: Notice, rules: Rules) -> str | None:
    """The board's list of what waits, of the account that *told* is about; None: no board."""
    if rules.board is None:
        return None
    shown = f"?{urlencode({'account': told.account})}" if told.account in rules.accounts else ""
    return f"{rules.board.rstrip('/')}/{shown}"


def _first(parts: Sequence[Dispatch], rules: Rules, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    threads = spoken.by(len(parts), "thread", "threads")
    yield f"The first reading found {len(parts)} {threads} that a person should know of."
    yield from _lines(parts, rules, zone, now)


def _restored(
    parts: Sequence[Dispatch], at: datetime, rules: Rules, zone: ZoneInfo, now: datetime
) -> Iterator[str]:
    """The lines after a restore *at* an instant: what was told since the dump is forgotten."""
    threads = spoken.some(len(parts), "thread", "threads")
    yield f"The database was brought back from a dump on {spoken.instant(at, zone)}."
    yield f"{threads} came due between the dump and that, or until the account was read:"
    yield from _lines(parts, rules, zone, now)
    yield "What of this was told between the two is forgotten here: some may be known already."


def _flood(
    told: Sequence[Dispatch],
    parts: Sequence[Dispatch],
    said: Sequence[tuple[Dispatch, str]],
    rules: Rules,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[str]:
    """The lines of a flood: how many were *told*, and whose and which are the highest *parts*.

    What is *said* of other kinds is among it where the notifier may be told no faster.
    """
    since = min(part.notice.raised_at for part in told)
    yield f"{len(told)} notices since {spoken.instant(since, zone)}, too many to tell one by one."
    yield from _all(parts, said, rules, zone, now)


def _held(
    told: Sequence[Dispatch],
    parts: Sequence[Dispatch],
    said: Sequence[tuple[Dispatch, str]],
    rules: Rules,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[str]:
    """The lines about what a mute has held back: as `_flood`, and what else there was."""
    yield from _silence(told, zone)
    yield from _all(parts, said, rules, zone, now)


def _waited(
    told: Sequence[Dispatch],
    parts: Sequence[Dispatch],
    said: Sequence[tuple[Dispatch, str]],
    rules: Rules,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[str]:
    """The lines about what waited for the end of quiet hours, as far as it still holds."""
    since = min(part.notice.raised_at for part in told)
    waited = spoken.some(len(told), "notice", "notices")
    yield f"{waited} since {spoken.instant(since, zone)} waited for the end of your quiet hours."
    yield from _all(parts, said, rules, zone, now)


def _all(
    parts: Sequence[Dispatch],
    said: Sequence[tuple[Dispatch, str]],
    rules: Rules,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[str]:
    """What is *said* of other kinds, and then the deadlines."""
    others = Counter(f"{say}, {_thread(one)}" if one.notice.thread else say for one, say in said)
    for line, n in others.most_common(SHOWN):
        yield f"- {line}{f' ({n} times)' if n > 1 else ''}"
    if len(others) > SHOWN:
        yield f"... and {len(others) - SHOWN} more"
    counted = [part for part in parts if part.notice.kind in COUNTED]
    yield from _body(counted, rules, zone, now)


def _kept(parts: Sequence[Dispatch], others: int) -> str:
    """``2 late, 1 due soon, 3 more``; where nothing of a deadline is among them, how many."""
    if len(parts) == others:
        return spoken.some(others, "notice", "notices")
    return f"{_counts(parts)}{f', {others} more' if others else ''}"


def _silence(told: Sequence[Dispatch], zone: ZoneInfo) -> Iterator[str]:
    """How long nothing was told, how much of that still stands, and what was missed."""
    muted = told[0].muted
    if muted is None:
        yield f"{spoken.some(len(told), 'notice was', 'notices were')} held back by a mute."
        return
    mute = muted.mute
    begin, end = spoken.instant(mute.since, zone), spoken.instant(mute.end, zone)
    yield f"The {mute.scope} {mute.name} was muted from {begin} until {end}; every clock ran on."
    held = spoken.some(len(told) + muted.dropped, "notice was", "notices were")
    yield f"{held} held back; of these {len(told)} still {spoken.by(len(told), 'holds', 'hold')}:"
    if muted.missed:
        passed = spoken.some(muted.missed, "deadline was missed", "deadlines were missed")
        yield f"{passed} and answered or taken back meanwhile; what was missed stays counted."


def _body(parts: Sequence[Dispatch], rules: Rules, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    """Whose, and which: what waits first."""
    yield from _by_account(parts, rules)
    waiting = _waiting(parts)
    if waiting:
        yield "The most urgent:"
        yield from _lines(waiting, rules, zone, now)
    back = [part for part in parts if part.notice.kind is NoticeKind.CORRECTED]
    if back:
        yield "Told as late, and were not; we know more now:"
        yield from (f"- {_thread(part)}" for part in back[:SHOWN])
        if len(back) > SHOWN:
            yield f"... and {len(back) - SHOWN} more"
    yield from _undelivered(parts)
    where = ", open it by the link" if rules.board else f": {LIST}"
    yield f"What to do: the list of what waits now, the most urgent first{where}"


def _undelivered(parts: Sequence[Dispatch]) -> Iterator[str]:
    """The lines about notices that were parked, by notifier and reason, most of them first."""
    facts = (dict(part.notice.facts) for part in parts if part.notice.kind is NoticeKind.PARKED)
    by = Counter((str(f.get("notifier")), str(f.get("reason"))) for f in facts)
    if by:
        yield "Could not be delivered; mend the notifier, then: replyby notices retry"
        for (notifier, reason), n in by.most_common(SHOWN):
            yield f"- {n} by {notifier}: {reason.replace('_', ' ')}"


def _by_account(parts: Sequence[Dispatch], rules: Rules) -> Iterator[str]:
    """A line for each account, those with the most first."""
    by_account: dict[str, list[Dispatch]] = defaultdict(list)
    for part in parts:
        by_account[part.notice.account].append(part)
    ranked = sorted(by_account.items(), key=lambda item: (-len(item[1]), item[0]))
    for name, several in ranked[:SHOWN]:
        yield f"- {_title(name, rules)} ({name}): {_counts(several)}"
    if len(ranked) > SHOWN:
        more = len(ranked) - SHOWN
        yield f"... and {more} more {spoken.by(more, 'account', 'accounts')}"


def _lines(parts: Sequence[Dispatch], rules: Rules, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    for part in parts[:SHOWN]:
        due_at = part.notice.due_at
        until = f"{spoken.left(due_at - now)}, due {spoken.instant(due_at, zone)}" if due_at else ""
        yield f"- {until}: {_thread(part)}"
    if len(parts) > SHOWN:
        where = "" if rules.board else f": {LIST}"
        yield f"... and {len(parts) - SHOWN} more{where}"


def _thread(part: Dispatch) -> str:
    if part.notice.thread is None:
        return f"account {part.notice.account}" if part.notice.account else "the service"
    return f"thread {part.notice.thread}{f' {part.url}' if part.url else ''}"


def _highest(parts: Sequence[Dispatch]) -> list[Dispatch]:
    """*parts* without steps of a clock that a higher one stands for: the breach, or the last."""
    steps = {NoticeKind.WARNING, NoticeKind.BREACH}
    ranks: dict[int | None, tuple[bool, datetime, str]] = {}
    for part in parts:
        if part.notice.kind in steps:
            rank = ranks.get(part.notice.clock)
            ranks[part.notice.clock] = max(_rank(part), rank) if rank else _rank(part)
    return [
        part
        for part in parts
        if part.notice.kind not in steps
        or part.notice.clock is None
        or ranks[part.notice.clock] == _rank(part)
    ]


def _rank(part: Dispatch) -> tuple[bool, datetime, str]:
    notice = part.notice
    return notice.kind is NoticeKind.BREACH, notice.raised_at, notice.key


def _waiting(parts: Sequence[Dispatch]) -> list[Dispatch]:
    """Those of which somebody waits, the most urgent first."""
    told = {NoticeKind.CORRECTED, NoticeKind.PARKED}
    waiting = [part for part in parts if part.notice.kind not in told]
    return sorted(waiting, key=lambda part: part.notice.due_at or part.notice.raised_at)


def _counts(parts: Sequence[Dispatch]) -> str:
    """``2 late, 10 due soon``; what did not happen is left out, except of a deadline."""
    kinds = Counter(part.notice.kind for part in parts)
    always = {NoticeKind.BREACH, NoticeKind.WARNING}
    shown = [kind for kind in COUNTED if kinds[kind] or kind in always]
    return ", ".join(f"{kinds[kind]} {COUNTED[kind][1]}" for kind in shown)


def _whose(told: Notice, parts: Sequence[Dispatch], rules: Rules) -> str:
    """Whose *parts* are; empty where they are the service's own."""
    if told.account:
        return _title(told.account, rules)
    accounts = {part.notice.account for part in parts}
    return f"{len(accounts)} accounts" if accounts != {""} else ""


def _title(account: str, rules: Rules) -> str:
    known = rules.accounts.get(account)
    return " ".join((known.title if known else account).split())


def _place(told: Notice, rules: Rules) -> Iterator[str]:
    """Marketplace and account, where it is one."""
    if known := rules.accounts.get(told.account):
        yield f"Marketplace: {known.marketplace}"
        yield f"Account: {_title(told.account, rules)} ({told.account})"
    elif told.account:
        yield f"Account: {told.account}"
