"""How far a walk has come, without a server: what eBay does not document is not relied upon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.ebay.messages import walking
from connectors.ebay.messages.mapping import EBAY, MEMBERS
from connectors.ebay.messages.payload import Conversations
from connectors.ebay.messages.walking import Mark, Walk
from core.model import SetAside
from core.transport.salvage import Salvaged

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
OVERLAP = timedelta(minutes=10)


def page(*minutes, **more):
    """A page of conversations whose newest messages are so many minutes old; None: undated."""
    listed = [
        {
            "conversationId": str(number),
            "latestMessage": {
                "messageId": f"m{number}",
                "createdDate": None if ago is None else (NOW - timedelta(minutes=ago)).isoformat(),
            },
        }
        for number, ago in enumerate(minutes)
    ]
    return Conversations.model_validate({"conversations": listed, **more})


@pytest.mark.parametrize(
    ("minutes", "is_past"),
    [
        ((1, 5, 61), True),
        ((1, 5, 59), False),
        ((61, 5, 62), False),
        ((1, None, 61), False),
        ((), False),
    ],
)
def test_a_list_has_come_to_the_past_only_where_it_is_in_order(minutes, is_past):
    """The newest first was observed, and is not documented."""
    assert walking.is_past(page(*minutes), SINCE, NOW) is is_past


@pytest.mark.parametrize(
    ("more", "asked", "goes_on"),
    [
        ({"total": 51}, 0, True),
        ({"total": 50}, 0, False),
        ({"total": 101}, 50, True),
        ({"total": 100, "offset": 0}, 50, True),
        ({"next": "https://api.ebay.com/x"}, 0, True),
        ({"next": None}, 0, False),
        ({}, 0, False),
    ],
)
def test_there_is_a_page_after_this_one_where_it_says_so(more, asked, goes_on):
    assert walking.goes_on(Salvaged(page(1, **more)), asked) is goes_on


def test_an_empty_page_is_the_last_whatever_it_counts():
    empty = page(total=500, next="https://api.ebay.com/x")

    assert not walking.goes_on(Salvaged(empty), 0)
    assert walking.goes_on(Salvaged(empty, (SetAside("7", "odd", b"{}"),)), 0)


@pytest.mark.parametrize(
    ("offset", "asked", "after"),
    [(None, 50, 100), (0, 50, 50), (7, 50, 50), (-9, 50, 50), (99, 50, 100)],
)
def test_an_offset_is_always_a_multiple_of_the_limit(offset, asked, after):
    """Trap 27, whatever eBay says where it is."""
    assert walking.onward(page(1, offset=offset), asked, 1) == after


def test_what_has_another_newest_message_has_changed():
    changed, same = walking.parted(
        page(1, 2, 3).conversations, MEMBERS, {"0": "m0", "1": "older"}, SINCE, NOW
    )

    assert [one.id for one in changed] == ["1", "2"]
    assert same == {"0": "m0"}


@pytest.mark.parametrize(("type_", "ids"), [(MEMBERS, ["0", "1", "2"]), (EBAY, ["0", "2"])])
def test_only_lists_without_a_window_are_cut_by_us(type_, ids):
    changed, _ = walking.parted(page(1, 90, None).conversations, type_, {}, SINCE, NOW)

    assert [one.id for one in changed] == ids


def test_the_cursor_remembers_what_the_next_walk_is_shown_again():
    whole = {"0": "m0", "1": "m1", "2": "m2"}
    after = Walk().after(page(1, 10, 12, total=3), whole, SINCE, OVERLAP, NOW)
    mark = Mark.parse(Walk.parse(after.write()).ended(SINCE, NOW).write())

    assert mark == Mark(NOW - timedelta(minutes=1), {"0": "m0", "1": "m1"})


def test_what_was_not_read_to_its_end_is_not_remembered():
    after = Walk().after(page(1, 2, total=2), {"0": "m0"}, SINCE, OVERLAP, NOW)

    assert after.ended(SINCE, NOW).read == {"0": "m0"}


@pytest.mark.parametrize(
    ("totals", "begins_anew"),
    [((3, 3), False), ((3, 4), False), ((3, 2), True), ((3, None), False)],
)
def test_a_list_that_shrank_is_read_again_from_where_the_walk_began(totals, begins_anew):
    walk = Walk()
    for total in totals:
        walk = walk.after(page(1, total=total), {}, SINCE, OVERLAP, NOW)

    assert (walk.ended(SINCE, NOW).at == SINCE) is begins_anew


def test_an_empty_list_moves_the_cursor_nowhere():
    assert Walk().after(page(total=0), {}, SINCE, OVERLAP, NOW).ended(SINCE, NOW) == Mark(SINCE)
