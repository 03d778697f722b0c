"""What a page tells of members who were erased: known by digests, and stored without a word.

A page may have been fetched before a member was erased, and be stored after that; and marketplaces
go on telling what they have of somebody. What was written after the request is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from core.arrival import erasing, naming
from core.arrival.naming import INSTEAD, Names, Shape
from core.store import erased, forgotten, messages, threads

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.arrival.news import News
    from core.model import Message, SetAside, Thread
    from core.rules import Rules
    from core.store import Db
    from core.store.forgotten import Digests
    from core.store.messages import Told
    from core.store.threads import Locked
    from sla.clock import Given

SLACK = timedelta(seconds=30)
"""The marketplace's clock and ours are so far apart, at most: beyond that ours is not believed."""

EMPTY = {"subject": None, "body": "", "attachments": (), "language": None, "raw": None}


@dataclass(frozen=True, slots=True)
class Screened:
    """What of a page is news, without what was erased.

    *emptied* are threads of erased members, *buried* messages that come without words, *blank*
    those of them in threads that were erased before.
    """

    news: News
    emptied: frozenset[str] = frozenset()
    buried: frozenset[str] = frozenset()
    blank: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """Ids that were asked to be erased, and when."""

    at: Mapping[str, datetime] = field(default_factory=dict, repr=False)

    def names(self, written_at: datetime | None = None) -> Names:
        """Those of which something *written_at* an instant is to go; None: of all.

        Nobody knows here whether they are strangers: of whoever had a thread, the name may not
        come back in a sentence; words alone are no names in these.
        """
        gone = [id_ for id_, at in self.at.items() if _goes(written_at, at)]
        return Names((), gone, common=naming.is_word)

    def owner(self, thread: Thread) -> str | None:
        """The id that *thread* is of."""
        names = self.names()
        told = naming.keys(thread.buyer, thread.reply_to)
        return next((id_ for value in told if (id_ := names.same(value)) is not None), None)


async def screened(db: Db, rules: Rules, account: str, found: News) -> Screened:
    """*found* without what is told of members who were erased lately.

    The caller holds the stream of the page, or shares its account: whoever asks for an erasure
    waits for that before looking at what is stored.
    """
    made = await _digests(db, rules, account)
    if made is None:
        return Screened(found)
    asked = await _asked(db, made, account, _values(found), _texts(found, made.newest))
    return _without(found, asked) if asked.at else Screened(found)


async def unnamed(
    db: Db, rules: Rules, account: str, items: Sequence[SetAside]
) -> tuple[SetAside, ...]:
    """Those of *items* that name nobody who was erased lately."""
    made = await _digests(db, rules, account) if items else None
    if made is None:
        return tuple(items)
    texts = {item: f"{item.reason}{naming.BETWEEN}{naming.read(item.raw)}" for item in items}
    asked = await _asked(db, made, account, (), texts.values())
    names = asked.names()
    return tuple(item for item in items if not names.named(texts[item]))


def emptied(screen: Screened, locked: Mapping[str, Locked | Thread]) -> Screened:
    """*screen* without the words of threads that were erased before, now that they are *locked*."""
    found = screen.news
    since = {id_: at for id_, one in locked.items() if (at := _erased_at(one)) is not None}
    if not since:
        return screen
    told = {**found.new, **found.changed}.values()
    gone = [m for _, _, _, m in told if m.thread in since and _goes(m.sent_at, since[m.thread])]
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
    if screen.blank:
        await erasing.end(db, account, screen.blank, now, SLACK)
    if screen.emptied:
        await erasing.empty(db, rules, account, screen.emptied, now)


async def _digests(db: Db, rules: Rules, account: str) -> Digests | None:
    known = rules.accounts.get(account)
    return None if known is None else await forgotten.digests_if_any(db, known.connector)


