"""Random threads, readings and the promises that look at them, for hypothesis."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from sla.calendar import WHOLE_DAY, Calendar
from sla.clock import REST, Delivery, Given, Kind, Level
from tests.sla.making import BUYER, DAY, HOUR, MARKETPLACE, SELLER, Said, at, goal, policy, weekdays

if TYPE_CHECKING:
    from sla.policy import Policy

PARTIES = st.sampled_from([BUYER, BUYER, SELLER, SELLER, MARKETPLACE])
hours = st.integers(0, 120).map(at)
lags = st.sampled_from([0, 0, 0, 1, 30, -1]).map(lambda n: n * HOUR)


@st.composite
def turns(draw, number: int) -> Said:
    party, sent = draw(PARTIES), draw(st.one_of(st.none(), hours, hours, hours, hours))
    kind = draw(st.sampled_from([Kind.MESSAGE] * 8 + list(Kind)))
    return Said(
        f"t{number}", party, kind, sent, (sent or at(50)) + draw(lags),
        draw(st.sampled_from([frozenset({BUYER}), frozenset({MARKETPLACE}), frozenset(),
                              frozenset({BUYER, MARKETPLACE})])),
        draw(st.sampled_from([Delivery.CONFIRMED, Delivery.CONFIRMED, None, *Delivery])),
        draw(st.sampled_from([None, *Level])) if kind is Kind.NO_REPLY_NEEDED else None,
    )  # fmt: skip


threads = st.integers(0, 8).flatmap(lambda n: st.tuples(*[turns(i) for i in range(n)])).map(list)


@st.composite
def readings(draw) -> Given:
    as_of, asks = draw(hours), draw(st.booleans())
    is_deadline = draw(st.booleans())
    is_rest = not asks and draw(st.booleans())
    return Given(
        draw(st.sampled_from(["message", "claim", "incident"])),
        REST if is_rest else "act" if is_deadline else "start",
        asks,
        as_of,
        as_of + draw(lags.filter(lambda lag: lag >= timedelta(0))),
        due_at=draw(hours) if is_deadline and asks else None,
        starts_at=draw(st.one_of(st.none(), hours)) if asks else None,
        by_message=draw(st.booleans()),
        acted_at=draw(st.one_of(st.none(), hours)) if not asks else None,
        outcome=draw(st.sampled_from([None, "withdrawn", "escalated"])) if not asks else None,
    )


OFFICE = Calendar("Europe/Berlin", weekdays("09:00-18:00"))
BOTH = frozenset({BUYER, MARKETPLACE})
POLICIES = (
    policy("plain", waits_for=BOTH, marketplace_mark=True),
    policy("dated", 10 * HOUR, effective_to=at(40), calendar=OFFICE),
    policy("dated", 20 * HOUR, version=2, effective_from=at(40), counts_automatic=True),
    policy("window", 24 * HOUR, counts_from="latest", warn=(HOUR, 0.5)),
    goal("ours", 4 * HOUR, calendar=OFFICE, next_reply_within=8 * HOUR, waits_for=BOTH),
)


@st.composite
def odd_promises(draw) -> Policy:
    """A promise on a calendar that opens on a few days only, or for longer than dates reach."""
    hours_ = draw(
        st.sampled_from([{}, weekdays("09:00-17:00"), dict.fromkeys(range(7), WHOLE_DAY)])
    )
    exceptions = draw(
        st.dictionaries(st.dates(date(2026, 3, 1), date(2026, 3, 9)), st.just(WHOLE_DAY))
    )
    within = draw(st.sampled_from([HOUR, 30 * HOUR, 90 * DAY, 99_999 * DAY, timedelta.max]))
    warn = draw(st.lists(st.sampled_from([0.1, 0.5, HOUR, 99_000 * DAY]), max_size=3))
    calendar = Calendar("Europe/Berlin", hours_, exceptions)
    return policy("odd", within, calendar=calendar, warn=tuple(warn))
