"""Doors that were open a crack: each of these let somebody further, or wore us out, before."""

from __future__ import annotations

import asyncio

import pytest
from multidict import CIMultiDict
from yarl import URL

from core.access import Role
from core.capabilities import Capabilities, Unwelcome
from core.configuration.access import Group, Proxy, Web
from core.desk import limits, passwords
from core.desk.limits import MOST_OF_A_RULE
from core.store import audit, people, sessions, transaction
from core.web.signing.openid import AWAY
from core.web.signing.service import local
from tests.web import board, test_openid
from tests.web.test_openid import BACK, sent_back, whys

op = test_openid.op


def proxied():
    return Web(
        listen="127.0.0.1:0", sign_in="proxy", proxies=("127.0.0.1",),
        proxy=Proxy(groups="X-Groups"),
        groups={"some": Group(role=Role.VIEWER, accounts=frozenset({"mk"})),
                "admins": Group(role=Role.ADMIN)},
    )  # fmt: skip


async def trail(pool, act):
    async with transaction(pool) as db:
        return await audit.lines(db, audit.Asked(act=act), None, "", 50)


# proxies


async def test_a_second_header_of_groups_makes_nobody_an_admin(stage, pool, logged):
    stage.web = proxied()
    said = CIMultiDict([("X-Forwarded-User", "eve"), ("X-Groups", "admins"), ("X-Groups", "some")])
    async with board.served(stage) as base, board.browsing(base) as eve:
        assert (await eve.get("/people", headers=said)).status == 401
        assert "proxy_twice" in str(logged)
        async with transaction(pool) as db:
            assert await people.of(db, "eve") is None

        one = {"X-Forwarded-User": "eve", "X-Groups": "some"}
        assert (await eve.get("/", headers=one)).status == 200


async def test_who_asks_several_times_at_once_for_the_first_time_is_one_line(stage, pool):
    stage.web = proxied()
    one = {"X-Forwarded-User": "eve", "X-Groups": "some"}
    async with board.served(stage) as base, board.browsing(base) as eve:
        seen = await asyncio.gather(*(eve.get("/me", headers=one) for _ in range(8)))

    assert {answer.status for answer in seen} == {200}
    assert len(await trail(pool, "people")) == 1


# OpenID


ELSEWHERE = ("/\t/evil.example/x", "/\n/evil.example", "/\r/evil.example", "//evil.example",
             "/\\evil.example", "https://evil.example", "/sign-out")  # fmt: skip


@pytest.mark.parametrize("to", ELSEWHERE)
def test_nobody_is_led_elsewhere_by_an_address_that_looks_like_ours(to):
    assert local(to) == "/"


@pytest.mark.parametrize("to", ["/%09/evil.example/x", "/%0a/evil.example", "/sign-out"])
async def test_nobody_is_sent_elsewhere_by_way_of_a_provider(stage, pool, op, to):
    op.now = stage.clock
    stage.web = test_openid.by(op)
    await board.person(pool)
    async with board.served(stage) as base, board.browsing(base) as anna:
        asked = URL(f"{base}/sign-in/oidc?next={to}", encoded=True)
        async with anna.session.get(asked, allow_redirects=False) as answer:
            there = answer.headers["Location"]
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        back = URL(base + await sent_back(there), encoded=True)
        held = {"Cookie": cookie}
        async with (
            board.browsing(base) as bare,
            bare.session.get(back, allow_redirects=False, headers=held) as answer,
        ):
            assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_a_stranger_fills_no_trail_with_answers_of_no_provider(stage, pool, op):
    op.now = stage.clock
    stage.web = test_openid.by(op)
    async with board.served(stage) as base, board.browsing(base) as stranger:
        for n in range(20):
            forged = {"Cookie": f"replyby-login={n}.{int(board.NOW.timestamp())}../"}
            await stranger.get(BACK)
            await stranger.get(f"{BACK}?state=x", headers=forged)

    assert sorted(await whys(pool)) == ["no_cookie", "state"]


