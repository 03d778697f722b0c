"""Who the seller is whose consent we hold, as eBay says it.

The names in the settings may be mistyped: then the shop's own words look like a buyer's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from core.errors import BadCredentials
from core.payload import Payload, Word

if TYPE_CHECKING:
    from connectors.ebay.access import Access
    from connectors.ebay.options import EbayOptions

PATH = "/commerce/identity/v1/user/"
OPERATION = "getUser"
SCOPE = "commerce.identity.readonly"


class User(Payload):
    """A seller: by name, and by what never changes; nothing else is read."""

    name: Word = Field(None, alias="username")
    id: Word = Field(None, alias="userId")

    @property
    def names(self) -> frozenset[str]:
        """Both, casefolded, as far as they are told."""
        return frozenset(told.casefold() for told in (self.name, self.id) if told)


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
    except BadCredentials as fault:
        if not fault.alone:
            raise
        why = f"the consent lacks the scope {SCOPE}; let the seller consent again"
        return (f"options.seller: cannot be compared with the seller who consented: {why}",)
    if not user.names:
        return ("options.seller: eBay does not say who consented; compare it yourself",)
    if user.names & options.own:
        return ()
    told = " or ".join(repr(name) for name in (user.name, user.id) if name)
    text = f"options.seller: {options.seller!r} is not who consented; eBay calls that seller {told}"
    raise BadCredentials(f"{text}: write it as seller, or let the right one consent", detail="user")
