"""What people do at Amazon, to order by HTTP: `POST /_sandbox/acts/<act>`, beside SP-API."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from aiohttp import web

from connectors.amazon.sandbox import notices, relay
from connectors.amazon.sandbox.seller import Habits
from connectors.amazon.sandbox.server import Sandbox
from core.sandbox import control, mail_acts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.amazon.sandbox.author import Author
    from connectors.amazon.sandbox.cases import Case, Order
    from connectors.amazon.sandbox.composing import Letter
    from connectors.amazon.sandbox.seller import Seller

SANDBOX: web.AppKey[Sandbox] = web.AppKey("sandbox", Sandbox)

OF_CASE = (
    "buyer_writes",
    "customer_service_writes",
    "answers_at_amazon",
    "answers_by_mail",
    "marks_no_response_needed",
)
DOSSIERS: dict[str, Callable[[Author, Order, datetime], Letter]] = {
    "claim": notices.claim,
    "decision": notices.decision,
    "return": lambda author, order, at: notices.returned(author, order, at, by_amazon=False),
    "cancellation": notices.cancellation,
    "refund": notices.refund,
    "chargeback": notices.chargeback,
}


def routes() -> list[web.RouteDef]:
    """The routes, for a server that shares `SANDBOX`."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/cases", cases),
        web.get(f"{control.PREFIX}/outcomes", outcomes),
        web.post(f"{control.PREFIX}/acts/{{act}}", act),
    ]


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names the mailbox's `user`, a `case`, and what the act takes."""
    sandbox = request.app[SANDBOX]
    return await mail_acts.act(request, sandbox, partial(_do, sandbox))


async def index(request: web.Request) -> web.Response:
    """Who sells here, and how much waits; no passwords."""
    sandbox = request.app[SANDBOX]
    return control.answer([_summary(one) for one in sandbox.sellers.values()])


async def cases(request: web.Request) -> web.Response:
    """Every case in short, without its text."""
    sellers = request.app[SANDBOX].sellers.values()
    return control.answer([_shown(seller, one) for seller in sellers
                           for one in seller.cases.values()])  # fmt: skip


async def outcomes(request: web.Request) -> web.Response:
    """What became of the letters to buyers, oldest first."""
    found = [
        {"user": seller.mailbox.user, "at": one.at, "message_id": one.answer.message_id,
         "fate": one.fate, "case": one.case.id if one.case else None}
        for seller in request.app[SANDBOX].sellers.values() for one in seller.outcomes
    ]  # fmt: skip
    return control.answer(found)


def _do(sandbox: Sandbox, name: str, how: dict[str, Any]) -> Any:
    """Carry out the act *name*.

    Raises:
        Unknown: there is no such act, user or case.
    """
    seller = mail_acts.found(sandbox.sellers, how.pop("user", None), "user")
    if name in OF_SELLER:
        return OF_SELLER[name](seller, **how)
    case = mail_acts.found(seller.cases, how.pop("case", None), "case")
    if name == "stranger_writes":
        seller.stranger_writes(case if how.get("how") else None, **how)
    elif name in OF_CASE:
        getattr(seller, name)(case, **how)
    elif name in DOSSIERS:
        seller.posts(DOSSIERS[name](seller.author, _order(seller, case), seller.clock()), **how)
    else:
        raise mail_acts.Unknown(f"no such act: {name}")
    return _shown(seller, case)


def _asks(
    seller: Seller, words: str, name: str = "Ada Sample", language: str = "en", **how: Any
) -> Any:
    """Somebody new writes for the first time, about an order unless *order* is false."""
    has_order, carries = how.pop("order", True), how.pop("carries", None)
    buyer = seller.add_buyer(name, language, is_opted_out=how.pop("is_opted_out", False))
    order = seller.add_order(buyer, seller.clock()) if has_order else None
    case = seller.open_case(buyer, order, carries)
    seller.buyer_writes(case, words, **how)
    return _shown(seller, case)


def _habits(seller: Seller, **how: Any) -> Any:
    seller.habits = Habits(**{**asdict(seller.habits), **how})
    return asdict(seller.habits)


def _next_fate(seller: Seller, fate: relay.Fate) -> Any:
    return mail_acts.fated(seller.next_fates, fate, get_args(relay.Fate))


def _approve(seller: Seller, address: str) -> Any:
    seller.approved.add(address.lower())
    return sorted(seller.approved)


OF_SELLER: dict[str, Callable[..., Any]] = {
    "asks": _asks, "habits": _habits, "next_fate": _next_fate, "approve": _approve,
}  # fmt: skip


def _order(seller: Seller, case: Case) -> Order:
    if case.order is None:
        case.order = seller.add_order(case.buyer, seller.clock())
    return case.order


def _summary(seller: Seller) -> dict[str, Any]:
    now = seller.clock()
    return {
        "user": seller.mailbox.user,
        "marketplace": seller.author.place.id,
        "approved": sorted(seller.approved),
        "habits": asdict(seller.habits),
        "cases": len(seller.cases),
        "waiting": sum(one.is_waiting(now) for one in seller.cases.values()),
    }


def _shown(seller: Seller, case: Case) -> dict[str, Any]:
    return {
        "user": seller.mailbox.user,
        "case": case.id,
        "alias": case.alias,
        "order": case.order.id if case.order else None,
        "messages": len(case.entries),
        "is_waiting": case.is_waiting(seller.clock()),
    }
