"""Letters made to harm, and letters that programs broke: each is read, in bounded time."""

from __future__ import annotations

import tracemalloc
from time import process_time
from typing import TYPE_CHECKING

import pytest

from core.transport import bodies, headers, mime, parts
from core.transport.faults import Fault
from tests.core import letters

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("kind", letters.HOSTILE)
def test_every_sample_is_a_letter_with_known_faults(kind):
    mail = mime.read(letters.HOSTILE[kind]())

    assert {*mail.faults} <= {*Fault} - {Fault.UNREADABLE}
    assert mail.message_id


REPORT = 'multipart/report; report-type=delivery-status; boundary="b1"'

PROVOKED: dict[Fault, Callable[[], bytes]] = {
    Fault.HEADERS_MISSING: letters.without_headers,
    Fault.HEADERS_BROKEN: lambda: b"From: a@b\r\nHello there",
    Fault.HEADERS_TOO_MANY: lambda: letters.many_headers(2_000),
    Fault.HEADER_TOO_LONG: lambda: letters.letter(Subject="x" * 40_000),
    Fault.MULTIPART_BROKEN: letters.without_parts,
    Fault.MULTIPART_UNENDED: letters.unended,
    Fault.PARTS_TOO_MANY: lambda: letters.multipart(*[b"x"] * 2_000),
    Fault.TOO_DEEP: lambda: letters.deep(60),
    Fault.ENCODING_UNKNOWN: lambda: letters.letter(Content_Transfer_Encoding="x-own"),
    Fault.ENCODING_WRONG: lambda: letters.letter("two words", Content_Transfer_Encoding="base64"),
    Fault.CHARSET_UNKNOWN: lambda: letters.in_charset("ü", "utf-8", "x-own"),
    Fault.CHARSET_WRONG: lambda: letters.in_charset("Grüße", "cp1252", "utf-8"),
    Fault.TEXT_TOO_LONG: lambda: letters.letter("x" * 2_000_000),
    Fault.SENDER_MISSING: lambda: letters.letter(From=None),
    Fault.SENDER_REPEATED: lambda: letters.letter(From="a@b, c@d"),
    Fault.MESSAGE_ID_MISSING: lambda: letters.letter(Message_ID=None),
    Fault.MESSAGE_ID_BROKEN: lambda: letters.letter(Message_ID="none at all"),
    Fault.DATE_BROKEN: lambda: letters.letter(Date="soon"),
    Fault.REPORT_BROKEN: lambda: letters.multipart(letters.part("x"), content_type=REPORT),
    Fault.LOOPING: letters.looping,
    Fault.UNREADABLE: lambda: Unforeseen(letters.letter()),
}


class Unforeseen(bytes):
    """Bytes on which reading fails in a way that no bytes do."""

    __slots__ = ()

    def find(self, *_: object) -> int:
        raise RuntimeError


@pytest.mark.parametrize("fault", Fault)
def test_each_fault_is_named_and_survived(fault):
    mail = mime.read(PROVOKED[fault]())

    assert fault.value in mail.faults
    assert mail.message_id


def test_what_nobody_foresaw_keeps_the_words_and_an_id():
    raw = letters.letter()
    mail = mime.read(Unforeseen(raw))

    assert mail.text == raw.decode()
    assert mail.message_id.startswith("made:")
    assert mail.faults == (Fault.UNREADABLE,)


def test_a_letter_without_headers_is_all_text():
    mail = mime.read(letters.without_headers())

    assert mail.text == "Where is my parcel?\nIt should be here: by now."
    assert Fault.HEADERS_MISSING in mail.faults


def test_a_line_that_is_no_header_is_joined_where_headers_go_on():
    raw = letters.letter().replace(b"Subject: Your order", b"Subject: Your\r\norder 12")
    mail = mime.read(raw)

    assert (mail.subject, mail.text) == ("Your order 12", letters.WORDS)
    assert Fault.HEADERS_BROKEN in mail.faults


