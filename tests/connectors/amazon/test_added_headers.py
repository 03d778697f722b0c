"""A signed letter that somebody sends on with headers of his own above it ends nothing."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.amazon import kinds, mapping, trust
from connectors.amazon.identity import Memory
from connectors.amazon.letter import Arrival
from core.transport import mime
from tests.connectors.amazon.letters import (
    ALIAS,
    BARE,
    CLAIMS,
    LOCAL,
    NOW,
    ORDER,
    QUESTION,
    SUPPORT,
    options,
    wrapped,
)  # fmt: skip
from tests.connectors.amazon.test_properties import clocks_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SERVER = "mx.shop.example"
TYPE = "X-Space-Notification-Type"
COPY, CLOSE, REFUND = (
    "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT", "A_Z_CLAIM_RESPONDENT_CLOSE", "REFUND_ISSUED",
)  # fmt: skip
COVERED = "from:to:subject:date:message-id"
ATOZ = "atoz-guarantee-no-reply@amazon.de"
NOTICES = "donotreply@amazon.com"


def raw(sender, subject, text, kind=None, *, at=NOW, id_="m1", covers=COVERED, added=()):
    """A letter of Amazon's, signed; *covers* are the headers under its signature."""
    letter = EmailMessage()
    noted = [("Authentication-Results", f"{SERVER}; dkim=pass header.d=amazon.de"), *added]
    if covers is not None:
        said = f"v=1; a=rsa-sha256; d=amazon.de; s=a; h={covers}; bh=eA==; b=eA=="
        noted.append(("DKIM-Signature", said))
    letter["From"], letter["To"], letter["Subject"] = sender, SUPPORT, subject
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<{id_}@eu-west-1.amazonses.com>"
    if kind:
        letter[TYPE] = kind
    letter["X-Marketplace-ID"] = "A1PA6795UKMFR9"
    letter.set_content(text)
    above = "".join(f"{name}: {value}\n" for name, value in noted)
    return above.encode() + letter.as_bytes()


def read(*letters, at=NOW, memory=None):
    arrivals = []
    for each in letters:
        mail = mime.read(each)
        arrivals.append(Arrival(mail, at, trust.of(mail, (SERVER,))))
    return mapping.pieces(arrivals, options(), memory or Memory(), at)


def question():
    return raw(f"Ada <{ALIAS}>", f"Frage (Bestellung: {ORDER})",
               wrapped(footer=""), "BBC_MESSAGE_SENT_TO_MERCHANT", at=NOW - HOUR,
               id_="q1")  # fmt: skip


def claim():
    return raw(ATOZ, f"Antrag {ORDER}", f"Bestellung {ORDER}\n{CLAIMS['de'][0]}",
               "A_Z_CLAIM_RESPONDENT_NOTIFY", at=NOW - HOUR, id_="c1")  # fmt: skip


def ends_nothing(pieces):
    found = clocks_of(pieces)
    return (
        any("q1@eu-west-1.amazonses.com" in clock.members for clock in found)
        and all(clock.ended is None for clock in found)
        and not [v for v in pieces.verdicts if v.delivery == "confirmed"]
        and not [one for _, one in pieces.given if not one.asks]
    )


CONFIRMATION = "bestellbestaetigung@amazon.de"


@pytest.mark.parametrize("kind", [COPY, CLOSE, REFUND])
@pytest.mark.parametrize("sender", [CONFIRMATION, "no-reply@amazon.de", ALIAS, "x@shop.example"])
@pytest.mark.parametrize("covers", [None, COVERED, f"{COVERED}:{TYPE}"])
def test_trap_47_a_type_above_a_buyers_own_signed_letter_ends_nothing(kind, sender, covers):
    forged = raw(
        sender, f"Bestellung {ORDER}", wrapped(footer=""), covers=covers, added=[(TYPE, kind)]
    )
    pieces = read(question(), claim(), forged)

    assert ends_nothing(pieces)
    assert f"claim:{ORDER}" in pieces.memory.dossiers
    (aside,) = pieces.set_aside
    assert (aside.quiet, aside.reason.split(":")[0]) == (False, "doubtful")


@pytest.mark.parametrize("kind", [COPY, CLOSE, REFUND])
def test_trap_47_a_type_that_no_signature_covers_needs_the_shape_too(kind):
    forged = raw(NOTICES, "News for sellers", f"Order {ORDER}", kind)

    assert ends_nothing(read(question(), claim(), forged))
    assert len(read(forged).set_aside) == 1


ENDS = {
    COPY: (NOTICES, "Ihre E-Mail an Ada", wrapped(footer="")),
    CLOSE: (ATOZ, "Décision concernant la réclamation", f"Commande {ORDER}"),
    REFUND: (NOTICES, f"rimborso 24.90 EUR avviato - ordine {ORDER}", ORDER),
}


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("covers", [None, COVERED, f"From : {TYPE} :\r\n Date"])
def test_amazons_own_letters_end_what_they_are_about_whatever_is_signed(kind, covers):
    pieces = read(question(), claim(), raw(*ENDS[kind], kind, covers=covers))

    assert pieces.set_aside == ()
    assert not ends_nothing(pieces)


