"""An OpenID provider on loopback: it signs real tokens, keeps PKCE and takes each code once.

A test says what it is to do wrong; else it does everything right.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote_plus, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "replyby", "client-secret:with/signs"


@cache
def keys():
    """Made once: an RSA key takes a while."""
    return {
        "RS256": RSAKey.generate_key(2048, {"kid": "r1", "use": "sig"}),
        "ES256": ECKey.generate_key("P-256", {"kid": "e1", "use": "sig"}),
    }


@cache
def strange():
    """A key that is not the provider's, under the name of one that is."""
    return RSAKey.generate_key(2048, {"kid": "r1", "use": "sig"})


@dataclass
class Provider:
    """*claims* are what it says of whoever signs in; *wrong* replaces claims of the token."""

    now: Any
    issuer: str = ""
    alg: str = "RS256"
    claims: dict[str, Any] = field(
        default_factory=lambda: {"sub": "s-1", "preferred_username": "anna", "groups": ["support"]}
    )
    wrong: dict[str, Any] = field(default_factory=dict)
    forged: bool = False
    unsigned: bool = False
    shared: bool = False
    methods: tuple[str, ...] = ("client_secret_basic",)
    beside: dict[str, Any] | None = None
    answers_with: dict[str, str] = field(default_factory=dict)
    published: tuple[str, ...] = ("RS256", "ES256")
    called: str | None = None
    gone: str = ""
    met: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def discovery(self, _request):
        self.met += 1
        if self.gone == "discovery":
            raise web.HTTPBadRequest
        return web.json_response(
            {
                "issuer": self.called or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "end_session_endpoint": f"{self.issuer}/leave",
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
                "token_endpoint_auth_methods_supported": list(self.methods),
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def published_keys(self, _request):
        if self.gone == "keys":
            raise web.HTTPBadGateway
        self.asked.append("keys")
        shown = [keys()[alg].as_dict(private=False) for alg in self.published]
        return web.json_response({"keys": shown})

    async def authorize(self, request):
        """Whoever asks is signed in there already."""
        query = dict(request.query)
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.issuer, **self.answers_with}
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode(back)}")

    async def token(self, request):
        if self.gone == "token":
            raise web.HTTPBadGateway
        form = await request.post()
        asked = self.codes.pop(form.get("code", ""), None)
        known = self._is_client(request, form)
        verifier = form.get("code_verifier", "")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        fits = asked is not None and (
            challenge.rstrip(b"=").decode() == asked["code_challenge"]
            and form.get("redirect_uri") == asked["redirect_uri"]
        )
        if not known or not fits:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response(
            {"access_token": "at-1", "token_type": "Bearer", "id_token": self._signed(asked)}
        )

    def _is_client(self, request, form):
        if "client_secret_basic" not in self.methods:
            return form.get("client_secret") == SECRET
        pair = base64.b64decode(request.headers.get("Authorization", "Basic ").split(" ")[1])
        name, _, secret = pair.decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET)

    def _signed(self, asked):
        now = int(self.now().timestamp())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], **self.claims, **self.wrong,
        }  # fmt: skip
        claims = {key: value for key, value in claims.items() if value is not None}
        if self.unsigned:
            head, body = ({"alg": "none"}, claims)
            return ".".join((*(_packed(part) for part in (head, body)), ""))
        if self.shared:
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET * 2))
        key = strange() if self.forged else keys()[self.alg]
        return jwt.encode({"alg": self.alg, "kid": key.kid}, claims, key)

    async def leave(self, _request):
        return web.Response(text="signed out")

    async def userinfo(self, request):
        self.asked.append("userinfo")
        return web.json_response(self.beside or {"sub": self.claims["sub"]})


def _packed(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@asynccontextmanager
async def serving(now):
    """A provider that listens."""
    provider = Provider(now)
    app = web.Application()
    app.add_routes(
        [
            web.get("/realm/.well-known/openid-configuration", provider.discovery),
            web.get("/realm/authorize", provider.authorize),
            web.post("/realm/token", provider.token),
            web.get("/realm/keys", provider.published_keys),
            web.get("/realm/userinfo", provider.userinfo),
            web.get("/realm/leave", provider.leave),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        provider.issuer = f"http://127.0.0.1:{port}/realm"
        yield provider
    finally:
        await runner.cleanup()
