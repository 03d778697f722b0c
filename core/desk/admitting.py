"""Lets people in, changes what they may, ends it; each with its line in the audit trail.

Nobody gives more than they have, and somebody stays who may let others in.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from core.access import Act, Role, Who
from core.errors import Mistaken
from core.model import UNSEEN
from core.store import audit, invitations, people, sessions, tokens, wake

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from core.access import SignIn
    from core.store import Db
    from core.store.people import Person

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,127}")
LINK_FOR = timedelta(hours=24)
"""So long a link lets somebody in."""
MOST_TITLE = 100
SECRET_BYTES = 32


async def add(
    db: Db,
    who: Who,
    name: str,
    *,
    title: str = "",
    role: Role,
    accounts: Collection[str] | None,
    now: datetime,
) -> None:
    """Add somebody; they cannot sign in before they have a password or a provider knows them.

    Raises:
        Mistaken: the name is none, or taken; *who* has less to give.
    """
    _named(name)
    _within(who, accounts)
    if not await people.add(db, name, _titled(title), role, accounts, now):
        raise Mistaken(
            "somebody is called %(name)s already; choose another name, or change what they may",
            name=name,
        )
    await _told(db, who, "added", name, now, role=role.value, accounts=_said(accounts))


async def grant(
    db: Db,
    who: Who,
    name: str,
    *,
    title: str,
    role: Role,
    accounts: Collection[str] | None,
    by: SignIn,
    now: datetime,
) -> None:
    """Change what somebody may: true at their next request. *by* is how people sign in.

    Raises:
        Mistaken: there is nobody of that name; *who* has less to give; nobody would be admin.
    """
    before = await _known(db, who, name)
    _within(who, accounts)
    if role is not Role.ADMIN or accounts is not None:
        await _keep_an_admin(db, who, before, by)
    await people.grant(db, name, _titled(title), role, accounts)
    await wake.somebody(db, name)
    await _told(
        db, who, "changed", name, now, role=role.value, was=before.role.value,
        accounts=_said(accounts),
    )  # fmt: skip


async def disable(db: Db, who: Who, name: str, by: SignIn, now: datetime) -> None:
    """Let somebody in no more: their sessions, tokens and links end, their password is gone.

    *by* is how people sign in.

    Raises:
        Mistaken: there is nobody of that name, or nobody else is admin.
    """
    await _keep_an_admin(db, who, await _known(db, who, name), by)
    if not await people.disable(db, name, now):
        raise Mistaken("%(name)s is disabled already", name=name)
    ended = await sessions.end_all(db, name, "disabled", now)
    await tokens.end_all(db, name, now)
    await invitations.end_all(db, name, now)
    await wake.somebody(db, name)
    await _told(db, who, "disabled", name, now, sessions=ended)


async def sign_out(db: Db, who: Who, name: str, now: datetime) -> int:
    """End all sessions of somebody, and their links; how many sessions. They may sign in again.

    Raises:
        Mistaken: there is nobody of that name.
    """
    await _known(db, who, name)
    ended = await sessions.end_all(db, name, "ended", now)
    await invitations.end_all(db, name, now)
    await wake.somebody(db, name)
    await _told(db, who, "signed_out", name, now, sessions=ended)
    return ended


async def enable(db: Db, who: Who, name: str, now: datetime) -> None:
    """Let somebody in again; their password is gone, so they need a link.

    Raises:
        Mistaken: there is nobody of that name, or they are not disabled.
    """
    await _known(db, who, name)
    if not await people.enable(db, name):
        raise Mistaken("%(name)s is not disabled", name=name)
    await _told(db, who, "enabled", name, now)


async def invite(db: Db, who: Who, name: str, now: datetime, *, binds: bool = False) -> str:
    """What a link holds that lets *name* in once, to choose a password; earlier ones are void.

    One that *binds* lets nobody in: see `bound`.

    Raises:
        Mistaken: there is nobody of that name, or they are disabled.
    """
    invited = await _known(db, who, name)
    if invited.disabled_at is not None:
        raise Mistaken("%(name)s is disabled; enable them first", name=name)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await invitations.make(db, secret, name, who.name, now, now + LINK_FOR, binds=binds)
    await _told(db, who, "to_bind" if binds else "invited", name, now)
    return secret


async def bound(db: Db, secret: str, subject: str, address: str, now: datetime) -> Person | None:
    """Use a link up that binds: its person is whom the provider calls *subject* from now on.

    Where that was another account before, their sessions end. None: nobody is bound, for the link
    is none any more, its person disabled, or the subject somebody else's; the caller rolls back.
    """
    link = await invitations.use(db, secret, now)
    if link is None or not link.binds or link.person is None:
        return None
    person = await people.locked(db, link.person)
    other = await people.by_subject(db, subject)
    if person is None or person.disabled_at is not None or (other or person).name != person.name:
        return None
    if person.subject not in {None, subject}:
        await sessions.end_all(db, person.name, "bound", now)
        await wake.somebody(db, person.name)
    if not await people.rebind(db, person.name, subject):
        return None
    detail = {"did": "bound", "person": person.name, "by": link.made_by}
    await audit.write(db, person.who("session", address), Act.PEOPLE, detail=detail, now=now)
    return person


async def first(db: Db, now: datetime) -> str | None:
    """What the link of a first start holds; None where somebody can sign in already."""
    if await people.anybody(db):
        return None
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await invitations.make(db, secret, None, "replyby", now, now + LINK_FOR)
    return secret


async def enter(
    db: Db, secret: str, name: str, hashed: str | None, address: str, now: datetime
) -> Person:
    """Use a link up: its person has that password (None: keeps what they have).

    *name* is how the first admin wants to be called; a link for somebody knows who they are.

    Raises:
        Mistaken: the link lets nobody in any more, or the name is none.
    """
    link = await invitations.use(db, secret, now)
    if link is None or link.binds or (link.person is None and await people.anybody(db)):
        raise Mistaken("this link lets nobody in any more; ask for another")
    invited = link.person or _named(name)
    if link.person is None and not await people.add(db, invited, "", Role.ADMIN, None, now):
        await people.enable(db, invited)
        await people.grant(db, invited, "", Role.ADMIN, None)
    person = await people.locked(db, invited)
    if person is None or person.disabled_at is not None:
        raise Mistaken("this link lets nobody in any more; ask for another")
    if hashed is not None:
        await people.set_password(db, invited, hashed)
        await sessions.end_all(db, invited, "password", now)
        await wake.somebody(db, invited)
    by = {"by": link.made_by, "password": "set" if hashed else "kept"}
    await audit.write(db, person.who("session", address), "link", detail=by, now=now)
    return person


async def change_password(db: Db, who: Who, hashed: str, session: int | None, now: datetime) -> int:
    """Give *who* another password; how many of their other sessions ended by that."""
    await people.set_password(db, who.name, hashed)
    ended = await sessions.end_all(db, who.name, "password", now, but=session)
    await wake.somebody(db, who.name)
    await audit.write(db, who, "password", detail={"sessions": ended}, now=now)
    return ended


async def ended_sessions(db: Db, who: Who, now: datetime) -> None:
    """Write down that *who* ended sessions of their own; what these have open ends too."""
    await wake.somebody(db, who.name)
    await audit.write(db, who, "session", detail={"did": "ended"}, now=now)


async def _known(db: Db, who: Who, name: str) -> Person:
    found = await people.locked(db, name)
    if found is None:
        raise Mistaken("nobody is called %(name)s", name=name, hint="see: replyby people list")
    _within(who, found.accounts)
    return found


async def _keep_an_admin(db: Db, who: Who, before: Person, by: SignIn) -> None:
    """Somebody stays who sees all accounts, may let others in, and can get in themselves.

    On the machine links can be made, so that anybody can.
    """
    if before.role is not Role.ADMIN or before.accounts is not None:
        return
    if not await people.other_admins(db, before.name, None if who.means == "cli" else by):
        raise Mistaken(
            "%(name)s is the last admin of all accounts who can sign in; "
            "make somebody else one first, and let them sign in",
            name=before.name,
        )


def known_role(word: str) -> Role:
    """The role that is called *word*.

    Raises:
        Mistaken: there is none.
    """
    try:
        return Role(word)
    except ValueError:
        raise Mistaken("there is no such role; choose one of the list") from None


def is_within(who: Who, accounts: Collection[str] | None) -> bool:
    """Whether who sees *accounts* (None: all) sees no more than *who*. Pure."""
    return who.accounts is None or (accounts is not None and who.accounts.issuperset(accounts))


def _within(who: Who, accounts: Collection[str] | None) -> None:
    """Nobody lets others see what they do not see themselves."""
    if not is_within(who, accounts):
        raise Mistaken("they would see accounts that you do not see; name some of yours")


def _named(name: str) -> str:
    if NAME.fullmatch(name) is None:
        raise Mistaken(
            "that is no name; use small letters, digits and . _ @ + -, 128 characters at most"
        )
    return name


def _titled(title: str) -> str:
    line = " ".join(title.split())
    if len(line) > MOST_TITLE or UNSEEN.search(line) is not None:
        raise Mistaken(
            "that is no title; write %(most)s characters at most, in one line", most=MOST_TITLE
        )
    return line


def _said(accounts: Collection[str] | None) -> str:
    return "all" if accounts is None else ", ".join(sorted(accounts))


async def _told(db: Db, who: Who, did: str, name: str, now: datetime, **detail: str | int) -> None:
    said = {"did": did, "person": name, **detail}
    await audit.write(db, who, Act.PEOPLE, detail=said, now=now)
