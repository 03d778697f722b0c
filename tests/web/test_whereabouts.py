"""From where a session is used, who is signed in, and what ends at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from multidict import CIMultiDict

from core.access import Role
from core.configuration.access import Web
from core.desk import patience
from core.store import audit, people, sessions, transaction, wake
from core.web.hub import Hub
from core.web.signing import networks
from tests.web import board

V4, NEAR4, FAR4 = "203.0.113.9", "203.0.7.1", "198.51.100.1"
V6, NEAR6, FAR6 = "2001:db8:1::1", "2001:db8:2::1", "2001:dead::1"


@pytest.fixture
def stage(pool):
    return board.Stage(pool, Web(listen="127.0.0.1:0", proxies=("127.0.0.1",)))


async def begun(pool, name="anna", address=V4, browser="Firefox", means="password", now=board.NOW):
    async with transaction(pool) as db:
        await sessions.begin(
            db, name.ljust(43, "s"), name, means, address=address, network=networks.near(address),
            browser=browser, now=now,
        )  # fmt: skip
    return {"Cookie": f"replyby={name.ljust(43, 's')}"}


def at(address, browser="Firefox"):
    return {"X-Forwarded-For": address, "User-Agent": browser}


async def trail(pool, act):
    async with transaction(pool) as db:
        return await audit.lines(db, audit.Asked(act=act), None, "", 20)


async def walked(pool, stage, bound, places):
    """How a session that began at `V4` is answered, from place to place."""
    stage.web = stage.web.model_copy(update={"session_address": bound})
    await board.person(pool)
    held = await begun(pool)
    async with board.served(stage) as base, board.browsing(base, **held) as browser:
        return [(await browser.get("/me", headers=at(*place))).status for place in places]


@pytest.mark.parametrize(
    ("bound", "places", "seen"),
    [
        ("network", [(V4,), (V6,), (V4,), (NEAR6,), (NEAR4,), (V6,)], [200] * 6),
        ("network", [(V6, "curl")], [303]),
        ("network", [(V6,), (FAR6,), (V4,)], [200, 303, 303]),
        ("network", [(V6,), (FAR4,), (V6,)], [200, 303, 303]),
        ("exact", [(V4,), (V4,), (V6,)], [200, 200, 303]),
        ("exact", [(NEAR4,)], [303]),
        ("any", [(V6, "curl"), (FAR4, "wget"), (FAR6,)], [200] * 3),
    ],
)
async def test_a_browser_goes_from_one_kind_of_address_to_the_other_and_back(
    pool, stage, bound, places, seen
):
    assert await walked(pool, stage, bound, places) == seen
    ended = 303 in seen

    assert len(await trail(pool, "refused")) == ended
    async with pool.acquire() as db:
        other, near = await db.fetchrow("select other_address, other_network from session")
    if bound in {"any", "exact"} or places[0][1:] == ("curl",):
        assert (other, await trail(pool, "session")) == (None, [])
        return
    (line,) = await trail(pool, "session")
    assert (line.detail["did"], line.address, other) == ("other_address", V6, V6)
    assert near == networks.near(V6)


@pytest.mark.parametrize(("minutes", "seen"), [(15, 200), (16, 303)])
async def test_who_comes_by_the_other_kind_long_after_the_sign_in_has_the_cookie_of_another(
    pool, stage, minutes, seen
):
    await board.person(pool)
    held = await begun(pool)
    stage.clock.now = board.NOW + timedelta(minutes=minutes)
    async with board.served(stage) as base, board.browsing(base, **held) as browser:
        assert (await browser.get("/me", headers=at(FAR6))).status == seen

    assert len(await trail(pool, "refused")) == (seen == 303)


async def test_of_two_that_come_at_once_by_the_other_kind_one_is_remembered(pool, stage):
    await board.person(pool)
    held = await begun(pool)
    async with board.served(stage) as base, board.browsing(base, **held) as browser:
        asked = (browser.get("/me", headers=at(place)) for place in (V6, NEAR6, V6, NEAR6))
        assert [one.status for one in await asyncio.gather(*asked)] == [200] * 4

    assert len(await trail(pool, "session")) == 1


async def test_who_was_there_by_either_kind_is_shut_out_by_no_stranger(pool, stage):
    await board.person(pool)
    held = await begun(pool)
    async with board.served(stage) as base, board.browsing(base, **held) as browser:
        await browser.get("/me", headers=at(V6))
        page = (await browser.get("/me", headers=at(V6))).text
    assert V4 in page
    assert V6 in page

    async with transaction(pool) as db:
        for place in (V4, V6, FAR6):
            made = await patience.begin(db, "anna", networks.near(place), board.NOW)
            assert (networks.near(place) in made.name) == (place != FAR6)


# who is signed in


async def test_an_admin_sees_who_is_signed_in_and_signs_them_out_everywhere(pool, stage):
    await board.person(pool)
    held = await begun(pool)
    await board.person(pool, "late")
    await begun(pool, "late", now=board.NOW - timedelta(days=8))
    async with (
        board.served(stage) as base,
        board.signed_in(stage, base, Role.ADMIN, name="root") as root,
        board.browsing(base, **held) as anna,
    ):
        page = (await root.get("/people")).text
        assert (V4 in page, "Firefox" in page, "late" in page.partition("Who is")[2]) == (
            True, True, False,
        )  # fmt: skip
        assert held["Cookie"].partition("=")[2] not in page
        assert (await anna.get("/me", headers=at(V4))).status == 200
        done = await root.post("/people/sign-out", {"name": "anna"}, form="/people")
        assert done.status == 303
        assert (await anna.get("/me", headers=at(V4))).status == 303
        assert V4 not in (await root.get("/people")).text
        assert (await root.get("/me")).status == 200

    line = (await trail(pool, "people"))[0]
    assert line.detail == {"did": "signed_out", "person": "anna", "sessions": 1}


async def test_an_admin_of_some_accounts_signs_out_and_sees_nobody_who_sees_more(pool, stage):
    await board.person(pool, "boss", Role.ADMIN)
    held = await begun(pool, "boss")
    here = frozenset({"mk"})
    async with (
        board.served(stage) as base,
        board.signed_in(stage, base, Role.ADMIN, here, "amy") as amy,
        board.browsing(base, **held) as boss,
    ):
        assert V4 not in (await amy.get("/people")).text
        done = await amy.post("/people/sign-out", {"name": "boss"}, form="/people")
        assert done.status == 422
        assert (await boss.get("/me", headers=at(V4))).status == 200


async def test_all_accounts_beside_some_are_refused(pool, stage):
    await board.person(pool, accounts={"mk"})
    async with (
        board.served(stage) as base,
        board.signed_in(stage, base, Role.ADMIN, name="root") as root,
    ):
        both = {"name": "anna", "role": "agent", "all": "1", "account": "mk"}
        seen = await root.post("/people/grant", both, form="/people")

    assert (seen.status, "two wishes" in seen.text) == (422, True)
    async with transaction(pool) as db:
        assert (await people.of(db, "anna")).accounts == {"mk"}


# at once


@asynccontextmanager
async def listening(pool, stage):
    """What the database says reaches the boards that are open."""
    async with pool.acquire() as connection:
        await wake.listen(connection, {}, stage.changes)
        try:
            yield
        finally:
            await connection.reset()


async def ends(stream):
    """What a stream says until it ends by itself."""
    async with asyncio.timeout(10):
        return await stream.content.read()


@pytest.mark.parametrize("what", ["role", "disabled", "signed_out", "own"])
async def test_what_is_taken_away_is_felt_by_open_streams_at_once(pool, stage, what):
    async with (
        board.served(stage) as base,
        listening(pool, stage),
        board.signed_in(stage, base, Role.ADMIN, name="root") as root,
        board.signed_in(stage, base, Role.LEAD) as anna,
        anna.session.get(f"{base}/live") as stream,
    ):
        await stream.content.readuntil(b"\n\n")
        if what == "own":
            await anna.post("/sign-out", form="/me")
        else:
            path = {"role": "grant", "disabled": "disable", "signed_out": "sign-out"}[what]
            sent = {"name": "anna", "role": "viewer", "account": "mk"}
            assert (await root.post(f"/people/{path}", sent, form="/people")).status == 303
        assert (await ends(stream)).endswith(b"event: reload\ndata: \n\n")


async def test_a_session_that_ended_elsewhere_is_felt_by_open_streams_at_once(pool, stage):
    await board.person(pool)
    held = await begun(pool)
    async with (
        board.served(stage) as base,
        listening(pool, stage),
        board.browsing(base, **held) as browser,
        browser.session.get(f"{base}/live", headers=at(V4)) as stream,
    ):
        await stream.content.readuntil(b"\n\n")
        assert (await browser.get("/me", headers=at(FAR4))).status == 303
        assert (await ends(stream)).endswith(b"event: reload\ndata: \n\n")


def test_nobody_elses_streams_are_doubted(stage):
    hub = Hub(stage.parts(), None, 3)
    with (
        hub.watching(("mk", "T1"), "anna", None) as anna,
        hub.watching(("mk", "T1"), "bela", None) as bela,
    ):
        hub.asked("anna")
        hub.asked("nobody")
        assert (anna.is_doubted, bela.is_doubted) == (True, False)
    assert hub.streams == 0


# headers


def https(**more):
    return Web(
        listen="127.0.0.1:0", public_url="https://desk.example", proxies=("127.0.0.1",), **more
    )


@pytest.mark.parametrize("path", ["/sign-in", "/", "/nowhere", "/api/v1/me", "/static/x", "/live"])
async def test_no_other_site_takes_part_in_what_is_answered(stage, path):
    async with (
        board.served(stage) as base,
        board.signed_in(stage, base) as anna,
        anna.session.get(base + path, allow_redirects=False) as seen,
    ):
        headers = seen.headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


async def test_https_alone_is_asked_for_where_the_settings_say_so(stage):
    named = {"Host": "desk.example"}
    async with board.served(stage) as base, board.browsing(base) as browser:
        for web, said in (
            (https(), None),
            (https(strict_transport=timedelta(days=1)), "max-age=86400"),
        ):
            stage.web = web
            seen = await browser.get("/sign-in", headers=named)
            assert seen.headers.get("Strict-Transport-Security") == said
    with pytest.raises(ValueError, match="without https"):
        Web(strict_transport=timedelta(days=1))


@pytest.mark.parametrize(
    ("said", "secure"),
    [
        (["https"], True), (["https, http"], True), (["https", "http"], True), (["HTTPS"], True),
        (["http, https"], False), (["http"], False), ([], False),
    ],
)  # fmt: skip
async def test_of_several_proxies_the_first_says_how_the_browser_came(stage, said, secure):
    headers = CIMultiDict([("X-Forwarded-Proto", one) for one in said])
    async with board.served(stage) as base:
        async with board.browsing(base) as browser:
            cookie = (await browser.get("/sign-in", headers=headers)).headers["Set-Cookie"]
        stage.web = Web(listen="127.0.0.1:0")
        async with board.browsing(base) as browser:
            strange = (await browser.get("/sign-in", headers=headers)).headers["Set-Cookie"]

    assert ("Secure" in cookie.split("; ")) is secure
    assert "Secure" not in strange.split("; ")
