"""Whatever agents and time do, rungs are told and claims hold as a few plain lines say."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import Role, Who
from core.desk import claiming, escalating
from core.desk.claiming import Held
from core.errors import NotAllowed
from core.store import claims, transaction
from tests.core import climbing, pages, seeds
from tests.core.climbing import KNOWN, LADDER
from tests.core.seeds import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from datetime import datetime

RULES = climbing.rules(replace(LADDER, repeat=HOUR))
WAITS = (15 * MINUTE, 30 * MINUTE, *(min(2**n * HOUR, 24 * HOUR) for n in range(10)))
"""Before each rung: two, and the last again ten times."""
LEASE = 5 * MINUTE
"""The deadline has passed: a claim lasts for the least."""


@dataclass
class Model:
    """One thread, as it should be: *rungs* that were told, who has it, until when."""

    told_at: datetime
    rungs: int = 0
    by: str | None = None
    until: datetime | None = None
    answered: bool = False

    def holder(self, now):
        return self.by if self.until is not None and now < self.until else None

    def look(self, now):
        """A daemon looks: one rung, if its time has passed and nobody has the thread."""
        left = self.rungs < len(WAITS) and not self.answered and self.holder(now) is None
        if left and now > self.told_at + WAITS[self.rungs]:
            self.rungs, self.told_at = self.rungs + 1, now

    def claim(self, who, now):
        if self.holder(now) in (None, who):
            self.by, self.until = who, now + LEASE
            return True
        return False

    def release(self, who, now):
        if self.holder(now) == who:
            self.by = self.until = None

    def answer(self):
        """What ends a clock ends the claim; where nobody waits any more, nothing ends."""
        if not self.answered:
            self.answered, self.by, self.until = True, None, None


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "release", "look", "look", "answer"]),
        st.sampled_from(["anna", "bert"]),
        st.one_of(
            st.sampled_from([SECOND, LEASE, 15 * MINUTE, 30 * MINUTE, HOUR, 24 * HOUR]),
            st.timedeltas(SECOND, 3 * HOUR),
        ),
    ),
    max_size=12,
)


async def act(pool, what, who, thread, now):
    """Do it; whether it was done."""
    asks = Who(who, Role.AGENT)
    async with transaction(pool) as db:
        if what == "claim":
            return not isinstance(await claiming.claim(db, asks, "mk", thread, now), Held)
        if what == "release":
            with suppress(NotAllowed):
                await claiming.release(db, asks, "mk", thread, now)
    if what == "answer":
        await pages.stored(pool, now, pages.seller(f"A{thread}", now, thread), of=RULES)
    return True


async def stands(pool, thread, now):
    """(rungs told, who has it) as stored."""
    async with pool.acquire() as db:
        rungs = await db.fetchval(
            "select count(distinct id) from notice where thread = $1 and kind = 'escalation'",
            thread,
        )
        found = await claims.of(db, [("mk", thread)], now)
        return rungs, next((each.by for each in found.values()), None)


async def begun(pool, thread, now):
    """A thread whose deadline has just passed, and was told."""
    opened = pages.thread(thread, as_of=now)
    asked = pages.buyer(f"Q{thread}", now - 24 * HOUR - SECOND, thread)
    await pages.stored(pool, now - 24 * HOUR, opened, asked, of=RULES)
    await seeds.watched(pool, RULES, now)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
async def test_rungs_and_claims_are_as_a_simple_model_says(pool, now, events):
    async with transaction(pool) as db:
        await db.execute("delete from escalation")  # of the example before
    await pages.monitored(pool, now - 30 * 24 * HOUR)
    thread = f"T{secrets.token_hex(8)}"
    await begun(pool, thread, now)
    model = Model(told_at=now)
    for what, who, later in events:
        now += later
        done = await act(pool, what, who, thread, now)
        if what == "claim":
            assert done == model.claim(who, now)
        elif what == "release":
            model.release(who, now)
        elif what == "answer":
            model.answer()
        await escalating.once(pool, RULES, KNOWN, now)
        model.look(now)

        assert await stands(pool, thread, now) == (model.rungs, model.holder(now))
