"""Which letter is a buyer's, which only looks so, and which nobody wrote."""

from __future__ import annotations

import pytest

from connectors.webstore.mailbox import operators
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import (
    ANA,
    BEN,
    NOON,
    QUESTION,
    SUPPORT,
    Desk,
    answer,
    bounce,
    form,
    letter,
    report,
    vacation,
)  # fmt: skip


@pytest.fixture
def desk():
    return Desk()


def test_a_buyers_letter_opens_a_waiting_at_its_arrival(desk):
    asked = desk.take(letter(sender=f"Ana <{ANA}>"))

    thread = desk.threads[asked.thread]
    assert (asked.party, asked.kind, asked.sent_at) == (Party.BUYER, Kind.MESSAGE, desk.at)
    assert asked.to == {Party.SELLER}
    assert (thread.buyer, thread.order_ids) == ("Ana", ("100123",))
    assert thread.reply_to["kind"] == "mailbox"
    assert thread.reply_to["mail"] == thread.reply_to["address"] == ANA


def test_trap_19_the_date_that_a_sender_writes_is_no_clock(desk):
    asked = desk.take(letter(Date="Mon, 01 Jan 2035 00:00:00 +0000"), at=NOON)
    odd = desk.take(letter(sender=BEN, Date="yesterday"), at=NOON)

    assert [asked.sent_at, odd.sent_at] == [NOON, NOON]


# Contact forms


def test_trap_17_a_forms_letter_is_the_buyers_whom_it_asks_to_answer(desk):
    """It comes from the shop itself and calls itself automatic: the form wins."""
    asked = desk.take(form(who=f"Ana Sample <{ANA}>"))

    assert (asked.party, asked.kind) == (Party.BUYER, Kind.MESSAGE)
    assert desk.threads[asked.thread].buyer == "Ana Sample"
    assert desk.threads[asked.thread].reply_to["mail"] == ANA
    assert desk.asides == []


def test_a_form_of_a_shop_without_settings_is_one_too():
    desk = Desk(own_domains=[])

    assert desk.take(form()).kind is Kind.MESSAGE


def test_a_forms_words_are_whole_though_they_look_like_a_quoted_letter(desk):
    words = (
        "Somebody filled in the form.\n\nFrom: Ana\nTo: Shop\nDate: today\nSubject: Lamp\n\nBroken!"
    )

    assert desk.take(form(words)).body == words
    assert desk.take(letter(words)).body == "Somebody filled in the form."


def test_a_service_that_sends_forms_is_named_by_address_or_domain():
    for named in ("no-reply@forms.example", "forms.example"):
        desk = Desk(form_senders=[named])
        raw = form(sender="no-reply@forms.example", List_Unsubscribe="<https://x.example>")
        assert desk.take(raw).kind is Kind.MESSAGE, named


def test_a_form_that_names_no_buyer_waits_and_a_person_is_told():
    desk = Desk(form_senders=["noreply@shop.example"])
    raw = letter(sender="noreply@shop.example", Auto_Submitted="auto-generated")

    asked = desk.take(raw)

    assert asked.party is Party.BUYER
    assert "address" not in desk.threads[asked.thread].reply_to
    assert [one.reason.split(":")[0] for one in desk.asides] == ["no address"]
    assert not desk.asides[0].quiet


def test_of_the_shops_own_letters_only_those_with_a_hint_are_forms_where_hints_are_named():
    desk = Desk(form_subjects=["[contact]"])

    assert desk.take(form()).party is Party.BUYER
    assert desk.take(form(id_="n1@shop.example", subject="New order 100123")) is None
    assert [one.quiet for one in desk.asides] == [True]


