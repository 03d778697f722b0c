"""What the first run opens: the stand-in of each kind, by the webstore's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from connectors.webstore import spec
from connectors.webstore.kinds import KINDS
from core.connector import Transport
from core.model import Draft
from core.stage import walk
from core.transport.http import Http
from core.transport.smtp import Smtp

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ASKED = {
    "bigcommerce": "messages", "magento": "orders", "prestashop": "messages",
    "shopify": "orders", "woocommerce": "orders",
}  # fmt: skip
"""The stream that holds what buyers of a shop's system ask."""
SAID = {**ASKED, "chatwoot": "conversations", "generic": "messages", "twilio": "messages"}
EVERY = {"bigcommerce": "1m"}
"""How often an account may ask at most, where the stand-in is no reason to ask oftener."""
UNNAMED = {"magento"}
"""Kinds whose shop does not say which message an answer became."""
SHOWN = {"prestashop"}
"""Kinds whose shop shows an answer at once under the name that it gave."""


def placed(word, **more):
    """An account of the settings that says no more than it must."""
    told = {**KINDS[word].filling, **more, "kind": word}
    return spec.options_of(told).model_validate(told)


@pytest.mark.parametrize("word", ASKED)
async def test_placeholders_become_shops_that_are_read_and_answered(session, word):
    more = {"toys": {}, "books": {"poll_every": EVERY.get(word, "2s")}}
    accounts = {name: placed(word, **told) for name, told in more.items()}
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for name, told in more.items():
            given = placed(word, **{**told, **opened[name]})
            account = spec.open(given, Transport(Http(session), smtp=Smtp()))
            assert not await account.check()
            found = await walk(account, ASKED[word], None, NOW)
            assert len(found.threads) > 3
            thread = next(iter(found.threads.values()))
            draft = Draft(id=1, account="a", thread=thread.id, body="Soon.", queued_at=NOW)
            sent = await account.reply(thread, draft, NOW)
            assert bool(sent.message_id) is (word not in UNNAMED)
            if word in SHOWN:
                again = await walk(account, ASKED[word], None, NOW)
                assert again.messages[sent.message_id].body == "Soon."
            url = opened[name]["base_url"]

    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(url)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("sandbox")]


@pytest.mark.parametrize("word", SAID)
async def test_a_later_first_run_gives_no_number_again(session, word):
    seen = []
    for second in range(2):
        at = NOW.replace(second=second)
        async with spec.sandbox.open({"a": placed(word)}, lambda at=at: at) as opened:
            given = placed(word, **opened["a"])
            account = spec.open(given, Transport(Http(session), smtp=Smtp()))
            found = await walk(account, SAID[word], None, at)
            assert found.messages
            seen.append(set(found.messages) | set(found.threads))

    assert not seen[0] & seen[1]
