"""What a stand-in of shops lets one order by HTTP: `POST /_sandbox/acts/<act>`.

How an order is read, refused and shown; what its people can do is the stand-in's.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aiohttp import web

from core.sandbox import control

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Collection

MOST = 1000
"""So many of the last pushes are shown."""


class Pushing(Protocol):
    """What delivers the pushes of a stand-in, unless it *is_held*."""

    is_held: bool

    @property
    def tried(self) -> deque[Any]: ...


P = TypeVar("P", bound=Pushing)


def route(
    do: Callable[[web.Request, str, dict[str, Any]], Any],
    shown: Callable[[Any], Any],
    deliveries: web.AppKey[P] | None = None,
) -> web.RouteDef:
    """Acts: *do* carries out one by its name and what it takes; *shown* is what is told of it.

    Where there are *deliveries*, ``hold`` stops them. An order that makes no sense is refused.
    """

    def done(request: web.Request, name: str, how: dict[str, Any]) -> Any:
        if deliveries is None or name != "hold":
            return do(request, name, how)
        request.app[deliveries].is_held = bool(how.get("held", True))
        return None

    async def act(request: web.Request) -> web.Response:
        try:
            how = json.loads(await request.read() or b"{}")
            found = done(request, request.match_info["act"], how)
        except (ValueError, TypeError, AttributeError, LookupError) as wrong:
            return control.refuse(f"{type(wrong).__name__}: {wrong}")
        return control.answer(shown(found), 201)

    return web.post(f"{control.PREFIX}/acts/{{act}}", act)


def pushes(deliveries: web.AppKey[P]) -> web.RouteDef:
    """How the last pushes went."""

    async def listed(request: web.Request) -> web.Response:
        tried = list(request.app[deliveries].tried)[-MOST:]
        return control.answer([asdict(one) for one in tried])

    return web.get(f"{control.PREFIX}/pushes", listed)


def done_by(shop: Any, name: str, how: dict[str, Any], known: Collection[str]) -> Any:
    """Let *shop* change its habits, or do one of the acts *known*: those are its methods.

    Raises:
        ValueError: there is no such act or habit, or ``at`` is no instant.
    """
    if name == "habits":
        return change(shop.habits, how)
    if name not in known:
        raise ValueError(f"no such act: {name}")
    if how.get("at"):
        how["at"] = datetime.fromisoformat(how["at"])
    return getattr(shop, name)(**how)


def change(habits: Any, how: dict[str, Any]) -> None:
    """Set these *habits*, a data class.

    Raises:
        ValueError: there is no such habit; those before it are set.
    """
    known = {one.name for one in fields(habits)}
    for key, value in how.items():
        if key not in known:
            raise ValueError(f"no such habit: {key}")
        setattr(habits, key, value)
