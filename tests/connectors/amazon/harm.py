"""What can be done to a letter: by old programs, by broken ones, and by people who mean harm."""

from __future__ import annotations

import base64
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

from tests.connectors.amazon import letters
from tests.connectors.amazon.travelled import CANARY
from tests.core import letters as plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.connectors.amazon.travelled import Travelling

    Harm = Callable[[Travelling, Random], bytes]

LEGACY = {
    "ks_c_5601-1987": ("cp949", "안녕하세요, 언제 도착하나요?"),
    "euc-kr": ("cp949", "똠방각하 주문이 아직 안 왔어요"),
    "iso-2022-kr": ("iso2022_kr", "안녕하세요"),
    "iso-2022-jp": ("iso2022_jp", "いつ届きますか。"),
    "shift_jis": ("cp932", "①いつ届きますか。"),
    "euc-jp": ("euc_jp", "荷物はどこですか。"),
    "gb2312": ("gb18030", "我的包裹在哪里？"),  # noqa: RUF001  # as Chinese writes it
    "big5": ("big5hkscs", "我的包裹在哪裡？"),  # noqa: RUF001  # likewise
    "iso-8859-2": ("iso8859_2", "Gdzie jest moja paczka? Żółć"),
    "windows-1251": ("cp1251", "Где моя посылка?"),
    "utf-16": ("utf_16", "Grüße"),
    "utf-7": ("utf_7", "Grüße 日本"),
}
"""Labels, the codec that is meant, and words in it."""

WRONG_LABELS = (
    "us-ascii", "iso-8859-1", "utf-8", "shift_jis", "unknown-8bit", "x-unknown", "", "utf-16",
    "iso-2022-jp", "binary", "idna", "zlib_codec", "charset=utf-8", "\N{SNOWMAN}",
)  # fmt: skip


# Broken by programs ---------------------------------------------------------------------------


def nothing(letter: Travelling, random: Random) -> bytes:
    return letter.raw()


def without_headers(letter: Travelling, random: Random) -> bytes:
    """No header at all, or none but what the content needs."""
    return letter.content() if random.random() < 0.5 else (letter.text or CANARY).encode()


def raw_headers(letter: Travelling, random: Random) -> bytes:
    """Headers in bytes beyond ASCII, in any charset."""
    codec, words = random.choice(list(LEGACY.values()))
    letter.put("Subject", words.encode(codec))
    letter.put("X-Own", b"\xff\xfe\x80" + words.encode(codec))
    return letter.raw()


def broken_words(letter: Travelling, random: Random) -> bytes:
    """Encoded words that are cut inside a character, unended, nested, or of no charset."""
    letter.put("Subject", random.choice((
        b"=?utf-8?b?44GE44GkI?= =?utf-8?b?OKB?=", b"=?iso-2022-jp?B?GyRCJCQkRCROJEg=",
        b"=?utf-8?q?=E3=81?= =?utf-8?q?=84?=", b"=?idna?b?" + b"eA==" * 500 + b"?=",
        b"=?=?utf-8?q?x?=?=", b"=?utf-8?b?" + base64.b64encode(b"\r\nFrom: a@b\r\n\r\n") + b"?=",
        b"=?" * 3_000, b"=?x-own?Q?a_b?=", b"\x00\x1b$B\x00",
    )))  # fmt: skip
    return letter.raw()


def broken_multipart(letter: Travelling, random: Random) -> bytes:
    """A boundary that is not there, that never ends, that is none, or that is everywhere."""
    raw = letter.raw()
    if b"boundary" not in raw:
        letter.html = letter.html or "<p>x</p>"
        letter.text = letter.text or CANARY
        raw = letter.raw()
    return random.choice((
        lambda: raw.replace(b"--a1--", b""),
        lambda: raw.replace(b'boundary="a1"', b'boundary="zz"'),
        lambda: raw.replace(b'; boundary="a1"', b""),
        lambda: raw.replace(b"--a1", b"--a2"),
        lambda: raw.replace(b'boundary="a1"', b'boundary=""'),
        lambda: raw.replace(b"--a1\r\n", b"--a1\r\n" * 400),
        lambda: raw[: raw.rindex(b"--a1") - 40],
        lambda: raw.replace(b"\r\n\r\n--a1", b"\r\n--a1"),
        lambda: raw.replace(b"multipart/alternative", b"multipart/digest"),
        lambda: raw.replace(b"multipart/alternative", b"text/multipart; x=multipart/"),
    ))()  # fmt: skip


