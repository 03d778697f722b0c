"""What a program is told when it is refused: problem details (RFC 9457), which quote no request."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from pydantic import ValidationError

TYPE = "application/problem+json"
MOST = 20
"""Faults of one request that are told."""


class Fault(BaseModel):
    """One thing that is wrong with a request, and where: ``body.text``, ``query.limit``."""

    model_config = ConfigDict(frozen=True)

    where: str
    what: str


class Problem(BaseModel):
    """Why there is no answer. *detail* says how to mend it, where there is more to say."""

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    faults: tuple[Fault, ...] | None = Field(
        None, description="of a request that is not as this document says"
    )


class Wrong(Exception):  # not an error of ours: of who asks
    """A request is answered with *told* in place of what it asked for."""

    def __init__(self, told: BaseModel, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.told, self.status = told, status


def wrong(
    status: HTTPStatus, detail: str | None = None, faults: tuple[Fault, ...] | None = None
) -> Wrong:
    """The refusal to raise; *detail* and *faults* quote nothing that was asked."""
    problem = Problem(title=status.phrase, status=int(status), detail=detail, faults=faults)
    return Wrong(problem, status)


def unfit(place: str, fault: ValidationError) -> Wrong:
    """The refusal of what is not as declared in *place* (``query``), by the names declared."""
    said = fault.errors(include_url=False, include_context=False, include_input=False)
    faults = tuple(
        Fault(where=_where(place, one["loc"], one["type"]), what=one["msg"]) for one in said[:MOST]
    )
    return wrong(HTTPStatus.UNPROCESSABLE_ENTITY, "see the API's document", faults)


def _where(place: str, names: tuple[int | str, ...], kind: str) -> str:
    """Where a fault is; a name that is not declared is the request's own, and is not repeated."""
    known = names[:-1] if kind == "extra_forbidden" else names
    return ".".join((place, *(str(name) for name in known)))


def response(refused: Wrong) -> web.Response:
    """The answer that says it."""
    text = refused.told.model_dump_json(exclude_none=True)
    return web.Response(text=text, status=refused.status, content_type=TYPE, headers=NO_STORE)


NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
