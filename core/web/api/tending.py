"""What a program tends beside threads: macros, mutes, troubles; the trail, duties, reports."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from core.access import Act
from core.configuration import judged
from core.desk import attaining, macros, presence, silencing, telling
from core.errors import Mistaken
from core.store import audit, mutes, threads, transaction
from core.store import macros as stored
from core.store.macros import Macro
from core.web import macros as pages
from core.web.api import models, tended
from core.web.api.routes import Lead, Route

if TYPE_CHECKING:
    from datetime import timedelta

    from core.desk.attaining import Line
    from core.store import Db
    from core.store.attainment import Late
    from core.told import MuteScope
    from core.web.api.routes import Call

CONFLICT = HTTPStatus.CONFLICT


async def macro(call: Call) -> models.Macro:
    """A macro that answers for an account of who asks."""
    async with transaction(call.parts.pool()) as db:
        return models.Macro.model_validate(await _macro(db, call))


async def save(call: Call) -> tended.Saved:
    """Write a macro, new or as nobody has changed it since."""
    name, said = call.of(tended.MacroName).macro, call.of(tended.Texts)
    new = Macro(
        name=name,
        title=" ".join(said.title.split()),
        texts={code: text.strip() for code, text in said.texts.items()},
        accounts=said.accounts,
        marketplaces=said.marketplaces,
        revision=said.revision,
    )
    async with transaction(call.parts.pool()) as db:
        doubts = await macros.save(db, call.who, new, pages.visible(call.request), call.now)
        found = await stored.of(db, name)
    return tended.Saved(
        macro=models.Macro.model_validate(found),
        doubts=tuple(tended.Doubt.model_validate(one) for one in doubts),
    )


async def remove(call: Call) -> None:
    """Remove a macro, as nobody has changed it since."""
    async with transaction(call.parts.pool()) as db:
        found = await _macro(db, call)
        revision = call.of(tended.Which).revision
        await macros.remove(db, call.who, found.name, revision, call.now)


async def _macro(db: Db, call: Call) -> Macro:
    found = await stored.of(db, call.of(tended.MacroName).macro)
    seen = (account for account, _ in pages.visible(call.request).values())
    if found is None or not macros.is_shown(found, call.who, seen):
        raise web.HTTPNotFound
    return found


async def trail(call: Call) -> tended.Entries:
    """Lines of the audit trail, of accounts that who asks sees, and their own."""
    said = call.of(tended.Trail)
    asked = audit.Asked(**said.model_dump(exclude={"limit"}))
    async with transaction(call.parts.pool()) as db:
        found = await audit.lines(db, asked, call.who.accounts, call.who.name, said.limit + 1)
    shown = found[: said.limit]
    return tended.Entries(
        lines=tuple(tended.Entry.model_validate(one) for one in shown),
        next=shown[-1].id if len(found) > len(shown) else None,
    )


async def here(call: Call) -> None:
    """Say for half a minute that somebody is writing an answer."""
    where = call.of(models.OneThread)
    async with transaction(call.parts.pool()) as db:
        if await threads.of(db, where.account, where.thread) is None:
            raise web.HTTPNotFound
        await presence.here(db, call.who, where.account, where.thread, call.now)


async def left(call: Call) -> None:
    """Say that nobody is writing any more."""
    where = call.of(models.OneThread)
    async with transaction(call.parts.pool()) as db:
        await presence.left(db, call.who, where.account, where.thread)


async def take_note(call: Call) -> tended.Noted:
    """Take care of an account's troubles: nobody else is told of them."""
    async with transaction(call.parts.pool()) as db:
        account = call.of(tended.OneAccount).account
        kinds = await silencing.take_note(db, call.who, account, call.now)
    return tended.Noted(kinds=tuple(kinds))


async def muted(call: Call) -> tended.Mutes:
    """What is muted, of what who asks sees."""
    async with transaction(call.parts.pool()) as db:
        standing = await mutes.standing(db)
    seen = [one for one in standing if silencing.sees(call.who, one)]
    return tended.Mutes(mutes=tuple(tended.Mute.model_validate(one) for one in seen))


