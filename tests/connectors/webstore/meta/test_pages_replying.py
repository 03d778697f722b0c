"""What leaves from pages and profiles, and what does not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused, Unreachable
from core.model import Thread
from sla.policy import Party
from tests.connectors.webstore.conftest import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
async def thread(graph, page, bo, read):
    graph.says(page, bo, "Where is my parcel?")
    (thread,) = (await read()).threads.values()
    return thread


def sent(page):
    return [one for one in page.said if one.author == "api"]


async def test_a_reply_goes_to_the_person_and_is_read_back(
    pages, thread, drafted, page, bo, clock, read
):
    told = await pages.reply(thread, drafted(thread), clock.now)
    (one,) = sent(page)
    assert (one.person, one.text, one.tag) == (bo, "It is on its way.", "")
    assert told.message_id == one.id
    assert (await read()).messages[one.id].party is Party.SELLER


async def test_our_own_echo_is_the_reply_under_its_own_id(
    pages, thread, drafted, sandbox, shop, clock
):
    told = await pages.reply(thread, drafted(thread), clock.now)
    await sandbox.pushes.deliver()
    assert shop.messages()[told.message_id].party is Party.SELLER


async def test_after_the_window_nothing_leaves(pages, thread, drafted, clock, sandbox):
    clock.now = NOON + 24 * HOUR + timedelta(seconds=1)
    with pytest.raises(Refused, match="until the buyer writes again") as caught:
        await pages.reply(thread, drafted(thread), clock.now)
    assert "ended at 2026-11-21 12:00 UTC" in str(caught.value)
    assert sandbox.calls("send_message") == []


@pytest.mark.parametrize(("status", "error"), [(404, Refused), (503, Unreachable)])
async def test_where_nobody_says_whether_it_is_open_the_answer_has_certainly_not_left(
    pages, thread, drafted, clock, sandbox, status, error
):
    clock.now = NOON + 30 * HOUR
    sandbox.faults.order("status", status=status, operation="conversations")
    with pytest.raises(error) as caught:
        await pages.reply(thread, drafted(thread), clock.now)
    assert type(caught.value) is error
    assert sandbox.calls("send_message") == []


async def test_who_wrote_since_is_answered_though_we_had_not_read_it(
    pages, thread, drafted, clock, graph, page, bo
):
    graph.says(page, bo, "Hello?", at=NOON + 20 * HOUR)
    clock.now = NOON + 30 * HOUR
    await pages.reply(thread, drafted(thread), clock.now)
    assert len(sent(page)) == 1


async def test_a_person_may_answer_for_seven_days_by_the_tag(
    opened, thread, drafted, clock, page, sandbox
):
    pages = opened(human_agent=True)
    await pages.reply(thread, drafted(thread), clock.now)
    clock.now = NOON + 6 * 24 * HOUR
    await pages.reply(thread, drafted(thread, id=2), clock.now)
    assert [one.tag for one in sent(page)] == ["", "HUMAN_AGENT"]
    clock.now = NOON + 7 * 24 * HOUR + timedelta(seconds=1)
    with pytest.raises(Refused, match="until the buyer writes again"):
        await pages.reply(thread, drafted(thread, id=3), clock.now)
    assert len(sandbox.calls("send_message")) == 2


def test_the_contract_is_as_long_as_the_window(optioned, word):
    (usual,), (long,) = spec.policies(optioned()), spec.policies(optioned(human_agent=True))
    assert usual.name == long.name == f"webstore-{word}-window"
    assert (usual.reply_within, long.reply_within) == (24 * HOUR, 7 * 24 * HOUR)
    assert (usual.counts_from, usual.role, bool(usual.source)) == ("latest", "contract", True)
    (goal,) = spec.goals(optioned())
    assert (goal.name, goal.reply_within) == (f"webstore-{word}-reply", HOUR)


async def test_a_text_is_as_long_as_meta_takes_it(pages, thread, drafted, clock, word, sandbox):
    most = "x" * 2000 if word == "messenger" else "ż" * 500
    await pages.reply(thread, drafted(thread, most), clock.now)
    with pytest.raises(Refused, match="shorten it"):
        await pages.reply(thread, drafted(thread, f"{most}x", id=2), clock.now)
    assert len(sandbox.calls("send_message")) == 1


@pytest.mark.parametrize(
    ("status", "code", "sub", "error", "word_"),
    [
        (400, 10, 2018278, Refused, "24 hours"), (403, 10, 2018278, Refused, "24 hours"),
        (400, 551, 1545041, Refused, "cannot be reached"), (400, 100, 2018001, Refused, "person"),
        (400, 190, 463, BadCredentials, "ended"), (403, 200, None, BadCredentials, None),
        (400, 613, None, RateLimited, None), (400, 4, 2018022, RateLimited, None),
        (500, 1200, None, OutcomeUnknown, None),
    ],
)  # fmt: skip
async def test_a_code_says_what_a_status_does_not(
    pages, thread, drafted, clock, sandbox, status, code, sub, error, word_
):
    told = {"message": "Bo 7001", "code": code, "error_subcode": sub}
    sandbox.faults.error = lambda _: {"error": told}
    sandbox.faults.order("status", status=status, operation="send_message")
    with pytest.raises(error, match=word_) as caught:
        await pages.reply(thread, drafted(thread), clock.now)
    assert "Bo" not in str(caught.value)
    assert len(sandbox.calls("send_message")) == 1


async def test_an_answer_without_an_id_is_read_back_later(pages, thread, drafted, clock, sandbox):
    sandbox.faults.order("missing", field="message_id", operation="send_message")
    assert (await pages.reply(thread, drafted(thread), clock.now)).message_id is None


@pytest.mark.parametrize(
    ("reply_to", "to", "why"),
    [
        ({"to": "7001"}, {Party.BUYER}, None),
        ({"to": "7001"}, {Party.MARKETPLACE}, "only the buyer"),
        ({}, {Party.BUYER}, "whom to answer"),
    ],
)
def test_who_certainly_cannot_be_answered_is_refused_before_it_is_queued(word, reply_to, to, why):
    thread = Thread(id="t", as_of=NOON, reply_to={"kind": word, **reply_to})
    told = spec.refuses(thread, to)
    assert (told is None) if why is None else (why in told)
