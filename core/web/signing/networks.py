"""From where somebody asks, and whether that is the same place. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from core.configuration.access import Bound, Network

UNKNOWN = "unknown"
WIDE = {4: 16, 6: 32}
"""Bits of what a provider of mobile access moves its customers within; RIPE and ARIN give an IPv6
provider a /32 at least."""
NEAR = {4: 32, 6: 64}
"""Bits of what one customer has: addresses of an IPv6 network are free to choose."""

Ip = IPv4Address | IPv6Address


def parsed(text: str | None) -> Ip | None:
    """The address that *text* says, in its plain form; None: it says none."""
    bare = (text or "").strip().partition("%")[0]
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def trusted(peer: str | None, proxies: Collection[Network]) -> bool:
    """Whether *peer* may say for whom it asks."""
    found = parsed(peer)
    return found is not None and any(found in network for network in proxies)


def origin(peer: str | None, forwarded: Sequence[str], proxies: Collection[Network]) -> str:
    """The address of who asks: the last of *forwarded* that no trusted proxy has.

    *forwarded* are the X-Forwarded-For headers. What an untrusted peer says in them is no matter;
    where a trusted one says what is no address, the address before is the best that is known.
    """
    found = parsed(peer)
    if found is None:
        return UNKNOWN
    hops = [hop for header in forwarded for hop in header.split(",")][-32:]
    while hops and any(found in network for network in proxies):
        before = parsed(hops.pop())
        if before is None:
            break
        found = before
    return str(found)


def near(address: str) -> str:
    """The network by which one customer is told from another."""
    return _network(address, NEAR)


def is_same(bound: Bound, known: Iterable[str | None], now: str) -> bool | None:
    """Whether a session that was used from the *known* addresses may be used from *now*.

    IPv4 is compared with IPv4, IPv6 with IPv6: a browser with both goes from one to the other as it
    likes. None: nothing of its kind is known.
    """
    if bound == "any":
        return True
    of_kind = [one for one in known if one is not None and _version(one) == _version(now)]
    if not of_kind:
        return None
    if bound == "network":
        return _network(now, WIDE) in {_network(one, WIDE) for one in of_kind}
    return now in of_kind


def _version(address: str) -> int | None:
    found = parsed(address)
    return None if found is None else found.version


def _network(address: str, bits: dict[int, int]) -> str:
    found = parsed(address)
    if found is None:
        return UNKNOWN
    return str(ip_network((found, bits[found.version]), strict=False))
