"""Http against real servers on loopback: what it raises, repeats, refuses and never tells."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from aiohttp import web
from pydantic import BaseModel
from yarl import URL

from core.errors import (
    BadCredentials,
    BadPayload,
    ConnectorError,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unreachable,
)
from core.transport.http import Http, Limits, Part, open_session
from tests.core import certified

SECRET = "k3y-that-must-not-show"
QUERY = "buyer@mail.example"
BODY = "the buyer's own words"
QUICK = Limits(first_wait=0.001, longest_wait=0.002, patience=0.0)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Item(BaseModel):
    name: str


class Listing(BaseModel):
    items: list[Item]


class Watching:
    def __init__(self):
        self.requests = []
        self.retries = []
        self.skews = []

    def requested(self, operation, code, seconds):
        self.requests.append((operation, code))

    def retried(self, reason):
        self.retries.append(reason)

    def dated(self, skew_seconds):
        self.skews.append(skew_seconds)


@asynccontextmanager
async def speaking(*answers):
    """A server that answers each request with the next bytes, the last ones for ever."""
    asked, talks = [], set()

    async def speak(reader, writer):
        talks.add(asyncio.current_task())
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            answer = answers[min(len(asked), len(answers)) - 1]
            for piece in answer if isinstance(answer, list) else [answer]:
                if piece is None:
                    writer.transport.abort()
                elif isinstance(piece, float):
                    await asyncio.sleep(piece)
                else:
                    writer.write(piece)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/api/things?q={QUERY}", asked
    finally:
        server.close()
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0)


def said(status, body=b"{}", *headers):
    if status < 200 or status in {204, 205, 304}:
        body = b""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def listing(body, *headers):
    return said(200, body, *headers)


@pytest.fixture
async def session():
    async with open_session("test") as opened:
        yield opened


@pytest.fixture
def watching():
    return Watching()


@pytest.fixture
def http(session, watching):
    return Http(session, watching, QUICK, now=lambda: NOW)


async def ask(http, url):
    return await http.get_json(url, Listing, operation="things", headers={"Authorization": SECRET})


async def send(http, url, **more):
    return await http.send(
        url, operation="answer", headers={"Authorization": SECRET}, body=BODY.encode(), **more
    )


async def fault_of(coroutine) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await coroutine
    text = f"{caught.value!s} {caught.value!r} {caught.value.detail} {caught.value.__cause__}"
    for hidden in (SECRET, QUERY, BODY, "Authorization"):
        assert hidden not in text
    return caught.value


async def test_an_answer_is_read_into_its_model(http, watching):
    async with speaking(listing(b'{"items": [{"name": "a"}], "more": 1}')) as (url, asked):
        found = await ask(http, url)

    assert found == Listing(items=[Item(name="a")])
    assert watching.requests == [("things", "200")]
    assert f"Authorization: {SECRET}".encode() in asked[0]
    assert b"User-Agent: replyby/test" in asked[0]
    assert b"Accept-Encoding: gzip, deflate" in asked[0]
    assert b"traceparent" not in asked[0].lower()


def expected_of_question(status):
    if status in {401, 403}:
        return BadCredentials
    if status == 429:
        return RateLimited
    if 400 <= status < 500 and status not in {407, 408, 425}:
        return BadPayload
    return Unreachable


@pytest.mark.parametrize("hundred", [1, 2, 3, 4, 5])
async def test_every_status_of_a_question_becomes_the_right_error(http, hundred):
    for status in range(hundred * 100, hundred * 100 + 100):
        async with speaking(said(status, b'{"items": []}')) as (url, _):
            if status in {204, 205}:
                fault = await fault_of(ask(http, url))
                assert type(fault) is BadPayload, status
            elif 200 <= status < 300:
                assert await ask(http, url) == Listing(items=[])
            else:
                fault = await fault_of(ask(http, url))
                assert type(fault) is expected_of_question(status), status


@pytest.mark.parametrize("hundred", [1, 2, 3, 4, 5])
async def test_every_status_of_what_was_sent_is_sure_or_unknown(http, hundred):
    for status in range(hundred * 100, hundred * 100 + 100):
        async with speaking(said(status)) as (url, asked):
            if 200 <= status < 300:
                assert (await send(http, url)).status == status
                continue
            fault = await fault_of(send(http, url))
            if status in {401, 403}:
                assert type(fault) is BadCredentials
            elif status == 429:
                assert type(fault) is RateLimited
            elif status == 407:
                assert type(fault) is Unreachable
            elif 400 <= status < 500 and status != 408:
                assert type(fault) is Refused, status
            else:
                assert type(fault) is OutcomeUnknown, status
            assert len(asked) == 1, status


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 408, 425])
async def test_a_bad_moment_is_asked_again(http, watching, status):
    answer = listing(b'{"items": []}')
    async with speaking(said(status), said(status), answer) as (url, asked):
        assert await ask(http, url) == Listing(items=[])

    assert len(asked) == 3
    assert watching.retries == ["unreachable"] * 2
    assert watching.requests == [("things", str(status))] * 2 + [("things", "200")]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 501, 505, 302])
async def test_what_will_not_change_is_asked_once(http, status):
    async with speaking(said(status)) as (url, asked):
        await fault_of(ask(http, url))

    assert len(asked) == 1


async def test_it_gives_up_after_a_few_tries(http):
    async with speaking(said(500)) as (url, asked):
        fault = await fault_of(ask(http, url))

    assert len(asked) == 3
    assert fault.detail == "500"


async def test_a_short_retry_after_is_waited_for(session, watching):
    http = Http(session, watching, Limits(patience=2.0))
    full = said(429, b"", "Retry-After: 1")
    async with speaking(full, listing(b'{"items": []}')) as (url, _):
        began = monotonic()
        await ask(http, url)

    assert 0.9 < monotonic() - began < 2
    assert watching.retries == ["rate_limited"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: 90", 90.0),
        ("Retry-After: soon", None),
        ("Retry-After: -5", None),
        ("Retry-After: 99999999999999999999", None),
        ("X-Nothing: 1", None),
    ],
)
async def test_a_long_retry_after_is_handed_on_at_once(http, header, seconds):
    async with speaking(said(429, b"", header)) as (url, asked):
        fault = await fault_of(ask(http, url))

    assert isinstance(fault, RateLimited)
    assert fault.retry_after == seconds
    assert len(asked) == 1


async def test_a_retry_after_as_a_date_is_taken_against_their_own_clock(http):
    headers = ("Date: Fri, 20 Nov 2026 10:00:00 GMT", "Retry-After: Fri, 20 Nov 2026 10:02:00 GMT")
    async with speaking(said(429, b"", *headers)) as (url, _):
        fault = await fault_of(ask(http, url))

    assert isinstance(fault, RateLimited)
    assert fault.retry_after == 120.0


async def test_maintenance_that_takes_long_is_not_asked_again(http):
    async with speaking(said(503, b"", "Retry-After: 600")) as (url, asked):
        fault = await fault_of(ask(http, url))

    assert isinstance(fault, Unreachable)
    assert fault.retry_after == 600.0
    assert len(asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        [None],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{", None],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"],
        [b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ite\r\n', 0.05, None],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
        [b"SSH-2.0-OpenSSH_9.2\r\n"],
        [b"HTTP/1.1 999999 No\r\n\r\n"],
        [b""],
        [b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n"],
    ],
)
async def test_a_line_that_breaks_is_unreachable_after_a_few_tries(http, answer):
    async with speaking(answer) as (url, asked):
        fault = await fault_of(ask(http, url))

    assert type(fault) is Unreachable
    assert fault.detail == "network"
    assert len(asked) >= 3


async def test_nobody_listening_is_unreachable_and_nothing_was_sent(http, unused):
    assert (await fault_of(ask(http, unused))).detail == "network"
    assert type(await fault_of(send(http, unused))) is Unreachable


@pytest.fixture
async def unused():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}/"


async def test_a_name_that_does_not_resolve_is_unreachable_and_nothing_was_sent(http):
    for call in (ask(http, "http://nobody.invalid/"), send(http, "http://nobody.invalid/")):
        fault = await fault_of(call)
        assert type(fault) is Unreachable
        assert fault.detail == "dns"


@pytest.mark.parametrize(
    "url", ["", "things", "ftp://127.0.0.1/", "http://", "http://[::1", "http://u:p@127.0.0.1:9/"]
)
async def test_an_address_that_is_none_is_unreachable_and_nothing_was_sent(http, url):
    for call in (ask(http, url), send(http, url)):
        fault = await fault_of(call)
        assert type(fault) is Unreachable
        assert fault.detail == "address"


async def test_a_key_with_a_line_break_never_leaves(http):
    async with speaking(listing(b'{"items": []}')) as (url, asked):
        call = http.get(url, operation="things", headers={"Authorization": f"{SECRET}\r\nX: y"})
        assert (await fault_of(call)).detail == "address"

    assert asked == []


async def test_a_slow_answer_is_a_timeout_and_not_asked_again(session, watching):
    http = Http(session, watching, Limits(total=0.2))
    async with speaking([2.0, listing(b"{}")]) as (url, asked):
        fault = await fault_of(ask(http, url))
        sent = await fault_of(send(http, url))

    assert (type(fault), fault.detail) == (Unreachable, "timeout")
    assert (type(sent), sent.detail) == (OutcomeUnknown, "timeout")
    assert len(asked) == 2
    assert watching.requests == [("things", "0"), ("answer", "0")]


async def test_an_answer_that_drips_is_cut_off_by_the_total(session, watching):
    http = Http(session, watching, Limits(total=0.3))
    drip = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"] + [b" ", 0.1] * 50
    async with speaking(drip) as (url, _):
        began = monotonic()
        fault = await fault_of(ask(http, url))

    assert fault.detail == "timeout"
    assert monotonic() - began < 2


async def test_no_further_try_begins_that_the_total_has_no_time_for(session, watching):
    limits = Limits(attempts=5, first_wait=0.5, longest_wait=0.5, total=1.0)
    busy = [0.9, b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]
    async with speaking(busy) as (url, asked):
        await fault_of(ask(Http(session, watching, limits), url))

    assert len(asked) == 1


@pytest.mark.parametrize("body", [b'{"items": [{"na', b"", b"<html>Sign in</html>", b"[" * 100_000])
async def test_what_is_no_json_is_a_bad_payload_with_its_bytes(http, body):
    async with speaking(listing(body)) as (url, asked):
        fault = await fault_of(ask(http, url))

    assert isinstance(fault, BadPayload)
    assert fault.raw == body
    assert len(asked) == 1


async def test_a_missing_field_is_named_and_no_value_shown(http):
    body = json.dumps({"items": [{"nam": BODY}, {"name": 5}]}).encode()
    async with speaking(listing(body)) as (url, _):
        fault = await fault_of(ask(http, url))

    assert isinstance(fault, BadPayload)
    assert "items.0.name: missing, items.1.name: string_type" in str(fault)


@pytest.mark.parametrize(
    ("body", "headers", "name"),
    [
        (b'{"items": [{"name": "a\xffb"}]}', (), "a\ufffdb"),
        (b'{"items": [{"name": "a\\ud800b"}]}', (), "a\ud800b"),
        ('{"items": [{"name": "é"}]}'.encode(), ("Content-Type: text/html; charset=latin-1",), "é"),
        (
            '{"items": [{"name": "é"}]}'.encode("latin-1"),
            ('Content-Type: application/json; charset="ISO-8859-1"',),
            "é",
        ),
        (b'{"items": [{"name": "a\xe9"}]}', ("Content-Type: a/b; charset=nonsense",), "a\ufffd"),
        ('{"items": [{"name": "é"}]}'.encode("utf-8-sig"), (), "é"),
        ('{"items": [{"name": "é"}]}'.encode("utf-16"), (), "é"),
        (b'{"items": [{"name": "a\\u0000b"}]}', (), "a\x00b"),
        (b'{"items": [{"name": "a\n\x1b[1m\x00b"}]}', (), "a\n\x1b[1m\x00b"),
    ],
)
async def test_an_odd_character_does_not_cost_the_page(http, body, headers, name):
    async with speaking(listing(body, *headers)) as (url, _):
        assert (await ask(http, url)).items == [Item(name=name)]


async def test_gzip_is_unpacked(http):
    packed = gzip.compress(b'{"items": []}')
    async with speaking(listing(packed, "Content-Encoding: gzip")) as (url, _):
        assert await ask(http, url) == Listing(items=[])


async def test_what_says_gzip_and_is_not_is_unreachable(http):
    async with speaking(listing(b'{"items": []}', "Content-Encoding: gzip")) as (url, _):
        assert type(await fault_of(ask(http, url))) is Unreachable


async def test_a_body_that_comes_in_pieces_is_read_whole(http):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n"
    pieces = [head, 0.02, b'{"items": [', 0.02, b'{"name": "a"}', 0.02, b"]} "]
    async with speaking(pieces) as (url, _):
        assert await ask(http, url) == Listing(items=[Item(name="a")])


async def test_a_body_as_large_as_the_limit_is_read(session, watching):
    body = b'{"items": []}'.ljust(2**20)
    async with speaking(listing(body), listing(body + b" ")) as (url, _):
        http = Http(session, watching, Limits(body=2**20))
        assert await ask(http, url) == Listing(items=[])
        assert (await fault_of(ask(http, url))).detail == "too_large"


async def test_a_header_counts_in_whatever_case_it_comes(http):
    async with speaking(said(429, b"", "rETRY-aFTER: 90")) as (url, _):
        fault = await fault_of(ask(http, url))

    assert isinstance(fault, RateLimited)
    assert fault.retry_after == 90.0


async def test_an_address_may_be_parsed_before(http):
    async with speaking(listing(b'{"items": []}')) as (url, _):
        assert await ask(http, URL(url)) == Listing(items=[])


@pytest.mark.parametrize("honest", [True, False])
async def test_an_answer_above_the_limit_is_refused_before_it_is_held(session, watching, honest):
    http = Http(session, watching, Limits(body=2**20))
    body = b'{"items": []}' + b" " * 2**23
    packed = gzip.compress(body), "Content-Encoding: gzip"
    answer = listing(body) if honest else listing(*packed)
    async with speaking(answer) as (url, _):
        fault = await fault_of(ask(http, url))

    assert isinstance(fault, BadPayload)
    assert fault.detail == "too_large"
    assert "1 MB" in str(fault)


async def test_a_gzip_bomb_is_defused(session, process_memory):
    http = Http(session, limits=Limits(body=2**23))
    bomb = gzip.compress(b"\x00" * 2**28, compresslevel=1)
    before = process_memory()
    async with speaking(listing(bomb, "Content-Encoding: gzip")) as (url, _):
        fault = await fault_of(ask(http, url))

    assert fault.detail == "too_large"
    assert process_memory() - before < 2**26


@pytest.fixture
def process_memory():
    psutil = pytest.importorskip("psutil")
    return lambda: psutil.Process().memory_info().rss


@asynccontextmanager
async def serving(routes):
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_redirect_within_the_origin_is_followed(http):
    async def old(request):
        raise web.HTTPMovedPermanently("/new?from=old")

    async def new(request):
        assert request.headers["Authorization"] == SECRET
        return web.json_response({"items": [{"name": request.query["from"]}]})

    async with serving([web.get("/old", old), web.get("/new", new)]) as base:
        assert (await ask(http, f"{base}/old")).items == [Item(name="old")]


async def test_a_redirect_to_another_origin_is_not_followed(http):
    async with (
        speaking(listing(b'{"items": []}')) as (elsewhere, asked),
        speaking(said(302, b"", f"Location: {elsewhere}")) as (url, _),
    ):
        fault = await fault_of(ask(http, url))

    assert (type(fault), fault.detail) == (Unreachable, "302")
    assert asked == []


async def test_a_redirect_in_a_circle_ends(http, watching):
    async with speaking(said(302, b"", "Location: /api/things")) as (url, _):
        fault = await fault_of(ask(http, url))

    assert fault.detail == "302"
    assert len(watching.requests) == 4


async def test_a_form_leaves_as_multipart_with_a_type_on_each_part(http):
    seen = {}

    async def take(request):
        seen["type"] = request.content_type
        async for part in await request.multipart():
            body = await part.read(decode=True)
            seen[part.name] = (part.headers["Content-Type"], part.filename, bytes(body))
        return web.json_response({}, status=201)

    parts = [
        Part("message_input", '{"body": "é"}', "application/json"),
        Part("files", b"\x00\xff", "application/pdf", filename="a.pdf"),
    ]
    async with serving([web.post("/", take)]) as base:
        answer = await http.send(base, operation="answer", form=parts)

    assert answer.status == 201
    assert seen == {
        "type": "multipart/form-data",
        "message_input": ("application/json", None, '{"body": "é"}'.encode()),
        "files": ("application/pdf", "a.pdf", b"\x00\xff"),
    }


@pytest.mark.parametrize("answer", [[None], [b""], [b"HTTP/1.1 2"], [b"garbage\r\n\r\n"]])
async def test_what_left_without_an_answer_is_unknown_and_never_sent_again(http, watching, answer):
    async with speaking(answer) as (url, asked):
        fault = await fault_of(send(http, url))

    assert type(fault) is OutcomeUnknown
    assert len(asked) == 1
    assert watching.retries == []


@pytest.mark.parametrize(("status", "kind"), [(201, None), (400, Refused), (401, BadCredentials)])
async def test_the_status_counts_where_the_body_of_the_answer_breaks(http, status, kind):
    broken = f"HTTP/1.1 {status} Said\r\nContent-Length: 900\r\n\r\n{{".encode()
    async with speaking([broken, None]) as (url, _):
        if kind is None:
            assert (await send(http, url)).status == status
        else:
            assert type(await fault_of(send(http, url))) is kind


async def test_a_refusal_tells_the_reason_that_was_read_from_it(http):
    async with speaking(said(400, b'{"message": "body too short"}')) as (url, _):
        fault = await fault_of(send(http, url, explain=lambda body: json.loads(body)["message"]))

    assert str(fault) == "answer at 127.0.0.1: status 400, body too short"


async def test_the_other_clock_is_told_against_ours(http, watching):
    ahead = (NOW + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    async with speaking(
        listing(b'{"items": []}', f"Date: {ahead}"), listing(b'{"items": []}', "Date: tomorrow")
    ) as (url, _):
        await ask(http, url)
        await ask(http, url)

    assert len(watching.skews) == 1
    assert 89 < watching.skews[0] < 92


async def test_no_cookie_is_kept_between_calls(http):
    first = listing(b'{"items": []}', "Set-Cookie: session=one; Path=/")
    async with speaking(first) as (url, asked):
        await ask(http, url)
        await ask(http, url)

    assert b"session=one" not in asked[1]


async def test_a_proxy_of_the_environment_is_used_except_for_loopback(http, monkeypatch):
    async with speaking(listing(b'{"items": []}')) as (proxy, asked):
        monkeypatch.setenv("http_proxy", proxy.partition("/api")[0])
        monkeypatch.delenv("no_proxy", raising=False)
        await ask(http, "http://marketplace.example/api/things")
        assert asked[0].startswith(b"GET http://marketplace.example/api/things ")
        async with speaking(listing(b'{"items": []}')) as (url, direct):
            await ask(http, url)
        monkeypatch.setenv("no_proxy", "marketplace.example")
        await fault_of(send(http, "http://marketplace.example:9/"))

    assert (len(asked), len(direct)) == (1, 1)


async def test_a_proxy_gets_its_own_credentials_and_the_marketplace_its_own(http, monkeypatch):
    async with speaking(listing(b'{"items": []}')) as (proxy, asked):
        place = proxy.partition("/api")[0].replace("http://", "http://someone:pass@")
        monkeypatch.setenv("http_proxy", place)
        monkeypatch.delenv("no_proxy", raising=False)
        await ask(http, "http://marketplace.example/api/things")

    assert f"Authorization: {SECRET}\r\n".encode() in asked[0]
    assert b"Proxy-Authorization: Basic c29tZW9uZTpwYXNz" in asked[0]


async def test_a_proxy_that_will_not_connect_means_nothing_was_sent(http, monkeypatch):
    async with speaking(said(502)) as (proxy, _):
        monkeypatch.setenv("https_proxy", proxy.partition("/api")[0])
        fault = await fault_of(send(http, "https://marketplace.example/"))

    assert type(fault) is Unreachable


async def test_cancelling_leaves_no_task_and_no_connection(http):
    before = asyncio.all_tasks()
    async with speaking([5.0, listing(b"{}")]) as (url, asked):
        task = asyncio.create_task(ask(http, url))
        await asyncio.sleep(0.2)
        assert asked
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        left = {t for t in asyncio.all_tasks() - before if "speak" not in repr(t)}

    assert left == set()


@pytest.fixture
def authority(tmp_path):
    """A certificate for 127.0.0.1 that no system trusts."""
    certificate, key = certified.write(tmp_path, "127.0.0.1", "IP")
    return key, certificate


@pytest.mark.needs("openssl")
async def test_certificates_are_checked_and_can_come_from_the_environment(authority, monkeypatch):
    key, certificate = authority
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def empty(request):
        return web.json_response({"items": []})

    app = web.Application()
    app.add_routes([web.get("/", empty)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/"
    async with open_session() as session:
        fault = await fault_of(ask(Http(session, limits=QUICK), url))
        sent = await fault_of(send(Http(session, limits=QUICK), url))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with open_session() as session:
        found = await ask(Http(session, limits=QUICK), url)
    await runner.cleanup()

    assert (fault.detail, type(sent)) == ("tls", Unreachable)
    assert found == Listing(items=[])


async def test_a_question_may_be_put_as_a_body_and_is_asked_again(http, watching):
    found = said(200, b'{"items": []}')
    async with speaking(said(503, b"", "Connection: close"), found) as (url, asked):
        answer = await http.post(url, BODY.encode(), operation="things")

    assert json.loads(answer.body) == {"items": []}
    assert [each.split(b" ")[0] for each in asked] == [b"POST", b"POST"]
    assert watching.requests == [("things", "503"), ("things", "200")]


async def test_a_question_with_a_body_whose_answer_is_cut_off_has_no_answer(http):
    async with speaking([said(200, b'{"items": []}')[:-4], None]) as (url, _):
        with pytest.raises(Unreachable) as caught:
            await http.post(url, BODY.encode(), operation="things")

    assert BODY not in str(caught.value)


async def test_a_question_with_a_body_keeps_it_where_it_is_led_on(http):
    led = said(307, b"", "Location: /elsewhere", "Connection: close")
    async with speaking(led, said(200, b'{"items": []}')) as (url, asked):
        await http.post(url, BODY.encode(), operation="things")

    assert asked[1].startswith(b"POST /elsewhere ")
    assert f"Content-Length: {len(BODY)}".encode() in asked[1]
