"""What a program looks for that is no queue: a thread by a word, and what was answered lately."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from core.access import Act
from core.web import filters, found, lines
from core.web.api.models import MOST, PAGE, Band, Place, Word
from core.web.api.routes import Given, Lead, Route, Said
from core.web.filters import Filter

if TYPE_CHECKING:
    from core.store import finding
    from core.web.api.routes import Call

Sought = Annotated[
    str,
    StringConstraints(
        max_length=filters.LONGEST, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    ),
]


class Searched(Said):
    """What is looked for, and where."""

    q: Sought = Field(
        description="an order by its first five characters or more, a thread by its whole id, or a "
        "buyer by the beginnings of their names"
    )
    account: Word | None = None
    marketplace: Word | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


class Lately(Said):
    """Whose answers, and where."""

    account: Word | None = None
    marketplace: Word | None = None
    by: Word | None = Field(None, description="who answered, or said that no reply is needed")
    claimed: Literal["mine"] | None = Field(None, description="in place of `by`: who asks")
    after: Place | None = Field(None, description="the `next` of the page before")
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


class Found(Given):
    """A thread, by its nearest deadline; where none runs, by the one that ended last.

    *promise* null: it had none. *ended* null: it runs, and *band* says how near it is. *by* is who
    answered here, or said that no reply is needed; *is_elsewhere*: the answer is not from here.
    """

    account: str
    marketplace: str
    thread: str
    kind: str
    subject: str | None
    buyer: str
    order_ids: tuple[str, ...]
    promise: str | None
    due_at: AwareDatetime | None
    band: Band | None
    ended: Literal["met", "late", "void"] | None
    reason: str | None
    stopped_at: AwareDatetime | None
    by: str | None
    is_elsewhere: bool
    claimed_by: str | None
    claimed_until: AwareDatetime | None


class Matches(Given):
    """What was found: what waits by deadline, then what was answered, the newest first.

    *more*: there are more than these, and no page that follows: look for more of the word.
    """

    threads: tuple[Found, ...]
    more: bool


class Answered(Given):
    """A page of what was answered in the last 14 days, the newest first; *next* null: the last."""

    threads: tuple[Found, ...]
    next: str | None


async def search(call: Call) -> Matches:
    """What a word finds, whatever became of it; the look is written down, and never the word."""
    said = call.of(Searched)
    chosen = Filter(said.account, said.marketplace, q=said.q)
    several, is_part = await found.looked_up(call.request, call.who, chosen, said.limit)
    return Matches(threads=tuple(_found(call, one) for one in several), more=is_part)


async def lately(call: Call) -> Answered:
    """A page of what was answered."""
    said = call.of(Lately)
    wanted = said.model_dump(exclude={"limit"}, exclude_none=True)
    chosen = filters.of({**wanted, "state": "answered"})
    several, is_part = await found.looked_up(call.request, call.who, chosen, said.limit)
    after = several[-1].place if is_part else None
    return Answered(
        threads=tuple(_found(call, one) for one in several),
        next=None if after is None else f"{after.micros}-{after.clock}",
    )


def _found(call: Call, one: finding.Found) -> Found:
    facts = {name: getattr(one, name) for name in Found.model_fields if hasattr(one, name)}
    beside = {
        "marketplace": lines.place(call.rules, one.account).marketplace,
        "band": one.band(call.now),
        "is_elsewhere": bool(one.is_elsewhere),
    }
    return Found.model_validate({**facts, **beside})


FIRST = {"account": "$response.body#/threads/0/account",
         "thread": "$response.body#/threads/0/thread"}  # fmt: skip
ROUTES = (
    Route("GET", "/search", "search", "Threads by an order, an id or a buyer's name",
          Act.READ, search, Matches, asks=Searched,
          leads=(Lead("thread", "The first of them", FIRST),)),
    Route("GET", "/answered", "lately", "Threads that were answered lately, and by whom",
          Act.READ, lately, Answered, asks=Lately, refuses=(HTTPStatus.CONFLICT,),
          leads=(Lead("thread", "The newest of them", FIRST),)),
)  # fmt: skip
"""What can be looked for."""
