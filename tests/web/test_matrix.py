"""Who may take which way: every way of every room stands here, and is tried in every role."""

from __future__ import annotations

import pytest

from core.access import MAY, Act, Role
from core.store import audit, transaction
from core.web import site
from core.web.ways import OPEN
from tests.web import board

EVERYBODY = {None, Role.VIEWER, Role.AGENT, Role.LEAD, Role.ADMIN}
KNOWN = EVERYBODY - {None}
AGENTS = KNOWN - {Role.VIEWER}
LEADS = {Role.LEAD, Role.ADMIN}
ADMINS = {Role.ADMIN}

MATRIX = {
    "GET /static/{name}": EVERYBODY,
    "GET /sign-in": EVERYBODY,
    "POST /sign-in": EVERYBODY,
    "POST /sign-out": EVERYBODY,
    "GET /enter/{token}": EVERYBODY,
    "POST /enter/{token}": EVERYBODY,
    "GET /sign-in/oidc": EVERYBODY,
    "GET /sign-in/oidc/back": EVERYBODY,
    "GET /take/{token}": EVERYBODY,
    "HEAD /take/{token}": EVERYBODY,
    "POST /take/{token}": EVERYBODY,
    "GET /": KNOWN,
    "GET /wall": KNOWN,
    "GET /next": KNOWN,
    "GET /live": KNOWN,
    "GET /status": KNOWN,
    "GET /thread/{account}/{thread:.+}": KNOWN,
    "GET /file/{account}/{thread:.+}": KNOWN,
    "POST /claim/{account}/{thread:.+}": AGENTS,
    "POST /release/{account}/{thread:.+}": AGENTS,
    "POST /reply/{account}/{thread:.+}": AGENTS,
    "POST /check/{account}/{thread:.+}": AGENTS,
    "POST /preview/{account}/{thread:.+}": AGENTS,
    "POST /undo/{reply}": AGENTS,
    "POST /draft/{account}/{thread:.+}": AGENTS,
    "POST /mark/{account}/{thread:.+}": AGENTS,
    "POST /answered/{account}/{thread:.+}": AGENTS,
    "POST /promise/{account}/{thread:.+}": AGENTS,
    "POST /language/{account}/{thread:.+}": AGENTS,
    "GET /macros": LEADS,
    "GET /macros/form": LEADS,
    "POST /macros/form": LEADS,
    "GET /me": KNOWN,
    "POST /me/prefer": KNOWN,
    "POST /me/password": KNOWN,
    "POST /me/token": KNOWN,
    "POST /me/token/end": KNOWN,
    "POST /me/session/end": KNOWN,
    "GET /audit": LEADS,
    "GET /audit.csv": LEADS,
    "GET /people": ADMINS,
    "POST /people/add": ADMINS,
    "POST /people/grant": ADMINS,
    "POST /people/disable": ADMINS,
    "POST /people/enable": ADMINS,
    "POST /people/invite": ADMINS,
    "POST /people/bind": ADMINS,
    "POST /people/sign-out": ADMINS,
    "POST /people/token/end": ADMINS,
    "GET /api": KNOWN,
    "GET /api/v1/openapi.json": KNOWN,
    "GET /api/v1/threads": KNOWN,
    "GET /api/v1/counts": KNOWN,
    "GET /api/v1/threads/{account}/{thread:.+}": KNOWN,
    "GET /api/v1/accounts": KNOWN,
    "GET /api/v1/macros": AGENTS,
    "GET /api/v1/macros/{macro}/{account}/{thread:.+}": AGENTS,
    "GET /api/v1/me": KNOWN,
    "GET /api/v1/search": KNOWN,
    "GET /api/v1/answered": KNOWN,
    "POST /api/v1/claims/{account}/{thread:.+}": AGENTS,
    "DELETE /api/v1/claims/{account}/{thread:.+}": AGENTS,
    "GET /api/v1/answers/{account}/{thread:.+}": AGENTS,
    "POST /api/v1/checks/{account}/{thread:.+}": AGENTS,
    "POST /api/v1/replies/{account}/{thread:.+}": AGENTS,
    "GET /api/v1/replies/{reply}": AGENTS,
    "GET /api/v1/files/{reply}/{number}": KNOWN,
    "POST /api/v1/undo/{reply}": AGENTS,
    "POST /api/v1/marks/{account}/{thread:.+}": AGENTS,
    "DELETE /api/v1/marks/{account}/{thread:.+}": AGENTS,
    "POST /api/v1/answered/{account}/{thread:.+}": AGENTS,
    "POST /api/v1/promises/{account}/{thread:.+}": AGENTS,
    "PUT /api/v1/languages/{account}/{thread:.+}": AGENTS,
    "GET /api/v1/macros/{macro}": AGENTS,
    "PUT /api/v1/macros/{macro}": LEADS,
    "DELETE /api/v1/macros/{macro}": LEADS,
    "GET /api/v1/audit": LEADS,
    "PUT /api/v1/writers/{account}/{thread:.+}": AGENTS,
    "DELETE /api/v1/writers/{account}/{thread:.+}": AGENTS,
    "POST /api/v1/acknowledgements/{account}": AGENTS,
    "GET /api/v1/mutes": KNOWN,
    "PUT /api/v1/mutes/accounts/{account}": LEADS,
    "DELETE /api/v1/mutes/accounts/{account}": LEADS,
    "PUT /api/v1/mutes/routes/{route}": LEADS,
    "DELETE /api/v1/mutes/routes/{route}": LEADS,
    "GET /api/v1/duties": KNOWN,
    "GET /api/v1/told/{account}": KNOWN,
    "GET /api/v1/report": KNOWN,
    "PUT /api/v1/promises/{account}/{thread:.+}": AGENTS,
    "DELETE /api/v1/promises/{account}/{thread:.+}": AGENTS,
}
"""By method and path: who is let in; None is somebody who is not signed in. Written by hand, so
that a change of a way or of a role is seen here."""


