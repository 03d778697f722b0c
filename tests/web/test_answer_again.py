"""Nothing that somebody typed is lost without a script either: it comes back in a form."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
from aiohttp.client import URL

from core import ingest
from core.model import Message, Page
from core.store import audit, transaction
from core.store import macros as stored
from core.store.macros import Macro
from sla.policy import Party
from tests.web import board
from tests.web.test_answer_page import (  # noqa: F401  # fixtures
    NOW,
    PAGE,
    PART,
    SELLER,
    Form,
    anna,
    bo,
    opened,
    rows,
    sent,
    stage,
)

TEXT = "Es ging\ngestern <b>los</b>."
REPLY = "/reply/mk/T%2F1"


async def signed_out(stage):  # noqa: F811  # fixtures
    await stage.pool.execute("update session set ended_at = now(), end_reason = 'ended'")


async def again(stage, browser):  # noqa: F811  # fixtures
    """The same person signs in anew, in another window of the browser."""
    secret = await board.begun(stage.pool, "anna", stage.clock())
    browser.session.cookie_jar.update_cookies({"replyby": secret}, URL(browser.base))


async def asked(stage, text="Und wo ist mein Geld?"):  # noqa: F811  # fixtures
    """The buyer writes again, in a page that was opened before."""
    stage.clock.now += timedelta(minutes=3)
    one = Message(id=f"M-{text}", thread="T/1", party=Party.BUYER, to=SELLER, body=text,
                  sent_at=stage.clock.now - timedelta(minutes=1), language="de")  # fmt: skip
    async with transaction(stage.pool) as db:
        await ingest.page(db, stage.rules, "mk", Page(messages=(one,)), stage.clock.now, None)


def given_back(seen):
    """The text and the button of the form on a fault's page."""
    text = re.search(r'<textarea id="text"[^>]*>\n?(.*?)</textarea>', seen.text, re.DOTALL)
    assert 'name="use" value="none"' in seen.text
    assert f'action="{REPLY}"' in seen.text
    return unescape(text[1])


async def to_the_thread(browser, seen):
    """What the form of a fault's page leads to."""
    data = {"csrf": seen.csrf, "text": given_back(seen), "to": "buyer", "use": "none"}
    return await browser.ask("POST", REPLY, data=data)


async def test_who_was_signed_out_gets_the_text_back_and_sends_it_after_signing_in(stage, anna):  # noqa: F811  # fixtures
    form = await opened(anna)
    await signed_out(stage)

    out = await sent(anna, form, TEXT, files=[("a.pdf", BytesIO(bytes(2**20)))])

    assert out.status == 401
    assert given_back(out) == TEXT
    assert 'href="/sign-in?next=/thread/mk/T%252F1" target="_blank"' in out.text
    await again(stage, anna)
    stale = await to_the_thread(anna, out)
    assert stale.status == 403
    assert given_back(stale) == TEXT
    back = await to_the_thread(anna, stale)
    assert back.status == 200
    assert (await sent(anna, Form(back))).status == 303
    assert await rows(stage) == [("queued", TEXT, "anna")]


async def test_a_form_of_an_earlier_session_gives_the_text_back(stage, anna):  # noqa: F811  # fixtures
    form = await opened(anna)
    await again(stage, anna)

    for path in (REPLY, "/mark/mk/T%2F1", "/promise/mk/T%2F1", "/answered/mk/T%2F1"):
        stale = await anna.ask("POST", path, data=form.data(TEXT))
        assert (stale.status, given_back(stale)) == (403, TEXT)


async def test_another_sites_form_gives_nothing_back(anna):  # noqa: F811  # fixtures
    form = await opened(anna)

    foreign = await sent(anna, form, TEXT, headers={"Sec-Fetch-Site": "cross-site"})

    assert foreign.status == 403
    assert "los" not in foreign.text


async def test_files_that_are_too_large_give_the_text_back(anna):  # noqa: F811  # fixtures
    form = await opened(anna)

    large = await sent(anna, form, TEXT, files=[("a.pdf", BytesIO(bytes(33 * 2**20)))])

    assert large.status == 413
    assert given_back(large) == TEXT


async def test_while_the_database_is_away_the_text_comes_back(stage, anna):  # noqa: F811  # fixtures
    form = await opened(anna)
    pool, stage.pool = stage.pool, None

    away = await sent(anna, form, TEXT)

    assert away.status == 503
    assert given_back(away) == TEXT
    stage.pool = pool
    stale = await to_the_thread(anna, away)
    assert (stale.status, given_back(stale)) == (403, TEXT)
    assert Form(await to_the_thread(anna, stale)).text == TEXT


