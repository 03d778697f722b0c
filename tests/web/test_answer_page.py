"""Answering on a thread's page, without script and with it: each form there and back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from types import SimpleNamespace

import pytest
from aiohttp import FormData

from core import ingest
from core.access import Role
from core.connector import Capabilities, Unwelcome
from core.model import Message, Page, Thread
from core.store import macros as stored
from core.store import transaction
from core.store.macros import Macro
from sla.policy import Party
from tests.core import seeds
from tests.web import board

NOW = board.NOW
HOUR = timedelta(hours=1)
PAGE = "/thread/mk/T%2F1"
SELLER, BUYER = frozenset({Party.SELLER}), frozenset({Party.BUYER})
CAN = Capabilities(
    replies=True,
    longest_reply=200,
    unseen_mark=True,
    most_enclosed=10**6,
    most_files=2,
    unwelcome=(Unwelcome("link", "the rules"),),
)
PART = {"HX-Request": "true"}
FIELDS = re.compile(r'name="(key|seen|kept|file_kept|back)" value="([^"]*)"')


def configured(can=CAN):
    spec = SimpleNamespace(can=lambda _: can, refuses=None, narrows=None)
    return SimpleNamespace(account=seeds.account(), spec=spec, options=None, own_mark=False)


@pytest.fixture
async def stage(pool):
    """A thread whose buyer, who writes German, has been waiting for an hour."""
    goal = seeds.policy("goal", role="goal", reply_within=4 * HOUR)
    contract = seeds.policy("contract", marketplace_mark=True)
    rules = seeds.rules(policies={"mk": (contract, goal)})
    made = board.Stage(pool, rules=rules, accounts={"mk": configured()})
    asked = Message(id="M1", thread="T/1", party=Party.BUYER, sent_at=NOW - HOUR, to=SELLER,
                    body="Wo ist es?", language="de")  # fmt: skip
    known = Thread(id="T/1", as_of=NOW, subject="Paket", order_ids=("O1",), buyer="Zenobia Quill",
                   url="https://market.example/T1")  # fmt: skip
    async with transaction(pool) as db:
        await seeds.put_account(db, NOW)
        await seeds.put_stream(db, NOW, seen_through=NOW)
        await ingest.page(db, rules, "mk", Page(messages=(asked,), threads=(known,)), NOW, None)
    return made


@pytest.fixture
async def anna(stage, site):
    async with board.signed_in(stage, site) as browser:
        yield browser


@pytest.fixture
async def bo(stage, site):
    async with board.signed_in(stage, site, name="bo") as browser:
        yield browser


class Form:
    """What a page's form would send."""

    def __init__(self, seen):
        self.csrf = seen.csrf
        box = seen.text[seen.text.index('id="answer"') :]
        self.fields = [(name, unescape(value)) for name, value in FIELDS.findall(box)]
        text = re.search(r'<textarea id="text"[^>]*>\n?(.*?)</textarea>', box, re.DOTALL)
        self.text = unescape(text[1]) if text else None

    def data(self, text=None, *, files=(), **more):
        form = FormData(quote_fields=False, default_to_multipart=True)
        wanted = {"key", "seen", "kept", "file_kept"}
        said = [("csrf", self.csrf), *((n, v) for n, v in self.fields if n in wanted)]
        said += [("text", self.text if text is None else text), ("to", "buyer"), *more.items()]
        for name, value in said:
            form.add_field(name, value)
        for name, content in files:
            form.add_field("files", content, filename=name)
        return form


async def opened(browser, query=""):
    return Form(await browser.get(PAGE + query))


async def sent(browser, form, text=None, headers=None, **more):
    return await browser.ask("POST", "/reply/mk/T%2F1", data=form.data(text, **more),
                             headers=headers)  # fmt: skip


async def rows(stage, statement="select state, body, written_by from reply order by id"):
    return [tuple(row) for row in await stage.pool.fetch(statement)]


