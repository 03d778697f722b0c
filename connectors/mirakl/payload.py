"""What Mirakl sends, as far as it is read: one model an endpoint; extra fields are ignored.

Every enum is a string and every date whatever it is: new values are announced as harmless.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, FiniteFloat

from core import payload
from core.payload import EXACT, NUL_FREE, Id, Many, Word

# Longer ones are set aside: our own ids of marks and of incidents are made of them.
ThreadKey = Annotated[str, Field(max_length=900, pattern=NUL_FREE), EXACT]
Key = Annotated[str, Field(max_length=300, pattern=NUL_FREE), EXACT]


class Payload(payload.Payload):
    """What arrives; an id may be a number."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Participant(Payload):
    """Somebody who takes part; the operator has no id."""

    type: Word = None
    id: Id | None = None
    display_name: Word = None


class Sender(Payload):
    """Who wrote: `type` is ``CUSTOMER_USER``, ``SHOP_USER`` or ``OPERATOR_USER``."""

    type: Word = None
    display_name: Word = None


class File(Payload):
    """An attachment; M13 gives its bytes."""

    id: Id
    name: Word = None
    size: int | None = None


class Entry(Payload):
    """A message of a thread."""

    id: Id
    date_created: Any = None
    body: Word = None
    sender: Sender = Field(default=Sender(), alias="from")
    to: Many[Participant] = None
    attachments: Many[File] = None


class Topic(Payload):
    """``REASON_CODE`` (see RE01) or ``FREE_TEXT``."""

    type: Word = None
    value: Word = None


class Entity(Payload):
    """What a thread is about: ``MMP_ORDER`` and the order's id, say."""

    type: Word = None
    id: Id | None = None


class Metadata(Payload):
    """*shop_reply_needed_since* null says that the shop has replied; left out it says nothing."""

    total_count: int | None = None
    shop_reply_needed_since: Any = None


class Click(Payload):
    """Somebody pressed "no reply needed" in the back office."""

    date: Any = None
    user_type: Word = None


class ThreadPayload(Payload):
    """A thread of M10 and M11."""

    id: ThreadKey
    topic: Topic | None = None
    entities: Many[Entity] = None
    authorized_participants: Many[Participant] = None
    current_participants: Many[Participant] = None
    date_created: Any = None
    date_updated: Any = None
    metadata: Metadata = Metadata()
    no_store_reply_needed: Many[Click] = None
    messages: Many[Entry] = None


class Threads(Payload):
    """A page of M11; no token on the last one. One that is no text is no end of the walk either."""

    data: list[ThreadPayload]
    next_page_token: Any = None


class Line(Payload):
    """An order line: an incident is a state of it."""

    order_line_id: Key
    order_line_state: Word = None
    order_line_state_reason_code: Word = None
    order_line_state_reason_label: Word = None
    last_updated_date: Any = None


class Customer(Payload):
    """The buyer of an order."""

    firstname: Word = None
    lastname: Word = None


class Order(Payload):
    """An order of OR11."""

    order_id: Key
    has_incident: bool | None = None
    customer: Customer | None = None
    order_lines: Many[Line] = None


class Orders(Payload):
    """A page of OR11, by offset."""

    orders: list[Order]
    total_count: int | None = None


class Reason(Payload):
    """A reason of RE01."""

    code: Word = None
    label: Word = None


class Reasons(Payload):
    """RE01, all at once."""

    reasons: list[Reason]


class Shop(Payload):
    """A01, as far as it judges: the mean reply time in seconds, absent without a reply."""

    order_messages_response_delay: FiniteFloat | None = None


class Taken(Payload):
    """What M12 answers to an accepted reply."""

    message_id: Id | None = None


class Complaint(Payload):
    """An error, in one of the shapes that were seen."""

    message: Word = None
    error: Word = None
