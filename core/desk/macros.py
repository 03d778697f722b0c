"""Macros: which fit a thread, in which language, with which words in their gaps; who changes them.

A value that is not known leaves its gap in the text, which then does not leave (`limits`).
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel import Locale, dates
from babel.core import UnknownLocaleError

from core.access import Act
from core.desk import filling, limits
from core.desk.limits import Complaint
from core.errors import Mistaken, NotAllowed
from core.model import UNSEEN
from core.said import Said
from core.store import audit
from core.store import macros as stored
from sla import zones

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.access import Who
    from core.capabilities import Capabilities
    from core.model import Account, Order, Thread
    from core.store import Db
    from core.store.macros import Macro

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?")
LONGEST_TITLE, LONGEST_TEXT, MOST_LANGUAGES = 200, 100_000, 60
FALLBACK = "en"
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "herr", "frau", "mme", "m", "sr"})
_FIRST_NAME = re.compile("[^\\W\\d_]+(?:[-'\u2019][^\\W\\d_]+)*")


@dataclass(frozen=True, slots=True)
class Case:
    """What fills the gaps: the thread, one of its orders, the account, who answers, and until when.

    Instants are written as days and times of *zone*.
    """

    thread: Thread
    account: Account
    who: Who
    zone: str
    order: Order | None = None
    due_at: datetime | None = None
    follow_up_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """A macro's text in *language*; *missing* are the gaps that nothing is known for.

    *is_other*: the macro has no text in the language that was asked for.
    """

    text: str
    language: str
    is_other: bool
    missing: tuple[str, ...]


def fitting(macros: Iterable[Macro], account: Account) -> list[Macro]:
    """Those of *macros* that may answer for *account*."""
    return [one for one in macros if fits(one, account)]


def fits(macro: Macro, account: Account) -> bool:
    """Whether *macro* may answer for *account*."""
    if not macro.accounts and not macro.marketplaces:
        return True
    return account.name in macro.accounts or account.marketplace in macro.marketplaces


def is_shown(macro: Macro, who: Who, accounts: Iterable[Account]) -> bool:
    """Whether *who* sees *macro*: all do who see all, others what answers for one of *accounts*.

    *accounts* are those of the settings that they see.
    """
    if who.accounts is None or who.accounts.intersection(macro.accounts):
        return True
    return not (macro.accounts or macro.marketplaces) or any(fits(macro, one) for one in accounts)


def language(macro: Macro, wanted: str | None) -> str:
    """In which language *macro* answers whoever writes *wanted* (``pt-BR``), None: nobody knows.

    That language, else another form of it, else English, else the first that there is.
    """
    known = sorted(macro.texts)
    asked = (wanted or "").replace("_", "-")
    same = [one for one in known if one.lower() == asked.lower()]
    alike = [one for one in known if _base(one) == _base(asked)]
    english = [one for one in known if _base(one) == FALLBACK]
    return next(iter((*same, *alike, *english, *known)), FALLBACK)


def _base(code: str) -> str:
    return code.partition("-")[0].lower()


def fill(macro: Macro, wanted: str | None, case: Case) -> Filled:
    """The text of *macro* for *case* in the language *wanted*, or the nearest that it has."""
    chosen = language(macro, wanted)
    text = filling.fill(macro.texts.get(chosen, ""), values(case, chosen))
    missing = tuple(dict.fromkeys(gap.name for gap in filling.gaps(text)))
    is_other = wanted is not None and _base(chosen) != _base(wanted.replace("_", "-"))
    return Filled(text, chosen, is_other, missing)


def values(case: Case, code: str) -> Mapping[str, str | None]:
    """What is known for each of `filling.VARIABLES`, written in the language *code*."""
    order, write = case.order, _Days(code, case.zone)
    return {
        "order_id": next(iter(case.thread.order_ids), None),
        "order_status": None if order is None else order.status or None,
        "bought_on": write.day(order.bought_at if order else None),
        "ship_by": write.day(order.ship_by if order else None),
        "shipped_on": write.day(order.shipped_at if order else None),
        "deliver_by": write.day(order.deliver_by if order else None),
        "item": next((one.title for one in order.items if one.title), None) if order else None,
        "tracking": None,  # no marketplace that we read tells it
        "buyer_first_name": first_name(case.thread.buyer),
        "agent": case.who.shown,
        "shop": case.account.title,
        "marketplace": case.account.marketplace,
        "due": write.moment(case.due_at),
        "follow_up": write.moment(case.follow_up_at),
    }


def first_name(buyer: str) -> str | None:
    """The first name in what a buyer is called; None where that is a login, or no name at all."""
    last, comma, first = buyer.partition(",")
    words = (f"{first} {last}" if comma else buyer).split()
    if len(words) < 2 or any(letter.isdigit() or letter in "@_" for letter in buyer):
        return None
    named = [word for word in words if word.rstrip(".").lower() not in _TITLES]
    if len(named) < 2 or _FIRST_NAME.fullmatch(named[0]) is None:
        return None
    return named[0]


@dataclass(frozen=True, slots=True)
class _Days:
    """Writes instants as days and moments of *zone*, in the language *code*."""

    code: str
    zone: str

    def day(self, at: datetime | None) -> str | None:
        if at is None:
            return None
        here = at.astimezone(zones.zone(self.zone))
        return dates.format_date(here, "long", locale=_locale(self.code))

    def moment(self, at: datetime | None) -> str | None:
        if at is None:
            return None
        time = dates.format_time(at.astimezone(zones.zone(self.zone)), "HH:mm", locale="en")
        return f"{self.day(at)} {time}"


def _locale(code: str) -> Locale:
    try:
        return Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(FALLBACK)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a macro: in its text of *language*, for *account*, where either is named.

    *blocks*: it cannot be saved; else it is told.
    """

    said: Said | Complaint
    language: str | None = None
    account: str | None = None
    blocks: bool = True

    @property
    def text(self) -> str:
        """What is wrong and how to mend it, in English."""
        return self.said.text if isinstance(self.said, Complaint) else str(self.said)


