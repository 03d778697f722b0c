"""A walk by the number of the message: gaps, late rows, numbers given again, many shops."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore.prestashop import offer, reading
from core.errors import BadCredentials, BadPayload
from core.stage import walk
from sla.clock import Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.books import turn

SECOND = timedelta(seconds=1)


def bodies(found):
    return [one.body for one in found.messages.values() if one.kind is not Kind.SYSTEM]


async def test_a_new_message_does_not_touch_its_thread_and_is_found_by_its_number(
    shop, clock, read
):
    thread = shop.open_thread("Where is it?", at=clock.now - timedelta(days=3))
    first = await read()
    before = thread.changed_at
    shop.customer_writes(thread.id, "Hello?")
    later = await read(first.cursor)

    assert thread.changed_at == before
    assert bodies(later) == ["Where is it?", "Hello?"]


async def test_a_row_that_appears_later_under_a_lower_number_is_read(shop, clock, read):
    held = shop.reserve()
    quick = shop.open_thread("Quick")
    first = await read()
    slow = shop.customer_writes(quick.id, "Slow", number=held)
    later = await read(first.cursor)

    assert slow.id < quick.messages[0].id
    assert bodies(first) == ["Quick"]
    assert "Slow" in bodies(later)


async def test_gaps_in_the_numbers_cost_nothing(shop, read):
    shop.open_thread("One")
    shop.begin_at(900_000)
    first = await read()
    shop.open_thread("Two")
    later = await read(first.cursor)

    assert bodies(first) == ["One"]
    assert bodies(later) == ["Two"] or set(bodies(later)) == {"One", "Two"}
    assert json.loads(later.cursor)["last"] == 900_001


async def test_a_number_that_is_given_again_is_another_message(shop, clock, read):
    thread = shop.open_thread("Kept", at=clock.now - timedelta(hours=3))
    gone = shop.customer_writes(thread.id, "Removed", at=clock.now - timedelta(hours=2))
    first = await read()
    shop.remove_message(gone.id, restart=True)
    again = shop.customer_writes(thread.id, "New words under an old number")
    later = await read(first.cursor)

    assert again.id == gone.id
    assert not set(bodies(first)) & {"New words under an old number"}
    new = [m for m in later.messages.values() if m.body.startswith("New words")]
    assert [m.id in first.messages for m in new] == [False]


async def test_a_copy_of_the_database_that_was_put_back_is_read_on_from_its_own_numbers(
    shop, clock, read
):
    shop.begin_at(5000)
    shop.open_thread("Of the time after the copy")
    first = await read()
    for thread in list(shop.threads):
        shop.forget(thread)
    shop.begin_at(100)
    shop.open_thread("Written after it was put back")
    back = await read(first.cursor)

    assert bodies(back) == ["Written after it was put back"]
    assert json.loads(back.cursor)["last"] == 101
    shop.open_thread("And on")
    assert "And on" in bodies(await read(back.cursor))


async def test_an_empty_shop_costs_two_questions_and_old_messages_stay_unread(
    sandbox, shop, clock, read
):
    shop.open_thread("Of last year", at=clock.now - timedelta(days=300))
    first = await read()
    shop.open_thread("Of today")
    later = await read(first.cursor)

    assert bodies(first) == []
    assert bodies(later) == ["Of today"]


@pytest.mark.parametrize("empty", ["[]", "{}"])
async def test_an_empty_list_has_no_name(shop, read, empty):
    shop.habits.empty = empty
    found = await read()

    assert found.messages == {}
    assert found.cursor


@pytest.mark.parametrize("is_known", [False, True])
async def test_a_shop_that_cannot_sort_is_told_and_not_taken_for_an_empty_one(shop, read, is_known):
    cursor = (await read()).cursor if is_known else None
    shop.open_thread("Is anybody there?")
    shop.habits.sorts = False

    with pytest.raises(BadPayload, match="asked to sort"):
        await read(cursor)


async def test_the_walk_asks_by_number_and_date_a_hundred_at_a_time(sandbox, shop, clock, read):
    for number in range(230):
        shop.open_thread(f"Question {number}", at=clock.now - timedelta(hours=1) + number * SECOND)
    found = await read()
    asked = [one.query for one in sandbox.calls("customer_messages")]

    assert len(found.messages) == 230
    assert [one["filter[id]"] for one in asked] == [
        "[1,4294967295]", "[101,4294967295]", "[201,4294967295]",
    ]  # fmt: skip
    assert {one["sort"] for one in asked} == {"[id_ASC]"}
    assert {one["limit"] for one in asked} == {"0,100"}
    assert {one["filter[date_add]"] for one in asked} == {
        "[2026-10-21 14:00:00,2100-01-01 00:00:00]"
    }
    assert {one["date"] for one in asked} == {"1"}
    assert [page.cursor is not None for page in found.pages] == [True, True, True]


async def test_the_key_is_the_user_of_basic_and_stands_in_no_address(sandbox, shop, opened, clock):
    shop.open_thread("Where is it?", order=shop.add_order())
    key = shop.add_key()
    connector = opened(key)
    await connector.check()
    await walk(connector, "messages", None, clock.now)

    expected = f"Basic {b64encode(f'{key}:'.encode()).decode()}"
    assert {one.headers["Authorization"] for one in sandbox.heard} == {expected}
    assert not [one for one in sandbox.heard if "ws_key" in one.query]
    assert not [one for one in sandbox.heard if key in f"{one.path}{one.query}"]


async def test_the_zone_is_read_once(sandbox, shop, clock, read):
    shop.open_thread("Where is it?")
    for _ in range(3):
        await read()

    assert len(sandbox.calls("configurations")) == 1
    assert sandbox.calls("configurations")[0].query["filter[name]"] == "[PS_TIMEZONE]"


async def test_a_shop_of_several_has_a_zone_of_its_own(shop, opened, clock):
    shop.settings.append({"id": 2, "name": "PS_TIMEZONE", "value": "Asia/Tokyo", "id_shop": 2})
    thread = shop.open_thread("Where is it?", shop=2, at=clock.now)
    connector = opened(id_shop=2)
    (found,) = (await walk(connector, "messages", None, clock.now)).messages.values()

    assert found.thread == str(thread.id)
    assert found.sent_at == clock.now - timedelta(hours=8)  # Paris wrote it, Tokyo reads it


async def test_a_zone_that_is_none_is_told_with_the_mend(shop, read):
    shop.settings[0]["value"] = "Mars/Olympus"

    with pytest.raises(BadPayload, match="write time_zone"):
        await read()


async def test_only_the_threads_of_the_shop_are_read(shop, opened, clock):
    for number in (1, 2):
        shop.open_thread(f"Of shop {number}", shop=number)
    found = await walk(opened(id_shop=2), "messages", None, clock.now)

    assert bodies(found) == ["Of shop 2"]
    assert [one for page in found.pages for one in page.set_aside] == []


async def test_messages_of_a_thread_that_is_gone_are_set_aside(shop, read):
    thread = shop.open_thread("Where is it?")
    del shop.threads[thread.id]
    found = await read()

    (aside,) = [one for page in found.pages for one in page.set_aside]
    assert found.messages == {}
    assert aside.reason == "id_customer_thread: there is no such thread"


@pytest.mark.parametrize("numbers", [True, False])
async def test_numbers_may_come_as_text(shop, read, numbers):
    shop.habits.numbers = numbers
    order = shop.add_order("XKBKNABJK")
    thread = shop.open_thread("Where is it?", order=order)
    shop.employee_writes(thread.id, "Here.")
    found = await read()

    parties = [m.party for m in found.messages.values() if m.kind is Kind.MESSAGE]
    assert parties == [Party.BUYER, Party.SELLER]
    assert found.threads[str(thread.id)].order_ids == ("XKBKNABJK",)


# Rights


@pytest.mark.parametrize(
    ("resource", "code", "said"),
    [
        ("customer_messages", "401", "view customer_messages"),
        ("customer_threads", "401", "view customer_threads"),
        ("configurations", "401", "or write time_zone"),
    ],
)
async def test_a_right_that_the_key_lacks_blinds_the_stream_alone_and_says_which(
    shop, opened, clock, resource, code, said
):
    shop.open_thread("Where is it?")
    connector = opened(shop.add_key(**{resource: ""}))

    with pytest.raises(BadCredentials, match=said) as caught:
        await connector.fetch(offer.MESSAGES, None, None, clock.now)
    assert caught.value.alone
    assert caught.value.detail == code


async def test_a_method_that_the_key_lacks_is_the_same(shop, opened, clock):
    connector = opened(shop.add_key(customer_messages="POST"))

    with pytest.raises(BadCredentials, match="the key is good") as caught:
        await connector.fetch(offer.MESSAGES, None, None, clock.now)
    assert caught.value.alone
    assert caught.value.detail == "405"


async def test_a_key_that_nobody_knows_takes_the_account_down(shop, opened, clock):
    connector = opened("X" * 32)

    with pytest.raises(BadCredentials) as caught:
        await connector.check()
    assert not caught.value.alone


async def test_a_key_that_may_not_read_the_zone_does_with_the_settings(
    sandbox, shop, opened, clock
):
    shop.open_thread("Where is it?", at=clock.now)
    connector = opened(shop.add_key(configurations=""), time_zone="Europe/Paris")
    (found,) = (await walk(connector, "messages", None, clock.now)).messages.values()

    assert found.sent_at == clock.now
    assert sandbox.calls("configurations") == []


async def test_without_orders_threads_are_read_and_name_none(shop, opened, clock):
    shop.open_thread("Where is it?", order=shop.add_order())
    connector = opened(shop.add_key(orders=""))
    found = await walk(connector, "messages", None, clock.now)

    assert [one.order_ids for one in found.threads.values()] == [()]
    assert bodies(found) == ["Where is it?"]
    (told,) = await connector.check()
    assert told.startswith("api_key: may not view orders")


async def test_a_check_says_that_answers_cannot_be_written_down(shop, opened):
    (told,) = await opened(shop.add_key(customer_messages="GET")).check()

    assert told.startswith("api_key: may not add customer_messages")


async def test_a_check_of_another_address_says_what_to_look_at(sandbox, opened):
    with pytest.raises(BadPayload, match="webservice switched on"):
        await opened(base_url=f"{sandbox.url}/nothing").check()


# Looking


async def test_a_look_shows_threads_whole_and_pages_through_long_ones(shop, prestashop, clock):
    thread, other = shop.open_thread("First"), shop.open_thread("Other")
    for number in range(reading.PAGE + 20):
        shop.customer_writes(thread.id, f"Again {number}", at=clock.now + number * SECOND)
    page = await prestashop.look([str(thread.id), "999", "no-number"], clock.now)

    assert {one.id for one in page.threads} == {str(thread.id)}
    assert len(page.messages) == reading.PAGE + 21
    assert str(other.id) not in {one.thread for one in page.messages}


# Clocks


async def test_trap_5_a_private_note_ends_no_waiting_and_an_answer_does(
    shop, clock, read, optioned
):
    asked = clock.now - timedelta(hours=2)
    noted, answered = shop.open_thread("Where is it?", at=asked), shop.open_thread("?", at=asked)
    shop.employee_writes(noted.id, "Ask the carrier", private=True, at=asked + SECOND)
    shop.employee_writes(answered.id, "On its way", at=asked + timedelta(hours=1))
    found = await read()

    def running(thread):
        turns = [turn(m, clock.now) for m in found.messages.values() if m.thread == str(thread.id)]
        policies = offer.goals(optioned())
        return [one.ended for one in clocks(turns, policies, [], kind=ThreadKind.MESSAGE)]

    assert running(noted) == [None]
    assert running(answered) == ["met"]


async def test_a_status_is_told_and_ends_no_waiting(shop, clock, read, optioned):
    asked = clock.now - timedelta(hours=2)
    thread = shop.open_thread("Where is it?", at=asked)
    shop.set_status(thread.id, "closed", at=asked + timedelta(hours=1))
    found = await read()
    turns = [turn(m, clock.now) for m in found.messages.values()]
    (one,) = clocks(turns, offer.goals(optioned()), [], kind=ThreadKind.MESSAGE)
    (fact,) = [m for m in found.messages.values() if m.kind is Kind.SYSTEM]

    assert one.ended is None
    assert fact.body == "status: closed"
    assert fact.sent_at == asked + timedelta(hours=1)
    assert found.threads[str(thread.id)].closed_at == fact.sent_at


async def test_trap_23_the_shops_wall_clock_becomes_an_instant(shop, read):
    summer = datetime(2026, 11, 1, 9, tzinfo=UTC)
    thread = shop.open_thread("Where is it?", at=summer)
    found = await read()

    assert thread.told(shop.zone)["date_add"] == "2026-11-01 10:00:00"
    assert [one.sent_at for one in found.messages.values()] == [summer]
