"""Which threads a view of the queue shows, and the query string that says so. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, cast, get_args
from urllib.parse import urlencode

from core import labels
from core.errors import Mistaken
from core.said import phrase
from core.store import board
from core.store.board import After, Claimed, Sought
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from core.access import Who
    from core.model import Account

LONGEST = 200
"""Characters of a value at most: the names of accounts, policies and languages are far shorter."""
LONGEST_NUMBER = 18
"""Digits of a number at most."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a view shows; None: whatever it is.

    *band* is one of `core.labels.BANDS`, *kind* a `ThreadKind`. *q* is what somebody looks for:
    an order, a thread, a buyer's name. *state* ``answered``: no queue, but what was answered
    lately, *by* somebody. *after* is the last line of the page before.
    """

    account: str | None = None
    marketplace: str | None = None
    band: str | None = None
    language: str | None = None
    kind: str | None = None
    promise: str | None = None
    claimed: Claimed | None = None
    q: str | None = None
    state: str | None = None
    by: str | None = None
    after: After | None = None

    @property
    def is_queue(self) -> bool:
        """Whether it is of what waits, and so changes while somebody looks at it."""
        return self.q is None and self.state is None and self.by is None

    @property
    def is_plain(self) -> bool:
        """Whether it leaves nothing out, but for the pages before."""
        return all(getattr(self, name) is None for name in NAMES if name != "after")


NAMES = tuple(field.name for field in fields(Filter))
WORDS: Mapping[str, tuple[str, ...]] = {
    "band": labels.BANDS,
    "kind": tuple(kind.value for kind in ThreadKind),
    "claimed": get_args(Claimed),
    "state": ("answered",),
}
"""What may be asked for, where that is a closed set."""
PLACES = {"account", "marketplace"}
BESIDE = {"q": {"q", *PLACES}, "state": {"state", "by", "claimed", "after", *PLACES}}
"""What may be said beside a word that is looked for, and beside a state."""


def of(query: Mapping[str, str], *, besides: Collection[str] = ()) -> Filter:
    """The filter that *query* says; an empty value, as a form sends it, says nothing.

    *besides* are names in it that say something else.

    Raises:
        Mistaken: a name or word in it is unknown; the text says which, and what there is.
    """
    said = {name: value for name, value in query.items() if value.strip() and name not in besides}
    for name in said:
        if name not in NAMES:
            raise _no_filter(name)
    after = said.pop("after", None)
    given = {name: _word(name, value) for name, value in said.items()}
    claimed = cast("Claimed | None", given.pop("claimed", None))
    return Filter(**given, claimed=claimed, after=None if after is None else _after(after))


def of_queue(query: Mapping[str, str], *, besides: Collection[str] = ()) -> Filter:
    """As `of`, of what waits alone.

    Raises:
        Mistaken: as `of` does, or it asks for something else.
    """
    chosen = of(query, besides=besides)
    if not chosen.is_queue:
        raise Mistaken("only what waits is shown here; search on the page of the queue")
    return chosen


def check(chosen: Filter) -> None:
    """Refuse a view that says what goes with no search, or with no list of what was answered.

    Raises:
        Mistaken: which word is too much.
    """
    said = {name for name in NAMES if getattr(chosen, name) is not None}
    first = next((name for name in BESIDE if name in said), None)
    beyond = said - BESIDE[first] if first else said & {"by"}
    if beyond:
        raise Mistaken("%(name)s says nothing here; leave it out", name=min(beyond))
    if first == "state" and chosen.claimed not in {None, "mine"}:
        raise Mistaken("of what was answered there is mine; else say by whom")
    if chosen.claimed and chosen.by:
        raise Mistaken("%(name)s says nothing here; leave it out", name="by")


def query(chosen: Filter) -> str:
    """The query string that says *chosen*, without its question mark; `of` reads it."""
    said = {name: getattr(chosen, name) for name in NAMES}
    if chosen.after is not None:
        said["after"] = f"{chosen.after.micros}-{chosen.after.clock}"
    return urlencode({name: value for name, value in said.items() if value is not None})


def address(chosen: Filter) -> str:
    """Where the view is that shows *chosen*."""
    said = query(chosen)
    return f"/?{said}" if said else "/"


def sought(chosen: Filter, who: Who, accounts: Mapping[str, Account]) -> Sought:
    """What *chosen* asks of the database for *who*, given the *accounts* that there are.

    Never more accounts than they see: one that is not theirs is as one that does not exist.
    """
    return Sought(
        accounts=_accounts(chosen, who, accounts),
        band=chosen.band,
        language=chosen.language,
        kind=chosen.kind,
        promise=chosen.promise,
        claimed=chosen.claimed,
        me=who.name if chosen.claimed in {"mine", "others"} else None,
        after=chosen.after,
    )


def _accounts(chosen: Filter, who: Who, accounts: Mapping[str, Account]) -> frozenset[str] | None:
    found = who.accounts
    if chosen.marketplace is not None:
        there = {name for name, one in accounts.items() if one.marketplace == chosen.marketplace}
        found = frozenset(there if found is None else there & found)
    if chosen.account is not None:
        found = frozenset({chosen.account} if found is None else {chosen.account} & found)
    return found


def _word(name: str, value: str) -> str:
    if name in WORDS and value not in WORDS[name]:
        raise _no_word(name, value)
    if name == "q" and len(value) > LONGEST:
        raise Mistaken(
            "that is too long to be looked for; shorten it to %(most)s characters", most=LONGEST
        )
    if name == "q" and not value.isprintable():
        raise Mistaken("that holds characters that nobody sees; write letters and digits")
    if len(value) > LONGEST or not value.isprintable():
        raise Mistaken(
            "%(name)s: %(value)s can be no name; take one from the list",
            name=name,
            value=_quoted(value),
        )
    return value


def _after(text: str) -> After:
    micros, dash, clock = text.partition("-")
    if not (dash and _is_number(micros) and _is_number(clock) and int(micros) <= board.LAST):
        raise Mistaken(
            "after: %(value)s is no place in the queue; go back to its beginning",
            value=_quoted(text),
        )
    return After(int(micros), int(clock))


def _is_number(text: str) -> bool:
    """Whether it is a number that the database can hold."""
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def _quoted(text: str) -> str:
    """What was written, as far as it can be shown."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:40])
    return f'"{shown}"'


def _no_filter(name: str) -> Mistaken:
    if near := get_close_matches(name.lower(), NAMES, n=1):
        text = phrase("no filter is called %(name)s; did you mean %(near)s?")
        return Mistaken(text, name=_quoted(name), near=_quoted(near[0]))
    known = ", ".join(NAMES)
    return Mistaken(
        "no filter is called %(name)s; there is %(known)s", name=_quoted(name), known=known
    )


def _no_word(name: str, value: str) -> Mistaken:
    if near := get_close_matches(value.lower(), WORDS[name], n=1):
        text = phrase("%(name)s: %(value)s is unknown; did you mean %(near)s?")
        return Mistaken(text, name=name, value=_quoted(value), near=_quoted(near[0]))
    known = ", ".join(WORDS[name])
    text = phrase("%(name)s: %(value)s is unknown; there is %(known)s")
    return Mistaken(text, name=name, value=_quoted(value), known=known)
