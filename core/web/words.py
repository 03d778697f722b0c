"""The languages of the pages: English as it stands there, others by one `messages.po` each.

A new language is a file, ``locale/<language>/messages.po`` beside this one: read when the first
page is asked for, compiled nowhere else. `python -m core.web.extracted` adds what it lacks.
"""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from babel import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from core.configuration.board import SOURCE
from core.said import phrase as phrase  # noqa: PLC0414  # pages name it here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "locale"
_DATES = {SOURCE: "en_GB"}
"""Whose dates and numbers a language has where its name alone would say another country's."""


@cache
def catalogues() -> Mapping[str, NullTranslations]:
    """What each language says, by its code: `SOURCE`, and one a file."""
    found: dict[str, NullTranslations] = {SOURCE: NullTranslations()}
    for path in sorted(FOLDER.glob("*/messages.po")):
        found[path.parent.name] = _compiled(path)
    return found


def _compiled(path: Path) -> NullTranslations:
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=path.parent.name))
    compiled.seek(0)
    return Translations(compiled)


@cache
def locale(language: str) -> Locale:
    """How dates and numbers are written in *language*."""
    return Locale.parse(_DATES.get(language, language))


def tongue(language: str, code: str) -> str:
    """What readers of *language* call the language *code*: so where nothing is known of it."""
    return str(locale(language).languages.get(code.partition("-")[0].lower(), code))


def variety(language: str, code: str) -> str:
    """As `tongue`, with the script and the country that *code* names."""
    found, spoken = locale(language), tongue(language, code)
    parts = [str(found.scripts.get(p) or found.territories.get(p, p)) for p in code.split("-")[1:]]
    return f"{spoken} ({', '.join(parts)})" if parts else spoken


def language(chosen: Iterable[str | None], accepted: str) -> str:
    """The first of *chosen* that there is, else what a browser likes best, else `SOURCE`.

    *accepted* is the header Accept-Language.
    """
    known = list(catalogues())
    for one in chosen:
        if one is not None and (found := negotiate_locale([one], known)):
            return found
    return negotiate_locale(_liked(accepted), known, sep="-") or SOURCE


def _liked(accepted: str) -> list[str]:
    """The languages of an Accept-Language header, the one that is liked best first."""
    weighed = []
    for part in accepted.split(",")[:20]:
        name, _, rest = part.partition(";")
        weighed.append((_weight(rest), name.strip()))
    best = sorted((one for one in weighed if one[0] > 0), key=lambda one: -one[0])
    return [name for _, name in best if name]


def _weight(parameter: str) -> float:
    key, _, value = parameter.partition("=")
    if not key.strip():
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
