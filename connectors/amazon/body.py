"""What the buyer wrote, out of the wrapper that Amazon puts around it. Pure.

The wrapper is in the seller's language and the words are in the buyer's: so the shape counts, never
a language (trap 6). What stands outside the block holds tokens and a signed link: it is cut before
anybody sees, searches or sends it on (trap 7), and no link is ever followed (trap 8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from connectors.amazon import addresses
from connectors.amazon.marketplaces import SELLER_CENTRALS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import SplitResult

    from core.transport.mime import Mail

MOST = 200_000
"""Characters that are looked at: no wrapper is longer, and what a buyer types is far shorter."""

_DASHED = re.compile(
    r"^[ \t>|]*+-{5,}+[ \t]*+(?=[^\s-])[^\n]{1,80}?(?<=[^\s-])[ \t]*+-{5,}+[ \t]*+$", re.MULTILINE
)
# HTML alone, as text, may lose the lines.
_INLINE = re.compile(r"(?<!-)-{5,}+\s{0,20}[^\W\d_][^\n-]{0,60}?\s{0,20}-{5,}+")
_PRE = re.compile(r"<pre\b[^<>]{0,2000}>", re.IGNORECASE)
_PRE_ENDS = re.compile(r"</pre", re.IGNORECASE)
_BREAK = re.compile(r"<br\s{0,20}/?>|</p\s{0,20}>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,2000}>")

_ORDER = re.compile(r"(?<![\w-])\d{3}-\d{7}-\d{7}(?![\w-])", re.ASCII)
_ORDER_LINE = re.compile(r"^[ \t]*+#[ \t]*+(\d{3}-\d{7}-\d{7})(?![\w-])", re.MULTILINE | re.ASCII)
_ASIN = re.compile(r"\bASIN\W{0,3}([A-Z0-9]{10})\b", re.ASCII)
# A link ends where another begins: what stands before Amazon's must not hide that it is one.
_URL = re.compile(r"https?://(?:[^\s<>\"'\[\]()h]|h(?!ttps?://)){1,2000}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Tokens and watermarks: what follows the first of them is Amazon's, not the writer's.
_FOOTER = re.compile(
    r"\[commMgrTok:|\bSPC-[A-Z]{2,4}Amazon-\d|https?://(?:[^\sh]|h(?!ttps?://)){1,500}?"
    r"(?:customAttribute1Value=|/no-response-needed[.?]|/messaging/inbox\?)",
    re.IGNORECASE,
)
_NO_REPLY = frozenset(
    {"/messaging/no-response-needed", "/gp/communication-manager/no-response-needed.html"}
)

# Mails that Amazon's customer service writes for a buyer: labels in the seller's language.
_FORM = {
    "order": "Order|Bestellung|Commande|Ordine|Pedido|Bestelling|注文番号|注文",
    "item": "Item|ASIN|Artikel|Article|Articolo|Artículo|Produto|商品",
    "reason": "Reason|Grund|Motif|Motivo|Reden|理由",
    "details": "Details?|Détails|Dettagli|Detalles|Detalhes|詳細",
}
_LABEL = re.compile(
    "|".join(
        rf"(?P<{name}>^[ \t]*+(?:{labels})[ \t]*+(?:#[ \t]*+[:\uff1a]?|[:\uff1a]|$))"
        for name, labels in _FORM.items()
    ),
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says, without its wrapper.

    *text* is safe to show; *is_wrapped* says that it stood in a block, so that Amazon relayed it.
    *order_ids* stand in the order in which they count; *case* is the uuid of the footer's link.
    *no_reply_link* marks the message as "no response needed" for whoever opens it: a button for an
    agent, in no text, log or repr, and never fetched.
    """

    text: str
    is_wrapped: bool
    order_ids: tuple[str, ...] = ()
    asins: tuple[str, ...] = ()
    case: str | None = None
    no_reply_link: SecretStr | None = field(default=None, repr=False)


class _Found(NamedTuple):
    """The words, what stands before them, and what after."""

    words: str
    before: str
    after: str = ""


def read(mail: Mail) -> Words:
    """The words of *mail*, and what its wrapper tells."""
    text = mail.text[:MOST].replace("\r\n", "\n")
    html = (mail.html or "")[:MOST]
    found = _between(text, _DASHED) or _in_pre(html, text) or _form(text) or _between(text, _INLINE)
    shown = found or _unwrapped(text)
    links = tuple(_links(shown.after)) if found else ()
    words = _URL.sub(_unsigned, shown.words) if found else without_tokens(shown.words)
    return Words(
        text=_unquoted(words.strip()),
        is_wrapped=found is not None,
        order_ids=order_ids(mail.subject, shown.before),
        asins=tuple(dict.fromkeys(_ASIN.findall(shown.before))),
        case=next((case for link in links if (case := _case(link))), None),
        no_reply_link=next((SecretStr(link) for link in links if _is_no_reply(link)), None),
    )


