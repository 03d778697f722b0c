"""A good letter's parts: who, what, when, which files."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from core.transport import mime
from core.transport.faults import Fault
from tests.core import letters

PNG = b"\x89PNG\r\n\x1a\n\x00 picture"


def test_a_plain_letter_is_read():
    mail = mime.read(letters.letter())

    assert mail.message_id == "1@mail.example"
    assert mail.sender == mime.Address("Ana", "ana@mail.example")
    assert mail.to == (mime.Address("", "support@shop.example"),)
    assert mail.subject == "Your order"
    assert mail.date == datetime(2026, 11, 21, 18, 4, 11, tzinfo=UTC)
    assert mail.text == letters.WORDS
    assert mail.html is None
    assert (mail.files, mail.forwarded, mail.reports, mail.faults) == ((), (), (), ())
    assert mail.automatic == "no"


def test_the_plain_part_is_the_text_and_the_html_stays_as_it_came():
    mail = mime.read(letters.amazon("Zwei\nZeilen", html="<p>other</p>"))

    assert "Zwei\nZeilen" in mail.text
    assert "other" not in mail.text
    assert mail.html == "<p>other</p>"
    assert mail.files == ()


@pytest.mark.parametrize("plain", [None, " \n \n"])
def test_html_is_the_text_where_no_plain_part_says_anything(plain):
    parts = [letters.part("<p>Guten&nbsp;Tag</p><p>Wo ist es?</p>", "text/html; charset=utf-8")]
    parts = parts if plain is None else [letters.part(plain), *parts]

    assert (
        mime.read(letters.multipart(*parts, kind="alternative")).text == "Guten Tag\n\nWo ist es?"
    )


def test_texts_one_after_the_other_are_one_text():
    mail = mime.read(
        letters.multipart(
            letters.part("first"),
            letters.attached(PNG, "image/png", "a.png"),
            letters.part("second"),
        )
    )

    assert mail.text == "first\n\nsecond"
    assert [file.name for file in mail.files] == ["a.png"]


def test_a_file_is_found_again_by_its_id():
    raw = letters.multipart(
        letters.nested(letters.part("hi"), letters.part("<p>hi</p>", "text/html"),
                       kind="alternative", boundary="b2"),
        letters.attached(PNG, "image/png", "a.png"),
        letters.attached(b"%PDF", "application/pdf", "b.pdf"),
    )  # fmt: skip
    files = mime.read(raw).files

    assert [(f.id, f.name, f.media_type, f.size) for f in files] == [
        ("2", "a.png", "image/png", len(PNG)),
        ("3", "b.pdf", "application/pdf", 4),
    ]
    assert [mime.contents(raw, f.id) for f in files] == [PNG, b"%PDF"]
    assert mime.contents(raw, "9") is None


def test_a_letter_that_is_one_file_has_that_file():
    raw = letters.letter(b"%PDF", content_type="application/pdf; name=a.pdf")

    assert [f.id for f in mime.read(raw).files] == ["1"]
    assert mime.contents(raw, "1") == b"%PDF"
    assert mime.read(raw).text == ""


def test_a_picture_that_the_html_shows_is_inline_and_another_is_not():
    logo, photo = (
        letters.part("AAAA", f"image/png; name={name}.png", Content_Transfer_Encoding="base64",
                     Content_ID=f"<{name}@x>", Content_Disposition="inline")
        for name in ("logo", "photo")
    )  # fmt: skip
    html = letters.part('<img src="cid:logo@x"><p>broken, see photo</p>', "text/html")
    mail = mime.read(letters.multipart(html, logo, photo, kind="related"))

    assert [(f.name, f.is_inline) for f in mail.files] == [("logo.png", True), ("photo.png", False)]


@pytest.mark.parametrize(
    ("raw", "name", "media_type"),
    [
        (letters.winmail(), "winmail.dat", "application/ms-tnef"),
        (letters.invitation(), "part-2.ics", "text/calendar"),
        (letters.signed(), "smime.p7s", "application/pkcs7-signature"),
    ],
)
def test_what_no_person_reads_is_a_file(raw, name, media_type):
    mail = mime.read(raw)

    assert [(f.name, f.media_type) for f in mail.files] == [(name, media_type)]
    assert mail.text == letters.WORDS


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\\\temp\\\\a.pdf", "a.pdf"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("a\x07b\r\nc.txt", "a b c.txt"),
        ("..", "part-1"),
        ("x" * 900, "x" * 200),
    ],
)
def test_a_files_name_can_do_no_harm(name, safe):
    quoted = "".join(f"%{byte:02X}" for byte in name.encode()) if "\\" not in name else None
    said = f"filename*=utf-8''{quoted}" if quoted else f'filename="{name}"'
    raw = letters.letter(
        b"x", content_type="application/octet-stream", Content_Disposition=f"attachment; {said}"
    )

    assert [f.name for f in mime.read(raw).files] == [safe]


def test_a_name_in_pieces_and_in_another_charset_is_put_together():
    raw = letters.letter(
        b"x",
        content_type="application/pdf",
        Content_Disposition="attachment; filename*1*=%FCfung.pdf; filename*0*=iso-8859-1''Pr",
    )

    assert mime.read(raw).files[0].name == "Prüfung.pdf"


def test_a_forwarded_letter_is_inside_and_its_sender_is_nobodys_buyer():
    inner = letters.letter("the innermost", From="Other <other@other.example>")
    raw = letters.multipart(letters.part("see below"), letters.part(inner, "message/rfc822"))
    mail = mime.read(raw)

    assert mail.sender == mime.Address("Ana", letters.BUYER)
    assert mail.text == "see below"
    assert [(m.sender.address, m.text) for m in mail.forwarded] == [
        ("other@other.example", "the innermost")
    ]
    assert mail.files == ()


def test_files_of_a_forwarded_letter_are_found_in_the_outer_one():
    inner = letters.multipart(
        letters.part("x"), letters.attached(PNG, "image/png", "a.png"), boundary="in"
    )
    raw = letters.multipart(letters.part("see"), letters.part(inner, "message/rfc822"))
    (file,) = mime.read(raw).forwarded[0].files

    assert file.id == "2.2"
    assert mime.contents(raw, file.id) == PNG
    assert mime.contents(raw, "2") == inner


def test_a_letter_that_was_encoded_to_be_forwarded_is_read_too():
    inner = base64.encodebytes(letters.letter("the innermost"))
    raw = letters.multipart(
        letters.part(inner, "message/rfc822", Content_Transfer_Encoding="base64")
    )

    assert mime.read(raw).forwarded[0].text == "the innermost"


def test_the_servers_note_for_whom_it_came():
    mail = mime.read(
        letters.letter(Delivered_To="a+Tag@Shop.Example", X_Original_To="<b@shop.example>")
    )

    assert mail.envelope == ("a+Tag@shop.example", "b@shop.example")


def test_answers_go_where_the_letter_says():
    mail = mime.read(letters.contact_form())

    assert mail.reply_to == (mime.Address("", letters.BUYER),)
    assert mail.sender == mime.Address("My Shop", "noreply@shop.example")


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("Sat, 21 Nov 2026 18:04:11 +0100", datetime(2026, 11, 21, 17, 4, 11, tzinfo=UTC)),
        ("21 Nov 2026 18:04 -0000", datetime(2026, 11, 21, 18, 4, tzinfo=UTC)),
        ("tomorrow", None),
        ("Sat, 21 Nov 99999 18:04:11 +0000", None),
        ("Fri, 31 Dec 9999 23:59:00 -2359", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_what_the_sender_says_or_nothing(said, when):
    mail = mime.read(letters.letter(Date=said))

    assert mail.date == when
    assert (Fault.DATE_BROKEN in mail.faults) == (when is None)


def test_a_letter_without_an_id_gets_one_that_its_second_copy_gets_too():
    raw = letters.letter(Message_ID=None)
    mail = mime.read(raw)
    copy = mime.read(b"Received: from another server\r\nDelivered-To: x@y\r\n" + raw)

    assert mail.message_id.startswith("made:")
    assert copy.message_id == mail.message_id
    other = letters.letter(letters.WORDS.replace("W", "T"), Message_ID=None)
    assert mime.read(other).message_id != mail.message_id
    assert Fault.MESSAGE_ID_MISSING in mail.faults


@pytest.mark.parametrize(
    ("said", "id_"),
    [
        ("<a@b> (added by server)", "a@b"),
        ("a@b", "a@b"),
        ("<[a@b]>", "[a@b]"),
        ("<a\r\n  b@c>", "ab@c"),
        ("<no at sign>", "noatsign"),
    ],
)
def test_a_malformed_id_is_read_as_far_as_it_goes(said, id_):
    mail = mime.read(letters.letter(Message_ID=said.encode()))

    assert mail.message_id == id_


@pytest.mark.parametrize("said", ["<>", "<" + "x" * 2_000 + "@y>"])
def test_an_id_that_no_row_can_hold_is_made(said):
    mail = mime.read(letters.letter(Message_ID=said))

    assert mail.message_id.startswith("made:")
    assert Fault.MESSAGE_ID_BROKEN in mail.faults


def test_two_senders_are_one_sender_and_a_fault():
    mail = mime.read(b"From: first@x.example\r\n" + letters.letter())

    assert mail.sender == mime.Address("", "first@x.example")
    assert Fault.SENDER_REPEATED in mail.faults
    assert mime.read(letters.letter(From="a@b, c@d")).faults == ("sender_repeated",)
    assert mime.read(letters.letter(From=None)).faults == ("sender_missing",)
