"""What a line of the audit trail says, in words that are translated. Pure.

The trail itself holds closed words of the program (`core.store.audit`), the same in every language:
by these it is searched, and what is no word of these tables is shown as it stands there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from core.web.terms import TERMS
from core.web.words import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "accounts": phrase("accounts"),
        "asked": phrase("asked for"),
        "at": phrase("at"),
        "before": phrase("before"),
        "began_at": phrase("began at the address"),
        "by": phrase("by whom, or how"),
        "did": phrase("done"),
        "files": phrase("files"),
        "filter": phrase("filter"),
        "from": phrase("taken from"),
        "how": phrase("promised"),
        "kind": phrase("kind of notice"),
        "language": phrase("language"),
        "level": phrase("level"),
        "live": phrase("live"),
        "macro": phrase("macro"),
        "messages": phrase("messages"),
        "name": phrase("name"),
        "notice": phrase("notice"),
        "number": phrase("number"),
        "outcome": phrase("outcome"),
        "path": phrase("page"),
        "person": phrase("person"),
        "released": phrase("released that of"),
        "reply": phrase("reply"),
        "role": phrase("role"),
        "route": phrase("route"),
        "sessions": phrase("sessions ended"),
        "state": phrase("what was faster"),
        "threads": phrase("threads"),
        "token": phrase("token"),
        "until": phrase("until"),
        "was": phrase("role before"),
        "what": phrase("taken back"),
        "why": phrase("because"),
    }
)
"""What a detail is of, by its name."""

UNTIL: Mapping[str, str] = MappingProxyType(
    {
        "by": phrase("promised by"),
        "from": phrase("promised before by"),
        "was": phrase("promised before by"),
    }
)
"""As `NAMES`, where the detail is an instant."""

_LEVELS = {
    "decided": phrase("decided here"),
    "marked": phrase("the marketplace's mark was set"),
}
_KINDS = {
    "no_reply_needed": phrase("no reply needed"),
    "answered_elsewhere": phrase("answered there"),
}
WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "asked": {
            **TERMS["act"],
            "audit": phrase("reading this trail"),
            "macros": phrase("changing macros"),
            "mute": phrase("keeping notices back"),
            "take": phrase("taking what a notice tells of"),
        },
        "by": {
            "password": phrase("password"),
            "oidc": phrase("the provider"),
            "proxy": phrase("the proxy"),
            "link": phrase("a link"),
        },
        "did": {
            "added": phrase("added"),
            "bound": phrase("bound to the provider's account"),
            "changed": phrase("changed"),
            "disabled": phrase("disabled"),
            "enabled": phrase("enabled"),
            "ended": phrase("ended"),
            "exported": phrase("saved as a file"),
            "grouped": phrase("set by the provider's groups"),
            "invited": phrase("invited by a link"),
            "made": phrase("made"),
            "other_address": phrase("used from another address"),
            "signed_out": phrase("signed out everywhere"),
            "to_bind": phrase("a link to bind the provider's account"),
        },
        "how": {
            "promised": phrase("by itself"),
            "with_reply": phrase("with a reply"),
        },
        "level": _LEVELS,
        "live": {"1": phrase("yes")},
        "outcome": {
            "success": phrase("succeeded"),
            "wrong": phrase("wrong password"),
            "refused": phrase("was refused"),
        },
        "role": TERMS["role"],
        "state": {
            **TERMS["reply"],
            "elsewhere": phrase("answered there"),
            "claimed": phrase("claimed"),
            "buyer": phrase("the buyer wrote again"),
            "marketplace": phrase("the marketplace wrote again"),
        },
        "was": TERMS["role"],
        "what": _KINDS,
        "why": {
            "account": phrase("an account that is not theirs"),
            "address": phrase("the session came from another address"),
            "disabled": phrase("disabled"),
            "expired": phrase("the link is too old"),
            "form": phrase("an old form, or a strange one"),
            "gone": phrase("what it was about is gone"),
            "no_group": phrase("in none of the groups"),
            "not_bound": phrase("a link to bind that is no more, or an account that is another's"),
            "not_theirs": phrase("an account that is not theirs"),
            "notifier": phrase("there is no such notifier any more"),
            "origin": phrase("sent by another site"),
            "person": phrase("there is no such person any more"),
            "role": phrase("the role does not allow it"),
            "other_subject": phrase("bound to another account of the provider"),
            "stranger": phrase("nobody who is known here"),
            "unbound": phrase("not bound to an account of the provider yet"),
        },
    }
)
"""The closed words that a detail may hold, by its name; others stand as they are."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail of a line: its *name* and *value* are constants that a page translates.

    *at* instead of a value where that is an instant. *is_word*: a closed word, to be translated.
    """

    name: str
    value: str
    is_word: bool = False
    at: datetime | None = None


def details(detail: Mapping[str, str | int]) -> Iterator[Detail]:
    """What a line's *detail* says; what says nothing (``live: 0``) is left out."""
    for key, value in detail.items():
        if key == "live" and not value:
            continue
        name, text = NAMES.get(key, key), str(value)
        known = WORDS.get(key, {}).get(text)
        if known is not None:
            yield Detail(name, known, is_word=True)
        else:
            at = _instant(text)
            yield Detail(name if at is None else UNTIL.get(key, name), text, at=at)


def _instant(text: str) -> datetime | None:
    """The instant that *text* is, with its zone; None where it is none."""
    try:
        at = datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
