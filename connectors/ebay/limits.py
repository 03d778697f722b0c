"""How many calls eBay still allows: learned hourly, counted down per call. Seconds are monotonic.

Nothing is hard-coded: before the first answer no call is held back (facts: the numbers differ by
application, and those of messages and dossiers are published nowhere).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  # pydantic reads it when the models are built
from time import monotonic
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, Field

from core.errors import BadCredentials
from core.model import Page, Published
from core.transport import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.ebay.access import Access, Scheme
    from core.model import SetAside

PATHS = {
    "/commerce/message/": "message",
    "/commerce/notification/": "notification",
    "/commerce/media/": "media",
    "/commerce/identity/": "identity",
    "/developer/analytics/": "analytics",
    "/sell/fulfillment/": "fulfillment",
    "/post-order/": "postorder",
    "/ws/api.dll": "tradingapi",
}
"""By the begin of a path: the API as `_plain` makes its ``apiName``."""

VERSION = re.compile(r"/v\d[^/]*/")

APPLICATION = "/developer/analytics/v1_beta/rate_limit/"
USER = "/developer/analytics/v1_beta/user_rate_limit/"
OPERATIONS = ("getRateLimits", "getUserRateLimits")

NOTHING = 204
"""The status of an answer that knows no limit."""


class Rate(BaseModel):
    """A quota: *remaining* calls until *reset*, of *limit* in each *timeWindow* (seconds)."""

    limit: int
    remaining: int
    reset: AwareDatetime
    timeWindow: int = Field(gt=0)  # noqa: N815  # eBay's name


class Resource(BaseModel):
    """What is limited by itself: an API as a whole, or one of its calls."""

    name: str
    rates: list[Rate] = []


class RateLimit(BaseModel):
    """The resources of one API."""

    apiContext: str = ""  # noqa: N815  # eBay's name
    apiName: str  # noqa: N815  # eBay's name
    resources: list[Resource] = []


class RateLimits(BaseModel):
    """What ``getRateLimits`` and ``getUserRateLimits`` answer."""

    rateLimits: list[RateLimit] = []  # noqa: N815  # eBay's name


@dataclass(slots=True)
class Budget:
    """So many calls are *left* until an instant; then *limit* again for *window* seconds."""

    limit: int
    left: int
    until: float
    window: float

    def wait(self, now: float) -> float:
        """The seconds until a call may leave; 0: at once."""
        if now >= self.until:
            self.until += self.window * ((now - self.until) // self.window + 1)
            self.left = self.limit
        return 0.0 if self.left > 0 else self.until - now


class Limits:
    """The budgets of one application, or of one seller."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._budgets: dict[tuple[str, str], list[Budget]] = {}

    def learn(self, told: RateLimits, now: datetime) -> None:
        """From here on these count; what is not *told* of any more is not limited."""
        began = self._clock()
        self._budgets = {
            (api, _plain(resource.name)): [
                Budget(rate.limit, rate.remaining, began + _seconds(rate, now), rate.timeWindow)
                for rate in resource.rates
            ]
            for api, resource in _ours(told)
        }

    def count(self, path: str, operation: str) -> None:
        """Such a call leaves."""
        for budget in self._of(path, operation):
            budget.left -= 1

    def wait(self, path: str, operation: str) -> float:
        """The seconds until such a call may leave, as far as it is known."""
        now = self._clock()
        return max((budget.wait(now) for budget in self._of(path, operation)), default=0.0)

    def _of(self, path: str, operation: str) -> list[Budget]:
        """What a call counts against: a quota of its own, else the nearest to its path.

        Trading has one for each call, by name. Others are named as paths begin (seen in answers of
        production: ``post-order.return``, ``sell.fulfillment.payment_dispute``), and a whole API
        is one resource whose name is, or ends with, the API's.
        """
        api = next((name for begin, name in PATHS.items() if path.startswith(begin)), "")
        told = {name: budgets for (of, name), budgets in self._budgets.items() if of == api}
        if (own := told.get(_plain(operation))) is not None:
            return own
        where = _plain(VERSION.sub("/", path))
        near = [name for name in told if where.startswith(name)]
        whole = [name for name in told if name.endswith(api)]
        found = max(near, key=len, default=next(iter(whole), None))
        return [] if found is None else told[found]


async def read(access: Access, now: datetime) -> Page:
    """The quotas of what we call; from here on they are kept.

    A seller's own are told to who consented to sell; without that those of the application stand
    alone.

    Raises:
        ConnectorError: those of the application could not be read.
    """
    told, aside = await _asked(access, APPLICATION, OPERATIONS[0], "application")
    access.application.limits.learn(told, now)
    numbers = [*_published(told, "application", now)]
    with suppress(BadCredentials):
        own, odd = await _asked(access, USER, OPERATIONS[1], "bearer")
        access.limits.learn(own, now)
        numbers += _published(own, "seller", now)
        aside += odd
    return Page(published=tuple(numbers), set_aside=aside, cursor=now.isoformat())


async def _asked(
    access: Access, path: str, operation: str, scheme: Scheme
) -> tuple[RateLimits, tuple[SetAside, ...]]:
    answer = await access.get("api", path, operation=operation, scheme=scheme)
    if answer.status == NOTHING:
        return RateLimits(), ()
    found = answers.salvaged(answer, RateLimits, operation, ("apiName", "name"))
    return found.value, found.aside


def _published(told: RateLimits, of: str, now: datetime) -> Iterator[Published]:
    """Of each quota what is left, by the time for which it holds."""
    for api, resource in _ours(told):
        for rate in resource.rates:
            name = f"calls_left.{of}.{api}.{_plain(resource.name)}.{rate.timeWindow}s"
            yield Published(name, float(rate.remaining), now)


def _ours(told: RateLimits) -> Iterator[tuple[str, Resource]]:
    """Each resource that we call, by its API: as its answer names it, or as its own name begins."""
    for limit in told.rateLimits:
        for resource in limit.resources:
            named, name = _plain(limit.apiName), _plain(resource.name)
            begins = (api for begin, api in PATHS.items() if name.startswith(_plain(begin)))
            api = named if named in PATHS.values() else next(begins, None)
            if api is not None:
                yield api, resource


def _seconds(rate: Rate, now: datetime) -> float:
    return min(max((rate.reset - now).total_seconds(), 0.0), float(rate.timeWindow))


def _plain(name: str) -> str:
    """A name as it is compared: letters and digits alone, small."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())
