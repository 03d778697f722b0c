"""The Corner Shop: a made-up marketplace with an inbox, conversations and signed pushes."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlsplit

from core.connector import Capabilities, Spec
from core.model import Stream
from replyby_example.connector import INBOX, OPERATIONS, CornerShop
from replyby_example.options import CornerShopOptions
from sla.calendar import Calendar
from sla.policy import Party, Policy, ThreadKind

TERMS = Policy(
    name="corner-shop-terms",
    version=1,
    role="contract",
    applies_to=frozenset({ThreadKind.MESSAGE}),
    waits_for=frozenset({Party.BUYER}),
    reply_within=timedelta(hours=24),
    calendar=Calendar.always(),
    source="https://corner.example/terms, section 4",
    checked_on=date(2026, 11, 21),
)


def _host(options: CornerShopOptions) -> str:
    return urlsplit(options.base_url).hostname or ""


spec = Spec(
    name="example",
    options=CornerShopOptions,
    policies=lambda _: (TERMS,),
    streams=lambda _: (Stream(INBOX, timedelta(minutes=1), ascending=True),),
    open=CornerShop,
    can=lambda _: Capabilities(replies=True, looks=True, receives=True),
    marketplace=lambda _: "corner-shop",
    identity=lambda options: f"{_host(options)} shop {options.shop}",
    budget=lambda options: f"corner-shop {_host(options)}",
    operations=OPERATIONS,
)
