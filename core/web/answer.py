"""Answering on a thread's page: sending, taking back, saying that none is needed, promising more.

Every form works without script, as a whole page there and back; with it only the box is fetched
(``HX-Request``). What somebody wrote is never lost to a fault: it comes back in the box.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from core.access import Act
from core.desk import answering, limits, presence, sniffing
from core.desk.answering import Beaten, Queued, Unfit, Written
from core.errors import Mistaken, NotAllowed
from core.store import audit, threads, transaction
from core.web import answerbox, pages, thread
from core.web.answerbox import BACK, Back
from core.web.ways import Way, parts, who
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.configuration.configured import Configured
    from core.desk.answering import Terms
    from core.model import File
    from core.store.replies import Reply

BOX = "answer"
"""Where the box stands on the page."""
MOST_FILES = 20
"""So many files are looked at, whatever a marketplace takes."""


async def send(request: web.Request) -> web.StreamResponse:
    """Queue what was written, or put a macro into it; else the box again, and why."""
    form = await request.post()
    try:
        written = _written(request, form)
    except Mistaken as fault:
        return await again(request, _back(form, fault=str(fault)))
    if "use" in form:
        return await _with_macro(request, form, written)
    try:
        async with transaction(parts(request).pool()) as db:
            outcome = await answering.answer(
                db, who(request), written, _terms(request), parts(request).now()
            )
    except Mistaken as fault:
        return await _kept(request, written, _back(form, fault=str(fault)))
    match outcome:
        case Queued():
            return await done(request, "sent")
        case Beaten():
            return await _kept(request, written, _back(form, beaten=outcome))
        case Unfit(complaints):
            back = replace(_back(form), complaints=complaints)
            return await _kept(request, written, back)


async def check(request: web.Request) -> web.Response:
    """What is wrong with what is written so far; nothing of it is kept."""
    form = await request.post()
    text = _text(form)
    async with transaction(parts(request).pool()) as db:
        known = await threads.of(db, *_where(request))
    if known is None:
        raise web.HTTPNotFound
    can, now = _terms(request).can_in(known), parts(request).now()
    found = limits.complaints(text, can, (), known.order_ids, now)
    told = tuple(one for one in found if one.rule != "empty")
    return pages.page(request, "answer/complaints.html", complaints=told, text=text)


async def undo(request: web.Request) -> web.StreamResponse:
    """Take a reply back; its text comes back in the box, or it is said that it has left."""
    number = request.match_info["reply"]
    if not _is_number(number):
        raise web.HTTPNotFound
    async with transaction(parts(request).pool()) as db:
        found = await answering.undo(db, who(request), int(number), parts(request).now())
        where = found or await answering.known(db, who(request), int(number))
        if where is not None and where.state == "undone":
            found = where  # taken back before: a form came twice
    if where is None:
        raise web.HTTPNotFound
    request.match_info.update(account=where.account, thread=where.thread)
    if found is None:
        return await again(request, Back("", fault="it has left already"), HTTPStatus.CONFLICT)
    return await _given_back(request, found)


async def _given_back(request: web.Request, found: Reply) -> web.StreamResponse:
    if _is_part(request):
        typed = _text(await request.post())
        back = answerbox.given(found, answerbox.zone(request))
        if found.written_by != who(request).name:
            back = Back(typed)
        elif typed.strip():
            back = replace(back, text=f"{found.body}\n\n{typed}")
        request[BACK] = back
        return await _box(request)
    raise web.HTTPSeeOther(f"{_page(request)}?back={found.id}#{BOX}")


async def draft(request: web.Request) -> web.Response:
    """Who asks has the box open, or has closed it; nothing of what they write is sent along."""
    account, id_ = _where(request)
    is_left = "left" in await request.post()
    async with transaction(parts(request).pool()) as db:
        if is_left:
            await presence.left(db, who(request), account, id_)
        elif await threads.of(db, account, id_) is None:
            raise web.HTTPNotFound
        else:
            await presence.here(db, who(request), account, id_, parts(request).now())
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def done(request: web.Request, said: str) -> web.StreamResponse:
    """The page after something was done, by a redirect, so that loading it again does nothing."""
    if _is_part(request):
        request[BACK] = Back("")
        return await _box(request)
    raise web.HTTPSeeOther(f"{_page(request)}?done={said}#{BOX}")


async def again(
    request: web.Request, back: Back, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
) -> web.StreamResponse:
    """The page with what somebody wrote, and why it did not leave."""
    request[BACK] = back
    if _is_part(request):
        return await _box(request)  # to a script it is what the box says now, not a fault
    response = await thread.page(request)
    response.set_status(status)
    return response


async def _kept(request: web.Request, written: Written, back: Back) -> web.StreamResponse:
    """`again`, with the files kept where there are any: no form can hold them."""
    if written.files or (written.kept is not None and written.numbers):
        async with transaction(parts(request).pool()) as db:
            kept = await answering.keep(db, who(request), written, parts(request).now())
        back = replace(back, kept=kept)
    status = HTTPStatus.CONFLICT if back.beaten else HTTPStatus.UNPROCESSABLE_ENTITY
    return await again(request, back, status)


async def _with_macro(
    request: web.Request, form: Mapping[str, object], written: Written
) -> web.StreamResponse:
    """The page with a macro put after what is written."""
    name, wanted = str(form.get("macro", "")), str(form.get("language", "")) or None
    try:
        async with transaction(parts(request).pool()) as db:
            filled = await answerbox.filled(request, db, name, wanted, written.follow_up_at)
            account, id_ = _where(request)
            await audit.write(  # its gaps are filled with what the buyer is called and has bought
                db, who(request), Act.READ, account=account, thread=id_, detail={"macro": 1},
                now=parts(request).now(),
            )  # fmt: skip
    except Mistaken as fault:
        return await _kept(request, written, _back(form, fault=str(fault)))
    before = written.text.rstrip()
    text = f"{before}\n\n{filled.text}" if before else filled.text
    kept = replace(written, text=text)
    back = replace(_back(form), text=text, filled=filled)
    response = await _kept(request, kept, back)
    response.set_status(HTTPStatus.OK)
    return response


async def _box(request: web.Request) -> web.Response:
    found = await answerbox.facts(request, *_where(request))
    if found is None:
        raise web.HTTPNotFound
    return pages.page(request, "answer/box.html", answer=found)


def _written(request: web.Request, form: Mapping[str, object]) -> Written:
    """What the form says.

    Raises:
        Mistaken: the instant by which it promises more is none; or it has too many files.
    """
    account, id_ = _where(request)
    promised = str(form.get("follow_up", ""))
    kept = str(form.get("kept", ""))
    return Written(
        account,
        id_,
        _text(form),
        _to(form),
        _files(form),
        key=str(form.get("key", "")) or None,
        seen=str(form.get("seen", "")) or None,
        despite="despite" in form,
        follow_up_at=answerbox.instant(promised, answerbox.zone(request)) if promised else None,
        kept=int(kept) if _is_number(kept) else None,
        numbers=tuple(int(each) for each in _all(form, "file_kept") if _is_number(each)),
    )


def _back(
    form: Mapping[str, object],
    *,
    fault: str = "",
    beaten: Beaten | None = None,
) -> Back:
    kept = str(form.get("kept", ""))
    return Back(
        _text(form),
        _to(form),
        beaten=beaten,
        fault=fault,
        kept=int(kept) if _is_number(kept) else None,
        follow_up=str(form.get("follow_up", "")),
    )


def _text(form: Mapping[str, object]) -> str:
    """What was written: browsers send every line's end as two characters."""
    return str(form.get("text", "")).replace("\r\n", "\n").replace("\r", "\n")


