"""Letters as they travel, the good ones and the hostile ones: small builders that give bytes.

All people, shops and numbers in them are invented.
"""

from __future__ import annotations

import base64
import io
import zipfile

BUYER = "ana@mail.example"
SHOP = "support@shop.example"
ALIAS = "k3v9q2m7t1x4b8z+5f0c2a1e-7b6d-4c3f-9a2e-1d0b8c7f6e5a@marketplace.amazon.de"
DATE = "Sat, 21 Nov 2026 18:04:11 +0000"
WORDS = "Where is my parcel?"
OUR_ID = "our-1@shop.example"

USUAL = {
    "From": f"Ana <{BUYER}>",
    "To": SHOP,
    "Subject": "Your order",
    "Date": DATE,
    "Message-ID": "<1@mail.example>",
}


def letter(body: str | bytes = WORDS, /, **headers: str | bytes | None) -> bytes:
    """A letter with the usual headers; ``content_type=...`` adds one, None takes one out."""
    told: dict[str, str | bytes | None] = dict(USUAL)
    for name, value in headers.items():
        known = {key.lower(): key for key in told}
        plain = name.replace("_", "-")
        told[known.get(plain.lower(), plain)] = value
    lines = [
        f"{name}: ".encode() + encoded(value) for name, value in told.items() if value is not None
    ]
    return b"\r\n".join([*lines, b"", encoded(body)])


def encoded(said: str | bytes) -> bytes:
    return said if isinstance(said, bytes) else said.replace("\n", "\r\n").encode()


def part(
    body: str | bytes, content_type: str = "text/plain; charset=utf-8", /, **headers: str
) -> bytes:
    named = [f"Content-Type: {content_type}"]
    named += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return b"\r\n".join([*(line.encode() for line in named), b"", encoded(body)])


def parted(*parts: bytes, boundary: str = "b1", end: bool = True) -> bytes:
    """The content of a multipart."""
    opened = b"".join(b"--" + boundary.encode() + b"\r\n" + each + b"\r\n" for each in parts)
    return opened + (b"--" + boundary.encode() + b"--\r\n" if end else b"")


def multipart(
    *parts: bytes, kind: str = "mixed", boundary: str = "b1", end: bool = True, **more: str
) -> bytes:
    told = more.pop("content_type", f'multipart/{kind}; boundary="{boundary}"')
    return letter(parted(*parts, boundary=boundary, end=end), content_type=told, **more)


def nested(*parts: bytes, kind: str, boundary: str) -> bytes:
    """A multipart as a part of another."""
    return part(parted(*parts, boundary=boundary), f'multipart/{kind}; boundary="{boundary}"')


def attached(content: bytes, media_type: str, name: str) -> bytes:
    return part(
        base64.encodebytes(content),
        f'{media_type}; name="{name}"',
        Content_Transfer_Encoding="base64",
        Content_Disposition=f'attachment; filename="{name}"',
    )


def amazon(words: str = WORDS, *, html: str = "<p>Where is my parcel?</p>") -> bytes:
    """A buyer's letter as Amazon relays it."""
    text = (
        "You have received a message.\n\n------------- Message: -------------\n\n"
        f"{words}\n\n------------- End message -------------\n"
    )
    return multipart(
        part(text), part(html, "text/html; charset=utf-8"), kind="alternative",
        From=f'"Ana - Amazon Marketplace" <{ALIAS}>', Reply_To=ALIAS,
        Subject="=?utf-8?q?Frage_von_Amazon-Kunde_=C3=81na?=",
        X_Space_Notification_Type="BBC_MESSAGE_SENT_TO_MERCHANT",
        Feedback_ID="::1.eu-west-1.abc:AmazonSES",
    )  # fmt: skip


# The hostile ones -----------------------------------------------------------------------------


def without_headers() -> bytes:
    return b"Where is my parcel?\r\nIt should be here: by now.\r\n"


def with_raw_headers(charset: str = "utf-8", name: str = "Jürgen Müller") -> bytes:
    """Headers in bytes beyond ASCII, as old programs write them."""
    return letter(
        WORDS, From=f'"{name}" <{BUYER}>'.encode(charset),
        Subject=f"Grüße von {name}".encode(charset),
        content_type=f"text/plain; charset={charset}",
    )  # fmt: skip


def unended() -> bytes:
    return multipart(part(WORDS), part("<p>x</p>", "text/html"), end=False)


def wrong_boundary() -> bytes:
    return multipart(part(WORDS), boundary="b1", content_type='multipart/mixed; boundary="other"')


def without_boundary() -> bytes:
    return multipart(part(WORDS), content_type="multipart/mixed")


def without_parts() -> bytes:
    return letter(WORDS, content_type='multipart/mixed; boundary="b1"')


def deep(levels: int) -> bytes:
    """A text in a multipart in a multipart, *levels* of them."""
    heads = [
        f'Content-Type: multipart/mixed; boundary="b{i}"\r\n\r\n--b{i}\r\n'.encode()
        for i in range(levels)
    ]
    tails = [f"\r\n--b{i}--\r\n".encode() for i in reversed(range(levels))]
    usual = letter("")[: -len(b"\r\n")]
    return usual + b"".join(heads) + part(WORDS) + b"".join(tails)


def letters_in_letters(levels: int) -> bytes:
    inner = letter("the innermost", From="innermost@other.example")
    for _ in range(levels):
        inner = letter(inner, content_type="message/rfc822")
    return inner


def large(size: int) -> bytes:
    return multipart(part(WORDS), attached(b"\x00" * size, "application/zip", "photos.zip"))


def many_headers(count: int) -> bytes:
    return b"".join(b"X-%d: x\r\n" % i for i in range(count)) + letter()


