"""In which language a letter is, as the program says that wrote it."""

from __future__ import annotations

import pytest

from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import ANA, Desk, answer, form, letter


def headed(raw, header):
    return raw.replace(b"\nSubject:", f"\nContent-Language: {header}\nSubject:".encode(), 1)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-DE", "de-DE"),
        ("pl", "pl"),
        ("en-GB", "en-GB"),
        ("de-DE, en", None),
        ("Deutsch", None),
        ("", None),
        ("=?utf-8?q?d=C3=A9?=", None),
    ],
)
def test_a_letter_is_in_the_language_of_its_header(header, language):
    assert Desk().take(headed(letter(), header)).language == language


@pytest.mark.parametrize("header", ["en-US", "EN-us", " en-US "])
def test_a_program_that_nobody_told_another_language_says_nothing(header):
    """Thunderbird and Outlook write it of letters in any language."""
    assert Desk().take(headed(letter(), header)).language is None


def test_the_header_of_a_form_or_an_answer_is_the_shops():
    desk = Desk()
    filled = desk.take(headed(form(who=ANA), "fr"))
    said = desk.sent(headed(answer(), "fr"))

    assert (filled.party, filled.language) == (Party.BUYER, None)
    assert (said.party, said.language) == (Party.SELLER, None)
