"""Answering a buyer by mail: one letter, to the whole alias, from the approved sender."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from connectors.amazon import answering, offer, spec
from core import marks, reply
from core.desk import limits
from core.errors import BadCredentials, OutcomeUnknown, Refused, Unreachable
from core.model import Draft, File, Thread
from core.stage import walk
from core.transport import replies
from core.transport.correspondence import ALTOGETHER
from sla.clock import Delivery
from sla.policy import Party, ThreadKind
from tests.connectors.amazon.letters import BARE, ORDER, QUESTION, SUPPORT
from tests.connectors.amazon.post import alias, case, letter, opened_shop
from tests.connectors.mailing import HASTY_SMTP, NOON

MAIL = "mail"
BODY = "Guten Tag,\n\nIhr Paket kommt am Montag. 🐢\n\nIhr Shop"


@pytest.fixture
async def shop():
    async with opened_shop() as shop:
        yield shop


@pytest.fixture
def amazon(shop):
    return shop.opened()


@pytest.fixture
async def asked(shop, amazon):
    """The thread of a question, as core knows it."""
    await shop.put(letter(number=1, message_id="q1@eu-west-1.amazonses.com"))
    found = await walk(amazon, MAIL, None, NOON)
    return found.threads[f"case:{case(1)}"]


def draft(body=BODY, *, quoted=None, to=(Party.BUYER,), number=17, thread="t"):
    return Draft(id=number, account="a", thread=thread, body=body, to=to, queued_at=NOON,
                 quoted=quoted)  # fmt: skip


def read(raw):
    return message_from_bytes(raw, policy=default)


def test_who_can_be_answered_is_not_refused_beforehand(asked):
    assert spec.refuses(asked, {Party.BUYER}) is None


async def test_trap_03_an_answer_goes_to_the_whole_alias_in_the_form_that_amazon_wants(
    shop, amazon, asked
):
    sent = await amazon.reply(asked, draft(quoted=QUESTION), NOON)

    (taken,) = shop.server.taken
    got = read(taken.raw)
    assert (taken.sender, taken.recipients) == (SUPPORT, (alias(1),))
    assert got["From"].addresses[0].addr_spec == SUPPORT
    assert got["To"].addresses[0].addr_spec == alias(1)
    assert got["Message-ID"] == f"<{sent.message_id}>"
    assert got["In-Reply-To"] == "<q1@eu-west-1.amazonses.com>"
    assert got["References"] == "<q1@eu-west-1.amazonses.com>"
    assert got["Subject"] == f"Re: Frage von Amazon-Kunde Ada (Bestellung: {ORDER})"
    assert got["Date"].datetime == NOON
    assert got.get_content_type() == "text/plain"
    quoted = "\n".join(f"> {line}" for line in QUESTION.splitlines())
    assert got.get_content().replace("\r\n", "\n") == f"{BODY}\n\n{quoted}\n"


async def test_files_go_along_and_are_named_when_the_letter_is_read_back(shop, amazon, asked):
    files = (File("Rechnung ü.pdf", b"%PDF-1.7", "application/pdf"), File("x.bin", b"\x00\xff"))
    limits.check(BODY, offer.can(spec.options.model_construct(confirmed_after=None)), files)

    sent = await amazon.reply(asked, draft().model_copy(update={"files": files}), NOON)

    got = list(read(shop.server.taken[0].raw).iter_attachments())
    assert [(one.get_filename(), one.get_content_type()) for one in got] == [
        ("Rechnung ü.pdf", "application/pdf"),
        ("x.bin", "application/octet-stream"),
    ]
    assert [one.get_content() for one in got] == [b"%PDF-1.7", b"\x00\xff"]
    later = await walk(amazon, MAIL, None, NOON + timedelta(minutes=1))
    names = [one.name for one in later.messages[sent.message_id].attachments]
    assert names == ["Rechnung ü.pdf", "x.bin"]


async def test_an_answer_is_read_back_as_the_same_message_in_the_same_thread(shop, amazon, asked):
    sent = await amazon.reply(asked, draft(quoted=QUESTION), NOON)

    later = await walk(amazon, MAIL, None, NOON + timedelta(minutes=1))

    message = later.messages[sent.message_id]
    assert (message.thread, message.party) == (asked.id, Party.SELLER)
    assert message.to == {Party.BUYER}
    assert message.delivery is Delivery.ACCEPTED
    assert reply_of(message) == BODY


def reply_of(message):
    return message.body.strip()


async def test_an_answer_to_a_bare_alias_is_read_back_where_the_question_is(shop, amazon):
    await shop.put(letter(sender=BARE, subject="Wo ist es?", order=None,
                          message_id="q2@eu-west-1.amazonses.com"))  # fmt: skip
    await shop.put(letter(sender=BARE, subject="Wo ist es?", message_id="q3@x.amazonses.com"))
    first = await walk(amazon, MAIL, None, NOON)

    for number, thread in enumerate(first.threads.values()):
        sent = await amazon.reply(thread, draft(number=number), NOON)
        later = await walk(amazon, MAIL, first.cursor, NOON + timedelta(minutes=1))
        assert later.messages[sent.message_id].thread == thread.id
    assert len(first.threads) == 2


def test_an_answer_has_an_id_of_its_own_that_sending_again_keeps():
    one = replies.message_id(draft(), SUPPORT)

    assert one == replies.message_id(draft(body="Other words"), SUPPORT)
    assert one.startswith("reply-17-")
    assert one.endswith("@shop.example")
    others = {
        replies.message_id(draft(number=18), SUPPORT),
        replies.message_id(draft(thread="u"), SUPPORT),
        replies.message_id(draft().model_copy(update={"account": "b"}), SUPPORT),
        replies.message_id(
            draft().model_copy(update={"queued_at": NOON + timedelta(seconds=1)}), SUPPORT
        ),
    }
    assert len({one, *others}) == 5


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("Frage", "Re: Frage"),
        ("Re: Frage", "Re: Frage"),
        ("RE:Frage", "RE:Frage"),
        ("AW: Frage", "Re: AW: Frage"),
        ("  ", f"Re: {ORDER}"),
        (None, f"Re: {ORDER}"),
        ("x" * 2000, f"Re: {'x' * 1996}"),
    ],
)
def test_a_subject_says_re_once(asked, answered):
    thread = Thread(id="t", subject=asked, order_ids=(ORDER,), as_of=NOON)

    assert answering.subject(thread) == answered


@pytest.mark.parametrize("quoted", [None, "", "  \n"])
def test_where_nothing_is_quoted_the_answer_stands_alone(quoted):
    assert replies.text(draft(quoted=quoted)) == BODY


def test_trap_17_an_answer_says_nothing_that_forces_its_way_past_an_opt_out():
    thread = Thread(id="t", subject="Frage", as_of=NOON)

    assert "[important]" not in f"{answering.subject(thread)}{replies.text(draft())}".lower()


@pytest.mark.parametrize(
    ("thread", "to", "says"),
    [
        ({"id": "suspect:1"}, {Party.BUYER}, "not proven"),
        ({"id": "order:1"}, {Party.BUYER}, "no address"),
        ({"id": "claim:1", "kind": ThreadKind.CLAIM}, {Party.BUYER}, "claim"),
        ({"id": "order:1", "reply_to": {"alias": "ann@mail.example"}}, {Party.BUYER}, "no address"),
        ({"id": "c", "reply_to": {"alias": BARE}}, {Party.MARKETPLACE}, "only the buyer"),
        ({"id": "c", "reply_to": {"alias": BARE}}, {Party.BUYER, Party.MARKETPLACE}, "only"),
        ({"id": "c", "reply_to": {"alias": BARE}}, set(), "only the buyer"),
    ],
)
async def test_trap_47_an_answer_to_nobody_or_a_stranger_never_leaves(
    shop, amazon, thread, to, says
):
    with pytest.raises(Refused, match=says) as caught:
        await amazon.reply(Thread(as_of=NOON, **thread), draft(to=to), NOON)

    assert shop.server.taken == []
    assert "Seller Central" in str(caught.value)
    assert spec.refuses(Thread(as_of=NOON, **thread), to) == str(caught.value)
    assert "mail.example" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("smtp_refuse_login", BadCredentials, "user and password"),
        ("smtp_refuse_sender", BadCredentials, "may user send as sender"),
        ("smtp_refuse_recipient", Refused, "550"),
        ("smtp_later", Unreachable, "451"),
        ("smtp_refuse_data", Refused, "554"),
        ("smtp_drop_after_data", OutcomeUnknown, "no answer"),
    ],
)
async def test_trap_15_what_the_server_says_becomes_the_right_outcome(
    shop, amazon, asked, fault, error, says
):
    shop.server.faults.order(fault)

    with pytest.raises(error, match=says) as caught:
        await amazon.reply(asked, draft(), NOON)

    assert type(caught.value) is error
    assert alias(1) not in str(caught.value)
    assert len(shop.server.taken) == (fault == "smtp_drop_after_data")
    assert await shop.kept() == []


async def test_trap_19_a_slow_answer_after_the_letter_is_unknown_and_sent_once(shop, asked):
    shop.server.faults.order("smtp_slow", seconds=2)

    with pytest.raises(OutcomeUnknown) as caught:
        await shop.opened(sending=HASTY_SMTP).reply(asked, draft(), NOON)

    [letter] = shop.server.taken
    named = caught.value.message_id
    assert named
    assert f"Message-ID: <{named}>".encode() in letter.raw


async def test_a_mail_server_that_is_away_has_not_sent(shop, asked):
    told = shop.told()
    amazon = shop.opened(smtp={**told["smtp"], "port": 1})

    with pytest.raises(Unreachable, match=r"smtp\.host"):
        await amazon.reply(asked, draft(), NOON)


# The copy


async def test_a_copy_is_kept_where_the_provider_keeps_none(shop, amazon, asked):
    await amazon.reply(asked, draft(), NOON)

    assert await shop.kept() == [shop.server.taken[0].raw]


async def test_no_copy_is_made_where_the_provider_keeps_one(shop, asked):
    await shop.opened(saves_sent=True).reply(asked, draft(), NOON)

    assert len(shop.server.taken) == 1
    assert await shop.kept() == []


async def test_a_copy_is_kept_in_the_folder_that_the_options_name(shop, asked):
    await shop.server.add_folder(SUPPORT, "Left")

    await shop.opened(sent="Left").reply(asked, draft(), NOON)

    assert len(await shop.kept("Left")) == 1
    assert await shop.kept() == []


@pytest.mark.parametrize("fault", ["imap_refuse_login", "imap_drop", "imap_silent"])
async def test_a_copy_that_cannot_be_kept_takes_nothing_back(shop, asked, fault):
    shop.server.faults.order(fault)

    sent = await shop.opened().reply(asked, draft(), NOON)

    assert sent.message_id
    assert len(shop.server.taken) == 1


async def test_a_copy_waits_no_longer_than_a_reply_may_take(shop, amazon, asked):
    shop.server.faults.order("imap_silent")

    async with asyncio.timeout(1):
        await amazon._letters._keep(b"x", NOON, 0.1)
        await amazon._letters._keep(b"x", NOON, -5)
    assert reply.LIMIT > ALTOGETHER


# What core asks before


def test_what_amazon_can_is_declared():
    can = offer.can(spec.options.model_construct(confirmed_after=timedelta(hours=2)))

    assert (can.replies, can.waits, can.own_mark) == (True, True, False)
    assert can.unseen_mark, "an agent says that Amazon's own mark was set"
    assert can.sees_replies == "copies"
    assert marks.OURS


def test_an_empty_answer_is_refused_before_it_is_queued():
    can = offer.can(spec.options.model_construct(confirmed_after=timedelta(hours=2)))

    limits.check("x", can)
    with pytest.raises(Exception, match="text"):
        limits.check("  ", can)
