"""Answering in a real browser: what is told while somebody writes, taking back, two at once."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core import ingest
from core.access import Role
from core.connector import Capabilities, Unwelcome
from core.loops import utcnow
from core.model import Message, Page, Thread
from core.store import macros as stored
from core.store import wake
from core.store.macros import Macro
from sla.policy import Party
from tests.core import seeds
from tests.web.browser import backstage, chromium, shot, showing  # noqa: F401  # fixtures

HOUR = timedelta(hours=1)
SELLER = frozenset({Party.SELLER})
CAN = Capabilities(
    replies=True,
    longest_reply=2000,
    unseen_mark=True,
    most_enclosed=10**7,
    most_files=5,
    enclosed=frozenset({"image/png", "image/jpeg"}),
    unwelcome=(
        Unwelcome("link", "the marketplace's contact policy"),
        Unwelcome("phone", "the marketplace's contact policy"),
    ),
)
LATE = Macro("late", "Parcel is late", {
    "en": "Dear {{buyer_first_name}},\n\norder {{order_id}} left us. Its number: {{tracking}}.",
    "ko": "{{buyer_first_name}} 님, 주문 {{order_id}}이 발송되었습니다.",
})  # fmt: skip


@pytest.fixture(scope="module")
def desk(showing):  # noqa: F811  # the fixture
    goal = seeds.policy("goal", role="goal", reply_within=4 * HOUR)
    contract = seeds.policy("contract", marketplace_mark=True)
    stage = showing.stage
    stage.rules = seeds.rules(policies={"mk": (contract, goal)})
    spec = SimpleNamespace(can=lambda _: CAN, refuses=None, narrows=None)
    stage.accounts["mk"] = SimpleNamespace(
        account=seeds.account(), spec=spec, options=None, own_mark=False
    )
    # Long enough for the slowest machine: how long it is by itself is tried elsewhere.
    stage.board = stage.board.model_copy(update={"undo_within": timedelta(minutes=5)})
    showing.db(fill)
    return showing


async def fill(db):
    now = utcnow()
    await seeds.put_account(db, now)
    await seeds.put_stream(db, now, seen_through=now)
    await stored.put(db, LATE, "lea", now)


@pytest.fixture
def thread(desk, request):
    """The path of a thread of the test's own, whose buyer waits."""
    name = f"T-{request.node.name}"[:60]

    async def put(db):
        now = utcnow()
        asked = Message(id=f"M-{name}", thread=name, party=Party.BUYER, sent_at=now - HOUR,
                        to=SELLER, body="Where is it?", language="en")  # fmt: skip
        known = Thread(id=name, as_of=now, subject="My parcel", order_ids=("O-1",),
                       buyer="Zenobia Quill", url="https://market.example/T1")  # fmt: skip
        page = Page(messages=(asked,), threads=(known,))
        await ingest.page(db, desk.stage.rules, "mk", page, now, None)

    desk.db(put)
    return f"/thread/mk/{name}"


def states(desk, path):
    async def read(db):
        name = path.rpartition("/")[2]
        rows = await db.fetch("select state from reply where thread = $1 order by id", name)
        return [row["state"] for row in rows]

    return desk.db(read)


def test_limits_are_told_while_somebody_writes(desk, thread):
    with desk.page() as page:
        page.goto(thread)
        text = page.locator("#text")
        text.press_sequentially("See www.shop.example")
        expect(page.locator("#room")).to_have_text("1,980 left")
        expect(page.locator("#complaints")).to_contain_text("rules allow no link")
        text.fill("x" * 2003)
        expect(page.locator("#room")).to_have_text("3 too many")
        text.fill("All is well.")
        expect(page.locator("#complaints")).to_have_text("")


def test_a_reply_is_sent_taken_back_and_sent_again_without_leaving_the_page(desk, thread):
    with desk.page(name="hana") as page:
        page.goto(thread)
        page.locator("#text").fill("It left yesterday.")
        page.locator("#reply button.main").click()
        expect(page.locator("#answering")).to_contain_text("Waits to leave.")
        expect(page.locator("#text")).to_have_value("")
        page.get_by_role("button", name="Take it back").click()
        expect(page.locator("#text")).to_have_value("It left yesterday.")
        assert states(desk, thread) == ["undone"]
        page.locator("#reply button.main").click()
        expect(page.locator("#answering .queued")).to_have_count(1)
        assert states(desk, thread) == ["undone", "queued"]
        assert page.url.endswith(thread)
        shot(page, "answer-queued")  # last: a picture leaves a style behind that no swap may carry


def test_without_script_the_same_goes_by_whole_pages(desk, thread):
    with desk.page(java_script_enabled=False) as page:
        page.goto(thread)
        page.select_option("select[name=macro]", "late")
        page.get_by_role("button", name="Put it in").click()
        text = page.locator("#text")
        expect(text).to_have_value("Dear Zenobia,\n\norder O-1 left us. Its number: {{tracking}}.")
        expect(page.locator(".box")).to_contain_text("Nothing is known for: tracking")
        text.fill(text.input_value().replace("{{tracking}}", "0815"))
        page.set_input_files("input[name=files]", {
            "name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n",
        })  # fmt: skip
        page.locator("#reply button.main").click()
        expect(page.locator("#answering")).to_contain_text("Waits to leave.")
        page.get_by_role("button", name="Take it back").click()
        expect(page.locator(".kept")).to_contain_text("a.png")
        assert states(desk, thread) == ["undone"]


