"""The Message API: five calls, and everything that is wrong with one."""

from __future__ import annotations

import json
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any, Literal, cast, get_args
from urllib.parse import urlencode

from aiohttp import web

from connectors.ebay.sandbox import access, payload, writing
from connectors.ebay.sandbox.access import Refusal
from connectors.ebay.sandbox.conversations import Status, Type, Wanted, Which

if TYPE_CHECKING:
    from connectors.ebay.sandbox.conversations import Conversation
    from connectors.ebay.sandbox.market import Market, Seller

BASE = "/commerce/message/v1"
MOST, USUAL, MOST_AT_ONCE = 50, 25, 10


def routes(host: str) -> list[web.RouteDef]:
    """All of it is on ``api``."""
    if host != "api":
        return []
    return [
        web.get(f"{BASE}/conversation", listed, name="getConversations"),
        web.get(f"{BASE}/conversation/{{conversation}}", detail, name="getConversation"),
        web.post(f"{BASE}/send_message", send, name="sendMessage"),
        web.post(f"{BASE}/update_conversation", update, name="updateConversation"),
        web.post(f"{BASE}/bulk_update_conversation", bulk, name="bulkUpdateConversation"),
    ]


async def listed(request: web.Request) -> web.Response:
    """Conversations, the one with the newest message first.

    Parameters that are unknown (``filter``, camelCase) are ignored without a word.
    """
    market, seller = request.app[access.MARKET], access.seller_of(request)
    type_ = _type(request.query.get("conversation_type"))
    wanted = _wanted(request, market, type_)
    limit, offset = _paging(request)
    if not wanted.is_narrow and market.fails(seller.mailbox.count(type_)):
        raise refused(500, 335000, "exceeded retries limit", category="APPLICATION")
    total, found = seller.mailbox.listed(type_, wanted, limit, offset)
    shown = [payload.conversation(one) for one in found]
    page = payload.page(_href(request), total, limit, offset, conversations=shown)
    return access.answered(page)


async def detail(request: web.Request) -> web.Response:
    """The messages of one conversation, newest first; whose they are is not among it."""
    market, seller = request.app[access.MARKET], access.seller_of(request)
    type_ = _type(request.query.get("conversation_type"))
    limit, offset = _paging(request)
    name = request.match_info["conversation"]
    if not name.isdigit():
        raise refused(400, 355007, "Invalid or unrecognized conversation_id value.")
    found = seller.mailbox.find(name)
    if found is None or found.type != type_:
        raise refused(404, 355000, "Invalid conversation")
    messages = found.messages[::-1]
    shown = [payload.message(one) for one in messages[offset : offset + limit]]
    if market.habits.returns_html:
        shown = [{**one, "messageBody": _as_html(one["messageBody"])} for one in shown]
    page = payload.page(_href(request), len(messages), limit, offset, messages=shown)
    return access.answered({**page, **payload.thread(found)})


async def send(request: web.Request) -> web.Response:
    """The seller writes: in a conversation, or to a member. Sent twice is written twice."""
    market, seller = request.app[access.MARKET], access.seller_of(request)
    asked = await body(request)
    text, media = writing.text(asked), writing.media(asked)
    item = writing.item(asked, market)
    conversation = _addressed(market, seller, asked, item, text)
    said = seller.mailbox.write(
        conversation, seller.member, text, market.clock(), media=media, is_read=False
    )
    return access.answered(payload.message(said, "UserName"), 201)


async def update(request: web.Request) -> web.Response:
    """Read or unread; another status only where nothing is said about that."""
    seller, asked = access.seller_of(request), await body(request)
    type_ = _type(asked.get("conversationType"))
    found = seller.mailbox.find(str(asked.get("conversationId", "")))
    if found is None or found.type != type_:
        raise refused(400, 355007, "Invalid or unrecognized conversation_id value.")
    if isinstance(asked.get("read"), bool):
        found.mark(is_read=asked["read"])
    else:
        found.status = _word(asked.get("conversationStatus"), Status, 355001)
    return web.Response(status=204)


async def bulk(request: web.Request) -> web.Response:
    """Up to ten at once: the answer is 200 whatever becomes of each."""
    market, seller = request.app[access.MARKET], access.seller_of(request)
    items = (await body(request)).get("conversations") or []
    if len(items) > MOST_AT_ONCE:
        raise refused(
            400,
            355019,
            "The number of conversations for batch update exceeds the limit,"
            f" a maximum of {MOST_AT_ONCE} conversations is allowed per request.",
        )
    wanted = [
        (
            str(one.get("conversationId", "")),
            _type(one.get("conversationType")),
            _word(one.get("conversationStatus"), Which, 355001),
        )
        for one in items
    ]
    done = [(name, _set(seller, name, type_, status)) for name, type_, status in wanted]
    words = {True: market.habits.success_word, False: "FAILURE"}
    metadata = {
        "totalConversationsCount": len(done),
        "updateSuccessCount": sum(is_done for _, is_done in done),
        "updateFailureCount": sum(not is_done for _, is_done in done),
    }
    shown = [{"conversationId": n, "updateStatus": words[is_done]} for n, is_done in done]
    return access.answered({"conversationsMetadata": metadata, "conversationsResponse": shown})


