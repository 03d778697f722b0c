"""What happens at Twilio, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.twilio.sandbox import access, messaging, rest, telephony
from connectors.webstore.twilio.sandbox.access import Refusal
from core.sandbox import control

if TYPE_CHECKING:
    from connectors.webstore.twilio.sandbox.callbacks import Callbacks

CALLBACKS: web.AppKey[Callbacks] = web.AppKey("callbacks")

ACTS = {
    "buyer_writes": messaging.buyer_writes,
    "seller_writes": messaging.seller_writes,
    "buyer_calls": telephony.buyer_calls,
    "agent_calls": telephony.agent_calls,
}
"""What an act takes stands at its function; `account`, `number` and `theirs` name who."""


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/replies", replies),
        web.get(f"{control.PREFIX}/pushes", pushes),
        web.post(f"{control.PREFIX}/acts/{{act}}", act),
    ]


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names `account`, `number` and what the act takes."""
    try:
        how = json.loads(await request.read() or b"{}")
        done = _do(request, request.match_info["act"], how)
    except Refusal as refusal:
        return control.answer({"message": str(refusal)}, refusal.status)
    except (ValueError, TypeError, AttributeError, LookupError) as wrong:
        return control.refuse(f"{type(wrong).__name__}: {wrong}")
    return control.answer(done, 201)


async def index(request: web.Request) -> web.Response:
    """Accounts and numbers; no tokens."""
    accounts = request.app[access.DESK].accounts.values()
    return control.answer([
        {
            "account": one.sid,
            "numbers": {each.address: [each.sms_url, each.status_callback]
                        for each in one.numbers.values()},
            "messages": len(one.messages),
            "calls": len(one.calls),
        }
        for one in accounts
    ])  # fmt: skip


async def replies(request: web.Request) -> web.Response:
    """The messages that came by the API."""
    return control.answer([asdict(one) for one in request.app[rest.REPLIES]])


async def pushes(request: web.Request) -> web.Response:
    """How the last pushes went."""
    return control.answer([asdict(one) for one in request.app[CALLBACKS].tried])


def _do(request: web.Request, name: str, how: dict[str, Any]) -> dict[str, Any]:
    callbacks = request.app[CALLBACKS]
    if name == "lose":
        callbacks.lost = int(how.get("count", 1))
        return {"done": True}
    if name == "hold":
        callbacks.is_held = bool(how.get("held", True))
        callbacks.release()
        return {"done": True}
    if name not in ACTS:
        raise Refusal(404, 20404, f"no such act: {name}")
    account = request.app[access.DESK].accounts[how.pop("account")]
    number = account.numbers[how.pop("number")]
    if how.get("at"):
        how["at"] = datetime.fromisoformat(how["at"])
    made = ACTS[name](account, number, how.pop("theirs"), **how)  # type: ignore[operator]  # each takes what its order says
    return {"sid": made.sid, "status": made.status}
