"""M11 and M10 on the stand-in: walks, overlaps, long threads, whose shop it is, who waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.mirakl import spec
from connectors.mirakl.connector import MOST_WHOLE, Walk
from connectors.mirakl.sandbox.inbox import Habits, Participant
from core.errors import BadCredentials, BadPayload, RateLimited
from core.model import Draft
from sla.clock import Given, Kind
from sla.policy import Party

MINUTE = timedelta(minutes=1)


def queries(sandbox, operation):
    return [one.query for one in sandbox.calls(operation)]


async def test_the_first_walk_asks_for_the_look_back(read, sandbox, shop, clock):
    old = shop.open_thread("Long ago", at=clock.now - timedelta(days=91))
    new = shop.open_thread("Lately", at=clock.now - timedelta(days=89))
    found = await read()

    assert set(found.threads) == {new.id}
    assert old.id not in found.threads
    (query,) = queries(sandbox, "M11")
    assert query["updated_since"] == "2025-12-02T12:00:00.000Z"
    assert (query["with_messages"], query["limit"]) == ("true", "100")


async def test_a_later_walk_asks_again_for_the_overlap(read, sandbox, shop, clock):
    shop.open_thread("Hello", at=clock.now - 5 * MINUTE)
    first = await read()
    clock.advance(minutes=5)
    await read(cursor=first.cursor)

    assert queries(sandbox, "M11")[-1]["updated_since"] == "2026-03-02T11:45:00.000Z"


async def test_what_was_held_back_within_the_overlap_is_found(read, shop, clock):
    shop.open_thread("On time", at=clock.now)
    first = await read()
    late = shop.open_thread("Held back", at=clock.now - 9 * MINUTE)
    found = await read(cursor=first.cursor)

    assert late.id in found.threads


async def test_the_cursor_is_the_marketplaces_time_and_not_ours(read, shop, clock):
    shop.open_thread("Hello", at=clock.now - timedelta(hours=3))
    found = await read()

    assert found.cursor == "2026-03-02T09:00:00+00:00"


async def test_an_update_in_the_future_does_not_lead_the_cursor_astray(read, shop, clock):
    thread = shop.open_thread("Hello", at=clock.now - MINUTE)
    thread.updated_at = clock.now + timedelta(days=3650)
    found = await read()
    later = shop.open_thread("Me too", at=clock.now)

    assert found.cursor <= "2026-03-02T12:00:00+00:00"
    assert later.id in (await read(cursor=found.cursor)).threads


async def test_the_cursor_never_goes_back(read, shop, clock):
    shop.open_thread("Hello", at=clock.now)
    first = await read()
    clock.now -= timedelta(hours=2)

    assert (await read(cursor=first.cursor)).cursor == first.cursor


async def test_a_cursor_that_is_none_reads_the_look_back_again(read, shop, clock):
    shop.open_thread("Hello", at=clock.now - timedelta(days=80))

    assert len((await read(cursor="what is this")).threads) == 1


async def test_a_walk_goes_to_its_end_by_tokens_alone(read, sandbox, shop, clock):
    for n in range(230):
        shop.open_thread(f"Question {n}", at=clock.now - n * MINUTE)
    found = await read()

    assert len(found.threads) == 230
    first, *later = queries(sandbox, "M11")
    assert "page_token" not in first
    assert [set(query) for query in later] == [{"page_token", "shop_id"}] * 2
    assert [page.cursor for page in found.pages[:2]] == [None, None]


async def test_a_token_never_outlives_its_walk(read, sandbox, shop, clock):
    for n in range(120):
        shop.open_thread(f"Question {n}", at=clock.now - n * MINUTE)
    found = await read()
    await read(cursor=found.cursor)

    assert "token" not in found.cursor
    assert "page_token" not in queries(sandbox, "M11")[-1]


async def test_what_moves_during_a_walk_is_lost_to_nobody(read, shop, clock):
    threads = [shop.open_thread(f"Question {n}", at=clock.now - n * MINUTE) for n in range(230)]

    def moves():
        clock.advance(seconds=30)
        threads[-1].buyer_writes("Are you there?")

    began = clock.now
    first = await read(between=moves)
    assert first.cursor == began.isoformat()
    found = await read(cursor=first.cursor)

    assert set(first.threads) | set(found.threads) == {t.id for t in threads}
    assert "Are you there?" in {m.body for m in found.of(threads[-1])}


async def test_a_page_that_comes_twice_changes_nothing(read, sandbox, shop, clock):
    for n in range(130):
        shop.open_thread(f"Question {n}", at=clock.now - n * MINUTE)
    sandbox.faults.order("duplicate", operation="M11")
    found = await read()

    assert len(found.messages) == 130
    for page in found.pages:
        assert len({m.id for m in page.messages}) == len(page.messages)
        assert len({t.id for t in page.threads}) == len(page.threads)


async def test_tokens_that_lead_in_a_circle_end_in_an_error(mirakl, sandbox, shop, clock):
    for n in range(101):
        shop.open_thread(f"Question {n}", at=clock.now - n * MINUTE)
    page = await mirakl.fetch("messages", None, None, clock.now)
    far = page.position.replace('"pages": 1', '"pages": 10000')
    for n in range(101, 202):
        shop.open_thread(f"Question {n}", at=clock.now - n * MINUTE)

    with pytest.raises(BadPayload, match="does not end"):
        await mirakl.fetch("messages", None, far, clock.now)


async def test_a_page_that_leads_to_itself_ends_the_walk_within_a_few_pages(
    read, sandbox, shop, clock
):
    for n in range(250):
        shop.open_thread(f"Question {n}", at=clock.now - n * MINUTE)
    sandbox.faults.order("circle", operation="M11")

    with pytest.raises(BadPayload, match="does not end"):
        await read()
    assert len(sandbox.calls("M11")) < 10


@pytest.mark.parametrize("length", [1, 2, 7, 60])
def test_a_circle_of_any_length_is_found_within_some_rounds(clock, length):
    def walked(walk=None):
        for n in range(12 * length + 12):
            walk = Walk.after(walk, f"token {n % length}", clock.now)

    with pytest.raises(BadPayload, match="does not end"):
        walked()


@pytest.mark.parametrize("times", [1, 2])
def test_pages_that_come_twice_lead_in_no_circle(clock, times):
    walk = None
    for n in range(500):
        walk = Walk.after(walk, f"token {n // times}", clock.now)

    assert walk.pages == 500


async def test_swapped_pages_lose_nothing(read, sandbox, shop, clock):
    for n in range(250):
        shop.open_thread(f"Question {n}", at=clock.now - n * MINUTE)
    sandbox.faults.order("swapped", operation="M11")
    found = await read()

    assert len(found.messages) == 250
    assert found.cursor == clock.now.isoformat()


@pytest.mark.parametrize(("messages", "whole"), [(100, 0), (101, 1), (250, 1)])
async def test_a_long_thread_is_read_whole(read, sandbox, shop, clock, messages, whole):
    begun = clock.now - timedelta(days=10)
    thread = shop.open_thread("The first of many", at=begun)
    for n in range(1, messages):
        thread.buyer_writes(f"And {n}", at=begun + n * MINUTE)
    found = await read()

    assert len(found.of(thread)) == messages
    assert "The first of many" in {m.body for m in found.of(thread)}
    assert not found.threads[thread.id].incomplete
    assert len(sandbox.calls("M10")) == whole


@pytest.mark.parametrize("status", [404, 429, 500, 401])
async def test_a_long_thread_that_cannot_be_read_whole_costs_no_page(
    read, sandbox, shop, clock, status
):
    thread = shop.open_thread("The first of many", at=clock.now - timedelta(days=1))
    for n in range(120):
        thread.buyer_writes(f"And {n}", at=clock.now - (120 - n) * MINUTE)
    other = shop.open_thread("Another", at=clock.now)
    sandbox.faults.order("status", status=status, operation="M10")
    found = await read()

    assert len(found.of(thread)) == 100
    assert found.threads[thread.id].incomplete
    assert not found.threads[other.id].incomplete


async def test_only_some_long_threads_of_a_page_are_read_whole(read, sandbox, shop, clock):
    for n in range(MOST_WHOLE + 2):
        thread = shop.open_thread("Long", at=clock.now - timedelta(days=n))
        for _ in range(101):
            thread.buyer_writes("More", at=clock.now - timedelta(days=n))
    found = await read()

    assert len(sandbox.calls("M10")) == MOST_WHOLE
    assert sum(t.incomplete for t in found.threads.values()) == 2


async def test_every_call_names_the_shop(mirakl, read, sandbox, shop, other_shop, clock):
    thread = shop.open_thread("Mine", topic=("REASON_CODE", "26"), at=clock.now)
    asked = thread.buyer_writes("With a picture", attachments=[("a.jpg", b"123")])
    for n in range(110):
        shop.open_thread("More", at=clock.now - n * MINUTE)
    shop.add_order("77-A").open_incident()
    other_shop.open_thread("Not mine")
    found = [await read(stream) for stream in ("messages", "incidents", "report")]
    await mirakl.look([thread.id, "incident:77-A:77-A-1"], clock.now)
    await mirakl.attachment(asked.attachments[0].id)
    (target,) = [t for t in found[0].threads.values() if t.id == thread.id]
    await mirakl.reply(target, draft(target), clock.now)
    await mirakl.check()

    seen = {(one.operation, one.query.get("shop_id"), one.status) for one in sandbox.received}
    assert {operation for operation, _, _ in seen} == set(spec.operations)
    assert {shop for _, shop, _ in seen} == {"2000"}
    assert {status for _, _, status in seen} == {200, 201}
    assert "Not mine" not in {m.body for m in found[0].messages.values()}


def draft(thread, body="Our answer", to=(Party.BUYER,)):
    return Draft(id=1, account="a", thread=thread.id, body=body, to=to, queued_at=thread.as_of)


async def test_without_a_shop_the_default_shop_answers(opened, sandbox, shop, other_shop, clock):
    shop.open_thread("Mine")
    other_shop.open_thread("The default's")
    page = await opened(shop_id=None).fetch("messages", None, None, clock.now)

    assert [m.body for m in page.messages] == ["The default's"]
    assert "shop_id" not in sandbox.received[-1].query


async def test_another_shop_than_the_keys_is_told_by_check(opened, shop):
    with pytest.raises(BadPayload, match="shop_id a shop of this key"):
        await opened(shop_id=3000).check()


async def test_a_dead_key_is_told_at_once(opened, operator, shop, clock):
    mirakl = opened()
    operator.revoke(shop.key)

    with pytest.raises(BadCredentials):
        await mirakl.check()
    with pytest.raises(BadCredentials):
        await mirakl.fetch("messages", None, None, clock.now)


async def test_too_many_requests_are_not_repeated(mirakl, sandbox, clock, shop):
    sandbox.faults.order("status", status=429, retry_after=90, operation="M11")
    with pytest.raises(RateLimited) as caught:
        await mirakl.fetch("messages", None, None, clock.now)

    assert caught.value.retry_after == 90
    assert len(sandbox.calls("M11")) == 1


async def test_reasons_are_read_once_a_day_and_in_the_accounts_language(
    opened, sandbox, shop, clock
):
    mirakl = opened(locale="fr_FR")
    shop.open_thread("Où ?", topic=("REASON_CODE", "26"))
    subjects = []
    for hours in (0, 1, 22, 2):
        clock.advance(hours=hours)
        page = await mirakl.fetch("messages", None, None, clock.now)
        subjects += [t.subject for t in page.threads]

    assert set(subjects) == {"Où est ma commande ?"}
    assert [query["locale"] for query in queries(sandbox, "RE01")] == ["fr_FR", "fr_FR"]


async def test_reasons_are_not_asked_for_where_nobody_names_one(read, sandbox, shop):
    shop.open_thread("Hello")
    await read()

    assert sandbox.calls("RE01") == []


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_reasons_that_may_not_be_read_cost_no_page(read, sandbox, shop, clock, status):
    sandbox.faults.order("status", status=status, operation="RE01")
    shop.open_thread("Where?", topic=("REASON_CODE", "26"))
    found = [await read(), await read()]

    assert [t.subject for one in found for t in one.threads.values()] == ["26", "26"]
    assert len({one.at for one in sandbox.calls("RE01")}) == 1


@pytest.mark.parametrize("dates", ["milliseconds", "seconds", "mixed"])
async def test_both_ways_of_writing_dates_give_the_same_ids_and_instants(
    read, operator, shop, clock, dates
):
    operator.habits = Habits(dates=dates, extra_fields=False)
    thread = shop.open_thread("Hello", at=clock.now - MINUTE)
    thread.click_no_reply_needed(at=clock.now - MINUTE)
    found = await read()

    assert {m.sent_at for m in found.of(thread)} == {clock.now - MINUTE}
    mark = f"{thread.id}/no-reply-needed/2026-03-02T11:59:00+00:00/SHOP"
    assert mark in found.messages


async def test_an_attachment_is_fetched_by_its_own_id(mirakl, read, sandbox, shop):
    message = shop.open_thread().buyer_writes("See", attachments=[("a.jpg", b"\x00\xff" * 1000)])
    found = await read()
    (attachment,) = found.messages[message.id].attachments

    assert await mirakl.attachment(attachment.id) == b"\x00\xff" * 1000
    assert sandbox.calls("M13")[0].path.endswith(f"/{attachment.id}/download")
    with pytest.raises(BadPayload):
        await mirakl.attachment("no-such-file")


async def test_a_look_reads_threads_whole_and_leaves_out_the_unknown(mirakl, sandbox, shop, clock):
    thread = shop.open_thread("The first of many", at=clock.now - timedelta(days=200))
    for n in range(150):
        thread.buyer_writes(f"And {n}", at=clock.now - timedelta(days=100) + n * MINUTE)
    page = await mirakl.look([thread.id, "nobody's", "incident:none:1"], clock.now)

    assert [t.id for t in page.threads] == [thread.id]
    assert len(page.messages) == 151
    assert not page.threads[0].incomplete


async def test_a_look_at_a_thread_that_cannot_be_read_keeps_its_neighbours(mirakl, sandbox, shop):
    bad, good = shop.open_thread("One"), shop.open_thread("Two")
    sandbox.faults.order("missing", field="id", path=f"*{bad.id}")
    page = await mirakl.look([bad.id, good.id], good.updated_at)

    assert [t.id for t in page.threads] == [good.id]
    assert [a.source_id for a in page.set_aside] == [bad.id]


@pytest.fixture
def policies():
    """PcComponentes, which counts the operator's messages too."""
    options = spec.options(base_url="https://x.example", api_key="k", operator="pccomponentes")
    return spec.policies(options)


