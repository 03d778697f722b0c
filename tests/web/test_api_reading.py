"""What programs read: the same as pages show, to the same people."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import aiohttp
import pytest

from core.access import Role
from core.model import Order
from core.store import audit, orders, transaction
from core.web.api import room
from tests.web import board, programs


@pytest.fixture
async def stage(pool):
    return await programs.seeded(pool)


@pytest.fixture
async def site(stage):
    async with board.counting(stage), board.served(stage) as base:
        yield base


@pytest.fixture
async def anna(stage, site):
    async with programs.program(stage, site) as asks:
        yield asks


async def acts(pool, act):
    async with transaction(pool) as db:
        return await audit.lines(db, audit.Asked(act=act), None, "", 50)


async def test_the_queue_comes_in_pages_by_deadline_and_each_thread_once(anna):
    seen, after = [], ""
    for _ in range(5):
        page = (await anna.get(f"/threads?limit=1{after}")).said
        seen += [(one["account"], one["thread"]) for one in page["threads"]]
        after = f"&after={page['next']}"

    assert page["next"] is None
    assert seen[0] == ("mk", "T%2F4")
    assert sorted(seen) == sorted([*(("mk", name) for name in programs.THREADS), ("other", "T9")])


async def test_the_queue_has_the_boards_filters_and_says_what_is_none(anna):
    found = (await anna.get("/threads?account=other&band=ok")).said["threads"]
    wrong = await anna.get("/threads?band=red&nothing=1")

    assert [one["thread"] for one in found] == ["T9"]
    assert (await anna.get("/threads?band=breached")).said == {"threads": [], "next": None}
    assert (wrong.status, wrong.headers["Content-Type"]) == (
        422, "application/problem+json; charset=utf-8",
    )  # fmt: skip
    assert [one["where"] for one in wrong.said["faults"]] == ["query.band", "query"]
    assert "red" not in str(wrong.said)
    assert "nothing" not in str(wrong.said)


@pytest.mark.parametrize("asked", ["limit=0", "limit=201", "limit=1&limit=2", "after=1", "kind="])
async def test_a_query_that_is_not_as_declared_is_refused(anna, asked):
    assert (await anna.get(f"/threads?{asked}")).status == 422


@pytest.mark.parametrize("thread", programs.THREADS)
async def test_a_thread_is_found_whatever_stands_in_its_id(anna, pool, thread):
    answer = await anna.get(f"/threads/mk/{quote(thread, safe='')}")

    assert answer.said["thread"] == thread
    assert answer.said["messages"][0]["body"] == "Wo ist <b>es</b>?"
    [clock] = answer.said["clocks"]
    assert (clock["state"], clock["band"]) == ("running", "ok")
    assert clock["why"]
    assert (answer.said["orders"], answer.said["beside"]) == ([], [])
    [look] = await acts(pool, "read")
    assert (look.who, look.account, look.thread, look.means) == ("anna", "mk", thread, "token")


async def test_a_thread_that_is_not_theirs_is_as_one_that_is_not_there(stage, site):
    async with programs.program(stage, site, accounts=frozenset({"other"})) as bo:
        not_theirs, none = await bo.get("/threads/mk/T1"), await bo.get("/threads/mk/T7")

        assert (not_theirs.status, not_theirs.said) == (404, none.said)
        assert {one["account"] for one in (await bo.get("/threads")).said["threads"]} == {"other"}
        assert [one["name"] for one in (await bo.get("/accounts")).said["accounts"]] == ["other"]
        assert (await bo.get("/macros")).said == {"macros": []}
        assert sum((await bo.get("/counts")).said["marketplaces"].values()) == 1


async def test_counts_accounts_macros_and_oneself(anna):
    counts, accounts = (await anna.get("/counts")).said, (await anna.get("/accounts")).said
    [macro] = (await anna.get("/macros")).said["macros"]
    me = (await anna.get("/me")).said

    assert (counts["total"], counts["bands"]["ok"]) == (5, 5)
    assert [one["name"] for one in accounts["accounts"]] == ["mk", "other"]
    assert all(one["authorized"] for one in accounts["accounts"])
    assert macro["texts"] == programs.TEXTS
    assert (me["name"], me["role"], me["accounts"], me["means"]) == ("anna", "agent", None, "token")


async def test_what_a_program_has_already_is_not_sent_again(anna):
    first = await anna.get("/me")
    again = await anna.get("/me", If_None_Match=first.headers["ETag"])

    assert (again.status, again.said) == (304, "")
    assert (await anna.get("/me", If_None_Match='"other"')).status == 200


@pytest.mark.parametrize("shown", ["", "rb_no-such-token-is-known-here"])
async def test_who_is_not_known_learns_nothing(stage, site, shown):
    async with aiohttp.ClientSession() as session:
        stranger = programs.Program(session, site, shown)
        for path in ("/openapi.json", "/threads", "/threads/mk/T1", "/me"):
            answer = await stranger.get(path)
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert answer.said.keys() == {"type", "title", "status", "code"}
            assert answer.said["code"] == "unauthorized"


async def test_a_browser_that_is_signed_in_reads_the_document_and_its_page(stage, site):
    async with board.signed_in(stage, site) as browser:
        page = await browser.get("/api")
        told = await browser.get(room.DOCUMENT)

    assert page.status == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert all(f'id="{route.name}"' in page.text for route in room.ROUTES)
    assert "style=" not in page.text
    assert '"openapi":"3.1.0"' in told.text


async def test_a_viewer_reads_and_has_no_macros(stage, site):
    async with programs.program(stage, site, Role.VIEWER) as viewer:
        assert (await viewer.get("/threads")).status == 200
        refused = await viewer.get("/macros")

    assert (refused.status, refused.said["code"]) == (403, "forbidden")
    assert "/me" in refused.said["detail"]


def found(answer):
    return [(one["account"], one["thread"]) for one in answer.said["threads"]]


async def test_a_thread_is_found_by_an_order_its_id_or_its_buyer_and_the_word_is_kept_nowhere(
    anna, pool
):
    by_name, by_id = await anna.get("/search?q=%20zeno%20qui"), await anna.get("/search?q=T%2F2")
    part = await anna.get("/search?q=O1&account=mk&limit=1")
    none = await anna.get(f"/search?q={quote('주문')}&marketplace=none")

    assert sorted(found(by_name)) == sorted(
        [*(("mk", t) for t in programs.THREADS), ("other", "T9")]
    )
    assert found(by_id) == [("mk", "T/2")]
    assert (found(part), part.said["more"]) == ([("mk", "T%2F4")], True)
    assert none.said == {"threads": [], "more": False}
    one = by_name.said["threads"][0]
    assert (one["band"], one["ended"], one["buyer"], one["is_elsewhere"]) == (
        "ok", None, "Zenobia Quill", False,
    )  # fmt: skip
    assert [dict(line.detail) for line in await acts(pool, "look")] == [
        {"filter": "marketplace=none", "threads": 0, "searched": 1},
        {"filter": "account=mk", "threads": 1, "searched": 1},
        {"filter": "", "threads": 1, "searched": 1},
        {"filter": "", "threads": 5, "searched": 1},
    ]


@pytest.mark.parametrize("asked", ["", "?q=", "?q=%20", "?q=a%09b", f"?q={'x' * 201}", "?q=a&by=b"])
async def test_a_search_for_what_nothing_is_called_is_refused_and_not_quoted(anna, asked):
    answer = await anna.get(f"/search{asked}")

    assert (answer.status, answer.said["code"]) == (422, "invalid")
    assert "xxx" not in str(answer.said)


async def test_what_was_answered_comes_in_pages_the_newest_first_by_whoever_did(stage, site, anna):
    for hours, thread in enumerate(("T1", "T%2F2")):
        stage.clock.now = board.NOW + timedelta(hours=hours)
        await anna.ask("POST", f"/marks/mk/{thread}", body={"level": "marked"})
    first = await anna.get("/answered?limit=1")
    last = await anna.get(f"/answered?limit=1&after={first.said['next']}")
    mine, bos = await anna.get("/answered?claimed=mine"), await anna.get("/answered?by=bo")
    both = await anna.get("/answered?claimed=mine&by=bo")

    assert (found(first), found(last)) == ([("mk", "T/2")], [("mk", "T1")])
    assert last.said["next"] is None
    assert (found(mine), found(bos)) == ([("mk", "T/2"), ("mk", "T1")], [])
    assert [(one["by"], one["ended"], one["band"]) for one in mine.said["threads"]] == [
        ("anna", "void", None)
    ] * 2
    assert (both.status, both.said["detail"]) == (409, "by says nothing here; leave it out")


async def test_nobody_finds_what_is_not_theirs(stage, site, anna):
    await anna.ask("POST", "/marks/mk/T1", body={"level": "marked"})
    async with programs.program(stage, site, accounts=frozenset({"other"}), name="cy") as cy:
        assert found(await cy.get("/search?q=zenobia")) == [("other", "T9")]
        assert found(await cy.get("/search?q=T1&account=mk")) == []
        assert found(await cy.get("/answered")) == []


async def test_a_thread_is_read_with_its_orders_and_what_became_of_its_clocks(stage, anna):
    order = {"id": "O1", "as_of": board.NOW, "items": [{"title": "Lamp", "quantity": 2}]}
    async with transaction(stage.pool) as db:
        await orders.put(db, "mk", {"O1": Order.model_validate(order)}, board.NOW)
    await anna.ask("POST", "/marks/mk/T1", body={"level": "marked"})
    told = (await anna.get("/threads/mk/T1")).said
    changed = [one["name"] for step in told["clocks"][0]["history"] for one in step["changed"]]

    assert told["orders"][0]["items"] == [
        {"title": "Lamp", "quantity": 2, "product": None, "sku": None}
    ]
    assert "ended" in changed
