"""What each means of telling makes of every answer, and what it never lets out.

One table: status, headers and body by case; the outcome is delivered, tried again (after so many
seconds where the receiver says so), or given up at once. The receivers are real and on loopback.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.abc import AbstractResolver
from prometheus_client import generate_latest
from pydantic import ValidationError
from structlog.testing import capture_logs

from core import deliver
from core.errors import NotifierError
from core.metrics import Metrics
from core.model import Notice, NoticeKind
from core.notifier import Brief, Closes, Keeps, Means, Paced, Words
from core.notifiers import apprise, posting, registry, slack
from core.routing import Route
from core.running import walls
from core.store import notices, transaction
from core.transport import guard
from core.transport.http import Http, Limits, open_session
from tests.core import seeds

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # apprise on 3.11, 3.12

SECRET = "hush-a-token"
ROUTING = "hush" * 8
BUYER = "Anna Buyer, where is my parcel?"
INSIDE = "127.1"
"""Not how an address is written, and yet every resolver knows it to be this machine's."""
DELIVERED, AGAIN, NEVER = "delivered", "again", "never"


@dataclass
class Answer:
    """What a receiver does with a request; *body* as JSON unless it is text."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""
    trick: str = ""


class Receiver:
    """Answers each request as `answer` says, and keeps it."""

    def __init__(self):
        self.answer, self.got, self.url = Answer(), [], ""

    async def take(self, request):
        self.got.append((request.path, dict(request.headers), await request.json()))
        answer = self.answer
        if answer.trick == "reset":
            request.transport.abort()
            return web.Response()
        if answer.trick == "hangs":
            await asyncio.sleep(30)
        if answer.trick == "truncated":
            request.transport.write(b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"ok": tr')
            request.transport.close()
            return web.Response()
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return web.Response(status=answer.status, headers=answer.headers, text=text)


@pytest.fixture
async def receiver():
    found = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", found.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    yield found
    await runner.cleanup()


@pytest.fixture
async def means(tmp_path):
    async with open_session() as session, open_session(walled=True) as walled:
        yield Means(Http(session), tmp_path, walled)


@pytest.fixture
def notice(now):
    return Notice(
        "17/0/3", NoticeKind.BREACH, "mk", now, "T1", 17, now, (("promise", "reply-24h"),)
    )


@pytest.fixture
def words(now):
    return Words(
        "Reply overdue: A&B <!channel>",
        "A buyer has been waiting.\nLate by 5 min.",
        "https://shop.example/T1",
        now,
        "https://desk.example/take/signed",
        "empik",
    )


def said(kind, url):
    """What the settings say to a notifier of *kind* whose receiver is at *url*."""
    hook = f"{url}/{SECRET}"
    private = {"allow_private": True}
    return {
        "webhook": {"url": hook, **private},
        "slack": {"url": hook, **private},
        "slack bot": {"url": f"{url}/api/", "token": SECRET, "channel": "C1", **private},
        "teams": {"url": hook, **private},
        "pagerduty": {"url": f"{url}/v2/enqueue", "routing_key": ROUTING, **private},
        "alertmanager": {"urls": [url], "authorization": f"Bearer {SECRET}"},
        "apprise": {"url": url.replace("http://", f"json://user:{SECRET}@")},
    }[kind] | {"kind": kind.split()[0]}


def read(**options):
    return registry.KINDS[options["kind"]].options.model_validate(options)


def opened(means, **options):
    return registry.open_all({"it": read(**options)}, means)["it"]


HTTP = ("webhook", "slack", "slack bot", "teams", "pagerduty", "alertmanager")
ALL = (*HTTP, "apprise")
OK = {"ok": True, "channel": "C1", "ts": "1700000000.000100"}

KNOWN = sorted({status.value for status in HTTPStatus} | {299, 399, 499, 520, 522, 530, 599})
"""Every status that is registered from 200 on, and some that receivers make up."""


PASSING = (407, 408, 429)
"""What of 4xx may pass: a proxy on the way, time, or too much at once."""


def statuses(first, *without):
    """Those of *KNOWN* of a hundred."""
    return [each for each in KNOWN if each // 100 == first and each not in without]


ANSWERS = [
    *[(kind, Answer(status, body=OK), DELIVERED) for kind in HTTP for status in statuses(2, 204)],
    *[("apprise", Answer(status, body=OK), DELIVERED) for status in (200, 201, 202)],
    *[(kind, Answer(204), DELIVERED) for kind in HTTP if kind != "slack bot"],
    *[
        (kind, Answer(status, {"Location": "/elsewhere"}), NEVER)
        for kind in HTTP
        for status in statuses(3)
    ],
    *[
        (kind, Answer(status, body=f"{BUYER} {SECRET}"), NEVER)
        for kind in HTTP
        for status in statuses(4, *PASSING)
    ],
    *[
        (kind, Answer(status, body=f"{BUYER} {SECRET}"), AGAIN)
        for kind in HTTP
        for status in (*PASSING, *statuses(5))
    ],
    *[
        (kind, Answer(status, {"Retry-After": "77"}), 77.0)
        for kind in HTTP
        for status in (408, 429, 500, 503)
    ],
    *[(kind, Answer(429, {"Retry-After": "soon"}), AGAIN) for kind in HTTP],
    *[(kind, Answer(trick="reset"), AGAIN) for kind in ALL],
    *[
        (kind, Answer(body=f"no JSON: {BUYER} {SECRET}"), DELIVERED)
        for kind in ALL
        if kind != "slack bot"
    ],
    *[(kind, Answer(trick="truncated"), DELIVERED) for kind in HTTP if kind != "slack bot"],
    *[
        ("apprise", Answer(status, body=f"{BUYER} {SECRET}"), AGAIN)
        for status in (*statuses(3, 301, 302, 303, 307, 308), *statuses(4), *statuses(5))
    ],
    *[
        ("slack bot", Answer(body=body), AGAIN)
        for body in (f"no JSON: {BUYER}", [], {"ok": "true"}, {}, {"ok": False},
                     {"ok": False, "error": f"new {BUYER}"}, {"ok": False, "error": []})
    ],
    ("slack bot", Answer(204), AGAIN),
    ("slack bot", Answer(trick="truncated"), AGAIN),
    *[("slack bot", Answer(body={"ok": False, "error": e}), AGAIN) for e in slack.PASSING],
    *[
        ("slack bot", Answer(200, {"Retry-After": "9"}, {"ok": False, "error": e}), 9.0)
        for e in slack.BUSY
    ],
    *[("slack bot", Answer(body={"ok": False, "error": e}), NEVER) for e in slack.NEVER],
]  # fmt: skip


async def outcome(sending):
    try:
        await sending
    except NotifierError as fault:
        if fault.permanent:
            return NEVER, str(fault)
        return AGAIN if fault.retry_after is None else fault.retry_after, str(fault)
    return DELIVERED, ""


@pytest.mark.parametrize("kind", ALL)
async def test_every_answer_is_one_of_three_outcomes_and_lets_nothing_out(
    means, receiver, notice, words, kind, capfd
):
    sender = opened(means, **said(kind, receiver.url))
    cases = [(answer, wanted) for of, answer, wanted in ANSWERS if of == kind]
    assert len(cases) > 10
    with capture_logs() as logs:
        for receiver.answer, wanted in cases:
            before = len(receiver.got)
            came, why = await outcome(sender.send(notice, words))
            assert came == wanted, (receiver.answer, why)
            assert len(receiver.got) == before + 1, "asked once, no redirect followed"
            assert {path for path, _, _ in receiver.got} != {"/elsewhere"}
            assert SECRET not in why
            assert "hush" not in why
            assert BUYER not in why
    printed = "".join(capfd.readouterr())
    for text in (str(logs), printed):
        assert "hush" not in text
        assert BUYER not in text
        assert "take/signed" not in text


@pytest.mark.parametrize("kind", ALL)
async def test_a_receiver_that_is_not_there_is_tried_again(means, notice, words, kind):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    sender = opened(means, **said(kind, f"http://127.0.0.1:{port}"))

    came, why = await outcome(sender.send(notice, words))

    assert (came, "hush" in why, str(port) in why) == (AGAIN, False, False)


async def test_a_receiver_that_does_not_answer_is_tried_again(
    means, receiver, notice, words, monkeypatch
):
    monkeypatch.setattr(posting, "LIMITS", Limits(total=0.2))
    receiver.answer = Answer(trick="hangs")
    senders = [opened(means, **said(kind, receiver.url)) for kind in HTTP]

    came = await asyncio.gather(*(outcome(sender.send(notice, words)) for sender in senders))

    assert came == [(AGAIN, "no answer")] * len(HTTP)


# Private addresses


WEBHOOKS = ("webhook", "slack", "slack bot", "teams", "pagerduty")


def public(kind, url):
    """As `said`, and nothing says that the receiver may be private."""
    return {key: value for key, value in said(kind, url).items() if key != "allow_private"}


@pytest.mark.parametrize("kind", WEBHOOKS)
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "LOCALHOST.", "10.1.2.3", "192.168.0.9", "172.16.0.1", "0.0.0.0",
     "169.254.169.254", "100.64.0.1", "[::1]", "[fd00::1]", "[fe80::1]", "[::ffff:10.0.0.1]",
     "[64:ff9b::a00:1]", "[2002:a00:1::]", "metadata.localhost"],
)  # fmt: skip
def test_an_address_of_our_own_network_is_refused_with_how_to_mend_it(kind, host):
    with pytest.raises(ValidationError) as caught:
        read(**public(kind, f"https://{host}"))

    assert "allow_private = true" in str(caught.value)
    assert "hush" not in str(caught.value)
    assert read(**said(kind, f"https://{host}")).allow_private


@pytest.mark.parametrize("host", ["hooks.example.com", "8.8.8.8", "[2606:4700::1111]", "a.b"])
def test_any_other_address_is_let_through(host):
    assert not read(**public("webhook", f"https://{host}")).allow_private


class Leading(AbstractResolver):
    """Every name leads to *places*."""

    def __init__(self, *places):
        self.places = places

    async def resolve(self, host, port=0, family=socket.AF_INET):
        six = [(":" in place) for place in self.places]
        return [
            {"hostname": host, "host": place, "port": port, "proto": 0, "flags": 0,
             "family": socket.AF_INET6 if is_six else socket.AF_INET}
            for place, is_six in zip(self.places, six, strict=True)
        ]  # fmt: skip

    async def close(self): ...


@pytest.mark.parametrize("kind", WEBHOOKS)
async def test_a_name_that_leads_inside_is_not_connected(means, receiver, notice, words, kind):
    """What it resolves to decides, at the moment of connecting."""
    port = receiver.url.rpartition(":")[2]
    leading = Leading("127.0.0.1", "::1", "10.0.0.1")
    connector = TCPConnector(resolver=leading, socket_factory=guard.connecting)
    async with ClientSession(connector=connector) as walled:
        walls = replace(means, walled=walled)
        sender = opened(walls, **public(kind, f"http://hooks.example.com:{port}"))

        came, why = await outcome(sender.send(notice, words))

    assert (came, receiver.got) == (AGAIN, [])
    assert why == posting.PRIVATE
    assert "allow_private = true" in why


async def test_names_that_lead_inside_are_found_before():
    hosts = ["localhost", "localhost", "127.0.0.1", "8.8.8.8", "no-such-name.invalid"]

    assert await guard.leads_inside(hosts, 5.0) == ["localhost", "127.0.0.1"]


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_check_finds_who_could_be_told_nothing(allowed):
    """What an address does not show is known once its name is looked up."""
    chat = read(kind="webhook", url=f"https://{INSIDE}/{SECRET}", allow_private=allowed)

    said = SimpleNamespace(notifiers={"chat": chat, "log": read(kind="file", path="n.jsonl")})

    faults = await walls.faults(said)

    assert faults == ([] if allowed else [f"notifiers.chat.url: {guard.MEND}"])


# What is sent


@pytest.fixture
def sent(means, receiver, notice, words):
    """What a receiver gets of a notice, by the kind of the notifier."""

    async def go(kind, told=notice, said_=words, **changes):
        receiver.answer = Answer(body=OK)
        await opened(means, **(said(kind, receiver.url) | changes)).send(told, said_)
        return receiver.got[-1]

    return go


async def test_slack_is_told_in_plain_text_that_calls_nobody(sent):
    _, _, body = await sent("slack")

    header, section, actions = body["blocks"]
    assert header["text"] == {
        "type": "plain_text", "text": "Reply overdue: A&amp;B &lt;!channel&gt;", "emoji": False,
    }  # fmt: skip
    assert section["text"]["text"] == "A buyer has been waiting.\nLate by 5 min."
    assert [each["url"] for each in actions["elements"]] == [
        "https://shop.example/T1", "https://desk.example/take/signed",
    ]  # fmt: skip
    assert body["text"] == "Reply overdue: A&amp;B &lt;!channel&gt;"
    assert "mrkdwn" not in json.dumps(body)


@pytest.mark.parametrize("text", ["<" * 9000, "a" * 9000, "&<>" * 900, ""])
def test_slack_is_given_no_more_than_it_takes(notice, now, text):
    header, section = slack.message(notice, Words(text, text, None, now))["blocks"]

    assert 0 < len(header["text"]["text"]) <= slack.HEADER
    assert 0 < len(section["text"]["text"]) <= slack.SECTION
    assert not section["text"]["text"].endswith("&…")


async def test_a_bot_changes_what_it_told_once_it_is_answered(means, receiver, notice, words):
    receiver.answer = Answer(body=OK)
    bot = opened(means, **said("slack bot", receiver.url))
    name = await bot.send(notice, words)
    over = replace(words, subject="Answered in time: Empik", act_url=None)
    await bot.close(replace(notice, kind=NoticeKind.ANSWERED), over, [name, name])

    (first, headers, posted), (then, _, changed), _ = receiver.got
    assert (first, then) == ("/api/chat.postMessage", "/api/chat.update")
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert posted["channel"] == "C1"
    assert (changed["channel"], changed["ts"]) == ("C1", OK["ts"])
    assert changed["blocks"][0]["text"]["text"] == "Answered in time: Empik"
    assert "ts" not in posted


@pytest.mark.parametrize("why", sorted(slack.CLOSED))
async def test_a_message_that_a_person_removed_is_closed(means, receiver, notice, words, why):
    receiver.answer = Answer(body={"ok": False, "error": why})

    await opened(means, **said("slack bot", receiver.url)).close(notice, words, ["C1 17.1"])

    assert len(receiver.got) == 1


async def test_teams_is_told_by_one_card_without_markdown(sent):
    _, _, body = await sent("teams")

    (attached,) = body["attachments"]
    card = attached["content"]
    assert attached["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (body["type"], card["type"], card["version"]) == ("message", "AdaptiveCard", "1.4")
    runs = [run for block in card["body"] for run in block["inlines"]]
    assert [run["text"] for run in runs] == [
        "Reply overdue: A&B <!channel>", "A buyer has been waiting.", "Late by 5 min.",
    ]  # fmt: skip
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert [each["url"] for each in card["actions"]] == [
        "https://shop.example/T1", "https://desk.example/take/signed",
    ]  # fmt: skip


LINES = """3 notices since noon & later.
- late by 5 min: thread T0 https://shop.example/T0

