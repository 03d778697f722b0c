"""What a digest says: one message for what a first walk found, or for a flood."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core import digest, keys
from core.model import Dispatch, Notice, NoticeKind
from core.notifiers import posting, slack
from tests.core import seeds
from tests.core.seeds import MINUTE, SECOND

FIRST = "mk/digest/x"
FLOOD = keys.flood("chat", 1)
WEEK = timedelta(days=7)
AT = datetime(2026, 11, 21, 11, 30, tzinfo=UTC)


def part(now, n, due_in, kind=None, *, account="mk", key=FLOOD):
    """A breach or a warning, by its deadline, that leaves with others."""
    kind = kind or (NoticeKind.BREACH if due_in < timedelta(0) else NoticeKind.WARNING)
    notice = Notice(f"{n}/0/1", kind, account, now - n * SECOND, f"T{n}", n, now + due_in, id=n)
    return Dispatch(notice, "chat", 1, now, digest=key, url=f"https://shop.example/T{n}")


@pytest.fixture
def say(now):
    def spoken(*parts, accounts=("mk",)):
        told = digest.notice(parts)
        rules = seeds.rules(accounts=accounts)
        return told, digest.render(told, parts, rules, zone="UTC", now=now)

    return spoken


def test_a_first_reading_names_the_most_urgent_and_counts_the_rest(say, now):
    due = [minutes * MINUTE for minutes in range(-20, 100, 10)]
    told, said = say(*(part(now, n, due_in, key=FIRST) for n, due_in in enumerate(due)))

    lines = said.text.splitlines()
    assert (told.key, told.account, told.kind) == (FIRST, "mk", NoticeKind.DIGEST)
    assert said.subject == "2 late, 10 due soon after the first reading: Empik PL"
    assert lines[0] == "The first reading found 12 threads that a person should know of."
    assert lines[1] == (
        "- late by 20 min, due Sat 2026-11-21 11:40 (UTC): thread T0 https://shop.example/T0"
    )
    assert lines[3].startswith("- 0 s left, due Sat 2026-11-21 12:00 (UTC): thread T2")
    assert lines[11] == "... and 2 more: replyby threads --at-risk"
    assert lines[12:] == ["Marketplace: empik", "Account: Empik PL (mk)"]


def test_after_a_restore_it_says_so_and_that_some_may_be_known(say, now):
    key = keys.restored("mk", now - 30 * MINUTE)
    _, said = say(part(now, 1, -MINUTE, key=key), part(now, 2, MINUTE, key=key))

    assert said.subject == "1 late, 1 due soon after the restore: Empik PL"
    first, how_many, *_, known, _, _ = said.text.splitlines()
    assert first == "The database was brought back from a dump on Sat 2026-11-21 11:30 (UTC)."
    assert how_many.startswith("2 threads came due between the dump and that, or until")
    assert known.startswith("What of this was told between the two is forgotten here")
    assert "first reading" not in f"{said.subject}{said.text}"
    assert keys.restored_at(keys.rest(key, 7)) == now - 30 * MINUTE


@pytest.mark.parametrize(
    "key", [FIRST, FLOOD, keys.muted("chat", 7), keys.only(FLOOD), "7/0/2", keys.parked(7, "chat")]
)
def test_no_other_key_is_of_a_restore(key):
    assert keys.restored_at(key) is None


def test_a_first_reading_of_one_thread_says_so(say, now):
    _, said = say(part(now, 1, -MINUTE, key=FIRST))

    assert "found 1 thread that" in said.text


def test_a_flood_says_how_many_since_when_whose_and_how_to_see_them_all(say, now):
    late = [part(now, n, -WEEK + n * MINUTE) for n in range(30)]
    soon = [part(now, n, n * MINUTE) for n in range(30, 33)]
    other = [part(now, 40, MINUTE, account="fr")]

    told, said = say(*late, *soon, *other, accounts=("mk", "fr"))

    lines = said.text.splitlines()
    assert said.subject == "30 late, 4 due soon: 2 accounts"
    assert lines[:4] == [
        "34 notices since Sat 2026-11-21 11:59:20 (UTC), too many to tell one by one.",
        "- Empik PL (mk): 30 late, 3 due soon",
        "- Empik PL (fr): 0 late, 1 due soon",
        "The most urgent:",
    ]
    assert lines[4].startswith("- late by 7 d, due Sat 2026-11-14 12:00 (UTC): thread T0 ")
    assert lines[14] == "... and 24 more: replyby threads --at-risk"
    assert lines[-1].endswith("the most urgent first: replyby threads --at-risk")
    assert len(lines) == 16
    assert dict(told.facts) == {
        "notices": 34, "breaches": 30, "escalations": 0, "warnings": 4, "moved": 0,
        "corrected": 0, "parked": 0,
        "since": (now - 40 * SECOND).isoformat(),
    }  # fmt: skip
    assert (told.account, told.due_at) == ("", now - WEEK)


@pytest.mark.parametrize("key", [FLOOD, FIRST])
def test_a_deadline_of_several_steps_is_counted_and_named_once(say, now, key):
    warned, sooner, late = NoticeKind.WARNING, NoticeKind.WARNING, NoticeKind.BREACH
    four = [part(now, n, -MINUTE, kind, key=key) for kind in (warned, sooner, late)
            for n in range(4)]  # fmt: skip
    soon = [part(now + n * SECOND, 9, MINUTE, warned, key=key) for n in range(2)]

    told, said = say(*four, *soon)

    assert said.subject.startswith("4 late, 1 due soon")
    facts = dict(told.facts)
    assert (facts["notices"], facts["breaches"], facts["warnings"]) == (14, 4, 1)
    assert said.text.count("thread T2 ") == 1


def test_a_flood_of_one_account_is_that_accounts(say, now):
    told, said = say(part(now, 1, -MINUTE), part(now, 2, MINUTE))

    assert told.account == "mk"
    assert said.subject == "1 late, 1 due soon: Empik PL"
    assert said.text.endswith("\nMarketplace: empik\nAccount: Empik PL (mk)")


def test_what_is_taken_back_in_a_flood_is_named_apart_from_what_waits(say, now):
    back = [part(now, n, -WEEK, NoticeKind.CORRECTED) for n in range(12)]
    moved = part(now, 50, MINUTE, NoticeKind.DEADLINE_MOVED)

    told, said = say(*back, part(now, 60, -MINUTE), moved)

    assert said.subject == "1 late, 0 due soon, 1 moved nearer, 12 taken back: Empik PL"
    waiting, _, rest = said.text.partition("Told as late, and were not; we know more now:\n")
    assert "thread T60 " in waiting
    assert "thread T50 " in waiting
    assert "thread T0 " not in waiting
    assert rest.splitlines()[0] == "- thread T0 https://shop.example/T0"
    assert rest.splitlines()[10] == "... and 2 more"
    assert told.due_at == now - MINUTE


def test_a_flood_names_ten_accounts_and_counts_the_others(say, now):
    _, said = say(*(part(now, n, MINUTE, account=f"mk-{n}") for n in range(12)))

    assert "- mk-0 (mk-0): 0 late, 1 due soon" in said.text
    assert "... and 2 more accounts" in said.text


def test_where_there_is_a_board_each_thread_has_its_link_and_the_list_its_own(now):
    """500 at risk: the most urgent by name, and all of them a click away."""
    parts = [part(now, n, n * MINUTE) for n in range(500)]
    parts[1] = replace(parts[1], url=None)
    rules = replace(seeds.rules(), board="https://desk.example/")
    told = digest.notice(parts)

    said = digest.render(told, parts, rules, zone="UTC", now=now)

    named = [line for line in said.text.splitlines() if line.startswith("- ") and "thread " in line]
    assert len(named) == digest.SHOWN
    assert named[0].endswith("thread T0 https://shop.example/T0")
    assert named[1].endswith("thread T1 https://desk.example/thread/mk/T1")
    assert said.url == "https://desk.example/?account=mk"
    assert "the most urgent first, open it by the link" in said.text


def test_a_rung_of_an_account_s_trouble_is_named_for_no_list_shows_it(now):
    rung = Notice("9/escalation/up/1", NoticeKind.ESCALATION, "mk", now, facts=(("of", "blind"),))
    climbs = Dispatch(rung, "chat", 1, now, digest=FLOOD)
    parts = [part(now, 1, -MINUTE), climbs]

    said = digest.render(
        digest.notice(parts), parts, seeds.rules(), [(climbs, "Still open: Blind: Empik PL")],
        zone="UTC", now=now,
    )  # fmt: skip

    assert said.subject == "1 late, 0 due soon, 1 more: Empik PL"
    assert "- Still open: Blind: Empik PL\n" in said.text


@pytest.mark.parametrize(
    ("most", "beside", "fit"),
    [(None, 9, 50), (90_000, 9, 50), (1500, 500, 12), (1500, 1000, 6), (1500, 1400, 6), (30, 9, 1)],
)
def test_as_much_is_named_as_a_message_holds(now, most, beside, fit):
    unknown = [part(now, n, MINUTE, NoticeKind.REPLY_UNKNOWN) for n in range(50)]
    said = [(one, "Reply perhaps not sent: Empik PL") for one in unknown]

    assert digest.fitting(said, seeds.rules(), most, beside) == fit


@pytest.mark.parametrize(
    "key", [keys.restored("mk", AT), FLOOD, keys.muted("chat", 7), keys.quiet("chat", AT)]
)
def test_what_no_list_shows_stands_before_what_is_cut(now, key):
    """Of ten deadlines with long links Slack has no place for all; they are a click away."""
    due = [part(now, n, -n * MINUTE, key=key) for n in range(10)]
    refused = [part(now, n, MINUTE, NoticeKind.REPLY_REFUSED, key=key) for n in range(100, 140)]
    parts = [replace(one, url=f"https://shop.example/{one.notice.thread}?{'x' * 90}")
             for one in (*due, *refused)]  # fmt: skip
    said = [(one, "Reply refused: Empik PL") for one in parts[10:]]
    told = digest.notice(parts)
    bare = digest.render(told, parts[:10], seeds.rules(), zone="UTC", now=now).text
    said = said[: digest.fitting(said, seeds.rules(), slack.SECTION, len(bare))]

    words = digest.render(told, parts, seeds.rules(), said, zone="UTC", now=now)

    shown = posting.cut(words.text, slack.SECTION)
    assert len(said) > 4
    assert all(f"thread {one.notice.thread} " in shown for one, _ in said)


def test_a_deadline_that_has_passed_is_late_whatever_tells_of_it(say, now):
    """A rung is told of a breach: who reads "0 late" would let it lie."""
    rungs = [part(now, n, -MINUTE, NoticeKind.ESCALATION) for n in range(12)]
    early = part(now, 20, MINUTE, NoticeKind.ESCALATION)
    warned = [part(now, n, MINUTE) for n in (20, 21)]

    _, said = say(*rungs, early, part(now, 3, -MINUTE), *warned)

    assert said.subject == "12 late, 13 still open, 2 due soon: Empik PL"
    assert "- Empik PL (mk): 12 late, 13 still open, 2 due soon\n" in said.text
    assert said.text.count("thread T3 ") == 1


def test_what_is_said_alike_takes_one_line(now):
    down = [Notice(f"{n}", NoticeKind.ACCOUNT_DOWN, "mk", now, id=n) for n in range(50)]
    said = [(Dispatch(one, "chat", 1, now), "Account is down: Empik PL") for one in down]

    assert digest.fitting(said, seeds.rules(), 300, 200) == 50
