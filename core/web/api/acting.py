"""What a program does: claims, replies, marks, promises; each as the page's own button does it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2s
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from core.access import Act
from core.desk import answering, claiming, copies, leases, limits, marking, promising, tongues
from core.desk.answering import Beaten, Queued, Unfit, Written
from core.desk.claiming import Held
from core.errors import Mistaken
from core.store import forms, replies, threads, transaction
from core.web import answerbox
from core.web.api import acts, enclosing, models, problems
from core.web.api.routes import Lead, Route
from core.web.ways import MOST_BYTES
from sla.policy import Party
from sla.turn import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.configuration.configured import Configured
    from core.desk.limits import Complaint
    from core.desk.marking import Foreseen
    from core.model import Thread
    from core.store import Db
    from core.store.replies import Reply
    from core.web.api.routes import Call

CONFLICT = HTTPStatus.CONFLICT


async def claim(call: Call) -> models.Claim:
    """Claim a thread, or let one's own claim last from now on."""
    where, over = call.of(models.OneThread), call.of(acts.Taking).over
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        terms = leases.terms(call.parts.settings().board)
        made = await claiming.claim(
            db, call.who, where.account, where.thread, call.now, terms, over=over
        )
    if not isinstance(made, Held):
        return models.Claim.model_validate(made)
    held = models.Claim.model_validate(made.claim)
    detail = "it is another's; over takes it, for who may"
    raise problems.wrong("claimed", detail, acts.Taken, claim=held)


async def release(call: Call) -> None:
    """Give a thread back; one that nobody has is free already."""
    where = call.of(models.OneThread)
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        await claiming.release(db, call.who, where.account, where.thread, call.now)


async def answers(call: Call) -> acts.Answers:
    """What goes on about a thread, and what a reply to it can be."""
    where = call.of(models.OneThread)
    box = await answerbox.facts(call.request, where.account, where.thread)
    if box is None:
        raise web.HTTPNotFound
    status = box.status
    return acts.Answers(
        seen=box.seen,
        refused=box.refused,
        parties=tuple(party.value for party in box.parties),
        levels=tuple(level.value for level in marking.levels(box.can)),
        longest_reply=box.can.longest_reply,
        shortest_reply=box.can.shortest_reply,
        most_files=box.can.most_files,
        most_enclosed=box.can.most_enclosed,
        most_each=box.can.most_each,
        enclosed=_sorted(box.can.enclosed),
        linked=_sorted(box.can.linked),
        until=box.can.until,
        foreseen=tuple(_foreseen(one) for one in box.foreseen),
        others=tuple(one.title or one.name for one in status.others),
        claim=None if status.claim is None else models.Claim.model_validate(status.claim),
        replies=tuple(acts.Reply.model_validate(one) for one in status.replies),
        said=tuple(acts.Statement.model_validate(one) for one in status.said),
        promises=tuple(acts.Promise.model_validate(row.clock) for row in status.promises),
    )


