"""How people are called whom others see: by their title, where they have one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.store import Db

OF = "select name, title from person where name = any($1) and title <> ''"


async def of(db: Db, names: Iterable[str | None]) -> Mapping[str, str]:
    """The titles of the people of those *names* who have one; None is nobody's."""
    asked = sorted({name for name in names if name})
    rows = await db.fetch(OF, asked) if asked else []
    return {row["name"]: row["title"] for row in rows}
