"""Walks and looks through eBay's stand-in: what is asked, and what comes of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.ebay.messages import reading, walking
from connectors.ebay.messages.mapping import TYPE
from core.errors import BadCredentials, BadPayload, RateLimited, Unreachable
from core.model import Thread
from core.transport.http import Limits
from sla.clock import Kind
from sla.policy import Party

LIST, DETAIL = "getConversations", "getConversation"


def asked(sandbox, operation):
    return [one.query for one in sandbox.calls(operation)]


def write(seller, buyer, count, *, at=None):
    return [seller.asked(buyer, f"Question {n}", at=at) for n in range(count)]


async def test_a_walk_asks_as_ebay_wants_it(messages, sandbox, seller, buyer, clock, walk):
    """Trap 27: limit 50, an offset that is a multiple of it, the type on every call."""
    write(seller, buyer, 101)
    found = await walk(messages.fetch)

    lists, details = asked(sandbox, LIST), asked(sandbox, DETAIL)
    assert [one["offset"] for one in lists] == ["0", "50", "100"]
    assert {one["limit"] for one in (*lists, *details)} == {"50"}
    assert {one["conversation_type"] for one in (*lists, *details)} == {"FROM_MEMBERS"}
    known = {"limit", "offset", "conversation_type", "start_time"}
    assert {name for one in (*lists, *details) for name in one} == known
    assert len(found.messages) == 101


async def test_the_first_walk_asks_for_the_look_back(opened, sandbox, clock, walk):
    await walk(opened(look_back="2d").fetch)

    assert asked(sandbox, LIST)[0]["start_time"] == "2026-02-28T12:00:00.000Z"


async def test_a_large_mailbox_is_always_asked_for_a_window(
    messages, sandbox, market, seller, buyer, clock, walk
):
    """Trap 30: the whole list of a large mailbox is an error, and a window of it is not."""
    market.habits.large = 1_000
    long_ago = clock() - timedelta(days=3000)
    seller.mailbox.fill(5_000, long_ago, clock() - timedelta(days=100), [buyer])
    seller.asked(buyer, "A new one")
    found = await walk(messages.fetch)

    assert found.bodies() == ["A new one"]
    assert all("start_time" in one for one in asked(sandbox, LIST))


async def test_a_later_walk_reads_the_overlap_again_and_asks_only_for_what_changed(
    messages, sandbox, seller, buyer, clock, walk
):
    one, two = write(seller, buyer, 2)
    first = await walk(messages.fetch)
    clock.advance(minutes=1)
    seller.buyer_writes(two, "And?")
    sandbox.received.clear()
    later = await walk(messages.fetch, first.cursor)

    assert asked(sandbox, LIST)[0]["start_time"] == "2026-03-02T11:50:00.000Z"
    assert [one.path for one in sandbox.calls(DETAIL)] == [
        f"/commerce/message/v1/conversation/{two.id}"
    ]
    assert later.bodies() == ["And?", "Question 1"]
    assert one.id not in later.threads


async def test_where_nothing_changed_one_call_is_all(messages, sandbox, seller, buyer, walk):
    write(seller, buyer, 3)
    first = await walk(messages.fetch)
    sandbox.received.clear()
    later = await walk(messages.fetch, first.cursor)

    assert [one.operation for one in sandbox.received] == [LIST]
    assert later.messages == later.threads == {}
    assert json.loads(later.cursor) == json.loads(first.cursor)


async def test_what_was_read_by_a_walk_that_broke_off_is_read_again(
    messages, sandbox, seller, buyer, walk
):
    """What was read counts only with the cursor, which is stored with it."""
    write(seller, buyer, 60)
    sandbox.faults.order("status", status=500, operation=LIST, skip=1)
    with pytest.raises(Unreachable):
        await walk(messages.fetch)
    sandbox.faults.lift()

    assert len((await walk(messages.fetch)).messages) == 60


async def test_read_or_archived_at_ebay_says_nothing_of_an_answer(messages, seller, buyer, walk):
    """Trap 30: reading in the web page clears the count of unread ones."""
    (one,) = write(seller, buyer, 1)
    one.mark(is_read=True)
    one.status = "ARCHIVE"
    found = await walk(messages.fetch)

    assert [(m.party, m.kind) for m in found.messages.values()] == [(Party.BUYER, Kind.MESSAGE)]
    assert found.threads[one.id].closed_at is None


async def test_a_conversation_is_read_to_its_end(messages, sandbox, seller, buyer, clock, walk):
    (one,) = write(seller, buyer, 1)
    for number in range(120):
        clock.advance(seconds=1)
        seller.buyer_writes(one, f"Again {number}")
    found = await walk(messages.fetch)

    assert len(found.messages) == 121
    assert [q["offset"] for q in asked(sandbox, DETAIL)] == ["0", "50", "100"]
    assert not found.threads[one.id].incomplete


async def test_a_very_long_conversation_is_left_to_a_look(
    messages, seller, buyer, clock, walk, monkeypatch
):
    monkeypatch.setattr(reading, "MOST_MESSAGES", 50)
    (one,) = write(seller, buyer, 1)
    for number in range(120):
        clock.advance(seconds=1)
        seller.buyer_writes(one, f"Again {number}")
    found = await walk(messages.fetch)

    assert len(found.messages) == 50
    assert found.threads[one.id].incomplete
    page = await messages.look([one.id], clock())
    assert (len(page.messages), page.threads[0].incomplete) == (121, False)


async def test_both_sides_are_read_and_the_other_one_is_the_buyer(
    messages, seller, buyer, clock, walk
):
    """Trap 29."""
    (one,) = write(seller, buyer, 1)
    clock.advance(minutes=1)
    seller.answers(one, "On its way")
    found = await walk(messages.fetch)

    said = {m.body: m.party for m in found.messages.values()}
    assert said == {"Question 0": Party.BUYER, "On its way": Party.SELLER}
    assert found.threads[one.id].buyer == "quill_zen"


async def test_immutable_ids_in_place_of_names_change_nothing(
    market, sandbox, opened, session, clock, walk
):
    """Trap 29: neither the seller nor the buyer is called by name."""
    hidden = market.add_seller("hidden-shop", is_opaque=True)
    person = market.add_member("somebody", is_opaque=True)
    one = hidden.asked(person, "Hello")
    hidden.answers(one, "Good day")
    messages = opened(**hidden.options())
    found = await walk(messages.fetch)

    assert sorted(m.party for m in found.messages.values()) == [Party.BUYER, Party.SELLER]
    assert found.threads[one.id].buyer == person.user_id
    assert found.aside == []


async def test_what_ebay_writes_is_a_stream_of_its_own(messages, sandbox, seller, buyer, walk):
    """Trap 44: shown, and nobody waits."""
    seller.ebay_writes("<p>Our policy changes</p>")
    write(seller, buyer, 1)
    found = await walk(messages.fetch_notices)
    members = await walk(messages.fetch)

    (notice,) = found.messages.values()
    assert (notice.party, notice.kind, notice.body) == (
        Party.MARKETPLACE, Kind.SYSTEM, "Our policy changes",
    )  # fmt: skip
    assert notice.id not in members.messages
    assert {one["conversation_type"] for one in asked(sandbox, LIST)} == {
        "FROM_EBAY", "FROM_MEMBERS",
    }  # fmt: skip


async def test_notices_are_read_back_to_the_cursor_and_no_further(
    messages, sandbox, seller, clock, walk
):
    """These lists take no window of time: the walk ends where what is old begins."""
    for number in range(170):
        seller.ebay_writes(f"Notice {number}", at=clock() - timedelta(days=100, minutes=-number))
    seller.ebay_writes("A new one")
    first = await walk(messages.fetch_notices)
    assert first.bodies() == ["A new one"]
    assert len(asked(sandbox, LIST)) == 1
    assert "start_time" not in asked(sandbox, LIST)[0]
    clock.advance(hours=1)
    seller.ebay_writes("A newer one")
    sandbox.received.clear()
    later = await walk(messages.fetch_notices, first.cursor)

    assert later.bodies() == ["A newer one"]
    assert [one.operation for one in sandbox.received] == [LIST, DETAIL]


async def test_a_page_that_comes_again_loses_nothing(messages, sandbox, seller, buyer, walk):
    write(seller, buyer, 170)
    sandbox.faults.order("duplicate", operation=LIST)

    assert len((await walk(messages.fetch)).messages) == 170


async def test_what_arrives_during_a_walk_moves_nothing_out_of_it(
    messages, seller, buyer, clock, walk
):
    """The list is by the newest message: what is written meanwhile moves to its front."""
    older = write(seller, buyer, 120, at=clock() - timedelta(hours=1))
    first = await walk(
        messages.fetch, between=lambda: seller.buyer_writes(older[3], "And?", at=clock())
    )
    clock.advance(minutes=1)
    later = await walk(messages.fetch, first.cursor)

    assert {one.id for one in older} <= first.threads.keys() | later.threads.keys()
    assert "And?" in later.bodies()


async def test_where_the_list_shrinks_during_a_walk_the_next_one_begins_where_it_did(
    messages, seller, buyer, clock, walk
):
    """What goes from the pages before moves one forward, unseen."""
    written = write(seller, buyer, 101)
    gone = []

    def forget():
        if not gone:
            gone.append(written[-1])
            seller.mailbox.forget(written[-1])

    first = await walk(messages.fetch, between=forget)
    missing = {one.id for one in written} - first.threads.keys() - {gone[0].id}
    assert missing
    clock.advance(hours=2)
    later = await walk(messages.fetch, first.cursor)

    assert missing <= later.threads.keys()


async def test_a_walk_that_leads_in_a_circle_ends_with_an_error():
    page = walking.Conversations.model_validate({"conversations": [], "offset": 0, "total": 999})
    first = [walking.onward(page, asked, n) for n, asked in enumerate([0, 50, 50, 50])]

    assert first == [50] * 4
    with pytest.raises(BadPayload, match="does not end"):
        walking.onward(page, 50, 4)


@pytest.mark.parametrize("cursor", [None, "", "[]", "{}", '{"at": 5, "read": {}}', "\x00"])
async def test_a_cursor_that_cannot_be_read_is_a_first_walk(messages, sandbox, cursor, walk):
    found = await walk(messages.fetch, cursor)

    assert asked(sandbox, LIST)[0]["start_time"] == "2026-01-31T12:00:00.000Z"
    assert walking.Mark.parse(found.cursor) is not None


async def test_no_name_of_a_member_stands_in_a_cursor_or_position(messages, seller, buyer, clock):
    write(seller, buyer, 60)
    page = await messages.fetch(None, None, clock())
    last = await messages.fetch(None, page.position, clock())

    assert page.more
    for text in (page.position, last.cursor):
        assert "quill" not in text.casefold()


async def test_the_cursor_stays_small_however_much_is_written(
    messages, market, seller, buyer, clock, walk
):
    write(seller, buyer, walking.MOST_REMEMBERED + 60)
    first = await walk(messages.fetch)

    assert len(walking.Mark.parse(first.cursor).read) == walking.MOST_REMEMBERED


async def test_the_cursor_is_never_later_than_the_walks_begin(messages, seller, buyer, clock, walk):
    write(seller, buyer, 1, at=clock() + timedelta(minutes=20))
    found = await walk(messages.fetch)

    assert walking.Mark.parse(found.cursor).at == clock()


async def test_one_conversation_that_cannot_be_read_keeps_its_last_message(
    messages, sandbox, seller, buyer, clock, walk
):
    one, two = write(seller, buyer, 2)
    seller.buyer_writes(one, "The last of it", at=clock.advance(minutes=1))
    sandbox.faults.order("status", status=503, operation=DETAIL, path=f"*/{one.id}")
    found = await walk(messages.fetch)

    assert found.bodies() == ["Question 1", "The last of it"]
    assert found.threads[one.id].incomplete
    assert not found.threads[two.id].incomplete
    sandbox.faults.lift()
    later = await walk(messages.fetch, found.cursor)
    assert later.bodies() == ["Question 0", "The last of it"]
    assert not later.threads[one.id].incomplete


async def test_where_no_conversation_can_be_reached_ebay_cannot(
    messages, sandbox, seller, buyer, walk
):
    write(seller, buyer, 5)
    sandbox.faults.order("status", status=503, operation=DETAIL)

    with pytest.raises(Unreachable):
        await walk(messages.fetch)


async def test_conversations_that_fail_for_good_are_told_and_stop_no_later_walk(
    messages, sandbox, seller, buyer, clock, walk
):
    """What the list told of them is handed over before it is said that they cannot be reached."""
    write(seller, buyer, 3)
    rule = sandbox.faults.order("status", status=503, operation=DETAIL)

    page = await messages.fetch(None, None, clock())
    assert {one.body for one in page.messages} == {"Question 0", "Question 1", "Question 2"}
    assert all(one.incomplete for one in page.threads)
    assert (page.more, page.cursor) == (True, None)
    with pytest.raises(Unreachable):
        await messages.fetch(None, page.position, clock())

    later = await walk(messages.fetch)
    assert later.cursor is not None
    assert {one.incomplete for one in later.threads.values()} == {True}
    sandbox.faults.lift(rule)
    seller.asked(buyer, "A new one")
    assert "A new one" in (await walk(messages.fetch, later.cursor)).bodies()
    healed = await walk(messages.fetch, later.cursor)
    assert {one.incomplete for one in healed.threads.values()} == {False}


@pytest.mark.parametrize(("error", "is_unread"), [(355000, False), (2002, True)])
async def test_a_conversation_that_is_gone_by_now_is_what_the_list_told(
    messages, sandbox, seller, buyer, walk, error, is_unread
):
    """A 404 that is not eBay's own word for it may come from any machine: it is looked at again."""
    (one,) = write(seller, buyer, 1)
    sandbox.faults.error = lambda _: {"errors": [{"errorId": error}]}
    sandbox.faults.order("status", status=404, operation=DETAIL)
    found = await walk(messages.fetch)

    assert found.bodies() == ["Question 0"]
    assert found.aside == []
    assert found.threads[one.id].incomplete == is_unread


