"""Until when a letter of Amazon's asks for an answer: read from its own sentence. Pure.

A sentence counts where it asks the seller to answer and says within how long or until which day;
of several the earliest. What a buyer may do, what a seller may (an appeal), and what Amazon will do
itself is no deadline.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Final

from sla.zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

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
_AMAZON = (
    r"(?:(?<!\w)(?:we|amazon|our (?:\w+ )?(?:team|specialists?|investigators?)"
    r"|the (?:\w+ )?team|customer service)\s+(?:\w{2,9}ly\s+|also\s+|then\s+)?"
    r"(?:will|shall|can|may|aims?|expects?|intends?|try|tries|respon|repl|answer|provid|review"
    r"|investigat|decid|get|contact|let)|\bwe['\u2019]ll\b"
    r"|\bwill\s+be\s+(?:provided|answered|reviewed|made|sent)|\byou\s+will\s+(?:receive|get|hear)"
    r"|\b(?:wir|amazon|unser (?:\w+[- ])?team)\s+(?:werden|wird|antwort|beantwort|reagier|prüf|meld"
    r"|entscheid|bearbeit|teil|kontaktier|informier)"
    r"|\b(?:werden|wird|antworten|antwortet|prüfen|melden)\s+(?:wir|amazon|unser)\b"
    r"|\bsie\s+(?:erhalten|bekommen)\b"
    r"|\b(?:nous|amazon|notre (?:\w+ )?équipe)\s+(?:vous\s+|y\s+)?(?:répond|examin|fourni|prend"
    r"|traite|contacte|étudi|inform|allons|va\b|rend)|\bvous\s+recevrez\b"
    r"|\b\w{3,}(?:eremo|iremo|aremo|rremo)\b|\b(?:amazon|il nostro team)\s+\w{2,}rà\b|\briceverà\b"
    r"|\b\w{3,}remos\b|\b(?:amazon|nuestro equipo|nossa equipe)\s+\w{2,}rá\b|\brecibirá\b"
    r"|\breceberá\b|\b(?:vamos|amazon va(?:i)?)\b"
    r"|\b(?:wij|we|amazon|ons team)\s+(?:zullen|zal|antwoord|reage|beoordel|nemen|neemt|laten)"
    r"|\b(?:zullen|zal|antwoorden|reageren)\s+(?:wij|we|amazon)\b|\bu\s+ontvangt\b"
    r"|(?:当社|弊社|amazon|アマゾン)(?:が|は|から|より))"
)
_SELLERS = (
    r"\b(?:please|you must|you need|you have to|you should|you respond|you reply|you answer"
    r"|you provide|you submit|bitte|sie müssen|sie antworten|veuillez|vous devez|merci de|deve|debe"
    r"|devi|si prega|por favor|você deve|gelieve|u moet)\b|ください|下さい"
)
# What Amazon does goes on to the next part of the sentence, or to where the seller is asked.
_OURS = re.compile(
    rf"{_AMAZON}(?:(?!{_SELLERS}|[.!?]\s|\b(?:unless|if|until|when|once|should|wenn|falls|sofern"
    r"|sauf si|à moins|a meno|salvo|a menos|tenzij|als)\b)[^,;:\u3002])*"
    r"|[^\u3001\u3002]{0,80}(?:回答|返信|返答|審査|決定|連絡|お知らせ)を?(?:いたします|致します|します)",
    re.IGNORECASE,
)
_FIRST = re.compile(rf"\s*,?\s*(?:{_AMAZON})", re.IGNORECASE)
_ADDRESSES = re.compile(
    rf"{_SELLERS}|\b(?:your?|seller|sie|ihre?|vous|votre|répondez|dovete|risponda|rispondi|sua|tua|lei"
    r"|usted|su|tiene|rogamos|responda|conteste|você|u|uw)\b|お願い|出品者",
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
    r"(?:\s*(?P<half>[ap])\.?m\.?)?",
    re.IGNORECASE,
)


# Only as they are written: in small letters they are words. Those of a zone with summer time mean
# the hour that its clocks show.
_ZONES: Final = {
    name: zone_
    for zone_, names in {
        "UTC": "UTC GMT Z",
        "America/Los_Angeles": "PST PDT PT",
        "America/Denver": "MST MDT MT",
        "America/Chicago": "CST CDT CT",
        "America/New_York": "EST EDT ET",
        "Europe/London": "BST",
        "Europe/Lisbon": "WET WEST",
        "Europe/Paris": "CET CEST MEZ MESZ",
        "Europe/Athens": "EET EEST",
        "Asia/Tokyo": "JST",
        "Australia/Sydney": "AEST AEDT",
    }.items()
    for name in names.split()
}
_ZONE = re.compile(
    rf"\s*(?:[Uu]hr\s*)?\(?(?P<zone>{'|'.join(sorted(_ZONES, key=len, reverse=True))})"
    r"(?:\s?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?)?(?!\w)"
)

MONTH_FIRST = frozenset({"US"})
EITHER_FIRST = frozenset({"CA"})
"""English letters there put the month first, French ones the day (inferred)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Until when, and the sentence that says so.

    *uncertain*: working days were counted as days, a date can be read in two ways, or nobody knows
    in which zone.
    """

    due_at: datetime
    sentence: str
    uncertain: bool = False


def read(
    text: str, at: datetime, where: Marketplace | None, within: timedelta | None = None
) -> Asked | None:
    """Until when *text*, of the instant *at*, asks for an answer; None where it does not say.

    A number of days or hours counts from *at*; a day ends at midnight in the zone that stands with
    it, else in that of the marketplace *where*. Where a published number says *within* how long, a
    sentence that gives longer has to address the seller: else the number counts, flagged.
    """
    found = [
        replace(_limited(asked, at, within), sentence=sentence)
        for sentence in sentences(text)
        if _ASKS.search(sentence) and not _MAY.search(sentence)
        if _ASKS.search(asks := _sellers(sentence))
        for asked in (*_counted(asks, at), *_dated(asks, where))
        if at < asked.due_at <= at + LONGEST
    ]
    return min(found, key=lambda asked: (asked.due_at, asked.sentence), default=None)


def _sellers(sentence: str) -> str:
    """*sentence* without what Amazon does itself; spaces stand there."""
    for shape in (_WITHIN, _WITHIN_JA):
        first = shape.match(sentence)
        if first and _FIRST.match(sentence, first.end()):
            sentence = " " * first.end() + sentence[first.end() :]
    return _OURS.sub(lambda found: " " * len(found[0]), sentence)


def _limited(asked: Asked, at: datetime, within: timedelta | None) -> Asked:
    if within is None or asked.due_at <= at + within or _ADDRESSES.search(asked.sentence):
        return asked
    return replace(asked, due_at=at + within, uncertain=True)


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
        days = _days(match, where)
        for day in days:
            try:
                due_at, is_sure = _end_of(day, sentence, match.end(), where)
            except (ValueError, OverflowError):
                continue
            yield Asked(due_at, sentence, uncertain=not is_sure or len(days) > 1)


def _days(found: re.Match[str], where: Marketplace | None) -> tuple[date, ...]:
    """The days that a date may name: two where nobody can say whether the month comes first."""
    told = {name: value for name, value in found.groupdict().items() if value}
    if "iso" in told:
        return _real((told["iso"].split("-"),))
    if "figures" not in told:
        named = told.get("month") or told["month2"]
        month = int(named) if named.isdecimal() else _MONTHS[named.lower()]
        return _real(((told.get("year") or told["year2"], month, told.get("day") or told["day2"]),))
    first, second, year = re.split(r"[./-]", told["figures"])
    country = where.country if where else ""
    by_month, by_day = _real(((year, first, second),)), _real(((year, second, first),))
    if not country or country in EITHER_FIRST:
        return tuple(dict.fromkeys((*by_month, *by_day)))
    return by_month if country in MONTH_FIRST else by_day


def _real(told: Iterable[Iterable[str | int]]) -> tuple[date, ...]:
    """Those of years, months and days that there are."""
    found = []
    for year, month, day in told:
        with suppress(ValueError):
            found.append(date(int(year), int(month), int(day)))
    return tuple(found)


def _end_of(day: date, sentence: str, end: int, where: Marketplace | None) -> tuple[datetime, bool]:
    """The instant of the time that follows at *end*, else the end of *day*; is its zone known?

    Raises:
        ValueError: there is no such time.
    """
    told = _TIME.match(sentence, end)
    named = _ZONE.match(sentence, told.end() if told else end)
    there = _named_zone(named) if named else zone(where.zone if where else "UTC")
    is_sure = named is not None or where is not None
    if told is None:
        midnight = datetime.combine(day + timedelta(days=1), time(0), there)
        return midnight.astimezone(UTC), is_sure
    half, hour = (told["half"] or "").lower(), int(told["hour"])
    hour = hour % 12 + (12 if half == "p" else 0) if half else hour
    at = datetime.combine(day, time(hour, int(told["minute"])), there)
    return at.astimezone(UTC), is_sure


def _named_zone(named: re.Match[str]) -> tzinfo:
    """The zone that stands with a date; what is added to it counts from UTC alone.

    Raises:
        ValueError: there is no such zone.
    """
    if not named["sign"]:
        return zone(_ZONES[named["zone"]])
    apart = timedelta(hours=int(named["hours"]), minutes=int(named["minutes"] or 0))
    return timezone(-apart if named["sign"] == "-" else apart)
