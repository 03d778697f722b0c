"""One letter on its way to our words: what came, what is known of it, what comes of it. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from connectors.amazon import addresses, body, kinds, marketplaces
from connectors.amazon.identity import Memory
from connectors.amazon.kinds import Standing
from core.model import Message, Page, SetAside, Thread, Verdict
from core.transport import filing
from sla.clock import Kind
from sla.policy import Party, ThreadKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from connectors.amazon.addresses import Alias
    from connectors.amazon.body import Words
    from connectors.amazon.kinds import Sorted
    from connectors.amazon.marketplaces import Marketplace
    from connectors.amazon.options import AmazonOptions
    from core.transport.mime import Mail
    from sla.clock import Given

LONGEST_LAG = timedelta(hours=72)
"""A stamp that is earlier than the arrival by more is no stamp of this letter."""

_SUFFIX = re.compile(r"\s*-\s*Amazon Marketplace\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A letter as it lay in the mailbox.

    *at* is the server's own time of its arrival. *trusted* says that Amazon signed it: True where
    the mailbox's server found a DKIM signature of a domain of Amazon's (`addresses.owns`) to hold,
    False where it found it not to, None where nobody checked. *is_sent*: it lay in the folder of
    letters that left.
    """

    mail: Mail
    at: datetime
    trusted: bool | None = None
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class Pieces:
    """What comes of letters.

    *links* set Amazon's mark "no response needed", by message: for an agent's button alone.
    """

    messages: tuple[Message, ...] = ()
    threads: tuple[Thread, ...] = ()
    given: tuple[tuple[str, Given], ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    links: Mapping[str, SecretStr] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)

    def page(self) -> Page:
        """As a page without a cursor."""
        return Page(
            messages=self.messages,
            threads=self.threads,
            given=self.given,
            set_aside=self.set_aside,
            verdicts=self.verdicts,
            links=self.links,
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, and all that can be said of it by itself.

    *at* is when it counts as written, *visible_at* when it arrived where that is not the same;
    *orders* are those that it is about, *where* its marketplace, *now* when it was read. *doubt*
    says why it ends nothing although it says that it does, and Amazon signed it.
    """

    mail: Mail
    words: Words
    found: Sorted
    id: str
    at: datetime
    visible_at: datetime | None
    orders: tuple[str, ...]
    where: Marketplace
    options: AmazonOptions
    now: datetime
    doubt: str = ""

    @property
    def order(self) -> str | None:
        """The order that counts."""
        return self.orders[0] if self.orders else None

    @property
    def alias(self) -> Alias | None:
        """The buyer that it names."""
        return self.found.alias

    @property
    def notice(self) -> str:
        """What a letter of Amazon's own says, without tokens."""
        return body.without_tokens(self.mail.text[: body.MOST]).strip()

    def message(  # the others are the common schema's
        self,
        thread: str,
        party: Party = Party.MARKETPLACE,
        kind: Kind = Kind.SYSTEM,
        to: Party | None = Party.SELLER,
        *,
        text: str | None = None,
        id_: str | None = None,
    ) -> Message:
        """The message that it is in *thread*; *text* in place of the notice's."""
        return Message(
            id=id_ or self.id,
            thread=thread,
            party=party,
            kind=kind,
            to=frozenset({to} if to else ()),
            sent_at=self.at,
            visible_at=self.visible_at,
            subject=filing.line(self.mail.subject) or None,
            body=self.notice if text is None else text,
            order_id=self.order,
            attachments=tuple(map(filing.attachment, self.mail.files)),
        )

    def thread(self, id_: str, kind: ThreadKind = ThreadKind.MESSAGE, buyer: str = "") -> Thread:
        """The state of its thread, without a way to answer."""
        host = self.where.seller_central
        page = f"orders-v3/order/{self.order}" if self.order else "messaging/inbox"
        return Thread(
            id=id_,
            kind=kind,
            subject=filing.line(self.mail.subject) or None,
            buyer=filing.line(buyer),
            order_ids=self.orders,
            url=f"https://{host}/{page}",
            as_of=self.at,
        )

    def aside(self, reason: str, *, quiet: bool = False) -> SetAside:
        """That a person is to look at it: who sent it and what it claims to be, no text."""
        sender = self.mail.sender.address if self.mail.sender else ""
        told = {
            "message": self.id,
            "domain": addresses.domain(sender),
            "type": self.mail.header(kinds.TYPE)[:100],
            "faults": list(self.mail.faults),
        }
        return SetAside(self.id, reason, json.dumps(told).encode(), quiet)


def read(arrival: Arrival, options: AmazonOptions, now: datetime) -> Letter:
    """What can be said of *arrival* by itself."""
    mail, words = arrival.mail, body.read(arrival.mail)
    found = kinds.sorted_as(
        mail, words, trusted=arrival.trusted, is_sent=arrival.is_sent, own=options.own
    )
    at, visible_at = instants(arrival, found.standing)
    first = marketplaces.BY_ID[options.marketplaces[0]]
    told = mail.header(kinds.MARKETPLACE)
    where = marketplaces.of(told, found.alias.tld if found.alias else None) or first
    doubt = found.doubt or _doubt(arrival, found)
    return Letter(
        mail,
        words,
        found,
        filing.name(mail),
        at,
        visible_at,
        words.order_ids,
        where,
        options,
        now,
        doubt,
    )


def _doubt(arrival: Arrival, found: Sorted) -> str:
    """Why a letter that ends something may be one that somebody sent on; empty where it is not.

    A signature never grows old: only the stamp under it tells. Of several stamps the oldest counts,
    and of two subjects neither: another may have been put above the one that is signed.
    """
    if found.standing is not Standing.PROVEN or found.sort not in kinds.ENDING:
        return ""
    mail = arrival.mail
    if len(mail.headers.get("subject", ())) > 1:
        return f"{found.sort} of two subjects"
    told = [mail.date, _first_received(mail), *map(_stamp, mail.headers.get("date", ()))]
    oldest = min((stamp for stamp in told if stamp), default=arrival.at)
    return f"{found.sort} written long before it came" if oldest < arrival.at - LONGEST_LAG else ""


def instants(arrival: Arrival, standing: Standing) -> tuple[datetime, datetime | None]:
    """When a letter counts as written, and when it became visible where that is later.

    The server's arrival counts. Only where Amazon signed it, and for at most 72 h, its own stamp
    does: another sender's `Date` is anybody's word, and the instant of our reading hides a breach
    (trap 13).
    """
    at = arrival.at.astimezone(UTC)
    if arrival.is_sent or standing is not Standing.PROVEN:
        return at, None
    stamp = arrival.mail.date or _first_received(arrival.mail)
    if stamp is None or not at - LONGEST_LAG <= stamp < at:
        return at, None
    return stamp, at


def _first_received(mail: Mail) -> datetime | None:
    """When the first server of Amazon's noted the letter; None where none did readably."""
    hops = mail.headers.get("received", ())
    route, _, stamp = hops[-1].rpartition(";") if hops else ("", "", "")
    return _stamp(stamp) if "amazon" in route.lower() else None


def _stamp(text: str) -> datetime | None:
    """The instant that a header names; None where it names none."""
    try:
        at = parsedate_to_datetime(text.strip()[:200])
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def buyer(mail: Mail) -> str:
    """The buyer's name, as Amazon shows it."""
    return _SUFFIX.sub("", mail.sender.name).strip() if mail.sender else ""
