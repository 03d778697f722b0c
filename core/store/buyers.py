"""By what a thread's buyer is known in other threads: keyed digests (column `thread.keys`).

They are of the numbers of orders, and of the address and the phone that a connector tells in
`Thread.reply_to` as ``mail`` and ``phone``. A digest says nothing without the secret, and that of
one buyer is another at every seller: nobody is followed from one to the next.
"""

from __future__ import annotations

import re
import secrets
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.store import Db

SIZE = 16
"""Bytes of a digest."""
PERSON = b"same buyer"
"""Sets these apart from what else is made with the same secret: the digests of erased members."""
LONG = 10
"""Letters and digits of an order's number that no two shops of a seller give: eBay's have 12,
Amazon's 17. Shorter ones count up from 1 in each shop, and say nothing beyond it."""
MOST_ORDERS = 20
"""So many orders of a thread count: one that lists more is about no single buyer's question."""

# A digest is of one scope only: the widest in which what it is of says who somebody is.
_NOBODY = re.compile(
    r"(.*[._-])?(no|not|do[._-]?not)[._-]?reply([._+-].*)?|mailer-daemon|postmaster"
)
_NOT_DIALLED = re.compile(r"[\s().\u00a0/-]")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")

MAKE_SECRET = "insert into erasure_key (key) values ($1) on conflict do nothing"  # noqa: S105  # SQL
UNKEYED = "select name from account where not keyed and retired_at is null order by name limit 1"
CHUNK = """
    select id, order_ids, reply_to, keys from thread
    where account = $1 and id > $2 and erased_at is null
    order by account, id
    limit $3
    for no key update
"""
SET = "update thread set keys = $3 where account = $1 and id = $2"
KEYED = """
    update account set keyed = true
    where name = $1 and shop is not distinct from $2 and seller is not distinct from $3
"""


class Group(NamedTuple):
    """Whose buyers are the buyers of *account*, as its settings say."""

    account: str
    shop: str | None = None
    seller: str | None = None

    @property
    def narrow(self) -> tuple[str, ...]:
        """The shop, or the account where none is told; two sellers may call theirs the same."""
        if self.shop:
            return "shop", self.seller or "", self.shop
        return "account", self.account

    @property
    def wide(self) -> tuple[str, ...]:
        """The seller, or what is `narrow` where none is told."""
        return ("seller", self.seller) if self.seller else self.narrow


class Keys:
    """Makes the keys of an account's threads."""

    def __init__(self, secret: bytes, group: Group) -> None:
        self.group = group
        self._secret = secret

    def of(self, order_ids: Sequence[str], reply_to: Mapping[str, str]) -> list[bytes] | None:
        """The keys of a thread, each once; None where its buyer is known by nothing."""
        if not order_ids and not reply_to:
            return None
        return list(dict.fromkeys(self._all(order_ids, reply_to))) or None

    def _all(self, order_ids: Sequence[str], reply_to: Mapping[str, str]) -> Iterator[bytes]:
        for number in filter(None, map(order, order_ids[:MOST_ORDERS])):
            scope = self.group.wide if len(number) >= LONG else self.group.narrow
            yield self._digest(scope, "order", number)
        if found := mail(reply_to.get("mail", "")):
            yield self._digest(self.group.wide, "mail", found)
        if found := phone(reply_to.get("phone", "")):
            yield self._digest(self.group.wide, "phone", found)

    def _digest(self, scope: tuple[str, ...], what: str, value: str) -> bytes:
        told = "\0".join((*scope, what, value)).encode("utf-8", "replace")
        return blake2b(told, digest_size=SIZE, key=self._secret, person=PERSON).digest()


def order(number: str) -> str:
    """*number* as it is compared: its letters and digits; empty where it names no order."""
    found = "".join(filter(str.isalnum, number.casefold()))
    return found if found.strip("0") else ""


def mail(address: str) -> str:
    """*address* as it is compared; empty where it is none, or one from which nobody writes."""
    found = address.strip().casefold()
    local, at, domain = found.rpartition("@")
    return found if at and local and domain and not _NOBODY.fullmatch(local) else ""


def phone(number: str) -> str:
    """*number* as it is compared; empty where it is none of E.164."""
    found = _NOT_DIALLED.sub("", number)
    return found if _PHONE.fullmatch(found) else ""


async def make_secret(db: Db) -> None:
    """Make the secret of all digests, where there is none yet."""
    await db.execute(MAKE_SECRET, secrets.token_bytes(32))


async def unkeyed(db: Db) -> str | None:
    """An account of which some threads may have no keys, or those of another shop or seller."""
    found: str | None = await db.fetchval(UNKEYED)
    return found


async def rekey(db: Db, keys: Keys, after: str, most: int) -> str | None:
    """Make the keys of the *most* threads that follow *after*, and keep those that differ.

    Returns:
        The last of them; None where there are no more.
    """
    account = keys.group.account
    rows = await db.fetch(CHUNK, account, after, most)
    made = [(row["id"], row["keys"], keys.of(row["order_ids"], row["reply_to"])) for row in rows]
    await db.executemany(SET, [(account, id_, new) for id_, old, new in made if new != old])
    return rows[-1]["id"] if len(rows) == most else None


async def keyed(db: Db, group: Group) -> None:
    """All threads of an account have the keys of *group*, if that is still what it is."""
    await db.execute(KEYED, *group)
