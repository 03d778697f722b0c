"""What can be asked of a store, field by field, and who may."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from connectors.webstore.shopify.sandbox.graphql import Hidden, Wrong
from connectors.webstore.shopify.sandbox.shop import ALL_ORDERS, DISPUTES, ORDERS, SHOWN, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.webstore.shopify.sandbox.shop import Dispute, Hook, Order, Shop

    Arguments = Mapping[str, Any]

MOST = 250
BASE = 2.0
FILTER = re.compile(r"(\w+):>='([^']+)'")
TOPICS = frozenset({
    "ORDERS_CREATE", "ORDERS_UPDATED", "DISPUTES_CREATE", "DISPUTES_UPDATE",
})  # fmt: skip
"""What a store can be asked for; compliance topics stand in the app's own settings."""


def query(shop: Shop, scopes: frozenset[str]) -> dict[str, Any]:
    """The fields of ``QueryRoot``."""
    return {
        "__typename": "QueryRoot",
        "orders": _guarded(lambda asked: _orders(shop, scopes, asked), "orders", ORDERS, scopes),
        "disputes": _guarded(lambda asked: _disputes(shop, asked), "disputes", DISPUTES, scopes),
        "nodes": lambda asked: [_node(shop, one, scopes) for one in asked["ids"]],
        "webhookSubscriptions": lambda _: {
            "__typename": "WebhookSubscriptionConnection",
            "nodes": [_hook(one) for one in shop.hooks.values()],
        },
        "shop": {"__typename": "Shop", "myshopifyDomain": shop.domain},
        "currentAppInstallation": {
            "__typename": "AppInstallation",
            "accessScopes": [
                {"__typename": "AccessScope", "handle": one} for one in sorted(scopes)
            ],
        },
    }


def mutation(shop: Shop) -> dict[str, Any]:
    """The fields of ``Mutation``."""
    return {
        "__typename": "Mutation",
        "webhookSubscriptionCreate": lambda asked: _subscribed(shop, asked),
    }


def webhook(order: Order) -> dict[str, Any]:
    """An order as a webhook tells it, in part: as the REST Admin API did."""
    return {
        "id": order.id,
        "admin_graphql_api_id": order.gid,
        "name": order.called,
        "order_number": order.number,
        "email": order.email,
        "phone": order.phone,
        "note": order.note,
        "source_name": order.source,
        "customer_locale": order.locale,
        "created_at": order.created_at.isoformat(timespec="seconds"),
        "updated_at": order.changed_at.isoformat(timespec="seconds"),
        "billing_address": {"name": order.name, "phone": order.phone},
        "total_price": "19.99",
    }


def dispute_webhook(dispute: Dispute) -> dict[str, Any]:
    """A dispute as a webhook tells it; days are midnight of UTC there."""
    return {
        "id": dispute.id,
        "order_id": dispute.order.id,
        "type": dispute.type.lower(),
        "reason": dispute.reason.lower(),
        "status": dispute.status.lower(),
        "evidence_due_by": dispute.due_by and f"{dispute.due_by}T00:00:00+00:00",
        "evidence_sent_on": dispute.sent_on and f"{dispute.sent_on}T00:00:00+00:00",
        "finalized_on": dispute.finalized_on and f"{dispute.finalized_on}T00:00:00+00:00",
        "initiated_at": dispute.initiated_at.isoformat(timespec="seconds"),
    }


def cost(asked: Arguments) -> float:
    """What a list may cost: its items, and what hangs on each."""
    return BASE + _each(asked) * int(asked.get("first") or 0)


def spent(asked: Arguments, answer: Any) -> float:
    """What it cost: the items that came. The rest of what it might have cost is given back."""
    nodes = answer.get("nodes") if isinstance(answer, dict) else None
    return BASE + _each(asked) * len(nodes or ())


def _each(asked: Arguments) -> float:
    return 3.0 if "query" in asked else 1.0


def _guarded(
    answer: Callable[[Arguments], Any], name: str, scope: str, scopes: frozenset[str]
) -> Callable[[Arguments], Any]:
    if scope in scopes:
        return answer
    why = f"Access denied for {name} field. Required access: `{scope}` access scope."

    def refused(_: Arguments) -> Any:
        raise Wrong(why, "ACCESS_DENIED")

    return refused


def _orders(shop: Shop, scopes: frozenset[str], asked: Arguments) -> dict[str, Any]:
    since = _since(asked, "updated_at")
    oldest = shop.now() - SHOWN if ALL_ORDERS not in scopes else datetime.min.replace(tzinfo=UTC)
    found = [
        one for one in shop.orders.values() if one.changed_at >= since and one.created_at >= oldest
    ]
    if asked.get("sortKey") != "UPDATED_AT":
        raise Wrong("an order of another kind is not played here", "badRequest")
    found.sort(key=lambda one: (one.changed_at, one.id))
    keyed = [(f"{stamp(one.changed_at)} {one.id}", _order(shop, one)) for one in found]
    return _connection(shop, "OrderConnection", keyed, asked)


