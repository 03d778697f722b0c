"""Reads one mailbox of the shop, and answers its buyers from there."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.webstore.mailbox import answering
from connectors.webstore.mailbox.letter import Arrival
from connectors.webstore.mailbox.mapping import Reading
from connectors.webstore.mailbox.memory import Memory
from connectors.webstore.mailbox.offer import MAIL
from core.connector import Sent
from core.errors import SettingsError
from core.transport import authentication, filing, mime
from core.transport.correspondence import Correspondence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from connectors.webstore.mailbox.options import MailboxOptions
    from core.connector import Transport
    from core.model import Draft, Page, Thread
    from core.transport.mailbox import Letter, Role

REMEMBERED = timedelta(days=90)
"""How long letters, orders and threads are remembered at least."""


class StoreMailbox:
    """One account. What it remembers between two walks stands in the cursor."""

    def __init__(self, options: MailboxOptions, transport: Transport) -> None:
        if transport.mailboxes is None or transport.smtp is None:
            raise SettingsError(["a shop's mailbox reads and sends mail; nothing here does"])
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
            reading = Reading(self._options, memory.copy())
            for letter in letters:
                self._take(reading, letter, folders[letter.folder], now)
                await asyncio.sleep(0)  # between two letters others have their turn
            reading.memory.forget(now - self._remembered)
            return reading.page(), reading.memory

        return await self._letters.page(cursor, position, now, understood)

    async def wait(self, stop: asyncio.Event) -> bool:
        """Listen to the inbox (IMAP IDLE)."""
        return await self._letters.wait(stop)

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Send *draft* as one letter; a report tells later where it did not arrive."""
        letter = answering.letter(thread, draft, self._options, now)
        await self._letters.send(letter, now)
        return Sent(letter.message_id)

    def _take(self, reading: Reading, letter: Letter, role: Role, now: datetime) -> None:
        if letter.lack == "unfetched":
            reading.set_aside.append(filing.unfetched(letter))
            return
        mail = mime.read(letter.raw)
        found = authentication.findings(mail.headers, self._options.authserv_ids)
        arrival = Arrival(mail, letter.arrived_at or now, role, found, letter.gm_thrid)
        message = reading.take(arrival)
        if letter.lack and message is not None:
            reading.set_aside.append(filing.too_large(message, letter))