@pytest.mark.parametrize(
    "noted", ["Authentication-Results: mx.shop.example; dkim=none", "Received: x"]
)
def test_a_line_that_is_no_header_is_not_joined_to_what_a_server_noted(noted):
    """The letter begins with it: else its writer would say what the server found out."""
    mail = mime.read(f"{noted}\r\n; dkim=pass header.d=amazon.de\r\n".encode() + letters.letter())

    name, _, value = noted.partition(": ")
    assert mail.headers[name.lower()] == (value,)
    assert (mail.subject, mail.text) == ("Your order", letters.WORDS)
    assert Fault.HEADERS_BROKEN in mail.faults


def test_a_text_that_follows_the_headers_without_a_gap_is_kept():
    mail = mime.read(b"From: a@b\r\nSubject: x\r\nHello there\r\nBye\r\n")

    assert (mail.subject, mail.text) == ("x", "Hello there\nBye")


def test_the_line_that_a_mailbox_file_puts_first_is_no_header():
    assert mime.read(b"From ana Sat Nov 21 2026\r\n" + letters.letter()).faults == ()
    assert mime.read(b"From me to you\r\nHello").text == "From me to you\nHello"


def test_a_multipart_without_an_end_is_read_to_the_end():
    mail = mime.read(letters.unended())

    assert (mail.text, mail.html) == (f"{letters.WORDS}\n\nx", "<p>x</p>\n")
    assert mail.faults == (Fault.MULTIPART_UNENDED,)


@pytest.mark.parametrize("broken", [letters.wrong_boundary, letters.without_boundary])
def test_the_boundary_that_is_there_is_taken(broken):
    mail = mime.read(broken())

    assert (mail.text, mail.faults) == (letters.WORDS, (Fault.MULTIPART_BROKEN,))


def test_a_multipart_without_parts_is_text():
    mail = mime.read(letters.without_parts())

    assert (mail.text, mail.files) == (letters.WORDS, ())
    assert mail.faults == (Fault.MULTIPART_BROKEN,)


def test_a_line_of_the_text_is_taken_for_no_boundary():
    text = "my answer\n\n-----Original Message-----\nold words"

    assert mime.read(letters.letter(text, content_type="multipart/mixed")).text == text


def test_a_boundary_that_begins_another_is_told_from_it():
    inner = letters.nested(letters.part("a"), letters.part("<p>b</p>", "text/html"),
                           kind="alternative", boundary="b12")  # fmt: skip
    mail = mime.read(letters.multipart(inner, letters.part("c"), boundary="b1"))

    assert (mail.text, mail.html) == ("a\n\nc", "<p>b</p>")


def test_a_boundary_inside_a_line_divides_nothing():
    text = "it says --b1\nand --b1--\nhere"

    assert mime.read(letters.multipart(letters.part(text))).text == text


def test_fifty_levels_are_read_and_what_lies_deeper_is_kept_closed():
    assert mime.read(letters.deep(parts.DEEPEST)).text == letters.WORDS

    mail = mime.read(letters.deep(parts.DEEPEST + 1))
    assert mail.text == ""
    assert [f.media_type for f in mail.files] == ["multipart/mixed"]
    assert mail.faults == (Fault.TOO_DEEP,)


def test_letters_in_letters_end_at_the_same_depth():
    mail = mime.read(letters.letters_in_letters(parts.DEEPEST + 10))

    depth = 0
    while mail.forwarded:
        (mail,) = mail.forwarded
        depth += 1
    assert depth == parts.DEEPEST


def test_parts_beyond_the_limit_are_passed_over():
    mail = mime.read(letters.multipart(*[letters.part("x")] * (parts.MOST_PARTS + 5)))

    assert mail.text.count("x") == parts.MOST_PARTS
    assert mail.faults == (Fault.PARTS_TOO_MANY,)


def test_letters_beyond_the_limit_are_kept_closed():
    mail = mime.read(letters.multipart(*[letters.part(letters.letter(), "message/rfc822")] * 600))

    assert len(mail.forwarded) == parts.MOST_PARTS - 600
    assert len(mail.files) == 600 - len(mail.forwarded)
    assert Fault.PARTS_TOO_MANY in mail.faults


def test_headers_beyond_the_limit_are_passed_over_and_the_text_is_found():
    mail = mime.read(
        letters.letter().replace(b"\r\n\r\n", b"\r\n" + b"X-1: x\r\n" * 5_000 + b"\r\n")
    )

    assert (mail.subject, mail.text) == ("Your order", letters.WORDS)
    assert sum(map(len, mail.headers.values())) == headers.MOST_HEADERS
    assert mail.faults == (Fault.HEADERS_TOO_MANY,)


