"""What the closed sets of the program are called on a page, in words that are translated."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from core.web.words import phrase

if TYPE_CHECKING:
    from collections.abc import Mapping

TERMS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "band": {
            "ok": phrase("On time"),
            "warning": phrase("Warning"),
            "critical": phrase("Critical"),
            "breached": phrase("Overdue"),
        },
        "kind": {
            "message": phrase("Message"),
            "claim": phrase("Formal claim"),
            "return": phrase("Return"),
            "inquiry": phrase("Inquiry"),
            "cancellation": phrase("Cancellation"),
            "dispute": phrase("Dispute"),
            "incident": phrase("Incident"),
            "chat": phrase("Chat"),
            "call": phrase("Call"),
        },
        "party": {
            "buyer": phrase("Buyer"),
            "seller": phrase("Seller"),
            "marketplace": phrase("Marketplace"),
        },
        "metric": {
            "first_reply": phrase("first reply"),
            "next_reply": phrase("next reply"),
            "given": phrase("given deadline"),
        },
        "reply": {
            "queued": phrase("Reply queued"),
            "sending": phrase("Reply is being sent"),
            "accepted": phrase("Reply accepted"),
            "confirmed": phrase("Reply confirmed"),
            "refused": phrase("Reply refused"),
            "unknown": phrase("Not known whether the reply arrived"),
        },
        "claimed": {
            "mine": phrase("Mine"),
            "free": phrase("Free"),
            "others": phrase("Others'"),
        },
        "role": {
            "viewer": phrase("Viewer"),
            "agent": phrase("Agent"),
            "lead": phrase("Lead"),
            "admin": phrase("Administrator"),
        },
        "act": {
            "look": phrase("looked at the queue"),
            "read": phrase("read the thread"),
            "claim": phrase("claimed, or released"),
            "overrule": phrase("ended another's claim"),
            "acknowledge": phrase("took note of a trouble"),
            "answer": phrase("answered"),
            "undo": phrase("took a reply back"),
            "beaten": phrase("was told that another was faster"),
            "mark": phrase("said that no reply is needed"),
            "answered": phrase("said that it was answered there"),
            "take_back": phrase("took back what was said"),
            "language": phrase("set the language"),
            "promise": phrase("promised a further answer"),
            "move_promise": phrase("moved what was promised"),
            "withdraw_promise": phrase("withdrew what was promised"),
            "save_macro": phrase("saved a macro"),
            "remove_macro": phrase("removed a macro"),
            "people": phrase("let people in, or changed it"),
            "token": phrase("made or ended a token"),
            "link": phrase("came in by a link"),
            "password": phrase("chose a password"),
            "session": phrase("ended sessions"),
            "sign-in": phrase("signed in, or tried to"),
            "sign-out": phrase("signed out"),
            "refused": phrase("was refused"),
            "audit": phrase("took the audit trail along"),
            "mute": phrase("kept notices back"),
            "unmute": phrase("let notices be told again"),
        },
        "means": {
            "token": phrase("by a token"),
            "proxy": phrase("by the proxy"),
            "link": phrase("by a link"),
            "cli": phrase("at the machine"),
        },
        "result": {
            "met": phrase("Met"),
            "late": phrase("Late"),
            "void": phrase("Void"),
        },
        "scope": {
            "account": phrase("account"),
            "route": phrase("route"),
        },
    }
)
"""By what it is of, then by the program's own word."""

SIGNS: Mapping[str, str] = MappingProxyType(
    {"ok": "○", "warning": "◔", "critical": "◕", "breached": "●"}
)
"""A clock face that fills: a band for those who see no colours."""


def term(of: str, word: str) -> str:
    """What *word* is called in English; itself where nothing is known of it."""
    return TERMS[of].get(word, word)
