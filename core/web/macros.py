"""The page of macros: what agents answer with, changed by leads."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from core.access import Act
from core.desk import filling, macros
from core.errors import Mistaken
from core.store import macros as stored
from core.store import transaction
from core.store.macros import Macro
from core.web import pages
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.capabilities import Capabilities
    from core.desk.macros import Fault
    from core.model import Account

PATH = "/macros"
REVISION = re.compile(r"[0-9]{1,9}")
MORE = 2
"""Empty places for further languages that a form shows."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A macro as the form shows it: *accounts* and *marketplaces* as text, *texts* in pairs."""

    macro: Macro
    texts: tuple[tuple[str, str], ...]
    accounts: str
    marketplaces: str


async def listing(request: web.Request) -> web.Response:
    """Every macro that answers for an account of who asks."""
    async with transaction(parts(request).pool()) as db:
        found = await stored.all_(db)
    shown = [one for one in found if _is_shown(request, one)]
    return pages.page(request, "macros.html", macros=shown, variables=filling.VARIABLES)


async def form(request: web.Request) -> web.Response:
    """The form of one macro, by its name; of a new one without."""
    name = request.query.get("name", "")
    async with transaction(parts(request).pool()) as db:
        found = await stored.of(db, name) if name else Macro("", "")
    if found is None or not _is_shown(request, found):  # no more is said of others' than of none
        raise web.HTTPNotFound
    named = tuple(one for one in found.accounts if who(request).sees(one))
    return _form(request, replace(found, accounts=named))


async def save(request: web.Request) -> web.StreamResponse:
    """Write what the form says; the form again, and why, where that cannot be."""
    given = await request.post()
    macro = _given(given)
    of = parts(request)
    if "look" in given:
        return _form(request, macro, faults=macros.faults(macro, visible(request)))
    try:
        async with transaction(of.pool()) as db:
            if "remove" in given:
                await macros.remove(db, who(request), macro.name, macro.revision, of.now())
            else:
                await macros.save(db, who(request), macro, visible(request), of.now())
    except macros.Unsavable as fault:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _form(request, macro, faults=fault.faults, status=status)
    except Mistaken as fault:
        told = pages.tell(request, fault.said)
        return _form(request, macro, told, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    raise web.HTTPSeeOther(PATH)


def _form(
    request: web.Request,
    macro: Macro,
    fault: str = "",
    *,
    faults: Sequence[Fault] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> web.Response:
    texts = (*sorted(macro.texts.items()), *((("", ""),) * MORE))
    shown = Shown(macro, texts, " ".join(macro.accounts), " ".join(macro.marketplaces))
    known = visible(request)
    return pages.page(
        request,
        "macro.html",
        status=status,
        shown=shown,
        fault=fault,
        faults=faults,
        variables=filling.VARIABLES,
        accounts=sorted(known),
        marketplaces=sorted({account.marketplace for account, _ in known.values()}),
    )


def _given(form: Mapping[str, object]) -> Macro:
    """What a form says: a language without a text is left out."""
    pairs = zip(_all(form, "language"), _all(form, "body"), strict=False)
    revision = str(form.get("revision", ""))
    return Macro(
        name=str(form.get("name", "")).strip(),
        title=" ".join(str(form.get("title", "")).split()),
        texts={
            code.strip(): body.replace("\r\n", "\n").strip()
            for code, body in pairs
            if code.strip() and body.strip()
        },
        accounts=tuple(dict.fromkeys(str(form.get("accounts", "")).split())),
        marketplaces=tuple(dict.fromkeys(str(form.get("marketplaces", "")).split())),
        revision=int(revision) if REVISION.fullmatch(revision) else 0,
    )


def _all(form: Mapping[str, object], name: str) -> list[str]:
    found = form.getall(name, [])  # type: ignore[attr-defined]  # a MultiDict is a Mapping
    return [one for one in found if isinstance(one, str)]


def _is_shown(request: web.Request, macro: Macro) -> bool:
    accounts = (account for account, _ in visible(request).values())
    return macros.is_shown(macro, who(request), accounts)


def everywhere(request: web.Request) -> dict[str, tuple[Account, Capabilities]]:
    """What a reply may be at each account."""
    return {
        name: (found.account, found.spec.can(found.options))
        for name, found in parts(request).settings().accounts.items()
    }


def visible(request: web.Request) -> dict[str, tuple[Account, Capabilities]]:
    """As `everywhere`, of the accounts that who asks sees."""
    return {name: one for name, one in everywhere(request).items() if who(request).sees(name)}


WAYS = (
    Way("GET", PATH, listing, Act.MACROS),
    Way("GET", f"{PATH}/form", form, Act.MACROS),
    Way("POST", f"{PATH}/form", save, Act.MACROS),
)
