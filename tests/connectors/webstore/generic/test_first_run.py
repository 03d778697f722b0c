"""What the first run opens: the stand-in, by the connector's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from connectors.webstore import spec
from connectors.webstore.generic.entry import kind
from connectors.webstore.generic.options import GenericOptions
from connectors.webstore.generic.signing import Proven, proven
from core.connector import Transport
from core.pushes import PushRequest
from core.stage import walk
from core.transport.http import Http
from core.transport.smtp import Smtp
from tests.connectors.webstore.generic.shapes import SHAPES, changed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
WRITTEN = {"plain": {"kind": "generic", **kind.filling}, **SHAPES}


@pytest.mark.parametrize("name", WRITTEN)
async def test_placeholders_become_stores_that_are_read_and_answered(session, draft, name):
    accounts = {account: GenericOptions(**WRITTEN[name]) for account in ("one", "two")}
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        for told in opened.values():
            given = GenericOptions(**{**WRITTEN[name], **told})
            account = spec.open(given, Transport(Http(session), smtp=Smtp()))
            assert await account.check() == ()
            found = await walk(account, "messages", None, NOW)
            assert len(found.threads) > 3
            assert not [one for page in found.pages for one in page.set_aside]
            if name != "plain":
                thread = next(one for one in found.threads.values() if one.reply_to.get("mail"))
                assert (await account.reply(thread, draft("Soon.", thread.id), NOW)).message_id
            url = given.poll.url

    with pytest.raises(OSError, match="Cannot connect"):
        await session.get(url)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not names & {"sandbox-scene", "sandbox-departures"}


def test_what_a_sandbox_account_may_leave_out_fills_every_spelling():
    for table in ("auth", "webhook"):
        secret = kind.tables[table]["secret"]
        for spelling in ("text", "hex", "base64"):
            GenericOptions(
                **changed(SHAPES["flat"], webhook={"secret": secret, "key_encoding": spelling})
            )


async def test_what_happens_is_pushed_to_the_address_of_the_settings(session, door):
    address, came = door
    account = GenericOptions(**changed(SHAPES["whole"], webhook={"endpoint": f"{address}/teapots"}))
    async with spec.sandbox.open({"teapots": account}, lambda: NOW) as opened:
        url = opened["teapots"]["poll"]["url"].partition("/1/")[0]
        async with session.post(
            f"{url}/_sandbox/acts/asks", json={"shop": "1", "text": "Hello?"}
        ) as answer:
            assert answer.status == 201
        headers, body = await asyncio.wait_for(came.get(), 10)
        async with session.get(f"{url}/_sandbox/") as answer:
            (shop,) = await answer.json()
    request = PushRequest("POST", "/", {}, headers, body)

    assert isinstance(proven(request, account.webhook, NOW), Proven)
    assert b"Hello?" in body
    assert shop["waiting"] >= 1
