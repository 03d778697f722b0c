"""What happens at Chatwoot, to order by HTTP: `POST /_sandbox/acts/<act>`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from connectors.webstore.chatwoot.sandbox import access, conversations_api
from connectors.webstore.chatwoot.sandbox.access import Refusal
from connectors.webstore.chatwoot.sandbox.chats import Bot, Chat, Message
from connectors.webstore.chatwoot.sandbox.desk import Account, Habits
from core.sandbox import acts, control

if TYPE_CHECKING:
    from connectors.webstore.chatwoot.sandbox.deliveries import Deliveries

DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")

OF_CHAT = (
    "contact_writes", "agent_writes", "automation_writes", "template_writes", "set_status",
)  # fmt: skip


def routes() -> list[web.RouteDef]:
    """Orders, and what is there."""
    return [
        web.get(f"{control.PREFIX}/", index),
        web.get(f"{control.PREFIX}/conversations", conversations),
        web.get(f"{control.PREFIX}/replies", replies),
        acts.pushes(DELIVERIES),
        web.post(f"{control.PREFIX}/acts/{{act}}", act),
    ]


async def act(request: web.Request) -> web.Response:
    """Do it: the JSON names `account` and, for most, `conversation`, and what the act takes."""
    try:
        how = json.loads(await request.read() or b"{}")
        done = _do(request, request.match_info["act"], how)
    except Refusal as refusal:
        return control.answer({"message": str(refusal)}, refusal.status)
    except (ValueError, TypeError, AttributeError, LookupError) as wrong:
        return control.refuse(f"{type(wrong).__name__}: {wrong}")
    return control.answer(_shown(done), 201)


async def index(request: web.Request) -> web.Response:
    """Accounts, inboxes, how many wait; no tokens and no secrets."""
    accounts = request.app[access.DESK].accounts.values()
    return control.answer([_summary(one) for one in accounts])


async def conversations(request: web.Request) -> web.Response:
    """Every conversation in short, without its text."""
    accounts = request.app[access.DESK].accounts.values()
    return control.answer([_shown(chat) for one in accounts for chat in one.chats.values()])


async def replies(request: web.Request) -> web.Response:
    """The messages that came by the API."""
    return control.answer([asdict(one) for one in request.app[conversations_api.REPLIES]])


def _do(request: web.Request, name: str, how: dict[str, Any]) -> Any:
    desk = request.app[access.DESK]
    if name == "habits":
        how.pop("account", None)
        for key, value in how.items():
            if key not in Habits.__dataclass_fields__ or key == "waits":
                raise Refusal(400, f"no such habit: {key}")
            setattr(desk.habits, key, value)
        return None
    if name == "hold":
        request.app[DELIVERIES].is_held = bool(how.get("held", True))
        return None
    account = _found(desk.accounts, how.pop("account", None), "account")
    if how.get("at"):
        how["at"] = datetime.fromisoformat(how["at"])
    if name == "open_chat":
        return account.open_chat(**how)
    chat = _found(account.chats, how.pop("conversation", None), "conversation")
    return _in_chat(account, chat, name, how)


def _in_chat(account: Account, chat: Chat, name: str, how: dict[str, Any]) -> Any:
    if name == "forget":
        return account.forget(chat.id)
    if name == "bot_writes":
        bot = Bot(account.desk.number(), "Robot", how.pop("type", "AgentBot"))
        return chat.bot_writes(bot=bot, **how)
    if name == "fail":
        return chat.fail(chat.messages[-1])
    if name == "can_reply":
        chat.can_reply = bool(how["can_reply"])
        return chat
    if name not in OF_CHAT:
        raise Refusal(404, f"no such act: {name}")
    return getattr(chat, name)(**how)


def _found(known: dict[int, Any], name: Any, what: str) -> Any:
    if name not in known:
        raise Refusal(404, f"no such {what}: {name}")
    return known[name]


def _summary(account: Account) -> dict[str, Any]:
    return {
        "account": account.id,
        "inboxes": [{"id": one.id, "name": one.name} for one in account.inboxes.values()],
        "conversations": len(account.chats),
        "waiting": sum(chat.is_waiting() for chat in account.chats.values()),
        "webhooks": [one.url for one in account.webhooks.values()],
        "habits": {**asdict(account.desk.habits), "waits": account.desk.habits.waits.seconds},
    }


def _shown(done: Any) -> dict[str, Any]:
    if isinstance(done, Message):
        return {"message": done.id, "conversation": done.chat.id}
    if isinstance(done, Chat):
        return {
            "account": done.account.id,
            "conversation": done.id,
            "inbox": done.inbox.id,
            "status": done.status,
            "messages": len(done.messages),
            "waiting": done.is_waiting(),
        }
    return {"done": True}
