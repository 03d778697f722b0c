"""What one meets at the doors with two tabs, a link that is no more, or only to see that all is up;
and the audit trail by day and as a file."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from core.access import Role, Who
from core.configuration.access import Web
from core.desk import admitting, passwords
from core.store import audit, people, transaction
from core.web import trail as shown
from tests.core import seeds
from tests.web import board

pytestmark = pytest.mark.usefixtures("quick")
GOOD = "a quiet green heron"


async def trail(pool, act):
    async with transaction(pool) as db:
        return await audit.lines(db, audit.Asked(act=act), None, "", 20)


@pytest.fixture
async def anna(pool):
    await board.person(pool)
    async with transaction(pool) as db:
        await people.set_password(db, "anna", passwords.HASHER.hash(GOOD))


async def test_the_form_of_another_tab_leads_on_after_signing_in(browser, anna, pool):
    first, second = [(await browser.get("/sign-in?next=/me")).csrf for _ in range(2)]
    sent = {"name": "anna", "password": GOOD, "next": "/me"}
    assert (await browser.post("/sign-in", {**sent, "csrf": first})).status == 303
    seen = await browser.post("/sign-in", {**sent, "next": "/wall", "csrf": second})
    far = await browser.post("/sign-in", {**sent, "next": "//evil.example", "csrf": second})

    assert (seen.status, seen.headers["Location"]) == (303, "/wall")
    assert far.headers["Location"] == "/"
    assert await trail(pool, "refused") == []
    assert len(await trail(pool, "sign-in")) == 1


async def test_a_page_to_sign_in_at_that_is_too_old_is_shown_anew(browser, anna):
    await browser.get("/sign-in")
    old = {"name": "anna", "password": GOOD, "csrf": "of another visit"}
    seen = await browser.post("/sign-in", old)
    assert (seen.status, "too old" in seen.text, 'value="anna"' in seen.text) == (403, True, True)
    assert GOOD not in seen.text

    again = {"name": "anna", "password": GOOD, "csrf": seen.csrf}
    assert (await browser.post("/sign-in", again)).status == 303


async def test_the_page_that_is_shown_anew_works_where_there_was_no_cookie(base, anna):
    async with board.browsing(base) as browser:
        seen = await browser.post("/sign-in", {"name": "anna", "password": GOOD})
        again = {"name": "anna", "password": GOOD, "csrf": seen.csrf}
        assert (await browser.post("/sign-in", again)).status == 303


async def test_a_form_of_another_site_leads_nowhere(browser, anna):
    csrf = (await browser.get("/sign-in")).csrf
    sent = {"name": "anna", "password": GOOD, "csrf": csrf}
    seen = await browser.post("/sign-in", sent, headers={"Origin": "https://evil.example"})

    assert (seen.status, "too old" in seen.text) == (403, False)


async def test_who_signs_out_twice_is_signed_out(stage, base):
    async with board.signed_in(stage, base) as browser:
        csrf = (await browser.get("/me")).csrf
        for _ in range(2):
            seen = await browser.post("/sign-out", {"csrf": csrf})
            assert (seen.status, seen.headers["Location"]) == (303, "/sign-in")


PAGES = {"/": 303, "/wall": 303, "/status": 303, "/me": 303, "/sign-in": 200}


async def test_who_watches_that_the_board_is_up_may_ask_for_heads(stage, base, browser):
    for path, status in PAGES.items():
        assert (await browser.ask("HEAD", path)).status == status, path
        seen = await browser.ask("HEAD", path)
        assert (seen.status, seen.text) == (status, ""), path
    async with board.signed_in(stage, base, Role.ADMIN) as anna:
        assert [(await anna.ask("HEAD", path)).status for path in ("/", "/people")] == [200, 200]
        for path in ("/live", "/sign-in/oidc/back", "/audit.csv"):
            assert (await anna.ask("HEAD", path)).status == 405, path


@pytest.mark.parametrize("sign_in", ["password", "proxy"])
async def test_a_bad_name_is_said_and_a_used_link_by_other_words(stage, pool, sign_in):
    stage.web = Web(listen="127.0.0.1:0", sign_in=sign_in, proxies=("10.0.0.1",))
    async with transaction(pool) as db:
        link = f"/enter/{await admitting.first(db, board.NOW)}"
    chosen = {"password": GOOD, "again": GOOD}
    async with board.served(stage) as base, board.browsing(base) as browser:
        bad = await browser.post(link, {**chosen, "name": "Anna Example"}, form=link)
        good = await browser.post(link, {**chosen, "name": "anna"}, form=link)
        used = await browser.get(link)

    assert (bad.status, "small letters" in bad.text, "too old" in bad.text) == (422, True, False)
    assert (good.status, used.status) == (303, 410)


async def test_who_may_not_take_a_reply_back_is_written_down_with_its_thread(stage, base, pool):
    async with transaction(pool) as db:
        await seeds.put_account(db, board.NOW)
        await seeds.put_thread(db, board.NOW)
        reply = await db.fetchval(QUEUED, board.NOW)
    async with board.signed_in(stage, base) as anna:
        assert (await anna.post(f"/undo/{reply}", form="/me")).status == 403

    (line,) = await trail(pool, "refused")
    assert (line.account, line.thread, line.detail["why"]) == ("mk", "T1", "not_theirs")


QUEUED = """
    insert into reply (account, thread, body, addressed_to, next_try_at, queued_at, written_by)
    values ('mk', 'T1', 'text', '{buyer}', $1, $1, 'bela')
    returning id
