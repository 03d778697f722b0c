"""Every request that we make, and every answer of the stand-in, fits Chatwoot's own contract."""

from __future__ import annotations

import json

import pytest

from connectors.webstore.chatwoot import offer
from connectors.webstore.chatwoot.sandbox.chats import Bot
from core.model import Draft, File
from tests.connectors.webstore.chatwoot import contract
from tests.connectors.webstore.chatwoot.conftest import ENDPOINT, SECRET

pytestmark = pytest.mark.needs_shared(contract.NAME)

KNOWN = "updated_at: type"
"""Of a message: the file says a number, the source (`push_event_data`) writes a date. Nobody reads
it here."""


@pytest.fixture
async def everything(account, inbox, opened, clock, sandbox):
    """All calls that the connector knows, made once."""
    chat = account.open_chat("Where is it?", order_id="1001")
    chat.bot_writes("I am a robot", Bot(5, "Robot"))
    chat.template_writes("Welcome")
    chat.agent_writes("A note", private=True)
    chat.set_status("pending")
    for number in range(25):
        chat.contact_writes(f"{number}")
    sandbox.desk.habits.enveloped = False
    connector = opened(push={"endpoint": ENDPOINT, "secret": SECRET})
    await connector.check()
    page = await connector.fetch("conversations", None, None, clock.now)
    await connector.look([page.threads[0].id], clock.now)
    given = {"id": 1, "account": "chat", "thread": "1", "queued_at": clock.now}
    for files in ((), (File("label.pdf", b"\x00\xff", "application/pdf"),)):
        await connector.reply(
            page.threads[0], Draft(body="It left today.", files=files, **given), clock.now
        )
    assert [line async for line in connector.subscribe(None, clock.now)]
    next(iter(account.webhooks.values())).subscriptions = ["message_created"]
    assert [line async for line in connector.subscribe(None, clock.now)]
    await connector.fetch("webhooks", None, None, clock.now)
    return list(sandbox.heard)


async def test_each_request_fits_the_contract(everything):
    assert {heard.operation for heard in everything} == {
        "conversations", "conversation", "messages", "send", "inbox", "webhooks", "webhook_made",
        "webhook_changed",
    }  # fmt: skip
    assert len(offer.OPERATIONS) == 8
    assert [(one.operation, each) for one in everything for each in contract.faults(one)] == []


async def test_each_answer_of_the_stand_in_fits_the_contract(everything, session, sandbox, account):
    headers = {"api_access_token": account.agents[0].token}
    seen = {one.operation: one for one in everything if one.method == "GET"}
    for name, one in seen.items():
        query = dict(one.query)
        async with session.get(f"{sandbox.url}{one.path}", params=query, headers=headers) as got:
            answer = json.loads(await got.read())
        odd = [each for each in contract.odd(one, answer) if not each.endswith(KNOWN)]
        assert odd == [], name


async def test_what_we_subscribe_to_is_known(everything):
    schema = contract.document()["components"]["schemas"]["webhook_create_update_payload"]

    assert set(offer.WANTED) <= set(schema["properties"]["subscriptions"]["items"]["enum"])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"path": "/api/v1/accounts/1/chats"}, "no operation"),
        ({"query": (("status", "any"),)}, "status: : enum"),
        ({"query": (("sort", "x"),)}, "sort is unknown"),
        ({"query": (("page", "one"),)}, "page: : type"),
        ({"headers": {}}, "none of"),
        ({"body": b"x"}, "a body that nobody knows"),
    ],
)
async def test_what_does_not_fit_is_found(everything, change, fault):
    one = next(heard for heard in everything if heard.operation == "conversations")
    told = {name: getattr(one, name) for name in one.__dataclass_fields__}

    found = list(contract.faults(type(one)(**{**told, **change})))

    assert len(found) == 1
    assert found[0].startswith(fault)
