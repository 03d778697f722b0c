"""Answers by real SMTP: what Amazon relays, refuses and sends back, and what is read of it."""

from __future__ import annotations

import asyncio
import smtplib
from datetime import timedelta
from typing import get_args

import pytest

from connectors.amazon.sandbox import relay, reports
from connectors.amazon.sandbox.composing import File
from connectors.amazon.sandbox.seller import Habits
from core.arrival import verdicts
from core.arrival.verdicts import Left
from core.errors import OutcomeUnknown, RateLimited, Refused
from core.transport.outgoing import Enclosed
from sla.clock import Delivery, Kind
from sla.policy import Party
from tests.core.letters import HOSTILE

TEXT = "Guten Tag, Ihr Paket kommt am Montag an."
MINUTE = timedelta(minutes=1)


def fates(seller):
    return [one.fate for one in seller.outcomes]


def refused(pieces):
    return [one.message_id for one in pieces.verdicts if one.delivery is Delivery.REFUSED]


async def later(clock, pieces, **how):
    """What lies in the mailbox a while later."""
    clock.advance(**(how or {"minutes": 1}))
    return await pieces()


async def test_an_answer_to_the_whole_alias_is_relayed_once_and_ends_the_waiting(
    seller, case, clock, answer
):
    clock.advance(hours=1)
    message_id = await answer(case.alias)

    assert fates(seller) == ["relayed"]
    assert [(one.by, one.text) for one in case.entries][1:] == [("seller", TEXT)]
    assert case.entries[1].message_id == message_id
    assert not case.is_waiting(clock.now)
    (contact,) = seller.contacts()
    assert contact.answered_at - contact.asked_at == timedelta(hours=1)


async def test_trap_03_an_answer_to_the_alias_without_its_case_leaves_the_case_waiting(
    seller, case, clock, answer
):
    await answer(case.bare)

    assert fates(seller) == ["relayed"]
    assert case.is_waiting(clock.now)
    assert [one.text for one in list(seller.cases.values())[1].entries] == [TEXT]


@pytest.mark.parametrize("carries", ["sender", "envelope", "short", "footer", "nowhere"])
async def test_trap_03_the_alias_that_the_reader_finds_is_the_one_that_answers_the_case(
    seller, buyer, clock, answer, pieces, carries
):
    case = seller.open_case(buyer, seller.add_order(buyer, clock.now), carries)
    seller.buyer_writes(case, "Wo ist es?")
    (thread,) = (await pieces()).threads

    await answer(thread.reply_to["alias"])

    assert seller.outcomes[0].case is case
    assert not case.is_waiting(clock.now)


async def test_trap_14_a_copy_comes_seconds_after_smtp_said_250_and_confirms(
    seller, case, clock, answer, pieces
):
    message_id = await answer(case.alias)
    at_once = await pieces()
    after = await later(clock, pieces)
    (copy,) = after.verdicts
    left = Left(message_id, f"case:{case.id}", clock.now - MINUTE, Delivery.ACCEPTED, TEXT,
                "Ada Sample", order_ids=(case.order.id,))  # fmt: skip

    assert at_once.verdicts == ()
    assert copy.delivery is Delivery.CONFIRMED
    assert verdicts.judge([copy], [left]).deliveries == {message_id: Delivery.CONFIRMED}


async def test_trap_10_no_copy_comes_where_the_account_wants_none(
    seller, case, clock, answer, pieces
):
    seller.habits.copies = False
    await answer(case.alias)

    assert (await later(clock, pieces)).verdicts == ()
    assert not case.is_waiting(clock.now)


async def test_trap_10_an_answer_in_seller_central_shows_up_as_a_copy_alone(
    sandbox, seller, case, clock, pieces, letters
):
    seller.answers_at_amazon(case, TEXT)
    after = await later(clock, pieces)

    assert [one.is_copy for one in after.verdicts] == [True]
    assert await letters("Sent") == []
    assert not case.is_waiting(clock.now)


async def test_trap_15_an_address_that_is_not_approved_is_refused_after_smtp_took_the_letter(
    sandbox, seller, case, clock, answer, pieces
):
    message_id = await answer(case.alias, sender="intern@shop.example")
    after = await later(clock, pieces)

    assert fates(seller) == ["unapproved"]
    assert refused(after) == [message_id]
    assert case.is_waiting(clock.now)


