"""Until when a letter of Amazon's asks for an answer: read from its own sentence. Pure.

A sentence counts where it asks the seller to answer and says within how long or until which day;
of several the earliest. What a buyer may do, and what a seller may (an appeal), is no deadline.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from sla.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.amazon.marketplaces import Marketplace

LONGEST = timedelta(days=60)
"""A deadline further away was misread."""

MOST = 100_000

# No sentence ends in a date ("24. November", "Nov. 24"), but many in an order's number.
_ENDS = re.compile(
    r"(?<=[^\d\s][.!?])\s+(?=\D)|(?<=-\d{7}[.!?])\s+(?=\D)|(?<=[\u3002\uff01\uff1f])|\n"
)
_ASKS = re.compile(
    r"\b(?:respon[ds]|reply|answer|provide|submit"  # en, es, pt (respond-, respons-)
    r"|antwort|beantwort|reagier|äußern|stellungnahme"
    r"|répon[ds]|fourni"
    r"|rispond|risposta|forni"
    r"|contest[ae]|proporcion"
    r"|antwoord|reageer)"
    r"|返信|回答|返答|ご連絡|ご提出",
    re.IGNORECASE,
)
_MAY = re.compile(
    r"\b(?:appeal|einspruch|widerspruch|recours|faire appel|ricorso|appello|apela|recurso|beroep)"
    r"|異議"
    r"|\b(?:buyer|customer|käufer|kunde|acheteur|cliente?|acquirente|comprador|koper|klant)\s+"
    r"(?:may|can|has|kann|hat|peut|dispose|può|ha|puede|tiene|pode|tem|kan|heeft)\b",
    re.IGNORECASE,
)
_NUMBERS: Final = {
    name: value
    for value, names in {
        1: "one einem einer un une uno una um uma een",
        2: "two zwei deux due dos dois duas twee",
        3: "three drei trois tre tres três drie",
        4: "four vier quatre quattro cuatro quatro",
        5: "five fünf cinq cinque cinco vijf",
        7: "seven sieben sept sette siete sete zeven",
    }.items()
    for name in names.split()
}
_COUNT = rf"(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})"
_DAY = (
    r"(?:calendar |business |working )?days?|(?:kalender|werk|arbeits)?tag(?:en|e)?|jours?"
    r"|giorn[io]|d[ií]as?|dias?|(?:kalender|werk)?dag(?:en)?"
)
_HOUR = r"hours?|stunden?|heures?|or[ae]|horas?|uur|uren"
_WITHIN = re.compile(
    r"\b(?:within|innerhalb(?: von)?|binnen|sous|dans(?: un délai de| les)?|entro|nell'arco di"
    r"|en(?: un plazo de)?|dentro de|em(?: até)?|no prazo de|até)\s+"
    rf"(?:\w{{1,12}}\s+){{0,2}}{_COUNT}\s*(?:\(\d{{1,3}}\)\s*)?(?:(?P<day>{_DAY})|(?P<hour>{_HOUR}))\b",
    re.IGNORECASE,
)
_WITHIN_JA = re.compile(r"(?P<count>\d{1,3})\s*(?:(?P<day>営業日|日)|(?P<hour>時間))\s*以内")
_WORKING = re.compile(
    r"business|working|werktag|arbeitstag|ouvr|lavorativ|hábil|laborable|út(?:eis|il)|werkdag|営業",
    re.IGNORECASE,
)
_UNTIL = (
    r"\b(?:by|before|until|no later than|bis(?: spätestens)?(?: zum)?|spätestens am|vor dem"
    r"|avant le|d'ici (?:le|au)|au plus tard le|jusqu'au|entro(?: e non oltre)?(?: il)?|prima del"
    r"|antes del?|a más tardar el|hasta el|até(?: o dia| o)?|uiterlijk(?: op)?|vóór|voor)\s+"
    r"(?:[\w.]{2,12},?\s+)?"
)
_MONTHS: Final = {
    name: month
    for month, names in enumerate(
        (
            "january januar janvier gennaio enero janeiro januari",
            "february februar février febbraio febrero fevereiro februari",
            "march märz mars marzo março maart",
            "april avril aprile abril",
            "may mai maggio mayo maio mei",
            "june juni juin giugno junio junho",
            "july juli juillet luglio julio julho",
            "august août agosto augustus",
            "september septembre settembre septiembre setembro",
            "october oktober octobre ottobre octubre outubro",
            "november novembre noviembre novembro",
            "december dezember décembre dicembre diciembre dezembro",
        ),
        1,
    )
    for word in names.split()
    for name in (word, word[:3])
}
_MONTH = "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True))
_DATES = re.compile(
    rf"{_UNTIL}(?:"
    r"(?P<iso>\d{4}-\d{2}-\d{2})"
    r"|(?P<figures>\d{1,2}[./-]\d{1,2}[./-]\d{4})"
    rf"|(?P<day>\d{{1,2}})(?:\.|st|nd|rd|th|er|º)?\s+(?:de\s+)?(?P<month>{_MONTH})\.?\s+(?:de\s+)?"
    r"(?P<year>\d{4})"
    rf"|(?P<month2>{_MONTH})\.?\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year2>\d{{4}})"
    r")",
    re.IGNORECASE,
)
_DATES_JA = re.compile(
    r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日(?:[^。]{0,12}?)まで"
)


_TIME = re.compile(
    r"\s*,?\s*(?:at|um|à|alle(?: ore)?|a las|às|om)?\s*(?P<hour>\d{1,2})[:h](?P<minute>\d{2})"
    r"(?:\s*(?P<half>[ap])\.?m)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Until when, and the sentence that says so. *uncertain*: working days were counted as days."""

    due_at: datetime
    sentence: str
    uncertain: bool = False


