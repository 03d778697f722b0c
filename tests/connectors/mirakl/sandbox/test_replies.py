"""M12: what is accepted, what is refused and with which status."""

from __future__ import annotations

import json
from io import BytesIO

import aiohttp
import pytest

from connectors.mirakl.sandbox.inbox import Habits

TO_BUYER = [{"type": "CUSTOMER", "id": "C-1001-A"}]


@pytest.fixture
def thread(shop):
    return shop.open_thread("Where?", order=shop.add_order("1001-A"))


def form(message, files=(), *, typed=True):
    data = aiohttp.FormData()
    content = message if isinstance(message, str | BytesIO) else json.dumps(message)
    data.add_field("message_input", content, content_type="application/json" if typed else None)
    for name, body in files:
        data.add_field("files", BytesIO(body), filename=name, content_type="application/pdf")
    data._is_multipart = True  # a form of one plain field would be sent urlencoded
    return data


@pytest.fixture
def post(call, thread):
    """Send M12 to *thread* (or *to_thread*): (status, content)."""

    async def post(message, files=(), *, to_thread=None, typed=True, **how):
        path = f"/inbox/threads/{(to_thread or thread).id}/message"
        return await call(path, "POST", data=form(message, files, typed=typed), **how)

    return post


async def test_a_reply_is_added_and_its_ids_are_told(post, call, sandbox, clock, thread):
    clock.advance(minutes=1)
    status, told = await post({"body": "Left today.", "to": TO_BUYER}, [("label.pdf", b"%PDF-")])
    _, body = await call(f"/inbox/threads/{thread.id}")
    message = body["messages"][1]

    assert (status, told) == (201, {"message_id": message["id"], "thread_id": thread.id})
    assert message["from"]["type"] == "SHOP_USER"
    assert message["from"]["organization_details"]["id"] == "2000"
    assert message["to"] == [{"type": "CUSTOMER", "id": "C-1001-A", "display_name": "Ada Sample"}]
    assert message["date_created"] == body["date_updated"] == "2026-03-02T12:01:01.500Z"
    assert body["metadata"]["shop_reply_needed_since"] is None
    assert [a["name"] for a in message["attachments"]] == ["label.pdf"]
    (reply,) = sandbox.replies
    assert (reply.body, reply.to, reply.attachments, reply.shop) == (
        "Left today.",
        ("CUSTOMER",),
        ("label.pdf",),
        2000,
    )


async def test_an_attachment_of_ours_can_be_read_back(post, call, thread):
    await post({"body": "Left today.", "to": TO_BUYER}, [("label.pdf", b"%PDF-")])
    attachment = thread.messages[1].attachments[0]

    _, _, content = await call(f"/inbox/threads/{attachment.id}/download", raw=True)

    assert content == b"%PDF-"


async def test_buyer_and_operator_may_be_answered_together(post, thread):
    to = [*TO_BUYER, {"type": "OPERATOR"}]

    assert (await post({"body": "Left today.", "to": to}))[0] == 201
    assert [one.type for one in thread.messages[1].to] == ["CUSTOMER", "OPERATOR"]


async def test_json_is_an_unsupported_media_type(call, thread):
    path = f"/inbox/threads/{thread.id}/message"

    status, _ = await call(path, "POST", json={"body": "Left today.", "to": TO_BUYER})

    assert (status, len(thread.messages)) == (415, 1)


@pytest.mark.parametrize(("habit", "expected"), [(True, 415), (False, 201)])
async def test_some_instances_want_the_parts_own_type(post, operator, habit, expected):
    operator.habits = Habits(typed_part=habit)

    status, _ = await post({"body": "Left today.", "to": TO_BUYER}, typed=False)

    assert status == expected


@pytest.mark.parametrize(
    ("length", "expected"), [(0, 400), (2, 400), (3, 201), (50_000, 201), (50_001, 400)]
)
async def test_a_body_has_3_to_50000_characters(post, length, expected):
    assert (await post({"body": "ä" * length, "to": TO_BUYER}))[0] == expected


