"""Two buyers are never in one thread, and what goes out by itself answers nobody."""

from __future__ import annotations

from itertools import permutations

import pytest

from sla.clock import Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import (
    ANA,
    BEN,
    DAY,
    NOON,
    SUPPORT,
    Desk,
    answer,
    bounce,
    form,
    letter,
)  # fmt: skip

CHO = "cho@mail.example"
RELAY = "x1y2z3@marketplace.amazon.de"


@pytest.fixture
def desk():
    return Desk()


# Forms


def test_letters_of_a_form_that_all_refer_to_the_same_are_of_as_many_buyers(desk):
    """Some let mail programs gather them, under an id that stands for the form."""
    told = {"References": "<contact-form@shop.example>", "In_Reply_To": "<cf@shop.example>"}
    one = desk.take(form(who=ANA, id_="f1@shop.example", **told))
    two = desk.take(form(who=BEN, id_="f2@shop.example", **told))
    again = desk.take(form("And?", who=ANA, id_="f3@shop.example", subject="[Contact] Hm", **told))

    assert one.thread != two.thread
    assert again.thread == one.thread
    assert desk.threads[one.thread].reply_to["mail"] == ANA
    assert desk.threads[two.thread].reply_to["mail"] == BEN


def test_a_form_of_somebody_else_joins_no_buyers_thread_by_what_it_refers_to(desk):
    asked = desk.take(letter(id_="q1@mail.example"))

    assert desk.take(form(who=BEN, In_Reply_To="<q1@mail.example>")).thread != asked.thread


def test_a_groups_copy_of_a_buyers_answer_joins_his_thread(desk):
    """A mailing group writes its own address in place of the sender's, and asks to answer him."""
    asked = desk.take(letter(id_="q1@mail.example"))
    desk.sent(answer(In_Reply_To="<q1@mail.example>"))

    told = {"id_": "q2@mail.example", "In_Reply_To": "<a1@shop.example>", "subject": "Hm"}
    assert desk.take(form(sender=f"Ana via Support <{SUPPORT}>", **told)).thread == asked.thread


# One letter to many


MAILING = answer("New lamps!", to=SUPPORT, Bcc=f"{ANA}, {BEN}, {CHO}", id_="all@shop.example",
                 subject="New lamps")  # fmt: skip
ANSWERS = {
    who: letter("How much?", sender=who, subject="Re: New lamps", id_=f"q-{who}",
                In_Reply_To="<all@shop.example>", References="<all@shop.example>")
    for who in (ANA, BEN, CHO)
}  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(["sent", ANA, BEN, CHO])))
def test_who_answer_one_letter_to_many_are_in_threads_of_their_own(order):
    desk = Desk()
    for name in order:
        if name == "sent":
            desk.sent(MAILING)
        else:
            desk.take(ANSWERS[name])

    threads = {name: desk.messages[f"q-{name}"].thread for name in ANSWERS}
    assert len(set(threads.values())) == 3
    assert all(desk.threads[thread].reply_to["mail"] == who for who, thread in threads.items())


TO_BEN = answer("Ten.", to=BEN, subject="Re: New lamps", In_Reply_To=f"<q-{BEN}>",
                References=f"<all@shop.example> <q-{BEN}>", id_="to-ben@shop.example")  # fmt: skip
TO_ANA = answer("Nine.", to=ANA, subject="Re: New lamps", In_Reply_To=f"<q-{ANA}>",
                References=f"<all@shop.example> <q-{ANA}>", id_="to-ana@shop.example")  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(["sent", ANA, BEN, "to ana", "to ben"])))
