"""Keeps what is sent outside from machines of our own network.

Who is to be reached there is named in the settings (`allow_private`). What a name resolves to when
it is connected decides, not how it is written: anybody's name may lead to ourselves (server-side
request forgery).

https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

TRANSLATED = IPv6Network("64:ff9b::/96")
"""An IPv4 address as a NAT64 gateway writes it (RFC 6052): its last four bytes."""

MEND = (
    "is an address of this machine or of a private network; "
    "write allow_private = true if the receiver there is yours"
)


class Private(OSError):
    """The name leads to a private address: nothing was connected, nothing has left."""


def is_private(text: str) -> bool:
    """Whether *text*, an address, is any but one that the whole Internet can reach."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in TRANSLATED:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            address = inner
    return not address.is_global or address.is_multicast


def is_private_host(host: str) -> bool:
    """Whether *host*, as it is written, is such an address; of a name only ``localhost`` is."""
    try:
        return is_private(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return is_loopback(name) or name.endswith(".localhost")


def connecting(found: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
    """The socket to connect to *found*, as `socket.getaddrinfo` names it.

    Raises:
        Private: it is private.
    """
    family, kind, protocol, _, place = found
    if is_private(str(place[0])):
        raise Private(MEND)
    return socket.socket(family, kind, protocol)


async def leads_inside(hosts: Iterable[str], seconds: float) -> list[str]:
    """Those of *hosts* of which every address is private; a name that is not found is none."""
    names = list(dict.fromkeys(hosts))
    found = await asyncio.gather(*(_addresses(name, seconds) for name in names))
    pairs = zip(names, found, strict=True)
    return [name for name, all_ in pairs if all_ and all(map(is_private, all_))]


async def _addresses(host: str, seconds: float) -> list[str]:
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, TimeoutError, ValueError):
        return []
    return [str(place[0]) for *_, place in found]
