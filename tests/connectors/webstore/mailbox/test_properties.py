"""Whatever the letters are and in whatever order they come."""

from __future__ import annotations

from itertools import groupby
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.webstore.mailbox import mapping
from connectors.webstore.mailbox.memory import Memory
from core.transport import mime
from sla.clock import Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import (
    MINUTE,
    NOON,
    SUPPORT,
    Desk,
    answer,
    arrival,
    bounce,
    form,
    letter,
    options,
    vacation,
)  # fmt: skip

PEOPLE = ("ana@mail.example", "ben@post.example", "cho@mail.example")
MAILING = answer("New lamps!", to=SUPPORT, Bcc=", ".join(PEOPLE), id_="all@shop.example",
                 subject="New lamps")  # fmt: skip
SUBJECTS = ("Lamp", "Bottle 100124", "Where is it?")


@st.composite
def conversations(draw):
    """Letters of several buyers, each of whose conversations has a subject of its own.

    Mail programs name all letters before, or the last one alone; some name none, and answer the
    subject. Everything happens within the days in which a subject ties.
    """
    letters = []
    for number, who in enumerate(PEOPLE[: draw(st.integers(1, 3))]):
        subject = draw(st.sampled_from(SUBJECTS))
        before = []
        for turn in range(draw(st.integers(1, 5))):
            by_agent = turn > 0 and draw(st.booleans())
            id_ = f"t{number}-{turn}@{'shop' if by_agent else 'mail'}.example"
            told = {"id_": id_, "subject": subject if turn == 0 else f"Re: {subject}"}
            how = draw(st.sampled_from(("all", "last", "none"))) if before else "none"
            if how != "none":
                told["In_Reply_To"] = f"<{before[-1]}>"
            if how == "all":
                told["References"] = " ".join(f"<{one}>" for one in before)
            raw = answer(to=who, **told) if by_agent else letter(sender=who, **told)
            letters.append((number, id_, raw, "sent" if by_agent else "inbox"))
            before.append(id_)
    return letters


def partition(letters, order):
    """Which letters are in one thread, when they are read in this order."""
    desk = Desk(order_pattern=None)
    for index in order:
        _, _, raw, role = letters[index]
        desk.take(raw, role, at=NOON + index * MINUTE)
    told = sorted((one.thread, one.id) for one in desk.messages.values())
    return {
        frozenset(id_ for _, id_ in of) for _, of in groupby(told, key=lambda one: one[0])
    }, desk


@settings(max_examples=120, deadline=None)
@given(conversations(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_threads(letters, random):
    """One thread for each buyer, whatever came first.

    What may differ is documented and tested by itself (`test_joining`): its name where no letter
    names the first one, and a letter that only an unread one would have tied, by another address.
    """
    order = list(range(len(letters)))
    random.shuffle(order)

    found, desk = partition(letters, order)

    expected = {
        frozenset(id_ for _, id_, *_ in of) for _, of in groupby(letters, key=lambda one: one[0])
    }
    assert found == expected
    assert all(one.kind is Kind.MESSAGE for one in desk.messages.values()), (
        "every answer counts, though its question be read later"
    )


@st.composite
def mailings(draw):
    """Who answers one letter to many, and is answered: each names that letter and his own alone."""
    letters = [(0, "all@shop.example", MAILING, "sent")] if draw(st.booleans()) else []
    for number, who in enumerate(PEOPLE, start=1):
        before = ["all@shop.example"]
        for turn in range(draw(st.integers(1, 4))):
            by_agent = turn > 0 and draw(st.booleans())
            id_ = f"m{number}-{turn}@{'shop' if by_agent else 'mail'}.example"
            named = before if draw(st.booleans()) else [before[0], before[-1]]
            told = {
                "id_": id_, "subject": "Re: New lamps", "In_Reply_To": f"<{before[-1]}>",
                "References": " ".join(f"<{one}>" for one in named),
            }  # fmt: skip
            raw = answer(to=who, **told) if by_agent else letter(sender=who, **told)
            letters.append((number, id_, raw, "sent" if by_agent else "inbox"))
            before.append(id_)
    return letters


@settings(max_examples=120, deadline=None)
@given(mailings(), st.randoms(use_true_random=False))
def test_who_answer_one_letter_to_many_meet_in_no_thread(letters, random):
    """Whatever is read first, and though the letter itself may be read between them."""
    order = list(range(len(letters)))
    random.shuffle(order)

    found, desk = partition(letters, order)

    mine = {
        frozenset(id_ for _, id_, *_ in of)
        for number, of in groupby(letters, key=lambda one: one[0])
        if number
    }
    assert {one - {"all@shop.example"} for one in found} - {frozenset()} == mine
    assert all(one.kind is Kind.MESSAGE for one in desk.messages.values())


RAW = (
    letter(), form(), vacation("x@shop.example"), answer(), bounce("x@shop.example"),
    letter(sender=SUPPORT), letter(List_Id="<x>"), b"",
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(RAW), st.integers(0, 2**32), st.sampled_from(("inbox", "junk", "sent")))
def test_any_letter_is_a_message_or_set_aside(raw, seed, role):
    """However it is spoilt: nothing raises, none is lost, and no incoming one answers anybody."""
    random, spoilt = Random(seed), bytearray(raw)
    for _ in range(random.randrange(8) if spoilt else 0):
        at = random.randrange(len(spoilt))
        spoilt[at : at + random.randrange(4)] = random.randbytes(random.randrange(4))

    page, memory = mapping.read([arrival(bytes(spoilt), role=role)], options(), Memory())

    assert len(page.messages) + len(page.set_aside) >= 1
    assert all(one.raw and not one.reason.startswith("crashed") for one in page.set_aside)
    assert Memory.read(memory.write()) == memory
    for one in page.messages:
        assert one.party is not Party.SELLER or role == "sent" or one.to == frozenset()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(("inbox", "sent")))
def test_any_bytes_are_read(raw, role):
    page, _ = mapping.read([arrival(raw, role=role)], options(), Memory())

    assert len(page.messages) + len(page.set_aside) >= 1
    assert mime.read(raw)


@settings(max_examples=40, deadline=None)
@given(conversations())
def test_letters_that_come_twice_change_nothing(letters):
    once, desk = partition(letters, range(len(letters)))
    before = dict(desk.messages)
    for index, (_, _, raw, role) in enumerate(letters):
        desk.take(raw, role, at=NOON + index * MINUTE)

    assert desk.messages == before
    assert once
