"""Where a search goes on: by what was sent, readable or not."""

from __future__ import annotations

import pytest

from connectors.ebay.dossiers import paging
from connectors.ebay.dossiers.payload import Cancellations, Disputes, Returns
from connectors.ebay.dossiers.sources import CANCELLATIONS, DISPUTES, RETURNS
from core.errors import BadPayload
from core.transport import salvage

READABLE = {"cancelId": 1, "activityHistories": [7, {"activityType": "X"}, "y"]}


def test_an_item_that_was_set_aside_has_had_its_place():
    answer = salvage.read(
        Cancellations, {"cancellations": [READABLE, {}, 5, {"cancelId": []}]}, CANCELLATIONS.names
    )

    assert len(answer.value.cancellations) == 1
    assert len(answer.aside) > 3
    assert paging.came(CANCELLATIONS, answer) == 4


def test_items_of_disputes_are_counted_by_ebays_word():
    page = {"paymentDisputeSummaries": [{"paymentDisputeId": "1"}, 5], "total": 3}

    answer = salvage.read(Disputes, page, DISPUTES.names)

    assert paging.came(DISPUTES, answer) == 2
    assert paging.goes_on(answer.value, 2, 0)
    assert not paging.goes_on(answer.value, 1, 2)


@pytest.mark.parametrize(
    ("page", "came", "offset", "goes_on"),
    [
        ({}, 100, 0, True),
        ({}, 99, 0, False),
        ({"total": 250}, 99, 0, True),
        ({"total": 250}, 0, 0, False),
        ({"paginationOutput": {"totalEntries": 100}}, 50, 50, False),
        ({"paginationOutput": {"totalEntries": 101}}, 50, 50, True),
        ({"paginationOutput": {"limit": 25}}, 25, 0, True),
        ({"paginationOutput": {"limit": 25}}, 24, 0, False),
        ({"paginationOutput": {"limit": 0}}, 0, 0, False),
    ],
)
def test_it_goes_on_while_something_may_come(page, came, offset, goes_on):
    assert paging.goes_on(Returns.model_validate(page), came, offset) is goes_on


def test_a_search_ends_somewhere():
    with pytest.raises(BadPayload):
        paging.goes_on(Returns(), 100, paging.LIMIT * paging.MOST_PAGES)


def test_a_page_of_items_that_cannot_be_read_is_not_empty():
    answer = salvage.read(Returns, {"members": [5], "total": 1}, RETURNS.names)

    paging.require_counted(answer.value, paging.came(RETURNS, answer), 0)
    with pytest.raises(BadPayload):
        paging.require_counted(answer.value, 0, 0)


@pytest.mark.parametrize("odd", [1, 100])
async def test_odd_items_move_no_offset_and_end_no_list(desk, walk, files, sandbox, clock, odd):
    for n in range(130):
        one = desk.open_return()
        if n >= 130 - odd:
            one.speak_oddly(returnId=[])

    await walk("returns")

    assert len(files.threads) == 130 - odd
    asked = [dict(h.query) for h in sandbox.heard if h.operation == "searchReturns"]
    assert [q["offset"] for q in asked[:3]] == ["0", "100", "0"]
    assert {item.reason for item in files.aside} == {"members.returnId: string_type"}
