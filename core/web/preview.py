"""What a macro comes to in a thread, shown before it goes into the box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.access import Act
from core.desk import filling
from core.errors import Mistaken
from core.store import audit, transaction
from core.web import answerbox, pages
from core.web.lettering import letters
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from core.desk.macros import Filled


async def show(request: web.Request) -> web.Response:
    """The text of a macro with what is known of the thread, its other gaps marked.

    That it was looked at is written down: its gaps are filled with what the buyer is called.
    """
    form = await request.post()
    name, wanted, by = (str(form.get(key, "")) for key in ("macro", "language", "follow_up"))
    if not name:
        return _page(request)
    account, thread = request.match_info["account"], request.match_info["thread"]
    try:
        at = answerbox.instant(by, answerbox.zone(request)) if by else None
        async with transaction(parts(request).pool()) as db:
            filled = await answerbox.filled(request, db, name, wanted or None, at)
            await audit.write(
                db, who(request), Act.READ, account=account, thread=thread, detail={"macro": 1},
                now=parts(request).now(),
            )  # fmt: skip
    except Mistaken as fault:
        return _page(request, fault=pages.tell(request, fault.said))
    pieces = [(letters(text).text, is_gap) for text, is_gap in filling.pieces(filled.text)]
    return _page(request, filled=filled, pieces=pieces)


def _page(
    request: web.Request,
    filled: Filled | None = None,
    pieces: Sequence[tuple[str, bool]] = (),
    fault: str = "",
) -> web.Response:
    told = {"filled": filled, "pieces": pieces, "fault": fault}
    return pages.page(request, "answer/preview.html", status=200, **told)


WAYS = (Way("POST", "/preview/{account}/{thread:.+}", show, Act.ANSWER),)