@pytest.mark.parametrize(
    "message",
    [
        {"to": TO_BUYER},
        {"body": None, "to": TO_BUYER},
        {"body": "Left today."},
        {"body": "Left today.", "to": []},
        {"body": "Left today.", "to": ["CUSTOMER"]},
        {"body": "Left today.", "to": [{"type": "CUSTOMER"}]},
        {"body": "Left today.", "to": [{"type": "CUSTOMER", "id": "C-2"}]},
        {"body": "Left today.", "to": [{"type": "COURIER", "id": "C-1001-A"}]},
        {"body": "Left today.", "to": [{"type": "SHOP", "id": "2000"}]},
        {"body": "Left today.", "to": TO_BUYER, "topic": {"type": "NEW_KIND", "value": "x"}},
        [],
        "no json",
        BytesIO(b"\xff"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_not_sent(post, thread, sandbox, message):
    status, body = await post(message)

    assert (status, bool(body["message"])) == (400, True)
    assert (len(thread.messages), sandbox.replies) == (1, [])


async def test_message_input_is_required(call, thread):
    data = aiohttp.FormData()
    data.add_field("files", b"x", filename="a.pdf")

    status, _ = await call(f"/inbox/threads/{thread.id}/message", "POST", data=data)

    assert status == 400


async def test_a_broken_multipart_body_is_refused(call, thread):
    headers_of_post = {"Content-Type": "multipart/form-data"}
    path = f"/inbox/threads/{thread.id}/message"
    key = thread.shop.key

    status, _ = await call(
        path, "POST", data=b"--x", headers={"Authorization": key, **headers_of_post}
    )

    assert status == 400


async def test_a_topic_changes_with_the_reply(post, thread):
    topic = {"type": "REASON_CODE", "value": "27"}

    assert (await post({"body": "Left today.", "to": TO_BUYER, "topic": topic}))[0] == 201
    assert thread.topic == ("REASON_CODE", "27")


async def test_the_51st_attachment_of_one_order_is_refused_over_all_its_threads(post, shop, thread):
    order = shop.operator.orders["1001-A"]
    other = shop.open_thread("Other", order=order)
    other.buyer_writes("photos", attachments=[(f"{n}.jpg", b"x") for n in range(48)])
    two = [("1.pdf", b"x"), ("2.pdf", b"x")]

    assert (await post({"body": "Left today.", "to": TO_BUYER}, two))[0] == 201
    assert (await post({"body": "Left today.", "to": TO_BUYER}, two[:1]))[0] == 400
    assert (await post({"body": "Left today.", "to": TO_BUYER}))[0] == 201


async def test_the_1001st_message_is_refused(post, thread):
    for _ in range(998):
        thread.messages.append(thread.messages[0])

    assert (await post({"body": "The thousandth.", "to": TO_BUYER}))[0] == 201
    assert (await post({"body": "One more.", "to": TO_BUYER}))[0] == 400
    assert len(thread.messages) == 1000


async def test_a_message_above_30_megabytes_is_refused(post, thread):
    large = [("large.pdf", b"x" * (30 * 1024 * 1024))]

    assert (await post({"body": "Left today.", "to": TO_BUYER}, large))[0] == 413
    assert len(thread.messages) == 1


async def test_without_the_right_shop_id_the_thread_is_not_found(post, operator, shop):
    other = operator.add_shop(3000)
    thread = other.open_thread("b")
    headers = {"Authorization": operator.add_key((2000, 3000))}
    message = {"body": "Left today.", "to": [{"type": "CUSTOMER", "id": thread.authorized[1].id}]}

    default = await post(message, to_thread=thread, headers=headers)
    named = await post(message, to_thread=thread, headers=headers, params={"shop_id": 3000})

    assert (default[0], named[0]) == (404, 201)


async def test_a_reply_is_stored_although_its_answer_was_lost(post, sandbox, thread):
    sandbox.faults.order("reset", operation="M12")

    with pytest.raises(aiohttp.ClientPayloadError):
        await post({"body": "Left today.", "to": TO_BUYER})
    assert [m.body for m in thread.messages] == ["Where?", "Left today."]


async def test_a_dropped_reply_was_never_sent(post, sandbox, thread):
    sandbox.faults.order("drop", operation="M12")

    with pytest.raises(aiohttp.ClientConnectionError):
        await post({"body": "Left today.", "to": TO_BUYER})
    assert len(thread.messages) == 1
