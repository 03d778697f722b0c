"""Errors as the Graph API writes them: a status says little, a code what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from core.sandbox.serve import Next


class Wrong(Exception):
    """What was asked for is refused: with *status*, *code*, and what narrows it down."""

    def __init__(self, status: int, code: int, message: str, sub: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.sub = status, code, sub


def token(status: int) -> Wrong:
    return Wrong(status, 190, "Error validating access token: Session has expired", 463)


def unknown(id_: str) -> Wrong:
    told = f"Unsupported request. Object with ID '{id_}' does not exist"
    return Wrong(400, 100, told, 33)


def body(status: int) -> Any:
    """An ordered fault's: its code says nothing that the status does not."""
    return _told(Wrong(status, 1, "An unknown error occurred"))


async def forms(request: web.Request, answer: Next) -> web.StreamResponse:
    """*answer*, its faults in Meta's form."""
    try:
        return await answer(request)
    except Wrong as wrong:
        return web.json_response(_told(wrong), status=wrong.status)
    except web.HTTPException as fault:
        return web.json_response(_told(Wrong(fault.status, 100, "Unknown path")), status=404)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return web.json_response(_told(Wrong(400, 100, "Invalid JSON")), status=400)


def _told(wrong: Wrong) -> Any:
    error: dict[str, Any] = {
        "message": f"(#{wrong.code}) {wrong}",
        "type": "OAuthException",
        "code": wrong.code,
        "fbtrace_id": "A0bCdEfGhIjK",
    }
    if wrong.sub is not None:
        error["error_subcode"] = wrong.sub
    return {"error": error}
