"""What WhatsApp pushes and answers, as far as it is read; extra fields are ignored."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field, model_validator

from connectors.webstore.meta.payload import Graph
from core.payload import Id, Many, Word  # noqa: TC001  # pydantic reads them

Part = dict[str, Any] | None


class Profile(Graph):
    name: Word = None
    username: Word = None


class Contact(Graph):
    """Who writes: by number, by an id that is the business's own (BSUID), or by both."""

    wa_id: Word = None
    user_id: Word = None
    profile: Profile | None = None


class Entry(Graph):
    """A message, or the echo of one that was written in the app; *type* names what is in it.

    A user of a username may show the id alone (since 2026).
    """

    model_config = ConfigDict(populate_by_name=True)

    id: Id
    sender: Word = Field(default=None, alias="from")
    sender_user: Word = Field(default=None, alias="from_user_id")
    to: Word = None
    to_user: Word = Field(default=None, alias="to_user_id")
    group: Word = Field(default=None, alias="group_id")
    timestamp: Any = None
    type: Word = None
    text: Part = None
    image: Part = None
    audio: Part = None
    video: Part = None
    document: Part = None
    sticker: Part = None
    location: Part = None
    contacts: list[Any] | None = None
    interactive: Part = None
    button: Part = None
    reaction: Part = None
    order: Part = None
    system: Part = None
    edit: Part = None
    unsupported: Part = None


class Incoming(Entry):
    """A message of somebody's; where somebody's id changes, that names the new one alone."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, told: Any) -> Any:
        if not isinstance(told, dict) or told.get("from") or told.get("from_user_id"):
            return told
        system = told.get("system")
        if told.get("type") != "system" or not isinstance(system, dict):
            return told
        return {**told, "from": system.get("wa_id"), "from_user_id": system.get("user_id")}

    @model_validator(mode="after")
    def _is_somebodys(self) -> Incoming:
        if not (self.sender or self.sender_user):
            raise ValueError("nobody wrote it")
        return self


class Echo(Entry):
    """What was written to somebody in the WhatsApp Business app."""

    @model_validator(mode="after")
    def _is_for_somebody(self) -> Echo:
        if not (self.to or self.to_user):
            raise ValueError("it is for nobody")
        return self


class Status(Graph):
    """What became of a message; *mark* is what we sent with it."""

    id: Id
    status: Word = None
    timestamp: Any = None
    recipient: Word = Field(default=None, alias="recipient_id")
    recipient_user: Word = Field(default=None, alias="recipient_user_id")
    mark: Word = Field(default=None, alias="biz_opaque_callback_data")
    errors: list[Any] | None = None


class Metadata(Graph):
    phone_number_id: Id


class Place(Graph):
    """Which number a change concerns."""

    metadata: Metadata


class Value(Graph):
    """What a change holds."""

    contacts: Many[Contact] = None
    messages: Many[Incoming] = None
    statuses: Many[Status] = None
    echoes: Many[Echo] = Field(default=None, alias="message_echoes")

    def both(self, phone: str | None, user: str | None) -> tuple[str, str]:
        """Number and id of somebody of whom one is told: the contacts beside tell the other."""
        those = self.contacts or ()
        return (
            phone or next((c.wa_id for c in those if user and c.user_id == user and c.wa_id), ""),
            user
            or next((c.user_id for c in those if phone and c.wa_id == phone and c.user_id), ""),
        )


class Number(Graph):
    """How Meta sees a number."""

    id: Id
    quality_rating: Word = None
    messaging_limit_tier: Word = None
    status: Word = None
    webhook_configuration: Any = None

    @property
    def pushed_to(self) -> str | None:
        """The number's own address for pushes, in place of the account's and of the app's."""
        told = self.webhook_configuration
        own = told.get("phone_number") if isinstance(told, dict) else None
        return own if isinstance(own, str) else None


class Accepted(Graph):
    id: Id


class Answered(Graph):
    """What is told of a message that was taken."""

    messages: list[Accepted] = Field(min_length=1)


class Template(Graph):
    """What may be sent after the window, once Meta has approved it."""

    name: Word = None
    language: Word = None
    category: Word = None


class Templates(Graph):
    data: Many[Template] = None