async def test_a_provider_that_is_away_is_not_asked_for_each_stranger(stage, op):
    op.now, op.gone = stage.clock, "discovery"
    stage.web = test_openid.by(op)
    async with board.served(stage) as base, board.browsing(base) as stranger:
        first = await stranger.get("/sign-in/oidc")
        op.gone, before = "", op.met
        soon = await stranger.get("/sign-in/oidc")
        asked = op.met - before
        stage.clock.now += AWAY
        later = await stranger.get("/sign-in/oidc")

    assert (first.status, soon.status, asked, later.status) == (502, 502, 0, 303)


# passwords


@pytest.mark.parametrize(
    "password",
    ["123456789012", "1234567890ab", "qwer1234qwer", "Sommer2026!!", "passwort1234",
     "Winter2025???", "samsung123456", "abcabcabcdef", "hunter hunter hunter",
     "zyxwvutsrqpo", "1q2w3e4r5t6y",
     "qwertzuiop123", "asdfghjkl;'#", "11112222333344"],
)  # fmt: skip
def test_passwords_that_everybody_tries_first_are_not_taken(password):
    assert passwords.faults(password, "anna") == ["worst"]


@pytest.mark.parametrize(
    "password",
    ["a quiet green heron", "correct horse battery staple", "우리집고양이이름은나비",
     "winter is cold up here", "Xk7#mQ2!vB9p", "der alte Hut im Schrank",
     "猫は窓の外を見ている", "2026 was a very odd year"],
)  # fmt: skip
def test_passwords_of_a_few_words_are_taken_in_any_script(password):
    assert passwords.faults(password, "anna") == []


@pytest.mark.parametrize("password", ["고양이나비야", "긴 비밀번호"])
def test_a_few_syllables_are_too_few(password):
    assert "short" in passwords.faults(password, "anna")


def test_a_password_of_megabytes_is_long_before_anything_else_is_asked():
    assert passwords.faults("\ufdfa" * 10**6, "anna") == ["long"]


# texts


def test_a_thousand_faults_of_a_kind_are_told_a_few_times():
    can = Capabilities(replies=True, longest_reply=2_000, unwelcome=(Unwelcome("link", "rules"),))
    for text in ("\1" * 50_000, "{{item}}" * 50_000, "https://a.example " * 5_000):
        found = limits.complaints(text, can)
        rules = [one.rule for one in found]
        assert max(map(rules.count, rules)) <= MOST_OF_A_RULE
        assert "longest" in rules


# sessions


@pytest.mark.parametrize(
    ("means", "sign_in", "stays"),
    [
        ("password", "password", True), ("link", "password", True), ("oidc", "password", False),
        ("password", "proxy", False), ("oidc", "proxy", False), ("link", "proxy", True),
    ],
)  # fmt: skip
async def test_who_signed_in_by_a_way_that_is_shut_now_signs_in_anew(
    stage, pool, means, sign_in, stays
):
    await board.person(pool)
    async with transaction(pool) as db:
        await sessions.begin(
            db, "s" * 43, "anna", means, address="127.0.0.1", network="127.0.0.1/32", browser="",
            now=board.NOW,
        )  # fmt: skip
    proxies = ("127.0.0.1",) if sign_in == "proxy" else ()
    stage.web = Web(listen="127.0.0.1:0", sign_in=sign_in, proxies=proxies)
    async with board.served(stage) as base, board.browsing(base, Cookie=f"replyby={'s' * 43}") as a:
        assert (await a.get("/me")).status == (200 if stays else 303)

    async with pool.acquire() as db:
        why = await db.fetchval("select end_reason from session")
    assert why == (None if stays else "means")


async def test_who_guesses_from_the_same_office_shuts_nobody_out_who_was_there(stage, pool):
    await board.person(pool)
    async with transaction(pool) as db:
        await people.set_password(db, "anna", passwords.HASHER.hash("a quiet green heron"))
    await board.begun(pool)
    async with board.served(stage) as base, board.browsing(base) as laptop:
        csrf = (await laptop.get("/sign-in")).csrf
        for n in range(21):
            data = {"name": f"name{n}", "password": "x", "csrf": csrf}
            last = await laptop.post("/sign-in", data)
        assert last.status == 429
        data = {"name": "anna", "password": "a quiet green heron", "csrf": csrf}
        assert (await laptop.post("/sign-in", data)).status == 303