def test_what_answers_each_of_them_is_in_his_thread_whatever_is_read_first(order):
    desk = Desk()
    for name in order:
        if name in ANSWERS:
            desk.take(ANSWERS[name])
        else:
            desk.sent({"sent": MAILING, "to ana": TO_ANA, "to ben": TO_BEN}[name])

    thread = {id_: one.thread for id_, one in desk.messages.items()}
    assert thread[f"q-{ANA}"] == thread["to-ana@shop.example"]
    assert thread[f"q-{BEN}"] == thread["to-ben@shop.example"]
    assert thread[f"q-{ANA}"] != thread[f"q-{BEN}"]
    assert desk.messages["to-ana@shop.example"].kind is Kind.MESSAGE
    assert desk.messages["to-ben@shop.example"].kind is Kind.MESSAGE


def test_who_answers_again_stays_in_the_thread_of_his_own(desk):
    ana, ben = desk.take(ANSWERS[ANA]), desk.take(ANSWERS[BEN])

    told = {"subject": "Hm", "References": "<all@shop.example> <x@x.example>"}
    assert desk.take(letter("And?", sender=ANA, **told)).thread == ana.thread
    told = {"subject": "Hm", "References": f"<all@shop.example> <q-{BEN}>"}
    assert desk.take(letter("And?", sender=BEN, **told)).thread == ben.thread


# What goes out by itself


@pytest.mark.parametrize("subject", ["Your order 100123 has left", "Invoice 100123"])
def test_a_letter_about_the_order_that_answers_nothing_is_a_note(desk, subject):
    """Shops send such letters by themselves through the same mailbox."""
    asked = desk.take(letter(subject="Lamp"))

    left = desk.sent(answer("Thank you for your order 100123.", subject=subject))

    assert (left.thread, left.party, left.kind) == (asked.thread, Party.SELLER, Kind.INTERNAL)
    assert left.to == frozenset()


def test_an_answer_about_the_order_under_another_subject_counts(desk):
    asked = desk.take(letter(subject="Lamp"))

    left = desk.sent(answer("Order 100123 comes on Monday.", subject="Re: Your order"))

    assert (left.thread, left.kind) == (asked.thread, Kind.MESSAGE)


def test_trap_17_an_answer_to_a_marketplaces_relay_opens_no_thread_here(desk):
    told = {"In_Reply_To": "<m1@amazon.example>", "subject": "Re: Inquiry about order"}

    assert desk.sent(answer(to=RELAY, **told)) is None
    assert [one.quiet for one in desk.asides] == [True]
    assert desk.messages == {}


# To whom a conversation is carried on


def test_who_was_answered_at_another_address_asks_and_does_not_note(desk):
    asked = desk.take(letter(id_="q1@mail.example"))
    told = {"In_Reply_To": "<q1@mail.example>", "to": "ana@work.example"}
    desk.sent(answer(id_="a1@shop.example", **told))

    back = desk.take(letter("Thanks, and when?", sender="ana@work.example", subject="Re: Where?",
                            In_Reply_To="<a1@shop.example>"))  # fmt: skip

    assert (back.party, back.kind) == (Party.BUYER, Kind.MESSAGE)
    assert desk.threads[asked.thread].reply_to["mail"] == ANA
    assert desk.threads[back.thread].reply_to["mail"] == "ana@work.example"


# Subjects that only begin like those of automatic answers


@pytest.mark.parametrize(
    "subject",
    ["Out of office chair: when?", "Out of office-chairs?", "부재중 배송 문의",
     "Abwesenheit bei der Lieferung am Montag", "Autoreply to my order?",
     "Auto response time of the dimmer", "Afwezigheid bij levering"],
)  # fmt: skip
def test_a_question_whose_subject_begins_like_an_automatic_answer_waits(desk, subject):
    asked = desk.take(letter(subject=subject), at=NOON + DAY)

    assert asked is not None
    assert (asked.party, asked.kind) == (Party.BUYER, Kind.MESSAGE)


# What is passed to the mailbox, or moved within it


@pytest.mark.parametrize("sender", [f"Amazon via Support <{SUPPORT}>", "desk@forward.example"])
def test_trap_17_a_marketplaces_letter_that_was_passed_on_is_no_form(desk, sender):
    """A mailing group, or a service that forwards, writes its own address over the sender's."""
    raw = letter("Wo ist es?", sender=sender, Reply_To=RELAY, subject="Anfrage zur Bestellung")

    assert desk.take(raw) is None
    assert [(one.reason.split(":")[0], one.quiet) for one in desk.asides] == [("unproven", False)]