@pytest.mark.parametrize("own_domains", [["shop.example"], []])
def test_a_shops_own_notice_is_no_form_where_its_subject_is_named(own_domains):
    """A shop's system asks to answer the buyer in its notices too."""
    desk = Desk(notice_subjects=["new order"], own_domains=own_domains)

    for automatic in ("no", "auto-generated"):
        raw = form(subject="[My Shop]: New order #100123", Auto_Submitted=automatic, id_="")
        assert desk.take(raw) is None
    assert [one.quiet for one in desk.asides] == [True, True]
    assert desk.take(form(id_="f3@shop.example")).party is Party.BUYER
    assert desk.take(letter(subject="A new order?")).party is Party.BUYER


def test_an_unknown_form_that_calls_itself_automatic_is_told_to_a_person(desk):
    raw = letter(sender="robot@forms.example", Reply_To=ANA, Auto_Submitted="auto-generated")

    assert desk.take(raw) is None
    assert "form_senders" in desk.asides[0].reason
    assert not desk.asides[0].quiet


def test_a_letter_is_its_writers_who_asks_to_be_answered_elsewhere(desk):
    asked = desk.take(letter(sender=BEN, Reply_To=ANA))

    assert desk.threads[asked.thread].reply_to["address"] == ANA


# Marketplaces


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("x1y2z3@marketplace.amazon.de", "amazon.de"),
        ("eu-1234@members.ebay.de", "ebay.de"),
        ("transaction@etsy.com", "etsy.com"),
        ("noreply@relay.walmart.com", "walmart.com"),
        ("no-reply@leroymerlin.mirakl.net", "mirakl.net"),
    ],
)
def test_trap_17_a_marketplaces_letter_opens_nothing_here(desk, sender, domain):
    proven = f"mx.shop.example; dkim=pass header.d={domain}"
    raw = letter(sender=sender, dmarc=None, Authentication_Results=proven)

    assert desk.take(raw) is None
    assert desk.threads == {}
    assert [(one.reason.split(":")[0], one.quiet) for one in desk.asides] == [("marketplace", True)]


def test_a_letter_that_a_marketplace_signed_is_its_own_whoever_it_names(desk):
    proven = "mx.shop.example; dkim=pass header.d=etsy.com"

    assert desk.take(letter(dmarc=None, Authentication_Results=proven)) is None


def test_who_only_says_that_he_is_a_marketplace_opens_nothing_and_is_told(desk):
    raw = letter(sender="help@marketplace.amazon.de", dmarc="fail")

    assert desk.take(raw) is None
    assert [(one.reason.split(":")[0], one.quiet) for one in desk.asides] == [("unproven", False)]


def test_where_nobody_checks_a_marketplaces_name_is_believed():
    desk = Desk(authserv_ids=[])

    assert desk.take(letter(sender="help@marketplace.amazon.de", dmarc=None)) is None
    assert desk.asides[0].quiet


def test_an_operator_is_named_in_the_settings():
    desk = Desk(marketplace_domains=["market.example"])
    proven = "mx.shop.example; dkim=pass header.d=mail.market.example"
    raw = letter(sender="a@mail.market.example", dmarc=None, Authentication_Results=proven)

    assert desk.take(raw) is None


def test_domains_that_end_alike_are_no_marketplaces():
    assert operators.of("marketplace.amazon.de") == "amazon"
    for domain in ("notamazon.de", "amazon.de.evil.example", "naver.com", "example", ""):
        assert operators.of(domain) is None, domain


# What nobody wrote


AUTOMATIC = (
    {"Auto_Submitted": "auto-generated"},
    {"Auto_Submitted": "auto-notified"},
    {"Precedence": "bulk"},
    {"List_Id": "<news.example>"},
    {"Return_Path": "<>"},
    {"X_Autoreply": "yes"},
    {"subject": "Out of office: away"},
    {"subject": "Réponse automatique : absent"},
    {"sender": "no-reply@news.example"},
)


@pytest.mark.parametrize("how", AUTOMATIC)
def test_trap_18_what_nobody_wrote_starts_nothing(desk, how):
    assert desk.take(letter(**how)) is None
    assert [one.quiet for one in desk.asides] == [True]


