"""Composed letters as the bytes that lie in a mailbox, under what its server noted.

Whoever writes a letter decides about every byte of it but those that the server puts before it.
"""

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass, field
from email.header import Header
from email.utils import format_datetime
from html import escape
from random import Random
from typing import TYPE_CHECKING

from tests.connectors.amazon import letters
from tests.connectors.amazon.letters import SENT, SUPPORT
from tests.core import letters as plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.transport.mime import Mail

CANARY = "kanarienvogel"
"""Stands in all that a buyer wrote, and in his name and address: no log or label may hold it."""

SERVER = "mx.shop.example"
FOUND = {
    "pass": "dkim=pass header.d=amazon.de header.s=k; dmarc=pass header.from=amazon.de",
    "fail": "dkim=fail header.d=amazon.de; dmarc=fail header.from=marketplace.amazon.de",
    "none": "dkim=none; spf=pass smtp.mailfrom=evil.example; dmarc=fail header.from=amazon.de",
    "another's": "dkim=pass header.d=evil.example; dmarc=fail header.from=amazon.de",
}
"""What the server may find; all but ``pass`` is forged where a letter says that it is Amazon's."""

LANGUAGES = tuple(letters.WRAPPERS)
WORDS = {
    "cp949": "안녕하세요, 언제 도착하나요?",
    "cp932": "いつ届きますか。",
    "utf-8": "wo bleibt mein Päckchen?",
}


@dataclass(slots=True)
class Travelling:
    """A letter before it is bytes: header lines in their order, and what it holds.

    *label* is the charset that it claims, *codec* the one that it is in; *files* are whole parts.
    """

    head: list[tuple[str, bytes]]
    text: str | None
    html: str | None = None
    label: str = "utf-8"
    codec: str = "utf-8"
    encoding: str = "quoted-printable"
    files: list[bytes] = field(default_factory=list)

    def put(self, name: str, value: str | bytes | None) -> None:
        """Have one header *name*, or none, in place of those there are."""
        self.head = [each for each in self.head if each[0].lower() != name.lower()]
        if value is not None:
            self.head.append((name, value if isinstance(value, bytes) else value.encode()))

    def value(self, name: str) -> bytes:
        return next((value for known, value in self.head if known.lower() == name.lower()), b"")

    def lines(self) -> bytes:
        """The header lines."""
        return b"".join(name.encode() + b": " + value + b"\r\n" for name, value in self.head)

    def part(self, said: str, kind: str) -> bytes:
        raw = said.replace("\n", "\r\n").encode(self.codec, "replace")
        if self.encoding != "8bit":
            encode = (
                quopri.encodestring if self.encoding == "quoted-printable" else base64.encodebytes
            )
            raw = encode(raw).replace(b"\n", b"\r\n")
        charset = f"; charset={self.label}" if self.label else ""
        head = f"Content-Type: text/{kind}{charset}\r\nContent-Transfer-Encoding: {self.encoding}"
        return head.encode() + b"\r\n\r\n" + raw

    def content(self) -> bytes:
        """What follows the header lines: their last ones, a gap, the parts."""
        told = ((self.text, "plain"), (self.html, "html"))
        bodies = [self.part(said, kind) for said, kind in told if said is not None]
        if len(bodies) == 1 and not self.files:
            return bodies[0]
        both = _multipart("alternative", bodies, "a1") if len(bodies) > 1 else bodies[0]
        return _multipart("mixed", [both, *self.files], "m1") if self.files else both

    def raw(self) -> bytes:
        return self.lines() + self.content()


def _multipart(kind: str, parts: Sequence[bytes], mark: str) -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="{mark}"\r\n\r\n'.encode()
    return head + plain.parted(*parts, boundary=mark)


@dataclass(frozen=True, slots=True)
class Who:
    """A buyer, his case and his order: the *n*th of a *mark*."""

    mark: str
    n: int

    @property
    def order(self) -> str:
        return f"302-{abs(hash_of(self.mark)) % 10**7:07}-{self.n:07}"

    @property
    def alias(self) -> str:
        return f"{CANARY}{self.n:06}{self.mark}+{self.case}@marketplace.amazon.de"

    @property
    def case(self) -> str:
        return f"5f0c2a1e-7b6d-4c3f-{hash_of(self.mark) % 10**4:04}-{self.n:012}"

    @property
    def message_id(self) -> str:
        return f"{self.mark}-{self.n:08}-000000@eu-west-1.amazonses.com"