def cut_off(letter: Travelling, random: Random) -> bytes:
    raw = letter.raw()
    return raw[: random.randrange(len(letter.lines()) // 2, len(raw))]


def line_ends(letter: Travelling, random: Random) -> bytes:
    """Lines that end otherwise, everywhere or here and there."""
    raw, end = letter.raw(), random.choice((b"\n", b"\r", b"\r\r\n", b"\n\r"))
    if random.random() < 0.5:
        return raw.replace(b"\r\n", end)
    at = random.randrange(len(raw))
    return raw[:at] + raw[at:].replace(b"\r\n", end)


def nul_bytes(letter: Travelling, random: Random) -> bytes:
    raw = letter.raw()
    at = random.randrange(len(raw))
    return raw[:at] + b"\x00" * random.choice((1, 5, 70_000)) + raw[at:]


def encodings_that_lie(letter: Travelling, random: Random) -> bytes:
    said = random.choice(
        (b"base64", b"quoted-printable", b"x-uuencode", b"binary", b"x-own", b"\xff")
    )
    return letter.raw().replace(letter.encoding.encode(), said)


def doubled_headers(letter: Travelling, random: Random) -> bytes:
    """Another sender, id, date, type or content type, before or after the first."""
    name, value = random.choice((
        ("From", b"x@evil.example"), ("From", b"donotreply@amazon.com"),
        ("Message-ID", b"<another@evil.example>"), ("Date", b"Thu, 1 Jan 1970 00:00:00 +0000"),
        ("X-Space-Notification-Type", b"BBC_MESSAGE_CONFIRMATION_TO_MERCHANT"),
        ("Content-Type", b"text/html; charset=utf-7"), ("Reply-To", b"x@evil.example"),
        ("Subject", b"another"),
    ))  # fmt: skip
    at = random.choice((0, len(letter.head)))
    letter.head.insert(at, (name, value))
    return letter.raw()


DATES = (
    b"", b"soon", b"Fri, 31 Dec 9999 23:59:59 -2359", b"Mon, 0 Foo 2026 99:99:99 +9999",
    b"Thu, 01 Jan 1970 00:00:00 +0000", b"1 Jan 0001 00:00:00 +0000", b"\x00", b"2026-11-22",
    b"Sun, 22 Nov 2026 10:00:00 +0100 (" + b"(" * 5_000, b"Sun, 22 Nov 2026 09:00:00",
    b"Sun, 22 Nov 292277026596 09:00:00 +0000", b"Tue, 22 Dec 2026 09:00:00 +0000",
)  # fmt: skip


def odd_dates(letter: Travelling, random: Random) -> bytes:
    letter.put("Date", random.choice((*DATES, None)))
    return letter.raw()


IDS = (
    None, b"", b"<>", b"no brackets %s", b"<a b%s@c>", b"<%s" + b"x" * 5_000 + b"@y>",
    b"<%s\x00@\xff>", b"<%s> <z@w>", "<пакет%s@пример>".encode(), b"<../../etc/passwd%s>",
    b"<'; drop table message;--%s>",
)  # fmt: skip


def odd_ids(letter: Travelling, random: Random) -> bytes:
    """An id that is none, is not alone, or that no index holds; no other letter has the same."""
    own, said = letter.value("Message-ID").strip(b"<>"), random.choice(IDS)
    letter.put("Message-ID", said.replace(b"%s", own) if said else said)
    return letter.raw()


# Charsets -------------------------------------------------------------------------------------


def legacy_charset(letter: Travelling, random: Random) -> bytes:
    """The buyer's words in a charset of his country, said as mail programs say it."""
    label, (codec, words) = random.choice(list(LEGACY.items()))
    letter.label, letter.codec, letter.encoding = label, codec, random.choice(("base64", "8bit"))
    if codec in {"utf_16", "utf_7"}:
        letter.encoding = "base64"
    letter.text = (letter.text or "").replace("OK?", words)
    letter.html = letter.html and letter.html.replace("OK?", words)
    letter.put("Subject", f"=?{label}?B?{base64.b64encode(words.encode(codec)).decode()}?=")
    return letter.raw()


def wrong_charset(letter: Travelling, random: Random) -> bytes:
    """Bytes of one charset that are said to be of another, or of none."""
    letter.codec = random.choice(("utf_8", "cp1252", "cp949", "cp932", "utf_16", "iso2022_jp"))
    letter.label = random.choice(WRONG_LABELS)
    raw = letter.content()
    return letter.lines() + raw


# Structure ------------------------------------------------------------------------------------


def deep(letter: Travelling, random: Random) -> bytes:
    """A multipart in a multipart: as deep as is read, one level more, and far too deep."""
    content = letter.content()
    for level in range(random.choice((48, 50, 51, 52, 400))):
        mark = f"d{level}"
        head = f'Content-Type: multipart/mixed; boundary="{mark}"\r\n\r\n'.encode()
        content = head + plain.parted(content, boundary=mark)
    return letter.lines() + content


def letters_in_letters(letter: Travelling, random: Random) -> bytes:
    """The letter is inside others of somebody who is nobody's buyer, several deep."""
    raw = letter.raw()
    for _ in range(random.choice((1, 2, 20))):
        raw = b"Content-Type: message/rfc822\r\n\r\n" + raw
    head = b"From: a colleague <eve@mail.example>\r\nTo: support@shop.example\r\n"
    return head + b"Message-ID: " + letter.value("Message-ID") + b"\r\nSubject: Fwd\r\n" + raw


def many_parts(letter: Travelling, random: Random) -> bytes:
    letter.files += [plain.part("x")] * random.choice((40, 1_200))
    return letter.raw()


def many_headers(letter: Travelling, random: Random) -> bytes:
    letter.head += [(f"X-{n}", b"x" * random.choice((1, 900))) for n in range(1_500)]
    return letter.raw()


def long_headers(letter: Travelling, random: Random) -> bytes:
    name = random.choice(("Subject", "References", "To", "X-Own"))
    letter.put(name, random.choice((b"x", b"<a@b> ", b"=?utf-8?q?x?= ", b"(", b'"', b",")) * 30_000)
    return letter.raw()


def long_lines(letter: Travelling, random: Random) -> bytes:
    """One line of a megabyte, of what expressions like to look at."""
    line = random.choice(
        ("x", "-", "> ", "-----", "within 3 days ", "On x wrote:", "\u3042", " ", "==")
    )
    letter.text = f"{letter.text or ''}\n{line * (1_000_000 // len(line))}"
    return letter.raw()


def many_lines(letter: Travelling, random: Random) -> bytes:
    """Thousands of lines that look like those of a wrapper, a quote or a form."""
    line = random.choice((
        "------------- Message: -------------", "# 302-1234567-1234567:", "> > > x", "From: a@b",
        "Order: 302-1234567-1234567", "https://sellercentral.amazon.de/messaging/inbox?ss=x",
        "[commMgrTok:x]", "Please respond within 3 days.", "-----Original Message-----", "",
    ))  # fmt: skip
    letter.text = "\n".join([letter.text or "", *[line] * 20_000])
    return letter.raw()


def html_bomb(letter: Travelling, random: Random) -> bytes:
    """Tags that a parser would make millions of elements of, or never end."""
    letter.text = None
    inside = random.choice((
        "<b id=1><p>" * 9_000, "<table><tr><td>" * 6_000, "<!--" * 50_000, "<pre>" * 20_000,
        '<a "' * 50_000, "&lt;" * 90_000, "<svg><math>" * 9_000, "<pre>" + "&nbsp;" * 90_000,
    ))  # fmt: skip
    letter.html = f"{letter.html or ''}{inside}"
    return letter.raw()


# Attachments ----------------------------------------------------------------------------------


def _zip(levels: int) -> bytes:
    """An archive of a few kB that is megabytes, in archives."""
    packed = b"\x00" * 20_000_000
    for level in range(levels):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{level}.zip", packed)
        packed = made.getvalue()
    return packed


def _tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        info = tarfile.TarInfo("../../etc/passwd")
        info.size = 20_000_000
        archive.addfile(info, io.BytesIO(b"\x00" * info.size))
    return made.getvalue()


BOMBS = {"zip": _zip(1), "zip in zip": _zip(3), "tar.gz": _tar()}


def archive_bomb(letter: Travelling, random: Random) -> bytes:
    name, content = random.choice(list(BOMBS.items()))
    letter.files.append(plain.attached(content, "application/zip", f"photos.{name}"))
    return letter.raw()


def odd_files(letter: Travelling, random: Random) -> bytes:
    """Files that are no pictures of a broken bottle."""
    name, media_type, content = random.choice((
        ("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22tnef"),
        ("smime.p7m", "application/pkcs7-mime", b"\x30\x80"),
        ("../../../etc/passwd", "text/plain", b"root"),
        ("\u202egpj.exe", "application/x-msdownload", b"MZ"),
        ("x" * 5_000, "image/png", b""), ("", "x" * 5_000, b"x"), ("a\r\nFrom: x", "a/b", b"x"),
        (f"{CANARY}.jpg", "image/jpeg", b"\xff\xd8" * 9_000),
    ))  # fmt: skip
    letter.files.append(plain.attached(content, media_type, name))
    return letter.raw()


def winmail_alone(letter: Travelling, random: Random) -> bytes:
    """All that was written is in a file that one program reads."""
    head = b"Content-Type: application/ms-tnef; name=winmail.dat\r\n"
    encoded = base64.encodebytes(b"\x78\x9f\x3e\x22" + CANARY.encode() * 40)
    return letter.lines() + head + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded


def invitation(letter: Travelling, random: Random) -> bytes:
    """A meeting: beside the words, or in their place."""
    calendar = plain.part(
        f"BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:{CANARY}\nEND:VEVENT\n"
        "END:VCALENDAR",
        "text/calendar; charset=utf-8; method=REQUEST",
    )
    if random.random() < 0.5:
        return letter.lines() + calendar
    letter.files.append(calendar)
    return letter.raw()


def empty(letter: Travelling, random: Random) -> bytes:
    """No words: none at all, or a picture alone."""
    if random.random() < 0.5:
        return letter.lines() + b"\r\n"
    picture = plain.attached(b"\x89PNG", "image/png", "x.png")
    return letter.lines() + picture


# Meant to harm --------------------------------------------------------------------------------


def looping(letter: Travelling, random: Random) -> bytes:
    hops = [("Received", b"from a by b; Sat, 21 Nov 2026 18:04:11 +0000")] * 70
    letter.head = [*hops, ("Delivered-To", b"support@shop.example"), *letter.head]
    letter.put("X-Loop", b"support@shop.example")
    return letter.raw()


def says_that_it_is_signed(letter: Travelling, random: Random) -> bytes:
    """It brings results of checks of its own, below those of the mailbox's server."""
    said = f"{random.choice(('mx.google.com', 'amazon.de', 'mx.shop.example.evil.example'))};"
    letter.head.insert(
        0, ("Authentication-Results", f"{said} dkim=pass header.d=amazon.de".encode())
    )
    return letter.raw()


def hidden_sender(letter: Travelling, random: Random) -> bytes:
    """The alias stands where a program shows it, and somebody else is the sender."""
    alias = letter.value("From").rpartition(b"<")[2].rstrip(b">")
    letter.put("From", random.choice((
        b'"%s" <x@evil.example>', b"x@evil.example (%s)", b"=?utf-8?q?=3C%s=3E?= <x@evil.example>",
        b"<x@evil.example>, %s", b'"<%s>" <x@evil.example>', b"%s@evil.example",
        b"Amazon <%s.evil.example>",
    )) % alias)  # fmt: skip
    letter.put("Reply-To", None)
    letter.put("X-Space-Notification-Type", None)
    return letter.raw()


def a_report(letter: Travelling, random: Random) -> bytes:
    """It claims that a letter of ours did not arrive, or that it did."""
    action = random.choice(("failed", "delayed", "delivered", "relayed", "\x00"))
    report = plain.part(
        f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; {letters.ALIAS}\nAction: {action}\n"
        "Status: 5.1.1",
        "message/delivery-status",
    )
    returned = plain.part("Message-ID: <outbox-7731@shop.example>", "text/rfc822-headers")
    body = plain.parted(plain.part(CANARY), report, returned, boundary="r1")
    kind = b'Content-Type: multipart/report; report-type=delivery-status; boundary="r1"\r\n\r\n'
    return letter.lines() + kind + body


HARMS: dict[str, Harm] = {
    each.__name__.replace("_", " "): each
    for each in (
        nothing, without_headers, raw_headers, broken_words, broken_multipart, cut_off, line_ends,
        nul_bytes, encodings_that_lie, doubled_headers, odd_dates, odd_ids, legacy_charset,
        wrong_charset, deep, letters_in_letters, many_parts, many_headers, long_headers, long_lines,
        many_lines, html_bomb, archive_bomb, odd_files, winmail_alone, invitation, empty, looping,
        says_that_it_is_signed, hidden_sender, a_report,
    )
}  # fmt: skip

PIECES = (
    b"\r\n", b"\n", b"\r\n\r\n", b"--a1", b"--a1--", b"Content-Type: ", b"=?", b"?=",
    b"message/rfc822",
    b"\x00", b"\xff", b"\x1b$B", b'"', b"<", b">", b"(", b";", b":", b"From: ", b"Message-ID: ",
    b"Authentication-Results: ", b"charset=utf-7", b"------------- x -------------\r\n", b"<pre>",
    b"@marketplace.amazon.de", b"BBC_MESSAGE_SENT_TO_MERCHANT", b"302-1234567-1234567",
)  # fmt: skip


def mutated(raw: bytes, random: Random) -> bytes:
    """*raw* with pieces put in, taken out, copied, turned round."""
    for _ in range(random.randint(1, 6)):
        at = random.randrange(len(raw) + 1)
        to = min(len(raw), at + random.choice((1, 8, 60, 2_000)))
        how = random.randrange(5)
        if how == 0:
            raw = raw[:at] + random.choice(PIECES) + raw[at:]
        elif how == 1:
            raw = raw[:at] + raw[to:]
        elif how == 2:
            place = random.randrange(len(raw) + 1)
            raw = raw[:place] + raw[at:to] + raw[place:]
        elif how == 3:
            raw = (
                raw[:at]
                + bytes(byte ^ random.choice((0x20, 0x80, 1)) for byte in raw[at:to])
                + raw[to:]
            )
        else:
            raw = raw[:at] + random.randbytes(random.randint(1, 8)) + raw[to:]
    return raw
