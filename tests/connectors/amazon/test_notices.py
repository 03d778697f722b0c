"""Amazon's own letters: none starts the 24 hours, each has its own effect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.amazon import policies
from connectors.amazon.kinds import TYPES, Sort
from core.arrival import verdicts
from core.arrival.verdicts import Left, Place
from sla.clock import Delivery, Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.amazon.letters import (
    ANSWER,
    ARRIVED,
    BARE,
    CASE,
    CLAIMS,
    LOCAL,
    ORDER,
    OTHER_ORDER,
    SENT,
    arrival,
    bounce,
    claim,
    copy,
    mail,
    notice,
    opt_out,
    question,
    sent,
)  # fmt: skip
from tests.connectors.amazon.test_mapping import clocks_of, read, turns

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
COPIED = SENT + HOUR


def test_trap_10_a_copy_is_no_buyers_message_and_by_itself_no_answer():
    pieces = read(arrival(question()), arrival(copy(), at=COPIED + HOUR))
    message = pieces.messages[1]
    (clock,) = clocks_of(pieces)

    assert (message.party, message.kind, message.to) == (Party.SELLER, Kind.INTERNAL, frozenset())
    assert message.body == ANSWER
    assert clock.ended is None


def test_trap_10_a_copy_says_of_which_answer_it_is():
    pieces = read(arrival(copy(), at=COPIED + HOUR))
    (verdict,) = pieces.verdicts

    assert (verdict.id, verdict.delivery, verdict.at) == (
        pieces.messages[0].id, Delivery.CONFIRMED, COPIED,
    )  # fmt: skip
    assert (verdict.order_id, verdict.buyer, verdict.is_copy) == (ORDER, None, True)
    ours = Left("outbox-7731", f"case:{CASE}", COPIED - timedelta(minutes=2), Delivery.ACCEPTED,
                ANSWER, "Ada", None, (ORDER,))  # fmt: skip
    assert verdicts.judge([verdict], [ours]).deliveries == {ours.id: Delivery.CONFIRMED}
    place = Place(f"case:{CASE}", SENT, "Ada", None, (ORDER,))
    assert verdicts.judge([verdict], [], [place]).elsewhere == {verdict.id: place.thread}


def test_a_copy_of_an_answer_before_any_order_confirms_its_words_and_ends_nothing_by_a_name():
    (verdict,) = read(arrival(copy(order=None), at=COPIED + HOUR)).verdicts
    ours = Left("outbox-7731", "case:1", COPIED - timedelta(minutes=2), Delivery.ACCEPTED, ANSWER,
                "Ada")  # fmt: skip
    alone = verdicts.judge([verdict], [], [Place("case:1", SENT, "Ada")])

    assert verdict.order_id is None
    assert verdicts.judge([verdict], [ours]).deliveries == {ours.id: Delivery.CONFIRMED}
    assert (alone.elsewhere, alone.unclear) == ({}, {verdict.id})


@pytest.mark.parametrize("trusted", [None, False])
def test_trap_47_a_copy_that_is_not_proven_confirms_nothing(trusted):
    pieces = read(arrival(copy(), trusted=trusted))

    assert pieces.verdicts == ()
    assert [m.kind for m in pieces.messages] == [Kind.SYSTEM]


def test_trap_14_an_opt_out_refuses_by_buyer_and_order():
    pieces = read(arrival(opt_out(), at=COPIED + HOUR))
    (verdict,) = pieces.verdicts
    (message,) = pieces.messages

    assert (verdict.delivery, verdict.order_id) == (Delivery.REFUSED, ORDER)
    assert verdict.buyer == read(arrival(question())).threads[0].reply_to["buyer"]
    assert (message.party, message.kind) == (Party.MARKETPLACE, Kind.SYSTEM)
    assert LOCAL not in message.thread


@pytest.mark.parametrize(("trusted", "n"), [(True, 1), (None, 1), (False, 0)])
def test_trap_47_an_opt_out_is_believed_unless_it_is_forged(trusted, n):
    assert len(read(arrival(opt_out(), trusted=trusted)).verdicts) == n


def test_an_opt_out_that_names_two_buyers_names_none():
    html = f"{BARE} x{BARE}"
    (verdict,) = read(arrival(opt_out(html=html))).verdicts

    assert verdict.buyer is None


def test_trap_14_a_failed_delivery_refuses_by_our_message_id():
    pieces = read(arrival(bounce(), trusted=None))
    (verdict,) = pieces.verdicts

    assert (verdict.message_id, verdict.delivery) == ("outbox-7731@shop.example", Delivery.REFUSED)
    assert verdict.thread == pieces.messages[0].thread == f"case:{CASE}"
    assert pieces.messages[0].kind is Kind.SYSTEM


def test_a_delayed_delivery_is_no_refusal():
    pieces = read(arrival(bounce("delayed"), trusted=None))

    assert pieces.verdicts == ()
    assert len(pieces.messages) == 1


def test_a_report_of_private_mail_is_set_aside():
    pieces = read(arrival(bounce(recipient="ada@mail.example"), trusted=None))

    assert (pieces.messages, pieces.verdicts) == ((), ())
    assert pieces.set_aside[0].reason.startswith("foreign")


def test_a_report_that_names_the_letter_alone_is_enough():
    pieces = read(arrival(bounce(recipient=None), trusted=None))

    assert [v.message_id for v in pieces.verdicts] == ["outbox-7731@shop.example"]


def test_trap_47_a_forged_report_counts_only_where_it_knows_our_message_id():
    (named,) = read(arrival(bounce(), trusted=False)).verdicts
    guess = read(arrival(bounce(of=None), trusted=False))

    assert (named.message_id, named.buyer, named.thread) == ("outbox-7731@shop.example", None, None)
    assert guess.verdicts == ()


@pytest.mark.parametrize("trusted", [True, None])
def test_trap_15_a_refusal_by_the_relay_names_the_message_that_it_refuses(trusted):
    letter = notice(
        None, "Your email was rejected.", sender="no-reply@marketplace.amazon.de",
        headers={"in-reply-to": "<outbox-7731@shop.example>"},
    )  # fmt: skip
    pieces = read(arrival(letter, trusted=trusted))
    (verdict,) = pieces.verdicts

    assert (verdict.delivery, verdict.message_id) == (
        Delivery.REFUSED, "outbox-7731@shop.example",
    )  # fmt: skip
    assert len(pieces.messages) == 1
    assert read(arrival(letter, trusted=False)).verdicts == ()


@pytest.mark.parametrize("kind", [one for one, sort in TYPES.items() if sort is not Sort.BUYER])
@pytest.mark.parametrize("trusted", [True, None, False])
def test_trap_11_no_notice_starts_the_24_hours_and_none_is_dropped(kind, trusted):
    letter = notice(kind, f"About order {ORDER}. Please respond within 3 days.")
    pieces = read(arrival(letter, trusted=trusted))

    assert len(pieces.messages) == 1
    assert clocks_of(pieces) == []


@pytest.mark.parametrize("language", CLAIMS)
def test_a_claim_has_the_deadline_of_its_own_sentence(language):
    sentence, span = CLAIMS[language]
    pieces = read(arrival(claim(sentence)))
    ((thread, given),) = pieces.given
    (clock,) = clocks_of(pieces, ThreadKind.CLAIM)

    assert thread == pieces.threads[0].id == f"claim:{ORDER}"
    assert pieces.threads[0].kind is ThreadKind.CLAIM
    assert (given.due_at, given.starts_at, given.uncertain) == (SENT + span, SENT, False)
    assert sentence.rstrip(".。") in given.sentence
    assert (clock.promise, clock.due_at) == ("given:claim:answer", SENT + span)
    assert clock.flags == frozenset()


def test_a_claim_that_says_nothing_has_the_shorter_published_number():
    pieces = read(arrival(claim()))
    ((_, given),) = pieces.given
    (clock,) = clocks_of(pieces, ThreadKind.CLAIM)

    assert (given.due_at, given.uncertain, given.sentence) == (SENT + 48 * HOUR, True, None)
    assert clock.flags == {"due_uncertain"}


def test_a_chargeback_has_seven_days():
    pieces = read(arrival(notice(None, f"Order {ORDER}", subject="Chargeback notice")))
    (clock,) = clocks_of(pieces, ThreadKind.DISPUTE)

    assert (clock.promise, clock.due_at) == ("given:dispute:answer", SENT + 7 * DAY)


def test_a_day_that_a_letter_names_ends_in_its_marketplaces_zone():
    letter = claim("Please respond by 2026-11-24.", headers={"x-marketplace-id": "A1F83G8C2ARO7P"})
    ((_, given),) = read(arrival(letter)).given

    assert given.due_at == datetime(2026, 11, 25, tzinfo=UTC)


def test_a_decision_ends_the_claim_at_its_own_instant():
    opened = read(arrival(claim()))
    letter = notice("A_Z_CLAIM_RESPONDENT_CLOSE", f"Order {ORDER}: decided. You may appeal within "
                    "30 days.", date=SENT + HOUR)  # fmt: skip
    closed = read(arrival(letter, at=SENT + 2 * HOUR), memory=opened.memory)
    given = [one for _, one in (*opened.given, *closed.given)]
    (clock,) = clocks([], [], given, kind=ThreadKind.CLAIM)

    assert closed.given[0][0] == f"claim:{ORDER}"
    assert (clock.ended, clock.stopped_at) == ("met", SENT + HOUR)
    assert closed.memory.dossiers == {}


@pytest.mark.parametrize("trusted", [None, False])
@pytest.mark.parametrize("kind", ["A_Z_CLAIM_RESPONDENT_CLOSE", "REFUND_ISSUED"])
def test_trap_47_what_is_not_proven_ends_no_dossier(kind, trusted):
    opened = read(arrival(claim()))
    closed = read(arrival(notice(kind, f"Order {ORDER}"), trusted=trusted), memory=opened.memory)

    assert closed.given == ()
    assert closed.memory.dossiers == opened.memory.dossiers


def test_trap_47_an_unproven_claim_cannot_move_anothers_deadline():
    real = read(arrival(claim("Please respond within 2 days.")))
    lie = read(arrival(claim("Please respond within 50 days.", message_id="m2"), trusted=None))

    assert real.given[0][0] != lie.given[0][0]
    assert lie.given[0][1].uncertain
    assert read(arrival(claim(), trusted=False)).given == ()


def test_a_refund_ends_what_is_open_about_its_order_and_nothing_else():
    opened = read(
        arrival(claim()),
        arrival(notice("RETURN_REQUEST", f"Order {ORDER}", message_id="m2")),
        arrival(claim(order=OTHER_ORDER, message_id="m3")),
    )
    refund = notice("REFUND_ISSUED", f"Refund for order {ORDER}", message_id="m4",
                    date=SENT + HOUR)  # fmt: skip
    closed = read(arrival(refund, at=SENT + HOUR), memory=opened.memory)

    assert {thread for thread, _ in closed.given} == {f"claim:{ORDER}", f"return:{ORDER}"}
    assert not any(given.asks for _, given in closed.given)
    assert set(closed.memory.dossiers) == {f"claim:{OTHER_ORDER}"}
    assert read(arrival(refund)).given == ()


RETURN = (
    f"A customer asked to return these items.\nOrder ID: {ORDER}\nReturn request date: 2026-11-21\n"
    "{line}\nItem ASIN Sku Quantity Reason Comment\nBottle B0EXAMPLE1 S-1 1 Defective It leaks\n"
)


def test_a_return_request_has_the_recommended_24_hours():
    letter = notice("RETURN_REQUEST", RETURN.format(line="Authorisation: pending"))
    pieces = read(arrival(letter))
    (clock,) = clocks_of(pieces, ThreadKind.RETURN)

    assert (clock.promise, clock.started_at, clock.due_at) == ("amazon-return", SENT, SENT + DAY)


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Automatically authorized by Amazon",
        "Autorizzazione: Autorizzato automaticamente da Amazon",
        "Genehmigung: Automatisch von Amazon genehmigt",
        "Autorisation : Autorisé automatiquement par Amazon",
        "Autorización: Autorizada automáticamente por Amazon",
        "承認: Amazonにより自動承認済み",
    ],
)
def test_a_return_that_amazon_authorised_itself_asks_nothing(line):
    pieces = read(arrival(notice("RETURN_REQUEST", RETURN.format(line=line))))

    assert pieces.given == ()
    assert pieces.threads[0].kind is ThreadKind.RETURN
    assert clocks_of(pieces, ThreadKind.RETURN) == []


def test_a_cancel_request_has_a_deadline_only_where_it_names_one():
    plain = read(arrival(notice("BRC_SELLER_NOTIFICATION", f"Cancel order {ORDER}.")))
    dated = read(
        arrival(notice("BRC_SELLER_NOTIFICATION", f"Order {ORDER}. Please respond by 2026-11-24."))
    )

    assert plain.given == ()
    assert plain.threads[0].kind is ThreadKind.CANCELLATION
    ((thread, given),) = dated.given
    assert thread == f"cancellation:{ORDER}"
    assert given.due_at == datetime(2026, 11, 24, 23, tzinfo=UTC)


def test_letters_of_an_unknown_type_are_shown_with_their_order():
    pieces = read(arrival(notice("BRAND_NEW", f"About order {ORDER}")))

    assert pieces.messages[0].kind is Kind.SYSTEM
    assert pieces.messages[0].thread == f"order:{ORDER}"
    assert read(arrival(notice("BRAND_NEW", "hello"))).messages[0].thread.startswith("letter:")


def test_a_notice_shows_no_token():
    text = f"Order {ORDER}\nhttps://sellercentral.amazon.de/nms/x?sk=SECRETKEY\nSPC-EUAmazon-153"
    (message,) = read(arrival(notice("REFUND_ISSUED", text))).messages

    assert "SECRETKEY" not in message.body
    assert "SPC-" not in message.body


def test_a_day_from_question_to_restart():
    """A question, an answer from Outlook, an opt-out: the clock runs from the question on."""
    pieces = read(
        arrival(question()),
        arrival(sent(), is_sent=True, at=SENT + HOUR),
        arrival(opt_out(), at=ARRIVED + HOUR),
    )
    answer = next(m for m in pieces.messages if m.party is Party.SELLER)
    thread = next(t for t in pieces.threads if t.id == answer.thread)
    left = Left(answer.id, answer.thread, answer.sent_at, answer.delivery, answer.body,
                thread.buyer, thread.reply_to["buyer"], thread.order_ids)  # fmt: skip
    judged = verdicts.judge(pieces.verdicts, [left])
    found = turns(pieces)
    for turn in found:
        turn.delivery = judged.deliveries.get(turn.id, turn.delivery)
    before = clocks_of(pieces)
    after = clocks(found, [p for p in policies.known() if p.name == "amazon-message"])

    assert before[0].ended == "met"
    assert (after[0].ended, after[0].started_at, after[0].due_at) == (None, SENT, SENT + DAY)


def test_mail_without_anything_is_a_letter_too():
    empty = mail("", sender=None, subject="", date=None, headers={}, to=(), envelope=())

    assert len(read(arrival(empty, trusted=None)).set_aside) == 1
