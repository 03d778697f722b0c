"""Links that let somebody in once: the first of all, and those of whoever lets people in."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from core.access import Role, Who
from core.desk import admitting, passwords
from core.store import audit, people, transaction
from tests.web import board

pytestmark = pytest.mark.usefixtures("quick")
GOOD = "a quiet green heron"
ROOT = Who("root", Role.ADMIN, means="cli")


async def first(pool, now=board.NOW):
    async with transaction(pool) as db:
        return await admitting.first(db, now)


async def everybody(pool):
    async with transaction(pool) as db:
        return {one.name: one for one in await people.all_(db)}


def chosen(**more):
    return {"password": GOOD, "again": GOOD, **more}


async def test_who_opens_the_first_link_is_the_first_admin(browser, pool):
    link = f"/enter/{await first(pool)}"
    assert "You will be the first" in (await browser.get(link)).text

    seen = await browser.post(link, chosen(name="anna"), form=link)

    assert (seen.status, seen.headers["Location"]) == (303, "/")
    assert (await browser.get("/people")).status == 200
    assert (await everybody(pool))["anna"].role is Role.ADMIN
    assert await first(pool) is None


async def test_looking_at_a_link_uses_nothing_up(browser, pool):
    link = f"/enter/{await first(pool)}"
    for _ in range(3):
        assert (await browser.get(link)).status == 200

    assert (await browser.post(link, chosen(name="anna"), form=link)).status == 303
    assert (await browser.get(link)).status == 410
    again = await browser.post(link, chosen(name="bela"), form="/me")
    assert again.status == 410
    assert set(await everybody(pool)) == {"anna"}


@pytest.mark.parametrize("hours", [24, 400])
async def test_an_old_link_lets_nobody_in(browser, pool, stage, hours):
    link = f"/enter/{await first(pool)}"
    csrf = (await browser.get(link)).csrf
    stage.clock.now += timedelta(hours=hours)

    assert (await browser.get(link)).status == 410
    assert (await browser.post(link, chosen(name="anna", csrf=csrf))).status == 410
    assert await everybody(pool) == {}


async def test_a_link_of_the_start_before_is_void(browser, pool):
    before, now = await first(pool), await first(pool)

    assert (await browser.get(f"/enter/{before}")).status == 410
    assert (await browser.get(f"/enter/{now}")).status == 200


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "Anna Example"}, "small letters"),
        ({"name": "anna", "again": "another one"}, "differ"),
        ({"name": "anna", "password": "short", "again": "short"}, "12 characters"),
        ({"name": "anna", "password": "I am anna alone", "again": "I am anna alone"}, "the name"),
    ],
)
async def test_what_is_wrong_with_a_choice_is_said_and_the_link_stays_good(
    browser, pool, given, told
):
    link = f"/enter/{await first(pool)}"
    seen = await browser.post(link, {**chosen(), **given}, form=link)

    assert seen.status == 422
    assert told in seen.text
    assert (await browser.get(link)).status == 200


async def test_a_crowd_at_the_door_uses_no_link_up(browser, pool, monkeypatch):
    link = f"/enter/{await first(pool)}"
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)
    seen = await browser.post(link, chosen(name="anna"), form=link)

    assert (seen.status, "Try again" in seen.text) == (503, True)
    assert (await browser.get(link)).status == 200


async def test_in_a_sandbox_on_this_machine_the_link_opens_straight_onto_the_board(
    browser, pool, stage
):
    stage.accounts = {"mk": SimpleNamespace(account=SimpleNamespace(sandbox=True))}
    seen = await browser.get(f"/enter/{await first(pool)}")

    assert (seen.status, seen.headers["Location"]) == (303, "/")
    assert (await browser.get("/people")).status == 200
    assert await first(pool) is not None, "each start prints another"


async def test_beside_one_real_account_a_sandbox_asks_for_a_password(browser, pool, stage):
    stage.accounts = {
        name: SimpleNamespace(account=SimpleNamespace(sandbox=name == "mk"))
        for name in ("mk", "other")
    }
    assert (await browser.get(f"/enter/{await first(pool)}")).status == 200


async def test_a_link_for_somebody_gives_them_another_password_and_ends_their_sessions(
    browser, base, pool, stage
):
    async with board.signed_in(stage, base) as old:
        async with transaction(pool) as db:
            secret = await admitting.invite(db, ROOT, "anna", board.NOW)
        link = f"/enter/{secret}"
        seen = await browser.post(link, chosen(name="somebody-else"), form=link)

        assert seen.status == 303
        assert (await old.get("/me")).status == 303
    assert set(await everybody(pool)) == {"anna"}
    async with transaction(pool) as db:
        acts = [(line.who, line.act) for line in await audit.lines(db, audit.Asked(), None, "", 9)]
    assert acts == [("anna", "sign-in"), ("anna", "link"), ("root", "people")]


async def test_a_link_of_somebody_who_is_disabled_meanwhile_lets_nobody_in(browser, pool):
    await board.person(pool)
    await board.person(pool, "root", Role.ADMIN)
    async with transaction(pool) as db:
        secret = await admitting.invite(db, ROOT, "anna", board.NOW)
        await admitting.disable(db, ROOT, "anna", "password", board.NOW)

    assert (await browser.get(f"/enter/{secret}")).status == 410


async def test_no_secret_of_a_link_is_stored_or_logged(browser, pool, logged):
    secret = await first(pool)
    link = f"/enter/{secret}"
    await browser.post(link, chosen(name="anna"), form=link)

    async with pool.acquire() as db:
        stored = [str(dict(row)) for name in ("audit", "invitation", "session")
                  for row in await db.fetch(f"table {name}")]  # fmt: skip
    assert not any(secret in row for row in stored)
    assert secret not in str(logged)
