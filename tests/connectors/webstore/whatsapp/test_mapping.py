"""What of recorded pushes becomes ours."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.webstore.meta import envelope, window
from connectors.webstore.whatsapp import answering, identity, mapping, offer, standing
from connectors.webstore.whatsapp.payload import Answered, Number, Templates
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind
from tests.connectors.books import Book

RECORDED = Path(__file__).parent / "recorded"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKED = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
HOMES = {"1060": "shop", "2060": "other"}
USER = "PL.13491208655302741918"
CHAT = identity.Person(user=USER).thread


def recorded(name):
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def told(content, homes=HOMES, now=NOW):
    body = json.dumps(content).encode()
    return mapping.told(envelope.opened(body), homes, "shop", now)


def page(name):
    return told(recorded(name)).pages["shop"]


@pytest.fixture
def shown():
    return {m.id: m for m in page("types").messages}


def test_a_text_is_a_message_of_the_buyers_at_its_own_second():
    (message,), (thread,) = page("text").messages, page("text").threads
    assert (message.party, message.kind, message.body) == (
        Party.BUYER, Kind.MESSAGE, "Where is my order?"
    )  # fmt: skip
    assert message.sent_at == ASKED
    assert message.to == {Party.SELLER}
    assert (thread.kind, thread.buyer, thread.as_of) == (ThreadKind.CHAT, "Ana", ASKED)
    assert thread.reply_to == {
        "kind": "whatsapp", "to": "48600100200", "phone": "+48600100200",
        "asked_at": str(int(ASKED.timestamp())),
    }  # fmt: skip


@pytest.mark.parametrize("stamp", ["1772440200", 1772440200])
def test_trap_21_the_time_is_a_string_of_seconds(stamp):
    content = recorded("text")
    content["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = stamp
    assert told(content).pages["shop"].messages[0].sent_at == ASKED


@pytest.mark.parametrize("stamp", ["", "soon", "-1", "9" * 40, 1.5, None, [], "١٢٣"])
def test_a_time_that_is_none_is_left_out_and_the_message_is_open(stamp):
    content = recorded("text")
    content["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = stamp
    (message,) = told(content).pages["shop"].messages
    assert (message.sent_at, message.kind) == (None, Kind.MESSAGE)


@pytest.mark.parametrize(
    ("wamid", "body"),
    [
        ("01", "Where is my order 100123?"),
        ("02", "It came like this"),
        ("03", ""),
        ("05", "Invoice"),
        ("07", "Home\n1 Hacker Way\n37.483307, 122.148369"),
        ("08", "Jan Nowak +48 600 100 300"),
        ("09", "Yes, please"),
        ("10", "Priority\n1 to 2 days"),
        ("11", "Call me"),
        ("12", "Two of these\n2 x di9ozbzfi4"),
        ("13", ""),
        ("14", "\U0001f44d"),
        ("18", "Where is my order 100124?"),
        ("19", ""),
    ],
)
def test_each_type_is_shown_in_its_own_words(shown, wamid, body):
    assert shown[identity.message_id(f"wamid.{wamid}")].body == body


def test_files_are_named_and_not_fetched(shown):
    files = {one.id: (one.name, one.media_type) for m in shown.values() for one in m.attachments}
    assert files == {
        "1003383421387256": ("image", "image/jpeg"),
        "1908647269898587": ("audio", "audio/ogg; codecs=opus"),
        "1166846181421424": ("video", "video/mp4"),
        "1376223850470843": ("invoice.pdf", "application/pdf"),
        "798882015472548": ("sticker", "image/webp"),
    }


def test_what_asks_nothing_is_no_question_and_all_else_is(shown):
    quiet = {m.id for m in shown.values() if m.kind is Kind.SYSTEM}
    assert quiet == {identity.message_id(f"wamid.{n}") for n in ("14", "15", "16", "17", "18")}
    assert {m.party for m in shown.values()} == {Party.BUYER}
    assert {m.kind for m in shown.values() if m.id not in quiet} == {Kind.MESSAGE}


def test_an_unknown_type_is_open_and_counted():
    found = page("types")
    assert [one.source_id for one in found.set_aside] == [identity.message_id("wamid.19")]
    assert found.set_aside[0].reason.startswith("unknown")


def test_a_reaction_moves_no_window():
    (thread,) = page("types").threads
    asked = datetime.fromtimestamp(1772440218, UTC)  # the hologram, the last that asks
    assert thread.as_of == asked
    content = recorded("types")
    value = content["entry"][0]["changes"][0]["value"]
    value["messages"] = [value["messages"][13]]
    (quiet,) = told(content).pages["shop"].threads
    assert (quiet.as_of, "asked_at" in quiet.reply_to) == (window.FAINT, False)


def test_a_user_who_hides_the_number_stays_in_the_same_chat():
    with_number, without = page("types").threads[0], page("username").threads[0]
    assert with_number.id == without.id == CHAT
    assert with_number.reply_to["phone"] == "+48600100200"
    assert without.reply_to == {
        "kind": "whatsapp", "user": USER, "asked_at": "1772440300",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({"name": "Ana", "username": "ana.k"}, "Ana"),
        ({"username": "ana.k"}, "@ana.k"),
        ({}, "+48600100200"),
        (None, "+48600100200"),
    ],
)
def test_a_buyer_is_shown_by_the_best_name_that_is_told(profile, name):
    content = recorded("text")
    content["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"] = profile
    assert told(content).pages["shop"].threads[0].buyer == name


def test_an_echo_is_an_answer_given_in_the_app():
    found = page("echo")
    (message,), (thread,) = found.messages, found.threads
    assert (message.party, message.delivery, message.origin) == (
        Party.SELLER, Delivery.CONFIRMED, "elsewhere"
    )  # fmt: skip
    assert (message.to, message.thread) == ({Party.BUYER}, CHAT)
    assert thread.as_of == window.FAINT, "it gives way to what the buyer says of himself"


def test_an_echo_ends_the_window_and_our_own_clock():
    book = Book()
    book.keep(page("types"), NOW)
    book.keep(page("echo"), NOW)
    for policy in (*offer.policies(None), *offer.goals(None)):
        (clock,) = book.clocks(CHAT, [policy], ThreadKind.CHAT)
        assert (clock.ended, clock.stopped_by) == ("met", identity.message_id("wamid.21"))


def test_statuses_prove_a_reply_in_whatever_order_they_come():
    verdicts = page("statuses").verdicts
    sent = identity.message_id("wamid.30")
    assert {(v.message_id, v.id.rpartition("/")[2]) for v in verdicts} == {
        (sent, "delivered"), (sent, "read"),
        ("replyby.abc", "sent"), ("replyby.abc", "delivered"), ("replyby.abc", "read"),
    }  # fmt: skip
    assert {v.delivery for v in verdicts} == {Delivery.CONFIRMED}


def test_a_failure_refuses_the_message_it_names_and_is_explained_in_the_chat():
    found = page("failed")
    (verdict,), (line,) = found.verdicts, found.messages
    assert (verdict.delivery, verdict.message_id) == (
        Delivery.REFUSED, identity.message_id("wamid.30")
    )  # fmt: skip
    assert verdict.id == line.id
    assert (line.party, line.kind, line.thread) == (Party.MARKETPLACE, Kind.SYSTEM, CHAT)
    assert "only a template that Meta approved" in line.body
    assert "131047" in line.body


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, True),
        ({"biz_opaque_callback_data": "replyby.abc"}, True),
        ({"biz_opaque_callback_data": "campaign-7"}, False),
        ({"errors": [{"code": 131049}]}, False),
        ({"errors": [{"code": 132001}]}, False),
        ({"errors": [{"code": 132001}], "biz_opaque_callback_data": "replyby.abc"}, True),
        ({"errors": None}, True),
        ({"errors": ["odd"]}, True),
    ],
)
def test_what_others_send_from_the_number_is_none_of_ours_to_judge(change, refused):
    content = recorded("failed")
    content["entry"][0]["changes"][0]["value"]["statuses"][0] |= change
    found = told(content).pages.get("shop")
    assert bool(found and found.verdicts) is refused


def test_statuses_of_others_messages_leave_nothing_behind():
    content = recorded("statuses")
    for one in content["entry"][0]["changes"][0]["value"]["statuses"]:
        del one["biz_opaque_callback_data"]
    assert told(content).pages == {}


def test_one_push_may_concern_several_numbers_of_the_app():
    found = told(recorded("batch"))
    assert {account: len(page.messages) for account, page in found.pages.items()} == {
        "shop": 1, "other": 1,
    }  # fmt: skip
    assert len(found.pages["shop"].verdicts) == 2
    assert found.strange == 1
    assert found.topics == {"messages", "statuses", "more"}


def test_no_id_holds_a_number_or_a_name():
    for name in ("text", "types", "username", "echo", "failed", "batch"):
        for found in told(recorded(name)).pages.values():
            ids = [m.id + m.thread for m in found.messages] + [t.id for t in found.threads]
            ids += [one.source_id for one in found.set_aside] + [v.id for v in found.verdicts]
            for hidden in ("48600100200", "NDg2MDAxMDAyMDA", "Ana", USER, "wamid.H"):
                assert hidden not in "".join(ids)


def test_trap_21_the_window_starts_anew_with_each_message():
    book, (policy,) = Book(), offer.policies(None)
    content = recorded("text")
    book.keep(told(content).pages["shop"], NOW)
    again = deepcopy(content)
    message = again["entry"][0]["changes"][0]["value"]["messages"][0]
    message |= {"id": "wamid.2", "timestamp": str(1772440200 + 3600 * 20)}
    later = NOW + timedelta(hours=20)
    book.keep(told(again, now=later).pages["shop"], later)
    thread = told(content).pages["shop"].threads[0].id
    (clock,) = book.clocks(thread, [policy], ThreadKind.CHAT)
    assert clock.due_at == ASKED + timedelta(hours=44)


def test_a_window_that_lapsed_stays_lapsed_when_the_buyer_writes_again():
    book, (policy,) = Book(), offer.policies(None)
    content = recorded("text")
    book.keep(told(content).pages["shop"], NOW)
    message = content["entry"][0]["changes"][0]["value"]["messages"][0]
    message |= {"id": "wamid.2", "timestamp": str(1772440200 + 3600 * 30)}
    later = NOW + timedelta(hours=30)
    found = told(content, now=later).pages["shop"]
    book.keep(found, later)
    first, second = book.clocks(found.threads[0].id, [policy], ThreadKind.CHAT)
    assert (first.ended, first.due_at) == ("late", ASKED + timedelta(hours=24))
    assert (second.ended, second.due_at) == (None, ASKED + timedelta(hours=54))


def value_of(content):
    return content["entry"][0]["changes"][0]["value"]


@pytest.mark.parametrize("stamp", ["4102444800", "253402300799", "0", "946684799"])
def test_a_time_that_cannot_be_freezes_no_chat_and_no_window(stamp):
    """The state of such a message is of when it came: the next one's takes its place."""
    content = recorded("text")
    value_of(content)["messages"][0]["timestamp"] = stamp
    (thread,) = told(content).pages["shop"].threads
    assert (thread.as_of, window.ends_at(thread, offer.WINDOW)) == (
        NOW, NOW + timedelta(hours=24),
    )  # fmt: skip


