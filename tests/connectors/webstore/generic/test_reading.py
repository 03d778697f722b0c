"""A walk: page after page though the list moves, from the cursor on, and never past the end."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.webstore.generic import paging
from core.errors import BadCredentials, BadPayload, RateLimited
from core.stage import walk
from tests.connectors.webstore.conftest import NOON
from tests.connectors.webstore.generic.shapes import FLAT, SHAPES, WHOLE, changed

SMALL = {"size": 3}
BY = {
    "page": {"by": "page"},
    "page from nought": {"by": "page", "first": 0, "parameter": "p"},
    "page of a size": {"by": "page", **SMALL},
    "offset": {"by": "offset", "parameter": "skip"},
    "offset of a size": {"by": "offset", **SMALL},
    "cursor": {"by": "cursor", "next": "data.next"},
    "url": {"by": "url", "next": "data.next"},
    "link": {"by": "link"},
}


def paged(by, **poll):
    return {**FLAT, "poll": {**FLAT["poll"], "since": None, "paging": by, **poll}}


def asks(place, count, *, ago=timedelta(hours=1)):
    begin = place.sandbox.now() - ago
    return [place.shop.asks(f"{n}", at=begin + timedelta(seconds=n)) for n in range(count)]


def bodies(read):
    return {m.body for m in read.messages.values()}


@pytest.fixture
def numbers():
    return {str(n) for n in range(10)}


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("newest_first", [False, True])
async def test_every_page_is_read_whatever_leads_to_the_next(placed, by, newest_first, numbers):
    place = placed(paged(BY[by], newest_first=newest_first))
    place.shop.habits.size = 3
    asks(place, 10)

    assert bodies(await place.read()) == numbers


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 6])
async def test_a_list_that_ends_with_a_page_ends(placed, by, count):
    place = placed(paged(BY[by]))
    place.shop.habits.size = 3
    asks(place, count)
    found = await place.read()

    assert len(found.messages) == count
    assert found.cursor


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("newest_first", [False, True])
async def test_what_leaves_an_earlier_page_hides_nothing_on_a_later_one(
    placed, clock, by, newest_first
):
    """An item goes from the page that was just read: the next ones move up."""
    place = placed(paged(BY[by], newest_first=newest_first))
    place.shop.habits.size = 3
    made = asks(place, 10)
    order = [one.conversation.id for one in (reversed(made) if newest_first else made)]
    connector, position, seen, more = place.opened(), None, set(), True
    while more:
        page = await connector.fetch("messages", None, position, clock.now)
        seen |= {m.body for m in page.messages}
        position, more = page.position, page.more
        if len(place.shop.conversations) == 10 and more:
            place.shop.forget(order[0])

    assert seen == {str(n) for n in range(10)}


@pytest.mark.parametrize("by", BY)
async def test_what_comes_while_a_list_is_read_newest_first_is_read_by_the_next_walk(
    placed, clock, by
):
    place = placed(paged(BY[by], newest_first=True))
    place.shop.habits.size = 3
    asks(place, 8)
    connector, position, seen, more = place.opened(), None, set(), True
    while more:
        page = await connector.fetch("messages", None, position, clock.now)
        seen |= {m.body for m in page.messages}
        position, more = page.position, page.more
        if len(place.shop.conversations) < 10:
            clock.advance(seconds=1)
            place.shop.asks(f"later {len(place.shop.conversations)}")
    again = await place.read(page.cursor)

    assert {str(n) for n in range(8)} <= seen
    assert {"later 8", "later 9"} <= seen | bodies(again)


async def test_a_list_that_never_stands_still_is_told_and_its_cursor_stays(placed, clock):
    place = placed(paged(BY["offset of a size"]))
    made = asks(place, 60)

    async def reads_on():
        connector, position = place.opened(), None
        while made:
            page = await connector.fetch("messages", None, position, clock.now)
            assert page.cursor is None
            position = page.position
            for _ in range(4):
                place.shop.forget(made.pop(0).conversation.id)

    with pytest.raises(BadPayload, match="moves under the walk") as caught:
        await reads_on()
    assert caught.value.detail == "moving"


@pytest.mark.parametrize("name", SHAPES)
async def test_the_first_walk_goes_back_as_far_as_the_look_back(placed, name):
    place = placed(SHAPES[name], look_back="2d")
    for days in (1, 3):
        place.shop.asks(f"{days} days", at=NOON - timedelta(days=days))
    found = bodies(await place.read())

    assert "1 days" in found
    assert ("3 days" in found) == (name == "numbered")  # whose whole list is read


@pytest.mark.parametrize("name", ["flat", "whole"])
async def test_a_later_walk_asks_from_the_newest_message_and_an_overlap_before_it(placed, name):
    place = placed(SHAPES[name], overlap="10m")
    for minutes in (60, 25, 20):
        place.shop.asks(f"{minutes}", at=NOON - timedelta(minutes=minutes))
    first = await place.read()
    told = json.loads(first.cursor)
    later = await place.read(first.cursor)

    assert told == {"since": (NOON - timedelta(minutes=20)).isoformat()}
    assert bodies(later) == {"25", "20"}
    assert json.loads(later.cursor) == told


async def test_a_quiet_store_never_moves_the_cursor_back(placed):
    place = placed(FLAT, overlap="1h")
    found = await place.read()
    for _ in range(3):
        found = await place.read(found.cursor)

    assert json.loads(found.cursor) == {"since": (NOON - timedelta(days=30)).isoformat()}


async def test_a_stamp_that_lies_ahead_does_not_move_the_cursor_past_now(placed):
    place = placed(FLAT)
    place.shop.asks("from tomorrow", at=NOON + timedelta(days=1))
    found = await place.read()

    assert bodies(found) == {"from tomorrow"}
    assert json.loads(found.cursor) == {"since": NOON.isoformat()}


async def test_a_list_with_the_newest_first_is_read_until_what_is_known(placed):
    place = placed(paged(BY["page of a size"], newest_first=True), overlap="1m")
    place.shop.habits.size = 3
    for hours in range(30):
        place.shop.asks(f"{hours}", at=NOON - timedelta(hours=30 - hours))
    first = await place.read()
    place.sandbox.received.clear()
    place.shop.asks("new")
    later = await place.read(first.cursor)

    assert "new" in bodies(later)
    assert len(place.sandbox.calls("messages")) == 3


async def test_trap_23_a_wall_clock_is_asked_in_its_own_zone(placed):
    place = placed(WHOLE)
    await place.read(json.dumps({"since": "2026-10-25T00:50:00+00:00"}))
    (asked,) = [one.query["since"] for one in place.sandbox.calls("messages")]

    assert asked == "25.10.2026 01:35:00"


async def test_a_cursor_may_want_to_go_alone(placed):
    shape = changed(FLAT, poll={"paging": {**FLAT["poll"]["paging"], "size": 3, "alone": True}})
    place = placed(shape)
    asks(place, 7)
    await place.read()
    queries = [set(one.query) for one in place.sandbox.calls("messages")]

    assert queries[0] == {"embed", "changed_after", "limit"}
    assert queries[1:] == [{"embed", "after"}] * 2


@pytest.mark.parametrize(
    "told",
    [
        "https://elsewhere.example/list?cursor=1",
        "http://api.lamps.example/v2/messages",
        "https://api.lamps.example:444/v2/messages",
        "//elsewhere.example/",
        "https://[",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("by", ["url", "link"])
def test_the_key_goes_to_no_other_server(placed, told, by):
    poll = placed(paged(BY[by])).options.poll.model_copy(
        update={"url": "https://api.lamps.example/v2/messages"}
    )
    came = paging.Came({"data": {"next": told}}, f'<{told}>; rel="next"', ["1"])

    with pytest.raises(BadPayload, match="another server") as caught:
        paging.after(poll, paging.Walk("2026-01-01", "2026-01-01"), came)
    assert caught.value.detail == "elsewhere"


@pytest.mark.parametrize("told", ["/v2/messages?p=2", "?p=2", "https://api.lamps.example/v2/x?p=2"])
def test_an_address_of_the_same_server_leads_on(placed, told):
    poll = placed(paged(BY["url"])).options.poll.model_copy(
        update={"url": "https://api.lamps.example/v2/messages"}
    )
    came = paging.Came({"data": {"next": told}}, "", ["1"])
    onward = paging.after(poll, paging.Walk("2026-01-01", "2026-01-01"), came)

    assert onward.token.startswith("https://api.lamps.example/v2/")
    assert paging.call(poll, onward, None) == (onward.token, {})


@pytest.mark.parametrize("told", [None, "", False, True, [], {}, 1.5])
def test_where_nothing_leads_on_the_walk_has_ended(placed, told):
    poll = placed(paged(BY["cursor"])).options.poll
    came = paging.Came({"data": {"next": told}}, "", ["1"])

    assert paging.after(poll, paging.Walk("2026-01-01", "2026-01-01"), came) is None


def test_a_cursor_that_leads_to_itself_is_endless_but_at_an_empty_end(placed):
    poll = placed(paged(BY["cursor"])).options.poll
    here = paging.Walk("2026-01-01", "2026-01-01", step=2, token="same")

    with pytest.raises(BadPayload, match="do not end"):
        paging.after(poll, here, paging.Came({"data": {"next": "same"}}, "", ["1"]))
    assert paging.after(poll, here, paging.Came({"data": {"next": "same"}}, "", [])) is None
    far = paging.Walk("2026-01-01", "2026-01-01", step=paging.MOST_PAGES)
    with pytest.raises(BadPayload, match="do not end"):
        paging.after(poll, far, paging.Came({"data": {"next": "b"}}, "", ["1"]))


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a/2>; rel="next"', "https://a/2"),
        ('<https://a/0>; rel="prev", <https://a/2>; rel="next"', "https://a/2"),
        ("<https://a/2>; rel=next", "https://a/2"),
        ('<https://a/2>; title="x"; rel="last next"', "https://a/2"),
        ('<https://a/2,3>;rel="NEXT"', "https://a/2,3"),
        ('<https://a/0>; rel="prev"', None),
        ("", None),
        ("nonsense", None),
        ('<https://a/2>; rel="nextish"', None),
    ],
)
def test_a_link_header_is_read_as_the_standard_has_it(header, target):
    assert paging.linked(header) == target


async def test_a_store_that_has_hardly_a_call_left_is_waited_for(placed, clock):
    by = BY["cursor"]
    shape = paged(by, rate={"left": "X-Left", "reset": "X-Reset"})
    place = placed(shape)
    place.shop.habits.size = 3
    place.shop.habits.left = 4
    asks(place, 7)
    connector = place.opened()
    page = await connector.fetch("messages", None, None, clock.now)

    assert len(page.messages) == 3
    with pytest.raises(RateLimited) as caught:
        await connector.fetch("messages", None, page.position, clock.now)
    assert caught.value.retry_after == 30
    assert len(place.sandbox.calls("messages")) == 1


@pytest.mark.parametrize(
    ("left", "reset", "wait"),
    [("4", "7", 7.0), ("0", "", 60.0), ("0", "soon", 60.0), ("5", "7", None), ("", "", None),
     ("many", "", None), ("9" * 40, "", None)],
)  # fmt: skip
def test_what_a_limit_leaves_is_read_as_far_as_it_is_a_number(left, reset, wait):
    assert paging.waiting(left, reset, 5) == wait


@pytest.mark.parametrize("name", SHAPES)
async def test_another_key_is_told_as_such(placed, name):
    place = placed(SHAPES[name])
    with pytest.raises(BadCredentials):
        await place.read(by=place.opened(auth={"secret": "another"}))


@pytest.mark.parametrize("by", BY)
async def test_a_key_in_the_address_stands_there_once(placed, draft, by):
    auth = {"scheme": "query", "parameter": "api_key", "secret": "k&y=/?"}
    place = placed({**paged(BY[by]), "auth": auth})
    place.shop.habits.size = 3
    asks(place, 7)
    found = await place.read()
    thread = next(iter(found.threads.values()))
    await place.opened().reply(thread, draft("Hi", thread.id), NOON)

    assert len(found.messages) == 7
    with pytest.raises(BadCredentials):
        await place.read(by=place.opened(auth={"secret": "another"}))


async def test_no_content_is_an_empty_list(placed):
    place = placed(FLAT)
    place.sandbox.faults.order("status", status=204)

    assert (await place.read()).messages == {}


async def test_a_check_says_where_the_mapping_does_not_fit(placed):
    place = placed(FLAT)
    place.shop.asks("fits")
    place.shop.habits.strange = "supplier"
    for _ in range(2):
        place.shop.asks("does not")
    place.shop.habits.strange = None

    assert await place.opened().check() == (
        "options.mapping.party: a word that parties lacks in 2 of 3 items; see replyby try-mapping",
    )
    place.sandbox.faults.order("status", status=404)
    with pytest.raises(BadPayload, match=r"is poll\.url right\?"):
        await place.opened().check()


async def test_a_whole_list_is_not_read_for_a_check(placed):
    shape = {**FLAT, "poll": {**FLAT["poll"], "paging": None}}
    place = placed(shape)
    place.shop.asks("much")

    assert await place.opened().check() == ()
    assert [one.query["changed_after"] for one in place.sandbox.calls("messages")] == [
        "4102444800000"
    ]


@pytest.mark.parametrize("name", SHAPES)
async def test_messages_come_as_they_were_written(placed, name):
    place = placed(SHAPES[name])
    asked = place.shop.asks("Where is it?", at=NOON - timedelta(hours=1))
    place.shop.writes(asked.conversation.id, "seller", "Here.", at=NOON - timedelta(minutes=50))
    found = await walk(place.opened(), "messages", None, NOON)

    assert [(m.body, m.sent_at) for m in found.messages.values()] == [
        ("Where is it?", NOON - timedelta(hours=1)), ("Here.", NOON - timedelta(minutes=50)),
    ]  # fmt: skip
    (thread,) = found.threads.values()
    assert thread.reply_to["mail"] == asked.conversation.mail
    assert thread.order_ids == ((asked.conversation.order,) if name != "numbered" else ())
