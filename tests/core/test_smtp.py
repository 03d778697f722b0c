"""Sending one letter, against the stand-in's own server."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from core import reply
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused, Unreachable
from core.sandbox import mail
from core.transport import outgoing
from core.transport.login import Login
from core.transport.mime import Address
from core.transport.outgoing import Enclosed, Outgoing
from core.transport.smtp import Limits, Smtp, refusal
from tests.core import certified
from tests.core.silent import silent

DESK, SECRET = "desk@shop.example", "p4ss-word"
BUYER = "a1b2c3d4e5f6g7h+1f0e9d8c-aaaa-bbbb-cccc-000011112222@marketplace.amazon.de"


@pytest.fixture
def smtp():
    return Smtp(Limits(connect=3, command=3, letter=3))


@pytest.fixture
async def server():
    async with mail.opened({DESK: SECRET}) as running:
        yield running


def login(server, **changes):
    given = {"host": "127.0.0.1", "port": server.smtp_port, "user": DESK, "password": SECRET}
    return Login(**(given | {"tls": "none"} | changes))


@pytest.fixture
def letter(now):
    return Outgoing(
        message_id="reply-17@shop.example",
        sender=Address("Der Läden GmbH", DESK),
        recipient=Address("Ana", BUYER),
        subject="Re: Wo ist meine Bestellung? 🐢",
        text="Guten Tag,\n\nsie ist unterwegs. Grüße\n.\nEnde",
        at=now,
        in_reply_to="0102019a0c-incoming@eu-west-1.amazonses.com",
        references=("first@x.example", "0102019a0c-incoming@eu-west-1.amazonses.com"),
    )


def read(raw):
    return message_from_bytes(raw, policy=default)


async def failed(doing):
    with pytest.raises(Exception) as caught:
        await doing
    for private in (SECRET, DESK, BUYER, "such person"):
        assert private not in str(caught.value)
    return caught.value


# Composing


def test_a_letter_says_what_it_was_given(letter, now):
    got = read(outgoing.composed(letter))

    assert got["Message-ID"] == "<reply-17@shop.example>"
    assert got["In-Reply-To"] == "<0102019a0c-incoming@eu-west-1.amazonses.com>"
    assert got["References"].split() == [f"<{each}>" for each in letter.references]
    assert got["Subject"] == letter.subject
    assert got["From"].addresses[0].display_name == "Der Läden GmbH"
    assert got["To"].addresses[0].addr_spec == BUYER
    assert got["Date"].datetime == now
    assert got["Auto-Submitted"] is None
    assert got.get_content().splitlines() == letter.text.splitlines()


def test_what_is_automatic_says_so_to_all_that_might_answer_it(letter):
    """RFC 3834, 3.1.7 and 3.1.8; Exchange looks for its own header alone."""
    got = read(outgoing.composed(replace(letter, automatic=True)))

    assert got["Auto-Submitted"] == "auto-replied"
    assert got["X-Auto-Response-Suppress"] == "All"
    assert got["Precedence"] == "bulk"


def test_what_a_person_wrote_says_nothing_of_a_machine(letter):
    got = read(outgoing.composed(letter))

    assert not {"Auto-Submitted", "X-Auto-Response-Suppress", "Precedence"} & set(got.keys())


@pytest.mark.parametrize("field", ["subject", "sender", "recipient"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x85", "\x00\n", "\r\n\r\n"])
def test_no_field_makes_a_header_of_its_own(letter, field, end):
    evil = f"hello{end}Bcc: eve@evil.example"
    given = evil if field == "subject" else Address(evil, DESK)
    raw = outgoing.composed(replace(letter, **{field: given}))

    assert read(raw)["Bcc"] is None
    assert [line for line in raw.splitlines() if line.lower().startswith(b"bcc")] == []


@pytest.mark.parametrize(
    "address",
    ["", "x", "a b@c.example", "a@b.example\r\nRCPT TO:<eve@evil.example>", "<a@b.example>",
     "a@b.example,c@d.example", "a@b@c.example", "a@b.example>", f"{'a' * 400}@b.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(letter, address):
    with pytest.raises(Refused):
        outgoing.composed(replace(letter, recipient=Address("", address)))


def test_ids_that_are_none_are_left_out_and_ours_must_be_one(letter):
    got = read(
        outgoing.composed(
            replace(letter, in_reply_to="no id", references=("ok@x.example", "a\r\nBcc: b@c", ""))
        )
    )

    assert got["In-Reply-To"] is None
    assert got["References"] == "<ok@x.example>"
    with pytest.raises(ValueError, match="no Message-ID"):
        outgoing.composed(replace(letter, message_id="a b@c"))


def test_a_long_id_stays_whole_and_many_are_cut_in_the_middle(letter):
    long = f"{'0102019a0c' * 12}@eu-west-1.amazonses.com"
    many = tuple(f"{n}@x.example" for n in range(500))
    raw = outgoing.composed(replace(letter, in_reply_to=long, references=(*many, long)))

    assert f"In-Reply-To: <{long}>".encode() in raw
    found = read(raw)["References"].split()
    assert (found[0], found[-1], len(found)) == ("<0@x.example>", f"<{long}>", 20)


def test_no_line_is_long_and_all_is_ascii(letter):
    text = "ж" * 5000 + "x" * 5000 + "\r\n\r" + "\ud800"
    raw = outgoing.composed(replace(letter, text=text, subject="ü" * 900))

    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.replace(b"\r\n", b"").count(b"\n") == raw.replace(b"\r\n", b"").count(b"\r") == 0
    assert read(raw).get_content().startswith("ж" * 5000 + "x" * 5000)


def test_files_go_with_a_letter(letter):
    files = (
        Enclosed("Rechnung\r\n/../ü.pdf", "application/pdf", b"%PDF"),
        Enclosed("", "nonsense", b"\x00\xff"),
        Enclosed("a.eml", "message/rfc822", b"From: x\r\n\r\n"),
    )
    got = read(outgoing.composed(replace(letter, files=files)))

    found = [
        (f.get_filename(), f.get_content_type(), f.get_content()) for f in got.iter_attachments()
    ]
    assert found == [
        ("Rechnung _.._ü.pdf", "application/pdf", b"%PDF"),
        ("file", "application/octet-stream", b"\x00\xff"),
        ("a.eml", "application/octet-stream", b"From: x\r\n\r\n"),
    ]
    assert letter.text.splitlines() == got.get_body().get_content().splitlines()


def test_a_letter_larger_than_any_server_takes_is_refused(letter):
    with pytest.raises(Refused, match="larger than"):
        outgoing.composed(replace(letter, files=(Enclosed("x", "a/b", b"x" * 20 * 2**20),)))


# Sending


async def test_a_letter_is_handed_in_once_and_as_it_is(server, smtp, letter):
    raw = outgoing.composed(letter)
    await smtp.send(login(server), DESK, BUYER, raw)

    (taken,) = server.taken
    assert (taken.user, taken.sender, taken.recipients) == (DESK, DESK, (BUYER,))
    assert taken.raw == raw


async def test_a_check_logs_in_and_sends_nothing(server, smtp):
    await smtp.check(login(server))
    fault = await failed(smtp.check(login(server, password="guess")))

    assert isinstance(fault, BadCredentials)
    assert server.taken == []


async def test_a_local_part_beyond_ascii_is_written_as_it_is(server, smtp, letter):
    foreign = "grüße@bücher.example"
    raw = outgoing.composed(replace(letter, recipient=Address("", foreign)))
    await smtp.send(login(server), DESK, foreign, raw)

    assert server.taken[0].recipients == (foreign,)
    assert foreign.encode() in server.taken[0].raw


async def test_eight_bit_letters_are_announced(server, smtp):
    await smtp.send(login(server), DESK, BUYER, "Subject: x\r\n\r\ngrün\r\n".encode())

    assert "grün".encode() in server.taken[0].raw


async def test_a_line_that_is_too_long_is_not_handed_in(server, smtp):
    fault = await failed(smtp.send(login(server), DESK, BUYER, b"Subject: x\r\n\r\n" + b"x" * 999))

    assert (type(fault), server.taken) == (Refused, [])


@pytest.mark.parametrize(
    ("order", "error", "detail"),
    [
        ("smtp_refuse_login", BadCredentials, "535"),
        ("smtp_refuse_sender", BadCredentials, "550"),
        ("smtp_refuse_recipient", Refused, "550"),
        ("smtp_later", Unreachable, "451"),
        ("smtp_refuse_data", Refused, "554"),
        ("smtp_drop_after_data", OutcomeUnknown, "network"),
    ],
)
async def test_each_end_is_told_for_what_it_is(server, smtp, letter, order, error, detail):
    server.faults.order(order)

    fault = await failed(smtp.send(login(server), DESK, BUYER, outgoing.composed(letter)))

    assert (type(fault), fault.detail) == (error, detail)
    assert len(server.taken) == (error is OutcomeUnknown)


async def test_no_answer_to_the_letter_means_that_nobody_knows(server, letter):
    server.faults.order("smtp_slow", seconds=1.5)
    smtp = Smtp(Limits(letter=0.5))

    fault = await failed(smtp.send(login(server), DESK, BUYER, outgoing.composed(letter)))

    assert (type(fault), fault.detail) == (OutcomeUnknown, "timeout")


async def test_what_the_stand_in_refuses_is_refused(smtp, letter):
    async def receive(taken):
        return "550 5.7.1 Sender address rejected: not approved"

    async with mail.opened({DESK: SECRET}, receive) as server:
        fault = await failed(smtp.send(login(server), DESK, BUYER, outgoing.composed(letter)))

    assert isinstance(fault, BadCredentials)


async def test_what_is_handed_in_can_be_put_into_a_folder(smtp, letter, now):
    async def receive(taken):
        await running.deliver(taken.user, taken.raw, now)

    async with mail.opened({DESK: SECRET}, receive) as running:
        await smtp.send(login(running), DESK, BUYER, outgoing.composed(letter))
        assert len(await running.letters(DESK)) == 1


async def test_nobody_there_is_unreachable(smtp, letter):
    raw = outgoing.composed(letter)
    fault = await failed(
        smtp.send(Login("127.0.0.1", 9, DESK, SECRET, tls="none"), DESK, BUYER, raw)
    )
    assert (type(fault), fault.detail) == (Unreachable, "network")
    fault = await failed(smtp.send(Login("no-such.invalid", 465, DESK, SECRET), DESK, BUYER, raw))
    assert (type(fault), fault.detail) == (Unreachable, "dns")


async def test_a_server_that_is_silent_is_unreachable(letter):
    async with silent() as port:
        there = Login("127.0.0.1", port, DESK, SECRET, tls="none")
        smtp = Smtp(Limits(connect=0.3))
        fault = await failed(smtp.send(there, DESK, BUYER, outgoing.composed(letter)))

    assert (type(fault), fault.detail) == (Unreachable, "timeout")


async def test_all_that_comes_before_the_letter_has_one_limit(letter):
    """Each answer comes in time, and all of them together do not."""

    async def slowly(reader, writer):
        writer.write(b"220 ready\r\n")
        while await reader.readline():
            await asyncio.sleep(0.25)
            writer.write(b"250-x\r\n250 AUTH PLAIN\r\n")
        writer.close()

    slow = await asyncio.start_server(slowly, "127.0.0.1", 0)
    there = Login("127.0.0.1", slow.sockets[0].getsockname()[1], DESK, SECRET, tls="none")
    async with slow:
        smtp = Smtp(Limits(before=0.2))
        fault = await failed(smtp.send(there, DESK, BUYER, outgoing.composed(letter)))
        await asyncio.sleep(0.4)

    assert (type(fault), fault.detail) == (Unreachable, "timeout")


def test_a_letter_is_given_up_before_its_reply_is():
    assert Limits().before + Limits().letter < reply.LIMIT


async def test_starttls_is_not_given_up_where_the_server_lacks_it(server, smtp, letter):
    raw = outgoing.composed(letter)

    fault = await failed(smtp.send(login(server, tls="starttls"), DESK, BUYER, raw))

    assert (type(fault), fault.detail, server.taken) == (Unreachable, "tls", [])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    context, authority = certified.serving(tmp_path_factory.mktemp("tls"))
    return context, ssl.create_default_context(cafile=authority)


class Keeping:
    def __init__(self):
        self.kept = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        self.kept.append(envelope.content)
        return "250 OK"


@pytest.mark.needs("openssl")
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is inside TLS
@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_a_certificate_is_checked(certificate, letter, tls):
    ours, trusting = certificate
    loop, keeping, talks = asyncio.get_running_loop(), Keeping(), []

    def knows(server, session, envelope, mechanism, given):
        return AuthResult(success=given.password == SECRET.encode(), handled=False)

    def talk():
        how = {"auth_required": True, "authenticator": knows, "hostname": "localhost", "loop": loop}
        if tls == "tls":
            how |= {"auth_require_tls": False}
        else:
            how |= {"tls_context": ours, "require_starttls": True}
        talks.append(SMTP(keeping, **how))
        return talks[-1]

    server = await loop.create_server(talk, "127.0.0.1", 0, ssl=ours if tls == "tls" else None)
    there = Login("localhost", server.sockets[0].getsockname()[1], DESK, SECRET, tls=tls)
    raw = outgoing.composed(letter)
    fault = await failed(Smtp().send(there, DESK, BUYER, raw))
    assert keeping.kept == []
    await Smtp(tls=trusting).send(there, DESK, BUYER, raw)
    server.close()
    for each in talks:
        if each.transport is not None:
            each.transport.abort()
    await asyncio.sleep(0.05)

    assert (type(fault), fault.detail) == (Unreachable, "tls")
    assert len(keeping.kept) == 1


@pytest.mark.parametrize(
    ("code", "said", "stage", "error"),
    [
        (550, "5.1.1 no such user", "letter", Refused),
        (553, "5.7.1 <x@y>: Sender address rejected: not owned by user", "letter",
         BadCredentials),
        (554, "5.2.252 SendAsDenied; x not allowed to send as y", "letter", BadCredentials),
        (550, "5.7.60 SMTP; Client does not have permissions to send as this sender", "letter",
         BadCredentials),
        (554, "5.7.1 Relay access denied", "letter", BadCredentials),
        (552, "5.3.4 Message size exceeds fixed limit", "envelope", Refused),
        (550, "5.4.5 Daily user sending quota exceeded", "letter", Refused),
        (421, "4.7.28 unusual rate of mail", "letter", RateLimited),
        (450, "4.7.1 greylisted", "letter", Unreachable),
        (452, "4.5.3 too many recipients", "letter", RateLimited),
        (535, "5.7.8 bad credentials", "login", BadCredentials),
        (454, "4.7.0 Temporary authentication failure", "login", Unreachable),
        (554, "no SMTP service here", "connect", Unreachable),
        (354, "go on", "letter", OutcomeUnknown),
        (-1, "* OK IMAP4rev1 ready", "connect", Unreachable),
    ],
)  # fmt: skip
def test_what_a_refusal_means(code, said, stage, error):
    fault = refusal(code, said, "mail server at x", stage)

    assert type(fault) is error
    assert "user" not in str(fault)
