"""Walks: what is asked, what is found, and what is never lost."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.webstore.chatwoot import reading
from connectors.webstore.chatwoot.payload import Conversations, Messages
from connectors.webstore.chatwoot.sandbox.chats import ACTIVITY, Contact
from core.errors import BadPayload, ConnectorError, Unreachable
from core.transport.http import Limits
from core.transport.salvage import Salvaged
from sla.clock import Delivery
from tests.connectors.webstore.chatwoot.recorded import told
from tests.connectors.webstore.conftest import NOON

IMPATIENT = Limits(attempts=1, patience=0.0)


def ago(**how):
    return NOON - timedelta(**how)


def asked(sandbox, operation="conversations"):
    return [one.query for one in sandbox.calls(operation)]


async def test_all_conversations_are_asked_for_whatever_their_status_and_assignee(
    sandbox, account, inbox, read
):
    for status in ("open", "resolved", "pending", "snoozed"):
        account.open_chat(status, at=ago(hours=1)).status = status

    found = await read()

    assert {m.body for m in found.messages.values()} == {"open", "resolved", "pending", "snoozed"}
    assert asked(sandbox) == [
        {"status": "all", "assignee_type": "all", "page": "1", "inbox_id": str(inbox.id)}
    ]


async def test_without_an_inbox_all_inboxes_are_read(account, inbox, opened, read):
    account.open_chat("one", at=ago(hours=1))
    account.open_chat("two", inbox=account.add_inbox(), at=ago(hours=1))

    found = await read(by=opened(inbox_id=None))

    assert {m.body for m in found.messages.values()} == {"one", "two"}


async def test_the_first_walk_goes_back_as_far_as_the_look_back(account, inbox, opened, read):
    account.open_chat("new", at=ago(days=4))
    account.open_chat("old", at=ago(days=6))

    found = await read(by=opened(look_back="5d"))

    assert [m.body for m in found.messages.values()] == ["new"]


async def test_a_long_silence_before_the_look_back_is_read_with_its_conversation(
    account, inbox, opened, read
):
    """Who waits since before the look-back, and wrote again, waits since then."""
    chat = account.open_chat("first", at=ago(days=9))
    chat.contact_writes("again", at=ago(days=1))

    found = await read(by=opened(look_back="5d"))

    assert [m.body for m in found.messages.values()] == ["first", "again"]


async def test_pages_are_read_until_all_have_come(sandbox, account, inbox, read):
    for number in range(60):
        account.open_chat(f"{number}", at=ago(minutes=60 + number))

    found = await read()

    assert len(found.messages) == 60
    assert [query["page"] for query in asked(sandbox)] == ["1", "2", "3"]
    assert [page.cursor is None for page in found.pages] == [True, True, False]


async def test_later_walks_end_where_nothing_is_new(sandbox, account, inbox, read, clock):
    for number in range(60):
        account.open_chat(f"{number}", at=ago(minutes=60 + number))
    cursor = (await read()).cursor
    sandbox.received.clear()
    clock.advance(minutes=1)
    chat = account.open_chat("newest")

    found = await read(cursor)

    assert [m.body for m in found.messages.values()] == ["newest"]
    assert [query["page"] for query in asked(sandbox)] == ["1"]
    assert [one.path.split("/")[6] for one in sandbox.calls("messages")] == [str(chat.id)]


async def test_messages_are_asked_for_only_where_something_is_new(sandbox, account, inbox, read):
    chats = [account.open_chat("Hello", at=ago(minutes=number)) for number in range(3)]
    cursor = (await read()).cursor
    sandbox.received.clear()
    chats[1].agent_writes("Good day")

    found = await read(cursor)

    assert len(sandbox.calls("messages")) == 1
    assert set(found.threads) == {str(chats[1].id)}


async def test_a_contact_who_is_named_later_is_known_by_that(account, inbox, read, clock):
    """A form asks for the address, or two contacts are merged: nothing moves in the list."""
    chat = account.open_chat("Hello?", at=ago(minutes=2))
    cursor = (await read()).cursor
    clock.advance(seconds=30)
    chat.becomes(Contact(99, "Ada Byron", "ada@mail.example", "+48600100200"))

    found = (await read(cursor)).threads[str(chat.id)]

    assert found.buyer == "Ada Byron"
    assert (found.reply_to["mail"], found.reply_to["phone"]) == ("ada@mail.example", "+48600100200")


async def test_an_answer_that_failed_is_found_though_it_is_not_the_last_message(
    account, inbox, read, clock
):
    chat = account.open_chat("Hello?", at=ago(minutes=3))
    answer = chat.agent_writes("Good day", at=ago(minutes=2))
    chat.contact_writes("And the invoice?", at=ago(minutes=1))
    cursor = (await read()).cursor
    clock.advance(seconds=30)
    chat.fail(answer)

    found = await read(cursor)

    assert found.messages[str(answer.id)].delivery is Delivery.REFUSED


async def test_only_what_is_new_of_a_long_conversation_is_asked_for(sandbox, account, inbox, read):
    chat = account.open_chat("0", at=ago(days=1))
    for number in range(1, 100):
        chat.contact_writes(f"{number}", at=ago(minutes=1000 - number))
    cursor = (await read()).cursor
    sandbox.received.clear()
    chat.contact_writes("new")

    found = await read(cursor)

    assert len(sandbox.calls("messages")) == 1
    assert "new" in {m.body for m in found.messages.values()}
    assert not found.threads[str(chat.id)].incomplete


async def test_a_conversation_that_slept_since_before_the_look_back_is_read_whole(
    sandbox, account, inbox, read, clock
):
    """The oldest message that nobody answered counts, and no walk has ever read it."""
    chat = account.open_chat("0", at=ago(days=40))
    for number in range(1, 50):
        chat.contact_writes(f"{number}", at=ago(days=40) + timedelta(minutes=number))
    cursor = (await read()).cursor
    for _ in range(3):
        cursor = (await read(cursor)).cursor
    clock.advance(minutes=20)
    chat.contact_writes("new")

    found = await read(cursor)

    assert {m.body for m in found.messages.values()} == {*map(str, range(50)), "new"}
    for words in ("newer", "newest"):
        clock.advance(minutes=20)
        sandbox.received.clear()
        chat.contact_writes(words)
        found = await read(found.cursor)
    assert len(sandbox.calls("messages")) == 1, "awake, what is new will do"


async def test_more_than_fit_one_answer_are_read_back_to_the_cursor(sandbox, account, inbox, read):
    chat = account.open_chat("0", at=ago(days=1))
    cursor = (await read()).cursor
    for number in range(1, 66):
        chat.contact_writes(f"{number}", at=NOON + timedelta(seconds=number))

    found = await read(cursor)

    assert {m.body for m in found.messages.values()} == {str(number) for number in range(66)}
    befores = [one.query.get("before") for one in sandbox.calls("messages")][1:]
    assert befores[0] is None
    assert sorted(map(int, befores[1:]), reverse=True) == [int(one) for one in befores[1:]]


async def test_a_conversation_of_which_not_all_is_read_says_so(
    account, inbox, read, chatwoot, clock, monkeypatch
):
    monkeypatch.setattr(reading, "MOST_BACK", 2)
    chat = account.open_chat("0", at=ago(days=1))
    for number in range(1, 60):
        chat.contact_writes(f"{number}", at=ago(minutes=100 - number))

    found = await read()

    assert found.threads[str(chat.id)].incomplete
    assert len(found.messages) == 40
    page = await chatwoot.look([str(chat.id)], clock.now)
    assert not page.threads[0].incomplete
    assert len(page.messages) == 60


async def test_what_failed_after_it_was_sent_is_found_without_any_activity(
    account, inbox, read, clock
):
    chat = account.open_chat("Hello", at=ago(minutes=2))
    answer = chat.agent_writes("Good day", at=ago(minutes=1))
    first = await read()
    assert first.messages[str(answer.id)].delivery is Delivery.CONFIRMED
    chat.fail(answer)

    found = await read(first.cursor)

    assert found.messages[str(answer.id)].delivery is Delivery.REFUSED


async def test_a_change_of_the_overlap_alone_is_read_once_more_and_then_no_more(
    sandbox, account, inbox, read
):
    account.open_chat("Hello", at=ago(minutes=2)).custom_attributes["order_id"] = "1001"
    cursor = (await read()).cursor
    account.chats[1].custom_attributes["order_id"] = "1002"

    again = await read(cursor)
    assert again.threads["1"].order_ids == ("1002",)
    third = await read(again.cursor)
    assert third.threads == {}


async def test_what_is_deleted_under_a_walk_hides_nobody(account, inbox, chatwoot, clock):
    for number in range(60):
        account.open_chat(f"{number}", at=ago(minutes=number + 1))
    bodies, position = set(), None
    while True:
        page = await chatwoot.fetch("conversations", None, position, clock.now)
        bodies |= {m.body for m in page.messages}
        if not page.more:
            break
        if position is None:
            for chat in list(account.chats)[:5]:
                account.forget(chat)
        position = page.position

    assert bodies == {str(number) for number in range(60)}


async def test_what_is_written_during_a_walk_is_found_by_the_next(
    account, inbox, chatwoot, clock, read
):
    chats = [account.open_chat(f"{n}", at=ago(minutes=n + 1)) for n in range(40)]
    first = await chatwoot.fetch("conversations", None, None, clock.now)
    chats[-1].contact_writes("meanwhile", at=NOON + timedelta(seconds=5))
    last = await chatwoot.fetch("conversations", None, first.position, clock.now)
    assert not last.more

    found = await read(last.cursor)

    assert "meanwhile" in {m.body for m in found.messages.values()}


async def test_a_server_that_is_ahead_of_us_moves_no_cursor_past_our_time(
    sandbox, account, inbox, read
):
    account.open_chat("Hello", at=NOON + timedelta(hours=2))

    cursor = json.loads((await read()).cursor)

    assert cursor["since"] == NOON.isoformat()


class Odd:
    """An API whose conversations, but the first, do not say when they were active."""

    async def conversations(self, page):
        listed = told("conversations")
        for one in listed["data"]["payload"][1:]:
            one |= {"last_activity_at": None, "timestamp": "soon"}
        return Salvaged(Conversations.model_validate(listed))

    async def messages(self, conversation, **edge):
        return Salvaged(Messages.model_validate(told("messages") if conversation == "42" else
                                                {"payload": []}))  # fmt: skip


async def test_a_conversation_whose_activity_cannot_be_read_is_read_and_moves_no_cursor(optioned):
    now = NOON + timedelta(hours=1)

    page = await reading.Reading(Odd(), optioned()).fetch(None, None, now)

    assert {t.id for t in page.threads} == {"42", "41"}
    cursor = json.loads(page.cursor)
    assert cursor["since"] == (NOON + timedelta(seconds=5)).isoformat()
    assert set(cursor["seen"]) == {"42", "41"}


async def test_an_empty_inbox_keeps_its_look_back(inbox, read, account):
    cursor = (await read()).cursor
    account.open_chat("Hello", at=ago(days=29))

    assert len((await read(cursor)).messages) == 1


async def test_a_cursor_names_nobody_and_keeps_only_what_the_overlap_shows_again(
    account, inbox, read
):
    account.open_chat("old", at=ago(hours=1))
    account.open_chat("new", at=ago(minutes=1))

    cursor = json.loads((await read()).cursor)

    assert list(cursor["seen"]) == ["2"]
    assert "Ada" not in json.dumps(cursor)


async def test_a_flood_of_conversations_keeps_a_cursor_small(account, inbox, read, monkeypatch):
    monkeypatch.setattr(reading, "MOST_SEEN", 3)
    for number in range(9):
        account.open_chat("Hello", at=ago(seconds=9 - number))

    cursor = json.loads((await read()).cursor)

    assert sorted(cursor["seen"]) == ["7", "8", "9"]


async def test_one_conversation_that_cannot_be_read_costs_no_other(sandbox, account, inbox, opened):
    bad, good = account.open_chat("bad", at=ago(minutes=2)), account.open_chat("good")
    path = f"*/conversations/{bad.id}/messages"
    sandbox.faults.order("status", path=path, status=500)
    connector = opened(limits=IMPATIENT)

    page = await connector.fetch("conversations", None, None, NOON)

    assert {m.body for m in page.messages} == {"bad", "good"}, "its last one came with the list"
    assert {t.id: t.incomplete for t in page.threads} == {str(bad.id): True, str(good.id): False}
    assert list(json.loads(page.cursor)["seen"]) == [str(good.id)]
    sandbox.faults.lift()
    again = await connector.fetch("conversations", page.cursor, None, NOON)
    assert {t.id: t.incomplete for t in again.threads} == {str(bad.id): False}


async def test_a_listed_conversation_that_is_not_found_is_looked_at_again(
    sandbox, account, inbox, chatwoot
):
    """It was deleted just now, or a server had a bad moment: who has written waits all the same."""
    chat = account.open_chat("Hello", at=ago(days=3))
    sandbox.faults.order("status", path=f"*/{chat.id}/messages", status=404)

    page = await chatwoot.fetch("conversations", None, None, NOON)

    assert [m.body for m in page.messages] == ["Hello"]
    assert page.threads[0].incomplete
    assert page.set_aside == ()


async def test_an_answer_of_one_conversation_that_is_none_is_set_aside(
    sandbox, account, inbox, chatwoot
):
    chat = account.open_chat("Hello")
    sandbox.faults.order("missing", path=f"*/{chat.id}/messages", field="payload")

    page = await chatwoot.fetch("conversations", None, None, NOON)

    assert [m.body for m in page.messages] == ["Hello"]
    assert page.threads[0].incomplete
    assert [one.source_id for one in page.set_aside] == [str(chat.id)]


async def test_a_line_that_is_cut_in_the_middle_costs_the_walk(sandbox, account, inbox, opened):
    account.open_chat("Hello")
    sandbox.faults.order("drop", operation="messages")

    with pytest.raises(Unreachable):
        await opened(limits=IMPATIENT).fetch("conversations", None, None, NOON)


async def test_a_walk_that_does_not_end_is_an_error(account, inbox, chatwoot, monkeypatch):
    monkeypatch.setattr(reading, "MOST_PAGES", 2)
    for number in range(60):
        account.open_chat(f"{number}", at=ago(minutes=number))
    first = await chatwoot.fetch("conversations", None, None, NOON)

    with pytest.raises(BadPayload, match="does not end"):
        await chatwoot.fetch("conversations", None, first.position, NOON)


async def test_a_look_reads_whole_and_nothing_of_other_inboxes(
    sandbox, account, inbox, chatwoot, clock
):
    chat = account.open_chat("0", at=ago(days=60))
    for number in range(1, 230):
        chat.contact_writes(f"{number}", at=ago(days=59, minutes=-number))
    other = account.open_chat("of another inbox", inbox=account.add_inbox())

    page = await chatwoot.look([str(chat.id), str(other.id), "999", "Ada", "٣"], clock.now)

    assert [t.id for t in page.threads] == [str(chat.id)]
    assert len(page.messages) == 230
    assert [one.query for one in sandbox.calls("messages")] == [
        {"after": after} for after in ("0", str(chat.messages[99].id), str(chat.messages[199].id))
    ]


async def test_a_look_at_an_endless_conversation_says_that_more_is_there(
    account, inbox, chatwoot, clock, monkeypatch
):
    monkeypatch.setattr(reading, "MOST_AHEAD", 1)
    chat = account.open_chat("0", at=ago(days=60))
    for number in range(150):
        chat.add(ACTIVITY, f"{number}", None, at=ago(days=59))

    page = await chatwoot.look([str(chat.id)], clock.now)

    assert page.threads[0].incomplete


async def test_a_stream_that_is_not_there_is_a_bug(chatwoot, clock):
    with pytest.raises(ValueError, match="webhooks"):
        await chatwoot.fetch("webhooks", None, None, clock.now)


@pytest.mark.parametrize("wrong", [{"inbox_id": 99}, {"account_id": 99}, {"api_token": "dead"}])
async def test_a_check_says_what_is_wrong(opened, wrong, sandbox):
    with pytest.raises(ConnectorError) as caught:
        await opened(**wrong).check()

    expected = "BadPayload" if "inbox_id" in wrong else "BadCredentials"
    assert type(caught.value).__name__ == expected
    assert "dead" not in str(caught.value)


async def test_a_check_of_a_wrong_address_gives_a_hint(opened, sandbox):
    with pytest.raises(BadPayload, match="base_url, account_id and inbox_id"):
        await opened(base_url=f"{sandbox.url}/elsewhere").check()
