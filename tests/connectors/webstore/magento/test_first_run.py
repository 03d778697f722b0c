"""What the first run opens: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from connectors.webstore import spec
from connectors.webstore.magento.entry import kind
from connectors.webstore.magento.options import MagentoOptions
from core.connector import Transport
from core.stage import walk
from core.transport.http import Http

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def placed(**more):
    return MagentoOptions(kind="magento", **{**kind.filling, **more})


async def test_placeholders_become_shops_that_are_read_and_answered(session, draft):
    accounts = {name: placed() for name in ("toys", "books")}
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for name in accounts:
            given = MagentoOptions(kind="magento", **opened[name])
            account = spec.open(given, Transport(Http(session)))
            await account.check()
            found = await walk(account, "orders", None, NOW)
            assert len(found.threads) > 3
            thread = next(iter(found.threads.values()))
            assert await account.reply(thread, draft("Soon.", thread.id), NOW)
            url = opened[name]["base_url"]

    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(url)
    assert "sandbox-scene" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_later_first_run_gives_no_number_again(session):
    seen = []
    for second in range(2):
        at = NOW.replace(second=second)
        async with spec.sandbox.open({"a": placed()}, lambda at=at: at) as opened:
            given = MagentoOptions(kind="magento", **opened["a"])
            account = spec.open(given, Transport(Http(session)))
            found = await walk(account, "orders", None, at)
            seen.append(set(found.messages) | set(found.threads))

    assert not seen[0] & seen[1]
