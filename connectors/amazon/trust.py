"""Whether Amazon signed a letter, as the mailbox's own server found. Pure (trap 47)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.amazon import addresses
from core.transport import authentication
from core.transport.mime import Fault

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.transport.authentication import Findings
    from core.transport.mime import Mail

LONGEST = 16_384
"""Characters of a signature that are read: they have a few hundred."""

UNDECIDED = frozenset({"temperror", "neutral", "policy", "unknown"})


def of(mail: Mail, servers: Collection[str]) -> bool | None:
    """Whether a signature of Amazon's holds; None where nobody whom we believe could say.

    *servers* are those whose word counts. A letter from an address of Amazon's that they found
    without a signature of Amazon's that holds is forged (False): Amazon signs all of its own, and a
    signature survives being forwarded. SPF alone says nothing, for it does not.
    """
    if Fault.SENDER_REPEATED in mail.faults:
        return False  # which of two senders is signed is anybody's guess
    found = authentication.findings(mail.headers, servers)
    if found is None:
        return None
    if _holds(found):
        return None if _is_contradicted(found) else True
    claims = mail.sender is not None and addresses.is_amazon(mail.sender.address)
    return _fails(found) if claims else None


def signs(mail: Mail, header: str) -> bool | None:
    """Whether every signature of Amazon's in *mail* covers *header*; None where there is none.

    Whoever passes a signed letter on may add what is not covered. Every one of them: which of two
    is the one that holds cannot be told, and anybody may add one that does not.
    """
    told = [_tags(value) for value in mail.headers.get("dkim-signature", ())]
    own = [tags for tags in told if addresses.owns(tags.get("d", ""))]
    return all(header in tags.get("h", "").split(":") for tags in own) if own else None


def _tags(signature: str) -> dict[str, str]:
    """What a signature says, in small letters and without white space."""
    pairs = (each.partition("=") for each in signature[:LONGEST].lower().split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}


def is_unheard(mail: Mail, servers: Collection[str]) -> bool:
    """Whether a server spoke about a letter of Amazon's, and none of *servers*, the ones named."""
    spoken = "authentication-results" in mail.headers
    claims = mail.sender is not None and addresses.is_amazon(mail.sender.address)
    return (
        bool(servers)
        and spoken
        and claims
        and authentication.findings(mail.headers, servers) is None
    )


def _holds(found: Findings) -> bool:
    signed = any(one.verdict == "pass" and addresses.owns(one.domain) for one in found.dkim)
    return signed or (found.dmarc == "pass" and addresses.owns(found.dmarc_domain))


def _is_contradicted(found: Findings) -> bool:
    """Whether DMARC fails for a sender of Amazon's: then no signature of Amazon's was there.

    A letter may begin with a line that goes on where the server's own ends.
    """
    return found.dmarc == "fail" and addresses.owns(found.dmarc_domain)


def _fails(found: Findings) -> bool | None:
    """False where the server looked and found none that holds; None where it could not tell."""
    own = [one for one in found.dkim if addresses.owns(one.domain)]
    if any(one.verdict in UNDECIDED for one in own or found.dkim):
        return None
    return False if found.dkim or found.dmarc == "fail" else None
