"""Walks through calls: who waits to be called back, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.webstore.twilio import calling, offer, paging
from connectors.webstore.twilio.sandbox import telephony
from connectors.webstore.twilio.sandbox.desk import Call
from sla.policy import ThreadKind
from tests.connectors.books import Book
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.twilio.conftest import BUYER, ENDPOINT, OURS

MINUTE = timedelta(minutes=1)


@pytest.fixture
def waiting(read, clock, twilio):
    """The clocks of call-backs after a walk."""

    async def waiting():
        book = Book()
        await book.poll(twilio, "calls", clock.now)
        found = [book.clocks(one, [offer.CALL_BACK], ThreadKind.CALL) for one in book.threads]
        return [clock for clocks in found for clock in clocks]

    return waiting


def calls(account, number, outcome, **how):
    return telephony.buyer_calls(account, number, BUYER, outcome, **how)


@pytest.mark.parametrize("outcome", ["no-answer", "busy", "canceled", "failed", "hung_up"])
async def test_a_call_that_nobody_took_waits_for_a_call_back(account, number, waiting, outcome):
    call = calls(account, number, outcome, at=NOON - MINUTE)

    (clock,) = await waiting()

    assert clock.members == (call.sid,)
    assert clock.due_at == NOON - MINUTE + timedelta(hours=4)
    assert clock.ended is None


async def test_a_voicemail_joins_the_missed_call_of_the_same_caller(account, number, waiting, read):
    call = calls(account, number, "voicemail", at=NOON - 5 * MINUTE)
    again = calls(account, number, "no-answer", at=NOON - MINUTE)

    (clock,) = await waiting()

    (recording,) = account.recordings
    assert clock.members == (call.sid, recording, again.sid)
    assert clock.started_at == NOON - 5 * MINUTE
    (thread,) = (await read("calls")).threads.values()
    assert (thread.kind, thread.buyer) == (ThreadKind.CALL, BUYER)
    assert thread.reply_to == {"kind": "twilio", "phone": BUYER}


@pytest.mark.parametrize("by_dial", [False, True])
async def test_a_call_back_that_the_buyer_took_ends_the_waiting_at_its_start(
    account, number, waiting, by_dial
):
    calls(account, number, "no-answer", at=NOON - 5 * MINUTE)
    back = telephony.agent_calls(account, number, BUYER, at=NOON - MINUTE, by_dial=by_dial)

    (clock,) = await waiting()

    assert (clock.ended, clock.stopped_by, clock.stopped_at) == ("met", back.sid, back.created_at)


@pytest.mark.parametrize("machine", ["machine_start", "machine_end_beep", "fax"])
async def test_a_call_back_that_a_machine_took_ends_nothing(account, number, waiting, machine):
    """Where answering machine detection is switched on, Twilio says who took the call."""
    calls(account, number, "no-answer", at=NOON - 5 * MINUTE)
    back = telephony.agent_calls(account, number, BUYER, at=NOON - MINUTE)
    back.answered_by = machine

    (clock,) = await waiting()

    assert clock.ended is None


async def test_a_call_that_an_agents_mailbox_took_is_a_missed_one(account, number, waiting):
    call = calls(account, number, "taken", at=NOON - MINUTE)
    for leg in account.calls.values():
        leg.answered_by = "machine_start" if leg.parent == call.sid else None

    (clock,) = await waiting()

    assert (clock.members, clock.ended) == ((call.sid,), None)


@pytest.mark.parametrize("who", ["human", "unknown", "somebody"])
async def test_a_call_that_no_machine_took_was_taken(account, number, waiting, who):
    calls(account, number, "no-answer", at=NOON - 5 * MINUTE)
    telephony.agent_calls(account, number, BUYER, at=NOON - MINUTE).answered_by = who

    (clock,) = await waiting()

    assert clock.ended == "met"


async def test_a_call_back_that_nobody_took_ends_nothing(account, number, waiting):
    calls(account, number, "no-answer", at=NOON - 5 * MINUTE)
    telephony.agent_calls(account, number, BUYER, answered=False)

    (clock,) = await waiting()

    assert clock.ended is None


async def test_a_later_call_that_an_agent_took_ends_the_waiting(account, number, waiting):
    calls(account, number, "voicemail", at=NOON - 5 * MINUTE)
    taken = calls(account, number, "taken", at=NOON - MINUTE)
    telephony.record_conversation(account, taken)

    (clock,) = await waiting()

    assert (clock.ended, clock.stopped_by) == ("met", taken.sid)


async def test_the_leg_to_an_agents_own_phone_is_no_call_to_a_buyer(account, number, read):
    calls(account, number, "taken", agent="+48700700700", caller_id=OURS)

    found = await read("calls")

    assert [m.body for m in found.messages.values()] == ["Call taken, 110 s"]
    assert len(found.threads) == 1


async def test_a_leg_and_its_call_on_two_pages_are_one_call(account, number, read, sandbox):
    calls(account, number, "taken", agent="+48700700700", caller_id=OURS, at=NOON - 60 * MINUTE)
    for place in range(paging.AT_ONCE - 1):
        at = NOON - 30 * MINUTE + timedelta(seconds=place)
        made = Call(sandbox.desk.sid("CA"), "+48600", "+48700", "outbound-api", "busy", at)
        account.calls[made.sid] = made

    found = await read("calls")

    assert len(found.pages) == 2
    assert [m.body for m in found.messages.values()] == ["Call taken, 110 s"]
    assert found.pages[0].position
    assert "+48" not in found.pages[0].position


async def test_a_call_is_known_when_it_ends_however_long_it_lasts(account, number, read, clock):
    call = calls(account, number, "no-answer", at=NOON)
    call.status = "in-progress"
    first = await read("calls")
    assert first.messages == {}

    clock.advance(hours=3, minutes=50)
    calls(account, number, "busy", at=clock.now)
    cursor = (await read("calls", first.cursor)).cursor
    call.status, call.duration = "completed", 13_000

    assert call.sid in (await read("calls", cursor)).messages


async def test_hidden_callers_are_a_thread_each_and_found_by_a_look(account, number, read, twilio):
    one = telephony.buyer_calls(account, number, "+266696687", "voicemail")
    other = telephony.buyer_calls(account, number, "anonymous")
    found = await read("calls")
    assert set(found.threads) == {f"call:{one.sid}", f"call:{other.sid}"}
    assert all("phone" not in t.reply_to for t in found.threads.values())

    page = await twilio.look([f"call:{one.sid}", "call:CA" + 32 * "9"], NOON)

    assert {m.id for m in page.messages} == {one.sid, *account.recordings}


async def test_a_look_shows_all_calls_with_a_caller(account, number, read, twilio):
    calls(account, number, "voicemail", at=NOON - 9 * MINUTE)
    calls(account, number, "taken", at=NOON - 5 * MINUTE)
    telephony.agent_calls(account, number, BUYER, at=NOON - 3 * MINUTE)
    telephony.buyer_calls(account, number, "+48600100999")
    found = await read("calls")
    thread = next(t.id for t in found.threads.values() if t.buyer == BUYER)

    page = await twilio.look([thread, "call:0000000000000000"], NOON)

    wanted = {m.id: m for m in found.messages.values() if m.thread == thread}
    assert {m.id: m for m in page.messages} == wanted
    assert [t.id for t in page.threads] == [thread]


async def test_a_look_at_very_many_calls_says_that_there_are_more(account, number, read, twilio):
    for minute in range(calling.MOST_LOOKED + 1):
        calls(account, number, "busy", at=NOON - (30 - minute) * MINUTE)
    (thread,) = (await read("calls")).threads.values()

    page = await twilio.look([thread.id], NOON)

    assert len(page.messages) == calling.MOST_LOOKED
    assert [one.incomplete for one in page.threads] == [True]


async def test_transcriptions_are_read_where_the_settings_say_so(
    account, number, read, opened, sandbox
):
    calls(account, number, "voicemail", text="Hello, my parcel has not come.")

    silent = await read("calls")
    assert not sandbox.calls("transcriptions")
    told = await read("calls", by=opened(transcriptions=True))

    assert len(told.messages) == len(silent.messages) + 1
    assert "Hello, my parcel has not come." in {m.body for m in told.messages.values()}


async def test_a_sender_of_whatsapp_and_a_silent_number_have_no_calls(optioned, sender):
    for options in (optioned(sender), optioned(voice=False)):
        assert [one.name for one in offer.streams(options)] == ["messages"]
        assert [one.name for one in offer.goals(options)] == ["webstore-twilio-message"]


def test_only_messages_are_all_pushed(optioned):
    """A completed call is known by its legs, which a walk alone reads: no push is missed."""
    told = {one.name: one.pushed for one in offer.streams(optioned(endpoint=ENDPOINT))}

    assert told == {"messages": True, "calls": False, "number": False}
    assert not any(one.pushed for one in offer.streams(optioned()))
