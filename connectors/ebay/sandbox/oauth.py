"""The token endpoint and the page of consent."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from connectors.ebay.sandbox import access
from connectors.ebay.sandbox.applications import CONSENT_LASTS, SCOPE, TOKEN_LASTS, Consent

if TYPE_CHECKING:
    from connectors.ebay.sandbox.applications import Application

USER_TOKEN, APPLICATION_TOKEN = "User Access Token", "Application Access Token"


class Denied(Exception):
    """The token endpoint says no, in OAuth's words: *word* and a sentence."""

    def __init__(self, word: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.word, self.status = word, status


def routes(host: str) -> list[web.RouteDef]:
    """The token endpoint is on ``api``, the page of consent on ``auth``."""
    if host == "api":
        return [web.post("/identity/v1/oauth2/token", token, name="token")]
    return [web.get("/oauth2/authorize", authorize, name="authorize")] if host == "auth" else []


async def token(request: web.Request) -> web.Response:
    """A token against a consent, a code, or the keyset alone."""
    form = {name: str(value) for name, value in (await request.post()).items()}
    try:
        application = _application(request)
        return _granted(application, form)
    except Denied as refusal:
        said = {"error": refusal.word, "error_description": str(refusal)}
        return access.answered(said, refusal.status)


def _application(request: web.Request) -> Application:
    scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
    try:
        name, _, secret = b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = secret = ""
    known = request.app[access.MARKET].applications.get(name)
    if scheme != "Basic" or known is None or known.client_secret != secret:
        raise Denied("invalid_client", "client authentication failed", 401)
    return known


def _granted(application: Application, form: dict[str, str]) -> web.Response:
    grant = form.get("grant_type", "")
    if grant not in application.grants:
        raise Denied("unsupported_grant_type", "grant type in request is not supported")
    if not application.spend(("grant", grant), application.grants[grant]):
        raise access.Refusal(429, 2001, "The request limit has been reached for the resource.")
    wanted = frozenset(form.get("scope", "").split())
    if grant == "client_credentials":
        return _for_itself(application, wanted)
    if grant == "authorization_code":
        return _for_code(application, form)
    consent = application.consents.get(form.get("refresh_token", ""))
    if consent is None or application.market.clock() >= consent.until:
        raise Denied(
            "invalid_grant",
            "the provided authorization refresh token is invalid or was issued to another client",
        )
    if not wanted <= consent.scopes:
        raise _beyond()
    made = application.mint(consent.seller, wanted or consent.scopes)
    return _answered(made, USER_TOKEN)


def _for_itself(application: Application, wanted: frozenset[str]) -> web.Response:
    if not wanted or not wanted <= {SCOPE}:
        raise _beyond()
    return _answered(application.mint(None, wanted), APPLICATION_TOKEN)


def _for_code(application: Application, form: dict[str, str]) -> web.Response:
    consent = application.codes.pop(form.get("code", ""), None)
    if consent is None or form.get("redirect_uri") != runame(application):
        raise Denied("invalid_grant", "the provided authorization grant code is invalid")
    refresh = application.consent(consent.seller, consent.scopes)
    consent.seller.refresh_token = refresh
    lasts = int(CONSENT_LASTS.total_seconds())
    made = application.mint(consent.seller, consent.scopes)
    return _answered(made, USER_TOKEN, refresh_token=refresh, refresh_token_expires_in=lasts)


def _beyond() -> Denied:
    return Denied(
        "invalid_scope",
        "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the"
        " client",
    )


def _answered(made: str, kind: str, **more: str | int) -> web.Response:
    lasts = int(TOKEN_LASTS.total_seconds())
    return access.answered({"access_token": made, "expires_in": lasts, "token_type": kind, **more})


def runame(application: Application) -> str:
    """What eBay calls the application's place to come back to: no address, a name."""
    return f"{application.client_id}-runame"


async def authorize(request: web.Request) -> web.Response:
    """The page of consent; the only seller there, or the one of ``login_hint``, agrees at once."""
    market, query = request.app[access.MARKET], request.query
    application = market.applications.get(query.get("client_id", ""))
    name = query.get("login_hint") or next(iter(market.sellers), "")
    seller = market.sellers.get(name)
    if application is None or seller is None or query.get("redirect_uri") != runame(application):
        raise web.HTTPBadRequest(reason="The OAuth client was not found.")
    code = market.token()
    scopes = frozenset(query.get("scope", SCOPE).split())
    application.codes[code] = Consent(seller, scopes, market.clock())
    sent = {"code": code, "expires_in": 299}
    if "state" in query:
        sent["state"] = query["state"]
    where = f"https://shop.example/accepted?{urlencode(sent)}"
    return web.Response(status=302, headers={"Location": where})
