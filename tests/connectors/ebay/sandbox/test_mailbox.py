"""A mailbox counts what it does not hold: it lists as one that holds everything would."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.ebay.sandbox.conversations import Wanted
from connectors.ebay.sandbox.market import Market
from tests.connectors.ebay.conftest import NOON

MINUTES = st.integers(0, 600)
WRITTEN = st.tuples(st.integers(0, 39), MINUTES)
WINDOW = st.tuples(st.none() | MINUTES, st.none() | MINUTES)


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def filled(writes):
    """A mailbox of thirty counted and ten held conversations in which *writes* were made."""
    market = Market(lambda: NOON, Random(1))
    seller = market.add_seller()
    others = [market.add_member() for _ in range(3)]
    seller.mailbox.fill(30, at(0), at(580), others)
    for minute in range(10):
        seller.asked(others[minute % 3], "Hello", at=at(minute * 50))
    names = [str(number) for number in range(101, 141)]
    for place, minute in writes:
        one = seller.mailbox.find(names[place])
        seller.buyer_writes(one, "Again", at=at(minute))
    return seller, others, names


def naive(seller, names, wanted):
    """The same list, made by looking at every conversation."""
    found = [seller.mailbox.find(name) for name in names]
    fitting = [
        one
        for one in found
        if any(
            (wanted.since is None or message.at > wanted.since)
            and (wanted.until is None or message.at < wanted.until)
            for message in one.messages
        )
        and (wanted.other is None or one.other is wanted.other)
    ]
    fitting.sort(key=lambda one: (one.latest.at, one.number), reverse=True)
    return [one.id for one in fitting]


@settings(max_examples=60, deadline=None)
@given(st.lists(WRITTEN, max_size=12), WINDOW, st.none() | st.integers(0, 2))
def test_it_lists_what_looking_at_each_conversation_finds(writes, window, other):
    seller, others, names = filled(writes)
    since, until = (None if minute is None else at(minute) for minute in window)
    wanted = Wanted(since, until, None if other is None else others[other])
    pages, offset = [], 0
    while True:
        total, page = seller.mailbox.listed("FROM_MEMBERS", wanted, 7, offset)
        pages += [one.id for one in page]
        offset += 7
        if offset >= total:
            break
    assert pages == naive(seller, names, wanted)
    assert total == len(pages)


@pytest.mark.parametrize("place", [0, -1])
def test_a_forgotten_conversation_is_listed_no_more_and_forgotten_twice_is_no_fault(place):
    seller, _, names = filled([])
    one = seller.mailbox.find(names[place])
    for _ in range(2):
        seller.mailbox.forget(one)
    assert seller.mailbox.find(names[place]) is None
    assert seller.mailbox.listed("FROM_MEMBERS", Wanted(), 50, 0)[0] == 39


@pytest.mark.parametrize("name", ["", "x", "²", "-101", "999"])
def test_what_is_no_conversations_number_finds_none(name):
    seller, _, _ = filled([])
    assert seller.mailbox.find(name) is None
