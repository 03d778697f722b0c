"""Two daemons beside each other: the loops tell a rung once, and what leaves can be taken."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from core.configuration.board import Board
from core.desk import links
from core.loops import Bell, Pulse
from core.metrics import Metrics
from core.model import NoticeKind
from core.people.ladders import Ladder, Rung
from core.running.rounds import Rounds
from core.running.state import State
from core.store import linking, transaction, wake
from core.web.ops import Watched
from tests.core import climbing, pages, seeds
from tests.core.seeds import HOUR, MINUTE

URL = "https://desk.example"


class Mail:
    zone, digest_after = "UTC", 0

    def __init__(self, name):
        self.name, self.got = name, []

    async def send(self, notice, words):
        self.got.append((notice, words))


@pytest.fixture
async def pool(pool, now):
    await pages.monitored(pool, now - 30 * 24 * HOUR)
    asked = pages.buyer("M1", now - 24 * HOUR - MINUTE)
    await pages.stored(pool, now - 24 * HOUR, pages.thread(as_of=now), asked, of=climbing.rules())
    async with pool.acquire() as db:
        await db.execute("update account set first_walk_at = monitored_since")
    await seeds.watched(pool, climbing.rules(), now)
    return pool


@pytest.fixture
def daemon(pool, now):
    """A daemon's loops, none of which turns by itself; the people's mail; what it works with."""

    def started(public_url=URL, rules=None):
        watched = Watched(Metrics(), Pulse(), lambda: now, pool=pool)
        settings = SimpleNamespace(web=SimpleNamespace(public_url=public_url), board=Board())
        mails = {name: Mail(name) for name in climbing.KNOWN}
        state = State(
            settings, watched.metrics, watched.pulse, watched,
            rules=rules or climbing.rules(), notifiers=mails,
        )  # fmt: skip
        return Rounds(state, {name: Bell() for name in wake.LOOPS}), state

    return started


async def test_two_daemons_tell_a_rung_once_and_another_goes_on_alone(pool, daemon, now):
    (one, state), (two, _), (later, _) = daemon(), daemon(), daemon()

    await asyncio.gather(one.escalate(now + 16 * MINUTE), two.escalate(now + 16 * MINUTE))
    await later.escalate(now + 47 * MINUTE)

    async with pool.acquire() as db:
        assert await climbing.told(db) == [(1, "mail-lea"), (2, "mail-boss")]
    assert state.notifiers["mail-lea"].got == []


async def test_a_daemon_with_other_settings_goes_on_with_what_climbs(pool, daemon, now):
    other = climbing.rules(Ladder("other", (Rung(MINUTE, ("person:lea",)),)))
    rounds, _ = daemon()
    await rounds.escalate(now + 16 * MINUTE)

    restarted, _ = daemon(rules=other)
    await restarted.escalate(now + 47 * MINUTE)

    async with pool.acquire() as db:
        assert await climbing.told(db) == [(1, "mail-lea"), (2, "mail-boss")]


async def test_a_daemon_whose_clock_jumped_tells_no_rung(pool, daemon, now):
    rounds, _ = daemon()
    await rounds.escalate(now)

    assert await rounds.escalate(now + 16 * MINUTE) is None

    async with pool.acquire() as db:
        assert await climbing.told(db) == []


async def test_what_leaves_holds_a_link_for_its_reader(pool, daemon, now):
    rounds, state = daemon()
    await rounds.escalate(now + 16 * MINUTE)

    await rounds.send("mail-lea", now + 16 * MINUTE)

    [(notice, words)] = state.notifiers["mail-lea"].got
    base, _, token = words.act_url.rpartition("/")
    async with transaction(pool) as db:
        link = links.read(await linking.key(db), token, links.TAKE, now + 16 * MINUTE)
    assert (notice.kind, base) == (NoticeKind.ESCALATION, f"{URL}/take")
    assert (link.bearer, link.notice) == ("person:lea", notice.id)


async def test_without_an_address_for_people_there_is_no_link(daemon, now):
    rounds, state = daemon(public_url=None)
    await rounds.escalate(now + 16 * MINUTE)

    await rounds.send("mail-lea", now + 16 * MINUTE)

    [(_, words)] = state.notifiers["mail-lea"].got
    assert words.act_url is None
