"""Signing in by name and password, and what a session is good for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from prometheus_client import generate_latest
from yarl import URL

from core.access import Role
from core.desk import passwords
from core.store import audit, people, sessions, transaction
from tests.web import board

pytestmark = pytest.mark.usefixtures("quick")
REAL = passwords.HASHER
GOOD = "a quiet green heron"


@pytest.fixture
async def anna(pool):
    await board.person(pool)
    hashing = passwords.Passwords()
    async with transaction(pool) as db:
        await people.set_password(db, "anna", await hashing.hashed(GOOD))
    hashing.close()


async def trail(pool, act=None):
    async with transaction(pool) as db:
        return await audit.lines(db, audit.Asked(act=act), None, "", 100)


async def sign_in(browser, name="anna", password=GOOD, to="/me", **kw):
    data = {"name": name, "password": password, "next": to}
    return await browser.post("/sign-in", data, form="/sign-in", **kw)


async def test_a_person_signs_in_and_is_where_they_wanted_to_be(browser, anna, pool):
    asked = await browser.get("/me?x=1")
    assert (asked.status, asked.headers["Location"]) == (303, "/sign-in?next=/me?x%3D1")

    seen = await sign_in(browser)

    assert (seen.status, seen.headers["Location"]) == (303, "/me")
    assert (await browser.get("/me")).status == 200
    (line,) = await trail(pool, "sign-in")
    assert (line.who, line.address) == ("anna", "127.0.0.1")
    assert line.detail == {"outcome": "success", "by": "password"}


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(browser, anna):
    cookie = (await sign_in(browser)).headers["Set-Cookie"]

    assert cookie.startswith("replyby=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


async def test_over_https_the_cookie_is_secure_and_no_neighbour_can_set_it(pool, anna):
    web = board.Web(listen="127.0.0.1:0", public_url="https://desk.example", proxies=("127.0.0.1",))
    stage = board.Stage(pool, web)
    async with board.served(stage) as base, board.browsing(base) as browser:
        asked = await browser.get("/sign-in", headers={"Host": "desk.example"})
        visit = asked.headers["Set-Cookie"].partition(";")[0]
        seen = await browser.post(
            "/sign-in",
            {"name": "anna", "password": GOOD, "csrf": asked.csrf},
            headers={"Host": "desk.example", "Origin": "https://desk.example", "Cookie": visit},
        )

    cookie = seen.headers["Set-Cookie"]
    assert cookie.startswith("__Host-replyby=")
    assert "Secure" in cookie.split("; ")
    assert visit.startswith("__Host-replyby-visit=")


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "x", ""]
)
async def test_nobody_is_sent_elsewhere_after_signing_in(browser, anna, to):
    assert (await sign_in(browser, to=to)).headers["Location"] == "/"


async def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(browser, anna, pool):
    wrong = await sign_in(browser, password="not the one at all")
    nobody = await sign_in(browser, name="nobody", password="not the one at all")

    assert (wrong.status, nobody.status) == (403, 403)
    assert wrong.text.replace("anna", "").replace(wrong.csrf, "") == nobody.text.replace(
        "nobody", ""
    ).replace(nobody.csrf, "")
    assert "wrong" in wrong.text
    assert [line.detail["name"] for line in await trail(pool, "sign-in")] == ["unknown", "anna"]
    assert {line.who for line in await trail(pool, "sign-in")} == {None}


async def test_what_is_typed_is_in_no_log_and_no_trail(browser, anna, pool, logged):
    secret = "typed-into-the-name-field"
    await sign_in(browser, name=secret, password=secret)
    await sign_in(browser)

    async with pool.acquire() as db:
        stored = [
            str(dict(row))
            for name in ("audit", "sign_in_try", "session", "person")
            for row in await db.fetch(f"table {name}")
        ]
    said = str(logged)
    for word in (
        secret,
        GOOD,
        browser.session.cookie_jar.filter_cookies(URL(browser.base))["replyby"].value,
    ):
        assert word not in said
        assert not any(word in row for row in stored)


async def test_who_guesses_waits_longer_each_time_but_never_for_good(browser, anna, stage):
    waits = []
    for _ in range(12):
        seen = await sign_in(browser, password="a guess and no more")
        while seen.status == 429:
            waits.append(int(seen.headers["Retry-After"]))
            stage.clock.now += timedelta(seconds=waits[-1])
            seen = await sign_in(browser, password="a guess and no more")
        assert seen.status == 403
    assert waits == [2, 3, 5, 9, 17, 33, 65]

    for _ in range(6):
        stage.clock.now += timedelta(minutes=16)
        await sign_in(browser, password="a guess and no more")
    held = await sign_in(browser)
    assert int(held.headers["Retry-After"]) <= 15 * 60 + 1
    stage.clock.now += timedelta(minutes=15, seconds=1)
    assert (await sign_in(browser)).status == 303


async def test_a_stranger_who_guesses_does_not_shut_anna_out_where_she_was_before(
    base, browser, anna, stage
):
    await sign_in(browser)
    async with board.browsing(base, "127.7.0.1") as stranger:
        for _ in range(5):
            assert (await sign_in(stranger, password="a guess and no more")).status == 403
        assert (await sign_in(stranger)).status == 429
    async with board.browsing(base, "127.8.0.1") as elsewhere:
        assert (await sign_in(elsewhere)).status == 429

    async with board.browsing(base) as again:
        assert (await sign_in(again)).status == 303


async def test_one_address_that_tries_many_names_waits_too(base, anna):
    async with board.browsing(base, "127.9.0.1") as stranger:
        seen = [(await sign_in(stranger, name=f"name{n}", password="x")).status for n in range(21)]

    assert seen == [403] * 20 + [429]


async def test_many_guesses_at_once_are_counted_as_many(browser, anna):
    csrf = (await browser.get("/sign-in")).csrf
    data = {"name": "anna", "password": "a guess and no more", "csrf": csrf}
    seen = await asyncio.gather(*(browser.post("/sign-in", data) for _ in range(30)))

    assert sorted(one.status for one in seen) == [403] * 5 + [429] * 25


async def test_a_flood_of_sign_ins_is_told_to_come_again(anna):
    hashing = passwords.Passwords()
    tries = [hashing.matches(None, "x") for _ in range(passwords.MOST_WAITING + 3)]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    hashing.close()

    assert [isinstance(one, passwords.Busy) for one in ended].count(True) == 3
    assert ended.count(False) == passwords.MOST_WAITING


async def test_who_was_told_to_come_again_is_not_counted_as_wrong(browser, anna, monkeypatch):
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)
    for _ in range(30):
        assert (await sign_in(browser)).status == 503
    monkeypatch.undo()

    assert (await sign_in(browser)).status == 303


async def test_a_session_that_somebody_planted_is_not_the_one_that_is_signed_in(
    browser, base, anna, pool
):
    browser.session.cookie_jar.update_cookies({"replyby": "planted"}, URL(base))
    await sign_in(browser)

    held = browser.session.cookie_jar.filter_cookies(URL(base))["replyby"].value
    assert held != "planted"
    async with board.browsing(base, Cookie="replyby=planted") as thief:
        assert (await thief.get("/me")).status == 303


async def test_signing_in_again_ends_the_session_before(browser, base, anna, pool):
    await sign_in(browser)
    old = browser.session.cookie_jar.filter_cookies(URL(base))["replyby"].value
    csrf = (await browser.get("/me")).csrf
    await browser.post("/sign-in", {"name": "anna", "password": GOOD, "csrf": csrf})

    async with board.browsing(base, Cookie=f"replyby={old}") as before:
        assert (await before.get("/me")).status == 303
    assert (await browser.get("/me")).status == 200


async def test_the_database_holds_digests_of_sessions_only(pool, anna):
    secret = await board.begun(pool)

    async with pool.acquire() as db:
        (row,) = await db.fetch("table session")
    assert secret not in str(dict(row))
    assert row["digest"] == sessions.digest(secret)


async def test_a_session_ends_when_it_was_idle_or_is_old(pool, stage, base):
    async with board.signed_in(stage, base) as browser:
        for _ in range(15):
            stage.clock.now += timedelta(hours=11)
            assert (await browser.get("/me")).status == 200
        stage.clock.now += timedelta(hours=11)
        assert (await browser.get("/me")).status == 303
    async with board.signed_in(stage, base, name="bela") as browser:
        stage.clock.now += timedelta(hours=12, minutes=2)
        assert (await browser.get("/me")).status == 303


@pytest.mark.parametrize(
    ("bound", "near", "far"), [("network", 200, 303), ("exact", 303, 303), ("any", 200, 200)]
)
async def test_a_session_from_another_address_is_refused_ended_and_logged(
    pool, bound, near, far, logged
):
    stage = board.Stage(pool, board.Web(listen="127.0.0.1:0", session_address=bound))
    async with board.served(stage) as base:
        for number, (local, status) in enumerate([("127.0.0.9", near), ("127.5.0.1", far)]):
            async with board.signed_in(stage, base, name=f"anna{number}") as browser:
                held = browser.session.cookie_jar.filter_cookies(URL(base))["replyby"].value
                async with board.browsing(base, local, Cookie=f"replyby={held}") as thief:
                    assert (await thief.get("/me")).status == status
                assert (await browser.get("/me")).status == status

    refused = await trail(pool, "refused")
    assert len(refused) == [near, far].count(303)
    assert [one["event"] for one in logged] == ["session from another address ended"] * len(refused)
    if refused:
        assert refused[0].detail == {"why": "address", "began_at": "127.0.0.1"}
        assert refused[0].address == "127.5.0.1"


async def test_what_was_taken_away_is_gone_at_the_next_request(pool, stage, base):
    async with board.signed_in(stage, base, Role.LEAD) as browser:
        assert (await browser.get("/me")).status == 200
        async with transaction(pool) as db:
            await people.disable(db, "anna", stage.clock())
        assert (await browser.get("/me")).status == 303


async def test_signing_out_ends_the_session(stage, base, pool):
    async with board.signed_in(stage, base) as browser:
        held = browser.session.cookie_jar.filter_cookies(URL(base))["replyby"].value
        seen = await browser.post("/sign-out", form="/me")
        assert (seen.status, seen.headers["Location"]) == (303, "/sign-in")
        async with board.browsing(base, Cookie=f"replyby={held}") as thief:
            assert (await thief.get("/me")).status == 303
    assert [line.who for line in await trail(pool, "sign-out")] == ["anna"]


async def test_an_old_hash_is_made_anew_at_sign_in(browser, pool):
    await board.person(pool)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    assert REAL.hash("").startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    async with transaction(pool) as db:
        await people.set_password(db, "anna", weak)
    await sign_in(browser)

    async with transaction(pool) as db:
        hashed = await people.password_of(db, "anna")
    assert passwords.outdated(weak)
    assert not passwords.outdated(hashed)
    assert hashed.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        (GOOD, []),
        ("비밀번호는 아주 길어야 해요", []),
        ("short", ["short"]),
        ("anna is my own name", ["name"]),
        ("Password1234", ["worst"]),
        ("P4ssw0rd!2026", ["worst"]),
        ("aaaaaaaaaaaaaaa", ["worst"]),
        ("123412341234", ["worst"]),
        ("x" * 300 + "abcdef", ["long"]),
    ],
)
def test_a_password_is_long_and_neither_a_name_nor_one_of_the_worst(password, faults):
    assert passwords.faults(password, "anna") == faults


async def test_each_try_is_counted_by_what_became_of_it(browser, anna, stage):
    await sign_in(browser, password="a guess and no more")
    await sign_in(browser)

    said = generate_latest(stage.metrics.registry).decode()
    assert 'replyby_sign_ins_total{means="password",outcome="wrong"} 1.0' in said
    assert 'replyby_sign_ins_total{means="password",outcome="success"} 1.0' in said