async def test_what_is_asked_of_nobody_who_is_known_is_gone_on_with_after_signing_in(stage, anna):  # noqa: F811  # fixtures
    await signed_out(stage)

    for path, page in (
        (REPLY, PAGE), ("/claim/mk/T%2F1", PAGE), ("/me/prefer", "/me"), ("/undo/1", "/"),
    ):  # fmt: skip
        out = await anna.ask("POST", path, data={"text": ""})
        assert out.status == 303
        assert URL(out.headers["Location"]).query["next"] == page


@pytest.mark.parametrize("path", [REPLY, "/mark/mk/T%2F1", "/promise/mk/T%2F1"])
async def test_a_fault_of_ours_gives_the_text_back(stage, anna, path, logged):  # noqa: F811  # fixtures
    form = await opened(anna)
    stage.rules, rules = None, stage.rules
    stage.accounts, accounts = None, stage.accounts

    crashed = await anna.ask("POST", path, data=form.data(TEXT, level="decided", by="2026-11-23"))

    assert (crashed.status, given_back(crashed)) == (500, TEXT)
    assert "See in the thread whether anything was sent" in crashed.text
    assert "request crashed" in str(logged)
    stage.rules, stage.accounts = rules, accounts
    assert Form(await to_the_thread(anna, crashed)).text == TEXT


async def test_a_script_is_told_that_nobody_is_signed_in_and_not_led_away(stage, anna):  # noqa: F811  # fixtures
    form = await opened(anna)
    await signed_out(stage)

    for path in (REPLY, "/check/mk/T%2F1", "/mark/mk/T%2F1", "/draft/mk/T%2F1", "/claim/mk/T%2F1"):
        out = await anna.ask("POST", path, data=form.data(TEXT), headers=PART)
        assert (out.status, out.headers.get("HX-Redirect"), out.text) == (401, None, "")


@pytest.mark.parametrize("headers", [None, PART])
async def test_every_other_button_of_the_box_gives_all_back_that_is_typed(stage, anna, headers):  # noqa: F811  # fixtures
    await sent(anna, await opened(anna), "Guten Tag.", files=[("0.pdf", b"%PDF-1.7 0")])
    form = await opened(anna)

    async def press(path, form, **more):
        seen = await anna.ask("POST", path, data=form.data(**more), headers=headers)
        return seen, Form(seen)

    more = {"follow_up": "2026-11-23T12:00", "files": [("a.pdf", b"%PDF-1.7 x")]}
    seen, form = await press("/promise/mk/T%2F1", form, text=TEXT, by="nonsense", **more)
    assert seen.status == (200 if headers else 422)
    assert form.text == TEXT
    for path, pressed in (
        ("/promise/mk/T%2F1", {"by": "2026-11-23T13:00"}),
        ("/mark/mk/T%2F1", {"level": "decided"}),
        ("/answered/mk/T%2F1", {"at": "2026-11-21T11:30", "whom": "buyer"}),
    ):
        seen, form = await press(path, form, follow_up=more["follow_up"], **pressed)
        assert (seen.status, form.text) == (200, TEXT), path
        assert 'value="2026-11-23T12:00"' in seen.text
        assert "a.pdf" in seen.text
    seen, form = await press("/undo/1", form, follow_up=more["follow_up"])
    assert (seen.status, form.text) == (200, f"Guten Tag.\n\n{TEXT}")
    for name in ("0.pdf", "a.pdf"):
        assert f"<bdi>{name}</bdi>" in seen.text
    seen, form = await press("/undo/1", form)
    assert (await anna.ask("POST", "/undo/99", data=form.data())).status == 403


async def test_a_better_text_in_a_form_that_was_sent_is_not_dropped(stage, anna):  # noqa: F811  # fixtures
    form = await opened(anna)
    await sent(anna, form, "First version.")

    better = await sent(anna, form, "Second version.")

    assert better.status == 409
    assert "you have answered here yourself" in better.text
    assert Form(better).text == "Second version."
    await anna.post("/undo/1", form=PAGE)
    assert (await sent(anna, Form(better))).status == 303
    assert ("queued", "Second version.", "anna") in await rows(stage)


