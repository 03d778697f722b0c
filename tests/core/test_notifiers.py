from __future__ import annotations

import asyncio
import base64
import hmac
import json
import resource
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult
from pydantic import ValidationError

from core.errors import NotifierError
from core.model import Notice, NoticeKind
from core.notifier import Means, Words, stable_id
from core.notifiers import registry
from core.notifiers.email import EmailOptions, compose
from core.transport.http import Http, open_session
from core.transport.webhooks import signed
from tests.core import certified

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 random by").decode()


@pytest.fixture
def notice(now):
    return Notice(
        key="17/0/3",
        kind=NoticeKind.BREACH,
        account="mk",
        raised_at=now,
        thread="T1",
        clock=17,
        due_at=now,
        facts=(("promise", "reply-24h"), ("read_at", None)),
    )


@pytest.fixture
def words(now):
    said = "A buyer has been waiting.\nLate by 5 min."
    return Words("Reply overdue: Empik PL", said, "https://shop.example/T1", now)


@pytest.fixture
async def means(tmp_path):
    async with open_session() as session, open_session(walled=True) as walled:
        yield Means(Http(session), tmp_path, walled)


def opened(means, **options):
    if options["kind"] == "webhook":
        options["allow_private"] = True  # the receivers here are on loopback
    return registry.open_all({"it": read(**options)}, means)["it"]


def read(**options):
    return registry.KINDS[options["kind"]].options.model_validate(options)


async def failed(sending):
    with pytest.raises(NotifierError) as caught:
        await sending
    return caught.value


# File


async def test_folders_outside_the_settings_directory_are_not_made(means, tmp_path, notice, words):
    inside = Means(means.http, tmp_path / "settings")
    path = tmp_path / "elsewhere" / "notices.jsonl"

    await failed(opened(inside, kind="file", path=str(path)).send(notice, words))

    assert not path.parent.exists()
    path.parent.mkdir()
    await opened(inside, kind="file", path=str(path)).send(notice, words)
    assert path.is_file()


async def test_a_file_gets_one_line_a_notice(means, tmp_path, notice, words):
    file = opened(means, kind="file", path="deep/notices.jsonl")
    for _ in range(2):
        await file.send(notice, words)

    lines = (tmp_path / "deep" / "notices.jsonl").read_text().splitlines()
    assert len(lines) == 2
    told = json.loads(lines[0])
    assert told["key"] == "17/0/3"
    assert told["id"] == stable_id(notice)
    assert told["subject"] == "Reply overdue: Empik PL"
    assert told["facts"] == {"promise": "reply-24h", "read_at": None}


@pytest.mark.parametrize(("kind", "held"), [({}, False), ({"act_url": True}, True)])
async def test_a_file_holds_a_link_that_acts_only_where_that_is_asked_for(
    means, tmp_path, notice, words, kind, held
):
    link = "https://desk.example/take/signed"
    file = opened(means, kind="file", path="notices.jsonl", **kind)

    await file.send(notice, replace(words, act_url=link))

    line = (tmp_path / "notices.jsonl").read_text()
    assert (link in line) is ("act_url" in json.loads(line)) is held


@pytest.mark.parametrize(("kind", "held"), [({}, True), ({"act_url": False}, False)])
async def test_a_webhook_holds_a_link_that_acts_unless_that_is_not_wanted(
    means, receiver, notice, words, kind, held
):
    url, got, _ = receiver
    link = "https://desk.example/take/signed"

    hook = opened(means, kind="webhook", url=url, **kind)
    await hook.send(notice, replace(words, act_url=link))

    told = json.loads(got[0][2])
    assert (told.get("act_url") == link) is ("act_url" in told) is held


