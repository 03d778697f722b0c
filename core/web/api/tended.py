"""What else is said and told by the API, as its document has it: macros, mutes, duty, reports."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from core.web.api.models import (  # pydantic reads what fields are
    Id,
    Macro,
    Name,
    Number,
    Word,
)
from core.web.api.routes import WHOLE, Given, Said

DATE = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]")
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Several = Annotated[tuple[Name, ...], Field(max_length=200)]
Revision = Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE]
Scope = Literal["account", "route"]


def _written(said: object) -> object:
    """*said*, if it is written as an instant: a bare number is none.

    Raises:
        ValueError: it is not.
    """
    if isinstance(said, str) and DATE.match(said) is None:
        raise ValueError("write an instant as RFC 3339 has it: 2026-12-24T22:00:00Z")
    return said


Instant = Annotated[AwareDatetime, BeforeValidator(_written)]


class MacroName(Said):
    """A macro, by its name."""

    macro: Name


class Texts(Said):
    """A macro: its *texts* by language, with gaps. *revision* is the one that is changed, 0: none.

    Of no accounts and marketplaces: of all.
    """

    title: Annotated[Line, StringConstraints(min_length=1)]
    texts: Annotated[
        dict[Tag, Annotated[str, StringConstraints(min_length=1, max_length=20_000)]],
        Field(min_length=1, max_length=50, json_schema_extra={"additionalProperties": False}),
    ]
    accounts: Several = ()
    marketplaces: Several = ()
    revision: Revision = 0


class Which(Said):
    """The revision that is known: nobody has changed it since."""

    revision: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Doubt(Given):
    """What is to be known of a macro that is saved all the same."""

    text: str
    language: str | None
    account: str | None


class Saved(Given):
    """The macro as it stands now, and what is to be known of it."""

    macro: Macro
    doubts: tuple[Doubt, ...]


class Trail(Said):
    """Which lines of the audit trail, the newest first."""

    who: Word | None = None
    act: Word | None = None
    account: Name | None = None
    thread: Id | None = None
    since: Instant | None = Field(None, description="from that instant on")
    until: Instant | None = Field(None, description="before that instant")
    before: Number | None = Field(None, description="the `next` of the page before")
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Entry(Given):
    """One thing that happened; *who* null: nobody who was known. No word of a buyer stands here."""

    id: int
    at: AwareDatetime
    who: str | None
    means: str | None
    act: str
    account: str | None
    thread: str | None
    detail: dict[str, str | int]
    address: str | None


class Entries(Given):
    """A page of the trail; *next* null: it is the last."""

    lines: tuple[Entry, ...]
    next: int | None


class OneAccount(Said):
    """An account."""

    account: Name


class OneRoute(Said):
    """A route of the settings, by which notices go."""

    route: Name


class Noted(Given):
    """The troubles that somebody takes care of: nobody else is told of them."""

    kinds: tuple[str, ...]


class Silence(Said):
    """Until when nothing is told, 30 days at most, and why."""

    until: AwareDatetime
    reason: Line | None = None


class Mute(Given):
    """An account, or a route, of which nothing is told until then; its clocks run on."""

    scope: Scope
    name: str
    since: AwareDatetime
    until: AwareDatetime
    by: str
    reason: str | None


class Mutes(Given):
    """All that stand."""

    mutes: tuple[Mute, ...]


class Lifted(Given):
    """How many notices that were held back leave now."""

    leaving: int


class OnDuty(Given):
    """Who is on a duty, until when; *told_by* are the notifiers by which they are told."""

    duty: str
    on_duty: str
    people: tuple[str, ...]
    until: AwareDatetime | None
    told_by: str


class Duties(Given):
    """Every duty of the settings."""

    duties: tuple[OnDuty, ...]


class Notice(Said):
    """A notice that might be told."""

    kind: Word = "warning"
    language: Tag | None = None
    policy: Word | None = None
    step: Annotated[int, Field(ge=1, le=100)] | None = None


class Asked(Given):
    """A route that is asked, and whether it takes the notice."""

    route: str
    this_notice: str
    tells: str


class Told(Given):
    """A notifier that is told: for whom, by which route, and when."""

    notifier: str
    whom: str = Field(validation_alias="for")
    by_route: str
    when: str
    not_before: AwareDatetime | None


class Rung(Given):
    """Who is told next, so long after, if nobody acts."""

    after: str
    tells: str
    by: str


class Explained(Given):
    """Who would be told of it now, and why."""

    routes: tuple[Asked, ...]
    told: tuple[Told, ...]
    ladder: tuple[Rung, ...]


class Kept(Said):
    """Of which accounts, which promise and which window, as of when."""

    account: Name | None = None
    policy: Word | None = None
    at: Instant | None = Field(None, description="then; left out: now")
    worst: Annotated[int, Field(ge=0, le=100)] = 10


class Attainment(Given):
    """How a promise is kept, as its contract counts. Shares are of 1.

    *verdict*: how it stands. *budget*: so many more may be missed, below 0: so many too many;
    *needed*: so many in a row mend it. *next_within_seconds*: so long the next may take, of a mean.
    """

    account: str
    marketplace: str
    policy: str
    role: str
    measure: str
    begins: AwareDatetime
    ends: AwareDatetime
    verdict: str
    in_time: float | None
    objective: float | None
    budget: int | None
    needed: int | None
    mean_seconds: float | None
    limit_seconds: float | None
    next_within_seconds: float | None
    counted: int
    met: int
    missed: int
    running: int


class Late(Given):
    """A thread that was answered late, or is late now."""

    account: str
    thread: str
    late_by_seconds: float
    promises: tuple[str, ...]
    due_at: AwareDatetime
    stopped_at: AwareDatetime | None
    is_unseen: bool


class Report(Given):
    """How promises were kept until *at*, and the threads that were late by most."""

    at: AwareDatetime
    numbers: tuple[Attainment, ...]
    worst: tuple[Late, ...]
