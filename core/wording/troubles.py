"""What is said of an account that is not read, or not as it should be. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from core import spoken
from core.spoken import by, span

if TYPE_CHECKING:
    from core.wording.told import Spoken, Told


def blind(told: Told) -> Spoken:
    seen, earliest = told.at("seen_through"), told.at("earliest")
    streams = told.fact("streams")
    which = f"streams {streams}" if "," in streams else f"stream {streams or 'of messages'}"
    forbidden = told.fact("reason") == "forbidden"
    why = "may not be read: our key does not allow it" if forbidden else "cannot be read in time"
    lines = [f"The {which} {why}."]
    lines.append(f"Last read completely: {told.when(seen)}." if seen else "It was never read.")
    if told.fact("expected"):
        lines.append(f"Messages probably unseen: {float(told.fact('expected')):.0f}.")
    if earliest:
        lines.append(f"A promise may break unseen from {told.when(earliest)} on.")
    mend = " replyby check tells what the key lacks." if forbidden else ""
    until = "look at the marketplace's own page until this ends"
    return "Blind", [*lines, f"What to do: {until}.{mend}"]


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
