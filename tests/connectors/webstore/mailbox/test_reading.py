"""Reading a shop's mailbox: real IMAP, whole letters, walk after walk."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.mailbox import memory as memories
from connectors.webstore.mailbox.memory import Memory
from connectors.webstore.mailbox.options import MailboxOptions
from core.connector import Transport
from core.errors import BadCredentials, BadPayload, SettingsError, Unreachable
from core.stage import walk
from core.transport import portions
from core.transport.http import Http
from core.transport.mailbox import Limits
from core.transport.portions import Place
from sla.clock import Kind
from sla.policy import Party
from tests.connectors.webstore.mailbox.letters import (
    ANA,
    BEN,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SUPPORT,
    answer,
    form,
    letter,
)  # fmt: skip
from tests.connectors.webstore.mailbox.post import opened_shop

MAIL = "mail"


@pytest.fixture
async def shop():
    async with opened_shop() as shop:
        yield shop


@pytest.fixture
def desk(shop):
    return shop.opened()


async def test_inbox_junk_and_sent_are_one_conversation(shop, desk):
    await shop.put(letter(id_="q1@mail.example"), NOON - HOUR, "Junk")
    await shop.put(answer(In_Reply_To="<q1@mail.example>"), NOON - 30 * MINUTE, "Sent")
    await shop.put(letter("Thanks, but?", In_Reply_To="<a1@shop.example>"), NOON)

    found = await walk(desk, MAIL, None, NOON + MINUTE)

    told = sorted((m.sent_at, m.party) for m in found.messages.values())
    assert [party for _, party in told] == [Party.BUYER, Party.SELLER, Party.BUYER]
    assert {m.thread for m in found.messages.values()} == set(found.threads)
    assert len(found.threads) == 1


async def test_trap_19_what_counts_is_when_the_server_got_it(shop, desk):
    """Not what the sender says, and in UTC, whatever zone the server writes."""
    await shop.put(letter(at=NOON + 999 * DAY), NOON - HOUR)

    found = await walk(desk, MAIL, None, NOON)

    assert [m.sent_at for m in found.messages.values()] == [NOON - HOUR]


async def test_the_first_walk_fetches_the_look_back_and_no_more(shop):
    for day in range(40):
        await shop.put(letter(id_=f"d{day}@mail.example"), NOON - day * DAY - MINUTE)

    found = await walk(shop.opened(look_back="10d"), MAIL, None, NOON)

    assert set(found.messages) == {f"d{day}@mail.example" for day in range(10)}


async def test_later_walks_read_what_is_new_and_nothing_twice(shop, desk):
    await shop.put(letter(id_="q1@mail.example"))
    first = await walk(desk, MAIL, None, NOON)
    await shop.put(letter(id_="q2@mail.example"), NOON + MINUTE)

    second = await walk(desk, MAIL, first.cursor, NOON + 2 * MINUTE)
    third = await walk(desk, MAIL, second.cursor, NOON + 4 * MINUTE)

    assert set(second.messages) == {"q2@mail.example"}
    assert third.messages == {}
    assert third.cursor == second.cursor


async def test_trap_16_a_folder_numbered_anew_is_read_again_and_nothing_moves(shop, desk):
    await shop.put(letter(id_="q1@mail.example"), NOON - 20 * DAY)
    await shop.put(letter(id_="q2@mail.example", subject="Re: Where is it?"), NOON - 10 * DAY)
    await shop.put(letter(id_="q3@post.example", sender=BEN), NOON - DAY)
    first = await walk(desk, MAIL, None, NOON)
    await shop.server.renumber(SUPPORT, "INBOX")

    again = await walk(desk, MAIL, first.cursor, NOON + MINUTE)

    assert {m.id: m.thread for m in again.messages.values()} == {
        m.id: m.thread for m in first.messages.values()
    }
    assert len(first.threads) == 2


async def test_trap_16_reading_leaves_letters_unread(shop, desk):
    await shop.put(letter())
    await walk(desk, MAIL, None, NOON)

    assert [one.flags for one in await shop.server.letters(SUPPORT)] == [frozenset()]


async def test_pages_are_bounded_and_each_leaves_a_cursor_to_go_on_from(shop, desk):
    for number in range(portions.MOST + 40):
        await shop.put(letter(id_=f"n{number}@mail.example"))

    first = await desk.fetch(MAIL, None, None, NOON)
    rest = await walk(shop.opened(), MAIL, first.cursor, NOON + MINUTE)

    assert first.more
    assert len(first.messages) == portions.MOST
    assert len(rest.messages) == 40


async def test_a_form_flooded_by_a_robot_is_read_page_by_page_and_is_not_slow(shop, desk):
    """Each page leaves the loop to others, and what is remembered stays small."""
    count = 1000
    for number in range(count):
        raw = form("Visit my page", who=f"r{number}@robots.example", id_=f"r{number}@shop.example")
        await shop.put(raw, NOON - HOUR + timedelta(milliseconds=number))
    await shop.put(letter(id_="q1@mail.example"), NOON)
    gaps, stop = [], asyncio.Event()

    async def others():
        while not stop.is_set():
            began = time.monotonic()
            await asyncio.sleep(0)
            gaps.append(time.monotonic() - began)

    beside = asyncio.create_task(others())
    found = await walk(desk, MAIL, None, NOON + MINUTE)
    stop.set()
    await beside

    assert len(found.messages) == count + 1
    assert all(len(page.messages) <= portions.MOST for page in found.pages)
    assert max(gaps) < 2
    assert len(found.cursor) < 300 * (count + 1)


async def test_a_flood_takes_the_place_of_what_is_old_in_the_memory(shop, monkeypatch):
    """And an answer to an older question is still found: by what it refers to."""
    monkeypatch.setattr(memories, "MOST_LETTERS", 20)
    monkeypatch.setattr(memories, "MOST_TIES", 40)
    desk = shop.opened()
    await shop.put(letter(id_="q1@mail.example"), NOON - HOUR)
    first = await walk(desk, MAIL, None, NOON - HOUR)
    for number in range(60):
        await shop.put(form(who=f"r{number}@robots.example", id_=f"r{number}@shop.example"), NOON)
    flood = await walk(desk, MAIL, first.cursor, NOON + MINUTE)
    await shop.put(answer(In_Reply_To="<q1@mail.example>"), NOON + MINUTE, "Sent")

    last = await walk(desk, MAIL, flood.cursor, NOON + 2 * MINUTE)

    remembered = Place.read(flood.cursor, Memory.read).memory
    assert len(remembered.letters) <= 20
    assert remembered.letter("q1@mail.example") is None
    (left,) = last.messages.values()
    assert (left.thread, left.kind) == (first.messages["q1@mail.example"].thread, Kind.MESSAGE)


async def test_no_cursor_holds_a_name_an_address_or_a_subject(shop, desk):
    await shop.put(letter(sender=f"Ana Sample <{ANA}>", subject="Lamp 100123"))

    found = await walk(desk, MAIL, None, NOON)

    for word in ("ana", "sample", "@", "lamp", "100123"):
        assert word not in (found.cursor or "").lower(), word


async def test_a_letter_too_large_is_a_message_and_told(shop):
    limits = Limits(connect=5, answer=5, command=5, whole=20_000, begin=10_000, part=5_000)
    await shop.put(letter(id_="big@mail.example") + b"x" * 30_000)
    await shop.put(letter(sender=BEN))

    found = await walk(shop.opened(limits), MAIL, None, NOON)

    assert len(found.messages) == 2
    (aside,) = [one for page in found.pages for one in page.set_aside]
    assert (aside.source_id, aside.reason.split(":")[0]) == ("big@mail.example", "too large")


async def test_what_the_server_does_not_give_is_set_aside_by_its_number(desk):
    class Withheld:
        folder, uidvalidity, uid, size, raw, gm_thrid = "INBOX", 7, 12, 10, b"", None
        arrived_at, lack = NOON, "unfetched"

    reading = memories_reading(desk)
    desk._take(reading, Withheld, "inbox", NOON)

    assert [one.source_id for one in reading.set_aside] == ["INBOX:7:12"]


async def test_a_letter_without_a_readable_arrival_counts_from_the_reading(desk):
    class Dateless:
        folder, uidvalidity, uid, size, lack, gm_thrid = "INBOX", 1, 1, 10, None, None
        arrived_at, raw = None, letter()

    reading = memories_reading(desk)
    desk._take(reading, Dateless, "inbox", NOON)

    assert [m.sent_at for m in reading.messages.values()] == [NOON]


def memories_reading(desk):
    from connectors.webstore.mailbox.mapping import Reading  # noqa: PLC0415  # used here alone

    return Reading(desk._options, Memory())


# Waiting, checks


async def test_a_new_letter_is_heard_at_once(shop, desk):
    stop = asyncio.Event()
    await walk(desk, MAIL, None, NOON)
    waiting = asyncio.create_task(desk.wait(stop))
    await asyncio.sleep(0.2)
    assert not waiting.done()

    await shop.put(letter())

    assert await asyncio.wait_for(waiting, 5)


async def test_a_check_logs_in_to_both_and_sends_nothing(shop, desk):
    await desk.check()

    assert shop.server.taken == []


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"password": "wrong"}, BadCredentials, "user and password"),
        ({"inbox": "Nowhere"}, BadPayload, "a folder as inbox names it"),
        ({"sent": "Nowhere"}, BadPayload, "a folder as sent names it"),
        ({"junk": "Nowhere"}, BadPayload, "a folder as junk names it"),
    ],
)
async def test_what_fails_says_which_key_to_mend(shop, more, error, says):
    desk = shop.opened(**more)
    for call in (desk.check(), desk.fetch(MAIL, None, None, NOON)):
        with pytest.raises(error, match=says):
            await call


async def test_a_server_that_cannot_be_reached_is_told_by_its_key(shop):
    imap = {**shop.told()["imap"], "port": 1}

    with pytest.raises(Unreachable, match=r"imap\.host"):
        await shop.opened(imap=imap).check()


async def test_no_other_stream_is_known(desk):
    with pytest.raises(ValueError, match="no stream"):
        await desk.fetch("orders", None, None, NOON)


async def test_who_has_no_mail_is_told(shop):
    options = MailboxOptions.model_validate(shop.told())
    with pytest.raises(SettingsError, match="mail"):
        spec.open(options, Transport(Http(shop.session)))
