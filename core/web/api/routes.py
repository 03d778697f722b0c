"""Declares what a program can ask: method, path, what is said by it, what it gives, whom it lets.

From one `Route` come the way into the board's site, the check of each request, and its part of the
document (`core.web.api.document`): so none of them can say what another does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2s
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeVar

from aiohttp import ETag, web
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import Mistaken, NotAllowed
from core.web.api import problems
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from core.access import Act, Who
    from core.rules import Rules
    from core.web.ways import Parts

ROOT = "/api/v1"
JSON = "application/json"
MOST_BYTES = 2 * 2**20
"""Of a body: the longest text that is taken, with every letter written in the longest way."""
Place = Literal["path", "query", "header", "body"]
Model = TypeVar("Model", bound=BaseModel)


class Said(BaseModel):
    """What a request says in one place: nothing that is not declared, and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Given(BaseModel):
    """What an answer says; made of the facts that the pages are made of."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is as declared, and who makes it."""

    request: web.Request
    said: Mapping[type[BaseModel], BaseModel]

    def of(self, model: type[Model]) -> Model:
        """What it says of *model*, one that the route declares."""
        found = self.said[model]
        if not isinstance(found, model):
            raise TypeError(model.__name__)
        return found

    @property
    def who(self) -> Who:
        """Who asks."""
        return who(self.request)

    @property
    def parts(self) -> Parts:
        """What it is answered with."""
        return parts(self.request)

    @property
    def rules(self) -> Rules:
        """The rules as they are at this moment."""
        return self.parts.rules()

    @property
    def now(self) -> datetime:
        """The instant of the clock."""
        return self.parts.now()


@dataclass(frozen=True, slots=True)
class Route:
    """One thing to ask for. *says* is a sentence for the document, *name* unique in it.

    *gives* None: there is nothing to say but that it was done. *refuses* are problems beside those
    that every route has. Of *where*, *asks*, *heads* and *takes* each is what a request says in its
    path, query, headers and body; None: nothing is asked there.
    """

    method: str
    path: str
    name: str
    says: str
    act: Act
    answer: Callable[[Call], Awaitable[BaseModel | None]]
    gives: type[BaseModel] | None = None
    status: HTTPStatus = HTTPStatus.OK
    where: type[Said] | None = None
    asks: type[Said] | None = None
    heads: type[Said] | None = None
    takes: type[Said] | None = None
    refuses: tuple[HTTPStatus, ...] = ()
    conflict: type[BaseModel] = problems.Problem

    def way(self) -> Way:
        """The way into the site by which it is asked."""
        path = self.path.replace("{thread}", "{thread:.+}")
        return Way(self.method, ROOT + path, self.respond, self.act, api=True)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer *request*, or say what is wrong with it."""
        try:
            call = Call(request, await self._said(request))
            found = await self.answer(call)
        except problems.Wrong as refused:
            return problems.response(refused)
        except NotAllowed:  # the door writes it down, the site tells it
            raise
        except Mistaken as fault:
            return problems.response(problems.wrong(HTTPStatus.CONFLICT, str(fault)))
        if found is None:
            return web.Response(status=HTTPStatus.NO_CONTENT, headers=problems.NO_STORE)
        return _told(request, found, self.status)

    async def _said(self, request: web.Request) -> dict[type[BaseModel], BaseModel]:
        said: dict[type[BaseModel], BaseModel] = {}
        if self.where is not None:
            said[self.where] = _path(self.where, request)
        if self.asks is not None or request.query:
            asks = self.asks or Said
            said[asks] = _strings(asks, "query", _once(request))
        if self.heads is not None:
            said[self.heads] = _strings(self.heads, "header", _headers(self.heads, request))
        if self.takes is not None:
            said[self.takes] = await _body(self.takes, request)
        return said


def _path(model: type[Said], request: web.Request) -> Said:
    """What the path says; one that nothing can be called is of nothing that there is."""
    try:
        return model.model_validate_strings(dict(request.match_info))
    except ValidationError:
        raise web.HTTPNotFound from None


def _strings(model: type[Said], place: Place, given: Mapping[str, str]) -> Said:
    try:
        return model.model_validate_strings(given)
    except ValidationError as fault:
        raise problems.unfit(place, fault) from None


def _once(request: web.Request) -> dict[str, str]:
    """The query, of which each name is said once."""
    query = request.query
    if len(set(query)) < len(query):
        fault = problems.Fault(where="query", what="a name is said more than once")
        raise problems.wrong(HTTPStatus.UNPROCESSABLE_ENTITY, None, (fault,))
    return dict(query)


def _headers(model: type[Said], request: web.Request) -> dict[str, str]:
    """The headers that *model* names, by those names."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return {name: request.headers[name] for name in names if name in request.headers}


async def _body(model: type[Said], request: web.Request) -> Said:
    if request.content_type != JSON:
        raise problems.wrong(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {JSON}")
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > MOST_BYTES:
            raise web.HTTPRequestEntityTooLarge(MOST_BYTES, len(raw))
    try:
        return model.model_validate_json(bytes(raw), strict=True)
    except ValidationError as fault:
        raise problems.unfit("body", fault) from None


def _told(request: web.Request, found: BaseModel, status: HTTPStatus) -> web.Response:
    """*found*, or that it is what who asks has already."""
    text = found.model_dump_json()
    etag = blake2s(text.encode(), digest_size=16).hexdigest()
    known = request.if_none_match or ()
    if request.method == "GET" and any(one.value in {etag, "*"} for one in known):
        response = web.Response(status=HTTPStatus.NOT_MODIFIED, headers=problems.NO_STORE)
    else:
        response = web.Response(
            text=text, status=status, content_type=JSON, headers=problems.NO_STORE
        )
        response.enable_compression()
    if request.method == "GET":
        response.etag = ETag(etag, is_weak=True)
        # kept by who asked, asked for anew each time; by nobody between
        response.headers["Cache-Control"] = "private, no-cache"
    return response
