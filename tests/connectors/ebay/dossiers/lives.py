"""Lives of dossiers by chance: what happens, what is read of it when, and what truly was asked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import strategies as st

from connectors.ebay.dossiers import dossier, sources
from connectors.ebay.dossiers.dossier import Doubts
from connectors.ebay.dossiers.payload import Steps
from connectors.ebay.sandbox import cancellations, cases, disputes, inquiries, returns
from connectors.ebay.sandbox.dossiers import Impossible
from connectors.ebay.sandbox.market import Market
from tests.connectors.standing import Clock

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RESPOND, REFUND = "SELLER_RESPOND", "SELLER_ISSUE_REFUND"

SELLERS = frozenset({
    "seller_writes", "seller_ships", "seller_refunds", "seller_approves", "seller_rejects",
    "approve", "decline", "offer", "contest", "accept", "provides_evidence",
})  # fmt: skip


def _claimed(one, waits):
    """The answer and the money; nothing where the seller is not waited for."""
    refund = {REFUND: one.refund_due_at} if one.refund_due_at else {}
    return {RESPOND: one.due_at, **refund} if one.is_open and waits else {}


def _asked_of_dispute(one):
    if one.status == "ACTION_NEEDED":
        return {"CONTEST_OR_ACCEPT": one.due_at}
    return {"PROVIDE_EVIDENCE": min(due for _, due in one.evidence)} if one.evidence else {}


@dataclass(frozen=True)
class Life:
    """One kind: how it begins, what may happen, what truly is asked."""

    source: sources.Source
    opened: str
    module: object
    asked: object
    deeds: dict


def _deeds(*names, **more):
    return {name: lambda one, name=name: getattr(one, name)() for name in names} | more


LIVES = {
    "return": Life(
        sources.RETURNS, "open_return", returns,
        lambda one: {one.act: one.due_at} if one.act else {},
        _deeds(
            "buyer_ships", "is_delivered", "seller_refunds", "buyer_closes",
            seller_writes=lambda one: one.seller_writes("Soon"),
            buyer_writes=lambda one: one.buyer_writes("When?"),
            approve=lambda one: one.seller_decides("APPROVE"),
            decline=lambda one: one.seller_decides("DECLINE"),
            offer=lambda one: one.seller_decides("OFFER_PARTIAL_REFUND"),
            moved=lambda one: one.moves(one.now() + 50 * HOUR) if one.due_at else None,
        ),
    ),
    "inquiry": Life(
        sources.INQUIRIES, "open_inquiry", inquiries,
        lambda one: _claimed(one, one.status != "WAITING_BUYER_RESPONSE"),
        _deeds(
            "seller_ships", "seller_refunds", "buyer_closes", "ebay_closes",
            seller_writes=lambda one: one.seller_writes("Soon"),
            buyer_writes=lambda one: one.buyer_writes("When?"),
            moved=lambda one: one.moves(one.now() + 50 * HOUR) if one.due_at else None,
            wants_refund=lambda one: one.wants_refund(one.now() + 40 * HOUR),
        ),
    ),
    "cancellation": Life(
        sources.CANCELLATIONS, "open_cancellation", cancellations,
        lambda one: {"SELLER_DECIDE": one.due_at} if one.status == "CANCEL_REQUESTED" else {},
        _deeds(
            "seller_approves", "seller_rejects", "is_refunded",
            moved=lambda one: one.moves(one.now() + 50 * HOUR),
        ),
    ),
    "case": Life(
        sources.CASES, "open_case", cases,
        lambda one: _claimed(one, one.status == "OPEN"),
        _deeds(
            "seller_ships", "seller_refunds",
            wants_refund=lambda one: one.wants_refund(one.now() + 40 * HOUR),
            asks=lambda one: one.ebay_asks("A proof", one.now() + 30 * HOUR),
            decides=lambda one: one.ebay_decides("SELLER"),
        ),
    ),
    "dispute": Life(
        sources.DISPUTES, "open_dispute", disputes, _asked_of_dispute,
        _deeds(
            "provides_evidence",
            wants_evidence=lambda one: one.wants_evidence(one.now() + 70 * HOUR),
            contest=lambda one: one.seller_responds("CONTEST", one.revision),
            accept=lambda one: one.seller_responds("ACCEPT", one.revision),
            decided=lambda one: one.is_decided(won=True),
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """An act that was asked: until when, and how that ended (None: it is asked still)."""

    act: str
    due_at: datetime
    ended_at: datetime | None = None
    by_seller: bool = False
    is_over: bool = False


@dataclass
class Told:
    """What was read, and what truly was asked, the last of each act.

    *asked*: beside each page, what was asked at its instant.
    """

    pages: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    truths: dict = field(default_factory=dict)
    thread: str = ""
    kind: object = None
    now: datetime = NOON


def lives():
    """A kind, and what happens: (deed, hours later, how it is read)."""
    how = st.sampled_from(["whole", "whole", "whole", "search", "nothing"])
    return st.sampled_from(sorted(LIVES)).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            st.lists(
                st.tuples(st.sampled_from(sorted(LIVES[kind].deeds)), st.integers(1, 60), how),
                max_size=10,
            ),
        )
    )


def lived(kind, deeds, *, sparse=False):
    """Let *deeds* happen; read after each as it says, but always (*sparse*) what is newly asked."""
    life, clock = LIVES[kind], Clock(NOON)
    market = Market(clock, Random(1))
    one = getattr(market.add_seller("shop-b").desk, life.opened)()
    told = Told(kind=life.source.kind, thread=life.source.thread(one.id))
    asked = life.asked(one)
    _begin(told, asked, {})
    _read(told, life, one, "whole", clock.advance(minutes=1))
    for name, hours, how in deeds:
        at = clock.advance(hours=hours)
        was_open = one.is_open
        one.settle(at)
        if was_open and not one.is_open:
            _end(told, asked, {}, one.closed_at, is_over=True)
            asked = {}
        was_open = one.is_open
        with suppress(Impossible):
            life.deeds[name](one)
        before, asked = asked, life.asked(one)
        is_over = was_open and not one.is_open
        _end(told, before, asked, at, by_seller=name in SELLERS, is_over=is_over)
        _begin(told, asked, before)
        way = "whole" if asked.items() - before.items() and sparse else how
        told.now = clock.advance(minutes=1)
        if way != "nothing":
            _read(told, life, one, way, told.now)
    told.now = clock.advance(minutes=1)
    _read(told, life, one, "whole", told.now)
    return told


def _begin(told, asked, before):
    for act, due_at in asked.items():
        if before.get(act) != due_at:
            told.truths[act] = Truth(act, due_at)


def _end(told, before, asked, at, *, by_seller=False, is_over):
    for act in before.keys() - asked.keys():
        due = told.truths[act].due_at
        told.truths[act] = Truth(act, due, at, by_seller, is_over)


def _read(told, life, one, how, now):
    told.pages.append(read(life, one, how, now))
    told.asked.append(life.asked(one))


def read(life, one, how, now):
    """A page as `Dossiers` would make it: of the search alone, or with the detail."""
    doubts, source = Doubts(), life.source
    page = source.page.model_validate(_listed(source, life.module.summary(one)))
    [summary] = source.summaries(page)
    detail = steps = None
    if how == "whole":
        detail = source.detail.model_validate(life.module.detail(one))
        steps = Steps.model_validate(disputes.activities(one)) if source.steps else None
    found = source.understand(summary, detail, steps, doubts)
    assert doubts.found == []
    return dossier.page([found], now)


def _listed(source, summary):
    name = {"payment_dispute_summaries": "paymentDisputeSummaries"}.get(source.members)
    return {name or source.members: [summary]}
