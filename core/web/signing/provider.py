"""One OpenID provider: what it says of itself, whom it says has signed in, and how to leave it.

OpenID Connect Core 1.0, 3.1 (code flow), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss` in the
answer), RP-Initiated Logout 1.0. Everything that it answers is proven before it is believed.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from core.errors import BadCredentials, Refused
from core.payload import Payload
from core.web.signing.identity import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.configuration.access import Oidc
    from core.transport.http import Http

WELL_KNOWN = "/.well-known/openid-configuration"
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
"""Never ``none``, and none by a shared secret: the key of a signature must not be ours to know."""
KEPT = 3600.0
"""Seconds for which what a provider says of itself is believed without asking again."""
AGAIN = 60.0
"""Seconds before its keys are asked for once more because a token names none that is known."""


class Metadata(Payload):
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(Payload):
    """What a code is exchanged for."""

    id_token: str
    access_token: str


class Keys(Payload):
    """A set of public keys (RFC 7517)."""

    keys: list[dict[str, Any]]


class UserInfo(Payload):
    """What the provider tells beside the token; read as a mapping."""

    sub: str


@dataclass(slots=True)
class Provider:
    """A provider as it was met; *oidc* is what the settings say of it."""

    oidc: Oidc
    http: Http
    metadata: Metadata
    met_at: float = field(default_factory=monotonic)
    _keys: KeySet | None = None
    _asked_at: float = 0.0

    @classmethod
    async def meet(cls, oidc: Oidc, http: Http) -> Provider:
        """Ask the provider who it is.

        Raises:
            ConnectorError: it does not answer, or not as a provider does.
            Unknown: it calls itself otherwise than the settings do.
        """
        url = oidc.issuer.rstrip("/") + WELL_KNOWN
        metadata = await http.get_json(url, Metadata, operation="discovery")
        if metadata.issuer != oidc.issuer:
            raise Unknown("issuer")
        return cls(oidc, http, metadata)

    @property
    def is_stale(self) -> bool:
        """Whether it is to be met again."""
        return monotonic() - self.met_at > KEPT

    async def exchange(self, code: str, verifier: str, back: str) -> Tokens:
        """What *code* is exchanged for, once.

        Raises:
            Unknown: the provider does not take the code, or answers what is no token.
            ConnectorError: it does not answer.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": self.oidc.client_id,
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            **self._named(form),
        }
        url = self.metadata.token_endpoint
        try:
            answer = await self.http.send(
                url, operation="token", headers=headers, body=urlencode(form).encode()
            )
            return Tokens.model_validate_json(answer.body)
        except (Refused, BadCredentials, ValueError):
            raise Unknown("code") from None

    def _named(self, form: dict[str, str]) -> dict[str, str]:
        """How the client proves itself: in a header where the provider takes that, else in *form*.

        RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
        """
        if self.oidc.client_secret is None:
            return {}
        secret = self.oidc.client_secret.get_secret_value()
        if "client_secret_basic" in self.metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote_plus(self.oidc.client_id)}:{quote_plus(secret)}"
            return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        form["client_secret"] = secret
        return {}

    async def claims(self, tokens: Tokens, nonce: str, now: datetime) -> Mapping[str, Any]:
        """What the provider says of who has signed in, proven.

        Raises:
            Unknown: the token is not for us, not of this provider, not of this moment, or forged.
            ConnectorError: the provider's keys cannot be had.
        """
        try:
            signed = await self._decoded(tokens.id_token)
            options: dict[str, Any] = {
                "iss": {"essential": True, "value": self.oidc.issuer},
                "aud": {"essential": True, "value": self.oidc.client_id},
                "sub": {"essential": True},
            }
            asked = {
                "nonce": nonce,
                "client_id": self.oidc.client_id,
                "access_token": tokens.access_token,
            }
            claims = CodeIDToken(signed.claims, signed.header, options, asked)
            claims.validate(int(now.timestamp()), int(self.oidc.skew.total_seconds()))
        except (JoseError, ValueError, TypeError, KeyError) as fault:
            raise Unknown(f"id_token: {type(fault).__name__}") from None
        if not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
            raise Unknown("id_token: sub")
        return await self._more(dict(claims), tokens.access_token)

    async def _decoded(self, token: str) -> jwt.Token:
        """The token, its signature proven; keys that are new are asked for once."""
        allowed = ALGORITHMS.intersection(self.metadata.id_token_signing_alg_values_supported)
        registry = JWSRegistry(algorithms=sorted(allowed), strict_check_header=False)
        try:
            return jwt.decode(token, await self._key_set(), registry=registry)
        except InvalidKeyIdError:
            if monotonic() - self._asked_at < AGAIN:
                raise
            return jwt.decode(token, await self._key_set(anew=True), registry=registry)

    async def _key_set(self, *, anew: bool = False) -> KeySet:
        if self._keys is None or anew:
            found = await self.http.get_json(self.metadata.jwks_uri, Keys, operation="keys")
            public = [key for key in found.keys if key.get("kty") in {"RSA", "EC"}]
            self._keys = KeySet.import_key_set({"keys": public})
            self._asked_at = monotonic()
        return self._keys

    async def _more(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """*claims*, with what only the userinfo endpoint says of the same person."""
        wanted = {self.oidc.name, self.oidc.groups}
        url = self.metadata.userinfo_endpoint
        if wanted <= claims.keys() or url is None:
            return claims
        bearer = {"Authorization": f"Bearer {access_token}"}
        answer = await self.http.get(url, operation="userinfo", headers=bearer)
        try:
            told = json.loads(answer.body)
        except ValueError:
            return claims
        if not isinstance(told, dict) or told.get("sub") != claims["sub"]:
            raise Unknown("userinfo")
        return {**told, **claims}
