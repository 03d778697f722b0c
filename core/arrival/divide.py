"""Narrows down what the store refuses: a page in halves, down to one item. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING

from core.model import Message, Page, SetAside, Thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sla.clock import Given

    Item = Message | Thread | tuple[str, Given]

UNSTORABLE = "unstorable"
"""The first word of the reason: our own JSON of an item was kept, not the marketplace's."""


def halves(page: Page) -> tuple[Page, Page] | None:
    """Two pages that hold what *page* holds, split between threads while there are several.

    None where it is one item.
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
    thread, given = item
    told = json.dumps({"thread": thread, **asdict(given)}, default=str)
    return SetAside(thread, f"{UNSTORABLE}: {why}", told.encode())


def legible(page: Page) -> Page:
    """*page* without readings whose words PostgreSQL cannot hold: these are set aside."""
    fit = tuple(pair for pair in page.given if _is_storable(pair))
    if len(fit) == len(page.given):
        return page
    unfit = [pair for pair in page.given if not _is_storable(pair)]
    aside = [refused(Page(given=(pair,)), "NUL or lone surrogate") for pair in unfit]
    return replace(page, given=fit, set_aside=(*page.set_aside, *aside))


def thread_of(item: Item) -> str:
    """The id of the thread that *item* belongs to."""
    if isinstance(item, Message):
        return item.thread
    return item.id if isinstance(item, Thread) else item[0]


def _is_storable(pair: tuple[str, Given]) -> bool:
    thread, given = pair
    words = f"{thread}{given.kind}{given.act}{given.outcome}"
    return "\0" not in words and not any("\ud800" <= letter <= "\udfff" for letter in words)


def _items(page: Page) -> list[Item]:
    """What is in *page*, a thread's items together and its state first."""
    items: list[Item] = [*page.threads, *page.messages, *page.given]
    return sorted(items, key=thread_of)


def _page(parts: Iterable[Sequence[Item]]) -> Page:
    items = [item for part in parts for item in part]
    return Page(
        messages=tuple(item for item in items if isinstance(item, Message)),
        threads=tuple(item for item in items if isinstance(item, Thread)),
        given=tuple(item for item in items if isinstance(item, tuple)),
    )
