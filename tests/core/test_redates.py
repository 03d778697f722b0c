"""Since when a promise has been in force, as an operator says: what rules then, and what moves."""

from __future__ import annotations

import pytest

from core import ingest, settings
from core.running import redating, takeover
from core.store import accounts, policies, redates, tally, transaction
from tests.core import pages, seeds
from tests.core.pages import HOUR, buyer, seller
from tests.core.test_policies import in_force
from tests.core.test_settings import GOOD, SPECS

ENVIRON = {"SHOP_KEY": "k"}
DAY = 24 * HOUR
SLOW = (
    GOOD.replace('"shop-fr"', '"shop-fr"')
    + """
[policies.shop-acme]
role = "contract"
reply_within = "24h"
"""
)
QUICK = SLOW.replace('reply_within = "24h"', 'reply_within = "6h"')


@pytest.fixture
def configured(tmp_path):
    def configured(at, text):
        path = tmp_path / "settings.toml"
        path.write_text(text)
        return settings.load(path, SPECS, ENVIRON, sandbox=False, now=at)

    return configured


@pytest.fixture
def taken(pool, configured):
    """Takes settings over at an instant; the rules."""

    async def taken(at, text=SLOW):
        return await takeover.take_over(pool, configured(at, text), at)

    return taken


async def say(pool, name, since, at):
    """Say that what was loaded last of *name* is in force *since* then."""
    async with transaction(pool) as db:
        loaded = await policies.last_loaded(db, name)
        assert await redates.say(db, name, loaded[0].loaded_at, since, at)


async def contract(pool, name="shop-acme"):
    found = await pages.rows(pool, "clock")
    return {row["thread"]: row for row in found if row["promise"] == name}


async def stored(pool, rules, at, *items):
    return await pages.stored(pool, at, *items, of=rules, account="shop-fr")


async def told(pool):
    return {(n["thread"], n["kind"]) for n in await pages.rows(pool, "notice")}


async def versions(at, text, taken):
    rules = await taken(at, text)
    found = [p for p in rules.policies["shop-fr"] if p.name == "shop-acme"]
    return [(p.version, p.effective_from, p.effective_to) for p in found]


async def test_what_was_loaded_last_rules_from_then_on(pool, taken, now):
    await taken(now)
    await taken(now + 2 * DAY, QUICK)
    await say(pool, "shop-acme", now + HOUR, now + 3 * DAY)

    found = await versions(now + 4 * DAY, QUICK, taken)

    assert found == [(1, None, now + HOUR), (2, now + HOUR, None)]
    assert len(await pages.rows(pool, "policy_version")) == 3  # two, and one of the goal


async def test_what_lay_between_never_was(pool, taken, now):
    await taken(now)
    await taken(now + DAY, QUICK)
    await taken(now + 2 * DAY, QUICK.replace('"6h"', '"3h"'))
    await say(pool, "shop-acme", now + HOUR, now + 3 * DAY)

    found = await versions(now + 4 * DAY, QUICK.replace('"6h"', '"3h"'), taken)

    assert found == [(1, None, now + HOUR), (3, now + HOUR, None)]


async def test_what_was_said_last_stands_and_a_later_version_begins_when_it_is_loaded(
    pool, taken, now
):
    await taken(now)
    await taken(now + 2 * DAY, QUICK)
    await say(pool, "shop-acme", now + HOUR, now + 3 * DAY)
    await say(pool, "shop-acme", now + DAY, now + 3 * DAY)

    found = await versions(now + 4 * DAY, SLOW, taken)

    assert found == [
        (1, None, now + DAY), (2, now + DAY, now + 4 * DAY), (3, now + 4 * DAY, None),
    ]  # fmt: skip


async def test_its_own_dates_hold_beside_it(pool, taken, now):
    dated = QUICK.replace('"6h"', f'"6h"\neffective_to = {(now + DAY).isoformat()}')
    await taken(now)
    await taken(now + 2 * DAY, dated)
    await say(pool, "shop-acme", now + HOUR, now + 3 * DAY)

    assert await versions(now + 4 * DAY, dated, taken) == [
        (1, None, now + HOUR), (2, now + HOUR, now + DAY),
    ]  # fmt: skip


async def test_who_got_the_promise_with_that_version_has_it_from_then_too(pool, taken, now):
    goal = SLOW.replace('goals = ["ours-4h"]', 'goals = ["ours-4h", "new"]')
    goal += '[policies.new]\nreply_within = "2h"\n'
    await taken(now)
    await taken(now + DAY, goal)
    await say(pool, "new", now + HOUR, now + 2 * DAY)

    rules = await taken(now + 2 * DAY, goal)

    (found,) = [p for p in rules.policies["shop-fr"] if p.name == "new"]
    assert found.effective_from == now + HOUR


