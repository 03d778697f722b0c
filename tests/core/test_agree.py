"""Which row is which clock, and what becomes of what was told. Rule: clock.md, sections 3 and 7."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from core import agree
from core.model import ClockRow, NoticeKind
from sla.clock import Delivery, Kind, Level, clocks, reached
from sla.policy import ThreadKind
from tests.sla.making import (
    HOUR,
    Said,
    asked,
    at,
    elsewhere,
    goal,
    marked,
    policy,
    reading,
    replied,
    told,
)

SHORT = policy("short", 10 * HOUR, warn=(0.5, 0.9))
SECOND = timedelta(seconds=1)


@dataclass
class Shop:
    """One account: what is stored, and what each recomputation changes."""

    policies: list = field(default_factory=lambda: [SHORT])
    monitored_since: object = at(-100)
    kind: ThreadKind | None = None
    threads: dict[str, list[Said]] = field(default_factory=lambda: {"t": []})
    given: dict[str, list] = field(default_factory=dict)
    rows: list[ClockRow] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)

    def put(self, *turns: Said, now, thread="t", sure=True) -> agree.Changes:
        """Store *turns* over those with the same ids; recompute; apply."""
        known = {turn.id: turn for turn in self.threads.setdefault(thread, [])}
        self.threads[thread] = list({**known, **{turn.id: turn for turn in turns}}.values())
        return self.recompute(now, sure=sure)

    def recompute(self, now, *, sure=True) -> agree.Changes:
        computed = {
            name: agree.Computed(
                turns, clocks(turns, self.policies, self.given.get(name, ()), kind=self.kind)
            )
            for name, turns in self.threads.items()
        }
        changes = agree.agree(
            "shop", self.rows, computed, now, monitored_since=self.monitored_since, sure=sure
        )
        changed = {row.id: row for row in changes.changed}
        self.rows = [changed.get(row.id, row) for row in self.rows]
        self.rows += [row._replace(id=len(self.rows) + n + 1) for n, row in enumerate(changes.new)]
        self.counts.update(changes.counts)
        return changes

    def tell(self, now, row=0) -> None:
        """What `core.watch` does: the highest step that has passed is told."""
        self.rows[row] = self.rows[row]._replace(step=reached(self.rows[row].clock.steps, now))

    def breach(self, now, row=0) -> None:
        """What `core.watch` does at the deadline: told, then counted."""
        self.tell(now, row)
        told = self.rows[row]
        self.rows[row] = told._replace(
            breached_at=told.clock.due_at, corrected_at=None, correction=None
        )

    def result(self, name: str) -> int:
        return sum(n for (_, result), n in self.counts.items() if result == name)

    @property
    def row(self) -> ClockRow:
        [row] = self.rows
        return row


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def late(shop: Shop) -> Shop:
    """A message of hour 0, due at hour 10; told and counted as a breach at hour 11."""
    shop.put(asked("m", at(0)), now=at(1))
    shop.breach(at(11))
    return shop


def lines(changes: agree.Changes) -> dict[str, tuple]:
    return {entry.what: (entry.before, entry.after) for entry in changes.entries}


class TestWhichRowIsWhichClock:
    def test_a_new_clock_is_a_new_row_and_nothing_is_told(self, shop):
        changes = shop.put(asked("m", at(0)), now=at(1))

        assert [row.id for row in changes.new] == [None]
        assert (changes.changed, changes.entries, changes.notices) == ([], [], [])
        assert shop.counts == {("first_reply", "started"): 1}

    def test_what_did_not_change_is_written_nowhere(self, shop):
        shop.put(asked("m", at(0)), now=at(1))

        assert not any(vars_of(shop.recompute(at(2))))

    def test_a_start_that_moves_keeps_the_row_and_is_entered(self, shop):
        shop.put(asked("m2", at(2)), now=at(3))

        changes = shop.put(asked("m1", at(1), seen=at(4)), now=at(4))

        assert (shop.row.id, shop.row.clock.started_by) == (1, "m1")
        before, after = lines(changes)["started"]
        assert (before["started_by"], after["started_by"]) == ("m2", "m1")
        assert lines(changes)["due_at"] == (
            {"due_at": at(12).isoformat()}, {"due_at": at(11).isoformat()},
        )  # fmt: skip

    def test_an_end_is_entered(self, shop):
        shop.put(asked("m", at(0)), now=at(1))

        changes = shop.put(replied("r", at(2)), now=at(3))

        before, after = lines(changes)["ended"]
        assert before == dict.fromkeys(("ended", "reason", "stopped_at", "stopped_by"))
        assert after["ended"] == "met"
        assert shop.result("met") == 1

    def test_a_row_that_the_list_no_longer_claims_is_gone_and_stays(self, shop):
        shop.put(asked("m", at(0)), now=at(1))

        shop.put(asked("m", at(0), kind=Kind.WITHDRAWN), now=at(3))

        assert (shop.row.clock.ended, shop.row.clock.reason) == ("void", "gone")
        assert shop.row.clock.stopped_at == at(3)
        assert not shop.recompute(at(4)).changed

    def test_a_row_that_was_gone_lives_again_when_its_message_counts_again(self, shop):
        shop.put(asked("m", at(0)), now=at(1))
        shop.put(asked("m", at(0), kind=Kind.WITHDRAWN), now=at(3))

        shop.put(asked("m", at(0)), now=at(4))

        assert shop.row.clock.ended is None
        assert shop.result("reopened") == 0

    def test_of_several_rows_the_clocks_own_is_kept_and_the_others_are_merged(self, shop):
        shop.put(asked("a", at(0)), replied("r", at(1)), asked("b", at(2)), now=at(3))

        shop.put(replied("r", at(1), delivery=Delivery.REFUSED), now=at(4))

        first, second = shop.rows
        assert (first.clock.started_by, first.clock.ended) == ("a", None)
        assert (second.clock.ended, second.clock.reason) == ("void", "merged")

    def test_where_none_is_the_clocks_own_the_live_one_is_kept(self, shop):
        """The start is a message that was never a row's start."""
        shop.put(asked("b", at(1)), replied("r", at(2)), asked("c", at(3)), now=at(4))

        shop.put(
            asked("a", at(0), seen=at(5)), replied("r", at(2), delivery=Delivery.REFUSED), now=at(5)
        )

        merged, live = shop.rows
        assert (live.clock.started_by, live.clock.ended) == ("a", None)
        assert merged.clock.reason == "merged"

    def test_where_none_lives_the_earliest_is_kept(self, shop):
        turns = [asked("b", at(1)), replied("r", at(2)), asked("c", at(3)), replied("s", at(4))]
        shop.put(*turns, now=at(5))

        refused = replied("r", at(2), delivery=Delivery.REFUSED)
        shop.put(asked("a", at(0), seen=at(6)), refused, now=at(6))

        kept, merged = shop.rows
        assert (kept.clock.started_by, kept.clock.ended) == ("a", "met")
        assert merged.clock.reason == "merged"

    def test_a_row_that_was_merged_lives_again_when_its_waiting_splits(self, shop):
        reply = replied("r", at(1))
        shop.put(asked("a", at(0)), reply, asked("b", at(2)), now=at(3))
        shop.put(replace(reply, delivery=Delivery.REFUSED), now=at(4))

        shop.put(reply, now=at(5))

        assert [(row.clock.started_by, row.clock.ended) for row in shop.rows] == [
            ("a", "met"), ("b", None),
        ]  # fmt: skip

    def test_a_message_that_moves_to_another_thread_takes_its_row_along(self, shop):
        shop.threads["u"] = []
        shop.put(asked("m", at(0)), now=at(1))
        shop.tell(at(6))
        shop.threads = {"t": [], "u": shop.threads["t"]}

        changes = shop.recompute(at(7))

        assert (shop.row.thread, shop.row.step) == ("u", 1)
        assert lines(changes) == {"thread": ({"thread": "t"}, {"thread": "u"})}

    def test_a_date_that_the_marketplace_gives_is_a_member_in_its_own_thread_only(self, shop):
        shop.threads = {"t": [], "u": []}
        shop.given = {name: [reading(at(2), starts_at=at(1))] for name in ("t", "u")}

        shop.recompute(at(3))
        shop.recompute(at(4))

        assert [(row.thread, row.clock.ended) for row in shop.rows] == [("t", None), ("u", None)]

    def test_a_given_deadline_is_one_row_for_its_thread_kind_and_act(self, shop):
        shop.threads = {"t": [], "u": []}
        shop.given = {name: [claim(at(1))] for name in ("t", "u")}
        shop.recompute(at(2))

        shop.given["t"].append(claim(at(3), due_at=at(20), starts_at=at(2)))
        shop.recompute(at(4))

        assert [(row.thread, row.clock.due_at) for row in shop.rows] == [
            ("t", at(20)),
            ("u", at(50)),
        ]

    def test_a_difference_of_dates_is_entered_even_for_a_new_row(self, shop):
        shop.given = {"t": [reading(at(3), starts_at=at(1))]}

        changes = shop.put(asked("m", at(2)), now=at(4))

        assert changes.entries == [
            agree.Entry(
                -1, "since_differs",
                {"since": at(2).isoformat()}, {"since": at(1).isoformat()},
            )
        ]  # fmt: skip

    def test_a_difference_that_shows_later_is_entered_once(self, shop):
        shop.put(asked("m", at(2)), now=at(3))
        shop.given = {"t": [reading(at(3), starts_at=at(1))]}

        assert "since_differs" in lines(shop.recompute(at(4)))
        assert not shop.recompute(at(5)).entries


