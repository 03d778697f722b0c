"""Signing in by an OpenID provider that listens on loopback, and whatever it may do wrong."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from yarl import URL

from core.access import Role
from core.configuration.access import Group, Oidc, Web
from core.store import audit, people, transaction
from core.web.signing import provider as asking
from tests.web import board, provider

BACK = "/sign-in/oidc/back"


@pytest.fixture
async def op():
    async with provider.serving(board.Clock()) as found:
        yield found


@pytest.fixture
def stage(pool, op):
    stage = board.Stage(pool)
    op.now = stage.clock
    stage.web = by(op)
    return stage


def by(op, groups=None, **oidc):
    made = Oidc(
        **{
            "issuer": op.issuer,
            "client_id": provider.CLIENT,
            "client_secret": provider.SECRET,
            "first_by_name": True,
            **oidc,
        }
    )
    return Web(
        listen="127.0.0.1:0", public_url="http://desk.example", sign_in="oidc", oidc=made,
        groups=groups or {},
    )  # fmt: skip


SUPPORT = {"support": Group(role=Role.AGENT, accounts=frozenset({"mk"}))}


async def left(browser, to="/me"):
    """Where the provider is asked, by whoever wants to sign in."""
    return (await browser.get(f"/sign-in/oidc?next={to}")).headers["Location"]


async def sent_back(there):
    """The path and query with which the provider sends somebody back."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(URL(there, encoded=True), allow_redirects=False) as answer,
    ):
        back = answer.headers["Location"]
    assert back.startswith(f"http://desk.example{BACK}?")
    return back.removeprefix("http://desk.example")


async def arrived(browser, to="/me"):
    back = await sent_back(await left(browser, to))
    return await browser.get(URL(browser.base + back, encoded=True).raw_path_qs)


async def whys(pool):
    async with transaction(pool) as db:
        lines = await audit.lines(db, audit.Asked(act="sign-in"), None, "", 20)
    return [line.detail.get("why") for line in lines]


async def test_what_leaves_for_the_provider_holds_state_nonce_and_a_challenge(browser):
    query = dict(parse_qsl(urlsplit(await left(browser)).query))

    assert query["tenant"] == "1"
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == f"http://desk.example{BACK}"
    assert query["scope"] == "openid profile email"
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3


@pytest.mark.parametrize(
    ("alg", "method"), [("RS256", "client_secret_basic"), ("ES256", "client_secret_post")]
)
async def test_who_is_known_is_signed_in_where_they_wanted_to_be(browser, op, pool, alg, method):
    op.alg, op.methods = alg, (method,)
    await board.person(pool)
    seen = await arrived(browser)

    assert (seen.status, seen.headers["Location"]) == (303, "/me")
    assert (await browser.get("/me")).status == 200


async def test_who_nobody_knows_is_refused_and_so_is_somebody_disabled(browser, op, pool):
    assert (await arrived(browser)).status == 401
    await board.person(pool)
    async with transaction(pool) as db:
        await people.disable(db, "anna", board.NOW)
    assert (await arrived(browser)).status == 401

    assert await whys(pool) == ["disabled", "stranger"]


async def test_a_name_that_the_provider_gives_to_somebody_else_one_day_is_not_theirs(
    browser, op, pool
):
    await board.person(pool)
    assert (await arrived(browser)).status == 303
    op.claims["sub"] = "s-2"
    assert (await arrived(browser)).status == 401
    op.claims.update(sub="s-1", preferred_username="anna-married")
    assert (await arrived(browser)).status == 303

    assert await whys(pool) == [None, "other_subject", None]


async def test_groups_say_at_each_sign_in_who_may_what(base, browser, op, pool, stage):
    stage.web = by(op, SUPPORT)
    assert (await arrived(browser)).status == 303
    assert "Agent" in (await browser.get("/me")).text

    stage.web = by(op, {"support": Group(role=Role.LEAD), "boss": Group(role=Role.ADMIN)})
    assert (await arrived(browser)).status == 303
    async with transaction(pool) as db:
        anna = await people.of(db, "anna")
    assert (anna.role, anna.accounts) == (Role.LEAD, None)

    op.claims["groups"] = ["others"]
    assert (await arrived(browser)).status == 401
    assert (await whys(pool))[0] == "no_group"


async def test_groups_that_only_the_userinfo_tells_are_asked_for(browser, op, stage):
    stage.web = by(op, SUPPORT)
    del op.claims["groups"]
    op.beside = {"sub": "s-1", "groups": "support"}
    assert (await arrived(browser)).status == 303

    op.beside = {"sub": "somebody-else", "groups": "support"}
    assert (await arrived(browser)).status == 401


WRONG = [
    {"nonce": "another"},
    {"nonce": None},
    {"aud": "another-client"},
    {"aud": [provider.CLIENT, "another"], "azp": "another"},
    {"aud": [provider.CLIENT, "another"]},
    {"aud": None},
    {"iss": "https://other.example"},
    {"iss": None},
    {"exp": 1},
    {"exp": None},
    {"exp": "tomorrow"},
    {"iat": 4_000_000_000},
    {"nbf": 4_000_000_000},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"at_hash": "of-another-token"},
    {"preferred_username": "Anna Example"},
    {"preferred_username": None},
    {"preferred_username": ["anna"]},
]


