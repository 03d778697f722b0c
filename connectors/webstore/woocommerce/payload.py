"""What WooCommerce sends, as far as it is read; extra fields are ignored. Lists come bare."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from core import payload
from core.payload import EXACT, Word

Number = Annotated[str, Field(pattern=r"^[0-9]{1,19}$"), EXACT]
"""An id."""


def _object(value: object) -> object:
    """*value*; an empty list is PHP's way to write an object without fields."""
    return None if value == [] else value


class Payload(payload.Payload):
    """What arrives; ids are numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Billing(Payload):
    """Who ordered."""

    first_name: Word = None
    last_name: Word = None
    company: Word = None
    email: Word = None
    phone: Word = None


class Order(Payload):
    """An order: *number* is what its buyer calls it, *customer_note* what they remarked."""

    id: Number
    number: Word = None
    status: Word = None
    date_created_gmt: Word = None
    date_modified_gmt: Word = None
    customer_note: Word = None
    billing: Annotated[Billing | None, BeforeValidator(_object)] = None


class Note(Payload):
    """A note about an order: *customer_note* says whether its buyer got it."""

    id: Number
    author: Word = None
    date_created_gmt: Word = None
    note: Word = None
    customer_note: Any = None


class Orders(Payload):
    """Orders, put into an envelope."""

    items: list[Order]


class Notes(Payload):
    """Notes of one order, put into an envelope."""

    items: list[Note]


class Hook(Payload):
    """A webhook: *status* is ``active``, ``paused`` or ``disabled``."""

    id: Number
    status: Word = None
    topic: Word = None
    delivery_url: Word = None


class Hooks(Payload):
    """Webhooks of the shop, put into an envelope."""

    items: list[Hook]


class Setting(Payload):
    """A setting of the shop."""

    value: Any = None


class Complaint(Payload):
    """How a WordPress says no; its words are in the shop's language."""

    code: str


class Noted(Payload):
    """To which order a note was added."""

    order_id: Number


class Action(Payload):
    """What is pushed of an action: its first argument."""

    action: str
    arg: Noted
