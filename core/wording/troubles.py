"""What is said of an account that is not read, or not as it should be. Pure."""

from __future__ import annotations

import shlex
from datetime import timedelta
from typing import TYPE_CHECKING

from core import spoken
from core.spoken import by, some, span

if TYPE_CHECKING:
    from datetime import datetime

    from core.wording.told import Spoken, Told


def blind(told: Told) -> Spoken:
    seen, earliest = told.at("seen_through"), told.at("earliest")
    streams = told.fact("streams")
    which = f"streams {streams}" if "," in streams else f"stream {streams or 'of messages'}"
    forbidden = told.fact("reason") == "forbidden"
    why = "may not be read: our key does not allow it" if forbidden else "cannot be read in time"
    lines = [_how_blind(told), f"The {which} {why}."]
    lines.append(f"Last read completely: {told.when(seen)}." if seen else "It was never read.")
    if told.fact("assumed"):
        lines.append("Its own history is too short to tell: a message an hour is assumed.")
    if earliest:
        lines.append(f"A promise may break unseen from {told.when(earliest)} on.")
    mend = " replyby check tells what the key lacks." if forbidden else ""
    until = "look at the marketplace's own page until this ends"
    return "Blind", [*lines, f"What to do: {until}.{mend}"]


def _how_blind(told: Told) -> str:
    """One sentence: for how long, how many messages are unseen, and what that may cost when."""
    account, since, earliest = told.account, told.at("unread_since"), told.at("earliest")
    where = f"{account.marketplace}/{account.name}" if account else told.notice.account
    parts = [f"Blind on {where}{f' for {_minutes(told.now - since)}' if since else ''}"]
    if told.fact("expected"):
        parts.append(_unseen(told, since))
    if earliest:
        parts.append(f"earliest possible breach {spoken.soon(earliest, told.now, told.zone)}")
    return f"{', '.join(parts)}."


def _unseen(told: Told, since: datetime | None) -> str:
    """How many messages are unseen by now: more than when it was raised, if that is long ago."""
    n, raised_at = float(told.fact("expected")), told.notice.raised_at
    if since is not None and since < raised_at < told.now:
        n *= (told.now - since) / (raised_at - since)
    n = max(round(n), 1 if told.fact("assumed") else 0)
    return f"about {some(n, 'message', 'messages')} unseen" if n else "probably no message unseen"


def _minutes(length: timedelta) -> str:
    """How long, without seconds where there are minutes."""
    seconds = int(length.total_seconds())
    return span(timedelta(seconds=seconds - seconds % 60 if seconds >= 60 else seconds))


def down(told: Told) -> Spoken:
    since = told.at("since") or told.notice.raised_at
    return "Account is down", [
        spoken.refused(told.fact, told.when(since)),
        "What to do: replyby check tells what is refused: a password, a key, the seller's consent.",
        "Renew that, then reload (a restart for env:).",
        f"If the old one is right again: {_poll(told)}",
    ]


def _poll(told: Told) -> str:
    return shlex.join(("replyby", "poll", told.notice.account, "--once"))


def up(told: Told) -> Spoken:
    since, blind_since = told.at("since") or told.notice.raised_at, told.at("blind_since")
    again = f"The marketplace accepts our key again since {told.when(since)}."
    if blind_since:
        again = f"Every stream is read again since {told.when(since)}."
    return "Account is read again", [
        again,
        f"It was blind for {span(since - blind_since)}." if blind_since else "",
        "What to do: nothing.",
    ]


def silent(told: Told) -> Spoken:
    since = told.at("since") or told.notice.raised_at
    mend = f"{shlex.join(('replyby', 'subscribe', told.notice.account))} says what is amiss."
    return "No pushes arrive", [
        spoken.silence(told.fact, told.when(since)),
        f"What to do: {mend} {spoken.unheard(told.fact, is_over=False)}",
    ]


def heard(told: Told) -> Spoken:
    since = told.at("since") or told.notice.raised_at
    if told.fact("trouble"):
        return "Pushes may arrive again", [
            "The marketplace no longer says what it said of them:",
            spoken.silence(told.fact, told.when(since)),
            f"That was told since {told.when(since)}. Whether they arrive, the next one shows.",
            f"What to do: {spoken.unheard(told.fact, is_over=True)}",
        ]
    return "Pushes arrive again", [
        f"There were none since {told.when(since)}.",
        f"What to do: {spoken.unheard(told.fact, is_over=True)}",
    ]


def flooded(told: Told) -> Spoken:
    return spoken.flood(told.fact("n"), told.when(told.at("since") or told.notice.raised_at))


def expiring(told: Told) -> Spoken:
    expires_at, name = told.at("expires_at"), told.fact("credential") or "key"
    if expires_at is not None and expires_at <= told.now:
        return "Key has expired", [
            f"The {name} of this account expired on {told.when(expires_at)}.",
            "What to do: renew it, then reload (a restart for env:).",
        ]
    when = f" on {told.when(expires_at)}" if expires_at else " soon"
    return "Key expires", [f"The {name} of this account expires{when}.", "What to do: renew it."]


def set_aside(told: Told) -> Spoken:
    return spoken.set_aside(told.fact)


def retired(told: Told) -> Spoken:
    ended = told.fact("ended") or "0"
    clocks = by(ended, "running clock was", "running clocks were")
    return "Account is no longer read", [
        f"It left the settings; {'no' if ended == '0' else ended} {clocks} ended.",
        "What to do: nothing, if this was meant.",
    ]
