"""Whatever a letter is, it is a message, a notice or set aside; and only buyers start a clock."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.amazon import kinds, mapping, policies
from connectors.amazon.identity import Memory
from connectors.amazon.kinds import Sort
from core.transport.mime import Address, File, Mail, Report
from sla.clock import Kind, clocks
from sla.policy import Party
from tests.connectors.amazon.letters import (
    ALIAS,
    ARRIVED,
    BARE,
    LINK,
    NOW,
    ORDER,
    SUPPORT,
    arrival,
    bounce,
    claim,
    copy,
    mail,
    notice,
    opt_out,
    options,
    question,
    sent,
    wrapped,
)  # fmt: skip

TEXT = st.text(st.characters(), max_size=60) | st.sampled_from(
    ["", wrapped(), wrapped("ja", order=None), f"Order {ORDER}", LINK, "\x00", "\ud800", "x" * 3000,
     "Deve rispondere entro 3 giorni.", "------ a ------\n------ b ------", BARE]
)  # fmt: skip
WHO = st.sampled_from(
    [ALIAS, BARE, SUPPORT, "donotreply@amazon.com", "x@amazon.com.evil.example", "ada@mail.example",
     "atoz-guarantee-no-reply@amazon.it", "auto-communication@amazon.com", "", "@", "a@b@c", "\x00"]
) | TEXT  # fmt: skip
ADDRESS = st.builds(Address, TEXT, WHO)
STAMP = st.none() | st.datetimes(timezones=st.just(UTC))
NAMES = [kinds.TYPE, kinds.MARKETPLACE, "received", "cc", "x-failed-recipients", "auto-submitted"]
VALUES = TEXT | WHO | st.sampled_from(
    [*kinds.TYPES, "NEW_TYPE", "ATVPDKIKX0DER", "by amazon; Sun, 22 Nov 2026 10:00:00 +0100"]
)  # fmt: skip
FILES = st.builds(File, st.sampled_from(["1", "2.1"]), TEXT, TEXT, st.integers(0, 9), st.booleans())
REPORTS = st.builds(
    Report, st.none() | TEXT, st.none() | WHO, st.sampled_from(["failed", "delayed", "x"]),
    st.none() | TEXT,
)  # fmt: skip
MAILS = st.builds(
    Mail,
    message_id=TEXT,
    headers=st.dictionaries(
        st.sampled_from(NAMES), st.lists(VALUES, min_size=1, max_size=2).map(tuple), max_size=4
    ),
    sender=st.none() | ADDRESS,
    reply_to=st.lists(ADDRESS, max_size=2).map(tuple),
    to=st.lists(ADDRESS, max_size=2).map(tuple),
    envelope=st.lists(WHO, max_size=2).map(tuple),
    subject=TEXT,
    date=STAMP,
    text=TEXT,
    html=st.none() | TEXT | st.sampled_from([f"<pre>x</pre><a href='{LINK}'>"]),
    files=st.lists(FILES, max_size=2).map(tuple),
    automatic=st.sampled_from(["no", "reply", "bounce", "delayed", "receipt", "bulk", "system"]),
    reports=st.lists(REPORTS, max_size=2).map(tuple),
    faults=st.lists(st.sampled_from(["charset", "depth"]), max_size=2).map(tuple),
)
COMPOSED = [
    question(), question("fr mojibake"), copy(), opt_out(), claim(),
    claim("Respond within 3 days."), bounce(), sent(),
    notice("RETURN_REQUEST", f"Order {ORDER}"), notice("REFUND_ISSUED", ORDER),
    notice("BRC_SELLER_NOTIFICATION", ORDER), notice("A_Z_CLAIM_RESPONDENT_CLOSE", ORDER),
    mail("x", sender="x@evil.example"),
]  # fmt: skip
LETTERS = st.builds(
    arrival,
    MAILS | st.sampled_from(COMPOSED),
    at=st.integers(-9000, 1000).map(lambda days: ARRIVED + timedelta(days=days)),
    trusted=st.sampled_from([True, None, False]),
    is_sent=st.booleans(),
)


def clocks_of(pieces):
    found = []
    for thread in {m.thread for m in pieces.messages}:
        turns = [
            SimpleNamespace(id=m.id, party=m.party, kind=m.kind, sent_at=m.sent_at, seen_at=NOW,
                            to=m.to, delivery=m.delivery, level=m.level)
            for m in pieces.messages if m.thread == thread
        ]  # fmt: skip
        found += clocks(turns, [p for p in policies.known() if p.name == "amazon-message"])
    return found


@settings(max_examples=300)
@given(LETTERS)
def test_any_letter_is_a_message_a_notice_or_set_aside(letter):
    pieces = mapping.pieces([letter], options(), Memory(), NOW)

    assert pieces.messages or pieces.set_aside
    page = pieces.page()
    assert LINK not in "\n".join(m.body for m in page.messages)
    assert LINK not in "\n".join(v.text.partition("\n")[2] for v in page.verdicts)
    known = {t.id for t in page.threads} | {m.thread for m in page.messages}
    assert {thread for thread, _ in page.given} <= known
    for message in page.messages:
        message.model_dump_json()
        assert message.sent_at <= letter.at
    for aside in page.set_aside:
        json.loads(aside.raw)
    assert Memory.read(pieces.memory.write()) == pieces.memory


@settings(max_examples=200)
@given(LETTERS)
def test_only_a_buyers_letter_that_is_not_forged_starts_a_clock(letter):
    pieces = mapping.pieces([letter], options(), Memory(), NOW)
    found = kinds.sorted_as(
        letter.mail, mapping.letter.body.read(letter.mail), trusted=letter.trusted,
        is_sent=letter.is_sent, own=frozenset({SUPPORT}),
    )  # fmt: skip

    if found.sort is not Sort.BUYER or letter.trusted is False:
        assert clocks_of(pieces) == []
        assert not [m for m in pieces.messages if m.party is Party.BUYER and m.kind is Kind.MESSAGE]


@settings(max_examples=100)
@given(st.lists(LETTERS, max_size=3), st.sampled_from([None, False]))
def test_trap_47_nothing_that_is_not_proven_stops_moves_or_hides_a_real_clock(letters, trusted):
    real = arrival(question(), at=ARRIVED)
    lies = [arrival(one.mail, at=one.at, trusted=trusted) for one in letters]
    alone = mapping.pieces([real], options(), Memory(), NOW)
    among = mapping.pieces([real, *lies], options(), Memory(), NOW)
    (clock,) = clocks_of(alone)
    (same,) = [one for one in clocks_of(among) if alone.messages[0].id in one.members]

    assert same.ended is None
    assert same.due_at <= clock.due_at
    assert not [v for v in among.verdicts if v.delivery == "confirmed"]
    assert not [g for _, g in among.given if not g.asks]


@settings(max_examples=50)
@given(st.lists(LETTERS, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_letters_that_come_twice_change_nothing(letters, chance):
    once = mapping.pieces(letters, options(), Memory(), NOW)
    again = [replaced(one, chance) for one in letters]
    twice = mapping.pieces([*letters, *again], options(), Memory(), NOW)

    assert {m.id for m in twice.messages} == {m.id for m in once.messages}
    earliest = {m.id: m.sent_at for m in once.messages}
    assert all(m.sent_at <= earliest[m.id] for m in twice.messages)


def replaced(one, chance):
    later = one.at + timedelta(seconds=chance.randint(0, 9999))
    return arrival(one.mail, at=later, trusted=one.trusted, is_sent=one.is_sent)
