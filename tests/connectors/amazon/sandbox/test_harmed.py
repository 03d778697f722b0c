"""The stand-in's letters, after somebody has been at them: each is kept, and none lies."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from connectors.amazon.sandbox import buyers_letter, notices, strangers
from connectors.amazon.sandbox.buyers_letter import Style
from tests.connectors.amazon import harm, travelled
from tests.connectors.amazon.letters import ARRIVED
from tests.connectors.amazon.test_hostile_letters import VERDICTS, look, opened

TIMES = 40


def composed(seller, random):
    """One letter of every kind that the stand-in writes."""
    author, at = seller.author, ARRIVED - timedelta(minutes=4)
    buyer = seller.add_buyer("Ada Sample", random.choice(("de", "en", "fr", "ja", "pl")))
    order = seller.add_order(buyer, at - timedelta(days=4))
    case = seller.open_case(buyer, order)
    style = Style(era=random.choice(("current", "older")), shape=random.choice(("both", "html")))
    return [
        buyers_letter.written(author, case, "Wo bleibt es?\nOK?", at, style),
        buyers_letter.form(author, case, "Wo bleibt es?", at),
        notices.copy(author, case, "Montag.", at, in_one_line=True),
        notices.opt_out(author, case, at, at),
        notices.claim(author, order, at),
        notices.decision(author, order, at),
        notices.returned(author, order, at, by_amazon=False),
        notices.refund(author, order, at),
        notices.cancellation(author, order, at),
        notices.chargeback(author, order, at),
        notices.unknown(author, at, order),
        strangers.forged(author, case, "Wo?", "look_alike", travelled.SERVER, at),
        strangers.foreign(author, at),
    ]


async def test_letters_of_the_stand_in_that_were_mutated_are_read(seller, tell):
    random, started = Random(20261122), 0
    for _ in range(TIMES):
        for letter in composed(seller, random):
            verdict = random.choice(VERDICTS)
            raw = travelled.arrived(harm.mutated(letter.raw, random), verdict)
            started += bool(opened(look(raw, verdict)))

    tell("mutated letters that start a clock", started)
    assert started > TIMES // 4
