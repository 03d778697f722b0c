"""A reader of letters that knows nothing of the product: may this letter start a clock?

It looks at header lines alone, by their shapes, and errs on one side: what it denies no program
could take for a letter of that kind.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TLDS = (
    "com|ca|com.mx|com.br|co.uk|de|fr|it|es|nl|se|pl|com.be|ie|com.tr|ae|sa|eg|in|sg|com.au|co.jp"
)
ALIAS = re.compile(
    rf"[a-z0-9]{{8,64}}(?:\+[a-z0-9-]{{1,64}})?@(?:m\.)?marketplace\.amazon\.(?:{TLDS})(?![a-z0-9.-])",
    re.IGNORECASE,
)
TYPE = "x-space-notification-type"
OF_BUYERS = "BBC_MESSAGE_SENT_TO_MERCHANT"
OF_DOSSIERS = ("A_Z_CLAIM_RESPONDENT_NOTIFY", "RETURN_REQUEST", "BRC_SELLER_NOTIFICATION")
OTHERS = ("BBC_MESSAGE_CONFIRMATION", "BUYER_OPTED_OUT", "REFUND_ISSUED", "RESPONDENT_CLOSE")
ASIDE = re.compile(r'"(?:[^"\\]|\\.)*"|\([^()]*\)|=\?[^?]*\?[bq]\?[^?]*\?=', re.IGNORECASE)

UNSEEN = re.compile(r"[\x00-\x20\x7f-\x9f]")
"""What no address holds, and what a program may leave out of one."""


def headers(raw: bytes, *, goes_on: bool = True) -> dict[str, list[str]]:
    """Lines before the first empty one, by names in lower case.

    A line that is none ends them for some programs, and *goes_on* for others.
    """
    found: dict[str, list[str]] = {}
    last: list[str] | None = None
    for line in re.split(r"\r\n|\n", raw.decode("latin-1")):
        name, colon, value = line.partition(":")
        if not line.strip("\r"):
            break
        if colon and re.fullmatch(r"[!-9;-~]+[ \t]*", name):
            last = found.setdefault(name.strip().lower(), [])
            last.append(value.strip())
        elif not goes_on and line[0] not in " \t":
            break
        elif last is not None:
            last[-1] += " " + line.strip()
    return found


def may_be_a_buyers(raw: bytes) -> bool:
    """Whether somebody may take it for a buyer's: by its type, or an alias that wrote it."""
    return any(_is_a_buyers(headers(raw, goes_on=goes_on)) for goes_on in (True, False))


def _is_a_buyers(said: Mapping[str, list[str]]) -> bool:
    kinds = " ".join(said.get(TYPE, ())).upper()
    if OF_BUYERS in kinds:
        return True
    writers = ASIDE.sub(" ", " ".join(said.get("from", []) + said.get("reply-to", [])))
    known = any(kind in kinds for kind in (*OF_DOSSIERS, *OTHERS))
    seen = (writers, UNSEEN.sub("", writers))
    return any(ALIAS.search(each) for each in seen) and not known


def may_ask(raw: bytes) -> bool:
    """Whether somebody may take it for one that opens a claim, a return and their like."""
    return any(_asks(headers(raw, goes_on=goes_on)) for goes_on in (True, False))


def _asks(said: Mapping[str, list[str]]) -> bool:
    kinds = " ".join(said.get(TYPE, ())).upper()
    sender, subject = (
        UNSEEN.sub("", " ".join(said.get(name, ()))).lower() for name in ("from", "subject")
    )
    told = any(kind in kinds for kind in OF_DOSSIERS)
    is_shaped = "atoz" in sender or "chargeback" in subject or not kinds
    return told or ("@amazon." in sender and is_shaped)
