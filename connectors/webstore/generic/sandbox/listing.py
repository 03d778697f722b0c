"""A store's list: who may read it, what is new, and one page of that."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.generic import moments
from connectors.webstore.generic.sandbox import writing
from core.sandbox import spoil

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from connectors.webstore.generic.asking import Auth, Paging
    from connectors.webstore.generic.options import GenericOptions
    from connectors.webstore.generic.sandbox.shop import Shop

    Item = tuple[datetime, int, Any]

CURSOR = "cursor"


class Refusal(Exception):
    """What is wrong, as an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def error(status: int, message: str = "ordered fault") -> dict[str, Any]:
    """An error as this store tells it."""
    return {"status": status, "error": message}


def entered(options: GenericOptions, request: web.Request) -> None:
    """Let in who has the key.

    Raises:
        Refusal: another has not.
    """
    auth, headers = options.auth, request.headers
    wanted = {name: one.get_secret_value() for name, one in options.headers.items()}
    if auth is not None and auth.parameter is not None:
        key = auth.secret.get_secret_value() if auth.secret else ""
        if request.query.getall(auth.parameter, []) != [key]:
            raise Refusal(401, "who are you?")
    elif auth is not None:
        wanted |= dict([_entry(auth)])
    if any(headers.get(name) != told for name, told in wanted.items()):
        raise Refusal(401, "who are you?")


def _entry(auth: Auth) -> tuple[str, str]:
    key = auth.secret.get_secret_value() if auth.secret else ""
    if auth.scheme == "bearer":
        return "Authorization", "Bearer " + key
    if auth.scheme == "basic":
        return "Authorization", "Basic " + b64encode(f"{auth.user}:{key}".encode()).decode()
    return str(auth.header), key


def answer(shop: Shop, request: web.Request) -> web.Response:
    """One page."""
    poll = shop.options.poll
    if poll is None:
        raise Refusal(404, "there is no list")
    found = _new(shop, request.query)
    page, onward = _page(shop, found, request.query)
    told = [each for _, _, each in page]
    if shop.habits.shuffles:
        shop.random.shuffle(told)
    if shop.habits.repeats:
        told = [each for each in told for _ in range(2)]
    document = writing.put(poll.items, told, None)
    headers = _limits(shop)
    if onward is not None and poll.paging is not None:
        further = str(request.url.update_query({CURSOR: onward}))
        if poll.paging.by == "link":
            headers["Link"] = f'<{request.url}>; rel="self", <{further}>; rel="next"'
        value = further if poll.paging.by == "url" else onward
        document = writing.put(poll.paging.next, value, document)
    return web.Response(
        body=spoil.encode(document), content_type="application/json", headers=headers
    )


def _limits(shop: Shop) -> dict[str, str]:
    """What the limit leaves, by the headers of the settings."""
    rate = shop.options.poll.rate if shop.options.poll else None
    if rate is None:
        return {}
    return {rate.left: str(shop.habits.left)} | ({rate.reset: "30"} if rate.reset else {})


def _new(shop: Shop, query: Mapping[str, str]) -> list[Item]:
    """What changed since the instant that is asked for, in the list's order."""
    poll = shop.options.poll
    since = None
    if poll is not None and poll.since is not None and poll.since.parameter in query:
        zone = shop.options.mapping.zone
        since = moments.instant(query[poll.since.parameter], poll.since.form, zone or "UTC")
        if since is None:
            raise Refusal(400, "since when?")
    found = [one for one in shop.items() if since is None or one[0] >= since]
    found.sort(key=lambda one: one[:2], reverse=poll is not None and poll.newest_first)
    return found


def _page(shop: Shop, found: list[Item], query: Mapping[str, str]) -> tuple[list[Item], str | None]:
    """The items of a page, and what leads to the next."""
    paging = shop.options.poll.paging if shop.options.poll else None
    if paging is None:
        return found, None
    size = _size(shop, paging, query)
    if paging.by == "page":
        begin = (int(query.get(paging.named, paging.first)) - paging.first) * size
        return found[begin : begin + size], None
    if paging.by == "offset":
        begin = int(query.get(paging.named, 0))
        return found[begin : begin + size], None
    token = query.get(CURSOR if paging.by in {"url", "link"} else paging.named)
    rest = _behind(shop, found, token)
    page = rest[:size]
    return page, _token(page[-1]) if len(rest) > size else None


def _size(shop: Shop, paging: Paging, query: Mapping[str, str]) -> int:
    asked = query.get(paging.size_parameter or "", "")
    size = int(asked) if asked.isdigit() else paging.size or shop.habits.size
    return min(size, shop.habits.most)


def _token(last: Item) -> str:
    return urlsafe_b64encode(json.dumps([last[0].isoformat(), last[1]]).encode()).decode()


def _behind(shop: Shop, found: list[Item], token: str | None) -> list[Item]:
    """What comes after the item that a token names, though it may be gone."""
    if token is None:
        return found
    try:
        at, number = json.loads(urlsafe_b64decode(token))
    except ValueError:
        raise Refusal(400, "no such cursor") from None
    is_back = shop.options.poll is not None and shop.options.poll.newest_first
    edge = (at, number)
    keyed = [((one[0].isoformat(), one[1]), one) for one in found]
    return [one for key, one in keyed if (key < edge if is_back else key > edge)]
