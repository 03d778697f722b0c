"""Stores that differ in all that the settings can say, as tables of an account's options."""

from __future__ import annotations

from base64 import b64encode

SECRET = "a-key-of-the-tests-0123456789abcdef"
RAW = b"a-key-of-the-tests-in-base64-0001"
KEY = "the-key-for-the-list"

FLAT = {
    # Messages one by one, a cursor in the body, milliseconds, HMAC in base64 over the body.
    "kind": "generic",
    "auth": {"scheme": "bearer", "secret": KEY},
    "mapping": {
        "id": "uuid",
        "thread": "conversation.number",
        "party": "author.type",
        "parties": {
            "customer": "buyer", "agent": "seller", "bot": "automatic", "note": "private",
            "event": "system",
        },
        "text": "content.text",
        "sent_at": "created",
        "updated_at": "changed",
        "time": "milliseconds",
        "subject": "conversation.topic",
        "buyer": "author.name",
        "mail": "author.email",
        "phone": "author.phone",
        "orders": "conversation.orders[].reference",
        "attachments": "content.files[*].name",
        "status": "conversation.state",
        "closed": ["done", "spam"],
    },
    "poll": {
        "url": "https://api.lamps.example/v2/messages?embed=author",
        "items": "data.items",
        "since": {"parameter": "changed_after", "form": "milliseconds"},
        "paging": {
            "by": "cursor", "parameter": "after", "next": "data.next", "size": 50,
            "size_parameter": "limit",
        },
    },
    "webhook": {
        "endpoint": "https://push.lamps.example/push/webstore/lamps",
        "scheme": "hmac",
        "secret": b64encode(RAW).decode(),
        "key_encoding": "base64",
        "header": "X-Lamps-Signature",
        "encoding": "base64",
        "items": "payload",
        "when": "event == 'message.created'",
    },
    "reply": {
        "url": "https://api.lamps.example/v2/conversations/{thread}/messages",
        "body": {"content": {"text": "{text}"}, "dedupe": "{key}", "notify": True},
        "id": "message.uuid",
        "longest": 4000,
    },
}  # fmt: skip

WHOLE = {
    # Whole conversations, Link headers, the shop's wall clock, hex over time and body.
    "kind": "generic",
    "auth": {"scheme": "basic", "user": "reader", "secret": KEY},
    "headers": {"X-Shop": "7"},
    "mapping": {
        "messages": "posts",
        "id": "message.post_id",
        "thread": "thread.id",
        "party": "message.mine",
        "parties": {"false": "buyer", "true": "seller"},
        "text": "message.body",
        "sent_at": "message.at",
        "updated_at": "thread.changed",
        "time": "%d.%m.%Y %H:%M:%S",
        "zone": "Europe/Berlin",
        "subject": "thread.title",
        "buyer": "thread.customer.name",
        "mail": "thread.customer.mail",
        "orders": "thread.order",
    },
    "poll": {
        "url": "https://shop.teapots.example/api/threads",
        "items": "@",
        "since": {"parameter": "since", "form": "%d.%m.%Y %H:%M:%S"},
        "paging": {"by": "link"},
        "newest_first": True,
    },
    "webhook": {
        "endpoint": "https://push.teapots.example/push/webstore/teapots",
        "scheme": "hmac",
        "secret": SECRET,
        "header": "X-Signature",
        "prefix": "sha256=",
        "signs": "{timestamp}.{body}",
        "timestamp_header": "X-Timestamp",
        "items": "thread",
    },
    "reply": {
        "url": "https://shop.teapots.example/api/reply",
        "body": {"thread": "{thread_number}", "body": "{text}"},
        "id": "post_id",
    },
}

NUMBERED = {
    # Pages by number, ISO times, pairs in one header; answers go by mail.
    "kind": "generic",
    "auth": {"scheme": "header", "header": "X-Api-Key", "secret": KEY},
    "mapping": {
        "id": "id",
        "thread": "topic",
        "party": "from",
        "parties": {"0": "buyer", "1": "seller"},
        "text": "text",
        "sent_at": "at",
        "mail": "mail",
    },
    "poll": {
        "url": "https://mugs.example/list",
        "items": "rows",
        "paging": {"by": "page", "parameter": "p"},
    },
    "webhook": {
        "endpoint": "https://push.mugs.example/push/webstore/mugs",
        "scheme": "hmac",
        "secret": SECRET,
        "header": "Mugs-Signature",
        "part": "v1",
        "timestamp_part": "t",
        "signs": "{timestamp}.{body}",
        "items": "rows",
    },
    "mail": {
        "smtp": {"host": "mail.mugs.example", "port": 465},
        "user": "support@mugs.example",
        "password": "p",
        "sender": "support@mugs.example",
    },
}

SHAPES = {"flat": FLAT, "whole": WHOLE, "numbered": NUMBERED}


def changed(shape, **more):
    """*shape* with keys of its tables written otherwise: ``changed(FLAT, poll={...})``."""
    return shape | {
        name: {**shape.get(name, {}), **told} if isinstance(told, dict) else told
        for name, told in more.items()
    }