def vars_of(changes: agree.Changes) -> list:
    return [
        changes.new, changes.changed, changes.entries, changes.drop, changes.notices,
        changes.corrections, changes.counts,
    ]  # fmt: skip


def claim(as_of, **other):
    other = {"kind": "claim", "act": "approve", "due_at": at(50), "starts_at": at(0), **other}
    return reading(as_of, **other)


class TestADeadlineThatMoved:
    @pytest.fixture
    def given(self, shop):
        """A given deadline at hour 50, warned of at 25, 37.5 and 45."""
        shop.given = {"t": [claim(at(1))]}
        shop.recompute(at(1))
        return shop

    def test_nearer_is_told_once_with_a_revision_and_its_passed_warnings_muted(self, given):
        given.given["t"].append(claim(at(20), due_at=at(30)))

        changes = given.recompute(at(20))

        assert (given.row.revision, given.row.step) == (1, 1)
        [notice] = changes.notices
        assert (notice.kind, notice.key) == (NoticeKind.DEADLINE_MOVED, "1/1/moved")
        assert dict(notice.facts)["before"] == at(50).isoformat()
        assert notice.due_at == at(30)
        assert not given.recompute(at(21)).notices

    def test_nearer_and_already_past_mutes_the_warnings_but_never_the_breach(self, given):
        given.given["t"].append(claim(at(20), due_at=at(10)))

        given.recompute(at(20))

        assert given.row.step == 3
        assert len(given.row.clock.steps) == 4

    def test_later_is_not_told_and_what_was_to_be_told_is_kept_back(self, given):
        given.tell(at(26))
        given.given["t"].append(claim(at(27), due_at=at(90)))

        changes = given.recompute(at(27))

        assert (given.row.revision, given.row.step, changes.notices) == (1, 0, [])
        assert changes.drop == {1: "moved"}

    def test_later_after_a_counted_breach_is_corrected_and_it_runs_again(self, given):
        given.breach(at(51))
        given.given["t"].append(claim(at(52), due_at=at(200)))

        changes = given.recompute(at(52))

        row = given.row
        assert (row.corrected_at, row.correction) == (at(52), "deadline_moved")
        assert (row.breached_at, row.revision, row.step) == (at(50), 1, 0)
        [notice] = changes.corrections
        assert (notice.key, notice.kind) == ("1/0/corrected", NoticeKind.CORRECTED)
        assert given.result("corrected") == 1

    def test_answered_before_the_old_deadline_is_answered_whatever_moved(self, given):
        given.breach(at(51))
        closed = claim(at(53), asks=False, due_at=None, starts_at=None, acted_at=at(40))
        given.given["t"] += [claim(at(52), due_at=at(200)), closed]

        given.recompute(at(53))

        assert (given.row.clock.ended, given.row.correction) == ("met", "answered_elsewhere")

    def test_answered_after_the_old_deadline_and_before_the_new_one_it_had_moved(self, given):
        given.breach(at(51))
        closed = claim(at(53), asks=False, due_at=None, starts_at=None, acted_at=at(52.5))
        given.given["t"] += [claim(at(52), due_at=at(200)), closed]

        given.recompute(at(53))

        assert (given.row.clock.ended, given.row.correction) == ("met", "deadline_moved")

    def test_later_and_past_all_the_same_takes_nothing_back(self, given):
        given.breach(at(60))
        given.given["t"].append(claim(at(60), due_at=at(55)))

        changes = given.recompute(at(60))

        assert (changes.corrections, given.row.corrected_at) == ([], None)

    def test_a_corrected_row_that_is_late_again_after_a_later_deadline_is_counted_again(
        self, given
    ):
        given.breach(at(51))
        given.given["t"].append(claim(at(52), due_at=at(60)))
        given.recompute(at(52))
        given.given["t"].append(claim(at(70), asks=False, due_at=None, starts_at=None))

        changes = given.recompute(at(70))

        row = given.row
        assert (row.breached_at, row.corrected_at, row.correction) == (at(60), None, None)
        before, after = lines(changes)["breached"]
        assert (before["correction"], after) == (
            "deadline_moved",
            {"breached_at": at(60).isoformat()},
        )

    def test_an_operators_re_date_moves_it_too(self, shop):
        shop.put(asked("m", at(0)), now=at(1))
        shop.policies = [replace(SHORT, version=2, reply_within=20 * HOUR)]

        changes = shop.recompute(at(2))

        assert (shop.row.revision, shop.row.clock.due_at) == (1, at(20))
        assert "due_at" in lines(changes)

    def test_a_further_message_moves_a_clock_that_counts_from_the_latest(self):
        shop = Shop([policy("window", 10 * HOUR, counts_from="latest", warn=(0.5,))])
        shop.put(asked("m", at(0)), now=at(1))
        shop.tell(at(6))

        changes = shop.put(asked("n", at(7)), now=at(7))

        assert (shop.row.revision, shop.row.step, shop.row.clock.due_at) == (1, 0, at(17))
        assert changes.notices == []


