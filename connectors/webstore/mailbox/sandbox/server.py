"""`Sandbox`: shops' mailboxes on loopback, with as many bad days as one likes.

async with Sandbox(clock) as sandbox:
    shop = await sandbox.add_shop()
    talk = shop.open("Ana Sample", "ana@buyers.example", "Where is my parcel?")
    shop.buyer_writes(talk, "I have been waiting since Monday.")
    sandbox.mail.faults.order("smtp_drop_after_data", 1)
    ...  # talk to IMAP and SMTP as sandbox.options(shop) says, and order acts at sandbox.url
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import TYPE_CHECKING, Any, Self

from connectors.webstore.mailbox.sandbox import acts, letters
from connectors.webstore.mailbox.sandbox.shop import Shop
from core.sandbox import mail, mail_writing
from core.sandbox.faults import Faults
from core.sandbox.mail_post import Post
from core.sandbox.mail_writing import Content
from core.sandbox.serve import Loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.sandbox.mail import Mail, Taken

SERVER = "mx.sandbox.example"
"""Under this name the mailbox's server says what it found out about senders (RFC 8601)."""

HINTS = "Sandbox"
"""The folder with a letter that says where acts are ordered."""


class Sandbox:
    """Serves while it is entered; shops may be added at any time.

    *clock* is everybody's; letters arrive as it goes on. The same *seed* gives the same ids and
    the same chance.
    """

    mail: Mail
    post: Post

    def __init__(self, clock: Callable[[], datetime], *, seed: int = 0) -> None:
        self.clock = clock
        self.shops: dict[str, Shop] = {}
        self.faults = Faults(clock, seed)
        self._passwords: dict[str, str] = {}
        self._random = Random(seed)
        self._stack = AsyncExitStack()
        self._server = Loopback(
            acts.routes(), self.faults, clock, forms=acts.forms, shared={acts.SANDBOX: self}
        )

    async def __aenter__(self) -> Self:
        self.mail = await self._stack.enter_async_context(mail.opened({}, self._receive))
        self.post = Post(self.mail, self.clock)
        running = asyncio.create_task(self.post.run(), name="sandbox-post")
        self._stack.push_async_callback(_ended, running)
        await self._stack.enter_async_context(self._server)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Where acts are ordered, under ``/_sandbox``."""
        return self._server.url

    async def add_shop(
        self, user: str | None = None, *, sender: str | None = None, saves_sent: bool = False
    ) -> Shop:
        """A mailbox of its own, with a letter in the folder `HINTS` that says where acts are."""
        address = user or f"support-{len(self.shops) + 1}@shop.example"
        random = Random(self._random.getrandbits(64))
        own = (sender or address).lower()
        shop = Shop(address, own, SERVER, self.post, self.clock, random, saves_sent)
        self._passwords[address] = f"sandbox-{self._random.getrandbits(64):016x}"
        await self.mail.add_user(address, self._passwords[address])
        await self.mail.add_folder(address, HINTS)
        await self.mail.deliver(address, self._hint(address), self.clock(), HINTS)
        self.shops[address] = shop
        return shop

    def options(self, shop: Shop) -> dict[str, Any]:
        """How an account of the settings reaches *shop*'s mailbox."""
        return {
            "user": shop.user,
            "password": self._passwords[shop.user],
            "imap": {"host": "127.0.0.1", "port": self.mail.imap_port, "tls": "none"},
            "smtp": {"host": "127.0.0.1", "port": self.mail.smtp_port, "tls": "none"},
            "sender": shop.sender,
            "saves_sent": shop.saves_sent,
            "authserv_ids": [shop.server],
        }

    def _hint(self, user: str) -> bytes:
        headers = {"From": letters.NOREPLY, "To": user, "Subject": "How to order a bad day"}
        words = f"POST {self.url}/_sandbox/acts/<act>; see docs/sandbox.md"
        return mail_writing.raw(mail_writing.with_headers(headers), Content(words))

    async def _receive(self, taken: Taken) -> str | None:
        return self.shops[taken.user].takes(taken, self.clock())


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
