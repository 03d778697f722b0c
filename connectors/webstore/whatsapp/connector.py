"""The connector of a number: what is pushed comes in, answers leave, and its state is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore.meta import receiving, registered, subscribing, window
from connectors.webstore.meta.access import Access
from connectors.webstore.whatsapp import answering, identity, offer, standing
from connectors.webstore.whatsapp.payload import Answered, Number, Templates
from core.connector import Sent
from core.errors import ConnectorError, OutcomeUnknown, Refused
from core.model import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from connectors.webstore.whatsapp.options import WhatsappOptions
    from core.connector import Transport
    from core.model import Draft, Thread
    from core.pushes import PushRequest, Receipt


class Whatsapp:
    """One number."""

    def __init__(self, options: WhatsappOptions, transport: Transport) -> None:
        self._options = options
        self._access = Access(transport.http, options)

    async def check(self) -> tuple[str, ...]:
        """Ask for the number, by which key and number are proved at once, and for the token."""
        await self._number()
        return await registered.unwritten(self._access, self._options)

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """How the number, its subscription and its token stand."""
        del stream, cursor, position
        number = await self._number()
        troubles = await registered.troubles(
            self._access, self._options, offer.wanted(self._options), number.pushed_to
        )
        ends = await registered.token(self._access, self._options, now)
        return Page(
            published=(*standing.published(number, now), *ends),
            pushes=troubles,
            cursor=now.isoformat(),
        )

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check who has sent it, and translate; it may concern other accounts of the app."""
        return receiving.receive(request, self._options, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Send once, while the window is open.

        What became of it is told by its statuses, also where no answer came: they carry its mark.
        """
        if (why := answering.refuses(thread, draft.to)) is not None:
            raise Refused(why, detail="refused")
        if (at := window.lapsed(thread, offer.WINDOW, now)) is not None:
            raise Refused(window.told(at, await self._instead()), detail="window")
        path = f"{self._options.phone_number_id}/messages"
        mark = identity.mark(draft)
        try:
            answer = await self._access.send(
                path, answering.written(thread, draft), operation=offer.SEND
            )
        except Refused as fault:
            if fault.detail != "window":
                raise
            raise Refused(f"{fault}; {await self._instead()}", detail="window") from None
        except OutcomeUnknown as fault:
            raise OutcomeUnknown(
                str(fault), detail=fault.detail, retry_after=fault.retry_after, message_id=mark
            ) from None
        try:
            told = Answered.model_validate_json(answer.body)
        except ValidationError:
            return Sent(mark)
        return Sent(identity.message_id(told.messages[0].id))

    def subscribe(self, contact: str | None, now: datetime) -> AsyncIterator[str]:
        """Set up what is missing; see `core.pushes.Subscribes`."""
        del contact, now
        return subscribing.set_up(self._access, self._options, offer.wanted(self._options))

    async def _instead(self) -> str:
        """What may be sent where nothing else may any more."""
        path = f"{self._options.business_account_id}/message_templates"
        try:
            found = await self._access.items(
                path, Templates, operation=offer.TEMPLATES, params=answering.ASKED
            )
        except ConnectorError:
            return answering.instead(None)
        return answering.instead(found.value.data or ())

    async def _number(self) -> Number:
        return await self._access.get(
            self._options.phone_number_id, Number, operation=offer.SHOW, params=standing.FIELDS
        )


def opened(options: WhatsappOptions, transport: Transport) -> Whatsapp:
    """The connector of one number; makes no call."""
    return Whatsapp(options, transport)
