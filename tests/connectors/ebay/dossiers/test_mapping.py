"""From eBay's words to turns and readings: composed answers, by the documentation's fields."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.ebay.dossiers import (
    cancellations,
    cases,
    disputes,
    dossier,
    inquiries,
    payload,
    returns,
)
from connectors.ebay.dossiers.dossier import Doubts, instant
from core.transport import salvage
from sla.clock import REST, Kind
from sla.policy import Party, ThreadKind

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BUYER, SELLER, MARKETPLACE = Party.BUYER, Party.SELLER, Party.MARKETPLACE


def at(day, hour=10):
    return datetime(2026, 11, day, hour, 0, tzinfo=UTC)


def told(day, hour=10):
    return {"value": f"2026-11-{day:02}T{hour:02}:00:00.000Z", "formattedValue": "anything"}


def a_return(history=(), **more):
    summary = {
        "returnId": "5000001",
        "state": "RETURN_REQUESTED",
        "status": "RETURN_REQUESTED",
        "buyerLoginName": "buyer-a",
        "sellerLoginName": "shop-b",
        "creationInfo": {
            "creationDate": told(20),
            "reason": "NOT_AS_DESCRIBED",
            "item": {"itemId": "110000000001", "transactionId": "2200001", "returnQuantity": 1},
        },
        "sellerResponseDue": {
            "activityDue": "SELLER_APPROVE_REQUEST",
            "respondByDate": told(25, 23),
        },
        **more,
    }
    detail = {"summary": summary, "detail": {"responseHistory": list(history)}}
    return payload.ReturnDetail.model_validate(detail)


def line(activity, author, day, hour=10, **more):
    return {"activity": activity, "author": author, "creationDate": told(day, hour), **more}


def read(detail, module=returns, summary=None, steps=None):
    doubts = Doubts()
    found = module.dossier(summary, detail, steps, doubts)
    return found, dossier.page([found], NOW), doubts.found


def turns(page):
    return [(m.party, m.kind, m.body, m.sent_at) for m in page.messages]


def asks(page):
    return [(g.act, g.due_at, g.starts_at) for _, g in page.given if g.asks]


def an_inquiry(history=(), **more):
    return payload.InquiryDetail.model_validate({
        "inquiryId": "5000002",
        "status": "OPEN",
        "itemId": "110000000001",
        "transactionId": "2200001",
        "inquiryDetails": {"creationDate": told(20)},
        "inquiryHistoryDetails": {"history": list(history)},
        "sellerMakeItRightByDate": told(25),
        **more,
    })  # fmt: skip


def said(actor, day, action="An action", hour=10, **more):
    return {"actor": actor, "action": action, "date": told(day, hour), **more}


class TestDates:
    @pytest.mark.parametrize("said", [
        {"value": "2026-11-25T23:59:59.000Z", "formattedValue": "x"},
        "2026-11-25T23:59:59.000Z",
        "2026-11-25T23:59:59",
        {"value": "2026-11-26T00:59:59+01:00"},
    ])  # fmt: skip
    def test_a_date_is_wrapped_or_plain(self, said):
        """Trap 36."""
        assert instant(said) == datetime(2026, 11, 25, 23, 59, 59, tzinfo=UTC)

    @pytest.mark.parametrize(
        "said", [None, {}, {"value": None}, "2026-11-25", 7, [], {"value": {}}, "T", "nonsenseT"]
    )
    def test_anything_else_is_none(self, said):
        assert instant(said) is None


class TestReturns:
    def test_the_composed_answer_is_read(self):
        _, page, aside = read(a_return())

        [thread] = page.threads
        assert (thread.id, thread.kind, thread.buyer) == (
            "return:5000001", ThreadKind.RETURN, "buyer-a",
        )  # fmt: skip
        assert thread.order_ids == ("110000000001-2200001",)
        assert thread.subject == "Return not as described"
        assert asks(page) == [("SELLER_APPROVE_REQUEST", at(25, 23), at(20))]
        assert aside == []

    def test_the_refund_is_asked_since_the_state_came_about(self):
        history = [
            line("BUYER_CREATE_RETURN", "BUYER", 10, toState="RETURN_REQUESTED"),
            line("SELLER_APPROVE_REQUEST", "SELLER", 11, toState="ITEM_READY_TO_SHIP"),
            line("BUYER_PROVIDE_TRACKING_INFO", "BUYER", 12, toState="ITEM_SHIPPED"),
            line("NOTIFIED_DELIVERED", "SYSTEM", 15, toState="ITEM_DELIVERED"),
            line("REMINDER_FOR_REFUND", "SYSTEM", 17, fromState="X", toState=None),
        ]
        due = {"activityDue": "SELLER_ISSUE_REFUND", "respondByDate": told(19)}

        _, page, _ = read(a_return(history, state="ITEM_DELIVERED", sellerResponseDue=due))

        assert asks(page) == [("SELLER_ISSUE_REFUND", at(19), at(15))]

    def test_without_states_it_is_asked_since_what_came_last_but_a_reminder(self):
        history = [
            line("BUYER_CREATE_RETURN", "BUYER", 10),
            line("SELLER_APPROVE_REQUEST", "SELLER", 11),
            line("NOTIFIED_DELIVERED", "EBAY", 15),
            line("BUYER_SEND_MESSAGE", "BUYER", 16, notes="And?"),
            line("REMINDER_FOR_REFUND", "EBAY", 17),
        ]
        due = {"activityDue": "SELLER_ISSUE_REFUND", "respondByDate": told(19)}

        _, page, _ = read(a_return(history, state="ITEM_DELIVERED", sellerResponseDue=due))

        assert asks(page) == [("SELLER_ISSUE_REFUND", at(19), at(15))]

    def test_who_says_what(self):
        history = [
            line("BUYER_CREATE_RETURN", "BUYER", 20, notes="It is <b>broken</b>"),
            line("SELLER_SEND_MESSAGE", "SELLER", 20, 11, notes="A photograph?"),
            line("SUBMIT_FILE", "BUYER", 20, 12),
            line("BUYER_SEND_MESSAGE", "BUYER", 20, 13, notes="Here"),
            line("SELLER_APPROVE_REQUEST", "SELLER", 20, 14),
            line("SELLER_PRINT_SHIPPING_LABEL", "SELLER", 20, 15),
            line("TIME_OUT_FOR_SHIPPING", "SYSTEM", 21),
            line("SOMETHING_NEW", "A_ROBOT", 21, 11, notes="Who am I?"),
        ]

        _, page, _ = read(a_return(history))

        assert turns(page) == [
            (BUYER, Kind.MESSAGE, "It is broken", at(20)),
            (SELLER, Kind.MESSAGE, "A photograph?", at(20, 11)),
            (MARKETPLACE, Kind.SYSTEM, "Submit file", at(20, 12)),
            (BUYER, Kind.MESSAGE, "Here", at(20, 13)),
            (SELLER, Kind.MESSAGE, "Seller approve request", at(20, 14)),
            (SELLER, Kind.INTERNAL, "Seller print shipping label", at(20, 15)),
            (MARKETPLACE, Kind.SYSTEM, "Time out for shipping", at(21)),
            (BUYER, Kind.MESSAGE, "Who am I?", at(21, 11)),
        ]

    def test_two_lines_of_one_instant_are_two_turns_in_any_order(self):
        lines = [
            line("BUYER_SEND_MESSAGE", "BUYER", 21, notes="One"),
            line("BUYER_SEND_MESSAGE", "BUYER", 21, notes="Two"),
        ]

        first, second = read(a_return(lines))[1], read(a_return(lines[::-1]))[1]

        assert {m.id: m.body for m in first.messages} == {m.id: m.body for m in second.messages}
        assert len(first.messages) == 3

    def test_an_act_that_ebay_came_to_name_lately_is_an_act(self):
        due = {"activityDue": "SELLER_DO_A_NEW_THING", "respondByDate": told(24)}

        _, page, aside = read(a_return(sellerResponseDue=due))

        assert [act for act, *_ in asks(page)] == ["SELLER_DO_A_NEW_THING"]
        assert aside == []

    @pytest.mark.parametrize("odd", ["do it, buyer-a!", "*", "x" * 90])
    def test_what_is_no_word_is_no_name_of_an_act(self, odd):
        due = {"activityDue": odd, "respondByDate": told(24)}

        _, page, aside = read(a_return(sellerResponseDue=due))

        assert [act for act, *_ in asks(page)] == ["OTHER"]
        assert [item.reason for item in aside] == ["activityDue: no word"]

    def test_a_new_reason_or_state_ends_nothing(self):
        """Trap 46: a new EU withdrawal reason appeared."""
        creation = {"creationDate": told(20), "reason": "EU_WITHDRAWAL"}

        found, page, aside = read(a_return(state="PAUSED", status="PAUSED", creationInfo=creation))

        assert not found.is_over
        assert asks(page) == [("SELLER_APPROVE_REQUEST", at(25, 23), at(20))]
        assert [item.reason for item in aside] == ["return state: unknown"]

    def test_an_escalated_return_that_still_asks_is_open(self):
        assert not read(a_return(status="ESCALATED"))[0].is_over
        assert read(a_return(status="ESCALATED", sellerResponseDue=None))[0].outcome == "escalated"

    @pytest.mark.parametrize(
        ("reason", "outcome"),
        [("BUYER_CLOSED", "closed_by_buyer"), ("ESCALATED", "escalated"),
         ("REQUEST_TIMEOUT", "withdrawn"), ("A_NEW_REASON", "withdrawn")],
    )  # fmt: skip
    def test_why_it_closed(self, reason, outcome):
        whole = a_return(state="CLOSED", status="CLOSED", sellerResponseDue=None)
        raw = whole.model_dump(by_alias=True)
        raw["detail"]["closeInfo"] = {"returnCloseDate": told(21), "returnCloseReason": reason}

        found, page, _ = read(payload.ReturnDetail.model_validate(raw))

        assert (found.is_over, found.over_at, found.outcome) == (True, at(21), outcome)
        assert [m.sent_at for m in page.messages if m.kind is Kind.UNANSWERABLE] == [at(21)]

    def test_what_happened_after_the_walk_began_is_no_older_reading(self):
        """The detail is fetched later than the walk began, or eBay's clock is ahead."""
        begun = at(22, 9)
        history = [
            line("BUYER_CREATE_RETURN", "BUYER", 20),
            line("SELLER_APPROVE_REQUEST", "SELLER", 22, 9, toState="ITEM_READY_TO_SHIP"),
        ]
        due = {"activityDue": "SELLER_PROVIDE_LABEL", "respondByDate": told(25)}
        whole = a_return(history, sellerResponseDue=due)
        late = timedelta(minutes=2)

        found = returns.dossier(None, whole, None, Doubts())
        given = [g for _, g in dossier.page([found], begun - late).given]

        newest = max(given, key=lambda g: (g.as_of, g.read_at, g.asks))
        assert (newest.asks, newest.act) == (True, "SELLER_PROVIDE_LABEL")
        assert {g.as_of for g in given} == {begun}

    def test_a_stamp_of_another_age_freezes_nothing(self):
        history = [line("NOTIFIED_DELIVERED", "SYSTEM", 29)]

        _, page, _ = read(a_return(history))

        assert {g.as_of for _, g in page.given} == {NOW}

    def test_an_unknown_state_that_names_nothing_ends_nothing(self):
        """Trap 46: what eBay leaves out in a state of which nobody knows the meaning."""
        odd = a_return(state="PAUSED", status="PAUSED", sellerResponseDue=None)

        assert read(odd)[1].given == ()


