"""Amazon's own numbers about the seller: asked for once a day, read once, as they say."""

from __future__ import annotations

import gzip
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.amazon import offer
from connectors.amazon.sandbox import spapi_files
from connectors.amazon.sandbox.spapi_market import Waited
from connectors.amazon.spapi import metrics
from connectors.amazon.spapi.performance import NONE, UNREAD
from core.errors import BadPayload, RateLimited, Unreachable
from sla.contract import Reported

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def contacts(clock):
    now = clock()
    return lambda: [
        Waited(now - 2 * DAY, now - 2 * DAY + 3 * HOUR),
        Waited(now - 3 * DAY, now - DAY),
        Waited(now - 20 * DAY, None),
        Waited(now - HOUR, None),
        Waited(now - 5 * DAY, None, is_marked=True),
    ]


async def test_a_report_is_asked_for_waited_for_and_read_once(api, selling, partner, clock):
    selling.contacts = contacts(clock)

    asked = await partner.performance(None, clock())
    clock.advance(minutes=5)
    waiting = await partner.performance(asked.cursor, clock())
    clock.advance(minutes=6)
    read = await partner.performance(waiting.cursor, clock())
    again = await partner.performance(read.cursor, clock())

    assert (asked.published, asked.cursor, waiting.cursor) == ((), UNREAD, UNREAD)
    assert (again.published, again.cursor) == ((), read.cursor)
    assert len(api.calls("createReport")) == 1
    values = {one.name: one.value for one in read.published}
    assert values == {
        "amazon_response_under_24_hours_7_days": 1,
        "amazon_response_time_greater_than_24_hours_7_days": 1,
        "amazon_no_response_for_contacts_older_than_24_hours_7_days": 0,
        "amazon_average_response_time_in_hours_7_days": 25.5,
        "amazon_response_under_24_hours_30_days": 1,
        "amazon_response_time_greater_than_24_hours_30_days": 1,
        "amazon_no_response_for_contacts_older_than_24_hours_30_days": 1,
        "amazon_average_response_time_in_hours_30_days": 25.5,
        "amazon_response_under_24_hours_90_days": 1,
        "amazon_response_time_greater_than_24_hours_90_days": 1,
        "amazon_no_response_for_contacts_older_than_24_hours_90_days": 1,
        "amazon_average_response_time_in_hours_90_days": 25.5,
    }
    assert {one.as_of for one in read.published} == {selling.reports[0].created_at}


async def test_the_next_day_another_is_asked_for(api, selling, partner, clock):
    cursor = None
    for _ in range(49):
        page = await partner.performance(cursor, clock())
        cursor = page.cursor
        clock.advance(hours=1)
        for bucket in partner._calls._paces.values():
            bucket._left = bucket.burst

    assert 2 <= len(api.calls("createReport")) <= 3
    assert len(selling.reports) == len(api.calls("createReport"))


@pytest.mark.parametrize("failed", ["CANCELLED", "FATAL"])
async def test_a_report_that_is_never_made_is_not_asked_for_again_that_day(
    api, selling, partner, clock, failed
):
    selling.report_fails = failed
    page = await partner.performance(None, clock())
    clock.advance(hours=2)
    page = await partner.performance(page.cursor, clock())

    assert page.published == ()
    assert len(api.calls("createReport")) == 1


async def test_one_that_is_stuck_for_ever_is_asked_for_anew_the_next_day(
    api, selling, partner, clock
):
    selling.report_takes = None
    page = await partner.performance(None, clock())
    clock.advance(hours=23)
    page = await partner.performance(page.cursor, clock())
    assert len(api.calls("createReport")) == 1
    clock.advance(hours=2)
    await partner.performance(page.cursor, clock())
    assert len(api.calls("createReport")) == 2


async def test_trap_20_an_account_without_this_report_has_none_and_is_asked_once_a_day(
    api, selling, partner, clock
):
    selling.makes_reports = False
    first = await partner.performance(None, clock())
    clock.advance(hours=1)
    second = await partner.performance(first.cursor, clock())

    assert first.published == second.published == ()
    assert first.cursor == second.cursor == f"{NONE}{(clock() - HOUR).isoformat()}"
    assert len(api.received) == 3  # the token, the list, the question

    clock.advance(days=1)
    selling.makes_reports = True
    await partner.performance(second.cursor, clock())
    assert len(selling.reports) == 1