class TestAStartThatMoved:
    def test_it_changes_neither_revision_nor_step(self, shop):
        shop.put(asked("m2", at(4)), now=at(4))
        shop.tell(at(10))

        shop.put(asked("m1", at(2), seen=at(10)), now=at(10))

        assert (shop.row.revision, shop.row.step) == (0, 1)

    def test_unless_the_breach_was_told_and_the_deadline_is_ahead_again(self, late):
        """Both messages waited; a mark covers the first; the second had arrived after it."""
        late.put(asked("m2", at(9), seen=at(12.5)), marked("k", at(12), Level.MARKED), now=at(13))

        row = late.row
        assert (row.clock.started_by, row.clock.due_at) == ("m2", at(19))
        assert (row.revision, row.step) == (1, 0)
        assert (row.breached_at, row.correction) == (at(10), "start_moved")

    def test_a_withdrawn_start_is_no_start_that_moved_but_another_clock(self, late):
        late.put(asked("m2", at(9)), now=at(11))

        changes = late.put(asked("m", at(0), kind=Kind.WITHDRAWN), now=at(11))

        gone, running = late.rows
        assert (gone.clock.reason, gone.correction) == ("gone", "reclassified")
        assert (running.clock.started_by, running.revision, running.step) == ("m2", 0, 0)
        assert len(changes.corrections) == 1

    def test_told_and_still_past_it_is_not_told_again(self, late):
        changes = late.put(asked("m0", at(-1), seen=at(12)), now=at(12))

        assert (late.row.revision, late.row.step) == (0, len(late.row.clock.steps))
        assert changes.corrections == []

    def test_steps_of_another_number_get_keys_of_their_own(self, shop):
        """Step 2 of 3 was a warning; step 2 of 2 is the breach: their keys must differ."""
        early = goal("dated", 10 * HOUR, effective_to=at(5), warn=())
        shop.policies = [
            early,
            goal("dated", 10 * HOUR, version=2, effective_from=at(5), warn=(0.5,)),
        ]
        shop.put(asked("m2", at(6)), now=at(6))
        shop.tell(at(12))

        shop.put(asked("m1", at(4), seen=at(12)), now=at(12))

        assert (len(shop.row.clock.steps), shop.row.revision, shop.row.step) == (1, 1, 0)


