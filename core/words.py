"""What a notice says to a person: marketplace, account, how long is left, what to do next. Pure.

Worded at the moment of sending, so that "2 h left" is true and a late notice says "late". Nothing
of a buyer is known here: a notice has closed words, numbers and instants only.

Facts by kind (instants in ISO 8601; whatever is missing is left unsaid):

    warning, breach       promise, waits_for, metric, due_from, started_at, read_at
    corrected             promise, correction
    escalation            of, step, ladder, rung, rungs, began_at, escalation; those of that kind
    answered              promise, ended
    deadline_moved        promise, before
    reply_refused         promise, reason, waits_for
    reply_unknown         -
    history_summary       waiting
    blind                 streams, seen_through, unread_since, expected, assumed, earliest, reason
    account_down          since, polled
    account_up            since, blind_since
    push_silent           since, trouble, polled, usual, limit
    push_heard            since, trouble, polled
    flooded               since, n
    credential_expiring   expires_at, credential
    policy_review         promise, version, day
    payload_set_aside     stream, reason, others, n
    account_retired       ended
    disk_low, disk_freed  free, size, left
    digest                breaches, corrected, escalations, moved, notices, parked, since,
                          warnings; of a mute dropped, muted_since, muted_until
    parked                kind, notifier, reason
    test                  route
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.model import NoticeKind
from core.notifier import Words
from core.wording import deadlines, service, troubles
from core.wording.told import Told
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from core.model import Notice
    from core.rules import Rules
    from core.wording.told import Spoken


def render(notice: Notice, rules: Rules, *, url: str | None, zone: str, now: datetime) -> Words:
    """The words for *notice*, worded at *now* for a reader in *zone*."""
    told = _told(notice, rules, zone, now, url)
    subject, lines = _SAY[notice.kind](told)
    return _words(told, subject, [*lines, *_place(told)], url)


def _told(notice: Notice, rules: Rules, zone: str, now: datetime, url: str | None) -> Told:
    promise = dict(notice.facts).get("promise")
    roles = {p.name: p.role for p in rules.policies.get(notice.account, ())}
    account = rules.accounts.get(notice.account)
    return Told(notice, account, roles.get(str(promise)), zones.zone(zone), now, url)


def _words(told: Told, subject: str, lines: Sequence[str], url: str | None) -> Words:
    whole = f"{subject}: {told.title}" if told.title else subject
    return Words(
        " ".join(whole.split()),
        "\n".join(line for line in lines if line),
        url,
        told.now,
        marketplace=told.account.marketplace if told.account else None,
    )


def _place(told: Told) -> list[str]:
    """Where it is: marketplace, account, thread, in which promise."""
    account, notice = told.account, told.notice
    lines = [f"Marketplace: {account.marketplace}"] if account else []
    if notice.account:
        named = f"{told.title} ({notice.account})" if account else notice.account
        lines.append(f"Account: {' '.join(named.split())}")
    if notice.thread:
        lines.append(f"Thread: {notice.thread}")
    if told.fact("promise") and notice.clock is not None:
        lines.append(f"Promise: {told.fact('promise')}{_role(told)}")
    return lines


def _role(told: Told) -> str:
    if told.asked:
        return " (a date that the marketplace gives)"
    return {"contract": " (the marketplace's contract)", "goal": " (our own goal)"}.get(
        told.role or "", ""
    )


def _escalation(told: Told) -> Spoken:
    """What is told again says what it said, as it is now."""
    of = told.fact("of")
    if of not in set(NoticeKind) - {NoticeKind.ESCALATION}:
        return service.climbed(told, "a notice", [])
    inner = replace(told.notice, kind=NoticeKind(of))
    return service.climbed(told, *_SAY[inner.kind](replace(told, notice=inner)))


_SAY: Mapping[NoticeKind, Callable[[Told], Spoken]] = {
    NoticeKind.WARNING: deadlines.step,
    NoticeKind.ESCALATION: _escalation,
    NoticeKind.BREACH: deadlines.step,
    NoticeKind.CORRECTED: deadlines.corrected,
    NoticeKind.ANSWERED: deadlines.answered,
    NoticeKind.REPLY_REFUSED: deadlines.refused,
    NoticeKind.REPLY_UNKNOWN: deadlines.unknown,
    NoticeKind.DEADLINE_MOVED: deadlines.moved,
    NoticeKind.HISTORY_SUMMARY: deadlines.history,
    NoticeKind.BLIND: troubles.blind,
    NoticeKind.ACCOUNT_DOWN: troubles.down,
    NoticeKind.ACCOUNT_UP: troubles.up,
    NoticeKind.PUSH_SILENT: troubles.silent,
    NoticeKind.PUSH_HEARD: troubles.heard,
    NoticeKind.FLOODED: troubles.flooded,
    NoticeKind.CREDENTIAL_EXPIRING: troubles.expiring,
    NoticeKind.POLICY_REVIEW: service.review,
    NoticeKind.PAYLOAD_SET_ASIDE: troubles.set_aside,
    NoticeKind.ACCOUNT_RETIRED: troubles.retired,
    NoticeKind.DISK_LOW: service.disk_low,
    NoticeKind.DISK_FREED: service.disk_freed,
    NoticeKind.DIGEST: service.digest,
    NoticeKind.PARKED: service.parked,
    NoticeKind.TEST: service.test,
}
