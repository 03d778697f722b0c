"""What programs do: the same as the page's buttons, by the same rules, refused in words."""

from __future__ import annotations

import io
from datetime import timedelta
from urllib.parse import quote

import pytest

from core import ingest
from core.access import Role
from core.model import Page
from core.store import audit, transaction
from tests.web import board, programs

NOW = board.NOW
HERE = "/mk/T%2F2"
KEY = {"Idempotency_Key": "order-1-reply-1"}
LATER = (NOW + timedelta(hours=5)).isoformat()


@pytest.fixture
async def stage(pool):
    return await programs.seeded(pool)


@pytest.fixture
async def anna(stage, site):
    async with programs.program(stage, site) as asks:
        yield asks


@pytest.fixture
async def bo(stage, site):
    async with programs.program(stage, site, Role.LEAD, name="bo") as asks:
        yield asks


async def post(who, what, body=None, **headers):
    return await who.ask("POST", f"/{what}{HERE}", body={} if body is None else body, **headers)


async def answers(who):
    return (await who.get(f"/answers{HERE}")).said


async def acts(pool):
    async with transaction(pool) as db:
        return [line.act for line in await audit.lines(db, audit.Asked(), None, "", 50)]


async def test_a_claim_is_had_by_one_until_a_lead_takes_it_or_it_is_given_back(anna, bo):
    mine, theirs = await post(anna, "claims"), await post(bo, "claims")
    not_mine = await post(anna, "claims", {"over": True})
    over = await post(bo, "claims", {"over": True})
    back = await bo.ask("DELETE", f"/claims{HERE}")

    assert (mine.status, mine.said["by"], mine.said["thread"]) == (200, "anna", "T/2")
    assert (theirs.status, theirs.said["claim"]["by"]) == (409, "anna")
    assert not_mine.status == 403
    assert (over.status, over.said["by"]) == (200, "bo")
    assert back.status == 204
    assert (await answers(anna))["claim"] is None


async def test_a_reply_is_queued_once_by_its_key_and_taken_back(anna, pool):
    body = {"text": "Es ging gestern los."}
    first, again = (
        await post(anna, "replies", body, **KEY),
        await post(anna, "replies", body, **KEY),
    )
    other = await post(anna, "replies", {"text": "Anders"}, **KEY)
    number = first.said["reply"]

    assert (first.status, first.said["again"]) == (202, False)
    assert (again.status, again.said["reply"], again.said["again"]) == (202, number, True)
    assert other.status == 409
    assert other.said["code"] == "other_reply"
    assert await pool.fetchval("select count(*) from reply") == 1
    assert (await anna.get(f"/replies/{number}")).said["state"] == "queued"
    back = await anna.ask("POST", f"/undo/{number}")
    assert (back.status, back.said["state"], back.said["body"]) == (200, "undone", body["text"])
    assert (await anna.ask("POST", f"/undo/{number}")).status == 200
    assert (await acts(pool)).count("undo") == 1


async def test_one_key_in_another_thread_or_of_another_person_is_another(anna, bo, pool):
    first = await post(anna, "replies", {"text": "Eins"}, **KEY)
    there = await anna.ask("POST", "/replies/mk/T1", body={"text": "Zwei"}, **KEY)
    theirs = await post(bo, "replies", {"text": "Drei"}, **KEY)

    assert [one.status for one in (first, there, theirs)] == [202] * 3
    assert len({one.said["reply"] for one in (first, there, theirs)}) == 3


async def test_what_a_reply_can_be_and_what_a_mark_would_end_is_told_before(anna):
    told = await answers(anna)

    assert (told["most_files"], told["most_enclosed"], told["until"]) == (2, 1_000, None)
    assert told["enclosed"] == ["application/pdf", "text/plain"]
    assert told["linked"] == ["application/pdf"]
    assert told["levels"] == ["decided", "marked"]
    assert [(one["level"], one["ends"]) for one in told["foreseen"]][1] == ("marked", ["contract"])


async def test_a_reply_needs_a_key(anna, pool):
    answer = await post(anna, "replies", {"text": "Es ging gestern los."})

    assert (answer.status, answer.said["faults"][0]["where"]) == (422, "header.Idempotency-Key")
    assert await pool.fetchval("select count(*) from reply") == 0


@pytest.mark.parametrize(
    ("key", "what"),
    [("1234567", "at least 8"), ("k" * 201, "at most 200"), ("with a blank", "match pattern")],
)
async def test_a_key_that_is_none_is_refused_by_how_long_keys_are(anna, key, what):
    answer = await post(anna, "replies", {"text": "Es ging los."}, Idempotency_Key=key)
    [fault] = answer.said["faults"]

    assert (answer.status, fault["where"]) == (422, "header.Idempotency-Key")
    assert what in fault["what"]
    assert key not in str(answer.said)


