"""What may stand in the settings file: one model for each kind of table in it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
)

from core import languages, log
from core.configuration.complaints import nearest
from core.durations import PositiveDuration, parse, write
from core.errors import Unfit
from core.model import LONGEST_SILENCE, UNSEEN
from core.transport.proxy import is_web_address
from sla import zones
from sla.policy import WARN_SHARES, CountsFrom, Party, Role, ThreadKind

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
EMBEDDED = "embedded"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SHARE = re.compile(r"(\d{1,9}(?:\.\d+)?)%")
_HOST = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^:@\[\]/]*)(?::\d{1,5})?")
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>\d{1,5})")


def _zone(name: str) -> str:
    try:
        zones.zone(name)
    except zones.UnknownZoneError:
        raise Unfit(f"is no known time zone; {nearest(name, zones.names())}") from None
    return name


def _warning(value: object) -> object:
    """``"50%"`` as a share of the allowed time, ``"1h"`` as a time before the deadline."""
    if not isinstance(value, str):
        raise Unfit('is no warning; write a share such as "50%" or a time such as "1h"')
    share = _SHARE.fullmatch(value)
    if share is not None:
        return _inside(float(share[1]) / 100)
    before = parse(value)
    if before <= timedelta(0):
        raise Unfit("is the deadline itself, which is told anyway; write a longer time")
    return before


def _inside(share: float) -> float:
    if not 0 < share < 1:
        raise Unfit("lies outside the allowed time; write more than 0% and less than 100%")
    return share


def _address(text: str) -> str:
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 65_535:
        raise Unfit("is no address; write host:port, such as 127.0.0.1:9100")
    return text


def _place(path: object) -> object:
    if isinstance(path, str) and not path.strip():
        raise Unfit('is empty; name a directory, such as "var"')
    return path


def _url(text: str) -> str:
    if not is_web_address(text):
        raise Unfit("is no address of a page; write https://host or http://host:port")
    return text.rstrip("/")


def _written(text: str) -> str:
    """A text for people.

    Raises:
        Unfit: nothing stands in it, or what no keyboard writes.
    """
    if not text.strip():
        raise Unfit("is empty; write what the buyer is to read")
    if UNSEEN.search(text) is not None:
        raise Unfit("holds a control character; remove it")
    return text


def _headline(text: str) -> str:
    if "\n" in text or "\r" in text:
        raise Unfit("is more than a line; write one")
    return _written(text)


def _language(text: str) -> str:
    found = languages.tag(text)
    if found is None or "," in text:
        raise Unfit('is no language; write its code, such as "de" or "pt-BR" (BCP 47)')
    return found


def _bounded(silence: timedelta) -> timedelta:
    if silence > LONGEST_SILENCE:
        raise Unfit(f"is longer than is waited for; write {write(LONGEST_SILENCE)} or less")
    return silence


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise Unfit("is no name; use small letters, digits, dots, dashes, 63 at most")
    return text


def _day(written: object) -> object:
    """A day as a key: pydantic would take a number for a count of seconds."""
    if isinstance(written, str) and _DAY.fullmatch(written) is None:
        raise Unfit('is no date; write it as 2026-12-31 = ["09:00-12:00"], the year first')
    return written


Name = Annotated[str, AfterValidator(_name)]
Day = Annotated[date, BeforeValidator(_day)]
Zone = Annotated[str, AfterValidator(_zone)]
Address = Annotated[str, AfterValidator(_address)]
Url = Annotated[str, AfterValidator(_url)]
Warn = Annotated[float | timedelta, BeforeValidator(_warning)]


class Section(BaseModel):
    """The base of every table: unknown keys are faults, and no error shows what was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _dsn(dsn: SecretStr) -> SecretStr:
    """An address that the driver can take apart: its own complaints would quote the password."""
    address = dsn.get_secret_value()
    if address == EMBEDDED:
        return dsn
    if not address.startswith(("postgresql://", "postgres://")):
        raise Unfit("is no address of PostgreSQL; it begins with postgresql://")
    if not _is_sound(address):
        raise Unfit(
            "is no address of PostgreSQL; write postgresql://user:password@host:port/database, "
            "special characters of the password as %23 and the like"
        )
    return dsn


