"""The closed sets of metric labels, and which word stands for what.

A label's value comes from the settings or from a set below: never a thread, a message, a buyer,
an address or the text of an error.
"""

from __future__ import annotations

from core.errors import BadCredentials, BadPayload, Error, LeaseLost, RateLimited, Unreachable
from core.model import NoticeKind

OTHER = "other"
MANY_ACCOUNTS = 2_000

OUTCOMES = (
    "success", "partial", "throttled", "auth_error", "client_error", "server_error", "timeout",
    "network", "parse_error", "lease_lost",
)  # fmt: skip
"""How a walk ended: `polls`."""

DIRECTIONS = ("in", "out")
"""From the buyer or the marketplace; from the seller: `messages_stored`."""

CLOCKS = ("first_reply", "next_reply", "given")
"""Label `clock`: which waiting of a thread."""

CLOSED = ("met", "breached", "void", "marked")
RESULTS = ("started", *CLOSED, "late", "corrected", "reopened", "history")
"""Results in `tally`: ``breached`` is a deadline that passed, ``late`` a reply after it.

``marked`` is a void end of which an agent says that the marketplace was told: counted apart, for
nobody here has seen that mark.
"""

REPLY = "reply"
ACCEPTED, REFUSED, ELSEWHERE = "accepted", "refused", "elsewhere"
"""In `tally`, where a clock's metric stands otherwise: what became of replies from here, and the
answers that were given without us."""

BANDS = ("ok", "warning", "critical", "breached")
"""Label `band`: no step told, the first warning passed, the last one passed, past the deadline."""

QUARANTINE = ("item", "page", "push")
"""What could not be read: one entry, a whole answer, a push."""

CODES = (
    "0", "200", "201", "202", "204", "2xx", "3xx", "400", "401", "403", "404", "409", "413", "415",
    "422", "429", "4xx", "500", "502", "503", "504", "5xx",
)  # fmt: skip
"""HTTP status of an answer; others fall into their class; ``0`` is no answer."""

RETRIES = ("rate_limited", "unreachable")
"""Why a request was made again: the `reason` of the error."""

LOOPS = (
    "worker", "poll", "watch", "tend", "deliver", "reply", "erase", "blind", "heartbeat", "flood",
    "mutes", "escalate", "outward", "disk", "duty", "keys", "redate", "orders", "count", "judge",
    "purge", "reload",
)  # fmt: skip
"""The loops of the daemon: `loop_last_turn_timestamp_seconds`."""

FAILED = ("store_unavailable", "store_impaired")
"""Why a round of a loop broke off: the `reason` of the error."""

SENT = ("delivered", "retried", "dead")
"""What became of an attempt to send: `notifications`."""

SUPPRESSED = ("answered", "ended", "moved", "over", "overtaken")
"""Why a notice was not sent after all: an answer, the clock's end, another deadline; the trouble it
tells of had passed; a later word about the same clock or account was raised."""

PUSHED = (
    "stored", "duplicate", "challenge", "no_challenge", "erasure", "unknown_topic",
    "unknown_account", "not_ready", "bad_signature", "no_signature", "unverified", "stale",
    "too_large", "too_slow", "crowded", "unreadable", "failed",
)  # fmt: skip
"""What became of a push: `pushes`, each of them a `core.connector.PushOutcome`."""

READ = (
    "stored", "duplicate", "erasure", "unknown_topic", "unknown_account", "stale", "unreadable",
    "failed",
)  # fmt: skip
"""What may become of a push whose topic is believed: of others nobody read it, or may believe it;
they count under the topic `OTHER`."""

TABLES = (
    "push", "push_hour", "flood", "notice", "mute", "market_order", "link", "deed", "verdict",
    "claim", "escalation",
    "reply_form", "reply_file", "presence",
    "erasure", "forgotten", "raw_message", "set_aside", "thread", "audit", "session", "invitation",
    "token", "sign_in_try",
)  # fmt: skip
ACTIONS = ("deleted", "emptied")
"""What retention removes, and how: `retention_rows_deleted`."""

ERASED = ("thread", "text")
"""What was cleared of a member: `erased_rows`."""

QUEUED = "queued"
ACKNOWLEDGED = (
    QUEUED, "sent", "refused", "unknown", "opened", "late", "closed", "doubtful", "repeated",
    "crowded", "answered",
)  # fmt: skip
"""What becomes of automatic acknowledgements: `acknowledgements`. The first four are their way;
the others say why none is queued, or what is queued does not leave after all."""

LEVELS = ("info", "warning", "critical")
_CRITICAL = {
    NoticeKind.BREACH, NoticeKind.REPLY_REFUSED, NoticeKind.REPLY_UNKNOWN, NoticeKind.BLIND,
    NoticeKind.ACCOUNT_DOWN, NoticeKind.DISK_LOW, NoticeKind.PARKED, NoticeKind.ESCALATION,
}  # fmt: skip
CRITICAL = sorted(kind.value for kind in _CRITICAL)
"""The kinds that must not wait."""
_INFO = {
    NoticeKind.CORRECTED, NoticeKind.ANSWERED, NoticeKind.HISTORY_SUMMARY, NoticeKind.ACCOUNT_UP,
    NoticeKind.TEST,
    NoticeKind.ACCOUNT_RETIRED, NoticeKind.POLICY_REVIEW, NoticeKind.PUSH_HEARD,
    NoticeKind.DISK_FREED,
}  # fmt: skip

REPLY_SECONDS = tuple(m * 60.0 for m in (
    5, 15, 30, 60, 120, 240, 480, 720, 1080, 1440, 2160, 2880, 4320, 10080,
))  # fmt: skip
USED_RATIO = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0, 1.25, 1.5, 2.0, 5.0)
INGEST_SECONDS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)
POLL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
REQUEST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
PUSH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 30)
STATEMENT_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
NOTICE_SECONDS = (0.5, 1, 2.5, 5, 15, 30, 60, 300, 900, 3600)


def level(kind: NoticeKind) -> str:
    """How urgent a notice of *kind* is: label `level`."""
    if kind in _CRITICAL:
        return "critical"
    return "info" if kind in _INFO else "warning"


def code(status: int | None) -> str:
    """The label `code` of an HTTP status: itself, else its class; ``0`` for no answer."""
    if status is None:
        return "0"
    exact = str(status)
    if exact in CODES:
        return exact
    group = f"{exact[0]}xx"
    return group if group in CODES else "0"


def outcome(fault: Error) -> str:
    """The label `outcome` of a walk that ended by *fault*."""
    if isinstance(fault, Unreachable):
        return _unreachable(fault.detail)
    if isinstance(fault, BadPayload) and fault.detail.isdigit():
        return "client_error"
    known: tuple[tuple[type[Error], str], ...] = (
        (RateLimited, "throttled"),
        (BadCredentials, "auth_error"),
        (BadPayload, "parse_error"),
        (LeaseLost, "lease_lost"),
    )
    return next((word for kind, word in known if isinstance(fault, kind)), "client_error")


def _unreachable(detail: str) -> str:
    if detail == "timeout":
        return "timeout"
    if detail.isdigit() and len(detail) == 3:
        return "client_error" if detail[0] == "4" else "server_error"
    return "network"
