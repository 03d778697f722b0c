"""What a page says that is not stored yet: found without a lock, confirmed under it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.arrival.verdicts import folded
from core.store import FOREVER, Raced, held, links, messages, readings, threads, verdicts
from sla.clock import REST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from core.model import Message, Page, Thread, Verdict
    from core.store import Db
    from core.store.messages import Known, Told
    from sla.clock import Given

    ById = Mapping[str, Told]


@dataclass(frozen=True, slots=True)
class News:
    """*touched* are all threads whose clocks this may move; *repeated* counts known messages.

    *opened* and *restated* are threads unknown and known; *bare* those of which only the id is
    told. *new* and *changed* are messages by id; *links* are by message, and *verdicts* folded.
    """

    opened: tuple[Thread, ...] = ()
    restated: tuple[Thread, ...] = ()
    bare: frozenset[str] = frozenset()
    new: ById = field(default_factory=dict)
    changed: ById = field(default_factory=dict)
    readings: tuple[tuple[str, Given], ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    links: Mapping[str, SecretStr] = field(default_factory=dict, repr=False)
    touched: frozenset[str] = frozenset()
    repeated: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to be written."""
        return not (self.touched or self.bare or self.verdicts or self.links)

    @property
    def added(self) -> Iterator[Message]:
        """The messages that are new."""
        return (message for _, _, _, message in self.new.values())


async def look(db: Db, account: str, page: Page) -> News:
    """What *page* says that is not stored; of a message or thread told twice, the last counts."""
    told = _messages(page)
    known = await messages.known(db, account, list(told)) if told else {}
    news, states = _of_messages(told, known), _threads(page)
    named = _named(page, news, states)
    stored = await threads.states(db, account, list(named)) if named else {}
    news = _with_threads(news, states, named, stored)
    if page.verdicts or page.links:
        news = await _with_rare(db, account, page, news)
    return await _with_readings(db, account, page, news)


async def look_all(db: Db, pages: Mapping[str, Page]) -> dict[str, News]:
    """As `look`, by account: *pages* hold messages and threads, and nothing else."""
    told = {account: _messages(page) for account, page in pages.items()}
    known = await messages.known_of(db, told)
    news = {account: _of_messages(of, known[account]) for account, of in told.items()}
    states = {account: _threads(page) for account, page in pages.items()}
    named = {a: _named(page, news[a], states[a]) for a, page in pages.items()}
    stored = await threads.states_of(db, named)
    return {a: _with_threads(news[a], states[a], named[a], stored[a]) for a in pages}


async def confirm(db: Db, account: str, news: News) -> News:
    """*news* with what changed in known messages as it is now that their threads are locked.

    What was unknown needs no second look: it is added only where it still is.

    Raises:
        Raced: a message has moved to a thread that is not locked.
    """
    if not news.changed:
        return news
    known = await messages.known(db, account, list(news.changed))
    if any(home is not None and home not in news.touched for _, home in known.values()):
        raise Raced
    now = _of_messages(news.changed, known)
    return replace(news, changed=now.changed, repeated=news.repeated + now.repeated)


def _of_messages(told: ById, known: Mapping[str, Known]) -> News:
    new = {id_: one for id_, one in told.items() if id_ not in known}
    changed, left = {}, set()
    for id_, (digest, home) in known.items():
        _, _, now, _ = one = told[id_]
        if home is not None and digest != now.hex():
            changed[id_] = one
            left.add(home)
    homes = {message.thread for _, _, _, message in (*new.values(), *changed.values())}
    repeated = len(told) - len(new) - len(changed)
    return News(new=new, changed=changed, touched=frozenset(homes | left), repeated=repeated)


def _messages(page: Page) -> ById:
    return {message.id: messages.told(message) for message in page.messages}


def _threads(page: Page) -> dict[str, Thread]:
    told: dict[str, Thread] = {}
    for thread in page.threads:
        known = told.get(thread.id, thread)
        told[thread.id] = threads.joined(*sorted((known, thread), key=lambda one: one.as_of))
    return told