async def test_who_got_it_later_had_it_later(pool, now):
    await pages.monitored(pool, now, pages.setup("a", budget="a"), pages.setup("b", budget="b"))

    async def load(at, within, **more):
        of = {"a": [seeds.policy("p", reply_within=within)], "b": [seeds.policy("q")], **more}
        async with transaction(pool) as db:
            return await policies.load(db, of, at)

    await load(now, DAY)
    await load(now + DAY, 6 * HOUR)
    both = [seeds.policy("p", reply_within=6 * HOUR), seeds.policy("q")]
    await load(now + 2 * DAY, 6 * HOUR, b=both)
    await say(pool, "p", now + HOUR, now + 3 * DAY)

    async with transaction(pool) as db:
        found = await policies.in_force(db, ["a", "b"])
    assert in_force(found["a"], now + 2 * HOUR) == [("p", 2)]
    assert in_force(found["b"], now + 2 * HOUR) == [("q", 1)]
    assert in_force(found["b"], now + 2 * DAY) == [("p", 2), ("q", 1)]


async def test_nothing_is_said_of_what_another_loading_has_followed(pool, taken, now):
    await taken(now)
    async with transaction(pool) as db:
        loaded = await policies.last_loaded(db, "shop-acme")
    await taken(now + DAY, QUICK)

    async with transaction(pool) as db:
        assert not await redates.say(db, "shop-acme", loaded[0].loaded_at, now, now + 2 * DAY)

    assert await pages.rows(pool, "redate") == []


async def test_a_host_clock_that_was_set_back_changes_nothing_about_what_was_said_last(
    pool, taken, now
):
    await taken(now)
    await taken(now + 2 * DAY, QUICK)
    await say(pool, "shop-acme", now + HOUR, now + 3 * DAY)
    await say(pool, "shop-acme", now + DAY, now + 3 * DAY - HOUR)

    assert (await versions(now + 4 * DAY, QUICK, taken))[0] == (1, None, now + DAY)


class State:
    """What a round of re-dating needs of the daemon."""

    def __init__(self, pool, found, rules):
        self.pool, self.settings, self.rules = pool, found, rules
        self.beats = []
        self.pulse = self

    def beat(self, name):
        self.beats.append(name)


@pytest.fixture
async def daemon(pool, configured, now):
    """A daemon that has loaded the quicker contract a day after the first."""
    await takeover.take_over(pool, configured(now, SLOW), now)
    found = configured(now + DAY, QUICK)
    return State(pool, found, await takeover.take_over(pool, found, now + DAY))


async def test_open_clocks_move_and_the_warnings_that_passed_are_not_told(pool, daemon, now):
    at = now + DAY + HOUR
    await stored(pool, daemon.rules, at, buyer("M1", now + 20 * HOUR, "A"))
    await stored(pool, daemon.rules, at, buyer("M2", now + HOUR, "B"), seller("M3", at, "B"))
    assert (await contract(pool))["A"]["due_at"] == now + 44 * HOUR
    await say(pool, "shop-acme", now, at)

    assert await redating.once(daemon, at) is None

    row = (await contract(pool))["A"]
    assert (row["due_at"], row["policy_version"]) == (now + 26 * HOUR, 2)
    assert (row["revision"], row["step"]) == (1, 2)  # half and three quarters of six hours
    assert row["next_alert_at"] == row["steps"][2]
    assert await told(pool) == set()
    entered = [e for e in await pages.rows(pool, "clock_entry") if e["clock"] == row["id"]]
    assert {entry["what"] for entry in entered} == {"started", "due_at"}
    assert daemon.beats == ["redate"]


async def test_what_was_answered_in_time_is_late_and_counted_so_without_being_told(
    pool, daemon, now
):
    at = now + DAY + HOUR
    answered = buyer("M1", now + 2 * HOUR, "A"), seller("M2", now + 12 * HOUR, "A")
    await stored(pool, daemon.rules, at, *answered)
    assert (await contract(pool))["A"]["ended"] == "met"
    await say(pool, "shop-acme", now, at)

    await redating.once(daemon, at)

    row = (await contract(pool))["A"]
    assert (row["ended"], row["breached_at"]) == ("late", now + 8 * HOUR)
    assert await told(pool) == set()


async def test_a_breach_that_was_told_is_corrected_once_where_the_deadline_moves_away(
    pool, configured, taken, now
):
    found = configured(now + DAY, SLOW)
    await taken(now, QUICK)
    daemon = State(pool, found, await taken(now + DAY, SLOW))
    await stored(pool, daemon.rules, now + DAY, buyer("M1", now + 20 * HOUR, "A"))
    await seeds.watched(pool, daemon.rules, now + 27 * HOUR)
    assert ("A", "breach") in await told(pool)
    await pool.execute("update dispatch set sent_at = $1", now + 27 * HOUR)
    await say(pool, "shop-acme", now, now + 28 * HOUR)

    for _ in range(2):
        await redating.once(daemon, now + 28 * HOUR)

    row = (await contract(pool))["A"]
    assert (row["due_at"], row["revision"]) == (now + 44 * HOUR, 1)
    notices = [n for n in await pages.rows(pool, "notice") if n["kind"] == "corrected"]
    assert [dict(n["facts"])["correction"] for n in notices] == ["deadline_moved"]
    await seeds.watched(pool, daemon.rules, now + 45 * HOUR)
    again = [n for n in await pages.rows(pool, "notice") if n["kind"] == "breach"]
    assert len(again) == 2


