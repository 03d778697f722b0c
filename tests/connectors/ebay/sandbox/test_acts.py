"""What may be ordered over HTTP at eBay's stand-in."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from connectors.ebay.sandbox import acts, opening, ordered
from connectors.ebay.sandbox.cancellations import Cancellation
from connectors.ebay.sandbox.cases import Case
from connectors.ebay.sandbox.desk import Desk, Slip
from connectors.ebay.sandbox.disputes import Dispute
from connectors.ebay.sandbox.inquiries import Inquiry
from connectors.ebay.sandbox.market import Habits
from connectors.ebay.sandbox.returns import Return
from tests.connectors.ebay.sandbox import receiver as receiving
from tests.connectors.ebay.sandbox.receiver import TOKEN, Receiver

ACTS = "/_sandbox/acts"
DOCS = (Path(__file__).parents[4] / "docs" / "sandbox.md").read_text(encoding="utf-8")


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
    for slip in get_args(Slip):
        await order("slip", kind="return", slip=slip, count=2)
        assert seller.desk.slips["return", slip] == 2
        assert f"`{slip}`" in next(row for row in DOCS.splitlines() if row.startswith("| `slip` |"))
    assert (await order("slip", kind="return", slip="slow")).status == 400


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
        ("asks", {"seller": ["shop-b"], "text": "x"}, 404),
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


TABLE = re.compile(
    r"port of `api`\..*?\n\| act \|.*?\n\| --- .*?\n(?P<rows>(?:\|[^\n]*\n)+)", re.DOTALL
)
NAMED = re.compile(r"`(?P<act>\w+)`(?: \((?P<own>[^)]*)\))?")
WORD = re.compile(r"`(\w+)`")
KINDS = (Inquiry, Return, Cancellation, Case, Dispute)


def rows():
    """Of each row its acts, each with all that it takes."""
    found = []
    for row in TABLE.search(DOCS)["rows"].splitlines():
        named, shared = row.split("|")[1:3]
        common = {*WORD.findall(re.sub(r"\([^)]*\)", "", shared))}
        found.append(
            {
                one["act"]: common | {*WORD.findall(one["own"] or "")}
                for one in NAMED.finditer(named)
            }
        )
    return found


def taken(act, *, by):
    """What *act* takes by the code, of a conversation, a dossier or neither."""
    if act == "habits":
        return {one.name for one in fields(Habits)}
    if by == "dossier":
        kinds = [one for one in (*KINDS, Desk) if hasattr(one, act)]
        return {"dossier"}.union(*(ordered.takes(getattr(kind, act)) for kind in kinds))
    if act in acts.OPENED:
        return {*ordered.takes(getattr(Desk, act))}
    every = {**acts.OF_MARKET, **acts.OF_SELLER, **acts.OF_CONVERSATION}
    return {*ordered.takes(every[act])} | ({by} if by else set())


def test_the_docs_list_each_act_with_what_it_takes():
    listed = set()
    for row in rows():
        for act, takes in row.items():
            by = next((one for one in ("conversation", "dossier") if one in takes), None)
            assert takes == taken(act, by=by), act
            listed.add((act, by if act == "buyer_writes" else None))

    assert {act for act, _ in listed} == acts.NAMES
    assert {by for act, by in listed if act == "buyer_writes"} == {"conversation", "dossier"}


def test_each_act_of_a_dossier_happens_in_one_of_some_kind():
    for act in acts.OF_DOSSIER:
        assert any(hasattr(kind, act) for kind in (*KINDS, Desk)), act


@pytest.mark.parametrize(
    ("act", "how", "words"),
    [
        ("dance", {}, "no such act: dance; there are: asks, buyer_answers_offer, "),
        ("asks", {"seller": "nobody"}, "no such seller: nobody; there are: shop-b"),
        ("asks", {"colour": "red"}, "asks takes text, buyer, title, at; not colour, and lacks "),
        ("asks", {"text": 5}, "text is no text"),
        ("asks", {"text": "x", "at": "soon"}, "at is no instant; write it as 2026-11-20T12:00:00Z"),
        ("asks", {"text": "x", "at": "2026-11-20T12:00:00"}, "at is no instant; write it as"),
        ("fill", {"count": "many"}, "fill takes count, oldest, newest; and lacks oldest, "),
        ("open_return", {"within": "soon"}, "within is no number"),
        ("open_return", {"within": -1}, "within is no time; write seconds, ten years at most"),
        ("open_return", {"order": "1"}, "open_return takes text, buyer, reason, within, "),
        ("open_case", {"by": "EBAY"}, "by is none of BUYER, SELLER"),
        ("slip", {"kind": "letter", "slip": "empty"}, "kind is none of inquiry, return, "),
        ("slip", {"kind": "return", "slip": "slow"}, "slip is none of error_inside, empty, hollow"),
        ("rotate_keys", {"digest": "MD5"}, "digest is none of SHA1, SHA256"),
        ("delete_account", {"strangers": -1}, "strangers is no count; write a number from 0 to"),
        ("habits", {"mood": 1}, "no such habit: mood; there are: large, fails, "),
        ("habits", {"most_failures": "x"}, "most_failures is no count"),
        ("habits", {"push_after": "soon"}, "push_after is no number"),
        ("habits", {"fails": 7}, "fails is no share; write 0 to 1"),
        ("habits", {"returns_html": "yes"}, "returns_html is neither true nor false"),
        ("buyer_writes", {"conversation": "9"}, "no such conversation: 9; see GET /_sandbox/conv"),
        ("moves", {"dossier": "9"}, "no such dossier: 9; see GET /_sandbox/dossiers"),
        ("push", {"topic": "T", "data": [1]}, 'data is no object; write {"name": "value"}'),
        ("push", {"topic": ["T"], "data": {}}, "topic is no text"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_an_order_is_told_with_what_would_be_right(
    order, seller, act, how, words
):
    answer = await order(act, **how)

    assert answer.status in {400, 404}
    assert answer.body["message"].startswith(words)


async def test_what_may_happen_in_a_dossier_is_told_by_its_kind(order, seller):
    one = seller.desk.open_inquiry()

    odd = await order("seller_decides", dossier=one.id, decision="APPROVE")
    assert (odd.status, odd.body["message"].partition(";")[0]) == (
        400, "seller_decides is nothing that happens in this inquiry",
    )  # fmt: skip
    assert "seller_ships" in odd.body["message"]
    other = seller.desk.open_return()
    wrong = await order("seller_decides", dossier=other.id, decision="MAYBE")
    assert wrong.body["message"].startswith("decision is none of APPROVE, DECLINE, ")
    assert other.state != "CLOSED"


async def test_a_habit_that_cannot_be_leaves_the_others_as_they_are(order, market):
    assert (await order("habits", large=5, push_after=None, fails=0.5)).status == 400

    assert (market.habits.large, market.habits.fails) == (20_000, 0.3)


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"[" * 100_000, b"\xff"])
async def test_an_order_that_is_no_object_is_told_so(call, seller, body):
    answer = await call("POST", f"{ACTS}/asks", data=body)

    assert answer.status == 400
    assert answer.body["message"].startswith("the order is no ")


@pytest.fixture
async def receiver(sandbox, seller):
    class Push:
        endpoint, verification_token = "", SecretStr(TOKEN)

    made = Receiver()
    runner = await receiving.opened(made)
    Push.endpoint = made.url
    opening.subscribe(sandbox, seller, Push())
    yield made
    await runner.cleanup()


@pytest.mark.parametrize(
    "data",
    [{}, {"a": None}, {"a": [1, {"b": "\ud800"}]}, {"": "x" * 100_000}, {"a": 10**400},
     {"conversationId": {}, "messageId": [], "createdDate": 5}],
)  # fmt: skip
async def test_odd_data_is_pushed_as_it_is(call, sandbox, clock, data, receiver):
    told = await call(
        "POST", f"{ACTS}/push", data=json.dumps({"topic": "NEW_MESSAGE", "data": data})
    )
    assert told.status == 201

    clock.advance(seconds=2)
    await sandbox.pushes.deliver()

    assert [one.status for one in sandbox.pushes.tried] == [204]
    assert receiver.came[0].notification["data"] == data
