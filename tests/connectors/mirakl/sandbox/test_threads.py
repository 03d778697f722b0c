"""M10, M11, M13: filters, paging, the cut, and what people do in a thread."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.mirakl.sandbox.inbox import Habits, Participant


def ids(pages):
    return [one["id"] for page in pages for one in page["data"]]


async def one(call, thread, **query):
    status, body = await call(f"/inbox/threads/{thread.id}", params=query)
    assert status == 200
    return body


async def test_a_thread_looks_as_documented(call, clock, shop):
    order = shop.add_order("1001-A")
    thread = shop.open_thread("Where?", order=order, topic=("REASON_CODE", "26"))
    clock.advance(hours=1)
    thread.buyer_writes("Photo", attachments=[("photo.jpg", b"12345")])

    body = await one(call, thread)
    customer = {"type": "CUSTOMER", "id": "C-1001-A", "display_name": "Ada Sample"}
    seller = {"type": "SHOP", "id": "2000", "display_name": "My shop"}

    assert body["topic"] == {"type": "REASON_CODE", "value": "26"}
    assert body["entities"] == [{"type": "MMP_ORDER", "id": "1001-A", "label": "1001-A"}]
    assert body["authorized_participants"] == [
        seller,
        customer,
        {"type": "OPERATOR", "display_name": "op customer care"},
    ]
    assert body["current_participants"] == [seller, customer]
    assert (body["date_created"], body["date_updated"]) == (
        "2026-03-02T12:00:01.500Z",
        "2026-03-02T13:00:01.500Z",
    )
    assert body["metadata"] == {
        "total_count": 2,
        "last_message_date": "2026-03-02T13:00:01.500Z",
        "last_sender": {"type": "CUSTOMER_USER", "display_name": "Ada Sample"},
        "shop_reply_needed_since": "2026-03-02T12:00:01.500Z",
    }
    first, second = body["messages"]
    assert first["from"] == {"type": "CUSTOMER_USER", "display_name": "Ada Sample"}
    assert (first["to"], "attachments" in first) == ([seller], False)
    assert [(a["name"], a["size"]) for a in second["attachments"]] == [("photo.jpg", 5)]


async def test_an_unknown_thread_is_not_found(call):
    assert (await call("/inbox/threads/unknown"))[0] == 404


async def test_messages_and_clicks_come_only_when_asked_for(call, shop):
    shop.open_thread("a").click_no_reply_needed(by="OPERATOR")

    bare = (await call("/inbox/threads"))[1]["data"][0]
    full = (await call("/inbox/threads", params={"with_messages": "true"}))[1]["data"][0]

    assert not {"messages", "no_store_reply_needed"} & set(bare)
    assert len(full["messages"]) == 1
    assert full["no_store_reply_needed"] == [
        {"date": "2026-03-02T12:00:01.500Z", "user_type": "OPERATOR"}
    ]


async def test_only_the_last_hundred_messages_come_with_a_page(call, clock, shop):
    thread = shop.open_thread("0")
    for number in range(1, 130):
        thread.buyer_writes(str(number), at=clock.now + timedelta(seconds=number))

    page = (await call("/inbox/threads", params={"with_messages": "true"}))[1]["data"][0]
    whole = await one(call, thread)

    assert [m["body"] for m in page["messages"]] == [str(n) for n in range(30, 130)]
    assert page["metadata"]["total_count"] == 130
    assert [m["body"] for m in whole["messages"]] == [str(n) for n in range(130)]


async def test_the_last_changed_comes_first(call, clock, shop):
    first, second = shop.open_thread("a"), shop.open_thread("b", at=clock.now + timedelta(hours=1))
    clock.advance(hours=2)
    first.buyer_writes("again")

    assert ids([(await call("/inbox/threads"))[1]]) == [first.id, second.id]


async def test_updated_since_is_inclusive_to_the_millisecond(call, clock, shop):
    early = shop.open_thread("a")
    late = shop.open_thread("b", at=clock.now + timedelta(milliseconds=1))
    stamps = ["2026-03-02T12:00:01.500Z", "2026-03-02T13:00:01.501+01:00", "2026-03-02T12:00:02Z"]

    found = [
        ids([(await call("/inbox/threads", params={"updated_since": at}))[1]]) for at in stamps
    ]

    assert found == [[late.id, early.id], [late.id], []]


@pytest.mark.parametrize(
    "query",
    [
        {"entity_id": "1"},
        {"entity_type": "NONSENSE"},
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "x"},
        {"with_messages": "1"},
        {"updated_since": "yesterday"},
        {"updated_since": "2026-03-02T12:00:00"},
        {"page_token": "nonsense"},
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(call, query):
    status, body = await call("/inbox/threads", params=query)

    assert (status, bool(body["message"])) == (400, True)


async def test_threads_are_found_by_entity(call, shop):
    orders = [shop.open_thread("a", order=shop.add_order(f"{n}-A")) for n in range(3)]
    offer = shop.open_thread("b", entity=("MMP_OFFER", "1-A"))
    own = shop.open_thread("c", entity=("SELLER_OPERATOR", "2000"))

    async def found(**query):
        return set(ids([(await call("/inbox/threads", params=query))[1]]))

    assert await found(entity_type="MMP_ORDER") == {one.id for one in orders}
    assert await found(entity_type="MMP_OFFER") == {offer.id}
    assert await found(entity_type="SELLER_OPERATOR") == {own.id}
    assert await found(entity_type="MMP_ORDER", entity_id="0-A,2-A,9-A") == {
        orders[0].id,
        orders[2].id,
    }


async def test_channel_codes_leave_only_the_orders_sold_there(call, shop):
    french = shop.open_thread("a", order=shop.add_order("1-A", channel="FR"))
    shop.open_thread("b", order=shop.add_order("2-A", channel="ES"))
    shop.open_thread("c", entity=("MMP_OFFER", "1-A"))

    page = (await call("/inbox/threads", params={"channel_codes": "FR,IT"}))[1]

    assert ids([page]) == [french.id]


async def test_a_walk_sees_each_thread_once_and_ends_without_a_token(call, walk, clock, shop):
    made = [shop.open_thread("a", at=clock.now + timedelta(seconds=n)).id for n in range(120)]

    pages = await walk()

    assert [len(page["data"]) for page in pages] == [50, 50, 20]
    assert ids(pages) == made[::-1]
    assert ["next_page_token" in page for page in pages] == [True, True, False]
    assert ["previous_page_token" in page for page in pages] == [False, True, True]


async def test_the_largest_page_has_a_hundred_threads(walk, clock, shop):
    for number in range(120):
        shop.open_thread("a", at=clock.now + timedelta(seconds=number))

    assert [len(page["data"]) for page in await walk(limit=100)] == [100, 20]


async def test_one_can_walk_back(call, walk, clock, shop):
    for number in range(7):
        shop.open_thread("a", at=clock.now + timedelta(seconds=number))
    pages = await walk(limit=3)

    token = pages[2]["previous_page_token"]
    before = (await call("/inbox/threads", params={"page_token": token}))[1]

    assert ids([before]) == ids([pages[1]])


async def test_a_token_overrides_every_other_parameter(call, clock, shop):
    for number in range(4):
        shop.open_thread("a", at=clock.now + timedelta(seconds=number))
    first = (await call("/inbox/threads", params={"limit": 2, "with_messages": "true"}))[1]
    others = {"limit": 1, "with_messages": "false", "updated_since": "2030-01-01T00:00:00Z"}

    query = {"page_token": first["next_page_token"], **others, "entity_id": "x"}
    status, page = await call("/inbox/threads", params=query)

    assert (status, len(page["data"])) == (200, 2)
    assert "messages" in page["data"][0]


async def test_a_token_is_signed_and_belongs_to_one_operator_and_shop(call, sandbox, shop, clock):
    for number in range(2):
        shop.open_thread("a", at=clock.now + timedelta(seconds=number))
    token = (await call("/inbox/threads", params={"limit": 1}))[1]["next_page_token"]
    elsewhere = sandbox.add_operator("other").add_shop(2000)
    neighbour = shop.operator.add_shop(3000)

    async def used(token, **how):
        return (await call("/inbox/threads", params={"page_token": token}, **how))[0]

    assert await used(token) == 200
    assert await used("x" + token) == 400
    assert await used(token, operator="other", headers={"Authorization": elsewhere.key}) == 400
    assert await used(token, headers={"Authorization": neighbour.key}) == 404


async def test_a_thread_at_the_pages_edge_that_changes_makes_the_walk_repeat(walk, clock, shop):
    made = [shop.open_thread("a", at=clock.now + timedelta(seconds=n)) for n in range(6)]
    clock.advance(minutes=1)
    edges = [made[3]]

    pages = await walk(lambda: edges and edges.pop().buyer_writes("meanwhile"), limit=3)

    assert len(ids(pages)) > 6
    assert set(ids(pages)) == {one.id for one in made}


async def test_a_thread_that_changes_while_paging_is_missed_now_and_found_by_the_next_walk(
    walk, clock, shop
):
    made = [shop.open_thread("a", at=clock.now + timedelta(seconds=n)) for n in range(6)]
    begun = clock.advance(minutes=1)
    changed = [made[0]]

    pages = await walk(lambda: changed and changed.pop().buyer_writes("meanwhile"), limit=3)
    later = await walk(updated_since=begun.isoformat())

    assert made[0].id not in ids(pages)
    assert ids(later) == [made[0].id]


async def test_an_empty_inbox_is_an_empty_page(walk):
    pages = await walk(with_messages="true")

    assert [page["data"] for page in pages] == [[]]
    assert not {"next_page_token", "previous_page_token"} & set(pages[0])


async def test_an_attachment_is_read_by_its_own_id(call, shop):
    message = shop.open_thread("a").buyer_writes("b", attachments=[("ü.jpg", b"\x00\xff")])

    status, headers, content = await call(
        f"/inbox/threads/{message.attachments[0].id}/download", raw=True
    )

    assert (status, headers["Content-Type"], content) == (
        200,
        "application/octet-stream",
        b"\x00\xff",
    )
    assert (await call(f"/inbox/threads/{message.id}/download"))[0] == 404


@pytest.mark.parametrize(
    ("dates", "even", "odd", "fraction"),
    [
        ("milliseconds", "12:00:00.000Z", "12:00:01.000Z", "12:00:01.500Z"),
        ("seconds", "12:00:00Z", "12:00:01Z", "12:00:01Z"),
        ("mixed", "12:00:00Z", "12:00:01.000Z", "12:00:01.500Z"),
    ],
)
async def test_dates_come_with_and_without_milliseconds(
    call, clock, operator, shop, dates, even, odd, fraction
):
    operator.habits = Habits(dates=dates)
    noon = clock.now.replace(second=0, microsecond=0)
    thread = shop.open_thread("a", at=noon)
    thread.buyer_writes("b", at=noon + timedelta(seconds=1))
    thread.buyer_writes("c", at=clock.now)

    body = await one(call, thread)

    stamps = [m["date_created"].partition("T")[2] for m in body["messages"]]
    assert stamps == [even, odd, fraction]


async def test_unknown_words_and_fields_appear(call, operator, shop):
    thread = shop.open_thread("a", entity=("MMP_QUOTE", "Q-1"))
    thread.authorize(Participant("COURIER", "K-1", "Courier"))
    thread.somebody_writes("ROBOT_USER", "Robot", "beep", to=("COURIER",))
    thread.change_topic("?", kind="NEW_KIND")
    grown = await one(call, thread)
    operator.habits = Habits(extra_fields=False)
    plain = await one(call, thread)

    assert grown["topic"]["type"] == "NEW_KIND"
    assert grown["entities"][0]["type"] == "MMP_QUOTE"
    assert grown["messages"][1]["from"]["type"] == "ROBOT_USER"
    assert grown["messages"][1]["to"][0]["type"] == "COURIER"
    assert "COURIER" in {one["type"] for one in grown["current_participants"]}
    assert "field_of_tomorrow" in json.dumps(grown)
    assert "field_of_tomorrow" not in json.dumps(plain)


async def test_html_and_strange_characters_arrive_as_they_were_written(call, shop):
    texts = [
        "<p class=MsoNormal>Größe?</p>",
        "null \x00 byte",
        "lone \ud800 surrogate",
        "김예시 🙂",
    ]
    thread = shop.open_thread(texts[0])
    for text in texts[1:]:
        thread.buyer_writes(text)

    assert [m["body"] for m in (await one(call, thread))["messages"]] == texts


async def test_a_topic_may_change_without_a_message(call, clock, shop):
    thread = shop.open_thread("a")
    clock.advance(minutes=5)
    thread.change_topic("Refund")

    body = await one(call, thread)

    assert body["topic"] == {"type": "FREE_TEXT", "value": "Refund"}
    assert body["date_updated"] == "2026-03-02T12:05:01.500Z"
    assert body["metadata"]["last_message_date"] == "2026-03-02T12:00:01.500Z"
    assert body["metadata"]["total_count"] == 1


async def test_the_operator_joins_and_has_no_id(call, clock, shop):
    thread = shop.open_thread("a")
    clock.advance(minutes=1)
    thread.operator_writes("Please answer.")

    body = await one(call, thread)

    assert body["current_participants"][-1] == {
        "type": "OPERATOR",
        "display_name": "op customer care",
    }
    assert body["metadata"]["last_sender"]["type"] == "OPERATOR_USER"
    assert body["metadata"]["shop_reply_needed_since"] == "2026-03-02T12:00:01.500Z"


async def test_a_reply_in_the_back_office_is_a_shop_users_message(call, sandbox, clock, shop):
    thread = shop.open_thread("a")
    clock.advance(minutes=1)
    thread.shop_answers("Left today.")

    body = await one(call, thread)

    assert body["messages"][1]["from"] == {
        "type": "SHOP_USER",
        "display_name": "Back Office",
        "organization_details": {"type": "SHOP", "id": "2000", "display_name": "My shop"},
    }
    assert body["metadata"]["shop_reply_needed_since"] is None
    assert sandbox.replies == []


async def test_a_message_that_was_held_back_is_old_and_makes_the_thread_new(call, clock, shop):
    thread = shop.open_thread("a")
    written = clock.now + timedelta(minutes=1)
    seen = clock.advance(hours=3)
    thread.buyer_writes("held back", at=written, updated_at=seen)

    body = await one(call, thread)

    assert body["messages"][1]["date_created"] == "2026-03-02T12:01:01.500Z"
    assert body["date_updated"] == "2026-03-02T15:00:01.500Z"
