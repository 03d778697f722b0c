"""What BigCommerce sends, as far as it is read; extra fields are ignored. Lists come bare."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from core import payload
from core.payload import EXACT, Word

Number = Annotated[str, Field(pattern=r"^[0-9]{1,19}$"), EXACT]
"""An id."""


class Payload(payload.Payload):
    """What arrives; ids are numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Address(Payload):
    """Who ordered."""

    first_name: Word = None
    last_name: Word = None
    email: Word = None
    phone: Word = None


class Order(Payload):
    """An order, of which only who ordered, in which language and when it changed is read."""

    id: Number
    date_modified: Word = None
    customer_locale: Word = None
    billing_address: Address | None = None


class Entry(Payload):
    """A message about an order: *staff_id* is null where the customer wrote it."""

    id: Number
    staff_id: Any = None
    customer_id: Any = None
    subject: Word = None
    message: Word = None
    date_created: Word = None


class Orders(Payload):
    """Orders, put into an envelope."""

    items: list[Order]


class Entries(Payload):
    """Messages of one order, put into an envelope."""

    items: list[Entry]


class Hook(Payload):
    """A webhook."""

    id: Number
    scope: Word = None
    destination: Word = None
    is_active: bool | None = None


class Hooks(Payload):
    """Webhooks of the API account."""

    data: list[Hook]


class OneHook(Payload):
    """What was made of one."""

    data: Hook


class Named(Payload):
    """What a push is about: an order, and the message that was written."""

    id: Number
    message: Any = None


class NamedMessage(Payload):
    """The message that a push names."""

    order_message_id: Number


class Told(Payload):
    """A push: *producer* is ``stores/<store_hash>``, *created_at* a second since 1970."""

    scope: str
    producer: Word = None
    data: Named | None = None
    created_at: Any = None
