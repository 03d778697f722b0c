"""Answer a buyer: the same for page, API and command.

A reply of the board waits a moment before it leaves, so that it can be taken back; it leaves or is
taken back, never both. Who writes while another has answered is told before anything leaves. All
runs in the caller's transaction; the thread is held, so that of two who answer at once one is
first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from core.access import Act
from core.desk import beaten, copies, limits, promising
from core.errors import Mistaken, NotAllowed
from core.said import phrase
from core.store import (
    audit,
    claims,
    enclosures,
    forms,
    messages,
    presence,
    replies,
    threads,
    undone,
    wake,
)
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from core.access import Who
    from core.capabilities import Capabilities
    from core.connector import Options, Refuses, Spec
    from core.desk.beaten import Post
    from core.desk.limits import Complaint
    from core.model import File, Thread
    from core.rules import Rules
    from core.store import Db
    from core.store.replies import Reply

AT_ONCE = timedelta(0)

_ERASED = phrase(
    "the buyer of %(thread)s was erased at %(at)s: nothing here knows whom to answer; "
    "if an answer is owed, write it at the marketplace"
)


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote to the parties *to* of a thread.

    *key* is the form's own, None where there is none: with the same key and the same content the
    same reply comes of it, unless that was taken back or refused; *once*: whatever it says, and
    whatever became of it.
    *seen* is what its writer had seen of answers (`beaten.seen`), None: nobody asks. *despite*: it
    is to leave although the marketplace's rules forbid something in it. *follow_up_at* is by when
    it promises another answer. *kept* is a reply that was taken back, whose files *numbers* go
    along.
    """

    account: str
    thread: str
    text: str = field(repr=False)
    to: frozenset[Party] = frozenset({Party.BUYER})
    files: tuple[File, ...] = ()
    key: str | None = None
    once: bool = False
    seen: str | None = None
    despite: bool = False
    follow_up_at: datetime | None = None
    kept: int | None = None
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds where it goes: what a reply *can* be, and what is left of that in one thread.

    *hold* is how long it can be taken back. All else is as in `core.connector.Spec`.
    """

    can: Capabilities
    refuses: Refuses | None = None
    narrows: Callable[[Capabilities, Thread], Capabilities] | None = None
    hold: timedelta = AT_ONCE

    def can_in(self, thread: Thread) -> Capabilities:
        """What a reply in *thread* can be."""
        return self.can if self.narrows is None else self.narrows(self.can, thread)


def terms(spec: Spec[Any], options: Options, hold: timedelta = AT_ONCE) -> Terms:
    """What holds for an account with these *options*."""
    return Terms(spec.can(options), spec.refuses, spec.narrows, hold)


@dataclass(frozen=True, slots=True)
class Queued:
    """It leaves, as *reply*, after *undo_until*. *again*: it did already, as that reply."""

    reply: int
    undo_until: datetime
    again: bool = False


@dataclass(frozen=True, slots=True)
class Beaten:
    """Nothing was done: *by* whom, None where nobody knows, *at* when and how far another got.

    *state* is that of the other's reply, `elsewhere` where it was read at the marketplace,
    `claimed` where they have taken the thread, *until* then; or who of `buyer` and `marketplace`
    has written since. Who wants to go on all the same says that this was *seen*.
    """

    by: str | None
    at: datetime
    state: str
    seen: str
    reply: int | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unfit:
    """It did not leave: the marketplace would not take it, or its rules forbid something in it."""

    complaints: tuple[Complaint, ...]


async def answer(
    db: Db, who: Who, written: Written, terms: Terms, now: datetime
) -> Queued | Beaten | Unfit:
    """Queue what *who* wrote, if nobody was faster and the marketplace takes it.

    Raises:
        NotAllowed: *who* may not answer there.
        Mistaken: as `queue`; or what it promises is no promise.
    """
    if not who.may(Act.ANSWER, written.account):
        raise NotAllowed("you may not answer for %(account)s; ask a lead", account=written.account)
    known = await _hold(db, written.account, written.thread)
    if (form := copies.form(written)) is not None:
        where = written.account, written.thread
        before = await forms.reply(db, form, *where, unsent=written.once)
        if before is not None:
            return Queued(before, now, again=True)
    files = await _files(db, who, written)
    if complaints := _complaints(written, terms, files, known, now):
        return Unfit(complaints)
    if (faster := await _beaten(db, who, written, now)) is not None:
        return faster
    _check_promise(written, now)
    return await _queue(db, who, written, terms, now)


async def queue(
    db: Db,
    account: str,
    thread: str,
    body: str,
    to: Collection[Party],
    now: datetime,
    files: Sequence[File] = (),
    refuses: Refuses | None = None,
    *,
    hold: timedelta = AT_ONCE,
    by: str | None = None,
    follow_up_at: datetime | None = None,
) -> int:
    """Queue a reply that somebody wrote here, with the files that go along; its id.

    *refuses* is the connector's, where it has one. It leaves when *hold* is over.

    Raises:
        Mistaken: it is empty, addressed to nobody or to whom the connector *refuses*, or the thread
            is not known, or is one of somebody who was erased.
    """
    if not body.strip():
        raise Mistaken("a reply needs a text")
    if not to or Party.SELLER in to:
        raise Mistaken("a reply is addressed to the buyer, the marketplace or both")
    known = await _hold(db, account, thread)
    if refuses is not None and (why := refuses(known, to)):
        raise Mistaken(why)
    reply = await replies.queue(
        db, account, thread, body, to, now, hold=hold, by=by, follow_up_at=follow_up_at
    )
    await enclosures.add(db, reply, files)
    await wake.changed(db, {account: [thread]})
    return reply


async def undo(db: Db, rules: Rules, who: Who, reply: int, now: datetime) -> Reply | None:
    """Take *reply* back before it leaves: its own writer, or a lead.

    What was promised apart from it begins without it.

    Returns:
        What was written, its writer's again; None where it has begun to leave, or did not leave
        for another reason.

    Raises:
        NotAllowed: it is somebody else's, or of an account that is not theirs.
    """
    found = await known(db, who, reply)
    if found is None:
        raise NotAllowed("there is no such reply of yours")
    if found.written_by != who.name and not who.may(Act.OVERRULE, found.account):
        fault = NotAllowed("only who wrote it, or a lead, takes a reply back")
        raise fault.about(found.account, found.thread)
    back = await undone.undo(db, reply, None, now)
    if back is None:
        return None
    if back.attempts:
        await threads.lock(db, back.account, [back.thread])
        await undone.unsay(db, back)
    await promising.go_on(db, rules, back, now)
    detail = {"reply": reply}
    await audit.write(
        db, who, "undo", account=back.account, thread=back.thread, detail=detail, now=now
    )
    await wake.changed(db, {back.account: [back.thread]}, "reply")
    return await replies.of(db, reply)


async def known(db: Db, who: Who, reply: int) -> Reply | None:
    """The reply of this id, for who may answer where it is; None where there is none for them."""
    found = await replies.of(db, reply)
    return found if found is not None and who.may(Act.ANSWER, found.account) else None


async def keep(db: Db, who: Who, written: Written, now: datetime) -> int:
    """Keep what did not leave for its writer, with its files, which no form can hold; its id.

    Raises:
        Mistaken: there is no such thread.
    """
    await _hold(db, written.account, written.thread)
    kept = await undone.keep(
        db, written.account, written.thread, written.text, written.to, now,
        by=who.name, follow_up_at=written.follow_up_at,
    )  # fmt: skip
    await _enclose(db, kept, written)
    return kept


async def given_back(db: Db, who: Who, account: str, thread: str, reply: int) -> Reply | None:
    """What *who* wrote in a thread and took back; None where *reply* is nothing like that."""
    found = await replies.of(db, reply)
    if found is None or (found.account, found.thread) != (account, thread):
        return None
    return found if found.state == "undone" and found.written_by == who.name else None


async def seen(db: Db, account: str, thread: str) -> list[Post]:
    """What was written in a thread as it stands, newest first: what a form says that was seen.

    Of what is shown with the form; so ask it not after that.
    """
    turns = (await messages.turns(db, account, [thread]))[thread]
    return beaten.posts(turns, await replies.of_thread(db, account, thread))


async def overlooked(
    db: Db,
    who: Who,
    account: str,
    thread: str,
    known: str | None,
    now: datetime,
    *,
    until: datetime | None = None,
) -> Beaten | None:
    """What those who wait have written, *until* then, since *who* looked; the thread is held.

    It is what a mark would end unread. *known* is what the form says was seen (`beaten.seen`),
    None: nobody asks.
    """
    if known is None:
        return None
    turns = (await messages.turns(db, account, [thread]))[thread]
    found = [one for one in beaten.asked(turns) if until is None or one.at <= until]
    new = beaten.since(found, known)
    if new is None:
        return None
    return await _told(db, who, (account, thread), new, beaten.also(known, found), now)


def parties(thread: Thread, refuses: Refuses | None) -> tuple[Party, ...]:
    """Who can be answered in *thread* as it is stored: the buyer first."""
    each = (Party.BUYER, Party.MARKETPLACE)
    return tuple(one for one in each if refuses is None or not refuses(thread, {one}))


async def _hold(db: Db, account: str, thread: str) -> Thread:
    held = (await threads.lock(db, account, [thread])).get(thread)
    known = await threads.of(db, account, thread)
    if held is None or known is None:
        raise Mistaken(threads.UNKNOWN, account=account, thread=thread)
    if held.erased_at is not None:
        raise Mistaken(_ERASED, thread=thread, at=held.erased_at)
    return known


async def _files(db: Db, who: Who, written: Written) -> tuple[File, ...]:
    """All files that would go along: those of the form, and those kept from before."""
    if written.kept is None:
        return written.files
    if await given_back(db, who, written.account, written.thread, written.kept) is None:
        return written.files
    known = await enclosures.numbered(db, written.kept)
    return (*written.files, *(known[each] for each in written.numbers if each in known))


def _complaints(
    written: Written, terms: Terms, files: Sequence[File], known: Thread, now: datetime
) -> tuple[Complaint, ...]:
    """What keeps it from leaving; only what blocks where the writer knows the rest."""
    found = limits.complaints(written.text, terms.can_in(known), files, known.order_ids, now)
    return tuple(one for one in found if one.blocks) if written.despite else found


async def _beaten(db: Db, who: Who, written: Written, now: datetime) -> Beaten | None:
    """Who was faster, has taken the thread, or has written again, since the writer looked."""
    if written.seen is None:
        return None
    key = written.account, written.thread
    found = await seen(db, *key)
    claim = (await claims.of(db, [key], now)).get(key)
    if claim is not None and claim.by != who.name and not claim.is_shared:
        taken = beaten.Post(f"claim:{claim.by}", claim.since, "claimed", claim.by)
        found = [taken, *found]
    new = beaten.since(found, written.seen)
    if new is None:
        return None
    until = claim.until if claim is not None and new.state == "claimed" else None
    return await _told(db, who, key, new, beaten.seen(found), now, until)


async def _told(
    db: Db,
    who: Who,
    key: tuple[str, str],
    new: Post,
    seen: str,
    now: datetime,
    until: datetime | None = None,
) -> Beaten:
    detail = {"by": new.by or "", "state": new.state}
    await audit.write(db, who, "beaten", account=key[0], thread=key[1], detail=detail, now=now)
    return Beaten(new.by, new.at, new.state, seen, new.reply, until)


def _check_promise(written: Written, now: datetime) -> None:
    if written.follow_up_at is None:
        return
    if Party.BUYER not in written.to:
        raise Mistaken("only the buyer is promised an answer; address the reply to the buyer")
    promising.check(written.follow_up_at, now)


async def _queue(db: Db, who: Who, written: Written, terms: Terms, now: datetime) -> Queued:
    reply = await queue(
        db, written.account, written.thread, written.text, written.to, now, (), terms.refuses,
        hold=terms.hold, by=who.name, follow_up_at=written.follow_up_at,
    )  # fmt: skip
    files = await _enclose(db, reply, written)
    if (form := copies.form(written)) is not None:
        await forms.add(db, form, reply, now)
    detail: dict[str, str | int] = {"reply": reply, "files": files}
    await audit.write(
        db, who, "answer", account=written.account, thread=written.thread, detail=detail, now=now
    )
    await presence.left(db, written.account, written.thread, who.name)
    return Queued(reply, now + terms.hold)


async def _enclose(db: Db, reply: int, written: Written) -> int:
    """Let the files go with *reply*: the form's, and those kept from before; how many."""
    await enclosures.add(db, reply, written.files)
    if written.kept is not None and written.numbers:
        first = len(written.files)
        await undone.take_files(db, written.kept, reply, written.numbers, first)
    return len(written.files) + len(written.numbers)
