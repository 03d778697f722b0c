"""The keys with which eBay signs: asked for once an hour each, by the id that a push names.

Anybody may send a push with an invented id, and each asks eBay for a key out of a daily quota. So
an id that is unknown there is not asked for again soon, and unknown ids are asked for at a rate:
the one first that most pushes named. eBay signs many pushes with one key, and sends again what was
not taken; whoever invents ids to fill the rate would have to repeat each of them more often.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from connectors.ebay.push import signature
from connectors.ebay.push.payload import PublicKey
from core.errors import BadPayload, ConnectorError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.ebay.access import Access
    from connectors.ebay.push.signature import Key

OPERATION = "getPublicKey"
PATH = "/commerce/notification/v1/public_key/"

KEPT = 3_600.0
"""Seconds for which a key is used unasked: eBay's own advice (Notification API, getPublicKey)."""
USABLE = 86_400.0
"""Seconds for which it is used while eBay cannot be asked."""
AGAIN, PATIENCE = 60.0, 3.0
"""Seconds between two tries to ask for a key anew; for so many one push waits for it."""
DOUBTED = 300.0
"""Seconds for which eBay must go on not knowing a key that it told, until that is believed."""
UNKNOWN = 600.0
"""Seconds for which an id that eBay does not know stays unknown."""
MOST = 1_000
"""So many ids are remembered."""
COUNTED = 10_000
"""Of so many unknown ids it is counted how many pushes named them."""
BURST, EVERY = 10, 15.0
"""So many unknown ids are asked for at once, and then one in so many seconds: 5,760 a day, where
eBay allows 10,000 calls."""


@dataclass(slots=True)
class _Known:
    """What eBay said of an id, and when; None: it knows none.

    *tried* is when a key was last asked for anew, *doubted* since when eBay does not know it.
    """

    key: Key | None
    at: float
    tried: float = 0.0
    doubted: float | None = None


class Keys:
    """The keys that one application was told."""

    def __init__(self, access: Access, clock: Callable[[], float] = monotonic) -> None:
        self._access, self._clock = access, clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = asyncio.Lock()
        self._wanted: dict[str, int] = {}
        self._tokens, self._counted_at = float(BURST), clock()

    async def key(self, kid: str) -> Key | None:
        """The key of *kid*; None where eBay knows none, or none that can be used.

        A key that is told goes on being used while eBay is asked for it anew: one push in a while
        asks, and no fault of that asking refuses another.

        Raises:
            Unreachable: it cannot be asked for now; the push comes again.
        """
        known = self._known.get(kid)
        if known is not None and known.key is not None and self._age(known) <= USABLE:
            return (await self._renewed(kid, known)).key
        found = self._fresh(kid)
        if found is None:
            async with self._lock:  # who waits for the same one finds it then
                found = self._fresh(kid) or await self._found(kid)
        return found.key

    def _age(self, known: _Known) -> float:
        return self._clock() - known.at

    async def _renewed(self, kid: str, known: _Known) -> _Known:
        """*known*, asked for anew where that is due; whoever comes meanwhile has the old one."""
        now = self._clock()
        if self._age(known) < KEPT or now - known.tried < AGAIN:
            return known
        known.tried = now
        try:
            async with asyncio.timeout(PATIENCE):
                told = await self._told(kid)
        except (ConnectorError, TimeoutError):
            return known
        if told is None:
            known.doubted = now if known.doubted is None else known.doubted
            if now - known.doubted < DOUBTED:
                return known
        return self._keep(kid, told)

    async def _found(self, kid: str) -> _Known:
        """What eBay says of *kid*; where it is unknown, once no other is wanted more.

        Raises:
            Unreachable: it cannot be asked for now; a push of eBay's comes again.
        """
        if self._is_usable(kid):
            return await self._asked(kid)
        self._want(kid)
        self._take()
        most = max(self._wanted, key=lambda each: (self._wanted[each], each == kid))
        found = await self._asked(most)
        if most != kid:
            raise Unreachable("another key is asked for first", detail="flood")
        return found

    def _is_usable(self, kid: str) -> bool:
        known = self._known.get(kid)
        return known is not None and known.key is not None

    def _want(self, kid: str) -> None:
        """Count that a push named *kid*; where many are counted, those named rarely are forgotten.

        Counting so keeps each that more than one in `COUNTED` pushes names (Misra and Gries, 1982).
        """
        self._wanted[kid] = self._wanted.get(kid, 0) + 1
        if len(self._wanted) > COUNTED:
            self._wanted = {one: count - 1 for one, count in self._wanted.items() if count > 1}

    def _fresh(self, kid: str) -> _Known | None:
        found = self._known.get(kid)
        if found is None:
            return None
        kept = UNKNOWN if found.key is None else KEPT
        return found if self._clock() - found.at < kept else None

    async def _asked(self, kid: str) -> _Known:
        self._wanted.pop(kid, None)
        try:
            return self._keep(kid, await self._told(kid))
        except Unreachable:
            raise
        except ConnectorError as fault:  # a quota, a token, an odd answer: no fault of the push
            raise Unreachable(str(fault), detail=fault.detail) from None

    def _keep(self, kid: str, told: Key | None) -> _Known:
        found = self._known[kid] = _Known(told, self._clock())
        self._known.move_to_end(kid)
        self._forget()
        return found

    async def _told(self, kid: str) -> Key | None:
        try:
            told = await self._access.get_json(
                "api", f"{PATH}{kid}", PublicKey, operation=OPERATION, scheme="application"
            )
        except BadPayload as fault:
            if fault.detail in ("400", "404"):
                return None
            raise
        return signature.key(told)

    def _take(self) -> None:
        """Count that an unknown id is asked for.

        Raises:
            Unreachable: too many were; a push of eBay's comes again in minutes.
        """
        now = self._clock()
        self._tokens = min(float(BURST), self._tokens + (now - self._counted_at) / EVERY)
        self._counted_at = now
        if self._tokens < 1:
            raise Unreachable("too many pushes with unknown keys", detail="flood")
        self._tokens -= 1

    def _forget(self) -> None:
        """Keep the ids told last; a key goes only when there are no unknown ones to go before."""
        while len(self._known) > MOST:
            unknown = (kid for kid, one in self._known.items() if one.key is None)
            del self._known[next(unknown, next(iter(self._known)))]