async def test_lines_written_at_once_do_not_mix(means, tmp_path, notice, words):
    file = opened(means, kind="file", path="n.jsonl")
    await asyncio.gather(*(file.send(notice, words) for _ in range(40)))

    lines = (tmp_path / "n.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["17/0/3"] * 40


async def test_a_torn_line_is_not_written_on(means, tmp_path, notice, words):
    (tmp_path / "n.jsonl").write_text('{"key": "torn by a lost machi')
    await opened(means, kind="file", path="n.jsonl").send(notice, words)

    torn, whole = (tmp_path / "n.jsonl").read_text().splitlines()
    assert torn.endswith("machi")
    assert json.loads(whole)["key"] == "17/0/3"


async def test_a_file_that_cannot_be_written_is_tried_again(means, tmp_path, notice, words):
    (tmp_path / "n.jsonl").mkdir()

    fault = await failed(opened(means, kind="file", path="n.jsonl").send(notice, words))

    assert not fault.permanent
    assert str(tmp_path) not in str(fault)


async def test_a_full_disk_leaves_no_half_line(tmp_path, means, notice, words):
    """A file size limit of the process stands for the disk."""
    path = tmp_path / "n.jsonl"
    file = opened(means, kind="file", path="n.jsonl")
    await file.send(notice, words)
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        await failed(file.send(notice, words))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)

    assert path.stat().st_size == size


# Webhook


@pytest.fixture
async def receiver():
    """A receiver that answers what `answers` holds, then 200; `got` are the requests."""
    got, answers = [], []

    async def take(request):
        got.append((request.path, dict(request.headers), await request.read()))
        return answers.pop(0) if answers else web.Response(status=200)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/hook?token=hush", got, answers
    await runner.cleanup()


