"""Letters read: from bytes to what the store is given, beside the standard library and the peer.

One core, processor time, letters one by one as the connector takes them, in pages of its size, what
earlier ones left behind handed on. Beside it the standard library (`email.parser.BytesParser`)
takes the same bytes apart, and does no more; and where letters quote, mail-parser-reply looks for
the quotes of the same texts.
"""

from __future__ import annotations

import gc
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from time import process_time
from typing import TYPE_CHECKING

from mailparser_reply import EmailReplyParser  # type: ignore[import-untyped]  # it ships no types
from mailparser_reply.constants import MAIL_LANGUAGES  # type: ignore[import-untyped]  # likewise

from benchmarks import mailbag
from benchmarks.harness import QUICK, ROUNDS, SIZES, Growth, Row, growth, heading, table
from connectors.amazon import mapping, trust
from connectors.amazon.identity import Memory
from connectors.amazon.letter import Arrival
from connectors.amazon.options import AmazonOptions
from core.transport import mime, quotes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from connectors.amazon.letter import Pieces

LETTERS = 200 if QUICK else 1_000
PAGE = 200
FEW = 50 if QUICK else 200
"""Letters for what takes long, or is long."""

NOW = mailbag.AT + timedelta(days=2)
ARRIVED = mailbag.AT + timedelta(days=1)
OPTIONS = AmazonOptions.model_validate({
    "user": mailbag.SHOP, "password": "of-a-bench", "sender": mailbag.SHOP,
    "imap": {"host": "127.0.0.1", "port": 993}, "smtp": {"host": "127.0.0.1", "port": 465},
    "marketplaces": ["A1PA6795UKMFR9"], "authserv_ids": [mailbag.SERVER],
})  # fmt: skip
STANDARD = BytesParser(policy=policy.default)
PEER = EmailReplyParser(languages=list(MAIL_LANGUAGES))


def main() -> None:
    quotes.written("On Monday, 1 May 2026 at 10:00, Ada <a@b.example> wrote:")  # makes its patterns
    buyers, answers = mailbag.buyers(LETTERS), mailbag.answers(LETTERS)
    notices = mailbag.notices(LETTERS)
    heading("Letters")
    size, whole = mailbag.SIZE / 1e3, sum(map(len, buyers)) / len(buyers) / 1e3
    print(f"{LETTERS:,} letters of {size:g} kB of text and HTML, {whole:.1f} kB with headers.\n")
    table([*_of_buyers(buyers), *_of_quotes(answers), *_of_notices(notices)], "letters")
    if not QUICK:
        print()
        growth(_growth(), "letters")


def mapped(
    letters: Sequence[bytes], *, is_sent: bool = False, memory: Memory | None = None
) -> list[Pieces]:
    """What comes of *letters*, page by page."""
    memory, found = memory or Memory(), []
    for first in range(0, len(letters), PAGE):
        every = []
        for raw in letters[first : first + PAGE]:
            every.append(mapping.pieces([_arrived(raw, is_sent=is_sent)], OPTIONS, memory, NOW))
            memory = every[-1].memory
        found.append(mapping.joined(every, memory))
    return found


def _arrived(raw: bytes, *, is_sent: bool) -> Arrival:
    mail = mime.read(raw)
    return Arrival(mail, ARRIVED, trust.of(mail, OPTIONS.authserv_ids), is_sent)


def _of_buyers(letters: Sequence[bytes]) -> Iterator[Row]:
    """Buyers' letters: all of the way, its stages, and the standard library on the same bytes."""
    starts = sum(len(page.messages) for page in mapped(letters))
    assert starts == len(letters), "every buyer's letter is a message"
    few = letters[:FEW]
    ours, reading, parsed, asked = _rounds(
        (letters, lambda: mapped(letters)),
        (letters, lambda: [mime.read(raw) for raw in letters]),
        (few, lambda: [STANDARD.parsebytes(raw) for raw in few]),
        (few, lambda: [_as_a_user_would(raw) for raw in few]),
    )
    yield Row("buyers' letters a second of a core", [1 / each for each in ours], ">= 500")
    yield Row("µs a letter", [each * 1e6 for each in ours])
    yield Row("of it bytes to parts and text (`mime.read`)", [each * 1e6 for each in reading])
    yield Row("the standard library's parser alone, µs", [each * 1e6 for each in parsed])
    yield Row("the same, text and headers asked for, µs", [each * 1e6 for each in asked])
    yield Row("all of ours in parsers of it alone", _ratio(ours, parsed))
    yield Row("`mime.read` in what is asked of it there", _ratio(reading, asked))