class TestInquiries:
    def test_the_buyers_words_wait_and_any_deed_of_the_seller_answers(self):
        history = [
            said("BUYER", 20, "Buyer opened a request", description="Where is it?"),
            said("SELLER", 20, "Seller provided tracking information", 12),
            said("BUYER", 21, "Buyer sent a message", description="Wrong parcel"),
            said("SYSTEM", 21, "Reminder", 11),
            said("CSR", 21, "Note", 12, description="We look at it"),
            said("UNKNOWN", 21, "?", 13),
        ]

        _, page, _ = read(an_inquiry(history), inquiries)

        assert turns(page) == [
            (BUYER, Kind.MESSAGE, "Where is it?", at(20)),
            (SELLER, Kind.MESSAGE, "Seller provided tracking information", at(20, 12)),
            (BUYER, Kind.MESSAGE, "Wrong parcel", at(21)),
            (MARKETPLACE, Kind.SYSTEM, "Reminder", at(21, 11)),
            (MARKETPLACE, Kind.SYSTEM, "We look at it", at(21, 12)),
            (MARKETPLACE, Kind.SYSTEM, "?", at(21, 13)),
        ]
        assert asks(page) == [("SELLER_RESPOND", at(25), at(21))]

    def test_the_searchs_date_counts_before_the_details(self):
        summary = payload.Inquiry.model_validate(
            {"inquiryId": 5000002, "inquiryStatusEnum": "OPEN", "respondByDate": told(24),
             "creationDate": told(20), "buyer": "buyer-a", "itemId": 1, "transactionId": 2}
        )  # fmt: skip

        _, page, _ = read(an_inquiry(), inquiries, summary)

        assert [due for _, due, _ in asks(page)] == [at(24)]

    def test_a_refund_that_is_due_is_an_act_of_its_own(self):
        dates = {"creationDate": told(20), "refundDeadlineDate": told(27)}

        _, page, _ = read(an_inquiry(inquiryDetails=dates, status="PENDING"), inquiries)

        assert ("SELLER_ISSUE_REFUND", at(27), None) in asks(page)

    def test_without_a_history_nothing_is_known_of_an_act(self):
        summary = payload.Inquiry.model_validate(
            {"inquiryId": 7, "inquiryStatusEnum": "CLOSED_WITH_ESCALATION"}
        )

        found, page, _ = read(None, inquiries, summary)

        assert (found.is_over, found.outcome, found.is_whole) == (True, "escalated", False)
        assert [g.act for _, g in page.given] == [REST]

    def test_money_whose_date_cannot_be_read_is_asked_for_all_the_same(self):
        dates = {"creationDate": told(20), "refundDeadlineDate": {"value": "soon"}}

        _, page, aside = read(an_inquiry(inquiryDetails=dates, status="PENDING"), inquiries)

        assert ("SELLER_ISSUE_REFUND", None, None) in asks(page)
        assert "refundDeadlineDate: no date" in [one.reason for one in aside]

    @pytest.mark.parametrize("said", [None, {}, {"value": None}])
    def test_money_without_a_date_is_not_asked_for(self, said):
        dates = {"creationDate": told(20), "refundDeadlineDate": said}

        _, page, aside = read(an_inquiry(inquiryDetails=dates, status="PENDING"), inquiries)

        assert "SELLER_ISSUE_REFUND" not in [act for act, _, _ in asks(page)]
        assert not aside


