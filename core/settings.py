"""settings.toml, the environment and secret files: read to the end, then all complaints at once.

A value may be overridden by ``REPLYBY_SECTION__KEY``; a secret is ``env:NAME``, ``file:/path``
or ``credential:NAME``.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from core.configuration import (
    access,
    board,
    openinghours,
    outward,
    promises,
    retention,
    routes,
    sections,
    telemetry,
    tomlfile,
)
from core.configuration.accounthours import OpeningHours
from core.configuration.complaints import Complaints, nearest
from core.configuration.configured import Accounts, Configured, Defined
from core.configuration.overrides import BETWEEN, PREFIX, Overrides, overridden
from core.configuration.people import Tellings, zoned
from core.configuration.references import References, is_reference
from core.configuration.retention import Keeping
from core.errors import SettingsError
from core.notifiers import registry
from core.routing import Routing
from sla.calendar import Calendar

SectionT = TypeVar("SectionT", bound=sections.Section)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from pydantic import BaseModel

    from core.connector import Spec
    from core.notifier import NotifierOptions
    from sla.policy import Policy

DEFAULT_FILE = "settings.toml"

VARIABLES = frozenset({"REPLYBY_SETTINGS", "REPLYBY_DEBUG", "REPLYBY_REVISION"})
"""Variables of the program itself: see `docs/cli.md` and `docs/metrics.md`."""
PLAIN: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "store": sections.Store,
        "ops": sections.Ops,
        "web": access.Web,
        "board": board.Board,
        "push": sections.Push,
        "log": sections.Log,
        "metrics": sections.MetricsSection,
        "poll": sections.Poll,
        "retention": retention.Retention,
        "heartbeat": outward.Heartbeat,
        "otel": telemetry.Otel,
        "sentry": telemetry.Sentry,
    }
)
"""The sections that are one table each."""

WHO = ("people", "teams", "duty", "ladders")
"""The sections that say who can be told."""

Table = dict[str, Any]


class Tables(BaseSettings):
    """The tables of the file with what the environment overrides; not yet checked."""

    model_config = SettingsConfigDict(extra="allow", hide_input_in_errors=True)

    store: Any = {}
    ops: Any = {}
    web: Any = None
    board: Any = {}
    push: Any = None
    log: Any = {}
    metrics: Any = {}
    poll: Any = {}
    retention: Any = {}
    heartbeat: Any = None
    otel: Any = None
    sentry: Any = None
    accounts: Any = {}
    policies: Any = {}
    calendars: Any = {}
    notifiers: Any = {}
    people: Any = {}
    teams: Any = {}
    duty: Any = {}
    ladders: Any = {}
    routes: Any = {}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was configured, checked. *secrets* are for the log to hide."""

    path: Path
    state_dir: Path
    store: sections.Store
    ops: sections.Ops
    web: access.Web | None
    board: board.Board
    push: sections.Push | None
    log: sections.Log
    metrics: sections.MetricsSection
    poll: sections.Poll
    retention: Keeping
    heartbeat: outward.Heartbeat | None
    otel: telemetry.Otel | None
    sentry: telemetry.Sentry | None
    accounts: Mapping[str, Configured]
    calendars: Mapping[str, Calendar]
    promises: Mapping[str, tuple[Policy, ...]]
    notifiers: Mapping[str, NotifierOptions]
    routing: Routing
    warnings: tuple[str, ...]
    secrets: frozenset[str]

    @property
    def base(self) -> Path:
        """Where relative paths start: the directory of the settings file."""
        return self.path.resolve().parent


def load(
    path: Path,
    specs: Mapping[str, Spec[Any]],
    environ: Mapping[str, str],
    *,
    sandbox: bool,
    now: datetime,
) -> Settings:
    """The settings in the file at *path*, overridden by *environ*.

    *sandbox* allows accounts at a marketplace's stand-in; *now* is when calendars must open.

    Raises:
        SettingsError: with every complaint that was found.
    """
    tables = _tables(path, environ)
    reading = _Reading(tables, path.resolve().parent, environ)
    return reading.settings(path, specs, sandbox=sandbox, now=now)


def _tables(path: Path, environ: Mapping[str, str]) -> Tables:
    """The file and the environment, merged.

    Raises:
        SettingsError: there is no such file, or it is no TOML.
    """

    class Here(Tables):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            *_sources: PydanticBaseSettingsSource,
            **_named: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            file = InitSettingsSource(settings_cls, table)
            return Overrides(settings_cls, environ, table), file

    table = tomlfile.read(path)
    return Here()


