"""Subjects of one conversation, and the one of an answer."""

from __future__ import annotations

import time

import pytest

from core.model import MAX_LINE
from core.transport import subjects


@pytest.mark.parametrize(
    "before",
    ["Re:", "RE :", "AW:", "Antw:", "SV:", "VS:", "Odp:", "WG:", "Fwd:", "Fw:", "TR:", "RV:", "I:",
     "Re[3]:", "Re:Re: AW:", "회신:", "답장:", "回复：", "返信:", "Rif:", "Enc:"],  # noqa: RUF001  # as it is written
)  # fmt: skip
def test_what_mail_programs_put_before_a_subject_is_no_part_of_it(before):
    assert subjects.bare(f"{before} Lamp") == "Lamp"
    assert subjects.answers(f"{before} Lamp")


@pytest.mark.parametrize("subject", ["Lamp", "Return: Lamp", "Area: 51", "[Contact] Re: x", ""])
def test_other_words_stay(subject):
    assert subjects.bare(subject) == subject
    assert not subjects.answers(subject)


def test_only_the_first_word_says_that_a_letter_is_passed_on():
    assert subjects.passes_on("Fwd: Re: Lamp")
    assert subjects.passes_on("WG: Lamp")
    assert not subjects.passes_on("Re: Fwd: Lamp")
    assert not subjects.passes_on("Lamp")


def test_an_answer_says_so_once_and_in_a_line():
    assert subjects.answering("Lamp") == "Re: Lamp"
    assert subjects.answering("RE: Lamp") == "RE: Lamp"
    assert len(subjects.answering("x" * MAX_LINE)) == MAX_LINE


def test_no_subject_takes_long():
    began = time.perf_counter()
    for hostile in ("re:" * 20_000, "re[" * 20_000, " " * 60_000, "re " * 20_000):
        subjects.bare(hostile)
    assert time.perf_counter() - began < 1
