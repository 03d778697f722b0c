"""Reads, receives and answers one account, each as far as its settings say how."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from connectors.webstore.generic import answering, mapping, offer, receiving
from connectors.webstore.generic.api import Api
from connectors.webstore.generic.reading import Reading
from connectors.webstore.outbox import Outbox
from core.connector import Sent
from core.errors import BadPayload
from core.transport import answers
from core.transport.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.webstore.generic.answering import Reply
    from connectors.webstore.generic.mapping import Translated
    from connectors.webstore.generic.options import GenericOptions
    from connectors.webstore.generic.signing import Webhook
    from connectors.webstore.outbox import Mail
    from core.connector import Connector, Transport
    from core.model import Draft, Page, Thread
    from core.pushes import PushRequest, Receipt


class Generic:
    """One account; keeps nothing between calls."""

    def __init__(self, options: GenericOptions, transport: Transport) -> None:
        self._options = options
        self._api = Api(options, transport.http)
        poll = options.poll
        self._reading = None if poll is None else Reading(self._api, options, poll)

    async def check(self) -> Sequence[str]:
        """Ask for the first page: address, key and place of the items are right if that works.

        Returns:
            Where the mapping did not fit what came, how often; never what stood there.
        """
        if self._reading is None:
            return ()
        try:
            return complaints(await self._reading.sample())
        except BadPayload as fault:
            if fault.detail == "404":
                raise BadPayload(f"{fault}; is poll.url right?", detail="404") from None
            raise

    async def fetch(
        self, stream: str, cursor: str | None, position: str | None, now: datetime
    ) -> Page:
        """One page of ``messages``."""
        if stream == offer.MESSAGES and self._reading is not None:
            return await self._reading.fetch(cursor, position, now)
        raise ValueError(f"no stream {stream}")

    def translate(self, sample: bytes, now: datetime) -> Page:
        """What an answer of the list, or a push, becomes by the mapping.

        Raises:
            BadPayload: it is no JSON, or holds no items where one of both has them.
        """
        document = answers.decoded(Answer(200, {}, sample), "sample")
        made = mapping.translated(self._items(document), self._options.mapping)
        return mapping.page(made, self._options, now)

    def _items(self, document: Any) -> list[Any]:
        poll, webhook = self._options.poll, self._options.webhook
        if poll is not None:
            try:
                return mapping.listed(document, poll.items)
            except BadPayload as unlisted:
                if webhook is None:
                    raise
                return _as_pushed(document, webhook.items, unlisted)
        return mapping.pushed(document, "@" if webhook is None else webhook.items)


class Replying(Generic):
    """The same with a call that answers."""

    def __init__(self, options: GenericOptions, transport: Transport, reply: Reply) -> None:
        super().__init__(options, transport)
        self._reply = reply

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:  # noqa: ARG002  # the protocol hands it to everybody
        """Hand it in, once."""
        return Sent(await self._api.send(self._reply, thread, draft))


class Mailing(Generic):
    """The same with a mail server."""

    def __init__(self, options: GenericOptions, transport: Transport, mail: Mail) -> None:
        super().__init__(options, transport)
        self._mail, self._outbox = mail, Outbox(mail, transport)

    async def check(self) -> Sequence[str]:
        """As above, and log in to the mail server."""
        told = await super().check()
        await self._outbox.check()
        return told

    async def reply(self, thread: Thread, draft: Draft, now: datetime) -> Sent:
        """Mail it, once. The store does not show it."""
        letter = answering.letter(thread, draft, self._mail, now)
        await self._outbox.send(letter)
        return Sent(letter.message_id)


class Pushed(Generic):
    """The same with an address for pushes."""

    async def receive(self, request: PushRequest, now: datetime) -> Receipt:
        """Check and translate a push; nothing is stored here."""
        return receiving.receive(request, self._options, self._webhook, now)

    @property
    def _webhook(self) -> Webhook:
        if self._options.webhook is None:
            raise ValueError("nothing is pushed to this account")
        return self._options.webhook


class PushedAndReplying(Pushed, Replying):
    """Both."""


class PushedAndMailing(Pushed, Mailing):
    """Both."""


def _as_pushed(document: Any, path: str, unlisted: BadPayload) -> list[Any]:
    """The items of a push.

    Raises:
        BadPayload: there is none, and neither was it a list, as *unlisted* says.
    """
    try:
        return mapping.pushed(document, path)
    except BadPayload as unpushed:
        raise BadPayload(f"{unlisted}, and {unpushed}", detail=unpushed.detail) from None


def complaints(made: Translated) -> tuple[str, ...]:
    """How often the mapping did not fit, by the key that did not."""
    counted = Counter(one.reason for one in made.odd)
    return tuple(
        f"options.{reason} in {count} of {made.came} items; see replyby try-mapping"
        for reason, count in sorted(counted.items())
    )


def opened(options: GenericOptions, transport: Transport) -> Connector:
    """The connector of an account: of the class that can what its options say."""
    is_pushed = options.webhook is not None
    if options.reply is not None:
        replying = PushedAndReplying if is_pushed else Replying
        return replying(options, transport, options.reply)
    if options.mail is not None:
        mailing = PushedAndMailing if is_pushed else Mailing
        return mailing(options, transport, options.mail)
    return (Pushed if is_pushed else Generic)(options, transport)
