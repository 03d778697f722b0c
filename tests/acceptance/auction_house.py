"""eBay's stand-in beside a shop: settings of an account there, and a look into its tables."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from connectors.ebay.sandbox.server import Sandbox
from core.loops import utcnow
from tests.acceptance import premises
from tests.acceptance.journey import embedded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connectors.ebay.sandbox.market import Seller
    from tests.acceptance.beside import Beside
    from tests.acceptance.shop import Shop

ACCOUNT = "ebay-de"
TOKEN = "a-verification-token-of-more-than-32-signs"

SETTINGS = """
[push]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"

[accounts.ebay-de]
connector = "ebay"
title = "eBay (DE)"
goals = ["ours"]
routes = ["all"]

[accounts.ebay-de.options]
client_id = "{client_id}"
client_secret = "env:EBAY_SECRET"
refresh_token = "env:EBAY_REFRESH"
refresh_token_made = 2026-11-01
seller = "{seller}"
seller_ids = ["{seller_id}"]
poll_every = "{poll_every}"
dossiers_every = "1s"
hosts = {{ api = "{api}", apiz = "{apiz}", apim = "{apim}", auth = "{auth}" }}
push = {{ endpoint = "{endpoint}", verification_token = "env:EBAY_TOKEN" }}
"""

TABLES = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' order by 1
"""


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[Sandbox, Seller]]:
    """eBay with one seller."""
    async with Sandbox(utcnow, seed=5) as sandbox:
        yield sandbox, sandbox.market.add_seller("shop-b")


def settings(
    sandbox: Sandbox, seller: Seller, port: int, promise: str, poll_every: str = "10m"
) -> str:
    """The settings of a shop of *seller* that is pushed to at *port*."""
    account = SETTINGS.format(
        port=port, client_id=seller.application.client_id, seller=seller.member.name,
        seller_id=seller.member.user_id, poll_every=poll_every,
        endpoint=f"http://127.0.0.1:{port}/push/ebay/{ACCOUNT}", **sandbox.hosts,
    )  # fmt: skip
    return premises.settings(account, promise, level="debug")


def environ(seller: Seller) -> dict[str, str]:
    """The secrets that the settings refer to."""
    return {
        "EBAY_SECRET": seller.application.client_secret,
        "EBAY_REFRESH": seller.refresh_token,
        "EBAY_TOKEN": TOKEN,
    }


def rows(beside: Beside, shop: Shop, query: str, *args: object) -> list[Any]:
    """What *query* finds in the shop's own database."""

    async def fetched() -> list[Any]:
        db = await asyncpg.connect(**embedded(shop.place), timeout=10, command_timeout=10)
        try:
            return await db.fetch(query, *args)
        finally:
            await db.close()

    return beside.run(fetched())


def traces(beside: Beside, shop: Shop, words: frozenset[str]) -> list[str]:
    """Where one of *words* stands: each row of each table as text, the logs, the notices."""
    found = []
    for (table,) in rows(beside, shop, TABLES):
        assert re.fullmatch(r"\w+", table)
        kept = [str(row[0]) for row in rows(beside, shop, f"select t::text from {table} t")]
        found += [table for row in kept if _holds(row, words)]
    for path in sorted((shop.place / "var").glob("*.json*")):
        found += [path.name] if _holds(path.read_text(errors="replace"), words) else []
    return found + (["log"] if _holds(shop.log(), words) else [])


def _holds(text: str, words: frozenset[str]) -> bool:
    """Whether *text* holds one of *words*; bytes of the database are written in hexadecimal."""
    told = text.casefold()
    return any(w.casefold() in told or w.encode().hex() in told for w in words)
