"""HTTP for connectors and notifiers: the retries within seconds, the limits, the errors.

A question (`get`, `get_json`) is repeated a few times within seconds where that may help. What is
sent (`send`) leaves once: it is accepted, certainly not sent, or nobody knows.
No text of an error here holds a header, a query, a body or a secret.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    FormData,
    NonHttpUrlClientError,
    TCPConnector,
)
from yarl import URL

from core import spans
from core.errors import BadPayload, OutcomeUnknown, Unreachable
from core.transport import again, answers, guard, proxy
from core.transport.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from aiohttp import ClientResponse

    from core.transport.answers import M
    from core.transport.salvage import Salvaged

__all__ = ["Answer", "Http", "Limits", "Observer", "Part", "open_session"]

# The request has certainly not left: nothing was connected, a proxy would not connect us, or the
# request could not even be written down (an address, a header that is none: ValueError).
NOT_SENT = (
    ClientConnectorError,
    ClientHttpProxyError,
    ConnectionTimeoutError,
    NonHttpUrlClientError,
    ValueError,
)
HOPS = 3


class Observer(Protocol):
    """Is told of every request; makes metrics of it."""

    def requested(self, operation: str, code: str, seconds: float) -> None:
        """One request has ended: *code* is the status, "0" where no answer came."""

    def retried(self, reason: str) -> None:
        """A question is asked again, for this `reason` of an error."""

    def dated(self, skew_seconds: float) -> None:
        """An answer carried a ``Date``: how far the server's clock is ahead of ours."""


class Silent:
    """Observes nothing."""

    def requested(self, operation: str, code: str, seconds: float) -> None: ...
    def retried(self, reason: str) -> None: ...
    def dated(self, skew_seconds: float) -> None: ...


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes. *patience* is the longest ``Retry-After`` that is waited for here.

    *total* is for a request and its whole answer. Silence has no limit of its own: it would
    cost each answer two timers more.
    """

    attempts: int = 3
    first_wait: float = 0.25
    longest_wait: float = 2.0
    patience: float = 5.0
    connect: float = 10.0
    total: float = 30.0
    body: int = 64 * 2**20

    @cached_property
    def timeout(self) -> ClientTimeout:
        return ClientTimeout(total=self.total, connect=self.connect, sock_connect=self.connect)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart form; a *filename* makes it a file."""

    name: str
    content: bytes | str
    media_type: str
    filename: str | None = None


class _Request(NamedTuple):
    method: str
    url: str | URL
    operation: str
    headers: Mapping[str, str]
    params: Mapping[str, str] | None = None
    body: bytes | FormData | None = None
    is_question: bool = True

    @property
    def where(self) -> str:
        """What an error may say of the address: the operation and the host, nothing secret."""
        return _where(self.operation, self.url)


@lru_cache(1024)
def _where(operation: str, url: str | URL) -> str:
    try:
        return f"{operation} at {URL(url).host}"
    except ValueError:
        return operation


def open_session(version: str = "0", *, walled: bool = False) -> ClientSession:
    """The session that everything shares: one TLS context (31 ms to make), no cookies.

    A cookie would mix accounts of one marketplace. The certificates are the system's, or those
    that ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name. *walled*: it connects to no private address.
    """
    made = guard.connecting if walled else None
    context = ssl.create_default_context()
    return ClientSession(
        connector=TCPConnector(ssl=context, limit=200, limit_per_host=20, socket_factory=made),
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": f"replyby/{version}", "Accept-Encoding": "gzip, deflate"},
    )