def many_words(count: int) -> bytes:
    return letter(Subject="=?" * count)


def forged() -> bytes:
    """It says that it is Amazon's, and its sender wrote the proof as well."""
    return letter(
        WORDS, From=f'"Ana - Amazon Marketplace" <{ALIAS}>',
        Authentication_Results="mx.shop.example; dkim=pass header.d=amazon.de;"
        " dmarc=pass header.from=marketplace.amazon.de",
    )  # fmt: skip


def looping() -> bytes:
    seen = b"".join(
        b"Received: from a by b; Sat, 21 Nov 2026 18:04:%02d +0000\r\n" % (i % 60)
        for i in range(60)
    )
    return seen + b"Delivered-To: support@shop.example\r\n" * 2 + letter(X_Loop=SHOP)


def winmail() -> bytes:
    return multipart(
        part(WORDS), attached(b"\x78\x9f\x3e\x22tnef", "application/ms-tnef", "winmail.dat")
    )


def invitation() -> bytes:
    calendar = part(
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR",
        "text/calendar; charset=utf-8; method=REQUEST",
    )
    return multipart(part(WORDS), calendar, kind="alternative")


def signed() -> bytes:
    return multipart(
        part(WORDS),
        attached(b"\x30\x80", "application/pkcs7-signature", "smime.p7s"),
        kind="signed",
    )


def archive_bomb() -> bytes:
    """An archive of 30 kB that would be 30 MB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\x00" * 30_000_000)
    return multipart(part(WORDS), attached(packed.getvalue(), "application/zip", "bomb.zip"))


def in_charset(words: str, codec: str, label: str | None = None) -> bytes:
    """Text and subject in *codec*, said to be *label* (left out where it is empty)."""
    label = codec if label is None else label
    raw = words.encode(codec)
    subject = f"=?{label or 'unknown-8bit'}?B?{base64.b64encode(raw).decode()}?="
    content_type = f'text/plain; charset="{label}"' if label else "text/plain"
    return letter(raw, Subject=subject, content_type=content_type, Content_Transfer_Encoding="8bit")


def bounce(
    action: str = "failed", status: str = "5.1.1", *, of: str = OUR_ID, recipient: str = BUYER
) -> bytes:
    told = (
        f"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; {recipient}\n"
        f"Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; 550 no such user"
    )
    return multipart(
        part("It could not be delivered."),
        part(told, "message/delivery-status"),
        part(f"From: {SHOP}\nMessage-ID: <{of}>\nSubject: Re: Your order", "text/rfc822-headers"),
        kind="report", content_type='multipart/report; report-type=delivery-status; boundary="b1"',
        Return_Path="<>", From="MAILER-DAEMON@mx.example", Subject="Undelivered Mail",
        Auto_Submitted="auto-replied",
    )  # fmt: skip


def delay() -> bytes:
    return bounce("delayed", "4.4.1")


def exim_bounce() -> bytes:
    text = (
        f"A message could not be delivered.\n\n  {BUYER}\n\nMessage-ID: <{OUR_ID}>\nFrom: {SHOP}\n"
    )
    return letter(
        text, X_Failed_Recipients=BUYER, Return_Path="<>", From="Mailer-Daemon@mx.example"
    )


def vacation() -> bytes:
    return letter(
        "I am away.", Subject="Automatic reply: Re: Your order", In_Reply_To=f"<{OUR_ID}>",
        Auto_Submitted="auto-replied", X_Auto_Response_Suppress="All",
    )  # fmt: skip


def receipt() -> bytes:
    told = (
        f"Original-Message-ID: <{OUR_ID}>\nDisposition: manual-action/MDN-sent-manually; displayed"
    )
    return multipart(
        part("Your message was displayed."), part(told, "message/disposition-notification"),
        content_type='multipart/report; report-type=disposition-notification; boundary="b1"',
    )  # fmt: skip


def complaint() -> bytes:
    return multipart(
        part("A complaint."), part("Feedback-Type: abuse", "message/feedback-report"),
        part(letter(From=SHOP), "message/rfc822"),
        content_type='multipart/report; report-type=feedback-report; boundary="b1"',
    )  # fmt: skip


def contact_form() -> bytes:
    return letter(
        WORDS, From='"My Shop" <noreply@shop.example>', Reply_To=BUYER,
        Subject="[Contact] Where is order 100123?", Auto_Submitted="auto-generated",
    )  # fmt: skip


HOSTILE = {
    "no headers": without_headers, "raw headers": with_raw_headers, "no end": unended,
    "wrong boundary": wrong_boundary, "no boundary": without_boundary, "no parts": without_parts,
    "50 levels": lambda: deep(50), "2,000 levels": lambda: deep(2_000),
    "letters in letters": lambda: letters_in_letters(20), "forged": forged, "looping": looping,
    "winmail.dat": winmail, "invitation": invitation, "signed": signed,
    "archive bomb": archive_bomb, "many headers": lambda: many_headers(5_000),
    "korean": lambda: in_charset("안녕하세요, 언제 도착하나요?", "cp949", "ks_c_5601-1987"),
    "japanese": lambda: in_charset("いつ届きますか。", "iso2022_jp", "iso-2022-jp"),
    "wrong charset": lambda: in_charset("Schöne Grüße", "utf-8", "us-ascii"),
    "bounce": bounce, "delay": delay, "exim": exim_bounce, "vacation": vacation,
    "receipt": receipt, "complaint": complaint, "contact form": contact_form, "amazon": amazon,
    "empty": lambda: b"",
}  # fmt: skip
"""A sample of each kind, small enough to be read in every test."""
