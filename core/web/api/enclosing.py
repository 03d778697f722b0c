"""The files of replies that programs send, send again and fetch: as a page's form does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from core.access import Act
from core.desk import addressed, answering, sniffing
from core.errors import Mistaken
from core.store import conversations, enclosures, replies, transaction
from core.web import thread
from core.web.api import acts, models
from core.web.api.routes import Blob, Route

if TYPE_CHECKING:
    from core.access import Who
    from core.model import File
    from core.store import Db
    from core.web.api.routes import Call


def files(said: acts.Along) -> tuple[File, ...]:
    """What was sent, each as what its content is; and what goes along by its address.

    Raises:
        Mistaken: an address leads to no file that anybody can open.
    """
    sent = [sniffing.named(one.name, one.content) for one in said.files]
    return (*sent, *(addressed.linked(url) for url in said.linked))


async def kept(
    db: Db, who: Who, where: models.OneThread, said: acts.Kept | None
) -> tuple[File, ...]:
    """The files that go along once more.

    Raises:
        Mistaken: *who* has taken no such reply back there, or it had no such file.
    """
    if said is None:
        return ()
    if await answering.given_back(db, who, where.account, where.thread, said.reply) is None:
        raise Mistaken("kept names no reply that you have taken back in this thread")
    known = await enclosures.numbered(db, said.reply)
    if not known.keys() >= set(said.numbers):
        raise Mistaken("kept names a file that is not there")
    return tuple(known[number] for number in said.numbers)


async def listed(db: Db, reply: int) -> tuple[acts.File, ...]:
    """The files of a reply that are here."""
    return tuple(
        acts.File(
            number=number,
            name=one.name,
            media_type=one.media_type,
            size=len(one.content) if one.url is None else None,
        )
        for number, one in (await enclosures.numbered(db, reply)).items()
    )


async def file(call: Call) -> Blob:
    """A file that is to leave with a reply; the look is written down before it leaves."""
    said, who = call.of(models.OneFile), call.who
    async with transaction(call.parts.pool()) as db:
        reply = await replies.of(db, said.reply)
        if reply is None or not who.may(Act.READ, reply.account):
            raise web.HTTPNotFound
        where = reply.account, reply.thread
        found = await conversations.file(db, *where, reply.id, said.number, who.name)
    if found is None:
        raise web.HTTPNotFound
    await thread.note(call.request, *where, {"reply": said.reply, "file": said.number})
    return Blob(*found)


ROUTES = (
    Route("GET", "/files/{reply}/{number}", "file",
          "A file that is to leave with a reply", Act.READ, file, Blob, where=models.OneFile),
)  # fmt: skip
"""What can be fetched."""