def _named(page: Page, news: News, told: Mapping[str, Thread]) -> frozenset[str]:
    """The threads of which *page* tells anything; of messages, those that are news."""
    return news.touched.union(told, (thread for thread, _ in page.given))


def _with_threads(
    news: News,
    told: Mapping[str, Thread],
    named: frozenset[str],
    states: Mapping[str, tuple[object, ...]],
) -> News:
    known = {id_: threads.kept(told[id_], states[id_]) for id_ in told.keys() & states.keys()}
    shown = news.touched - told.keys()
    known |= {i: threads.of_row(s) for i, s in states.items() if i in shown and _is_absent(s)}
    told = {**told, **known}
    opened = tuple(thread for id_, thread in told.items() if id_ not in states)
    restated = tuple(thread for id_, thread in known.items() if _says_more(thread, states[id_]))
    return replace(
        news,
        opened=opened,
        restated=restated,
        bare=frozenset(named - told.keys() - states.keys()),
        touched=news.touched.union(thread.id for thread in (*opened, *restated)),
    )


async def _with_rare(db: Db, account: str, page: Page, news: News) -> News:
    """Verdicts that say something else than what is stored of them, and links of messages."""
    told = {v.id: replace(v, at=held(v.at) or v.at, text=folded(v.text)) for v in page.verdicts}
    stored = await verdicts.of(db, account, list(told)) if told else {}
    kept = {id_: told[id_] if one.forgotten else one.verdict for id_, one in stored.items()}
    known = await links.known(db, account, list(page.links)) if page.links else frozenset()
    return replace(
        news,
        verdicts=tuple(one for one in told.values() if kept.get(one.id) != one),
        links={id_: url for id_, url in page.links.items() if id_ not in known},
    )


def _says_more(thread: Thread, stored: tuple[object, ...]) -> bool:
    """Whether *thread* is another state than *stored*, and not an older one.

    That it is there at all is news of one that looks did not find.
    """
    told = threads.row(thread)
    is_news = _is_absent(stored) or told[:-1] != stored[:-1]
    return is_news and not threads.is_older(told, stored)


def _is_absent(stored: tuple[object, ...]) -> bool:
    return isinstance(stored, threads.Absent)


async def _with_readings(db: Db, account: str, page: Page, news: News) -> News:
    told = list({thread for thread, _ in page.given})
    if not told:
        return news
    stored = await readings.of(db, account, told)
    beside = _beside(page)
    doubtful = {
        id_ for id_, one in page.given
        if readings.is_news(stored[id_], one, FOREVER, beside[_instants(id_, one)])
    }  # fmt: skip
    if not doubtful:
        return news
    seen = await messages.last_seen(db, account, doubtful)
    fresh: list[tuple[str, Given]] = []
    for thread, reading in sorted(page.given, key=_turn):
        last = reading.read_at if thread in news.touched else seen.get(thread)
        if readings.is_news(stored[thread], reading, last, beside[_instants(thread, reading)]):
            stored[thread].append(reading)
            fresh.append((thread, reading))
    return replace(
        news, readings=tuple(fresh), touched=news.touched.union(thread for thread, _ in fresh)
    )


def _instants(thread: str, reading: Given) -> tuple[datetime, datetime, str]:
    return reading.as_of, reading.read_at, thread


def _turn(told: tuple[str, Given]) -> tuple[datetime, datetime, bool]:
    """When its turn is: by its age, and what is said of all the rest before what is asked."""
    _, reading = told
    return reading.as_of, reading.read_at, reading.act != REST


def _beside(page: Page) -> Mapping[tuple[datetime, datetime, str], list[Given]]:
    """By thread and instants, what *page* says of single acts and of all the rest at once."""
    found: dict[tuple[datetime, datetime, str], list[Given]] = defaultdict(list)
    for thread, reading in page.given:
        found[_instants(thread, reading)].append(reading)
    return found
