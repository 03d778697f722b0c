"""Writes to the buyer of an inquiry or a return; elsewhere says what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.ebay.dossiers.sources import INQUIRIES, RETURNS, source_of
from core.connector import Sent
from core.errors import Refused
from core.said import phrase
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection

    from connectors.ebay.access import Access
    from core.model import Draft, Thread

LONGEST = 2000
WRITES = {INQUIRIES.prefix: "sendInquiryMessage", RETURNS.prefix: "sendReturnMessage"}

MENDS = {
    "cancellation": phrase(
        "a cancellation takes no message: approve or reject it on eBay, "
        "or write to the buyer in a conversation about the order"
    ),
    "case": phrase("eBay decides a case and takes no message: provide tracking or refund on eBay"),
    "dispute": phrase("a payment dispute takes no message: contest or accept it on eBay"),
}
INSTEAD = "write to the buyer in a conversation about the order"
CLOSED = {
    INQUIRIES.prefix: phrase(
        "eBay has closed this inquiry, and it takes no message: "
        "write to the buyer in a conversation about the order"
    ),
    RETURNS.prefix: phrase(
        "eBay has closed this return, and it takes no message: "
        "write to the buyer in a conversation about the order"
    ),
}


def refuses(thread: Thread, parties: Collection[Party]) -> str | None:
    """Why *parties* of a dossier certainly cannot be answered there; None for any other thread."""
    found = source_of(thread.id)
    if found is None:
        return None
    source, _ = found
    if source.prefix not in WRITES:
        return MENDS[source.prefix]
    if set(parties) - {Party.BUYER}:
        return phrase("a dossier's message goes to the buyer alone: choose the buyer")
    if thread.closed_at is not None:
        return CLOSED[source.prefix]
    return None


async def reply(access: Access, thread: Thread, draft: Draft) -> Sent:
    """Send once.

    Raises:
        Refused: the dossier takes no message, or not this one: it was not sent.
        BadCredentials, RateLimited, Unreachable, OutcomeUnknown: as `Access.send` says.
    """
    found, why = source_of(thread.id), refuses(thread, draft.to)
    if found is None or why:
        raise Refused(why or "no dossier has this thread", detail="dossier")
    if draft.files:
        raise Refused("a dossier's message takes no files: send the text alone", detail="files")
    if len(draft.body) > LONGEST:
        raise Refused(f"a dossier's message has {LONGEST} characters at most", detail="length")
    source, id_ = found
    try:
        await access.send(
            source.host,
            f"{source.one(id_)}/send_message",
            operation=WRITES[source.prefix],
            scheme=source.scheme,
            json={"message": {"content": draft.body}},
        )
    except Refused as fault:
        raise Refused(f"{fault}: {_mend(source.prefix)}", detail=fault.detail) from None
    return Sent(None)


def _mend(kind: str) -> str:
    """What to do where eBay does not take a message: what its error ids mean is told nowhere."""
    return f"is the {kind} still open? look at it on eBay; if not, {INSTEAD}"
