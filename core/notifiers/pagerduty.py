"""Notices as incidents of PagerDuty, by its Events API v2: opened, raised to critical, resolved.

All that is told of a clock has one `dedup_key`, so its steps are one incident; the answer resolves
it, and a reply that was refused opens it again. An answer of 202 means that the event was taken.
https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr

from core import keys, labels
from core.model import NoticeKind
from core.notifiers import posting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Notice
    from core.notifier import Means, Words

EVENTS = "https://events.pagerduty.com/v2/enqueue"
SUMMARY, KEY = 1024, 255
"""The most characters that are taken."""

_ERRORS = frozenset({NoticeKind.REPLY_REFUSED, NoticeKind.REPLY_UNKNOWN, NoticeKind.PARKED})


class PagerDutyOptions(posting.PostingOptions):
    """*routing_key* is that of a service's integration; *url* another region's, where it is."""

    kind: Literal["pagerduty"] = "pagerduty"
    url: posting.WebAddress = Field(default=SecretStr(EVENTS))
    routing_key: SecretStr = Field(min_length=32, max_length=32)


class PagerDuty(posting.Posting):
    """Sends each notice as an event."""

    def __init__(self, name: str, options: PagerDutyOptions, means: Means) -> None:
        super().__init__(name, options, means)
        self._key = options.routing_key.get_secret_value()

    async def send(self, notice: Notice, words: Words) -> None:
        """Trigger the incident, or resolve it where *notice* tells of an end.

        Raises:
            NotifierError: as `posting.post`.
        """
        said = event(notice, words, self._key)
        await posting.post(self._http, self._url, said, operation="pagerduty")

    async def close(self, notice: Notice, words: Words, names: Sequence[str]) -> None:  # noqa: ARG002  # the key names it
        """Resolve the incident; where there is none any more, nothing happens there.

        Raises:
            NotifierError: as `posting.post`.
        """
        await self.send(notice, words)


def event(notice: Notice, words: Words, key: str) -> dict[str, object]:
    """The event that tells *notice*."""
    known: dict[str, object] = {
        "routing_key": key,
        "dedup_key": posting.cut(f"replyby/{keys.incident(notice)}", KEY),
        "event_action": "resolve" if keys.is_end(notice) else "trigger",
    }
    if keys.is_end(notice):
        return known
    known |= {
        "payload": {
            "summary": posting.cut(words.subject, SUMMARY),
            "source": notice.account or "replyby",
            "severity": severity(notice.kind),
            "timestamp": notice.raised_at.isoformat(),
            "component": words.marketplace,
            "class": notice.kind.value,
            "custom_details": {
                "thread": notice.thread,
                "due_at": notice.due_at.isoformat() if notice.due_at else None,
                "text": words.text,
            },
        },
        "links": [{"href": url, "text": said} for said, url in posting.links(notice, words)],
        "client": "replyby",
    }
    return known | ({"client_url": words.url} if words.url else {})


def severity(kind: NoticeKind) -> str:
    """How urgent PagerDuty takes it to be: one of its four words."""
    return "error" if kind in _ERRORS else labels.level(kind)
