"""What the first run opens: the stand-in, by the webstore's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from connectors.webstore import spec
from connectors.webstore.chatwoot.options import ChatwootOptions
from core.connector import PushRequest, Transport
from core.stage import walk
from core.transport.http import Http
from sla.clock import Kind
from sla.policy import Party

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def placed(**more):
    """An account of the settings that says no more than it must."""
    return ChatwootOptions(**{**spec.sandbox.kinds["chatwoot"].options, "kind": "chatwoot", **more})


async def test_placeholders_become_inboxes_that_work(session):
    accounts = {"one": placed(poll_every="2s"), "two": placed(inbox_id=7)}
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for name, options in accounts.items():
            given = {**options.model_dump(), **opened[name]}
            account = spec.open(ChatwootOptions(**given), Transport(Http(session)))
            await account.check()
            found = await walk(account, "conversations", None, NOW)
            assert found.messages
            url = next(iter(found.threads.values())).url
            assert urlsplit(url).hostname == "127.0.0.1"
            async with session.get(url) as answer:
                assert answer.status == 200

    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(url)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("sandbox")]


async def test_the_opening_shows_people_machines_notes_and_files_of_states(session):
    clock = [NOW]
    async with spec.sandbox.open({"one": placed()}, lambda: clock[0]) as opened:
        options = ChatwootOptions(**{**placed().model_dump(), **opened["one"]})
        account = spec.open(options, Transport(Http(session)))
        found = await walk(account, "conversations", None, NOW)

    seen = {(m.party, m.kind) for m in found.messages.values()}
    assert {
        (Party.BUYER, Kind.MESSAGE), (Party.SELLER, Kind.MESSAGE), (Party.SELLER, Kind.AUTOMATIC),
    } <= seen  # fmt: skip
    threads = found.threads.values()
    assert all(t.reply_to["mail"].endswith(".example") and t.order_ids for t in threads)
    assert all(t.reply_to["phone"].startswith("+48") for t in threads)


@pytest.mark.parametrize("unsigned", [False, True])
async def test_what_happens_is_pushed_to_the_address_of_the_settings(session, door, unsigned):
    base, came = door
    url = f"{base}/chat"
    given = placed(push={"endpoint": url, "unsigned": unsigned})
    clock = [NOW]
    async with spec.sandbox.open({"chat": given}, lambda: clock[0]) as opened:
        options = ChatwootOptions(**{**given.model_dump(), **opened["chat"]})
        account = spec.open(options, Transport(Http(session)))
        hooks = await account.fetch("webhooks", None, None, NOW)
        assert hooks.pushes == ()
        assert came.empty(), "nothing is pushed of what was said before"
        clock[0] += timedelta(minutes=2)
        async with asyncio.timeout(10):
            headers, body = await came.get()

    assert ("x-chatwoot-signature" in headers) is not unsigned
    accounts = {"chat": options}
    request = PushRequest("POST", "/push/webstore/chat", {}, headers, body, accounts)
    receipt = await account.receive(request, clock[0])
    assert (receipt.status, receipt.wake) == (200, {"chat"})


async def test_nothing_is_pushed_beyond_this_machine(session):
    far = placed(push={"endpoint": "https://push.shop.example/push/webstore/chat"})
    async with spec.sandbox.open({"chat": far}, lambda: NOW) as opened:
        assert "secret" not in opened["chat"]["push"]
