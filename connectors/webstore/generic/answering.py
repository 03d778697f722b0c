"""An answer, as the store's API takes it or as a letter: the table ``reply``. Pure.

What is put into a template is data: a JSON text stays one, a part of an address is quoted.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field

from connectors.webstore import letters
from connectors.webstore.generic.asking import Header, address
from connectors.webstore.generic.paths import Path, find
from core.errors import BadPayload, Refused, Unfit
from core.model import MAX_ID
from core.options import Part, SecureUrl
from core.payload import NUL_FREE
from core.said import phrase
from core.transport import answers, replies, subjects
from sla.policy import Party

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from connectors.webstore.outbox import Mail
    from core.model import Draft, Thread
    from core.transport.answers import Answer
    from core.transport.outgoing import Outgoing

PLACE = re.compile(r"\{([a-z_]+)\}")
TEXT, THREAD, NUMBER, KEY = "text", "thread", "thread_number", "key"
ORDER, MAIL, SUBJECT = "order", "mail", "subject"
PLACES = frozenset({TEXT, THREAD, NUMBER, KEY, ORDER, MAIL, SUBJECT})
"""What a template may name: our words, the thread's id as text or as a number, a key that is the
same for the same answer, and the thread's first order, mail address and subject."""

WAY, BY_API, BY_MAIL = "way", "api", "mail"
"""How a thread's ``reply_to`` says which way answers go; nothing there: no way."""

NO_ADDRESS = phrase("this conversation names no mail address; answer in the store itself")
MOST_DIGITS = 18


def _names(template: str) -> str:
    """A template whose places are known.

    Raises:
        Unfit: one is not.
    """
    unknown = set(PLACE.findall(template)) - PLACES
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in sorted(PLACES))
        raise Unfit(f"names a place that is none; the places are {known}")
    return template


def _url(template: str) -> str:
    """An address with places in its path or query alone.

    Raises:
        Unfit: there is one before.
    """
    if "{" in (urlsplit(template).netloc):
        raise Unfit("has a place in the name of the host; write the host itself")
    return address(_names(template))


def _body(body: dict[str, Any]) -> dict[str, Any]:
    """A body that says our words.

    Raises:
        Unfit: it does not, or names a place that is none.
    """
    found = [_names(each) for each in _texts(body)]
    if not any(f"{{{TEXT}}}" in each for each in found):
        raise Unfit('never says {text}; write like body = { message = "{text}" }')
    return body


class Reply(Part):
    """The table ``reply``: by which call the store delivers an answer to the buyer.

    *url* and *body* are templates, *body* what is sent as JSON, *headers* go along with ``auth``.
    *id* is where the answer tells the id of the message that it became. *longest* is how many
    characters it takes, where that is known.
    """

    url: Annotated[SecureUrl, AfterValidator(_url)]
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    body: Annotated[dict[str, Any], AfterValidator(_body)]
    headers: dict[Header, Annotated[str, AfterValidator(_names)]] = Field(default_factory=dict)
    id: Path | None = None
    longest: int | None = Field(default=None, ge=1)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def refuses(thread: Thread, to: Collection[Party]) -> str | None:
    """Why *to* certainly cannot be answered in *thread* as it is stored."""
    if frozenset(to) != {Party.BUYER}:
        return phrase("at this store there is nobody to answer but the buyer")
    if thread.reply_to.get(WAY) == BY_MAIL and not thread.reply_to.get("mail"):
        return NO_ADDRESS
    return None


def check(thread: Thread, draft: Draft, longest: int | None) -> None:
    """Refuse what cannot be sent, before anything leaves.

    Raises:
        Refused: it says why.
    """
    if why := refuses(thread, draft.to):
        raise Refused(why, detail="recipient")
    if not draft.body or (longest is not None and len(draft.body) > longest):
        raise Refused(f"an answer has 1 to {longest or 'many'} characters", detail="length")


def filled(reply: Reply, thread: Thread, draft: Draft) -> tuple[str, dict[str, str], bytes]:
    """Address, headers and body of the call that sends *draft*.

    Raises:
        Refused: the thread lacks what a template names, or the answer cannot be sent.
    """
    check(thread, draft, reply.longest)
    if draft.files:
        raise Refused("this store's API takes no files; send the words alone", detail="files")
    places = _places(thread, draft)
    url = PLACE.sub(lambda found: quote(_place(places, found[1]), safe=""), reply.url)
    headers = {name: _filled(one, places, "header") for name, one in reply.headers.items()}
    return url, headers, json.dumps(_filled_body(reply.body, places)).encode()


def _places(thread: Thread, draft: Draft) -> dict[str, str]:
    return {
        TEXT: draft.body,
        THREAD: thread.id,
        NUMBER: thread.id,
        KEY: replies.message_id(draft, "x@replyby").partition("@")[0],
        ORDER: next(iter(thread.order_ids), ""),
        MAIL: thread.reply_to.get("mail", ""),
        SUBJECT: thread.subject or "",
    }


def _place(places: Mapping[str, str], name: str) -> str:
    told = places[name]
    if not told and name != SUBJECT:
        raise Refused(f"this conversation has no {name}, which the store asks for", detail="place")
    return told


def _filled(template: str, places: Mapping[str, str], where: str = "body") -> str:
    told = PLACE.sub(lambda found: _place(places, found[1]), template)
    if where == "header" and not (told.isascii() and told.isprintable()):
        raise Refused("what a header would say cannot stand in one", detail="header")
    return told


def _filled_body(value: Any, places: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled_body(inner, places) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled_body(inner, places) for inner in value]
    if value == f"{{{NUMBER}}}":
        return _number(_place(places, NUMBER))
    return _filled(value, places) if isinstance(value, str) else value


def _number(told: str) -> int:
    if not (told.isascii() and told.isdigit() and len(told) <= MOST_DIGITS):
        raise Refused("this conversation's id is no number, and the store asks for one",
                      detail="place")  # fmt: skip
    return int(told)


def sent_id(reply: Reply, answer: Answer) -> str | None:
    """The id of the message that an accepted answer became, where the store tells it."""
    try:
        found = find(reply.id, answers.decoded(answer, "reply"))
    except BadPayload:
        return None
    return as_id(found)


def as_id(value: object) -> str | None:
    """*value* as an id that core can keep; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        text = str(value)
        text.encode()
    except (ValueError, UnicodeEncodeError):
        return None
    return text if len(text) <= MAX_ID and re.match(NUL_FREE, text) else None


def letter(thread: Thread, draft: Draft, mail: Mail, now: datetime) -> Outgoing:
    """The letter that *draft* is, with the buyer's words below it.

    Raises:
        Refused: it would go to nobody, or cannot be sent.
    """
    letters.check(draft, refuses(thread, draft.to) or _unreachable(thread))
    subject = subjects.answering((thread.subject or "").strip() or f"#{thread.id}")
    return letters.letter(thread, draft, mail, subject, now)


def _unreachable(thread: Thread) -> str | None:
    """Why no letter reaches anybody, whatever way answers went when the thread was read."""
    return None if thread.reply_to.get("mail") else NO_ADDRESS
