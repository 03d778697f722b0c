"""What Amazon itself writes to a seller: copies, refusals, dossiers, news. HTML alone, mostly."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors.amazon.sandbox.composing import Content

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from connectors.amazon.sandbox.author import Author
    from connectors.amazon.sandbox.cases import Case, Order
    from connectors.amazon.sandbox.composing import Kind, Letter

NOTICES = "donotreply@amazon.com"
OPT_OUTS = "auto-communication@amazon.com"
RULE = "-" * 13
AMOUNT = "24.90"
WITHIN_48_HOURS = "You must respond within 48 hours."
"""What a claim says on the Australian pages, which give less time than the American ones."""


def copy(author: Author, case: Case, words: str, at: datetime, *, in_one_line: bool) -> Letter:
    """The copy of an answer: it names the buyer, and the order where there is one; no case."""
    subject, text, opens, closes = author.words.copy
    told = text.format(name=case.buyer.name, shop=author.shop)
    order = f"# {case.order.id}: " if case.order else ""
    begin, end = (f"{RULE} {line} {RULE}" for line in (opens, closes))
    shown = escape(words).replace("\n", "<br>")
    html = (
        f"<div>{escape(told)} {order}{begin} {shown} {end} "
        if in_one_line
        else f"<table><tr><td><p>{escape(told)}</p><p>{order}</p><p>{begin}</p>"
        f"<blockquote>{shown}</blockquote><p>{end}</p>"
    )
    close = f"[commMgrTok:{author.token()}]" + ("</div>" if in_one_line else "</td></tr></table>")
    content = Content(html=f"<html><body>{html}{close}</body></html>")
    name = f"Amazon.{author.place.tld}"
    return author.letter("copy", (name, NOTICES), subject.format(name=case.buyer.name), content, at)


def opt_out(author: Author, case: Case, sent_at: datetime, at: datetime) -> Letter:
    """That the buyer wants no unsolicited mail: what was sent to him was not delivered.

    It names him, and the order where there is one; his alias stands in a link, without the case.
    """
    subject, text, order, hint = author.words.opt_out
    about = order.format(order=case.order.id) if case.order else ""
    told = text.format(name=case.buyer.name, date=f"{sent_at:%Y-%m-%d}", order=about)
    link = f'<a href="mailto:{case.bare}?subject={quote(author.words.marker)}">'
    advice = (
        escape(hint).format(marker=author.words.marker, link=link).replace("&lt;/a&gt;", "</a>")
    )
    content = Content(html=_page(author, "", told, [f"{_greeting(author)} {escape(told)}", advice]))
    sender = (f"Amazon.{author.place.tld}", OPT_OUTS)
    return author.letter("opt_out", sender, subject, content, at)


def unapproved(author: Author, sender: str, answered: str, at: datetime) -> Letter:
    """That a letter came from an address that is not approved; its wording was never seen."""
    subject, text = author.words.unapproved
    content = Content(html=_page(author, "", "", [escape(text.format(sender=sender))]))
    told = (f"Amazon.{author.place.tld}", f"no-reply@{author.place.relay}")
    named = {"In-Reply-To": f"<{answered}>", "References": f"<{answered}>"}
    return author.letter("unapproved", told, subject, content, at, named)


def cancellation(author: Author, order: Order, at: datetime) -> Letter:
    """A buyer asks to cancel an order that may not have been shipped yet."""
    subject, text, asked = author.words.cancellation
    page = f"https://{author.place.seller_central}/orders-v3/order/{order.id}/cancel-order"
    link = f'<a href="{page}">{order.id}</a>'
    lines = [f"{_greeting(author)} {escape(text)}", f"{escape(asked)} {link}."]
    return _notice(author, "cancellation", subject.format(order=order.id), lines, at)


def returned(author: Author, order: Order, at: datetime, *, by_amazon: bool) -> Letter:
    """A buyer asks to send something back; *by_amazon*: Amazon has authorised it already."""
    subject, text, asked, authorisation, settled, pending, why = author.words.returned
    rows = [
        ("Order ID:", order.id),
        (asked, f"{at:%Y-%m-%d}"),
        (authorisation, settled if by_amazon else pending),
    ]
    told = "".join(f"<li><b>\t{escape(name)}\n</b> {escape(value)}</li>" for name, value in rows)
    cells = (order.title, order.asin, "SKU-1", "1", why, "It does not fit")
    heads = ("Item", "ASIN", "Sku", "Qty", why, "Comment")
    table = "".join(
        f"<tr>{''.join(f'<td><p>{escape(cell)}</p></td>' for cell in row)}</tr>"
        for row in (heads, cells)
    )
    lines = [escape(text), f"<ul>{told}</ul>", f"<table border=1>{table}</table>"]
    return _notice(author, "return", subject.format(order=order.id), lines, at)


def refund(author: Author, order: Order, at: datetime) -> Letter:
    """The buyer got money back."""
    subject, text = author.words.refund
    told = escape(text.format(amount=AMOUNT, name=order.buyer.name))
    rows = f"<ul><li><b>Order ID:</b> {order.id}</li><li>{escape(order.title)}</li></ul>"
    heading = subject.format(amount=AMOUNT, order=order.id)
    more = {"List-Unsubscribe": f"<https://{author.place.seller_central}/notifications/optout>"}
    return _notice(author, "refund", heading, [f"{_greeting(author)} {told}", rows], at, more)


def claim(author: Author, order: Order, at: datetime, *, says_until: bool = True) -> Letter:
    """An A-to-z claim; *says_until*: with the sentence that says within how long to answer."""
    subject, text, nothing, sentence = author.words.claim
    if author.place.tld == "com.au":
        sentence = WITHIN_48_HOURS
    told = text.format(amount="119,00\u00a0", order=order.id)
    ending = f"{escape(nothing)} {sentence if says_until else ''}"
    lines = [f"{_greeting(author)}<br><br>{escape(told)}", ending, f"Amazon.{author.place.tld}"]
    return _guarantee(author, "claim", subject.format(order=order.id), lines, at)


def decision(author: Author, order: Order, at: datetime) -> Letter:
    """The claim was decided. What a seller may do then (appeal) is no deadline."""
    subject, text = author.words.decision
    lines = [f"{_greeting(author)} {escape(text.format(order=order.id))}"]
    return _guarantee(author, "decision", subject.format(order=order.id), lines, at)


def chargeback(author: Author, order: Order, at: datetime, *, says_until: bool = True) -> Letter:
    """The buyer's bank disputes the payment."""
    subject, text, sentence = author.words.chargeback
    told = escape(text.format(order=order.id))
    lines = [f"{_greeting(author)} {told} {sentence if says_until else ''}"]
    return _notice(author, "chargeback", subject.format(order=order.id), lines, at)


