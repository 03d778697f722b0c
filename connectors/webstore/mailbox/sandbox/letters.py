"""What lies in a shop's mailbox, as bytes: buyers' letters, forms, and what nobody wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Literal

from core.sandbox import mail_writing
from core.sandbox.mail_writing import LINE, Content, File, address, date, with_headers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Shape = Literal["text", "html", "both", "mislabelled"]
"""How a mail program writes: ``mislabelled`` says that its Korean or its UTF-8 is ASCII."""

Proof = Literal["pass", "fail", "none"]

NOREPLY = "noreply@shop.example"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it left; *sender_domain* is that of ``From``, *proof* what its check comes to."""

    message_id: str
    at: datetime
    raw: bytes = field(repr=False)
    sender_domain: str
    proof: Proof = "pass"
    return_path: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody writes; *refers*: the mail program names the letters before it."""

    words: str
    subject: str
    quoted: str = ""
    answers: tuple[str, ...] = ()
    refers: bool = True
    shape: Shape = "text"
    files: tuple[File, ...] = ()


def arrived(letter: Letter, user: str, server: str, at: datetime) -> bytes:
    """*letter* as it lies in the mailbox of *user*: what the server found stands above it."""
    domain = letter.sender_domain
    lines = [f"Return-Path: <{letter.return_path}>", f"Delivered-To: {user}"]
    if letter.proof != "none":
        found = f"dkim={letter.proof} header.d={domain};{LINE} dmarc={letter.proof}"
        lines.append(f"Authentication-Results: {server};{LINE} {found} header.from={domain}")
    lines.append(f"Received: from mail.{domain} by {server} with ESMTPS; {date(at)}")
    return "".join(f"{line}{LINE}" for line in lines).encode("ascii") + letter.raw


def by_buyer(
    written: Written, name: str, mail: str, to: str, id_: str, at: datetime, proof: Proof = "pass"
) -> Letter:
    """A letter that a buyer writes with a mail program."""
    headers = {
        "Date": date(at),
        "From": address(name, mail),
        "To": to,
        "Message-ID": f"<{id_}>",
        "Subject": written.subject,
        **_references(written),
    }
    raw = _raw(headers, written, name)
    return Letter(id_, at, raw, mail.rpartition("@")[2], proof, mail)


def by_form(
    written: Written, name: str, mail: str, to: str, id_: str, at: datetime, *, automatic: bool
) -> Letter:
    """What somebody wrote into the shop's contact form: it comes from the shop itself."""
    headers = {
        "Date": date(at),
        "From": address("My Shop", NOREPLY),
        "Reply-To": address(name, mail),
        "To": to,
        "Message-ID": f"<{id_}>",
        "Subject": f"[Contact] {written.subject}",
        "Auto-Submitted": "auto-generated" if automatic else "",
    }
    told = f"Name: {name}\nE-mail: {mail}\n\nMessage:\n{written.words}\n"
    raw = mail_writing.raw(with_headers(headers), Content(told, files=written.files))
    return Letter(id_, at, raw, "shop.example", "pass", NOREPLY)


def by_agent(written: Written, sender: str, to: str, id_: str, at: datetime) -> Letter:
    """What somebody of the shop writes with a mail program, as that keeps it."""
    headers = {
        "Date": date(at),
        "From": address("Example Shop", sender),
        "To": to,
        "Message-ID": f"<{id_}>",
        "Subject": written.subject,
        **_references(written),
    }
    return Letter(id_, at, _raw(headers, written, "Example Shop"), sender.rpartition("@")[2])


def away(mail: str, to: str, answers: str, id_: str, at: datetime) -> Letter:
    """The answer of somebody who is on holiday."""
    return _made(
        mail, to, id_, at, "Automatic reply: Re: Your order",
        {"In-Reply-To": f"<{answers}>", "Auto-Submitted": "auto-replied",
         "X-Auto-Response-Suppress": "All"},
        "I am away until Monday.",
    )  # fmt: skip


def newsletter(to: str, id_: str, at: datetime) -> Letter:
    """What a list sends."""
    told = {"List-Id": "<news.example>", "List-Unsubscribe": "<https://news.example/off>",
            "Precedence": "bulk"}  # fmt: skip
    return _made("news@news.example", to, id_, at, "Ten ideas for your shop", told, "Buy!")


def of_marketplace(to: str, id_: str, at: datetime) -> Letter:
    """What a marketplace tells a seller, who sells there too."""
    return _made("transaction@etsy.com", to, id_, at, "You have a message about order 2718",
                 {}, "Somebody wrote to you on Etsy.")  # fmt: skip


def spam(to: str, id_: str, at: datetime) -> Letter:
    """What nobody wants: a person seems to have written it."""
    mail = f"{id_.partition('@')[0]}@spam.example"
    return _made(mail, to, id_, at, "Better visibility", {}, "I looked at your page.")


def kept(raw: bytes, at: datetime) -> Letter:
    """A letter that left, as a provider keeps it."""
    return Letter(mail_writing.message_id(raw), at, raw, "")


def _made(
    mail: str, to: str, id_: str, at: datetime, subject: str, more: Mapping[str, str], words: str
) -> Letter:
    headers = {"Date": date(at), "From": mail, "To": to, "Message-ID": f"<{id_}>",
               "Subject": subject, **more}  # fmt: skip
    raw = mail_writing.raw(with_headers(headers), Content(f"{words}\n"))
    return Letter(id_, at, raw, mail.rpartition("@")[2], "pass", mail)


def _references(written: Written) -> dict[str, str]:
    if not written.answers or not written.refers:
        return {}
    named = " ".join(f"<{one}>" for one in written.answers)
    return {"In-Reply-To": f"<{written.answers[-1]}>", "References": named}


def _raw(headers: Mapping[str, str], written: Written, name: str) -> bytes:
    lines = [f"> {line}" for line in written.quoted.splitlines()]
    leads = f"On Mon, 23 Nov 2026 at 10:00, {name} <somebody@mail.example> wrote:"
    text = "\n".join([written.words, "", leads, *lines] if lines else [written.words])
    if written.shape == "mislabelled":
        return _mislabelled(headers, text)
    html = f"<div>{escape(written.words)}</div>{_quote(written.quoted)}"
    content = Content(
        None if written.shape == "html" else text,
        None if written.shape == "text" else html,
        written.files,
    )
    return mail_writing.raw(with_headers(headers), content)


def _quote(quoted: str) -> str:
    if not quoted:
        return ""
    return f'<div class="gmail_quote"><blockquote>{escape(quoted)}</blockquote></div>'


def _mislabelled(headers: Mapping[str, str], text: str) -> bytes:
    """As old programs write: 8-bit headers, and a body that is not what its label says."""
    lines = [f"{name}: {value}" for name, value in with_headers(headers)]
    lines += ["MIME-Version: 1.0", 'Content-Type: text/plain; charset="us-ascii"', "", text]
    return _crlf(lines)


def _crlf(lines: Sequence[str]) -> bytes:
    return LINE.join(LINE.join(lines).splitlines()).encode() + LINE.encode()
