"""What happens at eBay, to order by HTTP: `POST /_sandbox/acts/<act>`, on the port of ``api``."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.ebay.sandbox import access, notification_api, ordered
from connectors.ebay.sandbox.dossiers import Dossier, Impossible
from connectors.ebay.sandbox.market import Habits
from connectors.ebay.sandbox.ordered import Unfit
from core.sandbox import control

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from connectors.ebay.sandbox.conversations import Conversation, Media
    from connectors.ebay.sandbox.market import Market, Member, Seller
    from connectors.ebay.sandbox.pushes import Pushes

MOST = 10_000
"""Of a burst, or of attempts that are shown."""


SHOWN = 20
"""So many names are listed to who names none of them."""


class Unknown(Exception):
    """What an order names does not exist."""


def routes(host: str) -> list[web.RouteDef]:
    """Orders are taken where most calls go."""
    if host != "api":
        return []
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/conversations", conversations),
        web.get(f"{control.PREFIX}/dossiers", dossiers),
        web.get(f"{control.PREFIX}/pushes", pushed),
        web.post(f"{control.PREFIX}/acts/{{act}}", act),
    ]


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names the `seller`, and what the act takes."""
    market, pushes = request.app[access.MARKET], request.app[notification_api.PUSHES]
    try:
        done = _do(market, pushes, request.match_info["act"], _order(await request.read()))
    except Unknown as unknown:
        return control.answer({"message": str(unknown)}, 404)
    except (Unfit, Impossible) as wrong:
        return control.refuse(str(wrong))
    return control.answer(done, 201)


def _order(body: bytes) -> dict[str, Any]:
    try:
        how = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Unfit("the order is no JSON") from None
    if not isinstance(how, dict):
        raise Unfit('the order is no object; write {"seller": "...", ...}')
    return how


async def index(request: web.Request) -> web.Response:
    """Who sells here, how much waits, where pushes go; no secrets."""
    market = request.app[access.MARKET]
    sellers = [
        {
            "seller": name,
            "user_id": one.member.user_id,
            "marketplace": one.marketplace,
            "conversations": one.mailbox.count("FROM_MEMBERS"),
            "waiting": sum(
                c.is_waiting() for c in one.mailbox.live.values() if c.type == "FROM_MEMBERS"
            ),
            "dossiers": sum(d.is_open for d in one.desk.dossiers.values()),
        }
        for name, one in market.sellers.items()
    ]
    places = [
        {"destination": one.id, "endpoint": one.endpoint, "status": one.status}
        for application in market.applications.values()
        for one in application.subscribed.destinations.values()
    ]
    waiting = request.app[notification_api.PUSHES].waiting
    return control.answer(
        {"sellers": sellers, "destinations": places, "pushes_waiting": waiting,
         "habits": _told(market.habits)}
    )  # fmt: skip


async def conversations(request: web.Request) -> web.Response:
    """Every conversation in short that anybody touched, without its text."""
    sellers = request.app[access.MARKET].sellers
    return control.answer(
        [_shown(name, c) for name, one in sellers.items() for c in one.mailbox.live.values()]
    )


async def dossiers(request: web.Request) -> web.Response:
    """Every dossier in short, without its text."""
    sellers = request.app[access.MARKET].sellers
    return control.answer(
        [_dossier(name, d) for name, one in sellers.items() for d in one.desk.dossiers.values()]
    )


async def pushed(request: web.Request) -> web.Response:
    """The last attempts to push, oldest first, without what they brought."""
    tried = list(request.app[notification_api.PUSHES].tried)[-MOST:]
    return control.answer([asdict(one) for one in tried])


def _do(market: Market, pushes: Pushes, name: str, how: dict[str, Any]) -> Any:
    """Carry out the act *name*.

    Raises:
        Unknown: there is no such act, seller, member, conversation or dossier.
        Unfit: the act does not take what the order says.
        Impossible: the dossier does not take the act now.
    """
    if name not in NAMES:
        raise Unknown(f"no such act: {name}; there are: {ordered.listed(sorted(NAMES))}")
    if name == "habits":
        return _habits(market, how)
    if name in OF_MARKET:
        return OF_MARKET[name](market, pushes, **ordered.fitted(name, OF_MARKET[name], how))
    seller = _found(market.sellers, how.pop("seller", next(iter(market.sellers), None)), "seller")
    if name in OF_SELLER:
        return OF_SELLER[name](seller, pushes, **ordered.fitted(name, OF_SELLER[name], how))
    if name in OPENED:
        return _open(seller, name, how)
    if name in OF_DOSSIER and (name not in OF_CONVERSATION or "dossier" in how):
        return _in_dossier(seller, name, how)
    return _in_conversation(seller, name, how)


