"""Which letter is which, and how far it is believed."""

from __future__ import annotations

import pytest

from connectors.amazon import body, kinds
from connectors.amazon.kinds import Sort, Standing
from core.transport.mime import Address
from tests.connectors.amazon.letters import (
    ALIAS,
    BARE,
    CASE,
    LOCAL,
    QUESTION,
    SUPPORT,
    bounce,
    claim,
    copy,
    mail,
    notice,
    opt_out,
    question,
    sent,
    wrapped,
)  # fmt: skip


def sort(letter, *, trusted=True, is_sent=False, own=frozenset({SUPPORT})):
    return kinds.sorted_as(letter, body.read(letter), trusted=trusted, is_sent=is_sent, own=own)


@pytest.mark.parametrize(("kind", "expected"), kinds.TYPES.items())
def test_amazons_own_type_decides(kind, expected):
    sender = ALIAS if expected is Sort.BUYER else "donotreply@amazon.com"

    assert sort(mail(wrapped(), sender=sender, kind=kind)).sort is expected


def test_there_are_eight_types():
    assert len(kinds.TYPES) == 8


def test_the_types_name_may_be_written_small():
    assert (
        sort(mail("x", sender="donotreply@amazon.com", kind=" refund_issued ")).sort is Sort.REFUND
    )


@pytest.mark.parametrize("sender", ["donotreply@amazon.com", "x@amazon.de", ALIAS])
def test_an_unknown_type_is_shown_and_no_buyers_message(sender):
    assert sort(mail("hello", sender=sender, kind="BRAND_NEW_TYPE")).sort is Sort.SYSTEM


def test_an_unknown_type_with_a_buyers_words_is_open():
    assert sort(mail(wrapped(), kind="BBC_RENAMED")).sort is Sort.BUYER


@pytest.mark.parametrize("text", [wrapped(), QUESTION, ""])
def test_without_a_type_who_writes_from_an_alias_is_a_buyer(text):
    assert sort(mail(text)).sort is Sort.BUYER


