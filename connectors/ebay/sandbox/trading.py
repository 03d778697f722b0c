"""The Trading API: one address, the call in a header, status 200 even where nothing succeeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from aiohttp import web

from connectors.ebay.sandbox import access, trading_xml
from connectors.ebay.sandbox.access import Refusal
from connectors.ebay.sandbox.trading_xml import Unreadable, said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connectors.ebay.sandbox.exchanges import Exchange
    from connectors.ebay.sandbox.market import Seller

PATH = "/ws/api.dll"
API = ("tradingapi", "TradingAPI")

LONGEST = 2000
PAGES = (25, 50, 100, 200)
LETTERS_AT_ONCE = 10
ORDERED_WITHIN = timedelta(days=90)

UNSUPPORTED, NO_XML, NO_TOKEN, BAD_TOKEN, OLD_TOKEN = 2, 5, 930, 21916984, 21917053
LIMIT, HIDDEN_QUOTA = 518, 20957
WRONG = 20118
"""Error codes. `WRONG` is one of ours for every wrong parameter: the list of them is long."""


class Failure(Exception):
    """The call fails with this code: ``Ack`` says so, the status does not."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def routes(host: str) -> list[web.RouteDef]:
    """All calls are one address on ``api``."""
    return [web.post(PATH, called, name="trading")] if host == "api" else []


async def called(request: web.Request) -> web.Response:
    """One call."""
    name = request.headers.get("X-EBAY-API-CALL-NAME", "")
    now = request.app[access.MARKET].clock()
    try:
        seller = _seller(request)
        content = _done(name, seller, await request.read())
        whole = trading_xml.answer(name, now, "Success", *content)
        written = seller.exchanges.spoil(name, whole)
    except Failure as failure:
        errors = trading_xml.errors(failure.code, str(failure))
        written = trading_xml.answer(name or "Unknown", now, "Failure", errors)
    return web.Response(body=written, content_type="text/xml", charset="utf-8")


def _seller(request: web.Request) -> Seller:
    """Whose call it is, by the bare token in a header of its own.

    Raises:
        Failure: there is no token, it is none (``Bearer `` before it is part of it), it has ended,
            or the day's calls are used up.
    """
    given = request.headers.get("X-EBAY-API-IAF-TOKEN", "")
    for header in ("X-EBAY-API-SITEID", "X-EBAY-API-COMPATIBILITY-LEVEL"):
        if not request.headers.get(header, "").isdigit():
            raise Failure(WRONG, f"{header} is missing or no number.")
    if not given:
        raise Failure(NO_TOKEN, "No token was found in the request.")
    market = request.app[access.MARKET]
    found = access.find(market, given)
    if found is None or found.seller is None:
        ended = any(given in one.tokens for one in market.applications.values())
        raise Failure(*((OLD_TOKEN, "Expired IAF token.") if ended else (BAD_TOKEN, "Invalid.")))
    try:
        access.spend(found, API)
    except Refusal:
        raise Failure(LIMIT, "Call usage limit has been reached.") from None
    return found.seller


def _done(name: str, seller: Seller, body: bytes) -> Sequence[Element]:
    """What the call *name* answers.

    Raises:
        Failure: there is no such call, or it fails.
    """
    call = CALLS.get(name)
    if call is None:
        raise Failure(UNSUPPORTED, f'Unsupported API call "{name}".')
    try:
        root = trading_xml.read(body)
    except Unreadable:
        raise Failure(NO_XML, "XML Parse error.") from None
    if root.tag != f"{name}Request":
        raise Failure(NO_XML, "The request and the call's name in the header differ.")
    if seller.exchanges.is_silenced:
        raise Failure(HIDDEN_QUOTA, "Service is not available.")
    return call(seller, root)


def _member_messages(seller: Seller, root: Element) -> Sequence[Element]:
    """GetMemberMessages: the questions asked in a window, about an item, or one of them."""
    if not said(root, "MailMessageType"):
        raise Failure(WRONG, "MailMessageType is required.")
    fit = [one for one in _exchanges(seller, root) if _is_wanted(one, root)]
    page, result = _page(root, [trading_xml.exchange(one) for one in fit])
    wrapped = Element("MemberMessage")
    wrapped.extend(page)
    more = Element("HasMoreItems")
    pages = int(result.findtext("TotalNumberOfPages") or 0)
    more.text = str(_number(root, "Pagination/PageNumber", 1) < pages).lower()
    return wrapped, result, more


def _exchanges(seller: Seller, root: Element) -> list[Exchange]:
    if name := said(root, "MemberMessageID"):
        found = seller.exchanges.question(name)
        is_listed = found is not None and found.conversation.item not in seller.exchanges.ended
        return [found] if found is not None and is_listed else []
    since, until = _instant(root, "StartCreationTime"), _instant(root, "EndCreationTime")
    return seller.exchanges.between(since, until)


