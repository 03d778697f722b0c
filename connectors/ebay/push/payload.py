"""What the Notification API sends, as far as it is read; extra fields are ignored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from core.payload import NUL_FREE, Payload, Word

Id = Annotated[str, Field(min_length=1, max_length=300, pattern=NUL_FREE)]


class Signature(Payload):
    """The header of a push; the digest is the key's to name (trap 39)."""

    kid: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    signature: str


class PublicKey(Payload):
    """A key: its PEM stands on one line."""

    key: str
    algorithm: Word = None
    digest: Word = None


class Metadata(Payload):
    topic: Id


class Notification(Payload):
    id: Any = Field(default=None, alias="notificationId")
    published: Any = Field(default=None, alias="publishDate")
    data: dict[str, Any] = Field(default_factory=dict)


class Envelope(Payload):
    """What every push is in."""

    metadata: Metadata
    notification: Notification


class Config(Payload):
    email: Word = Field(default=None, alias="alertEmail")


class Delivery(Payload):
    endpoint: Word = None


class Destination(Payload):
    """An address to which an application is pushed to; ENABLED, DISABLED or MARKED_DOWN."""

    id: Id = Field(alias="destinationId")
    status: Word = None
    delivery: Delivery | None = Field(default=None, alias="deliveryConfig")


class Destinations(Payload):
    destinations: list[Destination] | None = None
    next: Word = None


class Format(Payload):
    """A shape in which a topic can be pushed."""

    format: list[str] | str | None = None
    version: Word = Field(default=None, alias="schemaVersion")
    protocol: Word = Field(default=None, alias="deliveryProtocol")
    deprecated: bool | None = None


class Topic(Payload):
    payloads: list[Format] | None = Field(default=None, alias="supportedPayloads")


class Subscription(Payload):
    id: Id = Field(alias="subscriptionId")
    topic: Word = Field(default=None, alias="topicId")
    status: Word = None
    destination: Word = Field(default=None, alias="destinationId")


class Subscriptions(Payload):
    subscriptions: list[Subscription] | None = None
    next: Word = None
