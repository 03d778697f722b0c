"""Search, and what was answered: by a browser without a screen, as people and addresses ask."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from core.access import Role
from core.store import audit, transaction
from tests.core import seeds
from tests.core.test_finding import answer, put
from tests.web import board
from tests.web.board import NOW

HOUR = timedelta(hours=1)
NAME = "Zenobia Quill"


@pytest.fixture
async def stage(pool):
    stage = board.Stage(pool)
    async with transaction(pool) as db:
        for account in ("mk", "other"):
            await seeds.put_account(db, NOW, account)
        await put(db, NOW, "T1", buyer=NAME, orders=["305-1234567-1"], due_at=NOW + HOUR)
        await put(db, NOW, "T2", buyer=NAME, account="other", due_at=NOW + 2 * HOUR)
        await answer(db, NOW - HOUR, "T3", "bo", "late", buyer=NAME)
        await answer(db, NOW - 2 * HOUR, "T4", "anna")
    return stage


@pytest.fixture
async def base(stage):
    async with board.served(stage) as base:
        yield base


def threads(page):
    return re.findall(r'href="/thread/([^"]+)"', page.text)


async def looks(pool):
    async with transaction(pool) as db:
        return [dict(one.detail) for one in await audit.lines(db, audit.Asked(), None, "", 50)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("q=305-12", ["mk/T1"]),
        ("q=30512345671", ["mk/T1"]),
        ("q=zenobia", ["mk/T1", "other/T2", "mk/T3"]),
        ("q=zenobia&account=other", ["other/T2"]),
        ("q=T4", ["mk/T4"]),
        ("q=nobody", []),
        ("state=answered", ["mk/T3", "mk/T4"]),
        ("state=answered&claimed=mine", ["mk/T4"]),
        ("state=answered&by=bo", ["mk/T3"]),
        ("state=answered&account=other", []),
    ],
)
async def test_an_address_finds(stage, base, asked, found):
    async with board.signed_in(stage, base) as anna:
        page = await anna.get(f"/?{asked}")

    assert page.status == 200
    assert threads(page) == found
    assert 'id="q"' in page.text


async def test_what_was_searched_for_is_written_down_nowhere(stage, base, pool):
    async with board.signed_in(stage, base) as anna:
        await anna.get("/?q=Zenobia+Qui")
        await anna.get("/?q=nobody&account=mk")
        await anna.get("/?state=answered&by=bo")

    assert await looks(pool) == [
        {"filter": "state=answered&by=bo", "threads": 1},
        {"filter": "account=mk", "threads": 0, "searched": 1},
        {"filter": "", "threads": 3, "searched": 1},
    ]


async def test_somebody_finds_only_what_is_theirs(stage, base):
    async with board.signed_in(stage, base, Role.LEAD, frozenset({"other"})) as lead:
        assert threads(await lead.get("/?q=zenobia")) == ["other/T2"]
        assert threads(await lead.get("/?q=T1")) == []
        assert threads(await lead.get("/?state=answered")) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/?q=zenobia&band=ok", "band says nothing here; leave it out"),
        ("/?state=answered&language=de", "language says nothing here; leave it out"),
        ("/?by=bo", "by says nothing here; leave it out"),
        ("/?state=answered&claimed=free", "of what was answered there is mine"),
        ("/?state=answered&claimed=mine&by=bo", "by says nothing here; leave it out"),
        ("/?state=open", "state: &#34;open&#34; is unknown; there is answered"),
        ("/wall?q=zenobia", "only what waits is shown here"),
        ("/live?state=answered", "only what waits is shown here"),
    ],
)
async def test_what_goes_with_no_search_is_refused_in_words(stage, base, path, said):
    async with board.signed_in(stage, base) as anna:
        page = await anna.get(path)

    assert page.status in {400, 409, 422}
    assert said in page.text
    assert "zenobia" not in page.text.lower()


async def test_a_line_says_how_it_ended_and_who_answered(stage, base):
    async with board.signed_in(stage, base) as anna:
        page = (await anna.get("/?state=answered")).text

    late, met = re.findall(r'<tr class="line ended".*?</tr>', page, re.DOTALL)
    assert '<span class="how">Late</span>' in late
    assert 'href="/?state=answered&amp;by=bo"' in late
    assert "<bdi>Zenobia Quill</bdi>" in late
    assert '<span class="how">Met</span>' in met
    assert "what was answered in the last 14 days" in page.lower()
