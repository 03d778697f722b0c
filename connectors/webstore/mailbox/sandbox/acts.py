"""What people do in a mailbox, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from aiohttp import web

from connectors.webstore.mailbox.sandbox.shop import Fate
from core.sandbox import control, mail_acts

if TYPE_CHECKING:
    from connectors.webstore.mailbox.sandbox.server import Sandbox
    from connectors.webstore.mailbox.sandbox.shop import Shop, Talk
    from core.sandbox.serve import Next

SANDBOX: web.AppKey[Sandbox] = web.AppKey("sandbox")

OF_TALK = ("buyer_writes", "stranger_writes", "answers_elsewhere", "answer_fails")
OF_SHOP = ("robot_fills_form", "newsletter_comes", "marketplace_writes", "spam_comes")


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/talks", talks),
        web.get(f"{control.PREFIX}/outcomes", outcomes),
        web.post(f"{control.PREFIX}/acts/{{act}}", act),
    ]


async def forms(request: web.Request, handler: Next) -> web.StreamResponse:
    """Nothing else is served here."""
    return await handler(request)


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names the mailbox's `user`, a `talk`, and what the act takes."""
    sandbox = request.app[SANDBOX]
    return await mail_acts.act(request, sandbox, partial(_do, sandbox))


async def index(request: web.Request) -> web.Response:
    """The mailboxes, and how many wait; no passwords."""
    shops = request.app[SANDBOX].shops.values()
    return control.answer([_summary(one) for one in shops])


async def talks(request: web.Request) -> web.Response:
    """Every conversation in short, without its text."""
    shops = request.app[SANDBOX].shops.values()
    return control.answer([_shown(shop, talk) for shop in shops for talk in shop.talks.values()])


async def outcomes(request: web.Request) -> web.Response:
    """What became of the letters to buyers, oldest first."""
    return control.answer([
        {"user": shop.user, "at": one.at, "message_id": one.message_id, "fate": one.fate,
         "talk": one.talk}
        for shop in request.app[SANDBOX].shops.values() for one in shop.outcomes
    ])  # fmt: skip


def _do(sandbox: Sandbox, name: str, how: dict[str, Any]) -> Any:
    """Carry out the act *name*.

    Raises:
        Unknown: there is no such act, user or talk.
    """
    shop = mail_acts.found(sandbox.shops, how.pop("user", None), "user")
    if name == "asks":
        return _asks(shop, **how)
    if name == "next_fate":
        return _next_fate(shop, **how)
    if name in OF_SHOP:
        getattr(shop, name)(**how)
        return _summary(shop)
    talk = mail_acts.found(shop.talks, how.pop("talk", None), "talk")
    if name not in OF_TALK:
        raise mail_acts.Unknown(f"no such act: {name}")
    getattr(shop, name)(talk, **how)
    return _shown(shop, talk)


def _asks(shop: Shop, words: str, **how: Any) -> Any:
    """Somebody new writes for the first time."""
    told = {name: how.pop(name) for name in ("order", "language", "way") if name in how}
    name, mail = how.pop("name", "Ana Sample"), how.pop("mail", "ana@buyers.example")
    talk = shop.open(name, mail, how.pop("subject", "Where is my parcel?"), **told)
    shop.buyer_writes(talk, words, **how)
    return _shown(shop, talk)


def _next_fate(shop: Shop, fate: Fate) -> Any:
    return mail_acts.fated(shop.next_fates, fate, get_args(Fate))


def _summary(shop: Shop) -> dict[str, Any]:
    now = shop.clock()
    return {
        "user": shop.user,
        "talks": len(shop.talks),
        "waiting": sum(one.is_waiting(now) for one in shop.talks.values()),
    }


def _shown(shop: Shop, talk: Talk) -> dict[str, Any]:
    return {
        "user": shop.user,
        "talk": talk.id,
        "mail": talk.mail,
        "order": talk.order or None,
        "messages": len(talk.entries),
        "is_waiting": talk.is_waiting(shop.clock()),
    }