async def test_an_address_that_has_ended_is_asked_for_again(api, selling, partner, clock):
    page = await partner.performance(None, clock())
    clock.advance(minutes=11)
    number = api.faults.order("status", status=403, operation="getDocument")

    with pytest.raises(Unreachable, match="the address has ended"):
        await partner.performance(page.cursor, clock())
    api.faults.lift(number)
    assert (await partner.performance(page.cursor, clock())).published


async def test_a_report_is_taken_without_the_sellers_token(api, partner, clock):
    await partner.performance(None, clock())
    clock.advance(minutes=11)

    assert (await partner.performance(UNREAD, clock())).published  # the stand-in bars a token
    (taken,) = api.calls("getDocument")
    assert taken.status == 200


@pytest.mark.parametrize("operation", ["getReports", "createReport", "getReportDocument"])
async def test_a_role_that_is_missing_takes_no_account_down_and_is_told_once_a_day(
    api, selling, partner, clock, operation
):
    cursor = None
    if operation == "getReportDocument":
        await partner.performance(None, clock())
        clock.advance(minutes=11)
    selling.barred.add(operation)

    page = await partner.performance(cursor, clock())
    asked = len(api.received)
    clock.advance(hours=23)
    later = await partner.performance(page.cursor, clock())

    (aside,) = page.set_aside
    assert "has the application the role Selling Partner Insights" in aside.reason
    assert (later.set_aside, len(api.received)) == ((), asked)


async def test_a_report_that_cannot_be_read_is_set_aside_and_not_read_again(
    api, selling, partner, clock
):
    page = await partner.performance(None, clock())
    clock.advance(minutes=11)
    number = api.faults.order("html", status=200, operation="getDocument")
    page = await partner.performance(page.cursor, clock())
    api.faults.lift(number)
    again = await partner.performance(page.cursor, clock())

    (aside,) = page.set_aside
    assert (aside.source_id, aside.reason) == ("50000", "the report is no plain XML")
    assert aside.raw
    assert (again.set_aside, again.published, again.cursor) == ((), (), page.cursor)


@pytest.mark.parametrize(
    ("operation", "how", "error"),
    [
        ("getReports", {"status": 429}, RateLimited),
        ("createReport", {"status": 429}, RateLimited),
        ("createReport", {"status": 500}, Unreachable),
        ("createReport", {"status": 404}, BadPayload),
        ("getReports", {"status": 500}, Unreachable),
    ],
)
async def test_a_bad_day_is_told_as_what_it_is(api, partner, clock, operation, how, error):
    api.faults.order("status", operation=operation, **how)

    with pytest.raises(error):
        await partner.performance(None, clock())


def test_the_stream_carries_no_clocks_and_holds_nothing_else_up():
    told = offer.NUMBERS

    assert (told.carries_clocks, told.limited_alone) == (False, True)
    assert told.floor <= told.every


def published(xml):
    return metrics.published(xml.encode(), NOW)


def windows(*inner):
    nodes = "".join(f"<responseTimeMetrics>{one}</responseTimeMetrics>" for one in inner)
    return f"<a><anything>{nodes}</anything></a>"


