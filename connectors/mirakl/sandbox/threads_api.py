"""M10, M11 and M13: reading threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.mirakl.sandbox import access, page_token, payload
from connectors.mirakl.sandbox.access import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.mirakl.sandbox.inbox import Thread
    from connectors.mirakl.sandbox.market import Shop

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
ENTITY_TYPES = ("MMP_ORDER", "MMP_OFFER", "MPS_ORDER", "MPS_SERVICE", "SELLER_OPERATOR")
ORDER_TYPES = ("MMP_ORDER", "MPS_ORDER")
KEPT = ("limit", "entity_type", "entity_id", "updated_since", "with_messages", "channel_codes")

Walk = dict[str, str]


async def m11(request: web.Request) -> web.Response:
    """The shop's threads, the last changed first, a page at a time."""
    shop = access.shop_of(request)
    walk = _walk(request, shop)
    threads = _sorted(one for one in shop.operator.threads.values() if one.shop is shop)
    chosen = _chosen(threads, walk, shop)
    begin, end = _window(threads, chosen, walk)
    known = payload.LAST_MESSAGES if walk.get("with_messages") == "true" else None
    page: dict[str, Any] = {
        "data": [payload.thread(one, messages=known) for one in chosen[begin:end]]
    }
    if end < len(chosen) and end > begin:
        page["next_page_token"] = _token(walk, "after", chosen[end - 1], shop)
    if begin > 0 and end > begin:
        page["previous_page_token"] = _token(walk, "before", chosen[begin], shop)
    return access.reply(payload.grown(page, shop.operator.habits))


async def m10(request: web.Request) -> web.Response:
    """One thread with all its messages."""
    one = thread_of(request, access.shop_of(request))
    return access.reply(payload.thread(one, messages=len(one.messages) or 1))


async def m13(request: web.Request) -> web.Response:
    """One attachment of a thread of this shop; the id stands where a thread's would."""
    shop = access.shop_of(request)
    wanted = request.match_info["attachment"]
    for one in shop.operator.threads.values():
        files = (file for message in one.messages for file in message.attachments)
        for file in files if one.shop is shop else ():
            if file.id == wanted:
                return web.Response(
                    body=file.content,
                    content_type="application/octet-stream",
                    headers={"Content-Disposition": 'attachment; filename="attachment"'},
                )
    raise Refusal(404, "Not Found")


def thread_of(request: web.Request, shop: Shop) -> Thread:
    """The thread that the path names.

    Raises:
        Refusal: 404, there is none, or it is another shop's.
    """
    one = shop.operator.threads.get(request.match_info["thread"])
    if one is None or one.shop is not shop:
        raise Refusal(404, "Not Found")
    return one


def _walk(request: web.Request, shop: Shop) -> Walk:
    """What the walk is about: from the token alone where there is one, else from the query."""
    token = request.query.get("page_token")
    if token is not None:
        walk = page_token.read(token, shop.operator.secret)
        if walk.get("shop_id") != str(shop.id):
            raise Refusal(404, "Not Found")
        return walk
    walk = {name: request.query[name] for name in KEPT if name in request.query}
    limit = access.whole(request, "limit", DEFAULT_LIMIT)
    if not 1 <= limit <= MAX_LIMIT:
        raise Refusal(400, f"limit must be between 1 and {MAX_LIMIT}")
    if "entity_id" in walk and "entity_type" not in walk:
        raise Refusal(400, "entity_type is required with entity_id")
    if walk.get("entity_type", "MMP_ORDER") not in ENTITY_TYPES:
        raise Refusal(400, "entity_type is not known")
    access.flag(request, "with_messages")
    access.instant(walk.get("updated_since"), "updated_since")
    return {**walk, "limit": str(limit), "shop_id": str(shop.id), "sort": "date,DESC"}


def _token(walk: Walk, side: str, edge: Thread, shop: Shop) -> str:
    state = {name: value for name, value in walk.items() if name not in ("after", "before")}
    return page_token.sign({**state, side: edge.id}, shop.operator.secret)


def _sorted(threads: Iterable[Thread]) -> list[Thread]:
    return sorted(threads, key=lambda one: (one.updated_at, one.id), reverse=True)


def _chosen(threads: list[Thread], walk: Walk, shop: Shop) -> list[Thread]:
    since = access.instant(walk.get("updated_since"), "updated_since")
    kind, names = walk.get("entity_type"), access.listed(walk.get("entity_id"))
    codes = access.listed(walk.get("channel_codes"))
    return [
        one
        for one in threads
        if (since is None or one.updated_at >= since)
        and (kind is None or any(t == kind and _named(n, names) for t, n in one.entities))
        and (codes is None or _sold_on(one, codes, shop))
    ]


def _named(name: str, names: frozenset[str] | None) -> bool:
    return names is None or name in names


def _sold_on(one: Thread, codes: frozenset[str], shop: Shop) -> bool:
    names = [name for kind, name in one.entities if kind in ORDER_TYPES]
    orders = [shop.operator.orders[name] for name in names if name in shop.operator.orders]
    return any(order.channel in codes for order in orders)


def _window(threads: list[Thread], chosen: list[Thread], walk: Walk) -> tuple[int, int]:
    """The page's part of *chosen*.

    The token names the thread at the edge, not a date: where that thread has changed since, it
    stands in front now, and the walk repeats what it has already given.
    """
    limit = int(walk["limit"])
    if "before" in walk:
        end = _place(threads, chosen, walk["before"])
        return max(0, end - limit), end
    begin = 0
    if "after" in walk:
        edge = _place(threads, chosen, walk["after"])
        is_there = edge < len(chosen) and chosen[edge].id == walk["after"]
        begin = edge + 1 if is_there else edge
    return begin, min(begin + limit, len(chosen))


def _place(threads: list[Thread], chosen: list[Thread], edge: str) -> int:
    """Where the edge stands among *chosen*, or would: the first that comes after it."""
    order = {one.id: place for place, one in enumerate(threads)}
    at = order.get(edge, len(threads))
    return sum(1 for one in chosen if order[one.id] < at)