def _open(seller: Seller, name: str, how: dict[str, Any]) -> Any:
    do = getattr(seller.desk, name)
    fit = ordered.fitted(name, do, how)
    buyer = _member(seller.market, fit.pop("buyer", None))
    return _dossier(seller.member.name, do(**fit, buyer=buyer))


def _in_conversation(seller: Seller, name: str, how: dict[str, Any]) -> Any:
    number = str(how.pop("conversation", ""))
    one = seller.mailbox.find(number)
    if one is None:
        raise Unknown(f"no such conversation: {number}; see GET {control.PREFIX}/conversations")
    OF_CONVERSATION[name](seller, one, **ordered.fitted(name, OF_CONVERSATION[name], how))
    return _shown(seller.member.name, one)


def _in_dossier(seller: Seller, name: str, how: dict[str, Any]) -> Any:
    """Something happens in a dossier; what may depends on its kind."""
    number = str(how.pop("dossier", ""))
    one: Dossier | None = seller.desk.dossiers.get(number)
    if one is None:
        raise Unknown(f"no such dossier: {number}; see GET {control.PREFIX}/dossiers")
    if name == "escalate":
        fit = ordered.fitted(name, seller.desk.escalate, how)
        return _dossier(seller.member.name, seller.desk.escalate(number, **fit))
    do = getattr(one, name, None)
    if do is None:
        known = ordered.listed(act for act in OF_DOSSIER if hasattr(one, act))
        raise Unfit(f"{name} is nothing that happens in this {one.KIND}; what may: {known}")
    do(**(how if name == "speak_oddly" else ordered.fitted(name, do, how)))
    return _dossier(seller.member.name, one)


def _asks(
    seller: Seller,
    _: Pushes,
    text: str,
    buyer: str | None = None,
    title: str = "Where is my parcel",
    at: datetime | None = None,
) -> Any:
    """A buyer writes for the first time; a new one where none is named."""
    market = seller.market
    member = _member(market, buyer) or market.add_member()
    return _shown(seller.member.name, seller.asked(member, text, title=title, at=at))


def _writes(
    seller: Seller,
    one: Conversation,
    text: str,
    media: Sequence[Media] = (),
    at: datetime | None = None,
) -> None:
    seller.buyer_writes(one, text, media=media, at=at)


def _answers(seller: Seller, one: Conversation, text: str, at: datetime | None = None) -> None:
    seller.answers(one, text, at=at)


def _mark(_: Seller, one: Conversation, *, is_read: bool = True) -> None:
    one.mark(is_read=is_read)


def _stick(seller: Seller, one: Conversation) -> None:
    seller.mailbox.stuck.add(one.id)


def _ebay_writes(
    seller: Seller,
    _: Pushes,
    text: str,
    title: str = "A notice of eBay",
    at: datetime | None = None,
) -> Any:
    return _shown(seller.member.name, seller.ebay_writes(text, title=title, at=at))


def _fill(seller: Seller, _: Pushes, count: int, oldest: datetime, newest: datetime) -> Any:
    others = [seller.market.add_member() for _ in range(100)]
    seller.mailbox.fill(count, oldest, newest, others)
    return {"conversations": seller.mailbox.count("FROM_MEMBERS")}


def _revoke(seller: Seller, pushes: Pushes) -> Any:
    seller.application.revoke(seller)
    pushes.revocation(seller)
    return {"seller": seller.member.name}


def _expire(seller: Seller, _: Pushes) -> Any:
    seller.application.expire_tokens()
    return {"seller": seller.member.name}


def _limit(seller: Seller, _: Pushes, context: str, api: str, calls: int) -> Any:
    seller.application.limits[context, api] = calls
    return {"context": context, "api": api, "calls": calls}


def _slip(seller: Seller, _: Pushes, kind: str, slip: Any, count: int = 1) -> Any:
    seller.desk.slip(kind, slip, count)
    return {"kind": kind, "slip": slip, "count": count}