@pytest.mark.parametrize("how", [{"X_Auto_Response_Suppress": "OOF"}, {"X_Loop": SUPPORT}])
def test_what_people_s_programs_write_too_makes_no_robot_of_a_buyer(desk, how):
    assert desk.take(letter(**how)).kind is Kind.MESSAGE


def test_trap_18_a_vacation_reply_is_shown_and_asks_nothing(desk):
    desk.take(letter(id_="q1@mail.example"))
    desk.sent(answer(In_Reply_To="<q1@mail.example>", id_="our-1@shop.example"))

    away = desk.take(vacation("our-1@shop.example"))

    assert (away.party, away.kind) == (Party.BUYER, Kind.AUTOMATIC)
    assert len({one.thread for one in desk.messages.values()}) == 1


def test_a_vacation_reply_to_nothing_known_is_set_aside(desk):
    assert desk.take(vacation("news-7@shop.example")) is None
    assert desk.asides[0].quiet


def test_a_robot_that_answers_is_none_the_better_for_answering_us(desk):
    ours = f"reply-7-{'a' * 16}-{'b' * 24}@shop.example"
    raw = letter(In_Reply_To=f"<{ours}>", Auto_Submitted="auto-generated")

    assert desk.take(raw) is None


def test_a_buyer_whose_company_sends_like_a_list_may_answer_us(desk):
    ours = f"reply-7-{'a' * 16}-{'b' * 24}@shop.example"
    raw = letter(In_Reply_To=f"<{ours}>", List_Unsubscribe="<https://x.example>",
                 Feedback_ID="1:2:3")  # fmt: skip

    assert desk.take(raw).thread == f"mail:{'a' * 16}"


@pytest.mark.parametrize(
    ("kind", "quiet"), [("disposition-notification", True), ("feedback-report", False)]
)
def test_a_read_receipt_is_ignored_and_a_complaint_is_told(desk, kind, quiet):
    assert desk.take(report(kind)) is None
    assert [one.quiet for one in desk.asides] == [quiet]


# Reports


def test_trap_18_a_report_that_our_reply_failed_refuses_it(desk):
    desk.take(letter(id_="q1@mail.example"))
    desk.sent(answer(In_Reply_To="<q1@mail.example>", id_="our-1@shop.example"))

    shown = desk.take(bounce("our-1@shop.example"))

    (verdict,) = desk.verdicts
    assert (verdict.delivery, verdict.message_id) == (Delivery.REFUSED, "our-1@shop.example")
    assert (shown.kind, shown.thread) == (Kind.SYSTEM, desk.messages["q1@mail.example"].thread)


def test_a_report_on_a_reply_of_ours_needs_no_memory(desk):
    ours = f"reply-7-{'a' * 16}-{'b' * 24}@shop.example"

    shown = desk.take(bounce(ours))

    assert [one.message_id for one in desk.verdicts] == [ours]
    assert shown.thread == f"mail:{'a' * 16}"


def test_a_delay_is_no_failure(desk):
    desk.take(letter(id_="q1@mail.example"))
    desk.sent(answer(In_Reply_To="<q1@mail.example>", id_="our-1@shop.example"))

    shown = desk.take(bounce("our-1@shop.example", action="delayed", status="4.4.1"))

    assert (desk.verdicts, shown.kind) == ([], Kind.SYSTEM)


def test_a_report_in_plain_words_is_read_by_the_id_in_it(desk):
    ours = f"reply-7-{'a' * 16}-{'b' * 24}@shop.example"
    raw = letter(f"Sorry.\n\n--- Below is a copy\nMessage-ID: <{ours}>\n",
                 sender="MAILER-DAEMON@mx.example", subject="failure notice")  # fmt: skip

    desk.take(raw)

    assert [one.message_id for one in desk.verdicts] == [ours]


def test_a_report_on_another_letter_is_set_aside(desk):
    assert desk.take(bounce("order-confirmation@shop.example")) is None
    assert (desk.verdicts, desk.asides[0].quiet) == ([], True)