async def mute_account(call: Call) -> tended.Mute:
    """Tell nothing of an account for a while."""
    name = call.of(tended.OneAccount).account
    if name not in call.rules.accounts:
        raise web.HTTPNotFound
    return await _mute(call, "account", name)


async def mute_route(call: Call) -> tended.Mute:
    """Tell nothing by a route for a while."""
    name = call.of(tended.OneRoute).route
    if name not in call.rules.routing.routes:
        raise web.HTTPNotFound
    return await _mute(call, "route", name)


async def _mute(call: Call, scope: MuteScope, name: str) -> tended.Mute:
    said = call.of(tended.Silence)
    why = silencing.reason(said.reason)
    async with transaction(call.parts.pool()) as db:
        found, _ = await silencing.mute(db, call.who, scope, name, said.until, why, call.now)
    return tended.Mute.model_validate(found)


async def unmute_account(call: Call) -> tended.Lifted:
    """Tell of an account again."""
    return await _unmute(call, "account", call.of(tended.OneAccount).account)


async def unmute_route(call: Call) -> tended.Lifted:
    """Tell by a route again."""
    return await _unmute(call, "route", call.of(tended.OneRoute).route)


async def _unmute(call: Call, scope: MuteScope, name: str) -> tended.Lifted:
    async with transaction(call.parts.pool()) as db:
        lifted = await silencing.unmute(db, call.who, scope, name, call.now)
    if lifted is None:
        raise web.HTTPNotFound
    return tended.Lifted(leaving=lifted[1])


async def duties(call: Call) -> tended.Duties:
    """Who is on duty at this moment."""
    directory = call.rules.routing.directory
    rows = [telling.on_duty(directory, one, call.now) for one in directory.duties.values()]
    return tended.Duties(duties=tuple(tended.OnDuty.model_validate(row) for row in rows))


async def told(call: Call) -> tended.Explained:
    """Who would be told of a notice of an account at this moment, and why; nothing is sent."""
    account, said = call.of(tended.OneAccount).account, call.of(tended.Notice)
    if account not in call.rules.accounts:
        raise web.HTTPNotFound
    asked = telling.Asked(account, said.kind, said.language, said.policy, said.step)
    found = telling.explain(call.rules.routing, asked, call.now)
    return tended.Explained.model_validate(asdict(found))


async def report(call: Call) -> tended.Report:
    """How promises were kept, as each contract counts, in the accounts that who asks sees.

    Raises:
        Mistaken: an instant that is not over.
    """
    said, who = call.of(tended.Kept), call.who
    at = said.at or call.now
    if at > call.now or at.year < FIRST_YEAR:
        raise Mistaken("there is no report of then; give an instant that has passed")
    every = call.parts.settings().accounts
    some = [one for name, one in every.items() if who.sees(name) and said.account in {None, name}]
    numbers = [one for one in judged.numbers(some, at) if said.policy in {None, one.policy.name}]
    async with transaction(call.parts.pool()) as db:
        found = await attaining.report(db, some, numbers, at, worst=said.worst, policy=said.policy)
    return tended.Report(
        at=found.at,
        numbers=tuple(_number(one) for one in found.lines),
        worst=tuple(_late(one) for one in found.worst),
    )


def _number(line: Line) -> tended.Attainment:
    number, standing, contract = line.number, line.standing, line.number.contract
    return tended.Attainment(
        account=number.account,
        marketplace=number.marketplace,
        policy=number.policy.name,
        role=number.policy.role,
        measure=contract.measure,
        begins=standing.window.begins,
        ends=standing.window.ends,
        verdict=standing.verdict,
        in_time=None if standing.attainment is None else float(standing.attainment),
        objective=contract.objective,
        budget=standing.budget,
        needed=standing.needed,
        mean_seconds=_seconds(standing.mean),
        limit_seconds=_seconds(contract.limit),
        next_within_seconds=_seconds(standing.next_within),
        counted=standing.counted,
        met=standing.counts.met,
        missed=standing.counts.missed,
        running=standing.counts.running,
    )


