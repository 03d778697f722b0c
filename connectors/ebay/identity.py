"""Who the seller is whose consent we hold, as eBay says it.

The names in the settings may be mistyped, and where eBay hides names it calls the seller by an
immutable id that few know: then the shop's own words look like a buyer's.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import BadCredentials, ConnectorError, RateLimited, Unreachable
from core.payload import Payload, Word

if TYPE_CHECKING:
    from connectors.ebay.access import Access
    from connectors.ebay.options import EbayOptions

PATH = "/commerce/identity/v1/user/"
OPERATION = "getUser"
SCOPE = "commerce.identity.readonly"

PATIENCE = 3.0
"""So many seconds whoever needs a name waits for it."""
SOON, AGAIN = 60.0, 3_600.0
"""Seconds until eBay is asked once more: where it could not be asked, and where it has answered or
will not answer us."""


class User(Payload):
    """A seller: by name, and by what never changes; nothing else is read."""

    name: Word = Field(None, alias="username")
    id: Word = Field(None, alias="userId")

    @property
    def names(self) -> frozenset[str]:
        """Both, casefolded, as far as they are told."""
        return frozenset(told.casefold() for told in (self.name, self.id) if told)

    @property
    def is_hidden(self) -> bool:
        """Whether eBay keeps the name from us: it tells the id in its place, or nothing."""
        return not self.name or self.name == self.id


class Seller:
    """One account's seller; *names*, casefolded, are those in the settings and those learned."""

    def __init__(self, access: Access, names: frozenset[str]) -> None:
        self._access = access
        self._turn = asyncio.Lock()
        self._is_told, self._is_settled, self._until = False, False, 0.0
        self.names = names

    def take(self, user: User) -> None:
        """From now on what eBay calls the seller is known."""
        self._is_told = True
        self.names |= user.names

    async def learn(self, *, anew: bool = False) -> bool:
        """Ask eBay what it calls the seller, once; and again after a while where that failed.

        *anew*: somebody turned up who may be the seller under a new name. Whatever fails is told
        by `check` and costs the names alone.

        Returns:
            Whether that is settled; not where eBay could not be asked for now.
        """
        async with self._turn:
            if self._is_told and not anew:
                return True
            if monotonic() >= self._until:
                self._is_settled = await self._is_answered()
                self._until = monotonic() + (AGAIN if self._is_settled else SOON)
            return self._is_settled

    async def _is_answered(self) -> bool:
        """Whether eBay told it, or certainly will not: no scope, or an odd answer."""
        try:
            async with asyncio.timeout(PATIENCE):
                self.take(await asked(self._access))
        except (Unreachable, RateLimited, TimeoutError):
            return False
        except BadCredentials as fault:
            return fault.alone
        except ConnectorError:
            return True
        return True


async def asked(access: Access) -> User:
    """Who consented; errors as `Access.get` says."""
    return await access.get_json("apiz", PATH, User, operation=OPERATION)


async def doubts(access: Access, options: EbayOptions) -> tuple[str, ...]:
    """What keeps us from knowing that `seller` is right, if anything does.

    Raises:
        BadCredentials: the consent is another seller's.
    """
    try:
        user = await asked(access)
        access.seller.take(user)
    except BadCredentials as fault:
        if not fault.alone:
            raise
        why = f"the consent lacks the scope {SCOPE}; let the seller consent again"
        names = "" if options.seller_ids else "; where eBay hides names, write seller_ids till then"
        return (f"options.seller: cannot be compared with who consented: {why}{names}",)
    if not user.names:
        return ("options.seller: eBay does not say who consented; compare it yourself",)
    if user.names & options.own:
        return ()
    if user.is_hidden:
        who = f"eBay calls who consented {user.id or user.name!r}, and hides the name"
        return (f"options.seller: {who}; if that is {options.seller!r}, write it in seller_ids",)
    told = " or ".join(repr(name) for name in (user.name, user.id) if name)
    text = f"options.seller: {options.seller!r} is not who consented; eBay calls that seller {told}"
    raise BadCredentials(f"{text}: write it as seller, or let the right one consent", detail="user")
