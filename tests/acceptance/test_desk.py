"""The desk's whole journey: a buyer writes to Amazon's stand-in, and a person at the board answers.

A real daemon on a real PostgreSQL, mail by IMAP and SMTP, and a real Chromium.
"""

from __future__ import annotations

import json
import urllib.request
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.acceptance import office, premises
from tests.acceptance.beside import Beside
from tests.acceptance.office import ACCOUNT, Office
from tests.acceptance.receiver import received
from tests.acceptance.shop import free_port, shop_at
from tests.web.browser import LISTEN, SIZES, heard, launched, shot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext
    from playwright.sync_api import Page as Tab

    from connectors.amazon.sandbox.cases import Case

pytestmark = [pytest.mark.paired, pytest.mark.timeout(240)]

PATIENCE = 30_000
"""Milliseconds: the daemon reads, answers and tells beside whatever else runs on the machine."""
PASSWORD = "a quiet green heron"
QUESTION, ANSWER = "Where is my parcel?", "It left us on Friday, and will be with you on Tuesday."
CLOCK = "select ended, stopped_at <= due_at as kept from clock where account = $1 and thread = $2"
QUEUED = "select queued_at from reply"
UNDONE_WITHIN = timedelta(seconds=5)
UNTOLD = """
    select count(*) from dispatch
    where sent_at is null and suppressed is null and parked_reason is null
"""
BECAME = (
    "Waits to leave.",
    "Is leaving: nobody knows yet whether it arrived.",
    "The marketplace took it; it was not seen there yet.",
    "Seen at the marketplace.",
)
"""What is said of a reply that goes well, in this order; of two close together only the later."""
HEAR = """
window.became = [];
new MutationObserver(() => {
    const told = document.querySelector("#answering .what")?.textContent;
    if (told && told !== became.at(-1)) became.push(told);
}).observe(document, { childList: true, subtree: true, characterData: true });
"""


@pytest.fixture
def desk(place) -> Iterator[Office]:
    with Beside() as beside:
        sandbox, seller = beside.enter(office.opened())
        receiver, pager = beside.enter(received()), beside.enter(office.paged())
        port = free_port()
        with shop_at(place, office.settings(sandbox, seller, port)) as shop:
            shop.environ.update(office.environ(sandbox, seller, receiver, pager))
            shop.start()
            board = f"http://127.0.0.1:{port}"
            yield Office(beside, sandbox, seller, receiver, pager, shop, board)


@pytest.fixture
def browser(desk) -> Iterator[BrowserContext]:
    with launched() as chromium:
        width, height = SIZES["wide"]
        opened = chromium.new_context(
            base_url=desk.board, locale="en-GB", viewport={"width": width, "height": height}
        )
        opened.set_default_timeout(PATIENCE)
        for script in (LISTEN, HEAR):
            opened.add_init_script(script)
        yield opened
        opened.close()


def test_what_a_buyer_asks_is_answered_at_the_board_in_time_once_and_nobody_is_told_twice(
    desk, browser
):
    queue = signed_in(desk, browser)
    # Before its mailbox was read once nobody could tell what is new.
    desk.shop.until(lambda: desk.rows(premises.WALKED)[0][0] == 1, 60)

    # It is on the board that lies open, and whoever is to be told is told.
    case = desk.asks("Ada Sample", QUESTION)
    expect(line(queue, case)).to_be_visible(timeout=PATIENCE)
    assert queue.evaluate("window.isTheSame"), "it came by itself: the page was not loaded anew"
    expect(queue.locator("#summary")).to_contain_text("1 thread waits", timeout=PATIENCE)
    shot(queue, "desk-1-queue")
    desk.shop.until(lambda: desk.receiver.kinds() == {"warning": 1, "escalation": 1}, 60)
    desk.shop.until(lambda: desk.pager.acts()["trigger"] == 1, 30)

    thread = opened(browser, queue, case)
    answered(thread, case, desk)
    closed(desk, queue, case)
    told = heard_by_all(desk)
    thread.close()
    assert queue.faults == [], "and what a browser says of a board that is away is no fault"

    # The daemon dies; the board lies open meanwhile. What is over stays over.
    desk.shop.kill()
    desk.shop.start()
    other = desk.asks("Ben Sample", "And mine?")
    expect(line(queue, other)).to_be_visible(timeout=PATIENCE)
    expect(line(queue, case)).to_have_count(0)
    assert queue.evaluate("window.isTheSame")
    shot(queue, "desk-3-queue-again")
    desk.shop.until(lambda: desk.receiver.kinds() == {"warning": 2, "escalation": 2}, 60)
    program = made_token(queue)

    # A program answers the second, and what it sends twice leaves once.
    key = {"Idempotency-Key": "answer-1"}
    body = {"text": "Yours comes on Wednesday."}
    waits = asked(desk, program, "/threads")["threads"]
    assert [one["thread"] for one in waits] == [thread_id(desk, other)]
    path = f"/replies/{ACCOUNT}/{quote(thread_id(desk, other), safe='')}"
    first = asked(desk, program, path, body, **key)
    assert asked(desk, program, path, body, **key)["reply"] == first["reply"]
    desk.shop.until(lambda: len(desk.sent()) == 2, 60)
    desk.shop.until(lambda: clock(desk, other) == ("met", True), 30)
    desk.shop.until(lambda: desk.pager.acts() == {"trigger": 2, "resolve": 2}, 60)
    desk.shop.until(lambda: desk.rows(UNTOLD)[0][0] == 0, 30)

    assert other.entries[-1].text == body["text"]
    assert len(case.entries) == len(other.entries) == 2
    assert told.items() <= heard_by_all(desk).items(), "what was told before stays told"
    assert set(heard_by_all(desk).values()) == {1}, "and nobody heard a thing twice"
    assert desk.receiver.kinds() == {"warning": 2, "escalation": 2}
    assert desk.shop.notices() == [], "nothing fell through to another route"
    assert queue.evaluate("window.violations") == []
    assert "Traceback" not in desk.shop.log()
    assert "parcel" not in desk.shop.log()


