"""What a push says, by its topic. Pure.

What is none of ours is acknowledged all the same: eBay sends again what is not, and marks the one
address of all topics down for it (trap 42). So is a test, whose members and ids are invented
(trap 41).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from connectors.ebay.messages import mapping
from connectors.ebay.push.payload import Envelope, Id
from core.errors import BadPayload
from core.payload import instant
from core.pushes import Member, Pushed, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from connectors.ebay.options import EbayOptions

MESSAGE = "NEW_MESSAGE"
DELETION = "MARKETPLACE_ACCOUNT_DELETION"
REVOCATION = "AUTHORIZATION_REVOCATION"
TOPICS = (MESSAGE, DELETION, REVOCATION)

GOOD = 204
ID: TypeAdapter[str] = TypeAdapter(Id)
MEMBER = ("username", "userId", "eiasToken")
PARTIES = frozenset({"senderusername", "recipientusername"})
"""Names of either side, whichever way they are spelt (trap 28)."""


class Sellers:
    """The accounts of one application, by every name of their sellers.

    *learned* is what eBay calls them, by their names in the settings; all names are casefolded.
    """

    def __init__(
        self, accounts: Mapping[str, EbayOptions], learned: Mapping[str, frozenset[str]]
    ) -> None:
        self._learned = learned
        self._named: defaultdict[str, dict[str, EbayOptions]] = defaultdict(dict)
        for account, options in accounts.items():
            for name in self.own(options):
                self._named[name][account] = options

    def own(self, options: EbayOptions) -> frozenset[str]:
        """Every name of an account's seller."""
        return options.own | self._learned.get(options.seller.casefold(), frozenset())

    def called(self, told: Iterable[Any]) -> dict[str, EbayOptions]:
        """The accounts of sellers who are called what is *told*; what is no name is nobody."""
        found: dict[str, EbayOptions] = {}
        for name in _names(told):
            found |= self._named.get(name.casefold(), {})
        return found


def understood(body: bytes, sellers: Sellers, now: datetime) -> Receipt:
    """What a signed *body* means for *sellers*."""
    try:
        told = Envelope.model_validate_json(body)
    except ValidationError:
        return Receipt(GOOD, outcome="unreadable")
    one, topic = told.notification, told.metadata.topic
    pushed = Pushed(_id(one.id, topic, one.data), topic, instant(one.published))
    if topic == MESSAGE:
        return _message(one.data, pushed, sellers, now)
    if topic == DELETION:
        return _deletion(one.data, pushed)
    if topic == REVOCATION:
        return _revocation(one.data, pushed, sellers)
    return Receipt(GOOD, pushed=pushed, outcome="unknown_topic")


def _id(told: object, topic: str, data: Mapping[str, Any]) -> str:
    """The id of a push; where it is told none that can be kept, one made of what it says.

    So what eBay obliges us to is obeyed whatever it is called.
    """
    try:
        return ID.validate_python(told)
    except ValidationError:
        said = json.dumps([str(told), topic, data], sort_keys=True)
        return f"sha256:{hashlib.sha256(said.encode()).hexdigest()}"


def _message(data: Mapping[str, Any], pushed: Pushed, sellers: Sellers, now: datetime) -> Receipt:
    """The message, in each account that has part in it; where Trading reads, it only wakes.

    There conversations are known by other ids.
    """
    ours = sellers.called(name for key, name in data.items() if key.casefold() in PARTIES)
    if not ours:
        return Receipt(GOOD, pushed=pushed, outcome="unknown_account")
    by_rest = {name: one for name, one in ours.items() if one.messages_by == "rest"}
    try:
        pages = {name: mapping.pushed(data, sellers.own(one), now) for name, one in by_rest.items()}
    except BadPayload:
        return Receipt(GOOD, wake=frozenset(ours), pushed=pushed, outcome="unreadable")
    return Receipt(GOOD, pages=pages, wake=frozenset(ours), pushed=pushed)


def _deletion(data: Mapping[str, Any], pushed: Pushed) -> Receipt:
    """Whom eBay obliges us to forget: by all that eBay calls the member (trap 43)."""
    ids = frozenset(_names(data.get(name) for name in MEMBER))
    if not ids:
        return Receipt(GOOD, pushed=pushed, outcome="unreadable")
    return Receipt(GOOD, erase=(Member(ids),), pushed=pushed, outcome="erasure")


def _revocation(data: Mapping[str, Any], pushed: Pushed, sellers: Sellers) -> Receipt:
    """A seller took the consent back: the next call says so, and is made at once."""
    ours = sellers.called(data.get(name) for name in MEMBER)
    if not ours:
        return Receipt(GOOD, pushed=pushed, outcome="unknown_account")
    return Receipt(GOOD, wake=frozenset(ours), pushed=pushed)


def _names(told: Iterable[Any]) -> set[str]:
    """What of *told* is a name or an id."""
    return {str(one).strip() for one in told if isinstance(one, str | int)} - {""}
