"""What Shopify sends, as far as it is read; extra fields are ignored.

The Admin API (GraphQL) writes ``createdAt``, a webhook (as REST did) ``created_at``: an order of
either is the same.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field

from core import payload
from core.payload import EXACT, Word

GID = "gid://shopify/"


def _number(told: object) -> object:
    """The number of a global id (``gid://shopify/Order/450789469``); a bare one as it is."""
    if isinstance(told, str) and told.startswith(GID):
        return told.rpartition("/")[2].partition("?")[0]
    return told


Number = Annotated[str, Field(pattern=r"^[0-9]{1,19}$"), EXACT, BeforeValidator(_number)]
"""An id, as a number."""


def _either(api: str, webhook: str) -> Any:
    return Field(default=None, validation_alias=AliasChoices(api, webhook))


class Payload(payload.Payload):
    """What arrives; ids may be numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Address(Payload):
    """Who pays; null without Shopify's approval for customers' data."""

    name: Word = None
    phone: Word = None


class Bought(Payload):
    """An order as a dispute names it."""

    id: Number
    name: Word = None
    email: Word = None
    phone: Word = None
    billing_address: Address | None = _either("billingAddress", "billing_address")


class Order(Bought):
    """An order; *note* is what the buyer, or anybody at the store, wrote on it."""

    note: Word = None
    source_name: Word = _either("sourceName", "source_name")
    customer_locale: Word = _either("customerLocale", "customer_locale")
    created_at: Word = _either("createdAt", "created_at")
    updated_at: Word = _either("updatedAt", "updated_at")


class Reason(Payload):
    """Why somebody disputes."""

    reason: Word = None


class Dispute(Payload):
    """An inquiry or a chargeback; dates are days without a time."""

    id: Number
    type: Word = None
    status: Word = None
    evidence_due_by: Word = _either("evidenceDueBy", "evidence_due_by")
    evidence_sent_on: Word = _either("evidenceSentOn", "evidence_sent_on")
    finalized_on: Word = _either("finalizedOn", "finalized_on")
    initiated_at: Word = _either("initiatedAt", "initiated_at")
    reason_details: Reason | None = _either("reasonDetails", "reason_details")
    order: Bought | None = None


class PageInfo(Payload):
    """Where a list goes on."""

    has_next_page: bool = Field(default=False, alias="hasNextPage")
    end_cursor: Word = Field(default=None, alias="endCursor")


class OrderList(Payload):
    """A page of orders."""

    nodes: list[Order]
    page_info: PageInfo = Field(alias="pageInfo")


class Orders(Payload):
    """What the question for orders is answered."""

    orders: OrderList


class DisputeList(Payload):
    """A page of disputes."""

    nodes: list[Dispute]
    page_info: PageInfo = Field(alias="pageInfo")


class Disputes(Payload):
    """What the question for disputes is answered."""

    disputes: DisputeList


class OrderNodes(Payload):
    """Orders by their ids; null: there is none such."""

    nodes: list[Order | None]


class DisputeNodes(Payload):
    """Disputes by their ids."""

    nodes: list[Dispute | None]


class Scope(Payload):
    """What the app may do."""

    handle: str


class Installation(Payload):
    """The app at this store."""

    access_scopes: list[Scope] = Field(alias="accessScopes")


class Shop(Payload):
    """The store."""

    domain: Word = Field(default=None, alias="myshopifyDomain")


class App(Payload):
    """Who asks, and where."""

    installation: Installation = Field(alias="currentAppInstallation")
    shop: Shop


class Hook(Payload):
    """A webhook subscription that the app made at this store."""

    id: str
    topic: Word = None
    uri: Word = None


class HookList(Payload):
    """All of them: an app has few."""

    nodes: list[Hook]


class Hooks(Payload):
    """What the question for subscriptions is answered."""

    subscriptions: HookList = Field(alias="webhookSubscriptions")


class Complaint(Payload):
    """Why something was not done."""

    message: Word = None


class Made(Payload):
    """What became of a subscription."""

    hook: Hook | None = Field(default=None, alias="webhookSubscription")
    complaints: list[Complaint] = Field(default_factory=list, alias="userErrors")


class HookMade(Payload):
    """What the wish for a subscription is answered."""

    made: Made = Field(alias="webhookSubscriptionCreate")


class Customer(Payload):
    """Whom to forget: some of it, or all."""

    id: Number | None = None
    email: Word = None
    phone: Word = None


class Redaction(Payload):
    """A customer's data is to go; only this topic says *orders_to_redact*."""

    shop_domain: str
    orders_to_redact: list[Number]
    customer: Customer | None = None
