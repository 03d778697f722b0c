"""What a page tells of members who were erased: known by digests, and stored without a word.

A page may have been fetched before a member was erased, and be stored after that; and marketplaces
go on telling what they have of somebody. What was written after the request is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.arrival import erasing, naming, recalling
from core.arrival.naming import INSTEAD, Names
from core.store import erased, forgotten, messages, threads
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from core.arrival.news import News
    from core.arrival.recalling import Asked
    from core.model import Message, SetAside, Thread
    from core.rules import Rules
    from core.store import Db
    from core.store.messages import Told
    from core.store.threads import Locked
    from sla.clock import Given

EMPTY = {"subject": None, "body": "", "attachments": (), "language": None, "raw": None}


@dataclass(frozen=True, slots=True)
class Screened:
    """What of a page is news, without what was erased.

    *emptied* are threads of erased members, *buried* messages that come without words, *blank*
    those of them in threads that were erased before. *met* are digests of ids, of members of whom
    there was no thread.
    """

    news: News
    emptied: frozenset[str] = frozenset()
    buried: frozenset[str] = frozenset()
    met: frozenset[bytes] = frozenset()
    blank: tuple[Message, ...] = ()


async def screened(db: Db, rules: Rules, account: str, found: News) -> Screened:
    """*found* without what is told of members who were erased lately.

    And without what was taken out of other people's words before, however long ago. The caller
    holds the stream of the page, or shares its account: whoever asks for an erasure waits for that
    before looking at what is stored.
    """
    found = await _as_left(db, account, found)
    asked = await recalling.of_page(db, rules, account, found)
    return _without(found, asked) if asked else Screened(found)


async def unnamed(
    db: Db, rules: Rules, account: str, items: Sequence[SetAside]
) -> tuple[SetAside, ...]:
    """Those of *items* that name nobody who was erased lately."""
    texts = {item: f"{item.reason}{naming.BETWEEN}{naming.read(item.raw)}" for item in items}
    asked = await recalling.of_texts(db, rules, account, texts.values())
    names = asked.names()
    return tuple(item for item in items if not names.named(texts[item]))


def emptied(screen: Screened, locked: Mapping[str, Locked | Thread]) -> Screened:
    """*screen* without the words of threads that were erased before, now that they are *locked*."""
    found = screen.news
    since = {id_: at for id_, one in locked.items() if (at := _erased_at(one)) is not None}
    if not since:
        return screen
    told = {**found.new, **found.changed}.values()
    gone = [
        m for _, _, _, m in told if m.thread in since and recalling.goes(m.sent_at, since[m.thread])
    ]
    blank = {message.id: messages.told(_blank(message)) for message in gone}
    news = replace(
        found,
        restated=tuple(threads.nameless(t) if t.id in since else t for t in found.restated),
        new={**found.new} | {id_: one for id_, one in blank.items() if id_ in found.new},
        changed={**found.changed}
        | {id_: one for id_, one in blank.items() if id_ in found.changed},
        readings=tuple((t, _unsaid(g) if t in since else g) for t, g in found.readings),
        links={id_: url for id_, url in found.links.items() if id_ not in blank},
    )
    return replace(
        screen, news=news, buried=screen.buried | blank.keys(), blank=tuple(map(_blank, gone))
    )


async def finish(db: Db, rules: Rules, account: str, screen: Screened, now: datetime) -> None:
    """Let nothing of this come back, and empty what else there is of an erased member's threads."""
    await erased.bury(db, account, screen.buried, now)
    await forgotten.know(db, screen.met)
    if screen.blank:
        await erasing.end(db, account, screen.blank, now, recalling.SLACK)
    if screen.emptied:
        await erasing.empty(db, rules, account, screen.emptied, now)


async def _as_left(db: Db, account: str, found: News) -> News:
    """*found*, where something named a member and does no more, with the words that were left.

    Nobody remembers the name for ever: no later state of that brings it back.
    """
    words = await erased.left(db, account, found.changed) if found.changed else {}
    ids = [thread.id for thread in found.restated]
    heads = await erased.headlines_left(db, account, ids) if ids else {}
    if not words and not heads:
        return found
    changed = {
        id_: _marked(found.changed[id_][-1].model_copy(update={**kept._asdict(), "raw": None}))
        for id_, kept in words.items()
    }
    return replace(
        found,
        changed={**found.changed, **changed},
        restated=tuple(
            one.model_copy(update=heads[one.id]._asdict()) if one.id in heads else one
            for one in found.restated
        ),
        links={id_: url for id_, url in found.links.items() if id_ not in words},
    )


