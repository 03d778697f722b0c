"""What Amazon answers and is sent, of it what is used: nothing about a person is ever read."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core import payload

T = TypeVar("T")


class Payload(payload.Payload):
    """Answers grow: what is not known is ignored. Names are Amazon's, written our way."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def _or_none(value: object) -> object:
    return () if value is None else value


def _or_nothing(value: object) -> object:
    return "" if value is None else value


Many = Annotated[tuple[T, ...], BeforeValidator(_or_none)]
"""A list; null is an empty one."""
Word = Annotated[str, BeforeValidator(_or_nothing)]
"""A text; null is an empty one."""


class Error(Payload):
    code: Word = ""
    message: Word = ""


class Errors(Payload):
    errors: Many[Error] = ()


# Orders 2026-01-01: getOrder


class SoldAt(Payload):
    marketplace_id: str | None = None


class Window(Payload):
    latest_date_time: AwareDatetime | None = None


class Fulfillment(Payload):
    fulfillment_status: Word = ""
    fulfilled_by: Word = ""
    ship_by_window: Window | None = None
    deliver_by_window: Window | None = None


class Product(Payload):
    asin: str | None = None
    title: Word = ""
    seller_sku: str | None = None


class CancellationRequest(Payload):
    requester: Word = ""


class Cancellation(Payload):
    cancellation_request: CancellationRequest | None = None


class OrderItem(Payload):
    quantity_ordered: int = 1
    product: Product = Product()
    cancellation: Cancellation | None = None


class PackageStatus(Payload):
    status: Word = ""


class Package(Payload):
    package_status: PackageStatus | None = None
    ship_time: AwareDatetime | None = None


class Money(Payload):
    amount: str
    currency_code: str


class Proceeds(Payload):
    grand_total: Money | None = None


class OrderPayload(Payload):
    order_id: str
    created_time: AwareDatetime | None = None
    sales_channel: SoldAt | None = None
    fulfillment: Fulfillment | None = None
    proceeds: Proceeds | None = None
    order_items: Many[OrderItem] = ()
    packages: Many[Package] = ()


class OrderAnswer(Payload):
    order: OrderPayload


# Messaging v1


class Link(Payload):
    href: str


class Links(Payload):
    actions: Many[Link] = ()


class ActionsAnswer(Payload):
    links: Links = Field(alias="_links")


class Buyer(Payload):
    locale: str | None = None


class AttributesAnswer(Payload):
    buyer: Buyer | None = None


class Attachment(Payload):
    upload_destination_id: str
    file_name: str


class Message(Payload):
    """The body of any of the nine messages."""

    text: str | None = None
    attachments: tuple[Attachment, ...] | None = None
    coverage_start_date: AwareDatetime | None = None
    coverage_end_date: AwareDatetime | None = None


# Uploads 2020-11-01


class Destination(Payload):
    upload_destination_id: str
    url: str = Field(repr=False)
    headers: dict[str, str] = Field(default_factory=dict, repr=False)


class DestinationAnswer(Payload):
    payload: Destination


# Reports 2021-06-30


class Report(Payload):
    report_id: str
    processing_status: str
    created_time: AwareDatetime
    data_end_time: AwareDatetime | None = None
    report_document_id: str | None = None


class ReportsAnswer(Payload):
    reports: Many[Report] = ()


class ReportWanted(Payload):
    report_type: str
    marketplace_ids: tuple[str, ...]


class Document(Payload):
    url: str = Field(repr=False)


# Sellers v1: what the account may be asked about


class Marketplace(Payload):
    id: str


class Participation(Payload):
    marketplace: Marketplace


class ParticipationsAnswer(Payload):
    payload: Many[Participation] = ()