def hash_of(text: str) -> int:
    """A number of *text*, the same in every process."""
    return Random(text).getrandbits(32)


def question(who: Who, random: Random, **more) -> Mail:
    """A buyer's letter in any language of the wrapper."""
    language = random.choice(LANGUAGES)
    subject = random.choice(tuple(letters.SUBJECTS.values())).format(order=who.order)
    words = f"{CANARY}: {random.choice(tuple(WORDS.values()))}\nOK?"
    told = {"name": f"{CANARY} - Amazon Marketplace", "sender": who.alias, "subject": subject,
            "message_id": who.message_id}  # fmt: skip
    return letters.question(language, words, who.order, **{**told, **more})


def without_wrapper(who: Who, random: Random) -> Mail:
    return letters.mail(
        f"{CANARY}: where is it?", sender=who.alias, name=CANARY, message_id=who.message_id
    )


def form(who: Who, random: Random) -> Mail:
    """What Amazon's customer service writes for a buyer."""
    text = (
        f"Hello,\n\nOrder#: {who.order}\nItem: Steel bottle\nReason: Where is it?\n"
        f"Details: {CANARY}\n\n{letters.FOOTER}"
    )
    return letters.mail(text, sender=who.alias, name=CANARY, message_id=who.message_id,
                        kind="BBC_MESSAGE_SENT_TO_MERCHANT")  # fmt: skip


def vacation(who: Who, random: Random) -> Mail:
    """An automatic answer of the buyer's."""
    mail = question(who, random, automatic="reply")
    return letters.mail(
        mail.text, sender=who.alias, name=CANARY, message_id=who.message_id,
        kind="BBC_MESSAGE_SENT_TO_MERCHANT", headers={"auto-submitted": "auto-replied"},
    )  # fmt: skip


def of_a_list(who: Who, random: Random) -> Mail:
    """A buyer's letter in which a mailing list put itself in the sender's place."""
    return question(who, random, sender="team@lists.shop.example", reply_to=who.alias)


def _notice(kind: str, text: str) -> Callable[[Who, Random], Mail]:
    def made(who: Who, random: Random) -> Mail:
        said = f"{CANARY} {text.format(order=who.order)}"
        return letters.notice(kind, said, message_id=who.message_id, subject=f"{CANARY} {kind}")

    return made


def chargeback(who: Who, random: Random) -> Mail:
    text = f"{CANARY}: please respond within 7 days to the chargeback of order {who.order}."
    return letters.mail(text, sender="cb-seller@amazon.de", name="Amazon", subject="Chargeback",
                        message_id=who.message_id)  # fmt: skip


def _claim(who: Who, random: Random) -> Mail:
    sentence = random.choice([said for said, _ in letters.CLAIMS.values()])
    return letters.claim(f"{CANARY}. {sentence}", who.order, message_id=who.message_id)


def _decision(who: Who, random: Random) -> Mail:
    return letters.notice(
        "A_Z_CLAIM_RESPONDENT_CLOSE", f"{CANARY}: granted, order {who.order}",
        sender="atoz-guarantee-no-reply@amazon.de", message_id=who.message_id,
    )  # fmt: skip


def _copy(who: Who, random: Random) -> Mail:
    subject = f"Ihre E-Mail an {CANARY}"
    return letters.copy(who.order, f"{CANARY} ok", message_id=who.message_id, subject=subject)


def _opt_out(who: Who, random: Random) -> Mail:
    return letters.opt_out(who.order, message_id=who.message_id)


def _foreign(who: Who, random: Random) -> Mail:
    return letters.mail(f"{CANARY}: buy this", sender="news@mail.example", name="News",
                        message_id=who.message_id, subject="Sale", headers={})  # fmt: skip


def _named_amazon(who: Who, random: Random) -> Mail:
    return letters.mail(f"{CANARY}: log in now", sender="x@evil.example", name="Amazon",
                        message_id=who.message_id, subject="Your account")  # fmt: skip


