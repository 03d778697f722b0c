"""Each language says everything that pages say, and nothing else; a new one is one file."""

from __future__ import annotations

import re

import pytest

from core.web import extracted, words

PATHS = sorted(words.FOLDER.glob("*/messages.po"))
HELD = re.compile(r"%\(\w+\)s|\{\w+\}")
MEND = "run `python -m core.web.extracted`, then translate what is empty"


def strings(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


def ids(message):
    return message.id if isinstance(message.id, tuple) else (message.id,)


@pytest.fixture(scope="module")
def template():
    return extracted.said()


def test_korean_is_one_of_them():
    assert "ko" in [path.parent.name for path in PATHS]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.parent.name)
def test_a_catalogue_translates_all_that_is_said_and_nothing_else(path, template):
    catalogue = extracted.read(path)
    here = {ids(m)[0] for m in catalogue if m.id}

    assert here == {ids(m)[0] for m in template if m.id}, MEND
    assert [ids(m)[0] for m in catalogue if m.id and not all(strings(m))] == [], MEND
    assert [m.id for m in catalogue if m.fuzzy and m.id] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.parent.name)
def test_a_translation_holds_the_same_places_as_what_it_translates(path):
    wrong = [
        text
        for message in extracted.read(path)
        if message.id
        for text in strings(message)
        if set(HELD.findall(text)) != set(HELD.findall(ids(message)[-1]))
    ]

    assert wrong == []


def test_bringing_a_new_language_up_leaves_everything_to_translate(tmp_path, template):
    path = tmp_path / "de" / "messages.po"
    path.parent.mkdir()
    path.write_text("")

    extracted.bring_up(path, template)
    first = path.read_text()
    path.write_text(first.replace('msgid "Queue"\nmsgstr ""', 'msgid "Queue"\nmsgstr "Liste"'))
    extracted.bring_up(path, template)

    assert '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"' in first
    assert 'msgid "Queue"\nmsgstr "Liste"' in path.read_text()
    assert path.read_text().count("msgid ") == first.count("msgid ")
