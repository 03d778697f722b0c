"""Notices as alerts of a Prometheus Alertmanager (API v2), which groups, routes and silences them.

Every replica is told: they share what was sent, and no alerts. They keep none over a restart, so
all that stands is posted again every minute; an alert ends by itself only where nobody has posted
it for an hour. What is one alert is known by its labels: `severity` is one of them, so a breach
ends the warning that it follows. The thread is a label here and nowhere else.
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from core import keys, labels
from core.errors import NotifierError, Unfit
from core.loops import Trouble
from core.notifier import NotifierOptions, Settled
from core.notifiers import posting
from core.told import OPENING
from core.transport.proxy import is_web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from core.model import Notice
    from core.notifier import Means, Words

EVERY = timedelta(minutes=1)
LASTS = timedelta(hours=1)
"""How long an alert stands that is not posted again: so long nobody of us may be running."""
TROUBLE_LASTS = timedelta(days=1)
"""How long what is no clock's stands, where its end is not told before."""

AT_ONCE = 500
"""How many are told again in one request."""

DEADLINE, TEAM = "ReplyDeadline", "support"
"""The team is who answers buyers: by it the routes that are shipped tell them from operators."""


def _trouble() -> Trouble:
    return Trouble(begins="replica fails", ends="replica takes alerts again")


def _address(url: str) -> str:
    if not is_web_address(url):
        raise Unfit("is no address; write it like http://alertmanager:9093")
    return url.rstrip("/")


class AlertmanagerOptions(NotifierOptions):
    """*urls* are those of all replicas; *authorization* is the whole header, where one is wanted.

    It stands in a network of our own, so no address is refused; and it gathers what comes at once.
    """

    kind: Literal["alertmanager"] = "alertmanager"
    urls: tuple[Annotated[str, AfterValidator(_address)], ...] = Field(min_length=1)
    authorization: SecretStr | None = None
    digest_after: int = Field(default=0, ge=0)


class Alertmanager(Settled):
    """Posts alerts to every replica; one that takes them is enough for a delivery."""

    every = EVERY

    def __init__(self, name: str, options: AlertmanagerOptions, means: Means) -> None:
        super().__init__(name, options)
        self._http = posting.way(means, allow_private=True)
        self._urls = [f"{url}/api/v2/alerts" for url in options.urls]
        self._troubles = [_trouble() for _ in self._urls]
        secret = options.authorization
        self._headers = {"Authorization": secret.get_secret_value()} if secret else {}

    async def send(self, notice: Notice, words: Words) -> None:
        """Post the alert, and the end of what it stands in for.

        Raises:
            NotifierError: no replica took it; as `posting.post`.
        """
        await self._post(list(alerts(notice, words)))

    async def close(self, notice: Notice, words: Words, names: Sequence[str]) -> None:  # noqa: ARG002  # its labels name it
        """End the alerts of a clock.

        Raises:
            NotifierError: as `send`.
        """
        await self.send(notice, words)

    async def keep(self, standing: Sequence[tuple[Notice, Words]]) -> None:
        """Post all that stands, so that it goes on to stand.

        Raises:
            NotifierError: as `send`.
        """
        for begin in range(0, len(standing), AT_ONCE):
            some = standing[begin : begin + AT_ONCE]
            await self._post([alert for one in some for alert in alerts(*one)])

    async def _post(self, posted: list[dict[str, object]]) -> None:
        said = await asyncio.gather(*(self._to(url, posted) for url in self._urls))
        faults = [fault for fault in said if fault is not None]
        if len(faults) == len(said):
            lasting = [fault for fault in faults if not fault.permanent]
            raise (lasting or faults)[0]
        for number, (trouble, fault) in enumerate(zip(self._troubles, said, strict=True), 1):
            if fault is None:
                trouble.passed(notifier=self.name, replica=str(number))
            else:
                trouble.failed(fault, notifier=self.name, replica=str(number))

    async def _to(self, url: str, posted: list[dict[str, object]]) -> NotifierError | None:
        sent = posting.post(
            self._http, url, posted, operation="alertmanager", headers=self._headers
        )
        try:
            await sent
        except NotifierError as fault:
            return fault
        return None


def alerts(notice: Notice, words: Words) -> Iterator[dict[str, object]]:
    """The alert that tells *notice*, and the ends of those that are over with it."""
    severity = labels.level(notice.kind)
    if keys.is_end(notice):
        for each in ("warning", "critical"):
            yield _alert(notice, words, each, words.at)
        return
    is_clock = notice.clock is not None and notice.kind in OPENING
    yield _alert(notice, words, severity, words.at + (LASTS if is_clock else TROUBLE_LASTS))
    if is_clock:
        other = "warning" if severity == "critical" else "critical"
        yield _alert(notice, words, other, words.at)


def _alert(notice: Notice, words: Words, severity: str, until: datetime) -> dict[str, object]:
    facts = dict(notice.facts)
    is_clock = notice.clock is not None
    named = {
        "alertname": DEADLINE if is_clock else _name(notice),
        "severity": severity,
        "team": TEAM,
        "marketplace": words.marketplace,
        "account": notice.account,
        "policy": facts.get("promise"),
        "thread": notice.thread,
        "clock": notice.clock,
    }
    alert: dict[str, object] = {
        "labels": {key: str(value) for key, value in named.items() if value not in {None, ""}},
        "annotations": {"summary": words.subject, "description": words.text},
        "startsAt": min(notice.raised_at, until).isoformat(),
        "endsAt": until.isoformat(),
    }
    return alert | ({"generatorURL": words.url} if words.url else {})


def _name(notice: Notice) -> str:
    """One for all that is told of one trouble, else the kind's own: ``ReplybyPolicyReview``."""
    word = keys.trouble(notice.kind) or notice.kind.value
    return "".join(part.title() for part in ("replyby", *word.split("_")))
