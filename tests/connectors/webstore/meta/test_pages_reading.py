"""Pages and profiles are read under their pushes, and nothing new comes of what was pushed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore.meta.pages import connector
from core.errors import BadPayload
from core.stage import walk
from tests.connectors.webstore.conftest import NOON

HOUR = timedelta(hours=1)


async def test_a_push_is_stored_and_the_walk_that_follows_finds_the_same(
    pages, graph, page, bo, shop, sandbox, read
):
    graph.says(page, bo, "Where is my parcel?")
    graph.says(page, bo, "It left.", author="elsewhere", at=NOON + timedelta(seconds=9))
    await sandbox.pushes.deliver()
    assert [receipt.outcome for receipt in shop.receipts] == ["stored", "stored"]
    assert {receipt.wake for receipt in shop.receipts} == {frozenset({"shop"})}
    assert shop.messages() == (await read()).messages


async def test_a_message_whose_push_was_lost_is_found_by_the_walk(
    pages, graph, page, bo, shop, sandbox, read
):
    page.fields = None
    graph.says(page, bo, "Where is my parcel?")
    await sandbox.pushes.deliver()
    assert shop.receipts == []
    assert [m.body for m in (await read()).messages.values()] == ["Where is my parcel?"]


async def test_a_walk_goes_back_to_its_cursor_and_an_overlap(pages, graph, page, sandbox, clock):
    for hour in range(60):
        person = graph.add_person(page, f"P{hour}")
        graph.says(page, person, "Hello", at=NOON - hour * HOUR)
    first = await walk(pages, "conversations", None, clock.now)
    assert len(first.messages) == 60
    assert len(first.pages) == 3
    again = await walk(pages, "conversations", first.cursor, clock.now)
    assert len(again.pages) == 1
    calls = [one.query for one in sandbox.calls("conversations")]
    assert {query["limit"] for query in calls} == {str(connector.AT_ONCE)}
    assert [query.get("after") for query in calls] == [None, "25", "50", None]


async def test_the_first_walk_reads_as_far_as_the_look_back(opened, graph, page, clock):
    for day in range(60):
        person = graph.add_person(page, f"P{day}")
        graph.says(page, person, "Hello", at=NOON - timedelta(days=day))
    found = await walk(opened(look_back="10d"), "conversations", None, clock.now)
    assert len(found.pages) == 1


async def test_the_cursor_is_never_later_than_the_walks_begin(pages, graph, page, bo, clock):
    graph.says(page, bo, "Hello", at=NOON + HOUR)
    found = await walk(pages, "conversations", None, clock.now)
    assert found.cursor == NOON.isoformat()


async def test_a_long_chat_is_flagged_for_no_older_message_is_told(pages, graph, page, bo, read):
    for number in range(connector.MESSAGES + 5):
        graph.says(page, bo, f"Message {number}", at=NOON - timedelta(minutes=60 - number))
    found = await read()
    assert len(found.messages) == connector.MESSAGES
    assert [thread.incomplete for thread in found.threads.values()] == [True]


async def test_a_look_reads_the_chat_with_one_person(pages, graph, page, bo, sandbox, clock):
    graph.says(page, bo, "Hello")
    other = graph.add_person(page, "Other")
    graph.says(page, other, "Hi")
    found = await pages.look([bo.id, "12345", "no-such-thread"], clock.now)
    assert [t.id for t in found.threads] == [bo.id]
    assert {m.thread for m in found.messages} == {bo.id}
    asked = [one.query["user_id"] for one in sandbox.calls("conversations")]
    assert asked == [bo.id, "12345"]


@pytest.mark.parametrize("field", ["data", "data.0.messages"])
async def test_an_odd_answer_is_told_or_read(pages, graph, page, bo, sandbox, clock, field):
    graph.says(page, bo, "Hello")
    sandbox.faults.order("missing", operation="conversations", field=field)
    if field == "data":
        with pytest.raises(BadPayload):
            await walk(pages, "conversations", None, clock.now)
    else:
        assert (await walk(pages, "conversations", None, clock.now)).messages == {}


async def test_how_all_stands_is_read_by_itself(pages, page, clock):
    found = await pages.fetch("standing", None, None, clock.now)
    assert (found.pushes, found.published) == ((), ())
    page.fields = {"feed"}
    assert (await pages.fetch("standing", None, None, clock.now)).pushes == (
        "subscription_missing",
    )


async def test_a_page_that_meta_no_longer_pushes_is_told(
    pages, page, graph, bo, shop, sandbox, clock
):
    shop.closed = True
    graph.says(page, bo, "Hello")
    for _ in range(4):
        await sandbox.pushes.deliver()
        clock.advance(minutes=40)
    found = await pages.fetch("standing", None, None, clock.now)
    assert found.pushes == ("subscription_missing",)


async def test_a_page_is_subscribed(pages, page, shop, clock):
    page.fields = None
    page.app.subscriptions.clear()
    told = [line async for line in pages.subscribe(None, clock.now)]
    assert told[0] == f"address {shop.url}: registered now"
    assert told[1].endswith(f"{page.id}: subscribed now")
    assert (await pages.fetch("standing", None, None, clock.now)).pushes == ()


async def test_trap_15_what_meta_has_not_signed_is_refused(take, word):
    for headers in ({"x-hub-signature-256": "sha256=00"}, {"x-hub-signature-256": ""}):
        receipt = await take({"object": word, "entry": []}, **headers)
        assert (receipt.status, receipt.outcome, receipt.pages) == (401, "bad_signature", {})


async def test_what_concerns_another_page_of_the_app_goes_there(
    take, optioned, graph, page, shop, word
):
    other = graph.add_line(word, page.app)
    shop.accounts["other"] = optioned(other)
    event = {"sender": {"id": "7"}, "recipient": {"id": other.own}, "timestamp": 1772440200000,
             "message": {"mid": "m_1", "text": "Hi"}}  # fmt: skip
    object_ = "page" if word == "messenger" else "instagram"
    receipt = await take({"object": object_, "entry": [{"id": other.own, "messaging": [event]}]})
    assert set(receipt.pages) == {"other"}
    assert receipt.wake == {"other"}