async def test_a_token_that_is_not_for_us_now_and_here_signs_nobody_in(browser, op, pool):
    await board.person(pool)
    for op.wrong in WRONG:
        assert (await arrived(browser)).status == 401, op.wrong
        assert (await browser.get("/me")).status == 303, op.wrong

    assert len(await whys(pool)) == len(WRONG)


async def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(browser, op, pool):
    await board.person(pool)
    for how in ("forged", "unsigned", "shared"):
        setattr(op, how, True)
        assert (await arrived(browser)).status == 401, how
        setattr(op, how, False)

    assert all(why.startswith("id_token: ") for why in await whys(pool))


async def test_a_clock_may_be_off_a_little(browser, op, pool, stage):
    await board.person(pool)
    now = int(stage.clock().timestamp())
    for seconds, status in ((50, 303), (70, 401)):
        op.wrong = {"exp": now - seconds}
        assert (await arrived(browser)).status == status


async def test_a_code_is_taken_once(browser, op, pool):
    await board.person(pool)
    back = await sent_back(await left(browser))
    held = browser.session.cookie_jar.filter_cookies(URL(browser.base))["replyby-login"].value
    assert (await browser.get(back)).status == 303

    cookie = {"Cookie": f"replyby-login={held}"}
    async with board.browsing(browser.base, **cookie) as again:
        assert (await again.get(back)).status == 401
    assert (await whys(pool))[0] == "code"


async def test_the_answer_for_another_browser_signs_nobody_in(base, browser, op, pool):
    await board.person(pool)
    back = await sent_back(await left(browser))
    async with board.browsing(base) as other:
        assert (await other.get(back)).status == 401
        await left(other)
        assert (await other.get(back)).status == 401

    assert await whys(pool) == ["state", "no_cookie"]


async def test_who_comes_back_too_late_begins_again(browser, op, pool, stage):
    await board.person(pool)
    back = await sent_back(await left(browser))
    stage.clock.now += timedelta(minutes=11)
    assert (await browser.get(back)).status == 401

    assert await whys(pool) == ["late"]


ANSWERS = [
    ({"iss": "https://other.example"}, "iss"),
    ({"error": "access_denied"}, "declined"),
    ({"code": ""}, "declined"),
    ({"code": "guessed"}, "code"),
    ({"state": "x"}, "state"),
]


async def test_an_answer_of_another_or_without_a_code_signs_nobody_in(browser, op, pool):
    await board.person(pool)
    for op.answers_with, why in ANSWERS:
        assert (await arrived(browser)).status == 401, why
        assert (await whys(pool))[0] == why


async def test_keys_that_are_new_are_asked_for_once(browser, op, pool, monkeypatch):
    await board.person(pool)
    op.published = ("RS256",)
    assert (await arrived(browser)).status == 303
    op.alg = "ES256"
    assert (await arrived(browser)).status == 401
    op.published = ("RS256", "ES256")
    monkeypatch.setattr(asking, "AGAIN", 0.0)
    assert (await arrived(browser)).status == 303

    assert op.asked.count("keys") == 2


async def test_a_provider_that_calls_itself_otherwise_is_not_ours(browser, op):
    op.called = "https://other.example"

    assert (await browser.get("/sign-in/oidc")).status == 401


async def test_a_provider_that_is_away_is_said_so(browser, op, stage):
    stage.web = by(op, issuer="http://127.0.0.1:9/realm")
    seen = await browser.get("/sign-in/oidc")

    assert seen.status == 502
    assert "provider" in seen.text


async def test_a_provider_that_is_gone_meanwhile_signs_nobody_in(browser, op, pool):
    await board.person(pool)
    back = await sent_back(await left(browser))
    for op.gone in ("token", "keys"):
        seen = await browser.get(back)
        assert seen.status == 502
        assert "does not answer" in seen.text
        back = await sent_back(await left(browser))
    op.gone = ""
    assert (await browser.get(back)).status == 303


async def test_an_address_that_nobody_verified_is_no_name(browser, op, pool, stage):
    stage.web = by(op, name="email")
    await board.person(pool, "anna@desk.example")
    op.claims["email"] = "anna@desk.example"
    assert (await arrived(browser)).status == 401
    op.claims["email_verified"] = True
    assert (await arrived(browser)).status == 303


async def test_signing_out_leads_to_the_providers_own_end(browser, op, pool):
    await board.person(pool)
    await arrived(browser)
    seen = await browser.post("/sign-out", form="/me")

    (found,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', seen.text)
    assert (seen.status, "Location" in seen.headers) == (200, False)
    assert f'href="{found}"' in seen.text
    assert 'href="/people"' not in seen.text
    there = urlsplit(unescape(found))
    query = dict(parse_qsl(there.query))
    assert unescape(found).startswith(f"{op.issuer}/leave?")
    assert query["post_logout_redirect_uri"] == "http://desk.example/sign-in"
    assert query["id_token_hint"].count(".") == 2
    async with pool.acquire() as db:
        assert await db.fetchval("select count(*) from session where login is not null") == 0


async def test_with_a_provider_no_password_signs_in(browser, pool):
    seen = await browser.post("/sign-in", {"name": "anna", "password": "x"}, form="/sign-in")

    assert seen.status == 404
    assert "organisation" in (await browser.get("/sign-in")).text