async def test_what_is_wrong_with_a_reply_is_told_before_and_keeps_it_from_leaving(anna):
    text = "Siehe https://other.example/"
    told = (await post(anna, "checks", {"text": text})).said["complaints"]
    refused = await post(anna, "replies", {"text": text}, **KEY)
    all_the_same = await post(anna, "replies", {"text": text, "despite": True}, **KEY)
    too_long = await post(anna, "replies", {"text": "a" * 201, "despite": True}, **KEY)

    assert [(one["rule"], one["blocks"], one["start"]) for one in told] == [("link", False, 6)]
    assert (refused.status, refused.said["complaints"]) == (409, told)
    assert all_the_same.status == 202
    assert too_long.status == 409
    assert "other.example" not in str(refused.said)


async def test_who_is_slower_is_told_before_it_leaves(anna, bo):
    seen = (await answers(bo))["seen"]
    await post(anna, "replies", {"text": "Es ging los."}, **KEY)
    slower = await post(bo, "replies", {"text": "Gestern.", "seen": seen}, **KEY)
    knowing = await post(
        bo, "replies", {"text": "Gestern.", "seen": slower.said["beaten"]["seen"]}, **KEY
    )

    assert (slower.status, slower.said["beaten"]["by"]) == (409, "anna")
    assert knowing.status == 202


async def test_no_reply_needed_is_said_and_taken_back(anna):
    assert (await post(anna, "marks", {"level": "marked"})).status == 204
    assert await clocks(anna) == ["void"]
    [said] = (await answers(anna))["said"]
    which = f"/marks{HERE}?said={quote(said['id'], safe='')}"
    gone, twice = await anna.ask("DELETE", which), await anna.ask("DELETE", which)

    assert (said["level"], gone.status, twice.status) == ("marked", 204, 409)
    assert await clocks(anna) == ["running"]


@pytest.mark.parametrize(
    ("what", "body"), [("marks", {"level": "decided"}), ("answered", {"at": NOW.isoformat()})]
)
async def test_nothing_is_ended_by_who_has_not_seen_what_the_buyer_wrote_since(
    stage, anna, what, body
):
    seen = (await answers(anna))["seen"]
    more = programs.asked(0, "T/2").model_copy(update={"id": "M-more", "sent_at": NOW})
    async with transaction(stage.pool) as db:
        await ingest.page(db, stage.rules, "mk", Page(messages=(more,)), NOW, None)
    slower = await post(anna, what, {**body, "seen": seen})

    assert (slower.status, slower.said["beaten"]["state"]) == (409, "buyer")
    assert await clocks(anna) == ["running"]
    knowing = {**body, "seen": slower.said["beaten"]["seen"]}
    assert (await post(anna, what, knowing)).status == 204


async def clocks(who):
    found = (await who.get(f"/threads{HERE}")).said["clocks"]
    return [one["state"] for one in found]


async def test_answered_there_ends_the_clock_and_lies_neither_ahead_nor_before_the_thread(anna):
    ahead = await post(anna, "answered", {"at": LATER})
    before = await post(anna, "answered", {"at": "0001-01-01T00:00:00+14:00"})

    assert (ahead.status, before.status) == (409, 409)
    assert (await post(anna, "answered", {"at": NOW.isoformat()})).status == 204
    assert await clocks(anna) == ["met"]


async def test_a_promise_is_made_moved_and_withdrawn(anna):
    sooner = (NOW + timedelta(hours=2)).isoformat()
    made = await post(anna, "promises", {"due_at": LATER})
    twice = await post(anna, "promises", {"due_at": LATER})
    moved = await anna.ask("PUT", f"/promises{HERE}", body={"due_at": sooner, "reason": "parts"})
    [promised] = (await answers(anna))["promises"]
    gone = await anna.ask("DELETE", f"/promises{HERE}?reason=done")

    assert (made.status, made.said, twice.status) == (201, {"how": "promised"}, 409)
    assert (moved.status, promised["due_at"][:16], gone.status) == (204, sooner[:16], 204)
    assert (await answers(anna))["promises"] == []
    assert (await post(anna, "promises", {"due_at": "9999-12-31T23:59:59-10:00"})).status == 409