def refused(
    status: int, number: int, message: str, category: str = "REQUEST", **parameters: str
) -> Refusal:
    """An error of this API."""
    return Refusal(
        status, number, message, domain="API_MESSAGE", category=category, parameters=parameters
    )


async def body(request: web.Request) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises:
        Refusal: it is none.
    """
    try:
        asked = json.loads(await request.read())
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or request.content_type != "application/json":
        raise refused(400, 355015, "The request has no JSON body.")
    return asked


def _set(seller: Seller, name: str, type_: Type, status: Which) -> bool:
    found = seller.mailbox.find(name)
    if found is None or found.type != type_ or name in seller.mailbox.stuck:
        return False
    if status == "READ":
        found.mark(is_read=True)
    elif status == "UNREAD":
        found.mark(is_read=False)
    else:
        found.status = status
    return True


def _addressed(
    market: Market, seller: Seller, asked: dict[str, Any], item: str, text: str
) -> Conversation:
    """The conversation that a message goes into, a new one where there is none yet."""
    name, other = asked.get("conversationId"), asked.get("otherPartyUsername")
    if not name and not other:
        raise refused(400, 355018, "conversationId and otherPartyUsername cannot both be empty.")
    if name:
        found = seller.mailbox.find(str(name))
        if found is None or found.type != "FROM_MEMBERS":
            raise refused(400, 355007, "Invalid or unrecognized conversation_id value.")
        return found
    member = market.member(str(other))
    if member is None or member is seller.member:
        raise refused(400, 355006, "Invalid or unrecognized otherPartyUsername value.")
    known = seller.mailbox.between(member, item)
    return known or seller.mailbox.open(member, text[:60], market.clock(), item=item)


def _type(given: Any) -> Type:
    if not given:
        raise refused(
            400, 355017, "The required conversation_type query parameter is either missing or has"
            " an invalid value."
        )  # fmt: skip
    return cast("Type", _word(given, Type, 355002))


WORDS = {
    355001: "conversation_status",
    355002: "conversation_type",
    355003: "reference_type",
}


def _word(given: Any, words: Any, number: int) -> Any:
    if given not in get_args(words):
        raise refused(400, number, f"Invalid {WORDS[number]} value.", value=str(given))
    return given


def _wanted(request: web.Request, market: Market, type_: Type) -> Wanted:
    query = request.query
    since, until = _instant(query.get("start_time")), _instant(query.get("end_time"))
    if since and until and since >= until:
        raise refused(400, 355004, "The start_time must be an earlier date than end_time.")
    other = None
    if name := query.get("other_party_username"):
        other = market.member(name)
        if other is None:
            raise refused(400, 355006, "Invalid or unrecognized other_party_username value.")
    status = query.get("conversation_status")
    has_window = type_ == "FROM_MEMBERS"
    return Wanted(
        since=since if has_window else None,
        until=until if has_window else None,
        other=other,
        item=_reference(query.get("reference_type"), query.get("reference_id")),
        status=cast("Which", _word(status, Which, 355001)) if status else None,
    )


def _reference(kind: str | None, name: str | None) -> str:
    if bool(kind) != bool(name):
        raise refused(400, 355022, "reference_type is required whenever reference_id is provided.")
    if kind:
        _word(kind, Literal["LISTING"], 355003)
    if name and not (name.isdigit() and int(name) > 0):
        raise refused(400, 355016, "Invalid reference_id. It must be a positive integer value.")
    return name or ""


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None:
        raise refused(400, 355005, "Invalid date format used for one or both date filters.")
    return at


def _paging(request: web.Request) -> tuple[int, int]:
    limit, offset = request.query.get("limit", str(USUAL)), request.query.get("offset", "0")
    if not limit.isdigit() or not 1 <= int(limit) <= MOST:
        raise refused(400, 355009, f"Invalid limit. It must not exceed {MOST}.", limit=limit)
    if not offset.isdigit() or int(offset) % int(limit):
        raise refused(
            400, 355008, "Invalid offset. It must be synchronized with the limit.", offset=offset
        )
    return int(limit), int(offset)


def _href(request: web.Request) -> str:
    kept = [(k, v) for k, v in request.query.items() if k not in ("limit", "offset")]
    return f"{access.here(request)}{request.path}?{urlencode(kept)}"


def _as_html(text: str) -> str:
    """What somebody wrote, as eBay gives it back where it keeps HTML."""
    return text if "<" in text else escape(text, quote=False).replace("\n", "<br />")