def promises_of(path: Path, found: Settings, now: datetime) -> dict[str, tuple[Policy, ...]]:
    """The promises that another file at *path* writes, as settings do, by name.

    They count on the calendars of that file, or on those of the settings *found*.

    Raises:
        SettingsError: with every complaint that was found.
    """
    table = tomlfile.read(path, "--policy")
    tables = Tables.model_construct(None, **table)
    return _Reading(tables, path.resolve().parent, {}).only_promises(found.calendars, now)


class _Reading:
    """One reading of the settings: goes on after a fault, so that all are told at once."""

    def __init__(self, tables: Tables, base: Path, environ: Mapping[str, str]) -> None:
        self.tables = tables
        self.base = base
        self.complaints = Complaints()
        self.references = References(environ, base, self.complaints)

    def settings(
        self, path: Path, specs: Mapping[str, Spec[Any]], *, sandbox: bool, now: datetime
    ) -> Settings:
        """Everything, or all complaints."""
        self._unknown_sections()
        store = self._store()
        calendars = self._calendars(now)
        made = self._promises(calendars, now)
        notifiers = self._notifiers()
        routing = self._routing(notifiers, now)
        hours = OpeningHours(calendars, self.complaints, now)
        defined = Defined(made, hours, frozenset(routing.routes))
        accounts = Accounts(specs, defined, self.references, sandbox=sandbox)
        configured = accounts.read(dict(self._entries("accounts")))
        read = Settings(
            path=path,
            state_dir=self.base / store.state_dir.expanduser(),
            store=store,
            ops=self._section(sections.Ops, "ops"),
            web=self._web(configured),
            board=self._section(board.Board, "board"),
            push=self._optional(sections.Push, "push"),
            log=self._section(sections.Log, "log"),
            metrics=self._section(sections.MetricsSection, "metrics"),
            poll=self._section(sections.Poll, "poll"),
            retention=self._kept(specs),
            heartbeat=self._optional(outward.Heartbeat, "heartbeat"),
            otel=self._optional(telemetry.Otel, "otel"),
            sentry=self._optional(telemetry.Sentry, "sentry"),
            accounts=configured,
            calendars={name: found for name, found in calendars.items() if found is not None},
            promises={name: versions for name, versions in made.items() if versions},
            notifiers=zoned(notifiers, routing.directory),
            routing=routes.applied(routing, configured, made, self.complaints),
            warnings=(*self.complaints.warnings, *self._unused_variables()),
            secrets=frozenset(self.references.secrets),
        )
        self._same_address(read)
        if self.complaints.lines:
            raise SettingsError(self.complaints.lines)
        return read

    def only_promises(
        self, known: Mapping[str, Calendar], now: datetime
    ) -> dict[str, tuple[Policy, ...]]:
        """The promises, on calendars of this file or on those *known*; or all complaints."""
        self._unknown_sections()
        made = self._promises({**known, **self._calendars(now)}, now)
        if not made:
            self.complaints.add(("policies",), "is missing; write [policies.NAME] as in settings")
        if self.complaints.lines:
            raise SettingsError(self.complaints.lines)
        return made

    def _unknown_sections(self) -> None:
        known = set(Tables.model_fields)
        for name in self.tables.model_extra or {}:
            self.complaints.add((name,), f"unknown section; {nearest(name, known)}")

    def _store(self) -> sections.Store:
        """The store: the one secret that may be a plain word, ``embedded``."""
        table = self.tables.store
        dsn = table.get("dsn") if isinstance(table, dict) else None
        if isinstance(dsn, str) and not is_reference(dsn):
            if dsn != sections.EMBEDDED:
                fault = 'an address of a database holds a password; write "embedded" or "env:NAME"'
                self.complaints.add(("store", "dsn"), fault)
            self.tables.store = {key: value for key, value in table.items() if key != "dsn"}
        return self._section(sections.Store, "store")

    def _section(self, model: type[SectionT], name: str) -> SectionT:
        """The section *name*; its defaults where it has faults, which are complained of."""
        table = getattr(self.tables, name)
        if isinstance(table, dict):
            table = self.references.table(table, model, (name,))
        return self.complaints.read(model, table, (name,)) or model()

    def _web(self, accounts: Mapping[str, Configured]) -> access.Web | None:
        section = self._optional(access.Web, "web")
        if section is not None:
            section.faults(accounts, self.complaints)
        return section

    def _kept(self, specs: Mapping[str, Spec[Any]]) -> Keeping:
        section = self._section(retention.Retention, "retention")
        section.faults(specs, self.complaints)
        said = {name: spec.texts_kept for name, spec in specs.items()}
        return Keeping(section, {name: time for name, time in said.items() if time})

    def _optional(self, model: type[SectionT], name: str) -> SectionT | None:
        """The section *name*; None where it does not stand in the file, or has faults."""
        table = getattr(self.tables, name)
        if isinstance(table, dict):
            table = self.references.table(table, model, (name,))
        return None if table is None else self.complaints.read(model, table, (name,))

    def _entries(self, section: str) -> Iterator[tuple[str, Table]]:
        """The named tables of a section; what has no usable name or is no table is a fault."""
        tables = getattr(self.tables, section)
        if not isinstance(tables, dict):
            self.complaints.add((section,), f"is no table; write [{section}.name]")
            return
        for name, table in tables.items():
            if not sections.NAME.fullmatch(name):
                fault = "is no name; use small letters, digits, dots and dashes, 63 at most"
                self.complaints.add((section, name), fault)
            elif not isinstance(table, dict):
                self.complaints.add((section, name), f"is no table; write [{section}.{name}]")
            else:
                yield name, table

    def _calendars(self, now: datetime) -> dict[str, Calendar | None]:
        """Calendars by name; None for one with faults: it is defined all the same."""
        found: dict[str, Calendar | None] = {promises.ALWAYS: Calendar.always()}
        for name, table in self._entries("calendars"):
            path = ("calendars", name)
            if name == promises.ALWAYS:
                self.complaints.add(path, "means round the clock already; choose another name")
                continue
            found[name] = openinghours.build(table, path, self.complaints, now)
        return found

    def _promises(
        self, calendars: Mapping[str, Calendar | None], now: datetime
    ) -> dict[str, tuple[Policy, ...]]:
        return {
            name: promises.build(name, table, calendars, self.complaints, now)
            for name, table in self._entries("policies")
        }

    def _notifiers(self) -> dict[str, NotifierOptions | None]:
        return {name: self._notifier(name, table) for name, table in self._entries("notifiers")}

    def _notifier(self, name: str, table: Table) -> NotifierOptions | None:
        path = ("notifiers", name)
        kind = str(table.get("kind", ""))
        if kind not in registry.KINDS:
            self.complaints.unknown((*path, "kind"), "kind of notifier", kind, registry.KINDS)
            self.references.plain(table, [k.options for k in registry.KINDS.values()], path)
            return None
        model: type[NotifierOptions] = registry.KINDS[kind].options
        found = self.complaints.read(model, self.references.table(table, model, path), path)
        for key, fault in found.faults(self.base) if found else ():
            self.complaints.add((*path, key), fault)
        return found

    def _routing(self, notifiers: Mapping[str, NotifierOptions | None], now: datetime) -> Routing:
        """Who can be told, and the routes; which accounts these are for is known later."""
        said = {name: dict(self._entries(name)) for name in WHO}
        tellings = Tellings(notifiers, self.complaints, self.base, now)
        directory = tellings.directory(said["people"], said["teams"], said["duty"])
        ladders = tellings.ladders(said["ladders"])
        found = routes.build(dict(self._entries("routes")), tellings, ladders, self.complaints)
        return Routing(found, {}, directory, ladders)

    def _unused_variables(self) -> Iterator[str]:
        """Variables that look like overrides and override nothing."""
        known = [f"{s}{BETWEEN}{k}".upper() for s, m in PLAIN.items() for k in m.model_fields]
        for name in sorted(self.references.environ):
            if not name.startswith(PREFIX) or name in VARIABLES or overridden(name):
                continue
            if name not in self.references.variables:
                close = get_close_matches(name.upper().removeprefix(PREFIX), known, 1)
                example = f"write section, two underscores, key, as in {PREFIX}OPS{BETWEEN}LISTEN"
                hint = f"did you mean {PREFIX}{close[0]}?" if close else example
                yield f"environment variable {name}: overrides nothing; {hint}"

    def _same_address(self, settings: Settings) -> None:
        taken: dict[str, str] = {}
        for name in ("ops", "web", "push"):
            listener: sections.Listener | None = getattr(settings, name)
            if listener is None or listener.port == 0:
                continue
            if (other := taken.setdefault(listener.listen, name)) != name:
                fault = f"is the address of [{other}] too; give it a port of its own"
                self.complaints.add((name, "listen"), fault)