@dataclass(frozen=True, slots=True)
class Http:
    """Asks and sends. *now* is only used to tell how far the servers' clocks are off.

    *walled* takes the place of *session* where no proxy leads: whom that reaches is its affair.
    """

    session: ClientSession
    observer: Observer = field(default_factory=Silent)
    limits: Limits = field(default_factory=Limits)
    now: Callable[[], datetime] | None = None
    walled: ClientSession | None = None

    async def get_json(
        self,
        url: str | URL,
        model: type[M],
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> M:
        """What *url* answers, as *model*; raises as `get` does, and `BadPayload` if misshapen."""
        request = _Request("GET", url, operation, headers or {}, params)
        return answers.parsed(await self._asked(request), model, request.where)

    async def get_items(
        self,
        url: str | URL,
        model: type[M],
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        names: tuple[str, ...] = ("id",),
    ) -> Salvaged[M]:
        """As `get_json`, but what does not fit is set aside and the rest is read.

        *names* are the fields that name an item; see `core.transport.salvage`.
        """
        request = _Request("GET", url, operation, headers or {}, params)
        return answers.salvaged(await self._asked(request), model, request.where, names)

    async def get(
        self,
        url: str | URL,
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """What *url* answers with a status 2xx, asked a few times within seconds if need be.

        *operation* names the call in metrics and errors: a word of a closed list.

        Raises:
            BadCredentials: 401, 403.
            RateLimited: 429 that asks for more patience than a few seconds.
            Unreachable: no answer, 5xx, a redirect to another host; `detail` is the status, or
                ``timeout``, ``dns``, ``tls``, ``network``, ``address``, ``private``.
            BadPayload: any other 4xx, or more bytes than the limit; `detail` is the status, or
                ``too_large``.
        """
        return await self._asked(_Request("GET", url, operation, headers or {}, params))

    async def post(
        self,
        url: str | URL,
        body: bytes,
        *,
        operation: str,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """As `get`, for a question that is put as a *body* (GraphQL): asked again it does no harm.

        Raises:
            ConnectorError: as `get`.
        """
        return await self._asked(_Request("POST", url, operation, headers or {}, body=body))

    async def send(
        self,
        url: str | URL,
        *,
        operation: str,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Sequence[Part] | None = None,
        explain: Callable[[bytes], str] | None = None,
    ) -> Answer:
        """The answer 2xx to what was sent, once: *body* as it is, or a multipart *form*.

        *explain* reads the marketplace's reason out of a refusal's body; without it a refusal
        tells the status only.

        Raises:
            BadCredentials, RateLimited, Refused, Unreachable: it was certainly not sent.
            OutcomeUnknown: it may have been sent.
        """
        request = _Request(
            method, url, operation, headers or {}, params, body if form is None else _form(form),
            is_question=False,
        )  # fmt: skip
        try:
            answer = await self._once(request)
        except NOT_SENT as fault:
            raise _unreachable(fault, request.where) from None
        except (ClientError, TimeoutError, OSError) as fault:
            raise OutcomeUnknown(
                f"{request.where}: it left and no answer came", detail=_word(fault)
            ) from None
        trouble = answers.sending_fault(answer, request.where, explain)
        if trouble is not None:
            raise trouble
        return answer

    async def _asked(self, request: _Request) -> Answer:
        return await again.asked(
            lambda: self._answered(request), self.limits, self.observer.retried
        )

    async def _answered(self, request: _Request) -> Answer:
        """One try of a question, redirects within the same origin followed."""
        try:
            answer = await self._once(request)
            if not answer.ok:
                answer = await self._followed(request, answer)
        except (ClientError, TimeoutError, OSError, ValueError) as fault:
            raise _unreachable(fault, request.where) from None
        trouble = answers.reading_fault(answer, request.where)
        if trouble is not None:
            raise trouble
        return answer

    async def _followed(self, request: _Request, answer: Answer) -> Answer:
        """What *answer* leads to, where it is a redirect."""
        for _ in range(HOPS):
            further = _redirected(request, answer)
            if further is None:
                break
            request = further
            answer = await self._once(request)
        return answer

    async def _once(self, request: _Request) -> Answer:
        began, code = monotonic(), 0
        with spans.of(request.operation, method=request.method) as span:
            try:
                url = URL(request.url)
                lead = proxy.lead(url)
                session = self.session if lead or self.walled is None else self.walled
                async with session.request(
                    request.method,
                    url,
                    headers=request.headers,
                    params=request.params,
                    data=request.body,
                    allow_redirects=False,
                    proxy=lead,
                    timeout=self.limits.timeout,
                ) as response:
                    code = response.status
                    self._dated(response, monotonic() - began)
                    return Answer(code, response.headers, await self._body(request, response))
            finally:
                span.put(code=code)
                self.observer.requested(request.operation, str(code), monotonic() - began)

    async def _body(self, request: _Request, response: ClientResponse) -> bytes:
        """The body; the status alone counts where it says all (a refusal, something sent)."""
        needed = request.is_question and 200 <= response.status < 300
        try:
            return await _read(response, request, self.limits.body)
        except (ClientError, TimeoutError, OSError, BadPayload):
            if needed:
                raise
            return b""

    def _dated(self, response: ClientResponse, seconds: float) -> None:
        date = answers.http_date(response.headers.get("Date", ""))
        if date is None or self.now is None:
            return
        # The header is cut to whole seconds, and was written about half way through.
        self.observer.dated((date - self.now()).total_seconds() + 0.5 + seconds / 2)


async def _read(response: ClientResponse, request: _Request, limit: int) -> bytes:
    content, pieces, left = response.content, list[bytes](), limit
    if (response.content_length or 0) <= limit:
        while left >= 0 and (piece := await content.readany()):
            pieces.append(piece)
            left -= len(piece)
            if content.at_eof():  # mostly with the first piece, which came with the headers
                break
        if left >= 0:
            return b"".join(pieces)
    raise BadPayload(
        f"{request.where}: the answer is larger than {limit // 2**20} MB",
        raw=b"",
        detail="too_large",
    )


def _unreachable(fault: Exception, where: str) -> Unreachable:
    word = _word(fault)
    return Unreachable(f"{where}: no answer ({word})", detail=word)


def _word(fault: Exception) -> str:
    if isinstance(fault, TimeoutError):
        return "timeout"
    if isinstance(fault, ClientConnectorDNSError):
        return "dns"
    if isinstance(fault, ClientSSLError):
        return "tls"
    if isinstance(getattr(fault, "os_error", None), guard.Private):
        return "private"
    if isinstance(fault, ValueError | NonHttpUrlClientError):
        return "address"
    return "network"


def _form(parts: Sequence[Part]) -> FormData:
    form = FormData(default_to_multipart=True)
    for part in parts:
        form.add_field(
            part.name, part.content, content_type=part.media_type, filename=part.filename
        )
    return form


def _redirected(request: _Request, answer: Answer) -> _Request | None:
    """The same question at the place that *answer* names, where that is of the same origin."""
    if answer.status not in {301, 302, 303, 307, 308} or "location" not in answer.headers:
        return None
    here = URL(request.url)
    try:
        there = here.join(URL(answer.headers["location"]))
        if there.origin() != here.origin():
            return None
    except ValueError:
        return None
    return _Request(
        request.method, str(there), request.operation, request.headers, body=request.body
    )