class Unsavable(Mistaken):
    """A macro cannot be saved, for *faults*, each of which blocks."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(_said(one) for one in faults))
        self.faults = faults


def faults(macro: Macro, accounts: Mapping[str, tuple[Account, Capabilities]]) -> list[Fault]:
    """Everything that is wrong with *macro*, what blocks it first.

    Its texts are held against what a reply may be at each of *accounts* that it fits: as long as
    they are without what fills their gaps.
    """
    found = [*_malformed(macro), *_homeless(macro, accounts)]
    for code, text in sorted(macro.texts.items()):
        found += [Fault(said, code) for said in _unreadable(text)]
        found += _against(macro, code, text, accounts)
    return sorted(found, key=lambda one: not one.blocks)


def _malformed(macro: Macro) -> Iterator[Fault]:
    if NAME.fullmatch(macro.name) is None:
        yield Fault(Said("a macro's name has small letters, digits and hyphens, 64 at most"))
    if not macro.title.strip() or len(macro.title) > LONGEST_TITLE:
        facts = {"most": LONGEST_TITLE}
        yield Fault(Said("a macro has a title of %(most)s characters at most", facts))
    if not macro.texts:
        yield Fault(Said("a macro has a text in one language at least"))
    if len(macro.texts) > MOST_LANGUAGES:
        facts = {"most": MOST_LANGUAGES}
        yield Fault(Said("a macro has texts in %(most)s languages at most", facts))
    for code in macro.texts:
        if LANGUAGE.fullmatch(code) is None:
            yield Fault(Said("a language is written as its code, such as de or pt-BR"), code[:16])


def _homeless(
    macro: Macro, accounts: Mapping[str, tuple[Account, Capabilities]]
) -> Iterator[Fault]:
    markets = {account.marketplace for account, _ in accounts.values()}
    for name in macro.accounts:
        if name not in accounts:
            said = Said("no account is called %(name)s; it answers nobody there", {"name": name})
            yield Fault(said, blocks=False)
    for name in macro.marketplaces:
        if name not in markets:
            said = Said("no account sells at %(name)s; it answers nobody there", {"name": name})
            yield Fault(said, blocks=False)


def _unreadable(text: str) -> Iterator[Said]:
    if not text.strip():
        yield Said("the text is empty; write one, or take the language out")
    if len(text) > LONGEST_TEXT:
        yield Said("the text has %(most)s characters at most", {"most": LONGEST_TEXT})
    if (found := UNSEEN.search(text)) is not None:
        character = f"U+{ord(found[0]):04X}"
        yield Said(
            "the text holds a control character (%(character)s); remove it",
            {"character": character},
        )
    for name in filling.unknown(text):
        facts = {"gap": f"{{{{{name}}}}}", "known": ", ".join(filling.VARIABLES)}
        yield Said("nothing fills %(gap)s; known are: %(known)s", facts)


def _against(
    macro: Macro, code: str, text: str, accounts: Mapping[str, tuple[Account, Capabilities]]
) -> Iterator[Fault]:
    """What the marketplaces that it fits would not take of *text*."""
    bare = filling.GAP.sub("", text)
    for name, (account, can) in sorted(accounts.items()):
        if not fits(macro, account) or not can.replies:
            continue
        for one in _lasting(limits.complaints(bare, can)):
            blocks = one.rule == "longest" and one.blocks
            yield Fault(one, code, name, blocks=blocks)


def _lasting(found: Iterable[Complaint]) -> list[Complaint]:
    """What stays wrong whatever fills the gaps."""
    return [one for one in found if one.rule in ("longest", "link", "address", "phone")]


async def save(
    db: Db,
    who: Who,
    macro: Macro,
    accounts: Mapping[str, tuple[Account, Capabilities]],
    now: datetime,
) -> list[Fault]:
    """Write *macro*, if nothing blocks it; what is to be told of it all the same.

    Raises:
        NotAllowed: *who* may not change macros, or not for accounts that they do not see.
        Unsavable: something blocks it.
        Mistaken: another has changed it meanwhile.
    """
    check_may(who, macro, await stored.of(db, macro.name))
    found = faults(macro, accounts)
    if blocking := [one for one in found if one.blocks]:
        raise Unsavable(blocking)
    if not await stored.put(db, macro, who.name, now):
        raise Mistaken("somebody else has changed this macro meanwhile; open it again")
    await _note(db, who, "save_macro", macro.name, now)
    return found


async def replace(
    db: Db,
    who: Who,
    macro: Macro,
    accounts: Mapping[str, tuple[Account, Capabilities]],
    now: datetime,
) -> list[Fault]:
    """As `save`, whatever stands there under its name."""
    known = await stored.of(db, macro.name)
    revision = 0 if known is None else known.revision
    return await save(db, who, dataclasses.replace(macro, revision=revision), accounts, now)


async def remove(db: Db, who: Who, name: str, revision: int, now: datetime) -> None:
    """Remove a macro.

    Raises:
        NotAllowed: *who* may not change it.
        Mistaken: it is not there, or another has changed it meanwhile.
    """
    known = await stored.of(db, name)
    if known is None:
        raise Mistaken("no macro is called %(name)s", name=name)
    check_may(who, known)
    if not await stored.remove(db, name, revision):
        raise Mistaken("somebody else has changed this macro meanwhile; open it again")
    await _note(db, who, "remove_macro", name, now)


def check_may(who: Who, *those: Macro | None) -> None:
    """Refuse whoever may not change *those* macros.

    Raises:
        NotAllowed: their role may not; or they see some accounts alone, and these answer others.
    """
    if not who.may(Act.MACROS):
        raise NotAllowed("only a lead changes macros; ask one")
    for one in those:
        if who.accounts is None or one is None:
            continue
        if one.marketplaces or not one.accounts or not set(one.accounts) <= who.accounts:
            raise NotAllowed("this macro answers for accounts that you do not see; name yours")


def _said(fault: Fault) -> str:
    where = ", ".join(filter(None, (fault.language, fault.account)))
    return f"{where}: {fault.text}" if where else fault.text


async def _note(db: Db, who: Who, act: str, name: str, now: datetime) -> None:
    await audit.write(db, who, act, detail={"macro": name}, now=now)
