"""What an item becomes: whose word it is, when it was said, and what is not known."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from connectors.webstore.generic import mapping
from connectors.webstore.generic.options import GenericOptions
from core.errors import BadPayload
from sla.clock import Delivery, Kind
from sla.policy import Party, ThreadKind
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.generic.shapes import FLAT, NUMBERED, WHOLE, changed

ITEM = {
    "uuid": 41,
    "conversation": {
        "number": 7, "topic": "  Lamp\n broken", "orders": [{"reference": "A-1"}, {"reference": 2}],
        "state": "open",
    },
    "author": {
        "type": "customer", "name": "Ada Sample", "email": "ADA@buyers.example",
        "phone": "+44 (1234) 567-890",
    },
    "content": {"text": "It flickers.", "files": [{"name": "lamp.jpg"}, {"size": 3}]},
    "created": 1795176000000,
    "changed": 1795176060000,
}  # fmt: skip


def item(**more):
    found = deepcopy(ITEM)
    for path, value in more.items():
        *way, last = path.split("__")
        inner = found
        for part in way:
            inner = inner[part]
        inner[last] = value
    return found


def page(*items, shape=FLAT):
    options = GenericOptions(**shape)
    made = mapping.translated(items, options.mapping)
    return mapping.page(made, options, NOON + timedelta(hours=1))


def test_an_item_becomes_what_the_table_says():
    found = page(ITEM)
    (message,), (thread,) = found.messages, found.threads

    assert (message.id, message.thread, message.party) == ("41", "7", Party.BUYER)
    assert (message.sent_at, message.body, message.order_id) == (NOON, "It flickers.", "A-1")
    assert [(one.id, one.name) for one in message.attachments] == [("1", "lamp.jpg")]
    assert (thread.kind, thread.subject, thread.buyer) == (
        ThreadKind.MESSAGE, "Lamp broken", "Ada Sample")  # fmt: skip
    assert thread.order_ids == ("A-1", "2")
    assert thread.as_of == NOON + timedelta(minutes=1)
    assert thread.closed_at is None
    assert thread.reply_to == {
        "kind": "generic", "way": "api", "mail": "ada@buyers.example", "phone": "+441234567890",
    }  # fmt: skip
    assert found.set_aside == ()


@pytest.mark.parametrize(
    ("word", "party", "kind", "to"),
    [
        ("customer", Party.BUYER, Kind.MESSAGE, set()),
        ("agent", Party.SELLER, Kind.MESSAGE, {Party.BUYER}),
        ("bot", Party.SELLER, Kind.AUTOMATIC, {Party.BUYER}),
        ("note", Party.SELLER, Kind.INTERNAL, set()),
        ("event", Party.MARKETPLACE, Kind.SYSTEM, set()),
    ],
)
def test_only_a_buyer_starts_a_clock_and_only_the_seller_ends_one(word, party, kind, to):
    (message,) = page(item(author__type=word)).messages

    assert (message.party, message.kind, message.to) == (party, kind, frozenset(to))
    assert message.delivery == (Delivery.CONFIRMED if party is Party.SELLER else None)


@pytest.mark.parametrize("word", ["supplier", "", None, 7, True, [], {}, "CUSTOMER", "\ud800"])
def test_a_word_that_the_table_lacks_is_open_and_looked_at(word):
    found = page(item(author__type=word))

    assert [(m.party, m.kind) for m in found.messages] == [(Party.BUYER, Kind.MESSAGE)]
    assert [(one.source_id, one.reason) for one in found.set_aside] == [
        ("41", "mapping.party: a word that parties lacks")
    ]


@pytest.mark.parametrize(
    ("told", "word"), [(True, "true"), (False, "false"), (None, "null"), (0, "0"), ("x", "x")]
)
def test_yes_no_numbers_and_nothing_are_words_too(told, word):
    shape = changed(FLAT, mapping={"parties": {word: "seller", "someone": "buyer"}})

    assert [m.party for m in page(item(author__type=told), shape=shape).messages] == [Party.SELLER]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("uuid", None), ("uuid", ""), ("uuid", 1.5), ("uuid", True), ("uuid", []),
        ("uuid", "x" * 1001), ("uuid", "a\0b"), ("uuid", "\ud800"),
        ("conversation__number", None), ("conversation__number", {}), ("conversation", None),
        ("conversation", 3),
    ],
)  # fmt: skip
def test_an_item_that_cannot_be_kept_is_set_aside_and_its_neighbours_are_read(key, value):
    found = page(item(**{key: value}), item(uuid=42), "no item", None, 5, [])

    assert [m.id for m in found.messages] == ["42"]
    assert len(found.set_aside) == 5
    assert all(one.source_id and one.raw and "Ada" not in one.reason for one in found.set_aside)


@pytest.mark.parametrize("value", [None, "soon", 10**30, -5e300, True, {}])
def test_a_message_without_an_instant_is_open_and_looked_at(value):
    found = page(item(created=value))

    assert [m.sent_at for m in found.messages] == [None]
    assert [one.reason for one in found.set_aside] == ["mapping.sent_at: no instant"]


def test_trap_23_a_time_without_an_offset_is_refused_and_says_what_lacks():
    row = {"id": 1, "topic": 2, "from": 0, "text": "Hello", "at": "2026-11-20T13:00:00"}
    found = page(row, shape=NUMBERED)

    assert [m.sent_at for m in found.messages] == [None]
    assert [one.reason for one in found.set_aside] == [
        "mapping.sent_at: a time without an offset; write zone"
    ]
    zoned = changed(NUMBERED, mapping={"zone": "Europe/Berlin"})
    assert [m.sent_at for m in page(row, shape=zoned).messages] == [NOON]


def test_trap_23_a_wall_clock_is_read_in_its_zone():
    post = {"post_id": 3, "mine": False, "body": "Hi", "at": "20.11.2026 13:00:00"}
    found = page({"id": 1, "posts": [post]}, shape=WHOLE)

    assert [m.sent_at for m in found.messages] == [datetime(2026, 11, 20, 12, tzinfo=UTC)]


def test_a_conversation_is_unfolded_and_one_without_messages_is_set_aside():
    post = {"post_id": 3, "mine": False, "body": "Hi", "at": "20.11.2026 13:00:00"}
    answer = {"post_id": 4, "mine": True, "body": "Ho", "at": "20.11.2026 13:05:00"}
    whole = {"id": 1, "title": "T", "customer": {"name": "Ada"}, "posts": [post, answer, {"x": 1}]}
    found = page(whole, {"id": 2}, {"id": 3, "posts": []}, shape=WHOLE)

    assert [(m.id, m.thread) for m in found.messages] == [("3", "1"), ("4", "1")]
    assert [(t.id, t.subject, t.buyer) for t in found.threads] == [("1", "T", "Ada")]
    assert [one.reason for one in found.set_aside] == [
        "mapping.id: no id", "mapping.messages: no list",
    ]  # fmt: skip


def test_who_the_buyer_is_only_the_buyers_own_items_say():
    theirs = item()
    ours = item(uuid=42, created=1795176600000, author__type="agent", author__name="Bo",
                author__email="bo@lamps.example")  # fmt: skip
    both, alone = page(theirs, ours), page(ours)

    assert [(t.buyer, t.reply_to["mail"]) for t in both.threads] == [
        ("Ada Sample", "ada@buyers.example")
    ]
    assert [t.buyer for t in alone.threads] == [""]
    assert "mail" not in alone.threads[0].reply_to
    assert alone.threads[0].as_of < both.threads[0].as_of == NOON + timedelta(minutes=10)
    assert alone.threads[0].as_of == mapping.UNDATED


def test_the_newest_item_tells_the_state_in_whatever_order_they_come():
    first = item(conversation__topic="Old")
    last = item(uuid=43, created=1795179000000, conversation__state="done")
    for order in ([first, last], [last, first]):
        (thread,) = page(*order).threads
        assert thread.subject == "Lamp broken"
        assert thread.closed_at == thread.as_of == NOON + timedelta(minutes=50)


def test_a_stamp_that_lies_ahead_dates_no_state():
    ahead = item(uuid=44, created=1895176000000, changed=None)

    assert page(ahead).threads[0].as_of == mapping.UNDATED
    assert page(ahead, ITEM).threads[0].as_of == NOON + timedelta(minutes=1)


def test_a_store_without_threads_has_one_for_each_message():
    shape = changed(FLAT, mapping={"thread": None})

    assert [t.id for t in page(ITEM, shape=shape).threads] == ["41"]


def test_what_an_expression_can_a_mapping_can():
    shape = changed(FLAT, mapping={
        "id": "join('-', [to_string(conversation.number), to_string(uuid)])",
        "party": "'customer'",
        "buyer": "join(' ', [author.first, author.last])",
        "subject": "conversation.title || conversation.topic",
    })  # fmt: skip
    found = page(item(author__first="A", author__last="B", author__type="?"), shape=shape)

    assert [(m.id, m.party) for m in found.messages] == [("7-41", Party.BUYER)]
    assert [(t.buyer, t.subject) for t in found.threads] == [("A B", "Lamp broken")]


@pytest.mark.parametrize(
    ("is_note", "kind"),
    [(True, Kind.INTERNAL), (False, Kind.MESSAGE), (None, Kind.MESSAGE), (0, Kind.INTERNAL)],
)
def test_a_note_may_be_told_by_a_field_of_its_own(is_note, kind):
    """A number is always something to JMESPath: then it is compared."""
    ours = item(author__type="agent", is_note=is_note)
    plain = changed(FLAT, mapping={"party": "is_note && 'note' || author.type"})
    compared = changed(FLAT, mapping={"party": "is_note == `1` && 'note' || author.type"})

    assert [(m.party, m.kind) for m in page(ours, shape=plain).messages] == [(Party.SELLER, kind)]
    assert [m.kind for m in page(item(author__type="agent", is_note=1), shape=compared).messages
            + page(item(author__type="agent", is_note=0), shape=compared).messages] == [
        Kind.INTERNAL, Kind.MESSAGE,
    ]  # fmt: skip


def test_where_an_expression_comes_to_nothing_there_is_nothing():
    shape = changed(FLAT, mapping={"buyer": "abs(author.name)", "mail": "sort(author)"})
    found = page(ITEM, shape=shape)

    assert [t.buyer for t in found.threads] == [""]
    assert found.set_aside == ()


@pytest.mark.parametrize("document", [{}, {"data": {}}, {"data": {"items": {}}}, [], None, "x", 5])
def test_an_error_that_comes_as_a_good_answer_is_no_empty_list(document):
    with pytest.raises(BadPayload, match=r"poll\.items"):
        mapping.listed(document, "data.items")


def test_a_push_may_hold_one_item_or_several():
    assert mapping.pushed({"payload": ITEM}, "payload") == [ITEM]
    assert mapping.pushed({"payload": [ITEM]}, "payload") == [ITEM]
    for document in ({"payload": None}, {"payload": "x"}, [], 3):
        with pytest.raises(BadPayload, match=r"webhook\.items"):
            mapping.pushed(document, "payload")


def test_numbers_of_any_length_and_nests_of_any_depth_are_survived():
    deep = json.loads("[" * 900 + "]" * 900)
    for odd in (deep, 10**4000, float("inf"), float("nan"), "\x00", "\ud800"):
        found = page(item(content__text=odd, author__name=odd, conversation__orders=odd), ITEM)
        assert {m.id for m in found.messages} == {"41"}


@pytest.mark.parametrize(
    ("told", "language"), [("de_AT", "de-AT"), ("Deutsch", None), (None, None), (7, None)]
)
def test_a_buyer_writes_in_the_language_that_the_store_tells(told, language):
    shape = changed(FLAT, mapping={"language": "author.locale"})
    theirs, ours = item(author__locale=told), item(uuid=42, author__locale=told)
    ours["author"]["type"] = "agent"

    found = page(theirs, ours, shape=shape).messages

    assert [(one.party, one.language) for one in found] == [
        (Party.BUYER, language), (Party.SELLER, None),
    ]  # fmt: skip
