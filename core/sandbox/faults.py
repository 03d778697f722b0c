"""Faults to order: which requests go wrong, how, how often and for how long.

The first rule that hits a request decides. Chance is drawn from a seed, rule by rule, so that the
same orders and the same requests give the same bad day.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.sandbox import spoil, wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

Kind = Literal[
    "status",
    "html",
    "slow",
    "drop",
    "reset",
    "truncated",
    "garbled",
    "duplicate",
    "missing",
    "huge",
    "drip",
    "endless",
    "swapped",
    "circle",
    "skew",
]

STRUCK: web.RequestKey[str] = web.RequestKey("struck", str)
HTML_PAGE = b"<!doctype html><html><body><h1>We will be right back</h1></body></html>"


class Fault(BaseModel):
    """One rule. It hits requests whose operation and path fit the patterns (``*`` is anything).

    What: ``status`` (an error of *status*, with *retry_after* as sent), ``html`` (a page with
    *status*), ``slow`` (*delay* seconds later), ``drop`` (cut before anything was done),
    ``reset`` (done, then cut in the middle of the answer), ``truncated`` (JSON that stops),
    ``garbled`` (no UTF-8), ``duplicate`` (a page comes twice), ``missing`` (without *field*),
    ``huge`` (*size* bytes more), ``drip`` (a byte every *delay* seconds, for ever), ``endless``
    (a body without an end), ``swapped`` (pages of a walk in the wrong order), ``circle`` (a page
    leads to itself), ``skew`` (the marketplace's clock is wrong by *by* seconds).
    How often: after *skip* requests that fit, *share* of them, at most *count*, for *seconds*.
    *after_work*: ``status`` and ``html`` come although the request was carried out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    operation: str = "*"
    path: str = "*"
    skip: int = Field(default=0, ge=0)
    count: int | None = Field(default=None, ge=1)
    share: float = Field(default=1.0, gt=0, le=1)
    seconds: float | None = Field(default=None, gt=0)
    status: int = Field(default=500, ge=200, le=599)
    retry_after: int | str | None = None
    after_work: bool = False
    delay: float = Field(default=1.0, ge=0)
    field: str = ""
    size: int = Field(default=10_000_000, ge=0)
    by: float = 0.0

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "missing" and not self.field:
            raise ValueError("missing: say which field, for example data.metadata.total_count")
        if self.kind == "skew" and not self.by:
            raise ValueError("skew: say by how many seconds")
        return self


@dataclass(slots=True)
class Order:
    """A rule in force: what it did so far."""

    id: int
    fault: Fault
    until: datetime | None
    random: Random
    seen: int = 0
    hits: int = 0

    def fits(self, operation: str, path: str, now: datetime) -> bool:
        """Whether the rule speaks of this request at all."""
        in_force = self.until is None or now < self.until
        return (
            in_force
            and self.fault.kind != "skew"
            and fnmatchcase(operation, self.fault.operation)
            and fnmatchcase(path, self.fault.path)
        )

    def strikes(self) -> bool:
        """Whether this request, which fits, is hit; counts it."""
        self.seen += 1
        fault = self.fault
        if self.seen <= fault.skip or (fault.count is not None and self.hits >= fault.count):
            return False
        if self.random.random() >= fault.share:
            return False
        self.hits += 1
        return True


def plain_error(status: int) -> Any:
    """An error's body where the marketplace has no form of its own."""
    return {"status": status, "message": "ordered fault"}


@dataclass(slots=True)
class Faults:
    """The rules in force on one stand-in.

    *continues* are the query parameters that carry a walk on, *onward* is where a page names the
    first of them for the next; *error* is the body of an error.
    """

    clock: Callable[[], datetime]
    seed: int = 0
    continues: tuple[str, ...] = ("page_token", "offset")
    onward: str = "next_page_token"
    error: Callable[[int], Any] = plain_error
    orders: dict[int, Order] = field(default_factory=dict)
    _last: int = 0
    _pages: dict[str, bytes] = field(default_factory=dict)
    _held: dict[str, bytes] = field(default_factory=dict)

    def order(self, kind: Kind, **how: Any) -> int:
        """Put a rule in force; `Fault` names what *how* may say. Returns its id, for `lift`."""
        return self.put(Fault(kind=kind, **how))

    def put(self, fault: Fault) -> int:
        """Put a rule in force."""
        self._last += 1
        until = self.clock() + timedelta(seconds=fault.seconds) if fault.seconds else None
        random = Random(f"{self.seed}/{self._last}")
        self.orders[self._last] = Order(self._last, fault, until, random)
        return self._last

    def lift(self, number: int | None = None) -> None:
        """End one rule, or all; an unknown id ends nothing."""
        for known in [number] if number is not None else list(self.orders):
            self.orders.pop(known, None)
        if not self.orders:
            self._pages.clear()

    def skew(self) -> timedelta:
        """By how much the marketplace's clock is wrong now."""
        now = self.clock()
        wrong = (o.fault.by for o in self.orders.values() if o.fault.kind == "skew" and _on(o, now))
        return timedelta(seconds=sum(wrong))

    def shown(self, at: datetime) -> datetime:
        """The marketplace's clock at the true time *at*, to the millisecond, skew included."""
        at += self.skew()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def pick(self, operation: str, path: str) -> Fault | None:
        """The rule that hits this request, None where it goes well."""
        now = self.clock()
        for rule in self.orders.values():
            if rule.fits(operation, path, now) and rule.strikes():
                return rule.fault
        return None

    async def answer(self, request: web.Request, honest: Answer) -> web.StreamResponse:
        """The answer to *request*: the *honest* one, or what a rule makes of it."""
        fault = self.pick(operation(request), request.path)
        if fault is None:
            response = await honest(request)
            self._remember(request, response)
            return response
        request[STRUCK] = fault.kind
        if fault.kind in ("status", "html"):
            return await self._refuse(request, honest, fault)
        if fault.kind == "drop":
            return wire.cut(request)
        response = await honest(request)
        if fault.kind in WIRED:
            return await WIRED[fault.kind](request, response, fault)
        if fault.kind == "swapped":
            return await self._swap(request, response, honest)
        return self._spoil(request, response, fault)

    async def _refuse(
        self, request: web.Request, honest: Answer, fault: Fault
    ) -> web.StreamResponse:
        if fault.after_work:
            await honest(request)
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        if fault.kind == "html":
            page, form = HTML_PAGE, "text/html"
        else:
            page, form = spoil.encode(self.error(fault.status)), "application/json"
        return web.Response(status=fault.status, body=page, content_type=form, headers=headers)

    def _spoil(
        self, request: web.Request, response: web.StreamResponse, fault: Fault
    ) -> web.StreamResponse:
        body = wire.body_of(response)
        if not body or response.content_type != "application/json":
            return response
        if fault.kind == "duplicate":
            return _json(response, self._repeat(request, body))
        if fault.kind == "circle":
            here = request.query.get(self.continues[0])
            return _json(response, spoil.replaced(body, self.onward, here))
        return _json(response, SPOILED[fault.kind](body, fault))

    def _repeat(self, request: web.Request, body: bytes) -> bytes:
        """The walk's page before this one once more; at a walk's begin, every item twice.

        The page before leads here again, so nothing is lost; it comes once, so the walk ends.
        """
        before = self._pages.pop(request.path, None)
        if before is not None and any(name in request.query for name in self.continues):
            return before
        self._pages[request.path] = body
        return spoil.doubled(body)

    async def _swap(
        self, request: web.Request, response: web.StreamResponse, honest: Answer
    ) -> web.StreamResponse:
        """The items of the page after this one; that page then comes with the items of this."""
        body, held = wire.body_of(response), self._held.pop(request.path, None)
        if held is not None and self.continues[0] in request.query:
            return _json(response, spoil.with_items_of(body, held))
        onward = spoil.field_of(body, self.onward)
        if onward is None:
            return response
        ahead = request.rel_url.update_query({self.continues[0]: onward})
        after = wire.body_of(await honest(request.clone(rel_url=ahead)))
        self._held[request.path] = body
        return _json(response, spoil.with_items_of(body, after))

    def _remember(self, request: web.Request, response: web.StreamResponse) -> None:
        if any(rule.fault.kind == "duplicate" for rule in self.orders.values()):
            self._pages[request.path] = wire.body_of(response)


SPOILED: dict[str, Callable[[bytes, Fault], bytes]] = {
    "truncated": lambda body, _: spoil.truncated(body),
    "garbled": lambda body, _: spoil.garbled(body),
    "missing": lambda body, fault: spoil.without(body, fault.field),
    "huge": lambda body, fault: spoil.padded(body, fault.size),
}

WIRED: dict[
    str, Callable[[web.Request, web.StreamResponse, Fault], Awaitable[web.StreamResponse]]
] = {
    "slow": lambda _, response, fault: wire.slow(response, fault.delay),
    "reset": lambda request, response, _: wire.reset(request, response),
    "drip": lambda request, response, fault: wire.drip(request, response, fault.delay),
    "endless": lambda request, response, _: wire.endless(request, response),
}


def operation(request: web.Request) -> str:
    """The marketplace's name of what is asked (the route's name), empty where there is none."""
    return request.match_info.route.name or ""


def _on(rule: Order, now: datetime) -> bool:
    return rule.until is None or now < rule.until


def _json(response: web.StreamResponse, body: bytes) -> web.Response:
    kept = {name: value for name, value in response.headers.items() if name == "Link"}
    return web.Response(
        status=response.status, body=body, content_type="application/json", headers=kept
    )
