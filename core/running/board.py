"""The board as the daemon serves it, and the link by which somebody signs in first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import loops
from core.desk import admitting
from core.errors import StoreUnavailable
from core.store import transaction
from core.transport.http import Http, Limits
from core.web import site
from core.web.signing.service import Signing
from core.web.ways import Parts

if TYPE_CHECKING:
    from aiohttp import web

    from core.running.state import State

LIMITS = Limits(attempts=2, connect=5.0, total=10.0, body=2**20)
"""For who waits at a provider's answer to be signed in."""


def application(state: State) -> web.Application:
    """The board, made of *state* as it is whenever somebody looks."""
    parts = Parts(
        watched=state.watched,
        pool=lambda: state.pool,
        settings=lambda: state.settings,
        rules=lambda: state.rules,
        readers=lambda: state.readers,
        metrics=state.metrics,
        now=loops.utcnow,
        changes=state.changes,
    )
    app = site.application(parts, signing := Signing(parts, lambda: _http(state)))
    app.on_cleanup.append(signing.close)
    return app


def _http(state: State) -> Http:
    if state.session is None:
        raise StoreUnavailable("nothing is open yet")
    return Http(state.session, limits=LIMITS)


async def first_link(state: State, served: str) -> str | None:
    """The link that is printed while nobody can sign in; None: somebody can, or none is needed.

    Where a provider's or a proxy's groups say who may what, people get in by those.
    """
    settings = state.settings.web
    if settings is None or settings.sign_in == "proxy":
        return None
    if settings.sign_in == "oidc" and settings.groups:
        return None
    async with transaction(state.pool) as db:
        secret = await admitting.first(db, loops.utcnow())
    return None if secret is None else f"{settings.public_url or served}/enter/{secret}"
