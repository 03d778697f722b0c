"""What stands before every way: proxies, tokens, forms of ours, names of ours, faults as told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from ipaddress import ip_network

import pytest
from aiohttp import web

from core.access import Act, Role, Who
from core.configuration.access import Group, Proxy, Web
from core.desk import admitting
from core.desk import tokens as desk_tokens
from core.errors import Mistaken, NotAllowed, StoreUnavailable
from core.store import audit, people, tokens, transaction
from core.web import site
from core.web.signing import forms, networks
from core.web.ways import OPEN, Way, who
from tests.web import board

ROOT = Who("root", Role.ADMIN, means="cli")


async def say(request):
    asks = who(request)
    seen = "all" if asks.accounts is None else sorted(asks.accounts)
    return web.json_response(
        {"name": asks.name, "role": asks.role, "sees": seen, "means": asks.means,
         "address": asks.address}
    )  # fmt: skip


async def fail(request):
    faults = {
        "away": StoreUnavailable("host=db.internal password=x"),
        "mistaken": Mistaken("choose another name"),
        "theirs": NotAllowed("somebody else has claimed it"),
        "bug": RuntimeError("a buyer's words"),
        "teapot": web.HTTPUnprocessableEntity(text="a buyer's words"),
    }
    raise faults[request.match_info["what"]]


WAYS = (
    *site.every(),
    Way("GET", "/api/v1/self", say, Act.LOOK, api=True),
    Way("POST", "/api/v1/self", say, Act.ANSWER, api=True),
    Way("GET", "/api/v1/of/{account}", say, Act.READ, api=True),
    Way("GET", "/self", say, Act.LOOK),
    Way("POST", "/self", say, Act.LOOK),
    Way("GET", "/fail/{what}", fail, OPEN),
    Way("GET", "/api/v1/fail/{what}", fail, OPEN, api=True),
)


@pytest.fixture
async def base(stage):
    async with board.served(stage, ways=WAYS) as base:
        yield base


@pytest.fixture
async def anna(pool):
    await board.person(pool, accounts={"mk", "other"})
    async with transaction(pool) as db:
        return (await people.of(db, "anna")).who("session", None)


async def made(pool, who, role=Role.AGENT, accounts=None, lasts=None):
    async with transaction(pool) as db:
        accounts = who.accounts if accounts is None else frozenset(accounts)
        return await desk_tokens.make(db, who, "a robot", role, accounts, lasts, board.NOW)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


async def said(browser, path="/api/v1/self", method="GET", **headers):
    async with browser.session.request(method, browser.base + path, headers=headers) as answer:
        text = await answer.text()
        kind = answer.content_type
        return answer.status, await answer.json() if "json" in kind else text, kind


# tokens


async def test_a_token_is_known_by_its_header_and_may_at_most_what_it_says(browser, anna, pool):
    whole = await made(pool, anna)
    small = await made(pool, anna, Role.VIEWER, {"mk"})

    _, known, _ = await said(browser, **bearer(whole))
    assert (known["name"], known["role"], known["sees"]) == ("anna", "agent", ["mk", "other"])
    assert known["means"] == "token"
    _, known, _ = await said(browser, **bearer(small))
    assert (known["role"], known["sees"]) == ("viewer", ["mk"])
    assert (await said(browser, "/api/v1/of/mk", **bearer(small)))[0] == 200
    assert (await said(browser, "/api/v1/of/other", **bearer(small)))[0] == 404
    assert (await said(browser, method="POST", **bearer(whole)))[0] == 200
    assert (await said(browser, method="POST", **bearer(small)))[0] == 403


async def test_a_token_begins_so_that_leaks_are_found_and_its_digest_alone_is_stored(anna, pool):
    token = await made(pool, anna)

    assert token.startswith("rb_")
    async with pool.acquire() as db:
        stored = [str(dict(row)) for name in ("token", "audit")
                  for row in await db.fetch(f"table {name}")]  # fmt: skip
    assert not any(token in row or token[3:] in row for row in stored)


async def test_what_its_person_lost_a_token_has_lost(browser, anna, pool):
    token = await made(pool, anna)
    async with transaction(pool) as db:
        await admitting.grant(
            db, ROOT, "anna", title="", role=Role.VIEWER, accounts={"other"}, by="password",
            now=board.NOW,
        )  # fmt: skip
    _, known, _ = await said(browser, **bearer(token))
    assert (known["role"], known["sees"]) == ("viewer", ["other"])

    async with transaction(pool) as db:
        await admitting.disable(db, ROOT, "anna", "password", board.NOW)
        await admitting.enable(db, ROOT, "anna", board.NOW)
    assert (await said(browser, **bearer(token)))[0] == 401


async def test_a_token_that_ended_lapsed_or_never_was_is_refused(browser, anna, pool, stage):
    ended, brief = await made(pool, anna), await made(pool, anna, lasts=timedelta(days=7))
    async with transaction(pool) as db:
        number = (await tokens.of_person(db, "anna"))[0].id
        await desk_tokens.end(db, anna, number, board.NOW)
    stage.clock.now += timedelta(days=7)

    for token in (ended, brief, "rb_guessed", "", "x" * 5_000):
        status, told, kind = await said(browser, **bearer(token))
        assert (status, kind) == (401, "application/problem+json"), token[:20]
        assert (told["code"], told["status"]) == ("unauthorized", 401)


async def test_when_a_token_was_used_last_is_known_to_the_hour(browser, anna, pool, stage):
    token = await made(pool, anna)
    for minutes in (0, 59, 62):
        stage.clock.now = board.NOW + timedelta(minutes=minutes)
        await said(browser, **bearer(token))
    async with transaction(pool) as db:
        (found,) = await tokens.of_person(db, "anna")
    assert found.used_at == board.NOW + timedelta(minutes=62)


async def test_a_token_opens_no_page_and_in_an_address_nothing(browser, anna, pool):
    token = await made(pool, anna)

    assert (await browser.get("/self", headers=bearer(token))).status == 303
    for query in (f"?token={token}", f"?x={token}", "?access_token=x"):
        status, told, _ = await said(browser, f"/api/v1/self{query}")
        assert status == 422
        assert token not in str(told)
    async with transaction(pool) as db:
        assert await audit.lines(db, audit.Asked(act="refused"), None, "", 9) == []


@pytest.mark.parametrize(
    ("asked", "mend"),
    [
        ({"role": Role.LEAD}, "agent at most"),
        ({"accounts": {"third"}}, "no more accounts"),
        ({"lasts": timedelta(0)}, "days at most"),
        ({"lasts": timedelta(days=9_999)}, "days at most"),
    ],
)
async def test_a_token_is_never_more_than_its_person(anna, pool, asked, mend):
    with pytest.raises(Mistaken, match=mend):
        await made(pool, anna, **asked)


# proxies


def proxied(**more):
    return Web(listen="127.0.0.1:0", sign_in="proxy", proxies=("127.0.0.1",), **more)


async def test_whom_a_trusted_proxy_names_is_known_if_they_are_here(browser, anna, stage):
    stage.web = proxied()
    named = {"X-Forwarded-User": "Anna", "X-Forwarded-For": "203.0.113.7"}
    _, known, _ = await said(browser, "/self", **named)

    assert (known["name"], known["means"], known["address"]) == ("anna", "proxy", "203.0.113.7")
    assert (await browser.get("/self", headers={"X-Forwarded-User": "stranger"})).status == 401
    asked = await browser.get("/self")
    assert (asked.status, asked.headers["Location"][:8]) == (303, "/sign-in")


async def test_the_header_from_anybody_else_is_refused_and_logged(base, anna, stage, logged):
    stage.web = proxied()
    async with board.browsing(base, "127.0.0.2") as stranger:
        seen = await stranger.get("/self", headers={"X-Forwarded-User": "anna"})
        api = await stranger.get("/api/v1/self", headers={"X-Forwarded-User": "anna"})

    assert (seen.status, api.status) == (401, 401)
    assert "proxy_header" in str(logged)


async def test_two_headers_are_one_too_many(browser, anna, stage):
    stage.web = proxied()
    headers = [("X-Forwarded-User", "anna"), ("X-Forwarded-User", "root")]
    async with browser.session.get(browser.base + "/self", headers=headers) as answer:
        assert answer.status == 401


async def test_the_proxys_groups_say_who_may_what(browser, stage, pool):
    groups = {
        "desk": Group(role=Role.AGENT, accounts=frozenset({"mk"})),
        "boss": Group(role=Role.LEAD, accounts=frozenset({"other"})),
    }
    stage.web = proxied(groups=groups, proxy=Proxy(groups="X-Groups"))
    asked = {"X-Forwarded-User": "bela"}

    assert (await browser.get("/self", headers={**asked, "X-Groups": "others"})).status == 401
    _, known, _ = await said(browser, "/self", **asked, **{"X-Groups": "desk, others"})
    assert (known["role"], known["sees"]) == ("agent", ["mk"])
    _, known, _ = await said(browser, "/self", **asked, **{"X-Groups": "desk,boss"})
    assert (known["role"], known["sees"]) == ("lead", ["mk", "other"])
    assert (await browser.get("/self", headers=asked)).status == 401


PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["1.2.3.4"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["1.2.3.4, 203.0.113.7"], "203.0.113.7"),
        ("10.0.0.1", ["1.2.3.4", "203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.7, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("::1", ["[2001:db8::7]:443"], "2001:db8::7"),
        ("10.0.0.1", ["203.0.113.7:5555"], "203.0.113.7"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("fe80::1%eth0", [], "fe80::1"),
        (None, ["203.0.113.7"], "unknown"),
    ],
)
def test_from_where_somebody_asks_is_said_by_trusted_proxies_alone(peer, forwarded, found):
    assert networks.origin(peer, forwarded, PROXIES) == found


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.99.1", True),
        ("203.0.113.7", "203.1.113.7", False),
        ("2001:db8:1::1", "2001:db8:2::1", True),
        ("2001:db8::1", "2001:db9::1", False),
        ("203.0.113.7", "2001:db8::1", None),
        ("2001:db8::1", "203.0.113.7", None),
    ],
)
def test_a_phone_stays_within_its_carriers_network(before, now, same):
    assert networks.is_same("network", (before, None), now) is same


# forms, names


async def test_a_form_without_its_token_changes_nothing(stage, base):
    async with board.signed_in(stage, base) as browser, board.browsing(base) as other:
        own = (await browser.get("/me")).csrf
        foreign = (await other.get("/sign-in")).csrf
        for sent in ({}, {"csrf": ""}, {"csrf": foreign}, {"csrf": own[:-1]}):
            assert (await browser.post("/self", sent)).status == 403, sent
        assert (await browser.post("/self", {"csrf": own})).status == 200
        assert (await browser.post("/self", headers={"X-CSRF-Token": own})).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({}, 200),
    ],
    ids=str,
)
async def test_a_form_of_another_site_changes_nothing(stage, base, headers, status):
    async with board.signed_in(stage, base) as browser:
        csrf = (await browser.get("/me")).csrf
        assert (await browser.post("/self", {"csrf": csrf}, headers=headers)).status == status


async def test_a_stranger_may_send_no_more_than_a_name_and_a_password(browser):
    seen = await browser.post("/sign-in", {"name": "x" * 20_000}, form="/sign-in")

    assert seen.status == 413

    async def pieces():
        yield b"name=anna"

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    async with browser.session.post(f"{browser.base}/sign-in", data=pieces(), headers=kind) as told:
        assert told.status == 413
    assert (await browser.ask("POST", "/sign-in")).status == 403


@pytest.mark.parametrize(
    ("host", "public", "loopback", "known"),
    [
        ("127.0.0.1:8080", None, True, True),
        ("localhost:8080", None, True, True),
        ("[::1]:8080", None, True, True),
        ("rebound.example", None, True, False),
        ("any.example", None, False, True),
        ("desk.example", "https://desk.example", False, True),
        ("desk.example:8443", "https://desk.example", False, True),
        ("DESK.example.", "https://desk.example", False, True),
        ("rebound.example", "https://desk.example", False, False),
        ("10.1.2.3", "https://desk.example", False, True),
        ("[", "https://desk.example", False, False),
        ("", None, True, False),
    ],
)
def test_only_names_of_ours_are_answered(host, public, loopback, known):
    assert forms.is_called(host, public, loopback=loopback) is known


async def test_a_page_under_another_name_is_refused(browser):
    seen = await browser.get("/sign-in", headers={"Host": "rebound.example"})

    assert seen.status == 421
    assert "public_url" in seen.text


# faults


@pytest.mark.parametrize(
    ("what", "status"),
    [("away", 503), ("mistaken", 422), ("theirs", 403), ("teapot", 422), ("bug", 500)],
)
async def test_a_fault_is_told_in_our_words_as_a_page_or_to_a_program(browser, what, status):
    page, told = await browser.get(f"/fail/{what}"), await said(browser, f"/api/v1/fail/{what}")

    assert (page.status, told[0]) == (status, status)
    for text in (page.text, str(told[1])):
        assert "buyer" not in text
        assert "password=x" not in text
    if what != "bug":
        assert told[2] == "application/problem+json"
        assert told[1]["status"] == status


async def test_what_is_not_theirs_is_a_line_of_the_trail(stage, base, pool):
    async with board.signed_in(stage, base) as browser:
        assert (await browser.get("/fail/theirs")).status == 403
    async with transaction(pool) as db:
        (line,) = await audit.lines(db, audit.Asked(act="refused"), None, "", 9)
    assert (line.who, line.detail["why"]) == ("anna", "not_theirs")


async def test_what_is_not_there_is_told_alike(browser):
    assert (await browser.get("/nowhere")).status == 404
    assert (await said(browser, "/api/v1/nowhere"))[1]["code"] == "not_found"
    assert (await browser.ask("DELETE", "/sign-in")).status == 405


async def test_a_script_is_led_away_to_sign_in_from_a_page_and_from_no_form(browser):
    asked = await browser.get("/self", headers={"HX-Request": "true"})
    sent = await browser.post("/self", headers={"HX-Request": "true"})

    assert (asked.status, asked.headers["HX-Redirect"]) == (401, "/sign-in?next=/self")
    assert (sent.status, sent.headers.get("HX-Redirect")) == (401, None)


async def test_a_flood_of_refusals_of_strangers_is_a_few_lines(browser, logged):
    await asyncio.gather(*(said(browser, **bearer(f"rb_{n}")) for n in range(40)))

    assert sum(one["event"] == "refused at the board" for one in logged) == 1
