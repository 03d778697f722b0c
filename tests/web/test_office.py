"""People, one's own page and the audit trail, as those see and use them who may."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from yarl import URL

from core.access import Role, Who
from core.desk import admitting, passwords
from core.errors import Mistaken
from core.store import audit, people, sessions, tokens, transaction
from tests.web import board

GOOD, OTHER = "a quiet green heron", "another bird by the lake"
pytestmark = pytest.mark.usefixtures("quick")
ROOT = Who("root", Role.ADMIN, means="cli")


@pytest.fixture
async def root(stage, base):
    async with board.signed_in(stage, base, Role.ADMIN, name="root") as browser:
        yield browser


@asynccontextmanager
async def anna(stage, base, role=Role.AGENT, accounts=None):
    async with board.signed_in(stage, base, role, accounts) as browser:
        async with transaction(stage.pool) as db:
            await people.set_password(db, "anna", passwords.HASHER.hash(GOOD))
        yield browser


async def of(pool, name="anna"):
    async with transaction(pool) as db:
        return await people.of(db, name)


async def acts(pool):
    async with transaction(pool) as db:
        lines = await audit.lines(db, audit.Asked(), None, "", 50)
    return [(line.who, line.act, line.detail.get("did")) for line in reversed(lines)]


# people


async def test_an_admin_lets_somebody_in_changes_what_they_may_and_ends_it(root, base, pool):
    new = {"name": "Anna", "title": "Anna  Example", "role": "agent", "account": "mk"}
    assert (await root.post("/people/add", new, form="/people")).status == 303
    shown = await root.post("/people/invite", {"name": "anna"}, form="/people")
    link = re.search(r"/enter/[\w-]{43}", shown.text)[0]
    assert f"<code>{base}{link}</code>" in shown.text
    assert link not in (await root.get("/people")).text

    async with board.browsing(base) as browser:
        chosen = {"password": GOOD, "again": GOOD}
        assert (await browser.post(link, chosen, form=link)).status == 303
        assert (await browser.get("/audit")).status == 403

        more = {"name": "anna", "title": "Anna", "role": "lead", "all": "1"}
        assert (await root.post("/people/grant", more, form="/people")).status == 303
        assert (await browser.get("/audit")).status == 200

        await root.post("/people/disable", {"name": "anna"}, form="/people")
        assert (await browser.get("/me")).status == 303
    await root.post("/people/enable", {"name": "anna"}, form="/people")

    found = await of(pool)
    assert (found.title, found.role, found.accounts) == ("Anna", Role.LEAD, None)
    assert not found.has_password
    did = [line[2] for line in await acts(pool) if line[0] == "root"]
    assert did == ["added", "invited", "changed", "disabled", "enabled"]


@pytest.mark.parametrize(
    ("path", "sent", "mend"),
    [
        ("add", {"name": "Anna Example", "role": "agent", "all": "1"}, "no name"),
        ("add", {"name": "root", "role": "agent", "all": "1"}, "somebody is called root already"),
        ("add", {"name": "anna", "role": "emperor", "all": "1"}, "no such role"),
        ("add", {"name": "anna", "role": "agent"}, "choose the accounts"),
        ("grant", {"name": "nobody", "role": "agent", "all": "1"}, "nobody is called"),
        ("grant", {"name": "root", "role": "lead", "all": "1"}, "last admin"),
        ("disable", {"name": "root"}, "last admin"),
        ("enable", {"name": "root"}, "not disabled"),
        ("invite", {"name": "nobody"}, "nobody is called"),
        ("token/end", {"number": "7"}, "no token"),
        ("token/end", {"number": "x"}, "no token"),
    ],
)
async def test_what_cannot_be_is_said_with_its_mend(root, path, sent, mend):
    seen = await root.post(f"/people/{path}", sent, form="/people")

    assert seen.status == 422
    assert mend in seen.text


async def test_nobody_gives_more_than_they_have(pool):
    await board.person(pool, "anna", Role.AGENT, {"mk"})
    await board.person(pool, "bela", Role.AGENT)
    some = Who("lead", Role.ADMIN, frozenset({"mk", "other"}))
    async with transaction(pool) as db:
        for accounts in (None, {"mk", "third"}):
            with pytest.raises(Mistaken, match="you do not see"):
                await admitting.grant(
                    db, some, "anna", title="", role=Role.AGENT, accounts=accounts,
                    by="password", now=board.NOW,
                )  # fmt: skip
        with pytest.raises(Mistaken, match="you do not see"):
            await admitting.disable(db, some, "bela", "password", board.NOW)
        await admitting.grant(
            db, some, "anna", title="", role=Role.LEAD, accounts={"other"}, by="password",
            now=board.NOW,
        )  # fmt: skip


# one's own page


async def test_ones_own_language_and_zone(stage, base, pool):
    async with anna(stage, base) as browser:
        await browser.post("/me/prefer", {"language": "ko", "zone": "Asia/Seoul"}, form="/me")
        page = (await browser.get("/me")).text
        wrong = await browser.post("/me/prefer", {"zone": "Asia/Nowhere"}, form="/me")

    assert '<html lang="ko">' in page
    assert wrong.status == 422
    assert (await of(pool)).zone == "Asia/Seoul"


async def test_another_password_ends_the_other_sessions(stage, base, pool):
    async with anna(stage, base) as browser:
        elsewhere = await board.begun(pool)
        sent = {"current": GOOD, "password": OTHER, "again": OTHER}
        seen = await browser.post("/me/password", sent, form="/me")

        assert seen.status == 200
        assert "is changed" in seen.text
        assert (await browser.get("/me")).status == 200
        async with board.browsing(base, Cookie=f"replyby={elsewhere}") as other:
            assert (await other.get("/me")).status == 303
            new = {"name": "anna", "password": OTHER}
            assert (await other.post("/sign-in", new, form="/sign-in")).status == 303


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"current": OTHER}, "not your password until now"),
        ({"password": "short", "again": "short"}, "12 characters"),
        ({"again": GOOD}, "differ"),
    ],
)
async def test_a_password_that_cannot_be_changed_so_stays(stage, base, pool, sent, told):
    async with anna(stage, base) as browser:
        whole = {"current": GOOD, "password": OTHER, "again": OTHER, **sent}
        seen = await browser.post("/me/password", whole, form="/me")

    assert (seen.status, told in seen.text) == (422, True)
    async with transaction(pool) as db:
        assert passwords._matches(await people.password_of(db, "anna"), GOOD)


async def test_guesses_at_an_open_desk_wait_too(stage, base):
    async with anna(stage, base) as browser:
        guess = {"current": "not this one", "password": OTHER, "again": OTHER}
        for _ in range(5):
            await browser.post("/me/password", guess, form="/me")
        seen = await browser.post("/me/password", {**guess, "current": GOOD}, form="/me")

    assert seen.status == 422


async def test_a_token_is_shown_once_and_ended_by_its_person(stage, base, pool):
    async with anna(stage, base, accounts={"mk", "other"}) as browser:
        asked = {"name": "a robot", "role": "viewer", "account": "mk", "days": "30"}
        shown = await browser.post("/me/token", asked, form="/me")
        (token,) = re.findall(r"rb_[\w-]{43}", shown.text)
        again = (await browser.get("/me")).text
        async with transaction(pool) as db:
            (found,) = await tokens.of_person(db, "anna")
        too_much = await browser.post("/me/token", {**asked, "role": "admin"}, form="/me")
        ended = await browser.post("/me/token/end", {"number": found.id}, form="/me")

    assert token not in again
    assert "a robot" in again
    assert (found.role, found.accounts) == (Role.VIEWER, frozenset({"mk"}))
    assert found.ends_at == board.NOW + timedelta(days=30)
    assert (too_much.status, ended.status) == (422, 303)
    async with transaction(pool) as db:
        assert await tokens.of_person(db, "anna") == []


async def test_nobody_ends_anothers_token_but_who_lets_people_in(stage, base, pool, root):
    async with anna(stage, base) as browser:
        await browser.post("/me/token", {"name": "a robot", "role": "viewer"}, form="/me")
    async with transaction(pool) as db:
        (found,) = await tokens.of_person(db, "anna")
    async with board.signed_in(stage, base, Role.LEAD, name="lena") as lena:
        seen = await lena.post("/me/token/end", {"number": found.id}, form="/me")
        assert seen.status == 422
    assert "a robot" in (await root.get("/people")).text
    assert (
        await root.post("/people/token/end", {"number": found.id}, form="/people")
    ).status == 303


async def test_ones_sessions_are_listed_and_ended(stage, base, pool):
    async with anna(stage, base) as browser:
        held = [await board.begun(pool, address="192.0.2.9") for _ in range(3)]
        assert (await browser.get("/me")).text.count("192.0.2.9") == 3
        async with transaction(pool) as db:
            number = (await sessions.of(db, held[0]))[0].id
        await browser.post("/me/session/end", {"number": number}, form="/me")
        assert (await browser.get("/me")).text.count("192.0.2.9") == 2
        await browser.post("/me/session/end", {"others": "1"}, form="/me")
        assert (await browser.get("/me")).text.count("192.0.2.9") == 0


async def test_nobody_ends_anothers_session(stage, base, pool, root):
    async with anna(stage, base) as browser:
        held = root.session.cookie_jar.filter_cookies(URL(base))["replyby"].value
        async with transaction(pool) as db:
            number = (await sessions.of(db, held))[0].id
        await browser.post("/me/session/end", {"number": number}, form="/me")
    assert (await root.get("/me")).status == 200


# the audit trail


async def test_the_trail_is_read_by_filter_page_by_page(stage, base, pool):
    async with transaction(pool) as db:
        for number in range(150):
            who = Who("bela", Role.AGENT, address="192.0.2.1")
            detail = {"seen": number}
            await audit.write(
                db, who, "read", account="mk", thread="<b>T</b>", detail=detail, now=board.NOW
            )
    async with anna(stage, base, Role.LEAD) as browser:
        first = (await browser.get("/audit?who=bela&act=read")).text
        older = re.search(r'href="(/audit\?[^"]+before=\d+)"', first)[1].replace("&amp;", "&")
        second = (await browser.get(older)).text
        none = (await browser.get("/audit?who=nobody&before=x")).text

    assert (first.count("seen: "), second.count("seen: ")) == (100, 50)
    assert "<b>T" not in first
    assert "&lt;b&gt;T" in first
    assert "Nothing of that kind" in none


async def test_who_sees_some_accounts_reads_of_those_alone(stage, base, pool):
    async with transaction(pool) as db:
        for account in ("mk", "other"):
            await audit.write(
                db, Who("bela", Role.AGENT), "read", account=account, thread="T9", now=board.NOW
            )
    async with anna(stage, base, Role.LEAD, {"mk"}) as browser:
        text = (await browser.get("/audit")).text

    assert text.count("T9</bdi>") == 1