def signed_in(desk: Office, browser: BrowserContext) -> Tab:
    """The queue, of whom the printed link let in."""
    page = heard(browser.new_page())
    page.goto(desk.link())
    page.fill("input[name=name]", "lena")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=again]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".empty")).to_contain_text("Nobody waits for a reply.", timeout=PATIENCE)
    expect(page.locator("#state")).to_have_text("Live.", timeout=PATIENCE)
    page.evaluate("window.isTheSame = true")
    return page


def line(queue: Tab, case: Case) -> Any:
    """The queue's line about *case*, told by its order."""
    assert case.order is not None
    return queue.locator("tr.line", has_text=case.order.id)


def opened(browser: BrowserContext, queue: Tab, case: Case) -> Tab:
    """The thread's page in another tab, as whoever clicks on the line has it."""
    page = heard(browser.new_page())
    page.goto(line(queue, case).locator(".what a").get_attribute("href") or "")
    expect(page.locator("#conversation")).to_contain_text(QUESTION)
    return page


def answered(page: Tab, case: Case, desk: Office) -> None:
    """Answer *case*: what the marketplace forbids is told first, then what becomes of it."""
    page.locator("#text").fill("Write to me at lena@shop.example instead.")
    expect(page.locator("#complaints")).to_contain_text("rules allow no mail address")
    page.locator("#reply button.main").click()
    expect(page.locator("input[name=despite]")).to_have_count(1)
    assert desk.rows(QUEUED) == []

    page.locator("#text").fill(ANSWER)
    expect(page.locator("#complaints")).to_have_text("")
    page.locator("#reply button.main").click()
    said = page.locator("#answering .what")
    expect(said).to_have_text(BECAME[2], timeout=PATIENCE)
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("#answering .undo")).to_have_count(0)
    ((queued_at,),), (outcome,) = desk.rows(QUEUED), desk.seller.outcomes
    assert outcome.at >= queued_at + UNDONE_WITHIN, "until then it could be taken back"

    desk.sends_copy(case)
    expect(said).to_have_text(BECAME[3], timeout=PATIENCE)
    expect(page.locator("#clocks")).to_contain_text("Met", timeout=PATIENCE)
    became = page.evaluate("window.became")
    assert became == [each for each in BECAME if each in became]
    assert became[-2:] == [*BECAME[2:]]
    assert page.faults == []
    assert page.evaluate("window.violations") == []
    shot(page, "desk-2-answered")


def closed(desk: Office, queue: Tab, case: Case) -> None:
    """The buyer has one letter, and nothing waits any more: anywhere."""
    (letter,) = desk.sent()
    assert letter.recipients == (case.alias,)
    assert [one.fate for one in desk.seller.outcomes] == ["relayed"]
    body = message_from_bytes(letter.raw, policy=default).get_body(("plain",))
    assert ANSWER in body.get_content()
    assert [(one.by, one.text) for one in case.entries] == [("buyer", QUESTION), ("seller", ANSWER)]
    assert clock(desk, case) == ("met", True)
    met = {"result": "met", "account": ACCOUNT}
    desk.shop.until(lambda: desk.shop.total("replyby_clocks_closed_total", **met) == 1, 30)
    assert desk.shop.total("replyby_clocks_closed_total") == 1
    expect(queue.locator("tr.line")).to_have_count(0, timeout=PATIENCE)
    expect(queue.locator(".empty")).to_be_visible()
    assert queue.evaluate("window.isTheSame")
    desk.shop.until(lambda: desk.pager.acts() == {"trigger": 1, "resolve": 1}, 60)
    assert len({event["dedup_key"] for event in desk.pager.events}) == 1


def heard_by_all(desk: Office) -> dict[Any, int]:
    """What everybody was told, and how often."""
    return {**desk.receiver.keys(), **desk.pager.heard()}


def thread_id(desk: Office, case: Case) -> str:
    return str(desk.rows("select id from thread where id like $1", f"%{case.id}%")[0][0])


def clock(desk: Office, case: Case) -> tuple[str, bool]:
    """How the one clock of *case* has ended, and whether its deadline was kept."""
    ((ended, kept),) = desk.rows(CLOCK, ACCOUNT, thread_id(desk, case))
    return ended, kept


def made_token(page: Tab) -> str:
    """A token of the page's person, made where they make it."""
    mine = heard(page.context.new_page())
    mine.goto("/me")
    mine.fill("form[action='/me/token'] input[name=name]", "the test")
    mine.select_option("form[action='/me/token'] select[name=role]", "agent")
    mine.get_by_role("button", name="Make a token").click()
    token = mine.locator(".done code").inner_text()
    mine.close()
    return token


def asked(desk: Office, token: str, path: str, body: Any = None, **headers: str) -> Any:
    """What the API answers to a program."""
    request = urllib.request.Request(
        f"{desk.board}/api/v1{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers,
        },
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