def test_headers_that_are_too_long_together_are_passed_over():
    long = [b"X-%d: %s\r\n" % (i, b"x" * 30_000) for i in range(50)]
    mail = mime.read(letters.letter().replace(b"\r\n\r\n", b"\r\n" + b"".join(long) + b"\r\n"))

    assert (mail.subject, mail.text) == ("Your order", letters.WORDS)
    assert len(mail.headers) < 40
    assert mail.faults == (Fault.HEADERS_TOO_MANY,)


def test_a_header_beyond_the_limit_keeps_its_first_part():
    mail = mime.read(letters.letter(Subject="x" * (headers.LONGEST_HEADER + 1)))

    assert mail.subject == "x" * headers.LONGEST_HEADER
    assert mail.faults == (Fault.HEADER_TOO_LONG,)


def test_text_beyond_the_limit_keeps_its_beginning():
    mail = mime.read(letters.letter("ü" * (bodies.LONGEST_TEXT + 1)))

    assert mail.text == "ü" * bodies.LONGEST_TEXT
    assert mail.faults == (Fault.TEXT_TOO_LONG,)


def test_the_limit_is_one_for_all_texts_of_a_letter():
    mail = mime.read(letters.multipart(*[letters.part("x" * 400_000)] * 5))

    assert mail.text.count("x") == bodies.LONGEST_TEXT
    assert mail.faults == (Fault.TEXT_TOO_LONG,)


def test_an_archive_is_never_opened():
    raw = letters.archive_bomb()
    tracemalloc.start()
    mail = mime.read(raw)
    contents = mime.contents(raw, mail.files[0].id)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert contents.startswith(b"PK")
    assert peak < 20 * len(raw)


def test_the_bytes_of_a_large_letter_are_not_copied_for_each_level():
    content = letters.parted(letters.part("x" * 5_000_000), boundary="b0")
    for i in range(1, parts.DEEPEST):
        part = letters.part(content, f'multipart/mixed; boundary="b{i - 1}"')
        content = letters.parted(part, boundary=f"b{i}")
    raw = letters.letter(content, content_type=f'multipart/mixed; boundary="b{parts.DEEPEST - 1}"')
    tracemalloc.start()
    assert len(mime.read(raw).text) == bodies.LONGEST_TEXT
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 4 * len(raw)


def test_letters_that_are_encoded_in_each_other_are_opened_within_their_size():
    inner = letters.letter(b"x" * 500_000)
    for _ in range(20):
        inner = letters.letter(
            inner, content_type="message/rfc822", Content_Transfer_Encoding="quoted-printable"
        )
    mail = mime.read(inner)

    depth = 0
    while mail.forwarded:
        (mail,) = mail.forwarded
        depth += 1
    assert depth == 2


@pytest.mark.parametrize(
    ("said", "text", "faults"),
    [
        ("base64", "Hello, this is plain: no base64 at all.", (Fault.ENCODING_WRONG,)),
        ("unheard-of", "Hello", (Fault.ENCODING_UNKNOWN,)),
        ("QUOTED-PRINTABLE", "100% = all of it", ()),
        ("7-bit", "Grüße", ()),
    ],
)
def test_an_encoding_that_lies_costs_no_text(said, text, faults):
    raw = letters.letter(
        text, content_type="text/plain; charset=utf-8", Content_Transfer_Encoding=said
    )

    assert (mime.read(raw).text, mime.read(raw).faults) == (text, faults)


@pytest.mark.parametrize(
    "broken", [b"SGVsbG8", b"SGVsbG8=\r\n-- \r\nfooter of a list", b"SGVs\r\n bG8="]
)
def test_broken_base64_is_read_as_far_as_it_goes(broken):
    raw = letters.letter(broken, Content_Transfer_Encoding="base64")

    assert mime.read(raw).text == "Hello"


def test_uuencoded_files_are_decoded():
    raw = letters.letter(
        b"begin 644 a.txt\r\n%2&5L;&\\\r\n`\r\nend\r\n",
        content_type="application/octet-stream; name=a.txt",
        Content_Transfer_Encoding="x-uuencode",
    )

    assert mime.contents(raw, "1") == b"Hello"