def _trading(
    seller: Seller,
    _: Pushes,
    *,
    is_silenced: bool | None = None,
    ended: str | None = None,
    from_mail: str | None = None,
) -> Any:
    """What the Trading API withholds: everything, exchanges of a listing, or a question."""
    exchanges = seller.exchanges
    if is_silenced is not None:
        exchanges.is_silenced = is_silenced
    if ended is not None:
        exchanges.ended.add(ended)
    if from_mail is not None:
        exchanges.from_mail.add(from_mail)
    return {"is_silenced": exchanges.is_silenced}


def _anything(seller: Seller, pushes: Pushes, topic: str, data: dict[str, Any]) -> Any:
    return {"notifications": pushes.anything(seller.application, topic, data)}


def _delete(market: Market, pushes: Pushes, member: str | None = None, strangers: int = 0) -> Any:
    """A member closes the account, or a burst of *strangers* do."""
    gone: list[Member] = [market.add_member() for _ in range(min(strangers, MOST))]
    if member is not None:
        gone.append(_found(market.members, member.casefold(), "member"))
    return {"notifications": sum(len(pushes.deletion(one)) for one in gone)}


def _rotate(market: Market, _: Pushes, digest: Any = "SHA1") -> Any:
    return {"kid": market.keys.rotate(digest).id}


def _habits(market: Market, how: dict[str, Any]) -> Any:
    """Seconds where a habit is a time; all of them or none."""
    known = {one.name: getattr(market.habits, one.name) for one in fields(Habits)}
    wanted = {}
    for name, value in how.items():
        if name not in known:
            raise Unknown(f"no such habit: {name}; there are: {ordered.listed(known)}")
        try:
            wanted[name] = ordered.like(known[name], value)
        except Unfit as unfit:
            raise Unfit(f"{name} {unfit}") from None
    for name, value in wanted.items():
        setattr(market.habits, name, value)
    return _told(market.habits)


def _hold(_: Market, pushes: Pushes, *, is_held: bool = True) -> Any:
    pushes.is_held = is_held
    return {"waiting": pushes.waiting}


OF_MARKET: dict[str, Callable[..., Any]] = {
    "delete_account": _delete, "rotate_keys": _rotate, "hold_pushes": _hold,
}  # fmt: skip
OF_SELLER: dict[str, Callable[..., Any]] = {
    "asks": _asks, "ebay_writes": _ebay_writes, "fill": _fill, "revoke": _revoke,
    "expire_tokens": _expire, "limit": _limit, "slip": _slip, "push": _anything,
    "trading": _trading,
}  # fmt: skip
OF_CONVERSATION: dict[str, Callable[..., None]] = {
    "buyer_writes": _writes, "seller_answers": _answers, "mark": _mark, "stick": _stick,
}  # fmt: skip
OPENED = ("open_inquiry", "open_return", "open_cancellation", "open_case", "open_dispute")
OF_DOSSIER = (
    "buyer_writes", "seller_writes", "seller_decides", "seller_refunds", "seller_ships",
    "seller_approves", "seller_rejects", "seller_responds", "buyer_answers_offer",
    "buyer_ships", "is_delivered", "is_refunded", "buyer_closes", "ebay_asks", "ebay_closes",
    "ebay_decides", "is_decided", "wants_refund", "wants_evidence", "provides_evidence", "moves",
    "escalate", "speak_oddly",
)  # fmt: skip
NAMES = {"habits", *OF_MARKET, *OF_SELLER, *OF_CONVERSATION, *OPENED, *OF_DOSSIER}
"""Every act."""


def _member(market: Market, name: str | None) -> Member | None:
    """Who is called so; None where nobody is named."""
    return None if name is None else market.member(name) or market.add_member(name)


def _found(known: Any, name: Any, what: str) -> Any:
    if not isinstance(name, str) or name not in known:
        there = ordered.listed(islice(known, SHOWN))
        raise Unknown(f"no such {what}: {name}; there are: {there}")
    return known[name]


def _told(habits: Habits) -> dict[str, Any]:
    told = asdict(habits)
    return {k: v.total_seconds() if isinstance(v, timedelta) else v for k, v in told.items()}


def _shown(seller: str, one: Conversation) -> dict[str, Any]:
    return {
        "seller": seller,
        "conversation": one.id,
        "type": one.type,
        "status": one.status,
        "messages": len(one.messages),
        "unread": one.unread,
        "is_waiting": one.is_waiting(),
    }


def _dossier(seller: str, one: Dossier) -> dict[str, Any]:
    return {
        "seller": seller,
        "dossier": one.id,
        "kind": one.KIND,
        "is_open": one.is_open,
        "due_at": one.due_at,
        "entries": len(one.history),
    }
