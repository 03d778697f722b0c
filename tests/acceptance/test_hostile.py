"""Hostile payloads: nothing crashes, nothing is lost, nobody's neighbour and no text gets out.

20,000 of them, 1,000,000 in the long form, made from the sandbox's real pages by a seed that is
told (REPLYBY_TEST_SEED takes another, REPLYBY_HOSTILE_PAYLOADS another number). What does harm
is made small and kept under hostile/, where every run reads it again.
"""

from __future__ import annotations

import asyncio
import os
import secrets

import pytest

from tests.acceptance import corpus, grinders, moulds
from tests.acceptance.mill import Mill
from tests.conftest import run_on

SEED = "20261122"
PAYLOADS, LONG_PAYLOADS = 20_000, 1_000_000
GROWTH = 64 << 20
"""How much more memory a process may take at its end than after its first batch."""


@pytest.fixture
async def addresses(server, template):
    """A database for each process that grinds."""
    names = [f"replyby_{secrets.token_hex(6)}" for _ in range(grinders.workers())]
    for name in names:
        await run_on(server, f"create database {name} template {template}")
    yield [{**server, "database": name} for name in names]
    for name in names:
        await run_on(server, f"drop database {name} with (force)")


@pytest.fixture
async def mill(pool):
    asyncio.get_running_loop().set_debug(False)
    mill = Mill(pool, await moulds.real())
    await mill.begin()
    return mill


@pytest.mark.serial
@pytest.mark.timeout(4 * 3600)
async def test_no_hostile_payload_is_lost_or_harms_another(addresses, long_form, tell):
    seed = os.environ.get("REPLYBY_TEST_SEED") or (secrets.token_hex(4) if long_form else SEED)
    wanted = int(
        os.environ.get("REPLYBY_HOSTILE_PAYLOADS") or (LONG_PAYLOADS if long_form else PAYLOADS)
    )
    tell("seed", seed)
    done = await grinders.ground(addresses, seed, wanted)

    figures = grinders.summed(done)
    tell("payloads", figures.payloads)
    tell("of these over a real wire", figures.wired)
    tell("walks, by how they ended", dict(figures.ends))
    tell("rows stored", figures.stored)
    tell("rows set aside", figures.aside)
    tell("payloads a second", round(figures.payloads / max(one.seconds for one in done)))
    tell("slowest walk, CPU seconds", round(figures.slowest, 3))
    tell("MiB at the begin and the end", [tuple(n >> 20 for n in one.rss) for one in done])
    faults = [fault for one in done for fault in one.faults]
    assert not faults, "\n\n".join(faults)
    assert figures.payloads >= wanted
    assert figures.wired >= wanted // 100
    assert all(end - begin < GROWTH for begin, end in (one.rss for one in done))


@pytest.mark.parametrize("path", sorted(corpus.PLACE.glob("*.json")), ids=lambda path: path.stem)
async def test_what_once_did_harm_does_it_no_more(mill, path):
    payloads = corpus.read(path)

    await mill.grind(payloads, real=any(payload.headers for payload in payloads))
    await mill.end()
