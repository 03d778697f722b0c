"""What Magento sends, as far as it is read; extra fields are ignored."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from core import payload
from core.payload import EXACT, Many, Word

Number = Annotated[str, Field(pattern=r"^[0-9]{1,19}$"), EXACT]
"""An id."""


class Payload(payload.Payload):
    """What arrives; ids are numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Address(Payload):
    """Who pays."""

    firstname: Word = None
    lastname: Word = None
    email: Word = None
    telephone: Word = None


class Comment(Payload):
    """An entry of an order's history: a comment, or a change of the status without one."""

    entity_id: Number
    comment: Word = None
    created_at: Word = None
    is_customer_notified: Any = None


class Order(Payload):
    """An order: *increment_id* is what its buyer calls it, *remote_ip* that of who placed it."""

    entity_id: Number
    increment_id: Word = None
    status: Word = None
    created_at: Word = None
    updated_at: Word = None
    customer_note: Word = None
    remote_ip: Word = None
    customer_email: Word = None
    billing_address: Address | None = None
    status_histories: Many[Comment] = None


class Orders(Payload):
    """A page of orders; *items* is null where there are none."""

    items: list[Order] | None
    total_count: int | None = None


class Complaint(Payload):
    """How Magento says no."""

    message: str
