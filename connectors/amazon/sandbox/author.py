"""Amazon as an author: whom it writes to, in which words, with which ids and tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from connectors.amazon.sandbox import composing
from connectors.amazon.sandbox.composing import Letter
from connectors.amazon.sandbox.places import EU

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from random import Random

    from connectors.amazon.sandbox.composing import Content, Kind
    from connectors.amazon.sandbox.places import Place
    from connectors.amazon.sandbox.wording import Wording

Shape = Literal["both", "text", "html"]

TYPES: dict[Kind, str] = {
    "message": "BBC_MESSAGE_SENT_TO_MERCHANT",
    "form": "BBC_MESSAGE_SENT_TO_MERCHANT",
    "copy": "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT",
    "opt_out": "BUYER_OPTED_OUT_BSM_MESSAGES",
    "cancellation": "BRC_SELLER_NOTIFICATION",
    "return": "RETURN_REQUEST",
    "refund": "REFUND_ISSUED",
    "claim": "A_Z_CLAIM_RESPONDENT_NOTIFY",
    "decision": "A_Z_CLAIM_RESPONDENT_CLOSE",
    "unknown": "SELLER_SPOTLIGHT_NEWS",
}
"""``X-Space-Notification-Type``; chargebacks and refusals are not known to carry one."""

WATERMARKS = {EU: "SPC-EUAmazon"}


@dataclass(slots=True)
class Author:
    """Amazon at *place*, writing to the shop *shop* at *mailbox*."""

    place: Place
    words: Wording
    shop: str
    mailbox: str
    random: Random = field(repr=False)
    seller_id: str = "ASANDBOXSELLER"

    def letter(
        self,
        kind: Kind,
        sender: tuple[str, str],
        subject: str,
        content: Content,
        at: datetime,
        more: Mapping[str, str] | None = None,
        *,
        original_to: str | None = None,
    ) -> Letter:
        """A letter from *sender* (name, address), signed by its domain and by the mail service.

        *more* are further headers; one that is empty leaves out what would stand there.
        """
        message_id = self.message_id(at)
        headers = {
            "Date": composing.date(at),
            "From": composing.address(*sender),
            "Reply-To": sender[1],
            "To": self.mailbox,
            "Message-ID": f"<{message_id}>",
            "Subject": subject,
            "X-Marketplace-ID": self.place.id,
            "X-Space-Notification-Type": TYPES.get(kind, ""),
            **(more or {}),
        }
        domain = sender[1].rpartition("@")[2]
        return Letter(
            kind=kind,
            message_id=message_id,
            at=at,
            raw=composing.raw(composing.with_headers(headers), content),
            sender_domain=domain,
            signed_by=(domain, "amazonses.com"),
            return_path=f"no-reply@{self.place.relay}",
            original_to=original_to,
            relay_host=f"a{self.random.randrange(64)}.smtp-out.{self.place.region}.amazonses.com",
        )

    def message_id(self, at: datetime) -> str:
        """As the mail service makes them: unique, and threaded with nothing."""
        millis = int(at.timestamp() * 1000)
        return f"0102{millis:012x}-{self.uuid()}-000000@{self.place.region}.amazonses.com"

    def uuid(self) -> str:
        """A uuid."""
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def hexadecimal(self, length: int) -> str:
        """So many hexadecimal digits."""
        return f"{self.random.getrandbits(4 * length):0{length}x}"

    def token(self, length: int = 14) -> str:
        """What stands in links and marks: ``A`` and capital letters and digits."""
        return "A" + "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=length))

    def watermark(self) -> str:
        """The mark at the very end of a letter."""
        mark = WATERMARKS.get(self.place.region, "SPC-USAmazon")
        return f"{mark}-{self.random.randrange(10**15, 10**16)}"
