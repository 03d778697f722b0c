"""Invented buyers in ten languages, what they write, and how a mail programme wraps it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib import resources
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from random import Random

Mood = Literal[
    "openings", "follow_ups", "complaints", "thanks", "answers", "asks_marketplace", "marketplace"
]

LANGUAGES = ("en", "de", "fr", "es", "it", "pl", "ko", "ja", "pt", "nl")


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody who does not exist; the address is in a domain that cannot.

    *phone* is E.164; empty: any that nobody else has.
    """

    id: str
    name: str
    language: str
    locale: str
    email: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Regular:
    """Somebody who asks about one order wherever they can."""

    buyer: Buyer
    order: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody writes; *subject* is empty but for the first letter of a thread."""

    subject: str
    text: str


@cache
def phrases() -> dict[str, Any]:
    """What is said, by language and mood."""
    text = resources.files("core.sandbox").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def buyer(random: Random, languages: Sequence[str] = LANGUAGES) -> Buyer:
    """A new buyer; ids do not repeat within one *random* in practice (32 bits)."""
    language = random.choice(list(languages))
    said = phrases()[language]
    number = f"{random.getrandbits(32):08x}"
    return Buyer(
        id=f"C-{number}",
        name=random.choice(said["names"]),
        language=language,
        locale=said["locale"],
        email=f"{language}-{number}@buyers.example",
    )


@cache
def regular() -> Regular:
    """The regular of all stand-ins of this process: the next process has another."""
    random = SystemRandom()
    phone = f"+4860{random.randrange(10**6, 10**7)}"
    return Regular(replace(buyer(random, ["en"]), phone=phone), order_number(random))


def order_number(random: Random) -> str:
    """An order number in the style of marketplaces."""
    return f"{random.randrange(10**8, 10**9)}-A"


def letter(random: Random, language: str, mood: Mood, order: str) -> Letter:
    """What somebody says in this language and mood about *order*."""
    said = random.choice(phrases()[language][mood])
    subject, text = said if mood == "openings" else ("", said)
    return Letter(subject, text.replace("{order}", order))


def outlook(writer: Buyer, text: str, quoted: str, sent_at: datetime) -> str:
    """*text* as HTML from a desktop mail programme, with the seller's answer quoted below."""
    sender, sent, to, subject = phrases()[writer.language]["headers"]
    head = f"<b>{sender}:</b> Example Shop &lt;shop@shop.example&gt;<br>"
    head += f"<b>{sent}:</b> {sent_at:%Y-%m-%d %H:%M}<br>"
    head += f"<b>{to}:</b> {escape(writer.name)} &lt;{writer.email}&gt;<br><b>{subject}:</b> RE:"
    return (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head>'
        "<style><!-- p.MsoNormal {margin:0cm; font-size:11.0pt;} --></style></head>"
        f'<body lang="{writer.language}"><div class="WordSection1">'
        f'<p class="MsoNormal">{escape(text)}<o:p></o:p></p>'
        f'<p class="MsoNormal"><o:p>&nbsp;</o:p></p><p class="MsoNormal">{escape(writer.name)}</p>'
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt">'
        f'<p class="MsoNormal">{head}</p></div>'
        f'<p class="MsoNormal">{escape(quoted)}</p></div></body></html>'
    )
