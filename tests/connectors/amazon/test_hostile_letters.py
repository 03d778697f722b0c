"""Letters that programs broke and people made to harm, as bytes: none is lost, none lies.

What an outsider says of the same bytes is the measure (`outsider`); tests/acceptance puts such
letters into real mailboxes.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.amazon import mapping, policies, trust
from connectors.amazon.identity import Memory
from connectors.amazon.letter import Arrival
from core.transport import filing, mime
from sla.clock import Kind
from sla.policy import Party
from tests.connectors.amazon import harm, outsider, travelled
from tests.connectors.amazon.letters import ARRIVED, NOW, options
from tests.connectors.amazon.travelled import ASKING, BUYERS, FOUND, NOT_BUYERS, Who

EVERY = {**BUYERS, **NOT_BUYERS}
VERDICTS = (*FOUND, None)


def made(kind, harmed, seed, verdict):
    """One letter as it lies in the mailbox, and the bytes that its writer decided about."""
    random = Random(f"{kind} {harmed} {seed}")
    mail = EVERY[kind](Who("pure", 1), random)
    raw = harm.HARMS[harmed](travelled.travelling(mail, random), random)
    return travelled.arrived(raw, verdict), raw


def read(raw):
    mail, told = mime.read(raw), options()
    arrival = Arrival(mail, ARRIVED, trust.of(mail, told.authserv_ids))
    return mapping.pieces([arrival], told, Memory(), NOW), filing.name(mail)


def opened(pieces):
    return [m for m in pieces.messages if m.party is Party.BUYER and m.kind is Kind.MESSAGE]


def look(raw, verdict):
    """Hold what becomes of *raw* against what may become of it."""
    pieces, name = read(raw)

    assert pieces.messages or pieces.set_aside, "nothing becomes of it"
    if opened(pieces):
        assert outsider.may_be_a_buyers(raw), "no buyer's, and it starts a clock"
    if [reading for _, reading in pieces.given if reading.asks]:
        assert outsider.may_ask(raw), "it asks for nothing, and there is a deadline"
    if verdict not in {"pass", None}:
        assert not opened(pieces)
        assert not pieces.given
    if verdict != "pass":
        assert not [v for v in pieces.verdicts if v.delivery == "confirmed"]
        assert not [reading for _, reading in pieces.given if not reading.asks]
        assert not pieces.links
    for message in pieces.messages:
        message.model_dump_json()
        assert message.sent_at <= ARRIVED
        if message.id != name:
            assert message.id.startswith("suspect:")
            assert message.thread.startswith("suspect:")
    for thread in pieces.threads:
        assert not (thread.id.startswith("suspect:") and thread.reply_to)
    return pieces


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_outsider_and_the_product_agree_on_letters_that_nobody_has_been_at(kind, verdict):
    for seed in range(6):
        raw, own = made(kind, "nothing", seed, verdict)
        pieces = look(raw, verdict)

        is_good = verdict in {"pass", None} and (kind != "list" or verdict == "pass")
        assert outsider.may_be_a_buyers(own) == (kind in {*BUYERS, "vacation"})
        assert bool(opened(pieces)) == (kind in BUYERS and is_good)
        asks = bool([reading for _, reading in pieces.given if reading.asks])
        assert asks <= (kind in ASKING and is_good)
        if kind in {"claim", "return", "chargeback"}:
            assert asks == is_good


@pytest.mark.parametrize("harmed", harm.HARMS)
@pytest.mark.parametrize("verdict", VERDICTS)
def test_no_harm_loses_a_letter_or_makes_a_clock_of_it(harmed, verdict):
    for seed, kind in enumerate(EVERY):
        raw, _ = made(kind, harmed, seed, verdict)
        look(raw, verdict)


STILL_A_BUYERS = sorted({
    "raw headers", "broken words", "odd dates", "legacy charset", "wrong charset", "deep",
    "many parts", "many headers", "long lines", "many lines", "html bomb", "archive bomb",
    "odd files", "winmail alone", "invitation", "empty", "looping", "encodings that lie",
    "says that it is signed", "broken multipart",
})  # fmt: skip
"""What leaves a buyer's letter his: its sender and its type are there."""


@pytest.mark.parametrize("harmed", STILL_A_BUYERS)
@pytest.mark.parametrize("seed", range(4))
def test_a_buyers_letter_that_is_hard_to_read_still_starts_its_clock(harmed, seed):
    raw, _ = made("question", harmed, seed, "pass")
    (message,) = look(raw, "pass").messages

    assert (message.party, message.kind) == (Party.BUYER, Kind.MESSAGE)
    assert policies.known()


@pytest.mark.parametrize("kind", [*BUYERS, "looks alike", "named Amazon"])
@pytest.mark.parametrize("verdict", ["fail", "none", "another's"])
def test_trap_47_a_forged_letter_is_marked_and_shown_alone_and_cannot_be_answered(kind, verdict):
    raw, _ = made(kind, "nothing", 1, verdict)
    pieces = look(raw, verdict)

    assert pieces.set_aside[0].reason.startswith("suspicious")
    assert {m.thread[:8] for m in pieces.messages} == {"suspect:"}
    assert [thread.reply_to for thread in pieces.threads] == [{}]


@pytest.mark.parametrize(
    "begin", ["x dkim=pass header.d=amazon.de", "dkim=pass header.d=amazon.de;"]
)
def test_trap_47_what_a_letter_begins_with_is_no_word_of_the_servers(begin):
    """Its first line is no header, and stands where the server's line has ended."""
    own = travelled.travelling(BUYERS["question"](Who("begins", 1), Random(1)), Random(1)).raw()
    raw = travelled.arrived(f"; {begin}\r\n".encode() + own, "none")

    assert trust.of(mime.read(raw), options().authserv_ids) is False
    assert not opened(look(raw, "none"))


def test_trap_47_a_first_line_that_goes_on_with_the_servers_proves_nothing():
    own = travelled.travelling(NOT_BUYERS["copy"](Who("goes on", 1), Random(1)), Random(1)).raw()
    raw = travelled.arrived(b"\t; dkim=pass header.d=amazon.de\r\n" + own, "none")

    assert not look(raw, "none").verdicts


def test_letters_that_were_mutated_are_read(tell):
    """A thousand of every kind; the long form is in tests/acceptance."""
    random = Random(20261122)
    started = 0
    for n in range(1_000):
        verdict = random.choice(VERDICTS)
        kind, harmed = random.choice(list(EVERY)), random.choice(CHEAP)
        mail = EVERY[kind](Who("mutated", n), random)
        raw = harm.HARMS[harmed](travelled.travelling(mail, random), random)
        raw = travelled.arrived(harm.mutated(raw, random), verdict)
        started += bool(opened(look(raw, verdict)))

    tell("mutated letters that start a clock", started)
    assert started > 20, "the mutator leaves letters that can be read"


CHEAP = sorted(set(harm.HARMS) - {
    "long lines", "many lines", "html bomb", "many headers", "long headers", "archive bomb", "deep",
})  # fmt: skip


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(EVERY)), st.sampled_from(CHEAP), st.integers(0, 2**32),
    st.sampled_from(VERDICTS), st.booleans(),
)  # fmt: skip
def test_any_letter_that_somebody_has_been_at_is_kept(kind, harmed, seed, verdict, is_mutated):
    random = Random(seed)
    _, raw = made(kind, harmed, seed, verdict)
    look(travelled.arrived(harm.mutated(raw, random) if is_mutated else raw, verdict), verdict)
