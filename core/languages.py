"""The languages that texts are written in, as tags: one spelling of each, whoever says it. Pure."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

__all__ = ["Language", "of_country", "primary", "tag"]

LONGEST = 100

_SAID = re.compile(
    r"(?P<primary>[a-z]{2,3})"
    r"(?:[-_](?P<script>[a-z]{4}))?"
    r"(?:[-_](?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?:[-_.@][-_.@a-z0-9]*)?",
    re.IGNORECASE | re.ASCII,
)

NONE_AT_ALL = frozenset({"mis", "mul", "und", "zxx"})
"""Primary tags that name no language (RFC 5646, 4.1)."""

SHORT = {
    long: short
    for short, longs in {
        "ar": "ara", "bg": "bul", "cs": "ces cze", "da": "dan", "de": "deu ger", "el": "ell gre",
        "en": "eng", "es": "spa", "et": "est", "fi": "fin", "fr": "fra fre", "he": "iw heb",
        "hr": "hrv", "hu": "hun", "id": "in ind", "it": "ita", "ja": "jpn", "jv": "jw jav",
        "ko": "kor", "lt": "lit", "lv": "lav", "nb": "nob", "nl": "nld dut", "no": "nor",
        "pl": "pol", "pt": "por", "ro": "ron rum mo", "ru": "rus", "sk": "slk slo", "sl": "slv",
        "sr": "srp", "sv": "swe", "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie",
        "yi": "ji yid", "zh": "zho chi",
    }.items()
    for long in longs.split()
}  # fmt: skip
"""The tag that counts in place of a longer or an older one (RFC 5646, 2.2.1; ISO 639-2)."""

SPOKEN = {
    "AT": "de", "AU": "en", "BR": "pt-BR", "CZ": "cs", "DE": "de", "DK": "da", "EG": "ar",
    "ES": "es", "FR": "fr", "GB": "en", "IE": "en", "IT": "it", "JP": "ja", "MX": "es", "NL": "nl",
    "PL": "pl", "PT": "pt", "SA": "ar", "SE": "sv", "TR": "tr", "UK": "en", "US": "en",
}  # fmt: skip
"""What nearly all who buy in a country write; countries of several languages are left out."""


def tag(said: object) -> str | None:
    """What a marketplace calls a language, as a tag of BCP 47: ``de``, ``de-AT``, ``zh-Hant-TW``.

    Language, script and region alone, the language by its shortest tag. Of a list
    (``de-DE,en;q=0.8``) it is the first. None for what is no such tag, or names no language.
    """
    if not isinstance(said, str):
        return None
    first = re.split("[,;]", said[:LONGEST], maxsplit=1)[0].strip()
    found = _SAID.fullmatch(first)
    if found is None:
        return None
    spoken, script, region = found.group("primary", "script", "region")
    spoken = SHORT.get(spoken.lower(), spoken.lower())
    if spoken in NONE_AT_ALL:
        return None
    parts = spoken, script and script.title(), region and region.upper()
    return "-".join(part for part in parts if part)


Language = Annotated[str | None, BeforeValidator(tag)]
"""A tag as `tag` writes it; whatever is none is as if it had not been said."""


def primary(language: str) -> str:
    """The language of a tag, without its script and region: ``pt`` of ``pt-BR``."""
    return language.partition("-")[0]


def of_country(code: str) -> str | None:
    """What nearly all write who buy in the country *code* (ISO 3166-1); None: there is no such."""
    return SPOKEN.get(code)
