"""The queue as people use it: in a real Chromium, by mouse, by keyboard, without script."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.access import Role
from core.loops import utcnow
from core.store import wake
from core.web import hub
from tests.web import invented
from tests.web.board import person
from tests.web.browser import SIZES, backstage, chromium, shot, showing

__all__ = ["backstage", "chromium", "showing"]

WIRE = 60 * 1024
SHELF = "One shelf is missing"
PARCEL, HINGE, LAMP = (thread[-1] for thread in invented.THREADS[:3])


@pytest.fixture(scope="module")
def board(showing):
    showing.stage.rules = invented.rules()
    showing.db(lambda db: invented.fill(db, utcnow()))
    showing.backstage.run(person(showing.stage.pool, "lena", now=utcnow()))
    return showing


def subjects(page):
    return page.locator(".line .what a").all_inner_texts()


def query(page):
    return {name: value for name, [value] in parse_qs(urlsplit(page.url).query).items()}


def fits(page):
    """Whether nothing stands to the right of what is seen."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def focused(page):
    return page.evaluate("document.activeElement.innerText")


def violations(page):
    found = Axe().run(page).response["violations"]
    return [(v["id"], [node["html"] for node in v["nodes"]]) for v in found]


def test_all_accounts_stand_in_one_queue_by_deadline_and_what_is_chosen_is_the_address(board):
    with board.page() as page:
        page.goto("/")
        shot(page, "queue-wide")
        assert subjects(page) == [thread[-1] for thread in invented.THREADS]
        expect(page.locator("#summary")).to_have_text("13 threads wait, 2 are overdue.")

        page.get_by_role("navigation", name="Bands").get_by_role("link", name="Overdue").click()
        assert query(page) == {"band": "breached"}
        assert subjects(page) == [PARCEL, HINGE]

        page.locator("select[name=marketplace]").select_option("ebay")
        page.get_by_role("button", name="Show").click()
        assert query(page) == {"band": "breached", "marketplace": "ebay"}
        assert subjects(page) == [HINGE]
        expect(page.locator("a.breached[aria-current=true] data")).to_have_text("2")

        page.locator("select[name=kind]").select_option("return")
        page.get_by_role("button", name="Show").click()
        expect(page.locator(".empty")).to_contain_text("Nothing here waits")
        page.get_by_role("link", name="Show everything").first.click()
        assert len(subjects(page)) == 13

        page.go_back()
        page.go_back()
        assert subjects(page) == [HINGE]


def test_a_time_counts_down_by_the_servers_clock_whatever_the_browsers_says(board):
    with board.page() as page:
        page.clock.install(time=utcnow() + timedelta(hours=3))
        page.route("**/live*", lambda route: route.abort())  # nor does the server say it again
        page.goto("/")
        lamp = page.locator(".line", has_text=LAMP)
        assert re.fullmatch(r"in \d min \d\d s", lamp.locator(".left").inner_text())
        expect(lamp.locator(".word")).to_have_text("Critical")

        page.context.set_offline(True)
        page.clock.fast_forward("10:00")

        expect(lamp.locator(".left")).to_contain_text("min")
        expect(lamp.locator(".left")).to_contain_text("late")
        expect(lamp.locator(".word")).to_have_text("Overdue")
        assert "breached" in lamp.get_attribute("class")
        page.faults.clear()  # what could not be fetched


def test_a_deadline_stands_in_the_persons_zone_and_in_the_marketplaces(board):
    async def settle(db):
        await db.execute("update person set zone = 'Asia/Seoul' where name = 'minji'")

    with board.page(name="minji") as page:
        board.db(settle)
        page.goto("/")
        told = page.locator(".line", has_text=PARCEL).locator(".at time").get_attribute("title")

    assert "(Asia/Seoul); " in told
    assert told.endswith("(Europe/Berlin)")