def _to(form: Mapping[str, object]) -> frozenset[Party]:
    named = _all(form, "to")
    return frozenset(party for party in (Party.BUYER, Party.MARKETPLACE) if party in named)


def _files(form: Mapping[str, object]) -> tuple[File, ...]:
    """The files of the form, each as what its content is.

    Raises:
        Mistaken: they are more than anybody sends.
    """
    sent = [one for one in _raw(form, "files") if isinstance(one, web.FileField) and one.filename]
    if len(sent) > MOST_FILES:
        raise Mistaken(f"{MOST_FILES} files at most go with a reply; send less")
    return tuple(sniffing.named(one.filename, one.file.read()) for one in sent)


def _raw(form: Mapping[str, object], name: str) -> list[object]:
    return list(form.getall(name, []))  # type: ignore[attr-defined]  # a MultiDict is a Mapping


def _all(form: Mapping[str, object], name: str) -> list[str]:
    return [one for one in _raw(form, name) if isinstance(one, str)]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 18


def _terms(request: web.Request) -> Terms:
    """What holds for the account that *request* names.

    Raises:
        NotAllowed: the settings have no such account.
    """
    settings = parts(request).settings()
    found: Configured | None = settings.accounts.get(request.match_info["account"])
    if found is None:
        raise NotAllowed("this account has left the settings; answer at the marketplace")
    return answering.terms(found.spec, found.options, settings.board.undo_within)


def _where(request: web.Request) -> tuple[str, str]:
    return request.match_info["account"], request.match_info["thread"]


def _page(request: web.Request) -> str:
    return pages.thread_path(*_where(request))


def _is_part(request: web.Request) -> bool:
    """Whether a script asks, which takes the box alone."""
    return "HX-Request" in request.headers


WAYS = (
    Way("POST", "/reply/{account}/{thread:.+}", send, Act.ANSWER),
    Way("POST", "/check/{account}/{thread:.+}", check, Act.ANSWER),
    Way("POST", "/undo/{reply}", undo, Act.ANSWER),
    Way("POST", "/draft/{account}/{thread:.+}", draft, Act.ANSWER),
)
