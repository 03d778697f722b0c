"""What a dispute asks, until when, and what ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from connectors.webstore.shopify import disputes
from connectors.webstore.shopify.payload import Dispute
from sla.clock import clocks
from sla.policy import Party, ThreadKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEGUN, DUE = datetime(2026, 11, 18, 9, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)
STORE = "toys.myshopify.com"
TOLD = {
    "id": "gid://shopify/ShopifyPaymentsDispute/598735659",
    "type": "CHARGEBACK",
    "status": "NEEDS_RESPONSE",
    "evidenceDueBy": "2026-11-28",
    "evidenceSentOn": None,
    "finalizedOn": None,
    "initiatedAt": "2026-11-18T09:00:00Z",
    "reasonDetails": {"reason": "PRODUCT_NOT_RECEIVED"},
    "order": {
        "id": "gid://shopify/Order/450789469", "name": "#1001", "email": "ada@buyers.example",
        "phone": None, "billingAddress": {"name": "Ada Sample", "phone": None},
    },
}  # fmt: skip
READ = "dispute:598735659"


def page(now=NOW, **more):
    return disputes.page([Dispute.model_validate(TOLD | more)], STORE, now)


def clock(*pages, seen=NOW):
    """The one clock of a dispute that was read like this."""
    readings = [given for page in pages for _, given in page.given]
    turns = {
        m.id: SimpleNamespace(
            id=m.id, party=m.party, kind=m.kind, sent_at=m.sent_at, to=m.to, delivery=m.delivery,
            level=m.level, seen_at=seen,
        )
        for page in pages for m in page.messages
    }  # fmt: skip
    (found,) = clocks(turns.values(), (), readings, kind=ThreadKind.DISPUTE)
    return found


def test_a_dispute_is_a_thread_with_the_deadline_that_shopify_gives():
    (thread,), found = page().threads, clock(page())

    assert (thread.id, thread.kind) == (READ, ThreadKind.DISPUTE)
    assert thread.subject == "Chargeback: product not received"
    assert thread.order_ids == ("1001",)
    assert thread.reply_to["mail"] == "ada@buyers.example"
    assert (found.promise, found.waits_for) == ("given:dispute:CONTEST_CHARGEBACK", Party.BUYER)
    assert (found.started_at, found.due_at, found.due_from) == (BEGUN, DUE, "marketplace")
    assert found.flags == {"due_uncertain"}
    assert found.ended is None


def test_an_inquiry_that_becomes_a_chargeback_asks_anew():
    asked = page(type="INQUIRY", evidenceDueBy="2026-11-22")
    later = page(NOW + timedelta(days=1))
    found = clocks(
        (), (), [given for one in (asked, later) for _, given in one.given],
        kind=ThreadKind.DISPUTE,
    )  # fmt: skip

    ends = {c.promise: (c.ended, c.reason) for c in found}
    assert ends == {
        "given:dispute:ANSWER_INQUIRY": ("void", "escalated"),
        "given:dispute:CONTEST_CHARGEBACK": (None, None),
    }


@pytest.mark.parametrize(
    ("end", "ended", "reason"),
    [
        ({"status": "UNDER_REVIEW", "evidenceSentOn": "2026-11-25"}, "met", None),
        ({"status": "NEEDS_RESPONSE", "evidenceSentOn": "2026-11-25"}, "met", None),
        ({"status": "UNDER_REVIEW", "evidenceSentOn": "2026-11-28"}, "met", None),
        ({"status": "UNDER_REVIEW", "evidenceSentOn": "2026-11-29"}, "late", None),
        ({"status": "UNDER_REVIEW"}, "late", None),
        ({"status": "ACCEPTED", "finalizedOn": "2026-11-21"}, "met", None),
        ({"status": "CHARGE_REFUNDED", "finalizedOn": "2026-11-21"}, "met", None),
        ({"status": "WON", "evidenceSentOn": "2026-11-25", "finalizedOn": "2026-11-30"}, "met",
         None),
        ({"status": "LOST", "finalizedOn": "2026-11-30"}, "late", None),
        ({"status": "LOST", "finalizedOn": "2026-11-22"}, "void", "withdrawn"),
        ({"status": "PREVENTED", "finalizedOn": "2026-11-22"}, "void", "withdrawn"),
        ({"status": "won", "finalizedOn": "2026-11-22"}, "void", "withdrawn"),
    ],
    ids=["sent", "sent and not yet said", "on the day", "a day late", "nobody says when",
         "accepted", "refunded", "won", "nobody did anything", "decided before", "prevented",
         "small letters"],
)  # fmt: skip
def test_what_ends_it(end, ended, reason):
    december = datetime(2026, 12, 1, tzinfo=UTC)
    found = clock(page(), page(december, **end), seen=december)

    assert found.ended == ended
    assert reason is None or found.reason == reason


def test_evidence_of_the_first_day_counts_from_the_beginning():
    found = clock(
        page(), page(NOW + timedelta(hours=1), status="UNDER_REVIEW", evidenceSentOn="2026-11-18")
    )

    assert (found.ended, found.stopped_at) == ("met", BEGUN)


@pytest.mark.parametrize("status", ["NEEDS_ATTENTION", "", None, "closed"])
def test_an_unknown_status_is_open_and_looked_at(status):
    found = page(status=status)

    assert clock(found).ended is None
    assert clock(page(), found).ended is None
    assert [one.reason for one in found.set_aside] == ["status: unknown"]
    assert found.threads[0].closed_at is None


def test_a_deadline_that_moves_is_followed():
    found = clock(page(), page(NOW + timedelta(hours=1), evidenceDueBy="2026-12-05"))

    assert found.due_at == datetime(2026, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize("due", ["soon", "2026-13-01"])
def test_a_date_that_cannot_be_read_ends_nothing(due):
    found = page(NOW + timedelta(hours=1), evidenceDueBy=due)

    assert clock(page(), found).due_at == DUE
    assert "evidenceDueBy: no date" in {one.reason for one in found.set_aside}


def test_an_inquiry_without_a_date_is_a_thread_without_a_clock():
    found = page(type="INQUIRY", evidenceDueBy=None)

    assert found.threads
    assert clocks((), (), [given for _, given in found.given], kind=ThreadKind.DISPUTE) == []
    assert found.set_aside == ()


def test_an_instant_is_taken_as_it_is():
    """As webhooks write it, and Shopify's own examples: midnight of UTC."""
    assert disputes.day("2099-12-29T19:00:00-05:00") == disputes.day("2099-12-30")


def test_a_dispute_without_its_order_is_one_all_the_same():
    (thread,) = page(order=None, reasonDetails=None).threads

    assert (thread.order_ids, thread.reply_to) == ((), {"kind": "shopify"})
    assert thread.subject == "Chargeback"


def test_a_name_that_no_row_can_hold_costs_nothing():
    (thread,) = page(order=TOLD["order"] | {"name": "\ud800", "email": "\ud800@b.c"}).threads

    assert thread.order_ids == ("450789469",)
    assert "mail" not in thread.reply_to


def test_what_is_over_takes_nothing_any_more():
    found = page(status="LOST", finalizedOn="2026-11-19")

    assert found.threads[0].closed_at == datetime(2026, 11, 19, tzinfo=UTC)
    assert [m.kind.value for m in found.messages] == ["system", "unanswerable"]
