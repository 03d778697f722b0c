"""What members of groups may, where the settings say so: a provider's claim or a proxy's header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.access import MAY, Act, Role
from core.desk.admitting import NAME
from core.store import audit, people, wake

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from core.configuration.access import Web
    from core.store import Db
    from core.store.people import Person


@dataclass(frozen=True, slots=True)
class May:
    """A role, and the accounts that it is for; None: all."""

    role: Role
    accounts: frozenset[str] | None


def may(settings: Web, named: Iterable[str]) -> May | None:
    """The most that any of the *named* groups may, over the accounts of all of them; None: none.

    Pure. Accounts are joined, so a lead of one shop who is a viewer of another is a lead of both:
    who wants them apart writes two groups and puts nobody into both.
    """
    found = [settings.groups[name] for name in set(named) if name in settings.groups]
    if not found:
        return None
    role = max((one.role for one in found), key=lambda one: len(MAY[one]))
    some = [one.accounts for one in found if one.accounts is not None]
    return May(role, frozenset().union(*some) if len(some) == len(found) else None)


async def follow(
    db: Db, settings: Web, name: str, person: Person | None, may: May | None, now: datetime
) -> Person | None:
    """The person as their groups say today, made or changed where need be; None: nobody.

    A change is a line of the audit trail; who is in no group of ours any more is nobody. The last
    admin stays one where no group could make another.
    """
    if may is None or NAME.fullmatch(name) is None:
        return None
    if person is not None and (person.role, person.accounts) == (may.role, may.accounts):
        return person
    if person is not None and await _is_needed(db, settings, person):
        return person
    if person is None:
        is_new = await people.add(db, name, "", may.role, may.accounts, now)
    else:
        is_new = await people.regroup(db, name, may.role, may.accounts)
    if is_new:  # else they asked twice at once
        detail = {"did": "grouped", "person": name, "role": may.role.value}
        await audit.write(db, None, Act.PEOPLE, detail=detail, now=now)
        await wake.somebody(db, name)
    return await people.of(db, name)


async def _is_needed(db: Db, settings: Web, person: Person) -> bool:
    """Whether nobody could let others in or change what they may, were *person* no admin."""
    if settings.names_an_admin or person.role is not Role.ADMIN or person.accounts is not None:
        return False
    return not await people.other_admins(db, person.name, settings.sign_in)
