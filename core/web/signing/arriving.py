"""What a request says of its way here: from which address, by which proxy, over https or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.configuration.access import Web
from core.web.signing import networks
from core.web.ways import parts

if TYPE_CHECKING:
    from aiohttp import web


MOST_BROWSER = 200


def settings(request: web.Request) -> Web:
    """The table `[web]`, or its defaults where it does not stand."""
    return parts(request).settings().web or Web()


def address(request: web.Request) -> str:
    """From where somebody asks, as far as trusted proxies say it."""
    forwarded = request.headers.getall("X-Forwarded-For", [])
    return networks.origin(request.remote, forwarded, settings(request).proxies)


def secure(request: web.Request) -> bool:
    """Whether the browser speaks https with us, or with a trusted proxy before us.

    Of several proxies each adds how it was spoken to: the first of them by the browser.
    """
    found = settings(request)
    if found.secure:
        return True
    said = ",".join(request.headers.getall("X-Forwarded-Proto", []))
    outermost = said.partition(",")[0].strip().lower()
    return outermost == "https" and networks.trusted(request.remote, found.proxies)


def browser(request: web.Request) -> str:
    """What a browser calls itself, as the page of one's own sessions shows it."""
    said = request.headers.get("User-Agent", "")
    return "".join(c for c in said if c.isprintable())[:MOST_BROWSER]


def base(request: web.Request) -> str:
    """The address of the board as whoever asks knows it, without a slash at its end."""
    found = settings(request)
    if found.public_url is not None:
        return found.public_url
    return f"{'https' if secure(request) else 'http'}://{request.host}"
