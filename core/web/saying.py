"""What somebody says of a thread on its page: no reply is needed, it was given there, more comes.

What each mark ends and what runs on stands beside its button before it is pressed (`answerbox`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.access import Act
from core.desk import marking, promising
from core.errors import Mistaken
from core.store import transaction
from core.web import answer, answerbox, pages
from core.web.ways import Way, parts, who
from sla.policy import Party
from sla.turn import Level

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from core.desk.answering import Beaten
    from core.store import Db


async def mark(request: web.Request) -> web.StreamResponse:
    """Say that no reply is needed, at a level; or take back what was said (``back``)."""
    form = await request.post()
    account, thread = request.match_info["account"], request.match_info["thread"]
    of, asks = parts(request), who(request)

    async def do(db: Db) -> Beaten | None:
        if said := str(form.get("back", "")):
            await marking.take_back(db, of.rules(), asks, account, thread, said, of.now())
            return None
        found = of.settings().accounts.get(account)
        if found is None or form.get("level") not in set(Level):
            raise Mistaken("say decided or marked")
        can, level = found.spec.can(found.options), Level(str(form["level"]))
        return await marking.mark(
            db, of.rules(), asks, account, thread, level, can, of.now(), seen=_seen(form)
        )

    return await _do(request, do, "said")


async def answered(request: web.Request) -> web.StreamResponse:
    """Say that it was answered at the marketplace, when, and whom."""
    form = await request.post()
    account, thread = request.match_info["account"], request.match_info["thread"]
    of, asks = parts(request), who(request)
    to = {party for party in (Party.BUYER, Party.MARKETPLACE) if party in form.getall("whom", [])}

    async def do(db: Db) -> Beaten | None:
        at = answerbox.instant(str(form.get("at", "")), answerbox.zone(request))
        return await marking.answered(
            db, of.rules(), asks, account, thread, at, to, of.now(), seen=_seen(form)
        )

    return await _do(request, do, "said")


async def promise(request: web.Request) -> web.StreamResponse:
    """Promise a further answer, move what is promised, or withdraw it (``withdraw``)."""
    form = await request.post()
    account, thread = request.match_info["account"], request.match_info["thread"]
    of, reason = parts(request), str(form.get("reason", ""))

    async def do(db: Db) -> None:
        where = db, of.rules(), who(request), account, thread
        if "withdraw" in form:
            await promising.withdraw(*where, reason, of.now())
            return
        by = answerbox.instant(str(form.get("by", "")), answerbox.zone(request))
        if "move" in form:
            await promising.move(*where, by, reason, of.now())
        else:
            await promising.promise(*where, by, of.now())

    return await _do(request, do, "promised")


async def _do(
    request: web.Request, do: Callable[[Db], Awaitable[Beaten | None]], said: str
) -> web.StreamResponse:
    """Do it in one transaction; the page with what is typed, and what was wrong, if anything."""
    try:
        async with transaction(parts(request).pool()) as db:
            new = await do(db)
    except Mistaken as fault:
        return await answer.beside(request, said, pages.tell(request, fault.said))
    return await answer.beside(request, said, faster=new)


def _seen(form: Mapping[str, object]) -> str | None:
    """What whoever presses the button had seen of the thread."""
    return str(form.get("seen", "")) or None


WAYS = (
    Way("POST", "/mark/{account}/{thread:.+}", mark, Act.ANSWER),
    Way("POST", "/answered/{account}/{thread:.+}", answered, Act.ANSWER),
    Way("POST", "/promise/{account}/{thread:.+}", promise, Act.ANSWER),
)
