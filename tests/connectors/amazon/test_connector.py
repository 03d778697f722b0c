"""Reading a shop's mailbox: real IMAP, whole letters, walk after walk."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

import pytest

from connectors.amazon import spec
from connectors.amazon.identity import Memory, Seen
from core.errors import BadCredentials, BadPayload, RateLimited, SettingsError, Unreachable
from core.stage import walk
from core.transport import portions
from core.transport.mailbox import Limits
from core.transport.portions import Place, Spot
from sla.clock import Delivery
from sla.policy import Party
from tests.connectors.amazon.letters import BARE, CASE, SUPPORT
from tests.connectors.amazon.post import (
    alias,
    answer,
    case,
    letter,
    opened_shop,
)  # fmt: skip
from tests.connectors.mailing import NOON, QUICK

MAIL = "mail"


@pytest.fixture
async def shop():
    async with opened_shop() as shop:
        yield shop


@pytest.fixture
def amazon(shop):
    return shop.opened()


# A walk


async def test_a_letter_in_the_inbox_becomes_a_question_at_amazons_stamp(shop, amazon):
    await shop.put(letter(number=1, sent=NOON - timedelta(minutes=9)))

    found = await walk(amazon, MAIL, None, NOON)

    (message,) = found.messages.values()
    assert message.party is Party.BUYER
    assert message.sent_at == NOON - timedelta(minutes=9)
    assert message.visible_at == NOON
    assert message.thread == f"case:{case(1)}"
    assert found.threads[message.thread].reply_to["alias"] == alias(1)


async def test_inbox_junk_and_sent_are_one_conversation(shop, amazon):
    await shop.put(letter(number=1), folder="Junk")
    await shop.put(letter(number=2))
    await shop.put(answer(alias(2), message_id="a@shop.example"), folder="Sent")

    found = await walk(amazon, MAIL, None, NOON)

    parties = {(m.thread, m.party) for m in found.messages.values()}
    assert parties == {
        (f"case:{case(1)}", Party.BUYER),
        (f"case:{case(2)}", Party.BUYER),
        (f"case:{case(2)}", Party.SELLER),
    }
    assert len(found.pages) == 1
    assert found.messages["a@shop.example"].delivery is Delivery.ACCEPTED


async def test_folders_are_those_that_the_options_name(shop):
    for name in ("Amazon", "Left"):
        await shop.server.add_folder(SUPPORT, name)
    await shop.put(letter(number=1), folder="Amazon")
    await shop.put(letter(number=2))
    await shop.put(answer(alias(1), message_id="a@shop.example"), folder="Left")

    found = await walk(shop.opened(inbox="Amazon", sent="Left"), MAIL, None, NOON)

    assert {m.thread for m in found.messages.values()} == {f"case:{case(1)}"}
    assert len(found.messages) == 2


async def test_a_letter_in_two_folders_is_one_message(shop, amazon):
    raw = letter(number=1)
    await shop.put(raw)
    first = await walk(amazon, MAIL, None, NOON)
    await shop.put(raw, NOON + timedelta(minutes=3), folder="Junk")
    later = await walk(amazon, MAIL, first.cursor, NOON + timedelta(minutes=5))

    assert set(later.messages) == set(first.messages)
    assert {m.thread for m in later.messages.values()} == set(first.threads)


async def test_the_first_walk_fetches_the_look_back_and_no_more(shop):
    for day in range(40):
        await shop.put(letter(number=day), NOON - timedelta(days=day, minutes=1))

    found = await walk(shop.opened(look_back="10d"), MAIL, None, NOON)

    assert {m.thread for m in found.messages.values()} == {f"case:{case(n)}" for n in range(10)}


async def test_later_walks_read_what_is_new_and_nothing_twice(shop, amazon):
    await shop.put(letter(number=1))
    first = await walk(amazon, MAIL, None, NOON)
    await shop.put(letter(number=2), NOON + timedelta(minutes=1))

    second = await walk(amazon, MAIL, first.cursor, NOON + timedelta(minutes=2))
    third = await walk(amazon, MAIL, second.cursor, NOON + timedelta(minutes=4))

    assert {m.thread for m in second.messages.values()} == {f"case:{case(2)}"}
    assert third.messages == {}


async def test_a_cursor_is_the_same_while_nothing_comes(shop, amazon):
    """It may be long, and is written whenever it changes."""
    await shop.put(letter(number=1, sender=BARE))
    first = await walk(amazon, MAIL, None, NOON)

    later = await walk(amazon, MAIL, first.cursor, NOON + timedelta(minutes=2))

    assert later.cursor == first.cursor


async def test_a_folder_numbered_anew_is_read_again_and_nothing_moves(shop):
    """A conversation without case and order, longer than its family is remembered."""
    amazon = shop.opened(look_back="30d")
    for day in (29, 20, 10, 1):
        await shop.put(
            letter(number=day, sender=BARE, order=None, subject="Re: Bottle"),
            NOON - timedelta(days=day),
        )
    first = await walk(amazon, MAIL, None, NOON)
    await shop.server.renumber(SUPPORT, "INBOX")

    again = await walk(amazon, MAIL, first.cursor, NOON + timedelta(minutes=2))

    assert set(again.messages) == set(first.messages)
    assert {m.id: m.thread for m in again.messages.values()} == {
        m.id: m.thread for m in first.messages.values()
    }
    assert len({m.thread for m in first.messages.values()}) == 1


async def test_pages_are_bounded_and_each_leaves_a_cursor_to_go_on_from(shop, amazon):
    for number in range(portions.MOST + 40):
        await shop.put(letter(number=number))

    first = await amazon.fetch(MAIL, None, None, NOON)
    assert first.more
    assert len(first.messages) == portions.MOST
    rest = await walk(shop.opened(), MAIL, first.cursor, NOON + timedelta(minutes=2))

    assert len(rest.messages) == 40
    assert not {m.id for m in first.messages} & set(rest.messages)


async def test_letters_that_take_long_are_read_in_ever_smaller_pages(shop, amazon):
    """Core cuts a page off after a minute: the same page again would never come to an end."""
    for number in range(30):
        await shop.put(letter(number=number))
    piece, slow = amazon._piece, True

    def slowly(*given, **more):
        if slow:
            time.sleep(0.15)
        return piece(*given, **more)

    amazon._piece, tries, page = slowly, 0, None
    while page is None:
        tries += 1
        with suppress(TimeoutError):
            async with asyncio.timeout(1.5):
                page = await amazon.fetch(MAIL, None, None, NOON)
    slow = False
    sizes, position = [len(page.messages)], page.position
    while page.more:
        page = await amazon.fetch(MAIL, None, position, NOON)
        sizes, position = [*sizes, len(page.messages)], page.position

    assert tries in {4, 5}
    assert sizes[0] in {3, 1}
    assert sum(sizes) == 30
    assert sizes[1] == 2 * sizes[0]


async def test_a_walk_that_goes_on_tomorrow_still_looks_back_as_far(shop):
    """The look-back belongs to the walk that began, else the oldest letters would be lost."""
    amazon = shop.opened(look_back="3d")
    for number in range(portions.MOST + 10):
        await shop.put(letter(number=number), NOON - timedelta(days=3) + timedelta(minutes=number))

    first = await amazon.fetch(MAIL, None, None, NOON)
    rest = await walk(shop.opened(look_back="3d"), MAIL, first.cursor, NOON + timedelta(days=1))

    assert len(first.messages) + len(rest.messages) == portions.MOST + 10
    assert Place.read(rest.cursor, Memory.read).since is None


async def test_the_folder_furthest_behind_is_read_first(shop, amazon):
    for number in range(portions.MOST * 2):
        await shop.put(letter(number=number), NOON - timedelta(days=9) + timedelta(hours=number))
        await shop.put(
            answer(alias(number), message_id=f"a{number}@shop.example"),
            NOON - timedelta(days=9) + timedelta(hours=number, minutes=5),
            folder="Sent",
        )

    found = await walk(amazon, MAIL, None, NOON)

    ahead = 0
    for page in found.pages:
        ahead += sum(1 if m.party is Party.BUYER else -1 for m in page.messages)
        assert abs(ahead) <= portions.MOST
    assert len(found.messages) == portions.MOST * 4


async def test_a_colleagues_answer_to_an_alias_without_case_is_where_the_question_is(shop, amazon):
    asked = letter(number=1, sender=BARE, order="302-1111111-1111111", subject="Wo ist es?",
                   message_id="q1@eu-west-1.amazonses.com")  # fmt: skip
    await shop.put(asked)
    reply = answer(BARE, message_id="a1@shop.example", subject="Re: Wo ist es?",
                   In_Reply_To="<q1@eu-west-1.amazonses.com>")  # fmt: skip
    await shop.put(reply, NOON + timedelta(minutes=5), folder="Sent")

    found = await walk(amazon, MAIL, None, NOON + timedelta(minutes=9))

    assert len({m.thread for m in found.messages.values()}) == 1


# Letters that cannot be read


async def test_a_letter_too_large_is_a_message_and_told(shop):
    limits = Limits(connect=5, answer=5, command=5, whole=20_000, begin=10_000, part=5_000)
    await shop.put(letter(number=1) + b"\r\n" + b"x" * 30_000)
    await shop.put(letter(number=2))

    found = await walk(shop.opened(limits), MAIL, None, NOON)

    assert len(found.messages) == 2
    (aside,) = [one for page in found.pages for one in page.set_aside]
    assert aside.reason.startswith("too large")
    assert aside.source_id in found.messages
    assert b"size" in aside.raw


async def test_what_is_no_letter_of_amazons_is_set_aside_without_its_text(shop, amazon):
    await shop.put(b"From: ann@mail.example\r\nSubject: Dinner\r\n\r\nAt eight?\r\n")
    await shop.put(b"\x00\xff\xfe")
    await shop.put(letter(number=2))

    found = await walk(amazon, MAIL, None, NOON)

    asides = [one for page in found.pages for one in page.set_aside]
    assert len(found.messages) == 1
    assert len(asides) == 2
    assert all(b"eight" not in one.raw and one.raw for one in asides)


async def test_a_letter_without_a_readable_arrival_counts_from_the_reading(shop, amazon):
    class Dateless:
        folder, uidvalidity, uid, size, lack = "INBOX", 1, 1, 10, None
        arrived_at, raw = None, letter(number=1, signed=None)

    pieces = amazon._piece(Dateless, Memory(), NOON, is_sent=False)

    assert [m.sent_at for m in pieces.messages] == [NOON]


async def test_what_the_server_does_not_give_is_set_aside_by_its_number(amazon):
    class Withheld:
        folder, uidvalidity, uid, size, raw = "INBOX", 7, 12, 10, b""
        arrived_at, lack = NOON, "unfetched"

    pieces = amazon._piece(Withheld, Memory(), NOON, is_sent=False)

    (aside,) = pieces.set_aside
    assert (aside.source_id, pieces.messages) == ("INBOX:7:12", ())
    assert aside.reason.startswith("unfetched")
    assert aside.raw


# The cursor


def test_a_cursor_is_written_and_read_as_it_was():
    place = Place(
        Memory(cases={"ab": Seen("case:1", NOON)}),
        {"INBOX": Spot("7:12", NOON), "Gesendet\n": Spot(None)},
        NOON,
        frozenset({"INBOX"}),
    )

    assert Place.read(place.write(), Memory.read) == place
    assert Place.read(None, Memory.read) == Place(Memory())
    assert Place.read(Place(Memory()).write(), Memory.read) == Place(Memory())


def test_a_cursor_of_an_earlier_version_is_read():
    """As it was stored when these parts were Amazon's alone."""
    stored = (
        '{"at": {"INBOX": ["7:12", "0001-01-01T00:00:00+00:00"]}}\n'
        '{"cases": {"ab": ["case:1", "2026-11-22T12:00:00+00:00"]}, "closed": {}, '
        '"dossiers": {}, "families": {"k:1": ["buyer:k:1", "2026-11-22T12:00:00+00:00"]}}'
    )

    place = Place.read(stored, Memory.read)

    assert place.spots == {"INBOX": Spot("7:12")}
    assert place.memory.cases == {"ab": Seen("case:1", NOON)}
    assert place.memory.families == {"k:1": Seen("buyer:k:1", NOON)}
    assert place.write() == stored


