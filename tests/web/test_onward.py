"""From one thread to the next: the nearest deadline that whoever answers can see to."""

from __future__ import annotations

import pytest

from core.access import Role
from core.store import transaction
from tests.web import board, programs
from tests.web.programs import HOUR

CLAIM = "insert into claim (account, thread, by, since, until) values ('mk', $1, 'bo', $2, $3)"
NEXT = "/next?account=mk&thread=T1"
PATHS = {
    "T1": "/thread/mk/T1",
    "T/2": "/thread/mk/T%2F2",
    "T%2F4": "/thread/mk/T%252F4",
    "주문 3?": "/thread/mk/%EC%A3%BC%EB%AC%B8%203%3F",
}


@pytest.fixture
async def stage(pool):
    """In account ``mk`` the last of `PATHS` has waited longest, and so is due first."""
    return await programs.seeded(pool)


async def led(stage, site, path, accounts=("mk",), role=Role.AGENT, name="anna"):
    async with board.signed_in(stage, site, role, accounts, name) as browser:
        seen = await browser.get(path)
        assert seen.status == 303
        return seen.headers["Location"]


async def test_the_next_is_the_nearest_deadline_of_what_they_see_but_for_where_they_are(
    stage, site
):
    assert await led(stage, site, "/next") == PATHS["T%2F4"]
    here = "/next?account=mk&thread=T%252F4"
    assert await led(stage, site, here, name="bo") == PATHS["주문 3?"]
    assert await led(stage, site, here, ("other",), name="cy") == "/thread/other/T9"
    assert await led(stage, site, "/next?account=other&thread=T9", ("other",), name="di") == "/"


async def test_what_another_has_claimed_or_answers_just_now_is_passed_over(stage, site, pool):
    async with transaction(pool) as db:
        now = board.NOW
        for thread, since, until in (
            ("T%2F4", now, now + HOUR), ("T/2", now - 2 * HOUR, now - HOUR),
        ):  # fmt: skip
            await db.execute(CLAIM, thread, since, until)
    assert await led(stage, site, NEXT, name="bo") == PATHS["T%2F4"]
    assert await led(stage, site, NEXT) == PATHS["주문 3?"]

    async with board.signed_in(stage, site, name="cy") as browser:
        path = PATHS["주문 3?"].removeprefix("/thread")
        data = {"text": "Guten Tag.", "to": "buyer", "key": "k"}
        sent = await browser.post(f"/reply{path}", data, form=f"/thread{path}")
        assert sent.status == 303
        page = (await browser.get(f"/thread{path}")).text
        assert "/next?account=mk&amp;thread=%EC%A3%BC%EB%AC%B8+3%3F" in page
        assert (await browser.get(NEXT)).headers["Location"] == PATHS["T/2"]
