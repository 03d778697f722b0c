"""One odd item does not cost its neighbours."""

from __future__ import annotations

import json
from copy import deepcopy
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from core.store import legible
from core.transport import salvage


class Somebody(BaseModel):
    type: str


class Entry(BaseModel):
    id: str
    body: str = ""
    to: list[Somebody] = []


class Counts(BaseModel):
    total: int = 0


class Conversation(BaseModel):
    id: str
    counts: Counts = Counts()
    entries: list[Entry] = []


class Listing(BaseModel):
    data: list[Conversation]
    next: str | None = None


GOOD = {
    "data": [
        {"id": "a", "counts": {"total": 2}, "entries": [{"id": "a1", "to": [{"type": "X"}]}]},
        {"id": "b", "entries": [{"id": "b1", "body": "hello"}, {"id": "b2"}]},
    ],
    "next": "token",
}


def changed(*path, to):
    content = deepcopy(GOOD)
    inner = content
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = to
    return content


def test_what_fits_is_read_whole():
    found = salvage.read(Listing, deepcopy(GOOD))

    assert found.value == Listing.model_validate(GOOD)
    assert found.aside == ()


def test_a_field_with_a_default_is_left_out_and_its_item_kept():
    found = salvage.read(Listing, changed("data", 1, "entries", 0, "body", to=["no", "text"]))

    assert [e.id for e in found.value.data[1].entries] == ["b1", "b2"]
    assert found.value.data[1].entries[0].body == ""
    (aside,) = found.aside
    assert (aside.source_id, aside.reason) == ("b1", "data.entries.body: string_type")
    assert json.loads(aside.raw) == {"id": "b1", "body": ["no", "text"]}


def test_an_item_without_what_it_needs_is_left_out_and_its_neighbours_kept():
    found = salvage.read(Listing, changed("data", 1, "entries", 0, to={"body": "whose?"}))

    assert [e.id for e in found.value.data[1].entries] == ["b2"]
    (aside,) = found.aside
    assert aside.source_id.startswith("b/")
    assert aside.reason == "data.entries.id: missing"


def test_items_of_the_page_that_went_as_a_whole_are_counted_and_no_others():
    content = {
        "data": [
            5,
            {"id": "a", "entries": [{"body": "whose?"}, 6]},
            {"id": ["b"], "entries": [7]},
            {"entries": [8]},
            {"id": "c", "counts": 9},
        ]
    }
    found = salvage.read(Listing, content)

    assert [one.id for one in found.value.data] == ["a", "c"]
    assert found.out == ("data",) * 3
    assert salvage.read(Listing, deepcopy(GOOD)).out == ()


def test_two_without_an_id_in_one_thread_are_two():
    content = changed("data", 1, "entries", to=[{"body": "one"}, {"body": "two"}, 5])
    found = salvage.read(Listing, content)

    assert len({(aside.source_id, aside.reason) for aside in found.aside}) == 3


def test_what_is_no_id_names_nothing():
    content = changed("data", 1, "entries", to=[{"id": True, "body": n} for n in "ab"])
    found = salvage.read(Listing, content)

    assert len({aside.source_id for aside in found.aside}) == 2


def test_two_ids_that_begin_alike_are_two():
    content = changed("data", 1, "entries", to=[{"id": "x" * 5000 + n, "body": 5} for n in "ab"])
    found = salvage.read(Listing, content)

    assert len({aside.source_id for aside in found.aside}) == 2
    assert {len(aside.source_id) for aside in found.aside} == {salvage.LONGEST_ID}


def test_two_ids_that_no_row_can_hold_are_two():
    content = changed(
        "data", 1, "entries", to=[{"id": i, "body": 5} for i in ("\ud800", "\ud83d", "\0")]
    )
    found = salvage.read(Listing, content)

    assert len({legible(aside.source_id) for aside in found.aside}) == 3


def test_a_payload_that_is_nothing_but_faults_is_refused_before_it_holds_everybody_up():
    began = process_time()
    with pytest.raises(ValidationError):
        salvage.read(Listing, {"data": [None] * (salvage.MOST_FAULTS + 1)})

    assert process_time() - began < 1
    assert len(salvage.read(Listing, {"data": [None] * 1000}).aside) == 1000


def test_a_needed_field_of_the_wrong_kind_costs_its_item_once():
    found = salvage.read(Listing, changed("data", 0, "entries", 0, "to", 0, "type", to=7))

    assert found.value.data[0].entries[0].to == []
    assert [a.reason for a in found.aside] == ["data.entries.to.type: string_type"]


def test_several_faults_at_once_are_each_told():
    content = changed("data", 0, to="no conversation")
    content["data"][1]["counts"] = {"total": "many"}
    content["next"] = 5
    found = salvage.read(Listing, content)

    assert [c.id for c in found.value.data] == ["b"]
    assert sorted(a.reason for a in found.aside) == [
        "data.counts.total: int_parsing",
        "data: model_type",
        "next: string_type",
    ]


@pytest.mark.parametrize("content", [{}, {"data": 3}, {"data": None}, [], None, "x", 5])
def test_an_envelope_that_is_wrong_is_refused(content):
    with pytest.raises(ValidationError):
        salvage.read(Listing, content)


def test_what_has_no_id_is_known_by_its_digest():
    one, two = (salvage.set_aside("", "why", content) for content in ({"a": 1}, {"a": 2}))

    assert one.source_id != two.source_id
    assert one == salvage.set_aside("", "why", {"a": 1})


def test_a_nest_too_deep_to_be_kept_is_told_all_the_same():
    nest: list = []
    for _ in range(5000):
        nest = [nest]

    assert salvage.set_aside("x", "why", nest).raw == b"nested too deeply to be kept"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PLACES = [
    ("data", 0), ("data", 0, "id"), ("data", 0, "counts"), ("data", 0, "counts", "total"),
    ("data", 0, "entries"), ("data", 0, "entries", 0), ("data", 0, "entries", 0, "id"),
    ("data", 0, "entries", 0, "to"), ("data", 0, "entries", 0, "to", 0), ("next",),
]  # fmt: skip


@settings(max_examples=200)
@given(st.sampled_from(PLACES), JSON)
def test_nothing_that_happens_to_one_item_reaches_its_neighbour(place, value):
    content = changed(*place, to=value)
    found = salvage.read(Listing, deepcopy(content))

    assert found.value.data[-1] == Listing.model_validate(GOOD).data[1]
    if found.aside == ():
        assert found.value == Listing.model_validate(content)