def _looks_alike(who: Who, random: Random) -> Mail:
    host = random.choice(("marketplace-amazon.de", "amazon.com.evil.example", "xn--amzon-1ra.de",
                          "marketplace.amazon.de.evil.example", "amazon-shop.example"))  # fmt: skip
    sender = f"{CANARY}{who.n:06}@{host}"
    return question(who, random, sender=sender, reply_to=sender, kind=None)


BUYERS: dict[str, Callable[[Who, Random], Mail]] = {
    "question": question, "without wrapper": without_wrapper, "form": form, "list": of_a_list,
}  # fmt: skip
"""Letters that start a clock, where they are not forged."""

NOT_BUYERS: dict[str, Callable[[Who, Random], Mail]] = {
    "vacation": vacation, "copy": _copy, "opt-out": _opt_out, "claim": _claim,
    "decision": _decision, "chargeback": chargeback, "foreign": _foreign,
    "named Amazon": _named_amazon, "looks alike": _looks_alike,
    "return": _notice("RETURN_REQUEST", "Order {order}. Please respond within 24 hours."),
    "refund": _notice("REFUND_ISSUED", "Refund of order {order}"),
    "cancellation": _notice("BRC_SELLER_NOTIFICATION", "Cancel order {order}"),
    "news": _notice("A_TYPE_THAT_IS_NEW", "Order {order}: something"),
}  # fmt: skip

ASKING = frozenset({"claim", "return", "chargeback", "cancellation"})
"""Letters that may give a deadline of their own."""


def travelling(mail: Mail, random: Random) -> Travelling:
    """*mail* as text, as HTML or as both, in one of the encodings that relays use."""
    head = [(name.title(), value.encode()) for name, (value,) in mail.headers.items()]
    head += [
        ("From", _mailbox(mail.sender.name, mail.sender.address)),
        ("To", SUPPORT.encode()),
        ("Subject", _word(mail.subject)),
        ("Date", format_datetime(mail.date or SENT).encode()),
        ("Message-ID", f"<{mail.message_id}>".encode()),
        ("MIME-Version", b"1.0"),
    ]
    head += [("Reply-To", one.address.encode()) for one in mail.reply_to]
    layout = random.choice(("text", "html", "both"))
    html = mail.html or _html(mail.text)
    return Travelling(
        head,
        None if layout == "html" else mail.text,
        None if layout == "text" else html,
        encoding=random.choice(("quoted-printable", "base64", "8bit")),
    )


def _html(text: str) -> str:
    """As Amazon does: lines broken, the buyer's words in the one ``<pre>``."""
    said = escape(text)
    for _, opens, closes in letters.WRAPPERS.values():
        begin, end = (f"------------- {escape(one)} -------------" for one in (opens, closes))
        if begin in said and end in said:
            before, _, rest = said.partition(begin)
            words, _, after = rest.partition(end)
            said = f"{before.replace(chr(10), '<br>')}<pre>{words}</pre>{after}"
            break
    else:
        said = said.replace("\n", "<br>")
    return f"<html><body><div>{said}</div></body></html>"


def _mailbox(name: str, address: str) -> bytes:
    return (
        f'"{name}" <{address}>'.encode()
        if name.isascii()
        else _word(name) + f" <{address}>".encode()
    )


def _word(said: str) -> bytes:
    return said.encode() if said.isascii() else Header(said, "utf-8", 10_000).encode().encode()


def arrived(raw: bytes, verdict: str | None) -> bytes:
    """*raw* with what the mailbox's server notes; *verdict* None: it checks no signatures."""
    noted = [
        f"Return-Path: <bounces@{'evil.example' if verdict != 'pass' else 'amazonses.com'}>",
        f"Delivered-To: {SUPPORT}",
        f"Received: from somewhere by {SERVER} with ESMTPS id 1; {format_datetime(SENT)}",
    ]
    if verdict is not None:
        noted.append(f"Authentication-Results: {SERVER}; {FOUND[verdict]}")
    return "\r\n".join([*noted, ""]).encode() + raw
