"""Reads, answers and receives."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import ValidationError

from core.connector import Receipt, Sent
from core.errors import BadCredentials, BadPayload
from core.payload import Payload
from replyby_example import mapping
from replyby_example.mapping import Conversation, Entry, Inbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from core.connector import PushRequest, Transport
    from core.model import Draft, Page, Thread
    from core.transport.salvage import Salvaged
    from replyby_example.options import CornerShopOptions

INBOX = "inbox"
OPERATIONS = ("inbox", "conversation", "answer")
SIGNATURE = "x-corner-signature"


class Pushed(Payload):
    """What the Corner Shop sends when somebody writes."""

    entry: Entry


class CornerShop:
    """One shop. The inbox is ascending: its cursor is the number of the last line read."""

    def __init__(self, options: CornerShopOptions, transport: Transport) -> None:
        self._options = options
        self._http = transport.http

    async def check(self) -> None:
        """Ask for what comes after everything."""
        await self._inbox(after="999999999")

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """The next lines; *position* counts the pages, so that each one is another."""
        pages, _, last = (position or f"0:{cursor or 0}").partition(":")
        read = await self._inbox(after=last)
        found = mapping.page(read.value.entries, now)
        return replace(
            found,
            set_aside=read.aside,
            cursor=str(read.value.last),
            position=f"{int(pages) + 1}:{read.value.last}",
            more=read.value.more,
        )

    async def look(self, threads: Sequence[str], now: datetime) -> Page:
        """These conversations whole."""
        entries: list[Entry] = []
        for thread in threads:
            try:
                got = await self._http.get_json(
                    self._url("conversations", thread),
                    Conversation,
                    operation="conversation",
                    headers=self._headers(),
                )
            except BadPayload as fault:
                if fault.detail != "404":
                    raise
            else:
                entries += got.entries
        return mapping.page(entries, now)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Add a line to the conversation."""
        answer = await self._http.send(
            self._url("conversations", thread.id),
            operation="answer",
            headers={**self._headers(), "Content-Type": "application/json"},
            body=json.dumps({"text": draft.body}).encode(),
        )
        try:
            return Sent(Entry.model_validate_json(answer.body).number)
        except ValidationError:
            return Sent(None)

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """A line, signed over the raw bytes; the last part of the path names the account."""
        secret = self._options.push_secret.get_secret_value().encode()
        expected = hmac.new(secret, request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(request.headers.get(SIGNATURE, "").encode(), expected.encode()):
            raise BadCredentials("a push without a good signature", detail="signature")
        try:
            entry = Pushed.model_validate_json(request.body).entry
        except ValidationError:
            raise BadPayload("a push that cannot be read", raw=request.body) from None
        account = request.path.rpartition("/")[2]
        return Receipt(204, pages={account: mapping.page([entry], now)})

    async def _inbox(self, after: str) -> Salvaged[Inbox]:
        return await self._http.get_items(
            self._url("inbox"),
            Inbox,
            operation="inbox",
            headers=self._headers(),
            params={"shop": self._options.shop, "after": after},
            names=("number",),
        )

    def _url(self, *parts: str) -> str:
        return "/".join([self._options.base_url, *(quote(part, safe="") for part in parts)])

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._options.token.get_secret_value()}"}