@pytest.mark.parametrize(
    ("letter", "expected"),
    [
        (claim(), Sort.CLAIM),
        (claim(subject="Décision concernant la réclamation"), Sort.DECISION),
        (opt_out(), Sort.OPT_OUT),
        (copy(), Sort.COPY),
        (
            notice(None, "x", html='<a href="https://sellercentral.amazon.de/orders-v3/cancel-order">'),
            Sort.CANCELLATION,
        ),
        (notice(None, "x", subject="Chargeback notice: order"), Sort.CHARGEBACK),
        (notice(None, "hello"), Sort.SYSTEM),
        (notice(None, "hello", sender="no-reply@marketplace.amazon.de"), Sort.SYSTEM),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_without_a_type_the_sender_and_the_shape_decide(letter, expected):
    bare = mail(letter.text, sender=letter.sender.address, subject=letter.subject, html=letter.html)

    assert kinds.TYPE not in bare.headers
    assert sort(bare).sort is expected


@pytest.mark.parametrize(
    ("trusted", "standing"),
    [(True, Standing.PROVEN), (None, Standing.UNPROVEN), (False, Standing.FORGED)],
)
def test_trap_47_the_signature_says_how_far_a_letter_is_believed(trusted, standing):
    assert sort(question(), trusted=trusted).standing is standing


@pytest.mark.parametrize(
    ("sender", "expected"),
    [("no-reply@marketplace.amazon.de", Sort.REFUSAL), ("donotreply@amazon.com", Sort.SYSTEM)],
)
def test_trap_15_what_the_relay_itself_answers_is_a_refusal(sender, expected):
    answered = {"in-reply-to": "<outbox-7731@shop.example>"}

    assert sort(notice(None, "no", sender=sender, headers=answered)).sort is expected
    assert sort(notice(None, "no", sender=sender)).sort is Sort.SYSTEM


@pytest.mark.parametrize("trusted", [True, None, False])
@pytest.mark.parametrize(
    "letter",
    [
        mail("x", sender="evil@amazon.com.evil.example", name="Ada"),
        mail("x", sender="evil@evil.example", name="Amazon Marketplace"),
        mail("x", sender="x@evil.example", name="Ada - Amazon Marketplace"),
    ],
    ids=["domain", "name", "both"],
)
def test_trap_47_a_look_alike_is_no_amazon_whatever_its_signature(letter, trusted):
    assert sort(letter, trusted=trusted).sort is Sort.LOOK_ALIKE


@pytest.mark.parametrize("trusted", [None, False])
def test_trap_47_a_stranger_who_answers_to_an_alias_is_a_look_alike(trusted):
    letter = question(sender="list@shop.example", reply_to=ALIAS)

    assert sort(letter, trusted=trusted).sort is Sort.LOOK_ALIKE
    assert sort(letter, trusted=True).sort is Sort.BUYER


def test_a_type_of_amazons_from_a_stranger_needs_a_signature():
    letter = notice("REFUND_ISSUED", "x", sender="list@shop.example")

    assert sort(letter, trusted=None).sort is Sort.LOOK_ALIKE
    assert sort(letter, trusted=True).sort is Sort.SYSTEM
    asking = notice("RETURN_REQUEST", "x", sender="list@shop.example")
    assert sort(asking, trusted=True).sort is Sort.RETURN


def test_private_mail_is_foreign():
    assert sort(mail("x", sender="ada@mail.example", name="Ada")).sort is Sort.FOREIGN
    assert sort(mail("x", sender=None)).sort is Sort.FOREIGN


def test_trap_03_the_case_may_stand_in_the_envelope_only():
    letter = question(sender=BARE, reply_to=BARE, envelope=(SUPPORT, ALIAS))

    assert sort(letter).alias.address == ALIAS
    other = f"{LOCAL}x+{CASE}@marketplace.amazon.de"
    assert sort(question(sender=BARE, envelope=(other,))).alias.address == BARE


def test_the_alias_to_answer_to_comes_before_the_senders():
    assert sort(question(sender=BARE, reply_to=ALIAS)).alias.case == CASE


def test_what_left_for_an_alias_is_sent():
    found = sort(sent(), is_sent=True, trusted=None)

    assert (found.sort, found.standing, found.alias.address) == (Sort.SENT, Standing.PROVEN, ALIAS)
    assert sort(sent(to="ada@mail.example"), is_sent=True).sort is Sort.FOREIGN


def test_what_left_with_the_alias_in_copy_is_sent_too():
    letter = sent(to="boss@shop.example", headers={"cc": f"Ada <{ALIAS}>"})

    assert sort(letter, is_sent=True).alias.address == ALIAS


@pytest.mark.parametrize("trusted", [True, None, False])
def test_trap_16_our_own_letter_that_comes_back_is_no_answer(trusted):
    assert sort(sent(), trusted=trusted).sort is Sort.FOREIGN
    assert sort(mail("x", sender=SUPPORT.upper(), name="Shop")).sort is Sort.FOREIGN


def test_reports_are_bounces_wherever_they_come_from():
    assert sort(bounce(), trusted=None).sort is Sort.BOUNCE
    assert sort(bounce(), trusted=None).alias.address == ALIAS
    assert sort(bounce("delayed")).sort is Sort.BOUNCE
    failed = mail("x", sender="mailer-daemon@x.example", automatic="bounce",
                  headers={"x-failed-recipients": BARE})  # fmt: skip
    assert sort(failed).alias.address == BARE


def test_signs_alone_make_no_report_of_a_buyers_letter():
    assert sort(question(automatic="bounce")).sort is Sort.BUYER
    assert sort(question(reports=bounce().reports)).sort is Sort.BUYER
    assert sort(mail("gone", reports=bounce().reports)).sort is Sort.BOUNCE


def test_trap_11_a_header_of_a_claim_wins_over_a_buyers_address():
    letter = mail(wrapped(), kind="A_Z_CLAIM_RESPONDENT_NOTIFY")

    assert sort(letter).sort is Sort.CLAIM


def test_several_addressees_have_a_first():
    letter = mail("x", sender=SUPPORT, to=(Address("", "a@b.example"), Address("", BARE)))

    assert kinds.addressee(letter).address == BARE
