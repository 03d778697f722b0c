"""What an account at a store says in the settings of which nobody here has heard."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from connectors.webstore.generic.answering import Reply
from connectors.webstore.generic.asking import Auth, Header, Poll
from connectors.webstore.generic.meaning import Meaning
from connectors.webstore.generic.signing import Webhook
from connectors.webstore.kind import StoreOptions
from connectors.webstore.outbox import Mail
from core.durations import Duration, PositiveDuration
from core.errors import Unfit
from core.options import Secret
from core.transport.proxy import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = timedelta(seconds=10)
"""How often a store's own server is asked at most; nobody knows its limits here."""

LIKE_A_KEY = re.compile(r"(?:^|&)[^=&]*(?:key|token|secret|passw)[^=&]*=[^&]", re.IGNORECASE)


class GenericOptions(StoreOptions):
    """One store.

    *webhook* is what it pushes, *poll* where it is asked; at least one of them. *mapping* says what
    an item of either means. *auth* and *headers* go with every call; *tenant* names the shop where
    several are read at one address, each with its own key. Answers go by *reply*, the store's API,
    or by *mail*; without both nobody can be answered. *conversation*: what threads
    here are, for the promises that apply to them. *look_back* is how far the first walk reads,
    *overlap* how far each later one reads again.
    """

    kind: Literal["generic"]
    mapping: Meaning
    webhook: Webhook | None = None
    poll: Poll | None = None
    auth: Auth | None = None
    headers: dict[Header, Secret] = Field(default_factory=dict)
    tenant: str = Field(default="", max_length=200)
    reply: Reply | None = None
    mail: Mail | None = None
    conversation: Literal["message", "chat"] = "message"
    look_back: PositiveDuration = timedelta(days=30)
    overlap: Duration = timedelta(minutes=15)
    poll_every: PositiveDuration = timedelta(minutes=2)

    @model_validator(mode="after")
    def _has_a_way_in(self) -> Self:
        if self.webhook is None and self.poll is None:
            raise Unfit("has neither webhook nor poll, so nothing would ever be read; write one of"
                        " them as a table")  # fmt: skip
        if self.reply is not None and self.mail is not None:
            raise Unfit("has reply and mail; keep reply where the store delivers what it takes,"
                        " else mail")  # fmt: skip
        if self.poll is not None and self.poll_every < FLOOR and not self.is_near:
            raise Unfit("poll_every is below 10s, too often for a server of others; write 10s")
        return self

    @property
    def is_near(self) -> bool:
        """Whether the store is on this machine."""
        return is_loopback(urlsplit(self.place).hostname or "")

    @property
    def place(self) -> str:
        """Which list is read; where none is, where it is pushed to."""
        if self.poll is not None:
            return self.poll.url
        return "" if self.webhook is None else self.webhook.endpoint

    @property
    def host(self) -> str:
        """The server that is asked."""
        return urlsplit(self.place).netloc


def identity(options: GenericOptions) -> str:
    """Which store this is."""
    return " ".join(part for part in (options.place, options.tenant) if part)


def budget(options: GenericOptions) -> str:
    """The limit that accounts share: calls of one server."""
    return options.host


def pushed_to(options: GenericOptions) -> str | None:
    """Where pushes go."""
    return None if options.webhook is None else options.webhook.endpoint


def findings(options: GenericOptions, others: Sequence[GenericOptions]) -> tuple[str, ...]:
    """What is allowed and yet not wise."""
    del others
    found = []
    webhook, poll = options.webhook, options.poll
    if webhook is not None and webhook.scheme == "shared":
        found.append(
            "webhook.scheme: is no signature: whoever sees one request can send others; choose"
            ' "hmac" or "standard" where the store can sign'
        )
    if poll is not None and LIKE_A_KEY.search(urlsplit(poll.url).query):
        found.append(
            "poll.url: seems to hold a key, and addresses are shown; write auth = { scheme ="
            ' "query", parameter = "...", secret = "env:NAME" }'
        )
    if poll is None:
        found.append(
            "poll: is left out: what the store pushes while nobody hears it is lost unless it"
            " sends it again; write poll where it has a list"
        )
    elif poll.since is None and not poll.newest_first:
        found.append(
            "poll: has neither since nor newest_first, so every walk reads the whole list; write"
            " one of them where the store can"
        )
    if options.reply is None and options.mail is None:
        found.append(
            "reply: is left out, and mail, so nobody can be answered from here; write one of them"
        )
    elif options.reply is not None and not options.mapping.sees_the_seller:
        found.append(
            'mapping.parties: has no "seller", so that no answer is ever read back; write the word'
            " that the store has for its own messages"
        )
    return tuple(found)
