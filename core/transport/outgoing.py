"""A letter of ours, as bytes. Pure: whatever the fields hold, no header comes of it but its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from typing import TYPE_CHECKING

from core.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from core.transport.mime import Address

ID = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
MEDIA_TYPE = re.compile(r"([\w.+-]+)/([\w.+-]+)", re.ASCII)
ADDRESS = re.compile(r"[^\s<>\"(),:;@\x00-\x20\x7f]+@[^\s<>\"(),:;@\x00-\x20\x7f]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\x85]+")
LONGEST_ID = 900
MOST_REFERENCES = 20
MOST_BYTES = 25 * 2**20


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that goes with a letter."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one person is told in one letter, written *at*.

    Ids are without brackets; *in_reply_to* and *references* that are no ids are left out. What is
    *automatic* says so to other machines, which then do not answer it: as RFC 3834 has it, and as
    those understand it that are older (``Precedence``) or Exchange. *answers_to* is the address
    that answers are to go to, where that is not the sender's.
    """

    message_id: str
    sender: Address
    recipient: Address
    subject: str
    text: str = field(repr=False)
    at: datetime
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    files: tuple[Enclosed, ...] = ()
    automatic: bool = False
    answers_to: str | None = None


def composed(letter: Outgoing) -> bytes:
    """The letter, every line at most 998 bytes long, all of it ASCII but foreign addresses.

    Raises:
        Refused: an address is none, or the letter is larger than any server takes.
        ValueError: *message_id* is none.
    """
    foreign = not (letter.sender.address + letter.recipient.address).isascii()
    message = EmailMessage(policy=SMTPUTF8 if foreign else SMTP)
    message["Date"] = letter.at
    message["From"] = _address(letter.sender)
    message["To"] = _address(letter.recipient)
    if letter.answers_to is not None:
        message["Reply-To"] = _address(letter.sender._replace(address=letter.answers_to))
    message["Subject"] = one_line(letter.subject)
    if letter.automatic:
        message["Auto-Submitted"] = "auto-replied"
        message["X-Auto-Response-Suppress"] = "All"
        message["Precedence"] = "bulk"
    message.set_content(_text(letter.text), charset="utf-8", cte="quoted-printable")
    for file in letter.files:
        _enclose(message, file)
    raw = _ids(letter) + message.as_bytes()
    if len(raw) > MOST_BYTES:
        raise Refused(f"the letter is larger than {MOST_BYTES // 2**20} MB", detail="too_large")
    return raw


def one_line(text: str) -> str:
    """*text* without line breaks and control characters."""
    return " ".join(CONTROL.sub(" ", _whole(text)).split())


def checked(address: str) -> str:
    """*address* as an envelope takes it.

    Raises:
        Refused: it is none.
    """
    if not ADDRESS.fullmatch(address) or len(address) > 320:
        raise Refused("this is no mail address", detail="address")
    return address


def _address(who: Address) -> HeaderAddress:
    user, _, domain = checked(who.address).rpartition("@")
    return HeaderAddress(one_line(who.name), user, domain)


def _text(text: str) -> str:
    lines = _whole(text).replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    return lines.rstrip("\n") + "\n"


def _whole(text: str) -> str:
    """*text* without halves of characters."""
    return text.encode("utf-8", "replace").decode()


def _enclose(message: EmailMessage, file: Enclosed) -> None:
    known = MEDIA_TYPE.fullmatch(file.media_type)
    main, sub = known.groups() if known else ("application", "octet-stream")
    if main in ("multipart", "message"):
        main, sub = "application", "octet-stream"
    name = one_line(file.name).replace("/", "_").replace("\\", "_") or "file"
    message.add_attachment(file.content, maintype=main, subtype=sub, filename=name)


def _ids(letter: Outgoing) -> bytes:
    """The headers made of ids, one a line: the library would break long ones to pieces."""
    if not _is_id(letter.message_id):
        raise ValueError("this is no Message-ID")
    lines = [f"Message-ID: <{letter.message_id}>"]
    if letter.in_reply_to is not None and _is_id(letter.in_reply_to):
        lines.append(f"In-Reply-To: <{letter.in_reply_to}>")
    known = [each for each in letter.references if _is_id(each)]
    if len(known) > MOST_REFERENCES:
        known = [known[0], *known[1 - MOST_REFERENCES :]]
    if known:
        lines.append("References: " + "\r\n ".join(f"<{each}>" for each in known))
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _is_id(text: str) -> bool:
    return len(text) <= LONGEST_ID and ID.fullmatch(text) is not None
