"""Recorded answers to our words: who says what to whom, and what waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore.twilio import identity, mapping, offer, voice
from connectors.webstore.twilio.options import TwilioOptions
from connectors.webstore.twilio.payload import (
    Calls,
    Media,
    Recordings,
    Text,
    Texts,
    Transcriptions,
    at,
    count,
)
from connectors.webstore.twilio.voice import Heard
from sla.clock import Delivery, Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.books import turn
from tests.connectors.webstore.twilio.conftest import BUYER, ENDPOINT, OURS, WA_BUYER, WA_OURS
from tests.connectors.webstore.twilio.recorded import told

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def options(**more):
    basic = {"account_sid": "AC" + 31 * "0" + "1", "auth_token": "t", "number": OURS}
    return TwilioOptions(kind="twilio", **{**basic, **more})


def text(**more):
    basic = {
        "sid": "SM1", "from": BUYER, "to": OURS, "direction": "inbound", "status": "received",
        "body": "Hello?", "date_sent": "Fri, 20 Nov 2026 11:00:00 +0000",
    }  # fmt: skip
    return Text.model_validate({**basic, **more})


def ours(**more):
    return text(**{"sid": "SM2", "from": OURS, "to": BUYER, "direction": "outbound-api",
                   "status": "delivered", **more})  # fmt: skip


def test_an_order_that_a_buyer_names_is_the_threads_and_stays_so():
    pattern = r"order #(\d+)"
    first = text(body="Where is order #1001?")
    second = text(sid="SM3", body="Hello?", date_sent="Fri, 20 Nov 2026 11:05:00 +0000")
    answer = ours(body="Not order #1002?")

    for listed in ((first, answer, second), (second, answer, first)):
        (named,) = page(*listed, order_pattern=pattern).threads
        assert named.order_ids == ("1001",)
        assert named.as_of == datetime(2026, 11, 20, 11, 5, tzinfo=UTC)
    (plain,) = page(first, second).threads
    assert plain.order_ids == ()


def page(*texts, files=None, **more):
    return mapping.page(texts, files or {}, options(**more), NOW)


def waiting(messages, policy):
    return clocks([turn(one, NOW) for one in messages], [policy])


def test_recorded_messages_become_threads_of_their_buyers():
    read = Texts.model_validate(told("messages"))
    files = {"MM00000000000000000000000000000002": Media.model_validate(told("media")).media_list}

    found = mapping.page(read.messages, files, options(), NOW)

    assert [(m.party, m.kind, m.body, len(m.attachments)) for m in found.messages] == [
        (Party.SELLER, Kind.MESSAGE, "It left today.", 0),
        (Party.BUYER, Kind.MESSAGE, "This one", 1),
        (Party.BUYER, Kind.MESSAGE, "Where is my order?", 0),
    ]
    assert found.messages[0].delivery is Delivery.CONFIRMED
    assert found.messages[0].to == {Party.BUYER}
    assert found.messages[1].attachments[0].media_type == "image/jpeg"
    one, other = sorted(found.threads, key=lambda thread: thread.buyer)
    assert (one.kind, one.buyer, one.reply_to) == (
        ThreadKind.CHAT, BUYER, {"kind": "twilio", "to": BUYER, "phone": BUYER},
    )  # fmt: skip
    assert other.buyer == "+48600100299"
    assert found.set_aside == ()


def test_no_id_holds_a_number():
    found = page(text(), ours())

    for id_ in (*(t.id for t in found.threads), *(m.id for m in found.messages)):
        assert BUYER[1:] not in id_
    assert identity.chat(OURS, BUYER) != identity.chat("+48221230002", BUYER)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"direction": "outbound-reply"}, Kind.AUTOMATIC),
        ({"direction": "outbound-call"}, Kind.AUTOMATIC),
        ({"messaging_service_sid": "MGmachine"}, Kind.AUTOMATIC),
        ({"messaging_service_sid": "MGother"}, Kind.MESSAGE),
        ({"direction": "outbound-api"}, Kind.MESSAGE),
    ],
)
def test_what_machines_write_answers_nobody(changes, kind):
    found = page(ours(**changes), automatic_services=("MGmachine",))

    assert [m.kind for m in found.messages] == [kind]


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        ("scheduled", Delivery.SENDING),
        ("queued", Delivery.ACCEPTED),
        ("sent", Delivery.ACCEPTED),
        ("delivered", Delivery.CONFIRMED),
        ("read", Delivery.CONFIRMED),
        ("undelivered", Delivery.REFUSED),
        ("failed", Delivery.REFUSED),
        ("canceled", Delivery.REFUSED),
        ("something new", Delivery.ACCEPTED),
    ],
)
def test_how_far_a_message_of_ours_is(status, delivery):
    found = page(ours(status=status))

    assert [m.delivery for m in found.messages] == [delivery]
    refused = [v.message_id for v in found.verdicts if v.delivery is Delivery.REFUSED]
    assert refused == (["SM2"] if delivery is Delivery.REFUSED else [])


def test_a_machines_message_that_failed_is_no_reply_that_did():
    found = page(ours(direction="outbound-reply", status="failed"))

    assert (len(found.messages), found.verdicts) == (1, ())


def test_who_opts_out_cannot_be_answered_and_waits_no_more():
    asked = text(sid="SM0", date_sent="Fri, 20 Nov 2026 10:50:00 +0000")
    found = page(asked, text(body=" Stop "))

    (clock,) = waiting(found.messages, offer.CHAT)
    assert (clock.ended, clock.reason, clock.members) == ("void", "unanswerable", ("SM0",))
    (thread,) = found.threads
    assert thread.reply_to["opted_out"] == "yes"


@pytest.mark.parametrize("word", ["HELP", "INFO", "START", "YES", "UNSTOP", "Stop it please"])
def test_a_word_that_a_person_may_mean_waits(word):
    (clock,) = waiting(page(text(body=word)).messages, offer.CHAT)

    assert clock.ended is None


@pytest.mark.parametrize("how", ["opt_out", "whatsapp"])
def test_stop_is_a_message_where_twilio_does_not_answer_it(how):
    if how == "opt_out":
        found = page(text(body="STOP"), opt_out=False)
    else:
        found = page(text(**{"from": WA_BUYER, "to": WA_OURS}, body="STOP"), number=WA_OURS)

    (message,) = found.messages
    assert (message.party, message.kind) == (Party.BUYER, Kind.MESSAGE)


def test_a_message_that_failed_since_the_buyer_opted_out_ends_the_waiting():
    failed_at = "Fri, 20 Nov 2026 11:20:00 +0000"
    found = page(text(), ours(status="failed", error_code=21610, date_updated=failed_at))

    (clock,) = waiting(found.messages, offer.CHAT)
    assert (clock.ended, clock.reason) == ("void", "unanswerable")


def test_a_message_that_failed_otherwise_leaves_the_buyer_waiting():
    (clock,) = waiting(
        page(text(), ours(status="undelivered", error_code=30003)).messages, offer.CHAT
    )

    assert clock.ended is None


def test_the_window_of_whatsapp_counts_from_the_latest_message():
    first = text(**{"from": WA_BUYER, "to": WA_OURS}, sid="SM0",
                 date_sent="Fri, 20 Nov 2026 09:00:00 +0000")  # fmt: skip
    later = text(**{"from": WA_BUYER, "to": WA_OURS})
    found = page(first, later, number=WA_OURS)

    (policy,) = offer.policies(options(number=WA_OURS))
    (clock,) = waiting(found.messages, policy)
    assert clock.due_at == datetime(2026, 11, 21, 11, tzinfo=UTC)
    (thread,) = found.threads
    assert thread.reply_to["until"] == clock.due_at.isoformat()
    assert thread.reply_to["phone"] == BUYER
    assert offer.policies(options()) == ()


def test_a_thread_that_only_we_write_in_never_stands_over_what_the_buyer_says():
    (mine,) = page(ours()).threads
    (theirs,) = page(text()).threads

    assert mine.id == theirs.id
    assert mine.as_of < theirs.as_of


def test_an_unknown_direction_is_the_buyers_where_our_number_is_addressed():
    found = page(text(direction="sideways"))

    assert [m.party for m in found.messages] == [Party.BUYER]
    assert [one.reason for one in found.set_aside] == ["messages.direction: unknown"]


def test_a_message_of_no_number_of_ours_is_set_aside():
    found = page(text(to="+48999999999"), ours(to="\x00"))

    assert found.messages == ()
    assert len(found.set_aside) == 2


def test_a_date_that_cannot_be_leaves_the_thread_undated():
    far = text(date_sent="Fri, 20 Nov 2099 11:00:00 +0000")
    none = text(date_sent="yesterday", date_created=None)

    assert page(far).threads[0].as_of == mapping.UNDATED
    assert page(none).messages[0].sent_at is None
    assert at("Fri, 20 Nov 2026 11:00:00 -0000") is None
    assert (count("17"), count("-1"), count("9" * 20)) == (17, 0, 0)


def heard(**more):
    return Heard(
        tuple(Calls.model_validate(told("calls")).calls),
        recordings=tuple(Recordings.model_validate(told("recordings")).recordings),
        texts=tuple(Transcriptions.model_validate(told("transcriptions")).transcriptions),
        **more,
    )


def test_recorded_calls_become_who_waits_and_who_was_called_back():
    found = voice.page(heard(), options(), NOW)

    said = {m.id[:2] + m.id[-1]: (m.party, m.kind, m.body) for m in found.messages}
    assert said == {
        "CA1": (Party.BUYER, Kind.MESSAGE, "Missed call"),
        "RE1": (Party.BUYER, Kind.MESSAGE, "Voicemail of 17 s"),
        "TR1": (Party.MARKETPLACE, Kind.SYSTEM, "Hello, my parcel has not come."),
        "CA4": (Party.SELLER, Kind.MESSAGE, "Call back, 90 s"),
        "CA2": (Party.SELLER, Kind.MESSAGE, "Call taken, 120 s"),
    }
    assert {t.kind for t in found.threads} == {ThreadKind.CALL}
    mine = identity.caller(OURS, BUYER, "CA1")
    (clock,) = waiting([m for m in found.messages if m.thread == mine], offer.CALL_BACK)
    assert clock.members == ("CA" + 31 * "0" + "1", "RE" + 31 * "0" + "1")
    assert (clock.ended, clock.stopped_at) == ("met", datetime(2026, 11, 20, 11, 40, 1, tzinfo=UTC))
    assert clock.due_at - clock.started_at == 240 * MINUTE


def test_a_leg_to_an_agent_is_no_call_back():
    calls = told("calls")
    leg = {**calls["calls"][1], "from": OURS, "to": "+48700700700"}
    kept = Calls.model_validate({"calls": [leg, calls["calls"][2]]}).calls

    found = voice.page(Heard(tuple(kept)), options(), NOW)
    assert [m.body for m in found.messages] == ["Call taken, 120 s"]
    alone = voice.page(Heard((kept[0],), ours=frozenset({kept[1].sid})), options(), NOW)
    assert alone.messages == ()


def test_a_completed_call_that_no_agent_took_is_missed():
    (call,) = (one for one in told("calls")["calls"] if one["sid"].endswith("2"))
    found = voice.page(Heard(tuple(Calls.model_validate({"calls": [call]}).calls)), options(), NOW)

    assert [m.body for m in found.messages] == ["Missed call"]


@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress"])
def test_a_call_that_has_not_ended_says_nothing_yet(status):
    call = {**told("calls")["calls"][3], "status": status}

    assert (
        voice.page(
            Heard(tuple(Calls.model_validate({"calls": [call]}).calls)), options(), NOW
        ).messages
        == ()
    )


@pytest.mark.parametrize("hidden", ["anonymous", "+266696687", "+7378742883", ""])
def test_who_hides_the_number_is_a_thread_for_each_call(hidden):
    call = {**told("calls")["calls"][3], "from": hidden}
    again = {**call, "sid": "CA" + 32 * "9"}
    found = voice.page(
        Heard(tuple(Calls.model_validate({"calls": [call, again]}).calls)), options(), NOW
    )

    assert {t.id for t in found.threads} == {f"call:{call['sid']}", f"call:{again['sid']}"}
    assert all("phone" not in t.reply_to for t in found.threads)


def test_who_is_pushed_says_so_in_the_options():
    assert not offer.can(options()).receives
    assert offer.can(options(endpoint=ENDPOINT)).receives