def _disputes(shop: Shop, asked: Arguments) -> dict[str, Any]:
    since = _since(asked, "initiated_at")
    found = sorted(
        (one for one in shop.disputes.values() if one.initiated_at >= since), key=lambda o: o.id
    )
    keyed = [(f"{one.id:020}", _dispute(shop, one)) for one in found]
    return _connection(shop, "ShopifyPaymentsDisputeConnection", keyed, asked)


def _connection(
    shop: Shop, name: str, keyed: Sequence[tuple[str, Any]], asked: Arguments
) -> dict[str, Any]:
    """A page: the cursor is the last item's place in the order, whatever comes before it."""
    first, after = int(asked["first"]), asked.get("after")
    if not 0 < first <= MOST:
        raise Wrong(f"first must be between 1 and {MOST}", "badRequest")
    edge = b64decode(after).decode() if after else ""
    left = [(key, node) for key, node in keyed if key > edge]
    shown = left[:first]
    nodes = [node for _, node in shown for _ in range(2 if shop.habits.repeats else 1)]
    end = b64encode(shown[-1][0].encode()).decode() if shown else None
    info = {"__typename": "PageInfo", "hasNextPage": len(left) > first, "endCursor": end}
    return {"__typename": name, "nodes": nodes, "pageInfo": info}


def _since(asked: Arguments, name: str) -> datetime:
    told = FILTER.fullmatch(asked.get("query") or "")
    if told is None or told[1] != name:
        raise Wrong("no such filter is played here", "badRequest")
    return datetime.fromisoformat(told[2])


def _node(shop: Shop, gid: str, scopes: frozenset[str]) -> dict[str, Any] | None:
    for order in shop.orders.values():
        if order.gid == gid and ORDERS in scopes:
            return _order(shop, order)
    for dispute in shop.disputes.values():
        if dispute.gid == gid and DISPUTES in scopes:
            return _dispute(shop, dispute)
    return None


def _order(shop: Shop, one: Order) -> dict[str, Any]:
    def shown(name: str, value: Any) -> Any:
        why = f"This app is not approved to use the {name} field. See https://partners.shopify.com"
        return Hidden(why) if shop.habits.hides_customers else value

    address = {"__typename": "MailingAddress", "name": one.name, "phone": one.phone}
    return {
        "__typename": "Order",
        "id": one.gid,
        "name": one.called,
        "note": one.note,
        "sourceName": one.source,
        "customerLocale": one.locale,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.changed_at),
        "email": shown("email", one.email),
        "phone": shown("phone", one.phone),
        "billingAddress": shown("billingAddress", address),
    }


def _dispute(shop: Shop, one: Dispute) -> dict[str, Any]:
    return {
        "__typename": "ShopifyPaymentsDispute",
        "id": one.gid,
        "type": one.type,
        "status": one.status,
        "evidenceDueBy": one.due_by and str(one.due_by),
        "evidenceSentOn": one.sent_on and str(one.sent_on),
        "finalizedOn": one.finalized_on and str(one.finalized_on),
        "initiatedAt": stamp(one.initiated_at),
        "reasonDetails": {"__typename": "ShopifyPaymentsDisputeReasonDetails",
                          "reason": one.reason},
        "order": _order(shop, one.order),
    }  # fmt: skip


def _hook(one: Hook) -> dict[str, Any]:
    return {
        "__typename": "WebhookSubscription",
        "id": one.gid,
        "topic": one.topic.upper().replace("/", "_"),
        "uri": one.uri,
    }


def _subscribed(shop: Shop, asked: Arguments) -> dict[str, Any]:
    topic, wanted = str(asked["topic"]), dict(asked["webhookSubscription"])
    uri = str(wanted.get("uri", ""))
    taken = any(_hook(one)["topic"] == topic and one.uri == uri for one in shop.hooks.values())
    said = None
    if topic not in TOPICS:
        said = "Invalid topic specified"
    elif not uri.startswith(("https://", "http://127.0.0.1")):
        said = "Address protocol http:// is not supported"
    elif taken:
        said = "Address for this topic has already been taken"
    if said is not None:
        complaint = {"__typename": "UserError", "field": ["webhookSubscription"], "message": said}
        return {"__typename": "P", "webhookSubscription": None, "userErrors": [complaint]}
    head, _, tail = topic.lower().partition("_")
    made = shop.subscribe(f"{head}/{tail}", uri, tuple(wanted.get("includeFields") or ()))
    return {"__typename": "P", "webhookSubscription": _hook(made), "userErrors": []}
