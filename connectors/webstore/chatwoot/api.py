"""The calls, one method each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.webstore.chatwoot import answering, offer
from connectors.webstore.chatwoot.payload import (
    Complaint,
    Conversation,
    Conversations,
    Inbox,
    Messages,
    OneWebhook,
    Sent,
    Webhooks,
)
from core.errors import BadCredentials, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.webstore.chatwoot.options import ChatwootOptions
    from connectors.webstore.chatwoot.payload import Webhook
    from core.model import Draft
    from core.transport.http import Http
    from core.transport.salvage import Salvaged

DEAD = "Invalid Access Token"
"""What Chatwoot says of a token that it does not know; of one that may not, something else."""


class Api:
    """The calls of one account; what they raise stands in `core.transport.http`."""

    def __init__(self, options: ChatwootOptions, http: Http) -> None:
        self._options, self._http = options, http
        self._token = options.api_token.get_secret_value()
        self._headers = {"api_access_token": self._token, "Accept": "application/json"}
        self._base = f"{options.base_url}/api/v1/accounts/{options.account_id}"

    async def conversations(self, page: int) -> Salvaged[Conversations]:
        """A page of all conversations, those with the last activity first."""
        query = {"status": "all", "assignee_type": "all", "page": str(page)}
        if self._options.inbox_id is not None:
            query["inbox_id"] = str(self._options.inbox_id)
        return await self._http.get_items(
            f"{self._base}/conversations",
            Conversations,
            operation=offer.LIST,
            headers=self._headers,
            params=query,
        )

    async def conversation(self, conversation: str) -> Salvaged[Conversation]:
        """One conversation."""
        return await self._http.get_items(
            f"{self._base}/conversations/{conversation}",
            Conversation,
            operation=offer.SHOW,
            headers=self._headers,
        )

    async def messages(self, conversation: str, **edge: str) -> Salvaged[Messages]:
        """The last 20 messages, 20 ``before`` one, or 100 ``after`` one: the oldest first."""
        return await self._http.get_items(
            self._messages(conversation),
            Messages,
            operation=offer.MESSAGES,
            headers=self._headers,
            params=edge,
        )

    async def inbox(self, inbox: int) -> Inbox:
        """One inbox, if there is such a one."""
        return await self._http.get_json(
            f"{self._base}/inboxes/{inbox}", Inbox, operation=offer.INBOX, headers=self._headers
        )

    async def send(self, conversation: str, draft: Draft) -> str | None:
        """A message to the buyer, sent once; its id."""
        body, form, more = None, None, dict[str, str]()
        if draft.files:
            form = answering.form(draft)
        else:
            body, more = answering.said(draft), {"Content-Type": "application/json"}
        answer = await self._http.send(
            self._messages(conversation),
            operation=offer.SEND,
            headers={**self._headers, **more},
            body=body,
            form=form,
            explain=lambda raw: answering.reason(raw, self._token, draft.body),
        )
        try:
            return Sent.model_validate_json(answer.body).id
        except ValidationError:
            return None

    async def webhooks(self) -> list[Webhook]:
        """All webhooks of the account; an administrator's token alone may read them."""
        try:
            found = await self._http.get_json(
                f"{self._base}/webhooks", Webhooks, operation=offer.HOOKS, headers=self._headers
            )
        except BadCredentials as fault:
            raise _alone(fault) from None
        return found.webhooks

    async def put_webhook(self, known: Webhook | None, asked: Mapping[str, object]) -> Webhook:
        """A webhook made or, where one is *known*, changed.

        Raises:
            OutcomeUnknown: Chatwoot took it, and does not say what it became.
        """
        path, operation, method = f"{self._base}/webhooks", offer.ADD_HOOK, "POST"
        if known is not None:
            path, operation, method = f"{path}/{known.id}", offer.CHANGE_HOOK, "PATCH"
        try:
            answer = await self._http.send(
                path,
                operation=operation,
                method=method,
                headers={**self._headers, "Content-Type": "application/json"},
                body=json.dumps(asked).encode(),
                explain=lambda raw: answering.reason(raw, self._token),
            )
        except BadCredentials as fault:
            raise _alone(fault) from None
        try:
            return OneWebhook.model_validate_json(answer.body).webhook
        except ValidationError:
            raise OutcomeUnknown(f"{operation}: it was taken, and not shown") from None

    def _messages(self, conversation: str) -> str:
        return f"{self._base}/conversations/{conversation}/messages"


def _alone(fault: BadCredentials) -> BadCredentials:
    """*fault* of a call for administrators: a token that is good elsewhere is not dead."""
    if _is_dead(fault.raw):
        return fault
    hint = "webhooks are for an administrator's token"
    return BadCredentials(f"{fault}: {hint}", detail=fault.detail, alone=True, raw=fault.raw)


def _is_dead(raw: bytes) -> bool:
    """Whether a refusal says that nobody has this token."""
    try:
        return Complaint.model_validate_json(raw).error == DEAD
    except ValidationError:
        return False