def test_a_clock_of_metas_that_is_a_little_ahead_is_believed():
    content = recorded("text")
    soon = NOW + timedelta(minutes=59)
    value_of(content)["messages"][0]["timestamp"] = str(int(soon.timestamp()))
    assert told(content).pages["shop"].threads[0].as_of == soon


def test_one_person_is_one_chat_though_an_entry_leaves_out_the_id():
    """Coexistence: what is beside a message tells by which id and number one is known."""
    both = {"wa_id": "48600100200", "user_id": USER}
    threads = set()
    for name, listed, left_out in (
        ("text", "messages", ()), ("echo", "message_echoes", ("to_user_id",)),
        ("username", "messages", ()), ("failed", "statuses", ("recipient_user_id",)),
    ):  # fmt: skip
        content = recorded(name)
        value = value_of(content) | {"contacts": [both]}
        content["entry"][0]["changes"][0]["value"] = value
        for gone in left_out:
            value[listed][0].pop(gone, None)
        for thread in told(content).pages["shop"].threads:
            threads.add((thread.id, thread.reply_to.get("to"), thread.reply_to.get("user")))
    assert threads == {(CHAT, "48600100200", USER)}


@pytest.mark.parametrize("kind", ["edit", "reaction", "pin", "keep_in_chat"])
def test_what_meta_cannot_show_and_asks_nothing_starts_no_clock(kind):
    """An edit comes as ``unsupported`` for now: the message that it is of waits as it was sent."""
    content = recorded("text")
    message = value_of(content)["messages"][0]
    message |= {"type": "unsupported", "unsupported": {"type": kind}}
    (found,), (thread,) = told(content).pages["shop"].messages, told(content).pages["shop"].threads
    assert (found.kind, thread.as_of) == (Kind.SYSTEM, window.FAINT)