def test_a_letter_that_goes_round_says_so():
    mail = mime.read(letters.looping())

    assert Fault.LOOPING in mail.faults
    assert "loop_header" in mail.signs


def test_signs_that_no_row_can_hold_are_replaced():
    mail = mime.read(letters.letter(b"a\x00b", Subject=b"x\x00y\x1bz"))

    assert (mail.text, mail.subject) == ("a\ufffdb", "x y z")


# Costs ----------------------------------------------------------------------------------------

MEGABYTE = 1_000_000

COSTLY: dict[str, Callable[[int], bytes]] = {
    "headers": lambda n: b"X: y\r\n" * (n // 6) + b"\r\nx",
    "header names without colons": lambda n: b"From: a\r\n" + b"x" * n,
    "folded lines": lambda n: b"X: y" + b"\r\n y" * (n // 4),
    "openings of encoded words": lambda n: letters.letter(Subject="=?" * (n // 2)),
    "encoded words": lambda n: b"".join(
        b"X: " + b"=?u?q?" * 4_000 + b"\r\n" for _ in range(n // 24_000)
    ),
    "commas": lambda n: letters.letter(From="," * n),
    "commas after a name": lambda n: b"".join(
        b"To: x%s" % at + b"," * 32_000 + b"\r\n" for at in (b"", b"@ ") for _ in range(n // 64_000)
    ),
    "brackets": lambda n: letters.letter(From="<(" * (n // 2)),
    "quotation marks": lambda n: letters.letter(From='"\\' * (n // 2)),
    "parameters": lambda n: letters.letter(content_type="text/plain" + ";a*1=b" * (n // 6)),
    "boundaries": lambda n: letters.multipart(*[b"x"] * (n // 9)),
    "half boundaries": lambda n: letters.multipart(b"--b1x" * (n // 5)),
    "dashes as a boundary": lambda n: letters.multipart(b"-" * n, boundary="-----"),
    "spaces after boundaries": lambda n: letters.multipart(b"--b1 " * (n // 5)),
    "50 levels": lambda n: letters.deep(50).replace(letters.WORDS.encode(), b"x\r\n" * (n // 3)),
    "2,000 levels": lambda n: letters.deep(2_000) + b"x\r\n" * (n // 3),
    "base64 that is none": lambda n: letters.letter(
        b"A" * n + b"*", Content_Transfer_Encoding="base64"
    ),
    "spaces": lambda n: letters.letter(b" " * n),
    "line breaks": lambda n: letters.letter(b"\r" * n),
    "tags": lambda n: letters.letter(b"<b id=1><p>" * (n // 11), content_type="text/html"),
    "quotation marks in tags": lambda n: letters.letter(
        b'<a "' * (n // 4), content_type="text/html"
    ),
    "comments": lambda n: letters.letter(b"<!--" * (n // 4), content_type="text/html"),
    "references to parts": lambda n: letters.letter(b"cid:" * (n // 4), content_type="text/html"),
    "bytes without a charset": lambda n: letters.letter(b"\x81\xff\xfe" * (n // 3)),
    "groups of a report": lambda n: letters.multipart(
        letters.part(b"Action: x\r\n\r\n" * (n // 13), "message/delivery-status"), kind="report"
    ),
    "failed recipients": lambda n: letters.letter(X_Failed_Recipients="a@b," * (n // 4)),
}


@pytest.mark.parametrize("kind", COSTLY)
def test_no_letter_of_two_megabytes_takes_its_square(kind):
    """Each takes a second at most; a look back from every place takes minutes."""
    raw = COSTLY[kind](2 * MEGABYTE)

    before = process_time()
    assert Fault.UNREADABLE not in mime.read(raw).faults
    assert process_time() - before < 20


@pytest.mark.parametrize(
    "raw",
    [
        lambda: letters.large(22_000_000),
        lambda: letters.many_headers(100_000),
        lambda: letters.many_words(1_000_000),
    ],
    ids=["30 MB", "100,000 headers", "1,000,000 openings of encoded words"],
)
def test_what_the_issue_names_is_read(raw):
    mail = mime.read(raw())

    assert mail.text == letters.WORDS
    assert Fault.UNREADABLE not in mail.faults
