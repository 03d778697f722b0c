"""Letters that are not Amazon's: those that pretend to be, and those that do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from connectors.amazon.sandbox import buyers_letter, composing
from connectors.amazon.sandbox.buyers_letter import Style
from connectors.amazon.sandbox.composing import Content, Letter

if TYPE_CHECKING:
    from datetime import datetime

    from connectors.amazon.sandbox.author import Author
    from connectors.amazon.sandbox.cases import Case

Forgery = Literal["unsigned", "broken", "hosted", "look_alike", "own_word", "two_senders"]
"""How a letter pretends.

``unsigned``: Amazon's alias as sender, no signature. ``broken``: Amazon's signature over another
text. ``hosted``: signed by the mail service alone, which anybody may rent. ``look_alike``: from a
domain that looks like Amazon's, signed by that domain. ``own_word``: unsigned, with a verdict that
it wrote itself in the name of the mailbox's server. ``two_senders``: signed, with a second sender
above the one that is signed.
"""

LOOK_ALIKE = "marketplace-amazon.example"


def forged(
    author: Author, case: Case, words: str, how: Forgery, server: str, at: datetime
) -> Letter:
    """A buyer's letter that Amazon never sent."""
    letter = buyers_letter.written(author, case, words, at, Style())
    letter = replace(letter, kind="forged")
    if how == "broken":
        return replace(letter, signed_by=(), broken=(letter.sender_domain,))
    if how == "hosted":
        return replace(letter, signed_by=("amazonses.com",))
    if how == "look_alike":
        domain = f"{case.place.tld.replace('.', '-')}.{LOOK_ALIKE}".encode()
        raw = letter.raw.replace(case.place.relay.encode(), domain)
        return replace(letter, raw=raw, sender_domain=LOOK_ALIKE, signed_by=(LOOK_ALIKE,))
    if how == "two_senders":
        first = f'From: "Amazon" <{case.bare}>{composing.LINE}'.encode()
        return replace(letter, raw=first + letter.raw)
    said = f"Authentication-Results: {server}; dkim=pass header.d=amazon.com{composing.LINE}"
    raw = said.encode() + letter.raw if how == "own_word" else letter.raw
    return replace(letter, raw=raw, signed_by=())


def foreign(author: Author, at: datetime, words: str = "Our new catalogue is out.") -> Letter:
    """Somebody's letter that has nothing to do with Amazon."""
    message_id = f"{author.hexadecimal(16)}@papers.example"
    headers = [
        ("Date", composing.date(at)),
        ("From", "Paper and Tape <sales@papers.example>"),
        ("To", author.mailbox),
        ("Message-ID", f"<{message_id}>"),
        ("Subject", "New in our catalogue"),
    ]
    return Letter(
        kind="foreign",
        message_id=message_id,
        at=at,
        raw=composing.raw(headers, Content(words)),
        sender_domain="papers.example",
        signed_by=("papers.example",),
        return_path="sales@papers.example",
        relay_host="mail.papers.example",
    )
