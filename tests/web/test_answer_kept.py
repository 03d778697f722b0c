"""Nothing that somebody typed is lost, in a real browser: it stays, and what happened is told."""

from __future__ import annotations

from contextlib import contextmanager

from playwright.sync_api import expect

from tests.web import board
from tests.web.browser import backstage, chromium, showing  # noqa: F401  # fixtures
from tests.web.test_answer_seen import desk, states, thread  # noqa: F401  # fixtures

TEXT = "A careful answer of ten minutes."


@contextmanager
def writing(desk, thread, name, **more):  # noqa: F811  # the fixtures
    """A page in which *name* has typed an answer; the browser may complain of our faults."""
    with desk.page(name=name, **more) as page:
        page.goto(thread)
        page.locator("#text").fill(TEXT)
        expect(page.locator("#room")).to_have_text(f"{2000 - len(TEXT):,} left")
        yield page
        expect(page.locator("#text")).to_have_count(1)
        page.faults[:] = [one for one in page.faults if "Failed to load resource" not in one]
        page.faults[:] = [one for one in page.faults if "net::ERR" not in one]


def told(page, words, text=TEXT):
    expect(page.locator("#trouble")).to_contain_text(words)
    expect(page.locator("#text")).to_have_value(text)


def signed_out(desk, name):  # noqa: F811  # fixtures
    async def end(db):
        ended = "update session set ended_at = now(), end_reason = 'ended' where person = $1"
        await db.execute(ended, name)

    desk.db(end)


def signed_in_again(desk, page, name):  # noqa: F811  # fixtures
    secret = desk.backstage.run(board.begun(desk.stage.pool, name, desk.stage.clock()))
    page.context.add_cookies([{"name": "replyby", "value": secret, "url": desk.address}])


@contextmanager
def database_away(desk):  # noqa: F811  # fixtures
    pool, desk.stage.pool = desk.stage.pool, None
    try:
        yield
    finally:
        desk.stage.pool = pool


def send(page):
    page.locator("#reply button.main").click()


