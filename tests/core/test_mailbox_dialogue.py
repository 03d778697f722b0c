"""Reading a mailbox, against servers that say word for word what a test wants."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from core.errors import BadCredentials, BadPayload, RateLimited, Unreachable
from core.transport.mailbox import Limits, Login, Mailboxes

LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)
QUICK = Limits(command=10, answer=2, connect=10, opening=10, slice=0.5)
EXAMINED = "* {0} EXISTS", "* OK [UIDVALIDITY {1}]", "* OK [UIDNEXT {2}]"


class Talk:
    """One client, as the server sees it."""

    def __init__(self, reader, writer, heard):
        self.reader, self.writer, self.heard = reader, writer, heard

    async def say(self, *lines):
        for line in lines:
            self.writer.write(line if isinstance(line, bytes) else f"{line}\r\n".encode())
        await self.writer.drain()

    async def hear(self):
        """The next line, as (tag, the rest)."""
        line = (await self.reader.readline()).decode().rstrip("\r\n")
        self.heard.append(line)
        if not line:
            raise EOFError
        tag, _, rest = line.partition(" ")
        return tag, rest

    async def asked(self, begin, *lines, end="OK done"):
        """Wait for a command that begins so, and answer it."""
        tag, rest = await self.hear()
        assert rest.upper().startswith(begin), f"{begin} expected, {rest} came"
        await self.say(*lines, f"{tag} {end}")
        return rest

    async def welcome(self, can="IMAP4rev1 IDLE", before="IMAP4rev1"):
        await self.say("* OK ready")
        await self.asked("CAPABILITY", f"* CAPABILITY {before}")
        login = await self.asked("LOGIN")
        await self.asked("CAPABILITY", f"* CAPABILITY {can}")
        return login

    async def examined(self, letters=3, uidvalidity=1700000001, uidnext=45):
        lines = (each.format(letters, uidvalidity, uidnext) for each in EXAMINED)
        await self.asked("EXAMINE", *lines, end="OK [READ-ONLY] done")


@asynccontextmanager
async def serving(*scripts):
    """A server that plays one script a connection; the port, what was heard, what went wrong."""
    left, heard, faults, tasks = list(scripts), [], [], set()

    async def play(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await left.pop(0)(Talk(reader, writer, heard))
        except EOFError:
            pass
        except (AssertionError, IndexError) as fault:
            faults.append(fault)
        finally:
            writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert faults == []


@asynccontextmanager
async def mailbox_of(*scripts, limits=QUICK, **given):
    async with serving(*scripts) as (port, heard), Mailboxes(limits) as mailboxes:
        how = {"host": "127.0.0.1", "port": port, "user": "ann", "password": "secret"}
        yield mailboxes.open(Login(**(how | {"tls": "none"} | given))), heard


async def failed(doing):
    with pytest.raises(Exception) as caught:
        await doing
    assert "secret" not in str(caught.value)
    return caught.value


class Given:
    async def token(self):
        return "t0ken-secret"

    def forget(self):
        pass


async def test_the_challenge_that_tells_of_a_failure_is_answered_with_an_empty_line():
    async def script(talk):
        await talk.say("* OK ready")
        await talk.asked("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR")
        tag, rest = await talk.hear()
        assert rest == "AUTHENTICATE XOAUTH2"
        await talk.say("+ ")
        given, _ = await talk.hear()
        assert base64.b64decode(given) == b"user=ann\1auth=Bearer t0ken-secret\1\1"
        await talk.say("+ eyJzdGF0dXMiOiI0MDEifQ==")
        line = await talk.reader.readline()
        assert line == b"\r\n"
        await talk.say(f"{tag} NO [AUTHENTICATIONFAILED] Invalid credentials")
        await talk.hear()

    async with mailbox_of(script, password=None, tokens=Given()) as (mailbox, _):
        fault = await failed(mailbox.check())

    assert isinstance(fault, BadCredentials)


async def test_the_last_letter_that_an_open_range_always_brings_is_ignored():
    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=46)
        asked = await talk.asked("UID SEARCH", "* SEARCH 44")
        assert asked == "UID SEARCH UID 45:*"

    async with mailbox_of(script) as (mailbox, _):
        page = await mailbox.read("INBOX", "1700000001:45", LONG_AGO, 10)

    assert page.letters == ()
    assert page.position == "1700000001:45"


async def test_a_flag_of_another_letter_amid_an_answer_is_no_letter():
    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=46)
        await talk.asked("UID SEARCH", "* SEARCH 45")
        await talk.asked(
            "UID FETCH 45",
            "* 2 FETCH (UID 44 FLAGS (\\Seen))",
            '* 3 FETCH (UID 45 INTERNALDATE " 5-Nov-2026 09:00:00 +0100" RFC822.SIZE 5 FLAGS ())',
        )
        await talk.asked(
            "UID FETCH 45 (BODY.PEEK[])", b"* 3 FETCH (UID 45 BODY[] {5}\r\nhello)\r\n"
        )

    async with mailbox_of(script) as (mailbox, _):
        page = await mailbox.read("INBOX", "1700000001:45", LONG_AGO, 10)

    ((got,),) = (page.letters,)
    assert (got.uid, got.raw) == (45, b"hello")
    assert got.arrived_at == datetime(2026, 11, 5, 8, tzinfo=UTC)
    assert page.position == "1700000001:46"


async def test_a_server_that_was_restored_is_read_from_the_look_back():
    """Its next UID is below what we have read, under the same UIDVALIDITY."""

    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=30)
        asked = await talk.asked("UID SEARCH", "* SEARCH")
        assert asked == "UID SEARCH UID 1:29 SINCE 31-Oct-2026"

    async with mailbox_of(script) as (mailbox, _):
        page = await mailbox.read("INBOX", "1700000001:45", LONG_AGO, 10)

    assert page.position == "1700000001:30"


async def test_gmails_numbers_of_letter_and_thread_are_told():
    async def script(talk):
        await talk.welcome(can="IMAP4rev1 X-GM-EXT-1")
        await talk.examined(uidnext=46)
        await talk.asked("UID SEARCH", "* SEARCH 45")
        asked = await talk.asked(
            "UID FETCH",
            "* 3 FETCH (X-GM-MSGID 1278455344230334865 X-GM-THRID 1266894439832287888 "
            "UID 45 RFC822.SIZE 5 "
            'INTERNALDATE "05-Nov-2026 09:00:00 +0000" FLAGS ())',
        )
        assert "X-GM-MSGID" in asked
        assert "X-GM-THRID" in asked
        await talk.asked("UID FETCH", b"* 3 FETCH (UID 45 BODY[] {5}\r\nhello)\r\n")

    async with mailbox_of(script) as (mailbox, _):
        page = await mailbox.read("INBOX", "1700000001:45", LONG_AGO, 10)

    assert [each.gm_msgid for each in page.letters] == ["1278455344230334865"]
    assert [each.gm_thrid for each in page.letters] == ["1266894439832287888"]


def facts(uid):
    date = '"05-Nov-2026 09:00:00 +0000"'
    return f"* {uid} FETCH (UID {uid} INTERNALDATE {date} RFC822.SIZE 5 FLAGS ())"


async def test_a_folder_stays_open_for_the_pages_of_a_walk_until_another_is_opened():
    """To open one of 100,000 letters takes a server longer than a page of them."""

    async def page(talk, uid, *left):
        await talk.asked("UID SEARCH", f"* SEARCH {' '.join(map(str, (uid, *left)))}")
        await talk.asked(f"UID FETCH {uid}", facts(uid))
        await talk.asked(f"UID FETCH {uid}", f"* {uid} FETCH (UID {uid} BODY[] {{1}}".encode(),
                         b"\r\nx)\r\n")  # fmt: skip

    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=4)
        await page(talk, 1, 2, 3)
        await talk.asked("NOOP")
        await page(talk, 2, 3)
        await talk.asked("NOOP")
        await talk.examined(uidnext=1)
        await talk.asked("NOOP")
        await talk.examined(uidnext=4)
        await page(talk, 3)

    async with mailbox_of(script) as (mailbox, _):
        first = await mailbox.read("INBOX", "1700000001:1", LONG_AGO, 1)
        second = await mailbox.read("INBOX", first.position, LONG_AGO, 1)
        await mailbox.read("Other", None, LONG_AGO, 1)
        third = await mailbox.read("INBOX", second.position, LONG_AGO, 1)

    assert [one.uid for page in (first, second, third) for one in page.letters] == [1, 2, 3]
    assert (first.more, second.more, third.more) == (True, True, False)


async def test_a_folder_is_opened_anew_where_a_walk_begins_elsewhere():
    async def script(talk):
        await talk.welcome()
        for _ in range(2):
            await talk.examined(uidnext=4)
            await talk.asked("UID SEARCH", "* SEARCH 1 2")
            await talk.asked("UID FETCH 1", facts(1))
            await talk.asked("UID FETCH 1", b"* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\n")
            await talk.asked("NOOP")
        await talk.examined()

    async with mailbox_of(script) as (mailbox, _):
        for _ in range(2):
            page = await mailbox.read("INBOX", "1700000001:1", LONG_AGO, 1)
        await mailbox.check()

    assert page.more


async def test_a_letter_that_the_server_will_not_give_does_not_stop_the_others():
    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=4)
        await talk.asked("UID SEARCH", "* SEARCH 1 2 3")
        await talk.asked("UID FETCH", *map(facts, (1, 2, 3)))
        await talk.asked("UID FETCH 1,2,3", end="NO some letters could not be fetched")
        await talk.asked("UID FETCH 1", b"* 1 FETCH (UID 1 BODY[] {3}\r\none)\r\n")
        await talk.asked("UID FETCH 2", end="NO this one cannot be fetched")
        await talk.examined(uidnext=4)
        await talk.asked("UID SEARCH", "* SEARCH 2")
        await talk.asked("UID FETCH 3", b"* 3 FETCH (UID 3 BODY[] {5}\r\nthree)\r\n")

    async with mailbox_of(script) as (mailbox, _):
        page = await mailbox.read("INBOX", "1700000001:1", LONG_AGO, 10)

    assert [(each.raw, each.lack) for each in page.letters] == [
        (b"one", None),
        (b"", "unfetched"),
        (b"three", None),
    ]


async def test_a_letter_that_ends_every_connection_does_not_stop_the_others_for_good():
    async def breaking(talk):
        await talk.welcome()
        await talk.examined(uidnext=3)
        await talk.asked("UID SEARCH", "* SEARCH 1 2")
        await talk.asked("UID FETCH", *map(facts, (1, 2)))
        tag, rest = await talk.hear()
        if rest == "UID FETCH 1 (BODY.PEEK[])":
            await talk.say(b"* 1 FETCH (UID 1 BODY[] {3}\r\none)\r\n", f"{tag} OK done")
            tag, rest = await talk.hear()
        assert "2" in rest
        talk.writer.transport.abort()

    async def last(talk):
        await talk.welcome()
        await talk.examined(uidnext=3)
        await talk.asked("UID SEARCH", "* SEARCH 1 2")
        await talk.asked("UID FETCH", *map(facts, (1, 2)))
        await talk.asked("UID FETCH 1 ", b"* 1 FETCH (UID 1 BODY[] {3}\r\none)\r\n")

    async with mailbox_of(*[breaking] * 4, last) as (mailbox, _):
        for _ in range(4):
            fault = await failed(mailbox.read("INBOX", "1700000001:1", LONG_AGO, 10))
            assert isinstance(fault, Unreachable)
        page = await mailbox.read("INBOX", "1700000001:1", LONG_AGO, 10)

    assert [(each.raw, each.lack) for each in page.letters] == [(b"one", None), (b"", "unfetched")]


async def test_an_unreadable_date_of_arrival_is_none_and_the_letter_is_kept():
    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=46)
        await talk.asked("UID SEARCH", "* SEARCH 45")
        await talk.asked(
            "UID FETCH", '* 3 FETCH (UID 45 INTERNALDATE "yesterday" RFC822.SIZE 5 FLAGS ())'
        )
        await talk.asked("UID FETCH", b"* 3 FETCH (UID 45 BODY[] {5}\r\nhello)\r\n")

    async with mailbox_of(script) as (mailbox, _):
        page = await mailbox.read("INBOX", None, LONG_AGO, 10)

    assert [(each.arrived_at, each.raw) for each in page.letters] == [(None, b"hello")]


async def test_a_user_and_a_password_with_quotes_are_one_word_each():
    async def script(talk):
        login = await talk.welcome()
        assert login == r'LOGIN "a\"n \\n" "se\"cret\\"'
        await talk.examined()

    async with mailbox_of(script, user='a"n \\n', password='se"cret\\') as (mailbox, _):
        await mailbox.check()


async def test_a_server_without_starttls_is_not_told_the_password():
    async def script(talk):
        await talk.say("* OK ready")
        await talk.asked("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN")
        await talk.hear()

    async with mailbox_of(script, tls="starttls") as (mailbox, heard):
        fault = await failed(mailbox.check())

    assert (type(fault), fault.detail) == (Unreachable, "tls")
    assert not any("LOGIN" in line or "AUTH" in line for line in heard)


async def test_a_server_that_takes_us_for_logged_in_before_tls_is_not_believed():
    async def script(talk):
        await talk.say("* PREAUTH ready")
        await talk.asked("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS")
        await talk.hear()

    async with mailbox_of(script, tls="starttls") as (mailbox, _):
        fault = await failed(mailbox.check())

    assert (type(fault), fault.detail) == (Unreachable, "tls")


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        ("* BYE [UNAVAILABLE] Too many connections", RateLimited),
        ("* BYE closing", Unreachable),
        ("HTTP/1.1 400 Bad Request", Unreachable),
    ],
)
async def test_what_greets_us_instead_is_understood(greeting, error):
    async def script(talk):
        await talk.say(greeting)

    async with mailbox_of(script) as (mailbox, _):
        assert type(await failed(mailbox.check())) is error


@pytest.mark.parametrize(
    ("end", "error", "wait"),
    [
        ("NO [AUTHENTICATIONFAILED] Invalid credentials", BadCredentials, None),
        ("NO LOGIN failed.", BadCredentials, None),
        ("NO [UNAVAILABLE] Temporary authentication failure.", RateLimited, None),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", RateLimited, None),
        ("NO [LIMIT] Maximum number of connections from user+IP exceeded", RateLimited, None),
        ("BAD Request is throttled. Suggested Backoff Time: 299987 milliseconds", RateLimited,
         299.987),
    ],
)  # fmt: skip
async def test_a_refused_login_is_told_from_a_busy_server(end, error, wait):
    async def script(talk):
        await talk.say("* OK ready")
        await talk.asked("CAPABILITY", "* CAPABILITY IMAP4rev1")
        await talk.asked("LOGIN", end=end)
        await talk.hear()

    async with mailbox_of(script) as (mailbox, _):
        fault = await failed(mailbox.check())

    assert type(fault) is error
    assert getattr(fault, "retry_after", None) == wait


async def test_a_connection_lost_at_the_login_is_no_wrong_password():
    async def script(talk):
        await talk.say("* OK ready")
        await talk.asked("CAPABILITY", "* CAPABILITY IMAP4rev1")
        await talk.hear()

    async with mailbox_of(script) as (mailbox, _):
        assert type(await failed(mailbox.check())) is Unreachable


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ("NO [NONEXISTENT] no such folder", BadPayload),
        ("NO [SERVERBUG] Internal error occurred", Unreachable),
        ("BAD what?", BadPayload),
    ],
)
async def test_a_refused_command_is_told_from_a_broken_server(end, error):
    async def script(talk):
        await talk.welcome()
        await talk.asked("EXAMINE", end=end)
        await talk.hear()

    async with mailbox_of(script) as (mailbox, _):
        assert type(await failed(mailbox.check())) is error


@pytest.mark.parametrize("nonsense", [b"* SEARCH one two\r\n", b"\xff\xfe\x00\r\n"])
async def test_nonsense_instead_of_uids_is_an_error_of_ours(nonsense):
    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=46)
        tag, _ = await talk.hear()
        await talk.say(nonsense, f"{tag} OK done")
        await talk.hear()

    async with mailbox_of(script) as (mailbox, _):
        fault = await failed(mailbox.read("INBOX", None, LONG_AGO, 10))

    assert isinstance(fault, BadPayload | Unreachable)


@pytest.mark.parametrize(
    "nonsense", ["* 3 FETCH (UID", "* 3 FETCH (UID x RFC822.SIZE 5)", "* 3 FETCH 5"]
)
async def test_nonsense_instead_of_facts_is_an_error_of_ours(nonsense):
    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=46)
        await talk.asked("UID SEARCH", "* SEARCH 45")
        await talk.asked("UID FETCH", nonsense)
        await talk.hear()

    async with mailbox_of(script) as (mailbox, _):
        fault = await failed(mailbox.read("INBOX", None, LONG_AGO, 10))

    assert isinstance(fault, BadPayload)


async def test_a_folder_made_later_is_found_and_then_known():
    async def script(talk):
        await talk.welcome()
        inbox, sent = '* LIST () "/" INBOX', '* LIST (\\Sent) "/" Out'
        await talk.asked("LIST", inbox, sent)
        tag, _ = await talk.hear()
        await talk.say(f"{tag} OK noop")
        await talk.asked("LIST", inbox, sent, '* LIST (\\Junk) "/" "In &- out"')
        await talk.hear()

    async with mailbox_of(script) as (mailbox, heard):
        assert dict(await mailbox.folders()) == {"inbox": "INBOX", "sent": "Out"}
        found = {"inbox": "INBOX", "sent": "Out", "junk": "In & out"}
        assert dict(await mailbox.folders()) == found
        said = len(heard)
        assert dict(await mailbox.folders()) == found
        assert len(heard) == said


# Waiting


async def idling(talk, *lines, uidnext=45):
    await talk.welcome()
    await talk.examined(uidnext=uidnext)
    tag, rest = await talk.hear()
    assert rest == "IDLE"
    await talk.say("+ idling", *lines)
    return tag


async def one_more(talk, tag):
    """IDLE is ended, and the folder has a letter more."""
    await talk.hear()
    await talk.say(f"{tag} OK Idle terminated")
    await talk.examined(letters=4, uidnext=46)
    await talk.hear()


async def hears(script):
    async with mailbox_of(script, limits=Limits(slice=60)) as (mailbox, _):
        return await asyncio.wait_for(mailbox.wait(asyncio.Event()), 20)


async def test_a_line_before_the_servers_go_on_is_not_lost():
    async def script(talk):
        await talk.welcome()
        await talk.examined(uidnext=45)
        tag, _ = await talk.hear()
        await talk.say("* 4 EXISTS", "+ idling")
        assert await talk.hear() == ("DONE", "")
        await talk.say(f"{tag} OK Idle terminated")
        await talk.examined(letters=4, uidnext=46)
        await talk.hear()

    assert await hears(script)


async def test_what_comes_in_one_piece_with_something_else_is_not_lost():
    async def script(talk):
        tag = await idling(talk)
        await asyncio.sleep(0.2)
        await talk.say(b"* OK Still here\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* 4 EXISTS\r\n")
        await one_more(talk, tag)

    assert await hears(script)


async def test_half_a_line_is_waited_for():
    async def script(talk):
        tag = await idling(talk)
        for piece in (b"* 4 E", b"XISTS\r", b"\n"):
            await asyncio.sleep(0.15)
            await talk.say(piece)
        await one_more(talk, tag)

    assert await hears(script)


async def test_a_letter_that_was_only_removed_is_no_news():
    async def script(talk):
        tag = await idling(talk)
        await talk.say("* 3 EXPUNGE", "* 2 EXISTS")
        await talk.hear()
        await talk.say(f"{tag} OK Idle terminated")
        await talk.examined(letters=2, uidnext=45)
        await talk.hear()
        await talk.say("+ idling")
        await talk.hear()

    async with mailbox_of(script, limits=Limits(slice=60)) as (mailbox, _):
        task = asyncio.ensure_future(mailbox.wait(asyncio.Event()))
        await asyncio.sleep(0.5)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("end", ["* BYE Server shutting down.", None])
async def test_an_end_amid_idle_is_told_at_once(end):
    async def script(talk):
        await idling(talk, *([end] if end else []))

    async with mailbox_of(script, limits=Limits(slice=60)) as (mailbox, _):
        fault = await asyncio.wait_for(failed(mailbox.wait(asyncio.Event())), 20)

    assert isinstance(fault, Unreachable)


async def test_an_idle_that_the_server_ends_by_itself_is_told():
    async def script(talk):
        tag = await idling(talk)
        await talk.say(f"{tag} BAD idle ended")
        await talk.hear()

    async with mailbox_of(script, limits=Limits(slice=60)) as (mailbox, _):
        fault = await asyncio.wait_for(failed(mailbox.wait(asyncio.Event())), 20)

    assert isinstance(fault, BadPayload | Unreachable)


async def test_a_server_that_never_answers_done_is_cut():
    async def script(talk):
        await idling(talk)
        await asyncio.sleep(60)

    async with mailbox_of(script) as (mailbox, _):
        fault = await asyncio.wait_for(failed(mailbox.wait(asyncio.Event())), 20)

    assert (type(fault), fault.detail) == (Unreachable, "timeout")


async def test_a_server_that_refuses_idle_says_so_without_a_hang():
    async def script(talk):
        await talk.welcome()
        await talk.examined()
        await talk.asked("IDLE", end="NO not now")
        await talk.hear()

    async with mailbox_of(script) as (mailbox, _):
        fault = await asyncio.wait_for(failed(mailbox.wait(asyncio.Event())), 20)

    assert isinstance(fault, BadPayload)