def _as_a_user_would(raw: bytes) -> tuple[object, ...]:
    """What the standard library says of a letter: sender, subject, texts and files."""
    letter = STANDARD.parsebytes(raw)
    bodies = (letter.get_body((kind,)) for kind in ("plain", "html"))
    texts = [body.get_content() for body in bodies if body is not None]
    names = ("from", "to", "reply-to", "subject", "message-id", "date")
    return (*(letter[name] for name in names), *texts, list(letter.iter_attachments()))


def _of_quotes(letters: Sequence[bytes]) -> Iterator[Row]:
    """Letters with quotes: all of the way, and the cut alone beside the peer's."""
    texts = [mime.read(raw).text for raw in letters]
    uncut = [text for text in texts if quotes.written(text) != mailbag.ANSWER.strip()]
    assert not uncut, f"{len(uncut)} quotes stay"
    few = texts[:50]
    ours, cut, theirs = _rounds(
        (letters, lambda: mapped(letters, is_sent=True)),
        (texts, lambda: [quotes.written(text) for text in texts]),
        (few, lambda: [PEER.parse_reply(text) for text in few]),
    )
    yield Row("letters with quotes a second", [1 / each for each in ours], ">= 150")
    yield Row("the cut of their quotes, µs", [each * 1e6 for each in cut])
    yield Row("mail-parser-reply's, µs", [each * 1e6 for each in theirs])
    yield Row("times mail-parser-reply", _ratio(theirs, cut))


def _of_notices(letters: Sequence[bytes]) -> Iterator[Row]:
    (ours,) = _rounds((letters, lambda: mapped(letters)))
    yield Row("Amazon's notices (HTML alone) a second", [1 / each for each in ours])


def _growth() -> list[Growth]:
    sizes = [int(mailbag.SIZE * size) for size in SIZES]
    counts = [int(LETTERS * size) for size in SIZES]
    nameless = mailbag.buyers(FEW, has_case=False, has_order=False)
    return [
        Growth("0.6, 6, 60 kB: µs a letter", [_spent(mailbag.buyers(FEW, n)) for n in sizes]),
        Growth(
            "the same with quotes", [_spent(mailbag.answers(FEW, n), is_sent=True) for n in sizes]
        ),
        Growth("100, 1,000, 10,000 letters: µs each", [_spent(mailbag.buyers(n)) for n in counts]),
        Growth(
            "without case and order, after so many of them",
            [_spent(nameless, memory=_left_by(n)) for n in counts],
        ),
    ]


def _left_by(count: int) -> Memory:
    """What *count* letters without case and order leave behind."""
    before = mailbag.buyers(count, 600, seed=8, has_case=False, has_order=False)
    return mapped(before)[-1].memory


def _spent(
    letters: Sequence[bytes], *, is_sent: bool = False, memory: Memory | None = None
) -> float:
    """µs a letter."""
    (seconds,) = _rounds((letters, lambda: mapped(letters, is_sent=is_sent, memory=memory)))
    return min(seconds) * 1e6


def _rounds(*jobs: tuple[Sequence[object], Callable[[], object]]) -> list[list[float]]:
    """Seconds of processor time a letter that each job takes, round by round, interleaved."""
    found: list[list[float]] = [[] for _ in jobs]
    for _ in range(ROUNDS):
        for (letters, job), seen in zip(jobs, found, strict=True):
            gc.collect()
            begun = process_time()
            job()
            seen.append((process_time() - begun) / len(letters))
    return found


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [our / their for our, their in zip(ours, theirs, strict=True)]


if __name__ == "__main__":
    main()
