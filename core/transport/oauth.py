"""Access tokens (OAuth 2.0) for mail servers and APIs: asked for, kept until shortly before expiry.

Grants: a refresh token (RFC 6749, 6: Google, Microsoft, Amazon) or the client's own credentials
(4.4). No error's text holds a secret: those travel in the body alone.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote_plus, urlencode

from pydantic import BaseModel, BeforeValidator, Field

from core.errors import BadCredentials, BadPayload, OutcomeUnknown, Refused, Unreachable
from core.transport import answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.transport.http import Http

GOOGLE = "https://oauth2.googleapis.com/token"
MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"

OPERATION = "token"
EARLY = 120.0
"""Seconds before its expiry that a token is no longer handed out, but at most a tenth of it."""
USUAL = 3600.0

# RFC 6749, 5.2: what asking again cannot mend. "invalid_grant": the consent was withdrawn.
HOPELESS = frozenset(
    {
        "invalid_grant",
        "invalid_client",
        "unauthorized_client",
        "invalid_scope",
        "unsupported_grant_type",
        "invalid_request",
        "access_denied",
        "interaction_required",
        "consent_required",
    }
)


@dataclass(frozen=True, slots=True)
class Grant:
    """By what a token is asked for at *url*; without a *refresh_token* by the client alone.

    *basic*: the client names itself in the header (RFC 6749, 2.3.1) rather than in the form.
    """

    url: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    scope: str | None = None
    basic: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the question for a token."""
        told = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        if self.basic:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret or '')}"
            told["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return told


class _Granted(BaseModel):
    access_token: Annotated[str, Field(min_length=1)]
    expires_in: Annotated[float | None, BeforeValidator(lambda given: given or None)] = None
    refresh_token: str | None = None


class OAuth:
    """A source of access tokens; whoever asks at once waits for the same one.

    *rotated* is told each new refresh token, for the old one may be good no more.
    """

    def __init__(
        self, http: Http, grant: Grant, rotated: Callable[[str], None] | None = None
    ) -> None:
        self._http = http
        self._grant = grant
        self._rotated = rotated
        self._refresh = grant.refresh_token
        self._turn = asyncio.Lock()
        self._token: str | None = None
        self._until = 0.0

    async def token(self) -> str:
        """A token that is good for a while yet.

        Raises:
            BadCredentials: the grant is good no more; a person is to consent again.
            RateLimited, Unreachable: again later.
            BadPayload: the answer is none.
        """
        async with self._turn:
            if self._token is None or monotonic() >= self._until:
                self._keep(await self._granted())
            return self._token or ""

    def forget(self, refused: str | None = None) -> None:
        """The token was refused before its time: the next one is to be a new one.

        Where *refused* says which one it was, a newer one stays: several may be refused at once.
        """
        if refused is None or refused == self._token:
            self._token = None

    def _keep(self, granted: _Granted) -> None:
        lasts = granted.expires_in or USUAL
        self._token = granted.access_token
        self._until = monotonic() + lasts - min(EARLY, lasts / 10)
        if granted.refresh_token and granted.refresh_token != self._refresh:
            self._refresh = granted.refresh_token
            if self._rotated is not None:
                self._rotated(granted.refresh_token)

    async def _granted(self) -> _Granted:
        try:
            answer = await self._http.send(
                self._grant.url,
                operation=OPERATION,
                headers=self._grant.headers,
                body=urlencode(self._form()).encode(),
                explain=_reason,
            )
        except OutcomeUnknown as fault:  # to ask once more does no harm
            raise Unreachable(str(fault), detail=fault.detail) from None
        except Refused as fault:
            raise _refused(fault) from None
        except BadCredentials as fault:  # without its body
            raise BadCredentials(str(fault), detail=fault.detail) from None
        try:
            return answers.parsed(answer, _Granted, OPERATION)
        except BadPayload as fault:  # without its body, which may hold a token
            raise BadPayload(str(fault), detail=fault.detail) from None

    def _form(self) -> dict[str, str]:
        grant = self._grant
        given = {
            "grant_type": "refresh_token" if self._refresh else "client_credentials",
            "client_id": None if grant.basic else grant.client_id,
            "client_secret": None if grant.basic else grant.client_secret,
            "refresh_token": self._refresh,
            "scope": grant.scope,
        }
        return {name: value for name, value in given.items() if value}


def _reason(body: bytes) -> str:
    """The error's word of a refusal, of those that we know; never what else is said there."""
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    word = said.get("error") if isinstance(said, dict) else None
    return word if isinstance(word, str) and word in HOPELESS else ""


def _refused(fault: Refused) -> BadCredentials | Unreachable:
    """What a refusal means: only a word of the standard says that it is for good."""
    word = str(fault).rpartition(", ")[2]
    if word in HOPELESS:
        return BadCredentials(str(fault), detail=word)
    return Unreachable(str(fault), detail=fault.detail)
