"""What an address on the web is, and which proxy leads to it, as the environment says."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from yarl import URL

NAMES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
HOSTS = 1024
_UNHEARD_OF = re.compile(r"[\s<>\"{}|\\^`\x00-\x1f\x7f]")
"""What stands in no address: `urlsplit` leaves out some of it in silence, and keeps the rest."""


def lead(target: URL) -> str | None:
    """The proxy that the environment names for *target*; loopback is never reached through one.

    aiohttp's own ``trust_env`` also reads netrc and then refuses our Authorization header.
    """
    host = target.host
    if host is None or is_loopback(host):
        return None
    return _lead(target.scheme, host, tuple(map(os.environ.get, NAMES)))


@lru_cache(HOSTS)
def _lead(scheme: str, host: str, _environment: tuple[str | None, ...]) -> str | None:
    """As `lead`; read once for an environment, for it is a long list to look through."""
    proxy = getproxies().get(scheme)
    if proxy is None or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def is_web_address(text: str) -> bool:
    """Whether *text* names a host to reach by http or https."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    known = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return known and not _UNHEARD_OF.search(text)


@lru_cache(HOSTS)
def is_loopback(host: str) -> bool:
    """Whether *host* is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
