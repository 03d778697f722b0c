"""How each type of message is shown. Pure, and total: whatever stands in a field is no fault.

Files are named and not fetched: their addresses last minutes, and need the token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from core.model import MAX_ID, MAX_LINE, Attachment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.webstore.whatsapp.payload import Entry

FILES = ("image", "audio", "video", "document", "sticker")

QUIET = frozenset({"reaction", "system", "request_welcome", "revoke", "edit"})
"""What asks nothing: a sign below a message, a changed number, a chat that was only opened. What
was taken back or changed still counts as it was sent: only a marketplace that says so unasks it."""

HIDDEN = QUIET | {"pin", "keep_in_chat"}
"""What asks nothing of that which Meta does not show (``unsupported``), by the type that it tells:
an edit, for one, comes as such for now (Cloud API: Unsupported messages, read 2026-11-23)."""

KNOWN = (
    frozenset(
        {"text", *FILES, "location", "contacts", "interactive", "button", "order", "unsupported"}
    )
    | QUIET
)
"""The types that are documented; another is a message of somebody's that we do not understand."""

MOST_LINES = 100


class Said(NamedTuple):
    """What is shown of a message."""

    body: str
    files: tuple[Attachment, ...] = ()


def asks(entry: Entry) -> bool:
    """Whether somebody may wait for an answer to *entry*; of what is not known: yes."""
    if entry.type == "unsupported":
        return _word(entry.unsupported or {}, "type") not in HIDDEN
    return (entry.type or "") not in QUIET


def said(entry: Entry) -> Said:
    """What *entry* says, in its own words where it has some."""
    kind = entry.type or ""
    if kind in FILES:
        part = getattr(entry, kind) or {}
        return Said(_word(part, "caption"), _file(kind, part))
    shown = SHOWN.get(kind)
    return Said("" if shown is None else shown(entry))


def _file(kind: str, part: Mapping[str, Any]) -> tuple[Attachment, ...]:
    id_ = _word(part, "id")
    if not id_ or len(id_) > MAX_ID or "\0" in id_:
        return ()
    name = _word(part, "filename") or kind
    return (Attachment(id=id_, name=name[:MAX_LINE], media_type=_word(part, "mime_type") or None),)


def _location(entry: Entry) -> str:
    part = entry.location or {}
    where = [_word(part, "name"), _word(part, "address")]
    numbers = [part.get("latitude"), part.get("longitude")]
    if all(type(one) in {int, float} for one in numbers):
        where.append(f"{numbers[0]}, {numbers[1]}")
    return "\n".join(filter(None, where))


def _contacts(entry: Entry) -> str:
    lines = []
    for one in (entry.contacts or [])[:MOST_LINES]:
        card = one if isinstance(one, dict) else {}
        name = _word(_part(card, "name"), "formatted_name")
        phones = [_word(phone, "phone") for phone in _parts(card, "phones")]
        lines.append(" ".join(filter(None, [name, *phones])))
    return "\n".join(filter(None, lines))


def _interactive(entry: Entry) -> str:
    part = entry.interactive or {}
    replies = [_part(part, name) for name in ("button_reply", "list_reply", "nfm_reply")]
    for one in replies:
        told = [_word(one, name) for name in ("title", "description", "body", "response_json")]
        if any(told):
            return "\n".join(filter(None, told))
    return ""


def _order(entry: Entry) -> str:
    part = entry.order or {}
    items = _parts(part, "product_items")[:MOST_LINES]
    lines = [f"{one.get('quantity', '')} x {_word(one, 'product_retailer_id')}" for one in items]
    return "\n".join(filter(None, [_word(part, "text"), *lines]))


def _edited(entry: Entry) -> str:
    """The new words; the message that they are of still counts as it was sent."""
    message = _part(entry.edit or {}, "message")
    return _word(_part(message, "text"), "body")


SHOWN: dict[str, Callable[[Entry], str]] = {
    "text": lambda entry: _word(entry.text or {}, "body"),
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": lambda entry: _word(entry.button or {}, "text"),
    "reaction": lambda entry: _word(entry.reaction or {}, "emoji"),
    "order": _order,
    "system": lambda entry: _word(entry.system or {}, "body"),
    "edit": _edited,
}


def _word(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _part(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = part.get(name)
    return value if isinstance(value, dict) else {}


def _parts(part: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = part.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
