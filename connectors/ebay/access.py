"""One account's calls: each by its host, with the token in the form that belongs there.

A token that is refused before its time is renewed once; what was sent with it has certainly not
been done. What the token endpoint refuses concerns the whole account; what an API refuses with a
good token concerns the one stream that asked.
"""

from __future__ import annotations

import json as encoding
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel

from connectors.ebay import application, identity, refusals
from connectors.ebay.limits import Limits
from core.errors import BadCredentials, BadPayload, OutcomeUnknown, RateLimited, Refused
from core.transport import answers
from core.transport.oauth import OAuth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from connectors.ebay.options import EbayOptions, Host
    from core.transport.answers import Answer
    from core.transport.http import Http, Part
    from core.transport.salvage import Salvaged

M = TypeVar("M", bound=BaseModel)

Scheme = Literal["bearer", "iaf", "application", "raw"]
"""How a token goes along (trap 34): the seller's as ``Bearer``, as ``IAF`` (Post-Order), or ``raw``
in a header of its own (Trading); ``application``: our own token, as ``Bearer``."""

_SCOPE = "https://api.ebay.com/oauth/api_scope"
MESSAGES = f"{_SCOPE}/commerce.message"
SCOPES = {
    "/commerce/message/": MESSAGES,
    "/commerce/identity/": f"{_SCOPE}/commerce.identity.readonly",
    "/commerce/media/": f"{_SCOPE}/sell.inventory",
    "/commerce/notification/": f"{_SCOPE}/commerce.notification.subscription",
    "/sell/fulfillment/v1/payment_dispute": f"{_SCOPE}/sell.payment.dispute",
}
"""By the begin of a path: what the seller must have consented to."""

_PAIR = "are client_id and client_secret one application's, and of this environment?"
_MENDS = {
    "401": _PAIR,
    "invalid_client": _PAIR,
    "unauthorized_client": _PAIR,
    "invalid_grant": "the seller's consent has ended or was withdrawn: let the seller consent "
    "again, and write the new refresh_token and refresh_token_made",
}

IN_VAIN = 60.0
"""Seconds after an API refused a new token in which it gets no other: it is not their fault."""


