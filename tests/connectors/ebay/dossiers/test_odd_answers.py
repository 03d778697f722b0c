"""Whatever eBay may send: it is read as far as it can be, and never falls over."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.ebay.dossiers import dossier, walk
from connectors.ebay.dossiers.dossier import Doubts
from connectors.ebay.dossiers.payload import Steps
from connectors.ebay.dossiers.walk import Cursor, Known, Position
from connectors.ebay.sandbox import disputes
from connectors.ebay.sandbox.market import Market
from core.transport import salvage
from sla.clock import clocks
from tests.connectors.ebay.dossiers.files import Files, Seen
from tests.connectors.ebay.dossiers.lives import LIVES, NOON
from tests.connectors.standing import Clock

odd = st.sampled_from([
    None, True, 0, -1, 1.5, 10**30, "", "x", "\0", "\ud800", "2026-13-40T99:00", "T", "CLOSED",
    "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00-23:59", "2026-11-20T12:00:00.000Z",
    [], [None], {}, {"value": None}, {"value": "2026-11-21T12:00:00.000Z"}, {"content": 1},
    "z" * 5000, [{}], {"history": [{}, {}]},
])  # fmt: skip


def places(content, path=()):
    """Every place in decoded JSON."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield (*path, key)
            yield from places(value, (*path, key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield (*path, number)
            yield from places(value, (*path, number))


def spoiled(content, spoils):
    content = deepcopy(content)
    for number, value in spoils:
        every = list(places(content))
        if not every:
            return content
        *path, last = every[number % len(every)]
        part = content
        for step in path:
            part = part[step]
        part[last] = deepcopy(value)
    return content


def told(kind):
    life = LIVES[kind]
    one = getattr(Market(Clock(NOON), Random(1)).add_seller("shop-b").desk, life.opened)()
    for name in ("seller_writes", "approve", "buyer_writes", "moved"):
        if name in life.deeds:
            life.deeds[name](one)
    page = {life.source.members.replace("payment_dispute_summaries", "paymentDisputeSummaries"): [
        life.module.summary(one)
    ]}  # fmt: skip
    return life.source, page, life.module.detail(one), disputes.activities(one)


spoils = st.lists(st.tuples(st.integers(0, 200), odd), max_size=6)


@given(st.sampled_from(sorted(LIVES)), spoils, spoils, spoils)
@settings(max_examples=600)
def test_no_answer_is_too_odd(kind, in_page, in_detail, in_steps):
    source, page, detail, steps = told(kind)
    try:
        listed = salvage.read(source.page, spoiled(page, in_page), source.names).value
        whole = salvage.read(source.detail, spoiled(detail, in_detail), source.names).value
        history = salvage.read(Steps, spoiled(steps, in_steps)).value
    except ValidationError:
        return
    for summary in getattr(listed, source.members) or [None]:
        for one, parts in ((summary, None), (summary, whole), (None, whole)):
            if one is None and (parts is None or getattr(parts, "summary", True) is None):
                continue
            found = source.understand(one, parts, history if source.steps else None, Doubts())
            mapped = dossier.page([found], NOON)
            readings = [g for _, g in mapped.given]
            clocks([Seen(m, NOON) for m in mapped.messages], [], readings, kind=source.kind)
            Files().take(mapped, NOON)
            assert "\0" not in found.id
        if summary is not None:
            assert len(walk.mark(summary, source)) == 16


@given(st.sampled_from(sorted(LIVES)), spoils)
@settings(max_examples=200)
def test_an_odd_state_ends_nothing_but_by_a_documented_word(kind, in_detail):
    source, page, _, _ = told(kind)
    try:
        listed = salvage.read(source.page, spoiled(page, in_detail), source.names).value
    except ValidationError:
        return
    for summary in getattr(listed, source.members) or []:
        if source.is_over(summary):
            assert "CLOSED" in json.dumps(summary.model_dump(), default=str)


texts = st.none() | st.datetimes(timezones=st.just(NOON.tzinfo)).map(lambda at: at.isoformat())
knowns = st.builds(
    Known,
    mark=st.sampled_from(["", "0123456789abcdef"]),
    opened=texts,
    read=st.just(NOON.isoformat()),
    asked=st.lists(st.tuples(st.just("ACT"), texts, texts, st.booleans()), max_size=2).map(tuple),
    acted=texts,
    outcome=st.none() | st.just("escalated"),
    is_all=st.booleans(),
)
memories = st.dictionaries(st.text("0123456789", min_size=1), knowns, max_size=4)


@given(memories)
@settings(max_examples=100)
def test_what_is_remembered_is_read_as_it_was_written(memory):
    cursor = Cursor(NOON, None, memory)
    position = Position(2, 50, frozenset(memory), memory, ("1",), {"2": "x"}, works=True)

    assert Cursor.read(cursor.write()) == cursor
    assert Position.read(position.write(), Cursor()) == position
    assert cursor.write() == Cursor.read(cursor.write()).write()


@pytest.mark.parametrize("kind", sorted(LIVES))
def test_lines_without_a_date_are_shown_last(kind):
    source, _, detail, steps = told(kind)
    text = json.dumps(detail).replace("2026-11-20T12:00", "someday")
    whole = source.detail.model_validate(json.loads(text))
    undated = Steps.model_validate(json.loads(json.dumps(steps).replace("2026", "someday")))

    found = source.understand(None, whole, undated if source.steps else None, Doubts())

    assert {m.sent_at for m in dossier.page([found], NOON).messages} == {None}
