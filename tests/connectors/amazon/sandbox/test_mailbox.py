"""The mailbox by real IMAP: when letters arrive, how often, where, and what the server found."""

from __future__ import annotations

import asyncio
import imaplib
from datetime import UTC, datetime, timedelta

import pytest

from connectors.amazon import trust
from connectors.amazon.sandbox import notices
from connectors.amazon.sandbox.server import SERVER, Sandbox
from core.sandbox import mail
from tests.connectors.amazon.sandbox.conftest import NOON, SINCE

HOUR = timedelta(hours=1)


def arrived(found):
    return [one.arrived_at for one in found]


async def arriving(sandbox, seller, count):
    """How many letters have arrived by themselves, once there are *count*."""
    async with asyncio.timeout(5):
        while True:
            stored = await sandbox.mail.letters(seller.mailbox.user)
            if len(stored) >= count:
                return len(stored)
            await asyncio.sleep(0.02)


async def test_the_capability_line_announces_idle_and_a_letter_wakes_who_waits(
    sandbox, seller, buyer, mailboxes, login, imap
):
    mailbox = mailboxes.open(login("imap"))
    _, (capabilities,) = await imap(lambda client: client.capability())
    waiting = asyncio.create_task(mailbox.wait(asyncio.Event()))
    await asyncio.sleep(0.3)
    seller.buyer_writes(seller.open_case(buyer), "Hallo?")
    async with asyncio.timeout(10):
        has_news = await waiting

    assert b"IDLE" in capabilities.split()
    assert has_news
    await mailbox.close()


async def test_letters_arrive_by_themselves_as_the_clock_goes_on(sandbox, seller, case, clock):
    seller.buyer_writes(case, "Hallo?", clock.now + HOUR)
    before = await arriving(sandbox, seller, 1)
    clock.advance(hours=2)

    assert before == 1
    assert await arriving(sandbox, seller, 2) == 2


async def test_trap_13_a_letter_may_arrive_long_after_its_own_date(
    seller, case, clock, letters, pieces
):
    asked = clock.now + HOUR
    seller.buyer_writes(case, "Hallo?", asked, arrives=asked + 5 * HOUR)
    clock.advance(hours=7)
    found = (await letters())[-1]
    message = (await pieces()).messages[-1]

    assert found.arrived_at == asked + 5 * HOUR
    assert found.mail.date == asked
    assert (message.sent_at, message.visible_at) == (asked, found.arrived_at)


async def test_trap_13_what_was_held_arrives_together_with_its_old_dates(
    sandbox, seller, case, clock, letters
):
    sandbox.post.is_held = True
    asked = [clock.advance(hours=1) for _ in range(3)]
    for at in asked:
        seller.buyer_writes(case, f"Hallo um {at}?", at)
    during = await letters()
    clock.advance(hours=6)
    sandbox.post.release()
    after = await letters()

    assert len(during) <= 1  # the first letter of the case was not held
    assert [one.mail.date for one in after][-3:] == asked
    assert arrived(after)[-3:] == [clock.now] * 3


async def test_a_letter_that_comes_twice_has_one_message_id_and_two_places(
    sandbox, seller, case, letters, pieces
):
    sandbox.post.twice = 1
    letter = seller.buyer_writes(case, "Hallo?")
    found = [one for one in await letters() if one.mail.message_id == letter.message_id]

    assert len(found) == 2
    assert [one.id for one in (await pieces()).messages].count(letter.message_id) == 1
    assert sandbox.post.twice == 0


async def test_marketplace_mail_may_lie_in_junk(seller, case, letters, pieces):
    letter = seller.buyer_writes(case, "Hallo?", folder="Junk")

    assert [one.mail.message_id for one in await letters("Junk")] == [letter.message_id]
    assert letter.message_id in {one.id for one in (await pieces()).messages}


async def test_the_servers_word_stands_above_all_that_a_sender_wrote(
    sandbox, seller, case, letters
):
    for how in ("own_word", "unsigned", "hosted"):
        seller.stranger_writes(case, how)
    real, *forged = await letters()

    assert trust.of(real.mail, [SERVER]) is True
    assert [trust.of(one.mail, [SERVER]) for one in forged] == [False] * 3
    assert all(one.raw.index(b"Authentication-Results") < one.raw.index(b"Date:") for one in forged)


async def test_a_server_that_does_not_look_says_nothing(seller, case, clock, letters):
    seller.mailbox.checks = "none"
    seller.buyer_writes(case, "Hallo?", clock.advance(minutes=1))

    assert (await letters())[-1].mail.header("authentication-results") == ""


