"""Whatever the stand-in writes is read as what it is meant to be: each kind, language and seed."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.amazon import addresses, marketplaces, policies
from connectors.amazon.identity import Memory
from connectors.amazon.sandbox import (
    buyers_letter,
    composing,
    notices,
    places,
    reports,
    strangers,
    wording,
)
from connectors.amazon.sandbox.author import Author, Shape
from connectors.amazon.sandbox.buyers_letter import Style
from connectors.amazon.sandbox.cases import Carries
from connectors.amazon.sandbox.composing import File, Mailbox
from connectors.amazon.sandbox.seller import Seller
from connectors.amazon.sandbox.strangers import Forgery
from connectors.amazon.sandbox.wording import Era
from core.sandbox import people
from core.transport import mime
from sla.clock import Delivery, Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.amazon.sandbox.conftest import NOON, understood

DAY = timedelta(days=1)
LANGUAGES = sorted(wording.known())
HOME = {"en": "A1F83G8C2ARO7P", "de": "A1PA6795UKMFR9", "fr": "A13V1IB3VIYZZH",
        "it": "APJ6JRA9NG5V4", "es": "A1RKKUPIHCS9HS", "ja": "A1VC38T7YXB528",
        "pt": "A2Q3Y263D00KWC", "ca": "A2EUQ1WTGCTBG2"}  # fmt: skip
QUESTION = "Guten Tag,\nwann kommt mein Paket?\n\nIch warte seit Montag."


class Nowhere:
    """A post that brings nothing anywhere."""

    def put(self, *letter):
        pass


def seller_in(language, seed=1, place=None):
    random = Random(seed)
    where = places.BY_ID[place or HOME[language]]
    author = Author(where, wording.of(language), "Example Shop", "support@shop.example", random)
    box = Mailbox("support@shop.example", "mx.sandbox.example")
    return Seller(author, box, "support@shop.example", Nowhere(), lambda: NOON, random)


def case_in(seller, carries="sender", *, order=True, name="Ada Sample"):
    buyer = seller.add_buyer(name)
    return seller.open_case(buyer, seller.add_order(buyer, NOON) if order else None, carries)


def thread_of(case):
    alias = addresses.alias(case.alias)
    if case.carries in ("sender", "envelope", "footer"):
        return f"case:{case.id}"
    if case.carries == "short":
        return f"case:{alias.digest}:{case.id[:8]}"
    return f"order:{case.order.id}:{alias.digest}" if case.order else f"buyer:{alias.digest}:"


def clocks_of(pieces, kind=ThreadKind.MESSAGE):
    turns = [
        SimpleNamespace(id=m.id, party=m.party, kind=m.kind, sent_at=m.sent_at, seen_at=NOON + DAY,
                        to=m.to, delivery=m.delivery, level=m.level)
        for m in pieces.messages
    ]  # fmt: skip
    fitting = [one for one in policies.known() if kind in one.applies_to]
    return clocks(turns, fitting, [one for _, one in pieces.given if one.kind == kind], kind=kind)


STYLES = st.builds(
    Style, st.sampled_from(get_args(Era)), st.sampled_from(get_args(Shape)), st.booleans()
)
WORDS = st.sampled_from(
    [QUESTION, "荷物はいつ届きますか。", "언제 도착하나요?", "a < b & c > d", "x" * 3000,
     "My number is 030-1234567-1234567, call 123-1234567-12345678.", "=20 =?x?=", "...\n.\n..",
     "-- \nbest regards", "I wrote: ----- look ----- here", "https://shop.example/?q=1&p=2"]
)  # fmt: skip


def test_the_stand_ins_marketplaces_are_those_that_relay_mail():
    known = {(one.id, one.tld) for one in places.PLACES}

    assert len(known) == 22
    assert known == {(one.id, one.tld) for one in marketplaces.ALL
                     if one.tld in marketplaces.RELAY_TLDS}  # fmt: skip


@pytest.mark.parametrize("place", [one.id for one in places.PLACES])
def test_trap_09_the_orders_prefix_says_nothing_of_the_country(place):
    seller = seller_in("en", place=place)
    case = case_in(seller)
    letter = seller.buyer_writes(case, "Call 030-1234567-1234567 or 49301234567.", NOON)
    (thread,) = understood(letter, seller).threads

    assert case.order.id.startswith("30")
    assert thread.order_ids == (case.order.id,)
    assert marketplaces.BY_ID[place].seller_central in thread.url


@settings(max_examples=300)
@given(
    st.sampled_from(LANGUAGES), st.sampled_from(get_args(Carries)), STYLES, WORDS, st.booleans(),
    st.integers(0, 2**32),
)  # fmt: skip
def test_traps_02_05_06_07_a_buyers_letter_is_understood_in_any_form(
    language, carries, style, words, has_order, seed
):
    seller = seller_in(language, seed)
    case = case_in(seller, carries, order=has_order)
    letter = seller.buyer_writes(case, words, NOON, style=style)
    pieces = understood(letter, seller)
    (message,) = pieces.messages
    (thread,) = pieces.threads
    (clock,) = clocks_of(pieces)

    assert (message.party, message.kind, message.body) == (Party.BUYER, Kind.MESSAGE, words)
    assert message.thread == thread.id
    assert message.thread.startswith(thread_of(case))
    assert thread.reply_to["alias"] == case.alias
    assert thread.buyer == "Ada Sample"
    assert message.order_id == (case.order.id if case.order else None)
    assert (clock.started_at, clock.due_at) == (NOON, NOON + DAY)
    assert pieces.links[message.id].get_secret_value().encode() in plain(letter)
    assert "no-response-needed" not in message.body + thread.model_dump_json()
    assert pieces.set_aside == ()


def plain(letter):
    mail = mime.read(letter.raw)
    return f"{mail.text}\n{(mail.html or '').replace('&amp;', '&')}".encode()


@pytest.mark.parametrize("place", [one.id for one in places.PLACES])
def test_trap_02_each_marketplaces_alias_is_known(place):
    seller = seller_in("en", place=place)
    case = case_in(seller)
    pieces = understood(seller.buyer_writes(case, QUESTION, NOON), seller)

    assert pieces.messages[0].thread == f"case:{case.id}"
    assert pieces.threads[0].reply_to["alias"].endswith(seller.author.place.relay)


def test_half_of_all_cases_carry_the_uuid_in_the_sender_and_a_few_in_the_envelope_only():
    seller = seller_in("de")
    cases = [seller.open_case(seller.add_buyer()) for _ in range(1000)]
    shares = {one: sum(case.carries == one for case in cases) / 1000 for one in get_args(Carries)}

    assert 0.45 < shares["sender"] < 0.55
    assert 0.04 < shares["envelope"] < 0.13
    assert all(shares.values())


def test_trap_03_the_uuid_may_stand_in_the_original_recipient_only():
    seller = seller_in("de")
    case = case_in(seller, "envelope")
    letter = seller.buyer_writes(case, QUESTION, NOON)
    raw = composing.arrived(letter, seller.mailbox, NOON)

    assert case.id not in letter.raw.decode()
    assert f"X-Original-To: {case.alias}".encode() in raw


def test_trap_04_no_letter_of_amazons_refers_to_another():
    seller = seller_in("de")
    case = case_in(seller)
    written = [seller.buyer_writes(case, QUESTION, NOON) for _ in range(3)]
    mails = [mime.read(one.raw) for one in written]

    assert len({one.message_id for one in mails}) == 3
    assert not [one for one in mails if {"references", "in-reply-to"} & set(one.headers)]
    assert all(one.message_id.endswith("@eu-west-1.amazonses.com") for one in mails)


def test_trap_05_a_buyer_keeps_his_alias_and_each_case_is_another():
    seller = seller_in("de")
    first = case_in(seller)
    second = seller.open_case(first.buyer, first.order, "sender")
    threads = {understood(seller.buyer_writes(one, QUESTION, NOON), seller).messages[0].thread
               for one in (first, second)}  # fmt: skip

    assert first.bare == second.bare
    assert threads == {f"case:{first.id}", f"case:{second.id}"}


def test_trap_06_the_wrapper_is_in_the_sellers_language_and_the_words_in_the_buyers():
    for language, spoken in product(LANGUAGES, people.LANGUAGES):
        seller = seller_in(language)
        words = people.letter(Random(3), spoken, "openings", "302-1234567-1234567").text
        pieces = understood(seller.buyer_writes(case_in(seller), words, NOON), seller)
        assert pieces.messages[0].body == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_of_amazons_customer_service_is_a_buyers_message(language):
    seller = seller_in(language)
    case = case_in(seller)
    pieces = understood(seller.customer_service_writes(case, "It leaks.", NOON), seller)
    (message,) = pieces.messages

    assert (message.party, message.kind, message.thread) == (
        Party.BUYER, Kind.MESSAGE, f"case:{case.id}",
    )  # fmt: skip
    assert "It leaks." in message.body
    assert "http" not in message.body
    assert message.order_id == case.order.id


def test_files_come_along_and_are_told():
    seller = seller_in("de")
    photo = File("photo.jpg", "image/jpeg", b"\xff\xd8" + bytes(100))
    letter = seller.buyer_writes(case_in(seller), QUESTION, NOON, files=[photo])
    (message,) = understood(letter, seller).messages

    assert [(one.name, one.size) for one in message.attachments] == [("photo.jpg", 102)]
    assert message.body == QUESTION


def test_trap_16_a_buyers_automatic_answer_starts_nothing():
    seller = seller_in("de")
    case = case_in(seller)
    letter = seller.buyer_writes(case, "I am away.", NOON, style=Style(is_automatic=True))
    pieces = understood(letter, seller)

    assert pieces.messages[0].kind is Kind.AUTOMATIC
    assert clocks_of(pieces) == []
    assert not case.is_waiting(NOON)


ANSWER = "Guten Tag Ada,\nIhr Paket kommt am Montag an.\nViele Grüße"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("in_one_line", [True, False])
@pytest.mark.parametrize("has_order", [True, False])
def test_trap_10_a_copy_confirms_and_starts_nothing(language, in_one_line, has_order):
    seller = seller_in(language)
    case = case_in(seller, order=has_order)
    letter = notices.copy(seller.author, case, ANSWER, NOON, in_one_line=in_one_line)
    pieces = understood(letter, seller)
    (message,) = pieces.messages
    (verdict,) = pieces.verdicts

    assert (message.party, message.kind) == (Party.SELLER, Kind.INTERNAL)
    assert message.body.split() == ANSWER.split()
    assert (verdict.delivery, verdict.is_copy) == (Delivery.CONFIRMED, True)
    assert verdict.order_id == (case.order.id if case.order else None)
    assert "Ada Sample" in verdict.text
    assert " ".join(ANSWER.split()) in " ".join(verdict.text.split())
    assert clocks_of(pieces) == []
    assert case.id not in plain(letter).decode()
    assert case.buyer.local not in plain(letter).decode()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("has_order", [True, False])
def test_trap_14_an_opt_out_names_buyer_and_order_and_refuses(language, has_order):
    seller = seller_in(language)
    case = case_in(seller, order=has_order)
    letter = notices.opt_out(seller.author, case, NOON - DAY, NOON)
    pieces = understood(letter, seller)
    (verdict,) = pieces.verdicts

    assert verdict.delivery is Delivery.REFUSED
    assert verdict.buyer == addresses.alias(case.bare).digest
    assert verdict.order_id == (case.order.id if case.order else None)
    assert "Ada Sample" in verdict.text
    assert case.id not in plain(letter).decode()
    assert clocks_of(pieces) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("says_until", [True, False])
def test_trap_11_a_claim_is_a_dossier_with_the_deadline_of_its_sentence(language, says_until):
    seller = seller_in(language)
    order = case_in(seller).order
    letter = notices.claim(seller.author, order, NOON, says_until=says_until)
    ((thread, given_),) = understood(letter, seller).given

    assert thread == f"claim:{order.id}"
    within = timedelta(hours=72 if says_until else 48)
    assert (given_.due_at, given_.uncertain) == (NOON + within, not says_until)


def test_an_australian_claim_says_48_hours():
    seller = seller_in("en", place="A39IBJ37TRP1C6")
    letter = notices.claim(seller.author, case_in(seller).order, NOON)
    ((_, given_),) = understood(letter, seller).given

    assert (given_.due_at, given_.uncertain) == (NOON + timedelta(hours=48), False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_decision_ends_the_claim_and_its_appeal_is_no_deadline(language):
    seller = seller_in(language)
    order = case_in(seller).order
    opened = understood(notices.claim(seller.author, order, NOON), seller)
    letter = notices.decision(seller.author, order, NOON + DAY)
    closed = understood(letter, seller, memory=opened.memory)
    ((thread, given_),) = closed.given

    assert (thread, given_.asks, given_.due_at) == (f"claim:{order.id}", False, None)
    assert closed.memory.dossiers == {}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("by_amazon", [True, False])
def test_a_return_asks_unless_amazon_authorised_it(language, by_amazon):
    seller = seller_in(language)
    order = case_in(seller).order
    pieces = understood(notices.returned(seller.author, order, NOON, by_amazon=by_amazon), seller)
    running = clocks_of(pieces, ThreadKind.RETURN)

    assert pieces.threads[0].id == f"return:{order.id}"
    assert [one.due_at for one in running] == ([] if by_amazon else [NOON + DAY])
    assert clocks_of(pieces) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_cancellation_is_a_dossier_without_a_deadline(language):
    seller = seller_in(language)
    order = case_in(seller).order
    pieces = understood(notices.cancellation(seller.author, order, NOON), seller)

    assert (pieces.threads[0].id, pieces.threads[0].kind) == (
        f"cancellation:{order.id}", ThreadKind.CANCELLATION,
    )  # fmt: skip
    assert pieces.given == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refund_ends_what_is_open_about_its_order(language):
    seller = seller_in(language)
    order = case_in(seller).order
    opened = understood(notices.claim(seller.author, order, NOON), seller)
    letter = notices.refund(seller.author, order, NOON + DAY)
    closed = understood(letter, seller, memory=opened.memory)

    assert [(thread, one.asks) for thread, one in closed.given] == [(f"claim:{order.id}", False)]
    assert understood(letter, seller).given == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("says_until", [True, False])
def test_a_chargeback_has_seven_days(language, says_until):
    seller = seller_in(language)
    order = case_in(seller).order
    letter = notices.chargeback(seller.author, order, NOON, says_until=says_until)
    pieces = understood(letter, seller)
    ((_, given_),) = pieces.given

    assert pieces.threads[0].kind is ThreadKind.DISPUTE
    assert (given_.due_at, given_.uncertain) == (NOON + 7 * DAY, not says_until)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_of_an_unknown_type_is_shown(language):
    seller = seller_in(language)
    order = case_in(seller).order
    for about in (order, None):
        pieces = understood(notices.unknown(seller.author, NOON, about), seller)
        assert [one.kind for one in pieces.messages] == [Kind.SYSTEM]
        assert clocks_of(pieces) == []


@pytest.mark.parametrize("how", get_args(Forgery))
@pytest.mark.parametrize("language", LANGUAGES)
def test_trap_47_a_forged_letter_starts_nothing_and_is_told(how, language):
    seller = seller_in(language)
    case = case_in(seller)
    letter = strangers.forged(
        seller.author, case, "Send it elsewhere.", how, seller.mailbox.server, NOON
    )
    pieces = understood(letter, seller)

    assert clocks_of(pieces) == []
    assert pieces.set_aside
    assert all("suspicious" in one.reason for one in pieces.set_aside)
    assert not {one.thread for one in pieces.messages} & {f"case:{case.id}"}
    assert pieces.links == {}


@pytest.mark.parametrize("checks", ["forwarded", "none"])
def test_trap_47_a_detour_leaves_a_letter_proven_and_a_server_that_does_not_look_does_not(checks):
    seller = seller_in("de")
    letter = seller.buyer_writes(case_in(seller), QUESTION, NOON - timedelta(hours=1))
    pieces = understood(letter, seller, at=NOON, checks=checks)
    proven = checks == "forwarded"

    assert pieces.messages[0].sent_at == (letter.at if proven else NOON)
    assert bool(pieces.links) is proven


def test_a_strangers_letter_is_set_aside():
    seller = seller_in("de")
    pieces = understood(strangers.foreign(seller.author, NOON), seller)

    assert pieces.messages == ()
    assert [one.reason.partition(":")[0] for one in pieces.set_aside] == ["foreign"]


@pytest.mark.parametrize(
    ("failure", "refuses"),
    [(reports.DEAD, True), (reports.UNAPPROVED, True), (reports.TOO_LARGE, True),
     (reports.LATE, False)],
)  # fmt: skip
def test_trap_14_a_report_says_which_letter_failed_and_a_delay_refuses_nothing(failure, refuses):
    seller = seller_in("de")
    case = case_in(seller)
    seller.buyer_writes(case, QUESTION, NOON)
    sent = seller.answers_by_mail(case, ANSWER, NOON)
    report = reports.report(
        failure, "mx.sandbox.example", "support@shop.example", case.alias, sent.answer.raw, NOON,
        Random(1),
    )  # fmt: skip
    pieces = understood(report, seller)
    found = [(one.message_id, one.delivery) for one in pieces.verdicts]

    assert found == ([(sent.answer.message_id, Delivery.REFUSED)] if refuses else [])
    assert clocks_of(pieces) == []


def test_what_a_mail_program_sends_is_an_answer_without_the_buyers_words():
    seller = seller_in("de")
    case = case_in(seller)
    asked = seller.buyer_writes(case, QUESTION, NOON)
    memory = understood(asked, seller).memory
    sent = seller.answers_by_mail(case, ANSWER, NOON + timedelta(hours=1))
    letter = composing.Letter("sent", sent.answer.message_id, sent.at, sent.answer.raw, "")
    (message,) = understood(letter, seller, is_sent=True, memory=memory).messages

    assert (message.party, message.thread, message.delivery) == (
        Party.SELLER, f"case:{case.id}", Delivery.ACCEPTED,
    )  # fmt: skip
    assert message.body == ANSWER
    assert QUESTION.splitlines()[0] in sent.answer.text


@given(st.sampled_from(LANGUAGES), st.integers(0, 2**32))
@settings(max_examples=50)
def test_the_same_seed_writes_the_same_letters(language, seed):
    written = []
    for _ in range(2):
        seller = seller_in(language, seed)
        case = case_in(seller)
        written.append((
            seller.buyer_writes(case, QUESTION, NOON).raw,
            notices.claim(seller.author, case.order, NOON).raw,
            notices.opt_out(seller.author, case, NOON, NOON).raw,
        ))  # fmt: skip

    assert written[0] == written[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_fits_and_is_ascii(language):
    seller = seller_in(language)
    case = case_in(seller, name="Zoé Exémple " + "x" * 60)
    for letter in (
        seller.buyer_writes(case, QUESTION, NOON),
        notices.opt_out(seller.author, case, NOON, NOON),
        notices.refund(seller.author, case.order, NOON),
    ):
        raw = composing.arrived(letter, seller.mailbox, NOON)
        assert raw.isascii()
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert mime.read(raw).faults == ()


def test_older_letters_of_each_language_open_with_the_line_that_was_seen():
    seen = {"en": "Begin message", "de": "Anfang der Nachricht", "fr": "Début du message",
            "it": "Inizio messaggio", "es": "Iniciar mensaje", "ja": "メッセージはここから",
            "ca": "Begin message / Début du message"}  # fmt: skip
    for language, line in seen.items():
        seller = seller_in(language)
        letter = buyers_letter.written(
            seller.author, case_in(seller), QUESTION, NOON, Style("older", "text")
        )
        assert f"------------- {line} -------------" in mime.read(letter.raw).text


def test_an_older_french_letter_may_have_been_misread():
    seller = seller_in("fr")
    letter = buyers_letter.written(
        seller.author, case_in(seller), QUESTION, NOON, Style("older", "text", is_misread=True)
    )

    assert "DÃ©but du message" in mime.read(letter.raw).text
    assert understood(letter, seller, memory=Memory()).messages[0].body == QUESTION


def test_the_stand_in_shares_no_code_with_the_connector():
    folder = Path(places.__file__).parent
    strays = [
        (path.name, name)
        for path in folder.glob("*.py")
        for name in re.findall(r"^\s*from (connectors\.\S+|core\.transport\S*)", path.read_text(),
                               re.MULTILINE)
        if not name.startswith("connectors.amazon.sandbox")
    ]  # fmt: skip

    assert strays == []
