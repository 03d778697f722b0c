"""Files that go with a reply: kept until it has left or was given up, and no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.model import File
from core.store import legible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.store import Db

ADD = """
    insert into reply_file (reply, number, name, media_type, content, url)
    values ($1, $2, $3, $4, $5, $6)
"""
NUMBERED = """
    select number, name, media_type, content, url from reply_file where reply = $1 order by number
"""
NAMES = "select number, name from reply_file where reply = $1 order by number"
DROP = "delete from reply_file where reply = $1"


async def add(db: Db, reply: int, files: Sequence[File]) -> None:
    """Keep *files* for a reply that was just queued."""
    rows = [
        (
            reply,
            number,
            legible(one.name),
            legible(one.media_type),
            one.content,
            None if one.url is None else legible(one.url),
        )
        for number, one in enumerate(files)
    ]
    if rows:
        await db.executemany(ADD, rows)


async def of(db: Db, reply: int) -> tuple[File, ...]:
    """The files of a reply, in their order."""
    return tuple((await numbered(db, reply)).values())


async def numbered(db: Db, reply: int) -> dict[int, File]:
    """The files of a reply by their numbers."""
    return {
        row["number"]: File(row["name"], row["content"], row["media_type"], row["url"])
        for row in await db.fetch(NUMBERED, reply)
    }


async def names(db: Db, reply: int) -> dict[int, str]:
    """What the files of a reply are called, by their numbers."""
    return {row["number"]: row["name"] for row in await db.fetch(NAMES, reply)}


async def drop(db: Db, reply: int) -> None:
    """Forget them: the reply leaves no more, or not again."""
    await db.execute(DROP, reply)
