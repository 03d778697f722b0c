"""How what leaves is worded: alone, or named in a digest, as far as one message has place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import digest, words
from core.notifier import Brief
from core.store import dispatches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.model import Dispatch, Notice
    from core.notifier import Words
    from core.outbox.batch import Outbox


def alone(outbox: Outbox, one: Dispatch) -> Words:
    """The words for *one* that leaves by itself."""
    zone, now, rules = outbox.notifier.zone, outbox.this.clock(), outbox.this.rules
    notice, url = one.notice, one.url
    if url is None and notice.thread is not None:
        url = rules.thread_page(notice.account, notice.thread)
    return words.render(notice, rules, url=url, zone=zone, now=now)


def said(outbox: Outbox, parts: Iterable[Dispatch]) -> list[tuple[Dispatch, str]]:
    """What of *parts* no list shows, each with its subject, the most urgent first."""
    zone, now, rules = outbox.notifier.zone, outbox.this.clock(), outbox.this.rules
    unlisted = [one for one in parts if not digest.is_listed(one.notice)]
    return [
        (one, words.render(one.notice, rules, url=None, zone=zone, now=now).subject)
        for one in sorted(unlisted, key=digest.urgency)
    ]


def together(
    outbox: Outbox, notice: Notice, parts: Sequence[Dispatch], told: Sequence[tuple[Dispatch, str]]
) -> Words:
    """The words for *parts* that leave together as *notice*; *told* of them is in no list."""
    zone, now = outbox.notifier.zone, outbox.this.clock()
    return digest.render(notice, parts, outbox.this.rules, told, zone=zone, now=now)


def beyond(outbox: Outbox, parts: Sequence[Dispatch]) -> list[int]:
    """The notices of *parts* for which one message has no place, the least urgent."""
    told = said(outbox, parts)
    if not told:
        return []
    notifier = outbox.notifier
    most = notifier.most if isinstance(notifier, Brief) else None
    bare = together(outbox, digest.notice(parts), parts, ())
    beside = len(bare.subject) + len(bare.text)
    named = digest.fitting(told, outbox.this.rules, most, beside)
    return dispatches.numbers(part for part, _ in told[named:])
