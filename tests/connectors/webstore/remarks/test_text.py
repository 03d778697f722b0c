"""HTML as text, and text for a place that is shown as HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webstore.remarks import text


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("It left <b>today</b>.", "It left today."),
        ("One<br>two", "One\ntwo"),
        ("One\n<b>two</b>", "One\ntwo"),
        ("R&amp;D &lt;3", "R&D <3"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
    ],
)
def test_html_is_read_as_a_person_sees_it(told, shown):
    assert text.plain(told) == shown


@given(st.text(max_size=60))
def test_what_is_written_for_html_is_read_back_as_it_was(body):
    assert text.plain(text.marked(body)) == body


def test_nothing_that_an_agent_writes_becomes_a_tag():
    assert text.marked('<script>"1 & 2"') == '&lt;script&gt;"1 &amp; 2"'
