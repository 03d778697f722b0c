"""What the Trading API answers about messages. Lenient: unknown elements are ignored."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core.model import Id


def _held(content: object) -> object:
    """An empty element that should hold others comes as an empty text."""
    return {} if content == "" else content


def _listed(content: object) -> object:
    """A list of elements in an empty one."""
    return [] if content == "" else content


class Element(BaseModel):
    """The base of all of them."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Item(Element):
    """A listing."""

    id: str = Field(default="", alias="ItemID")
    title: str = Field(default="", alias="Title")


class File(Element):
    """A file of a message."""

    url: str = Field(default="", alias="MediaURL")
    name: str = Field(default="", alias="MediaName")


class Question(Element):
    """What somebody asked."""

    id: Id = Field(alias="MessageID")
    sender: str = Field(default="", alias="SenderID")
    recipient: str = Field(default="", alias="RecipientID")
    subject: str = Field(default="", alias="Subject")
    body: str = Field(default="", alias="Body")


class Exchange(Element):
    """A question, and what was answered: words alone, without ids and instants."""

    item: Annotated[Item, BeforeValidator(_held)] = Field(default=Item(), alias="Item")
    question: Question = Field(alias="Question")
    answers: list[str] = Field(default=[], alias="Response")
    status: str = Field(default="", alias="MessageStatus")
    created: str = Field(default="", alias="CreationDate")
    changed: str = Field(default="", alias="LastModifiedDate")
    files: list[File] = Field(default=[], alias="MessageMedia")


class Exchanges(Element):
    """Several of them."""

    exchanges: list[Exchange] = Field(default=[], alias="MemberMessageExchange")


class MemberMessages(Element):
    """An answer of GetMemberMessages."""

    held: Annotated[Exchanges, BeforeValidator(_held)] = Field(
        default=Exchanges(), alias="MemberMessage"
    )
    has_more: str = Field(default="", alias="HasMoreItems")
    at: str = Field(default="", alias="Timestamp")


class Letter(Element):
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


class Letters(Element):
    """Several of them."""

    letters: list[Letter] = Field(default=[], alias="Message")


class Pages(Element):
    """How many pages there are."""

    count: str = Field(default="", alias="TotalNumberOfPages")


class MyMessages(Element):
    """An answer of GetMyMessages."""

    held: Annotated[Letters, BeforeValidator(_held)] = Field(default=Letters(), alias="Messages")
    pages: Annotated[Pages, BeforeValidator(_held)] = Field(
        default=Pages(), alias="PaginationResult"
    )
    at: str = Field(default="", alias="Timestamp")
