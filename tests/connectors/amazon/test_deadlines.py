"""Until when a letter asks for an answer, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.amazon import deadlines
from connectors.amazon.marketplaces import ALL, BY_TLD
from tests.connectors.amazon.letters import CLAIMS

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def read(text, tld="de"):
    return deadlines.read(text, AT, BY_TLD.get(tld))


@pytest.mark.parametrize("language", CLAIMS)
def test_a_number_of_days_or_hours_counts_from_the_letter(language):
    sentence, span = CLAIMS[language]
    found = read(f"We received a claim. It is of 119.00 EUR.\n{sentence} Thank you.")

    assert (found.due_at, found.uncertain) == (AT + span, False)
    assert sentence.rstrip(".。") in found.sentence


def test_a_sentence_may_end_in_an_orders_number():
    said = "The customer has disputed order 302-1234567-1234567. Please respond within 7 days."
    found = read(said)

    assert (found.due_at, found.sentence) == (AT + 7 * timedelta(days=1), said.split(". ")[1])


@pytest.mark.parametrize(
    ("tld", "sentence", "day"),
    [
        ("de", "Bitte antworten Sie bis zum 24. November 2026.", (2026, 11, 24)),
        ("de", "Bitte antworten Sie bis 24.11.2026.", (2026, 11, 24)),
        ("de", "Sie müssen bis spätestens 4. März 2027 antworten.", None),
        ("fr", "Veuillez répondre avant le 24 novembre 2026.", (2026, 11, 24)),
        ("fr", "Répondez au plus tard le 1er décembre 2026.", (2026, 12, 1)),
        ("it", "Deve rispondere entro il 24/11/2026.", (2026, 11, 24)),
        ("it", "Deve rispondere entro il 24 novembre 2026.", (2026, 11, 24)),
        ("es", "Debe responder antes del 24 de noviembre de 2026.", (2026, 11, 24)),
        ("com.br", "Você deve responder até 24 de novembro de 2026.", (2026, 11, 24)),
        ("nl", "U moet uiterlijk 24 november 2026 antwoorden.", (2026, 11, 24)),
        ("co.uk", "Please respond by 24 November 2026.", (2026, 11, 24)),
        ("co.uk", "Please respond by 4/12/2026.", (2026, 12, 4)),
        ("com", "Please respond by 12/4/2026.", (2026, 12, 4)),
        ("com", "Please respond by November 24, 2026.", (2026, 11, 24)),
        ("com", "Please respond no later than Tue, Nov. 24 2026.", (2026, 11, 24)),
        ("com", "You must respond by 2026-11-24.", (2026, 11, 24)),
        ("co.jp", "2026年11月24日までにご返信ください。", (2026, 11, 24)),
    ],
)
def test_a_date_ends_with_its_day_in_the_marketplaces_zone(tld, sentence, day):
    found = read(sentence, tld)

    if day is None:
        assert found is None  # further away than any deadline of theirs: misread
        return
    hours = {"de": -1, "fr": -1, "it": -1, "es": -1, "nl": -1, "co.uk": 0, "com": 5,
             "com.br": 3, "co.jp": -9}[tld]  # fmt: skip
    midnight = datetime(*day, tzinfo=UTC) + timedelta(days=1, hours=hours)
    assert (found.due_at, found.uncertain) == (midnight, False)


def test_a_time_of_day_counts_where_it_is_told():
    noon = datetime(2026, 11, 24, 11, tzinfo=UTC)

    assert read("Bitte antworten Sie bis 24.11.2026 um 12:00 Uhr.").due_at == noon
    assert read("Please respond by 24 November 2026, 3:30 pm.", "co.uk").due_at == datetime(
        2026, 11, 24, 15, 30, tzinfo=UTC
    )
    assert read("Please respond by 24 November 2026 at 25:00.", "co.uk") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The buyer may claim within 90 days.",
        "You can appeal within 30 calendar days; please respond there.",
        "Il cliente può rispondere entro 3 giorni.",
        "We will refund the buyer within 3 days.",
        "Datum der Anfrage: 2026-08-24",
        "You answered within 2 hours, thank you for your 2020-01-01 reply.",
        "Please respond by 24.11.2020.",
        "Please respond by 31.02.2026.",
        "Please respond within 999 days.",
        "Please respond within 0 hours.",
    ],
)
def test_what_asks_nothing_of_the_seller_is_no_deadline(text):
    found = read(text)

    assert found is None or found.due_at == AT + timedelta(hours=2)


def test_of_several_the_earliest_counts():
    found = read("Please respond within 3 days.\nPlease reply within 48 hours to avoid a defect.")

    assert found.due_at == AT + timedelta(hours=48)
    assert found.sentence.startswith("Please reply")


def test_working_days_are_told_as_days_and_flagged():
    found = read("Please respond within 2 business days.")

    assert (found.due_at, found.uncertain) == (AT + timedelta(days=2), True)


def test_a_date_of_nowhere_is_flagged():
    found = read("Please respond by 2026-11-24.", tld=None)

    assert (found.due_at, found.uncertain) == (datetime(2026, 11, 25, tzinfo=UTC), True)


PARTS = st.sampled_from(
    [
        "respond ", "within ", "by ", "3 ", "days", "24", ".", "11", ".", "2026", "99", "年", "月",
        "日", "までに", "November ", "at ", "12:61", "\n", "bis ", "0000-00-00", "antworten ",
    ]
)  # fmt: skip


@given(st.text() | st.lists(PARTS, max_size=25).map("".join), st.none() | st.sampled_from(ALL))
def test_whatever_it_says_a_deadline_is_ahead_and_near(text, where):
    found = deadlines.read(text, AT, where)

    assert found is None or AT < found.due_at <= AT + deadlines.LONGEST


@pytest.mark.parametrize(
    "text", ["respond within " * 7000, "respond by 1 " * 8000, "1" * 100_000, " " * 100_000,
             "respond bis " + "a " * 50_000, "buyer " * 16_000, "within three " * 8000],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_no_text_takes_long(text):
    begun = process_time()
    read(text)

    assert process_time() - begun < 3.0
