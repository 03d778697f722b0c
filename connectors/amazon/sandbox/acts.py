"""What people do at Amazon, to order by HTTP: `POST /_sandbox/acts/<act>`, beside SP-API."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from aiohttp import web

from connectors.amazon.sandbox import notices, relay
from connectors.amazon.sandbox.seller import Habits
from connectors.amazon.sandbox.server import Sandbox
from core.sandbox import control
from core.sandbox.mail_faults import MailFault

if TYPE_CHECKING:
    from collections.abc import Callable

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
INSTANTS = ("at", "arrives")


class Unknown(Exception):
    """What an order names does not exist."""


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
    try:
        how = json.loads(await request.read() or b"{}")
        done = _do(sandbox, request.match_info["act"], how)
    except Unknown as unknown:
        return control.answer({"message": str(unknown)}, 404)
    except (ValueError, TypeError, AttributeError) as wrong:
        return control.refuse(f"{type(wrong).__name__}: {wrong}")
    await sandbox.post.deliver()
    return control.answer(done, 201)


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
    how = {key: _value(key, value) for key, value in how.items()}
    if name in POSTS:
        return POSTS[name](sandbox, **how)
    seller = _found(sandbox.sellers, how.pop("user", None), "user")
    if name in OF_SELLER:
        return OF_SELLER[name](seller, **how)
    case = _found(seller.cases, how.pop("case", None), "case")
    if name == "stranger_writes":
        seller.stranger_writes(case if how.get("how") else None, **how)
    elif name in OF_CASE:
        getattr(seller, name)(case, **how)
    elif name in DOSSIERS:
        seller.posts(DOSSIERS[name](seller.author, _order(seller, case), seller.clock()), **how)
    else:
        raise Unknown(f"no such act: {name}")
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
    if fate not in get_args(relay.Fate):
        raise ValueError(f"fate must be one of {', '.join(get_args(relay.Fate))}")
    seller.next_fates.append(fate)
    return list(seller.next_fates)


def _approve(seller: Seller, address: str) -> Any:
    seller.approved.add(address.lower())
    return sorted(seller.approved)


def _hold(sandbox: Sandbox) -> Any:
    sandbox.post.is_held = True
    return {"waiting": sandbox.post.waiting}


def _release(sandbox: Sandbox) -> Any:
    sandbox.post.release()
    return {"waiting": sandbox.post.waiting}


def _twice(sandbox: Sandbox, letters: int = 1) -> Any:
    sandbox.post.twice += letters
    return {"twice": sandbox.post.twice}


def _mail_fault(sandbox: Sandbox, fault: MailFault, **how: Any) -> Any:
    if fault not in get_args(MailFault):
        raise ValueError(f"fault must be one of {', '.join(get_args(MailFault))}")
    sandbox.mail.faults.order(fault, **how)
    return {"fault": fault, **how}


def _lift(sandbox: Sandbox) -> Any:
    sandbox.mail.faults.lift()
    return {}


OF_SELLER: dict[str, Callable[..., Any]] = {
    "asks": _asks, "habits": _habits, "next_fate": _next_fate, "approve": _approve,
}  # fmt: skip
POSTS: dict[str, Callable[..., Any]] = {
    "hold": _hold, "release": _release, "twice": _twice, "mail_fault": _mail_fault, "lift": _lift,
}  # fmt: skip


def _order(seller: Seller, case: Case) -> Order:
    if case.order is None:
        case.order = seller.add_order(case.buyer, seller.clock())
    return case.order


def _found(known: dict[str, Any], name: Any, what: str) -> Any:
    if name not in known:
        raise Unknown(f"no such {what}: {name}")
    return known[name]


def _value(key: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if key in INSTANTS and value is not None else value


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
