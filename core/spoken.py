"""Instants and spans of time as a person reads them. Pure, and the same in every locale."""

from __future__ import annotations

from datetime import timedelta
from math import floor
from typing import TYPE_CHECKING

from core.told import TROUBLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from fractions import Fraction
    from zoneinfo import ZoneInfo

    from core.model import Account

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def instant(at: datetime, zone: ZoneInfo) -> str:
    """*at* on the reader's wall: ``Sat 2026-11-21 13:05 (Europe/Berlin)``."""
    local = at.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{_DAYS[local.weekday()]} {local:%Y-%m-%d} {clock} ({zone.key})"


def soon(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """*at* on the reader's wall, as short as *now* allows: ``14:10``, ``Mon 14:10``, a date."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    is_near = abs((local.date() - today).days) < len(_DAYS)
    return wall(local) if is_near else f"{local:%Y-%m-%d %H:%M}"


def wall(local: datetime) -> str:
    """The wall time *local* in a week: ``Fri 17:00``."""
    return walls([local])


def walls(locals_: Iterable[datetime]) -> str:
    """One wall time on several days of the week: ``Mon-Thu, Sat 17:00``."""
    each = list(locals_)
    runs: list[list[int]] = []
    for day in sorted({local.weekday() for local in each}):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = ("-".join(dict.fromkeys((_DAYS[run[0]], _DAYS[run[-1]]))) for run in runs)
    return f"{', '.join(names)} {each[0]:%H:%M}"


def by(n: object, one: str, several: str) -> str:
    """The word for *n* things."""
    return one if str(n) == "1" else several


def some(n: int, one: str, several: str) -> str:
    """*n* things: ``1 notice was``, ``12 notices were``."""
    return f"{n} {by(n, one, several)}"


def left(length: timedelta) -> str:
    """How long until a deadline; negative is late: ``2 h left``, ``late by 5 min``."""
    return f"{span(length)} left" if length.total_seconds() >= 0 else f"late by {span(length)}"


def asked(promise: str) -> str | None:
    """What a date asks for that is given to us (`sla.given.Deadline.promise`); else None.

    ``SELLER_APPROVE_REQUEST (return)``: the marketplace's own word, and what it is about.
    """
    given, _, rest = promise.partition(":")
    kind, _, act = rest.partition(":")
    return f"{act} ({kind})" if given == "given" and act else None


def span(length: timedelta) -> str:
    """How long, in its two largest units, rounded down and without a sign: ``2 h 5 min``."""
    left = int(abs(length).total_seconds())
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    shown = [f"{count} {unit}" for count, unit in parts[:2] if count]
    return " ".join(shown) or "0 s"


def percent(share: Fraction | None) -> str | None:
    """Rounded down, so that what is broken never looks kept: ``89.9 %``."""
    if share is None:
        return None
    tenths = floor(share * 1000)
    return f"{tenths // 10}.{tenths % 10} %" if tenths % 10 else f"{tenths // 10} %"


def rate(a_day: float) -> str:
    """How often something comes: ``40 times a day``, ``3 times a week``."""
    if a_day >= 1:
        return f"{a_day:.0f} {by(f'{a_day:.0f}', 'time', 'times')} a day"
    return f"{7 * a_day:.0f} {by(f'{7 * a_day:.0f}', 'time', 'times')} a week"


def silence(fact: Callable[[str], str], since: str) -> str:
    """Why it is thought that no pushes arrive: what the facts of such a notice say."""
    if troubles := fact("trouble"):
        return " ".join(f"{TROUBLES.get(each, each)}." for each in troubles.split(", "))
    if fact("limit"):
        limit = span(timedelta(seconds=float(fact("limit"))))
        return f"Nothing was pushed since {since}; the settings allow a silence of {limit}."
    if fact("usual"):
        usual = rate(float(fact("usual")))
        return f"Nothing was pushed since {since}. Usually something comes {usual} or more."
    return f"Since {since} polling finds what pushes should have brought."


def unheard(fact: Callable[[str], str], *, is_over: bool) -> str:
    """What a silence of pushes costs, while it goes on or after it: polling may read it anyway."""
    if fact("polled") != "False":
        told = "nothing; polling has read what they did not bring." if is_over else ""
        return told or "Polling goes on meanwhile."
    place = "look there, too: what was not pushed is not seen here"
    return f"{place}." if is_over else f"Meanwhile {place}."


def refused(fact: Callable[[str], str], since: str) -> str:
    """What a refused key costs: where nothing is polled, messages may come all the same."""
    cost = "nothing is read"
    if fact("polled") == "False":
        cost = "what is pushed may still arrive, but answers cannot leave"
    return f"Since {since} the marketplace does not accept our key; {cost}."


def flood(n: str, since: str) -> tuple[str, list[str]]:
    """Subject and lines of a notice that far more has come than is usual."""
    return f"Flooded: {n} new messages", [
        f"{n} messages were written since {since}: far more than this account is used to.",
        "All are stored, and each has its deadline: some may be buyers'. What is told of them",
        "leaves together from now on; other accounts are told as ever.",
        "What to do: stop it where it comes from (a captcha at the form, a block at the mail",
        "server), and look through what came: replyby threads --limit 10000",
    ]


def reading(account: Account | None, read_at: datetime | None, now: datetime) -> str:
    """How old our knowledge is: an answer given there since then is not known here."""
    if account is not None and not account.polled:
        return "This account only pushes: an answer that it did not push is not known here."
    if read_at is None:
        return "This account has not been read completely yet: it may be answered there already."
    return (
        f"We last read this account {span(now - read_at)} ago: "
        "an answer given there since then is not known here."
    )


def answering(account: Account | None, thread: str, waits_for: str) -> list[str]:
    """Where a person answers, then the command that does it from here, where there is one.

    *account* is None where a link says where, or nothing is known of it; *thread* is the account
    and the thread as a command takes them.
    """
    if account is None:
        return ["there"]
    place = " ".join(f"at {account.marketplace}, in {account.title}; no link leads there".split())
    to = "--to marketplace " if waits_for == "marketplace" else ""
    from_here = f'Or from here: replyby reply {to}--text "..." {thread}'
    return [place, from_here] if account.replies else [place]


def set_aside(fact: Callable[[str], str]) -> tuple[str, list[str]]:
    """Subject and lines of a notice that something was kept that was not, or not wholly, read."""
    n, others = fact("n") or "Something", fact("others")
    more = f", and {others} {by(others, 'other', 'others')}" if others else ""
    reasons = f"{'Reasons' if others else 'Reason'}: {fact('reason')}{more}."
    them = by(n, "it", "them")
    return f"Unreadable {by(n, 'payload', 'payloads')} set aside", [
        f"{n} from the stream {fact('stream') or 'of messages'} could not be read, or not wholly.",
        f"What can be read of {them} is stored, as all beside {them} is.",
        reasons if fact("reason") else "",
        "What to do: replyby set-aside list",
    ]
