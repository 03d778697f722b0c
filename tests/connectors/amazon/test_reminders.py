"""Letters about one claim come to the same, in whatever order they are read."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.amazon import mapping
from connectors.amazon.identity import Memory
from sla.clock import clocks
from sla.policy import ThreadKind
from tests.connectors.amazon.letters import NOW, ORDER, SENT, arrival, claim, notice, options

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SAYS = {
    "nothing": "", "days": "Please respond within 3 days.", "hours": "Reply within 20 hours.",
    "date": "Bitte antworten Sie bis zum 26. November 2026.",
    "working": "Respond within 4 business days.",
}  # fmt: skip


def letter(what, hours):
    at = SENT + hours * HOUR
    more = {"message_id": f"{what}-{hours}", "date": at}
    if what == "refund":
        one = notice("REFUND_ISSUED", f"Refund of order {ORDER}", **more)
    elif what == "decision":
        one = notice("A_Z_CLAIM_RESPONDENT_CLOSE", f"Order {ORDER}", **more)
    elif what == "return":
        one = notice("RETURN_REQUEST", f"Order {ORDER}", **more)
    else:
        one = claim(SAYS[what], **more)
    return arrival(one, at=at + HOUR)


def pages(letters, *, together):
    """What comes of *letters*, in one page or each in one of its own, read one after the other."""
    if together:
        return [mapping.pieces(letters, options(), Memory(), NOW + 9 * DAY)]
    memory, found = Memory(), []
    for n, one in enumerate(letters):
        found.append(mapping.pieces([one], options(), memory, NOW + 9 * DAY + n * HOUR))
        memory = Memory.read(found[-1].memory.write())
    return found


def state(letters, *, together=False, kind=ThreadKind.CLAIM):
    told = [
        g for page in pages(letters, together=together) for _, g in page.given if g.kind == kind
    ]
    found = clocks([], [], told, kind=kind)
    return [(one.started_at, one.due_at, one.ended, one.stopped_at, one.flags) for one in found]


def test_a_reminder_without_a_date_does_not_put_off_the_one_that_was_read():
    first, reminder = letter("date", 0), letter("nothing", 40)
    (alone,) = state([first])

    assert state([first, reminder]) == [alone] == state([reminder, first])
    ((_, again),) = pages([first, reminder], together=False)[1].given
    assert (again.asks, again.due_at, again.as_of) == (True, None, SENT + 40 * HOUR)


def test_a_reminder_of_a_claim_that_named_no_date_puts_nothing_off():
    (alone,) = state([letter("nothing", 0)])

    assert state([letter("nothing", 0), letter("nothing", 40)]) == [alone]


def test_a_date_that_is_read_takes_the_place_of_a_published_number_and_of_an_older_one():
    ((_, due, *_),) = state([letter("nothing", 0), letter("days", 5), letter("hours", 1)])

    assert due == SENT + 5 * HOUR + 3 * DAY


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.integers(0, 60), st.sampled_from(list(SAYS)), min_size=1, max_size=4),
       st.randoms(use_true_random=False), st.booleans())  # fmt: skip
def test_claims_letters_come_to_the_same_in_any_order(told, chance, together):
    letters = [letter(what, hours) for hours, what in sorted(told.items())]
    shuffled = chance.sample(letters, len(letters))

    assert state(shuffled, together=together) == state(letters)
    assert state([*shuffled, *shuffled]) == state(letters)


@pytest.mark.parametrize("closes", ["refund", "decision"])
@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("together", [True, False])
def test_what_closes_a_claim_closes_it_also_where_it_is_read_first(closes, says, together):
    asks = letter(says, 0)
    for hours, ended in ((5, True), (-5, False)):
        closing = letter(closes, hours)
        found = [state(list(order), together=together) for order in permutations([asks, closing])]

        assert found[0] == found[1]
        assert (found[0][0][2] is not None) is ended


def test_a_refund_that_is_read_first_closes_a_return_and_no_other_order():
    asks, refund = letter("return", 0), letter("refund", 5)
    (page, last) = pages([refund, asks], together=False)

    assert page.given == ()
    assert [(thread, one.asks) for thread, one in last.given] == [
        (f"return:{ORDER}", True), (f"return:{ORDER}", False),
    ]  # fmt: skip
    other = arrival(claim(order="302-7654321-7654321", date=SENT), at=SENT + HOUR)
    assert [one.asks for _, one in pages([refund, other], together=False)[1].given] == [True]
