"""What Chatwoot's words mean for a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore.chatwoot import mapping, offer
from connectors.webstore.chatwoot.mapping import Read
from connectors.webstore.chatwoot.options import ChatwootOptions
from connectors.webstore.chatwoot.payload import Conversation, Conversations, Messages
from core.model import Attachment
from sla.clock import Delivery, Kind, clocks
from sla.policy import Party, ThreadKind
from tests.connectors.books import turn
from tests.connectors.webstore.chatwoot.recorded import told

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
BUYER = frozenset({Party.BUYER})
OPTIONS = ChatwootOptions(
    kind="chatwoot", base_url="https://chat.shop.example/", account_id=1, api_token="t"
)


def conversation(**changes):
    return {**told("conversation"), **changes}


def entry(**changes):
    given = {"id": 1, "content": "Hello", "message_type": 1, "created_at": 1795176005}
    return {**given, "private": False, "sender": {"type": "user"}, **changes}


def mapped(*entries, options=OPTIONS, **changes):
    read = Read(
        Conversation.model_validate(conversation(**changes)),
        tuple(Messages.model_validate({"payload": list(entries)}).payload),
    )
    return mapping.page([read], options, NOW)


def message(**changes):
    (found,) = mapped(entry(**changes)).messages
    return found


def thread(**changes):
    (found,) = mapped(**changes).threads
    return found


def test_an_order_is_known_by_what_the_contact_says_where_no_attribute_names_it():
    pattern = OPTIONS.model_copy(update={"order_pattern": r"\b10\d{4}\b"})
    asked = entry(message_type=0, content="It is about 100123", sender={"type": "contact"})
    told = entry(id=2, content="Not about 100999?")

    plain = mapped(asked, told, options=pattern, custom_attributes={})
    named = mapped(asked, told, options=pattern, custom_attributes={"order_id": "A-7"})

    assert plain.threads[0].order_ids == ("100123",)
    assert [one.order_id for one in plain.messages] == ["100123", None]
    assert named.threads[0].order_ids == ("A-7",)
    assert [one.order_id for one in named.messages] == ["A-7", "A-7"]
    assert mapped(asked, custom_attributes={}).threads[0].order_ids == ()


def test_a_recorded_conversation_is_read():
    listed = Conversations.model_validate(told("conversations")).data.payload
    read = Messages.model_validate(told("messages")).payload
    page = mapping.page([Read(listed[0], tuple(read))], OPTIONS, NOW)

    (one,) = page.threads
    assert (one.id, one.kind, one.buyer) == ("42", ThreadKind.CHAT, "Ada Sample")
    assert one.order_ids == ("1001", "1002")
    assert one.url == "https://chat.shop.example/app/accounts/1/conversations/42"
    assert one.reply_to == {
        "kind": "chatwoot", "mail": "ada@buyers.example", "phone": "+48600100200",
    }  # fmt: skip
    assert one.as_of == datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)
    assert one.closed_at is None
    assert page.set_aside == ()
    assert [(m.id, m.party, m.kind, m.to) for m in page.messages] == [
        ("900", Party.BUYER, Kind.MESSAGE, frozenset()),
        ("901", Party.SELLER, Kind.AUTOMATIC, BUYER),
        ("902", Party.SELLER, Kind.AUTOMATIC, BUYER),
        ("903", Party.MARKETPLACE, Kind.SYSTEM, frozenset()),
        ("904", Party.SELLER, Kind.INTERNAL, frozenset()),
        ("905", Party.SELLER, Kind.MESSAGE, BUYER),
    ]
    assert page.messages[0].attachments == (
        Attachment(id="77", name="my parcel.png", size=2048, media_type="image/png"),
    )
    assert page.messages[0].order_id == "1001"


def test_trap_5_neither_a_note_nor_a_bot_nor_a_status_stops_the_clock():
    """Recorded: greeting, bot, assignment and note come before the answer, five minutes later."""
    read = Messages.model_validate(told("messages")).payload
    one = Read(Conversation.model_validate(told("conversation")), tuple(read))
    turns = [turn(m, NOW) for m in mapping.page([one], OPTIONS, NOW).messages]

    (clock,) = clocks(turns, offer.goals(OPTIONS), kind=ThreadKind.CHAT)

    assert (clock.started_by, clock.stopped_by) == ("900", "905")
    assert clock.due_at - clock.started_at == timedelta(minutes=5)
    assert clock.stopped_at - clock.started_at == timedelta(seconds=304)
    assert clock.ended == "late"


def test_a_resolved_conversation_is_closed_and_its_status_answers_nobody():
    resolved = mapped(entry(message_type=0), status="resolved")
    turns = [turn(m, NOW) for m in resolved.messages]

    (clock,) = clocks(turns, offer.goals(OPTIONS), kind=ThreadKind.CHAT)

    assert resolved.threads[0].closed_at == resolved.threads[0].as_of
    assert clock.ended is None


@pytest.mark.parametrize(
    ("changes", "turned"),
    [
        ({"message_type": 0}, (Party.BUYER, Kind.MESSAGE)),
        ({"message_type": "incoming", "sender": {"name": "Ada"}}, (Party.BUYER, Kind.MESSAGE)),
        ({"message_type": "outgoing"}, (Party.SELLER, Kind.MESSAGE)),
        ({"message_type": "template", "sender": None}, (Party.SELLER, Kind.AUTOMATIC)),
        ({"message_type": "activity", "sender": None}, (Party.MARKETPLACE, Kind.SYSTEM)),
        ({"sender": None, "sender_type": "User"}, (Party.SELLER, Kind.MESSAGE)),
        ({"sender": None, "sender_type": "AgentBot"}, (Party.SELLER, Kind.AUTOMATIC)),
        ({"sender_type": "Captain::Assistant"}, (Party.SELLER, Kind.AUTOMATIC)),
        ({"sender": {"type": "captain_assistant"}}, (Party.SELLER, Kind.AUTOMATIC)),
        ({"sender": {"type": "agent_bot"}}, (Party.SELLER, Kind.AUTOMATIC)),
        ({"content_attributes": {"automation_rule_id": 3}}, (Party.SELLER, Kind.AUTOMATIC)),
        ({"additional_attributes": {"campaign_id": 3}}, (Party.SELLER, Kind.AUTOMATIC)),
        ({"private": True}, (Party.SELLER, Kind.INTERNAL)),
        ({"sender": None, "content_attributes": {"external_echo": True}},
         (Party.SELLER, Kind.MESSAGE)),
        ({"content_type": "voice_call"}, (Party.MARKETPLACE, Kind.SYSTEM)),
        ({"content_type": "voice_call", "message_type": 0}, (Party.BUYER, Kind.MESSAGE)),
        ({"message_type": 0, "content_attributes": {"email": {"auto_reply": True}}},
         (Party.BUYER, Kind.AUTOMATIC)),
    ],
)  # fmt: skip
def test_who_says_what(changes, turned):
    page = mapped(entry(**changes))

    assert [(m.party, m.kind) for m in page.messages] == [turned]
    assert page.set_aside == ()


def test_trap_18_a_visitors_automatic_reply_starts_no_clock():
    """An inbox of mail says which letters a machine wrote."""
    attributes = {"email": {"auto_reply": True, "subject": "Out of office"}}
    found = message(message_type=0, content_attributes=attributes)

    assert found.subject == "Out of office"
    assert clocks([turn(found, NOW)], offer.goals(OPTIONS), kind=ThreadKind.CHAT) == []


def test_an_answer_of_an_unknown_sender_ends_nothing_and_is_told():
    page = mapped(entry(sender={"type": "hologram"}))

    assert page.messages[0].kind is Kind.AUTOMATIC
    assert [one.reason for one in page.set_aside] == ["messages.sender: unknown"]


def test_an_unknown_type_is_the_buyers_where_the_buyer_sent_it():
    page = mapped(entry(message_type=9, sender={"type": "contact"}))

    assert [(m.party, m.kind) for m in page.messages] == [(Party.BUYER, Kind.MESSAGE)]
    assert [one.reason for one in page.set_aside] == ["messages.message_type: unknown"]


@pytest.mark.parametrize("odd", [9, None, "holographic", True, 1.5])
def test_any_other_unknown_type_is_set_aside_alone(odd):
    page = mapped(entry(message_type=odd))

    assert page.messages == ()
    assert [one.source_id for one in page.set_aside] == ["1"]


@pytest.mark.parametrize(
    ("status", "delivery"),
    [("sent", "confirmed"), ("delivered", "confirmed"), ("read", "confirmed"),
     (None, "confirmed"), ("failed", "refused"), ("of tomorrow", "confirmed")],
)  # fmt: skip
def test_what_its_channel_could_not_deliver_was_refused(status, delivery):
    assert message(status=status).delivery is Delivery(delivery)
    assert message(status=status, message_type=0).delivery is None


@pytest.mark.parametrize(
    "told",
    [1795176005, 1795176005.9, "2026-11-20T12:00:05.345Z", "2026-11-20T14:00:05+02:00",
     "2026-11-20 12:00:05 UTC"],
)  # fmt: skip
def test_numbers_and_dates_are_the_same_second(told):
    assert message(created_at=told).sent_at == datetime(2026, 11, 20, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize("told", [None, "soon", True, -1, 0, 10**20, float("nan"), [], "1 UTC"])
def test_what_is_no_date_is_open_and_told(told):
    page = mapped(entry(created_at=told, message_type=0))

    assert page.messages[0].sent_at is None
    assert [one.reason for one in page.set_aside] == ["messages.created_at: no date"]


def test_a_stamp_of_tomorrow_freezes_nothing():
    assert thread(updated_at=1795276005, last_activity_at=1795176005).as_of == datetime(
        2026, 11, 20, 12, 0, 5, tzinfo=UTC
    )
    dateless = dict.fromkeys(("updated_at", "last_activity_at", "timestamp", "created_at"))
    assert thread(**dateless).as_of == NOW


@pytest.mark.parametrize(
    ("told", "ids"),
    [("1001", ("1001",)), (1001, ("1001",)), ("1001, 1002,,1001", ("1001", "1002")), (None, ()),
     (True, ()), ({"id": 1}, ()), ("x" * 1001, ()), ("a\0b", ("ab",))],
)  # fmt: skip
def test_orders_are_those_of_the_custom_attribute(told, ids):
    assert thread(custom_attributes={"order_id": told}).order_ids == ids


def test_the_custom_attribute_has_the_name_of_the_settings():
    options = OPTIONS.model_copy(update={"order_attribute": "bestellung"})
    (one,) = mapped(options=options, custom_attributes={"bestellung": "7"}).threads

    assert one.order_ids == ("7",)


def test_a_conversation_that_takes_no_answer_says_so():
    assert thread(can_reply=False).reply_to["can_reply"] == "no"
    assert "can_reply" not in thread(can_reply=True).reply_to


@pytest.mark.parametrize(
    ("sender", "buyer", "keys"),
    [
        ({"name": "Ada", "email": "A@B.example"}, "Ada", {"mail": "a@b.example"}),
        ({"name": "", "email": "a@b.example"}, "a@b.example", {"mail": "a@b.example"}),
        ({"phone_number": "+48600100200"}, "+48600100200", {"phone": "+48600100200"}),
        ({"name": "Ada", "email": "none", "phone_number": "0600"}, "Ada", {}),
        (None, "", {}),
    ],
)
def test_by_what_a_buyer_is_known_elsewhere(sender, buyer, keys):
    one = thread(meta={"sender": sender})

    assert one.buyer == buyer
    assert one.reply_to == {"kind": "chatwoot", **keys}


def test_a_letters_subject_is_the_threads():
    assert thread(additional_attributes={"mail_subject": "Return"}).subject == "Return"
    assert thread(additional_attributes={"mail_subject": 5}).subject is None


@pytest.mark.parametrize(
    ("file", "name", "type_"),
    [
        ({"data_url": "https://x.example/a/b.pdf?x=1"}, "b.pdf", "application/pdf"),
        ({"file_type": "location", "fallback_title": "Our depot"}, "Our depot", None),
        ({"file_type": "file", "data_url": "http://[bad"}, "file", None),
        ({}, "", None),
    ],
)
def test_files_have_names_and_types(file, name, type_):
    found = message(attachments=[{"id": 5, **file}]).attachments

    assert [(one.name, one.media_type) for one in found] == [(name, type_)]


def test_what_a_cursor_keeps_of_a_conversation_changes_with_what_is_new_and_names_nobody():
    one = Conversation.model_validate(told("conversations")["data"]["payload"][0])
    changes = (
        {"last_activity_at": 1795176006}, {"status": "resolved"}, {"can_reply": False},
        {"updated_at": 1795176006.25},
        {"custom_attributes": {"order_id": "2"}},
        {"messages": [one.messages[0].model_copy(update={"status": "failed"})]},
    )  # fmt: skip
    marks = {mapping.mark(one.model_copy(update=change)) for change in ({}, *changes)}

    assert len(marks) == 7
    assert mapping.mark(one) == mapping.mark(one.model_copy(update={"meta": None}))
    assert all(len(each) == 16 for each in marks)


@pytest.mark.parametrize(
    ("attributes", "language"),
    [
        ({"browser_language": "de"}, "de"),
        ({"browser_language": "de", "conversation_language": "pt_BR"}, "pt-BR"),
        ({"browser_language": "de", "conversation_language": ""}, "de"),
        ({"browser_language": {"code": "de"}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_buyer_writes_in_the_language_of_the_conversation(attributes, language):
    asked = entry(message_type=0, sender={"type": "contact"})
    found = mapped(asked, entry(id=2), additional_attributes=attributes).messages

    assert [(one.party, one.language) for one in found] == [
        (Party.BUYER, language), (Party.SELLER, None),
    ]  # fmt: skip
