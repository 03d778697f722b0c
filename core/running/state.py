"""What the loops work with. A reload replaces settings, rules, readers and notifiers whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from core import labels, loops
from core.connector import Transport
from core.errors import StoreUnavailable
from core.hostclock import HostClock
from core.measuring.facts import Names
from core.notifier import Means, Notifier
from core.notifiers import registry
from core.reading.walk import Reader
from core.routing import Routing
from core.rules import Rules
from core.running import thresholds
from core.running.requests import Requests
from core.store.wake import Changes
from core.transport.http import Http
from core.transport.mailbox import Mailboxes
from core.transport.smtp import Smtp
from sla.policy import ThreadKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from aiohttp import ClientSession

    from core.configuration.configured import Configured
    from core.connector import Connector, Options
    from core.loops import Pulse
    from core.metrics import Metrics
    from core.model import Stream
    from core.running.worker import Worker
    from core.settings import Settings
    from core.store import Pool
    from core.web.ops import Watched

log = structlog.get_logger()

NO_RULES = Rules({}, {}, Routing({}, {}))


@dataclass(slots=True)
class State:
    """The daemon's parts as they are at this moment."""

    settings: Settings
    metrics: Metrics
    pulse: Pulse
    watched: Watched
    clock: HostClock = field(default_factory=HostClock)
    rules: Rules = NO_RULES
    readers: dict[str, Reader] = field(default_factory=dict)
    options: dict[str, dict[str, Options]] = field(default_factory=dict)
    notifiers: dict[str, Notifier] = field(default_factory=dict)
    session: ClientSession | None = None
    walled: ClientSession | None = None
    mailboxes: Mailboxes = field(default_factory=Mailboxes)
    smtp: Smtp = field(default_factory=Smtp)
    worker: Worker | None = None
    changes: Changes = field(default_factory=Changes)

    @property
    def pool(self) -> Pool:
        """The database.

        Raises:
            StoreUnavailable: it was never reached.
        """
        if self.watched.pool is None:
            raise StoreUnavailable("the database was not reached yet")
        return self.watched.pool

    @property
    def worker_id(self) -> int:
        """Our number among the workers.

        Raises:
            StoreUnavailable: we have none at this moment.
        """
        if self.worker is None:
            raise StoreUnavailable("this worker is not registered yet")
        return self.worker.id

    def sure(self, now: datetime) -> bool:
        """Whether the host's clock is believed in this round."""
        sure = self.clock.turn(now, monotonic())
        self.metrics.clock_unsure.set(not sure)
        return sure

    def is_sure(self) -> bool:
        """Whether the host's clock was believed in the last round."""
        return self.clock.sure(monotonic())

    def receiver(self, connector: str, account: str) -> Connector | None:
        """The connector of *account*, if it is one of this kind."""
        reader = self.readers.get(account)
        return reader.connector if reader and reader.account.connector == connector else None

    def woken(self, account: str) -> tuple[str, ...]:
        """The streams of *account* of which a push says that they have something new.

        Where none is pushed, those that bring messages: the push was about one.
        """
        reader = self.readers.get(account)
        streams = () if reader is None else tuple(reader.streams.values())
        found = [s for s in streams if s.pushed] or [
            s for s in streams if s.carries_clocks and ThreadKind.MESSAGE in s.kinds
        ]
        return tuple(stream.name for stream in found)

    def adopt(self, settings: Settings, rules: Rules, now: datetime) -> None:
        """Work by these settings from now on."""
        if self.session is None:
            raise StoreUnavailable("nothing is open yet")
        session = self.session
        for old in self.readers.values():
            old.replaced.set()
        self.readers = {
            name: reader(found, self._transport(session, found.account.marketplace))
            for name, found in settings.accounts.items()
        }
        posted = Http(session, now=loops.utcnow)
        means = Means(http=posted, directory=settings.base, walled=self.walled)
        self.options = _by_connector(settings)
        self.notifiers = registry.open_all(settings.notifiers, means)
        self.settings, self.rules = settings, rules
        declare(self, settings, now)
        self.metrics.config_last_reload_successful.set(1)
        self.metrics.config_last_reload_success.set(now.timestamp())

    def _transport(self, session: ClientSession, marketplace: str) -> Transport:
        return Transport(http(session, self, marketplace), self.mailboxes, self.smtp)


def _by_connector(settings: Settings) -> dict[str, dict[str, Options]]:
    """The options of each connector's accounts, by name."""
    found: dict[str, dict[str, Options]] = {}
    for name, one in settings.accounts.items():
        found.setdefault(one.account.connector, {})[name] = one.options
    return found


def http(session: ClientSession, state: State, marketplace: str) -> Http:
    """How one marketplace is asked: its requests are counted, its clock is compared with ours."""
    observer = Requests(marketplace, state.metrics, state.clock, lambda: state.pulse.beat("poll"))
    return Http(session, observer, now=loops.utcnow)


def reader(found: Configured, transport: Transport) -> Reader:
    """An account that is read over *transport*."""
    connector = found.spec.open(found.options, transport)
    streams: dict[str, Stream] = {stream.name: stream for stream in found.streams}
    return Reader(found.account, connector, streams, found.budget)


def declare(state: State, settings: Settings, now: datetime) -> None:
    """Create every series that these settings can cause, at 0."""
    names, accounts = metric_names(settings), settings.accounts.values()
    label, many = settings.metrics.account_label, len(accounts) > labels.MANY_ACCOUNTS
    if label == "auto" and many:
        log.info("account label left out", accounts=len(accounts))
    full = label == "full" or (label == "auto" and not many)
    state.metrics.declare(names, account_label=full)
    state.metrics.outward.adopt(settings.heartbeat.every if settings.heartbeat else None)
    state.watched.names = names
    state.watched.promised = thresholds.promised(accounts, now, settings.ops.workers)
    state.watched.contracts.adopt(accounts, now)


def metric_names(settings: Settings) -> Names:
    """The closed sets of labels that these settings bring."""
    accounts = settings.accounts.values()
    return Names(
        accounts=tuple((a.account.marketplace, a.account.name) for a in accounts),
        acknowledging=tuple(
            (a.account.marketplace, a.account.name) for a in accounts if a.acknowledging
        ),
        notifiers=tuple(settings.notifiers),
        operations=_once(
            (a.account.marketplace, operation)
            for a in accounts
            for operation in a.spec.words_of(a.options)[0]
        ),
        topics=_once(
            (a.account.marketplace, topic)
            for a in accounts
            if a.spec.can(a.options).receives
            for topic in (*a.spec.words_of(a.options)[1], labels.OTHER)
        ),
        budgets=_shared_limits(accounts),
        routes=tuple(settings.routing.routes),
        duties=tuple(settings.routing.directory.duties),
    )


def _shared_limits(accounts: Collection[Configured]) -> tuple[tuple[str, str, str], ...]:
    """Each limit by the name of its first account: its key may tell of a secret, by a digest."""
    names: dict[str, str] = {}
    for found in accounts:
        names.setdefault(found.budget, found.account.name)
    pairs = _once((found.account.marketplace, found.budget) for found in accounts)
    return tuple((marketplace, names[key], key) for marketplace, key in pairs)


def _once(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(dict.fromkeys(pairs))