async def _asked(
    db: Db, made: Digests, account: str, whole: Iterable[str], texts: Iterable[str]
) -> _Asked:
    """The ids among *whole* values and in *texts* that were asked to be erased."""
    values = {made.of(id_): id_ for value in whole if (id_ := naming.folded(value))}
    read = [way for text in texts for way in naming.ways(text)]
    words = {made.of_head(word): word for word in {w for way in read for w in naming.heads(way)}}
    known = await forgotten.known(db, account, values, words)
    at = {one.digest: one.at for one in known}
    shapes = naming.by_head(
        Shape(words[one.head], one.pieces, one.lead, one.tail)
        for one in known if one.head in words
    )  # fmt: skip
    spans = (span.id for way in read for span in naming.candidates(way, shapes)) if shapes else ()
    found = {**values, **{made.of(id_): id_ for id_ in spans}}
    return _Asked({id_: at[digest] for digest, id_ in found.items() if digest in at})


def _values(found: News) -> list[str]:
    """The values of *found* that may be an id."""
    told = (*found.opened, *found.restated)
    whole = [value for one in told for value in naming.keys(one.buyer, one.reply_to)]
    return [*whole, *(one.buyer for one in found.verdicts if one.buyer)]


def _texts(found: News, newest: datetime | None) -> Iterator[str]:
    """The texts of *found* in which an id may stand that was asked for by *newest* at the latest.

    No message that was written after that is read: nobody who was erased since is in it.
    """
    for thread in (*found.opened, *found.restated):
        yield from (text for text in (thread.subject, thread.url) if text)
    for _, _, _, message in (*found.new.values(), *found.changed.values()):
        if newest is None or _goes(message.sent_at, newest):
            yield from _words(message)
    yield from (given.sentence for _, given in found.readings if given.sentence)
    yield from (one.text for one in found.verdicts)


def _words(message: Message) -> Iterator[str]:
    yield message.body
    yield from (text for file in message.attachments for text in (file.name, file.id))
    if message.subject:
        yield message.subject
    if message.raw is not None:
        yield naming.read(message.raw)


def _without(found: News, asked: _Asked) -> Screened:
    told = [message for _, _, _, message in (*found.new.values(), *found.changed.values())]
    mine = frozenset(
        one.id for one in (*found.opened, *found.restated)
        if (id_ := asked.owner(one)) is not None and not _has_returned(one, told, asked.at[id_])
    )  # fmt: skip
    new, changed = _rewritten(found.new, mine, asked), _rewritten(found.changed, mine, asked)
    written = {**new, **changed}
    buried = frozenset(id_ for id_, (*_, message) in written.items() if message.thread in mine)
    names = asked.names()
    news = replace(
        found,
        opened=tuple(_unnamed(one, mine, names) for one in found.opened),
        restated=tuple(_unnamed(one, mine, names) for one in found.restated),
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
    return Screened(news, mine, buried)


def _has_returned(thread: Thread, told: Iterable[Message], at: datetime) -> bool:
    """Whether somebody of this name has written since: who comes again is somebody new."""
    there = (message for message in told if message.thread == thread.id)
    return any(message.party == "buyer" and not _goes(message.sent_at, at) for message in there)


def _rewritten(told: Mapping[str, Told], mine: Collection[str], asked: _Asked) -> dict[str, Told]:
    """Those of the messages *told* that are a member's, or name one, without that."""
    found = {}
    for id_, (_, _, _, message) in told.items():
        if message.thread in mine:
            found[id_] = messages.told(_blank(message))
        else:
            names = asked.names(message.sent_at).in_sentences
            if any(names.named(text) for text in _words(message)):
                found[id_] = messages.told(redacted(message, names))
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


def _unnamed(thread: Thread, mine: Collection[str], names: Names) -> Thread:
    if thread.id in mine:
        return threads.nameless(thread)
    subject, url, names = thread.subject, thread.url, names.in_sentences
    if not names.named(f"{subject}\n{url}"):
        return thread
    cleared = {"subject": subject and names.without(subject), "url": url and names.without(url)}
    return thread.model_copy(update=cleared)


def _blank(message: Message) -> Message:
    return message.model_copy(update=EMPTY)


def _unsaid(given: Given) -> Given:
    return replace(given, sentence=None)


def _says(given: Given, names: Names) -> bool:
    return given.sentence is not None and bool(names.in_sentences.named(given.sentence))


def _goes(written_at: datetime | None, at: datetime) -> bool:
    """Whether what was *written_at* an instant goes with what was asked for *at* another."""
    return written_at is None or written_at <= at + SLACK


def _erased_at(thread: Locked | Thread) -> datetime | None:
    return getattr(thread, "erased_at", None)