async def test_an_answer_that_is_none_is_kept_aside(messages, sandbox, seller, buyer, walk):
    (one,) = write(seller, buyer, 1)
    sandbox.faults.order("truncated", operation=DETAIL)
    found = await walk(messages.fetch)

    assert found.bodies() == ["Question 0"]
    assert [aside.source_id for aside in found.aside] == [one.id]
    assert found.threads[one.id].incomplete


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (403, BadCredentials)])
async def test_what_holds_for_all_conversations_ends_the_walk(
    messages, sandbox, seller, buyer, walk, status, error
):
    write(seller, buyer, 2)
    sandbox.faults.order("status", status=status, operation=DETAIL)

    with pytest.raises(error):
        await walk(messages.fetch)


async def test_a_slow_conversation_is_left_to_a_look(
    opened, sandbox, seller, buyer, walk, monkeypatch
):
    monkeypatch.setattr(reading, "WHOLE_WITHIN", 0.3)
    one, two = write(seller, buyer, 2)
    sandbox.faults.order("slow", operation=DETAIL, path=f"*/{one.id}", delay=5)
    found = await walk(opened(Limits(attempts=1)).fetch)

    assert found.threads[one.id].incomplete
    assert not found.threads[two.id].incomplete


async def test_an_error_inside_an_answer_200_is_no_empty_mailbox(
    messages, sandbox, seller, buyer, walk
):
    """Trap 35: neither an error nor an empty page means that there is nothing."""
    write(seller, buyer, 1)
    sandbox.faults.order("status", status=200, operation=LIST)

    with pytest.raises(BadPayload):
        await walk(messages.fetch)


