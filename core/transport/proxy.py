"""Which proxy leads to an address, as the environment says."""

from __future__ import annotations

import os
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    from yarl import URL

NAMES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
HOSTS = 1024


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


@lru_cache(HOSTS)
def is_loopback(host: str) -> bool:
    """Whether *host* is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
