"""To which conversation a letter belongs: section 5.4 of the facts, in its order."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from itertools import permutations

import pytest

from connectors.webstore.mailbox import memory as memories
from connectors.webstore.mailbox.memory import Memory
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import (
    ANA,
    BEN,
    DAY,
    NOON,
    QUESTION,
    SUPPORT,
    Desk,
    answer,
    form,
    letter,
)  # fmt: skip

TOKEN = "0123456789abcdef"
OURS = f"reply-7-{TOKEN}-{'b' * 24}@shop.example"


@pytest.fixture
def desk():
    return Desk()


def fresh(words="Hello?", *, subject="Something else", **more):
    """A letter that has nothing in common with the others but what is said here."""
    return letter(words, subject=subject, **more)


# By what it answers


def test_the_id_of_our_reply_says_the_thread_without_any_memory(desk):
    asked = desk.take(letter(In_Reply_To=f"<{OURS}>", sender=BEN))

    assert asked.thread == f"mail:{TOKEN}"


def test_our_address_with_a_thread_in_it_says_the_thread(desk):
    by_to = desk.take(letter(to=f"support+{TOKEN}@shop.example"))
    by_envelope = desk.take(letter(sender=BEN, Delivered_To=f"support+{TOKEN}@shop.example"))
    others = desk.take(letter(sender="eve@mail.example", to=f"x+{TOKEN}@other.example"))

    assert by_to.thread == by_envelope.thread == f"mail:{TOKEN}"
    assert others.thread != by_to.thread


def test_our_own_words_go_before_the_letter_that_is_answered(desk):
    desk.take(letter(id_="q1@mail.example"))

    asked = desk.take(fresh(sender=BEN, In_Reply_To="<q1@mail.example>", References=f"<{OURS}>"))

    assert asked.thread == f"mail:{TOKEN}"


def test_the_letter_that_is_answered_goes_before_those_before_it(desk):
    one = desk.take(letter(id_="q1@mail.example"))
    two = desk.take(letter(id_="q2@post.example", sender=BEN))

    by_reply = desk.take(fresh(sender="c@mail.example", In_Reply_To="<q2@post.example>",
                               References="<q1@mail.example>"))  # fmt: skip
    told = "<q1@mail.example> <q2@post.example> <no@x.example>"
    rightmost = desk.take(fresh(sender="d@mail.example", In_Reply_To="<x@y.example>",
                                References=told))  # fmt: skip

    assert one.thread != two.thread
    assert by_reply.thread == rightmost.thread == two.thread


def test_an_answer_from_another_address_joins_by_what_it_answers(desk):
    asked = desk.take(letter(id_="q1@mail.example"))
    desk.sent(answer(In_Reply_To="<q1@mail.example>", id_="our-1@shop.example"))

    again = desk.take(fresh(sender="ana@work.example", In_Reply_To="<our-1@shop.example>"))

    assert again.thread == asked.thread
    assert desk.threads[asked.thread].reply_to["address"] == "ana@work.example"


# By the provider's thread, an order, a subject: each with the same address


def test_outlooks_index_ties_letters_of_one_address(desk):
    index, child = bytes(range(22)), bytes(range(22)) + b"12345"
    one = desk.take(letter(Thread_Index=b64encode(index).decode()))

    joins = desk.take(fresh(Thread_Index=b64encode(child).decode()))
    strange = desk.take(fresh(sender=BEN, Thread_Index=b64encode(child).decode()))
    short = desk.take(fresh(sender=BEN, subject="Short", Thread_Index="AdE="))

    assert joins.thread == one.thread
    assert strange.thread not in {one.thread, short.thread}


def test_gmails_number_ties_letters_of_one_address_alone(desk):
    """Gmail puts letters of a form into one conversation, whoever wrote them."""
    one = desk.take(letter(), gmail="77")

    assert desk.take(fresh(), gmail="77").thread == one.thread
    assert desk.take(fresh(sender=BEN), gmail="77").thread != one.thread


def test_an_orders_number_ties_letters_of_one_address(desk):
    one = desk.take(letter(subject="Lamp", at=NOON), at=NOON)

    late = desk.take(fresh("Order 100123 again", subject="Hm"), at=NOON + 60 * DAY)
    strange = desk.take(fresh("Order 100123 again", sender=BEN, subject="Hm"))

    assert late.thread == one.thread
    assert late.order_id == "100123"
    assert strange.thread != one.thread


def test_numbers_are_no_orders_without_a_pattern():
    desk = Desk(order_pattern=None)
    one = desk.take(letter(subject="Lamp"))

    assert desk.take(fresh("Order 100123 again", subject="Hm")).thread != one.thread
    assert one.order_id is None


@pytest.mark.parametrize(
    "subject",
    ["Re: Lamp", "AW: lamp", "WG: RE: LAMP", "Rv: Lamp", "SV: VS: Lamp", "ODP: Lamp", "TR: Lamp",
     "회신: Lamp", "답장: Lamp", "Re[2]: Lamp", "Fwd: Lamp"],
)  # fmt: skip
def test_a_subject_ties_letters_of_one_address_for_some_days(desk, subject):
    one = desk.take(letter("Hello", subject="Lamp"), at=NOON)

    near = desk.take(fresh(subject=subject), at=NOON + 13 * DAY)
    strange = desk.take(fresh(sender=BEN, subject=subject), at=NOON + DAY)

    assert near.thread == one.thread
    assert strange.thread != one.thread


def test_a_subject_ties_no_letters_that_are_too_far_apart(desk):
    one = desk.take(letter("Hello", subject="Lamp"), at=NOON)

    assert desk.take(fresh(subject="Re: Lamp"), at=NOON + 15 * DAY).thread != one.thread


def test_a_buyer_who_fills_in_a_form_and_writes_later_is_in_one_thread(desk):
    asked = desk.take(form())

    assert desk.take(letter(subject="Re: [Contact] Where is order 100123?")).thread == asked.thread


def test_who_is_forged_joins_no_thread_by_an_address(desk):
    """Neither by subject nor by order; and the key to other threads is not believed."""
    one = desk.take(letter())

    forged = desk.take(letter(dmarc="fail"))
    real = desk.take(letter(subject="Re: Where is it?"))

    assert forged.thread != one.thread
    assert "mail" not in desk.threads[forged.thread].reply_to
    assert desk.threads[forged.thread].reply_to["address"] == ANA
    assert real.thread == one.thread


# Answers given elsewhere


def test_an_answer_given_elsewhere_ends_the_waiting_at_its_arrival(desk):
    asked = desk.take(letter(id_="q1@mail.example"))

    left = desk.sent(answer(In_Reply_To="<q1@mail.example>", Date="Mon, 1 Jan 2001 00:00:00 +0000"))

    assert (left.thread, left.party, left.kind) == (asked.thread, Party.SELLER, Kind.MESSAGE)
    assert (left.to, left.delivery) == ({Party.BUYER}, Delivery.ACCEPTED)
    assert left.sent_at == desk.at


def test_an_answer_without_any_reference_is_found_by_recipient_and_subject(desk):
    asked = desk.take(letter(id_="q1@mail.example"))

    assert desk.sent(answer(subject="AW: Where is it?")).thread == asked.thread
    other = answer(subject="AW: Where is it?", to=BEN, id_="a2@shop.example")
    assert desk.sent(other).thread != asked.thread


def test_what_is_passed_on_is_a_note_and_answers_nobody(desk):
    asked = desk.take(letter(id_="q1@mail.example"))
    told = {"In_Reply_To": "<q1@mail.example>", "to": "stock@supplier.example"}

    passed = desk.sent(answer(subject="Fwd: Where is it?", id_="f@shop.example", **told))
    back = desk.take(fresh(sender="stock@supplier.example", In_Reply_To="<f@shop.example>"))

    assert (passed.kind, passed.to, passed.thread) == (Kind.INTERNAL, frozenset(), asked.thread)
    assert (back.kind, back.party, back.thread) == (Kind.INTERNAL, Party.SELLER, asked.thread)
    assert desk.threads[asked.thread].reply_to["address"] == ANA


def test_who_gets_a_copy_may_be_anybody_where_the_buyer_gets_the_answer(desk):
    desk.take(letter(id_="q1@mail.example"))
    raw = answer(In_Reply_To="<q1@mail.example>", to="boss@shop.example", Cc=f"{BEN}, Ana <{ANA}>")

    assert desk.sent(raw).kind is Kind.MESSAGE


def test_an_automatic_answer_of_ours_ends_nothing(desk):
    desk.take(letter(id_="q1@mail.example"))
    raw = answer(In_Reply_To="<q1@mail.example>", Auto_Submitted="auto-replied")

    assert desk.sent(raw).kind is Kind.AUTOMATIC


def test_a_letter_that_answers_nothing_is_not_stored(desk):
    assert desk.sent(answer(subject="Your order 100555 has left")) is None
    assert [one.quiet for one in desk.asides] == [True]


def test_our_own_send_and_its_copy_are_one_message(desk):
    """Core knows the reply by the id under which it left."""
    asked = desk.take(letter(id_="q1@mail.example"))
    ours = f"reply-7-{asked.thread.removeprefix('mail:')}-{'b' * 24}@shop.example"

    for _ in range(2):
        left = desk.sent(answer(In_Reply_To="<q1@mail.example>", id_=ours))
        assert (left.id, left.thread) == (ours, asked.thread)


# Ids that are missing or doubled


def test_a_letter_without_an_id_gets_one_that_its_copy_gets_too(desk):
    raw = letter(id_="")

    assert desk.take(raw).id == desk.take(raw, "junk").id
    assert next(iter(desk.messages)).startswith("made:")


def test_two_letters_of_a_form_under_one_id_are_two_questions(desk):
    one = desk.take(form(who=ANA, id_="contact@shop.example"))
    two = desk.take(form(who=BEN, id_="contact@shop.example", subject="[Contact] Lamp"))
    raw = answer(to=BEN, subject="Re: [Contact] Lamp", In_Reply_To="<contact@shop.example>")

    assert one.thread != two.thread
    assert two.id.startswith("made:")
    assert desk.sent(raw).thread == two.thread


def test_one_letter_in_two_folders_is_one_message(desk):
    raw = letter(id_="q1@mail.example")
    desk.take(raw)
    desk.take(raw, "junk", at=NOON + DAY)

    assert len(desk.messages) == 1


# Whatever comes first


CHAIN = {
    "q1": letter(id_="q1@mail.example", subject="Lamp", at=NOON),
    "a1": answer(id_="a1@shop.example", subject="Re: Lamp", In_Reply_To="<q1@mail.example>",
                 References="<q1@mail.example>"),
    "q2": letter("And?", id_="q2@mail.example", subject="Re: Lamp", In_Reply_To="<a1@shop.example>",
                 References="<q1@mail.example> <a1@shop.example>"),
    "a2": answer(id_="a2@shop.example", subject="Re: Lamp", In_Reply_To="<q2@mail.example>",
                 References="<q1@mail.example> <a1@shop.example> <q2@mail.example>"),
}  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(CHAIN)))
def test_a_chain_of_letters_is_one_thread_of_one_name_whatever_comes_first(order):
    desk = Desk()
    for name in order:
        desk.take(CHAIN[name], "sent" if name[0] == "a" else "inbox")

    assert len(desk.messages) == 4
    assert len({one.thread for one in desk.messages.values()}) == 1
    assert {one.thread for one in desk.messages.values()} == {Desk().take(CHAIN["q1"]).thread}


def test_an_answer_belongs_to_its_question_though_a_later_letter_came_first(desk):
    """What cannot be joined any more: two threads that a letter between them would have joined."""
    asked = desk.take(letter(id_="q1@mail.example"))
    later = desk.take(fresh(sender="ana@work.example", id_="q2@work.example",
                            In_Reply_To="<a1@shop.example>"))  # fmt: skip
    left = desk.sent(answer(In_Reply_To="<q1@mail.example>"))

    assert left.thread == asked.thread
    assert later.thread != asked.thread
    again = desk.take(fresh(sender="ana@work.example", id_="q3@work.example",
                            In_Reply_To="<q2@work.example>"))  # fmt: skip
    assert again.thread == later.thread


def test_a_letter_that_is_read_again_stays_where_it_was(desk):
    """Though what it answers has been read meanwhile, and stands elsewhere."""
    desk.take(letter(id_="q1@mail.example"))
    raw = fresh(sender="ana@work.example", id_="q2@work.example", In_Reply_To="<a1@shop.example>")
    later = desk.take(raw)
    assert desk.sent(answer(In_Reply_To="<q1@mail.example>")).thread != later.thread

    assert desk.take(raw).thread == later.thread


def test_a_letter_meets_the_one_that_it_answers_though_that_is_read_later(desk):
    """Whatever else that one answers, of which nothing is known."""
    later = desk.take(fresh(sender="ana@work.example", In_Reply_To="<p1@mail.example>"))

    told = {"In_Reply_To": "<y@x.example>", "References": "<x@x.example> <y@x.example>"}
    parent = desk.take(letter(id_="p1@mail.example", **told))

    assert parent.thread == later.thread


def test_an_older_letter_that_is_read_later_unties_nothing(desk):
    new = desk.take(letter("Hello", subject="Lamp"), at=NOON + 20 * DAY)
    old = desk.take(letter("Hello", subject="Lamp"), at=NOON)

    assert old.thread != new.thread
    assert desk.take(fresh(subject="Re: Lamp"), at=NOON + 30 * DAY).thread == new.thread


# The memory


def test_a_memory_is_written_and_read_as_it_was(desk):
    desk.take(letter())
    desk.sent(answer(In_Reply_To="<x@y.example>"))

    assert Memory.read(desk.memory.write()) == desk.memory
    assert Memory.read(None) == Memory()


def test_a_memory_holds_no_name_address_subject_or_order(desk):
    desk.take(letter(sender=f"Ana Sample <{ANA}>", subject="Lamp 100123", id_="q1@mail.example"))
    desk.sent(answer(In_Reply_To="<q1@mail.example>"))

    text = desk.memory.write().lower()
    for word in (ANA, "ana", "lamp", "100123", SUPPORT, "q1@", QUESTION.lower()):
        assert word not in text, word
    assert len(json.loads(text)) == 2


def test_what_is_old_or_too_much_is_forgotten(monkeypatch):
    monkeypatch.setattr(memories, "MOST_LETTERS", 20)
    memory = Memory()
    for number in range(30):
        at = NOON + timedelta(minutes=number)
        memory.note_letter(f"l{number}", "t", at, "m")
        memory.note_tie("t", at, "order", str(number))

    memory.forget(NOON + timedelta(minutes=5))

    assert len(memory.letters) == 18
    assert memory.letter("l29") is not None
    assert memory.letter("l5") is None
    assert len(memory.ties) == 25
