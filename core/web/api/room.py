"""The API's ways into the site, its document, and the page that shows it to people."""

from __future__ import annotations

import json
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from aiohttp import web

from core.access import Act
from core.web import pages
from core.web.api import acting, document, enclosing, finding, problems, reading, tending
from core.web.api.described import operations, schemas
from core.web.api.routes import JSON, ROOT
from core.web.ways import Way

if TYPE_CHECKING:
    from core.web.api.routes import Route

ROUTES: tuple[Route, ...] = (
    *reading.ROUTES,
    *finding.ROUTES,
    *acting.ROUTES,
    *enclosing.ROUTES,
    *tending.ROUTES,
)
DOCUMENT = f"{ROOT}/openapi.json"
PAGE = "/api"


@cache
def described() -> dict[str, Any]:
    """The document of all routes."""
    return document.document(ROUTES, metadata.version("replyby"))


async def openapi(_request: web.Request) -> web.Response:
    """The document."""
    text = json.dumps(described(), ensure_ascii=False, separators=(",", ":"))
    response = web.Response(text=text, content_type=JSON, headers=problems.NO_STORE)
    response.enable_compression()
    return response


async def page(request: web.Request) -> web.Response:
    """The document as people read it."""
    told = described()
    return pages.page(
        request,
        "api.html",
        about=told["info"]["description"],
        operations=operations(told),
        schemas=schemas(told),
        problems=problems.MEANS,
        document=DOCUMENT,
    )


WAYS = (
    Way("GET", PAGE, page, Act.LOOK),
    Way("GET", DOCUMENT, openapi, Act.LOOK, api=True),
    *(route.way() for route in ROUTES),
)
