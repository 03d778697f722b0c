"""The calls, one method each: all go to one address, and say in GraphQL what they want."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from connectors.webstore.shopify import questions, refusals
from connectors.webstore.shopify.access import Access
from connectors.webstore.shopify.payload import (
    App,
    DisputeNodes,
    Disputes,
    Hook,
    HookMade,
    Hooks,
    OrderNodes,
    Orders,
)  # fmt: skip
from core.errors import BadPayload, OutcomeUnknown, Refused
from core.transport import answers, salvage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.webstore.shopify.options import ShopifyOptions
    from connectors.webstore.shopify.questions import Question
    from core.transport.answers import Answer, M
    from core.transport.http import Http
    from core.transport.salvage import Salvaged

ANSWERED_BY = "x-shopify-api-version"
MOST_SAID = 200
"""So many characters of a complaint are repeated."""


class Part(NamedTuple):
    """Which part of a list is asked for: so many, behind *after*, of what fits *query*."""

    first: int
    after: str | None
    query: str


class Api:
    """The calls of one account; what they raise stands in `core.transport.http`, and here.

    *answered_by* is the version of the last answer, *answered_at* when it was by Shopify's clock.

    `RateLimited` where the app's points are used up; `BadCredentials` that stands `alone` where a
    scope is missing; `BadPayload` with the detail ``error`` where a question is refused.
    """

    def __init__(self, options: ShopifyOptions, http: Http) -> None:
        self._http, self._access = http, Access(options, http)
        self._url = f"{options.address}/admin/api/{options.api_version}/graphql.json"
        self._version = options.api_version
        self.answered_by: str | None = None
        self.answered_at: datetime | None = None

    @property
    def other_version(self) -> str | None:
        """The version that answered last, where it is not the one that was asked for."""
        return self.answered_by if self.answered_by not in {None, self._version} else None

    async def orders(self, part: Part) -> Salvaged[Orders]:
        """A page of orders, the one that changed first before the others."""
        return await self._asked(questions.ORDERS, part._asdict(), Orders)

    async def disputes(self, part: Part) -> Salvaged[Disputes]:
        """A page of disputes."""
        return await self._asked(questions.DISPUTES, part._asdict(), Disputes)

    async def order_nodes(self, ids: Sequence[str]) -> Salvaged[OrderNodes]:
        """Orders by their global ids."""
        return await self._asked(questions.ORDER_NODES, {"ids": list(ids)}, OrderNodes)

    async def dispute_nodes(self, ids: Sequence[str]) -> Salvaged[DisputeNodes]:
        """Disputes by their global ids."""
        return await self._asked(questions.DISPUTE_NODES, {"ids": list(ids)}, DisputeNodes)

    async def app(self) -> App:
        """What the app may do, and at which store."""
        return (await self._asked(questions.APP, {}, App)).value

    async def hooks(self) -> list[Hook]:
        """The webhook subscriptions that the app made at this store."""
        return (await self._asked(questions.HOOKS, {}, Hooks)).value.subscriptions.nodes

    async def add_hook(self, topic: str, hook: Mapping[str, object]) -> Hook:
        """Subscribe to *topic*.

        Raises:
            Refused: Shopify does not want to.
            OutcomeUnknown: it took the wish, and does not say what became of it.
        """
        question = questions.ADD_HOOK
        body = _body(question, {"topic": topic, "hook": hook})

        async def send(headers: Mapping[str, str]) -> Answer:
            return await self._http.send(
                self._url, operation=question.operation, headers=headers, body=body
            )

        answer = await self._access.authorized(send)
        try:
            made = HookMade.model_validate(self._content(answer, question)).made
        except (BadPayload, ValidationError):
            raise OutcomeUnknown(f"{question.operation}: it was taken, and not shown") from None
        if made.hook is None:
            said = ", ".join(one.message or "" for one in made.complaints)[:MOST_SAID]
            raise Refused(f"{question.operation}: {topic}: {said}", detail="error")
        return made.hook

    async def _asked(
        self, question: Question, variables: Mapping[str, object], model: type[M]
    ) -> Salvaged[M]:
        body = _body(question, variables)

        async def ask(headers: Mapping[str, str]) -> Answer:
            return await self._http.post(
                self._url, body, operation=question.operation, headers=headers
            )

        try:
            answer = await self._access.authorized(ask)
        except BadPayload as fault:
            raise refusals.hinted(fault) from None
        self.answered_by = answer.headers.get(ANSWERED_BY) or self.answered_by
        self.answered_at = answers.http_date(answer.headers.get("date", ""))
        data = self._content(answer, question)
        try:
            return salvage.read(model, data, ("id",))
        except ValidationError as wrong:
            said = f"{question.operation}: {answers.complaint(wrong)}"
            raise BadPayload(said, raw=answer.body, detail="misshapen") from None

    @staticmethod
    def _content(answer: Answer, question: Question) -> Any:
        """The data of an answer.

        Raises:
            ConnectorError: its errors, which HTTP calls 200.
        """
        content = answers.decoded(answer, question.operation)
        if not isinstance(content, dict):
            said = f"{question.operation}: no answer of GraphQL"
            raise BadPayload(said, raw=answer.body, detail="misshapen")
        if (trouble := refusals.fault(content, question.operation)) is not None:
            raise trouble
        return content.get("data")


def _body(question: Question, variables: Mapping[str, object]) -> bytes:
    return json.dumps({"query": question.text, "variables": variables}).encode()