def test_a_new_walk_reads_every_folder_again():
    broken = Place(Memory(), {"INBOX": Spot("7:12", NOON)}, since=NOON, done=frozenset({"INBOX"}))

    begun = broken.begun(NOON + timedelta(days=1))

    assert begun.done == frozenset()
    assert begun.since == NOON
    assert broken.ended().since is None


async def test_what_is_old_is_forgotten_and_the_cursor_stays_small(shop, amazon):
    old = Memory(cases={"ab": Seen("case:1", NOON - timedelta(days=200))})

    found = await walk(amazon, MAIL, Place(old).write(), NOON)

    assert Place.read(found.cursor, Memory.read).memory == Memory()
    assert CASE not in (found.cursor or "")


# Waiting


async def test_a_new_letter_is_heard(shop, amazon):
    stop = asyncio.Event()
    await walk(amazon, MAIL, None, NOON)
    waiting = asyncio.create_task(amazon.wait(stop))
    await asyncio.sleep(0.2)
    assert not waiting.done()

    await shop.put(letter(number=1))

    assert await asyncio.wait_for(waiting, 5)


async def test_waiting_ends_when_asked_to(amazon):
    stop = asyncio.Event()
    waiting = asyncio.create_task(amazon.wait(stop))
    await asyncio.sleep(0.2)
    stop.set()

    assert not await asyncio.wait_for(waiting, 5)