async def test_a_forwarded_letter_keeps_its_signature_and_loses_spf(seller, case, clock, letters):
    seller.mailbox.checks = "forwarded"
    seller.buyer_writes(case, "Hallo?", clock.advance(minutes=1))
    found = (await letters())[-1].mail

    assert "spf=fail" in found.header("authentication-results")
    assert trust.of(found, [SERVER]) is True


async def test_looking_changes_no_flag(sandbox, seller, case, letters):
    await letters()
    await letters()

    assert [one.flags for one in await sandbox.mail.letters(seller.mailbox.user)] == [frozenset()]


async def test_a_search_beyond_the_last_letter_still_names_it(sandbox, seller, case, letters, imap):
    await letters()
    (stored,) = await sandbox.mail.letters(seller.mailbox.user)
    found = await imap(lambda client: client.uid("SEARCH", f"UID {stored.uid + 5}:*"))

    assert found[1][0].split() == [str(stored.uid).encode()]


async def test_a_mailbox_is_filled_quickly_with_old_letters(sandbox, seller, mailboxes, login):
    await sandbox.fill(seller, 300, NOON - timedelta(days=400), NOON - timedelta(days=31))
    await sandbox.fill(seller, 5, NOON - timedelta(days=20), NOON)
    mailbox = mailboxes.open(login("imap"))
    page = await mailbox.read("INBOX", None, SINCE, 100)
    await mailbox.close()
    stored = await sandbox.mail.letters(seller.mailbox.user)

    assert len(page.letters) == 5
    assert len(stored) == 305
    assert stored[0].arrived_at == NOON - timedelta(days=400)
    assert len({one.raw.partition(b"Message-ID: ")[2][:90] for one in page.letters}) == 5


async def test_a_mailbox_may_keep_the_newest_letters_only(sandbox, seller, case, clock, letters):
    sandbox.post.most = 3
    written = [seller.buyer_writes(case, str(n), clock.advance(seconds=1)) for n in range(5)]

    assert [one.mail.message_id for one in await letters()] == [
        one.message_id for one in written[-3:]
    ]
    assert len(sandbox.post.lying) == 3


async def test_a_forgotten_case_takes_its_letters_along(sandbox, seller, buyer, letters, case):
    other = seller.open_case(buyer)
    kept = seller.buyer_writes(other, "Und das andere?")
    await letters()
    seller.forget(case)

    assert [one.mail.message_id for one in await letters()] == [kept.message_id]
    assert case.id not in seller.cases
    assert case.order.id not in seller.orders


async def test_each_seller_has_a_mailbox_and_a_password_of_his_own(sandbox, seller, letters):
    other = await sandbox.add_seller("A1VC38T7YXB528", user="tokyo@shop.example")
    other.posts(notices.unknown(other.author, NOON))
    told, own = sandbox.options(other), sandbox.options(seller)

    def enter(user, password):
        with imaplib.IMAP4("127.0.0.1", sandbox.mail.imap_port) as client:
            client.login(user, password)

    assert len(await letters(of=other)) == 1
    assert await letters() == []
    assert told["password"] != own["password"]
    await asyncio.to_thread(enter, told["user"], told["password"])
    with pytest.raises(imaplib.IMAP4.error):
        await asyncio.to_thread(enter, told["user"], own["password"])


async def test_a_user_may_come_while_the_mail_server_runs(now):
    async with mail.opened({}) as running:
        await running.add_user("ann@shop.example", "secret")
        await running.deliver("ann@shop.example", b"Subject: x\r\n\r\nx", now)

        assert len(await running.letters("ann@shop.example")) == 1


async def test_the_same_seed_makes_the_same_mailbox(clock):
    raws = []
    for _ in range(2):
        async with Sandbox(clock, seed=7) as sandbox:
            seller = await sandbox.add_seller("A13V1IB3VIYZZH")
            case = seller.open_case(seller.add_buyer())
            raws.append((sandbox.options(seller)["password"], case.alias,
                         seller.buyer_writes(case, "Bonjour").raw))  # fmt: skip

    assert raws[0] == raws[1]


async def test_nothing_is_left_running(clock):
    before = asyncio.all_tasks()
    async with Sandbox(clock) as sandbox:
        await sandbox.add_seller()

    assert asyncio.all_tasks() == before


async def test_a_letter_of_the_future_waits(sandbox, seller, case, clock, letters):
    seller.buyer_writes(case, "Hallo?", datetime(2026, 12, 24, tzinfo=UTC))

    assert len(await letters()) == 1
    assert sandbox.post.waiting == 1
    assert len(seller.contacts()) == 1
