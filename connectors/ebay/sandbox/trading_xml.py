"""The Trading API's XML: requests read, answers written."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml import ElementTree as Safe

from connectors.ebay.sandbox.instants import stamp

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.ebay.sandbox.exchanges import Exchange, Letter

NAMESPACE = "urn:ebay:apis:eBLBaseComponents"
VERSION = "1455"


class Unreadable(ValueError):
    """A request is no XML."""


def read(body: bytes) -> Element:
    """The request's root, its names without their namespace.

    Raises:
        Unreadable: it is no XML.
    """
    try:
        root: Element = Safe.fromstring(body)
    except (Safe.ParseError, ValueError) as fault:
        raise Unreadable(str(fault)) from None
    for one in root.iter():
        one.tag = one.tag.rpartition("}")[2]
    return root


def said(root: Element, path: str) -> str:
    """The text at *path*, empty where there is none."""
    return (root.findtext(path) or "").strip()


def answer(call: str, now: datetime, ack: str, *content: Element) -> bytes:
    """An answer; its status is 200 whatever *ack* says."""
    root = Element(f"{call}Response", xmlns=NAMESPACE)
    add(root, "Timestamp", stamp(now))
    add(root, "Ack", ack)
    for one in content:
        root.append(one)
    add(root, "Version", VERSION)
    add(root, "Build", f"E{VERSION}_CORE_API_19110890_R1")
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def errors(code: int, message: str, classification: str = "RequestError") -> Element:
    """What went wrong."""
    made = Element("Errors")
    add(made, "ShortMessage", message)
    add(made, "LongMessage", message)
    add(made, "ErrorCode", str(code))
    add(made, "SeverityCode", "Error")
    add(made, "ErrorClassification", classification)
    return made


def exchange(one: Exchange) -> Element:
    """A question with its answers, of which only the words are told."""
    made = Element("MemberMessageExchange")
    item = SubElement(made, "Item")
    add(item, "ItemID", one.conversation.item)
    add(item, "Title", one.conversation.title)
    asked = SubElement(made, "Question")
    add(asked, "MessageType", "AskSellerQuestion")
    add(asked, "QuestionType", "General")
    add(asked, "DisplayToPublic", "false")
    add(asked, "SenderID", one.question.sender.told)
    add(asked, "SenderEmail", "member-x0001@members.ebay.example")
    add(asked, "RecipientID", one.question.recipient.told)
    add(asked, "Subject", one.question.subject)
    add(asked, "Body", one.question.body)
    add(asked, "MessageID", one.question.id)
    for each in one.answers:
        add(made, "Response", each.body)
    add(made, "MessageStatus", "Answered" if one.answers else "Unanswered")
    add(made, "CreationDate", stamp(one.question.at))
    add(made, "LastModifiedDate", stamp(one.changed_at))
    return made


def letter(one: Letter, *, is_asked: bool, body: bool) -> Element:
    """A letter's header, with its words where they are asked for.

    *is_asked*: it is a question that `GetMemberMessages` shows too, under the id told here as
    ``ExternalMessageID``.
    """
    message, members = one.message, one.conversation.type == "FROM_MEMBERS"
    made = Element("Message")
    add(made, "Sender", message.sender.told if members else "eBay")
    add(made, "RecipientUserID", message.recipient.told)
    add(made, "SendToName", message.recipient.told)
    add(made, "Subject", message.subject)
    add(made, "MessageID", one.id)
    if is_asked:
        add(made, "ExternalMessageID", message.id)
    if body:
        add(made, "Text", f"<html><body><div>{message.body}</div></body></html>")
        add(made, "Content", message.body)
    add(made, "Flagged", "false")
    add(made, "Read", str(message.is_read).lower())
    add(made, "ReceiveDate", stamp(message.at))
    if one.conversation.item:
        add(made, "ItemID", one.conversation.item)
    add(SubElement(made, "ResponseDetails"), "ResponseEnabled", str(members).lower())
    add(SubElement(made, "Folder"), "FolderID", str(one.folder))
    if members:
        add(made, "MessageType", "AskSellerQuestion" if is_asked else "ContactEbayMember")
        add(made, "QuestionType", "General")
    return made


def add(parent: Element, name: str, text: str) -> None:
    """An element with a text."""
    SubElement(parent, name).text = text
