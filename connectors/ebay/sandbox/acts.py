"""What happens at eBay, to order by HTTP: `POST /_sandbox/acts/<act>`, on the port of ``api``."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.ebay.sandbox import access, notification_api
from connectors.ebay.sandbox.conversations import Media
from connectors.ebay.sandbox.dossiers import Dossier, Impossible
from connectors.ebay.sandbox.market import Habits
from core.sandbox import control

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors.ebay.sandbox.conversations import Conversation
    from connectors.ebay.sandbox.market import Market, Member, Seller
    from connectors.ebay.sandbox.pushes import Pushes

INSTANTS = ("at", "due_at", "oldest", "newest")
MOST = 10_000
"""Of a burst, or of conversations that are filled in by one order."""


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
        how = json.loads(await request.read() or b"{}")
        done = _do(market, pushes, request.match_info["act"], how)
    except Unknown as unknown:
        return control.answer({"message": str(unknown)}, 404)
    except (ValueError, TypeError, AttributeError, KeyError, Impossible) as wrong:
        return control.refuse(f"{type(wrong).__name__}: {wrong}")
    return control.answer(done, 201)


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
    """
    how = {key: _value(key, value) for key, value in how.items()}
    if name in OF_MARKET:
        return OF_MARKET[name](market, pushes, **how)
    known = market.sellers
    seller = _found(known, how.pop("seller", next(iter(known), None)), "seller")
    if name in OF_SELLER:
        return OF_SELLER[name](seller, pushes, **how)
    if "dossier" in how:
        return _in_dossier(seller, name, how)
    if name in OF_CONVERSATION:
        one = seller.mailbox.find(str(how.pop("conversation", "")))
        if one is None:
            raise Unknown("no such conversation")
        OF_CONVERSATION[name](seller, one, **how)
        return _shown(seller.member.name, one)
    if name in OPENED:
        how = {**how, "buyer": _member(market, how.get("buyer"))}
        return _dossier(seller.member.name, getattr(seller.desk, name)(**how))
    raise Unknown(f"no such act: {name}")


def _in_dossier(seller: Seller, name: str, how: dict[str, Any]) -> Any:
    """Something happens in a dossier; what may depends on its kind."""
    if name not in OF_DOSSIER:
        raise Unknown(f"no such act: {name}")
    number = str(how.pop("dossier", ""))
    one: Dossier = _found(seller.desk.dossiers, number, "dossier")
    if name == "escalate":
        return _dossier(seller.member.name, seller.desk.escalate(number, **how))
    getattr(one, name)(**how)
    return _dossier(seller.member.name, one)


def _asks(seller: Seller, _: Pushes, text: str, buyer: str | None = None, **how: Any) -> Any:
    """A buyer writes for the first time; a new one where none is named."""
    market = seller.market
    member = _member(market, buyer) or market.add_member()
    return _shown(seller.member.name, seller.asked(member, text, **how))


def _writes(seller: Seller, one: Conversation, text: str, **how: Any) -> None:
    media = [Media(*item) for item in how.pop("media", ())]
    seller.buyer_writes(one, text, media=media, **how)


def _answers(seller: Seller, one: Conversation, text: str, **how: Any) -> None:
    seller.answers(one, text, **how)


def _mark(_: Seller, one: Conversation, *, is_read: bool = True) -> None:
    one.mark(is_read=is_read)


def _stick(seller: Seller, one: Conversation) -> None:
    seller.mailbox.stuck.add(one.id)


def _ebay_writes(seller: Seller, _: Pushes, text: str, **how: Any) -> Any:
    return _shown(seller.member.name, seller.ebay_writes(text, **how))


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


def _habits(market: Market, _: Pushes, **how: Any) -> Any:
    """Seconds where a habit is a time."""
    known = {one.name for one in fields(Habits)}
    for name, value in how.items():
        if name not in known:
            raise Unknown(f"no such habit: {name}")
        is_time = isinstance(getattr(market.habits, name), timedelta)
        setattr(market.habits, name, timedelta(seconds=value) if is_time else value)
    return _told(market.habits)


def _hold(_: Market, pushes: Pushes, *, is_held: bool = True) -> Any:
    pushes.is_held = is_held
    return {"waiting": pushes.waiting}


OF_MARKET: dict[str, Callable[..., Any]] = {
    "delete_account": _delete, "rotate_keys": _rotate, "habits": _habits, "hold_pushes": _hold,
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
    "ebay_decides", "is_decided", "moves", "escalate", "speak_oddly",
)  # fmt: skip


def _member(market: Market, name: str | None) -> Member | None:
    """Who is called so; None where nobody is named."""
    return None if name is None else market.member(name) or market.add_member(name)


def _found(known: Any, name: Any, what: str) -> Any:
    if name not in known:
        raise Unknown(f"no such {what}: {name}")
    return known[name]


def _value(key: str, value: Any) -> Any:
    if key in INSTANTS and value is not None:
        return datetime.fromisoformat(value)
    return timedelta(seconds=value) if key == "within" and value is not None else value


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