async def test_a_webhook_is_signed_as_standard_webhooks_say(means, receiver, notice, words, now):
    url, got, _ = receiver
    await opened(means, kind="webhook", url=url, secret=SECRET).send(notice, words)

    ((path, headers, body),) = got
    assert path == "/hook"
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == headers["Idempotency-Key"] == stable_id(notice)
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.digest(b"a secret of 24 random by", content, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{made}"
    assert json.loads(body)["due_at"] == now.isoformat()


def test_the_signature_is_that_of_the_published_example():
    """The test vector of the Standard Webhooks reference libraries."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'

    made = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_repeated_a_webhook_has_the_same_id_and_a_new_time(
    means, receiver, notice, words, now
):
    url, got, _ = receiver
    hook = opened(means, kind="webhook", url=url, secret=SECRET)
    later = Words(words.subject, words.text, words.url, now + timedelta(minutes=5))
    await hook.send(notice, words)
    await hook.send(notice, later)

    first, second = (headers for _, headers, _ in got)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 300
    assert first["webhook-signature"] != second["webhook-signature"]


async def test_without_a_secret_nothing_is_signed(means, receiver, notice, words):
    url, got, _ = receiver
    await opened(means, kind="webhook", url=url).send(notice, words)

    assert "webhook-signature" not in got[0][1]


@pytest.mark.parametrize(
    "wrong",
    [{"url": "ftp://example.com"}, {"url": "example.com"}, {"secret": "hush"},
     {"secret": "whsec_no/base64!"}, {"uri": "https://example.com"}, {"zone": "Mars/Olympus"}],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError) as caught:
        read(**({"kind": "webhook", "url": "https://example.com/hook"} | wrong))

    assert "hush" not in str(caught.value)


# E-mail


class Postbox:
    """Takes mail; *refused* gives a status by recipient, *answers* the next statuses of DATA."""

    def __init__(self):
        self.mails, self.refused, self.answers = [], {}, []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802  # aiosmtpd's name
        code = self.refused.get(address)
        if code is not None:
            return f"{code} no such person as {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "drop":
            server.transport.abort()
            return "250 OK"
        if answer.startswith("250"):
            self.mails.append(
                (envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default))
            )
        return answer


@asynccontextmanager
async def serving(postbox, *, ssl_context=None, made=SMTP, **options):
    loop, talks = asyncio.get_running_loop(), []

    def talk():
        talks.append(made(postbox, hostname="localhost", loop=loop, **options))
        return talks[-1]

    server = await loop.create_server(talk, "127.0.0.1", 0, ssl=ssl_context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for each in talks:
            if each.transport is not None:
                each.transport.abort()
        await asyncio.sleep(0.05)


@pytest.fixture
def postbox():
    return Postbox()


def mailer(means, port, **changes):
    options = {
        "kind": "email", "host": "localhost", "port": port, "tls": "none",
        "from": "Reply by <desk@shop.example>", "to": ["ann@shop.example", "bob@shop.example"],
    }  # fmt: skip
    return opened(means, **(options | changes))


async def test_a_mail_reaches_every_recipient_in_plain_text(means, postbox, notice, words, now):
    async with serving(postbox) as port:
        await mailer(means, port).send(notice, words)

    ((to, mail),) = postbox.mails
    assert to == ["ann@shop.example", "bob@shop.example"]
    assert mail["Subject"] == "Reply overdue: Empik PL"
    assert mail["From"] == "Reply by <desk@shop.example>"
    assert mail["Message-ID"] == f"<{stable_id(notice)}@shop.example>"
    assert mail["Date"].datetime == now
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().splitlines() == [
        "A buyer has been waiting.", "Late by 5 min.", "", "https://shop.example/T1",
    ]  # fmt: skip


async def test_a_few_connections_at_once_are_enough(means, postbox, notice, words):
    most = []

    class Counting(SMTP):
        open = 0

        def connection_made(self, transport):
            Counting.open += 1
            most.append(Counting.open)
            super().connection_made(transport)

        def connection_lost(self, error):
            Counting.open -= 1
            super().connection_lost(error)

    async with serving(postbox, made=Counting) as port:
        mail = mailer(means, port)
        await asyncio.gather(*(mail.send(notice, words) for _ in range(16)))

    assert len(postbox.mails) == 16
    assert max(most) <= 5, "four, and one that is just closing"


async def test_text_beyond_ascii_arrives_whole(means, postbox, notice, now):
    words = Words("Zaległa odpowiedź: Łódź", "Späte Antwort, " + "ż" * 400, None, now)
    async with serving(postbox) as port:
        await mailer(means, port).send(notice, words)

    ((_, mail),) = postbox.mails
    assert mail["Subject"] == words.subject
    assert mail.get_content().strip() == words.text


def test_a_line_break_in_a_subject_makes_no_header(notice, now):
    words = Words("Reply overdue: A\r\nBcc: eve@evil.example", "text", None, now)
    options = read(kind="email", host="h", **{"from": "a@b.example", "to": ["c@d.example"]})

    mail = compose(notice, words, options)

    assert mail["Bcc"] is None
    assert mail["Subject"] == "Reply overdue: A Bcc: eve@evil.example"


async def test_who_was_refused_for_now_is_tried_again_alone(means, postbox, notice, words):
    postbox.refused = {"bob@shop.example": 451}
    async with serving(postbox) as port:
        mail = mailer(means, port)
        fault = await failed(mail.send(notice, words))
        assert not fault.permanent
        assert "bob" not in str(fault)
        postbox.refused = {}
        await mail.send(notice, words)

    assert [to for to, _ in postbox.mails] == [["ann@shop.example"], ["bob@shop.example"]]
    ids = {mail["Message-ID"] for _, mail in postbox.mails}
    assert len(ids) == 1


async def test_who_is_refused_for_good_does_not_keep_others_from_it(means, postbox, notice, words):
    postbox.refused = {"bob@shop.example": 550}
    async with serving(postbox) as port:
        await mailer(means, port).send(notice, words)

    assert [to for to, _ in postbox.mails] == [["ann@shop.example"]]


async def test_when_everybody_is_refused_for_good_it_is_parked(means, postbox, notice, words):
    postbox.refused = {"ann@shop.example": 550, "bob@shop.example": 553}
    async with serving(postbox) as port:
        fault = await failed(mailer(means, port).send(notice, words))

    assert fault.permanent


async def test_nobody_is_taken_for_reached_who_was_not(means, postbox, notice, words):
    """One is refused for now and the other for good; then the first is refused for good too."""
    postbox.refused = {"ann@shop.example": 451, "bob@shop.example": 550}
    async with serving(postbox) as port:
        mail = mailer(means, port)
        assert not (await failed(mail.send(notice, words))).permanent
        postbox.refused = {"ann@shop.example": 550, "bob@shop.example": 550}
        assert (await failed(mail.send(notice, words))).permanent


PASSING = (421, 432, 450, 451, 452, 454, 455)
LASTING = (500, 501, 502, 503, 504, 521, 530, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556)


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [*[(f"{code} later", False) for code in PASSING], *[(f"{code} no", True) for code in LASTING]],
)
async def test_a_refused_mail_is_tried_again_only_where_that_helps(
    means, postbox, notice, words, answer, permanent
):
    """Whatever the server says of it: nobody reads that here, or in a log."""
    postbox.answers = [f"{answer}: Anna Buyer, where is my parcel?"]
    async with serving(postbox) as port:
        mail = mailer(means, port)
        fault = await failed(mail.send(notice, words))
        assert fault.permanent is permanent
        assert str(fault) == f"the mail server answered {answer[:3]}"
        await mail.send(notice, words)

    assert len(postbox.mails) == 1


async def test_a_dropped_connection_is_tried_again_under_the_same_id(means, postbox, notice, words):
    postbox.answers = ["drop"]
    async with serving(postbox) as port:
        mail = mailer(means, port)
        assert not (await failed(mail.send(notice, words))).permanent
        await mail.send(notice, words)

    ((_, sent),) = postbox.mails
    assert sent["Message-ID"] == f"<{stable_id(notice)}@shop.example>"


async def test_a_server_that_is_not_there_is_tried_again(means, notice, words):
    assert not (await failed(mailer(means, 9).send(notice, words))).permanent


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that signs itself."""
    return certified.serving(tmp_path_factory.mktemp("tls"))


def knows(server, session, envelope, mechanism, login):
    right = (login.login, login.password) == (b"desk", b"open sesame")
    return AuthResult(success=right, handled=False)


@pytest.mark.needs("openssl")
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is inside TLS
@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_login_travels_encrypted(
    means, postbox, notice, words, certificate, monkeypatch, tls
):
    context, authority = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    common = {"authenticator": knows, "auth_required": True}
    if tls == "tls":
        served = serving(postbox, ssl_context=context, auth_require_tls=False, **common)
    else:
        served = serving(postbox, tls_context=context, require_starttls=True, **common)
    async with served as port:
        right = mailer(means, port, tls=tls, user="desk", password="open sesame")
        await right.send(notice, words)
        wrong = mailer(means, port, tls=tls, user="desk", password="guess")
        fault = await failed(wrong.send(notice, words))

    assert len(postbox.mails) == 1
    assert fault.permanent
    assert "guess" not in str(fault)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_server_without_a_known_certificate_gets_nothing(
    means, postbox, notice, words, certificate, tls
):
    context, _ = certificate
    key = "ssl_context" if tls == "tls" else "tls_context"
    async with serving(postbox, **{key: context}) as port:
        await failed(mailer(means, port, tls=tls).send(notice, words))

    assert postbox.mails == []


async def test_starttls_is_not_given_up_where_the_server_lacks_it(means, postbox, notice, words):
    async with serving(postbox) as port:
        await failed(mailer(means, port, tls="starttls").send(notice, words))

    assert postbox.mails == []


@pytest.mark.parametrize(
    "wrong",
    [{"from": "nobody"}, {"from": "ä@b.example"}, {"to": []}, {"to": ["a@b.example", "x y"]},
     {"user": "desk"}, {"password": "x"}, {"user": "desk", "password": "x", "tls": "none"},
     {"from": "a@b.example\r\nBcc: eve@evil.example"}],
)  # fmt: skip
def test_mail_settings_that_cannot_work_are_refused(wrong):
    given = {"kind": "email", "host": "h", "from": "a@b.example", "to": ["c@d.example"]}
    with pytest.raises(ValidationError):
        EmailOptions.model_validate(given | wrong)


def test_every_kind_says_its_own_word():
    kinds = registry.KINDS.items()
    said = {name: kind.options.model_fields["kind"].default for name, kind in kinds}

    assert len(said) == 8
    assert all(name == word for name, word in said.items())