def running(found, thread, policies, now):
    clocks = found.clocks(thread, policies, now)
    return {c.waits_for: c.started_at for c in clocks if c.ended is None}


@pytest.mark.parametrize("since", ["first", "latest"])
async def test_the_oldest_unanswered_message_counts_whatever_the_marketplace_says(
    read, operator, shop, clock, policies, since
):
    operator.habits = Habits(since=since)
    thread = shop.open_thread("Where?", at=clock.now - 90 * MINUTE)
    thread.buyer_writes("Hello?", at=clock.now - 10 * MINUTE)
    found = await read()

    assert found.given[thread.id].starts_at == clock.now - (90 if since == "first" else 10) * MINUTE
    assert running(found, thread, policies, clock.now) == {Party.BUYER: clock.now - 90 * MINUTE}


@pytest.mark.parametrize("clears", [True, False])
async def test_an_answer_to_the_operator_ends_his_waiting_only(
    read, operator, shop, clock, policies, clears
):
    operator.habits = Habits(any_reply_clears=clears)
    thread = shop.open_thread("Where?", at=clock.now - 90 * MINUTE)
    thread.operator_writes("Please answer.", at=clock.now - 60 * MINUTE)
    thread.shop_answers("We will.", to=("OPERATOR",), at=clock.now - 30 * MINUTE)
    found = await read()

    assert running(found, thread, policies, clock.now) == {Party.BUYER: clock.now - 90 * MINUTE}
    ended = {c.waits_for: c.ended for c in found.clocks(thread, policies, clock.now) if c.ended}
    assert ended == {Party.MARKETPLACE: "met"}


