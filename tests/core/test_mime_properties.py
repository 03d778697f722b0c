"""Whatever the bytes are, a letter: random ones, and good ones that somebody has been at."""

from __future__ import annotations

import base64
import pickle
import quopri
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.transport import bodies, markup, mime, quotes
from core.transport.faults import Fault
from tests.core import letters

if TYPE_CHECKING:
    from core.transport.letter import Mail

SAMPLES = [raw for build in letters.HOSTILE.values() if len(raw := build()) < 20_000]

PIECES = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"--b1", b"--b1--", b"Content-Type: ", b"message/rfc822",
     b"multipart/mixed", b"; boundary=b1", b"=?", b"?=", b"=?utf-8?B?", b"\x00", b"\xff", b"\x1b$B",
     b'"', b"<", b">", b"(", b",", b";", b":", b"=", b"base64", b"quoted-printable", b"From: ",
     b"Message-ID: ", b"Date: ", b"charset=utf-7", b"charset=iso-2022-kr", b"text/html", b"*0*="]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sample with pieces put in, taken out, or copied somewhere else."""
    raw = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(raw)))
        to = min(len(raw), at + draw(st.integers(0, 60)))
        change = draw(st.sampled_from(["put", "cut", "copy", "flip"]))
        if change == "put":
            raw = raw[:at] + draw(PIECES | st.binary(max_size=8)) + raw[at:]
        elif change == "cut":
            raw = raw[:at] + raw[to:]
        elif change == "copy":
            raw += raw[at:to]
        else:
            raw = raw[:at] + bytes(byte ^ 0x20 for byte in raw[at:to]) + raw[to:]
    return raw


def holds(mail: Mail, raw: bytes) -> None:
    """What is true of each letter that was read of *raw*, and of those inside it."""
    assert {*mail.faults} <= {*Fault} - {Fault.UNREADABLE}
    assert mail.message_id
    assert len(mail.text) <= 8 * bodies.LONGEST_TEXT
    said = [mail.message_id, mail.subject, mail.text, *mail.envelope]
    said += [address for who in (*mail.to, *mail.reply_to) for address in who]
    said += [value for values in mail.headers.values() for value in values]
    for text in said:
        assert "\x00" not in text
        text.encode()
    for line in (mail.subject, *(value for values in mail.headers.values() for value in values)):
        assert not {"\r", "\n"} & set(line)
    assert len({file.id for file in mail.files}) == len(mail.files)
    for file in mail.files:
        content = mime.contents(raw, file.id)
        assert content is not None
        assert len(content) == file.size
    for inner in mail.forwarded:
        holds(inner, raw)


@given(mutated())
@settings(max_examples=400)
def test_a_letter_that_somebody_has_been_at_is_read(raw):
    mail = mime.read(raw)

    holds(mail, raw)
    quotes.written(mail.text)
    markup.text(mail.html or "")


@given(st.binary(max_size=400) | st.lists(PIECES, max_size=60).map(b"".join))
@example(b"")
@example(b"\n")
@example(b":")
@example(b"From")
@example(b"From ")
@example(b"--\r\n")
@settings(max_examples=400)
def test_any_bytes_are_a_letter(raw):
    holds(mime.read(raw), raw)


@given(mutated())
def test_a_letter_is_read_alike_each_time_and_can_be_handed_on(raw):
    mail = mime.read(raw)

    assert mime.read(raw) == mail
    assert pickle.loads(pickle.dumps(mail)) == mail


ENCODINGS = {
    "8bit": bytes,
    "base64": base64.encodebytes,
    "quoted-printable": quopri.encodestring,
}


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\ufeff"), min_size=1),
    st.sampled_from(sorted(ENCODINGS)),
)
def test_what_a_person_wrote_comes_through_in_every_encoding(words, encoding):
    raw = letters.letter(
        ENCODINGS[encoding](letters.encoded(words)),
        content_type="text/plain; charset=utf-8",
        Content_Transfer_Encoding=encoding,
    )

    assert mime.read(raw).text == (words.strip("\n") if words.strip() else "")


SHOWN = st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
LINE = (
    st.text(SHOWN, min_size=1, max_size=80)
    .map(lambda said: " ".join(said.split()))
    .filter(lambda said: bool(said) and "=?" not in said)
)


@given(LINE, LINE, LINE, st.binary(max_size=300), LINE)
def test_what_the_standard_library_writes_is_read_back(subject, name, words, content, file):
    """Folded, encoded and quoted as another program does it."""
    message = EmailMessage(SMTP)
    message["From"] = Address(name, "ana", "mail.example")
    message["Subject"] = subject
    message["Message-ID"] = "<1@mail.example>"
    message["Date"] = letters.DATE
    message.set_content(f"{words}\n")
    message.add_alternative(f"<p>{words}</p>", subtype="html")
    message.add_attachment(content, "application", "octet-stream", filename=file)
    raw = message.as_bytes()
    mail = mime.read(raw)

    assert mail.faults == ()
    assert mail.subject == subject
    assert mail.sender.address == "ana@mail.example"
    assert mail.sender.name == name
    assert mail.text == words
    assert mail.html == f"<p>{words}</p>\n"
    assert mime.contents(raw, mail.files[0].id) == content
    assert mail.files[0].name == (bodies.safe_name(file) or "part-2")
