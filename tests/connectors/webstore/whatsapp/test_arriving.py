"""From Meta's stand-in to the committed clock: pushes as they really come, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.whatsapp import offer
from core import reply
from core.desk import answering
from core.errors import Mistaken
from core.metrics import Metrics
from core.reading.walk import Reader
from core.store import transaction
from sla.policy import Party
from tests.connectors.webstore import doors
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.meta import endpoints
from tests.connectors.webstore.whatsapp.test_mapping import recorded
from tests.core import pages, seeds
from tests.core.pages import HOUR

PROMISES = (*offer.policies(None), *offer.goals(None))
RULES = seeds.rules(
    accounts=("shop",), policies={"shop": PROMISES}, says={"judged": True, "connector": "webstore"}
)
WINDOW, GOAL = (policy.name for policy in PROMISES)


@pytest.fixture
async def door(sandbox, graph, session, pool, clock):
    told = {"topics": offer.TOPICS, "usual": ("messages",)}
    async with doors.served("shop", RULES, clock, **told) as door:
        door.line = graph.add_line("whatsapp")
        sandbox.subscribe(door.line, door.url)
        told = {**sandbox.options(door.line), "endpoint": door.url, "kind": "whatsapp"}
        await door.opens(pool, spec.options_of(told).model_validate(told), session)
        yield door


@pytest.fixture
def ana(graph, door):
    return graph.add_person(door.line, "Ana")


@pytest.fixture
def deliver(sandbox, clock):
    async def deliver(**after):
        clock.advance(**(after or {"seconds": 1}))
        await sandbox.pushes.deliver()
        return [tried.status for tried in sandbox.pushes.tried]

    return deliver


@pytest.fixture
def answer(door, pool, clock):
    """Write a reply here, and let it leave; its state, by what is stored."""

    async def answer(text="It is on its way."):
        (thread,) = await pages.rows(pool, "thread")
        async with transaction(pool) as db:
            await answering.queue(
                db, "shop", thread["id"], text, {Party.BUYER}, clock(), refuses=spec.refuses
            )
        streams = {one.name: one for one in spec.streams(door.options)}
        reader = Reader(RULES.accounts["shop"], door.connector, streams, "b")
        await reply.once(pool, {"shop": reader}, RULES, Metrics(), clock())
        return await replied(pool)

    return answer


async def replied(pool):
    return [row["state"] for row in await pages.rows(pool, "reply")]


async def clocks(pool):
    rows = await pages.rows(pool, "clock")
    return {row["promise"]: (row["ended"], row["due_at"]) for row in rows}


async def bodies(pool):
    return [row["body"] for row in await pages.rows(pool, "message") if row["party"] == "buyer"]


async def test_a_message_is_stored_with_its_clocks_before_it_is_acknowledged(
    door, graph, ana, deliver, pool
):
    graph.says(door.line, ana, "Where is my parcel?")
    assert await deliver() == [200]
    assert await bodies(pool) == ["Where is my parcel?"]
    assert await clocks(pool) == {
        WINDOW: (None, NOON + 24 * HOUR), GOAL: (None, NOON + HOUR),
    }  # fmt: skip
    assert door.counted("stored") == 1


async def test_trap_21_what_was_not_taken_comes_again_and_is_stored_once(
    door, graph, ana, deliver, pool
):
    door.pool = None
    graph.says(door.line, ana, "Hello?")
    assert await deliver() == [503]
    door.pool = pool
    assert await deliver(minutes=2) == [503, 200]
    assert await bodies(pool) == ["Hello?"]
    assert (door.counted("failed", "other"), door.counted("stored")) == (1, 1)


async def test_the_same_push_again_is_acknowledged_and_dropped(door, graph, ana, deliver, pool):
    graph.habits.repeats = True
    graph.says(door.line, ana, "Hello?")
    assert await deliver() == [200, 200]
    assert await bodies(pool) == ["Hello?"]
    assert (door.counted("stored"), door.counted("duplicate")) == (1, 1)


@pytest.mark.parametrize("signs", ["wrong", "none", "base64", "reserialised"])
async def test_trap_15_what_is_not_signed_by_meta_is_stored_nowhere(
    door, graph, ana, deliver, pool, signs
):
    graph.habits.signs = signs
    graph.says(door.line, ana, "Hello?")
    assert await deliver() == [401]
    assert await pages.rows(pool, "message") == []
    outcome = "no_signature" if signs == "none" else "bad_signature"
    assert door.counted(outcome, "other") == 1


async def test_a_message_that_comes_months_late_is_stored_at_its_own_time(
    door, graph, ana, deliver, pool, clock
):
    asked = NOON - timedelta(days=90)
    graph.says(door.line, ana, "Old", at=asked)
    assert await deliver() == [200]
    (row,) = await pages.rows(pool, "message")
    assert row["sent_at"] == asked
    assert {row["history"] for row in await pages.rows(pool, "clock")} == {True}


async def test_a_reply_is_accepted_and_then_proved(door, graph, ana, deliver, pool, answer):
    graph.says(door.line, ana, "Where is my parcel?")
    await deliver()
    assert await answer() == ["accepted"]
    await deliver(seconds=10)
    assert await replied(pool) == ["confirmed"]
    assert {ended for ended, _ in (await clocks(pool)).values()} == {"met"}


async def test_a_failure_after_the_delivery_lets_the_clocks_run_again(
    door, graph, ana, deliver, pool, answer
):
    graph.says(door.line, ana, "Where is my parcel?")
    await deliver()
    await answer()
    await deliver(seconds=10)
    assert await replied(pool) == ["confirmed"]
    graph.habits.fails_with = 131026
    said = next(one for one in door.line.said if one.author == "api")
    graph.habits.statuses = ()
    door_pushes = graph.on_said.__self__
    door_pushes.became(door.line, said)
    await deliver(seconds=10)
    assert await replied(pool) == ["refused"]
    assert {ended for ended, _ in (await clocks(pool)).values()} == {None}


async def test_a_reply_of_which_nobody_knows_is_settled_by_its_status_and_never_sent_again(
    door, graph, ana, deliver, pool, answer, sandbox
):
    graph.says(door.line, ana, "Where is my parcel?")
    await deliver()
    sandbox.faults.order("status", status=500, after_work=True, operation="send_message", count=1)
    assert await answer() == ["unknown"]
    assert {ended for ended, _ in (await clocks(pool)).values()} == {None}
    await deliver(seconds=10)
    assert await replied(pool) == ["confirmed"]
    assert {ended for ended, _ in (await clocks(pool)).values()} == {"met"}
    assert len(sandbox.calls("send_message")) == 1


async def test_trap_21_after_the_window_a_reply_is_refused_before_it_leaves(
    door, graph, ana, deliver, pool, answer, clock, sandbox
):
    graph.says(door.line, ana, "Where is my parcel?")
    await deliver()
    clock.advance(hours=25)
    assert await answer() == ["refused"]
    (row,) = await pages.rows(pool, "reply")
    assert "only a template" in row["reason"]
    assert sandbox.calls("send_message") == []


async def test_trap_21_each_message_moves_the_window_and_not_our_own_promise(
    door, graph, ana, deliver, pool
):
    graph.says(door.line, ana, "Where is my parcel?")
    await deliver()
    graph.says(door.line, ana, "Hello?", at=NOON + 20 * HOUR)
    await deliver(hours=20)
    assert await clocks(pool) == {
        WINDOW: (None, NOON + 44 * HOUR), GOAL: (None, NOON + HOUR),
    }  # fmt: skip


async def test_an_answer_in_the_app_ends_the_waiting(door, graph, ana, deliver, pool):
    graph.says(door.line, ana, "Where is my parcel?")
    await deliver()
    graph.says(door.line, ana, "It left today.", at=NOON + timedelta(minutes=9), author="elsewhere")
    await deliver(minutes=10)
    assert {ended for ended, _ in (await clocks(pool)).values()} == {"met"}
    (thread,) = await pages.rows(pool, "thread")
    assert thread["buyer"] == "Ana", "an echo takes nothing away of what the buyer said"


async def test_an_echo_that_comes_first_is_joined_by_the_question(
    door, graph, ana, deliver, pool, sandbox
):
    sandbox.pushes.is_held = True
    graph.says(door.line, ana, "Where is my parcel?")
    graph.says(door.line, ana, "It left.", at=NOON + timedelta(minutes=1), author="elsewhere")
    sandbox.pushes._departures._due.reverse()  # the second first
    sandbox.pushes.is_held = False
    await deliver(minutes=2)
    assert {ended for ended, _ in (await clocks(pool)).values()} == {"met"}


async def test_a_thread_that_nobody_asked_in_says_why_it_cannot_be_answered(
    door, graph, deliver, pool, answer, sandbox
):
    """Of a group nothing leaves; it is refused before it is queued."""
    content = recorded("text")
    value = content["entry"][0]["changes"][0]["value"]
    value["metadata"]["phone_number_id"] = door.line.id
    value["messages"][0]["group_id"] = "Y2FwaQ=="
    sandbox.pushes.put(door.line, content)
    assert await deliver() == [200]
    with pytest.raises(Mistaken, match="in a group"):
        await answer()


async def test_a_push_that_is_no_envelope_is_refused(door, session):
    body = b'{"object": "whatsapp_business_account"}'
    headers = endpoints.signed(door.line.app.secret, body)
    async with session.post(door.url, data=body, headers=headers) as response:
        assert response.status == 400
    assert door.counted("unreadable", "other") == 1
