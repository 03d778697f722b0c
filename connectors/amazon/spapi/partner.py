"""One seller account at SP-API: its orders, its typed messages, Amazon's numbers about it."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.amazon.spapi import forms, orders, performance
from connectors.amazon.spapi.calls import Calls
from connectors.amazon.spapi.payload import (
    ActionsAnswer,
    Attachment,
    AttributesAnswer,
    DestinationAnswer,
    OrderAnswer,
    ParticipationsAnswer,
)
from core.connector import Allowed
from core.errors import BadPayload, ConnectorError, OutcomeUnknown, Refused, Unreachable
from core.transport import answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.amazon.options import AmazonOptions, SpApi
    from connectors.amazon.spapi.payload import OrderPayload
    from core.connector import Action, Deed
    from core.model import File, Order, Page
    from core.transport.http import Http

UNKNOWN = frozenset({"400", "404"})
"""How an order is answered that is none of this account's."""


class Partner:
    """What SP-API does for one account; keeps nothing but the token and what calls have told."""

    def __init__(self, options: AmazonOptions, given: SpApi, http: Http) -> None:
        self._marketplaces = options.marketplaces
        self._calls = Calls(options, given, http)

    async def check(self) -> None:
        """Ask where the seller sells: token, region and marketplaces are right if that works.

        Raises:
            ConnectorError: they are not; it says what mends.
        """
        told = await self._calls.get(
            "getMarketplaceParticipations",
            "/sellers/v1/marketplaceParticipations",
            ParticipationsAnswer,
        )
        missing = set(self._marketplaces) - {one.marketplace.id for one in told.payload}
        if missing:
            raise BadPayload(
                f"SP-API: this seller does not sell at {', '.join(sorted(missing))}; "
                "is sp_api of this account, and are its marketplaces right?",
                detail="marketplace",
            )

    async def orders(self, ids: Sequence[str], now: datetime) -> Mapping[str, Order | None]:
        """These orders as far as the rate allows; see `core.connector.Enriches`.

        One that cannot be read counts as unknown where others can be: it holds nobody up.
        """
        found: dict[str, Order | None] = {}
        odd: dict[str, BadPayload] = {}
        for id_ in ids:
            try:
                told = await self._order(id_)
            except BadPayload as fault:
                odd[id_] = fault
            except ConnectorError:
                if not found:
                    raise
                break
            else:
                found[id_] = None if told is None else orders.order(told, now)
        if odd and not found:
            raise next(iter(odd.values()))
        return {**found, **dict.fromkeys(odd)}

    async def _order(self, id_: str) -> OrderPayload | None:
        path = f"{orders.PATH}{quote(id_, safe='')}"
        params = {"includedData": orders.INCLUDED}
        try:
            answer = await self._calls.get("getOrder", path, OrderAnswer, params)
        except BadPayload as fault:
            if fault.detail in UNKNOWN:
                return None
            raise
        return answer.order if answer.order.order_id == id_ else None

    async def allowed(self, order: str, now: datetime) -> Allowed:  # noqa: ARG002  # the protocol hands it to everybody
        """What may be said about *order* now, and in which language; see `core.connector.Acts`."""
        params = await self._place(order)
        found = await self._actions(order, params)
        if not found:
            return Allowed(())
        path = f"{forms.PATH}{quote(order, safe='')}/attributes"
        about = await self._calls.get("GetAttributes", path, AttributesAnswer, params)
        return Allowed(found, about.buyer.locale if about.buyer else None)

    async def act(self, deed: Deed, now: datetime) -> None:  # noqa: ARG002  # the protocol hands it to everybody
        """Send a typed message once, if it is allowed; see `core.connector.Acts`.

        Success tells nothing that could be read back, so nothing is ever repeated (trap 19).
        """
        forms.check(deed)
        params = await self._place(deed.order)
        await self._check_allowed(deed, params)
        path = f"{forms.PATH}{quote(deed.order, safe='')}/messages/{deed.action}"
        files = [await self._upload(one, path, params) for one in deed.files]
        body = forms.body(deed, tuple(files))
        await self._calls.send("sendMessage", path, body, params, said=deed.text or "")

    async def _check_allowed(self, deed: Deed, params: Mapping[str, str]) -> None:
        try:
            found = await self._actions(deed.order, params)
        except BadPayload as fault:
            raise _undone(fault) from None
        names = [one.name for one in found]
        if deed.action not in names:
            which = ", ".join(names) or "nothing"
            raise Refused(f"{deed.order} allows {which} now", detail="action")

    async def _actions(self, order: str, params: Mapping[str, str]) -> tuple[Action, ...]:
        path = f"{forms.PATH}{quote(order, safe='')}"
        try:
            told = await self._calls.get("getMessagingActionsForOrder", path, ActionsAnswer, params)
        except BadPayload as fault:
            if fault.detail in UNKNOWN:
                raise _unknown(order) from None
            raise
        return forms.allowed(told.links.actions)

    async def _place(self, order: str) -> Mapping[str, str]:
        """The one marketplace that such a call is to name: that of the order (trap 21)."""
        place: str | None = self._marketplaces[0]
        if len(self._marketplaces) > 1:
            try:
                told = await self._order(order)
            except BadPayload as fault:
                raise _undone(fault) from None
            if told is None:
                raise _unknown(order)
            place = orders.marketplace(told) or place
        return {"marketplaceIds": str(place)}

    async def _upload(self, file: File, path: str, params: Mapping[str, str]) -> Attachment:
        """Bring *file* to Amazon; nothing is said to anybody yet, so all that fails is undone."""
        digest = hashlib.md5(file.content, usedforsecurity=False).digest()
        asked = {
            **params,
            "contentMD5": base64.b64encode(digest).decode(),
            "contentType": file.media_type,
        }
        try:
            where = f"/uploads/2020-11-01/uploadDestinations{path}"
            answer = await self._calls.send("createUploadDestination", where, None, asked)
            place = answers.parsed(answer, DestinationAnswer, "createUploadDestination").payload
            await self._calls.upload("putFile", place.url, place.headers, file.content)
        except OutcomeUnknown as fault:
            raise Unreachable(str(fault), detail=fault.detail) from None
        except BadPayload as fault:
            raise _undone(fault) from None
        return Attachment(upload_destination_id=place.upload_destination_id, file_name=file.name)

    async def performance(self, cursor: str | None, now: datetime) -> Page:
        """Amazon's own numbers; see `performance`."""
        return await performance.read(self._calls, self._marketplaces, cursor, now)


def _unknown(order: str) -> Refused:
    return Refused(f"Amazon knows no order {order}, or not of this account", detail="order")


def _undone(fault: BadPayload) -> Refused:
    """What could not be read before anything was said: nothing was."""
    return Refused(str(fault), detail=fault.detail)
