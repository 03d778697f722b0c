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
from core.desk import answering, beaten, limits, presence, sniffing
from core.desk.answering import Beaten, Queued, Unfit, Written
from core.errors import Mistaken, NotAllowed
from core.said import Said
from core.store import audit, enclosures, threads, transaction
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
LEFT = Said("it has left already")


async def send(request: web.Request) -> web.StreamResponse:
    """Queue what was written, or put a macro into it; else the box again, and why."""
    form = await request.post()
    try:
        written = _written(request, form)
    except Mistaken as fault:
        return await again(request, _back(form, fault=pages.tell(request, fault.said)))
    if "use" in form:
        return await _with_macro(request, form, written)
    try:
        async with transaction(parts(request).pool()) as db:
            outcome = await answering.answer(
                db, who(request), written, _terms(request), parts(request).now()
            )
    except Mistaken as fault:
        return await _kept(request, written, _back(form, fault=pages.tell(request, fault.said)))
    match outcome:
        case Queued():
            return await done(request, "sent")
        case Beaten():
            return await _kept(request, written, _back(form, faster=outcome))
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
        rules, now = parts(request).rules(), parts(request).now()
        found = await answering.undo(db, rules, who(request), int(number), now)
        where = found or await answering.known(db, who(request), int(number))
        if where is not None and where.state == "undone":
            found = where  # taken back before: a form came twice
    if where is None:
        raise web.HTTPNotFound
    request.match_info.update(account=where.account, thread=where.thread)
    form = await request.post()
    if found is None:
        back = _back(form, fault=pages.tell(request, LEFT))
        return await _typed(request, form, back, HTTPStatus.CONFLICT)
    return await _given_back(request, form, found)


async def _given_back(
    request: web.Request, form: Mapping[str, object], found: Reply
) -> web.StreamResponse:
    """The box with what was taken back, before what is typed there already."""
    if found.written_by != who(request).name:
        return await beside(request, "undone")
    if not _is_typed(form):
        if not _is_part(request):
            raise web.HTTPSeeOther(f"{_page(request)}?back={found.id}#{BOX}")
        request[BACK] = answerbox.given(found, answerbox.zone(request))
        return await _box(request)
    typed = _back(form)
    back = answerbox.given(found, answerbox.zone(request))
    text = f"{found.body}\n\n{typed.text}" if typed.text.strip() else found.body
    back = replace(back, text=text, follow_up=back.follow_up or typed.follow_up, seen=typed.seen)
    try:
        written = await _together(request, _written(request, form), found)
    except Mistaken as fault:
        return await again(request, replace(back, fault=pages.tell(request, fault.said)))
    return await _kept(request, replace(written, text=text), back, HTTPStatus.OK)


async def _together(request: web.Request, written: Written, found: Reply) -> Written:
    """*written*, with the files of *found* before its own."""
    async with transaction(parts(request).pool()) as db:
        files = [*(await enclosures.numbered(db, found.id)).values()]
        where = found.account, found.thread
        kept = written.kept
        if kept is not None and await answering.given_back(db, who(request), *where, kept):
            chosen = await enclosures.numbered(db, kept)
            files += [chosen[n] for n in written.numbers if n in chosen]
    return replace(written, files=(*files, *written.files), kept=None, numbers=())


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
        request[BACK] = Back("", seen=await _seen(request, await request.post()))
        return await _box(request)
    raise web.HTTPSeeOther(f"{_page(request)}?done={said}#{BOX}")


async def beside(
    request: web.Request, said: str, fault: str = "", faster: Beaten | None = None
) -> web.StreamResponse:
    """The page after a button beside the text was pressed, with all that was typed so far.

    *fault* or *faster* says why nothing came of it; neither where something did.
    """
    form = await request.post()
    back = replace(_back(form, fault=fault, faster=faster), unsaid=faster is not None)
    if faster is not None:
        return await _typed(request, form, back, HTTPStatus.CONFLICT)
    if fault:
        return await _typed(request, form, back, HTTPStatus.UNPROCESSABLE_ENTITY)
    if _is_typed(form):
        back = replace(back, seen=await _seen(request, form))
        return await _typed(request, form, back, HTTPStatus.OK)
    return await done(request, said)


async def _seen(request: web.Request, form: Mapping[str, object]) -> str:
    """What the form says was seen, and the answers that stand in the box besides.

    What somebody has asked since does not stand there.
    """
    known = str(form.get("seen", ""))
    if not known:
        return ""
    async with transaction(parts(request).pool()) as db:
        found = await answering.seen(db, *_where(request))
    return beaten.also(known, [one for one in found if not one.asks])


async def _typed(
    request: web.Request, form: Mapping[str, object], back: Back, status: HTTPStatus
) -> web.StreamResponse:
    """`again`, with the files that were chosen, however much is wrong with the rest."""
    try:
        written = replace(_written(request, form), text=back.text)
        return await _kept(request, written, back, status)
    except Mistaken as fault:
        back = replace(back, fault=back.fault or pages.tell(request, fault.said))
        return await again(request, back, status)


def _is_typed(form: Mapping[str, object]) -> bool:
    """Whether there is anything in the box that would be missed."""
    files = [one for one in _raw(form, "files") if isinstance(one, web.FileField) and one.filename]
    kept = [form.get("follow_up"), *files, *_all(form, "file_kept")]
    return bool(_text(form).strip()) or any(kept)


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


async def _kept(
    request: web.Request, written: Written, back: Back, status: HTTPStatus | None = None
) -> web.StreamResponse:
    """`again`, with the files kept where there are any: no form can hold them."""
    if written.files or (written.kept is not None and written.numbers):
        async with transaction(parts(request).pool()) as db:
            kept = await answering.keep(db, who(request), written, parts(request).now())
        back = replace(back, kept=kept)
    wrong = HTTPStatus.CONFLICT if back.beaten else HTTPStatus.UNPROCESSABLE_ENTITY
    return await again(request, back, status or wrong)


async def _with_macro(
    request: web.Request, form: Mapping[str, object], written: Written
) -> web.StreamResponse:
    """The page with a macro put after what is written; with that alone, where none is wanted."""
    name, wanted = str(form.get("macro", "")), str(form.get("language", "")) or None
    if form["use"] == "none" or not name:
        return await _kept(request, written, _back(form), HTTPStatus.OK)
    try:
        async with transaction(parts(request).pool()) as db:
            filled = await answerbox.filled(request, db, name, wanted, written.follow_up_at)
            account, id_ = _where(request)
            await audit.write(  # its gaps are filled with what the buyer is called and has bought
                db, who(request), Act.READ, account=account, thread=id_, detail={"macro": 1},
                now=parts(request).now(),
            )  # fmt: skip
    except Mistaken as fault:
        return await _kept(request, written, _back(form, fault=pages.tell(request, fault.said)))
    before = written.text.rstrip()
    text = f"{before}\n\n{filled.text}" if before else filled.text
    kept = replace(written, text=text)
    back = replace(_back(form), text=text, filled=filled)
    return await _kept(request, kept, back, HTTPStatus.OK)


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
    faster: Beaten | None = None,
) -> Back:
    kept = str(form.get("kept", ""))
    return Back(
        _text(form),
        _to(form),
        beaten=faster,
        fault=fault,
        kept=int(kept) if _is_number(kept) else None,
        follow_up=str(form.get("follow_up", "")),
        seen=str(form.get("seen", "")),
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
        raise Mistaken("%(most)s files at most go with a reply; send less", most=MOST_FILES)
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
