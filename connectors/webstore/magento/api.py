"""The calls, one method each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from connectors.webstore.magento import faults, offer
from connectors.webstore.magento.payload import Orders
from connectors.webstore.remarks import walls
from core.errors import BadCredentials, BadPayload, ConnectorError, OutcomeUnknown
from core.transport import answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from connectors.webstore.magento.options import MagentoOptions
    from connectors.webstore.magento.payload import Order
    from core.model import SetAside
    from core.transport.answers import Answer
    from core.transport.http import Http
    from core.transport.salvage import Salvaged

MOST = 100
"""So many orders are asked for by their ids at once."""
FIELDS = (
    "items[entity_id,increment_id,status,created_at,updated_at,customer_note,remote_ip,"
    "customer_email,billing_address[firstname,lastname,email,telephone],"
    "status_histories[entity_id,comment,created_at,is_customer_notified]],total_count"
)
"""All that is asked for of orders."""
STATUS = TypeAdapter(str)

Filter = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of orders, and whether it is the last one."""

    orders: tuple[Order, ...]
    aside: tuple[SetAside, ...]
    is_last: bool


class Api:
    """The calls of one account; what they raise stands in `core.transport.http` and `faults`."""

    def __init__(self, options: MagentoOptions, http: Http) -> None:
        self._options, self._http = options, http
        token = options.access_token.get_secret_value()
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._base = f"{options.base_url}/rest/V1/orders"

    async def orders(self, after: str, page: int, count: int) -> Listed:
        """Orders that changed *after* (UTC), the one that changed first before the others.

        Behind the last page Magento repeats it: how many there are it says.
        """
        got = await self._list([("updated_at", "gt", after)], page, count)
        total = got.value.total_count
        came = len(got.value.items or ()) + len(got.out)
        is_last = came < count if total is None else page * count >= total
        return Listed(tuple(got.value.items or ()), got.aside, is_last)

    async def some(self, orders: Sequence[str]) -> Listed:
        """These orders; unknown ones are left out."""
        found: list[Order] = []
        aside: list[SetAside] = []
        for begin in range(0, len(orders), MOST):
            ids = ",".join(orders[begin : begin + MOST])
            got = await self._list([("entity_id", "in", ids)], 1, MOST)
            found += got.value.items or ()
            aside += got.aside
        return Listed(tuple(found), tuple(aside), is_last=True)

    async def status(self, order: str) -> str:
        """The status of *order* as it is now: a comment names it, and may not change it.

        Raises:
            Refused, BadCredentials, RateLimited, Unreachable: a comment was certainly not sent.
        """
        try:
            answer = await self._get(f"{self._base}/{order}/statuses", offer.READ_STATUS, {})
            return _status(answer)
        except ConnectorError as fault:
            raise faults.before_sending(fault, offer.READ_STATUS) from None

    async def add_comment(self, order: str, status: str, text: str) -> None:
        """A comment that is mailed to the buyer, once; under which id nobody says.

        Raises:
            OutcomeUnknown: something else than Magento may have answered.
        """
        content = {
            "comment": text,
            "is_customer_notified": 1,
            "is_visible_on_front": 1,
            "parent_id": int(order),
            "status": status,
        }
        try:
            answer = await self._http.send(
                f"{self._base}/{order}/comments",
                operation=offer.ADD_COMMENT,
                headers=self._headers | {"Content-Type": "application/json"},
                body=json.dumps({"statusHistory": content}).encode(),
            )
        except BadCredentials as fault:
            raise faults.sending(fault, offer.ADD_COMMENT) from None
        if answer.body.strip() != b"true":
            raise OutcomeUnknown(f"{offer.ADD_COMMENT}: it was not acknowledged; {walls.NO_JSON}")

    async def _list(self, filters: Iterable[Filter], page: int, count: int) -> Salvaged[Orders]:
        store = self._options.store_id
        own: list[Filter] = [] if store is None else [("store_id", "eq", str(store))]
        asked = _criteria([*filters, *own]) | {
            "searchCriteria[sortOrders][0][field]": "updated_at",
            "searchCriteria[sortOrders][0][direction]": "ASC",
            "searchCriteria[sortOrders][1][field]": "entity_id",
            "searchCriteria[sortOrders][1][direction]": "ASC",
            "searchCriteria[pageSize]": str(count),
            "searchCriteria[currentPage]": str(page),
            "fields": FIELDS,
        }
        answer = await self._get(self._base, offer.READ_ORDERS, asked)
        try:
            return answers.salvaged(answer, Orders, offer.READ_ORDERS, ("entity_id",))
        except BadPayload as fault:
            raise faults.reading(fault, offer.READ_ORDERS) from None

    async def _get(self, url: str, operation: str, asked: Mapping[str, str]) -> Answer:
        try:
            return await self._http.get(
                url, operation=operation, headers=self._headers, params=asked
            )
        except (BadCredentials, BadPayload) as fault:
            raise faults.reading(fault, operation) from None


def _criteria(filters: Iterable[Filter]) -> dict[str, str]:
    """*filters* (field, condition, value), all of which hold."""
    told: dict[str, str] = {}
    for number, (field, condition, value) in enumerate(filters):
        one = f"searchCriteria[filter_groups][{number}][filters][0]"
        told |= {
            f"{one}[field]": field,
            f"{one}[condition_type]": condition,
            f"{one}[value]": value,
        }
    return told


def _status(answer: Answer) -> str:
    try:
        return STATUS.validate_json(answer.body)
    except ValidationError:
        said = f"{offer.READ_STATUS}: no status; {walls.NO_JSON}"
        raise BadPayload(said, raw=answer.body, detail="misshapen") from None
