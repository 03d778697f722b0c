"""What of a letter is stored and shown: its id, lines, files, and why one is set aside. Pure."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from core import crash
from core.model import MAX_LINE, Attachment, SetAside

if TYPE_CHECKING:
    from core.transport.letter import File, Mail
    from core.transport.mailbox import Letter

LONGEST_ID = 500


def digest(text: str, length: int = 16) -> str:
    """*text* in an id, where it may not stand itself or may be too long."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:length]


def name(mail: Mail) -> str:
    """The id of *mail*: the same in every folder, and however often it is delivered."""
    told = mail.message_id
    return told if 0 < len(told) <= LONGEST_ID and told.isprintable() else made(told)


def made(text: str) -> str:
    """An id of ours, for a letter without one of its own that could be kept."""
    return f"made:{digest(text, 32)}"


def line(text: str) -> str:
    """*text* as long as a line may be."""
    return text[:MAX_LINE]


def attachment(file: File) -> Attachment:
    """*file* as it is listed; its bytes stay in the mailbox."""
    return Attachment(
        id=file.id, name=line(file.name), size=file.size, media_type=line(file.media_type)
    )


def unforeseen(mail: Mail, bug: Exception) -> SetAside:
    """That a person is to look at *mail*, and whoever writes this at the places of *bug*."""
    places = json.dumps({"places": crash.places(bug)}).encode()
    return SetAside(name(mail), f"crashed: {type(bug).__name__}", places)


def unfetched(letter: Letter) -> SetAside:
    """That the server does not give *letter*."""
    where = f"{letter.folder}:{letter.uidvalidity}:{letter.uid}"
    return SetAside(where, "unfetched: the server does not give this letter", facts(letter))


def too_large(message: str, letter: Letter) -> SetAside:
    """That of *letter*, which became *message*, only the begin was read."""
    return SetAside(message, "too large: only its begin was read, files are missing", facts(letter))


def facts(letter: Letter) -> bytes:
    """Where *letter* lies, and no word of it."""
    arrived = letter.arrived_at and letter.arrived_at.isoformat()
    told = {"folder": letter.folder, "uid": letter.uid, "size": letter.size, "arrived_at": arrived}
    return json.dumps(told).encode()