def _is_sound(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    hosts = parts.netloc.rpartition("@")[2].split(",")
    whole = not parts.fragment and "@" not in parts.path
    return whole and all(_HOST.fullmatch(host) for host in hosts)


class Store(Section):
    """Where the data is. *dsn* is ``embedded``, or the address of a PostgreSQL server.

    Of an embedded one it is told when less than *least_free_bytes* are free on its disk; left out:
    a tenth of it or a GiB, whichever is less.
    """

    dsn: Annotated[SecretStr, AfterValidator(_dsn)] = SecretStr(EMBEDDED)
    state_dir: Annotated[Path, BeforeValidator(_place)] = Path("var")
    migrate: Literal["start", "never"] = "start"
    connections: int = Field(default=10, ge=4, le=200)
    least_free_bytes: int | None = Field(default=None, ge=2**24, le=2**50)

    @property
    def embedded(self) -> bool:
        """Whether the data is in the PostgreSQL that this program runs itself."""
        return self.dsn.get_secret_value() == EMBEDDED


class Listener(Section):
    """An address to serve at."""

    listen: Address

    @property
    def host(self) -> str:
        """The host to listen at, an IPv6 address without its brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port; 0 takes any free one."""
        return int(self.listen.rpartition(":")[2])

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK or self.host.startswith("127.")


class Ops(Listener):
    """Where `/metrics`, `/livez` and `/readyz` are served; *workers* are to run on one database."""

    listen: Address = "127.0.0.1:9100"
    workers: int = Field(default=1, ge=1, le=1_000)


class Push(Listener):
    """Where marketplaces send to, as *public_url* tells them; *most_bytes* bounds a body."""

    listen: Address = "127.0.0.1:8081"
    public_url: Url | None = None
    most_bytes: int = Field(default=10 * 2**20, ge=1_024, le=64 * 2**20)


class Log(Section):
    """How the log is written."""

    format: log.Format = "auto"
    level: log.Level = "info"


class MetricsSection(Section):
    """What `/metrics` shows. *account_label* ``auto``: none above 2,000 accounts."""

    account_label: Literal["auto", "full", "none"] = "auto"


class Poll(Section):
    """How much is read at once: *slots* streams side by side."""

    slots: int = Field(default=4, ge=1, le=256)


class AcknowledgeSection(Section):
    """What an account sends by itself, while it is closed, to who writes: the shop's own words."""

    text: Annotated[str, AfterValidator(_written)] = Field(max_length=10_000)
    subject: Annotated[str, AfterValidator(_headline)] = Field(
        default="Automatic reply", max_length=200
    )


class AccountSection(Section):
    """A seller account at a marketplace. *policies* left out: those that the connector picks.

    *calendar* names its opening hours: when the connector's own goals count, and outside which it
    may *acknowledge* by itself.
    *silence*: so long at most nothing may be pushed; left out: what is usual says it.
    *language* is what its buyers write as far as nothing else says it; left out: the marketplace's.
    """

    connector: str
    title: str = ""
    shop: str | None = None
    seller: str | None = None
    policies: tuple[str, ...] | None = None
    goals: tuple[str, ...] | None = None
    calendar: str | None = None
    acknowledge: AcknowledgeSection | None = None
    silence: Annotated[PositiveDuration, AfterValidator(_bounded)] | None = None
    language: Annotated[str, AfterValidator(_language)] | None = None
    routes: tuple[str, ...] = ()
    sandbox: bool = False
    options: dict[str, Any] = Field(default_factory=dict)


class CalendarSection(Section):
    """When time counts: spans such as ``09:00-12:30`` by day, in the wall time of *zone*."""

    zone: Zone
    hours: dict[str, tuple[str, ...]]
    holidays: str | None = None
    exceptions: dict[Day, tuple[str, ...]] = Field(default_factory=dict)


class Judged(Section):
    """A number that the marketplace judges by: see `sla.policy.Contract`."""

    measure: Literal["share", "mean", "info"]
    windows: tuple[PositiveDuration, ...] = Field(min_length=1)
    zone: Zone = "UTC"
    objective: float | None = Field(default=None, gt=0, le=1)
    within: PositiveDuration | None = None
    limit: PositiveDuration | None = None
    alert_from: PositiveDuration | None = None
    note: str = ""


class PolicySection(Section):
    """A promise, or one dated version of it: see `sla.policy.Policy`."""

    role: Role = "goal"
    applies_to: frozenset[ThreadKind] = Field(default=frozenset({ThreadKind.MESSAGE}), min_length=1)
    waits_for: frozenset[Party] = Field(default=frozenset({Party.BUYER}), min_length=1)
    reply_within: PositiveDuration
    next_reply_within: PositiveDuration | None = None
    calendar: str = "always"
    counts_automatic: bool = False
    counts_from: CountsFrom = "oldest"
    warn: tuple[Warn, ...] = WARN_SHARES
    marketplace_mark: bool | None = None
    judged_by: tuple[Judged, ...] = ()
    effective_from: AwareDatetime | None = None
    effective_to: AwareDatetime | None = None
    source: str | None = None
    checked_on: date | None = None
    review_after: date | None = None