def _unquoted(words: str) -> str:
    """*words* without marks of quotation where all of them are quoted, as in some copies."""
    lines = words.splitlines()
    if not all(line.startswith(">") or not line.strip() for line in lines):
        return words
    return "\n".join(line.removeprefix(">").removeprefix(" ") for line in lines).strip()


def order_ids(subject: str, text: str) -> tuple[str, ...]:
    """The orders that a letter is about: its subject's, then the ``#`` line's, then others.

    Whole numbers of the 3-7-7 form only: no part of a longer one, no phone number (trap 9).
    """
    found = (*_ORDER.findall(subject), *_ORDER_LINE.findall(text), *_ORDER.findall(text))
    return tuple(dict.fromkeys(found))


def without_tokens(text: str) -> str:
    """*text* from its begin to the footer, Amazon's links without what signs them (trap 7)."""
    end = _FOOTER.search(text)
    return _URL.sub(_unsigned, text[: end.start()] if end else text)


def _unsigned(link: re.Match[str]) -> str:
    parts = _parts(link[0])
    if parts is None or not addresses.owns((parts.hostname or "").lower()):
        return link[0]
    return re.split(r"[?#]", link[0], maxsplit=1)[0]


def _between(text: str, shape: re.Pattern[str]) -> _Found | None:
    """What stands between two dashed lines: the first opens, the next one closes.

    The footer begins after the last of them, so that no line of the buyer's opens it.
    """
    lines = list(shape.finditer(text))
    if len(lines) < 2:
        return None
    opens, closes = lines[0], lines[1]
    return _Found(
        text[opens.end() : closes.start()], text[: opens.start()], text[lines[-1].end() :]
    )


def _in_pre(html: str, text: str) -> _Found | None:
    """The buyer's words in the HTML: in the one ``<pre>``, in every language."""
    opens = _PRE.search(html)
    if opens is None:
        return None
    ends = list(_PRE_ENDS.finditer(html, opens.end()))
    if not ends:
        return None
    words = _TAG.sub("", _BREAK.sub("\n", html[opens.end() : ends[0].start()]))
    after = unescape(html[ends[-1].end() :])
    return _Found(unescape(words), _head(text, html[: opens.start()]), after)


def _head(text: str, html: str) -> str:
    """What stands before the words, without tags; the order's line also from the text."""
    told = unescape(_TAG.sub(" ", _BREAK.sub("\n", html)))
    return "\n".join([told, *(match[0] for match in _ORDER_LINE.finditer(text))])


def _form(text: str) -> _Found | None:
    """The form of Amazon's customer service: from the reason or the details to the footer."""
    labels = list(_LABEL.finditer(text))
    names = [label.lastgroup for label in labels]
    if "order" not in names or not {"reason", "details"} & set(names):
        return None
    first = next(one for one in labels if one.lastgroup in {"reason", "details"})
    end = _FOOTER.search(text, first.start())
    stop = end.start() if end else len(text)
    return _Found(text[first.start() : stop], text[: first.start()], text[stop:])


def _unwrapped(text: str) -> _Found:
    return _Found(text, text)


def _links(text: str) -> Iterable[str]:
    """The links to Seller Central itself in *text*: https, a host of the table, nothing else."""
    for found in _URL.finditer(text):
        link = found[0].rstrip(".,;:!?")
        if (parts := _parts(link)) and parts.scheme == "https" and parts.netloc in SELLER_CENTRALS:
            yield link


def _parts(link: str) -> SplitResult | None:
    try:
        return urlsplit(link)
    except ValueError:
        return None


def _is_no_reply(link: str) -> bool:
    parts = _parts(link)
    return parts is not None and parts.path in _NO_REPLY and bool(parts.query)


def _case(link: str) -> str | None:
    """The case that the link to the inbox names."""
    parts = _parts(link)
    if parts is None or parts.path != "/messaging/inbox":
        return None
    query = parse_qs(parts.query)
    told = [*query.get("ss", ()), *query.get("cc", ())]
    return next((one.lower() for one in told if _UUID.fullmatch(one.lower())), None)
