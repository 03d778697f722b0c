"""Hostile letters in a real mailbox: each is read, none lies, leaks, or stops those behind it.

Made by a seed that is told (REPLYBY_TEST_SEED takes another, REPLYBY_HOSTILE_LETTERS another
number): most lie in a Dovecot, some in the stand-in's mailbox. The pure half, which tries each kind
of harm on each kind of letter, is tests/connectors/amazon/test_hostile_letters.py.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import replace

import psutil
import pytest

from core.transport.http import Http, open_session
from core.transport.mailbox import Mailboxes
from tests.acceptance import mailoffices
from tests.acceptance.mailmaker import Maker, Posted
from tests.acceptance.mailmill import MailMill
from tests.connectors.amazon import travelled
from tests.core import dovecot, letters

pytestmark = [pytest.mark.serial, pytest.mark.timeout(4 * 3600)]

SEED = "20261122"
AT_STAND, LONG_AT_STAND = 200, 5_000
AT_DOVECOT, LONG_AT_DOVECOT = 500, 100_000
GROUPS, SIZE = 5, 20
GROWTH = 64 << 20
"""How much more memory it may take at its end than after half of its batches."""


@pytest.fixture
def seed(long_form, tell):
    found = os.environ.get("REPLYBY_TEST_SEED") or (secrets.token_hex(4) if long_form else SEED)
    tell("seed", found)
    return found


async def ground(mill, maker, wanted):
    """Batch after batch; memory after each."""
    asyncio.get_running_loop().set_debug(False)
    seen = []
    while mill.figures.letters < wanted:
        await mill.begin()
        for group in maker.batch(GROUPS, SIZE):
            await mill.grind(group)
        await mill.end()
        seen.append(psutil.Process().memory_info().rss)
    return seen


def told(mill, seen, tell):
    for name, value in mill.figures.rows():
        tell(name, value)
    places = (0, len(seen) // 2, -1)
    tell("MiB after the first batch, in the middle, at the end",
         [seen[place] >> 20 for place in places])  # fmt: skip


async def test_no_hostile_letter_is_lost_or_lies_or_stops_the_mailbox(pool, long_form, seed, tell):
    given = os.environ.get("REPLYBY_HOSTILE_LETTERS")
    wanted = int(given or (LONG_AT_STAND if long_form else AT_STAND))
    async with mailoffices.stand() as office, Mailboxes() as mailboxes, open_session() as session:
        mill = MailMill(pool, office, mailboxes, Http(session))
        seen = await ground(mill, Maker(seed), wanted)

    told(mill, seen, tell)
    tell("letters that the stand-in could not hold", office.unheld)
    assert office.unheld < mill.figures.letters // 20
    assert mill.figures.suspicious >= wanted // 20
    assert mill.figures.refused == mill.figures.suspicious
    assert mill.figures.clocks > mill.figures.good >= wanted // (SIZE + 1)
    assert seen[-1] - seen[len(seen) // 2] < GROWTH


@pytest.mark.needs("dovecot", "openssl")
async def test_the_same_out_of_a_dovecot(pool, place, long_form, seed, tell):
    given = os.environ.get("REPLYBY_HOSTILE_LETTERS")
    wanted = int(given or (LONG_AT_DOVECOT if long_form else AT_DOVECOT))
    (place / "dovecot").mkdir()
    with dovecot.serving(place / "dovecot") as server:
        async with Mailboxes(tls=server.trusting()) as mailboxes, open_session() as session:
            mill = MailMill(pool, mailoffices.Real(server), mailboxes, Http(session))
            seen = await ground(mill, Maker(f"{seed} dovecot"), wanted)

    told(mill, seen, tell)
    assert mill.figures.clocks > mill.figures.good >= wanted // (SIZE + 1)
    assert seen[-1] - seen[len(seen) // 2] < GROWTH


@pytest.mark.needs("dovecot", "openssl")
async def test_a_letter_of_30_megabytes_starts_its_clock_and_those_behind_it_are_read(pool, place):
    """Its begin alone is read, and somebody is told so."""
    maker = Maker("large")
    own = letters.amazon().replace(b"--b1--", letters.attached(bytes(22_000_000), "a/b", "x.zip"))
    large = Posted(travelled.arrived(own, "pass"), "pass", "INBOX", "question: 30 MB")
    (place / "dovecot").mkdir()
    with dovecot.serving(place / "dovecot") as server:
        async with Mailboxes(tls=server.trusting()) as mailboxes, open_session() as session:
            mill = MailMill(pool, mailoffices.Real(server), mailboxes, Http(session))
            await mill.begin()
            await mill.grind([maker.good(), replace(large, is_good=False), maker.good()])
            await mill.end()

    assert mill.figures.clocks == 3
    assert mill.figures.aside == 1
