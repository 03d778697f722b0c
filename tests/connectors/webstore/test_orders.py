"""Orders that people name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.webstore import orders
from core.model import Thread


def test_a_conversation_stays_about_the_orders_named_last():
    """A message that names none is about what the one before it named."""
    first, second, third = (
        Thread(id="T1", as_of=datetime(2026, 11, day, tzinfo=UTC), order_ids=named)
        for day, named in ((20, ("100123",)), (21, ("100124",)), (22, ()))
    )

    assert orders.newest(None, first) == first
    assert orders.newest(first, second) == orders.newest(second, first) == second
    for found in (orders.newest(second, third), orders.newest(third, second)):
        assert (found.as_of, found.order_ids) == (third.as_of, ("100124",))


@pytest.mark.parametrize(
    ("texts", "pattern", "found"),
    [
        (["about 100123 and 100124, 100123"], r"\b\d{6}\b", ("100123", "100124")),
        (["order #77", "order #78"], r"#(\d+)", ("77", "78")),
        (["order #77"], None, ()),
        (["none here"], r"#(\d+)", ()),
        (["x"], r"(a)?x", ()),
        (["  "], r"\s+", ()),
        (["1" * 101], r"\d+", ()),
        ([" ".join(str(n) for n in range(100, 150))], r"\d{3}", tuple(map(str, range(100, 110)))),
        ([" " * 20_000 + "100123"], r"\d{6}", ()),
    ],
)
def test_they_are_found_by_the_shops_own_pattern(texts, pattern, found):
    assert orders.named(texts, pattern) == found
