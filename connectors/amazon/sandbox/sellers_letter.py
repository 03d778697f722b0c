"""What a seller writes to a buyer from a mail program, and how a mail server keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.amazon.sandbox import composing
from connectors.amazon.sandbox.composing import Content, Letter
from core.sandbox import mail_writing

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.amazon.sandbox.author import Author
    from connectors.amazon.sandbox.cases import Case, Entry


def answered(
    author: Author,
    case: Case,
    words: str,
    at: datetime,
    asked: Entry | None,
    *,
    to: str,
    sender: str,
) -> Letter:
    """An answer as a mail program writes it, with what was *asked* below."""
    message_id = f"{author.hexadecimal(16)}@{sender.rpartition('@')[2]}"
    told = {
        "Date": composing.date(at),
        "From": composing.address(author.shop, sender),
        "To": to,
        "Message-ID": f"<{message_id}>",
        "Subject": f"Re: {case.subject}",
        "In-Reply-To": f"<{asked.message_id}>" if asked else "",
    }
    quoted = [f"> {line}" for line in asked.text.splitlines()] if asked else []
    leads = f"On {at:%a, %b %d, %Y} at {at:%H:%M} {case.buyer.name} <{to}> wrote:"
    text = "\n".join([words, "", leads, *quoted] if quoted else [words])
    raw = composing.raw(composing.with_headers(told), Content(text))
    return Letter("sent", message_id, at, raw, sender.rpartition("@")[2])


def kept(raw: bytes, at: datetime) -> Letter:
    """A letter that left, as it is kept."""
    return Letter("sent", mail_writing.message_id(raw), at, raw, "")
