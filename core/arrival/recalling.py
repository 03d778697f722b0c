"""Whom of those who were erased lately a page names: asked by digests, known by nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from core.arrival import naming
from core.arrival.naming import Names, Shape
from core.store import forgotten

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from core.arrival.news import News
    from core.model import Message, Thread
    from core.rules import Rules
    from core.store import Db
    from core.store.forgotten import Digests

SLACK = timedelta(seconds=30)
"""The marketplace's clock and ours are so far apart, at most: beyond that ours is not believed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Ids that were asked to be erased, when, and of which member.

    *known* are the members of whom there was a thread, *digests* those of the ids.
    """

    at: Mapping[str, datetime] = field(default_factory=dict, repr=False)
    members: Mapping[str, bytes | None] = field(default_factory=dict, repr=False)
    known: frozenset[bytes | None] = frozenset()
    digests: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.at)

    def names(self, written_at: datetime | None = None) -> Names:
        """Those of which something *written_at* an instant is to go; None: of all."""
        gone = {id_ for id_, at in self.at.items() if goes(written_at, at)}
        known = {id_ for id_ in gone if self.members[id_] in self.known}
        return Names(known, gone - known)

    def met(self, ids: Iterable[str]) -> dict[bytes, bytes]:
        """Members who have a thread here as it turns out, by the digest of one of their *ids*."""
        return {
            self.digests[id_]: member
            for id_ in ids if (member := self.members[id_]) is not None and member not in self.known
        }  # fmt: skip

    def owner(self, thread: Thread) -> str | None:
        """The id that *thread* is of."""
        names = self.names()
        told = naming.keys(thread.buyer, thread.reply_to)
        return next((id_ for value in told if (id_ := names.same(value)) is not None), None)


@dataclass(frozen=True, slots=True)
class _Sought:
    """What is asked for: *values* and first *words* by their digests, and the texts as *read*."""

    values: Mapping[bytes, str] = field(repr=False)
    words: Mapping[bytes, str] = field(repr=False)
    read: Sequence[str] = field(repr=False)


async def of_page(db: Db, rules: Rules, account: str, found: News) -> Asked:
    """Whom *found* names."""
    made = await _digests(db, rules, account)
    if made is None:
        return Asked()
    sought = _sought(made, _values(found), _texts(found, made.newest))
    return await _answered(db, made, account, sought)


async def of_texts(db: Db, rules: Rules, account: str, texts: Collection[str]) -> Asked:
    """Whom *texts* name."""
    made = await _digests(db, rules, account) if texts else None
    if made is None:
        return Asked()
    return await _answered(db, made, account, _sought(made, (), texts))


async def named(db: Db, rules: Rules, found: Mapping[str, News]) -> frozenset[str]:
    """The accounts (*found* is by account) in which somebody is named who was erased lately.

    Asked for all of them at once. The caller shares these accounts, as for `screening.screened`.
    """
    connectors = {a: rules.accounts[a].connector for a in found if a in rules.accounts}
    those: set[str] = set()
    for connector in sorted(set(connectors.values())):
        made = await forgotten.digests_if_any(db, connector)
        if made is not None:
            mine = {a: one for a, one in found.items() if connectors.get(a) == connector}
            those |= await _named(db, made, mine)
    return frozenset(those)


def words_of(message: Message) -> Iterator[str]:
    """Every text of *message* that may name somebody."""
    yield message.body
    yield from (text for file in message.attachments for text in (file.name, file.id))
    if message.subject:
        yield message.subject
    if message.raw is not None:
        yield naming.read(message.raw)


def goes(written_at: datetime | None, at: datetime) -> bool:
    """Whether what was *written_at* an instant goes with what was asked for *at* another."""
    return written_at is None or written_at <= at + SLACK


async def _digests(db: Db, rules: Rules, account: str) -> Digests | None:
    known = rules.accounts.get(account)
    return None if known is None else await forgotten.digests_if_any(db, known.connector)


async def _named(db: Db, made: Digests, found: Mapping[str, News]) -> set[str]:
    sought = {a: _sought(made, _values(one), _texts(one, made.newest)) for a, one in found.items()}
    whole = {digest for one in sought.values() for digest in one.values}
    heads = {digest for one in sought.values() for digest in one.words}
    met = await forgotten.met(db, whole, heads)
    near = [
        account for account, one in sought.items()
        if any((of in one.values or of in one.words) and at in ("", account) for of, at in met)
    ]  # fmt: skip
    return {account for account in near if (await _answered(db, made, account, sought[account])).at}


def _sought(made: Digests, whole: Iterable[str], texts: Iterable[str]) -> _Sought:
    values = {made.of(id_): id_ for value in whole if (id_ := naming.folded(value))}
    read = [way for text in texts for way in naming.ways(text)]
    words = {made.of_head(word): word for word in {w for way in read for w in naming.heads(way)}}
    return _Sought(values, words, read)


async def _answered(db: Db, made: Digests, account: str, sought: _Sought) -> Asked:
    """The ids of *sought* that were asked to be erased.

    Where a word stands with which some begin, what stands there is asked for: however many members
    are called *user-1*, *user-2* and so on, a text costs as much as it names.
    """
    values, words, read = sought.values, sought.words, sought.read
    first = await forgotten.known(db, account, values, words)
    shapes = naming.by_head(
        {Shape(words[o.head], o.pieces, o.lead, o.tail) for o in first if o.head in words}
    )
    spans = {span.id for way in read for span in naming.candidates(way, shapes)} if shapes else ()
    found = {values[one.digest] for one in first if one.digest in values}.union(spans)
    if not found:
        return Asked()
    ids = {made.of(id_): id_ for id_ in found}
    rows = await forgotten.known(db, account, ids, ())
    return Asked(
        {ids[one.digest]: one.at for one in rows},
        {ids[one.digest]: one.member for one in rows},
        frozenset(one.member for one in rows if one.is_known),
        {id_: digest for digest, id_ in ids.items()},
    )


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
        if newest is None or goes(message.sent_at, newest):
            yield from words_of(message)
    yield from (given.sentence for _, given in found.readings if given.sentence)
    yield from (one.text for one in found.verdicts)