async def test_a_reply_is_sent_once_however_often_the_form_comes(stage, anna):
    form = await opened(anna)

    first = await sent(anna, form, "Es ging\r\ngestern los.")
    again = await sent(anna, form, "Es ging\r\ngestern los.")

    assert (first.status, again.status) == (303, 303)
    assert first.headers["Location"] == f"{PAGE}?done=sent#answer"
    assert await rows(stage) == [("queued", "Es ging\ngestern los.", "anna")]
    after = await anna.get(PAGE)
    assert "Waits to leave." in after.text
    assert Form(after).text == ""


async def test_a_reply_is_taken_back_and_its_text_is_there_again(stage, anna):
    await sent(anna, await opened(anna), "Es ging los.", files=[("a.pdf", b"%PDF-1.7 x")])

    back = await anna.post("/undo/1", form=PAGE)

    assert (back.status, back.headers["Location"]) == (303, f"{PAGE}?back=1#answer")
    form = await opened(anna, "?back=1")
    assert form.text == "Es ging los."
    assert dict(form.fields)["kept"] == "1"
    await sent(anna, form)
    assert [row[:2] for row in await rows(stage)] == [
        ("undone", "Es ging los."), ("queued", "Es ging los."),
    ]  # fmt: skip
    assert await rows(stage, "select reply, name, media_type from reply_file") == [
        (2, "a.pdf", "application/pdf")
    ]


async def test_what_has_left_is_not_taken_back_and_that_is_said(stage, anna):
    await sent(anna, await opened(anna), "Es ging los.")
    await stage.pool.execute("update reply set state = 'sending', left_at = now()")

    told = await anna.post("/undo/1", form=PAGE)

    assert told.status == 409
    assert "it has left already" in told.text
    assert (await anna.post("/undo/99", form=PAGE)).status == 403


async def test_the_second_of_two_is_told_who_was_first_and_keeps_the_text(stage, anna, bo):
    mine, other = await opened(anna), await opened(bo)
    await sent(anna, mine, "Es ging los.")

    told = await sent(bo, other, "Morgen <b>kommt</b> es.", files=[("x.txt", b"hello")])

    assert told.status == 409
    assert "Your reply has not left" in told.text
    assert "Anna has answered" in unescape(told.text)
    again = Form(told)
    assert again.text == "Morgen <b>kommt</b> es."
    assert "Send it all the same" in told.text
    assert (await sent(bo, again)).status == 303
    assert [row[0] for row in await rows(stage)] == ["queued", "undone", "queued"]
    assert await rows(stage, "select reply, name from reply_file") == [(3, "x.txt")]


@pytest.mark.parametrize(("unit", "said"), [("characters", "50,000 char"), ("bytes", "50,000 byt")])
async def test_a_large_limit_is_written_as_people_write_it(stage, anna, unit, said):
    stage.accounts = {"mk": configured(replace(CAN, longest_reply=50_000, longest_in=unit))}

    assert said in (await anna.get(PAGE)).text


async def test_limits_are_told_before_and_again_when_it_is_sent(stage, anna):
    page = await anna.get(PAGE)
    for said in ("200 characters at most", "no links that lead elsewhere", "2 files at most"):
        assert said in page.text
    form = Form(page)

    long = await sent(anna, form, "x" * 201)
    link = await sent(anna, form, "See www.shop.example")

    assert (long.status, link.status) == (422, 422)
    assert "The text has 201 characters; the marketplace takes 200." in long.text
    assert "rules allow no link" in link.text
    assert await rows(stage) == []
    assert (await sent(anna, Form(link), despite="1")).status == 303


async def test_what_is_wrong_so_far_is_told_while_somebody_writes(stage, anna):
    csrf = (await anna.get(PAGE)).csrf

    told = await anna.post("/check/mk/T%2F1", {"csrf": csrf, "text": "www.shop.example {{due}}"})

    assert told.status == 200
    assert "rules allow no link" in told.text
    assert "still a gap" in told.text
    assert await rows(stage, "select * from presence") == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"MZ\x90\x00", "application/octet-stream"), (b"<html>", "text/plain")],
)
async def test_a_file_is_what_its_content_is(stage, anna, content, kind):
    await sent(anna, await opened(anna), "Hier.", files=[("..\\x/invoice\u202e.pdf", content)])

    assert await rows(stage, "select name, media_type from reply_file") == [("invoice .pdf", kind)]