async def test_trap_15_it_passes_once_the_address_is_approved(seller, case, clock, answer):
    await answer(case.alias, sender="intern@shop.example")
    seller.approved.add("intern@shop.example")
    await answer(case.alias, sender="intern@shop.example")

    assert fates(seller) == ["unapproved", "relayed"]
    assert not case.is_waiting(clock.now)


async def test_trap_15_an_envelope_of_another_domain_breaks_the_alignment(
    seller, case, clock, answer
):
    await answer(case.alias, envelope="bounces@mailer.example")

    assert fates(seller) == ["unapproved"]


async def test_trap_15_a_refused_sender_may_be_told_by_a_notice_of_amazons(
    seller, case, clock, answer, letters, pieces
):
    seller.habits.refusal = "notice"
    message_id = await answer(case.alias, sender="intern@shop.example")
    clock.advance(minutes=1)
    notice = (await letters())[-1].mail

    assert notice.sender.address == "no-reply@marketplace.amazon.de"
    assert notice.header("in-reply-to") == f"<{message_id}>"
    assert "intern@shop.example" in notice.text
    assert refused(await pieces()) == [message_id]


@pytest.mark.parametrize("kept", [True, False])
async def test_a_buyer_who_opted_out_gets_only_what_holds_his_own_words(
    seller, buyer, case, clock, answer, pieces, kept
):
    buyer.is_opted_out = True
    quoted = "\n".join(f"> {line}" for line in case.entries[0].text.splitlines())
    await answer(case.alias, f"{TEXT}\n\nAda Sample wrote:\n{quoted}" if kept else TEXT)
    clock.advance(seconds=4)
    early = await pieces()
    after = await later(clock, pieces)

    assert fates(seller) == ["relayed" if kept else "opted_out"]
    assert early.verdicts == ()
    wanted = Delivery.CONFIRMED if kept else Delivery.REFUSED
    assert [one.delivery for one in after.verdicts] == [wanted]
    assert case.is_waiting(clock.now) is not kept


@pytest.mark.parametrize("marker", ["[Important]", "[IMPORTANT]", "[Importante]"])
async def test_trap_17_the_marker_in_the_subject_passes_an_opt_out(
    seller, buyer, case, answer, marker
):
    buyer.is_opted_out = True
    await answer(case.alias, subject=f"Re: {case.subject} {marker}")

    assert fates(seller) == ["relayed"]


async def test_trap_14_an_opt_out_means_the_reply_that_left(
    seller, buyer, case, clock, answer, pieces
):
    buyer.is_opted_out = True
    message_id = await answer(case.alias)
    (verdict,) = (await later(clock, pieces)).verdicts
    left = Left(message_id, f"case:{case.id}", clock.now - MINUTE, Delivery.ACCEPTED, TEXT,
                "Ada Sample", order_ids=(case.order.id,))  # fmt: skip

    assert verdicts.judge([verdict], [left]).deliveries == {message_id: Delivery.REFUSED}


async def test_a_dead_alias_bounces_with_our_message_id(seller, buyer, case, clock, answer, pieces):
    del seller.buyers[buyer.local]
    message_id = await answer(case.alias)
    after = await later(clock, pieces)

    assert fates(seller) == ["dead"]
    assert refused(after) == [message_id]
    assert after.verdicts[0].thread == f"case:{case.id}"


@pytest.mark.parametrize(("more", "expected"), [(0, "relayed"), (1, "too_large")])
async def test_files_of_more_than_10_mb_in_all_are_too_large(seller, case, more, expected):
    half = relay.MOST_BYTES // 2
    files = (File("a.pdf", "x/y", bytes(half)), File("b.pdf", "x/y", bytes(half + more)))
    letter = relay.Answer("m", seller.sender, seller.sender, case.alias, "Re:", b"", TEXT, files)

    assert relay.fate(letter, case, seller.buyers, seller.approved) == expected


