"""The stand-in keeps Chatwoot's rules, and lets people act to order."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from aiohttp import web

from connectors.webstore.chatwoot.sandbox.chats import Bot

CHATS = "/api/v1/accounts/1/conversations"


class Heard:
    def __init__(self):
        self.came, self.status, self.url = [], 200, ""

    async def answer(self, request):
        self.came.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)


@pytest.fixture
async def address():
    """An address that keeps what is pushed to it."""
    heard = Heard()
    app = web.Application()
    app.add_routes([web.post("/hook", heard.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    heard.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield heard
    await runner.cleanup()


@pytest.fixture
def call(sandbox, session, account):
    """What the API answers: `await call(path, page="2")`."""

    async def call(path, *, token=None, method="GET", body=None, **query):
        headers = {"api_access_token": token or account.agents[0].token}
        async with session.request(
            method, f"{sandbox.url}{path}", headers=headers, params=query, json=body
        ) as answer:
            content = await answer.read()
            return answer.status, json.loads(content) if content else None

    return call


@pytest.fixture
def act(sandbox, session):
    async def act(name, **how):
        async with session.post(f"{sandbox.url}/_sandbox/acts/{name}", json=how) as answer:
            return answer.status, await answer.json()

    return act


def ids(answer):
    return [one["id"] for one in answer[1]["data"]["payload"]]


async def test_without_a_status_only_open_conversations_are_listed(call, account, inbox):
    account.open_chat("open")
    account.open_chat("resolved").set_status("resolved")

    assert ids(await call(CHATS)) == [1]
    assert ids(await call(CHATS, status="resolved")) == [2]
    assert sorted(ids(await call(CHATS, status="all"))) == [1, 2]


async def test_the_last_activity_comes_first_and_25_a_page(call, account, inbox, clock):
    for number in range(30):
        account.open_chat("Hello", at=clock.now - timedelta(minutes=number))
    account.chats[30].contact_writes("now", at=clock.now + timedelta(seconds=1))

    first, second = [await call(CHATS, page=str(number)) for number in (1, 2)]

    assert ids(first)[:2] == [30, 1]
    assert (len(ids(first)), len(ids(second))) == (25, 5)
    assert ids(await call(CHATS, page="3")) == []
    assert first[1]["data"]["meta"]["all_count"] == 30


async def test_messages_come_20_before_and_100_after(call, account, inbox):
    chat = account.open_chat("0")
    for number in range(1, 150):
        chat.contact_writes(f"{number}")
    path = f"{CHATS}/1/messages"

    last = (await call(path))[1]["payload"]
    before = (await call(path, before=str(last[0]["id"])))[1]["payload"]
    after = (await call(path, after="0"))[1]["payload"]

    assert [one["content"] for one in last] == [str(n) for n in range(130, 150)]
    assert [one["content"] for one in before] == [str(n) for n in range(110, 130)]
    assert [one["content"] for one in after] == [str(n) for n in range(100)]
    assert all(type(one["message_type"]) is int for one in last)


async def test_an_agent_sees_its_inboxes_and_no_webhooks(call, account, inbox):
    account.open_chat("Hello", inbox=inbox)
    account.open_chat("Hello", inbox=account.add_inbox())
    agent = account.add_agent(role="agent", inboxes=frozenset({inbox.id}))

    assert ids(await call(CHATS, token=agent.token)) == [1]
    assert (await call(f"{CHATS}/2", token=agent.token))[0] == 404
    status, said = await call("/api/v1/accounts/1/webhooks", token=agent.token)
    assert (status, said) == (401, {"error": "You are not authorized to do this action"})


async def test_a_token_opens_its_own_account_alone(call, sandbox, inbox):
    sandbox.desk.add_account()

    assert await call(CHATS, token="dead") == (401, {"error": "Invalid Access Token"})
    assert (await call("/api/v1/accounts/2/conversations"))[0] == 401
    assert (await call("/api/v1/accounts/1/nothing"))[0] == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"content": ""}, 422), ({"content": "x" * 150_001}, 422), ([], 422),
     ({"content": "x", "message_type": "incoming"}, 403), ({"content": "x"}, 200)],
)  # fmt: skip
async def test_what_a_message_must_be_like(call, account, inbox, body, status):
    account.open_chat("Hello")

    assert (await call(f"{CHATS}/1/messages", method="POST", body=body))[0] == status


async def test_a_push_is_signed_over_its_second_and_its_bytes(sandbox, account, inbox, address):
    hook = account.add_webhook(address.url, ["message_created"])
    account.open_chat("Ünïcode?")
    assert await sandbox.deliveries.deliver() == [200]

    ((headers, body),) = address.came
    content = f"{headers['X-Chatwoot-Timestamp']}.".encode() + body
    digest = hmac.new(hook.secret.encode(), content, hashlib.sha256).hexdigest()
    assert headers["X-Chatwoot-Signature"] == f"sha256={digest}"
    told = json.loads(body)
    assert (told["event"], told["message_type"]) == ("message_created", "incoming")
    assert told["created_at"] == "2026-11-20T12:00:00.000Z"
    assert told["conversation"]["messages"][0]["message_type"] == 0


async def test_an_old_server_signs_nothing_and_names_no_delivery(sandbox, account, inbox, address):
    sandbox.desk.habits.signs = sandbox.desk.habits.names_deliveries = False
    sandbox.desk.habits.dates = "words"
    account.add_webhook(address.url, ["message_created"])
    account.open_chat("Hello")
    await sandbox.deliveries.deliver()

    ((headers, body),) = address.came
    assert not [name for name in headers if name.startswith("X-Chatwoot")]
    assert json.loads(body)["created_at"] == "2026-11-20 12:00:00 UTC"


async def test_a_push_comes_once_whatever_is_answered_or_twice_by_habit(
    sandbox, account, inbox, address
):
    account.add_webhook(address.url, ["message_created"])
    address.status = 500
    chat = account.open_chat("Hello")
    assert await sandbox.deliveries.deliver() == [500]
    sandbox.desk.habits.copies = 2
    chat.contact_writes("again")

    await sandbox.deliveries.deliver()

    names = [headers["X-Chatwoot-Delivery"] for headers, _ in address.came]
    assert len(names) == 3
    assert len(set(names)) == 2


async def test_what_is_pushed_of_notes_bots_and_activities(sandbox, account, inbox, address):
    account.add_webhook(address.url, ["message_created", "conversation_status_changed"])
    chat = account.open_chat("Hello")
    chat.agent_writes("A note", private=True)
    chat.bot_writes("I am a robot", Bot(3, "Robot"))
    chat.set_status("resolved")
    await sandbox.deliveries.deliver()

    told = [json.loads(body) for _, body in address.came]
    messages = [one for one in told if one["event"] == "message_created"]
    assert sorted((one["private"], one["content"]) for one in messages) == [
        (False, "Hello"), (False, "I am a robot"), (True, "A note"),
    ]  # fmt: skip
    (changed,) = [one for one in told if one["event"] == "conversation_status_changed"]
    assert changed["status"] == "resolved"


async def test_a_push_to_nobody_is_lost(sandbox, account, inbox):
    account.add_webhook("http://127.0.0.1:9/hook", ["message_created"])
    account.open_chat("Hello")

    assert await sandbox.deliveries.deliver() == [None]
    assert sandbox.deliveries.waiting == 0


async def test_people_act_to_order(act, sandbox, session, account, inbox):
    status, opened = await act("open_chat", account=1, content="Hello", order_id="1001")
    assert (status, opened["waiting"]) == (201, True)
    here = {"account": 1, "conversation": opened["conversation"]}
    for name, how in (
        ("bot_writes", {"content": "I am a robot", "type": "Captain::Assistant"}),
        ("automation_writes", {"content": "By a rule"}),
        ("template_writes", {"content": "Welcome"}),
        ("agent_writes", {"content": "A note", "private": True}),
    ):
        assert (await act(name, **here, **how))[0] == 201
    assert account.chats[1].is_waiting()
    await act("agent_writes", **here, content="An answer", at="2026-11-20T12:01:00+00:00")
    assert not account.chats[1].is_waiting()
    await act("fail", **here)
    assert account.chats[1].messages[-1].status == "failed"
    await act("can_reply", **here, can_reply=False)
    await act("set_status", **here, status="resolved")
    await act("contact_writes", **here, content="Again")
    assert account.chats[1].status == "open"
    async with session.get(f"{sandbox.url}/_sandbox/conversations") as answer:
        (shown,) = await answer.json()
    assert (shown["status"], shown["waiting"]) == ("open", True)
    assert (await act("forget", **here))[0] == 201
    assert account.chats == {}


async def test_habits_are_ordered_and_no_secret_is_shown(act, sandbox, session, account, inbox):
    hook = account.add_webhook("http://127.0.0.1:9/hook", ["message_created"])
    assert (await act("habits", copies=2, enveloped=False))[0] == 201
    assert (await act("hold"))[0] == 201
    assert (sandbox.desk.habits.copies, sandbox.deliveries.is_held) == (2, True)

    for path in ("", "conversations", "replies", "pushes", "requests", "faults"):
        async with session.get(f"{sandbox.url}/_sandbox/{path}") as answer:
            assert answer.status == 200
            text = await answer.text()
        assert hook.secret not in text
        assert account.agents[0].token not in text


@pytest.mark.parametrize(
    ("name", "how", "status"),
    [("fly", {"account": 1, "conversation": 1}, 404), ("contact_writes", {"account": 9}, 404),
     ("contact_writes", {"account": 1, "conversation": 9}, 404), ("habits", {"odd": 1}, 400),
     ("open_chat", {"account": 1, "at": "soon"}, 400)],
)  # fmt: skip
async def test_an_order_that_makes_no_sense_is_refused(act, account, inbox, name, how, status):
    account.open_chat("Hello")

    assert (await act(name, **how))[0] == status


async def test_people_answer_on_the_dashboards_page(sandbox, session, account, inbox):
    chat = account.open_chat("<b>Hello</b>")
    url = f"{sandbox.url}/app/accounts/1/conversations/1"
    async with session.get(url) as answer:
        assert "&lt;b&gt;Hello" in await answer.text()
    for act_, content in (("note", "A note"), ("answer", "An answer"), ("answer", " ")):
        async with session.post(url, data={"act": act_, "content": content}) as answer:
            assert answer.status == 200
    async with session.post(url, data={"act": "resolve"}):
        pass

    assert [(one.content, one.private) for one in chat.messages[1:3]] == [
        ("A note", True), ("An answer", False),
    ]  # fmt: skip
    assert chat.status == "resolved"
    async with session.get(f"{sandbox.url}/app/accounts/1/conversations/9") as answer:
        assert answer.status == 404


async def test_webhooks_are_made_changed_and_removed(call, account, inbox):
    path = "/api/v1/accounts/1/webhooks"
    body = {"url": "https://x.example/", "subscriptions": ["message_created"], "name": "x"}
    status, made = await call(path, method="POST", body=body)
    number = made["payload"]["webhook"]["id"]
    assert status == 200
    assert (await call(path, method="POST", body=body))[0] == 422
    for wrong in ({"url": "ftp://x"}, {**body, "url": "https://y.example", "subscriptions": ["x"]}):
        assert (await call(path, method="POST", body=wrong))[0] == 422
    await call(f"{path}/{number}", method="PATCH", body={"url": "https://z.example/"})
    assert account.webhooks[number].url == "https://z.example/"
    assert (await call(f"{path}/9", method="PATCH", body={}))[0] == 404
    assert (await call(f"{path}/{number}", method="DELETE"))[0] == 200
    assert account.webhooks == {}
