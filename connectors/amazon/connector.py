"""Reads one shop's mailbox, and answers its buyers from there."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.amazon import answering, mapping, trust
from connectors.amazon.identity import Memory
from connectors.amazon.letter import Arrival, Pieces
from connectors.amazon.offer import MAIL
from core.connector import Sent
from core.errors import SettingsError
from core.model import SetAside
from core.transport import filing, mime
from core.transport.correspondence import Correspondence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.amazon.options import AmazonOptions
    from core.connector import Transport
    from core.model import Draft, Page, Thread
    from core.transport.mailbox import Letter, Role

REMEMBERED = timedelta(days=90)
"""How long letters without a case are remembered at least."""


class Amazon:
    """One account. What it remembers between two walks stands in the cursor."""

    def __init__(self, options: AmazonOptions, transport: Transport) -> None:
        if transport.mailboxes is None or transport.smtp is None:
            raise SettingsError(["an Amazon account reads and sends mail; nothing here does"])
        self._options = options
        self._letters = Correspondence(
            options, transport.mailboxes, transport.smtp, transport.http, Memory.read
        )
        self._remembered = max(REMEMBERED, options.same_subject, options.look_back)

    async def check(self) -> None:
        """Log in where letters are read and where they are sent; send none."""
        await self._letters.check()

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """The next letters of all folders."""
        if stream != MAIL:
            raise ValueError(f"no stream {stream}")

        async def understood(
            letters: Sequence[Letter], folders: Mapping[str, Role], memory: Memory
        ) -> tuple[Page, Memory]:
            pieces = await self._pieces(letters, folders, memory, now)
            return pieces.page(), pieces.memory.since(now - self._remembered)

        return await self._letters.page(cursor, position, now, understood)

    async def wait(self, stop: asyncio.Event) -> bool:
        """Listen to the inbox (IMAP IDLE)."""
        return await self._letters.wait(stop)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Send *draft* as one letter; what becomes of it is told by letters, later (trap 14)."""
        letter = answering.letter(thread, draft, self._options, now)
        await self._letters.send(letter, now)
        return Sent(letter.message_id)

    async def _pieces(
        self, letters: Sequence[Letter], folders: Mapping[str, Role], memory: Memory, now: datetime
    ) -> Pieces:
        """What comes of *letters*; between two of them others have their turn."""
        every: list[Pieces] = []
        for letter in letters:
            every.append(self._piece(letter, memory, now, is_sent=folders[letter.folder] == "sent"))
            memory = every[-1].memory
            await asyncio.sleep(0)
        return mapping.joined(every, memory)

    def _piece(self, letter: Letter, memory: Memory, now: datetime, *, is_sent: bool) -> Pieces:
        if letter.lack == "unfetched":
            return Pieces(set_aside=(filing.unfetched(letter),), memory=memory)
        mail = mime.read(letter.raw)
        trusted = trust.of(mail, self._options.authserv_ids)
        arrival = Arrival(mail, letter.arrived_at or now, trusted, is_sent)
        pieces = mapping.pieces([arrival], self._options, memory, now)
        aside = list(pieces.set_aside)
        if letter.lack and pieces.messages:
            aside.append(filing.too_large(pieces.messages[0].id, letter))
        if not is_sent and trust.is_unheard(mail, self._options.authserv_ids):
            aside.append(_unheard(letter))
        return replace(pieces, set_aside=tuple(aside))


def _unheard(letter: Letter) -> SetAside:
    """Kept once for all letters, by one name: a wrong name in the settings, most likely."""
    said = "unproven: none of authserv_ids spoke about a letter of Amazon's, and another server did"
    return SetAside("authserv_ids", said, filing.facts(letter))