def unknown(author: Author, at: datetime, order: Order | None = None) -> Letter:
    """A letter of a type that nobody has seen yet."""
    about = f" {order.id}" if order else ""
    lines = [f"{_greeting(author)} there is news for sellers{about}."]
    return _notice(author, "unknown", f"News for sellers{about}", lines, at)


def _greeting(author: Author) -> str:
    return f"{escape(author.shop)},"


def _notice(
    author: Author,
    kind: Kind,
    subject: str,
    lines: Iterable[str],
    at: datetime,
    more: dict[str, str] | None = None,
) -> Letter:
    content = Content(html=_page(author, kind, subject, lines))
    sender = ("Amazon Seller Central", NOTICES)
    return author.letter(kind, sender, subject, content, at, more)


def _guarantee(
    author: Author, kind: Kind, subject: str, lines: Iterable[str], at: datetime
) -> Letter:
    sender = ("Amazon A-to-z Guarantee", f"atoz-guarantee-no-reply@amazon.{author.place.tld}")
    return author.letter(kind, sender, subject, Content(html=_page(author, kind, "", lines)), at)


def _page(author: Author, kind: Kind | str, preview: str, lines: Iterable[str]) -> str:
    """A page as Amazon's: a hidden preview, the lines in a table, links with tokens, a mark."""
    host = author.place.seller_central
    told = "<br><br>".join(lines)
    link = f"https://{host}/nms/redirect/{author.uuid()}?nt={kind}&sk={author.token(40)}&n=1"
    return (
        "<!DOCTYPE html><html><head><style>p{text-align:left}</style></head><body>"
        f'<div style="display:none;max-height:0px">{escape(preview)}</div>'
        f"<table><tbody><tr><td>{told}</td></tr></tbody></table>"
        f'<p><a href="{escape(link)}">Seller Central</a></p>'
        f'<div id="spc-watermark"><p>{author.watermark()}</p></div></body></html>'
    )
