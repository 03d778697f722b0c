"""Who writes: a buyer's relay alias, Amazon itself, or somebody who looks like it. Pure.

Only whole domain names from a closed table count as Amazon's: ``amazon.com.evil.example``,
``marketplace-amazon.de``, punycode and display names are nobody (trap 47).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from connectors.amazon.marketplaces import BY_TLD, RELAY_TLDS

_TLDS = "|".join(re.escape(tld) for tld in sorted(RELAY_TLDS, key=len, reverse=True))
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ALIAS = re.compile(
    rf"(?P<local>[a-z0-9]{{8,64}})(?:\+(?P<tag>[a-z0-9-]{{1,64}}))?"
    rf"@(?:m\.)?marketplace\.amazon\.(?P<tld>{_TLDS})",
    re.IGNORECASE | re.ASCII,
)
_SOMEWHERE = re.compile(rf"(?<![a-z0-9.+_-]){_ALIAS.pattern}(?![a-z0-9.-])", _ALIAS.flags)
_CASE = re.compile(rf"{_UUID}|[0-9a-f]{{8}}")

AMAZON = frozenset(f"amazon.{tld}" for tld in BY_TLD)

SENDS_FOR_OTHERS = ("amazonses.com", "amazonaws.com")
"""Amazon's hosting: whoever pays may send from there."""

_NAME = re.compile(r"(?<!\w)amazon(?!\w)", re.IGNORECASE)

NOBODYS = frozenset({"donotreply", "noreply", "autocommunication", "postmaster", "mailerdaemon"})
"""Local parts that no buyer has, although they have the shape of an alias."""

CLAIMS = "atoz-guarantee-no-reply"
OPT_OUTS = "auto-communication"
COPIES = "donotreply"


@dataclass(frozen=True, slots=True)
class Alias:
    """A buyer's relay address. *address* is the whole of it, to which one replies (trap 3).

    *local* is the buyer, the same for all that he writes to this seller; *case* the Seller Central
    case that the address carries: a uuid, or eight hexadecimal digits.
    """

    address: str
    local: str
    tld: str
    case: str | None

    @property
    def buyer(self) -> str:
        """The buyer: the address without its case, in small letters."""
        return f"{self.local}@marketplace.amazon.{self.tld}"

    @property
    def digest(self) -> str:
        """The buyer in ids, which may stand in logs where an address may not."""
        return sha256(self.buyer.encode()).hexdigest()[:16]

    @property
    def uuid(self) -> str | None:
        """The case where it is a uuid, which is the same in every letter about it."""
        return self.case if self.case and len(self.case) == 36 else None


def alias(address: str) -> Alias | None:
    """*address* as a relay alias; None where it is none. Any case of letters (trap 2)."""
    found = _ALIAS.fullmatch(address.strip())
    return None if found is None else _alias(found)


def aliases(text: str) -> tuple[Alias, ...]:
    """The relay aliases that stand somewhere in *text*, each once."""
    found = (_alias(match) for match in _SOMEWHERE.finditer(text))
    return tuple(dict.fromkeys(each for each in found if each))


def _alias(found: re.Match[str]) -> Alias | None:
    local, tag = found["local"].lower(), (found["tag"] or "").lower()
    if local in NOBODYS:
        return None
    case = tag if _CASE.fullmatch(tag) else None
    return Alias(found[0], local, found["tld"].lower(), case)


def domain(address: str) -> str:
    """The domain of *address* in small letters; empty where there is none."""
    return address.rpartition("@")[2].strip().lower() if "@" in address else ""


def is_amazon(address: str) -> bool:
    """Whether *address* is of Amazon's own domains, or of one below them."""
    return owns(domain(address))


def owns(host: str) -> bool:
    """Whether *host* is a domain of Amazon's own, as the one of a signature must be."""
    return any(host == own or host.endswith(f".{own}") for own in AMAZON)


def is_system(address: str) -> bool:
    """Whether Amazon itself writes from *address*: its domain, and no buyer's alias."""
    return is_amazon(address) and alias(address) is None


def is_relay(address: str) -> bool:
    """Whether *address* is of the relay's own, and no buyer's alias."""
    return is_system(address) and "marketplace" in domain(address).split(".")


def local(address: str) -> str:
    """What stands before the last ``@`` of *address*, in small letters."""
    return address.rpartition("@")[0].strip().lower()


def pretends(name: str, address: str) -> bool:
    """Whether somebody who is not Amazon calls himself so, by name or by domain."""
    host = domain(address)
    if is_amazon(address) or host.endswith(SENDS_FOR_OTHERS):
        return False
    foreign = not host.isascii() or any(part.startswith("xn--") for part in host.split("."))
    alike = "amazon" in host.replace("-", "") or (foreign and "maz" in host)
    return alike or _NAME.search(name) is not None
