"""How far a letter's sender is to be believed, as the mailbox's own server found. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.transport.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.transport.authentication import Findings
    from core.transport.letter import Mail


def domain(address: str) -> str:
    """The domain of *address* in small letters; empty where there is none."""
    return address.rpartition("@")[2].strip().lower() if "@" in address else ""


def is_forged(mail: Mail, found: Findings | None) -> bool:
    """Whether the sender whom *mail* names certainly did not send it.

    DMARC fails, or two senders stand there: which of them was checked is anybody's guess. Such a
    letter is read, but joins no conversation by its sender's address.
    """
    if Fault.SENDER_REPEATED in mail.faults:
        return True
    return found is not None and found.dmarc == "fail"


def is_vouched_for(found: Findings | None, domains: Iterable[str]) -> bool:
    """Whether the letter was sent by one of *domains*, as a server whom we believe found."""
    return found is not None and any(found.vouches_for(one) for one in domains)


def signers(found: Findings | None) -> tuple[str, ...]:
    """The domains whose signatures hold."""
    return () if found is None else tuple(s.domain for s in found.dkim if s.verdict == "pass")


def was_delivered(mail: Mail) -> bool:
    """Whether a server noted for whom it put *mail* into a mailbox: no copy of what left has that.

    What a server found out about a sender is no such note: Microsoft 365 writes it into letters
    that leave, too.
    """
    return bool(mail.envelope)
