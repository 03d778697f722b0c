"""The cookies: who is signed in, who is about to, and whose forms they are.

`SameSite=Lax`: a link in a notice opens the board signed in, a form of another site does not.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aiohttp import web

Kind = Literal["session", "visit", "login"]
"""*visit*: somebody who is not signed in, so that their forms are known; *login*: somebody who was
sent to an OpenID provider."""

BYTES = 32
NAMES: dict[Kind, str] = {
    "session": "replyby",
    "visit": "replyby-visit",
    "login": "replyby-login",
}


def secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(BYTES)


def name(kind: Kind, *, secure: bool) -> str:
    """The cookie's name: over https one that no neighbouring host can set."""
    return f"__Host-{NAMES[kind]}" if secure else NAMES[kind]


def read(request: web.Request, kind: Kind, *, secure: bool) -> str | None:
    """What the cookie holds; None where there is none that could be ours."""
    found = request.cookies.get(name(kind, secure=secure))
    return found if found and len(found) <= 400 and found.isascii() else None


def give(
    response: web.StreamResponse, kind: Kind, value: str, *, secure: bool, seconds: int | None
) -> None:
    """Set it, for *seconds*, or (None) for as long as the browser runs."""
    response.set_cookie(
        name(kind, secure=secure),
        value,
        path="/",
        max_age=seconds,
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def take(response: web.StreamResponse, kind: Kind, *, secure: bool) -> None:
    """Remove it."""
    response.del_cookie(
        name(kind, secure=secure), path="/", secure=secure, httponly=True, samesite="Lax"
    )