def test_numbers_and_shares_and_missing_nodes_are_read_as_they_are():
    found = published(windows(
        "<responseUnder24Hours> 98.5% </responseUnder24Hours><averageResponseTimeInHours/>",
        "<timeFrame><start>2026-11-14</start><end>2026-11-21</end></timeFrame>"
        "<responseUnder24Hours>118</responseUnder24Hours><status>Good</status>",
    ))  # fmt: skip

    assert [(one.name, one.value, one.as_of) for one in found] == [
        ("amazon_response_under_24_hours_percent", 98.5, NOW),
        ("amazon_response_under_24_hours_7_days", 118, datetime(2026, 11, 21, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    "xml", ["", "no xml", "<a>", "<a></b>", '{"performanceMetrics": []}', "\x00",
            '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
            "<?xml version='1.0' encoding='moon'?><a/>"],
)  # fmt: skip
def test_what_is_no_plain_xml_is_set_aside(xml):
    with pytest.raises(BadPayload) as caught:
        published(xml)
    assert caught.value.detail == "not_xml"


def told(**numbers):
    """Numbers of Amazon's as they are stored, as of noon."""
    return {f"amazon_{name}": (NOW, value) for name, value in numbers.items()}


def test_what_amazon_counts_is_laid_beside_ours_by_its_windows():
    counted = {
        "response_under_24_hours_30_days": 118.0,
        "response_time_greater_than_24_hours_30_days": 3.0,
        "no_response_for_contacts_older_than_24_hours_30_days": 1.0,
        "average_response_time_in_hours_30_days": 6.4,
        "response_under_24_hours_7_days_percent": 98.5,
        "order_with_defects": 0.5,
    }

    assert metrics.reported(told(**counted)) == (
        Reported("share", 0.985, NOW, 7 * DAY),
        Reported("share", 118 / 122, NOW, 30 * DAY, 122),
        Reported("mean", 6.4 * 3600, NOW, 30 * DAY),
    )


def test_of_a_window_that_is_told_in_part_there_is_no_share():
    half = told(response_under_24_hours_7_days=9.0, response_time_greater_than_24_hours_7_days=1.0)
    older = {"amazon_no_response_for_contacts_older_than_24_hours_7_days": (NOW - DAY, 1.0)}
    none = told(
        response_under_24_hours_7_days=0.0,
        response_time_greater_than_24_hours_7_days=0.0,
        no_response_for_contacts_older_than_24_hours_7_days=0.0,
    )

    assert [metrics.reported(one) for one in (half, half | older, none, {})] == [(), (), (), ()]


async def test_what_a_report_tells_is_laid_beside_ours(selling, clock):
    waited = [Waited(clock() - 2 * DAY, clock() - DAY - HOUR), Waited(clock() - 3 * DAY, None)]
    found = metrics.published(spapi_files.written(waited, clock()), clock())
    numbers = {one.name: (one.as_of, one.value) for one in found}

    shares = [one for one in metrics.reported(numbers) if one.measure == "share"]

    assert {one.length for one in shares} == {7 * DAY, 30 * DAY, 90 * DAY}
    assert {(one.value, one.counted) for one in shares} == {(0.5, 2)}


def test_entities_that_grow_without_an_end_are_not_even_declared():
    bomb = '<!DOCTYPE a [<!ENTITY b "' + "x" * 1000 + '">' + "".join(
        f'<!ENTITY b{n + 1} "{"&b" + str(n or "") + ";" * 1}{"&b" + str(n or "") + ";"}">'
        for n in range(40)
    ) + "]><a>&b40;</a>"  # fmt: skip

    with pytest.raises(BadPayload):
        published(bomb)


def test_a_report_without_the_metric_tells_nothing():
    assert published("<sellerPerformanceReports/>") == ()


def test_a_report_may_be_packed_and_no_larger_than_a_report_can_be():
    assert metrics.unpacked(b"<a/>") == b"<a/>"
    assert metrics.unpacked(gzip.compress(b"<a/>")) == b"<a/>"
    for raw in (gzip.compress(b"x" * (metrics.MOST_BYTES + 1)), gzip.compress(b"<a/>")[:-4],
                b"\x1f\x8bnothing"):  # fmt: skip
        with pytest.raises(BadPayload):
            metrics.unpacked(raw)


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_set_aside(raw):
    for one in (raw, b"\x1f\x8b" + raw):
        with suppress(BadPayload):
            metrics.published(metrics.unpacked(one), NOW)


@given(st.lists(st.tuples(st.integers(0, 100), st.none() | st.integers(0, 100)), max_size=20))
def test_what_the_stand_in_writes_is_read_as_it_was_meant(pairs):
    waited = [
        Waited(NOW - asked * DAY, None if after is None else NOW - asked * DAY + after * HOUR)
        for asked, after in pairs
    ]
    found = metrics.published(spapi_files.written(waited, NOW), NOW)
    values = {one.name: one.value for one in found}

    inside = [one for one in waited if NOW - 30 * DAY <= one.asked_at < NOW]
    answered = [
        o.answered_at - o.asked_at for o in inside if o.answered_at and o.answered_at <= NOW
    ]
    assert values["amazon_response_under_24_hours_30_days"] == sum(one <= DAY for one in answered)
