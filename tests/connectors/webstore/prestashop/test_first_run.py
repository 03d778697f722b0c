"""What the first run opens: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from connectors.webstore import spec
from connectors.webstore.prestashop.entry import kind
from connectors.webstore.prestashop.options import PrestaShopOptions
from core.connector import Transport
from core.stage import walk
from core.transport.http import Http
from core.transport.smtp import Smtp

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_placeholders_become_shops_that_are_read_and_answered(session, draft):
    placeholders = kind.filling
    accounts = {
        name: PrestaShopOptions(kind="prestashop", **placeholders, poll_every="2s")
        for name in ("toys", "books")
    }
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for name, options in accounts.items():
            given = {**options.model_dump(), **opened[name]}
            account = spec.open(PrestaShopOptions(**given), Transport(Http(session), smtp=Smtp()))
            assert not await account.check()
            found = await walk(account, "messages", None, NOW)
            assert len(found.threads) > 3
            thread = next(iter(found.threads.values()))
            sent = await account.reply(thread, draft("On its way.", thread.id), NOW)
            again = await walk(account, "messages", None, NOW)
            assert again.messages[sent.message_id].body == "On its way."
            url = opened[name]["base_url"]

    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(url)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "sandbox-scene"]


async def test_a_later_first_run_gives_no_number_again(session):
    seen = []
    for second in range(2):
        at = NOW.replace(second=second)
        options = PrestaShopOptions(kind="prestashop", **kind.filling)
        async with spec.sandbox.open({"a": options}, lambda at=at: at) as opened:
            given = PrestaShopOptions(kind="prestashop", **opened["a"])
            account = spec.open(given, Transport(Http(session), smtp=Smtp()))
            found = await walk(account, "messages", None, at)
            seen.append({m.id for m in found.messages.values()} | set(found.threads))

    assert not seen[0] & seen[1]
