"""What leaves, what is refused, and what is known of it afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore import spec
from connectors.webstore.meta.sandbox.graph import Template
from connectors.webstore.whatsapp import answering, identity
from core.connector import Transport
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused
from core.model import Thread
from core.transport.http import Http
from sla.clock import Delivery
from sla.policy import Party
from tests.connectors.standing import QUICK
from tests.connectors.webstore.conftest import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
async def thread(graph, line, ana, deliver, endpoint):
    """Ana asked just now."""
    graph.says(line, ana, "Where is my parcel?")
    await deliver()
    (thread,) = endpoint.threads().values()
    return thread


def sent(line):
    return [one for one in line.said if one.author == "api"]


async def test_a_reply_goes_to_the_number(whatsapp, thread, drafted, line, ana, clock):
    told = await whatsapp.reply(thread, drafted(thread), clock.now)
    (one,) = sent(line)
    assert (one.person, one.text) == (ana, "It is on its way.")
    assert told.message_id == identity.message_id(one.id)
    assert one.mark == identity.mark(drafted(thread))


async def test_a_user_who_hides_the_number_is_answered_by_the_id(
    whatsapp, graph, line, ana, deliver, endpoint, drafted, clock
):
    """As ``to`` the id is taken for a number, and what is sent reaches nobody."""
    ana.shows_number = False
    graph.says(line, ana, "Where is my parcel?")
    await deliver()
    (thread,) = endpoint.threads().values()
    assert "to" not in thread.reply_to
    await whatsapp.reply(thread, drafted(thread), clock.now)
    assert answering.written(thread, drafted(thread))["recipient"] == ana.user_id
    assert [one.person for one in sent(line)] == [ana]


async def test_a_reply_is_proved_by_its_statuses(
    whatsapp, thread, drafted, line, clock, deliver, endpoint
):
    told = await whatsapp.reply(thread, drafted(thread), clock.now)
    assert endpoint.verdicts() == {}
    await deliver(seconds=10)
    found = endpoint.verdicts().values()
    assert {v.delivery for v in found if v.message_id == told.message_id} == {Delivery.CONFIRMED}
    assert len(sent(line)) == 1


async def test_a_failure_after_the_delivery_refuses_it(
    whatsapp, thread, drafted, sandbox, clock, deliver, endpoint
):
    sandbox.graph.habits.fails_with = 131026
    sandbox.graph.habits.shuffles = True
    told = await whatsapp.reply(thread, drafted(thread), clock.now)
    await deliver(seconds=10)
    found = [v for v in endpoint.verdicts().values() if v.message_id == told.message_id]
    assert {v.delivery for v in found} == {Delivery.CONFIRMED, Delivery.REFUSED}
    (line,) = [m for m in endpoint.messages().values() if m.party is Party.MARKETPLACE]
    assert "cannot be delivered" in line.body


async def test_a_failure_counts_though_it_comes_without_our_mark(
    whatsapp, thread, drafted, sandbox, clock, deliver, endpoint
):
    """That a failure carries it is documented nowhere."""
    sandbox.graph.habits.fails_with = 131026
    sandbox.graph.habits.marks_failures = False
    told = await whatsapp.reply(thread, drafted(thread), clock.now)
    await deliver(seconds=10)
    refused = [v.message_id for v in endpoint.verdicts().values() if v.delivery == "refused"]
    assert refused == [told.message_id]


@pytest.mark.parametrize("seconds", [0, 1])
async def test_trap_21_after_the_window_nothing_leaves(
    whatsapp, thread, drafted, line, clock, sandbox, seconds
):
    clock.now = thread.as_of + timedelta(hours=24, seconds=seconds)
    if not seconds:  # exactly at its end it is open
        await whatsapp.reply(thread, drafted(thread), clock.now)
        assert len(sent(line)) == 1
        return
    with pytest.raises(Refused, match="only a template that Meta approved") as caught:
        await whatsapp.reply(thread, drafted(thread), clock.now)
    assert "ended at 2026-11-21 12:00 UTC" in str(caught.value)
    assert sandbox.calls("send_message") == []


async def refused_late(whatsapp, thread, drafted, clock):
    clock.now = thread.as_of + timedelta(hours=25)
    with pytest.raises(Refused) as caught:
        await whatsapp.reply(thread, drafted(thread), clock.now)
    assert caught.value.detail == "window"
    return str(caught.value)


async def test_after_the_window_the_templates_that_may_be_sent_are_named(
    whatsapp, thread, drafted, line, clock, sandbox
):
    line.templates += [
        Template("we_miss_you", category="MARKETING"), Template("code", category="AUTHENTICATION"),
        Template("about_your_order"), Template("about_your_order", "de"),
        Template("too_soon", status="PENDING"),
    ]  # fmt: skip
    told = await refused_late(whatsapp, thread, drafted, clock)
    assert told == (
        "the time to answer ended at 2026-11-21 12:00 UTC; only a template that Meta approved may"
        " be sent now, in WhatsApp Manager: about_your_order (de), about_your_order (en),"
        " we_miss_you (en)"
    )
    assert sandbox.calls("send_message") == []
    line.templates += [Template("zz"), Template("aa", "pl")]
    told = await refused_late(whatsapp, thread, drafted, clock)
    assert told.endswith(": aa (pl), about_your_order (de), about_your_order (en), 2 more")


async def test_where_no_template_is_approved_that_is_told(whatsapp, thread, drafted, line, clock):
    line.templates.append(Template("too_soon", status="REJECTED"))
    told = await refused_late(whatsapp, thread, drafted, clock)
    assert told.endswith("and none is approved: wait for the buyer's next message")


@pytest.mark.parametrize("status", [403, 500])
async def test_where_nobody_says_which_there_are_the_way_is_told(
    whatsapp, thread, drafted, clock, sandbox, status
):
    sandbox.faults.order("status", status=status, operation="message_templates")
    told = await refused_late(whatsapp, thread, drafted, clock)
    assert told.endswith("send one in WhatsApp Manager, or wait for the buyer's next message")


async def test_trap_21_a_new_message_opens_the_window_again(
    whatsapp, thread, drafted, graph, line, ana, deliver, endpoint, clock
):
    graph.says(line, ana, "Hello?", at=NOON + 20 * HOUR)
    await deliver(hours=20)
    (now_open,) = endpoint.threads().values()
    clock.now = NOON + 30 * HOUR
    await whatsapp.reply(now_open, drafted(now_open), clock.now)
    assert len(sent(line)) == 1


async def test_where_we_do_not_know_the_window_meta_decides(
    whatsapp, thread, drafted, clock, sandbox, line
):
    blind = thread.model_copy(update={
        "reply_to": {k: v for k, v in thread.reply_to.items() if k != "asked_at"}
    })  # fmt: skip
    clock.now = NOON + 30 * HOUR
    line.templates.append(Template("about_your_order"))
    with pytest.raises(Refused, match=r"code 131047.*about_your_order \(en\)$") as caught:
        await whatsapp.reply(blind, drafted(blind), clock.now)
    assert caught.value.detail == "window"
    assert len(sandbox.calls("send_message")) == 1


async def test_meta_may_say_by_a_status_alone_that_the_window_is_shut(
    whatsapp, thread, drafted, clock, sandbox, deliver, endpoint
):
    sandbox.graph.habits.refuses_at = "status"
    blind = thread.model_copy(update={
        "reply_to": {k: v for k, v in thread.reply_to.items() if k != "asked_at"}
    })  # fmt: skip
    clock.now = NOON + 30 * HOUR
    told = await whatsapp.reply(blind, drafted(blind), clock.now)
    await deliver(seconds=5)
    assert [(v.message_id, v.delivery) for v in endpoint.verdicts().values()] == [
        (told.message_id, Delivery.REFUSED)
    ]


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, 131026, Refused), (400, 131047, Refused), (403, 131031, Refused),
        (401, 190, BadCredentials), (400, 190, BadCredentials), (403, 10, BadCredentials),
        (403, 200, BadCredentials), (401, 0, BadCredentials),
        (400, 4, RateLimited), (400, 80007, RateLimited), (429, 130429, RateLimited),
        (400, 131056, RateLimited), (403, 4, RateLimited),
        (500, 131000, OutcomeUnknown), (503, 2, OutcomeUnknown), (500, 131016, OutcomeUnknown),
    ],
)  # fmt: skip
async def test_a_code_says_what_a_status_does_not(
    whatsapp, thread, drafted, clock, sandbox, line, status, code, error
):
    told = {"error": {"message": "Ana 48600100200", "code": code}}
    sandbox.faults.error = lambda _: told
    sandbox.faults.order("status", status=status, operation="send_message")
    with pytest.raises(error) as caught:
        await whatsapp.reply(thread, drafted(thread), clock.now)
    assert type(caught.value) is error
    assert "48600100200" not in str(caught.value)
    assert len(sandbox.calls("send_message")) == 1


async def test_an_outcome_nobody_knows_is_settled_by_a_status(
    optioned, session, thread, drafted, clock, sandbox, deliver, endpoint, line
):
    """Nothing can be read there; but each status carries the mark that we sent along."""
    sandbox.faults.order("status", status=500, after_work=True, operation="send_message", count=1)
    connector = spec.open(optioned(), Transport(Http(session, limits=QUICK)))
    with pytest.raises(OutcomeUnknown) as caught:
        await connector.reply(thread, drafted(thread), clock.now)
    assert len(sent(line)) == 1
    await deliver(seconds=10)
    proved = {v.message_id for v in endpoint.verdicts().values()}
    assert caught.value.message_id in proved


async def test_an_answer_without_an_id_was_taken_all_the_same(
    whatsapp, thread, drafted, clock, sandbox
):
    sandbox.faults.order("missing", field="messages", operation="send_message")
    told = await whatsapp.reply(thread, drafted(thread), clock.now)
    assert told.message_id == identity.mark(drafted(thread))


def test_a_mark_is_of_one_reply_of_one_installation(drafted):
    thread = Thread(id="t", as_of=NOON)
    marks = {
        identity.mark(drafted(thread)), identity.mark(drafted(thread, id=2)),
        identity.mark(drafted(thread, account="other")),
        identity.mark(drafted(thread, queued_at=NOON + HOUR)),
    }  # fmt: skip
    assert len(marks) == 4
    assert all(len(mark) <= 512 for mark in marks)


@pytest.mark.parametrize(
    ("reply_to", "to", "why"),
    [
        ({"to": "48600100200"}, {Party.BUYER}, None),
        ({"user": "PL.1"}, {Party.BUYER}, None),
        ({"to": "48600100200"}, {Party.MARKETPLACE}, "only the buyer"),
        ({"to": "48600100200"}, {Party.BUYER, Party.MARKETPLACE}, "only the buyer"),
        ({"to": "48600100200", "group": "g"}, {Party.BUYER}, "in a group"),
        ({}, {Party.BUYER}, "whom to answer"),
    ],
)
def test_who_certainly_cannot_be_answered_is_refused_before_it_is_queued(reply_to, to, why):
    thread = Thread(id="t", as_of=NOON, reply_to={"kind": "whatsapp", **reply_to})
    told = spec.refuses(thread, to)
    assert (told is None) if why is None else (why in told)


async def test_what_cannot_be_answered_does_not_leave(whatsapp, drafted, clock, sandbox):
    thread = Thread(id="t", as_of=NOON, reply_to={"kind": "whatsapp", "to": "1", "group": "g"})
    with pytest.raises(Refused, match="in a group"):
        await whatsapp.reply(thread, drafted(thread), clock.now)
    assert sandbox.calls("send_message") == []
