"""What the Admin API is asked, in GraphQL.

Sources: shopify.dev/docs/api/admin-graphql/2026-10: queries ``orders``, ``disputes``, ``nodes``,
``webhookSubscriptions``, ``currentAppInstallation``, mutation ``webhookSubscriptionCreate``.
"""

from __future__ import annotations

from typing import NamedTuple

from connectors.webstore.shopify import offer


class Question(NamedTuple):
    """What is asked, and the word that names it in metrics."""

    operation: str
    text: str


_BOUGHT = "id name email phone billingAddress { name phone }"
_ORDER = f"{_BOUGHT} note sourceName customerLocale createdAt updatedAt"
_DISPUTE = (
    "id type status evidenceDueBy evidenceSentOn finalizedOn initiatedAt"
    f" reasonDetails {{ reason }} order {{ {_BOUGHT} }}"
)
_PAGE = "pageInfo { hasNextPage endCursor }"

ORDERS = Question(
    offer.READ_ORDERS,
    "query Orders($first: Int!, $after: String, $query: String!) {"
    " orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT)"
    f" {{ nodes {{ {_ORDER} }} {_PAGE} }} }}",
)
DISPUTES = Question(
    offer.READ_DISPUTES,
    "query Disputes($first: Int!, $after: String, $query: String!) {"
    " disputes(first: $first, after: $after, query: $query)"
    f" {{ nodes {{ {_DISPUTE} }} {_PAGE} }} }}",
)
ORDER_NODES = Question(
    offer.LOOK_ORDERS,
    f"query OrderNodes($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Order {{ {_ORDER} }} }} }}",
)
DISPUTE_NODES = Question(
    offer.LOOK_DISPUTES,
    "query DisputeNodes($ids: [ID!]!) {"
    f" nodes(ids: $ids) {{ ... on ShopifyPaymentsDispute {{ {_DISPUTE} }} }} }}",
)
APP = Question(
    offer.READ_APP,
    "query App { currentAppInstallation { accessScopes { handle } } shop { myshopifyDomain } }",
)
HOOKS = Question(
    offer.READ_HOOKS,
    "query Hooks { webhookSubscriptions(first: 100) { nodes { id topic uri } } }",
)
ADD_HOOK = Question(
    offer.ADD_HOOK,
    "mutation AddHook($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!) {"
    " webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook)"
    " { webhookSubscription { id topic uri } userErrors { field message } } }",
)