# Faults


async def test_a_check_logs_in_to_both_and_sends_nothing(shop, amazon):
    await amazon.check()

    assert shop.server.taken == []


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"password": "wrong"}, BadCredentials, "user and password"),
        ({"user": "who@shop.example"}, BadCredentials, "user and password"),
        ({"inbox": "Nowhere"}, BadPayload, "inbox"),
        ({"sent": "Nowhere"}, BadPayload, "sent"),
        ({"junk": "Nowhere"}, BadPayload, "junk"),
    ],
)
async def test_a_check_says_which_key_to_mend(shop, more, error, says):
    with pytest.raises(error, match=says) as caught:
        await shop.opened(**more).check()

    assert type(caught.value) is error


@pytest.mark.parametrize("part", ["imap", "smtp"])
@pytest.mark.parametrize(
    ("server", "says"),
    [
        ({"host": "no-such-host.invalid", "tls": "tls"}, "host right"),
        ({"tls": "tls"}, "tls right"),
        ({"tls": "starttls"}, "tls right"),
        ({"port": 1}, "host, port and tls"),
    ],
)
async def test_a_server_that_cannot_be_reached_is_told_by_its_key(shop, part, server, says):
    told = shop.told()
    amazon = shop.opened(poll_every="2m", **{part: {**told[part], **server}})

    with pytest.raises(Unreachable, match=says) as caught:
        await amazon.check()

    assert f"{part}." in str(caught.value)