def _is_wanted(one: Exchange, root: Element) -> bool:
    status, item = said(root, "MessageStatus"), said(root, "ItemID")
    fits_status = not status or (status == "Answered") == bool(one.answers)
    return fits_status and (not item or one.conversation.item == item)


def _my_messages(seller: Seller, root: Element) -> Sequence[Element]:
    """GetMyMessages: the headers of a folder, or up to ten letters whole."""
    level = said(root, "DetailLevel")
    if level not in ("ReturnHeaders", "ReturnMessages"):
        raise Failure(WRONG, "DetailLevel is required.")
    exchanges = seller.exchanges
    wanted = [one.text or "" for one in root.findall("MessageIDs/MessageID")]
    if len(wanted) > LETTERS_AT_ONCE or (level == "ReturnMessages" and not wanted):
        raise Failure(WRONG, f"1 to {LETTERS_AT_ONCE} MessageIDs at once.")
    if wanted:
        letters = [one for name in wanted if (one := exchanges.letter(name))]
    else:
        window = _instant(root, "StartTime"), _instant(root, "EndTime")
        letters = exchanges.letters(_number(root, "FolderID", 0), *window)
    shown = [
        trading_xml.letter(
            one,
            is_asked=one.folder == 0
            and one.conversation.type == "FROM_MEMBERS"
            and one.message.id not in exchanges.from_mail,
            body=level == "ReturnMessages",
        )
        for one in letters
    ]
    page, result = _page(root, shown)
    wrapped = Element("Messages")
    wrapped.extend(page)
    return wrapped, result


def _answer_question(seller: Seller, root: Element) -> Sequence[Element]:
    """AddMemberMessageRTQ: an answer to a question. Nothing is told of it."""
    body = _body(root)
    asked = seller.exchanges.question(said(root, "MemberMessage/ParentMessageID"))
    if asked is None:
        raise Failure(WRONG, "ParentMessageID is no question to you.")
    recipient = said(root, "MemberMessage/RecipientID").casefold()
    if recipient not in asked.question.sender.known_as:
        raise Failure(WRONG, "RecipientID is not who asked.")
    _take_one(seller)
    seller.exchanges.answer(asked, body)
    return ()


def _write_to_partner(seller: Seller, root: Element) -> Sequence[Element]:
    """AddMemberMessageAAQToPartner: a letter to who bought the item within 90 days."""
    body = _body(root)
    for name in ("Subject", "QuestionType"):
        if not said(root, f"MemberMessage/{name}"):
            raise Failure(WRONG, f"{name} is required.")
    item = said(root, "ItemID")
    recipient = said(root, "MemberMessage/RecipientID").casefold()
    now = seller.market.clock()
    bought = [
        one
        for one in seller.orders.values()
        if one.item == item and recipient in one.buyer.known_as and now - one.at <= ORDERED_WITHIN
    ]
    if not bought:
        raise Failure(WRONG, "There is no order of this member within 90 days.")
    _take_one(seller)
    subject = said(root, "MemberMessage/Subject")
    seller.exchanges.write_to(bought[0].buyer, item, subject, body)
    return ()


def _take_one(seller: Seller) -> None:
    if not seller.exchanges.takes_one_more():
        raise Failure(LIMIT, "Call usage limit has been reached.")


def _body(root: Element) -> str:
    text = root.findtext("MemberMessage/Body") or ""
    if not 0 < len(text.strip()) <= LONGEST:
        raise Failure(WRONG, f"Body must have 1 to {LONGEST} characters.")
    return text


def _instant(root: Element, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(said(root, name))
    except ValueError:
        raise Failure(WRONG, f"{name} is required, as a date.") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _number(root: Element, path: str, default: int) -> int:
    text = said(root, path) or str(default)
    if not text.isdigit():
        raise Failure(WRONG, f"{path} is no number.")
    return int(text)


def _page(root: Element, every: list[Element]) -> tuple[list[Element], Element]:
    """One page, and how many there are. Odd sizes are rounded as eBay says."""
    asked = _number(root, "Pagination/EntriesPerPage", PAGES[0])
    if not 0 < asked <= PAGES[-1]:
        raise Failure(WRONG, "EntriesPerPage is out of range.")
    size = max([PAGES[0], *(one for one in PAGES if one <= asked)])
    number = max(_number(root, "Pagination/PageNumber", 1), 1)
    result = Element("PaginationResult")
    trading_xml.add(result, "TotalNumberOfPages", str(-(-len(every) // size)))
    trading_xml.add(result, "TotalNumberOfEntries", str(len(every)))
    return every[(number - 1) * size : number * size], result


CALLS: dict[str, Callable[[Seller, Element], Sequence[Element]]] = {
    "GetMemberMessages": _member_messages,
    "GetMyMessages": _my_messages,
    "AddMemberMessageRTQ": _answer_question,
    "AddMemberMessageAAQToPartner": _write_to_partner,
}
