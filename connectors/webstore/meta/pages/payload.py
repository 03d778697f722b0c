"""What pages push and answer, as far as it is read; extra fields are ignored."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connectors.webstore.meta.payload import Graph
from core.payload import Id, Many, Word  # noqa: TC001  # pydantic reads them


class Party(Graph):
    id: Id
    name: Word = None
    username: Word = None


class Pushed(Graph):
    """A message as it is pushed; *is_echo*: the page wrote it, here or elsewhere."""

    mid: Id
    text: Word = None
    is_echo: bool | None = None
    is_deleted: bool | None = None


class Pressed(Graph):
    """A button that was pressed; *title* is what stands on it."""

    mid: Id
    title: Word = None


class Happening(Graph):
    """What happened in a chat: a message, or something that is none."""

    sender: Party
    recipient: Party
    timestamp: Any = None
    message: Pushed | None = None
    postback: Pressed | None = None


class Entry(Graph):
    """What concerns one page or profile; *standby*: what another app has in hand just now."""

    id: Id
    messaging: Many[Happening] = None
    standby: Many[Happening] = None


class File(Graph):
    id: Id
    name: Word = None
    mime_type: Word = None
    size: int | None = None


class Files(Graph):
    data: Many[File] = None


class Parties(Graph):
    data: Many[Party] = None


class Cursors(Graph):
    after: Word = None


class Paging(Graph):
    cursors: Cursors | None = None
    next: Word = None


class Said(Graph):
    """A message as it is read."""

    id: Id
    created_time: Any = None
    sender: Party | None = Field(default=None, alias="from")
    to: Parties | None = None
    message: Word = None
    attachments: Files | None = None


class Listed(Graph):
    data: Many[Said] = None
    paging: Paging | None = None


class Conversation(Graph):
    """A chat: the newest of its messages first."""

    id: Id
    updated_time: Any = None
    participants: Parties | None = None
    messages: Listed | None = None


class Conversations(Graph):
    data: list[Conversation]
    paging: Paging | None = None


class Page(Graph):
    id: Id


class Answered(Graph):
    """What is told of a message that was taken."""

    message_id: Id
