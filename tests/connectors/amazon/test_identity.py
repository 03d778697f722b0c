"""Which letters are one thread, and what has to be remembered for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.amazon import addresses, identity
from connectors.amazon.identity import Asking, Memory
from tests.connectors.amazon.letters import (
    ALIAS,
    BARE,
    CASE,
    LOCAL,
    ORDER,
    OTHER_CASE,
    OTHER_ORDER,
    SENT,
)  # fmt: skip

DAY = timedelta(days=1)
WITHIN = 14 * DAY


def place(
    address=BARE, *, case=None, orders=(), subject="Frage", message="m1", at=SENT, memory=None
):
    alias = addresses.alias(address)
    told = memory or Memory()
    return identity.of_message(alias, case, orders, subject, message, at, told, WITHIN)


def test_trap_05_two_cases_of_one_buyer_are_two_threads():
    other = ALIAS.replace(CASE, OTHER_CASE)

    assert place(ALIAS, orders=(ORDER,))[0] != place(other, orders=(ORDER,))[0]


def test_the_case_counts_before_the_order_wherever_it_stands():
    expected = f"case:{CASE}"

    assert place(ALIAS, orders=(ORDER,))[0] == expected
    assert place(ALIAS, orders=())[0] == expected
    assert place(BARE, case=CASE, orders=(OTHER_ORDER,))[0] == expected


def test_a_short_case_is_one_of_its_buyer():
    short = f"{LOCAL}+1a2b3c4d@marketplace.amazon.de"
    others = f"{LOCAL}x+1a2b3c4d@marketplace.amazon.de"

    assert place(short)[0] == place(short, orders=(ORDER,))[0] != place(others)[0]
    assert place(short, case=CASE)[0] == f"case:{CASE}"


def test_without_a_case_the_order_and_the_buyer_count():
    someone = BARE.replace(LOCAL, f"{LOCAL}9")

    assert place(orders=(ORDER,))[0] == place(orders=(ORDER, OTHER_ORDER), subject="x")[0]
    assert place(orders=(ORDER,))[0] != place(orders=(OTHER_ORDER,))[0]
    assert place(orders=(ORDER,))[0] != place(someone, orders=(ORDER,))[0]


def test_no_thread_has_an_address_in_its_id():
    for thread in (place()[0], place(orders=(ORDER,))[0], place(ALIAS)[0]):
        assert LOCAL not in thread


def test_letters_without_both_are_one_thread_by_subject_within_some_days():
    first, memory = place(message="m1")
    same, memory = place(message="m2", subject="RE: AW:  frage (Bestellung: 1)", at=SENT + WITHIN,
                         memory=memory)  # fmt: skip
    later, memory = place(message="m3", at=SENT + 2 * WITHIN, memory=memory)
    fresh, memory = place(message="m4", at=SENT + 3 * WITHIN + DAY, memory=memory)
    other, _ = place(message="m5", subject="Something else", memory=memory)

    assert first == same == later
    assert len({first, fresh, other}) == 3


def test_an_earlier_letter_joins_but_moves_nothing():
    first, memory = place(message="m1")
    earlier, after = place(message="m0", at=SENT - DAY, memory=memory)

    assert earlier == first
    assert after == memory


def test_the_same_letter_read_again_is_in_the_same_thread():
    thread, memory = place(message="m1")

    assert place(message="m1", memory=memory) == (thread, memory)
    assert place(message="m1")[0] == thread


@pytest.mark.parametrize(
    "subject",
    ["Re: Frage", "AW: Re: frage", "Re[2]: Frage", "FRAGE (Bestellung: 302)", "Fwd:Frage 12"],
)
def test_a_family_leaves_out_what_varies(subject):
    assert identity.family(subject) == identity.family("Frage")


def test_memory_is_read_as_it_was_written():
    _, memory = place()
    memory = memory.with_dossier("claim:1", Asking(SENT)).with_closed(ORDER, SENT)
    memory = memory.with_dossier("claim:2", Asking(SENT + DAY, SENT + 2 * DAY, SENT))

    assert Memory.read(memory.write()) == memory
    assert Memory.read(None) == Memory()
    assert LOCAL not in memory.write()
    assert "claim:1" not in memory.without_dossier("claim:1", SENT + DAY).dossiers
    assert "claim:2" in memory.without_dossier("claim:2", SENT + DAY).dossiers
    assert memory.since(SENT + DAY).closed == {}


def test_memory_keeps_the_newest(monkeypatch):
    monkeypatch.setattr(identity, "MOST", 2)
    memory = Memory()
    for n in range(4):
        memory = memory.with_dossier(f"claim:{n}", Asking(SENT + n * DAY))
        memory = memory.with_closed(f"claim:{n}", SENT + n * DAY)
        _, memory = place(subject=f"topic {'x' * n}", at=SENT + n * DAY, memory=memory)

    assert set(memory.dossiers) == set(memory.closed) == {"claim:2", "claim:3"}
    assert len(memory.families) == 2


def test_a_memory_that_is_full_forgets_its_oldest_tenth_at_once(monkeypatch):
    """To look for the oldest of all at each letter made each of them dear."""
    monkeypatch.setattr(identity, "MOST", 20)
    memory = Memory()
    for n in range(21):
        memory = memory.with_dossier(f"claim:{n:02}", Asking(SENT - n * DAY))

    assert set(memory.dossiers) == {f"claim:{n:02}" for n in range(18)}


@given(st.text())
def test_any_subject_has_a_family(subject):
    assert identity.family(subject) == identity.family(f"Re: {subject}"[:2000])
    thread, memory = place(subject=subject)
    assert place(subject=subject, memory=memory, message="m2")[0] == thread
