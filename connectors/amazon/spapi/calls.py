"""One account's calls: paced, authorised, and their errors with words that mend.

A call that would be refused for its pace does not leave. A token that is refused before its time is
renewed once; what was sent with it has certainly not been done.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from connectors.amazon.spapi import pace
from connectors.amazon.spapi.entry import HOSTS, Entry
from connectors.amazon.spapi.payload import Errors
from core.errors import BadCredentials, BadPayload, RateLimited, Refused, Unreachable
from core.transport import answers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from connectors.amazon.options import AmazonOptions, SpApi
    from core.transport.answers import Answer
    from core.transport.http import Http

M = TypeVar("M", bound=BaseModel)

RATE = "x-amzn-ratelimit-limit"
IN_VAIN = 60.0
"""Seconds after a new token was refused in which no other is asked for: it is not their fault."""
LONGEST_REASON = 200

ROLES = {
    "getMessagingActionsForOrder": "Buyer Communication",
    "GetAttributes": "Buyer Communication",
    "sendMessage": "Buyer Communication",
    "createUploadDestination": "Buyer Communication",
    "getReports": "Selling Partner Insights",
    "createReport": "Selling Partner Insights",
    "getReportDocument": "Selling Partner Insights",
}
"""What the application must have been granted; without it every such call is refused (trap 21)."""
ORDERS = "Inventory and Order Tracking"


class Calls:
    """What is asked and sent for one account, by its region's host."""

    def __init__(self, options: AmazonOptions, given: SpApi, http: Http) -> None:
        self._http = http
        self._base = (given.base_url or HOSTS[options.region]).rstrip("/")
        self._entry = Entry(given, http)
        self._paces = pace.paces()
        self._in_vain_until = 0.0
        self._hidden = (given.client_secret, given.refresh_token)

    async def get(
        self, operation: str, path: str, model: type[M], params: Mapping[str, str] | None = None
    ) -> M:
        """What *path* answers.

        Raises:
            BadCredentials, RateLimited, Unreachable, BadPayload: as `core.transport.http` says.
        """

        async def ask(headers: Mapping[str, str]) -> Answer:
            return await self._http.get(
                f"{self._base}{path}", operation=operation, headers=headers, params=params
            )

        return answers.parsed(await self._paced(operation, ask), model, operation)

    async def send(
        self,
        operation: str,
        path: str,
        body: BaseModel | None,
        params: Mapping[str, str] | None = None,
        *,
        said: str = "",
    ) -> Answer:
        """The answer to what was sent once; a reason of Amazon's that repeats *said* is not told.

        Raises:
            BadCredentials, RateLimited, Refused, Unreachable: it was certainly not taken.
            OutcomeUnknown: it may have been.
        """
        raw = (
            b"" if body is None else body.model_dump_json(by_alias=True, exclude_none=True).encode()
        )

        async def ask(headers: Mapping[str, str]) -> Answer:
            return await self._http.send(
                f"{self._base}{path}",
                operation=operation,
                headers={**headers, "Content-Type": "application/json"},
                params=params,
                body=raw,
                explain=lambda answer: self._reason(answer, said),
            )

        return await self._paced(operation, ask)

    async def download(self, operation: str, url: str) -> bytes:
        """What lies at *url*, an address that Amazon has given out for minutes: without our token.

        Raises:
            Unreachable, BadPayload: as `core.transport.http` says.
        """
        self._check_protected(operation, url)
        try:
            return (await self._http.get(url, operation=operation)).body
        except BadCredentials as fault:
            text = f"{operation}: the address has ended; another is asked for"
            raise Unreachable(text, detail=fault.detail) from None

    async def upload(
        self, operation: str, url: str, headers: Mapping[str, str], content: bytes
    ) -> None:
        """Put *content* at *url*, an address that Amazon has given out, with all its *headers*.

        Raises:
            Refused, RateLimited, Unreachable, OutcomeUnknown: as `core.transport.http` says.
        """
        self._check_protected(operation, url)
        try:
            await self._http.send(
                url, operation=operation, method="PUT", headers=headers, body=content
            )
        except BadCredentials as fault:
            text = f"{operation}: the place for the file does not take it"
            raise Refused(text, detail=fault.detail) from None

    def _check_protected(self, operation: str, url: str) -> None:
        """Only a stand-in may give out addresses without TLS."""
        if self._base.startswith("https:") and not url.startswith("https:"):
            raise BadPayload(f"{operation}: an address without TLS", detail="address")

    async def _paced(
        self, operation: str, ask: Callable[[Mapping[str, str]], Awaitable[Answer]]
    ) -> Answer:
        bucket = self._paces[operation]
        wait = bucket.wait(monotonic())
        if wait > 0:
            raise RateLimited(f"{operation}: held back for its rate", retry_after=wait)
        bucket.take(monotonic())
        try:
            answer = await self._authorized(operation, ask)
        except RateLimited as limit:
            least = bucket.refuse(monotonic())
            raise RateLimited(str(limit), retry_after=max(least, limit.retry_after or 0)) from None
        bucket.learn(answer.headers.get(RATE))
        return answer

    async def _authorized(
        self, operation: str, ask: Callable[[Mapping[str, str]], Awaitable[Answer]]
    ) -> Answer:
        headers = await self._entry.headers()
        try:
            return await ask(headers)
        except BadCredentials as fault:
            if monotonic() < self._in_vain_until:
                raise _barred(operation, fault) from None
        self._entry.forget()
        headers = await self._entry.headers()
        try:
            return await ask(headers)
        except BadCredentials as fault:
            self._in_vain_until = monotonic() + IN_VAIN
            raise _barred(operation, fault) from None

    def _reason(self, raw: bytes, said: str) -> str:
        """Amazon's words of refusal, unless they repeat what nobody else should read."""
        try:
            found = Errors.model_validate_json(raw).errors
        except ValidationError:
            return ""
        words = f"{found[0].code}: {found[0].message}" if found else ""
        text = " ".join(words.split())[:LONGEST_REASON]
        hidden = (said, *(secret.get_secret_value() for secret in self._hidden))
        return "" if any(one in text or text in one for one in hidden if one and text) else text


def _barred(operation: str, fault: BadCredentials) -> BadCredentials:
    role = ROLES.get(operation, ORDERS)
    mend = (
        f"has the application the role {role}, and did the seller consent after it got it? "
        "are sp_api and marketplaces of one region?"
    )
    return BadCredentials(f"{fault}: {mend}", detail=fault.detail)
