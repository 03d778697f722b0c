"""Take what a notice tells of, by its signed link: claim the thread, or acknowledge the trouble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.access import Act, Role, Who
from core.desk import claiming, links
from core.errors import NotAllowed
from core.store import audit, claims, escalations, linking, people, wake

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.desk.claiming import Held
    from core.desk.leases import Terms
    from core.desk.links import Flaw, Link
    from core.people.directory import Directory
    from core.store import Db
    from core.store.claims import Claim
    from core.store.linking import About

Refused = Literal["gone", "person", "notifier", "role", "account"]
"""Why a link that was made here is refused: the notice is kept no more, the person or the notifier
is there no more, they may not claim threads, or not of this account."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link offers: *who* may take what it is *about*; *claim* is who has it now."""

    who: Who
    about: About
    claim: Claim | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Nobody else is told of it; *ladders* is how many climbed."""

    ladders: int


async def offered(
    db: Db,
    token: str,
    directory: Directory,
    notifiers: Collection[str],
    now: datetime,
    address: str | None,
) -> Offer | Flaw | Refused:
    """What *token* offers at *now* to whoever asks from *address*, or why it is refused."""
    link = links.read(await linking.key(db), token, links.TAKE, now)
    if isinstance(link, str):
        return link
    about = await linking.about(db, link.notice)
    if about is None:
        return "gone"
    who = await _who(db, link, directory, notifiers, address)
    if isinstance(who, str):
        return who
    if not who.may(Act.CLAIM):
        return "role"
    if about.account and not who.may(Act.CLAIM, about.account):
        return "account"
    ref = (about.account, about.thread or "")
    return Offer(who, about, (await claims.of(db, [ref], now)).get(ref))


async def take(
    db: Db, offer: Offer, now: datetime, terms: Terms
) -> Claim | Held | Acknowledged | None:
    """Take what is offered; None: nobody need act any more.

    Raises:
        NotAllowed: not theirs to take.
        Mistaken: the thread is there no more.
    """
    about = offer.about
    if about.over:
        return None
    if about.thread is not None:
        return await claiming.claim(db, offer.who, about.account, about.thread, now, terms)
    return await acknowledge(db, offer.who, about, now)


async def acknowledge(db: Db, who: Who, about: About, now: datetime) -> Acknowledged:
    """Take note of a trouble: nobody else is told of it.

    Raises:
        NotAllowed: *who* may not act for this account.
    """
    if not who.may(Act.CLAIM, about.account or None):
        raise NotAllowed(
            "%(name)s may not act for account %(account)s", name=who.name, account=about.account
        )
    ended = await escalations.acknowledge(db, about.account, about.notice, who.name, now)
    detail: dict[str, str | int] = {"notice": about.notice, "kind": about.kind.value}
    account = about.account or None
    await audit.write(db, who, "acknowledge", account=account, detail=detail, now=now)
    await wake.send(db, "escalate")
    return Acknowledged(ended)


async def _who(
    db: Db, link: Link, directory: Directory, notifiers: Collection[str], address: str | None
) -> Who | Refused:
    """Who holds *link*: a person, by what they may today; or whoever reads what a notifier tells.

    Who is told by the settings and never signs in acts as an agent: the link is all they have.
    """
    if link.person is None:
        if link.notifier not in notifiers:
            return "notifier"
        return Who(link.bearer, Role.AGENT, means="link", address=address)
    known = await people.of(db, link.person)
    if known is not None:
        return "person" if known.disabled_at else known.who("link", address)
    listed = directory.people.get(link.person)
    if listed is None:
        return "person"
    return Who(listed.name, Role.AGENT, title=listed.title, means="link", address=address)
