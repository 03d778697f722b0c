"""What the first run opens: the stand-in, by the webstore's own spec."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from connectors.webstore import spec
from connectors.webstore.twilio.entry import kind
from connectors.webstore.twilio.options import TwilioOptions
from core.connector import PushRequest, Transport
from core.stage import walk
from core.transport.http import Http
from sla.clock import Kind
from sla.policy import Party, ThreadKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def placed(**more):
    """An account of the settings that says no more than it must."""
    return TwilioOptions(**{**kind.filling, "kind": "twilio", **more})


async def test_placeholders_become_numbers_that_people_write_to_and_call(session):
    accounts = {"one": placed(), "two": placed(number="whatsapp:+48221230001", poll_every="2s")}
    async with spec.sandbox.open(accounts, lambda: NOW) as opened:
        seen = {}
        for name, options in accounts.items():
            given = TwilioOptions(**{**options.model_dump(), **opened[name]})
            account = spec.open(given, Transport(Http(session)))
            assert await account.check() is None
            seen[name] = await walk(account, "messages", None, NOW)
            if given.hears_calls:
                calls = await walk(account, "calls", None, NOW)

    for found in seen.values():
        said = {(m.party, m.kind) for m in found.messages.values()}
        assert {(Party.BUYER, Kind.MESSAGE), (Party.SELLER, Kind.MESSAGE)} <= said
    assert {t.kind for t in calls.threads.values()} == {ThreadKind.CALL}
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("sandbox")]


async def test_what_happens_is_pushed_to_the_address_of_the_settings(session, door):
    base, came = door
    url = f"{base}/sms"
    given, clock = placed(endpoint=url), [NOW]
    async with spec.sandbox.open({"sms": given}, lambda: clock[0]) as opened:
        options = TwilioOptions(**{**given.model_dump(), **opened["sms"]})
        account = spec.open(options, Transport(Http(session)))
        assert (await account.fetch("number", None, None, NOW)).pushes == ()
        assert came.empty(), "nothing is pushed of what was said before"
        clock[0] += timedelta(minutes=2)
        async with asyncio.timeout(10):
            headers, body = await came.get()

    request = PushRequest("POST", "/push/webstore/sms", {}, headers, body, {"sms": options})
    receipt = await account.receive(request, clock[0])
    assert (receipt.status, receipt.wake) == (200, {"sms"})