async def test_a_port_where_another_protocol_answers_is_told_by_its_key(shop):
    told = shop.told()
    amazon = shop.opened(smtp={**told["smtp"], "port": told["imap"]["port"]})

    with pytest.raises(Unreachable, match=r"are smtp\.port and smtp\.tls right\?"):
        await amazon.check()


async def test_a_reading_says_what_to_mend_too(shop):
    with pytest.raises(BadCredentials, match="user and password"):
        await shop.opened(password="wrong").fetch(MAIL, None, None, NOON)
    for key in ("inbox", "sent", "junk"):
        with pytest.raises(BadPayload, match=f"a folder as {key} names it"):
            await shop.opened(**{key: "Nowhere"}).fetch(MAIL, None, None, NOON)
    told = shop.told()
    away = shop.opened(imap={**told["imap"], "port": 1})
    with pytest.raises(Unreachable) as caught:
        await away.fetch(MAIL, None, None, NOON)
    assert str(caught.value).count("imap.host") == 1


async def test_a_server_that_asks_to_wait_is_waited_for(shop, amazon):
    shop.server.faults.order("imap_limit")

    with pytest.raises(RateLimited):
        await amazon.fetch(MAIL, None, None, NOON)


async def test_no_other_stream_is_known(amazon):
    with pytest.raises(ValueError, match="no stream"):
        await amazon.fetch("orders", None, None, NOON)


async def test_who_has_no_mail_is_told(shop):
    from core.connector import Transport  # noqa: PLC0415  # only here
    from core.transport.http import Http  # noqa: PLC0415  # likewise

    with pytest.raises(SettingsError, match="mail"):
        spec.open(spec.options.model_validate(shop.told()), Transport(Http(shop.session)))


def test_limits_of_a_page_lie_below_those_of_core():
    assert portions.MOST_SECONDS + QUICK.page_seconds < 60


async def test_a_wrong_name_in_authserv_ids_is_told_once(shop):
    for number in (1, 2):
        await shop.put(letter(number=number))
    wrong = await walk(shop.opened(authserv_ids=["mx.wrong.example"]), MAIL, None, NOON)
    right = await walk(shop.opened(), MAIL, None, NOON)

    assert [one.source_id for page in wrong.pages for one in page.set_aside] == ["authserv_ids"] * 2
    assert {message.sent_at for message in wrong.messages.values()} == {NOON}
    assert [one for page in right.pages for one in page.set_aside] == []
