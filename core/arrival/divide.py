"""Narrows down what the store refuses: a page in halves, down to one item. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from core.model import LONE, Message, Page, SetAside, Thread, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import SecretStr

    from sla.clock import Given

UNSTORABLE = "unstorable"
"""The first word of the reason: our own JSON of an item was kept, not the marketplace's."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a page, with the message that it is of, and the thread of that where it is told."""

    message: str
    url: SecretStr = field(repr=False)
    thread: str | None = None


if TYPE_CHECKING:
    Item = Message | Thread | tuple[str, Given] | Verdict | Link


def halves(page: Page) -> tuple[Page, Page] | None:
    """Two pages that hold what *page* holds, split between threads while there are several.

    None where it is one item. A link is in the half of its message or in the later one: it is
    stored only after that.
    """
    items = _items(page)
    if len(items) < 2:
        return None
    threads = [list(group) for _, group in groupby(items, key=thread_of)]
    parts: Sequence[Sequence[Item]] = threads if len(threads) > 1 else [[item] for item in items]
    middle = len(parts) // 2
    return _page(parts[:middle]), _page(parts[middle:])


def refused(page: Page, why: str) -> SetAside:
    """The one item of *page* as it is kept for a person; *why* names no value."""
    (item,) = _items(page)
    if isinstance(item, Message | Thread):
        raw = item.model_dump_json(exclude={"raw"})
        return SetAside(item.id, f"{UNSTORABLE}: {why}", raw.encode())
    if isinstance(item, Link):
        return lost_link(item.message, why)
    if isinstance(item, Verdict):
        raw = json.dumps(asdict(item), default=str)
        return SetAside(item.id, f"{UNSTORABLE}: {why}", raw.encode())
    thread, given = item
    told = json.dumps({"thread": thread, **asdict(given)}, default=str)
    return SetAside(thread, f"{UNSTORABLE}: {why}", told.encode())


def lost_link(message: str, why: str) -> SetAside:
    """That the link of *message* cannot be stored; it is a secret, and is not kept here either."""
    return SetAside(message, f"{UNSTORABLE}: {why}", b"a link")


def legible(page: Page) -> Page:
    """*page* without what has words that PostgreSQL cannot hold: that is set aside."""
    if not (page.given or page.verdicts or page.links):
        return page
    unfit = [item for item in _items(page) if not _is_storable(item)]
    if not unfit:
        return page
    fit = _page([[item for item in _items(page) if _is_storable(item)]])
    aside = [refused(_page([[item]]), "NUL or lone surrogate") for item in unfit]
    return replace(
        page,
        given=fit.given,
        verdicts=fit.verdicts,
        links=fit.links,
        set_aside=(*page.set_aside, *aside),
    )


def undeclared(page: Page) -> Page:
    """*page* without verdicts: of an account that has none, as its connector says."""
    if not page.verdicts:
        return page
    why = "undeclared: its connector does not say that it gives verdicts"
    aside = tuple(SetAside(one.id, why, b"") for one in page.verdicts)
    return replace(page, verdicts=(), set_aside=(*page.set_aside, *aside))


def thread_of(item: Item) -> str:
    """The id of the thread that *item* belongs to; its own where that is not told."""
    if isinstance(item, Message):
        return item.thread
    if isinstance(item, Verdict):
        return item.thread or item.id
    if isinstance(item, Link):
        return item.thread or item.message
    return item.id if isinstance(item, Thread) else item[0]


def _is_storable(item: Item) -> bool:
    words = _words(item)
    return "\0" not in words and LONE.search(words) is None


def _words(item: Item) -> str:
    """What nobody has made fit for PostgreSQL yet: the words of messages and threads are."""
    if isinstance(item, Message | Thread):
        return ""
    if isinstance(item, Link):
        return f"{item.message}{item.url.get_secret_value()}"
    if isinstance(item, Verdict):
        return f"{item.id}{item.message_id}{item.buyer}{item.order_id}{item.thread}"
    thread, given = item
    return f"{thread}{given.kind}{given.act}{given.outcome}"


def _items(page: Page) -> list[Item]:
    """What is in *page*, a thread's items together: its state first, its links last."""
    items: list[Item] = [*page.threads, *page.messages, *page.given, *page.verdicts]
    homes = {message.id: message.thread for message in page.messages}
    items += [Link(message, url, homes.get(message)) for message, url in page.links.items()]
    return sorted(items, key=thread_of)


def _page(parts: Iterable[Sequence[Item]]) -> Page:
    items = [item for part in parts for item in part]
    return Page(
        messages=tuple(item for item in items if isinstance(item, Message)),
        threads=tuple(item for item in items if isinstance(item, Thread)),
        given=tuple(item for item in items if isinstance(item, tuple)),
        verdicts=tuple(item for item in items if isinstance(item, Verdict)),
        links={item.message: item.url for item in items if isinstance(item, Link)},
    )