async def test_a_language_is_said_once_by_who_saw_what_stands_and_taken_back(anna, bo, pool):
    async def said(who, **body):
        return await who.ask("PUT", f"/languages{HERE}", body=body)

    made, again = await said(anna, language="pt-BR"), await said(anna, language="PT-br")
    blind = await said(bo, language="fr")
    told = (await bo.get(f"/threads{HERE}")).said
    back = await said(bo, language=None, stands=told["language_set"])

    assert [one.status for one in (made, again, blind, back)] == [204, 204, 409, 204]
    assert (blind.said["code"], "meanwhile" in blind.said["detail"]) == ("refused", True)
    assert (told["language_set"], told["language_set_by"]) == ("pt-BR", "anna")
    assert (await bo.get(f"/threads{HERE}")).said["language_set"] is None
    assert (await acts(pool)).count("language") == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [({"language": "und"}, 409), ({"language": "German"}, 422), ({}, 422), ({"language": ""}, 422)],
)
async def test_what_is_no_language_is_refused(anna, pool, body, status):
    answer = await anna.ask("PUT", f"/languages{HERE}", body=body)

    assert answer.status == status
    assert "language" not in await acts(pool)


async def test_a_macro_is_filled_for_a_thread_and_that_is_a_look(anna, pool):
    told = (await anna.get(f"/macros/hello{HERE}")).said
    english = (await anna.get(f"/macros/hello{HERE}?language=en")).said

    assert (told["language"], told["text"]) == ("de", "Guten Tag! Anna")
    assert (english["language"], english["is_other"]) == ("en", False)
    assert (await anna.get(f"/macros/none{HERE}")).status == 409
    assert "read" in await acts(pool)


WRONG = [
    ("marks", {"level": "guessed"}), ("claims", {"over": 1}), ("claims", {"more": True}),
    ("replies", {"text": ""}), ("replies", {"text": "x", "to": ["seller"]}),
    ("promises", {"due_at": "tomorrow"}), ("promises", {"due_at": "2026-11-22T10:00:00"}),
    ("checks", []),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body"), WRONG)
async def test_a_body_that_is_not_as_declared_changes_nothing(anna, pool, what, body):
    before = await acts(pool)

    answer = await post(anna, what, body, **KEY)

    assert (answer.status, answer.said["code"]) == (422, "invalid")
    assert await acts(pool) == before


async def test_a_body_of_another_kind_or_too_large_is_refused(anna):
    known = {"Authorization": f"Bearer {anna.token}"}
    large = io.BytesIO(b'{"text": "%s"}' % (b"x" * 3 * 2**20))
    sent = [({"text": "x"}, {}), (large, {"Content-Type": "application/json"})]
    seen = []
    for data, kind in sent:
        address = f"{anna.base}/api/v1/marks/mk/T1"
        async with anna.session.post(address, data=data, headers=known | kind) as answer:
            seen.append(answer.status)

    assert seen == [415, 413]


THERE = [
    ("GET", "/answers"), ("POST", "/checks"), ("POST", "/replies"), ("POST", "/claims"),
    ("DELETE", "/claims"), ("POST", "/marks"), ("POST", "/answered"), ("POST", "/promises"),
    ("PUT", "/languages"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "what"), THERE)
async def test_what_is_not_theirs_is_as_what_is_not_there(stage, site, method, what):
    body = {"checks": {"text": "x"}, "replies": {"text": "x"}, "marks": {"level": "decided"},
            "answered": {"at": NOW.isoformat()}, "promises": {"due_at": LATER},
            "languages": {"language": "fr"}}  # fmt: skip
    body = body.get(what[1:], {})
    async with programs.program(stage, site, accounts=frozenset({"other"})) as cy:
        theirs = await cy.ask(method, f"{what}/mk/T1", body=body, **KEY)
        none = await cy.ask(method, f"{what}/other/none", body=body, **KEY)

    assert (theirs.status, theirs.said) == (404, none.said)


async def test_a_reply_of_an_account_that_is_not_theirs_is_none(stage, site, anna):
    number = (await post(anna, "replies", {"text": "Es ging los."}, **KEY)).said["reply"]
    async with programs.program(stage, site, accounts=frozenset({"other"}), name="cy") as cy:
        assert (await cy.get(f"/replies/{number}")).status == 404
        assert (await cy.ask("POST", f"/undo/{number}")).status == 404


async def test_a_browser_needs_the_token_of_its_forms(stage, site):
    async with board.signed_in(stage, site) as browser:
        csrf = (await browser.get("/api")).csrf
        address = f"/api/v1/claims{HERE.replace('%2F', '/')}"
        without = await browser.ask("POST", address, json={})
        with_it = await browser.ask("POST", address, json={}, headers={"X-CSRF-Token": csrf})

    assert (without.status, with_it.status) == (403, 200)
    assert "X-CSRF-Token" in without.text
    assert without.headers["Content-Type"].startswith("application/problem+json")