async def test_a_macro_comes_in_the_buyers_language_and_its_gaps_are_told(stage, anna):
    late = Macro("late", "Late", {"de": "Hallo {{buyer_first_name}}: {{order_id}} {{tracking}}"})
    async with transaction(stage.pool) as db:
        await stored.put(db, late, "lea", NOW)

    put = await sent(anna, await opened(anna), "Guten Tag.", macro="late", use="1")

    assert put.status == 200
    form = Form(put)
    assert form.text == "Guten Tag.\n\nHallo Zenobia: O1 {{tracking}}"
    assert "Nothing is known for: tracking" in put.text
    blocked = await sent(anna, form)
    assert blocked.status == 422
    assert "still a gap in the text, tracking" in blocked.text
    assert (await sent(anna, form, form.text.replace("{{tracking}}", "0815"))).status == 303
    assert [row[1] for row in await rows(stage)] == ["Guten Tag.\n\nHallo Zenobia: O1 0815"]


async def test_what_a_mark_ends_is_said_before_and_a_wrong_one_is_taken_back(stage, anna):
    page = await anna.get(PAGE)
    text = unescape(re.sub(r"<[^>]+>", "", page.text))
    said = " ".join(text.split())
    order = r"I decided so here Ends: goal, due \S+?\s*Goes on running: contract"
    assert re.search(order, said), said

    done = await anna.post("/mark/mk/T%2F1", {"level": "decided"}, form=PAGE)

    assert done.status == 303
    ended = "select promise from clock where ended = 'void'"
    assert await rows(stage, ended) == [("goal",)]
    after = await anna.get(PAGE)
    assert "no reply needed" in after.text
    said = dict(FIELDS.findall(after.text))["back"]
    await anna.post("/mark/mk/T%2F1", {"back": unescape(said)}, form=PAGE)
    assert await rows(stage, ended) == []


async def test_answered_there_is_said_with_an_instant_of_the_agents_zone(stage, anna):
    stage.board = stage.board.model_copy(update={"zone": "Europe/Berlin"})

    ahead = await anna.post(
        "/answered/mk/T%2F1", {"at": "2026-11-21T13:01", "whom": "buyer"}, form=PAGE
    )
    done = await anna.post(
        "/answered/mk/T%2F1", {"at": "2026-11-21T12:30", "whom": "buyer"}, form=PAGE
    )

    assert (ahead.status, done.status) == (422, 303)
    assert "cannot lie in the future" in ahead.text
    assert await rows(stage, "select distinct ended, stopped_at from clock") == [
        ("met", NOW - timedelta(minutes=30))
    ]


async def test_a_promise_is_made_moved_and_withdrawn(stage, anna):
    async def promise(**said):
        return (await anna.post("/promise/mk/T%2F1", said, form=PAGE)).status

    assert await promise(by="2026-11-23T12:00") == 303
    assert "A further answer is promised by" in (await anna.get(PAGE)).text
    assert await promise(by="2026-11-24T12:00", move="1") == 422
    assert await promise(by="2026-11-24T12:00", move="1", reason="late") == 303
    assert await promise(withdraw="1", reason="no") == 303

    assert await rows(stage, "select due_at, ended from clock where metric = 'given'") == [
        (NOW + 72 * HOUR, "void")
    ]


async def test_an_instant_that_no_clock_shows_is_refused(stage, anna):
    stage.board = stage.board.model_copy(update={"zone": "Europe/Berlin"})

    told = await anna.post("/promise/mk/T%2F1", {"by": "2027-03-28T02:30"}, form=PAGE)

    assert told.status == 422
    assert "skip that hour" in told.text


