from __future__ import annotations

from core.web.seldom import Seldom


def test_what_comes_as_a_flood_is_said_once_in_an_interval_with_how_often_it_was():
    at = [100.0]
    seldom = Seldom(60.0, lambda: at[0])

    said = [seldom.times("refused") for _ in range(50)]
    assert said == [1, *[0] * 49]

    at[0] += 59.9
    assert seldom.times("refused") == 0
    at[0] += 0.1
    assert seldom.times("refused") == 51
    at[0] += 600
    assert seldom.times("refused") == 1


def test_each_thing_is_said_by_itself():
    seldom = Seldom(60.0, lambda: 0.0)

    assert (seldom.times("a"), seldom.times("b"), seldom.times("a")) == (1, 1, 0)
