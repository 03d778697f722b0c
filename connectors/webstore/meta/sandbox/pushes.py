"""Pushes on their way: signed, again and again where nobody took them, given up after a week.

A page whose pushes fail for an hour is no longer subscribed to.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from connectors.webstore.meta.sandbox import payload
from core.sandbox.departures import Departures
from core.sandbox.sending import Delivering, is_near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from connectors.webstore.meta.sandbox.graph import App, Graph, Habits, Line, Said

AT_ONCE = 64
"""So many pushes are under way at a time."""
RECORDED = 50_000
PATIENCE = ClientTimeout(total=20)
GROWTH = 2.0
HEADER = "X-Hub-Signature-256"


@dataclass(frozen=True, slots=True)
class Push:
    """One envelope; *attempt* is the one to come, *wait* what follows if it fails."""

    line: Line
    content: Mapping[str, Any]
    made_at: datetime
    wait: timedelta
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Tried:
    """How an attempt went: *status* None where there was no answer."""

    at: datetime
    attempt: int
    status: int | None


@dataclass(slots=True)
class Pushes(Delivering):
    """What nobody has taken yet; delivers while it is entered.

    *is_held*: nothing leaves until it is set to False again. *lost*: what was never delivered, for
    no subscription stood.
    """

    graph: Graph
    lost: int = 0
    tried: deque[Tried] = field(default_factory=lambda: deque(maxlen=RECORDED))
    _failing: dict[str, datetime] = field(default_factory=dict)
    _departures: Departures[Push] = field(init=False)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def __post_init__(self) -> None:
        self._departures = Departures(self.graph.clock, lambda: self.is_held, self._deliver)

    def _leaving(self) -> AbstractAsyncContextManager[None]:
        return self._departures.leaving()

    @property
    def habits(self) -> Habits:
        return self.graph.habits

    @property
    def waiting(self) -> int:
        """How many are to leave, now or later."""
        return len(self._departures)

    def said(self, line: Line, one: Said) -> None:
        """News of a message: of a person's, of one written elsewhere, and at a page of ours too."""
        if one.author == "api" and line.kind == "whatsapp":
            self.became(line, one)
        else:
            self.put(line, payload.pushed(line, one))

    def became(self, line: Line, one: Said, words: Sequence[str] | None = None) -> None:
        """What becomes of *one*, word by word; failed at last where that was ordered."""
        told = list(self.habits.statuses if words is None else words)
        code = self.habits.fails_with if one.fails_with is None else one.fails_with
        if one.fails_with is not None:
            told = []
        if code is not None:
            told.append("failed")
        if self.habits.shuffles:
            told.reverse()
        for place, word in enumerate(told, 1):
            at = self.graph.clock() + timedelta(seconds=self.habits.apart * place)
            change = payload.status(
                line, one, word, at, code=code,
                marked=word != "failed" or self.habits.marks_failures,
            )  # fmt: skip
            self.put(line, payload.envelope(line, [change]), at)

    def put(self, line: Line, content: Mapping[str, Any], at: datetime | None = None) -> None:
        """Let *content* leave *at*; twice where that was ordered."""
        now = self.graph.clock()
        for _ in range(2 if self.habits.repeats else 1):
            self._departures.put(at or now, Push(line, content, now, self.habits.again_after))

    async def deliver(self) -> None:
        """Try what is due; return when nothing is under way any more."""
        await self._departures.settle()

    async def _deliver(self, push: Push) -> None:
        place = push.line.place
        if place is None or not is_near(place):
            self.lost += 1
            return
        async with self._room:
            status = await self._status(place, push)
        now = self.graph.clock()
        self.tried.append(Tried(now, push.attempt, status))
        if status is not None and 200 <= status < 300:
            self._failing.pop(push.line.id, None)
            return
        self._disable(push.line, now)
        if now + push.wait < push.made_at + self.habits.gives_up_after:
            later = replace(push, wait=push.wait * GROWTH, attempt=push.attempt + 1)
            self._departures.put(now + push.wait, later)

    def _disable(self, line: Line, now: datetime) -> None:
        """A page that fails for long is no longer pushed."""
        since = self._failing.setdefault(line.id, now)
        if line.kind != "whatsapp" and now - since >= self.habits.disables_after:
            line.fields = None

    async def _status(self, place: str, push: Push) -> int | None:
        body = json.dumps(push.content, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **self._signed(push.line.app, body)}
        return await self._sender.send(place, body, headers, PATIENCE)

    def _signed(self, app: App, body: bytes) -> dict[str, str]:
        """The header, right or as it was ordered."""
        secret, how = app.secret.encode(), self.habits.signs
        if how == "none":
            return {}
        over = json.dumps(json.loads(body)).encode() if how == "reserialised" else body
        digest = hmac.digest(b"another" if how == "wrong" else secret, over, "sha256")
        told = base64.b64encode(digest).decode() if how == "base64" else digest.hex()
        return {HEADER: f"sha256={told}"}


async def is_proven(place: str, token: str, challenge: str) -> bool:
    """Whether *place* answers the question whether it is ours."""
    if not is_near(place):
        return False
    asked = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    try:
        async with (
            ClientSession(timeout=PATIENCE) as session,
            session.get(place, params=asked, allow_redirects=False) as answer,
        ):
            return answer.status == 200 and (await answer.read()).decode() == challenge
    except (ClientError, TimeoutError, ValueError):
        return False