async def test_a_consent_without_the_scope_of_messages_is_told_as_such(
    market, sandbox, opened, walk
):
    """Trap 32: a refresh token from before the scope was there is refused with 403, 1100."""
    lame = market.add_seller("lame-shop", scopes=["https://api.ebay.com/oauth/api_scope"])
    with pytest.raises(BadCredentials, match=r"commerce\.message") as caught:
        await walk(opened(**lame.options()).fetch)

    assert caught.value.alone


async def test_a_look_finds_conversations_of_both_types_and_leaves_out_the_unknown(
    messages, seller, buyer, clock
):
    """An unknown id is 404 with 355000, one that is none 400 with 355007."""
    (one,) = write(seller, buyer, 1)
    notice = seller.ebay_writes("A notice")
    page = await messages.look([one.id, notice.id, "424242", "no/such?"], clock())

    assert {t.id: t.reply_to[TYPE] for t in page.threads} == {
        one.id: "FROM_MEMBERS", notice.id: "FROM_EBAY",
    }  # fmt: skip
    assert sorted(m.body for m in page.messages) == ["A notice", "Question 0"]


async def test_a_look_tells_the_same_as_a_walk(messages, seller, buyer, clock, walk):
    (one,) = write(seller, buyer, 1)
    clock.advance(minutes=1)
    seller.answers(one, "On its way")
    found = await walk(messages.fetch)
    page = await messages.look([one.id], clock())

    assert {m.id: m for m in page.messages} == found.messages
    assert page.threads == (found.threads[one.id],)
    assert isinstance(page.threads[0], Thread)
