"""Amazon's stand-in before a real Dovecot: what it writes is delivered there, as mail is."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

from connectors.amazon.sandbox.server import SERVER, Sandbox
from core.loops import utcnow
from tests.acceptance import premises
from tests.core.dovecot import PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from connectors.amazon.sandbox.seller import Seller
    from tests.core.dovecot import Dovecot

USER, SENDER = "user0", "support@shop.example"
GERMANY = "A1PA6795UKMFR9"

SETTINGS = """
[accounts.amazon-de]
connector = "amazon"
title = "Amazon (DE)"
goals = ["ours"]
routes = ["all"]

[accounts.amazon-de.options]
user = "{user}"
password = "env:SHOP_PASSWORD"
imap = {{ host = "localhost", port = {imap}, tls = "tls" }}
smtp = {{ host = "127.0.0.1", port = {smtp}, tls = "none" }}
sender = "{sender}"
marketplaces = ["{marketplace}"]
authserv_ids = ["{server}"]
poll_every = "10m"
"""


class IntoDovecot:
    """Where the stand-in's letters arrive: in the mailbox's files, and Dovecot finds them there."""

    def __init__(self, dovecot: Dovecot) -> None:
        self._dovecot = dovecot
        self._numbers = count(1)

    async def deliver(self, user: str, raw: bytes, at: datetime, folder: str = "INBOX") -> int:
        assert folder == "INBOX", "colleagues' answers lie elsewhere"
        number = next(self._numbers)
        name = f"{number}.letter"
        await asyncio.to_thread(self._dovecot.drop_in, raw, at, user, name)
        return number


@asynccontextmanager
async def opened(dovecot: Dovecot) -> AsyncIterator[tuple[Sandbox, Seller]]:
    """Amazon with one seller, whose mailbox lies in Dovecot; what he sends is taken by SMTP."""
    dovecot.boxes(USER)
    async with Sandbox(utcnow, seed=4) as sandbox:
        seller = await sandbox.add_seller(GERMANY, user=USER, sender=SENDER)
        seller.habits.copies = False
        await sandbox.mail.add_user(USER, PASSWORD)
        sandbox.post.mail = IntoDovecot(dovecot)
        yield sandbox, seller


def settings(dovecot: Dovecot, sandbox: Sandbox, promise: str) -> str:
    """The settings of a shop with that mailbox; it is read by itself once in ten minutes."""
    account = SETTINGS.format(
        user=USER, sender=SENDER, marketplace=GERMANY, server=SERVER,
        imap=dovecot.tls, smtp=sandbox.mail.smtp_port,
    )  # fmt: skip
    return premises.settings(account, promise)


def environ(dovecot: Dovecot) -> dict[str, str]:
    """The password that the settings refer to, and the certificate that is to be believed."""
    return {"SHOP_PASSWORD": PASSWORD, "SSL_CERT_FILE": str(dovecot.place / "cert.pem")}
