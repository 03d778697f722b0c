"""Random threads, readings and the promises that look at them, for hypothesis."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from sla.calendar import Calendar
from sla.clock import Delivery, Given, Kind, Level
from tests.sla.making import BUYER, HOUR, MARKETPLACE, SELLER, Said, at, goal, policy, weekdays

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
    return Given(
        draw(st.sampled_from(["message", "claim", "incident"])),
        "act" if is_deadline else "start",
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
