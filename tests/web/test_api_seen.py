"""The API's page in a real browser: for who reads it, in every width, light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.access import Role
from core.web.api import problems, room
from tests.web.browser import backstage, chromium, shot, showing  # noqa: F401  # fixtures

WIDE = """[...document.querySelectorAll("main *")].filter((one) =>
    one.getBoundingClientRect().right > innerWidth && !one.closest(".scroll")
).map((one) => one.outerHTML.slice(0, 120)).slice(0, 5)"""
"""What stands beside the page."""


@pytest.mark.parametrize(
    ("size", "scheme", "locale"),
    [("wide", "light", "en-GB"), ("wide", "dark", "ko-KR"), ("phone", "light", "ko-KR"),
     ("phone", "dark", "en-GB")],
)  # fmt: skip
def test_the_page_is_read_in_every_width_and_light(showing, size, scheme, locale):  # noqa: F811  # the fixture
    with showing.page(Role.VIEWER, size=size, locale=locale, color_scheme=scheme) as page:
        page.goto("/api")

        expect(page.get_by_role("heading", level=1)).to_have_text("API")
        assert Axe().run(page).response["violations"] == []
        beside = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert page.evaluate(beside) is False, page.evaluate(WIDE)
        shot(page, f"api-{size}-{scheme}")
        page.goto("/api#problem-beaten")
        expect(page.locator("#problem-beaten")).to_be_in_viewport()
        shot(page, f"api-problems-{size}-{scheme}")


def test_every_step_and_every_code_leads_to_what_it_means(showing):  # noqa: F811  # the fixture
    with showing.page() as page:
        page.goto("/api")
        ids = set(page.eval_on_selector_all("[id]", "all => all.map((one) => one.id)"))
        leads = set(
            page.eval_on_selector_all(
                "main a[href^='#']", "all => all.map((one) => one.getAttribute('href').slice(1))"
            )
        )

    assert leads <= ids
    assert {f"problem-{code}" for code in problems.MEANS} <= ids
    assert {lead.to for route in room.ROUTES for lead in route.leads} <= leads
