"""Pushes on their way: signed, again after minutes where nobody acknowledged, given up after a day.

An endpoint that fails on and on is marked down. Whoever acknowledges after `Habits.ack_within` gets
the same notification again: the same id, one more attempt.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiohttp import ClientTimeout

from connectors.ebay.sandbox import payload, topics
from core.sandbox.departures import Departures
from core.sandbox.sending import Delivering

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from connectors.ebay.sandbox.applications import Application
    from connectors.ebay.sandbox.conversations import Conversation, Message
    from connectors.ebay.sandbox.destinations import Destination, Subscription
    from connectors.ebay.sandbox.market import Market, Member, Seller

GOOD = frozenset({200, 201, 202, 204})
AT_ONCE = 64
"""So many pushes are under way at a time."""
RECORDED = 50_000


@dataclass(frozen=True, slots=True)
class Push:
    """One notification for one destination; *attempt* is the one to come."""

    application: Application
    destination: Destination
    topic: str
    id: str
    event_at: datetime
    data: Mapping[str, Any]
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Tried:
    """How an attempt went: *status* None where there was no answer, or none in time."""

    at: datetime
    topic: str
    id: str
    attempt: int
    status: int | None


@dataclass(slots=True)
class Pushes(Delivering):
    """What has not been acknowledged yet; delivers while it is entered.

    *is_held*: nothing leaves until it is set to False again. *tried*: the last attempts.
    """

    market: Market
    tried: deque[Tried] = field(default_factory=lambda: deque(maxlen=RECORDED))
    _departures: Departures[Push] = field(init=False)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def __post_init__(self) -> None:
        self._departures = Departures(self.market.clock, lambda: self.is_held, self._deliver)

    def _leaving(self) -> AbstractAsyncContextManager[None]:
        return self._departures.leaving()

    @property
    def waiting(self) -> int:
        """How many pushes are to leave, now or later."""
        return len(self._departures)

    def message(self, seller: Seller, conversation: Conversation, one: Message) -> None:
        """News for the *seller* of what was written; his own words are no news."""
        habits = self.market.habits
        is_own = one.sender is seller.member
        is_ebays = conversation.type == "FROM_EBAY"
        if (is_own and not habits.pushes_own) or (is_ebays and not habits.pushes_ebay):
            return
        data = payload.pushed(conversation, one)
        for place in seller.application.subscribed.places(topics.NEW_MESSAGE, seller):
            self._put(seller.application, place, topics.NEW_MESSAGE, data, one.at)

    def deletion(self, member: Member) -> list[str]:
        """Every application hears that *member* closed the account; the notifications' ids."""
        return [
            self._put(one, place, topics.DELETION, topics.deletion(member), self.market.clock())
            for one in self.market.applications.values()
            for place in one.subscribed.places(topics.DELETION, None)
        ]

    def revocation(self, seller: Seller) -> None:
        """The application hears that *seller* took the consent back."""
        for place in seller.application.subscribed.places(topics.REVOCATION, None):
            data = topics.revocation(seller.member)
            self._put(seller.application, place, topics.REVOCATION, data, self.market.clock())

    def test(self, application: Application, subscription: Subscription) -> str:
        """A notification of which nothing exists, whatever the subscription's status."""
        now = self.market.clock()
        data = topics.invented(subscription.topic, self.market.random, now)
        place = application.subscribed.destinations[subscription.destination]
        return self._put(application, place, subscription.topic, data, now)

    def anything(self, application: Application, topic: str, data: Mapping[str, Any]) -> list[str]:
        """News of whatever *topic* for every destination, subscribed or not."""
        places = application.subscribed.destinations.values()
        now = self.market.clock()
        return [self._put(application, place, topic, data, now) for place in places]

    async def deliver(self) -> None:
        """Try what is due; return when nothing is under way any more."""
        await self._departures.settle()

    def _put(
        self,
        application: Application,
        place: Destination,
        topic: str,
        data: Mapping[str, Any],
        event_at: datetime,
    ) -> str:
        name = f"{self._uuid()}_{self._uuid()}"
        push = Push(application, place, topic, name, event_at, data)
        self._departures.put(self.market.clock() + self.market.habits.push_after, push)
        return name

    async def _deliver(self, push: Push) -> None:
        place = push.destination
        if place.status == "MARKED_DOWN":
            return
        async with self._room:
            status = await self._status(push)
        now = self.market.clock()
        self.tried.append(Tried(now, push.topic, push.id, push.attempt, status))
        if status in GOOD:
            place.failures = 0
            return
        place.failures += 1
        self._mark_down(push)
        habits = self.market.habits
        if now + habits.again_after < push.event_at + habits.gives_up_after:
            self._departures.put(now + habits.again_after, replace(push, attempt=push.attempt + 1))

    def _mark_down(self, push: Push) -> None:
        place, subscribed = push.destination, push.application.subscribed
        if place.failures >= self.market.habits.most_failures and place.status == "ENABLED":
            place.status = "MARKED_DOWN"
            subscribed.alerts.append(f"destination {place.id} was marked down")

    async def _status(self, push: Push) -> int | None:
        """How the endpoint answers; None: not in time, or not at all."""
        body = self._body(push)
        headers = {
            "Content-Type": "application/json",
            "X-EBAY-SIGNATURE": self.market.keys.current.header(body),
        }
        patience = ClientTimeout(total=self.market.habits.ack_within.total_seconds())
        return await self._sender.send(push.destination.endpoint, body, headers, patience)

    def _body(self, push: Push) -> bytes:
        told = topics.envelope(
            push.topic,
            push.id,
            push.data,
            event_at=push.event_at,
            published_at=self.market.clock(),
            attempt=push.attempt,
        )
        try:
            return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:  # half a character has no bytes, but an escape
            return json.dumps(told, separators=(",", ":")).encode()

    def _uuid(self) -> str:
        return str(UUID(int=self.market.random.getrandbits(128), version=4))
