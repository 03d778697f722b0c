"""Amazon's own report about the seller, "Customer Metrics" (V1, XML). Pure.

The only one that tells of response times: V2 has none (trap 20), and an account may have no V1.
Its shape is not documented; names were seen in the field. So whatever stands in the node of a
window is a number of that name, and what is missing is not there. It is Amazon's figure, never
ours (trap 48).
"""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser

from core.errors import BadPayload
from core.model import Published
from sla.contract import Reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from xml.etree.ElementTree import Element

MOST_BYTES = 8 * 2**20
_GZIP = b"\x1f\x8b"
_WINDOW = "responseTimeMetrics"
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z])(?=\d)")
_DAY = 86400
_HOUR = 3600
PREFIX = "amazon_"

_NAME = re.compile(PREFIX + r"(\w+?)_(\d{1,4})_days(_percent)?")
_IN_TIME = "response_under_24_hours"
_LATE = "response_time_greater_than_24_hours"
_NEVER = "no_response_for_contacts_older_than_24_hours"
_MEAN = "average_response_time_in_hours"


class _Plain(TreeBuilder):
    """Takes no document type: what it declares can grow without an end."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError(name, pubid, system)


def unpacked(raw: bytes) -> bytes:
    """*raw*, out of gzip where it is that.

    Raises:
        BadPayload: it is cut, damaged or larger than a report can be.
    """
    if not raw.startswith(_GZIP):
        return raw
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = unpacking.decompress(raw, MOST_BYTES)
    except zlib.error:
        raise BadPayload("the report is damaged", detail="not_gzip") from None
    if not unpacking.eof:
        raise BadPayload("the report is cut, or too large", detail="too_large")
    return content


def published(raw: bytes, as_of: datetime) -> tuple[Published, ...]:
    """The response times that the report tells, a name for each number and window.

    ``amazon_response_under_24_hours_30_days``; ``..._percent`` where it is told as a share. The
    instant is the window's end; *as_of* where it tells none.

    Raises:
        BadPayload: it is no XML.
    """
    parser = XMLParser(target=_Plain())  # noqa: S314  # without a document type nothing can expand
    try:
        parser.feed(raw)
        root: Element = parser.close()
    except (ParseError, ValueError, LookupError):
        raise BadPayload("the report is no plain XML", raw=raw, detail="not_xml") from None
    found = [number for window in root.iter(_WINDOW) for number in _of(window, as_of)]
    return tuple({(one.name, one.as_of): one for one in found}.values())


def reported(numbers: Mapping[str, tuple[datetime, float]]) -> tuple[Reported, ...]:
    """The share in time and the mean of each window, as far as the newest report tells them."""
    windows: dict[tuple[int, datetime], dict[str, float]] = {}
    for name, (as_of, value) in numbers.items():
        if found := _NAME.fullmatch(name):
            of_window = windows.setdefault((int(found[2]), as_of), {})
            of_window[found[1] + (found[3] or "")] = value
    return tuple(
        number
        for (days, as_of), told in sorted(windows.items())
        for number in _compared(told, timedelta(days=days), as_of)
    )


def _compared(told: Mapping[str, float], length: timedelta, as_of: datetime) -> Iterator[Reported]:
    if (percent := told.get(f"{_IN_TIME}_percent")) is not None:
        yield Reported("share", percent / 100, as_of, length)
    elif told.keys() >= {_IN_TIME, _LATE, _NEVER}:
        total = told[_IN_TIME] + told[_LATE] + told[_NEVER]
        if total > 0:
            yield Reported("share", told[_IN_TIME] / total, as_of, length, round(total))
    if (hours := told.get(_MEAN)) is not None:
        yield Reported("mean", hours * _HOUR, as_of, length)


def _of(window: Element, as_of: datetime) -> Iterator[Published]:
    start, end = (_instant(window.findtext(f"timeFrame/{edge}")) for edge in ("start", "end"))
    days = f"_{round((end - start).total_seconds() / _DAY)}_days" if start and end else ""
    for node in window:
        text = (node.text or "").strip()
        value = _number(text.removesuffix("%"))
        if len(node) == 0 and value is not None:
            unit = "_percent" if text.endswith("%") else ""
            yield Published(f"{PREFIX}{_snake(node.tag)}{days}{unit}", value, end or as_of)


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", ".", 1))
    except ValueError:
        return None
    return value if isfinite(value) else None


def _instant(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat((text or "").strip())
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _snake(tag: str) -> str:
    return _HUMP.sub("_", tag).lower()[:100]
