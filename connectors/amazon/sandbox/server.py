"""`Sandbox`: Amazon and its sellers' mailboxes on loopback, with as many bad days as one likes.

async with Sandbox(clock) as sandbox:
    seller = await sandbox.add_seller("A1PA6795UKMFR9")
    case = seller.open_case(seller.add_buyer("Ada Sample"))
    seller.buyer_writes(case, "Where is my parcel?")
    sandbox.mail.faults.order("smtp_drop_after_data", 1)
    ...  # talk to IMAP and SMTP as sandbox.options(seller) says
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Self

from connectors.amazon.sandbox import buyers_letter, composing, places, wording
from connectors.amazon.sandbox.author import Author
from connectors.amazon.sandbox.composing import Mailbox
from connectors.amazon.sandbox.post import INBOX, Post
from connectors.amazon.sandbox.seller import Habits, Seller
from core.sandbox import mail

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.sandbox.mail import Mail, Taken

SERVER = "mx.sandbox.example"
"""Under this name the mailbox's server says what it found out about senders (RFC 8601)."""


class Sandbox:
    """Serves while it is entered; sellers may be added at any time.

    *clock* is Amazon's and the mail server's; letters arrive as it goes on. The same *seed* gives
    the same ids, aliases and chance.
    """

    mail: Mail
    post: Post

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.clock = clock
        self.sellers: dict[str, Seller] = {}
        self._passwords: dict[str, str] = {}
        self._random = Random(seed)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.mail = await self._stack.enter_async_context(mail.opened({}, self._receive))
        self.post = Post(self.mail, self.clock)
        running = asyncio.create_task(self.post.run(), name="sandbox-post")
        self._stack.push_async_callback(_ended, running)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def add_seller(
        self,
        marketplace: str = "A1PA6795UKMFR9",
        *,
        user: str | None = None,
        sender: str | None = None,
        language: str | None = None,
        habits: Habits | None = None,
    ) -> Seller:
        """An account at a marketplace (its id), with a mailbox of its own and one approved sender.

        *language* is that of its notifications, the marketplace's own where it is not given.
        """
        number = len(self.sellers) + 1
        place = places.BY_ID[marketplace]
        address = user or f"support-{number}@shop.example"
        own = (sender or address).lower()
        random = Random(self._random.getrandbits(64))
        author = Author(
            place, wording.of(language or place.language), "Example Shop", address, random
        )
        box = Mailbox(address, SERVER)
        seller = Seller(author, box, own, self.post, self.clock, random, {own}, habits or Habits())
        self._passwords[address] = f"sandbox-{self._random.getrandbits(64):016x}"
        await self.mail.add_user(address, self._passwords[address])
        self.sellers[address] = seller
        return seller

    def options(self, seller: Seller) -> dict[str, Any]:
        """How an account of the settings reaches *seller*'s mailbox."""
        address = seller.mailbox.user
        return {
            "user": address,
            "password": self._passwords[address],
            "imap": {"host": "127.0.0.1", "port": self.mail.imap_port, "tls": "none"},
            "smtp": {"host": "127.0.0.1", "port": self.mail.smtp_port, "tls": "none"},
            "sender": seller.sender,
            "saves_sent": seller.habits.saves_sent,
            "marketplaces": [seller.author.place.id],
            "authserv_ids": [seller.mailbox.server],
        }

    async def fill(
        self, seller: Seller, count: int, oldest: datetime, newest: datetime, folder: str = INBOX
    ) -> None:
        """Put so many buyers' letters into a folder, evenly between two instants."""
        case = seller.open_case(seller.add_buyer(), carries="sender")
        style = buyers_letter.Style(shape="text")
        mould = buyers_letter.written(seller.author, case, "An old question.", oldest, style)
        step = (newest - oldest) / max(count - 1, 1)
        dated = composing.date(oldest).encode()
        for number in range(count):
            at = oldest + timedelta(seconds=int((step * number).total_seconds()))
            raw = composing.arrived(mould, seller.mailbox, at)
            raw = raw.replace(dated, composing.date(at).encode())
            raw = raw.replace(mould.message_id.encode(), seller.author.message_id(at).encode())
            await self.mail.deliver(seller.mailbox.user, raw, at, folder)

    async def _receive(self, taken: Taken) -> str | None:
        return self.sellers[taken.user].takes(taken, self.clock())


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