def _late(one: Late) -> tended.Late:
    facts = {name: getattr(one, name) for name in tended.Late.model_fields if hasattr(one, name)}
    return tended.Late.model_validate({**facts, "late_by_seconds": one.late_by.total_seconds()})


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


FIRST_YEAR = 1970
"""However long a window is, one that ends from then on begins within all dates."""
ACCOUNT, ROUTE = tended.OneAccount, tended.OneRoute
ROUTES = (
    Route("GET", "/macros/{macro}", "macro", "A macro", Act.ANSWER, macro, models.Macro,
          where=tended.MacroName),
    Route("PUT", "/macros/{macro}", "save", "Write a macro", Act.MACROS, save, tended.Saved,
          where=tended.MacroName, takes=tended.Texts, refuses=(CONFLICT,),
          leads=(Lead("macro", "As it stands", {"macro": "$response.body#/macro/name"}),
                 Lead("remove", "Remove it", {"macro": "$response.body#/macro/name",
                      "revision": "$response.body#/macro/revision"}))),
    Route("DELETE", "/macros/{macro}", "remove", "Remove a macro", Act.MACROS, remove,
          status=HTTPStatus.NO_CONTENT, where=tended.MacroName, asks=tended.Which,
          refuses=(CONFLICT,)),
    Route("GET", "/audit", "trail", "Who looked at what, did what, and was refused what",
          Act.AUDIT, trail, tended.Entries, asks=tended.Trail),
    Route("PUT", "/writers/{account}/{thread}", "here", "Say that an answer is being written",
          Act.ANSWER, here, status=HTTPStatus.NO_CONTENT, where=models.OneThread),
    Route("DELETE", "/writers/{account}/{thread}", "left", "Say that none is being written",
          Act.ANSWER, left, status=HTTPStatus.NO_CONTENT, where=models.OneThread),
    Route("POST", "/acknowledgements/{account}", "take_note",
          "Take care of an account's troubles", Act.CLAIM, take_note, tended.Noted,
          where=ACCOUNT, refuses=(CONFLICT,)),
    Route("GET", "/mutes", "muted", "What is muted", Act.LOOK, muted, tended.Mutes),
    Route("PUT", "/mutes/accounts/{account}", "mute_account",
          "Tell nothing of an account for a while", Act.MUTE, mute_account, tended.Mute,
          where=ACCOUNT, takes=tended.Silence, refuses=(CONFLICT,),
          leads=(Lead("unmute_account", "Tell of it again",
                      {"account": "$response.body#/name"}),)),
    Route("DELETE", "/mutes/accounts/{account}", "unmute_account", "Tell of an account again",
          Act.MUTE, unmute_account, tended.Lifted, where=ACCOUNT),
    Route("PUT", "/mutes/routes/{route}", "mute_route", "Tell nothing by a route for a while",
          Act.MUTE, mute_route, tended.Mute, where=ROUTE, takes=tended.Silence,
          refuses=(CONFLICT,),
          leads=(Lead("unmute_route", "Tell by it again", {"route": "$response.body#/name"}),)),
    Route("DELETE", "/mutes/routes/{route}", "unmute_route", "Tell by a route again", Act.MUTE,
          unmute_route, tended.Lifted, where=ROUTE),
    Route("GET", "/duties", "duties", "Who is on duty", Act.LOOK, duties, tended.Duties),
    Route("GET", "/told/{account}", "told", "Who would be told of a notice, and why", Act.LOOK,
          told, tended.Explained, where=ACCOUNT, asks=tended.Notice, refuses=(CONFLICT,)),
    Route("GET", "/report", "report", "How promises were kept", Act.LOOK, report,
          tended.Report, asks=tended.Kept, refuses=(CONFLICT,)),
)  # fmt: skip
"""What can be tended."""