@pytest.mark.parametrize(
    "told_as", [{"type": "image"}, {"type": "poll_update"}, {}, {"type": 7}, None]
)
def test_all_else_that_meta_cannot_show_waits(told_as):
    content = recorded("text")
    value_of(content)["messages"][0] |= {"type": "unsupported", "unsupported": told_as}
    assert [m.kind for m in told(content).pages["shop"].messages] == [Kind.MESSAGE]


def test_a_changed_id_is_shown_though_nobody_is_named_as_its_writer():
    content = recorded("text")
    system = {"type": "user_changed_user_id", "user_id": USER, "body": "User Ana changed"}
    value = value_of(content)
    del value["contacts"]
    value["messages"] = [
        {"id": "wamid.9", "timestamp": "1772440200", "type": "system", "system": system}
    ]
    found = told(content).pages["shop"]
    assert [(m.kind, m.thread) for m in found.messages] == [(Kind.SYSTEM, CHAT)]
    assert found.set_aside == ()


def test_a_message_of_nobody_is_set_aside():
    content = recorded("text")
    for name in ("from", "from_user_id"):
        value_of(content)["messages"][0].pop(name, None)
    assert len(told(content).pages["shop"].set_aside) == 1


def test_a_change_that_does_not_say_of_which_number_is_set_aside():
    content = recorded("text")
    del content["entry"][0]["changes"][0]["value"]["metadata"]
    (aside,) = told(content).pages["shop"].set_aside
    assert aside.reason == "metadata: no number"


