"""How far a folder is read: pure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.transport import imap_position
from core.transport.imap_client import Examined, Facts
from core.transport.imap_position import Position

UIDS = st.integers(1, 2**32 - 1)


@given(UIDS, UIDS, st.one_of(st.just(0), UIDS))
def test_a_position_is_read_as_it_was_written(uidvalidity, first, until):
    place = Position(uidvalidity, first, until)

    assert imap_position.begun(str(place), Examined(uidvalidity, 2**32, 0)) == place


@given(st.text(max_size=40))
def test_no_text_breaks_a_beginning(text):
    place = imap_position.begun(text, Examined(7, 45, 3))

    assert place.uidvalidity == 7
    assert place.first <= 45


def test_what_was_read_counts_only_under_its_uidvalidity_and_below_the_next_uid():
    seen = Examined(7, 45, 3)

    assert imap_position.begun("7:45", seen) == Position(7, 45)
    assert imap_position.begun("7:46", seen) == Position(7, 1, 45)
    assert imap_position.begun("8:12", seen) == Position(7, 1, 45)
    assert imap_position.begun(None, seen) == Position(7, 1, 45)


def test_a_window_ends_where_the_folder_did_when_it_began():
    window = Position(7, 1, 45)

    assert window.last == 44
    assert window.after(12) == Position(7, 13, 45)
    assert window.after(12).after(None) == Position(7, 45)
    assert Position(7, 45).last is None
    assert Position(7, 45).after(50) == Position(7, 51)


SIZES = st.lists(st.integers(0, 400), max_size=40)


@given(SIZES, st.sets(st.integers(0, 39)))
def test_letters_are_fetched_once_in_order_and_in_bounded_groups(sizes, alone):
    facts = [Facts(uid, None, size, frozenset(), None) for uid, size in enumerate(sizes)]
    groups = list(imap_position.batches(facts, 300, 200, alone))

    assert [each for group in groups for each in group] == facts
    for group in groups:
        assert len(group) == 1 or sum(each.size for each in group) <= 300
        assert len(group) == 1 or not any(e.uid in alone or e.size > 200 for e in group)