class TestABreach:
    def test_late_at_first_sight_is_counted_at_once_and_not_told(self, shop):
        changes = shop.put(asked("m", at(0), seen=at(20)), replied("r", at(11)), now=at(20))

        assert (shop.row.breached_at, shop.row.step) == (at(10), 0)
        assert changes.notices == changes.corrections == []
        assert {name: shop.result(name) for name in ("started", "late", "breached", "met")} == {
            "started": 1, "late": 1, "breached": 1, "met": 0,
        }  # fmt: skip

    def test_ended_late_before_the_watcher_counted_is_counted_at_once(self, shop):
        shop.put(asked("m", at(0)), now=at(1))

        changes = shop.put(replied("r", at(11)), now=at(12))

        assert shop.row.breached_at == at(10)
        assert "breached" in lines(changes)

    def test_counted_by_the_watcher_it_is_not_counted_twice(self, late):
        late.put(replied("r", at(12)), now=at(13))

        assert (late.row.breached_at, late.result("breached"), late.result("late")) == (
            at(10),
            0,
            1,
        )

    def test_a_reply_sent_in_time_and_read_before_counting_drops_and_takes_back_the_telling(
        self, shop
    ):
        shop.put(asked("m", at(0)), now=at(1))
        shop.tell(at(11))

        changes = shop.put(replied("r", at(9), seen_at=at(11)), now=at(11))

        assert (shop.row.clock.ended, shop.row.breached_at, shop.row.correction) == (
            "met",
            None,
            None,
        )
        assert changes.drop == {1: "answered"}
        [notice] = changes.corrections
        assert dict(notice.facts)["correction"] == "answered_elsewhere"
        assert shop.result("corrected") == 0

    def test_where_nothing_was_told_nothing_is_kept_back(self, shop):
        shop.put(asked("m", at(0)), now=at(1))

        assert shop.put(replied("r", at(2)), now=at(3)).drop == {}

    def test_a_warning_that_was_told_is_dropped_and_not_taken_back(self, shop):
        shop.put(asked("m", at(0)), now=at(1))
        shop.tell(at(6))

        changes = shop.put(replied("r", at(7)), now=at(7))

        assert (changes.drop, changes.corrections) == ({1: "answered"}, [])

    def test_a_breach_that_ended_without_a_reply_is_still_told(self, shop):
        shop.put(asked("m", at(0)), now=at(1))
        shop.tell(at(11))

        changes = shop.put(told("over", at(11), Kind.UNANSWERABLE), now=at(11))

        assert (shop.row.clock.ended, shop.row.breached_at, changes.drop) == ("late", at(10), {})

    def test_while_the_hosts_clock_is_unsure_nothing_is_counted(self, shop):
        shop.put(asked("m", at(0)), now=at(1))

        shop.put(replied("r", at(11)), now=at(12), sure=False)
        assert (shop.row.clock.ended, shop.row.breached_at) == ("late", None)

        shop.recompute(at(13), sure=True)
        assert (shop.row.breached_at, shop.result("breached")) == (at(10), 1)

    def test_nor_is_what_was_late_at_first_sight(self, shop):
        shop.put(asked("m", at(0), seen=at(20)), replied("r", at(11)), now=at(20), sure=False)
        assert (shop.row.breached_at, shop.result("breached")) == (None, 0)

        shop.recompute(at(21))
        assert (shop.row.breached_at, shop.result("breached")) == (at(10), 1)

    def test_what_a_wrong_host_clock_told_is_corrected_when_it_is_right_again(self, shop):
        shop.put(asked("m", at(0)), now=at(1))
        shop.breach(at(11))

        assert not shop.recompute(at(3), sure=False).changed
        changes = shop.recompute(at(3))

        row = shop.row
        assert (row.correction, row.revision, row.step) == ("host_clock", 1, 0)
        assert len(changes.corrections) == 1