def _marked(message: Message) -> Told:
    """*message*, out of which a name was taken, to be known as such when it is told again."""
    id_, cells, digest, _ = messages.told(message)
    return id_, cells, erased.marked(digest), message


def _without(found: News, asked: Asked) -> Screened:
    told = [message for _, _, _, message in (*found.new.values(), *found.changed.values())]
    owned = {
        one.id: id_ for one in (*found.opened, *found.restated)
        if (id_ := asked.owner(one)) is not None and not _has_returned(one, told, asked.at[id_])
    }  # fmt: skip
    mine, met = frozenset(owned), asked.met(owned.values())
    asked = replace(asked, known=asked.known.union(met.values()))
    new, changed = _rewritten(found.new, mine, asked), _rewritten(found.changed, mine, asked)
    written = {**new, **changed}
    buried = frozenset(id_ for id_, (*_, message) in written.items() if message.thread in mine)
    names, notices = asked.names(), _notices(told)
    news = replace(
        found,
        opened=tuple(_unnamed(one, mine, notices, names) for one in found.opened),
        restated=tuple(_unnamed(one, mine, notices, names) for one in found.restated),
        new={**found.new, **new},
        changed={**found.changed, **changed},
        readings=tuple(
            (thread, _unsaid(given) if thread in mine or _says(given, names) else given)
            for thread, given in found.readings
        ),
        verdicts=tuple(
            one for one in found.verdicts
            if names.same(one.buyer or "") is None and not names.named(one.text)
        ),
        links={id_: url for id_, url in found.links.items() if id_ not in written},
    )  # fmt: skip
    return Screened(news, mine, buried, frozenset(met))


def _has_returned(thread: Thread, told: Iterable[Message], at: datetime) -> bool:
    """Whether somebody of this name has written since: who comes again is somebody new."""
    there = (message for message in told if message.thread == thread.id)
    return any(
        message.party == "buyer" and not recalling.goes(message.sent_at, at) for message in there
    )


def _rewritten(told: Mapping[str, Told], mine: Collection[str], asked: Asked) -> dict[str, Told]:
    """Those of the messages *told* that are a member's, or name one, without that."""
    found = {}
    for id_, (_, _, _, message) in told.items():
        if message.thread in mine:
            found[id_] = messages.told(_blank(message))
        else:
            names = _said_by(asked.names(message.sent_at), market=_is_notice(message))
            if any(names.named(text) for text in recalling.words_of(message)):
                found[id_] = _marked(redacted(message, names))
    return found


def redacted(message: Message, names: Names) -> Message:
    """*message* without *names*; what the marketplace sent of it is not kept."""
    files = tuple(
        f.model_copy(update={"name": names.without(f.name), "id": names.without(f.id) or INSTEAD})
        for f in message.attachments
    )
    subject = None if message.subject is None else names.without(message.subject)
    told = {"body": names.without(message.body), "subject": subject, "attachments": files}
    return message.model_copy(update={**told, "raw": None})


def _said_by(names: Names, *, market: bool) -> Names:
    """What of *names* is one in sentences of the marketplace's own, or of people."""
    return names.in_notices if market else names.in_sentences


def _is_notice(message: Message) -> bool:
    return message.party == Party.MARKETPLACE


def _notices(told: Iterable[Message]) -> frozenset[str]:
    """The threads in which nobody but the marketplace has written, as far as it is told."""
    told = list(told)
    return frozenset(one.thread for one in told) - {
        one.thread for one in told if not _is_notice(one)
    }


def _unnamed(
    thread: Thread, mine: Collection[str], notices: Collection[str], names: Names
) -> Thread:
    if thread.id in mine:
        return threads.nameless(thread)
    is_notice = not thread.buyer and thread.id in notices
    subject, url, names = thread.subject, thread.url, _said_by(names, market=is_notice)
    if not names.named(f"{subject}\n{url}"):
        return thread
    cleared = {"subject": subject and names.without(subject), "url": url and names.without(url)}
    return thread.model_copy(update=cleared)


def _blank(message: Message) -> Message:
    return message.model_copy(update=EMPTY)


def _unsaid(given: Given) -> Given:
    return replace(given, sentence=None)


def _says(given: Given, names: Names) -> bool:
    return given.sentence is not None and bool(names.in_notices.named(given.sentence))


def _erased_at(thread: Locked | Thread) -> datetime | None:
    return getattr(thread, "erased_at", None)
