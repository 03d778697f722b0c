"""What Meta says where it refuses: codes, and our own words for those that we know. Pure.

Meta's own words are never told: they may quote a number or a text. The sources are Meta's pages
"Error codes" of the Cloud API, "Common Error Codes" of the Messenger Platform and "Error Handling"
of the Graph API (developers.facebook.com, read 2026-11-22).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import BadCredentials, BadPayload, RateLimited, Refused

if TYPE_CHECKING:
    from core.errors import ConnectorError

MOST_DIGITS = 12


class Code(NamedTuple):
    """A code, and what narrows it down where Meta tells that."""

    code: int
    sub: int | None = None


WINDOW = frozenset({Code(131047), Code(10, 2018278), Code(10, 2534022), Code(470)})
"""The time to answer is over: only an approved template, or a tag, may be sent."""

TOKEN = frozenset({0, 102, 190, 463, 467})
"""What is wrong with the token, and with nothing else."""

PERMISSION = frozenset({3, 10, *range(200, 300), 131005})
"""The token is good, and may not do this."""

LIMITS = frozenset({4, 17, 32, 341, 613, 80001, 80002, 80006, 80007, 130429, 131056})
"""Too many calls; later they are answered."""

TEMPLATES = frozenset({131049, 131050, *range(132000, 133000)})
"""What befalls templates alone, which never leave from here."""

OWN = frozenset({1, 2, 131000, 131016})
"""Meta's own troubles: they say nothing of what was sent."""

_OVER = "the time to answer is over: only a template that Meta approved may be sent"

WORDS: dict[Code, str] = {
    Code(0): "the token is not accepted",
    Code(1): "Meta has an error of its own",
    Code(2): "Meta has an error of its own",
    Code(3): "the app may not do this",
    Code(4): "the app has made too many calls",
    Code(10): "the token may not do this",
    Code(10, 2018278): "the time to answer is over: 24 hours after the person's last message",
    Code(10, 2534022): "the time to answer is over: 24 hours after the person's last message",
    Code(17): "too many calls",
    Code(32): "the page has made too many calls",
    Code(33): "there is no such number any more",
    Code(100): "Meta does not take a field of it",
    Code(100, 2018001): "there is no such person for this page",
    Code(102): "the token is not accepted",
    Code(190): "the token is not accepted: it ended, or was taken back",
    Code(368): "Meta has blocked the account for a breach of its rules",
    Code(470): _OVER,
    Code(551): "the person cannot be reached: blocked, or gone",
    Code(613): "too many calls",
    Code(80007): "the WhatsApp account has made too many calls",
    Code(
        2200
    ): "the address for pushes did not answer the challenge: does the daemon run, is [push] "
    "reached from outside under exactly this address, with this verify_token?",
    Code(130429): "the number sends too many messages at once",
    Code(130472): "the person's number is part of an experiment of Meta's",
    Code(130497): "the business may not write into that country",
    Code(131000): "Meta has an error of its own",
    Code(131005): "the token may not do this",
    Code(131008): "Meta misses a field of it",
    Code(131009): "Meta does not take a field of it",
    Code(131016): "Meta has an error of its own",
    Code(131021): "the number cannot write to itself",
    Code(
        131026
    ): "it cannot be delivered: no WhatsApp there, an old one, or its terms not accepted",
    Code(131031): "Meta has locked the account",
    Code(131037): "the number's display name is not approved",
    Code(131042): "there is a fault with how WhatsApp is paid",
    Code(131045): "the number is not registered",
    Code(131047): _OVER,
    Code(131048): "too much of what the number sends was blocked or reported",
    Code(131051): "Meta does not take this type of message",
    Code(131052): "a file of the person's cannot be loaded",
    Code(131053): "a file of ours cannot be loaded",
    Code(131056): "too many messages to the same person at once",
    Code(131057): "the account is under maintenance",
    Code(133010): "the number is not registered",
}
"""By code: what it means, in words that hold nothing of the call's."""


def code_of(raw: bytes) -> Code | None:
    """The code that *raw*, an answer of any status, tells; None where it tells none."""
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    error = said.get("error") if isinstance(said, dict) else None
    return read(error) if isinstance(error, dict) else None


def read(error: dict[str, Any]) -> Code | None:
    """The code of one error of an answer, or of a status."""
    code, sub = _number(error.get("code")), _number(error.get("error_subcode"))
    return None if code is None else Code(code, sub)


def words(code: Code | None) -> str:
    """What *code* means; its number alone where we do not know it."""
    if code is None:
        return ""
    known = WORDS.get(code) or WORDS.get(Code(code.code))
    return f"{known} (code {code.code})" if known else f"code {code.code}"


def meant(fault: BadCredentials | BadPayload | Refused, raw: bytes) -> ConnectorError:
    """What *fault*, made of a status, is by the code in *raw*: Meta has few statuses.

    A code that we do not know leaves it as it is.
    """
    code = code_of(raw)
    if code is None:
        return fault
    told = f"{fault}, {words(code)}"
    if code in WINDOW:
        return fault if isinstance(fault, BadPayload) else Refused(told, detail="window")
    if code.code in LIMITS:
        return RateLimited(told)
    if code.code in TOKEN:
        return BadCredentials(told, detail=str(code.code))
    if code.code in PERMISSION:
        return BadCredentials(told, detail=str(code.code), alone=True)
    return fault


def sent(fault: BadCredentials | Refused, raw: bytes) -> ConnectorError:
    """As `meant`, of something that was sent: a code that speaks of it says no.

    Whatever the status: a locked account, say, is answered as a key is that may not do this.
    """
    found, code = meant(fault, raw), code_of(raw)
    if found is not fault or code is None or isinstance(fault, Refused):
        return found
    if Code(code.code) not in WORDS or code.code in OWN:
        return found
    return Refused(f"{fault}, {words(code)}", detail=str(code.code))


def _number(value: Any) -> int | None:
    if type(value) is int and 0 <= value < 10**MOST_DIGITS:
        return value
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit()
    return int(value) if is_digits and len(value) <= MOST_DIGITS else None