async def test_an_answer_given_in_the_back_office_ends_the_waiting(read, shop, clock, policies):
    thread = shop.open_thread("Where?", at=clock.now - 90 * MINUTE)
    thread.shop_answers("Here.", at=clock.now - 30 * MINUTE)
    (clock_,) = (await read()).clocks(thread, policies, clock.now)

    assert (clock_.ended, clock_.stopped_at) == ("met", clock.now - 30 * MINUTE)


@pytest.mark.parametrize("clears", [True, False])
async def test_no_reply_needed_voids_what_came_before_it(
    read, operator, shop, clock, policies, clears
):
    operator.habits = Habits(click_clears=clears)
    thread = shop.open_thread("Thanks", at=clock.now - 90 * MINUTE)
    thread.click_no_reply_needed(at=clock.now - 60 * MINUTE, by="OPERATOR")
    found = await read()

    assert running(found, thread, policies, clock.now) == {}
    (clock_,) = found.clocks(thread, policies, clock.now)
    assert (clock_.ended, clock_.reason) == ("void", "confirmed")
    thread.buyer_writes("One more thing", at=clock.now - MINUTE)
    found = await read()
    assert running(found, thread, policies, clock.now) == {Party.BUYER: clock.now - MINUTE}


async def test_a_dismissal_that_we_cannot_see_leaves_the_clock_running(read, shop, clock, policies):
    """Null, no answer and no mark: dismissed, or answered where we cannot see."""
    thread = shop.open_thread("Where?", at=clock.now - 90 * MINUTE)
    found = await read()
    found.given[thread.id] = Given("message", "", asks=False, as_of=clock.now, read_at=clock.now)
    (clock_,) = found.clocks(thread, policies, clock.now)

    assert clock_.ended is None
    assert "marketplace_says_answered" in clock_.flags