class TestCases:
    @pytest.mark.parametrize("status", ["WAITING_CS", "WAITING_DELIVERY"])
    def test_where_somebody_else_is_waited_for_nothing_is_asked(self, status):
        summary = payload.Case.model_validate(
            {"caseId": 9, "caseStatusEnum": status, "respondByDate": told(24)}
        )

        assert asks(read(None, cases, summary)[1]) == []

    def test_a_refund_that_failed_is_asked_for(self):
        summary = payload.Case.model_validate(
            {"caseId": 9, "caseStatusEnum": "REFUND_AGREED_BUT_FAILED", "respondByDate": told(24)}
        )

        assert [a[:2] for a in asks(read(None, cases, summary)[1])] == [
            ("SELLER_ISSUE_REFUND", at(24))
        ]


class TestCancellations:
    def cancellation(self, **more):
        one = {
            "cancelId": "5000002", "cancelStatus": "CANCEL_REQUESTED",
            "cancelState": "APPROVAL_PENDING", "requestorType": "BUYER",
            "legacyOrderId": "110000000001-2200001", "cancelRequestDate": told(20),
            "sellerResponseDueDate": told(23), **more,
        }  # fmt: skip
        return payload.CancellationDetail.model_validate({"cancelDetail": one})

    def test_the_composed_answer_is_read(self):
        _, page, aside = read(self.cancellation(), cancellations)

        assert asks(page) == [("SELLER_DECIDE", at(23), at(20))]
        assert page.threads[0].order_ids == ("110000000001-2200001",)
        assert aside == []

    def test_what_the_seller_began_himself_asks_nothing_and_waits_for_nobody(self):
        own = self.cancellation(
            requestorType="SELLER", sellerResponseDueDate=None, cancelState="REFUND_PENDING"
        )

        _, page, _ = read(own, cancellations)

        assert asks(page) == []
        assert [(m.party, m.kind) for m in page.messages] == [(SELLER, Kind.INTERNAL)]

    @pytest.mark.parametrize("status", ["CANCEL_REJECTED", "CANCEL_CLOSED_NO_REFUND"])
    def test_a_closed_one_is_over(self, status):
        assert read(self.cancellation(cancelStatus=status), cancellations)[0].is_over