def test_what_a_macro_says_here_is_seen_before_it_is_put_in(desk, thread):
    with desk.page() as page:
        page.goto(thread)
        expect(page.locator("#reply button.main")).to_be_in_viewport(ratio=1)
        shot(page, "answer-short")
        page.locator("#text").fill("Hello.")
        page.select_option("select[name=macro]", "late")
        expect(page.locator("#preview .said")).to_contain_text("order O-1 left us.")
        expect(page.locator("#preview mark")).to_have_text("{{tracking}}")
        expect(page.locator("#text")).to_have_value("Hello.")
        page.select_option("#reply select[name=language]", "ko")
        expect(page.locator("#preview .said")).to_have_text(
            "Zenobia 님, 주문 O-1이 발송되었습니다."
        )
        assert Axe().run(page).response["violations"] == []
        shot(page, "answer-preview")
        page.select_option("select[name=macro]", "")
        expect(page.locator("#preview")).to_be_empty()


def test_of_two_quick_changes_the_later_one_is_what_is_shown(desk, thread):
    held = []
    with desk.page() as page:
        page.goto(thread)
        path = page.locator("#preview").get_attribute("data-from")
        page.route(f"**{path}", lambda route: held.append(route))  # noqa: PLW0108  # it marks it
        page.select_option("select[name=macro]", "late")
        page.select_option("#reply select[name=language]", "ko")
        page.wait_for_timeout(200)
        first, second = held
        with page.expect_response(f"**{path}"):
            second.continue_()
        expect(page.locator("#preview .said")).to_contain_text("발송되었습니다.")
        with page.expect_response(f"**{path}") as late:
            first.continue_()
        late.value.finished()
        page.wait_for_timeout(200)
        expect(page.locator("#preview .said")).to_contain_text("발송되었습니다.")


def test_the_second_of_two_sees_the_first_and_is_told_before_it_leaves(desk, thread):
    with desk.page(name="ida") as one, desk.page(name="jon") as two:
        one.goto(thread)
        two.goto(thread)
        one.locator("#text").fill("I see to it.")
        expect(two.locator("#answering")).to_contain_text("Ida is answering here, too.")
        two.locator("#text").fill("So do I.")
        expect(one.locator("#answering")).to_contain_text("Jon is answering here, too.")
        one.locator("#reply button.main").click()
        expect(two.locator("#answering")).to_contain_text("Waits to leave.")
        expect(two.locator("#text")).to_have_value("So do I.")
        two.locator("#reply button.main").click()
        expect(two.locator(".beaten")).to_contain_text("Ida has answered")
        expect(two.locator("#text")).to_have_value("So do I.")
        two.get_by_role("button", name="Send it all the same").click()
        expect(two.locator("#answering .queued")).to_have_count(2)
        shot(two, "answer-two-at-once")


def test_what_becomes_of_it_is_seen_at_once(desk, thread):
    async def becomes(db, state):
        name = thread.rpartition("/")[2]
        await db.execute("update reply set state = $2 where thread = $1", name, state)
        await wake.changed(db, {"mk": [name]})

    with desk.page() as page:
        page.goto(thread)
        page.locator("#text").fill("It left yesterday.")
        page.locator("#reply button.main").click()
        expect(page.locator("#answering .queued")).to_have_count(1)
        page.locator("#text").fill("And one more thing")
        for state, said in (
            ("sending", "Is leaving"), ("accepted", "The marketplace took it"),
            ("unknown", "look at the marketplace before you write again"),
        ):  # fmt: skip
            desk.db(lambda db, state=state: becomes(db, state))
            expect(page.locator("#answering")).to_contain_text(said)
        expect(page.locator("#answering .sent a")).to_have_attribute(
            "href", "https://market.example/T1"
        )
        expect(page.locator("#text")).to_have_value("And one more thing")


@pytest.mark.parametrize(
    ("size", "scheme", "locale"), [("wide", "light", "en-GB"), ("phone", "dark", "ko")]
)
def test_the_box_is_read_by_everybody(desk, thread, size, scheme, locale):
    with desk.page(size=size, color_scheme=scheme, locale=locale) as page:
        page.goto(thread)
        page.evaluate("document.querySelectorAll('#answer details').forEach((one) => one.open = 1)")
        page.locator("#text").fill("See www.shop.example {{tracking}}")
        expect(page.locator("#complaints li")).to_have_count(2)
        shot(page, f"answer-{size}-{scheme}")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0
        found = Axe().run(page).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_a_lead_writes_a_macro(desk):
    with desk.page(Role.LEAD) as page:
        page.goto("/macros/form")
        page.fill("input[name=name]", "thanks")
        page.fill("input[name=title]", "Thank you")
        page.locator("input[name=language]").first.fill("en")
        page.locator("textarea[name=body]").first.fill("Thank you, {{buyer_first_name}}.")
        page.get_by_role("button", name="Check it").click()
        expect(page.locator(".done")).to_contain_text("It can be saved.")
        shot(page, "macro")
        assert Axe().run(page).response["violations"] == []
        page.get_by_role("button", name="Save").click()
        expect(page.locator("table")).to_contain_text("Thank you")
        shot(page, "macros")
        assert Axe().run(page).response["violations"] == []
