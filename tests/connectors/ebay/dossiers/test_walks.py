"""How dossiers are read: searches, details, what fails, and what is asked for by its id."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connectors.ebay.dossiers.payload import Returns
from connectors.ebay.dossiers.reading import Dossiers
from connectors.ebay.dossiers.sources import RETURNS
from connectors.ebay.sandbox import returns
from core.errors import BadCredentials, BadPayload, RateLimited, Unreachable
from core.model import Message
from core.transport import salvage
from sla.clock import Delivery
from sla.policy import Party
from tests.connectors.ebay.dossiers.files import DAY, HOUR, Seen

APPROVE = "SELLER_APPROVE_REQUEST"
OPENED = {
    "inquiries": "open_inquiry",
    "returns": "open_return",
    "cancellations": "open_cancellation",
    "cases": "open_case",
    "disputes": "open_dispute",
}
SEARCHES = {
    "inquiries": "searchInquiries",
    "returns": "searchReturns",
    "cancellations": "searchCancellations",
    "cases": "searchCases",
    "disputes": "getPaymentDisputeSummaries",
}
DETAILS = {
    "inquiries": "getInquiry",
    "returns": "getReturn",
    "cancellations": "getCancellation",
    "cases": "getCase",
    "disputes": "getPaymentDispute",
}
KINDS = {
    "inquiries": "inquiry",
    "returns": "return",
    "cancellations": "cancellation",
    "cases": "case",
    "disputes": "payment dispute",
}

streams = pytest.mark.parametrize("stream", list(OPENED))


def due(files):
    """The given clocks of all threads."""
    return [c for t in files.threads for c in files.given_clocks(t).values()]


@streams
async def test_each_kind_is_a_thread_with_a_date(desk, walk, files, stream):
    """Trap 45: dossiers are no conversations, and have streams of their own."""
    one = getattr(desk, OPENED[stream])()

    await walk(stream)

    [thread] = files.threads.values()
    assert (thread.id, thread.buyer) == (f"{thread.id.split(':')[0]}:{one.id}", one.buyer.told)
    assert [c.due_at for c in due(files)] == [one.due_at]
    assert files.aside == []


@streams
async def test_each_is_asked_for_where_and_as_ebay_demands(desk, walk, sandbox, stream):
    """Trap 34: IAF and the marketplace on Post-Order, Bearer on apiz for disputes."""
    getattr(desk, OPENED[stream])()

    await walk(stream)

    scheme, host = ("Bearer", "apiz") if stream == "disputes" else ("IAF", "api")
    asked = [heard for heard in sandbox.heard if heard.operation != "token"]
    assert {heard.host for heard in asked} == {host}
    assert {heard.headers["Authorization"].split()[0] for heard in asked} == {scheme}
    if scheme == "IAF":
        assert {heard.headers["X-EBAY-C-MARKETPLACE-ID"] for heard in asked} == {"EBAY_DE"}


@streams
async def test_an_unknown_state_is_open(desk, walk, files, clock, stream):
    """Trap 46: look at it. The date stands, and so does what was asked."""
    one = getattr(desk, OPENED[stream])()
    await walk(stream)
    before = due(files)
    odd = dict.fromkeys(
        ("status", "state", "inquiryStatusEnum", "caseStatusEnum", "cancelState", "cancelStatus",
         "paymentDisputeStatus"),
        "SOMETHING_NEW",
    )  # fmt: skip
    clock.advance(minutes=5)
    one.speak_oddly(**odd)

    await walk(stream)
    await walk(stream)

    assert [(c.due_at, c.ended) for c in due(files)] == [(c.due_at, None) for c in before]
    assert {item.reason.rpartition(": ")[2] for item in files.aside} == {"unknown"}


async def test_an_unknown_state_without_a_date_changes_nothing(desk, walk, files, clock):
    """Trap 46; and nothing changes while it stays so."""
    one = desk.open_return()
    await walk("returns")
    clock.advance(minutes=5)
    one.speak_oddly(state="PAUSED", status="PAUSED", sellerResponseDue=None)

    for _ in range(3):
        await walk("returns")
        clock.advance(minutes=5)

    assert [(c.due_at, c.ended) for c in due(files)] == [(one.due_at, None)]


@streams
async def test_an_empty_page_closes_nothing(desk, walk, files, clock, stream):
    """Trap 35: what is no longer listed is asked for by its id."""
    one = getattr(desk, OPENED[stream])()
    await walk(stream)
    clock.advance(minutes=5)
    desk.slip(KINDS[stream], "empty", 20)

    await walk(stream)

    assert [(c.due_at, c.ended) for c in due(files)] == [(one.due_at, None)]


@streams
async def test_what_the_index_shows_late_is_found_by_the_next_walk(
    desk, walk, files, clock, stream
):
    """The search knows of it when the overlap is long past."""
    await walk(stream)
    clock.advance(minutes=5)
    one = getattr(desk, OPENED[stream])()
    held = desk.dossiers.pop(one.id)
    for _ in range(4):
        await walk(stream)
        clock.advance(minutes=5)
    desk.dossiers[one.id] = held

    await walk(stream)

    assert [c.due_at for c in due(files)] == [one.due_at]


@streams
async def test_an_empty_page_that_counts_something_is_no_page(desk, walk, clock, stream):
    """Trap 35."""
    getattr(desk, OPENED[stream])()
    desk.slip(KINDS[stream], "hollow")

    with pytest.raises(BadPayload):
        await walk(stream)

    assert stream not in walk.cursors


@streams
async def test_an_error_inside_an_answer_200_is_an_error(desk, walk, files, clock, stream):
    """Trap 35."""
    one = getattr(desk, OPENED[stream])()
    await walk(stream)
    cursor = walk.cursors[stream]
    clock.advance(minutes=5)
    desk.slip(KINDS[stream], "error_inside")

    with pytest.raises(BadPayload):
        await walk(stream)

    assert walk.cursors[stream] == cursor
    assert [(c.due_at, c.ended) for c in due(files)] == [(one.due_at, None)]


@pytest.mark.parametrize("end", ["buyer_closes", "seller_refunds"])
async def test_what_drops_out_of_the_open_ones_is_read_to_its_end(desk, walk, files, clock, end):
    one = desk.open_return(at=clock() - 20 * DAY)
    await walk("returns")
    clock.advance(minutes=5)
    getattr(one, end)()

    await walk("returns")

    [found] = due(files)
    assert found.stopped_at == clock()
    assert json.loads(walk.cursors["returns"])["open"] == {}


async def test_a_detail_that_is_gone_closes_nothing(desk, walk, files, clock):
    """A known return that eBay no longer shows stays open, and is asked for again."""
    one = desk.open_return()
    await walk("returns")
    clock.advance(minutes=5)
    desk.forget(one.id)

    await walk("returns")
    await walk("returns")

    [found] = due(files)
    assert (found.due_at, found.ended) == (one.due_at, None)
    assert {item.reason for item in files.aside} == {"detail: 404"}
    assert list(json.loads(walk.cursors["returns"])["open"]) == [one.id]


@streams
async def test_dates_are_stored_although_no_detail_can_be_had(
    desk, walk, files, sandbox, stream, clock
):
    """The search tells them; the stream is unhealthy all the same, and goes on later."""
    one = getattr(desk, OPENED[stream])()
    sandbox.faults.order("status", status=500, operation=DETAILS[stream], count=50)

    with pytest.raises(Unreachable):
        await walk(stream)

    assert [c.due_at for c in due(files)] == [one.due_at]
    assert stream not in walk.cursors
    assert all(t.incomplete for t in files.threads.values())
    sandbox.faults.lift()
    clock.advance(minutes=5)
    await walk(stream)
    assert not any(t.incomplete for t in files.threads.values())
    assert [(c.due_at, c.ended) for c in due(files)] == [(one.due_at, None)]


async def test_a_limit_on_details_is_told_with_the_dates_stored(desk, walk, files, sandbox):
    one = desk.open_return()
    sandbox.faults.order("status", status=429, operation="getReturn", count=50)

    with pytest.raises(RateLimited):
        await walk("returns")

    assert [c.due_at for c in due(files)] == [one.due_at]


async def test_a_refused_key_is_told_at_once(desk, walk, sandbox):
    desk.open_return()
    sandbox.faults.order("status", status=403, operation="getReturn", count=9)

    with pytest.raises(BadCredentials):
        await walk("returns")


async def test_one_detail_that_cannot_be_read_costs_the_others_nothing(desk, walk, files, sandbox):
    several = [desk.open_return() for _ in range(3)]
    sandbox.faults.order("status", status=400, operation="getReturn", count=1)

    await walk("returns")

    assert sorted(c.due_at for c in due(files)) == sorted(one.due_at for one in several)
    assert [item.reason for item in files.aside] == ["detail: 400"]


@streams
async def test_many_are_paged_through(desk, walk, files, asked, stream):
    for _ in range(120):
        getattr(desk, OPENED[stream])()

    await walk(stream)

    assert len(due(files)) == 120
    counted = asked()
    assert counted[DETAILS[stream]] == 120
    assert counted[SEARCHES[stream]] == 2 + 6


@streams
async def test_a_walk_of_nothing_new_asks_for_no_details(desk, walk, asked, clock, stream):
    for _ in range(12):
        getattr(desk, OPENED[stream])(at=clock() - DAY, within=9 * DAY)
    await walk(stream)
    asked()
    clock.advance(minutes=5)

    await walk(stream)

    assert asked().items() <= {(SEARCHES[stream], 1), (SEARCHES[stream], 2)}


@streams
async def test_what_is_unchanged_is_read_again_with_what_the_list_told(
    desk, walk, files, asked, clock, stream
):
    """No search for each of them: the date of an inquiry and of a case stands there alone."""
    several = [getattr(desk, OPENED[stream])(at=clock() - DAY, within=9 * DAY) for _ in range(7)]
    await walk(stream)
    asked()
    clock.advance(minutes=30)

    await walk(stream)

    counted = asked()
    assert counted[DETAILS[stream]] == 7
    assert counted[SEARCHES[stream]] <= 2
    ends = {(c.due_at, c.ended) for c in due(files)}
    assert ends == {(one.due_at, None) for one in several}


@pytest.mark.parametrize(("many", "at_once"), [(10, 10), (60, 12)])
async def test_a_message_that_changes_no_summary_is_seen_within_half_an_hour(
    desk, walk, files, asked, clock, many, at_once
):
    several = [desk.open_return() for _ in range(many)]
    await walk("returns")
    clock.advance(minutes=1)
    for one in several:
        one.buyer_writes("Hello?")
    clock.advance(minutes=4)
    asked()

    for _ in range(6):
        await walk("returns")
        assert asked().get("getReturn", 0) <= at_once
        clock.advance(minutes=5)

    said = {m.thread for m in files.messages.values() if m.body == "Hello?"}
    assert len(said) == many


async def test_near_a_date_a_message_is_seen_within_ten_minutes(desk, walk, files, clock):
    one = desk.open_return(within=HOUR)
    await walk("returns")
    clock.advance(minutes=5)
    one.buyer_writes("Hello?")

    for _ in range(2):
        await walk("returns")
        clock.advance(minutes=5)

    assert "Hello?" in {m.body for m in files.messages.values()}


@pytest.mark.parametrize("stream", ["returns", "cases"])
async def test_what_no_list_reaches_any_more_is_asked_for_as_rarely(
    desk, walk, files, asked, clock, stream
):
    one = getattr(desk, OPENED[stream])(at=clock() - 100 * DAY, within=120 * DAY)
    await walk(stream)
    asked()
    for _ in range(5):
        clock.advance(minutes=5)
        await walk(stream)
    assert DETAILS[stream] not in asked()
    one.ebay_decides("SELLER") if stream == "cases" else one.buyer_closes()
    clock.advance(minutes=5)

    await walk(stream)

    assert asked()[DETAILS[stream]] == 1
    assert [c.ended is None for c in due(files)] == [False]


@pytest.mark.parametrize("stream", ["returns", "cancellations", "disputes"])
async def test_eighteen_months_are_looked_through_at_first(desk, walk, files, clock, stream):
    old = getattr(desk, OPENED[stream])(at=clock() - 500 * DAY, within=520 * DAY)

    await walk(stream)

    assert [c.due_at for c in due(files)] == [old.due_at]


async def test_windows_are_no_longer_than_ebay_takes(desk, walk, sandbox, clock):
    await walk("disputes")

    begun = []
    for heard in sandbox.heard:
        query = dict(heard.query)
        if "open_date_from" in query:
            begun.append((query["open_date_from"], query["open_date_to"]))
    assert len(begun) == 7
    assert begun[0][1] == "2026-11-20T12:00:00.000Z"
    assert [first for first, _ in begun[:-1]] == [last for _, last in begun[1:]]


async def test_what_was_closed_long_ago_is_not_read_at_first(desk, walk, files, clock):
    one = desk.open_return(at=clock() - 40 * DAY)
    one.buyer_closes(at=clock() - 39 * DAY)

    await walk("returns")

    assert files.threads == {}


async def test_what_began_and_ended_between_two_walks_is_shown(desk, walk, files, clock):
    await walk("returns")
    clock.advance(minutes=2)
    one = desk.open_return("A mistake")
    one.buyer_closes()
    clock.advance(minutes=3)

    await walk("returns")

    assert files.threads[f"return:{one.id}"].closed_at is not None
    assert due(files) == []


async def test_what_is_open_again_is_found_within_a_day(desk, walk, files, clock):
    one = desk.open_case()
    await walk("cases")
    clock.advance(minutes=5)
    one.ebay_decides("SELLER")
    await walk("cases")
    assert [c.ended for c in due(files)] == ["void"]
    clock.advance(hours=2)
    await walk("cases")
    one.closed_at, one.status = None, "OPEN"
    one.due_at = clock() + 10 * DAY
    one.changed_at = clock()

    clock.advance(days=1)
    await walk("cases")

    assert [(c.ended, c.due_at) for c in due(files)] == [(None, one.due_at)]


async def test_what_the_seller_bought_himself_asks_nothing_of_him(
    desk, walk, files, seller, sandbox
):
    desk.open_inquiry("Where is it?", buyer=seller.member)

    await walk("inquiries")

    assert files.threads == {}


async def test_immutable_ids_work_in_place_of_names(sandbox, walk, desk, files):
    member = sandbox.market.add_member(is_opaque=True)
    desk.open_return(buyer=member)

    await walk("returns")

    [thread] = files.threads.values()
    assert thread.buyer == member.user_id


@streams
async def test_no_id_cursor_or_position_holds_a_name(desk, dossiers, clock, sandbox, stream):
    member = sandbox.market.add_member("melanie-q")
    for _ in range(110):
        getattr(desk, OPENED[stream])(buyer=member)

    position, held = None, []
    while True:
        page = await dossiers.fetch(stream, None, position, clock())
        held += [m.id for m in page.messages] + [t.id for t in page.threads]
        held += [page.cursor or "", page.position or ""]
        position = page.position
        if not page.more:
            break

    assert "melanie-q" not in "".join(held)


async def test_the_same_walk_twice_says_the_same(desk, dossiers, clock):
    desk.open_inquiry("Where is it?").seller_writes("It left")
    now = clock.advance(hours=1)

    first = await dossiers.fetch("inquiries", None, None, now)
    second = await dossiers.fetch("inquiries", None, None, now)

    assert first == second


async def test_a_search_that_neither_lists_nor_counts_is_no_page(access, options, clock):
    assert RETURNS.summaries(Returns.model_validate({"total": 0})) == ()
    with pytest.raises(BadPayload):
        RETURNS.summaries(Returns.model_validate({"message": "later"}))


async def test_a_date_that_cannot_be_read_is_set_aside_and_the_known_one_stands(
    desk, walk, files, clock
):
    """Trap 36."""
    one = desk.open_cancellation()
    await walk("cancellations")
    clock.advance(minutes=5)
    one.speak_oddly(sellerResponseDueDate={"value": "soon"})

    await walk("cancellations")

    assert [(c.due_at, c.ended) for c in due(files)] == [(one.due_at, None)]
    assert {item.reason for item in files.aside} == {"sellerResponseDueDate: no date"}


class TestLooks:
    @streams
    async def test_a_dossier_is_looked_at_by_its_thread(self, desk, dossiers, files, clock, stream):
        one = getattr(desk, OPENED[stream])()
        thread = f"{stream.removesuffix('s').replace('inquirie', 'inquiry')}:{one.id}"

        files.take(await dossiers.look([thread], clock()), clock())

        assert [c.due_at for c in due(files)] == [one.due_at]

    async def test_a_look_and_a_walk_say_the_same(self, desk, dossiers, walk, files, clock):
        """The date of an inquiry and of a case stands in the search alone."""
        desk.open_inquiry("Where is it?")
        desk.open_case("Decide!")
        await walk("inquiries")
        await walk("cases")
        known = {t: list(g) for t, g in files.given.items()}
        now = clock.advance(minutes=1)

        files.take(await dossiers.look(list(files.threads), now), now)

        assert files.given == known

    async def test_what_ebay_does_not_know_is_left_out(self, dossiers, clock):
        page = await dossiers.look(["return:1", "case:2", "dispute:3", "101", "inc:1:2"], clock())

        assert (page.threads, page.given, page.set_aside) == ((), (), ())

    async def test_a_look_ends_what_is_asked_no_more(self, desk, dossiers, walk, files, clock):
        """It knows nothing of what was asked before: the reading itself says that this is all."""
        one = desk.open_return()
        await walk("returns")
        acted = clock.advance(hours=1)
        one.seller_decides("APPROVE")
        now = clock.advance(minutes=1)

        files.take(await dossiers.look([f"return:{one.id}"], now), now)

        assert [(c.ended, c.stopped_at) for c in due(files)] == [("met", acted)]

    async def test_a_failed_look_is_told(self, desk, dossiers, sandbox, clock):
        one = desk.open_return()
        sandbox.faults.order("status", status=500, operation="getReturn", count=9)

        with pytest.raises(Unreachable):
            await dossiers.look([f"return:{one.id}"], clock())


async def test_an_older_page_that_comes_late_opens_nothing_again(desk, dossiers, files, clock):
    """A walk that hangs while a look sees the end."""
    one = desk.open_return()
    before = await dossiers.look([f"return:{one.id}"], clock())
    acted = clock.advance(minutes=1)
    one.seller_decides("APPROVE")
    now = clock.advance(minutes=1)
    after = await dossiers.look([f"return:{one.id}"], now)

    files.take(after, now)
    files.take(before, now + timedelta(seconds=5))

    assert [(c.ended, c.stopped_at) for c in due(files)] == [("met", acted)]


async def test_it_goes_on_while_ebay_still_asks_after_our_act(desk, walk, files, clock):
    """Our own accepted act ends it until the next reading."""
    one = desk.open_inquiry("Where is it?")
    await walk("inquiries")
    thread = f"inquiry:{one.id}"
    ours = Message(
        id="ours", thread=thread, party=Party.SELLER, to=frozenset({Party.BUYER}),
        delivery=Delivery.ACCEPTED, sent_at=clock.advance(minutes=1),
    )  # fmt: skip
    files.messages["ours"] = Seen(ours, clock())
    assert [c.ended for c in due(files)] == ["met"]

    clock.advance(minutes=4)
    await walk("inquiries")

    assert [(c.ended, c.due_at) for c in due(files)] == [(None, one.due_at)]


class Apart:
    """Answers about one return as the documentation says: each part without the other."""

    def __init__(self, one):
        self.one = one

    def is_own(self, name):
        return False

    async def get_items(self, host, path, model, *, params=None, names=(), **how):
        whole = returns.detail(self.one)
        part = "summary" if params == {"fieldgroups": "SUMMARY"} else "detail"
        content = {"members": [returns.summary(self.one)]}
        return salvage.read(model, content if "search" in path else {part: whole[part]}, names)


async def test_a_return_whose_detail_lacks_its_summary_is_whole(desk, options, files, clock):
    one = desk.open_return("It is broken")
    one.seller_writes("A photograph?")
    dossiers = Dossiers(Apart(one), options)

    looked = await dossiers.look([f"return:{one.id}"], clock())
    walked = await dossiers.fetch("returns", None, None, clock())

    assert looked.given == walked.given
    assert [m.body for m in looked.messages] == ["It is broken", "A photograph?"]
    assert not looked.threads[0].incomplete
    assert [g.due_at for _, g in looked.given if g.asks] == [one.due_at]
