"""What a seller may send: text, files elsewhere on the web, a listing. Checked as eBay does."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.ebay.sandbox.access import Refusal
from connectors.ebay.sandbox.conversations import Media

if TYPE_CHECKING:
    from connectors.ebay.sandbox.market import Market

LONGEST, MOST_MEDIA = 2000, 5
MEDIA = ("IMAGE", "PDF", "DOC", "TXT")
HIDDEN = ("localhost", ".localhost", ".local", ".internal")


def text(asked: dict[str, Any]) -> str:
    """The text of a message.

    Raises:
        Refusal: it is too long, or there is neither text nor file.
    """
    given = asked.get("messageText") or ""
    if not isinstance(given, str) or (not given.strip() and not asked.get("messageMedia")):
        raise _refused(355015, "Please pass message text or upload one of more media attachments.")
    if len(given) > LONGEST:
        said = f"The messageText string exceeds the maximum threshold of {LONGEST} characters."
        raise _refused(355013, said)
    return given


def media(asked: dict[str, Any]) -> tuple[Media, ...]:
    """The files of a message: addresses of them.

    Raises:
        Refusal: too many, not whole, of no kind that is known, or not where eBay could fetch them.
    """
    given = asked.get("messageMedia") or []
    if len(given) > MOST_MEDIA:
        raise _refused(355010, f"The maximum amount of media that may be sent is {MOST_MEDIA}.")
    return tuple(_one(item) for item in given)


def _one(item: dict[str, Any]) -> Media:
    name, kind, url = item.get("mediaName"), item.get("mediaType"), item.get("mediaUrl")
    if not name or not kind or not url:
        raise _refused(355012, "All fields under messageMedia are required.")
    if kind not in MEDIA:
        raise _refused(355011, "Invalid mediaType value.")
    if not _is_public(url):
        raise _refused(355014, "Invalid mediaUrl.")
    return Media(name, kind, url)


def _is_public(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        return parts.scheme == "https" and ip_address(host).is_global
    except ValueError:
        is_hidden = "." not in host or host.endswith(HIDDEN)
        return parts.scheme == "https" and not is_hidden


def item(asked: dict[str, Any], market: Market) -> str:
    """The listing that a message is about, empty where it is about none.

    Raises:
        Refusal: the reference is not whole, or no listing's.
    """
    reference = asked.get("reference")
    if not reference:
        return ""
    kind, name = reference.get("referenceType"), str(reference.get("referenceId") or "")
    if not kind or not name:
        raise _refused(355021, "All fields under reference are required.")
    if kind != "LISTING":
        raise _refused(355003, "Invalid referenceType value.")
    if not name.isdigit() or int(name) <= 0:
        raise _refused(355016, "Invalid referenceId. It must be a positive integer value.")
    if name not in market.items:
        raise _refused(355020, "The referenceId is invalid, no listing can be found by it.")
    return name


def _refused(number: int, message: str) -> Refusal:
    return Refusal(400, number, message, domain="API_MESSAGE")
