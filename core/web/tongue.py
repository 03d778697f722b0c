"""Saying in which language a thread is, on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from core import languages
from core.access import Act
from core.desk import tongues
from core.store import transaction
from core.web import pages, words
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Iterable


async def say(request: web.Request) -> web.StreamResponse:
    """Say it, or let its messages say it again (``language`` empty)."""
    account, thread = request.match_info["account"], request.match_info["thread"]
    of, form = parts(request), await request.post()
    said, stands = (str(form.get(name, "")) or None for name in ("language", "stands"))
    async with transaction(of.pool()) as db:
        await tongues.say(db, of.rules(), who(request), account, thread, said, stands, of.now())
    raise web.HTTPSeeOther(pages.thread_path(account, thread))


def offered(language: str, known: Iterable[str]) -> list[tuple[str, str]]:
    """What there is to choose from, by tag, as readers of *language* call it; *known* among it."""
    tags = {*languages.SHORT, *languages.SPOKEN.values(), *known}
    named = [(tag, words.variety(language, tag)) for tag in tags]
    return sorted(named, key=lambda pair: (pair[1].casefold(), pair[0]))


WAYS = (Way("POST", "/language/{account}/{thread:.+}", say, Act.ANSWER),)
