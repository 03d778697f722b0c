"""Whether a text names somebody: as words of their own, in any case, however they are coded."""

from __future__ import annotations

import json
from base64 import b64encode
from html import escape
from quopri import encodestring
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrival import naming
from core.arrival.naming import INSTEAD, Names

NAME, OPAQUE = "Quill-Buyer_7", "AAAA0000example+b/c=="
NAMES = Names([NAME, OPAQUE, "*star*", "uid 42 x", "ab", "Straße.1"])
LETTERS = "aB1_-.*+/= é€ß&<"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (NAME, INSTEAD),
        (f"Dear {NAME.upper()}, hello", f"Dear {INSTEAD}, hello"),
        (f"({NAME})'s", f"({INSTEAD})'s"),
        (f"not{NAME} {NAME}x {NAME}_", f"not{NAME} {NAME}x {NAME}_"),
        (f"my{OPAQUE}", f"my{OPAQUE}"),
        (f"{OPAQUE};{OPAQUE}.", f"{INSTEAD};{INSTEAD}."),
        ("the *star* and star", f"the {INSTEAD} and star"),
        ("UID 42 X", INSTEAD),
        ("uid 42  x", "uid 42  x"),
        ("in STRASSE.1 here", f"in {INSTEAD} here"),
        ("ab is too short to be looked for", "ab is too short to be looked for"),
        ("", ""),
        ("quill-buyer 7 quill buyer_7", "quill-buyer 7 quill buyer_7"),
    ],
)
def test_an_id_stands_in_a_text_as_words_of_its_own(text, left):
    assert NAMES.without(text) == left


def test_whole_values_are_compared_whatever_their_length():
    assert NAMES.same(" AB ") == "ab"
    assert NAMES.same("STRASSE.1") == "strasse.1"
    assert NAMES.same(f"{NAME} ") == NAME.casefold()
    assert NAMES.same(f"{NAME} too") is None
    assert Names(["", " "]).same("") is None
    assert not Names([" "])


def quoted(text):
    return encodestring(text.encode(), quotetabs=True).decode()


CODES = {
    "html": lambda text: "".join(f"&#{ord(c)};" if c in "-_+/=" else escape(c) for c in text),
    "json": lambda text: json.dumps(f"\n{text}\t"),
    "escaped": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "address": lambda text: f"https://m.example/?u={quote(text, safe='')}&x=1",
    "letter": lambda text: quoted(f"<b>é {text}</b> " + "long " * 30),
    "html in json": lambda text: json.dumps(
        "\n" + text.replace("-", "&#45;").replace("=", "&#61;")
    ),
}


@pytest.mark.parametrize("id_", [NAME, OPAQUE])
@pytest.mark.parametrize("code", CODES)
def test_a_code_hides_nobody(id_, code):
    text = CODES[code](id_)

    assert id_.casefold() in NAMES.named(text)
    assert NAMES.named(NAMES.without(text)) == frozenset()


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("cut", range(4))
def test_base64_hides_nobody_wherever_its_part_begins(before, cut):
    coded = b64encode(f"{before} a letter of many words from {NAME}, and on".encode())[cut:]
    wrapped = b"\r\n".join(coded[n : n + 60] for n in range(0, len(coded), 60))

    assert NAMES.named(naming.read(b"x: y\r\n\r\n" + wrapped)) == {NAME.casefold()}


@given(st.text(LETTERS, min_size=4, max_size=12), st.text(LETTERS, max_size=30))
def test_no_text_keeps_a_name_that_it_was_cleared_of(id_, text):
    names = Names([id_])
    told = f"{text} {id_} {text}"

    assert names.named(names.without(told)) == frozenset()


@given(st.lists(st.text(LETTERS, max_size=9), max_size=5), st.text(LETTERS, max_size=40))
def test_a_name_is_found_by_its_shape_wherever_it_is_found_by_its_words(ids, text):
    """What is known by digests alone, first word by first word, is the same as by the ids."""
    names = Names(ids)
    shapes = naming.by_head(one for id_ in names.ids if (one := naming.shape(id_)) is not None)
    by_shape = {span.id for span in naming.candidates(text, shapes)} & names.ids

    assert {span.id for span in names.spans(text)} <= by_shape
    assert bool(names.spans(text)) == bool(by_shape)


@given(st.text(max_size=60))
def test_a_text_that_names_nobody_stays_as_it_is(text):
    names = Names(["somebody-else-entirely"])

    assert names.without(text) == text


def test_bytes_that_are_no_text_are_read_as_they_stand():
    """An image costs one reading, not one for each code that its bytes look like."""
    image = bytes(range(256)) * 40
    coded = naming.read(b64encode(image + f" {NAME} ".encode()))

    assert len(coded) < 3 * len(image)
    assert not {"%", "&", "\\"} & set(coded)
    assert NAMES.named(coded) == {NAME.casefold()}
    assert naming.is_text("é ü 7\r\n".encode() * 9)
    assert not naming.is_text(image)
