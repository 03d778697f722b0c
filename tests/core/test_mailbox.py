"""Reading a mailbox, against the stand-in's own server."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psutil
import pytest

from core.errors import BadCredentials, RateLimited, Unreachable
from core.sandbox import mail
from core.transport.mailbox import Limits, Login, Mailboxes
from tests.core.silent import silent

ANN, SECRET = "ann@shop.example", "p4ss-word"
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


def letter(text="hello", number=1, size=0):
    head = (
        f"From: buyer@mail.example\r\nSubject: {number}\r\nMessage-ID: <m{number}@mail.example>\r\n"
    )
    return f"{head}\r\n{text}\r\n{'x' * size}".encode()


@pytest.fixture
async def server():
    async with mail.opened({ANN: SECRET}) as running:
        yield running


@pytest.fixture
async def mailboxes():
    async with Mailboxes(Limits(command=20, answer=20, opening=20)) as opened:
        yield opened


def login(server, **changes):
    given = {"host": "127.0.0.1", "port": server.imap_port, "user": ANN, "password": SECRET}
    return Login(**(given | {"tls": "none"} | changes))


@pytest.fixture
def mailbox(server, mailboxes):
    return mailboxes.open(login(server))


async def filled(server, count, at, **given):
    return [await server.deliver(ANN, letter(number=n), at, **given) for n in range(1, count + 1)]


async def walked(mailbox, position=None, since=LONG_AGO, limit=100, folder="INBOX"):
    letters, more = [], True
    while more:
        page = await mailbox.read(folder, position, since, limit)
        letters += page.letters
        position, more = page.position, page.more
    return letters, position


async def test_opening_a_mailbox_connects_nowhere(mailboxes):
    mailboxes.open(Login("no-such-host.invalid", 993, ANN, "x"))


async def test_a_letter_comes_whole_with_the_servers_date_in_utc(server, mailbox, now):
    at = now.astimezone(ZoneInfo("Asia/Tokyo"))
    uid = await server.deliver(ANN, letter("grüezi"), at, flags=["\\Flagged"])

    page = await mailbox.read("INBOX", None, LONG_AGO, 10)

    (got,) = page.letters
    assert (got.folder, got.uid, got.raw) == ("INBOX", uid, letter("grüezi"))
    assert got.arrived_at == now
    assert got.arrived_at.tzinfo is UTC
    assert got.size == len(got.raw)
    assert "\\flagged" in got.flags
    assert got.lack is None
    assert not page.more
    assert "grüezi" not in repr(page)


async def test_reading_changes_no_flag(server, mailbox, now):
    await filled(server, 3, now)
    before = await server.letters(ANN)

    await walked(mailbox)

    assert [each.flags for each in await server.letters(ANN)] == [each.flags for each in before]
    assert not any("Seen" in str(each.flags) for each in before)


async def test_what_was_read_does_not_come_again(server, mailbox, now):
    await filled(server, 3, now)
    letters, position = await walked(mailbox)
    again, same = await walked(mailbox, position)
    assert len(letters) == 3
    assert (again, same) == ([], position)

    uid = await server.deliver(ANN, letter(number=9), now)
    new, _ = await walked(mailbox, position)

    assert [each.uid for each in new] == [uid]


async def test_pages_are_as_small_as_asked_and_lose_nothing(server, mailbox, now):
    uids = await filled(server, 7, now)
    letters, position = await walked(mailbox, limit=3)
    more = await filled(server, 5, now)
    later, _ = await walked(mailbox, position, limit=2)

    assert [each.uid for each in letters] == uids
    assert [each.uid for each in later] == more


async def test_a_first_walk_reads_the_look_back_alone_and_all_of_what_comes_then(
    server, mailbox, now
):
    since = now - timedelta(days=7)
    await server.deliver(ANN, letter(number=1), since - timedelta(seconds=1))
    inside = await server.deliver(ANN, letter(number=2), since)
    await server.deliver(ANN, letter(number=3), since - timedelta(days=90))
    letters, position = await walked(mailbox, since=since)
    moved_here_late = await server.deliver(ANN, letter(number=4), since - timedelta(days=90))

    new, _ = await walked(mailbox, position, since=since)

    assert [each.uid for each in letters] == [inside]
    assert [each.uid for each in new] == [moved_here_late]


async def test_a_folder_numbered_anew_is_read_from_the_look_back_again(server, mailbox, now):
    await filled(server, 3, now)
    old, position = await walked(mailbox)
    await server.renumber(ANN, "INBOX")

    new, _ = await walked(mailbox, position)

    assert [each.raw for each in new] == [each.raw for each in old]
    assert {each.uidvalidity for each in new}.isdisjoint({each.uidvalidity for each in old})


@pytest.mark.parametrize("nonsense", ["", "x", "1:2:3:4", "-1:5", "99999999999999999999999:1"])
async def test_a_position_that_says_nothing_means_the_look_back(server, mailbox, now, nonsense):
    await filled(server, 2, now)

    letters, _ = await walked(mailbox, nonsense)

    assert len(letters) == 2


async def test_an_empty_folder_gives_a_position_that_can_be_used(server, mailbox, now):
    letters, position = await walked(mailbox)
    uid = await server.deliver(ANN, letter(), now - timedelta(days=300))
    new, _ = await walked(mailbox, position)

    assert letters == []
    assert [each.uid for each in new] == [uid]


async def test_a_letter_removed_meanwhile_is_left_out(server, mailbox, now):
    uids = await filled(server, 4, now)
    first = await mailbox.read("INBOX", None, LONG_AGO, 1)
    await server.expunge(ANN, "INBOX", uids[2])
    rest, _ = await walked(mailbox, first.position)

    assert [each.uid for each in rest] == [uids[1], uids[3]]


async def test_a_large_letter_comes_as_its_begin(server, now):
    limits = Limits(whole=100_000, begin=50_000, part=16_384)
    await server.deliver(ANN, letter(number=1, size=99_000), now)
    await server.deliver(ANN, letter("the text", number=2, size=300_000), now)
    await server.deliver(ANN, letter(number=3), now)
    async with Mailboxes(limits) as mailboxes:
        letters, _ = await walked(mailboxes.open(login(server)))

    assert [each.lack for each in letters] == [None, "truncated", None]
    large = letters[1]
    assert 50_000 <= len(large.raw) < 70_000
    assert letter("the text", number=2, size=300_000).startswith(large.raw)
    assert large.size > 300_000


async def test_a_page_ends_early_when_it_holds_enough_bytes(server, now):
    limits = Limits(batch=20_000, page=50_000)
    for number in range(10):
        await server.deliver(ANN, letter(number=number, size=10_000), now)
    async with Mailboxes(limits) as mailboxes:
        page = await mailboxes.open(login(server)).read("INBOX", None, LONG_AGO, 100)
        letters, _ = await walked(mailboxes.open(login(server)))

    assert page.more
    assert len(page.letters) < 10
    assert len({each.uid for each in letters}) == len(letters) == 10


async def test_folders_are_found_by_their_use(server, mailbox, now):
    assert dict(await mailbox.folders()) == {"inbox": "INBOX", "sent": "Sent", "junk": "Junk"}
    uid = await server.deliver(ANN, letter(), now, folder="Junk")

    letters, _ = await walked(mailbox, folder="Junk")

    assert [(each.folder, each.uid) for each in letters] == [("Junk", uid)]


async def test_a_folder_named_beyond_ascii_is_read(server, mailbox, now):
    await server.add_folder(ANN, "Éléments/보낸 편지함 & mehr")
    await server.deliver(ANN, letter(), now, folder="Éléments/보낸 편지함 & mehr")

    letters, _ = await walked(mailbox, folder="Éléments/보낸 편지함 & mehr")

    assert len(letters) == 1


async def test_what_was_sent_is_kept_as_read(server, mailbox, now):
    assert await mailbox.append_to_sent(letter("ours"), now)

    ((_, at, flags),) = await server.letters(ANN, "Sent")
    assert at == now
    assert "\\Seen" in str(flags)


async def test_to_keep_what_was_sent_neither_fails_nor_takes_long(server, now):
    async with Mailboxes(Limits(courtesy=0.3)) as mailboxes:
        mailbox = mailboxes.open(login(server))
        server.faults.order("imap_silent")
        assert not await mailbox.append_to_sent(letter("ours"), now)
        server.faults.lift()
        server.faults.order("imap_refuse_login", times=1)
        assert not await mailbox.append_to_sent(letter("ours"), now)

    assert await server.letters(ANN, "Sent") == []
    assert threads() == []


@pytest.mark.parametrize("host", ["imap.gmail.com", "outlook.office365.com"])
async def test_who_keeps_what_it_sends_is_not_given_it_twice(mailboxes, now, host):
    assert not await mailboxes.open(Login(host, 993, ANN, SECRET)).append_to_sent(b"", now)


# Faults


async def failed(doing):
    with pytest.raises(Exception) as caught:
        await doing
    assert SECRET not in str(caught.value)
    assert ANN not in str(caught.value)
    return caught.value


async def test_a_wrong_password_is_told_as_such(server, mailboxes):
    fault = await failed(mailboxes.open(login(server, password="wr0ng")).check())

    assert isinstance(fault, BadCredentials)
    assert "wr0ng" not in str(fault)


async def test_a_good_login_passes_the_check(server, mailbox):
    await mailbox.check()


async def test_an_access_token_logs_in(server, mailboxes):
    server.access_tokens.add("good")
    given = Given("good")
    await mailboxes.open(login(server, password=None, tokens=given)).check()

    assert given.forgotten == 0


class Given:
    """Access tokens in turn; the last one stays."""

    def __init__(self, *tokens):
        self.tokens, self.forgotten = list(tokens), 0

    async def token(self):
        return self.tokens[0]

    def forget(self):
        self.forgotten += 1
        if len(self.tokens) > 1:
            self.tokens.pop(0)


async def test_a_token_revoked_early_is_replaced_once(server, mailboxes):
    server.access_tokens.add("new")
    await mailboxes.open(login(server, password=None, tokens=Given("revoked", "new"))).check()

    fault = await failed(
        mailboxes.open(login(server, password=None, tokens=Given("a", "b", "new"))).check()
    )
    assert isinstance(fault, BadCredentials)


async def test_no_log_line_holds_a_secret_or_a_letter(server, mailbox, now, caplog):
    caplog.set_level("DEBUG")
    await server.deliver(ANN, letter("the buyers words"), now)
    await walked(mailbox)
    await mailbox.folders()

    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("pymap")]
    assert not any(word in line for line in ours for word in (SECRET, "buyers words", ANN))


async def test_too_many_connections_are_waited_for(server, mailbox):
    server.faults.order("imap_limit")

    assert isinstance(await failed(mailbox.check()), RateLimited)


async def test_a_dropped_connection_is_unreachable_and_the_next_read_goes_on(server, mailbox, now):
    await filled(server, 2, now)
    _, position = await walked(mailbox)
    uid = await server.deliver(ANN, letter(number=3), now)
    server.faults.order("imap_drop", times=2)

    assert isinstance(await failed(mailbox.read("INBOX", position, LONG_AGO, 5)), Unreachable)
    letters, _ = await walked(mailbox, position)
    assert [each.uid for each in letters] == [uid]


async def test_a_connection_that_ended_while_nobody_used_it_is_made_anew(server, mailbox, now):
    await walked(mailbox)
    server.faults.order("imap_drop", times=1)

    await walked(mailbox)


async def test_silence_ends_within_the_limit(server, now):
    async with Mailboxes(Limits(command=1.5, answer=1, connect=1)) as mailboxes:
        mailbox = mailboxes.open(login(server))
        await mailbox.check()
        server.faults.order("imap_silent")
        async with asyncio.timeout(20):
            fault = await failed(mailbox.check())

    assert isinstance(fault, Unreachable)
    assert fault.detail == "timeout"


async def test_nobody_there_is_unreachable(mailboxes):
    fault = await failed(mailboxes.open(Login("127.0.0.1", 9, ANN, SECRET, tls="none")).check())
    assert (type(fault), fault.detail) == (Unreachable, "network")
    fault = await failed(mailboxes.open(Login("no-such-host.invalid", 993, ANN, SECRET)).check())
    assert (type(fault), fault.detail) == (Unreachable, "dns")


def test_a_password_never_travels_in_clear():
    with pytest.raises(ValueError, match="in clear"):
        Login("imap.example.com", 143, ANN, SECRET, tls="none")
    with pytest.raises(ValueError, match="either a password or"):
        Login("imap.example.com", 143, ANN)
    with pytest.raises(ValueError, match="one line"):
        Login("imap.example.com", 143, ANN, "a\r\nb")
    assert SECRET not in repr(Login("imap.example.com", 143, ANN, SECRET))


async def test_two_reads_at_once_take_turns(server, mailbox, now):
    await filled(server, 3, now)

    pages = await asyncio.gather(*(mailbox.read("INBOX", None, LONG_AGO, 9) for _ in range(4)))

    assert [len(page.letters) for page in pages] == [3] * 4
    assert len(connections(server)) <= 1


# Waiting


def connections(server):
    ports = {server.imap_port}
    return [
        each
        for each in psutil.Process().net_connections("tcp")
        if each.raddr and each.raddr.port in ports
    ]


def threads():
    ours = [each for each in threading.enumerate() if each.name.startswith("mailbox at")]
    for each in ours:
        each.join(2)  # one says that it is done a moment before it is gone
    return [each for each in ours if each.is_alive()]


@pytest.fixture
def stop():
    return asyncio.Event()


async def waiting(mailbox, stop):
    """A wait that listens already."""
    task = asyncio.ensure_future(mailbox.wait(stop))
    for _ in range(500):
        if mailbox._heard:
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    return task


async def test_a_new_letter_ends_the_wait(server, mailbox, stop, now):
    task = await waiting(mailbox, stop)
    assert not task.done()

    await server.deliver(ANN, letter(), now)

    assert await asyncio.wait_for(task, 20)


async def test_what_came_between_a_read_and_the_wait_is_news(server, mailbox, stop, now):
    await walked(mailbox)
    await server.deliver(ANN, letter(), now)

    assert await asyncio.wait_for(mailbox.wait(stop), 20)
    await walked(mailbox)
    assert not (await waiting(mailbox, stop)).done()
    stop.set()


async def test_who_listens_again_after_a_failure_hears_at_once(server, mailbox, stop):
    await walked(mailbox)
    server.faults.order("imap_refuse_login", 1)
    with pytest.raises(BadCredentials):
        await mailbox.wait(stop)

    assert await asyncio.wait_for(mailbox.wait(stop), 20)
    assert not (await waiting(mailbox, stop)).done()
    stop.set()


async def test_what_was_read_after_a_failure_is_no_news(server, mailbox, stop):
    server.faults.order("imap_refuse_login", 1)
    with pytest.raises(BadCredentials):
        await mailbox.wait(stop)

    await walked(mailbox)

    assert not (await waiting(mailbox, stop)).done()
    stop.set()


async def test_waiting_ends_when_asked_to_stop_and_leaves_nothing(server, mailbox, stop):
    task = await waiting(mailbox, stop)
    assert len(threads()) == 1

    stop.set()

    assert await asyncio.wait_for(task, 20) is False
    assert threads() == []
    assert connections(server) == []


async def test_a_cancelled_wait_leaves_no_thread_and_no_socket(server, mailbox, stop):
    task = await waiting(mailbox, stop)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert threads() == []
    assert connections(server) == []


async def test_a_cancelled_read_leaves_no_thread_and_no_socket(server, mailbox):
    await mailbox.check()
    server.faults.order("imap_silent")
    task = asyncio.ensure_future(mailbox.check())
    await asyncio.sleep(0.2)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert threads() == []
    assert connections(server) == []


async def test_a_cancelled_connect_leaves_no_thread(mailboxes):
    """An address that answers nothing: the connection is cut while it is made."""
    task = asyncio.ensure_future(mailboxes.open(Login("192.0.2.1", 993, ANN, SECRET)).check())
    await asyncio.sleep(0.2)
    began = asyncio.get_running_loop().time()

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert asyncio.get_running_loop().time() - began < 5
    assert threads() == []


@pytest.fixture
async def mute():
    async with silent() as port:
        yield port


@pytest.mark.parametrize("tls", ["tls", "starttls", "none"])
async def test_a_server_that_never_greets_can_be_cut(mailboxes, mute, tls):
    there = Login("127.0.0.1", mute, ANN, SECRET, tls=tls)
    task = asyncio.ensure_future(mailboxes.open(there).check())
    await asyncio.sleep(0.3)
    assert not task.done()

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert threads() == []


async def test_a_server_that_never_greets_is_unreachable(mute):
    there = Login("127.0.0.1", mute, ANN, SECRET, tls="none")
    async with Mailboxes(Limits(connect=0.5)) as mailboxes:
        fault = await failed(mailboxes.open(there).check())

    assert (type(fault), fault.detail) == (Unreachable, "timeout")
    assert threads() == []


async def test_silence_amid_a_wait_is_noticed_at_the_end_of_a_slice(server, stop, now):
    async with Mailboxes(Limits(slice=0.5, answer=1, command=2, connect=2)) as mailboxes:
        task = await waiting(mailboxes.open(login(server)), stop)
        server.faults.order("imap_silent")
        async with asyncio.timeout(20):
            fault = await failed(task)

    assert (type(fault), fault.detail) == (Unreachable, "timeout")
    assert threads() == []


async def test_a_wait_goes_on_over_many_slices(server, stop, now):
    async with Mailboxes(Limits(slice=0.05)) as mailboxes:
        task = await waiting(mailboxes.open(login(server)), stop)
        assert not task.done()
        await server.deliver(ANN, letter(), now)

        assert await asyncio.wait_for(task, 20)


async def test_a_server_without_idle_is_not_listened_to(server, mailbox, stop, caplog):
    server.faults.order("imap_no_idle")
    task = asyncio.ensure_future(mailbox.wait(stop))
    await asyncio.sleep(0.5)
    assert not task.done()
    stop.set()

    assert await task is False


async def test_an_unused_connection_is_closed_after_a_while(server):
    async with Mailboxes(Limits(kept=0.2)) as mailboxes:
        mailbox = mailboxes.open(login(server))
        await mailbox.check()
        assert len(threads()) == 1
        await asyncio.sleep(0.8)
        assert threads() == []
        await mailbox.check()


async def test_closing_closes_every_connection(server):
    async with Mailboxes() as mailboxes:
        kept = [mailboxes.open(login(server)) for _ in range(3)]
        await asyncio.gather(*(mailbox.check() for mailbox in kept))
        assert len(threads()) == 3

    assert threads() == []
    assert connections(server) == []
