"""What may be ordered over HTTP at eBay's stand-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from connectors.ebay.sandbox import opening

ACTS = "/_sandbox/acts"


@pytest.fixture
def order(call):
    async def ordered(act, **how):
        return await call("POST", f"{ACTS}/{act}", json=how)

    return ordered


@pytest.fixture
def shown(call):
    async def looked(path=""):
        return (await call("GET", f"/_sandbox/{path}")).body

    return looked


async def test_a_buyer_asks_writes_again_and_is_answered(order, shown, seller):
    asked = (await order("asks", text="Where is it?", buyer="buyer-a")).body
    where = {"conversation": asked["conversation"]}
    assert asked["is_waiting"]
    again = await order(
        "buyer_writes",
        text="And?",
        media=[["photo", "IMAGE", "https://i.example/1.jpg"]],
        at="2026-11-20T12:30:00+00:00",
        **where,
    )
    assert again.body["messages"] == 2
    answered = await order("seller_answers", text="It left.", at="2026-11-20T13:00:00Z", **where)
    assert not answered.body["is_waiting"]
    marked = await order("mark", is_read=False, **where)
    assert marked.body["unread"] == 2
    assert [one["conversation"] for one in await shown("conversations")] == [asked["conversation"]]
    assert "Where is it?" not in str(await shown("conversations"))


async def test_ebay_writes_a_notice(order):
    assert (await order("ebay_writes", text="A notice")).body["type"] == "FROM_EBAY"


async def test_a_mailbox_is_filled(order, seller):
    answer = await order(
        "fill", count=500, oldest="2025-01-01T00:00:00Z", newest="2026-01-01T00:00:00Z"
    )
    assert answer.body == {"conversations": 500}


async def test_a_bulk_update_of_one_conversation_is_made_to_fail(order, seller, buyer):
    one = seller.asked(buyer, "Hello")
    await order("stick", conversation=one.id)
    assert seller.mailbox.stuck == {one.id}


async def test_a_dossier_is_opened_moved_and_ended(order, shown, seller, clock):
    made = (await order("open_return", buyer="buyer-a", text="Broken", within=90)).body
    one = seller.desk.dossiers[made["dossier"]]
    assert one.due_at == clock() + timedelta(seconds=90)
    due_at = "2026-11-25T00:00:00+00:00"
    moved = await order("moves", dossier=one.id, due_at=due_at)
    assert moved.body["due_at"] == due_at
    case = (await order("escalate", dossier=one.id, text="Help")).body
    assert (case["kind"], case["is_open"]) == ("case", True)
    assert not one.is_open
    impossible = await order("seller_refunds", dossier=one.id)
    assert impossible.status == 400
    assert {each["dossier"] for each in await shown("dossiers")} == {one.id, case["dossier"]}


@pytest.mark.parametrize("act", ["open_inquiry", "open_cancellation", "open_case", "open_dispute"])
async def test_each_kind_of_dossier_is_opened_with_a_new_buyer_where_none_is_named(order, act):
    assert (await order(act)).body["is_open"]


async def test_consents_tokens_and_quotas_are_taken_away(order, call, seller):
    path, params = "/commerce/message/v1/conversation", {"conversation_type": "FROM_MEMBERS"}
    assert (await call("GET", path, params=params)).status == 200
    await order("limit", context="commerce", api="message", calls=1)
    assert (await call("GET", path, params=params)).status == 429
    await order("expire_tokens")
    assert (await call("GET", path, params=params)).status == 401
    await order("revoke")
    assert not seller.application.consents


async def test_keys_change_and_accounts_end(order, market, seller, buyer, sandbox):
    class Push:
        endpoint = "http://127.0.0.1:9/push/ebay/x"
        verification_token = SecretStr("x" * 32)

    opening.subscribe(sandbox, seller, Push())
    await order("hold_pushes")
    answer = await order("delete_account", member="Buyer-A", strangers=20)
    assert answer.body == {"notifications": 21}
    told = await order("push", topic="SOMETHING_NEW", data={"a": 1})
    assert len(told.body["notifications"]) == 1
    assert (await order("hold_pushes", is_held=True)).body == {"waiting": 22}
    kid = (await order("rotate_keys", digest="SHA256")).body["kid"]
    assert market.keys.current.id == kid


async def test_habits_are_set_one_by_one(order, market):
    told = await order("habits", push_after=0.5, returns_html=True)
    assert (told.body["push_after"], told.body["returns_html"]) == (0.5, True)
    assert market.habits.push_after == timedelta(seconds=0.5)
    assert market.habits.again_after == timedelta(minutes=3)


async def test_a_search_is_made_to_go_wrong(order, seller):
    await order("slip", kind="return", slip="empty", count=2)
    assert seller.desk.slips["return", "empty"] == 2


@pytest.mark.parametrize(
    ("act", "how", "status"),
    [
        ("dance", {}, 404),
        ("asks", {"seller": "nobody", "text": "x"}, 404),
        ("buyer_writes", {"conversation": "9", "text": "x"}, 404),
        ("moves", {"dossier": "9"}, 404),
        ("notes", {"dossier": "9"}, 404),
        ("delete_account", {"member": "nobody"}, 404),
        ("habits", {"mood": 1}, 404),
        ("asks", {}, 400),
        ("asks", {"text": "x", "at": "soon"}, 400),
        ("rotate_keys", {"colour": "red"}, 400),
    ],
)
async def test_orders_that_make_no_sense_are_refused(order, seller, act, how, status):
    assert (await order(act, **how)).status == status


async def test_what_is_shown_holds_no_secret_and_no_text(order, shown, seller, buyer):
    seller.asked(buyer, "A buyer's words")
    told = str([await shown(path) for path in ("", "conversations", "dossiers", "pushes")])
    for hidden in ("A buyer's words", seller.refresh_token, seller.application.client_secret):
        assert hidden not in told


async def test_trading_withholds_what_is_ordered(order, seller):
    await order("trading", is_silenced=True, ended="110000000001", from_mail="9001")
    await order("trading")

    exchanges = seller.exchanges
    assert (exchanges.is_silenced, exchanges.ended, exchanges.from_mail) == (
        True, {"110000000001"}, {"9001"},
    )  # fmt: skip
    await order("trading", is_silenced=False)
    assert not exchanges.is_silenced
