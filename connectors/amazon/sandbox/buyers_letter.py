"""What a buyer writes, in the wrapper that Amazon puts around it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from connectors.amazon.sandbox import wording
from connectors.amazon.sandbox.composing import Content

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.amazon.sandbox.author import Author, Shape
    from connectors.amazon.sandbox.cases import Case
    from connectors.amazon.sandbox.composing import File, Letter
    from connectors.amazon.sandbox.wording import Era

RULE = "-" * 13
UNDER = "-" * 26


@dataclass(frozen=True, slots=True)
class Style:
    """How a letter looks: the wrapper's *era*, which parts it has, whether French was misread.

    *is_automatic*: the buyer's mail program wrote it, and says so.
    """

    era: Era = "current"
    shape: Shape = "both"
    is_misread: bool = False
    is_automatic: bool = False


def written(
    author: Author,
    case: Case,
    words: str,
    at: datetime,
    style: Style,
    files: Sequence[File] = (),
) -> Letter:
    """The letter that tells the seller what the buyer wrote."""
    links = _links(author, case, style.era)
    text = None if style.shape == "html" else _text(author, case, words, links, style)
    html = None if style.shape == "text" else _html(author, case, words, links, style)
    return author.letter(
        "message",
        (_name(case, style.era), case.sender),
        case.subject,
        Content(text, html, tuple(files)),
        at,
        {"Auto-Submitted": "auto-replied"} if style.is_automatic else None,
        original_to=case.alias if case.carries == "envelope" else None,
    )


def form(author: Author, case: Case, words: str, at: datetime) -> Letter:
    """What Amazon's customer service writes for a buyer: a form in the seller's language."""
    order, item, reason, details = author.words.form
    bought = case.order
    lines = [
        f"{order} {bought.id if bought else ''}",
        f"{item} {f'{bought.title} ({bought.asin})' if bought else ''}",
        f"{reason} Other",
        f"{details} {words}",
    ]
    links = _links(author, case, "current")
    text = "\n".join([*lines, "", *_footer(author, links)])
    sender = (_name(case, "current"), case.sender)
    original_to = case.alias if case.carries == "envelope" else None
    return author.letter("form", sender, case.subject, Content(text), at, original_to=original_to)


def subject(author: Author, case: Case) -> str:
    """What Amazon heads a new case with."""
    name = case.buyer.name
    if case.order is None:
        return author.words.subject_without_order.format(name=name)
    return author.random.choice(author.words.subjects).format(name=name, order=case.order.id)


def _name(case: Case, era: Era) -> str:
    return f"{case.buyer.name} - Amazon Marketplace" if era == "current" else case.buyer.name


def _item(case: Case, era: Era) -> list[str]:
    order = case.order
    if order is None:
        return []
    if era == "older":
        return [f"Order ID {order.id}: 1 of {order.title} [ASIN: {order.asin}]", ""]
    return [f"# {order.id}:", f"1 / {order.title} [ASIN: {order.asin}]", ""]


def _frame(author: Author, style: Style) -> tuple[str, str, str]:
    """The greeting, and the lines around the words."""
    said = author.words
    told = (said.greeting, said.opening(style.era), said.closes)
    if style.is_misread:
        told = (wording.misread(told[0]), wording.misread(told[1]), wording.misread(told[2]))
    return told[0], f"{RULE} {told[1]} {RULE}", f"{RULE} {told[2]} {RULE}"


def _text(author: Author, case: Case, words: str, links: dict[str, str], style: Style) -> str:
    greeting, opens, closes = _frame(author, style)
    wrapped = [opens, "", words, "", closes]
    return "\n".join([greeting, "", *_item(case, style.era), *wrapped, "", *_footer(author, links)])


def _html(author: Author, case: Case, words: str, links: dict[str, str], style: Style) -> str:
    greeting = _frame(author, style)[0]
    item = "<br>".join(escape(line) for line in _item(case, style.era))
    footer = "".join(
        f'<p><a href="{escape(link)}">{escape(label)}</a></p>' for label, link in links.items()
    )
    return (
        "<html><head><style>td{color:#333}</style></head><body><table><tr><td>"
        f"<p>{escape(greeting)}</p><p>{item}</p><pre>{escape(words)}</pre>{footer}"
        f"<p>{escape(author.words.retained)}</p><p>[commMgrTok:{author.token()}]</p>"
        f'<div id="spc-watermark"><p>{author.watermark()}</p></div></td></tr></table></body></html>'
    )


def _footer(author: Author, links: dict[str, str]) -> list[str]:
    told = [line for label, link in links.items() for line in (f"{label} {link}", "")]
    token = f"[commMgrTok:{author.token()}]"
    return [*told, UNDER, "", author.words.retained, token, author.watermark()]


def _links(author: Author, case: Case, era: Era) -> dict[str, str]:
    """The footer's links by their labels: the survey, "no response needed", the report."""
    host, place, words = author.place.seller_central, author.place, author.words
    survey = f"https://{host}/gp/satisfaction/survey-form.html?ie=UTF8&HMDName=Notification"
    return {
        words.survey: f"{survey}&customAttribute1Value=BBC_MESSAGE_SENT_TO_MERCHANT",
        words.solve: _no_response(author, era),
        words.report: (
            f"https://{host}/messaging/inbox?fi=caseId&ss={case.id}&cc={case.id}"
            if case.carries in ("sender", "footer")
            else f"https://www.amazon.{place.tld}/messaging/{author.random.randrange(10**18)}"
            f"?marketplaceId={place.id}&ref_=bsm_email_report&report=true"
        ),
    }


def _no_response(author: Author, era: Era) -> str:
    """The signed link that marks the message as "no response needed" for whoever opens it."""
    host, place = author.place.seller_central, author.place.id
    if era == "older":
        page = f"https://{host}/gp/communication-manager/no-response-needed.html"
        return f"{page}?msg={author.token()}&d=1&mp={place}&v=1&t={author.hexadecimal(40)}"
    page = f"https://{host}/messaging/no-response-needed"
    ids = f"t={author.token()}&m={author.token()}&mp={place}&c={author.seller_id}"
    return f"{page}?{ids}&h={author.hexadecimal(40)}&s=1"
