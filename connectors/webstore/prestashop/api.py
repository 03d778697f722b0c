"""The calls, one method each. The key goes as the user of Basic, never as ``ws_key``.

An address is written into every log on the way; a header is not.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore.prestashop import offer
from connectors.webstore.prestashop.payload import (
    Added,
    Complaint,
    OrderRows,
    Row,
    Rows,
    Settings,
    ThreadRows,
)
from core.errors import BadCredentials, BadPayload

if TYPE_CHECKING:
    from collections.abc import Collection

    from connectors.webstore.prestashop.options import PrestaShopOptions
    from core.errors import ConnectorError
    from core.transport.answers import M
    from core.transport.http import Http
    from core.transport.salvage import Salvaged

LAST = 4294967295
"""The greatest id that a table of PrestaShop holds."""
LATEST = "2100-01-01 00:00:00"
NO_RESOURCE, NO_METHOD = {"26"}, {"25"}
"""What PrestaShop says of a key that is good and lacks this right (WebserviceRequest.php)."""
RIGHT = re.compile(r"<customer_messages\b[^>]*\bpost=\"true\"")
ID_IN_XML = re.compile(r"<id>\s*(?:<!\[CDATA\[)?\s*([0-9]{1,19})")
DATE_IN_XML = re.compile(r"<date_add>\s*(?:<!\[CDATA\[)?\s*([0-9: -]{19})")


class Api:
    """The calls of one account; what they raise stands in `core.transport.http`.

    A right that the key lacks is `BadCredentials` that stands `alone`: the key is good elsewhere.
    """

    def __init__(self, options: PrestaShopOptions, http: Http) -> None:
        self._options, self._http = options, http
        key = options.api_key.get_secret_value()
        self._headers = {"Authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"}

    async def messages(
        self, first: int, since: str, count: int, *, is_sorted: bool = True
    ) -> Salvaged[Rows]:
        """Messages from number *first* and date *since* on, the lowest number first."""
        asked = {
            "filter[id]": f"[{first},{LAST}]",
            "filter[date_add]": f"[{since},{LATEST}]",
            "date": "1",
            "limit": f"0,{count}",
        }
        return await self._listed(
            offer.READ_MESSAGES, Rows, asked | ({"sort": "[id_ASC]"} if is_sorted else {})
        )

    async def newest(self) -> Salvaged[Rows]:
        """The message with the greatest number."""
        asked = {"sort": "[id_DESC]", "limit": "0,1"}
        return await self._listed(offer.READ_MESSAGES, Rows, asked)

    async def messages_of(
        self, threads: Collection[str], offset: int, count: int
    ) -> Salvaged[Rows]:
        """Messages of these threads, the lowest number first."""
        asked = {
            "filter[id_customer_thread]": f"[{'|'.join(threads)}]",
            "sort": "[id_ASC]",
            "limit": f"{offset},{count}",
        }
        return await self._listed(offer.READ_MESSAGES, Rows, asked)

    async def threads(self, ids: Collection[str]) -> Salvaged[ThreadRows]:
        """These threads; none that is gone."""
        asked = {"filter[id]": f"[{'|'.join(ids)}]"}
        return await self._listed(offer.READ_THREADS, ThreadRows, asked)

    async def orders(self, ids: Collection[str]) -> Salvaged[OrderRows]:
        """The references of these orders."""
        asked = {"filter[id]": f"[{'|'.join(ids)}]", "display": "[id,reference]"}
        return await self._listed(offer.READ_ORDERS, OrderRows, asked)

    async def configured(self, name: str) -> Salvaged[Settings]:
        """What the shop's configuration says under *name*."""
        asked = {"filter[name]": f"[{name}]", "display": "[name,value,id_shop]"}
        return await self._listed(offer.READ_CONFIGURATIONS, Settings, asked)

    async def may_add(self) -> bool:
        """Whether the key may write messages, as the webservice's own index says."""
        answer = await self._http.get(
            f"{self._options.base_url}/api/",
            operation=offer.READ_RIGHTS,
            headers=self._headers,
            params=self._shop(),
        )
        return RIGHT.search(answer.body.decode("utf-8", "replace")) is not None

    async def add(self, row: bytes) -> Row | None:
        """Add a message, sent once; None where what came back names none."""
        answer = await self._http.send(
            f"{self._options.base_url}/api/{offer.READ_MESSAGES}",
            operation=offer.ADD_MESSAGE,
            headers=self._headers | {"Content-Type": "text/xml; charset=utf-8"},
            params=self._shop() | {"output_format": "JSON"},
            body=row,
        )
        return _added(answer.body)

    async def _listed(self, resource: str, model: type[M], asked: dict[str, str]) -> Salvaged[M]:
        common = {"output_format": "JSON", "display": "full"}
        try:
            return await self._http.get_items(
                f"{self._options.base_url}/api/{resource}",
                model,
                operation=resource,
                headers=self._headers,
                params=common | self._shop() | asked,
            )
        except (BadCredentials, BadPayload) as fault:
            raise _understood(fault, resource) from None

    def _shop(self) -> dict[str, str]:
        number = self._options.id_shop
        return {} if number is None else {"id_shop": str(number)}


def _understood(fault: BadCredentials | BadPayload, resource: str) -> ConnectorError:
    """*fault*, or that the key lacks one right, where PrestaShop says so."""
    codes = _codes(fault.raw)
    lacks = (fault.detail == "401" and codes & NO_RESOURCE) or (
        fault.detail == "405" and codes & NO_METHOD
    )
    if not lacks:
        return fault
    hint = f"give the key the right to view {resource}, under Advanced parameters > Webservice"
    return BadCredentials(
        f"{resource}: the key is good, and may not read this (status {fault.detail}); {hint}",
        detail=fault.detail,
        alone=True,
        raw=fault.raw,
    )


def _codes(raw: bytes) -> set[str]:
    try:
        return {str(one.code) for one in Complaint.model_validate_json(raw).errors}
    except ValidationError:
        return set()


def _added(body: bytes) -> Row | None:
    """The row as it stands there now: in JSON, or in XML where the shop knows nothing else."""
    try:
        return Added.model_validate_json(body).customer_message
    except ValidationError:
        text = body.decode("utf-8", "replace")
    number, date = ID_IN_XML.search(text), DATE_IN_XML.search(text)
    if number is None:
        return None
    return Row(id=number[1], id_customer_thread="0", date_add=date[1] if date else None)
