"""The calls, one method each. Keys go in a header, never into an address: those stand in logs."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from connectors.webstore.remarks import walls
from connectors.webstore.woocommerce import faults, offer
from connectors.webstore.woocommerce.payload import (
    Hook,
    Hooks,
    Note,
    Notes,
    Order,
    Orders,
    Setting,
)
from core.errors import BadCredentials, BadPayload, OutcomeUnknown, Refused
from core.transport import answers
from core.transport.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connectors.webstore.woocommerce.options import WooCommerceOptions
    from core.model import SetAside
    from core.payload import Payload
    from core.transport.http import Http
    from core.transport.salvage import Salvaged

M = TypeVar("M", bound="Payload")

MOST = 100
"""How many items a page has at most."""
MOST_PAGES = 10
"""So many pages of webhooks."""
PAGES = "x-wp-totalpages"
FIELDS = "id,number,status,date_created_gmt,date_modified_gmt,customer_note,billing"
"""All that is asked for of an order."""
UNMAILED = (
    "WooCommerce took it as an internal note: the buyer got nothing; write it there as a note to"
    " the customer"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of orders, and whether it is the last one."""

    orders: tuple[Order, ...]
    aside: tuple[SetAside, ...]
    is_last: bool


class Api:
    """The calls of one account; what they raise stands in `core.transport.http` and `faults`."""

    def __init__(self, options: WooCommerceOptions, http: Http) -> None:
        self._options, self._http = options, http
        key, secret = options.consumer_key, options.consumer_secret
        pair = f"{key.get_secret_value()}:{secret.get_secret_value()}".encode()
        self._headers = {
            "Authorization": f"Basic {b64encode(pair).decode()}",
            "Accept": "application/json",
        }

    async def orders(self, after: str, page: int, count: int) -> Listed:
        """Orders that changed *after*, the one that changed first before the others.

        How many pages there are a header says: what a user may not see is left out of a page.
        """
        asked = {
            "modified_after": after,
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "asc",
            "page": str(page),
            "per_page": str(count),
        }
        answer = await self._get("orders", offer.READ_ORDERS, asked | {"_fields": FIELDS})
        got = self._list(answer, Orders, offer.READ_ORDERS)
        came = len(got.value.items) + len(got.out)
        told = answer.headers.get(PAGES, "")
        known = told.isascii() and told.isdigit()
        is_last = page >= int(told[:9]) if known else came < count
        return Listed(tuple(got.value.items), got.aside, is_last)

    async def some(self, orders: Sequence[str]) -> Listed:
        """These orders; what is gone is left out."""
        asked = {"include": ",".join(orders), "per_page": str(MOST), "_fields": FIELDS}
        answer = await self._get("orders", offer.READ_ORDERS, asked)
        got = self._list(answer, Orders, offer.READ_ORDERS)
        return Listed(tuple(got.value.items), got.aside, is_last=True)

    async def order(self, order: str) -> Order:
        """One order."""
        answer = await self._get(f"orders/{order}", offer.READ_ORDER, {"_fields": FIELDS})
        return self._one(answer, Order, offer.READ_ORDER)

    async def notes(self, order: str) -> Salvaged[Notes]:
        """All notes about one order, in one piece."""
        answer = await self._get(f"orders/{order}/notes", offer.READ_NOTES)
        return self._list(answer, Notes, offer.READ_NOTES)

    async def add_note(self, order: str, text: str) -> str:
        """A note that is mailed to the buyer, once; its id.

        It is said to be its user's: what nobody is said to have written, a robot did.

        Raises:
            OutcomeUnknown: something else than WooCommerce may have answered.
            Refused: it was taken, and mailed to nobody.
        """
        content = {"note": text, "customer_note": True, "added_by_user": True}
        answer = await self._sent(f"orders/{order}/notes", offer.ADD_NOTE, "POST", content)
        made = _made(answer, Note, offer.ADD_NOTE)
        if made.customer_note is not True:
            raise Refused(f"{offer.ADD_NOTE}: {UNMAILED}", detail="unmailed")
        return made.id

    async def mails_notes(self) -> bool:
        """Whether the shop mails such notes to buyers: its own setting."""
        path = "settings/email_customer_note/enabled"
        answer = await self._get(path, offer.READ_LETTER)
        return bool(self._one(answer, Setting, offer.READ_LETTER).value != "no")

    async def hooks(self) -> list[Hook]:
        """The shop's webhooks, whoever made them."""
        found: list[Hook] = []
        for page in range(1, MOST_PAGES + 1):
            asked = {"page": str(page), "per_page": str(MOST)}
            answer = await self._get("webhooks", offer.READ_HOOKS, asked)
            got = self._list(answer, Hooks, offer.READ_HOOKS)
            found += got.value.items
            if len(got.value.items) + len(got.out) < MOST:
                break
        return found

    async def put_hook(self, known: Hook | None, asked: Mapping[str, object]) -> Hook:
        """A webhook made or, where one is *known*, changed.

        Raises:
            OutcomeUnknown: WooCommerce took it, and does not say what it became.
        """
        path, operation, method = "webhooks", offer.ADD_HOOK, "POST"
        if known is not None:
            path, operation, method = f"{path}/{known.id}", offer.CHANGE_HOOK, "PUT"
        return _made(await self._sent(path, operation, method, asked), Hook, operation)

    async def _get(
        self, path: str, operation: str, asked: Mapping[str, str] | None = None
    ) -> Answer:
        url, route = self._place(path)
        try:
            return await self._http.get(
                url, operation=operation, headers=self._headers, params=route | dict(asked or {})
            )
        except (BadCredentials, BadPayload) as fault:
            raise faults.reading(fault, operation) from None

    async def _sent(
        self, path: str, operation: str, method: str, content: Mapping[str, object]
    ) -> Answer:
        url, route = self._place(path)
        try:
            return await self._http.send(
                url,
                operation=operation,
                method=method,
                headers=self._headers | {"Content-Type": "application/json"},
                params=route,
                body=json.dumps(content).encode(),
            )
        except BadCredentials as fault:
            raise faults.sending(fault, operation) from None

    def _place(self, path: str) -> tuple[str, dict[str, str]]:
        """The address of *path*, and what goes with it where the shop has plain permalinks."""
        if self._options.permalinks:
            return f"{self._options.base_url}/wp-json/wc/v3/{path}", {}
        return f"{self._options.base_url}/", {"rest_route": f"/wc/v3/{path}"}

    def _list(self, answer: Answer, model: type[M], operation: str) -> Salvaged[M]:
        """A bare list in an envelope."""
        wrapped = Answer(answer.status, answer.headers, b'{"items":' + answer.body + b"}")
        try:
            return answers.salvaged(wrapped, model, operation, ("id",))
        except BadPayload as fault:
            raise faults.reading(fault, operation) from None

    def _one(self, answer: Answer, model: type[M], operation: str) -> M:
        try:
            return answers.salvaged(answer, model, operation, ("id",)).value
        except BadPayload as fault:
            raise faults.reading(fault, operation) from None


def _made(answer: Answer, model: type[M], operation: str) -> M:
    """What was made, as WooCommerce shows it."""
    try:
        return model.model_validate_json(answer.body)
    except ValidationError:
        said = f"{operation}: it was taken, and not shown; {walls.NO_JSON}"
        raise OutcomeUnknown(said) from None
