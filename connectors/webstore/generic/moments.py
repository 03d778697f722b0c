"""How a store writes an instant, and which one that is. Pure.

A time without an offset is a time in some zone: without its name there is none (trap 23).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from core.errors import Unfit
from sla import zones

ISO, SECONDS, MILLISECONDS = "iso", "seconds", "milliseconds"
WORDS = (ISO, SECONDS, MILLISECONDS)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
LONGEST = 64
"""Characters of a time."""


def _form(text: str) -> str:
    """One of the words, or a format of strptime.

    Raises:
        Unfit: it is neither, or lacks a part without which there is no instant.
    """
    if text in WORDS:
        return text
    if "%" not in text:
        raise Unfit(f'is no form of a time; write {", ".join(WORDS)}, or like "%d.%m.%Y %H:%M"')
    at = datetime(2031, 12, 23, 17, 48, tzinfo=UTC)
    try:
        back = datetime.strptime(at.strftime(text), text).replace(tzinfo=UTC)
    except ValueError:
        raise Unfit('is no form of a time; write it like "%d.%m.%Y %H:%M:%S"') from None
    if back.replace(second=0) != at:
        raise Unfit("leaves out a part of the time; it needs day, month, year, hour and minute")
    return text


def _zone(name: str) -> str:
    """The name of a time zone.

    Raises:
        Unfit: there is none of this name.
    """
    try:
        zones.zone(name)
    except zones.UnknownZoneError:
        raise Unfit("is no time zone; write one like Europe/Berlin, or UTC") from None
    return name


Form = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_form)]
"""``iso``, ``seconds`` or ``milliseconds`` since 1970, or a format of strptime."""
Zone = Annotated[str, AfterValidator(_zone)]


def needs_zone(form: str) -> bool:
    """Whether a time of this *form* never carries an offset of its own."""
    return form not in WORDS and "%z" not in form


def takes_zone(form: str) -> bool:
    """Whether a zone means something beside this *form*."""
    return form == ISO or needs_zone(form)


def instant(value: object, form: str, zone: str | None) -> datetime | None:
    """The instant that *value* names; None where it is none.

    Where a wall clock shows an hour twice, the first is meant: the earlier deadline.
    """
    if form in (SECONDS, MILLISECONDS):
        return _since_1970(value, 1 if form == SECONDS else 1000)
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    try:
        found = datetime.fromisoformat(value) if form == ISO else datetime.strptime(value, form)  # noqa: DTZ007  # its zone is given below
        if found.tzinfo is None:
            if zone is None or not _has_a_time(value, form):
                return None
            found = found.replace(tzinfo=zones.zone(zone))
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def written(at: datetime, form: str, zone: str | None) -> str | int:
    """*at* as the store writes it, parts that the form has no room for left out.

    Where the wall clock would show an hour that comes twice, an earlier one: who asks for what is
    new since then may be told twice, and must miss nothing.
    """
    if form in (SECONDS, MILLISECONDS):
        unit = timedelta(seconds=1) if form == SECONDS else timedelta(milliseconds=1)
        return (at - EPOCH) // unit
    if form == ISO:
        return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if not needs_zone(form) or zone is None:
        return at.astimezone(UTC).strftime(form)
    shown = at.astimezone(zones.zone(zone))
    while shown.utcoffset() != shown.replace(fold=1 - shown.fold).utcoffset():
        at -= HOUR
        shown = at.astimezone(zones.zone(zone))
    return shown.strftime(form)


def _has_a_time(value: str, form: str) -> bool:
    """Whether more than a day is told: a day alone is no instant."""
    return form != ISO or len(value) > len("2026-01-01")


def _since_1970(value: object, parts: int) -> datetime | None:
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return EPOCH + timedelta(milliseconds=value * (1000 // parts))
    except (ValueError, OverflowError):
        return None