async def test_a_letter_that_is_too_large_comes_back(seller, case, clock, answer, pieces):
    big = Enclosed("a.pdf", "application/pdf", bytes(relay.MOST_BYTES + 1))
    message_id = await answer(case.alias, files=(big,))

    assert refused(await later(clock, pieces)) == [message_id]


async def test_the_buyer_gets_the_words_alone_and_only_files_of_known_formats(seller, case, answer):
    files = tuple(
        Enclosed(name, "application/octet-stream", b"x") for name in ("a.PDF", "b.exe", "c.jpg")
    )
    text = f"{TEXT}\n\nOn Sunday Ada Sample <{case.alias}> wrote:\n> Wo bleibt mein Paket?"
    await answer(case.alias, text, files=files)

    assert case.entries[-1].text == TEXT
    assert [one.name for one in case.entries[-1].files] == ["a.PDF", "c.jpg"]


async def test_trap_16_an_automatic_answer_does_not_count(seller, case, clock, answer):
    await answer(case.alias, automatic=True)

    assert fates(seller) == ["relayed"]
    assert case.is_waiting(clock.now)


async def test_trap_19_a_connection_cut_after_the_letter_leaves_it_relayed(
    sandbox, seller, case, answer
):
    sandbox.mail.faults.order("smtp_drop_after_data", 1)
    with pytest.raises(OutcomeUnknown):
        await answer(case.alias, message_id="once@shop.example")

    assert [one.message_id for one in case.entries] == [
        case.entries[0].message_id, "once@shop.example",
    ]  # fmt: skip


async def test_trap_19_who_sends_it_again_writes_to_the_buyer_twice(sandbox, seller, case, answer):
    sandbox.mail.faults.order("smtp_drop_after_data", 1)
    with pytest.raises(OutcomeUnknown):
        await answer(case.alias, message_id="twice@shop.example")
    await answer(case.alias, message_id="twice@shop.example")

    assert [one.message_id for one in case.entries][1:] == ["twice@shop.example"] * 2


async def test_a_refusal_at_smtp_is_certain_and_nothing_is_relayed(sandbox, seller, case, answer):
    sandbox.mail.faults.order("smtp_refuse_data", 1)
    with pytest.raises(Refused):
        await answer(case.alias)

    assert not seller.outcomes


async def test_more_letters_than_the_mail_server_takes_in_an_hour_wait(seller, case, clock, answer):
    seller.habits.most_an_hour = 2
    await answer(case.alias)
    await answer(case.alias)
    with pytest.raises(RateLimited):
        await answer(case.alias)
    clock.advance(hours=1)
    await answer(case.alias)

    assert fates(seller) == ["relayed"] * 3


@pytest.mark.parametrize(
    ("ordered", "seen"),
    [("dead", "dead"), ("opted_out", "opted_out"), ("lost", "lost"), ("unapproved", "unapproved")],
)
async def test_what_becomes_of_the_next_letter_may_be_ordered(
    seller, case, clock, answer, pieces, ordered, seen
):
    seller.next_fates.append(ordered)
    await answer(case.alias)
    await answer(case.alias)

    assert fates(seller) == [seen, "relayed"]


async def test_trap_14_a_letter_that_is_lost_says_nothing_and_does_not_count(
    seller, case, clock, answer, pieces
):
    seller.next_fates.append("lost")
    await answer(case.alias)
    after = await later(clock, pieces, hours=3)

    assert after.verdicts == ()
    assert case.is_waiting(clock.now)


async def test_trap_18_a_delay_refuses_nothing_and_amazon_counts_when_the_answer_came(
    seller, case, clock, answer, pieces
):
    asked = clock.now
    seller.next_fates.append("delayed")
    await answer(case.alias)
    soon = await later(clock, pieces)
    after = await later(clock, pieces, hours=1)
    (contact,) = seller.contacts()

    assert refused(soon) == []
    assert [one.kind for one in soon.messages] == [Kind.MESSAGE, Kind.SYSTEM]
    assert contact.answered_at == asked + timedelta(minutes=20)
    assert [one.delivery for one in after.verdicts] == [Delivery.CONFIRMED]


