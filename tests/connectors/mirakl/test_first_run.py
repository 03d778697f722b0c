"""What the first run opens: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from connectors.mirakl import spec
from core.connector import Transport, load_specs
from core.transport.http import Http

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_connector_is_found_by_its_entry_point():
    assert load_specs()["mirakl"] is spec


async def test_placeholders_become_an_address_and_a_key_that_work(session):
    placeholders = spec.sandbox.options
    accounts = {
        "one": spec.options(**placeholders, operator="pccomponentes", poll_every="2s"),
        "two": spec.options(**placeholders, operator="bestbuy", shop_id=2101),
        "three": spec.options(**placeholders, operator="bestbuy", shop_id=2102),
    }
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for name, options in accounts.items():
            given = {**options.model_dump(), **opened[name]}
            account = spec.open(spec.options(**given), Transport(Http(session)))
            await account.check()
            page = await account.fetch("messages", None, None, NOW)
            assert page.messages
            url = page.threads[0].url
            assert url.startswith(opened[name]["base_url"])
            assert urlsplit(url).hostname == "127.0.0.1"
            async with session.get(url) as answer:
                assert answer.status == 200

    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(url)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "sandbox-scene"]
