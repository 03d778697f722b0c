"""Only a buyer's letter describes a buyer's thread: whom to answer, how, and about which order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.amazon import answering
from connectors.amazon.kinds import TYPES, Sort
from core import ingest
from core.model import Draft
from core.store import threads, transaction
from sla.policy import Party
from tests.connectors.amazon.letters import (
    ALIAS,
    ARRIVED,
    BARE,
    NOW,
    ORDER,
    arrival,
    mail,
    notice,
    question,
    wrapped,
)  # fmt: skip
from tests.connectors.amazon.test_mapping import read
from tests.core import seeds

LATER = timedelta(hours=1)
ABOUT = f"Something about {ORDER}"


async def told(pool, *arrivals):
    """The threads of the first of *arrivals*, which come one after the other."""
    rules = seeds.rules(says={"judged": True, "letters": True})
    pages = [read(one) for one in arrivals]
    for pieces in pages:
        async with transaction(pool) as db:
            await ingest.page(db, rules, "mk", pieces.page(), NOW, None)
    async with pool.acquire() as db:
        return await threads.of(db, "mk", pages[0].messages[0].thread)


@pytest.fixture
async def shop(pool):
    async with pool.acquire() as db:
        await seeds.put_account(db, NOW)
    return pool


@pytest.mark.parametrize("kind", [*(k for k, s in TYPES.items() if s is not Sort.BUYER), "NEW"])
@pytest.mark.parametrize("sender", [BARE, "donotreply@amazon.com"])
async def test_a_letter_of_amazons_takes_no_reply_address_away(shop, kind, sender):
    bare = question(sender=BARE, reply_to=BARE)
    of_amazon = notice(kind, ABOUT, sender=sender, reply_to=BARE, subject=ABOUT)
    thread = await told(shop, arrival(bare), arrival(of_amazon, at=ARRIVED + LATER))

    draft = Draft(id=1, account="mk", thread=thread.id, body="x", to=frozenset({Party.BUYER}),
                  queued_at=NOW)  # fmt: skip
    assert (thread.buyer, answering.recipient(thread, draft)) == ("Ada", BARE)


def test_a_letter_of_amazons_describes_what_is_its_own():
    alone = read(arrival(notice("NEW", ABOUT)))
    among = read(arrival(notice("NEW", ABOUT, reply_to=BARE)))

    assert [thread.id for thread in alone.threads] == [f"order:{ORDER}"]
    assert among.threads == ()
    assert among.messages[0].thread.startswith(f"order:{ORDER}:")


async def test_a_second_letter_that_names_no_order_forgets_none(shop):
    again = mail(wrapped(order=None), kind="BBC_MESSAGE_SENT_TO_MERCHANT", reply_to=ALIAS,
                 subject="Frage von Amazon-Kunde Ada", message_id="m2", date=ARRIVED)  # fmt: skip
    thread = await told(shop, arrival(question()), arrival(again, at=ARRIVED + LATER))

    assert thread.order_ids == (ORDER,)
    assert thread.url.endswith(f"/orders-v3/order/{ORDER}")
    assert thread.as_of == ARRIVED