async def test_a_waiting_that_we_cannot_see_starts_at_the_marketplaces_date(
    read, shop, clock, policies
):
    thread = shop.open_thread("Where?", at=clock.now - 90 * MINUTE)
    found = await read()
    found.messages.clear()

    assert running(found, thread, policies, clock.now) == {Party.BUYER: clock.now - 90 * MINUTE}


async def test_the_operators_own_thread_is_his_waiting_and_nobody_elses(
    read, operator, shop, clock, policies
):
    operator.habits = Habits(operator_asks=True)
    thread = shop.open_thread(
        "Please add photos", entity=("SELLER_OPERATOR", "SO-1"), at=clock.now - 90 * MINUTE
    )
    found = await read()

    waiting = {Party.MARKETPLACE: clock.now - 90 * MINUTE}
    assert running(found, thread, policies, clock.now) == waiting
    default = spec.policies(spec.options(base_url="https://x.example", api_key="k"))
    assert running(found, thread, default, clock.now) == {}


async def test_a_new_topic_without_a_message_starts_nothing(read, shop, clock, policies):
    thread = shop.open_thread("Where?", at=clock.now - 90 * MINUTE)
    thread.shop_answers("Here.", at=clock.now - 60 * MINUTE)
    thread.change_topic("Something else", at=clock.now - MINUTE)
    found = await read()

    assert found.threads[thread.id].subject == "Something else"
    assert running(found, thread, policies, clock.now) == {}


