"""A day at Amazon, replayed: 144 polls, every kind of fault, and nothing is lost or moved."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from connectors.amazon import spec
from connectors.amazon.sandbox import stories
from connectors.amazon.sandbox.seller import order_number
from connectors.amazon.sandbox.server import Sandbox
from connectors.amazon.sandbox.stage import SellerStage
from core.sandbox.scene import Scene
from tests.connectors.mailing import EVERY, NOON, replayed
from tests.connectors.standing import Clock

SURE = ("sender", "envelope", "footer")
SHOWN = ("thread", "party", "kind", "sent_at", "delivery")


async def test_a_day_of_faults_ends_with_all_that_lies_in_the_mailbox():
    clock = Clock(NOON)
    async with Sandbox(clock, seed=3) as sandbox:
        seller = await sandbox.add_seller()
        told = {**sandbox.options(seller), "poll_every": "2s", "look_back": "3d"}
        scene = Scene(
            SellerStage(seller), within=timedelta(hours=2), seed=7, threads=1000, pace=0.1,
            script=stories.SCRIPT, number=order_number,
        )  # fmt: skip
        opened = partial(spec.open, spec.options.model_validate(told))
        book, truth = await replayed(sandbox, clock, scene, seller.mailbox.user, opened)

    assert len(seller.cases) > 80
    assert book.shown(*SHOWN) == truth.shown(*SHOWN)
    assert book.aside == truth.aside
    _agree(book, seller, clock.now)


def _agree(book, seller, now):
    """What buyers wrote has come, each in the thread of its case, and no other's beside it."""
    look_back = now - timedelta(days=3)
    homes = {}
    for case in seller.cases.values():
        asked = [e for e in case.entries if e.by == "buyer" and look_back < e.at < now - EVERY * 5]
        threads = {book.messages[e.message_id].thread for e in asked}
        assert len(threads) <= 1 or case.carries == "nowhere"
        for thread in threads:
            homes.setdefault(thread, set()).add(case.id)
        if case.carries in SURE:
            assert threads <= {f"case:{case.id}"}
    assert all(len(cases) == 1 for cases in homes.values())
