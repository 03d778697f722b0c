"""What happens at Meta, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.meta.sandbox import api
from connectors.webstore.meta.sandbox.graph import Habits
from core.sandbox import control

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.webstore.meta.sandbox.graph import Graph, Line, Person


class Unfit(Exception):
    """The order cannot be carried out; the text says why."""


def routes() -> list[web.RouteDef]:
    """Below the control endpoints of every stand-in."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/pushes", pushed),
        web.post(f"{control.PREFIX}/acts/{{act}}", act),
    ]


async def index(request: web.Request) -> web.Response:
    """Which lines there are, who writes there, and where pushes go; no secrets."""
    graph = request.app[api.GRAPH]
    told = [
        {
            "line": line.id,
            "kind": line.kind,
            "pushed_to": line.place,
            "people": [{"person": p.id, "waits": line.is_waiting(p)} for p in line.people.values()],
        }
        for line in graph.lines.values()
    ]
    return control.answer({"lines": told, "acts": sorted(ACTS)})


async def pushed(request: web.Request) -> web.Response:
    """How the last attempts went."""
    found = request.app[api.PUSHES]
    tried = [{"at": t.at, "attempt": t.attempt, "status": t.status} for t in found.tried]
    return control.answer({"waiting": found.waiting, "lost": found.lost, "tried": tried[-100:]})


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names the `line`, and what the act takes."""
    graph, name = request.app[api.GRAPH], request.match_info["act"]
    if name not in ACTS:
        return control.answer({"message": f"no such act; one of {', '.join(sorted(ACTS))}"}, 404)
    try:
        done = ACTS[name](graph, _order(await request.read()))
    except Unfit as wrong:
        return control.refuse(str(wrong))
    return control.answer(done, 201)


def _order(body: bytes) -> dict[str, Any]:
    try:
        how = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Unfit("the order is no JSON") from None
    if not isinstance(how, dict):
        raise Unfit("the order is no object")
    return how


def _asks(graph: Graph, how: dict[str, Any]) -> dict[str, Any]:
    """Somebody writes: *person*, or somebody new called *name*."""
    line = _line(graph, how)
    known = line.people.get(str(how.get("person", "")))
    person = known or graph.add_person(line, str(how.get("name", "Ana Kowalska")))
    said = graph.says(line, person, str(how.get("text", "Where is my order?")))
    return {"person": person.id, "message": said.id}


def _answers(graph: Graph, how: dict[str, Any]) -> dict[str, Any]:
    """Somebody answers in the app or on the page."""
    line = _line(graph, how)
    text = str(how.get("text", "It is on its way."))
    return {"message": graph.says(line, _person(line, how), text, author="elsewhere").id}


def _unsubscribe(graph: Graph, how: dict[str, Any]) -> dict[str, Any]:
    """The subscription is gone: nothing more is pushed."""
    line = _line(graph, how)
    line.fields = None
    return {"line": line.id}


def _expire(graph: Graph, how: dict[str, Any]) -> dict[str, Any]:
    """The token ends, now or after *seconds*."""
    line = _line(graph, how)
    after = how.get("seconds", 0)
    if type(after) not in {int, float}:
        raise Unfit("seconds: a number")
    line.token.expires_at = graph.clock() + timedelta(seconds=after)
    return {"line": line.id}


def _habits(graph: Graph, how: dict[str, Any]) -> dict[str, Any]:
    """Change how Meta behaves: any of `Habits`, durations in seconds."""
    known = {one.name for one in fields(Habits)}
    if strange := set(how) - known:
        raise Unfit(f"{min(strange)}: no habit; one of {', '.join(sorted(known))}")
    for name, value in how.items():
        was = getattr(graph.habits, name)
        is_span = isinstance(was, timedelta)
        if is_span and type(value) not in {int, float}:
            raise Unfit(f"{name}: a number of seconds")
        setattr(graph.habits, name, timedelta(seconds=value) if is_span else value)
    return {"habits": sorted(how)}


ACTS: dict[str, Callable[[Graph, dict[str, Any]], dict[str, Any]]] = {
    "ask": _asks,
    "answer": _answers,
    "unsubscribe": _unsubscribe,
    "expire": _expire,
    "habits": _habits,
}


def _line(graph: Graph, how: dict[str, Any]) -> Line:
    line = graph.lines.get(str(how.get("line", "")))
    if line is None:
        raise Unfit(f"line: one of {', '.join(graph.lines)}")
    return line


def _person(line: Line, how: dict[str, Any]) -> Person:
    person = line.people.get(str(how.get("person", "")))
    if person is None:
        raise Unfit("person: somebody who has written there")
    return person
