"""The page of a notice's link in a real browser: one button, in the reader's language."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.desk import links
from core.loops import utcnow
from core.store import linking
from tests.core import climbing, seeds
from tests.web.browser import SIZES, backstage, chromium, shot, showing  # noqa: F401  # fixtures

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def board(showing):  # noqa: F811  # the fixture
    showing.stage.rules = climbing.rules()
    showing.stage.notifiers = {"chat": None}
    showing.db(fill)
    return showing


async def fill(db):
    now = utcnow()
    await seeds.put_account(db, now)
    await seeds.put_thread(db, now)
    clock = await seeds.put_clock(db, now + 2 * HOUR)
    await db.execute(
        "insert into notice (id, key, kind, account, thread, clock, due_at, raised_at)"
        " values (1, '1/0/1', 'warning', 'mk', 'T1', $1, $2, $3)",
        clock, now + 2 * HOUR, now,
    )  # fmt: skip


def path(board):
    async def signed(db):
        await db.execute("delete from claim")
        made = links.Link("take", 1, "person:lea", utcnow() + HOUR)
        return f"/take/{links.sign(await linking.key(db), made)}"

    return board.db(signed)


@pytest.mark.parametrize(
    ("locale", "button", "done"),
    [("en-GB", "I take it", "It is yours"), ("ko-KR", "제가 맡겠습니다", "맡으셨습니다")],
)
def test_one_button_takes_the_thread(board, locale, button, done):
    for size in SIZES:
        with board.page(size=size, locale=locale) as page:
            page.goto(path(board))
            assert Axe().run(page).response["violations"] == []
            shot(page, f"take-{locale}-{size}")

            page.get_by_role("button", name=button, exact=True).click()

            expect(page.get_by_role("heading", level=1)).to_have_text(done)
            assert Axe().run(page).response["violations"] == []


def test_a_link_that_does_not_work_says_what_to_do(board):
    with board.page() as page:
        page.goto("/take/nothing")

        expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work")
        assert Axe().run(page).response["violations"] == []
        page.faults.clear()  # the browser itself complains of the 404