@pytest.mark.parametrize("kind", ENDS)
def test_where_the_type_is_signed_any_sender_to_sellers_will_do(kind):
    text = wrapped(footer="")
    for sender in (ATOZ, NOTICES, "auto-communication@amazon.de", "no-reply@marketplace.amazon.de"):
        pieces = read(claim(), raw(sender, "x", text, kind, covers=f"{COVERED}:{TYPE}"))

        assert pieces.set_aside == ()
    assert len(read(raw(CONFIRMATION, "x", text, kind, covers=f"{COVERED}:{TYPE}")).set_aside) == 1


def test_trap_47_of_two_types_neither_ends_anything_and_the_other_counts():
    for kind in ENDS:
        added = raw(ATOZ, "Entscheidung", f"Order {ORDER}", "A_Z_CLAIM_RESPONDENT_NOTIFY",
                    covers=f"{COVERED}:{TYPE}", added=[(TYPE, kind)])  # fmt: skip
        pieces = read(question(), added)

        assert ends_nothing(pieces)
        assert [(thread, one.asks) for thread, one in pieces.given] == [(f"claim:{ORDER}", True)]
        assert len(pieces.set_aside) == 1


def test_trap_47_a_signature_without_the_type_makes_another_with_it_worthless():
    added = ("DKIM-Signature", f"v=1; d=amazon.de; h={TYPE}; b=x")
    forged = raw(NOTICES, "News", ORDER, REFUND, added=[added])

    assert ends_nothing(read(question(), claim(), forged))


@pytest.mark.parametrize("kind", ENDS)
def test_trap_47_an_old_letter_that_comes_again_ends_nothing(kind):
    old = raw(*ENDS[kind], kind, at=NOW - 3 * DAY - HOUR)
    dated = raw(*ENDS[kind], kind, at=NOW - 9 * DAY, added=[("Date", format_datetime(NOW))])
    for letter in (old, dated):
        pieces = read(question(), claim(), letter)

        assert ends_nothing(pieces)
        assert [aside.reason.split(":")[0] for aside in pieces.set_aside] == ["doubtful"]
        assert len(pieces.messages) == 3
    assert read(raw(*ENDS[kind], kind, at=NOW - 3 * DAY + HOUR)).set_aside == ()


def test_trap_47_a_subject_above_the_signed_one_ends_nothing_of_another_order():
    other = "302-7654321-7654321"
    for kind, (sender, subject, text) in ENDS.items():
        signed = raw(sender, subject.replace(ORDER, other), text.replace(ORDER, other), kind,
                     added=[("Subject", f"Entscheidung refund {ORDER}")])  # fmt: skip
        pieces = read(question(), claim(), signed)

        assert ends_nothing(pieces)
        assert len(pieces.set_aside) == 1


SIGNED = [
    (ATOZ, f"Antrag {ORDER}", ORDER, None),
    (CONFIRMATION, f"Bestellung {ORDER}", f"Guten Tag Ada, {ORDER}", None),
    (CONFIRMATION, f"Refund {ORDER}", wrapped(footer=""), None),
    (f"Ada <{BARE}>", f"Frage {ORDER}", wrapped(footer=""), "BBC_MESSAGE_SENT_TO_MERCHANT"),
    (f"Ada <{LOCAL}x@marketplace.amazon.de>", "Decision", QUESTION, None),
    (ATOZ, f"Antrag {ORDER}", ORDER, "A_Z_CLAIM_RESPONDENT_NOTIFY"),
    (NOTICES, f"Return {ORDER}", ORDER, "RETURN_REQUEST"),
    (NOTICES, "News", ORDER, "NEW_TYPE"),
    (NOTICES, "News", f"Ada {ORDER}", None),
    ("no-reply@marketplace.amazon.de", "x", f"Ada {ORDER}", None),
]
ADDED = st.tuples(
    st.sampled_from([TYPE, TYPE.upper(), "Reply-To", "Date", "Received", "In-Reply-To", "Subject",
                     "Auto-Submitted", "X-Failed-Recipients", "DKIM-Signature", "X-Marketplace-ID",
                     "List-Unsubscribe", "Delivered-To", "Sender"]),
    st.sampled_from([*kinds.TYPES, ALIAS, ORDER, f"Entscheidung refund {ORDER}", "auto-replied",
                     format_datetime(NOW), f"v=1; d=amazon.de; h={TYPE}; b=x", NOTICES,
                     "<q1@eu-west-1.amazonses.com>", "ATVPDKIKX0DER"]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SIGNED), st.lists(ADDED, max_size=4), st.booleans())
def test_trap_47_no_header_above_a_signed_letter_ends_a_real_clock(letter, added, of_types):
    sender, subject, text, kind = letter
    covers = f"{COVERED}:{TYPE}" if of_types and kind else COVERED
    sent_on = raw(sender, subject, text, kind, covers=covers, added=added)

    for pieces in (read(question(), claim(), sent_on), read(sent_on, question(), claim())):
        assert ends_nothing(pieces)
        assert f"claim:{ORDER}" in pieces.memory.dossiers
