"""The calls, one method each. `shop_id` goes with all: without it the default shop answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import ValidationError
from yarl import URL

from connectors.mirakl.payload import (
    Complaint,
    Orders,
    Reasons,
    Shop,
    Taken,
    ThreadPayload,
    Threads,
)
from core.transport.http import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.mirakl.options import MiraklOptions
    from core.transport.http import Http
    from core.transport.salvage import Salvaged

OPERATIONS = ("A01", "M10", "M11", "M12", "M13", "OR11", "RE01")

AT_ONCE = 100
"""How many threads, messages of a thread or orders come in one answer at most."""

LONGEST_REASON = 200


class Api:
    """One shop's calls; what they raise stands in `core.transport.http`."""

    def __init__(self, options: MiraklOptions, http: Http) -> None:
        self.options, self.http = options, http
        self._key = options.api_key.get_secret_value()
        self._headers = {"Authorization": self._key, "Accept": "application/json"}
        self._shop = {} if options.shop_id is None else {"shop_id": str(options.shop_id)}
        self._threads = URL(self._url("inbox/threads"))
        self._asked: tuple[Mapping[str, str], URL] = {}, self._threads

    async def threads(self, **query: str) -> Salvaged[Threads]:
        """M11: a page of threads."""
        if self._asked[0] != query:  # while nothing is new the same question is asked again
            self._asked = query, self._threads.with_query(self._query(query))
        return await self.http.get_items(
            self._asked[1], Threads, operation="M11", headers=self._headers
        )

    async def thread(self, thread: str) -> Salvaged[ThreadPayload]:
        """M10: a thread with all its messages."""
        return await self.http.get_items(
            self._url("inbox/threads", thread),
            ThreadPayload,
            operation="M10",
            headers=self._headers,
            params=self._shop,
        )

    async def answer(self, thread: str, body: str, to: Sequence[dict[str, str]]) -> str | None:
        """M12: the shop's message, sent once; its id where the operator tells it.

        Multipart, although nothing is attached: JSON alone is answered with 415.
        """
        said = json.dumps({"body": body, "to": list(to)}, ensure_ascii=False)
        answer = await self.http.send(
            self._url("inbox/threads", thread, "message"),
            operation="M12",
            headers=self._headers,
            params=self._shop,
            form=[Part("message_input", said, "application/json")],
            explain=lambda raw: self._reason(raw, body),
        )
        try:
            return Taken.model_validate_json(answer.body).message_id
        except ValidationError:
            return None

    async def attachment(self, attachment: str) -> bytes:
        """M13: an attachment's bytes; its id stands where a thread's would."""
        answer = await self.http.get(
            self._url("inbox/threads", attachment, "download"),
            operation="M13",
            headers={"Authorization": self._key},
            params=self._shop,
        )
        return answer.body

    async def orders(self, **query: str) -> Salvaged[Orders]:
        """OR11: a page of orders."""
        return await self.http.get_items(
            self._url("orders"),
            Orders,
            operation="OR11",
            headers=self._headers,
            params=self._localized(query),
            names=("order_line_id", "order_id"),
        )

    async def reasons(self) -> Salvaged[Reasons]:
        """RE01: what reason codes mean, in the account's locale."""
        return await self.http.get_items(
            self._url("reasons"),
            Reasons,
            operation="RE01",
            headers=self._headers,
            params=self._localized({}),
            names=("code",),
        )

    async def shop(self) -> Salvaged[Shop]:
        """A01: the shop and its numbers."""
        return await self.http.get_items(
            self._url("account"),
            Shop,
            operation="A01",
            headers=self._headers,
            params=self._shop,
        )

    def _url(self, *parts: str) -> str:
        head, *ids = parts
        return "/".join([self.options.base_url, "api", head, *(quote(i, safe="") for i in ids)])

    def _query(self, query: Mapping[str, str]) -> Mapping[str, str]:
        return {**query, **self._shop}

    def _localized(self, query: Mapping[str, str]) -> Mapping[str, str]:
        locale = self.options.locale
        return {**self._query(query), **({"locale": locale} if locale else {})}

    def _reason(self, raw: bytes, body: str) -> str:
        """The operator's words of refusal, unless they repeat what nobody else should read."""
        try:
            said = Complaint.model_validate_json(raw)
        except ValidationError:
            return ""
        text = " ".join((said.message or said.error or "").split())[:LONGEST_REASON]
        hidden: tuple[Any, ...] = (self._key, body)
        return "" if any(one in text or text in one for one in hidden if one and text) else text
