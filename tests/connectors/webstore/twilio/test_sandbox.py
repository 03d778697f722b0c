"""The stand-in keeps Twilio's contract, and takes orders by HTTP."""

from __future__ import annotations

import pytest
from aiohttp import encode_basic_auth, web

from connectors.webstore.twilio.sandbox import messaging
from tests.connectors.webstore.twilio.conftest import BUYER, OURS, WA_BUYER, WA_OURS


@pytest.fixture
def api(sandbox, account, session):
    """Calls it: `await api("GET", "Messages.json")`; status and JSON."""

    async def api(method, path, *, auth=None, **how):
        base = f"{sandbox.url}/2010-04-01/Accounts/{account.sid}"
        headers = {"Authorization": encode_basic_auth(*(auth or (account.sid, account.token)))}
        async with session.request(method, f"{base}/{path}", headers=headers, **how) as answer:
            return answer.status, await answer.json()

    return api


@pytest.fixture
async def door():
    """Takes what is pushed."""
    came = []

    async def take(request):
        came.append(((await request.post()).get("MessageStatus"), request.headers))
        return web.Response(text="<Response/>", content_type="text/xml")

    app = web.Application()
    app.add_routes([web.post("/push", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/push", came
    await runner.cleanup()


async def test_who_has_neither_token_nor_key_is_not_let_in(api, account):
    for auth in ((account.sid, "wrong"), (account.key, account.token), ("x", "y")):
        assert (await api("GET", "Messages.json", auth=auth))[0] == 401
    assert (await api("GET", "Messages.json", auth=(account.key, account.secret)))[0] == 200


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"From": "+48999999999", "To": BUYER, "Body": "a"}, 21606),
        ({"From": OURS, "To": "nobody", "Body": "a"}, 21211),
        ({"From": OURS, "To": WA_BUYER, "Body": "a"}, 21211),
        ({"From": OURS, "To": BUYER, "Body": ""}, 21602),
        ({"From": OURS, "To": BUYER, "Body": "a" * 1601}, 21617),
        ({"From": OURS, "To": "+48600100299", "Body": "a"}, 21610),
    ],
)
async def test_what_twilio_refuses_is_refused_by_its_number(api, number, form, code):
    number.opted_out.add("+48600100299")

    status, told = await api("POST", "Messages.json", data=form)

    assert (status, told["code"]) == (400, code)


async def test_stop_shuts_and_start_opens(api, account, number):
    form = {"From": OURS, "To": BUYER, "Body": "a"}
    for word, status in (("STOP", 400), ("Hello", 400), ("start", 201)):
        messaging.buyer_writes(account, number, BUYER, word)
        assert (await api("POST", "Messages.json", data=form))[0] == status


async def test_outside_the_window_whatsapp_takes_it_and_it_fails(api, account, sender, sandbox):
    form = {"From": WA_OURS, "To": WA_BUYER, "Body": "a", "StatusCallback": "https://far.example/"}

    assert (await api("POST", "Messages.json", data=form))[0] == 201

    (told,) = sandbox.callbacks.made
    assert (told.fields["MessageStatus"], told.fields["ErrorCode"]) == ("undelivered", "63016")
    assert sandbox.callbacks.tried == sandbox.callbacks.tried.__class__(), "nothing leaves for far"


async def test_pages_follow_their_tokens(api, account, number):
    for place in range(5):
        messaging.buyer_writes(account, number, f"+4860010020{place}", "Hello?")

    _, first = await api("GET", "Messages.json?PageSize=2")
    _, second = await api("GET", first["next_page_uri"].rpartition("/")[2])
    assert len(first["messages"]) == len(second["messages"]) == 2
    assert not {m["sid"] for m in first["messages"]} & {m["sid"] for m in second["messages"]}
    assert (await api("GET", "Messages.json?PageToken=PAodd"))[0] == 400
    assert (await api("GET", "Messages.json?DateSent>=yesterday"))[0] == 400


async def test_pushes_get_lost_wait_and_come_out_of_order_to_order(
    sandbox, account, number, session, door
):
    url, came = door
    number.sms_url = url
    acts = f"{sandbox.url}/_sandbox/acts"
    who = {"account": account.sid, "number": OURS, "theirs": BUYER}
    for name, how in (("lose", {"count": 1}), ("buyer_writes", {**who, "body": "Lost"}),
                      ("hold", {}), ("buyer_writes", {**who, "body": "Held"})):  # fmt: skip
        async with session.post(f"{acts}/{name}", json=how) as answer:
            assert answer.status == 201
    assert came == []
    async with session.post(f"{acts}/hold", json={"held": False}) as answer:
        assert answer.status == 201
    assert await sandbox.callbacks.settled() == [200]
    sent = messaging.seller_writes(account, number, BUYER, "Hi", callback=url, arrives=False)
    messaging.deliver(account, sent, disorderly=True)
    await sandbox.callbacks.settled()

    assert [status for status, _ in came] == [None, "delivered", "sent", "queued"]
    assert all("X-Twilio-Signature" in headers for _, headers in came)
    assert len(account.messages) == 3


@pytest.mark.parametrize(
    ("name", "how", "status"),
    [
        ("odd", {}, 404),
        ("buyer_writes", {"account": "x"}, 400),
        ("buyer_calls", {"theirs": BUYER, "colour": 1}, 400),
        ("buyer_calls", {"theirs": BUYER, "outcome": "taken"}, 201),
        ("agent_calls", {"theirs": BUYER, "at": "2026-11-20T11:00:00+00:00"}, 201),
    ],
)
async def test_orders_by_http(sandbox, account, number, session, name, how, status):
    how = {"account": account.sid, "number": OURS, **how}
    async with session.post(f"{sandbox.url}/_sandbox/acts/{name}", json=how) as answer:
        assert answer.status == status
    for what in ("", "replies", "pushes"):
        async with session.get(f"{sandbox.url}/_sandbox/{what}") as answer:
            assert answer.status == 200
            assert account.token not in await answer.text()
