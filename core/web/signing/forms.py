"""Whether a request comes from a page of ours, asked by the name that is ours. Pure.

A form shows a token that is made of the cookie, which no other site can read. Browsers also say
from where a form comes; that is looked at first. By another name for our address (DNS rebinding) a
stranger's page would be of the same origin: so names are known.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELD, HEADER = "csrf", "X-CSRF-Token"
OURS = frozenset({"same-origin", "none"})


def token(secret: str) -> str:
    """What a form shows that was made for the holder of the cookie *secret*."""
    return hmac.new(secret.encode(), b"csrf", "sha256").hexdigest()


def is_token(shown: object, secret: str) -> bool:
    """Whether *shown* is the token of *secret*."""
    return isinstance(shown, str) and hmac.compare_digest(shown.encode(), token(secret).encode())


def is_ours(headers: Mapping[str, str], public_url: str | None) -> bool:
    """Whether a browser says that a page of ours asks; one that says nothing is not refused here.

    A page that sends no referrer has the origin ``null``; Sec-Fetch-Site says more, where it is.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site not in OURS:
        return False
    said = headers.get("Origin", "null")
    if said == "null":
        return site is not None or "Origin" not in headers
    mine = {headers.get("Host", "").lower()}
    if public_url is not None:
        mine.add(urlsplit(public_url).netloc.lower())
    return urlsplit(said).netloc.lower() in mine


def is_called(host: str, public_url: str | None, *, loopback: bool) -> bool:
    """Whether *host*, as a request names it, is a name of ours.

    An address is: no page of a stranger can have it. Where others reach us by a name that was never
    written (no *public_url*, and not *loopback*), any name is.
    """
    if public_url is None and not loopback:
        return True
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    public = urlsplit(public_url).hostname if public_url else None
    return name in {"localhost", public} or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
