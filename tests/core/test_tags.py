"""What marketplaces call languages, in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import languages
from core.model import Message
from sla.policy import Party

TAGS = {
    "de": "de", "DE": "de", "de_DE": "de-DE", "de-at": "de-AT", "fr-Fr": "fr-FR",
    "pt_br": "pt-BR", "zh-hant-tw": "zh-Hant-TW", "zh_CN": "zh-CN", "es-419": "es-419",
    "en_US.UTF-8": "en-US", "sr@latin": "sr", "de-DE-1996": "de-DE", "de-DE-u-co-phonebk": "de-DE",
    "eng": "en", "ger": "de", "iw": "he", "fil": "fil", " nl ": "nl", "nb_NO": "nb-NO",
    "de-DE,de;q=0.9,en;q=0.8": "de-DE", "fr;q=0.7": "fr",
}  # fmt: skip
NONE = (
    "", " ", "und", "mul", "zxx", "C", "POSIX", "root", "Deutsch", "German", "*", "-de", "12",
    "x-klingon", "de de", "d\u0435", "de\x00", "\ud800", None, 7, True, ["de"], {"code": "de"},
)  # fmt: skip


@pytest.mark.parametrize(("said", "tag"), TAGS.items())
def test_a_language_has_one_spelling(said, tag):
    assert languages.tag(said) == tag
    assert languages.tag(tag) == tag


@pytest.mark.parametrize("said", NONE)
def test_what_is_no_tag_says_nothing(said):
    assert languages.tag(said) is None


@given(st.text(max_size=300) | st.sampled_from(sorted(TAGS)))
def test_whatever_is_said_a_message_takes_it_in_one_spelling(said):
    message = Message(id="M", thread="T", party=Party.BUYER, sent_at=None, language=said)

    assert message.language == languages.tag(said)
    assert message.language is None or languages.tag(message.language) == message.language


def test_a_long_text_in_place_of_a_language_takes_no_time():
    assert languages.tag("de" + "-" * 1_000_000) == "de"
    assert languages.tag("a" * 1_000_000) is None


def test_a_country_of_several_languages_says_none():
    assert languages.of_country("BR") == "pt-BR"
    assert [languages.of_country(code) for code in ("CH", "BE", "CA", "", "??")] == [None] * 5
    assert all(languages.tag(spoken) == spoken for spoken in languages.SPOKEN.values())