class TestCorrections:
    @pytest.mark.parametrize(
        ("turn", "ended", "correction"),
        [
            (replied("r", at(9), seen_at=at(20)), "met", "answered_elsewhere"),
            (elsewhere("e", at(9), said=at(20)), "met", "answered_elsewhere"),
            (marked("k", at(20), Level.MARKED), "void", "marked"),
            (marked("k", at(20), Level.CONFIRMED), "void", "marked"),
            (asked("m", at(0), kind=Kind.AUTOMATIC), "void", "reclassified"),
            (told("u", at(9), Kind.UNANSWERABLE), "void", "marked"),
        ],
    )
    def test_a_counted_breach_stays_counted_and_says_what_was_learned(
        self, late, turn, ended, correction
    ):
        changes = late.put(turn, now=at(20))

        row = late.row
        assert (row.clock.ended, row.breached_at) == (ended, at(10))
        assert (row.corrected_at, row.correction) == (at(20), correction)
        [notice] = changes.corrections
        assert (notice.key, dict(notice.facts)["correction"]) == ("1/0/corrected", correction)
        assert late.result("corrected") == 1
        assert not late.recompute(at(21)).corrections

    @pytest.mark.parametrize(
        "turn",
        [
            replied("r", at(11)),
            told("e", at(12), Kind.ERASED),
            told("u", at(12), Kind.UNANSWERABLE),
            marked("k", at(12), Level.GUESSED),
        ],
    )
    def test_an_end_that_does_not_undo_the_breach_takes_nothing_back(self, late, turn):
        changes = late.put(turn, now=at(20))

        assert (late.row.corrected_at, changes.corrections) == (None, [])

    def test_a_correction_that_proves_wrong_is_taken_out_told_afresh_and_not_counted_again(
        self, late
    ):
        late.put(elsewhere("e", at(9), said=at(12)), now=at(12))

        changes = late.put(
            elsewhere("e", at(9), said=at(12)).__class__(
                "e", "seller", Kind.INTERNAL, at(9), at(12)
            ),
            now=at(13),
        )

        row = late.row
        assert (row.clock.ended, row.corrected_at, row.correction) == (None, None, None)
        assert (row.revision, row.step) == (1, len(row.clock.steps) - 1)
        assert lines(changes)["corrected"][1] == {"corrected_at": None, "correction": None}
        assert late.result("breached") == 0

    def test_a_breach_that_merged_into_a_late_clock_lives_on_there(self, shop):
        shop.put(asked("a", at(0)), replied("r", at(1)), asked("b", at(2)), now=at(3))
        shop.breach(at(13), row=1)

        refused = replied("r", at(1), delivery=Delivery.REFUSED)
        changes = shop.put(refused, now=at(14))

        first, merged = shop.rows
        assert (first.clock.ended, merged.clock.reason) == (None, "merged")
        assert (merged.correction, changes.corrections) == (None, [])

    def test_a_breach_that_merged_into_a_clock_in_time_is_taken_back(self, shop):
        shop.put(asked("a", at(0)), replied("r", at(1)), asked("b", at(2)), now=at(3))
        shop.breach(at(13), row=1)

        refused = replied("r", at(1), delivery=Delivery.REFUSED)
        changes = shop.put(refused, replied("s", at(9), seen_at=at(14)), now=at(14))

        _, merged = shop.rows
        assert (merged.clock.reason, merged.correction) == ("merged", "start_moved")
        assert [notice.clock for notice in changes.corrections] == [2]

    def test_who_was_told_a_breach_is_told_even_when_it_has_become_history(self):
        shop = Shop(monitored_since=at(12))
        shop.put(asked("m2", at(5)), now=at(13))
        shop.tell(at(16))
        shop.put(asked("m1", at(0), seen=at(17)), now=at(17))
        assert shop.row.history

        changes = shop.put(replied("r", at(9), seen_at=at(18)), now=at(18))

        assert [notice.kind for notice in changes.corrections] == [NoticeKind.CORRECTED]