def _sorted(types: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if types is None else tuple(sorted(types))


def _foreseen(one: Foreseen) -> acts.Foreseen:
    ends, goes_on = (tuple(each.promise for each in some) for some in (one.ends, one.goes_on))
    return acts.Foreseen(level=one.level.value, ends=ends, goes_on=goes_on)


async def check(call: Call) -> acts.Checked:
    """What is wrong with a text; nothing of it is kept."""
    where, said = call.of(models.OneThread), call.of(acts.Draft)
    async with transaction(call.parts.pool()) as db:
        known = await _known(db, where)
        kept = await enclosing.kept(db, call.who, where, said.kept)
    can, files = _terms(call).can_in(known), (*enclosing.files(said), *kept)
    return acts.Checked(
        complaints=_complaints(limits.complaints(said.text, can, files, known.order_ids, call.now))
    )


async def send(call: Call) -> acts.Queued:
    """Queue a reply, once by each key."""
    where, said = call.of(models.OneThread), call.of(acts.Writing)
    written = Written(
        where.account,
        where.thread,
        said.text,
        _parties(said.to),
        enclosing.files(said),
        key=_key(call),
        once=True,
        seen=said.seen,
        despite=said.despite,
        follow_up_at=None if said.follow_up_at is None else _instant(said.follow_up_at),
        kept=None if said.kept is None else said.kept.reply,
        numbers=() if said.kept is None else tuple(dict.fromkeys(said.kept.numbers)),
    )
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        await enclosing.kept(db, call.who, where, said.kept)
        outcome = await answering.answer(db, call.who, written, _terms(call), call.now)
        if isinstance(outcome, Queued):
            await _check_same(db, outcome, written, call.now)
    match outcome:
        case Queued():
            return acts.Queued.model_validate(outcome)
        case Beaten():
            raise _beaten(outcome)
        case Unfit(complaints):
            told = _complaints(complaints)
            raise problems.wrong("unfit", "see the complaints", acts.Unsent, complaints=told)


def _key(call: Call) -> str:
    """The key of a reply: of this person and thread alone, whoever else uses the same."""
    where = call.of(models.OneThread)
    said = (call.who.name, where.account, where.thread, call.of(acts.Key).key)
    return "api:" + blake2s("\0".join(said).encode(), digest_size=24).hexdigest()


async def _check_same(db: Db, queued: Queued, written: Written, now: datetime) -> None:
    """Remember all that was said under a key, and refuse one that stands for another reply."""
    exact = copies.form(replace(written, once=False))
    if exact is None:
        return
    if not queued.again:
        await forms.add(db, exact, queued.reply, now)
    elif queued.reply != await forms.reply(db, exact, written.account, written.thread, unsent=True):
        raise problems.wrong("other_reply", "take a new Idempotency-Key for another reply")


def _beaten(faster: Beaten) -> problems.Wrong:
    told = acts.Beaten.model_validate(faster)
    detail = "another was faster: look, then say what was seen"
    return problems.wrong("beaten", detail, acts.Unsent, beaten=told)


def _check_first(faster: Beaten | None) -> None:
    """Refuse what was said of a thread that is not as it was seen."""
    if faster is not None:
        raise _beaten(faster)


def _complaints(found: Iterable[Complaint]) -> tuple[acts.Complaint, ...]:
    return tuple(acts.Complaint.model_validate(one) for one in found)


async def reply(call: Call) -> acts.Reply:
    """What became of a reply, with its files as far as they are here."""
    async with transaction(call.parts.pool()) as db:
        found = await _reply(db, call)
        files = await enclosing.listed(db, found.id)
    return acts.OneReply.model_validate({**_facts(found), "files": files})


async def undo(call: Call) -> acts.Reply:
    """Take a reply back before it leaves; one that was taken back already is so."""
    async with transaction(call.parts.pool()) as db:
        before = await _reply(db, call)
        found = await answering.undo(db, call.parts.rules(), call.who, before.id, call.now)
        there = found or await replies.of(db, before.id)
    if there is None or (found is None and there.state != "undone"):
        raise problems.wrong("left", "it has left already")
    return acts.Reply.model_validate(there)


def _facts(reply: Reply) -> dict[str, object]:
    return {name: getattr(reply, name) for name in acts.Reply.model_fields}


async def _reply(db: Db, call: Call) -> Reply:
    found = await answering.known(db, call.who, call.of(models.OneReply).reply)
    if found is None:
        raise web.HTTPNotFound
    return found


async def mark(call: Call) -> None:
    """Say that no reply is needed."""
    where, said = call.of(models.OneThread), call.of(acts.Mark)
    level, can = Level(said.level), _terms(call).can
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        faster = await marking.mark(
            db, call.rules, call.who, where.account, where.thread, level, can, call.now,
            seen=said.seen,
        )  # fmt: skip
    _check_first(faster)


async def unmark(call: Call) -> None:
    """Let what was said of a thread not count."""
    where, said = call.of(models.OneThread), call.of(acts.What).said
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        counted = await marking.take_back(
            db, call.rules, call.who, where.account, where.thread, said, call.now
        )
    if not counted:
        raise Mistaken("nothing of that id counts there")


async def answered(call: Call) -> None:
    """Say that a thread was answered at the marketplace."""
    where, said = call.of(models.OneThread), call.of(acts.Answered)
    at, to = _instant(said.at), _parties(said.to)
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        faster = await marking.answered(
            db, call.rules, call.who, where.account, where.thread, at, to, call.now, seen=said.seen
        )
    _check_first(faster)


async def promise(call: Call) -> acts.How:
    """Promise the buyer a further answer."""
    where, due_at = call.of(models.OneThread), _instant(call.of(acts.Promised).due_at)
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        made = await promising.promise(
            db, call.rules, call.who, where.account, where.thread, due_at, call.now
        )
    return acts.How(how=made)


async def move(call: Call) -> None:
    """Promise it by another instant."""
    where, said = call.of(models.OneThread), call.of(acts.Moved)
    due_at = _instant(said.due_at)
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        await promising.move(
            db, call.rules, call.who, where.account, where.thread, due_at, said.reason, call.now
        )


async def withdraw(call: Call) -> None:
    """Take back what is promised."""
    where, reason = call.of(models.OneThread), call.of(acts.Why).reason
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        await promising.withdraw(
            db, call.rules, call.who, where.account, where.thread, reason, call.now
        )


async def speak(call: Call) -> None:
    """Say in which language a thread is, or let its messages say it again."""
    where, said = call.of(models.OneThread), call.of(acts.Spoken)
    language, stands = said.language, said.stands
    async with transaction(call.parts.pool()) as db:
        await _known(db, where)
        await tongues.say(
            db, call.rules, call.who, where.account, where.thread, language, stands, call.now
        )


async def _known(db: Db, where: models.OneThread) -> Thread:
    """The thread that is named.

    Raises:
        HTTPNotFound: there is none.
    """
    found = await threads.of(db, where.account, where.thread)
    if found is None:
        raise web.HTTPNotFound
    return found


def _terms(call: Call) -> answering.Terms:
    """What holds for the account that is named.

    Raises:
        Mistaken: the settings have no such account.
    """
    settings = call.parts.settings()
    found: Configured | None = settings.accounts.get(call.of(models.OneThread).account)
    if found is None:
        raise Mistaken("this account has left the settings; answer at the marketplace")
    return answering.terms(found.spec, found.options, settings.board.undo_within)


def _parties(named: Iterable[str]) -> frozenset[Party]:
    return frozenset(Party(name) for name in named)


def _instant(at: datetime) -> datetime:
    """*at* in UTC.

    Raises:
        Mistaken: it is beyond what calendars hold.
    """
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Mistaken("nothing here is of that year; give another instant") from None


THERE = models.OneThread
SAME = {"account": "$request.path.account", "thread": "$request.path.thread"}
NAMED = {"account": "$response.body#/account", "thread": "$response.body#/thread"}
REPLY = {"reply": "$response.body#/reply"}
ROUTES = (
    Route("POST", "/claims/{account}/{thread}", "claim", "Claim a thread for a while", Act.CLAIM,
          claim, models.Claim, where=THERE, takes=acts.Taking, refuses=(CONFLICT,),
          conflict=acts.Taken,
          leads=(Lead("release", "Give it back", NAMED), Lead("answers", "Answer it", NAMED))),
    Route("DELETE", "/claims/{account}/{thread}", "release", "Give a thread back", Act.CLAIM,
          release, status=HTTPStatus.NO_CONTENT, where=THERE, refuses=(CONFLICT,)),
    Route("GET", "/answers/{account}/{thread}", "answers",
          "What goes on about a thread, and what a reply can be", Act.ANSWER, answers,
          acts.Answers, where=THERE,
          leads=(Lead("send", "Answer it", SAME), Lead("reply", "The newest reply", {"reply":
                 "$response.body#/replies/0/id"}),
                 Lead("unmark", "Let what was said not count",
                      {**SAME, "said": "$response.body#/said/0/id"}))),
    Route("POST", "/checks/{account}/{thread}", "check", "What is wrong with a text", Act.ANSWER,
          check, acts.Checked, where=THERE, takes=acts.Draft, refuses=(CONFLICT,),
          most=MOST_BYTES),
    Route("POST", "/replies/{account}/{thread}", "send", "Queue a reply", Act.ANSWER, send,
          acts.Queued, HTTPStatus.ACCEPTED, where=THERE, heads=acts.Key, takes=acts.Writing,
          refuses=(CONFLICT,), conflict=acts.Unsent, most=MOST_BYTES, at="/replies/{reply}",
          leads=(Lead("reply", "What became of it", REPLY), Lead("undo", "Take it back", REPLY))),
    Route("GET", "/replies/{reply}", "reply", "What became of a reply", Act.ANSWER, reply,
          acts.OneReply, where=models.OneReply,
          leads=(Lead("thread", "Its thread", NAMED),
                 Lead("file", "Its first file", {"reply": "$response.body#/id",
                      "number": "$response.body#/files/0/number"}))),
    Route("POST", "/undo/{reply}", "undo", "Take a reply back before it leaves", Act.ANSWER, undo,
          acts.Reply, where=models.OneReply, refuses=(CONFLICT,),
          leads=(Lead("reply", "What became of it", {"reply": "$response.body#/id"}),)),
    Route("POST", "/marks/{account}/{thread}", "mark", "Say that no reply is needed", Act.ANSWER,
          mark, status=HTTPStatus.NO_CONTENT, where=THERE, takes=acts.Mark, refuses=(CONFLICT,),
          conflict=acts.Unsent, leads=(Lead("answers", "What was said", SAME),)),
    Route("DELETE", "/marks/{account}/{thread}", "unmark", "Let what was said not count",
          Act.ANSWER, unmark, status=HTTPStatus.NO_CONTENT, where=THERE, asks=acts.What,
          refuses=(CONFLICT,)),
    Route("POST", "/answered/{account}/{thread}", "answered",
          "Say that it was answered at the marketplace", Act.ANSWER, answered,
          status=HTTPStatus.NO_CONTENT, where=THERE, takes=acts.Answered, refuses=(CONFLICT,),
          conflict=acts.Unsent),
    Route("POST", "/promises/{account}/{thread}", "promise", "Promise a further answer",
          Act.ANSWER, promise, acts.How, HTTPStatus.CREATED, where=THERE, takes=acts.Promised,
          refuses=(CONFLICT,),
          leads=(Lead("move", "Promise it by another instant", SAME),
                 Lead("withdraw", "Take it back", SAME))),
    Route("PUT", "/promises/{account}/{thread}", "move", "Move what is promised", Act.ANSWER, move,
          status=HTTPStatus.NO_CONTENT, where=THERE, takes=acts.Moved, refuses=(CONFLICT,)),
    Route("DELETE", "/promises/{account}/{thread}", "withdraw", "Take back what is promised",
          Act.ANSWER, withdraw, status=HTTPStatus.NO_CONTENT, where=THERE, asks=acts.Why,
          refuses=(CONFLICT,)),
    Route("PUT", "/languages/{account}/{thread}", "speak", "Say in which language a thread is",
          Act.ANSWER, speak, status=HTTPStatus.NO_CONTENT, where=THERE, takes=acts.Spoken,
          refuses=(CONFLICT,), leads=(Lead("thread", "The thread as it is now", SAME),)),
)  # fmt: skip
"""What can be done."""
