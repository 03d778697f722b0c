"""Several notices as one message: what it counts, which threads it names, what it says. Pure.

A digest tells what a first walk found, what came due between a dump and its restore, what a mute
held back, or a flood: more warnings and breaches, or notices that could not be delivered, than a
person can take one by one, or than a notifier may be told. Of deadlines it holds numbers and the
most urgent threads; the whole list is a click away where there is a board, else a command. What no
list shows is named one by one, as much as the notifier's messages hold (`fitting`); the rest leaves
in a further digest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from core import keys, labels, spoken, tally
from core.model import Notice, NoticeKind
from core.notifier import Words
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from core.model import Dispatch
    from core.rules import Rules

SHOWN = 10
"""How many threads and accounts a digest names of what a list shows; the rest is counted."""

LONGEST = 100_000
"""Characters of a digest for a notifier that takes texts of any length."""
LIST = "replyby threads --at-risk"


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What leaves together, and for whom it is worded.

    *told* is all of it; *listed* what the lists show, of each clock the highest step; *said* the
    rest, each with its subject.
    """

    told: Sequence[Dispatch]
    listed: Sequence[Dispatch]
    said: Sequence[tuple[Dispatch, str]]
    rules: Rules
    zone: ZoneInfo
    now: datetime

    @property
    def since(self) -> str:
        """When the first of it was raised."""
        return self.instant(min(part.notice.raised_at for part in self.told))

    def instant(self, at: datetime) -> str:
        """*at* in the reader's zone."""
        return spoken.instant(at, self.zone)


def is_listed(notice: Notice) -> bool:
    """Whether a list shows what *notice* tells of: the queue its thread, or what was parked.

    Not so of an account's own trouble, though a rung tells of it.
    """
    climbs_alone = notice.kind is NoticeKind.ESCALATION and notice.clock is None
    return notice.kind in tally.COUNTED and not climbs_alone


def urgency(part: Dispatch) -> tuple[bool, datetime]:
    """What is told first of what leaves together: what must not wait, and then by deadline."""
    notice = part.notice
    return notice.kind.value not in labels.CRITICAL, notice.due_at or notice.raised_at