class Access:
    """What is asked and sent for one account.

    *seller* is whose it is, *limits* are that seller's own quotas, *application* what its accounts
    share.
    """

    def __init__(self, options: EbayOptions, http: Http) -> None:
        self._options, self._http = options, http
        refresh_token = options.refresh_token.get_secret_value()
        self._seller = OAuth(http, application.grant(options, refresh_token=refresh_token))
        self._in_vain_until: dict[str, float] = {}
        self.application = application.of(options, http)
        self.limits = Limits()
        self.seller = identity.Seller(self, options.own)
        self.application.sellers[options.seller.casefold()] = self.seller

    @property
    def own(self) -> frozenset[str]:
        """The seller's names as far as they are known, casefolded."""
        return self.seller.names

    def is_own(self, name: str) -> bool:
        """Whether *name*, a user name or an immutable id, is the seller's."""
        return name.casefold() in self.own

    async def get_items(
        self,
        host: Host,
        path: str,
        model: type[M],
        *,
        operation: str,
        scheme: Scheme = "bearer",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        names: tuple[str, ...] = ("id",),
    ) -> Salvaged[M]:
        """As `get`; what does not fit *model* is set aside (`core.transport.salvage`)."""
        answer = await self.get(
            host, path, operation=operation, scheme=scheme, params=params, headers=headers
        )
        return answers.salvaged(answer, model, operation, names)

    async def get_json(
        self,
        host: Host,
        path: str,
        model: type[M],
        *,
        operation: str,
        scheme: Scheme = "bearer",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> M:
        """As `get_items`, all of it or nothing."""
        answer = await self.get(
            host, path, operation=operation, scheme=scheme, params=params, headers=headers
        )
        return answers.parsed(answer, model, operation)

    async def get(
        self,
        host: Host,
        path: str,
        *,
        operation: str,
        scheme: Scheme = "bearer",
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """What *path* answers. Ids in *path* are quoted by the caller.

        Raises:
            BadCredentials: the consent is gone, or does not cover the call (then `alone`).
            RateLimited: eBay's quota is used up, as it says or as we have counted.
            Unreachable: as `core.transport.http` says.
            BadPayload: as there; so is an error inside an answer 200: `detail` is then ``error``.
        """

        async def ask(authorized: Mapping[str, str]) -> Answer:
            async with self.application.room[host]:
                return await self._http.get(
                    self._url(host, path),
                    operation=operation,
                    headers={**authorized, **(headers or {})},
                    params=params,
                )

        try:
            answer = await self._counted(path, operation, scheme, ask, _is_refused)
        except BadPayload as fault:
            if why := refusals.explain(fault.raw):
                text = f"{fault}, {why}"
                raise BadPayload(text, raw=fault.raw, detail=fault.detail) from None
            raise
        if refusals.ids(answer.body):  # trap 35: never "nothing is open"
            told = f"{operation}: {refusals.explain(answer.body)}"
            raise BadPayload(told, raw=answer.body, detail="error")
        return answer

    async def send(
        self,
        host: Host,
        path: str,
        *,
        operation: str,
        scheme: Scheme = "bearer",
        method: str = "POST",
        json: Any = None,
        body: bytes | None = None,
        form: Sequence[Part] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer 2xx to what was sent, once: *json*, a *body* as it is, or a *form*.

        Raises:
            BadCredentials, RateLimited, Refused, Unreachable: it was certainly not taken.
            OutcomeUnknown: it may have been.
        """
        given = dict(headers or {})
        if json is not None:
            body = encoding.dumps(json, ensure_ascii=False).encode()
            given["Content-Type"] = "application/json"

        async def ask(authorized: Mapping[str, str]) -> Answer:
            return await self._http.send(
                self._url(host, path),
                operation=operation,
                method=method,
                headers={**authorized, **given},
                params=params,
                body=body,
                form=form,
                explain=refusals.explain,
            )

        answer = await self._counted(path, operation, scheme, ask, _is_about_the_token)
        if refusals.ids(answer.body):
            told = f"{operation}: {refusals.explain(answer.body)}"
            if refusals.is_about_the_question(answer.body):
                raise Refused(told, detail="error")
            raise OutcomeUnknown(told, detail="error")
        return answer

    def forget(self) -> None:
        """The seller's token was refused in words of an answer's own: the next is a new one."""
        self._seller.forget()

    async def _counted(
        self,
        path: str,
        operation: str,
        scheme: Scheme,
        ask: Callable[[Mapping[str, str]], Awaitable[Answer]],
        renews: Callable[[BadCredentials], bool],
    ) -> Answer:
        """What *ask* comes to, if the quotas allow it; a 429 without a time lasts as they do."""
        if (wait := self._wait(path, operation)) > 0:
            raise RateLimited(f"{operation}: held back, the quota is used up", retry_after=wait)
        for limits in (self.application.limits, self.limits):
            limits.count(path, operation)
        try:
            return await self._authorized(path, scheme, ask, renews)
        except RateLimited as limit:
            wait = self._wait(path, operation)
            if limit.retry_after is not None or wait <= 0:
                raise
            raise RateLimited(str(limit), retry_after=wait) from None

    def _wait(self, path: str, operation: str) -> float:
        """The seconds until the quotas allow such a call, as far as they are known."""
        return max(one.wait(path, operation) for one in (self.application.limits, self.limits))

    async def _authorized(
        self,
        path: str,
        scheme: Scheme,
        ask: Callable[[Mapping[str, str]], Awaitable[Answer]],
        renews: Callable[[BadCredentials], bool],
    ) -> Answer:
        api, token = path.partition("/v")[0], await self._token(scheme)
        try:
            return await ask(self._headers(scheme, token))
        except BadCredentials as fault:
            if not renews(fault) or monotonic() < self._in_vain_until.get(api, 0.0):
                raise _barred(path, scheme, fault) from None
        self._tokens(scheme).forget(token)
        token = await self._token(scheme)
        try:
            return await ask(self._headers(scheme, token))
        except BadCredentials as fault:
            self._in_vain_until[api] = monotonic() + IN_VAIN
            raise _barred(path, scheme, fault) from None

    async def _token(self, scheme: Scheme) -> str:
        try:
            return await self._tokens(scheme).token()
        except BadCredentials as fault:
            mend = _MENDS.get(fault.detail, "look at client_id, client_secret and refresh_token")
            raise BadCredentials(f"{fault}: {mend}", detail=fault.detail) from None

    def _headers(self, scheme: Scheme, token: str) -> dict[str, str]:
        if scheme == "raw":
            return {"X-EBAY-API-IAF-TOKEN": token}
        if scheme == "iaf":
            return {
                "Authorization": f"IAF {token}",
                "X-EBAY-C-MARKETPLACE-ID": self._options.marketplace,
                "Accept": "application/json",
            }
        return {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def _tokens(self, scheme: Scheme) -> OAuth:
        return self.application.tokens if scheme == "application" else self._seller

    def _url(self, host: Host, path: str) -> str:
        return f"{self._options.base(host)}{path}"


def _is_refused(fault: BadCredentials) -> bool:
    """Whether a question may be asked again with a new token."""
    return fault.detail == "401"


def _is_about_the_token(fault: BadCredentials) -> bool:
    """Whether eBay says that the token alone kept it from taking what was sent."""
    told = refusals.ids(fault.raw)
    return bool(told) and fault.detail == "401" and refusals.TOKEN.issuperset(told)


def _barred(path: str, scheme: Scheme, fault: BadCredentials) -> BadCredentials:
    """The token is good, and may not do this: it says which scope is missing (trap 32)."""
    why = refusals.explain(fault.raw)
    text = f"{fault}{why and ', '}{why}"
    scope = next((scope for begin, scope in SCOPES.items() if path.startswith(begin)), None)
    if scope is not None and scheme != "application":
        text += f": the consent lacks the scope {_short(scope)}; let the seller consent again"
        if scope == MESSAGES:
            text += ', or write messages_by = "trading"'
    return BadCredentials(text, detail=fault.detail, alone=True, raw=fault.raw)


def _short(scope: str) -> str:
    """A scope as people call it: its whole address is long, and a log may cut it."""
    return scope.rpartition("/")[2]
