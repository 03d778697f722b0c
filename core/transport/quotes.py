"""What the writer of a letter wrote: its text without the letters that it quotes. Pure.

A text is cut where a line says that an older letter begins, and lines behind ``>`` go; answers that
stand between quoted lines stay with them, and where nothing would be left, all is kept. Cutting too
little costs a reader a glance; cutting a buyer's words costs an answer: in doubt, they stay.

The library's patterns know the phrases of 13 languages and take time by the square of what they
look at, so they see only short windows that end like such a phrase; the rest is told here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

try:
    from mailparser_reply import (  # type: ignore[import-untyped]  # it ships no types
        EmailMessage,
    )
    from mailparser_reply.constants import (  # type: ignore[import-untyped]  # likewise
        MAIL_LANGUAGES,
    )
except ImportError as fault:  # pragma: no cover  # the extra is there wherever tests run
    raise ImportError("reading letters needs an extra: pip install 'replyby[mail]'") from fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_LINE = 250
"""Characters of a phrase such as "On ..., ... wrote:": a name, an address and a date have 150."""

MOST_HEADS = 60
"""Lines that are looked at closely: a letter with more lines of this look is a table."""

LOOK_AHEAD = 8
"""Lines in which the headers of a quoted letter stand."""

LABELS: Mapping[str, str] = {
    label: kind
    for kind, labels in {
        "from": "from von de da van od från fra lähettäjä kimden gönderen от отправитель feladó "
                "expeditor από 差出人 寄件者 寄件人 发件人 보낸사람 送信者",
        "date": "sent date gesendet datum envoyé envoyée inviato data enviado enviada fecha "
                "verzonden wysłano skickat sendt dato odesláno lähetetty gönderildi tarih дата "
                "отправлено küldve dátum trimis στάλθηκε ημερομηνία 送信日時 日時 日付 "
                "发送时间 日期 寄件日期 時間 보낸날짜 날짜",
        "to": "to an à a para aan do komu til till vastaanottaja kime alıcı кому címzett către "  # noqa: RUF001  # Turkish
              "προς 宛先 收件人 收件者 받는사람",
        "subject": "subject betreff objet oggetto asunto assunto onderwerp temat předmět ämne emne "
                   "aihe konu тема tárgy subiect θέμα 件名 主题 主題 主旨 제목",
    }.items()
    for label in labels.split()
}  # fmt: skip
"""The headers of a quoted letter as mail programs write them, in lower case, without spaces."""

LABEL = re.compile(r"[\s>*_]*+([^\W\d_]++(?: [^\W\d_]++)?+)[*_\s]*+[:\uff1a]")
MARKS = (">", "&gt;")
SEPARATOR = re.compile(
    r"[\s>*]*+[-_=]{2,}+\s*+(?:original message|original appointment|forwarded message"
    r"|urspr(?:ü|ue)ngliche (?:nachricht|mail)|weitergeleitete nachricht"
    r"|message d['\u2019]origine|message original|message transf[ée]r[ée]"
    r"|messaggio originale|messaggio inoltrato"
    r"|mensaje original|mensaje reenviado|mensagem original|mensagem encaminhada"
    r"|oorspronkelijk bericht|doorgestuurd bericht|(?:wiadomość oryginalna|oryginalna wiadomość)"
    r"|ursprungligt meddelande|originalmeddelande|oprindelig meddelelse|opprinnelig melding"
    r"|alkuperäinen viesti|orijinal (?:ileti|mesaj)|özgün ileti|původní (?:zpráva|e-mail)"
    r"|исходное сообщение|eredeti üzenet|元のメッセージ|original ?メッセージ|원본 ?메시지"
    r"|原始邮件|原始郵件|邮件原件)\s*+[-_=]{2,}\s*+\Z",
    re.IGNORECASE,
)
RULE = re.compile(r"\s*+[_-]{20,}\s*+\Z")
WROTE = re.compile(
    r"\b(?:escreveu|kirjoitti|skrev|yazdı|yazmış|написала?|пишет|írta|a scris|έγραψε|wrote"  # noqa: RUF001  # Turkish
    r"|schrieb|écrit|scritto|escribió|schreef|napisał|napsal)|のメール|さんは|様が|写道|寫道|작성|書きました",
    re.IGNORECASE,
)
DATE = re.compile(r"\d{1,2}[:.h]\d{2}|\b(?:19|20)\d{2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
ADDRESS = re.compile(r"[@<]")
COLONS = (":", "\uff1a")


def written(text: str) -> str:
    """*text* without what it quotes; all of it where nothing would be left."""
    if ">" not in text and not any(colon in text for colon in COLONS):
        return text
    lines = text.split("\n")
    kept = _without_quoted_lines(lines[: end(lines)])
    return kept if kept.strip() else text


def end(lines: Sequence[str], most: int = MOST_HEADS) -> int:
    """The line at which an older letter begins whose lines bear no mark; how many, if none does.

    So many lines as *most* are looked at closely: each may take a millisecond.
    """
    left = most
    for index, line in enumerate(lines):
        said = line.strip()
        if not said or said.startswith(MARKS) or not _may_begin(said):
            continue
        start = _beginning(lines, index, said)
        left -= 1
        if start is not None or not left:
            return len(lines) if start is None else start
    return len(lines)


def _may_begin(said: str) -> bool:
    """The cheap test: whether a line has the look of one before an older letter."""
    if said[0] in "-_=" or said.endswith(COLONS):
        return True
    return any(colon in said for colon in COLONS) and _kind(said) == "from"


def _beginning(lines: Sequence[str], index: int, said: str) -> int | None:
    """Where an older letter begins that *said*, the line at *index*, may belong to."""
    if SEPARATOR.match(said) or _is_rule(lines, index) or _is_block(lines, index):
        return index
    if said.endswith(COLONS) and not _next_is_quoted(lines, index):
        return _phrase(lines, index)
    return None


def _kind(line: str) -> str | None:
    found = LABEL.match(line[:60])
    return LABELS.get(found[1].replace(" ", "").lower()) if found else None


def _is_block(lines: Sequence[str], index: int) -> bool:
    """Whether the headers of a letter begin at *index*: its sender, and two more at least."""
    if _kind(lines[index]) != "from":
        return False
    return len({_kind(line) for line in lines[index : index + LOOK_AHEAD]} - {None}) >= 3


def _is_rule(lines: Sequence[str], index: int) -> bool:
    """Whether a line across the page stands before the headers of a letter."""
    if not RULE.match(lines[index]):
        return False
    later = [line for line in lines[index + 1 : index + 1 + LOOK_AHEAD] if line.strip()]
    kinds = {_kind(line) for line in later} - {None}
    return bool(later) and _kind(later[0]) == "from" and len(kinds) >= 2


def _next_is_quoted(lines: Sequence[str], index: int) -> bool:
    following = next((line for line in lines[index + 1 : index + 4] if line.strip()), "")
    return following.lstrip().startswith(MARKS)


def _phrase(lines: Sequence[str], index: int) -> int | None:
    """Where a phrase such as "On ..., ... wrote:" begins that ends at *index*; None for no such.

    It names a date or an address, or quoted lines follow: "On Monday you wrote:" is the writer's.
    """
    for start in range(index, max(index - 3, -1), -1):
        if start < index and not lines[start].strip():
            return None
        said = " ".join(line.strip() for line in lines[start : index + 1])
        if len(said) > LONGEST_LINE:
            return None
        if _is_phrase(said) and (_is_dated(said) or _next_is_quoted(lines, index)):
            return start - 1 if start and _goes_before(lines[start - 1], said) else start
    return None


def _is_dated(said: str) -> bool:
    return bool(DATE.search(said) or ADDRESS.search(said))


def _goes_before(line: str, said: str) -> bool:
    """Whether *line* is the first half of the phrase: its date, cut off by a line break."""
    return not DATE.search(said) and len(line) <= LONGEST_LINE and bool(DATE.search(line))


def _is_phrase(said: str) -> bool:
    return bool(WROTE.search(said)) or bool(_library().search(said))


@lru_cache(maxsize=1)
def _library() -> re.Pattern[str]:
    """The library's patterns for the heads of quoted letters, in all languages that it has."""
    pattern: re.Pattern[str] = EmailMessage("", languages=list(MAIL_LANGUAGES)).HEADER_REGEX
    return pattern


