"""What comes of letters goes into the database as it is, and its clocks run there.

The answer that ended the buyer's 24 hours was refused, by a notice and by a report.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.amazon import mapping, policies
from connectors.amazon.identity import Memory
from core import ingest
from core.store import transaction
from tests.connectors.amazon.letters import (
    CASE,
    NOW,
    ORDER,
    SENT,
    arrival,
    bounce,
    claim,
    copy,
    mail,
    notice,
    opt_out,
    options,
    question,
    sent,
)  # fmt: skip
from tests.core import seeds

EVERY = (
    arrival(question()),
    arrival(sent(), is_sent=True, at=SENT + timedelta(hours=1)),
    arrival(copy()),
    arrival(opt_out()),
    arrival(bounce(), trusted=None),
    arrival(claim("Please respond within 3 days.")),
    arrival(notice("RETURN_REQUEST", f"Order {ORDER}")),
    arrival(notice("REFUND_ISSUED", "no order")),
    arrival(question(words="forged"), trusted=False),
    arrival(mail("private", sender="ada@mail.example", name="Ada")),
)
CLOCKS = "select promise, thread, ended, due_at from clock order by promise"


async def test_every_letter_is_stored_and_its_clocks_run(pool):
    page = mapping.pieces(EVERY, options(), Memory(), NOW).page()
    rules = seeds.rules(
        policies={"mk": policies.of(options())}, says={"judged": True, "letters": True}
    )
    async with transaction(pool) as db:
        await seeds.put_account(db, NOW)
        stored = await ingest.page(db, rules, "mk", page, NOW, None)
        again = await ingest.page(db, rules, "mk", page, NOW, None)
        clocks = [tuple(row) for row in await db.fetch(CLOCKS)]

    assert (stored.received + stored.sent, stored.set_aside) == (len(page.messages), 2)
    assert (again.received, again.sent, again.changed, again.set_aside) == (0, 0, 0, 0)
    assert clocks == [
        ("amazon-message", f"case:{CASE}", None, SENT + timedelta(days=1)),
        ("amazon-return", f"return:{ORDER}", None, SENT + timedelta(days=1)),
        ("given:claim:answer", f"claim:{ORDER}", None, SENT + timedelta(days=3)),
    ]


@pytest.fixture
def stored(pool):
    """Store letters, each in a page of its own; the clocks and what was judged."""
    rules = seeds.rules(
        policies={"mk": policies.of(options())}, says={"judged": True, "letters": True}
    )

    async def put(*arrivals):
        memory = Memory()
        async with pool.acquire() as db:
            await seeds.put_account(db, NOW)
        for each in arrivals:
            pieces = mapping.pieces([each], options(), memory, NOW)
            memory = pieces.memory
            async with transaction(pool) as db:
                await ingest.page(db, rules, "mk", pieces.page(), NOW, None)
        async with pool.acquire() as db:
            clocks = [tuple(row)[2] for row in await db.fetch(CLOCKS)]
            refused = await db.fetch("select id from message where judged = 'refused'")
        return clocks, [row["id"] for row in refused]

    return put


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("order", [ORDER, None])
async def test_a_copy_without_an_order_ends_the_waiting_of_no_other_of_that_name(
    stored, order, turn
):
    """Trap 10: it is of an answer to another Ada, whose question nobody has read."""
    letters = [arrival(question(order=order)), arrival(copy(order=None))]

    clocks, _ = await stored(*letters[::turn])

    assert clocks == [None]


async def test_one_opt_out_in_two_letters_refuses_one_answer(stored):
    """Trap 14: two recipients of it may lead into one mailbox."""
    told_at = arrival(opt_out()).at
    earlier = sent(message_id="outbox-1@shop.example")
    twice = [opt_out(message_id=f"{name}@eu-west-1.amazonses.com") for name in "ab"]
    ours = [
        arrival(each, is_sent=True, at=told_at - minutes * timedelta(minutes=1))
        for each, minutes in ((earlier, 3), (sent(), 1))
    ]

    clocks, refused = await stored(arrival(question()), *ours, *map(arrival, twice))

    assert (clocks, refused) == (["met"], ["outbox-7731@shop.example"])
