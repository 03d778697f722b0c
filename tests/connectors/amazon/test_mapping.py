"""Buyers' letters, sent ones and strangers': what becomes of them and of the clock."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.amazon import mapping, policies
from connectors.amazon.identity import Memory
from core.transport.mime import File
from sla.clock import Delivery, Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.amazon.letters import (
    ALIAS,
    ARRIVED,
    BARE,
    CASE,
    LINK,
    LOCAL,
    NOW,
    ORDER,
    OTHER_CASE,
    QUESTION,
    SECRET,
    SENT,
    WRAPPERS,
    arrival,
    bounce,
    copy,
    mail,
    opt_out,
    options,
    question,
    sent,
    wrapped,
)  # fmt: skip
from tests.connectors.books import turn

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
THREAD = f"case:{CASE}"


def read(*arrivals, memory=None, **more):
    return mapping.pieces(arrivals, options(**more), memory or Memory(), NOW)


def turns(pieces, *, seen_at=None):
    return [turn(m, seen_at or max(m.sent_at, m.visible_at or m.sent_at)) for m in pieces.messages]


def clocks_of(pieces, kind=ThreadKind.MESSAGE, **more):
    fitting = [p for p in policies.of(options()) if kind in p.applies_to]
    given = [one for _, one in pieces.given if one.kind == kind]
    return clocks(turns(pieces, **more), fitting, given, kind=kind)


@pytest.mark.parametrize("language", WRAPPERS)
def test_a_buyers_letter_starts_the_24_hours_at_amazons_stamp(language):
    pieces = read(arrival(question(language)))
    (message,) = pieces.messages
    (thread,) = pieces.threads
    (clock,) = clocks_of(pieces)

    assert (message.party, message.kind, message.body) == (Party.BUYER, Kind.MESSAGE, QUESTION)
    assert (message.thread, thread.id, message.order_id) == (THREAD, THREAD, ORDER)
    assert (message.sent_at, message.visible_at) == (SENT, ARRIVED)
    assert (thread.buyer, thread.order_ids) == ("Ada", (ORDER,))
    assert (clock.promise, clock.started_at, clock.due_at) == ("amazon-message", SENT, SENT + DAY)


def test_trap_03_the_thread_keeps_the_whole_alias_to_answer_to():
    (thread,) = read(arrival(question())).threads

    assert thread.reply_to["alias"] == ALIAS
    assert thread.reply_to["message_id"] == "0102018f-1111-000000@eu-west-1.amazonses.com"
    assert SECRET not in str(thread)


def test_trap_03_a_case_in_the_envelope_only_reaches_thread_and_answer():
    letter = question(sender=BARE, reply_to=BARE, envelope=(ALIAS,))
    pieces = read(arrival(letter))

    assert pieces.messages[0].thread == THREAD
    assert pieces.threads[0].reply_to["alias"] == ALIAS


def test_trap_04_references_and_subjects_join_nothing():
    second = mail(
        wrapped(footer=""), sender=ALIAS.replace(CASE, OTHER_CASE), message_id="m2",
        headers={"references": "<0102018f-1111-000000@eu-west-1.amazonses.com>"},
    )  # fmt: skip
    pieces = read(arrival(question()), arrival(second))

    assert len({m.thread for m in pieces.messages}) == 2


def test_trap_05_two_cases_of_one_buyer_and_order_stay_two():
    other = mail(wrapped(footer=""), sender=ALIAS.replace(CASE, OTHER_CASE), message_id="m2")
    pieces = read(arrival(question()), arrival(other))

    assert {m.thread for m in pieces.messages} == {THREAD, f"case:{OTHER_CASE}"}


def test_trap_07_no_secret_stands_in_anything_but_the_link_itself():
    pieces = read(arrival(question()))

    (link,) = pieces.links.values()
    assert link.get_secret_value() == LINK
    assert SECRET not in repr(pieces)
    assert SECRET not in pieces.messages[0].model_dump_json() + pieces.threads[0].model_dump_json()
    assert LOCAL not in "".join(m.thread + m.id for m in pieces.messages)


@pytest.mark.parametrize("trusted", [None, False])
def test_trap_08_a_link_of_an_unproven_letter_is_no_button(trusted):
    assert read(arrival(question(), trusted=trusted)).links == {}


def test_trap_26_the_buyers_words_stand_in_his_message_alone():
    pieces = read(arrival(question()), arrival(question(message_id="m2"), trusted=False))

    assert QUESTION in pieces.messages[0].body
    elsewhere = (pieces.threads, pieces.set_aside, pieces.memory, pieces.verdicts, pieces.given)
    assert "Paket" not in repr(elsewhere)


def test_trap_12_the_clock_is_24_elapsed_hours_over_weekends_and_time_changes():
    friday = datetime(2026, 3, 27, 17, tzinfo=UTC)  # Europe's clocks go forward on Sunday
    saturday = datetime(2026, 10, 24, 17, tzinfo=UTC)  # and back on this Sunday
    for at in (friday, saturday):
        pieces = read(arrival(question(date=at), at=at + HOUR))
        (clock,) = clocks_of(pieces)
        assert clock.due_at == at + DAY


def test_trap_13_after_an_outage_the_clock_starts_when_it_was_sent():
    pieces = read(arrival(question(date=SENT - 2 * DAY), at=SENT - 2 * DAY + HOUR))
    (clock,) = clocks_of(pieces, seen_at=NOW)

    assert clock.started_at == SENT - 2 * DAY
    assert "unseen_in_time" in clock.flags


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (ARRIVED - timedelta(hours=72), ARRIVED - timedelta(hours=72)),
        (ARRIVED - timedelta(hours=72, seconds=1), ARRIVED),
        (ARRIVED + HOUR, ARRIVED),
        (datetime.min.replace(tzinfo=UTC), ARRIVED),
        (datetime.max.replace(tzinfo=UTC), ARRIVED),
        (None, ARRIVED),
    ],
)
def test_amazons_stamp_counts_for_72_hours_at_most(stamp, expected):
    (message,) = read(arrival(question(date=stamp))).messages

    assert message.sent_at == expected
    assert message.visible_at == (None if expected == ARRIVED else ARRIVED)


def test_the_first_servers_stamp_counts_where_there_is_no_date():
    received = "from x by smtp-out.eu-west-1.amazonses.com; Sun, 22 Nov 2026 10:00:00 +0100"
    (message,) = read(arrival(question(date=None, headers={"received": received}))).messages

    assert message.sent_at == SENT


@pytest.mark.parametrize(
    "received", ["by amazon", "by amazon; never", "by amazon; Sun, 22 Nov 2026 09:00:00 -0000",
                 "by mx.shop.example; Sun, 22 Nov 2026 10:00:00 +0100"],
)  # fmt: skip
def test_a_stamp_that_cannot_be_read_is_none(received):
    (message,) = read(arrival(question(date=None, headers={"received": received}))).messages

    assert message.sent_at == ARRIVED


def test_trap_47_where_nobody_checked_the_clock_starts_at_arrival():
    (message,) = read(arrival(question(date=SENT - DAY), trusted=None)).messages

    assert (message.kind, message.sent_at, message.visible_at) == (Kind.MESSAGE, ARRIVED, None)


def test_trap_47_a_forged_buyers_letter_is_shown_and_told_and_starts_nothing():
    pieces = read(arrival(question(), trusted=False))
    (message,) = pieces.messages
    (aside,) = pieces.set_aside

    assert (message.party, message.kind, message.body) == (Party.BUYER, Kind.SYSTEM, QUESTION)
    assert message.thread.startswith("suspect:")
    assert pieces.threads[0].reply_to == {}
    assert aside.reason.startswith("suspicious")
    assert QUESTION.encode() not in aside.raw
    assert LOCAL.encode() not in aside.raw
    assert clocks_of(pieces) == []


def test_trap_47_a_forged_letter_cannot_take_the_place_of_a_real_one():
    pieces = read(arrival(question()), arrival(question(words="x"), trusted=False))
    real = [m for m in pieces.messages if m.thread == THREAD]

    assert [m.body for m in real] == [QUESTION]
    assert len({m.id for m in pieces.messages}) == 2
    assert {t.id for t in pieces.threads if t.reply_to} == {THREAD}


def test_trap_47_a_forged_letter_that_a_person_finds_real_counts_from_its_arrival():
    pieces = read(arrival(question(date=SENT - DAY), trusted=False))
    (turn,) = turns(pieces)
    turn.kind = Kind.MESSAGE
    (clock,) = clocks([turn], policies.of(options())[:1])

    assert clock.started_at == ARRIVED


@pytest.mark.parametrize("trusted", [True, None, False])
def test_trap_47_a_display_name_is_nobody(trusted):
    letter = mail(wrapped(), sender="x@evil.example", name="Ada - Amazon Marketplace",
                  kind="BBC_MESSAGE_SENT_TO_MERCHANT", reply_to="x@evil.example")  # fmt: skip
    pieces = read(arrival(letter, trusted=trusted))

    assert clocks_of(pieces) == []
    assert all(thread.reply_to == {} for thread in pieces.threads)


def test_private_mail_is_set_aside_without_its_text():
    pieces = read(arrival(mail("my secret", sender="ada@mail.example", name="Ada")))

    assert pieces.messages == pieces.threads == ()
    (aside,) = pieces.set_aside
    assert aside.reason.startswith("foreign")
    assert b"my secret" not in aside.raw
    assert b"ada@" not in aside.raw
    assert aside.quiet, "nobody is told of private mail"


def test_trap_47_of_a_letter_that_pretends_a_person_is_told():
    pieces = read(arrival(question(), trusted=False))

    assert [one.quiet for one in pieces.set_aside] == [False]


def test_a_letter_that_comes_twice_is_one_message_of_its_earliest_instant():
    first = arrival(question(), trusted=None)
    again = arrival(question(), trusted=None, at=ARRIVED + HOUR)

    for order in ((first, again), (again, first)):
        (message,) = read(*order).messages
        assert message.sent_at == ARRIVED


@pytest.mark.parametrize("told", ["", "x" * 3000, "a\x00b", "a\ud800b", "a\nb"])
def test_an_odd_message_id_is_made_into_one_that_can_be_stored(told):
    (message,) = read(arrival(question(message_id=told))).messages
    (again,) = read(arrival(question(message_id=told), at=ARRIVED + HOUR)).messages

    assert message.id == again.id
    assert message.id.startswith("made:")


def test_made_ids_are_no_reference_in_an_answer():
    (thread,) = read(arrival(question(message_id="made:0123"))).threads

    assert "message_id" not in thread.reply_to


def test_a_letter_without_order_and_case_is_one_thread_by_buyer_and_subject():
    told = {"sender": BARE, "subject": "Frage", "reply_to": BARE}
    first = mail(wrapped(order=None, footer=""), **told)
    second = mail(wrapped(order=None, footer=""), **{**told, "message_id": "m2"})
    third = mail(wrapped(order=None, footer=""), **{**told, "message_id": "m3"})
    pieces = read(arrival(first), arrival(second))
    later = read(arrival(third, at=ARRIVED + 20 * DAY), memory=pieces.memory)
    again = read(arrival(first), memory=later.memory)

    assert len({m.thread for m in pieces.messages}) == 1
    assert later.messages[0].thread != pieces.messages[0].thread
    assert again.messages[0].thread == pieces.messages[0].thread, "read again it is where it was"


def test_an_answer_to_a_short_case_is_in_the_thread_that_the_question_names():
    short = f"{LOCAL}+{CASE[:8]}@marketplace.amazon.de"
    asked = question(sender=short)
    pieces = read(arrival(asked))
    answered = read(arrival(sent(to=short), is_sent=True), memory=pieces.memory)

    assert pieces.messages[0].thread == f"case:{CASE}"
    assert answered.messages[0].thread == f"case:{CASE}"


def test_files_are_named_and_stay_where_they_are():
    file = File("2", "n" * 3000, "image/png", 12, is_inline=False)
    (message,) = read(arrival(question(files=(file,)))).messages

    (attachment,) = message.attachments
    assert (attachment.id, attachment.size, len(attachment.name)) == ("2", 12, 2000)


@pytest.mark.parametrize("automatic", ["reply", "receipt"])
def test_trap_16_a_buyers_automatic_answer_asks_nothing(automatic):
    pieces = read(arrival(question(automatic=automatic)))

    assert pieces.messages[0].kind is Kind.AUTOMATIC
    assert clocks_of(pieces) == []


@pytest.mark.parametrize("automatic", ["no", "bulk", "system", "bounce", "delayed"])
def test_other_signs_of_automatics_hide_no_buyer(automatic):
    assert len(clocks_of(read(arrival(question(automatic=automatic))))) == 1


def test_a_cancel_wish_in_a_plain_inquiry_runs_the_24_hours():
    letter = question("en", words="Please cancel.", subject=f"Inquiry from Amazon customer Ada (Order: {ORDER})")  # fmt: skip # noqa: E501  # a subject is one line

    assert len(clocks_of(read(arrival(letter)))) == 1


def test_a_buyers_letter_without_an_alias_is_open_and_told():
    letter = mail(wrapped(), sender="donotreply@amazon.de", kind="BBC_MESSAGE_SENT_TO_MERCHANT")
    pieces = read(arrival(letter))

    assert len(clocks_of(pieces)) == 1
    assert pieces.set_aside[0].reason.startswith("no alias")


def test_a_letter_of_another_region_is_another_accounts():
    letter = mail(wrapped(), headers={"x-marketplace-id": "ATVPDKIKX0DER"})
    pieces = read(arrival(letter))

    assert pieces.messages == ()
    assert "another region" in pieces.set_aside[0].reason
    unknown = mail(wrapped(), headers={"x-marketplace-id": "NEW"})
    assert len(clocks_of(read(arrival(unknown)))) == 1


def test_trap_14_what_left_is_accepted_and_no_more():
    pieces = read(arrival(question()), arrival(sent(), is_sent=True, at=SENT + HOUR))
    answer = pieces.messages[1]
    (clock,) = clocks_of(pieces)

    assert (answer.party, answer.kind, answer.thread) == (Party.SELLER, Kind.MESSAGE, THREAD)
    assert (answer.delivery, answer.origin, answer.to) == (
        Delivery.ACCEPTED, "elsewhere", {Party.BUYER},
    )  # fmt: skip
    assert (answer.id, answer.sent_at) == ("outbox-7731@shop.example", SENT + HOUR)
    assert (clock.ended, clock.stopped_at) == ("met", SENT + HOUR)


def test_trap_14_a_refusal_lets_the_clock_go_on_from_its_own_start():
    pieces = read(arrival(question()), arrival(sent(), is_sent=True, at=SENT + HOUR))
    found = turns(pieces)
    found[1].delivery = Delivery.REFUSED
    (clock,) = clocks(found, policies.of(options())[:1])

    assert (clock.ended, clock.due_at) == (None, SENT + DAY)


def test_trap_15_a_letter_from_an_address_that_is_not_approved_ends_nothing():
    letter = sent(sender="peter@shop.example")
    pieces = read(arrival(question()), arrival(letter, is_sent=True, at=SENT + HOUR))

    assert pieces.messages[1].delivery is Delivery.UNKNOWN
    assert clocks_of(pieces)[0].ended is None
    allowed = read(arrival(question()), arrival(letter, is_sent=True, at=SENT + HOUR),
                   also_own=["peter@shop.example"])  # fmt: skip
    assert clocks_of(allowed)[0].ended == "met"


def test_trap_16_an_automatic_acknowledgement_ends_nothing():
    for sign in ("auto_replied", "auto_generated", "precedence_bulk", "subject_auto_reply"):
        letter = sent(signs=("no_return_path", sign))
        pieces = read(arrival(question()), arrival(letter, is_sent=True, at=SENT + HOUR))

        assert pieces.messages[1].kind is Kind.AUTOMATIC
        assert clocks_of(pieces)[0].ended is None


def test_what_mail_programs_add_makes_no_automatic_answer():
    letter = sent(signs=("suppress_auto_response", "list_unsubscribe"), automatic="bulk")
    pieces = read(arrival(question()), arrival(letter, is_sent=True, at=SENT + HOUR))

    assert clocks_of(pieces)[0].ended == "met"


@pytest.mark.parametrize("trusted", [True, None, False])
def test_trap_47_a_letter_from_our_address_that_did_not_leave_here_ends_nothing(trusted):
    pieces = read(arrival(question()), arrival(sent(), at=SENT + HOUR, trusted=trusted))

    assert clocks_of(pieces)[0].ended is None
    assert len(pieces.messages) == 1


def test_a_sent_letter_shows_no_secret_that_it_quotes():
    letter = sent(words=f"Montag.\n\nAm 22.11.2026 schrieb Ada:\n> Frage\n> {LINK}\n\n{wrapped()}")
    (message,) = read(arrival(letter, is_sent=True)).messages

    assert message.body.startswith("Montag.")
    assert SECRET not in message.body
    assert "commMgrTok" not in message.body


def test_a_sent_letter_without_a_case_is_in_its_orders_thread():
    asked = mail(wrapped(footer=""), sender=BARE, reply_to=BARE)
    pieces = read(arrival(asked), arrival(sent(to=BARE), is_sent=True, at=SENT + HOUR))

    assert clocks_of(pieces)[0].ended == "met"
    assert len({m.thread for m in pieces.messages}) == 1


def test_an_answer_to_an_alias_without_its_case_is_in_the_thread_that_it_answers():
    asked = question(sender=BARE, reply_to=BARE)  # the case stands in the footer's link alone
    stranger = sent(to=BARE, message_id="m9", headers={"in-reply-to": "<someone@else.example>"})
    pieces = read(arrival(asked), arrival(sent(to=BARE), is_sent=True, at=SENT + HOUR))
    memory = Memory.read(pieces.memory.write())
    (other,) = read(arrival(stranger, is_sent=True), memory=memory).messages

    assert {m.thread for m in pieces.messages} == {THREAD}
    assert clocks_of(pieces)[0].ended == "met"
    assert other.thread.startswith("order:")
    assert "amazonses" not in pieces.memory.write()


def test_private_letters_that_left_are_set_aside():
    pieces = read(arrival(sent(to="ada@mail.example"), is_sent=True))

    assert pieces.messages == ()
    assert pieces.set_aside[0].reason.startswith("foreign")


def test_the_page_holds_all_and_shows_no_link():
    pieces = read(arrival(question()), arrival(copy()), arrival(opt_out()), arrival(bounce()))
    page = pieces.page()

    assert page.messages == pieces.messages
    assert page.threads == pieces.threads
    assert page.given == pieces.given
    assert len(page.verdicts) == 3
    assert page.links == pieces.links
    assert page.links
    assert SECRET not in repr(page)


def test_a_letter_that_nobody_foresaw_is_set_aside_and_those_behind_it_are_read():
    broken = replace(mail("x"), message_id="odd@mail.example", text=None)
    pieces = mapping.pieces([arrival(broken), arrival(question())], options(), Memory(), NOW)
    (aside,) = pieces.set_aside

    assert (aside.source_id, aside.quiet) == ("odd@mail.example", False)
    assert aside.reason.startswith("crashed: ")
    assert "body.py" in json.loads(aside.raw)["places"][-1]
    assert [m.body for m in pieces.messages] == [QUESTION]