class TestARefusal:
    @pytest.fixture
    def refused(self):
        return replied("r", at(2), delivery=Delivery.REFUSED)

    @pytest.fixture
    def answered(self, shop):
        shop.put(asked("m", at(0)), replied("r", at(2)), now=at(3))
        return shop

    def test_the_clock_is_the_same_row_with_its_original_start_and_deadline(
        self, answered, refused
    ):
        answered.put(refused, now=at(4))

        row = answered.row
        assert (row.id, row.clock.ended) == (1, None)
        assert (row.clock.started_at, row.clock.due_at) == (at(0), at(10))
        assert answered.result("reopened") == 1

    def test_one_notice_stands_for_the_steps_that_passed_meanwhile(self, answered, refused):
        changes = answered.put(refused, now=at(9.5))

        [notice] = changes.notices
        assert (notice.kind, notice.key) == (NoticeKind.REPLY_REFUSED, "1/refused/r")
        assert notice.due_at == at(10)
        assert answered.row.step == 2

    def test_it_stands_for_the_breach_too(self, answered, refused):
        answered.put(refused, now=at(12))

        assert answered.row.step == len(answered.row.clock.steps) == 3
        assert answered.row.breached_at is None

    def test_for_the_breach_only_while_the_hosts_clock_is_believed(self, answered, refused):
        answered.put(refused, now=at(12), sure=False)

        assert answered.row.step == 2

    def test_steps_that_were_told_stay_told(self, shop, refused):
        shop.put(asked("m", at(0)), now=at(1))
        shop.tell(at(9.5))
        shop.put(replied("r", at(9.6)), now=at(9.7))

        shop.put(replace(refused, sent_at=at(9.6), seen_at=at(9.6)), now=at(9.8))

        assert shop.row.step == 2

    def test_where_another_reply_answered_nothing_is_reopened(self, answered, refused):
        changes = answered.put(refused, replied("s", at(5)), now=at(6))

        assert (answered.row.clock.stopped_by, changes.notices) == ("s", [])

    def test_an_end_that_is_taken_back_without_a_refusal_is_not_called_one(self, answered):
        """The reply was classified anew as automatic: the watcher tells what has passed."""
        changes = answered.put(replied("r", at(2), kind=Kind.AUTOMATIC), now=at(9.5))

        assert changes.notices == []
        assert (answered.row.clock.ended, answered.row.step) == (None, 0)
        assert answered.result("reopened") == 1


class TestHistory:
    def test_what_was_due_before_the_account_was_watched_is_history(self):
        shop = Shop(monitored_since=at(10) + SECOND)

        changes = shop.put(asked("m", at(0)), now=at(20))

        assert shop.row.history is True
        assert changes.notices == []
        assert shop.counts == {("first_reply", "history"): 1}

    def test_due_at_that_very_instant_is_watched(self):
        shop = Shop(monitored_since=at(10))
        shop.put(asked("m", at(0)), now=at(20))

        assert shop.row.history is False

    def test_a_start_that_is_uncertain_is_open_and_never_history(self):
        shop = Shop(monitored_since=at(50))
        shop.put(asked("m", None, seen=at(0)), now=at(51))

        assert shop.row.history is False

    def test_history_is_counted_nowhere_else(self):
        shop = Shop(monitored_since=at(50))
        shop.put(asked("m", at(0)), now=at(51))
        shop.put(replied("r", at(52)), now=at(53))

        assert (shop.row.clock.ended, shop.row.breached_at) == ("late", None)
        assert shop.counts == {("first_reply", "history"): 1}

    def test_a_refusal_in_history_is_not_told(self):
        shop = Shop(monitored_since=at(50))
        shop.put(asked("m", at(0)), replied("r", at(2)), now=at(51))

        changes = shop.put(replied("r", at(2), delivery=Delivery.REFUSED), now=at(52))

        assert (shop.row.history, changes.notices) == (True, [])

    def test_an_older_page_can_make_a_clock_history(self):
        shop = Shop(monitored_since=at(12))
        shop.put(asked("m2", at(5)), now=at(13))

        shop.put(asked("m1", at(0), seen=at(14)), now=at(14))

        assert shop.row.history is True

    def test_but_never_one_whose_breach_was_counted(self):
        shop = Shop(monitored_since=at(12))
        shop.put(asked("m2", at(5)), now=at(13))
        shop.breach(at(16))

        shop.put(asked("m1", at(0), seen=at(17)), now=at(17))

        assert shop.row.history is False

    def test_what_was_watched_before_an_account_left_and_returned_stays_watched(self, shop):
        shop.put(asked("m", at(0)), replied("r", at(11)), now=at(12))
        shop.monitored_since = at(100)

        shop.put(asked("n", at(101)), now=at(102))

        assert [row.history for row in shop.rows] == [False, False]

    def test_also_what_was_met_then_and_learns_of_a_further_message(self, shop):
        shop.put(asked("m", at(0)), replied("r", at(2)), now=at(3))
        shop.monitored_since = at(100)

        shop.put(asked("n", at(1), seen=at(101)), now=at(101))

        assert (shop.row.clock.members, shop.row.history) == (("m", "n"), False)


