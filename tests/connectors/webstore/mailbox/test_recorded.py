"""The letters of facts 10.7, and others that mail programs write, as bytes: what comes of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from sla.clock import Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import Desk

RECORDED = Path(__file__).parent / "recorded"
THREAD = "mail:0123456789abcdef"
OURS = f"reply-7-0123456789abcdef-{'b' * 24}@shop.example"

COMES = {
    "contact_form": (Party.BUYER, Kind.MESSAGE),
    "vacation": (Party.BUYER, Kind.AUTOMATIC),
    "bounce": (Party.MARKETPLACE, Kind.SYSTEM),
    "delayed": (Party.MARKETPLACE, Kind.SYSTEM),
    "mislabelled": (Party.BUYER, Kind.MESSAGE),
    "inline_answers": (Party.BUYER, Kind.MESSAGE),
    "quoted": (Party.BUYER, Kind.MESSAGE),
    "forwarded_letter": (Party.BUYER, Kind.MESSAGE),
    "image_only": (Party.BUYER, Kind.MESSAGE),
    "marketplace": None,
}


@pytest.fixture
def desk():
    """A desk that knows the thread of our reply, as its memory would."""
    desk = Desk()
    desk.memory.note_letter(OURS, THREAD.removeprefix("mail:"), desk.at, "m")
    return desk


def take(desk, name):
    return desk.take((RECORDED / f"{name}.eml").read_bytes())


@pytest.mark.parametrize("name", COMES)
def test_the_letters_of_the_facts_become_what_they_are(desk, name):
    found = take(desk, name)

    assert (found and (found.party, found.kind)) == COMES[name]


def test_every_recorded_letter_is_tried():
    assert {path.stem for path in RECORDED.glob("*.eml")} == set(COMES)


def test_trap_17_the_form_is_the_buyers(desk):
    asked = take(desk, "contact_form")

    assert desk.threads[asked.thread].reply_to["mail"] == "ana@mail.example"
    assert asked.order_id == "100123"


def test_trap_18_the_report_refuses_our_reply_and_the_delay_does_not(desk):
    assert take(desk, "delayed").thread == THREAD
    assert desk.verdicts == []
    assert take(desk, "bounce").thread == THREAD
    assert [one.message_id for one in desk.verdicts] == [OURS]


def test_labels_that_lie_are_read(desk):
    asked = take(desk, "mislabelled")

    assert (asked.subject, asked.body) == ("배송 문의 똠", "언제 오나요?")


def test_inline_answers_stay_and_what_is_quoted_goes_though_it_is_kept_beside(desk):
    inline, quoted = take(desk, "inline_answers"), take(desk, "quoted")

    assert "The red one." in inline.body
    assert "> Which colour?" in inline.body
    assert quoted.body == "Vielen Dank, aber wann?"
    assert b"It comes on Monday." in quoted.raw
    assert inline.thread == quoted.thread == THREAD


def test_nobody_inside_a_letter_is_its_writer(desk):
    asked = take(desk, "forwarded_letter")

    assert desk.threads[asked.thread].reply_to["mail"] == "ana@mail.example"
    assert asked.body == "See below."


def test_a_letter_that_only_encloses_another_shows_that(desk):
    raw = (RECORDED / "forwarded_letter.eml").read_bytes().replace(b"See below.", b"")

    assert desk.take(raw).body == "Inner words"


def test_a_picture_alone_is_a_question(desk):
    asked = take(desk, "image_only")

    assert asked.body == ""
    assert [one.name for one in asked.attachments] == ["photo.png"]
