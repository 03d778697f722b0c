"""What PrestaShop's webservice answers in JSON, as far as it is read.

Numbers come as text or as numbers, by version. Where nothing fits, the whole list is ``[]``, and
the name of the resource is gone.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from core import payload
from core.payload import EXACT, Word

Number = Annotated[str, Field(pattern=r"^[0-9]{1,19}$"), EXACT]
"""An id."""


class Payload(payload.Payload):
    """What arrives; ids are numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Row(Payload):
    """A customer message: *id_employee* is 0 where the customer wrote it."""

    id: Number
    id_customer_thread: Number
    id_employee: Any = None
    message: Word = None
    file_name: Word = None
    private: Any = None
    date_add: Word = None


class ThreadRow(Payload):
    """A customer thread: *status* is ``open``, ``closed``, ``pending1`` or ``pending2``."""

    id: Number
    id_shop: Any = None
    id_order: Any = None
    email: Word = None
    token: Word = None
    status: Word = None
    date_upd: Word = None


class OrderRow(Payload):
    """An order: buyers know it by its *reference*."""

    id: Number
    reference: Word = None


class Setting(Payload):
    """A value of the shop's configuration, for all shops where *id_shop* is none."""

    name: Word = None
    value: Word = None
    id_shop: Any = None


class Listed(Payload):
    """A list that may be empty: then it is ``[]`` or ``{}`` as a whole."""

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, told: Any) -> Any:
        return {name: [] for name in cls.model_fields} if told in ([], {}) else told


class Rows(Listed):
    """Customer messages."""

    customer_messages: list[Row]


class ThreadRows(Listed):
    """Customer threads."""

    customer_threads: list[ThreadRow]


class OrderRows(Listed):
    """Orders."""

    orders: list[OrderRow]


class Settings(Listed):
    """Values of the configuration."""

    configurations: list[Setting]


class Added(Payload):
    """The row that was added."""

    customer_message: Row


class Fault(Payload):
    """One error; *code* is PrestaShop's own."""

    code: Any = None
    message: Word = None


class Complaint(Payload):
    """A refusal in JSON."""

    errors: list[Fault]