def test_the_keyboard_is_enough(board):
    with board.page() as page:
        page.goto("/")
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the content"
        shot(page, "queue-skip")

        page.keyboard.press("j")
        page.keyboard.press("j")
        assert focused(page) == HINGE
        shot(page, "queue-focus")
        page.keyboard.press("k")
        assert focused(page) == PARCEL

        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        shot(page, "queue-help")
        page.keyboard.press("j")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert focused(page) == PARCEL

        page.keyboard.press("f")
        assert page.evaluate("document.activeElement.name") == "band"
        page.keyboard.type("cri")
        page.keyboard.press("Escape")
        assert query(page) == {}

        page.locator(".line .what a").nth(2).focus()
        assert page.locator(".line:focus-within .what a").inner_text() == LAMP
        assert page.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle"
        ) != "none"  # fmt: skip
        with page.expect_navigation(url="**/thread/empik/T3"):
            page.keyboard.press("o")
        page.faults.clear()


def test_who_has_a_buyer_on_the_phone_finds_the_thread_by_its_order(board):
    with board.page() as page:
        page.goto("/")
        page.keyboard.press("/")
        page.keyboard.type("302 5534421")
        page.keyboard.press("Enter")
        expect(page.get_by_role("searchbox")).to_have_value("302 5534421")
        shot(page, "search-wide")
        assert query(page) == {"q": "302 5534421"}
        assert subjects(page) == [PARCEL]
        assert violations(page) == []
        page.get_by_role("link", name="Answered").click()
        expect(page.locator(".found .summary")).to_contain_text("in the last 14 days")
        assert violations(page) == []
        page.go_back()

        page.locator("h1").evaluate("e => e.focus()")
        page.keyboard.press("j")
        with page.expect_navigation(url="**/thread/amazon-de/T1"):
            page.keyboard.press("o")
        page.faults.clear()


