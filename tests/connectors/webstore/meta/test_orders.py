"""Orders that people name."""

from __future__ import annotations

import pytest

from connectors.webstore.meta import orders


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
        ([" " * 4096 + "100123"], r"\d{6}", ()),
    ],
)
def test_they_are_found_by_the_shops_own_pattern(texts, pattern, found):
    assert orders.named(texts, pattern) == found
