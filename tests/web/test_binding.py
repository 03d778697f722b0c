"""Who a provider's account is here: bound by a link, by a name only where that is harmless."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from html import unescape

import pytest
from yarl import URL

from core.access import Role, Who
from core.configuration.access import Group, Proxy, Web
from core.desk import admitting
from core.store import audit, invitations, people, sessions, transaction
from tests.web import board, test_openid
from tests.web.test_openid import arrived, by, sent_back, whys

op = test_openid.op
ROOT = Who("root", Role.ADMIN, means="cli")
THERE = re.compile(r'http-equiv="refresh" content="0; url=([^"]+)"')


@pytest.fixture
def stage(pool, op):
    stage = board.Stage(pool)
    op.now = stage.clock
    stage.web = by(op)
    return stage


async def of(pool, name="anna"):
    async with transaction(pool) as db:
        return await people.of(db, name)


async def link(pool, name="anna", *, binds=True, now=board.NOW):
    async with transaction(pool) as db:
        return f"/enter/{await admitting.invite(db, ROOT, name, now, binds=binds)}"


async def bound(browser, path):
    """What whoever opens a link that binds meets, once the provider has sent them back."""
    led = await browser.post(path, form=path)
    back = await sent_back(unescape(THERE.search(led.text)[1]))
    return await browser.get(URL(browser.base + back, encoded=True).raw_path_qs)


@pytest.mark.parametrize(
    ("role", "password", "by_name", "status"),
    [
        (Role.AGENT, None, True, 303),
        (Role.AGENT, None, False, 401),
        (Role.AGENT, "x", True, 401),
        (Role.ADMIN, None, True, 401),
        (Role.ADMIN, "x", True, 401),
    ],
)
async def test_a_name_that_somebody_chose_at_the_provider_takes_nobody_over(
    browser, op, pool, stage, role, password, by_name, status
):
    stage.web = by(op, first_by_name=by_name)
    await board.person(pool, role=role)
    async with transaction(pool) as db:
        if password:
            await people.set_password(db, "anna", password)

    seen = await arrived(browser)
    assert (seen.status, "for a link." in seen.text) == (status, status == 401)
    assert (await of(pool)).subject == (f"{op.issuer} s-1" if status == 303 else None)
    assert await whys(pool) == ([None] if status == 303 else ["unbound"])


async def test_groups_make_nobody_the_admin_who_was_here_before(browser, op, pool, stage):
    stage.web = by(op, {"support": Group(role=Role.ADMIN)})
    await board.person(pool, role=Role.ADMIN)
    assert (await arrived(browser)).status == 401

    op.claims["preferred_username"] = "newcomer"
    assert (await arrived(browser)).status == 303
    assert (await of(pool, "newcomer")).subject == f"{op.issuer} s-1"


async def test_a_link_binds_an_admin_to_whoever_the_provider_says_it_is(browser, op, pool, stage):
    await board.person(pool, role=Role.ADMIN)
    op.claims["preferred_username"] = "anna-at-the-provider"
    path = await link(pool)
    shown = await browser.get(path)
    assert "anna here from then on" in shown.text
    assert (await bound(browser, path)).headers["Location"] == "/"

    assert (await browser.get("/people")).status == 200
    assert (await of(pool)).subject == f"{op.issuer} s-1"
    assert (await browser.get(path)).status == 410
    async with transaction(pool) as db:
        lines = await audit.lines(db, audit.Asked(act="people"), None, "", 9)
    assert [line.detail["did"] for line in lines] == ["bound", "to_bind"]
    assert (lines[0].who, lines[0].detail["by"]) == ("anna", "root")

    async with board.browsing(browser.base) as later:
        assert (await arrived(later)).status == 303


async def test_a_link_that_binds_signs_nobody_in_past_the_provider(browser, pool, stage):
    await board.person(pool)
    path = await link(pool)
    stage.web = Web(listen="127.0.0.1:0")
    seen = await browser.post(path, {"password": "a quiet green heron"}, form=path)

    assert seen.status == 404
    async with transaction(pool) as db:
        with pytest.raises(admitting.Mistaken):
            await admitting.enter(db, path[7:], "anna", None, "127.0.0.1", board.NOW)
    assert not (await of(pool)).has_password


async def test_a_link_binds_nobody_to_an_account_that_is_somebody_elses(browser, op, pool):
    await board.person(pool, "bela")
    await board.person(pool)
    async with transaction(pool) as db:
        await people.bind(db, "bela", f"{op.issuer} s-1")
    path = await link(pool)

    seen = await bound(browser, path)
    assert (seen.status, "binds nobody any more" in seen.text) == (401, True)
    assert (await of(pool)).subject is None
    assert (await browser.get(path)).status == 200, "it is not used up by that"
    assert (await whys(pool))[0] == "not_bound"


async def test_of_two_who_are_bound_to_one_account_at_once_one_is(pool):
    held = {}
    for name in ("anna", "bert"):
        await board.person(pool, name)
        held[name] = await link(pool, name)
    both = asyncio.Barrier(2)

    async def use(name):
        secret = held[name].removeprefix("/enter/")
        async with transaction(pool) as db:
            await people.locked(db, name)
            await both.wait()
            return await admitting.bound(db, secret, "a subject", "127.0.0.1", board.NOW)

    found = await asyncio.gather(*map(use, held))

    is_bound = [(await of(pool, name)).subject is not None for name in held]
    assert sorted(is_bound) == [False, True]
    assert [one is not None for one in found] == is_bound


async def test_a_program_of_the_version_before_does_not_know_a_link_that_binds(pool):
    await board.person(pool)
    for binds in (True, False):
        secret = (await link(pool, binds=binds)).removeprefix("/enter/")
        async with transaction(pool) as db:
            asked = "select exists (select from invitation where digest = $1)"
            assert await db.fetchval(asked, sessions.digest(secret)) is not binds
            assert (await invitations.of(db, secret, board.NOW)).binds is binds


async def test_who_is_bound_anew_is_signed_out_of_what_the_other_account_began(browser, op, pool):
    await board.person(pool)
    assert (await arrived(browser)).status == 303
    op.claims["sub"] = "s-2"
    async with board.browsing(browser.base) as other:
        assert (await bound(other, await link(pool))).status == 303
        assert (await other.get("/me")).status == 200

    assert (await browser.get("/me")).status == 303
    assert (await of(pool)).subject == f"{op.issuer} s-2"


@pytest.mark.parametrize("what", ["used", "late", "disabled", "void"])
async def test_a_link_that_is_no_more_binds_nobody(browser, op, pool, stage, what):
    await board.person(pool)
    path = await link(pool)
    led = await browser.post(path, form=path)
    back = await sent_back(unescape(THERE.search(led.text)[1]))
    async with transaction(pool) as db:
        if what == "disabled":
            await admitting.disable(db, ROOT, "anna", "oidc", board.NOW)
        if what == "void":
            await admitting.invite(db, ROOT, "anna", board.NOW, binds=True)
    if what == "used":
        async with board.browsing(browser.base) as other:
            assert (await bound(other, path)).status == 303
        op.claims["sub"] = "s-2"
    if what == "late":
        stage.clock.now += timedelta(minutes=11)

    assert (await browser.get(URL(browser.base + back, encoded=True).raw_path_qs)).status == 401


async def test_an_admin_makes_such_a_link_on_the_people_page(base, stage, pool, op):
    async with transaction(pool) as db:
        await people.add(db, "root", "", Role.ADMIN, None, board.NOW)
        await sessions.begin(
            db, "s" * 43, "root", "oidc", address="127.0.0.1", network="127.0.0.1/32", browser="",
            now=board.NOW,
        )  # fmt: skip
    await board.person(pool)
    async with board.browsing(base, Cookie=f"replyby={'s' * 43}") as root:
        seen = await root.post("/people/bind", {"name": "anna"}, form="/people")
        path = re.search(r"http://desk.example(/enter/[\w-]{43})", seen.text)[1]
        async with board.browsing(base) as anna:
            assert (await bound(anna, path)).status == 303
            page = (await anna.get("/me")).text.partition("Links that were made for you")[2]
            assert '<th scope="row">root</th>' in page
            assert "used" in page.partition("</table>")[0]


async def test_where_no_provider_signs_people_in_nobody_is_bound(stage):
    stage.web = Web(listen="127.0.0.1:0")
    async with (
        board.served(stage) as base,
        board.signed_in(stage, base, Role.ADMIN, name="root") as root,
    ):
        seen = await root.post("/people/bind", {"name": "root"}, form="/people")
        assert "/people/bind" not in (await root.get("/people")).text

    assert seen.status == 404


# groups


async def test_groups_are_said_again_after_some_hours(browser, op, pool, stage):
    stage.web = by(op, {"support": Group(role=Role.AGENT)})
    assert (await arrived(browser)).status == 303
    stage.clock.now += timedelta(hours=11)
    assert (await browser.get("/me")).status == 200
    stage.clock.now += timedelta(hours=1)
    assert (await browser.get("/me")).status == 303

    async with pool.acquire() as db:
        assert await db.fetchval("select end_reason from session") == "groups"


def proxied(**groups):
    return Web(
        listen="127.0.0.1:0", sign_in="proxy", proxies=("127.0.0.1",),
        proxy=Proxy(groups="X-Groups"), groups=groups,
    )  # fmt: skip


SOME = Group(role=Role.VIEWER, accounts=frozenset({"mk"}))


@pytest.mark.parametrize(
    ("groups", "others", "role"),
    [
        ({"some": SOME}, None, Role.ADMIN),
        ({"some": SOME}, "never came", Role.ADMIN),
        ({"some": SOME}, "came", Role.VIEWER),
        ({"some": SOME, "boss": Group(role=Role.ADMIN)}, None, Role.VIEWER),
    ],
)
async def test_the_last_admin_stays_one_where_no_group_makes_another(
    stage, pool, groups, others, role
):
    stage.web = proxied(**groups)
    await board.person(pool, role=Role.ADMIN)
    async with transaction(pool) as db:
        if others:
            await people.add(db, "bela", "", Role.ADMIN, None, board.NOW)
            await people.set_password(db, "bela", "which signs nobody in by a proxy")
        if others == "came":
            assert await people.proxied(db, "bela", board.NOW)
            assert not await people.proxied(db, "bela", board.NOW)
    async with board.served(stage) as base, board.browsing(base) as browser:
        said = {"X-Forwarded-User": "anna", "X-Groups": "some"}
        seen = await asyncio.gather(*(browser.get("/me", headers=said) for _ in range(6)))

    assert {one.status for one in seen} == {200}
    found = await of(pool)
    assert (found.role, found.proxied_at) == (role, board.NOW)
    async with transaction(pool) as db:
        lines = await audit.lines(db, audit.Asked(act="people"), None, "", 9)
    assert len(lines) == (role is Role.VIEWER)


async def test_by_a_proxy_an_admin_counts_whom_it_has_named(stage, pool):
    stage.web = proxied()
    for name in ("anna", "bela"):
        await board.person(pool, name, Role.ADMIN)
    async with board.served(stage) as base, board.browsing(base) as browser:
        anna, bela = ({"X-Forwarded-User": name} for name in ("anna", "bela"))
        csrf = (await browser.get("/people", headers=anna)).csrf
        sent = {"name": "anna", "csrf": csrf}
        assert (await browser.post("/people/disable", sent, headers=anna)).status == 422
        assert (await browser.get("/me", headers=bela)).status == 200
        assert (await browser.post("/people/disable", sent, headers=anna)).status == 303
