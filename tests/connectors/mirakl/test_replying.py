"""M12 on the stand-in: as multipart, once, to those who are meant."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from connectors.mirakl import spec
from core.connector import Transport
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused
from core.model import Draft, Thread
from core.transport.http import Http, Limits
from sla.policy import Party


@pytest.fixture
async def asked(shop, read):
    """A thread as core knows it, with a buyer who waits and an operator who takes part."""
    order = shop.add_order("1001-A")
    thread = shop.open_thread("Where is my parcel?", order=order)
    return (await read()).threads[thread.id]


def draft(body="It left today: ünïcode, <b> and 😀", to=(Party.BUYER,)):
    return Draft(id=1, account="a", thread="t", body=body, to=to, queued_at="2026-03-02T12:00:00Z")


async def test_a_reply_leaves_as_multipart_with_objects_as_recipients(
    mirakl, asked, sandbox, clock, read
):
    sent = await mirakl.reply(asked, draft(), clock.now)

    (reply,) = sandbox.replies
    assert (reply.shop, reply.body, reply.to) == (2000, draft().body, ("CUSTOMER",))
    found = await read()
    assert found.messages[sent.message_id].body == draft().body
    assert found.messages[sent.message_id].to == {Party.BUYER}


@pytest.mark.parametrize(
    ("to", "types"),
    [
        ({Party.MARKETPLACE}, {"OPERATOR"}),
        ({Party.BUYER, Party.MARKETPLACE}, {"CUSTOMER", "OPERATOR"}),
    ],
)
async def test_a_reply_goes_to_those_who_are_meant(mirakl, asked, sandbox, clock, to, types):
    await mirakl.reply(asked, draft(to=to), clock.now)

    assert set(sandbox.replies[0].to) == types


@pytest.mark.parametrize("to", [set(), {Party.SELLER}, {Party.BUYER, Party.SELLER}])
async def test_a_reply_to_nobody_never_leaves(mirakl, asked, sandbox, clock, to):
    with pytest.raises(Refused):
        await mirakl.reply(asked, draft(to=to), clock.now)

    assert sandbox.calls("M12") == []
    assert spec.refuses(asked, to)


async def test_whom_a_thread_knows_is_not_refused_beforehand(asked):
    for to in ({Party.BUYER}, {Party.BUYER, Party.MARKETPLACE}):
        assert spec.refuses(asked, to) is None


async def test_an_incident_has_nobody_to_answer(mirakl, sandbox, clock):
    incident = Thread(id="incident:77-A:1", kind="incident", as_of=clock.now)
    with pytest.raises(Refused, match="cannot be addressed"):
        await mirakl.reply(incident, draft(), clock.now)
    assert "cannot be addressed" in spec.refuses(incident, {Party.BUYER})

    assert sandbox.calls("M12") == []


@pytest.mark.parametrize("length", [0, 2, 50_001])
async def test_a_reply_of_a_wrong_length_never_leaves(mirakl, asked, sandbox, clock, length):
    with pytest.raises(Refused, match="3 to 50000 characters"):
        await mirakl.reply(asked, draft("x" * length), clock.now)

    assert sandbox.calls("M12") == []


@pytest.mark.parametrize("length", [3, 50_000])
async def test_a_reply_may_be_as_long_as_mirakl_allows(mirakl, asked, sandbox, clock, length):
    await mirakl.reply(asked, draft("x" * length), clock.now)

    assert len(sandbox.replies[0].body) == length


async def test_a_refusal_says_why_in_the_operators_words(mirakl, asked, clock, shop):
    stranger = asked.model_copy(update={"reply_to": {"CUSTOMER": "C-other"}})
    with pytest.raises(Refused) as caught:
        await mirakl.reply(stranger, draft(), clock.now)

    assert caught.value.detail == "400"
    assert "somebody who does not take part" in str(caught.value)


async def test_a_thread_of_another_shop_is_refused(mirakl, other_shop, clock):
    theirs = other_shop.open_thread("Not yours", order=other_shop.add_order("9-A"))
    thread = Thread(id=theirs.id, as_of=clock.now, reply_to={"CUSTOMER": "C-9-A"})
    with pytest.raises(Refused) as caught:
        await mirakl.reply(thread, draft(), clock.now)

    assert caught.value.detail == "404"
    assert len(theirs.messages) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "status", "status": 500, "after_work": True}, OutcomeUnknown),
        ({"kind": "status", "status": 502}, OutcomeUnknown),
        ({"kind": "drop"}, OutcomeUnknown),
        ({"kind": "status", "status": 429, "retry_after": 5}, RateLimited),
        ({"kind": "status", "status": 401}, BadCredentials),
        ({"kind": "status", "status": 415}, Refused),
    ],
)
async def test_a_reply_is_never_sent_again(mirakl, asked, sandbox, clock, fault, error):
    sandbox.faults.order(operation="M12", **fault)
    with pytest.raises(error):
        await mirakl.reply(asked, draft(), clock.now)

    assert len(sandbox.calls("M12")) <= 1
    assert len(sandbox.replies) <= 1


async def test_a_reply_whose_answer_does_not_come_is_unknown(opened, asked, sandbox, clock):
    sandbox.faults.order("slow", operation="M12", delay=1.0)
    with pytest.raises(OutcomeUnknown) as caught:
        await opened(limits=Limits(total=0.2)).reply(asked, draft(), clock.now)

    assert caught.value.detail == "timeout"
    assert len(sandbox.replies) == 1


async def test_a_reply_whose_answer_breaks_off_was_accepted(mirakl, asked, sandbox, clock):
    sandbox.faults.order("reset", operation="M12")
    sent = await mirakl.reply(asked, draft(), clock.now)

    assert sent.message_id is None
    assert len(sandbox.replies) == 1


async def test_a_reply_that_came_through_unnoticed_is_found_by_a_look(
    mirakl, asked, sandbox, clock
):
    sandbox.faults.order("status", status=504, after_work=True, operation="M12")
    with pytest.raises(OutcomeUnknown):
        await mirakl.reply(asked, draft(), clock.now)
    page = await mirakl.look([asked.id], clock.now)

    assert draft().body in {m.body for m in page.messages if m.party is Party.SELLER}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"message": "body must have 3 characters"}, "status 400, body must have 3 characters"),
        ({"error": "no such thread"}, "status 400, no such thread"),
        ({"message": "our words: It left today."}, "status 400"),
        ({"message": "the key k3y-secret is wrong"}, "status 400"),
        ({"message": "y" * 5000}, "status 400, " + "y" * 200),
        ({"message": None}, "status 400"),
        ({"message": {"a": 1}}, "status 400"),
        (["x"], "status 400"),
    ],
)
async def test_the_operators_words_never_repeat_a_secret(session, clock, said, shown):
    async def refuse(request):
        await request.read()
        return web.json_response(said, status=400)

    app = web.Application()
    app.add_routes([web.post("/{rest:.*}", refuse)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    mirakl = spec.open(spec.options(base_url=base, api_key="k3y-secret"), Transport(Http(session)))
    thread = Thread(id="a/b?c", as_of=clock.now, reply_to={"CUSTOMER": "C-1"})
    with pytest.raises(Refused) as caught:
        await mirakl.reply(thread, draft("It left today."), clock.now)
    await runner.cleanup()

    assert str(caught.value) == f"M12 at 127.0.0.1: {shown}"


async def test_an_id_with_slashes_stays_one_part_of_the_path(session, clock):
    seen = []

    async def take(request):
        seen.append(request.raw_path)
        return web.json_response(json.loads('{"message_id": 7}'), status=201)

    app = web.Application()
    app.add_routes([web.post("/{rest:.*}", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/some/api/"
    mirakl = spec.open(spec.options(base_url=base, api_key="k"), Transport(Http(session)))
    thread = Thread(id="a/b?c", as_of=clock.now, reply_to={"CUSTOMER": "C-1"})
    sent = await mirakl.reply(thread, draft(), clock.now)
    await runner.cleanup()

    assert seen == ["/some/api/inbox/threads/a%2Fb%3Fc/message"]
    assert sent.message_id == "7"