def test_who_was_signed_out_while_writing_sends_it_after_signing_in_again(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k1") as page:
        signed_out(desk, "k1")
        page.locator("#text").press_sequentially("!")
        told(page, "You are signed out", TEXT + "!")
        send(page)
        told(page, "You are signed out", TEXT + "!")
        signed_in_again(desk, page, "k1")
        send(page)
        told(page, "You have signed in anew", TEXT + "!")
        send(page)
        expect(page.locator("#answering .queued")).to_have_count(1)
        expect(page.locator("#text")).to_have_value("")
        expect(page.locator("#trouble")).to_have_text("")
        assert states(desk, thread) == ["queued"]


def test_who_else_has_signed_in_in_the_browser_sends_nothing_of_it(desk, thread):  # noqa: F811  # fixtures
    with desk.page(name="k2b"), writing(desk, thread, "k2") as page:
        signed_out(desk, "k2")
        signed_in_again(desk, page, "k2b")
        send(page)
        told(page, "Somebody else has signed in")
        assert states(desk, thread) == []


def test_while_the_database_is_away_the_text_and_what_is_told_of_it_stay(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k3") as page:
        with database_away(desk):
            page.locator("#text").press_sequentially("!")
            told(page, "The database does not answer", TEXT + "!")
            send(page)
            told(page, "The database does not answer", TEXT + "!")
        page.locator("#text").fill("See www.shop.example")
        expect(page.locator("#complaints")).to_contain_text("rules allow no link")
        expect(page.locator("#trouble")).to_have_text("")
        page.locator("#text").fill(TEXT)
        send(page)
        expect(page.locator("#answering .queued")).to_have_count(1)


def test_files_that_are_too_large_are_told_before_they_are_sent(desk, thread, tmp_path):  # noqa: F811  # fixtures
    big = tmp_path / "a.png"
    big.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * (33 * 2**20))
    with writing(desk, thread, "k4") as page:
        page.locator("input[type=file]").set_input_files(str(big))
        send(page)
        told(page, "The files are too large")
        page.locator("input[type=file]").set_input_files([])
        send(page)
        expect(page.locator("#answering .queued")).to_have_count(1)


PROXIED = {
    413: "too large",
    500: "That did not work",
    404: "not here any more",
    0: "does not answer",
}


def proxied(status):
    """What a proxy answers; 0: nothing at all."""
    body = "<html><body>by the proxy</body></html>"
    return lambda to: to.fulfill(status=status, body=body) if status else to.abort()


def test_what_a_proxy_answers_in_our_place_replaces_nothing(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k5") as page:
        for status, said in PROXIED.items():
            page.route("**/reply/**", proxied(status))
            send(page)
            told(page, said)
            assert "by the proxy" not in page.locator("body").inner_text()
            page.unroute("**/reply/**")
        send(page)
        expect(page.locator("#answering .queued")).to_have_count(1)
        page.faults.clear()


def test_every_other_button_of_the_box_leaves_what_is_typed(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k6") as page:
        page.locator("input[type=file]").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
        )

        def press(fold, name):
            if fold:
                page.locator(fold).evaluate("one => { one.open = true }")
            page.get_by_role("button", name=name).first.click()

        press("#fold-promise", "Promise it")
        expect(page.locator(".box .fault")).to_contain_text("no date and time")
        expect(page.locator("#text")).to_have_value(TEXT)
        press("#fold-no-reply", "I answered there")
        expect(page.locator("#answering .said-so")).to_have_count(1)
        expect(page.locator("#text")).to_have_value(TEXT)
        press("", "Take this back")
        expect(page.locator("#answering .said-so")).to_have_count(0)
        expect(page.locator("#text")).to_have_value(TEXT)
        press("#fold-no-reply", "No reply needed: I decided")
        expect(page.locator("#answering .said-so")).to_have_count(1)
        expect(page.locator("#text")).to_have_value(TEXT)
        expect(page.locator(".kept")).to_contain_text("a.png")


def test_the_key_enter_in_a_field_of_the_box_presses_nothing(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k7") as page:
        send(page)
        expect(page.locator("#answering .undo")).to_have_count(1)
        page.locator("#fold-promise summary").click()
        page.locator("#fold-promise input[name=by]").press("Enter")
        page.locator("#text").fill("more")
        expect(page.locator("#room")).to_have_text("1,996 left")
        assert states(desk, thread) == ["queued"]


def test_what_is_typed_while_something_is_on_its_way_is_not_overwritten(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k15") as page:
        held = []

        def hold(to):
            held.append(to)

        page.route("**/promise/**", hold)
        page.locator("#fold-promise summary").click()
        with page.expect_request("**/promise/**"):
            page.get_by_role("button", name="Promise it").click()
        expect(page.locator("#text")).not_to_be_editable()
        held.pop().abort()
        expect(page.locator("#text")).to_be_editable()
        told(page, "does not answer")
        page.faults.clear()


def test_leaving_with_a_text_asks_first_and_without_one_does_not(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k8") as page:
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        page.locator("a.name").click()
        expect(page.locator("#text")).to_have_value(TEXT)
        assert asked == ["beforeunload"]
        page.locator("#text").fill("")
        page.locator("a.name").click()
        expect(page.locator("#queue")).to_have_count(1)
        assert asked == ["beforeunload"]
        page.go_back()


def test_with_six_threads_open_an_answer_is_sent_all_the_same(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k9") as page:
        others = [page.context.new_page() for _ in range(5)]
        for other in others:
            other.goto(thread)
            expect(other.locator("#text")).to_have_count(1)
        send(page)
        expect(page.locator("#answering .queued")).to_have_count(1)
        expect(page.locator("#text")).to_have_value("")


TURNED = """is => {
    const get = () => is === "hidden";
    Object.defineProperty(document, "hidden", { configurable: true, get });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_queue_that_is_seen_again_and_gets_no_place_asks_at_once(desk):  # noqa: F811  # fixtures
    with desk.page() as page:
        page.goto("/")
        expect(page.locator("#state")).to_have_text(page.locator("#state").get_attribute("data-on"))
        page.evaluate(TURNED, "hidden")
        for _ in range(4):
            other = page.context.new_page()
            other.goto("/")
            state = other.locator("#state")
            expect(state).to_have_text(state.get_attribute("data-on"))
        with page.expect_request(lambda sent: sent.url.endswith("/")):
            page.evaluate(TURNED, "visible")


def test_a_page_that_nobody_sees_holds_no_connection(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k10") as page:
        with page.expect_event("requestfailed", lambda sent: "/live?" in sent.url):
            page.evaluate(TURNED, "hidden")
        with page.expect_request("**/live?**"):
            page.evaluate(TURNED, "visible")
        expect(page.locator("#text")).to_have_value(TEXT)


def test_a_page_of_somebody_who_was_signed_out_tells_no_more_that_it_is_open(desk, thread):  # noqa: F811  # fixtures
    with desk.page(name="k11") as page:
        page.clock.install()
        page.goto(thread)
        page.locator("#text").fill(TEXT)
        page.clock.run_for(1_000)
        signed_out(desk, "k11")
        sent = []
        page.on("request", lambda one: sent.append(one.url) if "/draft/" in one.url else None)
        with page.expect_response("**/draft/**"):
            page.clock.run_for(11_000)
        told = []
        for _ in range(6):
            page.evaluate("fetch(location.href).then((answer) => answer.status)")  # heard by now
            page.clock.run_for(11_000)
            told.append(len(sent))
        assert told[-1] == told[2], "what was on its way may let it speak on, and then it is silent"
        page.faults.clear()


def test_after_each_button_the_keyboard_goes_on_in_the_box_and_what_came_of_it_is_said(
    desk, thread  # noqa: F811  # fixtures
):  # fmt: skip
    with writing(desk, thread, "k12") as page:
        heading, text, news = (page.locator(one) for one in ("#answer-name", "#text", "#news"))
        text.press("Control+Enter")
        expect(news).to_contain_text("Our reply")
        expect(news).to_contain_text("Waits to leave.")
        expect(heading).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Take it back")).to_be_focused()
        page.keyboard.press("Enter")
        expect(text).to_have_value(TEXT)
        expect(news).to_have_text("Taken back: it did not leave. Here is your text.")
        expect(text).to_be_focused()
        text.fill("")
        page.locator("#fold-no-reply summary").click()
        page.get_by_role("button", name="No reply needed: I decided").press("Enter")
        expect(news).to_contain_text("no reply needed.")
        expect(heading).to_be_focused()
        page.get_by_role("button", name="Take this back").press("Enter")
        expect(news).to_have_text("Something has changed in this thread: shown below.")
        expect(heading).to_be_focused()
        text.fill("See www.shop.example")
        text.press("Meta+Enter")
        expect(news).to_contain_text("rules allow no link")
        expect(text).to_be_focused()


def test_who_has_answered_goes_on_to_the_next_deadline_by_a_key(desk, thread):  # noqa: F811  # fixtures
    with writing(desk, thread, "k16") as page:
        send(page)
        expect(page.locator("#answering .undo")).to_have_count(1)
        left = page.locator("#answering .back time")
        before = left.inner_text()
        expect(left).not_to_have_text(before)
        page.keyboard.press("n")
        page.wait_for_url(lambda url: "/thread/mk/" in url and not url.endswith(thread))
        page.go_back()


def test_a_claim_of_somebody_who_was_signed_out_leads_to_where_they_sign_in(desk, thread):  # noqa: F811  # fixtures
    with desk.page(name="k13-other"), desk.page(name="k13") as page:  # alone nobody claims
        page.route("**/live**", lambda to: to.abort())  # else it may hear of the end before
        page.goto("/")
        while page.locator("body.alone").count():  # as it was some seconds ago
            page.wait_for_timeout(300)
            page.reload()
        signed_out(desk, "k13")
        page.locator("tr.line button.claim").first.click()
        page.wait_for_url("**/sign-in?next=/")
        page.faults.clear()


def test_an_open_filter_stays_open_when_the_queue_comes_anew(desk, thread):  # noqa: F811  # fixtures
    with desk.page(name="k14") as page:
        page.goto("/")
        page.locator("details.more summary").click()
        page.locator("select[name=band]").select_option("ok")
        with page.expect_response(f"{desk.address}/"):
            page.evaluate(
                "document.getElementById('live').dispatchEvent("
                "new CustomEvent('reload', { detail: { data: '' } }))"
            )
        expect(page.locator("tr.line").first).to_be_visible()
        assert page.locator("details.more").evaluate("one => one.open")
        expect(page.locator("select[name=band]")).to_have_value("ok")
