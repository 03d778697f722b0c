"""500 threads at risk within a minute: what a real receiver hears of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from core import deliver, watch
from core.metrics import Metrics
from core.notifier import Means
from core.notifiers import registry
from core.outbox.batch import Unsettled
from core.routing import Route
from core.store import transaction
from core.transport.http import Http, open_session
from core.web import filters
from tests.core import seeds
from tests.core.seeds import SECOND

THREADS = 500
MOST = 5
RULES = seeds.rules(Route("all", ("chat",), fallback=True), accounts=("mk", "other"))


@pytest.fixture
async def receiver():
    got = []

    async def take(request):
        got.append(await request.json())
        return web.Response()

    app = web.Application(client_max_size=2**20)
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/hook", got
    await runner.cleanup()


@pytest.fixture
async def at_risk(pool, now):
    """So many clocks of which a warning becomes due within the minute from now."""

    async def go(accounts=("mk",)):
        async with transaction(pool) as db:
            for name in accounts:
                await seeds.put_account(db, now, name)
                await seeds.put_stream(db, now, name, seen_through=now)
            rows = [
                (name, f"T{n}", now + timedelta(hours=1, seconds=n * 60 / THREADS),
                 now + timedelta(seconds=n * 60 / THREADS))
                for n, name in enumerate((accounts * THREADS)[:THREADS])
            ]  # fmt: skip
            for account, thread, due_at, step in rows:
                await seeds.put_thread(db, now, thread, account)
                await seeds.put_clock(
                    db, due_at, thread=thread, account=account, steps=[step, due_at]
                )

    return go


@pytest.fixture
def minute(pool, receiver, tmp_path, now):
    """A minute and its quiet aftermath, second by second; all that the receiver heard."""

    async def go(rules, **changes):
        url, got = receiver
        options = registry.KINDS["webhook"].options.model_validate(
            {"kind": "webhook", "url": url, "allow_private": True, **changes}
        )
        kept = {"chat": Unsettled()}
        async with open_session() as session:
            notifiers = registry.open_all({"chat": options}, Means(Http(session), tmp_path))
            for second in range(0, 100, 2):
                at = now + second * SECOND
                await watch.once(pool, rules, at + SECOND)
                for _ in range(4):
                    again = await deliver.once(
                        pool, notifiers, rules, {}, Metrics(), at, unsettled=kept
                    )
                    if again is None or again > at:
                        break
                async with transaction(pool) as db:
                    await db.execute(
                        "update dispatch set next_try_at = next_try_at - interval '2 s'"
                    )
                    await db.execute("update budget set next_at = next_at - interval '2 s'")
        return got

    return go


@pytest.mark.parametrize("rate", [{}, {"rate": "3/m"}])
async def test_a_receiver_hears_five_messages_at_most_and_of_every_thread(at_risk, minute, rate):
    await at_risk()

    got = await minute(RULES, **rate)

    assert len(got) <= MOST
    told = [one["facts"].get("notices", 1) for one in got]
    assert sum(told) == THREADS
    assert "replyby threads --at-risk" in got[-1]["text"]


async def test_the_whole_list_is_a_click_away_where_there_is_a_board(at_risk, minute, receiver):
    await at_risk()

    got = await minute(replace(RULES, board="https://desk.example/board"))

    page = urlsplit(got[-1]["url"])
    assert page.geturl().startswith("https://desk.example/board/?")
    assert filters.of(dict(parse_qsl(page.query))).account == "mk"
    assert "replyby threads" not in got[-1]["text"]
    assert "open it by the link" in got[-1]["text"]


async def test_of_several_accounts_the_list_of_all_is_shown(at_risk, minute):
    await at_risk(("mk", "other"))

    got = await minute(replace(RULES, board="https://desk.example"))

    assert len(got) <= MOST
    assert got[-1]["url"] == "https://desk.example/"
