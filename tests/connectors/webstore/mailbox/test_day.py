"""A day in a shop's mailbox, replayed: 144 polls, faults, and nothing is lost, moved or doubled."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from connectors.webstore import spec
from connectors.webstore.mailbox.options import MailboxOptions
from connectors.webstore.mailbox.sandbox import stage
from connectors.webstore.mailbox.sandbox.server import Sandbox
from connectors.webstore.mailbox.sandbox.stage import MailboxStage
from core.sandbox.scene import Scene
from sla.clock import Kind
from sla.policy import Party
from tests.connectors.mailing import EVERY, NOON, replayed
from tests.connectors.standing import Clock

SHOWN = ("party", "kind", "sent_at", "to")


async def test_a_day_of_faults_ends_with_all_that_lies_in_the_mailbox():
    clock = Clock(NOON)
    async with Sandbox(clock, seed=3) as sandbox:
        shop = await sandbox.add_shop()
        told = {"kind": "mailbox", **sandbox.options(shop), "poll_every": "2s", "look_back": "3d"}
        scene = Scene(
            MailboxStage(shop), within=timedelta(hours=2), seed=7, threads=1000, pace=0.1,
            script=stage.SCRIPT,
        )  # fmt: skip
        options = MailboxOptions.model_validate({**told, "own_domains": ["shop.example"]})
        opened = partial(spec.open, options)
        book, truth = await replayed(sandbox, clock, scene, shop.user, opened)

    assert len(shop.talks) > 80
    assert book.shown(*SHOWN) == truth.shown(*SHOWN)
    assert book.aside == truth.aside
    assert book.verdicts.keys() == truth.verdicts.keys()
    assert book.verdicts
    _agree(book, shop, clock.now)


def _agree(book, shop, now):
    """What people wrote has come, each talk in a thread of its own, and nobody else's beside it."""
    look_back, homes = now - timedelta(days=3), {}
    for talk in shop.talks.values():
        told = [e for e in talk.entries if look_back < e.at < now - EVERY * 5]
        found = [book.messages[one.message_id] for one in told]
        assert all(
            (m.party is Party.BUYER) == (e.by == "buyer") for e, m in zip(told, found, strict=True)
        )
        assert all(m.kind is Kind.MESSAGE for m in found)
        assert len({m.thread for m in found}) <= 1
        for thread in {m.thread for m in found}:
            homes.setdefault(thread, set()).add(talk.id)
    assert all(len(talks) == 1 for talks in homes.values())
