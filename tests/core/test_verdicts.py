"""Which message a later word of the marketplace means, whatever came first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrival.verdicts import Deed, Left, Place, judge
from core.model import Verdict
from sla.clock import Delivery

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CONFIRMED, REFUSED, ACCEPTED = Delivery.CONFIRMED, Delivery.REFUSED, Delivery.ACCEPTED
ANSWER = "Your parcel will arrive on Monday."


def left(id_="a", minutes=-5, **more):
    told = {"thread": "t1", "delivery": ACCEPTED, "buyer": "Ada", "order_ids": ("1",)}
    return Left(id=id_, at=AT + minutes * MINUTE, **{**told, **more})


def copy(**more):
    return Verdict("v1", CONFIRMED, AT, **{"order_id": "1", "is_copy": True, **more})


def refusal(id_="v2", **more):
    return Verdict(id_, REFUSED, AT, **{"order_id": "1", **more})


@pytest.mark.parametrize(
    ("minutes", "confirmed"),
    [(-120, True), (-121, False), (0, True), (10, True), (11, False)],
)
def test_a_copy_is_of_what_left_shortly_before(minutes, confirmed):
    assert judge([copy()], [left(minutes=minutes)]).deliveries == (
        {"a": CONFIRMED} if confirmed else {}
    )


def test_a_copy_is_of_the_message_that_it_holds():
    one, other = left("a", -20, body=ANSWER), left("b", -5, body="Something else entirely, really.")
    text = f"Hello Shop,\n{ANSWER.upper()}  bye"

    assert judge([copy(text=text)], [one, other]).deliveries == {"a": CONFIRMED}
    assert judge([copy()], [one, other]).deliveries == {"b": CONFIRMED}


def test_a_short_text_stands_in_another_by_chance():
    found = judge([copy(text="ok, yes")], [left("a", -20, body="ok"), left("b", -5, body="other")])

    assert found.deliveries == {"b": CONFIRMED}


@pytest.mark.parametrize("delivery", [Delivery.UNKNOWN, Delivery.SENDING])
def test_a_copy_settles_what_nobody_knew(delivery):
    assert judge([copy()], [left(delivery=delivery)]).deliveries == {"a": CONFIRMED}


def test_two_copies_are_of_two_messages():
    second = Verdict("v0", CONFIRMED, AT + MINUTE, order_id="1", is_copy=True)

    assert judge([copy(), second], [left("a"), left("b", -4)]).deliveries == {
        "a": CONFIRMED, "b": CONFIRMED,
    }  # fmt: skip


def test_a_copy_that_fits_in_two_threads_ends_nothing_and_is_told():
    found = judge([copy()], [left("a"), left("b", thread="t2")])

    assert found.deliveries == {}
    assert found.unclear == {"v1"}


def test_the_name_decides_between_two_threads_of_an_order():
    found = judge([copy(text="to Bo Li")], [left("a"), left("b", thread="t2", buyer="Bo Li")])

    assert found.deliveries == {"b": CONFIRMED}


def test_a_copy_of_nothing_that_left_is_an_answer_given_elsewhere():
    place = Place("t1", AT - 60 * MINUTE, "Ada", None, ("1",))

    assert judge([copy()], [], [place]).elsewhere == {"v1": "t1"}
    assert judge([copy()], [left(minutes=-300)], [place]).elsewhere == {"v1": "t1"}


@pytest.mark.parametrize(
    "places",
    [
        [],
        [Place("t1", AT - MINUTE, "Ada", None, ("2",))],
        [Place("t1", AT + MINUTE, "Ada", None, ("1",))],
        [Place(name, AT - MINUTE, "Ada", None, ("1",)) for name in ("t1", "t2")],
    ],
)
def test_a_copy_that_belongs_nowhere_or_to_two_is_told(places):
    found = judge([copy()], [], places)

    assert found.elsewhere == {}
    assert found.unclear == {"v1"}


def test_a_copy_of_a_colleagues_answer_does_not_take_the_place_of_ours_just_after():
    """Both copies fit the same thread; the second holds what left from here, the first does not."""
    place = Place("t1", AT - 60 * MINUTE, "Ada", None, ("1",))
    ours = left("a", 1, body=ANSWER)
    theirs = copy(text="We have sent it again this morning.")
    of_ours = Verdict("v2", CONFIRMED, AT + 2 * MINUTE, None, None, "1", None, ANSWER, is_copy=True)

    found = judge([theirs, of_ours], [ours], [place])

    assert found.elsewhere == {"v1": "t1"}
    assert found.deliveries == {"a": CONFIRMED}


def nameless(text=f"To Ada: {ANSWER}", **more):
    return copy(order_id=None, text=text, **more)


def test_a_name_alone_never_says_where_a_copy_is_an_answer():
    found = judge([nameless()], [], [Place("t1", AT - MINUTE, "Ada")])

    assert (found.elsewhere, found.deliveries, found.unclear) == ({}, {}, {"v1"})


@pytest.mark.parametrize(
    ("changed", "confirmed"),
    [
        ({}, True),
        ({"order_ids": ("1",)}, False),
        ({"buyer": "Bo"}, False),
        ({"buyer": "Adam"}, False),
        ({"body": "Something else entirely, really."}, False),
        ({"minutes": -121}, False),
    ],
)
def test_by_a_name_alone_a_copy_is_of_the_very_words_that_left_just_now(changed, confirmed):
    one = left(**{"delivery": Delivery.UNKNOWN, "body": ANSWER, "order_ids": (), **changed})
    found = judge([nameless()], [one], [Place("t1", AT - 60 * MINUTE, "Ada")])

    assert (found.deliveries == {"a": CONFIRMED}) is confirmed
    assert (found.unclear == {"v1"}) is not confirmed
    assert found.elsewhere == {}


@pytest.mark.parametrize(("minutes", "refused"), [(-120, True), (-121, False)])
def test_a_refusal_that_tells_a_name_alone_is_of_what_left_shortly_before(minutes, refused):
    said = refusal(order_id=None, text="not delivered to Ada")
    found = judge([said], [left(minutes=minutes)])

    assert (found.deliveries == {"a": REFUSED}) is refused
    assert (found.unclear == {"v2"}) is not refused


def test_a_refusal_by_name_never_means_an_answer_given_elsewhere():
    """That is found by what was judged before, and what is judged must not depend on it."""
    place = Place("t1", AT - 60 * MINUTE, "Ada", None, ("1",))
    said = Verdict("v2", REFUSED, AT + MINUTE, text="not delivered to Ada")
    found = judge([copy(), said], [], [place])

    assert (found.elsewhere, found.deliveries, found.unclear) == ({"v1": "t1"}, {}, {"v2"})


@pytest.mark.parametrize(
    ("minutes", "order", "answers"),
    [(-5, "1", False), (-120, "1", False), (10, "1", False),
     (-121, "1", True), (11, "1", True), (-5, "2", True)],
)  # fmt: skip
def test_a_copy_soon_after_a_deed_may_be_of_that_and_ends_nothing(minutes, order, answers):
    place = Place("t1", AT - 60 * MINUTE, "Ada", None, ("1",))
    deeds = [Deed(order, AT + minutes * MINUTE)]

    found = judge([copy(text=f"To Ada: {ANSWER}")], [], [place], deeds)
    assert found.elsewhere == ({"v1": "t1"} if answers else {})
    assert (found.unclear == {"v1"}) is not answers

    unsure = left(delivery=Delivery.UNKNOWN)
    assert (judge([copy()], [unsure], [place], deeds).deliveries == {"a": CONFIRMED}) is answers


def test_a_copy_that_holds_the_words_of_a_reply_is_of_that_whatever_was_done():
    deeds = [Deed("1", AT - 5 * MINUTE)]

    found = judge([copy(text=f"To Ada: {ANSWER}")], [left(body=ANSWER)], [], deeds)

    assert (found.deliveries, found.unclear) == ({"a": CONFIRMED}, set())


TOLD = {"buyer": "x", "text": "Your message to Ada was not delivered."}


def again(seconds=30, **changes):
    at = AT + timedelta(seconds=seconds)
    return Verdict("v3", REFUSED, at, **{"order_id": "1", **TOLD, **changes})


@pytest.mark.parametrize(
    ("second", "refused"),
    [
        (again(0), {"b"}),
        (again(60), {"b"}),
        (again(61), {"a", "b"}),
        (again(text="Your message to Bo was not delivered."), {"a", "b"}),
        (again(buyer=None), {"a", "b"}),
    ],
)
def test_one_refusal_told_by_two_letters_refuses_one_reply(second, refused):
    those = [left("a", -60, key="x"), left("b", -5, key="x")]

    found = judge([refusal(**TOLD), second], those)

    assert (found.deliveries.keys(), found.unclear) == (refused, set())


def test_two_replies_that_left_together_may_both_be_refused_in_the_same_words():
    those = [left("a", -6, key="x"), left("b", -5, key="x"), left("c", -7, key="x")]

    found = judge([refusal(**TOLD), again()], those)

    assert found.deliveries.keys() == {"a", "b"}


def test_a_refusal_told_twice_of_nothing_known_is_told_to_a_person():
    assert judge([refusal(**TOLD), again()], []).unclear == {"v2", "v3"}


@pytest.mark.parametrize("delivery", [ACCEPTED, Delivery.UNKNOWN])
@pytest.mark.parametrize("minutes", [-5, -60 * 24 * 3])
def test_a_confirmation_means_the_message_that_it_names_however_late_it_comes(minutes, delivery):
    named = Verdict("v1", CONFIRMED, AT, message_id="a")
    those = [left("a", minutes, delivery=delivery), left("b", minutes)]

    assert judge([named], those).deliveries == {"a": CONFIRMED}


def test_a_confirmation_that_names_what_nobody_knows_says_nothing():
    found = judge([Verdict("v1", CONFIRMED, AT, message_id="z")], [left()])

    assert (found.deliveries, found.unclear) == ({}, frozenset())


@pytest.mark.parametrize("minutes", [-1, 1])
def test_a_refusal_wins_over_a_confirmation_of_the_same_name_whichever_was_first(minutes):
    arrived = Verdict("v1", CONFIRMED, AT, message_id="a")
    failed = Verdict("v2", REFUSED, AT + minutes * MINUTE, message_id="a")

    assert judge([failed, arrived], [left()]).deliveries == {"a": REFUSED}


def test_a_refusal_means_the_message_that_it_names():
    found = judge([refusal(message_id="a", order_id=None)], [left("a", -60), left("b")])

    assert (found.deliveries, found.unclear) == ({"a": REFUSED}, set())


def test_a_refusal_of_a_letter_that_nobody_knows_is_told():
    found = judge([refusal(message_id="x", order_id=None)], [left("a")])

    assert (found.deliveries, found.unclear) == ({}, {"v2"})


def test_a_refusal_means_the_newest_not_yet_confirmed():
    those = [left("a", -60), left("b", -30), left("c", -5, delivery=CONFIRMED)]

    assert judge([refusal()], those).deliveries == {"b": REFUSED}


def test_a_second_refusal_means_the_one_before():
    found = judge([refusal(), refusal("v3")], [left("a", -6), left("b", -5)])

    assert found.deliveries == {"a": REFUSED, "b": REFUSED}


def test_a_refusal_wins_over_a_confirmation():
    assert judge([refusal()], [left(delivery=CONFIRMED)]).deliveries == {"a": REFUSED}
    late = Verdict("v9", CONFIRMED, AT + MINUTE, order_id="1", is_copy=True)
    place = Place("t1", AT - 60 * MINUTE, "Ada", None, ("1",))
    found = judge([late, refusal()], [left()], [place])
    assert (found.deliveries, found.elsewhere) == ({"a": REFUSED}, {})


def test_where_several_threads_fit_all_are_refused_and_a_person_is_told():
    found = judge([refusal()], [left("a"), left("b", -9), left("c", thread="t2")])

    assert found.deliveries == {"a": REFUSED, "c": REFUSED}
    assert found.unclear == {"v2"}


def test_a_refusal_is_of_that_buyer_order_and_thread():
    those = [left("a", key="x"), left("b", thread="t2", key="y"), left("c", order_ids=("2",))]

    assert judge([refusal(buyer="x")], those).deliveries == {"a": REFUSED}
    assert judge([refusal(order_id=None, thread="t2")], those).deliveries == {"b": REFUSED}
    assert judge([refusal(order_id="2")], those).deliveries == {"c": REFUSED}


def test_what_left_after_a_refusal_is_not_meant():
    assert judge([refusal()], [left(minutes=11)]).deliveries == {}


def test_a_refusal_means_nothing_that_left_after_it_and_arrived():
    """The copy that holds its words says so; a refusal of something else came just before."""
    ours = left("a", 0.1, body=ANSWER)
    of_ours = copy(text=ANSWER)

    found = judge(
        [refusal(), Verdict("v3", CONFIRMED, AT + MINUTE, order_id="1", text=ANSWER)], [ours]
    )
    assert found.deliveries == {"a": CONFIRMED}
    assert found.unclear == {"v2"}
    assert judge([refusal()], [ours]).deliveries == {"a": REFUSED}
    assert judge([refusal(), of_ours], [left("a", -0.1, body=ANSWER)]).deliveries == {"a": REFUSED}


def test_a_refusal_means_no_answer_that_a_person_says_was_given_later():
    assert judge([refusal()], [left("a", 0.1, is_said=True)]).deliveries == {}
    assert judge([refusal()], [left("a", -0.1, is_said=True)]).deliveries == {"a": REFUSED}


WORDS = st.builds(
    Verdict,
    st.sampled_from("pqrs"),
    st.sampled_from([CONFIRMED, REFUSED]),
    st.integers(-30, 30).map(lambda n: AT + n * MINUTE),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, "x"]),
    st.sampled_from([None, "1"]),
    st.sampled_from([None, "t1"]),
    st.sampled_from(["", "Ada", ANSWER]),
    st.booleans(),
)
THOSE = st.builds(
    Left,
    st.sampled_from("abcdef"),
    st.sampled_from(["t1", "t2"]),
    st.integers(-200, 30).map(lambda n: AT + n * MINUTE),
    st.sampled_from([None, *Delivery]),
    st.sampled_from(["", ANSWER]),
    st.sampled_from(["", "Ada", "Bo"]),
    st.sampled_from([None, "x", "y"]),
    st.sampled_from([(), ("1",)]),
)


@given(
    st.lists(WORDS, max_size=5, unique_by=lambda one: one.id),
    st.lists(THOSE, max_size=5, unique_by=lambda one: one.id),
    st.randoms(use_true_random=False),
)
def test_what_came_first_does_not_matter(words, those, chance):
    place = Place("t1", AT - 90 * MINUTE, "Ada", "x", ("1",))
    found = judge(words, those, [place])
    mixed, others = list(words), list(those)
    chance.shuffle(mixed)
    chance.shuffle(others)

    assert judge(mixed, others, [place]) == found
    proven = [one for one in words if one.order_id or one.buyer or one.thread]
    assert found.elsewhere.keys() <= {one.id for one in proven}
    assert not found.elsewhere.keys() & found.unclear
    for one in those:
        if one.delivery is REFUSED:
            assert found.deliveries.get(one.id, REFUSED) is REFUSED
    confirmations = [one for one in words if one.delivery is CONFIRMED]
    assert sum(how is CONFIRMED for how in found.deliveries.values()) <= len(confirmations)
