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


@pytest.mark.parametrize(
    "text",
    [
        "We will provide a decision within 7 days.",
        "The customer expects an answer; we respond to all claims within 14 days.",
        "Please note that we'll respond within 7 days.",
        "Within 7 days we will provide an answer.",
        "If you respond, Amazon will review within 30 days.",
        "Please respond as soon as possible. Amazon will respond within 10 business days.",
        "Our investigation team will review and answer by November 30, 2026.",
        "A decision will be provided within 7 days.",
        "You will receive our answer within 7 days.",
        "Wir antworten Ihnen innerhalb von 7 Tagen.",
        "Innerhalb von 7 Tagen werden wir Ihnen antworten.",
        "Sie erhalten unsere Antwort innerhalb von 7 Tagen.",
        "Nous vous répondrons dans un délai de 7 jours.",
        "Le risponderemo entro 7 giorni.",
        "Amazon risponderà entro 7 giorni.",
        "Le responderemos en un plazo de 7 días.",
        "Responderemos em até 7 dias.",
        "Wij antwoorden binnen 7 dagen.",
        "Amazonは7日以内に回答します。",
        "7日以内に回答いたします。",
    ],
)
def test_what_amazon_does_itself_is_no_deadline_of_the_sellers(text):
    assert read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Please respond within 3 days or we will refund the buyer.",
        "Please respond within 3 days, we will decide then.",
        "We will close the claim unless you respond within 3 days.",
        "We must receive your response within 3 days.",
        "We ask you to respond within 3 days.",
        "Amazon may grant the claim if you do not respond within 3 days.",
        "We will look at it. 3日以内にご返信をお願いいたします。",
        "Wir bitten Sie, innerhalb von 3 Tagen zu antworten.",
        "Wir werden erstatten, wenn Sie nicht innerhalb von 3 Tagen antworten.",
    ],
)
def test_what_the_seller_is_asked_beside_it_is_one(text):
    found = read(text)

    assert (found.due_at, found.uncertain) == (AT + timedelta(days=3), False)
    assert found.sentence in text


def test_longer_than_a_published_number_has_to_address_the_seller():
    two = timedelta(days=2)

    def within(text):
        found = deadlines.read(text, AT, BY_TLD["co.uk"], two)
        return found.due_at - AT, found.uncertain

    assert within("Response expected within 7 days.") == (two, True)
    assert within("Response expected by 30 November 2026.") == (two, True)
    assert within("Response expected within 24 hours.") == (timedelta(days=1), False)
    assert within("Your response is expected within 7 days.") == (timedelta(days=7), False)


@pytest.mark.parametrize(
    ("end", "hour"),
    [
        ("at 5:00 PM UTC", 17), ("at 17:00 GMT", 17), ("at 5:00 PM PST", 25), ("17:00 (PT)", 25),
        ("at 5:00 p.m. EST", 22), ("at 17:00 CET", 16), ("um 17:00 Uhr MEZ", 16), ("17:00 JST", 8),
        ("17:00 UTC+2", 15), ("17:00 GMT-03:30", 20.5), ("17:00", 22), ("(PST)", 32), ("UTC", 24),
    ],
)  # fmt: skip
def test_a_zone_that_stands_with_a_date_counts(end, hour):
    found = read(f"Please respond by November 24, 2026 {end}.", "com")

    assert found.due_at == datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=hour)
    assert found.uncertain is False


def test_a_zone_stands_in_for_a_marketplace_and_one_that_is_none_gives_no_date():
    assert read("Please respond by 2026-11-24 UTC.", None).uncertain is False
    assert read("Please respond by 2026-11-24 17:00 UTC+99.", None) is None


@pytest.mark.parametrize(
    ("tld", "date", "day", "uncertain"),
    [
        ("ca", "12/01/2026", (2026, 12, 1), True),
        ("ca", "01/12/2026", (2026, 12, 1), True),
        ("ca", "11/12/2026", (2026, 12, 11), True),
        ("ca", "24/11/2026", (2026, 11, 24), False),
        ("ca", "11/24/2026", (2026, 11, 24), False),
        (None, "12/01/2026", (2026, 12, 1), True),
        ("com.mx", "01/12/2026", (2026, 12, 1), False),
        ("com", "12/01/2026", (2026, 12, 1), False),
    ],
)
def test_where_day_and_month_may_both_come_first_the_nearer_day_counts(tld, date, day, uncertain):
    found = read(f"Please respond by {date}.", tld)
    hours = {"ca": 5, "com": 5, "com.mx": 6, None: 0}[tld]

    assert found.due_at == datetime(*day, tzinfo=UTC) + timedelta(days=1, hours=hours)
    assert found.uncertain is uncertain


PARTS = st.sampled_from(
    [
        "respond ", "within ", "by ", "3 ", "days", "24", ".", "11", ".", "2026", "99", "年", "月",
        "日", "までに", "November ", "we will ", "UTC+", "PST",
        "12/01/2026", "Amazonは", "いたします", "at ", "12:61", "\n", "bis ", "0000-00-00",
        "antworten ",
    ]
)  # fmt: skip


@given(st.text() | st.lists(PARTS, max_size=25).map("".join), st.none() | st.sampled_from(ALL))
def test_whatever_it_says_a_deadline_is_ahead_and_near(text, where):
    found = deadlines.read(text, AT, where)

    assert found is None or AT < found.due_at <= AT + deadlines.LONGEST


@pytest.mark.parametrize(
    "text", ["respond within " * 7000, "respond by 1 " * 8000, "1" * 100_000, " " * 100_000,
             "respond bis " + "a " * 50_000, "buyer " * 16_000,
             "respond we will " * 6000, "respond " + "we " * 30_000, "reply 審査" + "回" * 90_000,
             "answer " + "x" * 90_000, "within three " * 8000],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_no_text_takes_long(text):
    begun = process_time()
    read(text)

    assert process_time() - begun < 3.0
