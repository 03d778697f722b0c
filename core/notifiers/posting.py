"""What means that post over HTTP have in common: where they may post, and what an answer means.

What leaves is posted once; no redirect is followed. No error says more than the status.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, SecretStr, model_validator
from yarl import URL

from core.errors import (
    BadCredentials,
    ConnectorError,
    NotifierError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unfit,
    Unreachable,
)
from core.model import NoticeKind
from core.notifier import NotifierOptions, Settled
from core.transport import guard
from core.transport.http import Limits
from core.transport.proxy import is_web_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.model import Notice
    from core.notifier import Means, Words
    from core.transport.http import Answer, Http

LIMITS = Limits(connect=5.0, total=25.0, body=65_536)
"""Patient: who does not wait for an answer tells again. A process that is stopped for a dozen
seconds finds the answer when it goes on."""

LINKED = re.compile(r"(?P<said>.*\S) (?P<url>https?://[^\s…]+)")
"""A line of our own that leads somewhere; not one that was cut there."""

PRIVATE = f"the receiver's {guard.MEND}"


def _address(url: SecretStr) -> SecretStr:
    if not is_web_address(url.get_secret_value()):
        raise Unfit("is no address; write it like https://example.com/hook")
    return url


WebAddress = Annotated[SecretStr, AfterValidator(_address)]
"""Many receivers put a token into their address: it is a secret."""


class PostingOptions(NotifierOptions):
    """*allow_private*: the receiver may stand on this machine or in a private network."""

    url: WebAddress
    allow_private: bool = False

    @model_validator(mode="after")
    def _outside(self) -> Self:
        host = URL(self.url.get_secret_value()).host or ""
        if not self.allow_private and guard.is_private_host(host):
            raise Unfit(f"url {guard.MEND}")
        return self


class Posting(Settled):
    """What posts to one address has of its settings: how to post there, and the address."""

    def __init__(self, name: str, options: PostingOptions, means: Means) -> None:
        super().__init__(name, options)
        self._http = way(means, allow_private=options.allow_private)
        self._url = options.url.get_secret_value()


def way(means: Means, *, allow_private: bool) -> Http:
    """What to post by."""
    return replace(means.http if allow_private else means.outside, limits=LIMITS)


async def post(
    http: Http,
    url: str,
    body: bytes | Mapping[str, object] | list[dict[str, object]],
    *,
    operation: str,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Post *body*, JSON; any 2xx is a delivery.

    Raises:
        NotifierError: permanent for a 3xx or 4xx, except 407, 408, 429; `retry_after` as asked.
    """
    packed = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    try:
        return await http.send(url, operation=operation, headers=sent, body=packed)
    except ConnectorError as fault:
        raise failed(fault) from None


def failed(fault: ConnectorError) -> NotifierError:
    """What becomes of a notice after *fault*."""
    said = f"the receiver answered {fault.detail}" if fault.detail.isdigit() else "no answer"
    if fault.detail == "private":
        said = PRIVATE
    redirected = fault.detail.startswith("3") and fault.detail.isdigit()
    permanent = isinstance(fault, Refused | BadCredentials) or redirected
    asked = (
        fault.retry_after if isinstance(fault, RateLimited | Unreachable | OutcomeUnknown) else None
    )
    return NotifierError(said, permanent=permanent, retry_after=asked)


def links(notice: Notice, words: Words) -> list[tuple[str, str]]:
    """What a reader may open, with what is said of it: title and address."""
    where = "Open the list" if notice.kind is NoticeKind.DIGEST else "Open the thread"
    pairs = ((where, words.url), ("I take it", words.act_url))
    return [(title, url) for title, url in pairs if url]


def cut(text: str, most: int) -> str:
    """*text*, or as much of it as *most* characters hold, and a sign that there was more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def linked(line: str) -> tuple[str, str | None]:
    """*line* without the address at its end, and that address; None where it has none."""
    found = LINKED.fullmatch(line)
    return (found["said"], found["url"]) if found else (line, None)
