"""What a program is told when it is refused: problem details (RFC 9457), which quote no request."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import ValidationError

TYPE = "application/problem+json"
MOST = 20
"""Faults of one request that are told."""

Code = Literal[
    "bad_request", "unauthorized", "forbidden", "not_found", "method_not_allowed",
    "not_acceptable", "too_large", "unsupported_media_type", "misdirected", "invalid",
    "claimed", "beaten", "unfit", "other_reply", "left", "refused", "failed", "unavailable",
]  # fmt: skip
MEANS: Mapping[Code, tuple[HTTPStatus, str]] = {
    "bad_request": (HTTPStatus.BAD_REQUEST, "The request cannot be read"),
    "unauthorized": (HTTPStatus.UNAUTHORIZED, "No token, or one that is no more"),
    "forbidden": (HTTPStatus.FORBIDDEN, "The role may not; of a browser: the form's token lacks"),
    "not_found": (HTTPStatus.NOT_FOUND, "There is none, or its account is not theirs who ask"),
    "method_not_allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "Allow says what can be asked there"),
    "not_acceptable": (HTTPStatus.NOT_ACCEPTABLE, "Accept leaves out what there is"),
    "too_large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is larger than is taken"),
    "unsupported_media_type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is no plain JSON"),
    "misdirected": (HTTPStatus.MISDIRECTED_REQUEST, "This board has another name"),
    "invalid": (HTTPStatus.UNPROCESSABLE_ENTITY, "Not as the document says: see the faults"),
    "claimed": (HTTPStatus.CONFLICT, "The thread is another's: see the claim"),
    "beaten": (HTTPStatus.CONFLICT, "Somebody has answered or written since: see beaten"),
    "unfit": (HTTPStatus.CONFLICT, "It is not what the marketplace takes: see the complaints"),
    "other_reply": (HTTPStatus.CONFLICT, "The Idempotency-Key stands for another reply"),
    "left": (HTTPStatus.CONFLICT, "The reply has left already"),
    "refused": (HTTPStatus.CONFLICT, "Refused as things stand: the detail says why"),
    "failed": (HTTPStatus.INTERNAL_SERVER_ERROR, "A fault of the board, which its log tells"),
    "unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer: Retry-After"),
}
"""With which status each comes, and what it says."""
PLACE = "/api#problem-"
"""Where the board tells what a code means: the begin of a problem's type."""
OF_STATUS: Mapping[HTTPStatus, Code] = {
    status: code for code, (status, _) in MEANS.items() if status is not HTTPStatus.CONFLICT
}


class Fault(BaseModel):
    """One thing that is wrong with a request, and where: ``body.text``, ``query.limit``."""

    model_config = ConfigDict(frozen=True)

    where: str
    what: str


class Problem(BaseModel):
    """Why there is no answer. *code* is the word to act on; *detail* says how to mend it."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    code: Code
    detail: str | None = None
    faults: tuple[Fault, ...] | None = Field(
        None, description="of a request that is not as this document says"
    )


class Wrong(Exception):  # not an error of ours: of who asks
    """A request is answered with *told* in place of what it asked for."""

    def __init__(self, told: Problem) -> None:
        super().__init__(told.code)
        self.told = told


def wrong(
    code: Code, detail: str | None = None, model: type[Problem] = Problem, **beside: Any
) -> Wrong:
    """The refusal to raise; *detail* and what stands *beside* quote nothing that was asked."""
    status, title = MEANS[code]
    return Wrong(
        model(
            type=PLACE + code, title=title, status=int(status), code=code, detail=detail, **beside
        )
    )


def of_status(status: HTTPStatus, detail: str | None = None) -> Wrong:
    """The refusal that says no more than its *status*."""
    fallback: Code = "failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request"
    told = wrong(OF_STATUS.get(status, fallback), detail).told
    return Wrong(told.model_copy(update={"status": int(status)}))


def unfit(place: str, fault: ValidationError) -> Wrong:
    """The refusal of what is not as declared in *place* (``query``), by the names declared."""
    said = fault.errors(include_url=False, include_context=False, include_input=False)
    faults = tuple(
        Fault(where=_where(place, one["loc"], one["type"]), what=one["msg"]) for one in said[:MOST]
    )
    return wrong("invalid", "see the API's document", faults=faults)


def _where(place: str, names: tuple[int | str, ...], kind: str) -> str:
    """Where a fault is; a name that is not declared is the request's own, and is not repeated."""
    known = names[:-1] if kind == "extra_forbidden" else names
    return ".".join((place, *(str(name) for name in known)))


def response(refused: Wrong) -> web.Response:
    """The answer that says it."""
    said = refused.told.model_dump(mode="json")
    text = json.dumps({name: one for name, one in said.items() if one is not None})
    return web.Response(text=text, status=refused.told.status, content_type=TYPE, headers=NO_STORE)


def options() -> web.Response:
    """Nothing but headers, to whoever asks for these alone: the site says what can be asked."""
    return web.Response(status=HTTPStatus.NO_CONTENT, headers=NO_STORE)


REFUSED: Mapping[str, str] = {
    "role": "your role may not, or this token's: /me says what you may",
    "origin": "another site's page asks; ask from this board's own",
    "form": "send X-CSRF-Token as the board's page has it, or ask with a token",
}
"""How to mend what the board's door refuses, by its word for why."""
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
