"""What comes of letters goes into the database as it is, and its clocks run there.

The answer that ended the buyer's 24 hours was refused, by a notice and by a report.
"""

from __future__ import annotations

from datetime import timedelta

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
