"""Meta's stand-in behaves as Meta does."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace

import aiohttp
import pytest

from connectors.webstore.meta.sandbox import opening, stories
from core.pushes import Receipt
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.meta import endpoints


class Recorder:
    """Keeps what came; answers with *status*."""

    def __init__(self):
        self.came, self.status = [], 200

    async def receive(self, request, _):
        self.came.append(request)
        return Receipt(self.status)


@pytest.fixture
async def endpoint(clock):
    async with endpoints.served(clock) as endpoint:
        endpoint.receiver = Recorder()
        yield endpoint


@pytest.fixture
def line(sandbox, endpoint):
    line = sandbox.graph.add_line("whatsapp")
    sandbox.subscribe(line, endpoint.url)
    return line


@pytest.fixture
def ana(sandbox, line):
    return sandbox.graph.add_person(line, "Ana")


@pytest.fixture
async def call(sandbox, line, session):
    async def call(method, path, *, key=None, **content):
        headers = {"Authorization": f"Bearer {line.token.text if key is None else key}"}
        url = f"{sandbox.url}/v25.0/{path}"
        async with session.request(method, url, json=content or None, headers=headers) as answer:
            return answer.status, await answer.json()

    return call


def text(to, body="Hello", **more):
    return {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": body},
            **more}  # fmt: skip


async def test_a_push_is_signed_over_the_bytes_that_leave(sandbox, line, ana, endpoint):
    sandbox.graph.says(line, ana, "Gdzie jest paczka? żółć")
    await sandbox.pushes.deliver()
    (request,) = endpoint.receiver.came
    digest = hmac.digest(line.app.secret.encode(), request.body, "sha256").hex()
    assert request.headers["x-hub-signature-256"] == f"sha256={digest}"
    value = json.loads(request.body)["entry"][0]["changes"][0]["value"]
    assert value["messages"][0]["timestamp"] == str(int(NOON.timestamp()))
    assert ana.id.encode() in base64.b64decode(value["messages"][0]["id"].partition(".")[2])


async def test_what_nobody_takes_comes_later_and_later_for_a_week(
    sandbox, line, ana, endpoint, clock
):
    endpoint.receiver.status = 500
    sandbox.graph.says(line, ana, "Hello")
    for _ in range(24 * 14):
        await sandbox.pushes.deliver()
        clock.advance(hours=1)
    waits = [tried.at for tried in sandbox.pushes.tried]
    gaps = [later - earlier for earlier, later in pairwise(waits)]
    assert gaps == sorted(gaps)
    assert waits[-1] - NOON <= timedelta(days=7)
    assert sandbox.pushes.waiting == 0


async def test_without_a_subscription_a_message_is_lost_for_ever(sandbox, line, ana, clock):
    line.fields = None
    sandbox.graph.says(line, ana, "Hello")
    await sandbox.pushes.deliver()
    assert (sandbox.pushes.lost, sandbox.pushes.waiting) == (1, 0)


async def test_a_page_that_fails_for_an_hour_is_no_longer_subscribed(sandbox, endpoint, clock):
    page = sandbox.graph.add_line("messenger")
    sandbox.subscribe(page, endpoint.url)
    endpoint.receiver.status = 500
    sandbox.graph.says(page, sandbox.graph.add_person(page), "Hello")
    for _ in range(4):
        await sandbox.pushes.deliver()
        clock.advance(minutes=40)
    assert page.fields is None


async def test_outside_the_window_a_text_is_refused(call, sandbox, line, ana, clock):
    assert (await call("POST", f"{line.id}/messages", **text(ana.id)))[1]["error"]["code"] == 131047
    sandbox.graph.says(line, ana, "Hello")
    assert (await call("POST", f"{line.id}/messages", **text(ana.id)))[0] == 200
    clock.advance(hours=24, seconds=1)
    status, told = await call("POST", f"{line.id}/messages", **text(ana.id))
    assert (status, told["error"]["code"]) == (400, 131047)


async def test_a_reaction_opens_no_window(call, sandbox, line, ana):
    sandbox.graph.says(line, ana, type_="reaction", emoji="x", message_id="wamid.1")
    assert (await call("POST", f"{line.id}/messages", **text(ana.id)))[0] == 400


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "template"}, 100), ({"messaging_product": "sms"}, 100),
        ({"text": {"body": ""}}, 100), ({"text": {"body": "x" * 4097}}, 100),
        ({"text": {}}, 100), ({"to": "1"}, 131026),
        ({"biz_opaque_callback_data": "x" * 513}, 100),
    ],
)  # fmt: skip
async def test_what_meta_does_not_take_is_refused(call, sandbox, line, ana, change, code):
    sandbox.graph.says(line, ana, "Hello")
    status, told = await call("POST", f"{line.id}/messages", **{**text(ana.id), **change})
    assert (status, told["error"]["code"]) == (400, code)


async def test_calls_need_a_token_that_is_good(call, line, clock):
    assert (await call("GET", line.id, key="other"))[1]["error"]["code"] == 190
    assert (await call("GET", line.id))[0] == 200
    line.token.expires_at = clock.now
    assert (await call("GET", line.id))[0] == 401


async def test_an_app_speaks_for_itself_alone(call, sandbox, line):
    other = sandbox.graph.add_app()
    assert (await call("GET", f"{line.app.id}/subscriptions", key=other.key))[0] == 400
    assert (await call("GET", f"{line.app.id}/subscriptions", key=line.app.key))[0] == 200
    assert (await call("GET", "9999", key=line.token.text))[1]["error"]["code"] == 100


async def test_acts_are_ordered_by_http(sandbox, line, endpoint, session):
    async def post(act, **how):
        url = f"{sandbox.url}/_sandbox/acts/{act}"
        async with session.post(url, json=how) as answer:
            return answer.status, await answer.json()

    status, asked = await post("ask", line=line.id, text="Hi", name="Bo")
    assert status == 201
    assert (await post("answer", line=line.id, person=asked["person"]))[0] == 201
    await sandbox.pushes.deliver()
    assert len(endpoint.receiver.came) == 2
    assert (await post("habits", repeats=True, again_after=5))[0] == 201
    assert sandbox.graph.habits.again_after == timedelta(seconds=5)
    assert (await post("habits", nonsense=1))[0] == 400
    assert (await post("habits", again_after="x"))[0] == 400
    assert (await post("expire", line=line.id))[0] == 201
    assert (await post("unsubscribe", line=line.id))[0] == 201
    assert line.place is None
    assert (await post("ask", line="none"))[0] == 400
    assert (await post("answer", line=line.id, person="none"))[0] == 400
    assert (await post("dance"))[0] == 404
    async with session.get(f"{sandbox.url}/_sandbox/") as answer:
        told = await answer.text()
    assert line.id in told
    assert line.token.text not in told
    async with session.get(f"{sandbox.url}/_sandbox/pushes") as answer:
        assert len((await answer.json())["tried"]) == 2


async def test_the_first_run_shows_people_who_wait(endpoint, clock):
    accounts = {"wa": SimpleNamespace(endpoint=endpoint.url)}
    async with opening.open_numbers(accounts, clock) as opened:
        assert set(opened["wa"]) >= {"api", "access_token", "phone_number_id", "app_secret"}
        for _ in range(20):
            clock.advance(seconds=15)
            await asyncio.sleep(0.05)
        assert len(endpoint.receiver.came) > len(stories.OPENING)
        async with (
            aiohttp.ClientSession() as session,
            session.get(
                f"{opened['wa']['api']}/v25.0/{opened['wa']['phone_number_id']}",
                headers={"Authorization": f"Bearer {opened['wa']['access_token']}"},
            ) as answer,
        ):
            assert answer.status == 200
