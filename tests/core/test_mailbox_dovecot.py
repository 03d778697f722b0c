"""Reading a mailbox, against Dovecot."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from time import monotonic

import pytest

from core.errors import BadCredentials, RateLimited, Unreachable
from core.transport.imap_reading import Reading
from core.transport.mailbox import Limits, Mailboxes
from tests.core import dovecot

pytestmark = pytest.mark.needs("dovecot", "openssl")

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
NUMBERS = count(1)


def letter(number=1, size=0):
    head = f"From: buyer@mail.example\r\nMessage-ID: <m{number}@mail.example>\r\n"
    return f"{head}\r\nhello\r\n{'x' * size}".encode()


@pytest.fixture(scope="module")
def server(long_place):
    place = long_place / f"dovecot-{next(NUMBERS)}"
    place.mkdir()
    with dovecot.serving(place) as running:
        yield running


@pytest.fixture
def user():
    """A mailbox that no other test uses."""
    return f"user{next(NUMBERS)}"


@pytest.fixture
async def mailboxes(server):
    async with Mailboxes(tls=server.trusting()) as opened:
        yield opened


@pytest.fixture
def mailbox(server, mailboxes, user):
    return mailboxes.open(server.login(user))


async def walked(mailbox, position=None, since=LONG_AGO, limit=500, folder="INBOX"):
    letters, more = [], True
    while more:
        page = await mailbox.read(folder, position, since, limit)
        letters += page.letters
        position, more = page.position, page.more
    return letters, position


async def beside(server, user, what):
    """What the owner does meanwhile at another program, in the inbox."""

    def act():
        with server.beside(user) as owner:
            owner.select("INBOX")
            return what(owner)

    return await asyncio.to_thread(act)


async def arrived(server, user, at, *numbers):
    for number in numbers:
        await asyncio.to_thread(server.append, letter(number), at, user)


def expunging(number):
    def act(owner):
        owner.store(str(number), "+FLAGS", "\\Deleted")
        owner.expunge()

    return act


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_a_letter_comes_whole_over_tls(server, mailboxes, user, now, tls):
    await arrived(server, user, now, 1)
    port = server.tls if tls == "tls" else server.starttls
    mailbox = mailboxes.open(server.login(user, tls=tls, port=port))

    ((got,), _) = await walked(mailbox)

    assert got.raw == letter(1)
    assert got.arrived_at == now


@pytest.mark.parametrize("tls", ["tls", "starttls"])
async def test_an_unknown_certificate_ends_it_before_the_login(server, user, tls):
    port = server.tls if tls == "tls" else server.starttls
    async with Mailboxes() as mailboxes:
        with pytest.raises(Unreachable) as caught:
            await mailboxes.open(server.login(user, tls=tls, port=port)).check()

    assert caught.value.detail == "tls"
    assert f"<{user}>" not in (server.place / "dovecot.log").read_text()


async def test_a_certificate_for_another_name_ends_it(server, mailboxes, user):
    with pytest.raises(Unreachable) as caught:
        await mailboxes.open(server.login(user, host="127.0.0.1")).check()

    assert caught.value.detail == "tls"


async def test_a_wrong_password_is_told_as_such(server, mailboxes, user):
    with pytest.raises(BadCredentials):
        await mailboxes.open(server.login(user, password="guess")).check()


async def test_reading_changes_no_flag(server, mailbox, user, now):
    await arrived(server, user, now, 1, 2)

    letters, _ = await walked(mailbox)

    seen = await beside(server, user, lambda owner: owner.search(None, "SEEN")[1])
    recent = await beside(server, user, lambda owner: owner.fetch("1:*", "(FLAGS)")[1])
    assert len(letters) == 2
    assert seen == [b""]
    assert b"\\" not in b"".join(recent).replace(b"\\Recent", b"")


async def test_the_quirk_of_an_open_range_is_seen_through(server, mailbox, user, now):
    await arrived(server, user, now, 1, 2)
    line = await mailbox._opened()
    seen = await line.run(lambda: line.client.examine("INBOX"), 5)

    found = await line.run(lambda: line.client.search(seen.uidnext, None), 5)
    last = await line.run(lambda: line.client.search(seen.uidnext - 1, None), 5)
    await line.close()

    assert seen.uidnext == 3
    assert (found, last) == ([], [2])


class Meddled:
    """A connection at which somebody else acts just after a job of ours."""

    def __init__(self, line, after, meddle):
        self.line, self.client, self.left, self.meddle = line, line.client, after, meddle

    async def run(self, job, seconds):
        result = await self.line.run(job, seconds)
        self.left -= 1
        if self.left == 0:
            await self.meddle()
        return result


@pytest.mark.parametrize("after", [2, 3], ids=["SEARCH", "FETCH of the facts"])
async def test_a_letter_expunged_between_search_and_fetch_is_left_out(
    server, mailbox, user, now, after
):
    await arrived(server, user, now, 1, 2, 3)
    line = await mailbox._opened()
    meddled = Meddled(line, after, lambda: beside(server, user, expunging(2)))

    page = await Reading(meddled, "INBOX", Limits(), Counter()).page(None, LONG_AGO, 10)
    await line.close()

    assert [(each.uid, each.raw) for each in page.letters] == [(1, letter(1)), (3, letter(3))]
    assert not page.more


async def test_all_letters_expunged_amid_reading_leave_an_empty_page(server, mailbox, user, now):
    await arrived(server, user, now, 1)
    line = await mailbox._opened()
    meddled = Meddled(line, 2, lambda: beside(server, user, expunging(1)))

    page = await Reading(meddled, "INBOX", Limits(), Counter()).page(None, LONG_AGO, 10)
    await line.close()

    assert page.letters == ()
    assert not page.more


async def test_a_folder_made_anew_is_read_from_the_look_back_again(server, mailbox, user, now):
    for _ in range(2):
        await beside(server, user, lambda owner: owner.create("Lager"))
        await asyncio.to_thread(server.append, letter(1), now, user, "Lager")
        old, position = await walked(mailbox, folder="Lager")
        assert len(old) == 1
        await beside(server, user, lambda owner: owner.delete("Lager"))
        await asyncio.sleep(1.1)  # Dovecot counts UIDVALIDITY in seconds

        await beside(server, user, lambda owner: owner.create("Lager"))
        await asyncio.to_thread(server.append, letter(2), now, user, "Lager")
        new, _ = await walked(mailbox, position, folder="Lager")

        assert [each.raw for each in new] == [letter(2)]
        assert new[0].uidvalidity != old[0].uidvalidity
        await beside(server, user, lambda owner: owner.delete("Lager"))


async def test_folders_are_found_by_their_use_whatever_they_are_called(mailbox):
    assert dict(await mailbox.folders()) == {
        "inbox": "INBOX",
        "sent": "Gesendet",
        "junk": "Spam-Ordner",
    }


async def test_a_folder_in_modified_utf_7_is_read(server, mailbox, user, now):
    await beside(server, user, lambda owner: owner.create('"R&AOk-clamations &- &- mehr"'))
    await asyncio.to_thread(server.append, letter(1), now, user, '"R&AOk-clamations &- &- mehr"')

    letters, _ = await walked(mailbox, folder="Réclamations & & mehr")

    assert len(letters) == 1


async def test_what_was_sent_is_kept_as_read(server, mailbox, user, now):
    assert await mailbox.append_to_sent(letter(1), now)

    ((got,), _) = await walked(mailbox, folder="Gesendet")
    assert got.raw == letter(1)
    assert got.arrived_at == now
    assert "\\seen" in got.flags


async def test_a_server_that_takes_no_more_connections_is_waited_for(server, mailboxes, user):
    opened = [mailboxes.open(server.login(user)) for _ in range(12)]
    kinds: set[type] = set()

    for _ in range(20):  # under load some have logged out before the last one comes
        ends = await asyncio.gather(*(each.check() for each in opened), return_exceptions=True)
        kinds |= {type(end) for end in ends}
        if RateLimited in kinds:
            break

    assert kinds == {type(None), RateLimited}


async def test_two_mailboxes_of_one_user_read_at_once(server, mailboxes, user, now):
    await arrived(server, user, now, *range(5))
    both = [mailboxes.open(server.login(user)) for _ in range(2)]

    (first, _), (second, _) = await asyncio.gather(*map(walked, both))

    assert [each.uid for each in first] == [each.uid for each in second] == [1, 2, 3, 4, 5]


async def test_five_thousand_letters_are_read(server, mailbox, user, now):
    server.boxes(user)
    for number in range(5000):
        server.drop_in(letter(number), now, user, f"{number}.x", "cur")

    letters, position = await walked(mailbox)

    assert len({each.uid for each in letters}) == len({each.raw for each in letters}) == 5000
    assert await walked(mailbox, position) == ([], position)


async def test_a_first_walk_of_an_old_mailbox_fetches_the_look_back_alone(
    server, mailbox, user, now
):
    server.boxes(user)
    for number in range(3000):
        server.drop_in(letter(number), now - timedelta(days=90), user, f"{number}.x", "cur")
    for number in range(20):
        server.drop_in(letter(number), now - timedelta(hours=number), user, f"n{number}.x", "cur")

    letters, _ = await walked(mailbox, since=now - timedelta(days=7))
    await mailbox.close()

    assert len(letters) == 20
    for _ in range(100):
        if counts := body_counts(server, user):
            break
        await asyncio.sleep(0.05)
    assert counts == [20]


def body_counts(server, user):
    """How many letters each of the user's sessions has fetched, by the server's log."""
    lines = (server.place / "dovecot.log").read_text().splitlines()
    return [
        int(line.partition("body_count=")[2].split()[0])
        for line in lines
        if f"imap({user})" in line and "body_count=" in line
    ]


async def test_of_thirty_megabytes_only_the_begin_is_fetched(server, mailbox, user, now):
    server.boxes(user)
    server.drop_in(letter(1), now, user, "1.x", "cur")
    server.drop_in(letter(2, size=30 * 2**20), now, user, "2.x", "cur")
    server.drop_in(letter(3), now, user, "3.x", "cur")

    letters, _ = await walked(mailbox)

    (large,) = [each for each in letters if each.lack == "truncated"]
    assert len(letters) == 3
    assert large.size > 30 * 2**20
    assert len(large.raw) == Limits().begin
    assert large.raw.startswith(letter(2))


async def test_a_delivered_letter_ends_the_wait(server, mailbox, user, now, tell):
    """As a mail system delivers: a file moved into the mailbox. The goal is 2 seconds."""
    server.boxes(user)
    stop, took = asyncio.Event(), []
    await walked(mailbox)
    for number in range(3):
        task = asyncio.ensure_future(mailbox.wait(stop))
        await asyncio.sleep(0.3)
        assert not task.done()
        began = monotonic()
        await asyncio.to_thread(server.drop_in, letter(number), None, user, f"{number}.x")
        assert await asyncio.wait_for(task, 30)
        took.append(monotonic() - began)
        await walked(mailbox)

    tell("seconds from arrival to the end of the wait", ", ".join(f"{t:.2f}" for t in took))


async def test_waiting_for_nothing_lasts_over_slices(server, user):
    stop = asyncio.Event()
    async with Mailboxes(Limits(slice=0.1), tls=server.trusting()) as mailboxes:
        task = asyncio.ensure_future(mailboxes.open(server.login(user)).wait(stop))
        await asyncio.sleep(1)
        assert not task.done()
        stop.set()
        assert await asyncio.wait_for(task, 20) is False


async def test_a_context_without_verification_is_nobodys_default():
    assert Mailboxes().tls.verify_mode is ssl.CERT_REQUIRED
    assert Mailboxes().tls.check_hostname