class TestRetirement:
    @pytest.fixture
    def retired(self, shop):
        """The account left at hour 5: `core.store.accounts` ended what ran."""
        shop.put(asked("m", at(0)), now=at(1))
        clock = shop.row.clock._replace(ended="void", reason="account_retired", stopped_at=at(5))
        shop.rows = [shop.row._replace(clock=clock)]
        return shop

    def test_while_it_is_retired_nothing_runs_again(self, retired):
        retired.recompute(at(6))

        assert (retired.row.clock.ended, retired.row.clock.reason) == ("void", "account_retired")

    def test_an_answer_that_is_learned_of_still_ends_it(self, retired):
        retired.put(replied("r", at(2)), now=at(6))

        assert retired.row.clock.ended == "met"

    def test_when_it_returns_what_is_not_history_runs_again(self, retired):
        retired.monitored_since = at(8)
        retired.recompute(at(9))
        assert (retired.row.clock.ended, retired.row.history) == (None, False)
        assert retired.result("reopened") == 0

    def test_and_what_was_due_meanwhile_is_history(self, retired):
        retired.monitored_since = at(20)
        retired.recompute(at(21))

        assert (retired.row.clock.ended, retired.row.history) == (None, True)


class TestSuperseded:
    @pytest.fixture
    def contract(self):
        kinds = frozenset({ThreadKind.CLAIM})
        return Shop([replace(SHORT, applies_to=kinds)], kind=ThreadKind.CLAIM)

    def rows(self, shop):
        return {row.clock.promise: row for row in shop.rows}

    def test_a_superseded_clock_is_counted_nowhere(self, contract):
        contract.given = {"t": [claim(at(1))]}

        contract.put(asked("m", at(0)), replied("r", at(20)), now=at(21))

        row = self.rows(contract)["short"]
        assert (row.clock.ended, row.breached_at) == ("late", None)
        assert contract.counts == {("given", "started"): 1}

    def test_one_that_was_counted_before_is_not_counted_as_started_again(self, contract):
        contract.put(asked("m", at(0)), now=at(0))
        contract.given = {"t": [claim(at(1))]}
        contract.recompute(at(1))
        contract.given["t"].append(claim(at(3), asks=False, due_at=None, outcome="withdrawn"))
        contract.recompute(at(4))
        contract.put(replied("r", at(5)), now=at(5))

        assert contract.counts["first_reply", "started"] == 1
        assert contract.counts["first_reply", "met"] == 1

    def test_one_that_was_superseded_from_the_start_counts_from_when_it_stands(self, contract):
        contract.given = {"t": [claim(at(1))]}
        contract.put(asked("m", at(0)), now=at(1))
        contract.given["t"].append(claim(at(3), asks=False, due_at=None, outcome="withdrawn"))
        contract.recompute(at(4))

        assert contract.counts["first_reply", "started"] == 1

    def test_a_breach_that_was_told_before_is_taken_back(self, contract):
        contract.put(asked("m", at(0)), now=at(1))
        contract.breach(at(11))
        contract.given = {"t": [claim(at(12))]}

        changes = contract.recompute(at(12))

        row = self.rows(contract)["short"]
        assert (row.correction, row.clock.steps, row.step) == ("deadline_moved", (), 3)
        assert len(changes.corrections) == 1

    def test_when_the_marketplace_asks_no_more_it_is_told_afresh(self, contract):
        contract.put(asked("m", at(0)), now=at(1))
        contract.breach(at(11))
        contract.given = {"t": [claim(at(12))]}
        contract.recompute(at(12))
        contract.given["t"].append(claim(at(13), asks=False, due_at=None, starts_at=None))

        contract.recompute(at(14))

        row = self.rows(contract)["short"]
        assert (row.revision, row.step, len(row.clock.steps)) == (1, 2, 3)
        assert row.corrected_at is None


