"""How Meta writes what it pushes: envelopes of numbers, and of pages and profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.webstore.meta.sandbox.graph import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.meta.sandbox.graph import Line, Person, Said

PAGE_INBOX = 263902037430900
"""The app by which a page's own inbox writes."""


def seconds(at: datetime) -> str:
    """WhatsApp's times: seconds, as text."""
    return str(int(at.timestamp()))


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def pushed(line: Line, said: Said) -> dict[str, Any]:
    """The envelope in which *said* is pushed."""
    if line.kind == "whatsapp":
        return envelope(line, [change(line, said)])
    return paged(line, [messaging(line, said)], said.at)


def envelope(line: Line, changes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One push of a number, of as many *changes* as one likes."""
    entry = {"id": line.node, "changes": list(changes)}
    return {"object": OBJECTS[line.kind], "entry": [entry]}


def paged(line: Line, listed: Sequence[dict[str, Any]], at: datetime) -> dict[str, Any]:
    """One push of a page or profile."""
    entry = {"id": line.own, "time": milliseconds(at), "messaging": list(listed)}
    return {"object": OBJECTS[line.kind], "entry": [entry]}


def change(line: Line, said: Said) -> dict[str, Any]:
    """A message of a person's, or an echo of one that was written in the app."""
    told = _told(said)
    if said.author == "elsewhere":
        whom = _named(said.person, "to", "to_user_id")
        echo = {"from": line.display, **whom, **told}
        return _change(line, "smb_message_echoes", message_echoes=[echo])
    who = _named(said.person, "from", "from_user_id")
    contact = {"profile": _profile(said.person), **_named(said.person, "wa_id", "user_id")}
    return _change(line, "messages", contacts=[contact], messages=[{**who, **told}])


def status(
    line: Line, said: Said, word: str, at: datetime, *, code: int | None = None, marked: bool = True
) -> dict[str, Any]:
    """What became of a message."""
    told: dict[str, Any] = {"id": said.id, "status": word, "timestamp": seconds(at)}
    told |= _named(said.person, "recipient_id", "recipient_user_id")
    if said.mark and marked:
        told["biz_opaque_callback_data"] = said.mark
    if word == "failed":
        title = "Message undeliverable" if code == 131026 else "Failed"
        told["errors"] = [{"code": code, "title": title, "message": title}]
    return _change(line, "messages", statuses=[told])


def messaging(line: Line, said: Said) -> dict[str, Any]:
    """What happened at a page or profile; the echo of an app's message carries the app's id."""
    own, other = {"id": line.own}, {"id": said.person.id}
    is_echo = said.author != "person"
    sender, recipient = (own, other) if is_echo else (other, own)
    told = {"sender": sender, "recipient": recipient, "timestamp": milliseconds(said.at)}
    if said.type == "postback":
        return {**told, "postback": {"mid": said.id, "payload": "P", **said.more}}
    if said.type not in {"text", "attachment"}:
        return {**told, said.type: dict(said.more)}
    message: dict[str, Any] = {"mid": said.id}
    if said.text:
        message["text"] = said.text
    if said.more.get("files"):
        message["attachments"] = [
            {"type": "image", "payload": {"url": "https://lookaside.example/1"}}
            for _ in said.more["files"]
        ]
    if is_echo:
        message["is_echo"] = True
        message["app_id"] = int(line.app.id) if said.author == "api" else PAGE_INBOX
    return {**told, "message": message}


def _change(line: Line, field: str, **content: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": line.display, "phone_number_id": line.id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, **content}
    return {"value": value, "field": field}


def _told(said: Said) -> dict[str, Any]:
    told: dict[str, Any] = {"id": said.id, "timestamp": seconds(said.at), "type": said.type}
    return {**told, said.type: said.more.get("listed", said.more)} if said.more else told


def _named(person: Person, number: str, user: str) -> dict[str, str]:
    told = {user: person.user_id}
    return {number: person.id, **told} if person.shows_number else told


def _profile(person: Person) -> dict[str, str]:
    told = {"name": person.name, "username": person.username}
    return {name: value for name, value in told.items() if value}