def _without_quoted_lines(lines: Sequence[str]) -> str:
    """*lines* without the quoted ones before and after what the writer says, and their phrases.

    Quoted lines between two of the writer's paragraphs of which the first answers some before it
    stay where they are: an answer is read with its question.
    """
    runs = _runs(lines)
    quoted = [index for index, (is_quoted, _) in enumerate(runs) if is_quoted]
    if not quoted:
        return "\n".join(lines).rstrip()
    answers = [index for index, (is_quoted, _) in enumerate(runs) if not is_quoted]
    last = max(answers, default=-1)
    inline = [index for index in quoted if index < last]
    keeps = set(inline) if len(inline) > 1 else set()
    said: list[str] = []
    for index, (is_quoted, run) in enumerate(runs):
        if not is_quoted:
            before_quote = index + 1 < len(runs) and index + 1 not in keeps
            said += _without_phrase(run) if before_quote else run
        elif index in keeps:
            said += run
    return "\n".join(said).strip("\n").rstrip()


def _runs(lines: Sequence[str]) -> list[tuple[bool, list[str]]]:
    """Quoted and unquoted lines by turns; empty lines belong to those before them."""
    runs: list[tuple[bool, list[str]]] = []
    for line in lines:
        is_quoted = line.lstrip().startswith(MARKS)
        if runs and (not line.strip() or runs[-1][0] == is_quoted):
            runs[-1][1].append(line)
        else:
            runs.append((is_quoted, [line]))
    return runs


def _without_phrase(run: list[str]) -> list[str]:
    """*run* without the phrase at its end that introduces the quoted lines."""
    last = len(run)
    while last and not run[last - 1].strip():
        last -= 1
    if not last or not run[last - 1].rstrip().endswith(COLONS):
        return run
    start = _phrase([*run[:last], "> "], last - 1)
    return run if start is None else run[:start]
