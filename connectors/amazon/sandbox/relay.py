"""What becomes of a letter that a seller mails to a buyer. Pure.

It is rejected unless it comes from an approved address, goes to an alias that exists, and its files
are small enough. A buyer who wants no unsolicited mail gets only what answers a letter of his, with
its text, or what is marked as important. Only an answer to the whole alias belongs to its case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.parser import BytesHeaderParser
from email.policy import default
from typing import TYPE_CHECKING, Literal

from connectors.amazon.sandbox.composing import File

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from email.message import EmailMessage, Message

    from connectors.amazon.sandbox.cases import Buyer, Case

Fate = Literal["relayed", "unapproved", "dead", "too_large", "opted_out", "lost", "delayed"]
"""``lost``: taken, not relayed, and nobody is told (a filter, say); ``delayed``: relayed later."""

MOST_BYTES = 10 * 2**20
"""Of attachments in one message."""

FORMATS = frozenset({"pdf", "png", "jpg", "jpeg", "txt", "doc", "docx", "tiff", "tif", "bmp"})
"""Which files reach the buyer; others are left out."""

IMPORTANT = re.compile(r"\[(important|importante)\]", re.IGNORECASE)
QUOTED = re.compile(r"^[ \t]*>|^-{3,}\s*original", re.IGNORECASE)
HTML = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Answer:
    """A letter of the seller's as Amazon gets it: addresses in small letters."""

    message_id: str
    sender: str
    envelope_sender: str
    recipient: str
    subject: str
    raw: bytes = field(repr=False)
    text: str = field(repr=False)
    files: tuple[File, ...] = ()
    is_automatic: bool = False

    @property
    def written(self) -> str:
        """What the seller wrote, without the original below it."""
        return unquoted(self.text)


def read(raw: bytes, envelope_sender: str, recipient: str) -> Answer:
    """The letter, as far as it can be read."""
    head = BytesHeaderParser(policy=default).parsebytes(raw)
    said = str(head.get("Auto-Submitted") or "no").strip().lower()
    text, files = _content(raw)
    return Answer(
        message_id=str(head.get("Message-ID") or "").strip().strip("<>"),
        sender=_sender(head),
        envelope_sender=envelope_sender.lower(),
        recipient=recipient.lower(),
        subject=str(head.get("Subject") or ""),
        raw=raw,
        text=text,
        files=files,
        is_automatic=not said.startswith("no"),
    )


def fate(
    answer: Answer,
    case: Case | None,
    buyers: Mapping[str, Buyer],
    approved: Collection[str],
) -> Fate:
    """What becomes of *answer*; *case* is the one that its recipient names, None for none."""
    if answer.sender not in approved or not is_aligned(answer):
        return "unapproved"
    if sum(len(file.content) for file in answer.files) > MOST_BYTES:
        return "too_large"
    buyer = buyers.get(answer.recipient.partition("@")[0].partition("+")[0])
    if buyer is None:
        return "dead"
    is_wanted = IMPORTANT.search(answer.subject) or (case is not None and holds(answer, case))
    return "opted_out" if buyer.is_opted_out and not is_wanted else "relayed"


def is_aligned(answer: Answer) -> bool:
    """Whether the envelope's sender is of the domain that the letter names."""
    return answer.envelope_sender.rpartition("@")[2] == answer.sender.rpartition("@")[2]


def holds(answer: Answer, case: Case) -> bool:
    """Whether the text of a letter of the buyer's stands in *answer*."""
    text = _folded(re.sub(r"(?m)^[ \t]*>+", "", answer.text))
    return any(_folded(one.text) in text for one in case.entries if one.by == "buyer")


def named(recipient: str, cases: Iterable[Case]) -> Case | None:
    """The newest case to which mail to *recipient* belongs: the whole alias counts."""
    found = [case for case in cases if case.alias == recipient]
    return found[-1] if found else None


def unquoted(text: str) -> str:
    """*text* up to the original, without the line that leads over to it."""
    lines: list[str] = []
    for line in text.splitlines():
        if QUOTED.match(line):
            while lines and (not lines[-1].strip() or lines[-1].rstrip().endswith(":")):
                lines.pop()
            break
        lines.append(line)
    return "\n".join(lines).strip()


def kept(files: Iterable[File]) -> tuple[File, ...]:
    """Those that reach the buyer."""
    return tuple(one for one in files if one.name.rpartition(".")[2].lower() in FORMATS)


def _folded(text: str) -> str:
    return " ".join(text.split())


def _sender(head: Message) -> str:
    try:
        found = getattr(head["From"], "addresses", ())
    except (MessageError, ValueError):
        return ""
    return str(found[0].addr_spec).lower() if found else ""


def _content(raw: bytes) -> tuple[str, tuple[File, ...]]:
    """The text and the files; neither where the parts are nested too deep to be read."""
    try:
        message = message_from_bytes(raw, policy=default)
        return _text(message), tuple(_files(message))
    except RecursionError:
        return "", ()


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    if body is None:
        return ""
    try:
        text = _decoded(body).decode(body.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        text = _decoded(body).decode("utf-8", "replace")
    return HTML.sub(" ", text) if body.get_content_subtype() == "html" else text


def _files(message: EmailMessage) -> Iterable[File]:
    for part in message.walk():
        if part.get_content_disposition() == "attachment":
            yield File(part.get_filename() or "file", part.get_content_type(), _decoded(part))


def _decoded(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
