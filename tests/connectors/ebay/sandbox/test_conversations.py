"""The Message API: lists, one conversation, sending, statuses."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from connectors.ebay.sandbox.conversations import Media

BASE = "/commerce/message/v1"
MEMBERS = {"conversation_type": "FROM_MEMBERS"}
LABEL = {"mediaName": "label", "mediaType": "PDF", "mediaUrl": "https://files.shop.example/a.pdf"}


def stamp(at):
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def listed(call, **params):
    return await call("GET", f"{BASE}/conversation", params={**MEMBERS, **params})


async def detail(call, conversation, **params):
    return await call("GET", f"{BASE}/conversation/{conversation.id}", params={**MEMBERS, **params})


async def sent(call, **asked):
    return await call("POST", f"{BASE}/send_message", json=asked)


@pytest.fixture
def three(seller, buyer, clock):
    """Three conversations, the second with the newest message."""
    made = []
    for minute in range(3):
        at = clock() - timedelta(hours=1, minutes=-minute)
        made.append(seller.asked(buyer, f"Question {minute}", at=at))
    seller.buyer_writes(made[1], "Are you there?")
    return made


async def test_a_list_shows_the_newest_message_first_and_its_alone(call, three):
    answer = await listed(call)
    assert answer.body["total"] == 3
    shown = answer.body["conversations"]
    assert [one["conversationId"] for one in shown] == [three[n].id for n in (1, 2, 0)]
    first = shown[0]
    assert first["latestMessage"]["messageBody"] == "Are you there?"
    assert first["unreadCount"] == 2
    assert (first["referenceType"], first["referenceId"]) == ("LISTING", three[1].item)
    assert answer.body["next"] is None


async def test_trap_28_reading_spells_usernames_in_another_way_than_sending(call, three):
    shown = (await listed(call)).body["conversations"][0]["latestMessage"]
    assert (shown["senderUsername"], shown["recipientUsername"]) == ("buyer-a", "shop-b")
    said = (await sent(call, conversationId=three[0].id, messageText="It left today.")).body
    assert (said["senderUserName"], said["recipientUserName"]) == ("shop-b", "buyer-a")
    assert "senderUsername" not in said


async def test_trap_29_an_opaque_member_is_told_by_id_and_found_by_either(call, seller, market):
    hidden = market.add_member("buyer-us", is_opaque=True)
    seller.asked(hidden, "Hello")
    for name in ("buyer-us", hidden.user_id.upper()):
        found = (await listed(call, other_party_username=name)).body
        assert found["conversations"][0]["latestMessage"]["senderUsername"] == hidden.user_id


async def test_one_conversation_is_newest_first_and_does_not_say_which_it_is(call, three):
    answer = await detail(call, three[1])
    assert [one["messageBody"] for one in answer.body["messages"]] == [
        "Are you there?",
        "Question 1",
    ]
    assert "conversationId" not in answer.body
    assert answer.body["conversationType"] == "FROM_MEMBERS"


async def test_pages_walk_on_by_next_and_hold_each_conversation_once(call, seller, buyer, clock):
    for minute in range(7):
        seller.asked(buyer, "Hello", at=clock() - timedelta(minutes=minute))
    seen, offset = [], 0
    while True:
        page = (await listed(call, limit=3, offset=offset)).body
        seen += [one["conversationId"] for one in page["conversations"]]
        if page["next"] is None:
            break
        assert f"offset={offset + 3}" in page["next"]
        offset += 3
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    ("params", "number"),
    [
        ({"limit": 51}, 355009),
        ({"limit": 0}, 355009),
        ({"limit": "many"}, 355009),
        ({"limit": 20, "offset": 7}, 355008),
        ({"offset": -25}, 355008),
        ({"conversation_type": "FROM_ALL"}, 355002),
        ({"conversation_type": ""}, 355017),
        ({"conversation_status": "NEW"}, 355001),
        ({"other_party_username": "nobody"}, 355006),
        ({"reference_id": "110000000001"}, 355022),
        ({"reference_type": "LISTING"}, 355022),
        ({"reference_type": "ORDER", "reference_id": "1"}, 355003),
        ({"reference_type": "LISTING", "reference_id": "x"}, 355016),
        ({"start_time": "yesterday"}, 355005),
        ({"start_time": "2026-11-20T10:00:00"}, 355005),
        (
            {"start_time": "2026-11-20T11:00:00.000Z", "end_time": "2026-11-20T10:00:00.000Z"},
            355004,
        ),
    ],
)
async def test_trap_27_a_list_that_is_asked_for_wrongly_is_refused_by_number(call, params, number):
    answer = await listed(call, **params)
    assert (answer.status, answer.number) == (400, number)
    assert answer.body["errors"][0]["domain"] == "API_MESSAGE"


async def test_trap_27_one_conversation_needs_its_type_too(call, three):
    path = f"{BASE}/conversation/{three[0].id}"
    assert (await call("GET", path)).number == 355017
    assert (await call("GET", path, params={"conversationType": "FROM_MEMBERS"})).number == 355017
    assert (await call("GET", path, params={**MEMBERS, "offset": 3})).number == 355008


async def test_trap_27_camel_case_in_a_query_is_ignored_without_a_word(call, three):
    assert (await listed(call, startTime="2027-01-01T00:00:00.000Z")).body["total"] == 3
    assert (await listed(call, filter="unread:{true}")).body["total"] == 3


async def test_an_unknown_conversation_is_404_and_355000(call, three):
    for path, status, number in (("987654", 404, 355000), ("abc", 400, 355007)):
        answer = await call("GET", f"{BASE}/conversation/{path}", params=MEMBERS)
        assert (answer.status, answer.number) == (status, number)
    other_type = {"conversation_type": "FROM_EBAY"}
    answer = await call("GET", f"{BASE}/conversation/{three[0].id}", params=other_type)
    assert answer.number == 355000
    assert (await call("GET", f"{BASE}/conversation/{three[0].id}/message")).status == 404


async def test_a_window_counts_messages_and_its_ends_are_outside(call, three, clock):
    newest = stamp(clock())
    assert (await listed(call, start_time=newest)).body["total"] == 0
    early = stamp(clock() - timedelta(minutes=30))
    assert (await listed(call, start_time=early)).body["total"] == 1
    until = {"end_time": stamp(clock() - timedelta(minutes=58))}
    found = (await listed(call, **until)).body["conversations"]
    assert {one["conversationId"] for one in found} == {three[0].id, three[1].id}


async def test_statuses_and_references_narrow_a_list(call, three, market):
    three[0].status = "ARCHIVE"
    three[2].mark(is_read=True)
    for status, expected in (("ARCHIVE", 1), ("ACTIVE", 2), ("READ", 1), ("UNREAD", 2)):
        assert (await listed(call, conversation_status=status)).body["total"] == expected
    about = {"reference_type": "LISTING", "reference_id": three[2].item}
    assert (await listed(call, **about)).body["total"] == 1


async def test_what_ebay_writes_is_in_a_list_of_its_own(call, seller, three):
    notice = seller.ebay_writes("<b>Your policy changed</b>")
    assert (await listed(call)).body["total"] == 3
    answer = await call("GET", f"{BASE}/conversation", params={"conversation_type": "FROM_EBAY"})
    assert [one["conversationId"] for one in answer.body["conversations"]] == [notice.id]
    assert answer.body["conversations"][0]["latestMessage"]["senderUsername"] == "eBay"


async def test_trap_30_an_unfiltered_list_of_a_large_mailbox_fails_and_a_narrow_one_does_not(
    call, seller, market, clock
):
    others = [market.add_member() for _ in range(5)]
    seller.mailbox.fill(30_000, clock() - timedelta(days=500), clock() - timedelta(days=1), others)
    broken = await listed(call)
    assert (broken.status, broken.number) == (500, 335000)
    assert "exceeded retries limit" in broken.body["errors"][0]["message"]
    narrow = await listed(call, start_time=stamp(clock() - timedelta(days=2)), limit=50)
    assert narrow.status == 200
    assert 0 < narrow.body["total"] < 200


async def test_a_mailbox_of_middling_size_fails_now_and_then(call, seller, market, clock):
    others = [market.add_member()]
    seller.mailbox.fill(6_000, clock() - timedelta(days=50), clock(), others)
    seen = {(await listed(call)).status for _ in range(30)}
    assert seen == {200, 500}


async def test_a_mailbox_of_170000_conversations_is_cheap_to_hold_and_quick_to_page(
    call, seller, market, clock
):
    begin = time.process_time()
    others = [market.add_member() for _ in range(100)]
    seller.mailbox.fill(170_000, clock() - timedelta(days=700), clock(), others)
    deep = await listed(call, start_time="2020-01-01T00:00:00.000Z", limit=50, offset=100_000)
    assert time.process_time() - begin < 3
    assert deep.body["total"] == 170_000
    assert len(deep.body["conversations"]) == 50
    assert not seller.mailbox.live

    oldest = seller.mailbox.find(deep.body["conversations"][0]["conversationId"])
    seller.buyer_writes(oldest, "Now something new", at=clock() + timedelta(seconds=1))
    shown = await listed(call, start_time=stamp(clock() - timedelta(hours=1)), limit=1)
    assert shown.body["conversations"][0]["conversationId"] == oldest.id
    assert seller.mailbox.count("FROM_MEMBERS") == 170_000


async def test_a_message_that_is_sent_stands_in_its_conversation(call, three):
    answer = await sent(
        call,
        conversationId=three[0].id,
        messageText="It left today.",
        emailCopyToSender=False,
        messageMedia=[LABEL],
    )
    assert answer.status == 201
    assert answer.body["messageMedia"] == [LABEL]
    shown = (await detail(call, three[0])).body["messages"][0]
    assert shown["messageId"] == answer.body["messageId"]
    assert shown["messageBody"] == "It left today."


async def test_trap_19_a_message_that_is_sent_twice_is_there_twice(call, three):
    for _ in range(2):
        await sent(call, conversationId=three[0].id, messageText="It left today.")
    assert len(three[0].messages) == 3


async def test_a_member_is_written_to_by_name_or_by_immutable_id(call, seller, buyer, market):
    item = market.item()
    reference = {"referenceId": item, "referenceType": "LISTING"}
    for name in ("buyer-a", buyer.user_id):
        asked = {"otherPartyUsername": name, "messageText": "Hello", "reference": reference}
        assert (await sent(call, **asked)).status == 201
    assert len(seller.mailbox.live) == 1


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({"messageText": "x"}, 355018),
        ({"conversationId": "1", "messageText": "x"}, 355007),
        ({"otherPartyUsername": "nobody", "messageText": "x"}, 355006),
        ({"otherPartyUsername": "buyer-a"}, 355015),
        ({"otherPartyUsername": "buyer-a", "messageText": "  "}, 355015),
        ({"otherPartyUsername": "buyer-a", "messageText": "x" * 2001}, 355013),
        ({"otherPartyUsername": "buyer-a", "messageMedia": [LABEL] * 6}, 355010),
        ({"otherPartyUsername": "buyer-a", "messageMedia": [{**LABEL, "mediaType": ""}]}, 355012),
        (
            {"otherPartyUsername": "buyer-a", "messageMedia": [{**LABEL, "mediaType": "ZIP"}]},
            355011,
        ),
        *(
            (
                {"otherPartyUsername": "buyer-a", "messageMedia": [{**LABEL, "mediaUrl": url}]},
                355014,
            )
            for url in (
                "http://files.shop.example/a.pdf",
                "https://127.0.0.1/a.pdf",
                "https://192.168.1.4/a.pdf",
                "https://localhost/a.pdf",
                "file:///a.pdf",
            )
        ),
        (
            {
                "otherPartyUsername": "buyer-a",
                "messageText": "x",
                "reference": {"referenceId": "5"},
            },
            355021,
        ),
        (
            {
                "otherPartyUsername": "buyer-a",
                "messageText": "x",
                "reference": {"referenceId": "5", "referenceType": "ORDER"},
            },
            355003,
        ),
        (
            {
                "otherPartyUsername": "buyer-a",
                "messageText": "x",
                "reference": {"referenceId": "x", "referenceType": "LISTING"},
            },
            355016,
        ),
        (
            {
                "otherPartyUsername": "buyer-a",
                "messageText": "x",
                "reference": {"referenceId": "999", "referenceType": "LISTING"},
            },
            355020,
        ),
    ],
)
async def test_what_may_not_be_sent_is_refused_by_number(call, buyer, asked, number):
    answer = await sent(call, **asked)
    assert (answer.status, answer.number) == (400, number)


async def test_files_alone_and_2000_characters_are_fine(call, three):
    assert (await sent(call, conversationId=three[0].id, messageMedia=[LABEL] * 5)).status == 201
    assert (await sent(call, conversationId=three[0].id, messageText="x" * 2000)).status == 201


async def test_trap_31_answers_of_the_web_page_are_html_without_a_flag(call, seller, three):
    seller.answers(three[0], "It left today.")
    shown = (await detail(call, three[0])).body["messages"][0]
    assert shown["messageBody"] == "<p>It left today.</p>"
    assert set(shown) == set((await detail(call, three[2])).body["messages"][0])


async def test_what_was_sent_as_text_may_come_back_as_html(call, three, market):
    market.habits.returns_html = True
    await sent(call, conversationId=three[0].id, messageText="Dear A & B,\nit left.")
    shown = (await detail(call, three[0])).body["messages"][0]
    assert shown["messageBody"] == "Dear A &amp; B,<br />it left."


async def test_trap_30_reading_on_the_page_clears_what_is_unread_and_answers_nothing(
    call, seller, three
):
    three[0].mark(is_read=True)
    shown = {one["conversationId"]: one for one in (await listed(call)).body["conversations"]}
    assert shown[three[0].id]["unreadCount"] == 0
    assert three[0].is_waiting()


async def test_a_conversation_is_marked_read_and_only_that_where_both_are_asked(call, three):
    path, one = f"{BASE}/update_conversation", three[0]
    asked = {"conversationId": one.id, "conversationType": "FROM_MEMBERS"}
    both = await call("POST", path, json={**asked, "read": True, "conversationStatus": "ARCHIVE"})
    assert (both.status, one.unread, one.status) == (204, 0, "ACTIVE")
    await call("POST", path, json={**asked, "read": False})
    assert one.unread == 1
    await call("POST", path, json={**asked, "conversationStatus": "ARCHIVE"})
    assert one.status == "ARCHIVE"
    wrong = await call("POST", path, json={**asked, "conversationStatus": "READ"})
    assert wrong.number == 355001
    nobody = await call("POST", path, json={**asked, "conversationId": "1", "read": True})
    assert nobody.number == 355007
    untyped = await call("POST", path, json={"conversationId": one.id, "read": True})
    assert untyped.number == 355017


async def test_trap_37_a_bulk_update_answers_200_and_fails_in_part(call, seller, three):
    seller.mailbox.stuck.add(three[2].id)
    items = [
        {"conversationId": name, "conversationType": "FROM_MEMBERS", "conversationStatus": "READ"}
        for name in (three[0].id, three[2].id, "987654")
    ]
    answer = await call("POST", f"{BASE}/bulk_update_conversation", json={"conversations": items})
    assert answer.status == 200
    assert answer.body["conversationsMetadata"] == {
        "totalConversationsCount": 3,
        "updateSuccessCount": 1,
        "updateFailureCount": 2,
    }
    told = [one["updateStatus"] for one in answer.body["conversationsResponse"]]
    assert told == ["SUCCESS", "FAILURE", "FAILURE"]
    assert (three[0].unread, three[2].unread) == (0, 1)


async def test_a_bulk_update_takes_ten(call, three):
    item = {
        "conversationId": three[0].id,
        "conversationType": "FROM_MEMBERS",
        "conversationStatus": "UNREAD",
    }
    path = f"{BASE}/bulk_update_conversation"
    assert (await call("POST", path, json={"conversations": [item] * 10})).status == 200
    assert (await call("POST", path, json={"conversations": [item] * 11})).number == 355019


async def test_a_message_of_earlier_stands_before_those_of_later(seller, three, clock):
    late = seller.buyer_writes(three[1], "Written first", at=clock() - timedelta(days=2))
    assert three[1].messages[0] is late
    assert seller.mailbox.count("FROM_MEMBERS") == 3


async def test_files_that_buyers_send_are_shown(call, seller, three):
    seller.buyer_writes(three[0], "See", media=[Media("photo", "IMAGE", "https://i.example/1.jpg")])
    shown = (await detail(call, three[0])).body["messages"][0]["messageMedia"]
    assert shown == [
        {"mediaName": "photo", "mediaType": "IMAGE", "mediaUrl": "https://i.example/1.jpg"}
    ]


async def test_a_page_that_comes_twice_loses_nothing(call, sandbox, three):
    sandbox.faults.order("duplicate", operation="getConversations")
    seen = []
    for offset in range(3):
        page = (await listed(call, limit=1, offset=offset)).body
        seen += [one["conversationId"] for one in page["conversations"]]
    assert sorted(seen) == sorted(2 * [one.id for one in three])


async def test_an_ordered_fault_hits_one_operation(call, sandbox, three):
    sandbox.faults.order("status", status=503, operation="getConversation", count=1)
    assert (await detail(call, three[0])).status == 503
    assert (await detail(call, three[0])).status == 200
