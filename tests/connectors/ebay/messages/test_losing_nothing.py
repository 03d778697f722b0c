"""Whatever happens while a list is read page by page, a later walk has what slipped by."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from connectors.ebay.messages import reading, walking


@pytest.fixture
def small(monkeypatch):
    """Pages of three, so that few conversations are many pages."""
    monkeypatch.setattr(reading, "AT_ONCE", 3)
    monkeypatch.setattr(walking, "AT_ONCE", 3)


class Crowd:
    """Buyers who write, and conversations that go, at random."""

    def __init__(self, seller, buyers, clock, seed):
        self.seller, self.buyers, self.clock = seller, buyers, clock
        self.draw = random.Random(seed)
        self.open = []

    def writes(self, *, at=None):
        buyer = self.draw.choice(self.buyers)
        self.open.append(self.seller.asked(buyer, f"New {len(self.open)}", at=at))

    def goes_on(self):
        conversation = self.draw.choice(self.open)
        says = self.draw.choice([self.seller.buyer_writes, self.seller.answers])
        says(conversation, "More")

    def goes(self):
        if self.open:
            place = self.draw.randrange(len(self.open))
            self.seller.mailbox.forget(self.open.pop(place))

    def act(self):
        self.clock.advance(seconds=self.draw.randrange(60))
        for _ in range(self.draw.randrange(4)):
            self.draw.choice([self.writes, self.goes_on, self.goes])()

    def said(self):
        return {message.id for one in self.open for message in one.messages}


@pytest.mark.parametrize("seed", range(12))
async def test_what_is_written_or_goes_meanwhile_costs_no_other_message(
    small, messages, sandbox, seller, market, clock, walk, seed
):
    buyers = [market.add_member(f"buyer-{n}") for n in range(3)]
    crowd = Crowd(seller, buyers, clock, seed)
    for n in range(14):
        crowd.writes(at=clock() - timedelta(hours=14 - n))
    known, cursor = set(), None
    for turn in range(3):
        if seed % 3 == turn:
            sandbox.faults.order("duplicate", operation="getConversations", count=2)
        found = await walk(messages.fetch, cursor, between=crowd.act)
        known |= found.messages.keys()
        cursor = found.cursor
        crowd.act()
        clock.advance(minutes=crowd.draw.choice([1, 9, 45]))
    found = await walk(messages.fetch, cursor)
    known |= found.messages.keys()

    assert crowd.said() <= known
