"""Somebody who calls the stand-in of the folder above.

Every answer of an operation that eBay's contracts know is held against them, where they are.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from aiohttp import ClientSession

from connectors.ebay.sandbox.applications import SCOPE
from tests.connectors.ebay.sandbox import answers

if TYPE_CHECKING:
    from connectors.ebay.sandbox.server import Sandbox


class Answer(NamedTuple):
    """How a call was answered."""

    status: int
    body: Any
    headers: Any

    @property
    def number(self):
        """eBay's number of the first error."""
        return self.body["errors"][0]["errorId"]


@dataclass
class Caller:
    """Calls the stand-in as *seller*, or, with ``by="application"``, as the application."""

    sandbox: Sandbox
    seller: Any
    session: ClientSession
    _tokens: dict = field(default_factory=dict)

    async def __call__(
        self, method, path, *, host="api", by="user", scheme="Bearer", token=None, **how
    ):
        headers = dict(how.pop("headers", {}))
        given = token or self.token(by)
        if scheme:
            headers.setdefault("Authorization", f"{scheme} {given}")
        url = self.sandbox.hosts[host] + path
        async with self.session.request(method, url, headers=headers, **how) as answer:
            is_json = answer.content_type == "application/json"
            body = await answer.json() if is_json else None
        if not path.startswith("/_sandbox"):
            self._hold_against_contract(answer.status, body)
        return Answer(answer.status, body, answer.headers)

    def token(self, by="user"):
        """A token made without a call."""
        if by not in self._tokens:
            whose, scopes = (self.seller, self._scopes()) if by == "user" else (None, {SCOPE})
            self._tokens[by] = self.seller.application.mint(whose, scopes)
        return self._tokens[by]

    async def granted(self, *, secret=None, **form):
        """What the token endpoint answers."""
        application = self.seller.application
        pair = f"{application.client_id}:{secret or application.client_secret}".encode()
        basic = {"Authorization": f"Basic {b64encode(pair).decode()}"}
        url = f"{self.sandbox.url}/identity/v1/oauth2/token"
        async with self.session.post(url, data=form, headers=basic) as answer:
            return Answer(answer.status, await answer.json(), answer.headers)

    def _scopes(self):
        return self.seller.application.consents[self.seller.refresh_token].scopes

    def _hold_against_contract(self, status, body):
        operation = self.sandbox.received[-1].operation
        if answers.is_known(operation):
            assert not answers.faults(operation, status, body)


@pytest.fixture
async def call(sandbox, seller):
    async with ClientSession() as session:
        yield Caller(sandbox, seller, session)
