"""What programs tend beside threads: macros, mutes, troubles, the trail, duties and reports."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.access import Role
from core.loops import utcnow
from core.store import audit, transaction
from tests.web import board, programs

NOW = board.NOW
MACRO = {"title": "Sent", "texts": {"en": "It left. {{agent}}"}, "accounts": ["mk"]}


@pytest.fixture
async def stage(pool):
    return await programs.seeded(pool)


@pytest.fixture
async def lead(stage, site):
    async with programs.program(stage, site, Role.LEAD, name="bo") as asks:
        yield asks


@pytest.fixture
async def other(stage, site):
    """A lead of the other account alone."""
    only = frozenset({"other"})
    async with programs.program(stage, site, Role.LEAD, only, name="cy") as asks:
        yield asks


async def put(who, path, **said):
    return await who.ask("PUT", path, body=said)


async def test_a_macro_is_written_changed_and_removed_by_who_knows_how_it_stands(lead):
    new = await put(lead, "/macros/sent", **MACRO)
    blind = await put(lead, "/macros/sent", **MACRO)
    changed = await put(lead, "/macros/sent", **{**MACRO, "title": "Gone", "revision": 1})
    stale = await lead.ask("DELETE", "/macros/sent?revision=1")
    gone = await lead.ask("DELETE", "/macros/sent?revision=2")

    assert (new.status, new.said["macro"]["revision"]) == (200, 1)
    assert (blind.status, blind.said["code"]) == (409, "refused")
    assert (changed.said["macro"]["title"], changed.said["macro"]["revision"]) == ("Gone", 2)
    assert (stale.status, gone.status) == (409, 204)
    assert (await lead.get("/macros/sent")).status == 404


async def test_what_cannot_be_answered_with_is_no_macro_and_others_macros_are_none(lead, other):
    unknown_gap = await put(lead, "/macros/sent", **{**MACRO, "texts": {"en": "{{nothing}}"}})

    assert (unknown_gap.status, unknown_gap.said["code"]) == (409, "refused")
    assert (await other.get("/macros/hello")).status == 404
    assert (await other.ask("DELETE", "/macros/hello?revision=1")).status == 404
    assert (await put(other, "/macros/hello", **{**MACRO, "revision": 1})).status == 403


async def test_the_trail_comes_in_pages_of_what_one_sees(lead, other):
    for thread in ("T1", "T1", "T%2F2"):
        await lead.get(f"/threads/mk/{thread}")
    pages, before = [], ""
    for _ in range(3):
        page = (await lead.get(f"/audit?act=read&limit=1{before}")).said
        pages += [(one["who"], one["thread"]) for one in page["lines"]]
        before = f"&before={page['next']}"

    assert (page["next"], pages) == (None, [("bo", "T/2"), ("bo", "T1"), ("bo", "T1")])
    assert (await other.get("/audit?act=read")).said["lines"] == []


async def test_who_writes_is_told_to_others_until_they_have_left(stage, site, lead):
    async with programs.program(stage, site) as anna:
        assert (await put(anna, "/writers/mk/T1")).status == 204
        assert (await lead.get("/answers/mk/T1")).said["others"] == ["Anna"]
        assert (await anna.ask("DELETE", "/writers/mk/T1")).status == 204
        assert (await lead.get("/answers/mk/T1")).said["others"] == []
        assert (await put(anna, "/writers/mk/none")).status == 404


@pytest.mark.parametrize("what", ["/mutes/accounts/mk", "/mutes/routes/ops"])
async def test_a_mute_is_set_moved_and_lifted(stage, lead, other, what):
    stage.clock.now = utcnow()  # a mute stands by the database's clock
    until, later = ((stage.clock.now + timedelta(hours=h)).isoformat() for h in (1, 2))
    made = await put(lead, what, until=until, reason="stock  count")
    moved = await put(lead, what, until=later)
    [standing] = (await lead.get("/mutes")).said["mutes"]
    not_theirs = await put(other, what, until=until)
    hidden = (await other.get("/mutes")).said
    back, twice = await lead.ask("DELETE", what), await lead.ask("DELETE", what)

    assert (made.status, made.said["by"], made.said["reason"]) == (200, "bo", "stock count")
    assert (moved.said["since"], standing["until"][:19]) == (made.said["since"], later[:19])
    assert not_theirs.status in {403, 404}
    assert hidden == {"mutes": []}
    assert (back.status, back.said, twice.status) == (200, {"leaving": 0}, 404)
    assert (await lead.get("/mutes")).said == {"mutes": []}
    async with transaction(stage.pool) as db:
        acts = [line.act for line in await audit.lines(db, audit.Asked(who="bo"), None, "", 9)]
    assert acts[:3] == ["unmute", "mute", "mute"]


@pytest.mark.parametrize("until", [timedelta(0), timedelta(days=-1), timedelta(days=31)])
async def test_nothing_is_silent_for_ever(lead, until):
    answer = await put(lead, "/mutes/accounts/mk", until=(NOW + until).isoformat())

    assert (answer.status, answer.said["code"]) == (409, "refused")
    assert "--" not in answer.said["detail"]


async def test_troubles_are_taken_note_of_where_there_are_any(lead):
    answer = await lead.ask("POST", "/acknowledgements/mk")

    assert (answer.status, answer.said["code"]) == (409, "refused")


async def test_who_would_be_told_and_who_is_on_duty(lead, other):
    found = (await lead.get("/told/mk?kind=breach")).said
    unknown = await lead.get("/told/mk?kind=gossip")

    assert [(one["route"], one["tells"]) for one in found["routes"]] == [("ops", "notifier:log")]
    assert [(one["notifier"], one["when"]) for one in found["told"]] == [("log", "at once")]
    assert (unknown.status, (await other.get("/told/mk")).status) == (409, 404)
    assert (await lead.get("/duties")).said == {"duties": []}


async def test_how_promises_were_kept_is_told_of_accounts_that_one_sees(lead, other):
    every = (await lead.get("/report")).said["numbers"]
    theirs = (await other.get("/report")).said["numbers"]
    ahead = await lead.get("/report?at=2200-01-01T00:00:00Z")

    assert {one["account"] for one in every} == {"mk", "other"}
    assert {one["account"] for one in theirs} == {"other"}
    assert sum(one["running"] for one in every if one["account"] == "mk") >= len(programs.THREADS)
    assert (await other.get("/report?account=mk")).said["numbers"] == []
    assert (ahead.status, ahead.said["code"]) == (409, "refused")
