"""The table ``mapping``: where in the store's JSON what stands, and what its words mean."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from connectors.webstore.generic import moments, paths
from connectors.webstore.generic.moments import Form, Zone
from connectors.webstore.generic.paths import Path
from core.errors import Unfit
from core.options import Part

Word = Literal["buyer", "seller", "automatic", "private", "system"]
"""Who says it to whom: a buyer; the shop to the buyer; a robot of the shop's; the shop to itself;
the store about the conversation. Only the first starts a clock, only the second ends one."""

THREAD, MESSAGE = "thread", "message"
"""Under these names an expression finds both where an item holds several messages."""

EXPRESSIONS = (
    "id", "thread", "party", "text", "sent_at", "updated_at", "subject", "buyer", "mail", "phone",
    "orders", "link", "attachments", "status", "language",
)  # fmt: skip


class Meaning(Part):
    """Where in an item what stands: JMESPath expressions, but for *parties*, *time* and *zone*.

    *messages* is where an item that is a whole conversation holds its messages: every other
    expression then begins with ``thread.`` or ``message.``. *parties* says what the words at
    *party* mean. *time* is the form of all instants, *zone* that in which they are told where they
    name no offset. Left out, *thread* makes each message a thread of its own. *updated_at* is when
    the conversation last changed. *language* is what its buyer writes (``de``, ``de_AT``). *closed*
    are the words at *status* of one that is over.
    """

    messages: Path | None = None
    id: Path
    thread: Path | None = None
    party: Path
    parties: dict[str, Word] = Field(min_length=1)
    text: Path
    sent_at: Path
    time: Form = moments.ISO
    zone: Zone | None = None
    updated_at: Path | None = None
    subject: Path | None = None
    buyer: Path | None = None
    mail: Path | None = None
    phone: Path | None = None
    orders: Path | None = None
    link: Path | None = None
    attachments: Path | None = None
    status: Path | None = None
    language: Path | None = None
    closed: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _times_have_a_zone(self) -> Self:
        if moments.needs_zone(self.time) and self.zone is None:
            raise Unfit("has times without an offset and no zone; write zone = "
                        '"Europe/Berlin" or the like')  # fmt: skip
        if not moments.takes_zone(self.time) and self.zone is not None:
            raise Unfit("has a zone beside times that need none; remove zone")
        return self

    @model_validator(mode="after")
    def _can_start_a_clock(self) -> Self:
        if "buyer" not in self.parties.values():
            raise Unfit('has no "buyer" among its parties, so no clock would ever start; write '
                        'like parties = { customer = "buyer", agent = "seller" }')  # fmt: skip
        if bool(self.closed) and self.status is None:
            raise Unfit("says which words mean closed and not where they stand; write status")
        if self.messages is not None and self.thread is None:
            raise Unfit("has several messages in an item and no thread; write like thread = "
                        '"thread.id"')  # fmt: skip
        return self

    @model_validator(mode="after")
    def _says_of_which_it_speaks(self) -> Self:
        """Where an item holds several messages, each expression is about it or about one."""
        for name in EXPRESSIONS if self.messages is not None else ():
            path = getattr(self, name)
            if path is not None and not paths.roots(path) <= {THREAD, MESSAGE}:
                raise Unfit(f"has messages, so {name} begins with thread. or message.; write like "
                            f'{name} = "message.{name}"')  # fmt: skip
        return self

    @property
    def sees_the_seller(self) -> bool:
        """Whether answers given elsewhere can be told from what buyers write."""
        return "seller" in self.parties.values()
