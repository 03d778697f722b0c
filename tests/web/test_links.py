"""The link in a notice: opening it changes nothing, its button acts, and bad ones are refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.access import Role
from core.desk import links
from core.desk.links import Link
from core.model import Notice, NoticeKind
from core.store import audit, claims, linking, notices, people, transaction
from tests.core import climbing, pages, seeds
from tests.core.seeds import HOUR, MINUTE
from tests.web import board
from tests.web.board import NOW


@pytest.fixture
async def stage(pool):
    await pages.monitored(pool, NOW - 30 * 24 * HOUR)
    asked = pages.buyer("M1", NOW - 24 * HOUR - MINUTE, body="Where is my Quillon?")
    opened = pages.thread(as_of=NOW, subject="Quillon", buyer="Zenobia Quill")
    await pages.stored(pool, NOW - 24 * HOUR, opened, asked, of=climbing.rules())
    await seeds.watched(pool, climbing.rules(), NOW)
    return board.Stage(pool, rules=climbing.rules(), notifiers={"chat": None, "mail-lea": None})


@pytest.fixture
async def browser(base):
    """Somebody's who is not signed in."""
    async with board.browsing(base) as browser:
        yield browser


@pytest.fixture
async def notice(pool):
    async with pool.acquire() as db:
        return await db.fetchval("select id from notice where kind = 'breach'")


async def path_of(pool, notice, bearer="person:lea", purpose=links.TAKE, lasting=HOUR):
    async with transaction(pool) as db:
        link = Link(purpose, notice, bearer, NOW + lasting)
        return f"/take/{links.sign(await linking.key(db), link)}"


async def holder(pool):
    async with pool.acquire() as db:
        found = await claims.of(db, [("mk", "T1")], NOW)
        return next((each.by for each in found.values()), None)


async def test_opening_a_link_shows_what_it_is_about_and_changes_nothing(pool, browser, notice):
    path = await path_of(pool, notice)

    for _ in range(3):
        seen = await browser.get(path)

    assert seen.status == 200
    assert "Somebody waits for a reply." in seen.text
    assert "Empik PL" in seen.text
    assert "I take it" in seen.text
    assert await holder(pool) is None


async def test_who_asks_for_the_head_of_a_link_changes_nothing(pool, browser, notice):
    path = await path_of(pool, notice)

    seen = await browser.ask("HEAD", path)

    assert (seen.status, seen.text, await holder(pool)) == (200, "", None)
    assert (await browser.ask("HEAD", path[:-4] + "AAAA")).status == 404


async def test_no_word_of_a_buyer_is_shown_to_who_is_not_signed_in(pool, browser, notice):
    path = await path_of(pool, notice)

    said = (await browser.get(path)).text + (await browser.post(path, form=path)).text

    assert [word for word in ("Quill", "Zenobia") if word in said] == []


async def test_its_button_claims_the_thread_and_says_so(pool, browser, notice):
    path = await path_of(pool, notice)

    done = await browser.post(path, form=path)

    assert (done.status, await holder(pool)) == (200, "lea")
    assert "It is yours" in done.text
    assert "Keep it a while longer" in (await browser.get(path)).text


async def test_what_somebody_else_has_is_said_and_left_with_them(pool, browser, notice):
    first, second = await path_of(pool, notice), await path_of(pool, notice, "person:boss")
    await browser.post(first, form=first)

    done = await browser.post(second, form=second)

    assert (done.status, await holder(pool)) == (409, "lea")
    assert "Claimed by somebody else" in done.text


async def test_a_trouble_is_acknowledged(pool, browser):
    async with transaction(pool) as db:
        down = Notice("mk/account_down/1", NoticeKind.ACCOUNT_DOWN, "mk", NOW)
        await notices.raise_(db, climbing.rules(), [down])
        number = await db.fetchval("select id from notice where kind = 'account_down'")
    path = await path_of(pool, number, "notifier:chat")

    assert "I take care of it" in (await browser.get(path)).text
    done = await browser.post(path, form=path)

    assert "Nobody else is told of it." in done.text
    async with pool.acquire() as db:
        ended = await db.fetchval("select ended from escalation where notice = $1", number)
    assert ended == "acknowledged"


async def test_what_was_answered_has_no_button(pool, browser, notice):
    await pages.stored(pool, NOW, pages.seller("S1", NOW), of=climbing.rules())
    path = await path_of(pool, notice)

    assert "Nothing is left to do" in (await browser.get(path)).text
    assert "Nothing is left to do" in (await browser.post(path, form="/sign-in")).text
    assert await holder(pool) is None


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [
        ({"lasting": timedelta(0)}, 410, "Its time is over."),
        ({"purpose": "enter"}, 404, "was not made here"),
        ({"notice": 999}, 410, "not kept any more"),
        ({"bearer": "person:nobody"}, 403, "somebody who may not take this"),
        ({"bearer": "notifier:pager"}, 403, "somebody who may not take this"),
    ],
)
async def test_a_bad_link_is_refused_with_a_page_a_line_and_without_its_token(
    pool, browser, notice, how, status, says
):
    path = await path_of(pool, **({"notice": notice} | how))
    token = path.rpartition("/")[2]

    with capture_logs() as said:
        shown = await browser.get(path)
        done = await browser.post(path, form="/sign-in")

    assert (shown.status, done.status) == (status, status)
    assert says in shown.text
    assert [line["event"] for line in said] == ["refused at the board"]
    assert token[:20] not in str(said) + shown.text + done.text
    assert await holder(pool) is None


async def test_a_mangled_link_is_refused_and_leaves_no_line_in_the_trail(pool, browser, notice):
    path = await path_of(pool, notice)

    for wrong in (path[:-1], path + "A", path[:-8] + "AAAAAAAA", "/take/x", "/take/" + "A" * 3000):
        assert (await browser.get(wrong)).status == 404

    async with transaction(pool) as db:
        assert await audit.lines(db, audit.Asked(), None, "", 10) == []


@pytest.mark.parametrize(
    ("role", "accounts", "disabled"),
    [(Role.VIEWER, None, False), (Role.AGENT, ["other"], False), (Role.LEAD, None, True)],
)
async def test_a_right_that_was_taken_away_takes_the_link_with_it(
    pool, browser, notice, role, accounts, disabled
):
    path = await path_of(pool, notice)
    await board.person(pool, "lea", role, accounts)
    if disabled:
        async with transaction(pool) as db:
            await people.disable(db, "lea", NOW)

    assert (await browser.post(path, form="/sign-in")).status == 403

    assert await holder(pool) is None
    async with transaction(pool) as db:
        [line] = await audit.lines(db, audit.Asked(act="refused"), None, "", 10)
    assert line.detail["asked"] == "take"


async def test_a_button_of_another_page_does_not_act(pool, browser, notice):
    path = await path_of(pool, notice)
    await browser.get(path)

    assert (await browser.post(path, {"csrf": "0"})).status == 403
    stranger = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await browser.post(path, form=path, headers=stranger)).status == 403
    assert await holder(pool) is None
