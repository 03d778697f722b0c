"""The calls: a page of the list, and an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from yarl import URL

from connectors.webstore.generic import answering, mapping, offer, paging
from core.transport import answers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.generic.answering import Reply
    from connectors.webstore.generic.asking import Poll
    from connectors.webstore.generic.options import GenericOptions
    from connectors.webstore.generic.paging import Walk
    from core.model import Draft, Thread
    from core.transport.http import Http

NO_CONTENT = 204


class Listed(NamedTuple):
    """A page of the list: its *items*, its *document* whole, and its headers."""

    items: list[Any]
    document: Any
    headers: Mapping[str, str]


class Api:
    """The calls of one account; what they raise stands in `core.transport.http`."""

    def __init__(self, options: GenericOptions, http: Http) -> None:
        self._options, self._http = options, http
        secret = {name: one.get_secret_value() for name, one in options.headers.items()}
        entry = options.auth.headers if options.auth else {}
        self._params = options.auth.params if options.auth else {}
        self._headers = {"Accept": "application/json", **secret, **entry}

    async def listed(self, poll: Poll, walk: Walk) -> Listed:
        """The page that *walk* asks for next.

        Raises:
            ConnectorError: it could not be read, or holds no items where they should be.
        """
        asked = paging.call(poll, walk, self._options.mapping.zone)
        answer = await self._http.get(
            self._opened(asked.url),
            operation=offer.LIST,
            headers=self._headers,
            params=asked.params,
        )
        if answer.status == NO_CONTENT:
            return Listed([], None, answer.headers)
        document = answers.decoded(answer, offer.LIST)
        return Listed(mapping.listed(document, poll.items), document, answer.headers)

    async def send(self, reply: Reply, thread: Thread, draft: Draft) -> str | None:
        """Hand *draft* in, once; the id of the message that it became.

        Raises:
            ConnectorError: as `core.connector.Replies` says.
        """
        url, own, body = answering.filled(reply, thread, draft)
        answer = await self._http.send(
            self._opened(url),
            operation=offer.SEND,
            method=reply.method,
            headers={**self._headers, "Content-Type": "application/json", **own},
            body=body,
        )
        return answering.sent_id(reply, answer)

    def _opened(self, url: str) -> str | URL:
        """*url* with the key, where that stands in addresses: once, though the store repeats it."""
        return URL(url).update_query(self._params) if self._params else url