class TestMarkedIsCountedApart:
    @pytest.mark.parametrize(
        ("level", "result"),
        [(Level.MARKED, "marked"), (Level.CONFIRMED, "void"), (Level.DECIDED, "void")],
    )
    def test_from_other_ends_without_a_reply(self, shop, level, result):
        shop.put(asked("m", at(0)), marked("k", at(1), level), now=at(1))

        assert shop.row.clock.ended == "void"
        assert shop.counts == {("first_reply", "started"): 1, ("first_reply", result): 1}

    def test_and_once_though_it_is_confirmed_or_merged(self, shop):
        shop.put(asked("m", at(0)), now=at(0))
        shop.put(marked("k", at(2), Level.MARKED), now=at(2))
        shop.put(marked("l", at(1), Level.CONFIRMED), now=at(3))
        shop.threads["t"].clear()
        shop.recompute(at(4))

        assert shop.row.clock.reason == "gone"
        assert (shop.result("marked"), shop.result("void")) == (1, 0)


class TestLateWithoutAReply:
    """It is a breach, and no reply after the deadline."""

    def test_where_no_answer_is_possible_any_more(self, shop):
        shop.put(asked("m", at(0)), told("x", at(30), Kind.UNANSWERABLE), now=at(31))

        assert (shop.row.clock.ended, shop.row.is_replied) == ("late", False)
        assert shop.counts == {("first_reply", "started"): 1, ("first_reply", "breached"): 1}

    def test_where_the_next_message_came_after_the_window(self):
        shop = Shop([policy("window", 10 * HOUR, counts_from="latest")])
        shop.put(asked("m", at(0)), asked("n", at(20)), now=at(21))

        assert [row.clock.ended for row in shop.rows] == ["late", None]
        assert (shop.result("late"), shop.result("breached")) == (0, 1)

    def test_where_a_deadline_was_withdrawn_after_it(self, shop):
        shop.given = {
            "t": [claim(at(1)), claim(at(60), asks=False, due_at=None, outcome="escalated")]
        }
        shop.recompute(at(60))

        assert (shop.row.clock.ended, shop.result("late")) == ("late", 0)

    def test_where_a_reading_no_longer_asks(self):
        kinds = frozenset({ThreadKind.INCIDENT})
        shop = Shop([replace(SHORT, applies_to=kinds)], kind=ThreadKind.INCIDENT)
        asks = {"kind": "incident", "act": ""}
        shop.given = {
            "t": [reading(at(0), starts_at=at(0), **asks), reading(at(20), asks=False, **asks)]
        }
        shop.recompute(at(20))

        assert (shop.row.clock.ended, shop.result("late"), shop.result("breached")) == (
            "late",
            0,
            1,
        )

    def test_where_the_marketplace_asks_no_more_for_a_message_that_we_never_saw(self, shop):
        shop.given = {"t": [reading(at(1), starts_at=at(0))]}
        shop.recompute(at(1))
        shop.breach(at(11))
        shop.given["t"].append(reading(at(12), asks=False))

        changes = shop.recompute(at(12))

        assert (shop.row.clock.ended, shop.row.clock.stopped_at) == ("late", at(12))
        assert (shop.row.correction, changes.corrections, shop.result("late")) == (None, [], 0)

    def test_the_reply_that_turns_up_later_counts(self, shop):
        shop.put(asked("m", at(0)), told("x", at(30), Kind.UNANSWERABLE), now=at(31))
        shop.put(replied("r", at(20)), now=at(32))

        assert (shop.row.is_replied, shop.result("late"), shop.result("breached")) == (True, 1, 1)


class TestNotices:
    def test_they_hold_closed_words_and_numbers_only(self, late):
        changes = late.put(replied("r", at(9), seen_at=at(20)), now=at(20))

        [notice] = changes.corrections
        assert notice.facts == (("promise", "short"), ("correction", "answered_elsewhere"))
        assert (notice.account, notice.thread, notice.clock) == ("shop", "t", 1)
        assert notice.raised_at == at(20)

    def test_one_call_settles_a_thousand_threads(self, shop):
        shop.threads = {f"t{n}": [asked(f"m{n}", at(0))] for n in range(1000)}

        shop.recompute(at(1))
        for name in shop.threads:
            shop.threads[name].append(replied(f"r{name}", at(2)))
        changes = shop.recompute(at(3))

        assert len(changes.changed) == shop.result("met") == 1000
