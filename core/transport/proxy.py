"""Which proxy leads to an address, as the environment says."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.request import getproxies, proxy_bypass

from yarl import URL


def lead(url: str) -> str | None:
    """The proxy that the environment names for *url*; loopback is never reached through one.

    aiohttp's own ``trust_env`` also reads netrc and then refuses our Authorization header.
    """
    try:
        target = URL(url)
    except ValueError:
        return None
    host = target.host
    if host is None or is_loopback(host):
        return None
    proxy = getproxies().get(target.scheme)
    if proxy is None or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