def test_a_chat_is_about_the_orders_that_were_named_last():
    body = json.dumps(recorded("types")).encode()
    patterns = {"shop": r"\border (\d{6})\b"}
    found = mapping.told(envelope.opened(body), HOMES, "shop", NOW, patterns)
    (thread,) = found.pages["shop"].threads
    assert thread.order_ids == ("100123",), "what was only edited asks nothing"
    assert page("types").threads[0].order_ids == ()


def test_templates_that_meta_approved_are_named():
    listed = Templates.model_validate(recorded("templates"))
    assert answering.instead(listed.data).endswith(": about_your_order (en_US), we_miss_you (pl)")
    same = {"name": "x" * 999}
    odd = Templates.model_validate({"data": [{"id": "1"}, same, {**same, "language": "pl" * 99}]})
    assert len(answering.instead(odd.data)) < 250


def test_a_group_is_a_chat_of_its_own():
    content = recorded("text")
    content["entry"][0]["changes"][0]["value"]["messages"][0]["group_id"] = "Y2FwaV9ncm91cDox"
    (thread,) = told(content).pages["shop"].threads
    assert thread.id.startswith("group:")
    assert thread.reply_to["group"] == "Y2FwaV9ncm91cDox"


def test_what_meta_says_of_the_number_becomes_numbers():
    number = Number.model_validate(recorded("number"))
    found = {one.name: one.value for one in standing.published(number, NOW)}
    assert found == {"quality": 2.0, "messaging_limit": 1000.0, "connected": 1.0}
    odd = Number(id="1", quality_rating="UNKNOWN", messaging_limit_tier="TIER_UNLIMITED")
    assert standing.published(odd, NOW) == ()
    for told_as in (None, {}, "x", [], {"phone_number": 7}):
        assert Number(id="1", webhook_configuration=told_as).pushed_to is None


def test_the_answer_to_a_reply_tells_its_id():
    assert Answered.model_validate(recorded("accepted")).messages[0].id == "wamid.50"