async def test_others_see_that_somebody_answers_and_when_they_have_gone(stage, anna, bo):
    csrf = (await anna.get(PAGE)).csrf
    assert (await anna.post("/draft/mk/T%2F1", {"csrf": csrf})).status == 204

    assert "Anna is answering here, too." in (await bo.get(PAGE)).text
    assert "is answering here" not in (await anna.get(PAGE)).text

    await anna.post("/draft/mk/T%2F1", {"csrf": csrf, "left": "1"})
    assert "is answering here" not in (await bo.get(PAGE)).text


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        ("sending", None, "nobody knows yet whether it arrived"),
        ("accepted", None, "The marketplace took it"),
        ("confirmed", None, "Seen at the marketplace."),
        ("refused", "bad_credentials", "Tell an administrator"),
        ("unknown", None, "look at the marketplace before you write again"),
    ],
)
async def test_what_became_of_a_reply_is_told_truthfully(stage, anna, state, reason, said):
    await sent(anna, await opened(anna), "Es ging los.")
    await stage.pool.execute("update reply set state = $1, reason = $2", state, reason)

    page = await anna.get(PAGE)

    answering = page.text[page.text.index('id="answering"') :]
    answering = answering[: answering.index('id="reply"')]
    assert said in answering
    assert ("Take it back" in answering) is False
    assert ("https://market.example/T1" in answering) is (state == "unknown")


@pytest.mark.parametrize("others", [0, 1])
async def test_one_person_needs_no_claim_and_is_offered_none(stage, others):
    """A claim tells the others that somebody is at it."""
    for number in range(others):
        await board.person(stage.pool, f"other-{number}")
    async with board.served(stage) as base, board.signed_in(stage, base) as anna:
        page, queue = [(await anna.get(path)).text for path in ("/thread/mk/T%2F1", "/")]

    assert ('action="/claim/mk/T%2F1"' in page) == bool(others)
    assert (" alone" in re.search(r'<body class="([^"]*)', queue)[1]) != bool(others)


async def test_with_script_the_box_alone_comes_back(stage, anna):
    form = await opened(anna)

    part = await sent(anna, form, "Es ging los.", headers=PART)
    back = await anna.post("/undo/1", {"csrf": part.csrf, "text": "more"}, headers=PART)

    assert part.status == 200
    assert part.text.lstrip().startswith("<section")
    assert Form(part).text == ""
    assert Form(back).text == "Es ging los.\n\nmore"


async def test_a_viewer_sees_no_box_and_nothing_written_is_in_the_audit(stage, site, anna):
    async with board.signed_in(stage, site, Role.VIEWER, name="eve") as eve:
        assert 'id="answer"' not in (await eve.get(PAGE)).text
    await sent(anna, await opened(anna), "a very private word")

    lines = await rows(stage, "select act, detail::text from audit order by id")
    assert ("answer", '{"files": 0, "reply": 1}') in lines
    assert "private" not in str(lines)


async def test_a_buyer_who_was_erased_is_not_answered(stage, anna):
    await stage.pool.execute("update thread set erased_at = now()")

    page = await anna.get(PAGE)

    assert "nothing here knows whom to answer" in page.text
    assert 'id="reply"' not in page.text


async def test_where_nobody_can_be_answered_it_says_why_and_what_was_done_there_can_be_said(
    stage, anna
):
    stage.accounts["mk"].spec.refuses = lambda _thread, _to: "call the number back"

    page = await anna.get(PAGE)

    assert "call the number back" in page.text
    assert 'id="reply"' not in page.text
    said = {"at": "2026-11-21T11:30", "whom": "buyer"}
    assert (await anna.post("/answered/mk/T%2F1", said, form=PAGE)).status == 303


async def test_a_lead_changes_macros_and_an_agent_does_not(stage, site, anna):
    async with board.signed_in(stage, site, Role.LEAD, name="lea") as lea:
        given = {"name": "late", "title": "Late", "language": "en", "body": "Sorry, {{colour}}"}
        wrong = await lea.post("/macros/form", given, form="/macros/form")
        assert wrong.status == 422
        assert "nothing fills {{colour}}" in unescape(wrong.text)
        given["body"] = "Sorry, {{agent}}"
        looked = await lea.post("/macros/form", {**given, "look": "1"}, form="/macros/form")
        assert "It can be saved." in looked.text
        assert (await lea.post("/macros/form", given, form="/macros/form")).status == 303
        assert "Late" in (await lea.get("/macros")).text
        edited = await lea.get("/macros/form?name=late")
        assert "Sorry, {{agent}}" in edited.text
        gone = await lea.post("/macros/form", {**given, "revision": "1", "remove": "1"},
                              form="/macros/form")  # fmt: skip
        assert gone.status == 303
        assert await rows(stage, "select * from macro") == []
    assert (await anna.get("/macros")).status == 403
