"""The calls, one method each."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pydantic import ValidationError

from connectors.webstore.twilio import answering, offer
from connectors.webstore.twilio.payload import (
    Call,
    Calls,
    Made,
    Media,
    Numbers,
    Recordings,
    Texts,
    Transcriptions,
)
from core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.twilio.options import TwilioOptions
    from core.model import Draft, Thread
    from core.transport.answers import M
    from core.transport.http import Http
    from core.transport.salvage import Salvaged

FORM = "application/x-www-form-urlencoded"
VERSION = "2010-04-01"
NAMED = ("sid",)


class Api:
    """The calls of one account; what they raise stands in `core.transport.http`."""

    def __init__(self, options: TwilioOptions, http: Http) -> None:
        self._options, self._http = options, http
        self._base = f"{options.base_url}/{VERSION}/Accounts/{options.account_sid}"
        self._headers = {"Authorization": _basic(options), "Accept": "application/json"}

    async def texts(self, **asked: str) -> Salvaged[Texts]:
        """Messages, the newest first."""
        return await self._list("Messages", Texts, offer.LIST, asked)

    async def media(self, message: str) -> Salvaged[Media]:
        """The files of a message."""
        return await self._list(f"Messages/{message}/Media", Media, offer.MEDIA, {})

    async def calls(self, **asked: str) -> Salvaged[Calls]:
        """Calls, the newest first: all of the account, legs among them."""
        return await self._list("Calls", Calls, offer.LIST_CALLS, asked)

    async def call(self, sid: str) -> Call:
        """One call."""
        return await self._http.get_json(
            f"{self._base}/Calls/{sid}.json", Call, operation=offer.CALL, headers=self._headers
        )

    async def recordings(self, call: str | None = None, **asked: str) -> Salvaged[Recordings]:
        """Recordings of the account, or of one call."""
        path = "Recordings" if call is None else f"Calls/{call}/Recordings"
        return await self._list(path, Recordings, offer.RECORDINGS, asked)

    async def transcriptions(self, **asked: str) -> Salvaged[Transcriptions]:
        """Transcriptions of the account, the newest first."""
        return await self._list("Transcriptions", Transcriptions, offer.TEXTS, asked)

    async def numbers(self) -> Salvaged[Numbers]:
        """Our number, as it is registered; nothing where the account has no such number."""
        asked = {"PhoneNumber": self._options.number}
        return await self._list("IncomingPhoneNumbers", Numbers, offer.NUMBERS, asked)

    async def change_number(self, sid: str, fields: Mapping[str, str]) -> None:
        """Register addresses at a number, once."""
        await self._http.send(
            f"{self._base}/IncomingPhoneNumbers/{sid}.json",
            operation=offer.CHANGE_NUMBER,
            headers={**self._headers, "Content-Type": FORM},
            body=urlencode(fields).encode(),
            explain=answering.reason,
        )

    async def send(self, thread: Thread, draft: Draft) -> str | None:
        """A message to the buyer, sent once; its sid.

        Raises:
            Refused: Twilio took it not; `unanswerable` where the buyer opted out.
        """
        codes: list[int | None] = []

        def explain(raw: bytes) -> str:
            codes.append(answering.code(raw))
            return answering.reason(raw)

        try:
            answer = await self._http.send(
                f"{self._base}/Messages.json",
                operation=offer.SEND,
                headers={**self._headers, "Content-Type": FORM},
                body=answering.form(thread, draft, self._options),
                explain=explain,
            )
        except Refused as fault:
            is_final = answering.STOP_CODE in codes
            raise Refused(str(fault), detail=fault.detail, unanswerable=is_final) from None
        try:
            return Made.model_validate_json(answer.body).sid
        except ValidationError:
            return None

    async def _list(
        self, path: str, model: type[M], operation: str, asked: Mapping[str, str]
    ) -> Salvaged[M]:
        return await self._http.get_items(
            f"{self._base}/{path}.json",
            model,
            operation=operation,
            headers=self._headers,
            params=asked,
            names=NAMED,
        )


def _basic(options: TwilioOptions) -> str:
    user, secret = options.account_sid, options.auth_token
    if options.api_key is not None:
        user, secret = options.api_key, options.api_secret
    word = "" if secret is None else secret.get_secret_value()
    return "Basic " + b64encode(f"{user}:{word}".encode()).decode()
