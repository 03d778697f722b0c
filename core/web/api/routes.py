"""Declares what a program can ask: method, path, what is said by it, what it gives, whom it lets.

From one `Route` come the way into the board's site, the check of each request, and its part of the
document (`core.web.api.document`): so none of them can say what another does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2s
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import quote

from aiohttp import ETag, web
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from core.errors import Mistaken, NotAllowed
from core.web.api import accepting, problems
from core.web.lettering import line
from core.web.ways import Way, parts, who

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from core.access import Act, Who
    from core.rules import Rules
    from core.web.ways import Parts

ROOT = "/api/v1"
JSON = "application/json"
BYTES = "application/octet-stream"
MOST_BYTES = 2 * 2**20
"""Of a body: the longest text that is taken, with every letter written in the longest way."""
KEPT = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
"""Of what is read: kept by who asked, asked for anew each time; by nobody between."""
Place = Literal["path", "query", "header", "body"]
Model = TypeVar("Model", bound=BaseModel)


def _whole(said: object) -> object:
    """*said*, a number without a fraction as what it is: JSON knows no other difference."""
    return int(said) if isinstance(said, float) and said.is_integer() else said


WHOLE = BeforeValidator(_whole)


class Said(BaseModel):
    """What a request says in one place: nothing that is not declared, and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Given(BaseModel):
    """What an answer says; made of the facts that the pages are made of."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of a file called *name*: to be kept, never to be shown as what it says it is."""

    name: str
    content: bytes = field(repr=False)


Answer = BaseModel | Blob | None


@dataclass(frozen=True, slots=True)
class Lead:
    """What can be asked next, by the name of its route, and *why*.

    *values* are its parameters (``account``), each with where in the request or the answer it
    stands (``$response.body#/account``, OpenAPI's runtime expressions).
    """

    to: str
    why: str
    values: Mapping[str, str]


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
    that every route has. Of *where*, *asks*,
    *heads* and *takes* each is what a request says in its path, query, headers and body; None:
    nothing is asked there. *most* bytes has a body. *at* is where what was made can be asked for.
    """

    method: str
    path: str
    name: str
    says: str
    act: Act
    answer: Callable[[Call], Awaitable[Answer]]
    gives: type[BaseModel | Blob] | None = None
    status: HTTPStatus = HTTPStatus.OK
    where: type[Said] | None = None
    asks: type[Said] | None = None
    heads: type[Said] | None = None
    takes: type[Said] | None = None
    refuses: tuple[HTTPStatus, ...] = ()
    conflict: type[BaseModel] = problems.Problem
    most: int = MOST_BYTES
    at: str | None = None
    leads: tuple[Lead, ...] = ()

    def way(self) -> Way:
        """The way into the site by which it is asked."""
        path = self.path.replace("{thread}", "{thread:.+}")
        return Way(self.method, ROOT + path, self.respond, self.act, api=True)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer *request*, or say what is wrong with it."""
        try:
            self._expect_wanted(request)
            call = Call(request, await self._said(request))
            found = await self.answer(call)
        except problems.Wrong as refused:
            return problems.response(refused)
        except NotAllowed:  # the door writes it down, the site tells it
            raise
        except Mistaken as fault:
            return problems.response(problems.wrong("refused", str(fault.said)))
        response = _told(request, found, self.status)
        if self.at is not None:
            response.headers["Location"] = _place(self.at, call, found)
        return response

    def _expect_wanted(self, request: web.Request) -> None:
        """Expect that who asks takes what there is.

        Raises:
            Wrong: the header Accept leaves it out.
        """
        kind = BYTES if self.gives is Blob else JSON
        said = request.headers.getall("Accept", [])
        if self.gives is not None and not accepting.accepts(",".join(said), kind):
            raise problems.wrong("not_acceptable", f"there is {kind}")

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
            said[self.takes] = await _body(self.takes, request, self.most)
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
        raise problems.wrong("invalid", faults=(fault,))
    return dict(query)


def _headers(model: type[Said], request: web.Request) -> dict[str, str]:
    """The headers that *model* names, by those names."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return {name: request.headers[name] for name in names if name in request.headers}


async def _body(model: type[Said], request: web.Request, most: int) -> Said:
    if request.content_type != JSON or (request.charset or "utf-8").lower() != "utf-8":
        raise problems.wrong("unsupported_media_type", f"send {JSON}, in UTF-8")
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > most:
            raise problems.wrong("too_large", f"send {most} bytes at most")
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as fault:
        raise problems.unfit("body", fault) from None


def _told(request: web.Request, found: Answer, status: HTTPStatus) -> web.Response:
    """*found*, or that it is what who asks has already."""
    if found is None:
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=problems.NO_STORE)
    raw = found.content if isinstance(found, Blob) else found.model_dump_json().encode()
    etag = blake2s(raw, digest_size=16).hexdigest()
    is_read = request.method in {"GET", "HEAD"}
    if is_read and any(one.value in {etag, "*"} for one in request.if_none_match or ()):
        response = web.Response(status=HTTPStatus.NOT_MODIFIED, headers=KEPT)
    elif isinstance(found, Blob):
        response = web.Response(body=raw, content_type=BYTES, headers=KEPT | _to_keep(found.name))
    else:
        headers = KEPT if is_read else problems.NO_STORE
        response = web.Response(body=raw, status=status, content_type=JSON, headers=headers)
        response.enable_compression()
    if is_read:
        response.etag = ETag(etag, is_weak=True)
    return response


def _to_keep(name: str) -> dict[str, str]:
    """Headers of a file that nothing shows as a page."""
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(line(name) or 'file')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _place(path: str, call: Call, found: Answer) -> str:
    """The address *path*, its gaps filled with what was said and what was answered."""
    facts = {} if found is None or isinstance(found, Blob) else found.model_dump(mode="json")
    said = dict(call.request.match_info) | facts
    return ROOT + path.format(**{name: quote(str(one), safe="") for name, one in said.items()})
