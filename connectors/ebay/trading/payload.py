"""What the Trading API answers about messages. Lenient: unknown elements are ignored."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from core.model import Id
from core.payload import Payload


def _held(content: object) -> object:
    """An empty element that should hold others comes as an empty text."""
    return {} if content == "" else content


class Item(Payload):
    """A listing."""

    id: str = Field(default="", alias="ItemID")
    title: str = Field(default="", alias="Title")


class File(Payload):
    """A file of a message."""

    url: str = Field(default="", alias="MediaURL")
    name: str = Field(default="", alias="MediaName")


class Question(Payload):
    """What somebody asked."""

    id: Id = Field(alias="MessageID")
    sender: str = Field(default="", alias="SenderID")
    recipient: str = Field(default="", alias="RecipientID")
    subject: str = Field(default="", alias="Subject")
    body: str = Field(default="", alias="Body")


class Exchange(Payload):
    """A question, and what was answered: words alone, without ids and instants."""

    item: Annotated[Item, BeforeValidator(_held)] = Field(default=Item(), alias="Item")
    question: Question = Field(alias="Question")
    answers: list[str] = Field(default=[], alias="Response")
    status: str = Field(default="", alias="MessageStatus")
    created: str = Field(default="", alias="CreationDate")
    changed: str = Field(default="", alias="LastModifiedDate")
    files: list[File] = Field(default=[], alias="MessageMedia")


class Exchanges(Payload):
    """Several of them."""

    exchanges: list[Exchange] = Field(default=[], alias="MemberMessageExchange")


class Pages(Payload):
    """How much there is in all."""

    count: str = Field(default="", alias="TotalNumberOfPages")
    entries: str = Field(default="", alias="TotalNumberOfEntries")


class Listed(Payload):
    """An answer with a page of something; *at* is eBay's own time."""

    pages: Annotated[Pages, BeforeValidator(_held)] = Field(
        default=Pages(), alias="PaginationResult"
    )
    has_more: str = Field(default="", alias="HasMoreItems")
    at: str = Field(default="", alias="Timestamp")

    @property
    def is_empty(self) -> bool:
        """Whether eBay says, or does not deny, that there is nothing."""
        return self.pages.entries in ("", "0") and self.has_more != "true"


class MemberMessages(Listed):
    """An answer of GetMemberMessages."""

    held: Annotated[Exchanges, BeforeValidator(_held)] | None = Field(
        default=None, alias="MemberMessage"
    )

    @property
    def exchanges(self) -> list[Exchange]:
        """Those on this page."""
        return self.held.exchanges if self.held else []


class Letter(Payload):
    """A message in a folder. *external* is the question's id, where it is one."""

    id: Id = Field(alias="MessageID")
    external: str = Field(default="", alias="ExternalMessageID")
    sender: str = Field(default="", alias="Sender")
    recipient: str = Field(default="", alias="RecipientUserID")
    subject: str = Field(default="", alias="Subject")
    text: str = Field(default="", alias="Text")
    content: str = Field(default="", alias="Content")
    received: str = Field(default="", alias="ReceiveDate")
    item: str = Field(default="", alias="ItemID")
    kind: str = Field(default="", alias="MessageType")
    files: list[File] = Field(default=[], alias="MessageMedia")


class Letters(Payload):
    """Several of them."""

    letters: list[Letter] = Field(default=[], alias="Message")


class MyMessages(Listed):
    """An answer of GetMyMessages."""

    held: Annotated[Letters, BeforeValidator(_held)] | None = Field(default=None, alias="Messages")

    @property
    def letters(self) -> list[Letter]:
        """Those on this page."""
        return self.held.letters if self.held else []