def read(
    text: str, at: datetime, where: Marketplace | None, within: timedelta | None = None
) -> Asked | None:
    """Until when *text*, of the instant *at*, asks for an answer; None where it does not say.

    A number of days or hours counts from *at*; a day ends at midnight in the zone of the
    marketplace *where*.
    """
    found = [
        asked
        for sentence in sentences(text)
        if _ASKS.search(sentence) and not _MAY.search(sentence)
        for asked in (*_counted(sentence, at), *_dated(sentence, where))
    ]
    likely = (asked for asked in found if at < asked.due_at <= at + LONGEST)
    return min(likely, key=lambda asked: (asked.due_at, asked.sentence), default=None)


def sentences(text: str) -> Iterable[str]:
    """The sentences of *text*; one does not go over the end of a line."""
    return (sentence for part in _ENDS.split(text[:MOST]) if (sentence := part.strip()))


def _counted(sentence: str, at: datetime) -> Iterable[Asked]:
    """Within how many days or hours. Working days are no longer than days: told too early."""
    for shape in (_WITHIN, _WITHIN_JA):
        for match in shape.finditer(sentence):
            number = match["count"].lower()
            count = int(number) if number.isdecimal() else _NUMBERS[number]
            span = timedelta(hours=count) if match["hour"] else timedelta(days=count)
            yield Asked(at + span, sentence, uncertain=bool(_WORKING.search(match[0])))


def _dated(sentence: str, where: Marketplace | None) -> Iterable[Asked]:
    for match in (*_DATES.finditer(sentence), *_DATES_JA.finditer(sentence)):
        try:
            day = _day(match, american=where is not None and where.country == "US")
            due_at = _end_of(day, _TIME.match(sentence, match.end()), where)
        except ValueError:
            continue
        yield Asked(due_at, sentence, uncertain=where is None)


def _day(found: re.Match[str], *, american: bool) -> date:
    """The day that a date names.

    Raises:
        ValueError: there is no such day.
    """
    told = {name: value for name, value in found.groupdict().items() if value}
    if "iso" in told:
        return date.fromisoformat(told["iso"])
    if "figures" in told:
        first, second, year = map(int, re.split(r"[./-]", told["figures"]))
        return date(year, first, second) if american else date(year, second, first)
    named = told.get("month") or told["month2"]
    month = int(named) if named.isdecimal() else _MONTHS[named.lower()]
    return date(int(told.get("year") or told["year2"]), month, int(told.get("day") or told["day2"]))


def _end_of(day: date, told: re.Match[str] | None, where: Marketplace | None) -> datetime:
    """The instant of the time *told*, else the end of *day*, there; UTC where nobody knows where.

    Raises:
        ValueError: there is no such time.
    """
    there = zone(where.zone if where else "UTC")
    if told is None:
        return datetime.combine(day + timedelta(days=1), time(0), there).astimezone(UTC)
    half, hour = (told["half"] or "").lower(), int(told["hour"])
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    return datetime.combine(day, time(hour, int(told["minute"])), there).astimezone(UTC)
