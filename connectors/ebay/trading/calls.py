"""The calls of the Trading API: XML to one address, the call's name and the bare token in headers.

An answer's status is 200 whatever came of it: ``Ack`` says (trap 37).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn
from xml.etree.ElementTree import Element, SubElement, tostring

from connectors.ebay.sites import SITES
from connectors.ebay.trading import xml
from core.errors import (
    BadCredentials,
    BadPayload,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.ebay.access import Access
    from connectors.ebay.options import EbayOptions

PATH = "/ws/api.dll"
NAMESPACE = "urn:ebay:apis:eBLBaseComponents"
VERSION = "1455"
"""Of the reference that this was written by (developer.ebay.com, Trading API, read 2026-11-22)."""

OK = frozenset({"Success", "Warning"})

TOKEN = frozenset({930, 931, 932, 16110, 21916984, 21917053})
"""The codes that mean that the token is none, or has ended."""

PASSING = frozenset({"407", "425"})
"""Statuses that refuse what is sent, and say nothing about a question."""

LIMITS = {518: 100.0, 20957: 3600.0}
"""Codes of a limit, and the seconds until it is worth another try. 20957 is a hidden quota of the
user or the item ("retry after an hour or a day", KB 666); an answer too many within a minute is
barred for about 100 seconds."""

WORDS = {518: "a limit of calls is reached", 20957: "a hidden quota of messages is used up"}

Content = dict[str, Any]
"""What an element holds: texts and elements by name, several of one name as a list."""


class Calls:
    """Calls for one account."""

    def __init__(self, access: Access, options: EbayOptions) -> None:
        self._access, self.seller = access, access.seller
        self._site = str(SITES[options.marketplace].number)

    async def ask(self, call: str, content: Mapping[str, Any]) -> Content:
        """What a question answers; it may be asked again.

        Raises:
            BadCredentials: the consent is gone.
            RateLimited: a quota is used up.
            Unreachable: no answer, or an error of eBay's own.
            BadPayload: the answer is no XML, or refuses the question (`detail` is ``error``).
        """
        try:
            return await self._called(call, content)
        except Refused as fault:
            kind = Unreachable if fault.detail in PASSING else BadPayload
            raise kind(str(fault), detail=fault.detail) from None
        except OutcomeUnknown as fault:
            raise Unreachable(str(fault), detail=fault.detail) from None
        except xml.Unreadable as fault:
            text = f"{call}: the answer cannot be read"
            raise BadPayload(text, raw=fault.raw, detail="misshapen") from None

    async def send(self, call: str, content: Mapping[str, Any]) -> None:
        """Let something happen, once.

        Raises:
            BadCredentials, RateLimited, Refused, Unreachable: it certainly did not.
            OutcomeUnknown: it may have happened.
        """
        try:
            await self._called(call, content)
        except xml.Unreadable:
            raise OutcomeUnknown(f"{call}: the answer cannot be read", detail="misshapen") from None

    async def _called(self, call: str, content: Mapping[str, Any]) -> Content:
        """The answer where it is a success. A token that has ended is renewed, once."""
        answer = await self._once(call, content)
        if _codes(answer) & TOKEN:
            self._access.forget()
            answer = await self._once(call, content)
        if answer.get("Ack") not in OK:
            _fail(call, answer)
        return answer

    async def _once(self, call: str, content: Mapping[str, Any]) -> Content:
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "X-EBAY-API-CALL-NAME": call,
            "X-EBAY-API-SITEID": self._site,
            "X-EBAY-API-COMPATIBILITY-LEVEL": VERSION,
        }
        answer = await self._access.send(
            "api",
            PATH,
            operation=call,
            scheme="raw",
            body=written(call, content),
            headers=headers,
        )
        return xml.read(answer.body, f"{call}Response")


def written(call: str, content: Mapping[str, Any]) -> bytes:
    """The request of a call."""
    root = Element(f"{call}Request", xmlns=NAMESPACE)
    _fill(root, content)
    whole: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return whole


def _fill(parent: Element, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        for one in value if isinstance(value, list) else [value]:
            child = SubElement(parent, name)
            if isinstance(one, dict):
                _fill(child, one)
            else:
                child.text = xml.fit(str(one))


def _errors(answer: Content) -> list[Content]:
    told = answer.get("Errors", [])
    return [one for one in told if isinstance(one, dict) and one.get("SeverityCode") != "Warning"]


def _codes(answer: Content) -> set[int]:
    told = [str(one.get("ErrorCode", "")) for one in _errors(answer)]
    return {int(one) for one in told if one.isascii() and one.isdigit() and len(one) < 10}


def _fail(call: str, answer: Content) -> NoReturn:
    """What an answer without success means, in our words: eBay's may quote a buyer.

    Raises:
        BadCredentials, RateLimited, Refused: nothing was done.
        OutcomeUnknown: eBay had an error of its own, or says nothing that we know.
    """
    codes = _codes(answer)
    names = ", ".join(f"error {code}" for code in sorted(codes)) or "no success"
    if codes & TOKEN:
        text = f"{call}: {names}: the token is not accepted; let the seller consent again"
        raise BadCredentials(text, detail="401", alone=True)
    if limits := codes & LIMITS.keys():
        code = max(limits, key=LIMITS.__getitem__)
        raise RateLimited(f"{call}: error {code}: {WORDS[code]}", retry_after=LIMITS[code])
    kinds = {one.get("ErrorClassification") for one in _errors(answer)}
    if answer.get("Ack") == "Failure" and kinds == {"RequestError"}:
        raise Refused(f"{call}: {names}", detail="error")
    raise OutcomeUnknown(f"{call}: {names}", detail="error")