def test_a_colleagues_answer_reached_the_buyer_though_not_who_got_a_copy(desk):
    desk.take(letter(id_="q1@mail.example"))
    raw = answer(In_Reply_To="<q1@mail.example>", id_="our-1@shop.example", Cc=BEN)
    desk.sent(raw)

    desk.take(bounce("our-1@shop.example", to=BEN))
    assert desk.verdicts == []
    desk.take(bounce("our-1@shop.example", to=ANA))
    assert len(desk.verdicts) == 1


# Who pretends to be us


def test_nobody_answers_by_writing_our_address_into_a_letter(desk):
    """Only what lies where letters left from here ends a waiting."""
    asked = desk.take(letter(id_="q1@mail.example"))
    for dmarc in ("pass", "fail", None):
        raw = letter("Solved!", sender=SUPPORT, to=ANA, In_Reply_To="<q1@mail.example>",
                     dmarc=dmarc)  # fmt: skip
        desk.take(raw)

    others = [one for one in desk.messages.values() if one.id != asked.id]
    assert all(one.kind is Kind.INTERNAL and one.to == frozenset() for one in others)
    assert not any(one.party is Party.BUYER for one in others)


def test_what_a_server_put_among_the_letters_that_left_must_be_proven_ours(desk):
    """Rules of a mailbox move letters, and anybody may write our address."""
    desk.take(letter(id_="q1@mail.example"))
    forged = letter("Solved!", sender=SUPPORT, to=ANA, In_Reply_To="<q1@mail.example>",
                    dmarc="fail", id_="x1@mail.example")  # fmt: skip
    proven = letter("It comes.", sender=SUPPORT, to=ANA, In_Reply_To="<q1@mail.example>",
                    dmarc="pass", id_="x2@shop.example")  # fmt: skip

    desk.sent(forged)
    kinds = {one.kind for one in desk.messages.values() if one.party is Party.SELLER}
    assert Kind.MESSAGE not in kinds
    assert desk.sent(proven).kind is Kind.MESSAGE


def test_no_letter_takes_the_place_of_a_reply_of_ours(desk):
    ours = f"reply-7-{'a' * 16}-{'b' * 24}@shop.example"

    asked = desk.take(letter(id_=ours))

    assert asked.id.startswith("made:")
    assert ours not in desk.messages


def test_a_copy_of_our_own_letter_in_the_inbox_changes_nothing(desk):
    desk.take(letter(id_="q1@mail.example"))
    raw = answer(In_Reply_To="<q1@mail.example>", id_="our-1@shop.example", Cc=SUPPORT)
    left = desk.sent(raw)

    assert desk.take(b"Delivered-To: support@shop.example\r\n" + raw) is None
    assert desk.messages["our-1@shop.example"] == left


def test_a_colleagues_letter_is_no_question_and_a_person_looks_once_it_names_nobody(desk):
    assert desk.take(letter(sender="boss@shop.example")) is None
    assert desk.take(letter(sender="boss@shop.example", to=BEN)) is None
    assert [one.quiet for one in desk.asides] == [False, True]


def test_without_own_domains_a_colleague_counts_as_a_buyer():
    desk = Desk(own_domains=[])

    assert desk.take(letter(sender="boss@shop.example")).party is Party.BUYER


# What cannot be read, and junk


def test_what_names_no_sender_is_set_aside_and_told(desk):
    assert desk.take(b"\x00\xff\x80") is None
    assert not desk.asides[0].quiet
    assert QUESTION.encode() not in desk.asides[0].raw


def test_a_letter_in_the_folder_for_junk_is_a_question_unless_that_is_believed():
    assert Desk().take(letter(), "junk").kind is Kind.MESSAGE
    desk = Desk(believes_junk=True)
    assert desk.take(letter(sender=BEN), "junk") is None
    desk.take(letter(id_="q1@mail.example"))
    assert desk.take(letter(subject="Re: Where is it?"), "junk").party is Party.BUYER


def test_a_letter_that_left_for_nobody_outside_is_set_aside(desk):
    assert desk.sent(answer(to="boss@shop.example")) is None
    assert desk.asides[0].quiet
