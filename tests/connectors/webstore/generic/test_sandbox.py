"""The stand-in speaks as the settings say: what it writes, an expression finds."""

from __future__ import annotations

import pytest

from connectors.webstore.generic.paths import find, roots
from connectors.webstore.generic.sandbox import writing
from core.errors import SettingsError
from tests.connectors.webstore.generic.shapes import FLAT


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a", 1), ("a.b.c", "x"), ('"a-b".c', None), ("a[0]", 1), ("a[0].b", 1), ("@", [1]),
        ("a || b", 2), ("a | b", 2), ("a[]", [1, 2]), ("a[*]", [1]), ("a[].b", [1, 2]),
        ("a.b[*].c.d", ["x"]), ("a[?t=='m']", [{"x": 1}]), ("a[?t=='m'].b", [1, 2]),
    ],
)  # fmt: skip
def test_what_is_written_is_found(path, value):
    document = writing.put(path, value, {"kept": 1} if path != "@" else None)
    found = find(path, document)

    assert found == ([{"x": 1, "t": "m"}] if path == "a[?t=='m']" else value)
    assert path == "@" or document["kept"] == 1


def test_a_constant_needs_nothing_to_be_written():
    assert writing.put("'customer'", "x", {"a": 1}) == {"a": 1}
    assert writing.put(None, "x", {"a": 1}) == {"a": 1}


@pytest.mark.parametrize("path", ["length(a)", "{x: a}", "!a", "a.*"])
def test_what_cannot_be_written_is_said(path):
    with pytest.raises(SettingsError, match="simplify"):
        writing.put(path, 1, {})


@pytest.mark.parametrize("path", ["t=='m'", "t=='m' && u.v==`3`", "flag"])
def test_a_condition_is_made_to_hold(path):
    assert find(path, writing.holding(path, {"kept": 1}))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("a", {"a"}), ("a.b", {"a"}), ("a[0].b", {"a"}), ("a[].b", {"a"}), ("a || b.c", {"a", "b"}),
        ("join('-', [a.x, b])", {"a", "b"}), ("'x'", set()), ("@", set()), ("a | b", {"a"}),
        ("a[?x=='y'].z", {"a"}), ("{x: a.b, y: c}", {"a", "c"}), ("a.* | [0]", {"a"}),
    ],
)  # fmt: skip
def test_of_what_an_expression_speaks(path, names):
    assert roots(path) == names


async def test_who_has_no_key_and_who_asks_oddly_is_refused(placed, session):
    place = placed(FLAT)
    for key, query, status in (
        ("another", "", 401), ("the-key-for-the-list", "&changed_after=soon", 400),
        ("the-key-for-the-list", "&after=nonsense", 400), ("the-key-for-the-list", "", 200),
    ):  # fmt: skip
        headers = {"Authorization": f"Bearer {key}"}
        async with session.get(f"{place.options.poll.url}{query}", headers=headers) as answer:
            assert answer.status == status
    async with session.post(place.options.poll.url, json={}, headers=headers) as answer:
        assert answer.status in {400, 404}


async def test_what_happens_can_be_ordered(placed, sandbox, session):
    place = placed(FLAT)
    acts = f"{sandbox.url}/_sandbox/acts"
    for act, how, status in (
        ("asks", {"shop": "1", "text": "Hello?"}, 201),
        ("writes", {"shop": "1", "conversation": 1, "word": "seller", "text": "Yes?"}, 201),
        ("close", {"shop": "1", "conversation": 1}, 201),
        ("habits", {"shop": "1", "size": 7}, 201),
        ("habits", {"shop": "1", "sighs": 7}, 400),
        ("hold", {"held": True}, 201),
        ("forget", {"shop": "9"}, 400),
        ("burn", {"shop": "1"}, 400),
    ):
        async with session.post(f"{acts}/{act}", json=how) as answer:
            assert answer.status == status, act
    async with session.get(f"{sandbox.url}/_sandbox/pushes") as answer:
        assert await answer.json() == []

    assert place.shop.habits.size == 7
    assert [m.word for m in place.shop.conversations[1].messages] == ["buyer", "seller"]
