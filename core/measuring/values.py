"""What each value of a label means, for the page of metrics; the values themselves are enums.

A room that brings a label of its own adds a `Values` here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core import labels
from core.measuring import climbing, engine, muted, outward, replies, signins

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Values:
    """The *values* of a label, *of* which metrics, and what some of them mean.

    A label whose values come from elsewhere has a *text* only; else the text ends the list.
    """

    label: str
    values: tuple[str, ...] = ()
    means: Mapping[str, str] = field(default_factory=dict)
    of: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        """Refuse a meaning of what is no value.

        Raises:
            ValueError: *means* speaks of something that is not among *values*.
        """
        if unknown := set(self.means) - set(self.values):
            raise ValueError(f"no values of the label {self.label}: {', '.join(sorted(unknown))}")

    def row(self) -> str:
        """This label as a row of the page's table."""
        of = f" of {self.of}" if self.of else ""
        named = ", ".join(f"`{name}`" for name in self.label.split())
        told = [_told(value, self.means.get(value, "")) for value in self.values]
        between = "; " if self.means else ", "
        return f"| {named}{of} | {between.join(told)}{self.text} |"


def _told(value: str, meaning: str) -> str:
    return f"`{value}`: {meaning}" if meaning else f"`{value}`"


PUSHED = {
    "stored": "2xx",
    "duplicate": "2xx, the same came before",
    "challenge": "2xx",
    "no_challenge": "somebody looked at the address by `GET` and was no marketplace",
    "erasure": "2xx, a member is to be erased",
    "unknown_topic": "2xx, nothing of it is ours",
    "unknown_account": "2xx, nothing of it is ours (a test notification is about nobody); with"
    " marketplace `other` nothing is received at that path (404)",
    "not_ready": "the settings are not taken over yet, and it comes again (503)",
    "unverified": "who signed cannot be asked for now: the marketplace is away, or too many name"
    " keys that nobody knows; a true one comes again",
    "stale": "older than the week for which we remember what was pushed",
    "too_large": "413, at once where the head says so",
    "too_slow": "its head was not there after 10 s (closed, marketplace `other`) or its body 30 s"
    " after it (408)",
    "crowded": "with marketplace `other`: a connection, idle or with an unfinished request, that"
    " was cut because there were too many",
    "unreadable": "2xx where its signature is good; else its body is not what its head says, or"
    " says nothing (400), with marketplace `other` where the request was no HTTP at all",
    "failed": "a fault here, or the database is away, and it comes again",
}
ACKNOWLEDGED = {
    "unknown": "nobody knows whether it left",
    "opened": "open by then, or nobody knows what time it is",
    "late": "more than an hour",
    "closed": "the thread",
    "doubtful": "a machine's letter, perhaps, or somebody under another's name",
    "crowded": "60 within the hour",
    "answered": "a person was first",
}

ALL = (
    Values(
        "marketplace account notifier",
        text="from the settings; at Mirakl the marketplace is the operator",
    ),
    Values("clock", labels.CLOCKS),
    Values(
        "band",
        labels.BANDS,
        {
            "ok": "no warning passed",
            "warning": "the first passed",
            "critical": "the last of several passed",
            "breached": "due and unanswered",
        },
    ),
    Values(
        "result",
        labels.CLOSED,
        {
            "breached": "counted once when the deadline has passed and was read past",
            "void": "no reply was owed",
            "marked": "an agent says that the marketplace was told so, which we cannot see",
        },
    ),
    Values("outcome", labels.OUTCOMES, {"partial": "something was set aside"}, "a poll"),
    Values(
        "topic",
        text="the connector's own list of what is pushed (eBay: `NEW_MESSAGE`, ...); `other`: any"
        " other, a request that names none, or one whose word is not believed (whatever became of"
        " it before it was read)",
    ),
    Values(
        "outcome",
        labels.PUSHED,
        PUSHED,
        "a push",
        text=". All without 2xx are stored nowhere; the log names a refused push by the same word",
    ),
    Values("outcome", labels.SENT, {"dead": "parked: `replyby notices list`"}, "a notice"),
    Values(
        "outcome",
        labels.ACKNOWLEDGED,
        ACKNOWLEDGED,
        "an acknowledgement",
        text=". The first four are its way, the others say why none is queued, or does not leave"
        " after all. Of accounts that acknowledge",
    ),
    Values(
        "outcome",
        outward.OUTCOMES,
        {
            "failed": "the service did not take it, or is away",
            "withheld": "a loop stood, the database did not answer, or the host's clock is not"
            " believed",
        },
        "an outward heartbeat",
    ),
    Values(
        "outcome",
        signins.WORDS,
        {
            "wrong": "the name or the password",
            "wait": "it was not time to try again",
            "busy": "too many wanted to at once",
            "refused": "what the provider says was not proven, or names nobody of ours",
        },
        "a try to sign in",
    ),
    Values("means", tuple(signins.OUTCOMES), {"link": "one that lets somebody in once"}),
    Values(
        "level",
        labels.LEVELS,
        {"critical": "breach, reply refused or unknown, blind, account down, disk low, parked"},
    ),
    Values(
        "code",
        labels.CODES,
        text=": the HTTP status; an unusual one by its class; `0` is no answer",
    ),
    Values("operation", text="the connector's own list of calls (Mirakl: `M11`, `M12`, ...)"),
    Values(
        "statement",
        text="the module of `core/store` whose statement it is; `transaction`: what begins and ends"
        " one; `other`",
    ),
    Values("loop", labels.LOOPS, {"deliver": "of all notifiers the slowest"}),
    Values("reason", labels.RETRIES, of="a retry"),
    Values("reason", labels.QUARANTINE, of="a payload"),
    Values(
        "reason",
        labels.SUPPRESSED,
        {
            "ended": "no reply was owed any more",
            "over": "the account is read again, or not read any more, or pushes about it arrive"
            " again, before anybody had heard of its trouble; or a rung was not needed any more",
            "overtaken": "a later step of the clock was raised, or the trouble came again",
        },
        "a suppressed notice",
    ),
    Values("reason", labels.FAILED, of="a round", text=" ([runbook](runbook.md#reasons))"),
    Values(
        "direction",
        labels.DIRECTIONS,
        {"in": "from the buyer or the marketplace", "out": "from the seller"},
    ),
    Values(
        "budget",
        text="the rate limit that accounts share, by the name of the first of them in the settings",
    ),
    Values("policy", text="a promise that is judged by numbers, by its name in the settings"),
    Values("window", text="how far back a contract looks, written `7d`, `30d`"),
    Values("duty", text="a duty, by its name in the settings"),
    Values("scope", muted.SCOPES),
    Values("rung", climbing.RUNGS, {"0": "nobody yet", "3": "three or more"}),
    Values("name", text="of what is muted, an account or a route, as the settings name it"),
    Values("state", engine.POOL, of="a connection"),
    Values("state", replies.STATES, of="a reply"),
    Values(
        "table",
        labels.TABLES,
        {
            "push_hour": "when pushes came, and when we listened",
            "flood": "when an account was flooded",
            "erasure": "proofs",
            "forgotten": "digests",
        },
    ),
    Values("action", labels.ACTIONS, {"emptied": "of a `verdict` the words"}),
    Values(
        "what",
        labels.ERASED,
        {"thread": "of erased members: their own", "text": "another row that named one"},
    ),
)
