"""What eBay says where it refuses: ids of errors, and our own words for those that we know. Pure.

eBay's words are never told: they may quote what a buyer wrote, or name one.
"""

from __future__ import annotations

import json
from typing import Any

PERMISSION = 1100
"""The seller's consent does not cover the call (trap 32)."""

UNKNOWN_CONVERSATION = 355000

TOKEN = frozenset({1001, 1002, 1003, 1004})
"""What is wrong with the token, and with nothing else."""

WORDS = {
    1001: "the token is not accepted",
    1002: "there is no token",
    1003: "the token's type is wrong",
    1004: "the token has ended",
    PERMISSION: "the seller's consent does not cover this",
    1301: "the seller has no part in what this is about",
    1304: "there is no such return",
    1308: "the seller may not do this",
    2001: "too many requests",
    UNKNOWN_CONVERSATION: "there is no such conversation",
    195003: "eBay knows no contact for alerts about pushes",
    195011: "this may not be subscribed to with this consent",
    195012: "it is subscribed to already",
    195015: "the address for pushes is not enabled",
    195017: "the address for pushes is none that eBay takes",
    195019: "the verification token is none that eBay takes",
    195020: "the address for pushes did not answer the challenge: does the daemon run, is [push] "
    "reached from outside under exactly this address, with this verification token?",
    195021: "the address for pushes is registered already",
    195025: "the contact is no address of mail",
    335000: "eBay has an error of its own",
    355001: "the conversation's status is none of eBay's",
    355002: "the conversation's type is none of eBay's",
    355003: "the reference's type is none of eBay's",
    355004: "the window of time ends before it begins",
    355005: "a date is none",
    355006: "there is no such member, or no message may be sent to it",
    355007: "the conversation's id is none",
    355008: "the offset is no multiple of the limit",
    355009: "the limit is above 50",
    355010: "a message takes 5 files at most",
    355011: "a file's kind is none of IMAGE, PDF, DOC and TXT",
    355012: "a file lacks its name, kind or address",
    355013: "the text is longer than 2,000 characters",
    355014: "a file's address is not public, or not https",
    355015: "there is neither text nor file",
    355016: "the reference's id is none",
    355017: "the conversation's type is missing",
    355018: "neither conversation nor member is named",
    355019: "more than 10 conversations at once",
    355020: "there is no such listing",
    355021: "the reference's type is missing",
    355022: "of the reference's id and type one is missing",
}
"""By error id: what it means, in words that hold nothing of the call's.

Those of 13xx are Post-Order's (developer.ebay.com: Post-Order API, errors by number, read
2026-11-22); what it says of a dossier that is closed is not to be had.
"""


def ids(raw: bytes) -> tuple[int, ...]:
    """The ids of the errors that *raw*, an answer of any status, tells; 0 for one without an id."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return ()
    return tuple(_id(one) for one in _listed(said))


def explain(raw: bytes) -> str:
    """What *raw* refuses, in our words; empty where it tells no error."""
    return ", ".join(_told(one) for one in dict.fromkeys(ids(raw)))


def is_about_the_question(raw: bytes) -> bool:
    """Whether every error in *raw* is about what was asked (category REQUEST): nothing was done."""
    try:
        found = _listed(json.loads(raw))
    except (ValueError, RecursionError):
        return False
    return bool(found) and all(
        isinstance(one, dict) and one.get("category") == "REQUEST" for one in found
    )


def _listed(said: Any) -> list[Any]:
    """The errors of an answer: ``errors``, Post-Order's ``error``, or that in ``errorMessage``."""
    if not isinstance(said, dict):
        return []
    for name in ("errors", "error", "errorMessage"):
        found = said.get(name)
        if isinstance(found, dict):
            return _listed(found)
        if isinstance(found, list):
            return found
    return []


def _id(error: Any) -> int:
    told = error.get("errorId") if isinstance(error, dict) else None
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 10:
        return int(told)
    return told if type(told) is int else 0


def _told(error: int) -> str:
    words = WORDS.get(error)
    return f"error {error}: {words}" if words else f"error {error}"