def test_a_buyer_who_works_at_a_marketplace_and_fills_in_the_form_waits(desk):
    assert desk.take(form(who="jo@otto.de")).party is Party.BUYER


def test_a_buyers_letter_that_was_moved_among_those_that_left_waits(desk):
    """By hand, or a rule; not every server notes for whom it put a letter there."""
    moved = letter(id_="q1@mail.example")
    assert b"Delivered-To" in moved

    asked = desk.sent(moved.replace(b"Delivered-To: support@shop.example\n", b""))

    assert (asked.party, asked.kind) == (Party.BUYER, Kind.MESSAGE)


def test_what_left_under_an_address_that_nobody_named_answers(desk):
    desk.take(letter(id_="q1@mail.example"))
    raw = letter("On Monday.", sender="sales@other.example", to=ANA, arrived=False,
                 subject="Re: Where is it?", In_Reply_To="<q1@mail.example>")  # fmt: skip

    left = desk.sent(raw)

    assert (left.party, left.kind) == (Party.SELLER, Kind.MESSAGE)


# What comes back


OTHERS = f"reply-7-{'b' * 24}@shop.example"


def test_trap_18_a_report_on_a_reply_of_another_account_is_told_to_a_person(desk):
    """Shops whose API mails nobody answer by mail under the same address."""
    plain = letter(f"Sorry.\n\n--- Below is a copy\nMessage-ID: <{OTHERS}>\n",
                   sender="MAILER-DAEMON@mx.example", subject="failure notice")  # fmt: skip
    for raw in (bounce(OTHERS), plain):
        assert desk.take(raw) is None

    desk.take(bounce(OTHERS, action="delayed", status="4.4.1"))

    assert [one.quiet for one in desk.asides] == [False, False, True]
    assert [one.reason.split(":")[0] for one in desk.asides] == ["bounced", "bounced", "report"]


def test_trap_18_a_report_on_an_unknown_letter_to_who_was_answered_is_told(desk):
    """A provider may have put an id of its own in place of ours."""
    for who in (ANA, BEN):
        desk.take(letter(sender=who, id_=f"q-{who}"))
    desk.sent(answer(In_Reply_To=f"<q-{ANA}>"))
    desk.take(bounce("0102-made@provider.example", to=ANA.upper()))
    desk.take(bounce("0103-made@provider.example", to=BEN))

    assert [one.quiet for one in desk.asides] == [False, True]


def test_our_own_answer_counts_though_the_shop_writes_under_no_reply():
    """The copy of what left is the same message: it must not take the answer back."""
    desk = Desk(sender="no-reply@shop.example")
    asked = desk.take(letter(id_="q1@mail.example", to="no-reply@shop.example"))
    ours = f"reply-7-{asked.thread.removeprefix('mail:')}-{'b' * 24}@shop.example"
    told = {"sender": "no-reply@shop.example", "to": ANA, "arrived": False,
            "subject": "Re: Where is it?", "In_Reply_To": "<q1@mail.example>"}  # fmt: skip

    assert desk.sent(letter("On Monday.", id_=ours, **told)).kind is Kind.MESSAGE
    made = letter("We are closed.", id_=ours, Auto_Submitted="auto-replied", **told)
    assert desk.sent(made).kind is Kind.AUTOMATIC
    assert desk.sent(letter("It left.", id_="s@shop.example", **told)).kind is Kind.AUTOMATIC


def test_a_colleagues_note_upon_a_letter_that_nobody_read_is_in_its_thread(desk):
    asked = desk.take(letter(In_Reply_To="<old@shop.example>"))

    noted = desk.take(letter("I call her.", sender=SUPPORT, In_Reply_To="<old@shop.example>"))

    assert (noted.thread, noted.kind) == (asked.thread, Kind.INTERNAL)