def named(way):
    return f"{way.method} {way.path}"


def test_every_way_of_every_room_stands_in_the_matrix():
    ways = [named(way) for way in site.every()]

    assert [way for way in ways if way not in MATRIX] == []
    assert len(ways) == len(set(ways))


@pytest.mark.parametrize("way", [way for way in site.every() if named(way) in MATRIX], ids=named)
def test_a_way_asks_for_what_its_roles_may(way):
    let_in = MATRIX[named(way)]

    if way.act == OPEN:
        assert let_in == EVERYBODY
    else:
        assert let_in == {role for role in Role if Act(way.act) in MAY[role]}


def path_of(way):
    filled = way.path.replace("{account}", "mk").replace("{thread:.+}", "T1")
    return board.PLACE.sub("1", filled)


async def passed(browser, way, csrf):
    """Whether a way, answered by `board.nothing`, lets somebody pass."""
    seen = await browser.ask(way.method, path_of(way), headers={"X-CSRF-Token": csrf})
    if way.method == "HEAD":  # of its answer no more than the length comes
        return seen.headers.get("Content-Length") == str(len("let in"))
    return seen.text == "let in"


@pytest.mark.parametrize("role", [None, *Role], ids=str)
async def test_each_way_lets_pass_whom_the_matrix_says_and_nobody_else(stage, role):
    async with (
        board.served(stage, answering=board.nothing) as base,
        board.somebody(stage, base, role) as (browser, csrf),
    ):
        for way in site.every():
            assert await passed(browser, way, csrf) == (role in MATRIX[named(way)]), named(way)


async def test_who_sees_some_accounts_is_refused_the_others_by_every_way(stage):
    ways = [way for way in site.every() if "{account}" in way.path]
    async with board.served(stage, answering=board.nothing) as base:
        for account, let_in in (("mk", True), ("other", False)):
            here = board.somebody(stage, base, Role.ADMIN, frozenset({account}))
            async with here as (browser, csrf):
                for way in ways:
                    assert await passed(browser, way, csrf) == let_in, named(way)


async def test_a_refusal_is_a_line_of_the_trail(stage):
    async with (
        board.served(stage) as base,
        board.signed_in(stage, base, Role.VIEWER) as browser,
    ):
        assert (await browser.get("/people")).status == 403

    async with transaction(stage.pool) as db:
        (line,) = await audit.lines(db, audit.Asked(act="refused"), None, "", 10)
    assert (line.who, line.address) == ("anna", "127.0.0.1")
    assert line.detail == {"asked": "people", "path": "/people", "why": "role"}


async def test_who_listens_to_a_thread_that_is_not_theirs_is_refused_and_written_down(stage):
    async with (
        board.served(stage) as base,
        board.signed_in(stage, base, Role.AGENT, frozenset({"other"})) as browser,
    ):
        assert (await browser.get("/live?account=mk&thread=T1")).status == 403

    async with transaction(stage.pool) as db:
        (line,) = await audit.lines(db, audit.Asked(act="refused"), None, "", 10)
    assert (line.who, line.detail["why"]) == ("anna", "not_theirs")