async def test_what_began_before_by_the_old_dates_ends_by_the_new_ones(pool, daemon, now):
    """A walk takes its rules when it begins, and stores its page after the promise was redated."""
    at, begun = now + DAY + HOUR, daemon.rules
    await say(pool, "shop-acme", now, at)
    await redating.once(daemon, at)

    await stored(pool, begun, at, buyer("M1", now + 20 * HOUR, "A"))

    assert begun is not daemon.rules
    assert (await contract(pool))["A"]["due_at"] == now + 26 * HOUR


async def test_another_process_computes_again_what_it_computed_by_the_old_dates(
    pool, daemon, configured, now
):
    at = now + DAY + HOUR
    other = State(pool, daemon.settings, await takeover.take_over(pool, daemon.settings, now + DAY))
    await say(pool, "shop-acme", now, at)
    await redating.once(daemon, at)
    await stored(pool, other.rules, at, buyer("M1", now + 20 * HOUR, "A"))
    assert (await contract(pool))["A"]["due_at"] == now + 44 * HOUR

    await redating.once(other, at)

    assert (await contract(pool))["A"]["due_at"] == now + 26 * HOUR
    async with transaction(pool) as db:
        assert await accounts.outdated(db) == {}


async def test_who_still_computes_by_the_old_dates_does_not_take_it_for_done(pool, daemon, now):
    at = now + DAY + HOUR
    async with transaction(pool) as db:
        await accounts.outdate(db, "shop-fr", now - HOUR)
        begun = (await accounts.outdated(db))["shop-fr"]
    await say(pool, "shop-acme", now, at)

    async with transaction(pool) as db:
        await accounts.up_to_date(db, "shop-fr", begun)
        assert "shop-fr" in await accounts.outdated(db)
    await redating.once(daemon, at)

    async with transaction(pool) as db:
        assert await accounts.outdated(db) == {}


class Reloading(State):
    """A daemon whose settings are replaced while it looks."""

    def beat(self, name):
        super().beat(name)
        self.rules = self.next


async def test_settings_that_were_replaced_meanwhile_are_looked_at_again(pool, daemon, now):
    at = now + DAY + HOUR
    old = await takeover.take_over(pool, daemon.settings, at)
    await stored(pool, daemon.rules, at, buyer("M1", now + 20 * HOUR, "A"))
    await say(pool, "shop-acme", now, at)
    reloading = Reloading(pool, daemon.settings, daemon.rules)
    reloading.next = old

    assert await redating.once(reloading, at) == at
    assert reloading.rules is old
    assert await redating.once(reloading, at) is None
    assert reloading.rules.redated_at is not None
    assert (await contract(pool))["A"]["due_at"] == now + 26 * HOUR


class Killed(Exception):
    """Stands for the end of the process between two batches."""


class Mortal(State):
    """A daemon that dies when it has turned so often."""

    left = 0

    def beat(self, name):
        super().beat(name)
        self.left -= 1
        if self.left < 0:
            raise Killed


@pytest.mark.parametrize("batches", [None, 0, 1])
async def test_broken_off_after_any_batch_and_said_again_it_ends_the_same(
    pool, daemon, now, batches
):
    at, count = now + DAY + HOUR, 2 * ingest.BATCH + 1
    messages = [buyer(f"M{n}", now + 20 * HOUR, f"T{n}") for n in range(count)]
    await stored(pool, daemon.rules, at, *messages)
    await say(pool, "shop-acme", now, at)
    if batches is not None:
        dying = Mortal(pool, daemon.settings, daemon.rules)
        dying.left = batches
        with pytest.raises(Killed):
            await redating.once(dying, at)
        moved = [r for r in (await contract(pool)).values() if r["revision"]]
        assert len(moved) == (batches + 1) * ingest.BATCH
        await say(pool, "shop-acme", now, at)
        rules = await takeover.take_over(pool, daemon.settings, at)
        daemon = State(pool, daemon.settings, rules)

    await redating.once(daemon, at)

    found = [(r["due_at"], r["revision"], r["step"]) for r in (await contract(pool)).values()]
    assert found == [(now + 26 * HOUR, 1, 2)] * count
    entries = [e for e in await pages.rows(pool, "clock_entry") if e["what"] == "due_at"]
    assert len(entries) == count
    async with transaction(pool) as db:
        assert await accounts.outdated(db) == {}
        assert (await tally.counts(db))["shop-fr", "first_reply", "started"] == 2 * count