def test_a_search_fits_a_phone_and_needs_no_script(board):
    with board.page(size="phone", locale="ko-KR", java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("searchbox").fill("EM-778")
        page.get_by_role("button", name="검색").click()
        shot(page, "search-phone")

        assert len(subjects(page)) == 3
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("link", name="답변함").click()
        assert query(page) == {"state": "answered"}


def test_the_titles_number_is_how_many_are_urgent_and_changes_with_them(board):
    async def arrive(db):
        await invented.thread(db, utcnow(), "L9", "ebay-uk", "message", "en", "", -5, SHELF)
        await wake.changed(db, {"ebay-uk": ["L9"]})

    async def answer(db):
        await db.execute("update clock set ended = 'met', stopped_at = now() where thread = 'L9'")
        await wake.changed(db, {"ebay-uk": ["L9"]})

    with board.page() as page:
        page.goto("/")
        expect(page).to_have_title("(3) Queue · replyby")
        expect(page.locator("#state")).to_have_text("Live.")
        board.db(arrive)
        expect(page).to_have_title("(4) Queue · replyby")
        board.db(answer)
        expect(page).to_have_title("(3) Queue · replyby")


def test_a_thread_is_claimed_and_given_back_without_leaving_the_queue(board):
    with board.page(name="jiyoung") as page:
        page.goto("/")
        lamp = page.locator(".line", has_text=LAMP)
        lamp.get_by_role("link").focus()
        page.keyboard.press("c")
        expect(lamp.locator(".whose")).to_contain_text("Jiyoung")
        expect(lamp.get_by_role("button", name="Release")).to_be_visible()
        shot(page, "queue-claimed")

        with board.page(name="mateo") as other:
            other.goto("/")
            theirs = other.locator(".line", has_text=LAMP)
            assert theirs.get_by_role("button").is_hidden()
            other.goto("/?claimed=free")
            assert LAMP not in subjects(other)

        lamp.get_by_role("button", name="Release").click()
        expect(lamp.get_by_role("button", name="Claim")).to_be_visible()


def test_of_two_who_claim_at_once_the_second_is_told_whose_it_is(board):
    still = board.page(Role.LEAD, name="bo", java_script_enabled=False)
    with board.page(name="ines") as page, still as other:
        page.goto("/")
        other.goto("/")
        page.locator(".line", has_text=HINGE).get_by_role("button", name="Claim").click()
        expect(page.locator(".line", has_text=HINGE).locator(".by")).to_have_text("Ines")

        other.locator(".line", has_text=HINGE).get_by_role("button", name="Claim").click()
        expect(other.locator("h1")).to_have_text("Claimed by somebody else")
        expect(other.locator("main")).to_contain_text("Ines works on this, until")
        other.get_by_role("button", name="Take it over").click()

        expect(other.locator(".line.mine .by")).to_have_text("Bo")
        other.locator(".line.mine").get_by_role("button", name="Release").click()
        expect(other.locator(".line.mine")).to_have_count(0)
        other.faults.clear()


def test_what_changes_comes_to_an_open_queue_by_itself_and_leaves_the_reader_where_they_were(board):
    async def arrive(db):
        await invented.thread(db, utcnow(), "L1", "ebay-uk", "message", "en", "", 30, SHELF)
        await wake.changed(db, {"ebay-uk": ["L1"]})

    async def answer(db):
        await db.execute("update clock set ended = 'met', stopped_at = now() where thread = 'L1'")
        await wake.changed(db, {"ebay-uk": ["L1"]})

    with board.page() as page, board.page() as late:
        page.goto("/")
        late.goto("/?marketplace=empik")
        page.locator(".line", has_text=LAMP).get_by_role("link").focus()
        expect(page.locator("#state")).to_have_text("Live.")
        before = subjects(page)

        board.db(arrive)
        expect(page.locator(".line", has_text=SHELF)).to_be_visible()
        assert subjects(page) == [*before[:3], SHELF, *before[3:]]
        assert focused(page) == LAMP
        expect(page.locator("#summary")).to_contain_text("14 threads wait")
        expect(page.locator("data[data-count='marketplace:ebay']")).to_have_text("4")

        page.keyboard.press("j")
        assert focused(page) == SHELF
        board.db(answer)
        expect(page.locator(".line", has_text=SHELF)).to_have_count(0)
        assert subjects(page) == before
        assert focused(page) == before[3]
        assert len(subjects(late)) == 3


def test_what_is_due_at_one_instant_stands_live_as_it_does_loaded_anew(board):
    now = utcnow()

    async def arrive(db, name, subject):
        await invented.thread(db, now, name, "ebay-uk", "message", "en", "", 33, subject)
        await wake.changed(db, {"ebay-uk": [name]})

    async def leave(db):
        await db.execute("update clock set ended = 'met', stopped_at = now() where due_at = $1",
                         now + timedelta(minutes=33))  # fmt: skip

    with board.page() as page:
        page.goto("/?account=ebay-uk")
        for name, subject in (("Z1", "Came first"), ("A1", "Came second")):
            board.db(lambda db, one=(name, subject): arrive(db, *one))
            expect(page.locator(".line", has_text=subject)).to_be_visible()
        live = subjects(page)
        page.reload()
        assert subjects(page) == live
        assert live.index("Came first") + 1 == live.index("Came second")
        board.db(leave)


def test_a_wall_is_for_what_its_form_says(board):
    with board.page(locale="ko-KR") as page:
        page.goto("/wall")
        page.locator("summary").click()
        page.locator("select[name=marketplace]").select_option("ebay")
        assert violations(page) == []
        shot(page, "wall-filter")
        page.locator(".filter button").click()
        assert query(page)["marketplace"] == "ebay"
        expect(page.locator(".next .where")).to_have_count(3)
        expect(page.locator("summary")).to_contain_text("필터: ")


def test_a_board_left_open_over_a_restart_is_right_afterwards(board):
    async def change(db):
        await db.execute("update clock set ended = 'met', stopped_at = now() where thread = 'T4'")
        await invented.thread(db, utcnow(), "L2", "ebay-uk", "message", "en", "", 31, SHELF)

    async def undo(db):
        await db.execute("update clock set ended = null, stopped_at = null where thread = 'T4'")
        await db.execute("update clock set ended = 'met', stopped_at = now() where thread = 'L2'")

    with board.page() as page, board.page() as wall:
        wall.goto("/wall?account=ebay-uk")
        page.goto("/")
        expect(page.locator("#state")).to_have_text("Live.")
        before = subjects(page)
        with board.away():
            expect(page.locator("#state")).to_contain_text("Not live")
            expect(wall.locator("#state")).to_contain_text("Not live")
            shot(page, "queue-away")
            board.db(change)

        expect(page.locator(".line", has_text=SHELF)).to_be_visible()
        expect(page.locator("#state")).to_have_text("Live.")
        assert subjects(page) == [*before[:3], SHELF, *before[4:]]
        expect(wall.locator(".next .line")).to_have_count(4)
        expect(wall.locator("#state")).to_be_hidden()
        page.faults.clear()
        wall.faults.clear()
    board.db(undo)


@pytest.mark.parametrize("path", ["/", "/wall"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_everybody_in_light_and_in_dark(board, path, scheme):
    with board.page(color_scheme=scheme) as page:
        page.goto(path)
        shot(page, f"{'wall' if path == '/wall' else 'queue'}-{scheme}")
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")

        assert violations(page) == []
        assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.mark.parametrize("path", ["/", "/wall", "/?band=breached"])
@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_a_phone_shows_all_of_it_without_moving_it_sideways(board, path, locale):
    with board.page(size="phone", locale=locale) as page:
        page.goto(path)
        shot(page, f"phone{path.replace('/', '-').partition('?')[0]}-{locale}")

        assert fits(page)
        assert page.locator(".line .left").first.is_visible()


def test_it_is_written_in_korean_for_who_reads_korean(board):
    with board.page(locale="ko-KR") as page:
        page.goto("/")
        shot(page, "queue-korean")

        assert page.locator("html").get_attribute("lang") == "ko"
        expect(page.locator("#summary")).to_have_text("답변을 기다리는 대화 13건, 2건 기한 초과.")
        assert page.locator(".line .left").nth(2).inner_text().endswith("초 남음")
        assert violations(page) == []


def test_without_script_it_is_links_and_a_form_and_comes_anew_by_itself(board):
    with board.page(java_script_enabled=False) as page:
        page.goto("/")
        assert page.locator("noscript meta[http-equiv=refresh]").count() == 1
        assert re.fullmatch(r"in \d min \d\d s", page.locator(".line .left").nth(2).inner_text())

        page.locator("summary").click()
        page.locator("select[name=language]").select_option("fr")
        page.locator(".filter button").click()

        assert query(page)["language"] == "fr"
        assert subjects(page) == ["Où est la notice en français ?"]


def test_somebody_sees_the_accounts_that_are_theirs(board):
    with board.page(accounts=frozenset({"ebay-uk", "empik"})) as page:
        page.goto("/")
        assert len(subjects(page)) == 6
        expect(page.locator(".marketplaces a")).to_have_text(["ebay 3", "empik 3"])

        page.goto("/?account=amazon-de")
        assert subjects(page) == []
        page.goto("/wall")
        assert "Amazon" not in page.inner_text("#wall")


def test_the_wall_is_large_and_says_no_word_of_a_buyer(board):
    with board.page() as page:
        page.goto("/wall")
        said = page.content()
        small = page.evaluate(
            "Math.min(...[...document.querySelectorAll('.tiles, .next, .troubles')]"
            ".map(e => parseFloat(getComputedStyle(e).fontSize))) / innerHeight"
        )

        assert not [thread for thread in invented.THREADS if thread[-1] in said]
        assert page.locator(".next .line").count() == 8
        expect(page.locator(".tiles .breached dd")).to_have_text("2")
        assert small >= 0.035
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_full_page_is_small_and_of_one_host_and_what_stays_is_not_fetched_twice(board):
    more = [
        ("empik", "message", "pl", f"EM-88{n:05}", 3000 + n, f"Pytanie numer {n} o lampę")
        for n in range(60)
    ]

    async def crowd(db):
        for n, given in enumerate(more):
            await invented.thread(db, utcnow(), f"X{n}", *given)

    async def leave(db):
        await db.execute(
            "update clock set ended = now(), stopped_at = now() where thread like 'X%'"
        )

    board.db(crowd)
    with board.page() as page:
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        sizes = []
        wire.on("Network.loadingFinished", lambda got: sizes.append(got["encodedDataLength"]))
        page.goto("/")
        expect(page.locator("#state")).to_have_text("Live.")
        first = sum(sizes)
        seen = subjects(page)
        sizes.clear()
        page.get_by_role("link", name="Later deadlines").click()
        expect(page.get_by_role("link", name="Back to the nearest deadlines")).to_be_visible()

        assert len(seen) == 50
        assert len(sizes) > 1
        assert first <= WIRE
        assert sum(sizes) < first / 2
        assert not set(seen) & set(subjects(page))
        assert len(subjects(page)) == 23
        page.get_by_role("link", name="Back to the nearest deadlines").click()
        assert subjects(page) == seen
    board.db(leave)


def test_an_account_that_turns_blind_is_told_on_boards_that_are_open(board, monkeypatch):
    monkeypatch.setattr(hub, "TELL_EVERY", 0.2)
    with board.page() as page, board.page() as wall:
        page.goto("/")
        wall.goto("/wall")
        expect(page.locator("#state")).to_have_text("Live.")
        board.stage.metrics.blind_from.show({"empik": utcnow().timestamp() - 60})
        try:
            for one in (page, wall):
                expect(one.locator(".troubles")).to_contain_text("empik/empik: not read since")
        finally:
            board.stage.metrics.blind_from.show({})
        expect(page.locator(".troubles")).to_have_count(0)


def test_a_wall_that_is_open_changes_by_itself(board):
    async def arrive(db):
        await invented.thread(db, utcnow(), "L3", "empik", "call", "pl", "", -90, SHELF)
        await wake.changed(db, {"empik": ["L3"]})

    async def answer(db):
        await db.execute("update clock set ended = 'met', stopped_at = now() where thread = 'L3'")
        await wake.changed(db, {"empik": ["L3"]})

    with board.page() as wall:
        wall.goto("/wall")
        expect(wall.locator(".next .kind").first).to_have_text("Message")
        board.db(arrive)
        expect(wall.locator(".next .kind").first).to_have_text("Call")
        expect(wall.locator(".tiles .breached dd")).to_have_text("3")
        assert SHELF not in wall.content()
        board.db(answer)
        expect(wall.locator(".next .kind").first).to_have_text("Message")


def test_what_is_not_read_is_told_above_all(board):
    blind_from = utcnow() - timedelta(minutes=20)
    board.stage.metrics.blind_from.show({"ebay-uk": blind_from.timestamp()})
    board.stage.metrics.unseen_messages_expected.show({"ebay-uk": 6.0})
    try:
        with board.page() as page:
            page.goto("/")
            shot(page, "queue-blind")
            assert "ebay/ebay-uk: not read since " in page.locator(".troubles li").inner_text()
            assert page.locator(".troubles li").inner_text().endswith("about 6 messages unseen")
            page.goto("/wall")
            shot(page, "wall-blind")
            assert "about 6 messages unseen" in page.locator(".troubles").inner_text()
            assert violations(page) == []
    finally:
        board.stage.metrics.blind_from.show({})


@pytest.mark.parametrize("size", SIZES)
def test_nobody_waits_is_told_in_words(board, size):
    with board.page(Role.VIEWER, size=size, accounts=frozenset({"nothing"})) as page:
        page.goto("/")
        shot(page, f"queue-empty-{size}")

        assert page.locator(".empty").inner_text() == "Nobody waits for a reply."
        assert fits(page)


def test_every_other_page_fits_a_phone_and_can_be_read_by_everybody(board):
    with board.page(Role.ADMIN, size="phone") as page:
        for path in ("/me", "/people", "/audit", "/macros", "/status", "/thread/ebay-uk/T2"):
            page.goto(path)
            shot(page, f"phone{path.partition('/ebay')[0].replace('/', '-')}")
            assert (path, fits(page), violations(page)) == (path, True, [])