@pytest.mark.parametrize("headers", [None, PART])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/mark/mk/T%2F1", {"level": "decided"}),
        ("/answered/mk/T%2F1", {"at": "2026-11-21T12:03", "whom": "buyer"}),
    ],
)
async def test_what_nobody_has_seen_is_not_said_to_need_no_reply(
    stage, anna, path, said, headers  # noqa: F811  # fixtures
):  # fmt: skip
    form = await opened(anna)
    await asked(stage)

    told = await anna.ask("POST", path, data=form.data(TEXT, **said), headers=headers)

    assert told.status == (200 if headers else 409)
    assert "Nothing was said: since you opened this page, the buyer has written again" in told.text
    assert Form(told).text == TEXT
    assert await rows(stage, "select * from clock where ended is not null") == []
    once_more = await anna.ask("POST", path, data=Form(told).data(**said), headers=headers)
    assert once_more.status == 200
    assert await rows(stage, "select * from clock where ended is not null") != []


async def test_what_nobody_has_seen_is_not_answered_unread(stage, anna):  # noqa: F811  # fixtures
    form = await opened(anna)
    await asked(stage)

    told = await sent(anna, form, TEXT)

    assert told.status == 409
    assert "has not left: since you opened this page, the buyer has written again" in told.text
    assert "Send it all the same" in told.text
    assert await rows(stage) == []
    assert (await sent(anna, Form(told))).status == 303


async def test_what_came_while_another_button_was_pressed_is_still_told(stage, anna):  # noqa: F811  # fixtures
    form = await opened(anna)
    await asked(stage)

    beside = await anna.ask(
        "POST", "/promise/mk/T%2F1", data=form.data(TEXT, by="2026-11-23T12:00"), headers=PART
    )
    told = await sent(anna, Form(beside), headers=PART)

    assert "the buyer has written again" in told.text
    assert await rows(stage) == []


async def test_a_page_that_lies_open_with_an_old_form_is_one_line_of_the_trail(stage, anna):  # noqa: F811  # fixtures
    for _ in range(3):
        assert (await anna.ask("POST", "/draft/mk/T%2F1", data={"csrf": "old"})).status == 403

    async with transaction(stage.pool) as db:
        lines = await audit.lines(db, audit.Asked(act="refused"), None, "", 9)
    assert [line.detail["why"] for line in lines] == ["form"]


async def test_what_came_while_the_page_was_made_was_not_seen(stage, anna):  # noqa: F811  # fixtures
    await stage.pool.execute("""
        create function comes() returns trigger language plpgsql as $$ begin
            insert into message (account, id, thread, party, kind, addressed_to, origin, sent_at,
                seen_at, body, attachments, hash)
            values ('mk', 'M2', 'T/1', 'buyer', 'message', '{seller}', 'elsewhere', new.at, new.at,
                'Und mein Geld?', '[]', 'x');
            return null;
        end $$;
        create trigger comes after insert on audit
        for each row when (new.act = 'read') execute function comes()
    """)
    page = await anna.get(PAGE)
    await stage.pool.execute("drop trigger comes on audit; drop function comes")
    assert "Geld" not in page.text

    told = await sent(anna, Form(page), TEXT)

    assert told.status == 409
    assert "the buyer has written again" in told.text


async def test_a_macro_is_shown_before_it_goes_into_the_box_its_gaps_marked(stage, anna):  # noqa: F811  # fixtures
    late = Macro("late", "Late", {"de": "Hallo {{buyer_first_name}}, <b>\n{{ tracking }}, {{due}}"})
    async with transaction(stage.pool) as db:
        await stored.put(db, late, "lea", NOW)

    page = await anna.get(PAGE)
    path = "/preview/mk/T%2F1"
    shown = await anna.post(path, {"csrf": page.csrf, "macro": "late"})

    assert shown.status == 200
    assert "in German:" in shown.text
    assert ">Hallo Zenobia, &lt;b&gt;\n<mark>{{tracking}}</mark>, " in shown.text
    assert shown.text.count("<mark>") == 1
    assert "Nothing is known for: tracking" in shown.text
    none = await anna.post(path, {"csrf": page.csrf, "macro": ""})
    assert "<p" not in none.text
    gone = await anna.post(path, {"csrf": page.csrf, "macro": "gone"})
    assert "there is no such macro any more" in gone.text
    async with transaction(stage.pool) as db:
        told = await audit.lines(db, audit.Asked(act="read"), None, "", 9)
    assert [dict(one.detail) for one in told if "macro" in one.detail] == [{"macro": 1}]
    assert await rows(stage) == []