"""


# the audit trail


async def put(pool, days=(0, 1, 2), **more):
    async with transaction(pool) as db:
        for day in sorted(days, reverse=True):
            at = board.NOW.replace(hour=23, minute=30) - timedelta(days=day)
            who = Who("bela", Role.AGENT, address="192.0.2.1")
            await audit.write(
                db, who, "read", account="mk", thread=f"=D{day}", detail={"d": day}, now=at, **more
            )


async def exported(browser, query=""):
    seen = await browser.get(f"/audit.csv?who=bela{query}")
    return seen, list(csv.DictReader(io.StringIO(seen.text)))


async def test_the_trail_is_read_by_day_of_ones_own_zone(stage, base, pool):
    await put(pool)
    async with board.signed_in(stage, base, Role.LEAD) as anna:
        for query, days in (
            ("since=2026-11-20", "01"), ("until=2026-11-20", "12"), ("", "012"),
            ("since=2026-11-20&until=2026-11-20", "1"), ("since=2026-12-01", ""),
        ):  # fmt: skip
            page = (await anna.get(f"/audit?who=bela&{query}")).text
            assert "".join(re.findall(r">=D(\d)<", page)) == days, query
        await anna.post("/me/prefer", {"zone": "Asia/Seoul"}, form="/me")
        page = (await anna.get("/audit?who=bela&since=2026-11-21&until=2026-11-21")).text
        assert re.findall(r">=D(\d)<", page) == ["1"]
        for wrong in ("yesterday", "9999-12-31", "2026-02-30", "-1"):
            seen = await anna.get(f"/audit?since={wrong}")
            assert (seen.status, "no day" in seen.text) == (422, True), wrong
            assert (await anna.get(f"/audit.csv?until={wrong}")).status == 422


async def test_the_trail_is_a_file_that_no_spreadsheet_reckons(stage, base, pool, monkeypatch):
    monkeypatch.setattr(shown, "OF_A_FILE", 2)
    await put(pool, range(5))
    async with board.signed_in(stage, base, Role.LEAD) as anna:
        seen, rows = await exported(anna)
        _, one = await exported(anna, "&since=2026-11-21")
        page = (await anna.get("/audit?who=bela&until=2026-11-20")).text

    assert [row["thread"] for row in rows] == [f"'=D{n}" for n in range(5)]
    assert rows[0]["at"] == "2026-11-21T23:30:00+00:00"
    assert (rows[0]["detail"], rows[0]["address"]) == ('{"d": 0}', "192.0.2.1")
    assert seen.headers["Content-Disposition"].startswith("attachment")
    assert (len(one), len(await trail(pool, "audit"))) == (1, 2)
    assert (await trail(pool, "audit"))[1].detail == {"did": "exported", "filter": "who=bela"}
    assert "/audit.csv?who=bela&amp;until=2026-11-20" in page


async def test_a_file_holds_lines_of_accounts_alone_that_its_reader_sees(stage, base, pool):
    await put(pool, (0,))
    here = frozenset({"other"})
    async with board.signed_in(stage, base, Role.LEAD, here) as anna:
        assert (await exported(anna))[1] == []
