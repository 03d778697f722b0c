"""M12: the shop answers by the API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from connectors.mirakl.sandbox import access, threads_api
from connectors.mirakl.sandbox.access import Refusal
from connectors.mirakl.sandbox.inbox import Attachment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.mirakl.sandbox.inbox import Message, Participant, Thread
    from connectors.mirakl.sandbox.market import Operator

SHORTEST, LONGEST = 3, 50_000
MAX_MESSAGES = 1000
MAX_ATTACHMENTS = 50
MAX_BYTES = 30 * 1024 * 1024
TOPIC_TYPES = ("FREE_TEXT", "REASON_CODE")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that came by the API, for a test or a person to look at."""

    at: datetime
    operator: str
    shop: int
    thread: str
    message: str
    body: str
    to: tuple[str, ...]
    attachments: tuple[str, ...]


REPLIES: web.AppKey[list[Reply]] = web.AppKey("replies", list)


async def m12(request: web.Request) -> web.Response:
    """Add the shop's message to a thread."""
    shop = access.shop_of(request)
    thread = threads_api.thread_of(request, shop)
    if request.content_type != "multipart/form-data":
        raise Refusal(415, "Unsupported Media Type: multipart/form-data is required")
    try:
        said, files = await _parts(request, shop.operator)
    except ValueError:
        raise Refusal(400, "the multipart body cannot be read") from None
    text, to = _body(said), _recipients(said, thread)
    topic = _topic(said)
    _room(thread, files)
    attachments = [Attachment(shop.operator.new_id(), name, content) for name, content in files]
    message = thread.add("SHOP_USER", "API user", text, to, attachments)
    if topic:
        thread.change_topic(topic[1], kind=topic[0])
    request.app[REPLIES].append(_reply(thread, message))
    return access.reply({"message_id": message.id, "thread_id": thread.id}, 201)


async def _parts(
    request: web.Request, operator: Operator
) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    """`message_input` and the `files`; what is beyond the limit is read and thrown away."""
    said: dict[str, Any] | None = None
    files: list[tuple[str, bytes]] = []
    total = 0
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytearray()
        while chunk := await part.read_chunk(65536):
            total += len(chunk)
            content += chunk if total <= MAX_BYTES else b""
        if part.name == "message_input":
            said = _input(part, bytes(content), operator)
        elif part.name == "files":
            files.append((part.filename or "file", bytes(content)))
    if total > MAX_BYTES:
        raise Refusal(413, "The message is larger than 30 MB")
    if said is None:
        raise Refusal(400, "message_input is required")
    return said, files


def _input(part: BodyPartReader, content: bytes, operator: Operator) -> dict[str, Any]:
    kind = part.headers.get("Content-Type", "").partition(";")[0].strip()
    if operator.habits.typed_part and kind != "application/json":
        raise Refusal(415, "message_input must be application/json")
    try:
        said = json.loads(content)
    except ValueError:
        raise Refusal(400, "message_input is not JSON") from None
    if not isinstance(said, dict):
        raise Refusal(400, "message_input must be an object")
    return said


def _body(said: dict[str, Any]) -> str:
    text = said.get("body")
    if not isinstance(text, str) or not SHORTEST <= len(text) <= LONGEST:
        raise Refusal(400, f"body must have {SHORTEST} to {LONGEST} characters")
    return text


def _recipients(said: dict[str, Any], thread: Thread) -> list[Participant]:
    """The participants in `to`: objects of type and id, never the shop itself."""
    wanted = said.get("to")
    if not isinstance(wanted, list) or not wanted:
        raise Refusal(400, "to is required")
    return [_recipient(one, thread) for one in wanted]


def _recipient(wanted: Any, thread: Thread) -> Participant:
    if not isinstance(wanted, dict):
        raise Refusal(400, "to must hold objects of type and id")
    for someone in thread.authorized:
        same = someone.type == wanted.get("type") and someone.id == wanted.get("id")
        if same and someone.type != "SHOP":
            return someone
    raise Refusal(400, "to holds somebody who does not take part in this thread")


def _topic(said: dict[str, Any]) -> tuple[str, str] | None:
    topic = said.get("topic")
    if topic is None:
        return None
    if not isinstance(topic, dict) or topic.get("type") not in TOPIC_TYPES:
        raise Refusal(400, "topic must have a type, FREE_TEXT or REASON_CODE, and a value")
    return topic["type"], str(topic.get("value", ""))


def _room(thread: Thread, files: list[tuple[str, bytes]]) -> None:
    if len(thread.messages) >= MAX_MESSAGES:
        raise Refusal(400, f"The thread already holds {MAX_MESSAGES} messages")
    if files and _held(thread) + len(files) > MAX_ATTACHMENTS:
        raise Refusal(400, f"No more than {MAX_ATTACHMENTS} attachments for one entity")


def _held(thread: Thread) -> int:
    """Attachments in all threads about the same entities."""
    about: Iterable[Thread] = thread.shop.operator.threads.values()
    threads = [one for one in about if set(one.entities) & set(thread.entities)]
    return sum(len(message.attachments) for one in threads for message in one.messages)


def _reply(thread: Thread, message: Message) -> Reply:
    return Reply(
        message.at,
        thread.shop.operator.name,
        thread.shop.id,
        thread.id,
        message.id,
        message.body,
        tuple(someone.type for someone in message.to),
        tuple(file.name for file in message.attachments),
    )
