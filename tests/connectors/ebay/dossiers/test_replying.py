"""Writing to the buyer of a dossier; where that cannot be, what to do instead."""

from __future__ import annotations

import json

import pytest

from connectors.ebay import refusals
from connectors.ebay.dossiers import answering
from core.errors import OutcomeUnknown, RateLimited, Refused
from core.model import Draft, File, Thread
from sla.clock import Delivery, Kind
from sla.policy import Party

BUYER = frozenset({Party.BUYER})
OPENED = {"inquiry": "open_inquiry", "return": "open_return"}


def draft(clock, thread, body="It left on Monday & arrives <soon>", **more):
    return Draft(
        id=1, account="ebay", thread=thread.id, body=body, queued_at=clock(), **more
    )  # fmt: skip


def thread(clock, id_):
    return Thread(id=id_, as_of=clock())


@pytest.mark.parametrize("kind", list(OPENED))
async def test_a_message_reaches_the_dossier(desk, dossiers, clock, sandbox, kind):
    one = getattr(desk, OPENED[kind])()
    to = thread(clock, f"{kind}:{one.id}")

    sent = await dossiers.reply(to, draft(clock, to), clock())

    assert sent.message_id is None
    assert (one.history[-1].actor, one.history[-1].text) == ("SELLER", draft(clock, to).body)
    heard = sandbox.heard[-1]
    assert heard.path == f"/post-order/v2/{kind}/{one.id}/send_message"
    assert json.loads(heard.body) == {"message": {"content": draft(clock, to).body}}
    assert heard.headers["Authorization"].startswith("IAF ")


@pytest.mark.parametrize("kind", list(OPENED))
async def test_what_was_sent_is_read_back_as_it_was_written(desk, dossiers, clock, kind):
    """After an unknown outcome core looks for the same words."""
    one = getattr(desk, OPENED[kind])()
    to = thread(clock, f"{kind}:{one.id}")
    clock.advance(minutes=1)
    await dossiers.reply(to, draft(clock, to), clock())

    page = await dossiers.look([to.id], clock.advance(minutes=1))

    [own] = [m for m in page.messages if m.party is Party.SELLER]
    assert (own.kind, own.delivery, own.to) == (Kind.MESSAGE, Delivery.CONFIRMED, BUYER)
    assert own.body == draft(clock, to).body


@pytest.mark.parametrize("kind", ["cancellation", "case", "dispute"])
async def test_other_kinds_take_no_message_and_say_what_to_do(dossiers, clock, sandbox, kind):
    to = thread(clock, f"{kind}:1")
    before = len(sandbox.heard)

    with pytest.raises(Refused, match="on eBay"):
        await dossiers.reply(to, draft(clock, to), clock())

    assert len(sandbox.heard) == before
    assert answering.refuses(to, BUYER) is not None


def test_who_can_be_answered_is_refused_nothing(clock):
    assert answering.refuses(thread(clock, "return:1"), BUYER) is None
    assert answering.refuses(thread(clock, "101"), BUYER) is None
    assert answering.refuses(thread(clock, "inquiry:1"), [Party.MARKETPLACE]) is not None


@pytest.mark.parametrize(
    ("more", "why"),
    [({"body": "x" * 2001}, "2000"), ({"files": (File("a.txt", b"x"),)}, "files"),
     ({"to": frozenset({Party.MARKETPLACE})}, "buyer")],
)  # fmt: skip
async def test_what_ebay_would_refuse_does_not_leave(desk, dossiers, clock, more, why):
    one = desk.open_return()
    to = thread(clock, f"return:{one.id}")

    with pytest.raises(Refused, match=why):
        await dossiers.reply(to, draft(clock, to, **more), clock())

    assert len(one.history) == 1


async def test_a_closed_dossier_takes_no_message(desk, dossiers, clock):
    one = desk.open_inquiry()
    one.buyer_closes()
    to = thread(clock, f"inquiry:{one.id}")

    with pytest.raises(Refused, match="is the inquiry still open") as caught:
        await dossiers.reply(to, draft(clock, to), clock())

    assert "in a conversation about the order" in str(caught.value)


@pytest.mark.parametrize("kind", list(OPENED))
async def test_what_ebay_has_closed_is_refused_before_it_is_queued(desk, dossiers, clock, kind):
    one = getattr(desk, OPENED[kind])()
    name = f"{kind}:{one.id}"
    (before,) = (await dossiers.look([name], clock())).threads
    one.buyer_closes()
    (after,) = (await dossiers.look([name], clock.advance(minutes=1))).threads

    assert answering.refuses(before, BUYER) is None
    assert f"closed this {kind}" in answering.refuses(after, BUYER)
    assert "in a conversation about the order" in answering.refuses(after, BUYER)


def test_what_post_order_documents_of_its_errors_is_told_in_words():
    said = {"errorMessage": {"error": [{"errorId": 1304, "domain": "returnErrorDomain"}]}}

    assert refusals.explain(json.dumps(said).encode()) == "error 1304: there is no such return"


@pytest.mark.parametrize(("status", "fault"), [(429, RateLimited), (500, OutcomeUnknown)])
async def test_other_faults_are_what_they_are(desk, dossiers, clock, sandbox, status, fault):
    one = desk.open_return()
    to = thread(clock, f"return:{one.id}")
    sandbox.faults.order("status", status=status, operation="sendReturnMessage", count=3)

    with pytest.raises(fault):
        await dossiers.reply(to, draft(clock, to), clock())