async def test_what_is_unknown_is_open_and_counted(read, shop, clock, policies):
    thread = shop.open_thread("Where?", at=clock.now - 90 * MINUTE)
    thread.authorize(Participant("EXPERT", "E-1", "An expert"))
    thread.somebody_writes("EXPERT_USER", "An expert", "I know", at=clock.now - 60 * MINUTE)
    thread.shop_answers("Here.", to=("EXPERT",), at=clock.now - 30 * MINUTE)
    found = await read()

    assert running(found, thread, policies, clock.now) == {Party.BUYER: clock.now - 90 * MINUTE}
    assert {a.reason for a in found.set_aside} == {
        "messages.from.type: unknown", "messages.to.type: unknown",
    }  # fmt: skip


async def test_bytes_that_are_no_text_cost_one_character(read, sandbox, shop, clock):
    shop.open_thread("Hello", at=clock.now)
    sandbox.faults.order("garbled", operation="M11")
    (message,) = (await read()).messages.values()

    assert message.body == "\ufffdHello"
    assert message.kind is Kind.MESSAGE


async def test_the_report_is_the_operators_own_mean(read, shop, clock):
    thread = shop.open_thread("Where?", at=clock.now - 90 * MINUTE)
    thread.shop_answers("Here.", at=clock.now - 30 * MINUTE)
    found = await read("report")

    (published,) = found.published
    assert (published.name, published.value) == ("order_messages_response_delay", 3600.0)
    assert published.as_of == clock.now
    assert found.cursor


async def test_a_shop_that_never_answered_has_no_report(read, shop):
    assert (await read("report")).published == []


async def test_a_key_that_may_not_read_the_report_is_no_dead_key(mirakl, sandbox, shop, clock):
    sandbox.faults.order("status", status=403, operation="A01")
    with pytest.raises(BadPayload, match="may not read the shop's numbers"):
        await mirakl.fetch("report", None, None, clock.now)


async def test_a_stream_that_does_not_exist_is_our_own_mistake(mirakl, clock):
    with pytest.raises(ValueError, match="no stream"):
        await mirakl.fetch("returns", None, None, clock.now)