async def test_a_buyer_may_write_once_more_upon_an_answer(seller, case, clock, answer, letters):
    seller.habits = Habits(answers_back=1.0)
    seller.on_answer = lambda one, at: seller.buyer_writes(one, "Danke!", at + MINUTE)
    await answer(case.alias)
    waits_now = case.is_waiting(clock.now)
    clock.advance(minutes=2)

    assert not waits_now
    assert case.is_waiting(clock.now)
    assert "Danke!" in (await letters())[-1].mail.text


async def test_letters_to_others_are_no_business_of_amazons(seller, case, answer):
    await answer("colleague@shop.example")

    assert not seller.outcomes


@pytest.mark.parametrize("saves", [True, False])
async def test_the_mail_server_may_keep_what_it_sends(seller, case, answer, pieces, letters, saves):
    seller.habits.saves_sent = saves
    message_id = await answer(case.alias)
    kept = [one.mail.message_id for one in await letters("Sent")]
    sellers = [one.id for one in (await pieces()).messages if one.party is Party.SELLER]

    assert kept == ([message_id] if saves else [])
    assert sellers == kept


async def test_what_a_colleague_mails_lies_in_sent_and_is_relayed(
    seller, case, clock, pieces, letters
):
    seller.answers_by_mail(case, TEXT)
    (found,) = [one for one in (await pieces()).messages if one.party is Party.SELLER]

    assert (found.thread, found.body) == (f"case:{case.id}", TEXT)
    assert len(await letters("Sent")) == 1
    assert not case.is_waiting(clock.now)


async def test_a_mark_at_amazon_ends_the_waiting_and_no_letter_tells(seller, case, clock, letters):
    before = len(await letters())
    seller.marks_no_response_needed(case, clock.advance(minutes=5))
    clock.advance(hours=1)

    assert not case.is_waiting(clock.now)
    assert [one.is_marked for one in seller.contacts()] == [True]
    assert len(await letters()) == before


async def test_contacts_are_told_by_the_oldest_unanswered_message(seller, case, clock):
    asked = clock.now
    seller.buyer_writes(case, "Hallo?", clock.advance(hours=2))
    seller.answers_at_amazon(case, TEXT, clock.advance(hours=1))
    seller.buyer_writes(case, "Danke", clock.advance(hours=1))

    first, second = seller.contacts()
    assert (first.asked_at, first.answered_at) == (asked, asked + timedelta(hours=3))
    assert (second.asked_at, second.answered_at) == (clock.now, None)


async def test_a_plain_client_is_told_250_for_what_amazon_refuses_later(
    sandbox, seller, case, clock
):
    told = sandbox.options(seller)
    raw = f"From: intern@shop.example\r\nTo: {case.alias}\r\nSubject: x\r\n\r\nx\r\n"

    def send():
        with smtplib.SMTP("127.0.0.1", sandbox.mail.smtp_port) as client:
            client.login(told["user"], told["password"])
            return client.sendmail("intern@shop.example", [case.alias], raw)

    assert await asyncio.to_thread(send) == {}
    assert fates(seller) == ["unapproved"]


@pytest.mark.parametrize("raw", [b"", b"\xff\x00", b"From: x\r\n\r\n", b"From: <>\r\n\r\nx"])
def test_what_is_hardly_a_letter_is_not_approved(raw):
    read = relay.read(raw, "support@shop.example", "x@marketplace.amazon.de")

    assert relay.fate(read, None, {}, {"support@shop.example"}) == "unapproved"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_letter_is_read_and_comes_to_some_fate(name):
    read = relay.read(HOSTILE[name](), "support@shop.example", "x@marketplace.amazon.de")

    assert relay.fate(read, None, {}, {read.sender}) in get_args(relay.Fate)
    assert read.written is not None


def test_files_are_counted_decoded_and_kept_by_format():
    files = [File("a.pdf", "application/pdf", b"x"), File("pdf", "x/y", b"x"), File("", "x/y", b"")]

    assert [one.name for one in relay.kept(files)] == ["a.pdf", "pdf"]


def test_each_refusal_that_bounces_has_its_status():
    assert {fate: one.status for fate, one in reports.BY_FATE.items()} == {
        "dead": "5.1.1", "unapproved": "5.7.1", "too_large": "5.3.4",
    }  # fmt: skip
