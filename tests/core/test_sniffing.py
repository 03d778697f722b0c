"""What a file is, by what stands in it; and that a hostile one is not looked at for long."""

from __future__ import annotations

import struct
import sys
import zipfile
from io import BytesIO

import pytest

from core.desk import sniffing

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def archive(*names, before=b"", comment=b""):
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as writing:
        for name in names:
            writing.writestr(name, b"x")
        writing.comment = comment
    return before + made.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (archive("[Content_Types].xml", "word/document.xml"), WORD),
        (archive("_rels/.rels", "xl/workbook.xml", comment=b"c" * 500), SHEET),
        (archive("\u00e4.txt", "word/document.xml.txt"), "application/zip"),
        (archive("a", before=b"PK\x03\x04"), "application/zip"),
        (archive("word/document.xml")[:-30], sniffing.UNKNOWN),
        (archive("word/document.xml")[:-1], sniffing.UNKNOWN),
        (b"PK\x03\x04", sniffing.UNKNOWN),
        (b"PK\x03\x04" + b"PK\x05\x06" + b"\xff" * 18, sniffing.UNKNOWN),
        (b"%PDF-1.7", "application/pdf"),
        ("gr\u00fc\u00df dich\n".encode(), "text/plain"),
        (b"\x00\x01\x02", sniffing.UNKNOWN),
    ],
)
def test_a_file_is_what_stands_in_it(content, kind):
    assert sniffing.named("a.docx", content).media_type == kind


def hostile(members):
    """An archive that is nothing but its directory."""
    head = b"PK\x01\x02" + bytes(24) + struct.pack("<HHH", 1, 0, 0) + bytes(12) + b"a"
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, 0xFFFF, 0xFFFF, members * len(head), 4, 0)
    return b"PK\x03\x04" + head * members + end


def steps(content):
    """How many calls of functions it takes to say what *content* is."""
    count = 0

    def call(_frame, what, _arg):
        nonlocal count
        count += what in {"call", "c_call"}

    sys.setprofile(call)
    try:
        assert sniffing.media_type(content) == "application/zip"
    finally:
        sys.setprofile(None)
    return count


def test_of_a_directory_without_end_no_more_than_its_begin_is_looked_at():
    some, many = steps(hostile(sniffing.MOST_MEMBERS)), steps(hostile(200_000))

    assert some == many