- late by 4 min: thread T1"""


async def test_each_thread_of_a_digest_is_a_link_where_the_means_has_links(sent, notice, words):
    told = replace(notice, kind=NoticeKind.DIGEST, key="it/flood/1", clock=None)
    spoken = replace(words, text=LINES, act_url=None)
    _, _, slacked = await sent("slack", told, spoken)
    _, _, carded = await sent("teams", told, spoken)

    rich = slacked["blocks"][1]
    runs = rich["elements"][0]["elements"]
    assert rich["type"] == "rich_text"
    assert "".join(run["text"] for run in runs).strip() == LINES.replace(
        " https://shop.example/T0", ""
    )
    assert [run["url"] for run in runs if run["type"] == "link"] == ["https://shop.example/T0"]
    assert {run["type"] for run in runs} == {"text", "link"}
    blocks = [block["inlines"][0] for block in carded["attachments"][0]["content"]["body"]]
    assert [run.get("selectAction", {}).get("url") for run in blocks] == [
        None, None, "https://shop.example/T0", None,
    ]  # fmt: skip


@pytest.mark.parametrize("most", range(20, 120, 7))
def test_no_link_is_cut_in_two(most):
    for line in posting.cut(LINES, most).splitlines():
        assert posting.linked(line)[1] in {None, "https://shop.example/T0"}


@pytest.mark.parametrize("kind", ["slack", "teams", "pagerduty"])
async def test_a_digest_leads_to_the_list(sent, notice, words, kind):
    digest = replace(notice, kind=NoticeKind.DIGEST, key="it/flood/1", clock=None)
    _, _, body = await sent(kind, digest, replace(words, act_url=None))

    assert "Open the list" in json.dumps(body)
    assert "Open the thread" not in json.dumps(body)
    assert "I take it" not in json.dumps(body)


async def test_a_card_is_not_larger_than_teams_takes(sent, words):
    _, _, body = await sent("teams", said_=replace(words, text="ż" * 90_000, subject="ż" * 999))

    assert len(json.dumps(body, ensure_ascii=False).encode()) < 28_000


@pytest.mark.parametrize(
    ("kind", "severity"),
    [(NoticeKind.WARNING, "warning"), (NoticeKind.BREACH, "critical"),
     (NoticeKind.REPLY_REFUSED, "error"), (NoticeKind.TEST, "info")],
)  # fmt: skip
async def test_pagerduty_opens_one_incident_for_all_steps_of_a_clock(sent, notice, kind, severity):
    path, _, body = await sent("pagerduty", replace(notice, kind=kind, key=f"17/0/{kind}"))

    assert path == "/v2/enqueue"
    assert (body["event_action"], body["routing_key"]) == ("trigger", ROUTING)
    assert body["payload"]["severity"] == severity
    assert body["payload"]["summary"] == "Reply overdue: A&B <!channel>"
    if kind is not NoticeKind.TEST:
        assert body["dedup_key"] == "replyby/mk/clock/17"
    assert {link["href"] for link in body["links"]} == {
        "https://shop.example/T1", "https://desk.example/take/signed",
    }  # fmt: skip
    assert body["client_url"] == "https://shop.example/T1"


@pytest.mark.parametrize("kind", [NoticeKind.ANSWERED, NoticeKind.CORRECTED])
async def test_pagerduty_resolves_what_is_over(means, receiver, notice, words, kind):
    pager = opened(means, **said("pagerduty", receiver.url))
    await pager.close(replace(notice, kind=kind), words, [])

    ((_, _, body),) = receiver.got
    assert body == {
        "routing_key": ROUTING, "dedup_key": "replyby/mk/clock/17", "event_action": "resolve",
    }  # fmt: skip


async def test_the_end_of_a_trouble_resolves_what_it_opened(sent, notice):
    trouble = replace(notice, clock=None, thread=None, key="mk/blind/x")
    _, _, began = await sent("pagerduty", replace(trouble, kind=NoticeKind.BLIND))
    _, _, ended = await sent("pagerduty", replace(trouble, kind=NoticeKind.ACCOUNT_UP))

    assert (began["event_action"], ended["event_action"]) == ("trigger", "resolve")
    assert began["dedup_key"] == ended["dedup_key"] == "replyby/mk/reading"


async def test_alertmanager_is_told_at_every_replica(means, notice, words, receiver):
    receiver.answer = Answer(status=503)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = f"http://127.0.0.1:{gone.getsockname()[1]}"
    both = opened(means, kind="alertmanager", urls=[nobody, receiver.url])
    assert (await outcome(both.send(notice, words)))[0] == AGAIN

    receiver.answer = Answer()
    with capture_logs() as logs:
        assert (await outcome(both.send(notice, words)))[0] == DELIVERED

        assert (await outcome(both.send(notice, words)))[0] == DELIVERED
    assert [(line["event"], line["replica"]) for line in logs] == [("replica fails", "1")], "once"
    path, _, alerts = receiver.got[-1]
    assert path == "/api/v2/alerts"
    firing, over = alerts
    assert firing["labels"] == {
        "alertname": "ReplyDeadline", "severity": "critical", "team": "support",
        "marketplace": "empik", "account": "mk", "policy": "reply-24h", "thread": "T1",
        "clock": "17",
    }  # fmt: skip
    assert firing["generatorURL"] == "https://shop.example/T1"
    assert firing["endsAt"] > firing["startsAt"]
    assert over["labels"]["severity"] == "warning", "which the breach stands for"
    assert over["endsAt"] == words.at.isoformat()


async def test_apprise_sends_plain_text(sent):
    _, _, body = await sent("apprise")

    assert body["title"] == "Reply overdue: A&B <!channel>"
    assert body["message"].startswith("A buyer has been waiting.\nLate by 5 min.")
    assert "https://desk.example/take/signed" in body["message"]
    assert body["type"] == "failure"


async def test_a_service_of_apprise_that_hangs_holds_up_no_other_thread(
    means, receiver, notice, words
):
    receiver.answer = Answer(trick="hangs")
    hanging = opened(means, **said("apprise", receiver.url))
    waiting = [asyncio.create_task(hanging.send(notice, words)) for _ in range(40)]
    await asyncio.sleep(0)

    for _ in range(3):
        await asyncio.to_thread(lambda: None)

    for each in waiting:
        each.cancel()
    assert not any(each.done() and not each.cancelled() for each in waiting)


def test_what_each_means_can_do_beside_sending(means):
    senders = {kind: opened(means, **said(kind, "http://127.0.0.1:9")) for kind in ALL}

    assert {k for k, s in senders.items() if isinstance(s, Closes)} == {
        "slack bot", "pagerduty", "alertmanager",
    }  # fmt: skip
    assert {k for k, s in senders.items() if isinstance(s, Keeps)} == {"alertmanager"}
    assert all(isinstance(sender, Paced) for sender in senders.values())
    assert {k for k, s in senders.items() if isinstance(s, Brief)} == {
        "slack", "slack bot", "teams", "apprise",
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "slack"},
        {"kind": "slack", "token": SECRET},
        {"kind": "slack", "channel": "C1"},
        {"kind": "teams", "url": f"https://shop.webhook.office.com/{SECRET}"},
        {"kind": "pagerduty", "routing_key": SECRET},
        {"kind": "alertmanager", "urls": []},
        {"kind": "alertmanager", "urls": [SECRET]},
        {"kind": "webhook", "url": "https://a.b/", "rate": "often"},
        {"kind": "webhook", "url": "https://a.b/", "rate": "0/h"},
        {"kind": "apprise"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError) as caught:
        read(**wrong)

    assert "hush" not in str(caught.value)


def test_an_address_that_apprise_does_not_know_is_refused(tmp_path):
    ((key, fault),) = read(kind="apprise", url=f"nothing://{SECRET}").faults(tmp_path)

    assert key == "url"
    assert "hush" not in fault
    assert list(read(kind="apprise", url=f"json://{SECRET}@a.b/").faults(tmp_path)) == []


def test_without_the_extra_apprise_is_refused_with_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)

    faults = list(read(kind="apprise", url="json://a.b/").faults(tmp_path))

    assert faults == [("kind", apprise.MISSING)]


# What is kept of a delivery


@pytest.mark.parametrize("kind", ALL)
async def test_a_delivery_that_fails_keeps_neither_secret_nor_text(
    pool, means, receiver, notice, now, kind
):
    """Through the whole of a delivery: the log, the metrics, the row of the dispatch."""
    receiver.answer = Answer(400, body=f"{BUYER} {SECRET}")
    metrics, rules = Metrics(), seeds.rules(Route("all", ("it",), fallback=True))
    async with transaction(pool) as db:
        await seeds.put_account(db, now)
        await seeds.put_thread(db, now, buyer=BUYER)
        await seeds.put_message(db, now, body=BUYER)
        await notices.raise_(db, rules, [notice])
    sender = opened(means, **said(kind, receiver.url))
    with capture_logs() as logs:
        await deliver.once(pool, {"it": sender}, rules, {}, metrics, now)

    async with pool.acquire() as db:
        rows = [dict(row) for row in await db.fetch("select * from dispatch")]
    shown = str([logs, rows, generate_latest(metrics.registry).decode()])
    assert len(receiver.got) == 1
    assert rows[0]["error"]
    assert "notifications" in shown
    for text in ("hush", BUYER, receiver.url.rpartition(":")[2]):
        assert text not in shown
    assert BUYER not in str(receiver.got)
