"""A thread's page in a real browser: nothing that a buyer wrote acts, and people can read it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from core.access import Role
from core.loops import utcnow
from core.store import wake
from tests.core import seeds
from tests.web import invented
from tests.web.browser import SIZES, backstage, chromium, heard, shot, showing  # noqa: F401  # fixtures
from tests.web.hostile import HTML, LINES

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ARABIC = "مرحبا، أين طلبي رقم 302-5534421؟\nلم يصل حتى الآن، شكرا."
MARKED = (
    "<div style='position:fixed;inset:0'><p>Hallo, <b>noch einmal</b>:</p><ul><li>Lampe</li>"
    "<li>Schirm</li></ul><p>Siehe <a href='https://shop.example/x'>hier</a> "
    "<img src='https://evil.example/pixel.gif' alt='Foto der Lampe'></p></div>"
    "<div class='gmail_quote'>Am 21.11. schrieb Quill:<blockquote>Danke.</blockquote></div>"
)


@pytest.fixture(scope="module")
def board(showing):  # noqa: F811  # the fixture
    showing.stage.rules = invented.rules()
    showing.stage.board = showing.stage.board.model_copy(update={"zone": "Asia/Seoul"})
    showing.db(fill)
    return showing


async def fill(db):
    now = utcnow()
    await invented.fill(db, now)
    await invented.talked(db, now)
    said = [
        ("M2", 25, "seller", "confirmed", "Guten Tag, wir sehen gleich nach."),
        ("M3", 5, "buyer", None, MARKED),
        ("M4", 4, "buyer", None, invented.KOREAN),
        ("M5", 3, "buyer", None, ARABIC),
        ("M6", 2, "seller", "refused", "Ihr Paket liegt in der Filiale."),
        ("M7", 1, "seller", "accepted", "Ihr Paket liegt in der Filiale, Musterstraße 1."),
    ]
    for id_, hours, party, delivery, body in said:
        await seeds.put_message(
            db, now - hours * HOUR, id_, "T1", "amazon-de", party=party, delivery=delivery,
            body=body, to=["buyer"] if party == "seller" else [],
        )  # fmt: skip
    for number, line in enumerate(LINES):
        await hostile(db, now, number, line.replace("\0", "\ufffd").replace("\ud83d", "\ufffd"))


async def hostile(db, now, number, line):
    thread = f"H{number}"
    await seeds.put_thread(db, now, thread, "amazon-de", buyer=line)
    await db.execute(
        "update thread set subject = $2, order_ids = array[$2], url = $2 where id = $1",
        thread, line,
    )  # fmt: skip
    body = "\n".join(HTML).replace("\0", "\ufffd") if number % 2 else "x" * 200_000
    await db.execute(
        "insert into message (account, id, thread, party, kind, addressed_to, origin, sent_at,"
        " seen_at, language, subject, body, order_id, attachments, hash) values ('amazon-de', $1,"
        " $2, 'buyer', 'message', '{}', 'elsewhere', $3, $3, $4, $4 || '!', $5, $4, $6, 'x')",
        f"h{number}", thread, now - HOUR, line, body + line,
        [{"id": "1", "name": line, "size": 5, "media_type": line}],
    )  # fmt: skip
    await seeds.put_clock(db, now + 2 * HOUR, thread=thread, account="amazon-de",
                          promise="amazon-24h")  # fmt: skip


def opened(page, thread="T1", account="amazon-de"):
    page.goto(f"/thread/{account}/{thread}")
    page.wait_for_load_state()


def violations(page):
    return [(one["id"], one["help"], [n["target"] for n in one["nodes"]][:3])
            for one in Axe().run(page).response["violations"]]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_a_thread_can_be_read_at_any_width_and_in_any_light(board, size, scheme):
    with board.page(Role.LEAD, size=size, color_scheme=scheme) as page:
        opened(page)
        page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")

        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shot(page, f"thread-{size}-{scheme}")


@pytest.mark.parametrize("number", range(len(LINES)))
def test_what_a_buyer_may_write_anywhere_does_nothing(board, number):
    with board.page(Role.LEAD, size="phone") as page:
        page.on("dialog", lambda dialog: (page.faults.append(dialog.message), dialog.dismiss()))
        opened(page, f"H{number}")

        assert page.locator(".message").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("main script, main img, main style, main iframe, main svg").count() == 0
        assert violations(page) == []
        shot(page, f"thread-hostile-{number}")


def test_a_whole_long_line_is_wrapped(board):
    with board.page() as page:
        opened(page, "H0")
        page.get_by_text("Show all of it").click()
        page.wait_for_url("**whole=h0**")

        assert len(page.locator(".said").inner_text()) > 200_000
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_arabic_line_runs_from_the_right_and_a_korean_from_the_left(board):
    with board.page() as page:
        opened(page)
        box = page.locator(".said", has_text="مرحبا")
        left = box.evaluate(
            "(box) => { const range = document.createRange(); range.setStart(box.firstChild, 0);"
            " range.setEnd(box.firstChild, 5); const at = range.getBoundingClientRect();"
            " return at.left - box.getBoundingClientRect().left }"
        )

        assert left > 100
        assert "확인 부탁드립니다" in page.locator(".said", has_text="안녕하세요").inner_text()


def test_quotes_and_reasons_unfold_without_script(board):
    with board.page(java_script_enabled=False) as page:
        opened(page)
        quoted = page.locator(".quoted .said").first
        assert not quoted.is_visible()
        page.locator(".quoted summary").first.click()
        assert quoted.is_visible()
        page.get_by_text("Why this deadline").first.click()
        assert page.get_by_text("promised within").first.is_visible()


def test_what_changes_in_a_thread_is_shown_and_what_is_unfolded_stays_so(board):
    with board.page() as page:
        opened(page, "T2", account="ebay-uk")
        fold = page.locator("details", has_text="Why this deadline").first
        fold.locator("summary").click()
        expect(page.locator("#news")).to_have_text("")

        async def answered(db):
            now = utcnow()
            await seeds.put_message(
                db, now, "M9", "T2", "ebay-uk", party="seller", delivery="accepted",
                body="A new hinge is on its way.", to=["buyer"],
            )  # fmt: skip
            await db.execute(
                "update clock set ended = 'late', stopped_at = $1, stopped_by = 'M9'"
                " where thread = 'T2'", now,
            )  # fmt: skip
            await wake.changed(db, {"ebay-uk": ["T2"]})

        board.db(answered)
        expect(page.locator(".message")).to_contain_text("A new hinge is on its way.")
        expect(page.locator("#news")).to_contain_text("Something has changed")
        expect(page.locator(".clock")).to_contain_text("Late")
        assert fold.evaluate("fold => fold.isConnected && fold.open")
        assert violations(page) == []


def seated(page):
    """How many pages of the browser listen."""
    return page.evaluate("navigator.locks.query().then((all) => all.held.length)")


def test_how_long_ago_all_was_read_goes_on_by_itself_and_is_asked_again(board):
    """The line that says how old the page is may not stand still while nothing comes."""
    with board.page() as page:
        page.clock.install(time=utcnow())
        opened(page)
        ago = page.locator("#read-at")
        was = ago.get_attribute("data-ago")
        page.context.set_offline(True)

        page.clock.fast_forward("02:30")

        expect(ago).to_contain_text(re.compile("[2-9] min"))
        page.context.set_offline(False)
        board.db(read)
        page.clock.fast_forward("02:00")
        expect(ago).not_to_have_attribute("data-ago", was)
        page.faults.clear()  # what could not be fetched


async def read(db):
    await db.execute("update stream set seen_through = now()")


def test_of_seven_windows_all_are_alive_though_a_browser_has_six_connections(board):
    async def wrote(db, name, body):
        now = utcnow()
        await seeds.put_message(db, now, name, "T2", "ebay-uk", body=body)
        await wake.changed(db, {"ebay-uk": ["T2"]})

    with board.page() as page:
        pages = [page, *(heard(page.context.new_page()) for _ in range(6))]
        for one in pages[4:]:
            one.clock.install()
        for one in pages:
            opened(one, "T2", account="ebay-uk")
            expect(one.locator("#conversation")).to_be_visible()
        assert seated(page) == 4
        board.db(lambda db: wrote(db, "S1", "All seven hear of it."))
        for one in pages[4:]:
            one.clock.fast_forward(10_000)
        for one in pages:
            expect(one.locator("#conversation")).to_contain_text("All seven hear of it.")
        pages.pop(1).close()
        following = pages[3]
        following.wait_for_function("navigator.locks.query().then((all) => all.held.length === 4)")
        board.db(lambda db: wrote(db, "S2", "And whoever was next hears at once."))
        following.clock.run_for(1000)
        expect(following.locator("#conversation")).to_contain_text("And whoever was next")
        pages[-1].goto("/")
        pages[-1].clock.run_for(2000)
        expect(pages[-1].locator("#state")).to_contain_text("Refreshed twice a minute")
        assert [one.faults for one in pages] == [[]] * 6


def test_a_band_changes_by_time_alone(board):
    async def soon(db):
        now = utcnow()
        await seeds.put_thread(db, now, "T99", "ebay-uk")
        due = now + 2 * timedelta(seconds=1)
        await seeds.put_clock(db, due, thread="T99", account="ebay-uk", steps=[due - HOUR, due])

    board.db(soon)
    with board.page() as page:
        opened(page, "T99", account="ebay-uk")
        expect(page.locator(".clock .band")).to_contain_text("Overdue")


def test_the_page_is_read_in_korean(board):
    with board.page(locale="ko-KR") as page:
        opened(page)

        assert page.locator("html").get_attribute("lang") == "ko"
        assert violations(page) == []
        shot(page, "thread-korean")