def fitting(
    said: Sequence[tuple[Dispatch, str]], rules: Rules, most: int | None, beside: int
) -> int:
    """How many of *said*, the most urgent first, are named in a message of *most* characters.

    At least one; None: the notifier takes any length. *beside* are the characters of what else it
    says, which may take two thirds of it.
    """
    longest = most or LONGEST
    room = max(longest - beside, longest // 3)
    lines: set[str] = set()
    for n, (part, subject) in enumerate(said):
        line = _line(part, subject, rules)
        if line not in lines:
            lines.add(line)
            room -= len(line) + len("- \n ( times)") + len(str(len(said)))
        if room < 0:
            return max(n, 1)
    return len(said)


def notice(parts: Sequence[Dispatch]) -> Notice:
    """The notice under which *parts* leave together; its account is empty where they have several.

    Of a first walk `raised_at` is the first part's; so it is of a flood, as the fact ``since``.
    The fact ``notices`` is how many leave; the other numbers count a deadline once: as late, or as
    due soon, however many of its steps are told.
    """
    first = parts[0]
    kinds = Counter(part.notice.kind for part in tally.highest(parts))
    accounts = {part.notice.account for part in parts}
    since = min(part.notice.raised_at for part in parts)
    urgent = min(
        (part.notice.due_at for part in tally.waiting(parts) if part.notice.due_at), default=None
    )
    return Notice(
        key=first.digest or first.notice.key,
        kind=NoticeKind.DIGEST,
        account=first.notice.account if len(accounts) == 1 else "",
        raised_at=since,
        due_at=urgent,
        facts=(
            ("notices", len(parts)),
            *((name, kinds[kind]) for kind, (name, _) in tally.COUNTED.items()),
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

    *said* are those that no list shows (`is_listed`), each with its subject, the most urgent first.
    """
    listed = [part for part in tally.highest(parts) if is_listed(part.notice)]
    subject, lines = _say(told.key, _Gathered(parts, listed, said, rules, zones.zone(zone), now))
    whose = _whose(told, parts, rules)
    return Words(
        " ".join((f"{subject}: {whose}" if whose else subject).split()),
        "\n".join([*lines, *_place(told, rules)]),
        _page(told, rules),
        now,
    )


def _say(key: str, this: _Gathered) -> tuple[str, Iterator[str]]:
    """The subject and the lines, by what the digest is of."""
    if keys.is_flood(key):
        return _kept(this), _flood(this)
    if keys.mute_of(key) is not None:
        return f"Held back: {_kept(this)}", _held(this)
    if keys.quiet_until(key) is not None:
        return f"After quiet hours: {_kept(this)}", _waited(this)
    if (at := keys.restored_at(key)) is not None:
        return f"{tally.counts(this.listed, this.now)} after the restore", _restored(this, at)
    return f"{tally.counts(this.listed, this.now)} after the first reading", _first(this)


def _page(told: Notice, rules: Rules) -> str | None:
    """The board's list of what waits, of the account that *told* is about; None: no board."""
    if rules.board is None:
        return None
    shown = f"?{urlencode({'account': told.account})}" if told.account in rules.accounts else ""
    return f"{rules.board.rstrip('/')}/{shown}"


def _first(this: _Gathered) -> Iterator[str]:
    threads = spoken.by(len(this.listed), "thread", "threads")
    yield f"The first reading found {len(this.listed)} {threads} that a person should know of."
    yield from _named(this)
    yield from _lines(this, this.listed)


def _restored(this: _Gathered, at: datetime) -> Iterator[str]:
    """The lines after a restore *at* an instant: what was told since the dump is forgotten."""
    threads = spoken.some(len(this.listed), "thread", "threads")
    yield f"The database was brought back from a dump on {this.instant(at)}."
    yield from _named(this)
    if this.listed or not this.said:
        yield f"{threads} came due between the dump and that, or until the account was read:"
    yield from _lines(this, this.listed)
    yield "What of this was told between the two is forgotten here: some may be known already."


def _flood(this: _Gathered) -> Iterator[str]:
    """The lines of a flood: how many were told, and whose and which are the highest of them.

    What no list shows is among it where the notifier may be told no faster.
    """
    yield f"{len(this.told)} notices since {this.since}, too many to tell one by one."
    yield from _all(this)


def _held(this: _Gathered) -> Iterator[str]:
    """The lines about what a mute has held back: as `_flood`, and what else there was."""
    yield from _silence(this)
    yield from _all(this)


def _waited(this: _Gathered) -> Iterator[str]:
    """The lines about what waited for the end of quiet hours, as far as it still holds."""
    waited = spoken.some(len(this.told), "notice", "notices")
    yield f"{waited} since {this.since} waited for the end of your quiet hours."
    yield from _all(this)


def _all(this: _Gathered) -> Iterator[str]:
    """What no list shows, and then the deadlines."""
    yield from _named(this)
    if this.listed:
        yield from _body(this)


def _named(this: _Gathered) -> Iterator[str]:
    """All that no list shows."""
    lines = Counter(_line(part, subject, this.rules) for part, subject in this.said)
    for line, n in lines.items():
        yield f"- {line}{f' ({n} times)' if n > 1 else ''}"


def _line(part: Dispatch, subject: str, rules: Rules) -> str:
    return f"{subject}, {_thread(part, rules)}" if part.notice.thread else subject


def _kept(this: _Gathered) -> str:
    """``2 late, 1 due soon, 3 more``; where nothing of a deadline is among them, how many."""
    others = len(this.said)
    if not this.listed:
        return spoken.some(others, "notice", "notices")
    return f"{tally.counts(this.listed, this.now)}{f', {others} more' if others else ''}"


def _silence(this: _Gathered) -> Iterator[str]:
    """How long nothing was told, how much of that still stands, and what was missed."""
    told = this.told
    muted = told[0].muted
    if muted is None:
        yield f"{spoken.some(len(told), 'notice was', 'notices were')} held back by a mute."
        return
    mute = muted.mute
    begin, end = this.instant(mute.since), this.instant(mute.end)
    yield f"The {mute.scope} {mute.name} was muted from {begin} until {end}; every clock ran on."
    held = spoken.some(len(told) + muted.dropped, "notice was", "notices were")
    yield f"{held} held back; of these {len(told)} still {spoken.by(len(told), 'holds', 'hold')}:"
    if muted.missed:
        passed = spoken.some(muted.missed, "deadline was missed", "deadlines were missed")
        yield f"{passed} and answered or taken back meanwhile; what was missed stays counted."


def _body(this: _Gathered) -> Iterator[str]:
    """Whose, and which: what waits first."""
    yield from _by_account(this)
    waiting = tally.waiting(this.listed)
    if waiting:
        yield "The most urgent:"
        yield from _lines(this, waiting)
    back = [part for part in this.listed if part.notice.kind is NoticeKind.CORRECTED]
    if back:
        yield "Told as late, and were not; we know more now:"
        yield from (f"- {_thread(part, this.rules)}" for part in back[:SHOWN])
        if len(back) > SHOWN:
            yield f"... and {len(back) - SHOWN} more"
    yield from _undelivered(this.listed)
    where = ", open it by the link" if this.rules.board else f": {LIST}"
    yield f"What to do: the list of what waits now, the most urgent first{where}"


def _undelivered(parts: Sequence[Dispatch]) -> Iterator[str]:
    """The lines about notices that were parked, by notifier and reason, most of them first."""
    facts = (dict(part.notice.facts) for part in parts if part.notice.kind is NoticeKind.PARKED)
    by = Counter((str(f.get("notifier")), str(f.get("reason"))) for f in facts)
    if by:
        yield "Could not be delivered; mend the notifier, then: replyby notices retry"
        for (notifier, reason), n in by.most_common(SHOWN):
            yield f"- {n} by {notifier}: {reason.replace('_', ' ')}"


def _by_account(this: _Gathered) -> Iterator[str]:
    """A line for each account, those with the most first."""
    by_account: dict[str, list[Dispatch]] = defaultdict(list)
    for part in this.listed:
        by_account[part.notice.account].append(part)
    ranked = sorted(by_account.items(), key=lambda item: (-len(item[1]), item[0]))
    for name, several in ranked[:SHOWN]:
        yield f"- {_title(name, this.rules)} ({name}): {tally.counts(several, this.now)}"
    if len(ranked) > SHOWN:
        more = len(ranked) - SHOWN
        yield f"... and {more} more {spoken.by(more, 'account', 'accounts')}"


def _lines(this: _Gathered, gathered: Sequence[Dispatch]) -> Iterator[str]:
    parts = tally.each_once(gathered)
    for part in parts[:SHOWN]:
        due_at = part.notice.due_at
        left = spoken.left(due_at - this.now) if due_at else ""
        until = f"{left}, due {this.instant(due_at)}" if due_at else ""
        yield f"- {until}: {_thread(part, this.rules)}"
    if len(parts) > SHOWN:
        where = "" if this.rules.board else f": {LIST}"
        yield f"... and {len(parts) - SHOWN} more{where}"


def _thread(part: Dispatch, rules: Rules) -> str:
    """Whose it is, and where a person may open it: at the marketplace, else on the board."""
    notice = part.notice
    if notice.thread is None:
        return f"account {notice.account}" if notice.account else "the service"
    url = part.url or rules.thread_page(notice.account, notice.thread)
    return f"thread {notice.thread}{f' {url}' if url else ''}"


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
