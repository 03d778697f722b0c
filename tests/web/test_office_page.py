"""The doors and the office in a real Chromium: signing in, people, one's own page, the trail."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.access import Role, Who
from core.desk import admitting, passwords, tokens
from core.loops import utcnow
from core.store import audit, people
from tests.web.browser import SIZES, backstage, chromium, shot, showing

__all__ = ["backstage", "chromium", "showing"]

GOOD = "a quiet green heron"
ROOT = Who("root", Role.ADMIN, means="cli")
PAGES = ("/people", "/audit", "/me", "/status", "/nowhere")


@pytest.fixture(scope="module")
def board(showing):
    """A board with a few people, tokens and lines of the trail."""

    async def fill(db):
        now = utcnow()
        await admitting.add(
            db, ROOT, "anna", title="Anna Example", role=Role.AGENT, accounts={"mk"}, now=now
        )
        await people.set_password(db, "anna", PasswordHasher(1, 64, 1).hash(GOOD))
        anna = (await people.of(db, "anna")).who("session", None)
        await tokens.make(db, anna, "a robot that counts", Role.VIEWER, {"mk"}, None, now)
        await admitting.add(db, ROOT, "bela", role=Role.LEAD, accounts=None, now=now)
        await admitting.disable(db, ROOT, "bela", "password", now)
        await audit.write(db, anna, "read", account="mk", thread="T-1", now=now)

    showing.db(fill)
    return showing


def violations(page):
    found = Axe().run(page).response["violations"]
    return [(v["id"], [node["html"] for node in v["nodes"]]) for v in found]


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def fresh(board, **context):
    """A page of somebody who is not signed in."""
    opened = board.browser.new_context(**{"locale": "en-GB", **context}, base_url=board.address)
    page = opened.new_page()
    page.set_default_timeout(10_000)
    return page


@pytest.mark.parametrize("size", SIZES)
def test_pages_of_the_office_have_no_violation_and_fit(board, size):
    with board.page(Role.ADMIN, size=size) as page:
        for path in PAGES:
            page.goto(path)
            page.faults[:] = [one for one in page.faults if "404" not in one]
            assert violations(page) == [], path
            assert fits(page), path
            shot(page, f"office{path.replace('/', '-')}-{size}")


def test_an_invited_person_chooses_a_password_signs_out_and_in(board, monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 64, 1))
    secret = board.db(lambda db: admitting.invite(db, ROOT, "anna", utcnow()))
    page = fresh(board)
    page.goto(f"/enter/{secret}")
    assert violations(page) == []
    shot(page, "office-enter")
    page.get_by_label("Choose a password").fill(GOOD)
    page.get_by_label("The same once more").fill("another one of these")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("The two passwords differ.")
    assert violations(page) == []
    page.get_by_label("Choose a password").fill(GOOD)
    page.get_by_label("The same once more").fill(GOOD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("/")

    page.goto("/me")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("/sign-in")
    page.goto("/audit")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    assert violations(page) == []
    shot(page, "office-sign-in")
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Not allowed")).to_be_visible()
    page.context.close()


def test_it_works_without_script_and_in_korean(board):
    page = fresh(board, java_script_enabled=False, locale="ko-KR")
    page.goto("/sign-in")
    page.get_by_label("이름").fill("anna")
    page.get_by_label("비밀번호").fill(GOOD)
    page.get_by_role("button", name="로그인").click()
    page.goto("/me")
    expect(page.get_by_role("heading", name="Anna Example")).to_be_visible()
    expect(page.get_by_role("heading", name="토큰")).to_be_visible()
    shot(page, "office-me-korean")
    page.context.close()


def test_an_admin_adds_somebody_and_gets_a_link(board):
    with board.page(Role.ADMIN) as page:
        page.goto("/people")
        form = page.locator("form[action='/people/add']")
        form.get_by_label("Name").fill("chris")
        form.get_by_label("Role").select_option("viewer")
        form.get_by_role("button", name="Add").click()
        row = page.locator("tr", has=page.get_by_role("rowheader", name="chris"))
        row.get_by_text("Change").click()
        row.get_by_role("button", name="Make a link that lets them in").click()
        expect(page.get_by_role("status")).to_contain_text(f"{board.address}/enter/")
        assert violations(page) == []
        shot(page, "office-people-link")
