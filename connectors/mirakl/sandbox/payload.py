"""Threads, orders and accounts as the JSON that Mirakl documents."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.mirakl.sandbox.inbox import Habits, Message, Participant, Thread
    from connectors.mirakl.sandbox.market import Line, Order

LAST_MESSAGES = 100

LABELS = {
    "14": "Item not received",
    "8": "Problem solved",
}


def stamp(at: datetime, habits: Habits) -> str:
    """An instant in UTC with ``Z``; mixed: a full second has milliseconds only now and then."""
    at = at.astimezone(UTC)
    mixed = habits.dates == "mixed" and (at.microsecond != 0 or at.second % 2 == 1)
    exact = mixed or habits.dates == "milliseconds"
    text = at.isoformat(timespec="milliseconds" if exact else "seconds")
    return text.replace("+00:00", "Z")


def thread(one: Thread, *, messages: int | None) -> dict[str, Any]:
    """A thread; *messages* is how many of the last ones come along, None for the bare thread."""
    habits = one.shop.operator.habits
    content: dict[str, Any] = {
        "id": one.id,
        "topic": {"type": one.topic[0], "value": one.topic[1]},
        "entities": [{"type": kind, "id": name, "label": name} for kind, name in one.entities],
        "authorized_participants": [participant(someone) for someone in one.authorized],
        "current_participants": [participant(someone) for someone in one.current()],
        "customer_organization": None,
        "date_created": stamp(one.created_at, habits),
        "date_updated": stamp(one.updated_at, habits),
        "metadata": _metadata(one),
    }
    if messages is not None:
        content["no_store_reply_needed"] = [
            {"date": stamp(click.at, habits), "user_type": click.user_type} for click in one.clicks
        ]
        content["messages"] = [message(m, habits) for m in one.messages[-messages:]]
    return grown(content, habits)


def _metadata(one: Thread) -> dict[str, Any]:
    habits = one.shop.operator.habits
    since = one.reply_needed_since()
    last = one.messages[-1] if one.messages else None
    return {
        "total_count": len(one.messages),
        "last_message_date": stamp(last.at if last else one.created_at, habits),
        "last_sender": _sender(last) if last else None,
        "shop_reply_needed_since": stamp(since, habits) if since else None,
    }


def message(one: Message, habits: Habits) -> dict[str, Any]:
    """A message; without attachments the field is left out, as in the vendor's own example."""
    content = {
        "id": one.id,
        "date_created": stamp(one.at, habits),
        "body": one.body,
        "from": _sender(one),
        "to": [participant(someone) for someone in one.to],
    }
    if one.attachments:
        content["attachments"] = [
            {"id": file.id, "name": file.name, "size": len(file.content)}
            for file in one.attachments
        ]
    return grown(content, habits)


def _sender(one: Message) -> dict[str, Any]:
    sender: dict[str, Any] = {"type": one.sender_type, "display_name": one.sender_name}
    if one.organization:
        sender["organization_details"] = participant(one.organization)
    return sender


def participant(someone: Participant) -> dict[str, str]:
    """A participant; the operator has no id."""
    number = {} if someone.id is None else {"id": someone.id}
    return {"type": someone.type, **number, "display_name": someone.display_name}


def order(one: Order) -> dict[str, Any]:
    """An order with its lines; the buyer's address is an anonymised one that nobody reads."""
    habits = one.shop.operator.habits
    first, _, last = one.customer.name.partition(" ")
    return grown(
        {
            "order_id": one.id,
            "commercial_id": one.id.rpartition("-")[0] or one.id,
            "created_date": stamp(one.created_at, habits),
            "last_updated_date": stamp(one.updated_at, habits),
            "order_state": "SHIPPED",
            "has_incident": one.has_incident(),
            "has_customer_message": _has_message(one),
            "channel": {"code": one.channel, "label": one.channel},
            "customer_notification_email": f"order-{one.id}@no-answer.example",
            "customer": {
                "customer_id": one.customer.id,
                "firstname": first,
                "lastname": last,
                "locale": one.customer.locale,
            },
            "order_lines": [_line(line, place, one) for place, line in enumerate(one.lines, 1)],
        },
        habits,
    )


def _has_message(one: Order) -> bool:
    threads = one.shop.operator.threads.values()
    return any(("MMP_ORDER", one.id) in thread.entities for thread in threads)


def _line(line: Line, place: int, one: Order) -> dict[str, Any]:
    habits = one.shop.operator.habits
    code = line.reason_code
    return {
        "order_line_id": line.id,
        "order_line_index": place,
        "product_title": line.title,
        "offer_sku": f"SKU-{place}",
        "quantity": 1,
        "created_date": stamp(line.created_at, habits),
        "last_updated_date": stamp(line.updated_at, habits),
        "order_line_state": line.state,
        "order_line_state_reason_code": code,
        "order_line_state_reason_label": LABELS.get(code, code) if code else None,
        "can_refund": True,
        "refunds": [],
    }


def grown(content: dict[str, Any], habits: Habits) -> dict[str, Any]:
    """With a field that nobody announced, where the operator's version is newer than the docs."""
    if habits.extra_fields:
        content["field_of_tomorrow"] = {"type": "NEW_KIND", "values": [1, None]}
    return content
