"""One set-up for our log lines and the libraries': JSON or readable, secrets taken out last."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Literal, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]

FIRST = ("timestamp", "level", "event", "loop", "account", "stream")
HIDDEN = "[hidden]"
SHORTEST_SECRET = 4

REPEATS = ("asyncpg.pool",)
"""Libraries that warn at every attempt while the database is away; our loops say it once."""

SILENT = ("opentelemetry",)
"""Libraries that tell of each attempt what is told here once: `core.running.tracing`."""

WORDY = ("imapclient", "mail", "pymap")
"""Libraries that tell of each command and each letter: names, addresses and words of buyers."""

_KEYS = re.compile(
    r"authorization|token|secret|passw|api[ _-]?key|cookie|dsn|signature|credential|bearer",
    re.IGNORECASE,
)
_VALUES = (
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/|#^=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]*@"), f"{HIDDEN}@"),
    (
        re.compile(
            r"\b([\w-]*(?:token|secret|passw\w*|api[_-]?key|signature)[\"']?)"
            r"(\s*=\s*[\"']?|\s*:\s*[\"'])[^\s&\"',;}]+",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\bAtz[ar]\|[\w+/=|-]+|\bv\^1\.1#[^\s\"']+"), HIDDEN),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), HIDDEN),
)


class Redaction:
    """The last processor before the renderer: hides by the name of a key and the shape of a value.

    *secrets* are values that the settings hold; they are hidden wherever they stand.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: tuple[str, ...] = ()
        self.hide(secrets)

    def hide(self, secrets: Iterable[str]) -> None:
        """Hide these values from now on, too; the shortest would hide common words."""
        known = {*self._secrets, *(s for s in secrets if len(s) >= SHORTEST_SECRET)}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        """*line* without secrets."""
        return {key: self.pair(key, value) for key, value in line.items()}

    def pair(self, key: str, value: object) -> object:
        """*value* as it may stand under *key*."""
        return HIDDEN if _KEYS.search(key) and value else self.value(value)

    def value(self, value: object) -> object:
        """*value* without secrets, whatever it nests."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.pair(str(key), inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(inner) for inner in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))

    def text(self, text: str) -> str:
        """*text* without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for shape, instead in _VALUES:
            text = shape.sub(instead, text)
        return text


def set_up(
    form: Format = "auto",
    level: Level = "info",
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> Redaction:
    """Send all log lines to *stream*, the standard error output where none is given.

    ``auto`` is readable on a terminal and JSON elsewhere. Returns the redaction, so that secrets
    read later can be hidden too.
    """
    out = stream or sys.stderr
    console = form == "console" or (form == "auto" and out.isatty())
    redaction = Redaction(secrets)
    shared = _shared(console=console)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(shared, redaction, _renderer(out, console=console)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in REPEATS:
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in WORDY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    return redaction


def _shared(*, console: bool) -> list[Processor]:
    trace: Processor = (
        structlog.processors.format_exc_info
        if console
        else structlog.processors.ExceptionRenderer(
            ExceptionDictTransformer(show_locals=False, max_frames=8)
        )
    )
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        trace,
    ]


def _formatter(
    shared: list[Processor], redaction: Redaction, renderer: Processor
) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            *shared[:2],
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            *shared[2:],
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _in_order,
            redaction,
            renderer,
        ],
    )


def _in_order(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """When, how bad, what; then the fields."""
    first = {key: line[key] for key in FIRST if key in line}
    return {**first, **line}


def _renderer(out: TextIO, *, console: bool) -> Processor:
    if console:
        return structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=24)
    return structlog.processors.JSONRenderer(ensure_ascii=False)
