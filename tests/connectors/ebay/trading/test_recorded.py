"""Answers as the reference describes them (invented people): what they mean."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from connectors.ebay.trading import mapping, xml
from connectors.ebay.trading.payload import MemberMessages, MyMessages
from core.transport import salvage
from sla.clock import Kind
from sla.policy import Party

FOLDER = Path(__file__).parent / "recorded"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWN = frozenset({"shop-b"})


def read(name, call, model):
    content = xml.read((FOLDER / name).read_bytes(), f"{call}Response")
    got = salvage.read(model, content, ("MessageID",))
    assert got.aside == ()
    return got.value


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_a_question_without_an_answer():
    told = read("unanswered.xml", "GetMemberMessages", MemberMessages)
    page = mapping.page(told.exchanges, (), OWN, NOW)

    [thread], [message] = page.threads, page.messages
    assert (thread.id, thread.buyer) == ("exchange:2200000001018", "buyer-a")
    assert thread.subject == "buyer-a asked about Steel bottle #110000000001"
    assert thread.reply_to == {"item": "110000000001"}
    assert (message.id, message.sent_at) == ("2200000001018", at(20, 9))
    assert message.body.split("\n")[-1] == "Thanks <3"
    assert [file.name for file in message.attachments] == ["photo"]
    assert told.has_more == "false"


def test_answers_are_dated_by_the_letters_with_the_same_words():
    told = read("answered.xml", "GetMemberMessages", MemberMessages)
    letters = read("letters.xml", "GetMyMessages", MyMessages).letters
    page = mapping.page(told.exchanges, letters, OWN, NOW)

    [thread] = page.threads
    assert (thread.buyer, thread.subject) == ("uId0000007", "Lamp")
    question, first, second = page.messages
    assert (question.party, first.party, second.party) == (
        Party.BUYER, Party.SELLER, Party.SELLER,
    )  # fmt: skip
    assert (first.body, first.sent_at) == ("Ja, 2700 K.", at(19, 19))
    assert (second.body, second.sent_at) == ("Und dimmbar.", at(20, 8, 30))
    assert first.raw is None
    assert second.raw == b"<p>Und <b>dimmbar</b>.</p>"


def test_letters_that_are_no_exchanges():
    letters = read("letters.xml", "GetMyMessages", MyMessages).letters
    page = mapping.letters(letters[1:], (), OWN, NOW)

    ebay, buyer = page.messages
    assert (ebay.party, ebay.kind, ebay.body) == (
        Party.MARKETPLACE, Kind.SYSTEM, "New rules from 1 January.",
    )  # fmt: skip
    assert (buyer.party, buyer.thread) == (Party.BUYER, "letter:177000000013")
    assert [thread.buyer for thread in page.threads] == ["", "buyer-c"]


def test_letters_to_others_and_about_other_listings_date_nothing():
    told = read("answered.xml", "GetMemberMessages", MemberMessages)
    letter = read("letters.xml", "GetMyMessages", MyMessages).letters[0]
    strays = [
        letter.model_copy(update={"recipient": "buyer-c"}),
        letter.model_copy(update={"item": "110000000009"}),
    ]

    for stray in strays:
        page = mapping.page(told.exchanges, [stray], OWN, NOW)
        assert page.messages[1].sent_at == at(20, 8, 30)


def test_a_single_answer_is_dated_by_the_last_change_whatever_letters_say():
    """The one instant that every reading of it tells."""
    [one] = read("answered.xml", "GetMemberMessages", MemberMessages).exchanges
    letter = read("letters.xml", "GetMyMessages", MyMessages).letters[0]
    single = one.model_copy(update={"answers": one.answers[:1]})

    pages = [mapping.page([single], sent, OWN, NOW) for sent in ([], [letter])]

    assert [page.messages[1].sent_at for page in pages] == [at(20, 8, 30)] * 2