class TestDisputes:
    def dispute(self, **more):
        return payload.DisputeDetail.model_validate({
            "paymentDisputeId": "9000", "orderId": "12-34567-89012", "buyerUsername": "buyer-a",
            "paymentDisputeStatus": "ACTION_NEEDED", "reason": "FRAUD",
            "openDate": "2026-11-20T10:00:00.000Z", "respondByDate": "2026-11-25T10:00:00.000Z",
            **more,
        })  # fmt: skip

    def test_evidence_that_is_still_wanted_is_an_act_of_its_own(self):
        wanted = [
            {"requestDate": "2026-11-22T10:00:00.000Z", "respondByDate": day}
            for day in ("2026-11-28T10:00:00.000Z", "2026-11-27T10:00:00.000Z")
        ]
        open_ = self.dispute(
            paymentDisputeStatus="OPEN", respondByDate=None, evidenceRequests=wanted
        )

        assert asks(read(open_, disputes)[1]) == [("PROVIDE_EVIDENCE", at(27), at(22))]

    @pytest.mark.parametrize("said", [{}, {"respondByDate": "soon"}, {"respondByDate": None}])
    def test_evidence_without_a_date_is_wanted_all_the_same(self, said):
        open_ = self.dispute(
            paymentDisputeStatus="OPEN", respondByDate=None, evidenceRequests=[said]
        )

        _, page, aside = read(open_, disputes)

        assert asks(page) == [("PROVIDE_EVIDENCE", None, None)]
        assert [one.reason for one in aside] == ["evidenceRequests: no date"]

    @pytest.mark.parametrize("said", ["x", 7, ["x"], [None], [[]], {"respondByDate": "soon"}])
    def test_evidence_that_is_no_object_is_wanted_all_the_same(self, said):
        """Whoever reads takes out what does not fit: nothing may be left that asks for nothing."""
        content = self.dispute(paymentDisputeStatus="OPEN", respondByDate=None)
        content = content.model_dump(by_alias=True) | {"evidenceRequests": said}
        open_ = salvage.read(payload.DisputeDetail, content).value

        _, page, aside = read(open_, disputes)

        assert asks(page) == [("PROVIDE_EVIDENCE", None, None)]
        assert [one.reason for one in aside] == ["evidenceRequests: no date"]

    @pytest.mark.parametrize("said", [None, [], {}, ""])
    def test_an_open_one_of_which_nothing_is_needed_asks_nothing(self, said):
        open_ = self.dispute(paymentDisputeStatus="OPEN", respondByDate=None, evidenceRequests=said)

        assert asks(read(open_, disputes)[1]) == []

    def test_an_overdue_answer_is_none(self):
        steps = payload.Steps.model_validate(
            {"activity": [
                {"activityType": "EVIDENCE_REQUEST_OVERDUE", "actor": "SELLER",
                 "activityDate": "2026-11-21T10:00:00.000Z"},
            ]}
        )  # fmt: skip

        _, page, _ = read(self.dispute(), disputes, steps=steps)

        assert [g.acted_at for _, g in page.given if not g.asks] == [None]


def test_a_word_that_is_no_text_costs_no_neighbour():
    summary = payload.Case.model_validate(
        {"caseId": 9, "caseStatusEnum": {"odd": 1}, "buyer": ["x"], "respondByDate": told(24)}
    )

    assert [a[1] for a in asks(read(None, cases, summary)[1])] == [at(24)]


@pytest.mark.parametrize("id_", ["", 1.5, "a/b", "x" * 300, None])
def test_what_cannot_be_an_id_is_none(id_):
    with pytest.raises(ValueError, match="caseId"):
        payload.Case.model_validate({"caseId": id_})
