"""What Mirakl's fields mean for a clock: recorded payloads with invented people."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.mirakl import mapping
from connectors.mirakl.payload import Reasons, Shop, ThreadPayload, Threads
from core.model import Attachment
from core.transport import salvage
from sla.clock import Delivery, Kind, Level
from sla.policy import Party

RECORDED = Path(__file__).parent / "recorded"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SHOWN = mapping.Shown("https://op.example", labels={"26": "Where is my order?"})
FIRST, SECOND, THIRD = (f"702c3e56-0a53-4f0e-9f3e-00000000000{n}" for n in (1, 2, 3))


def recorded(name):
    return json.loads((RECORDED / name).read_text())


def at(text):
    return datetime.fromisoformat(text)


def page_of(*threads, now=NOW, shown=SHOWN):
    read = salvage.read(Threads, {"data": deepcopy(list(threads))})
    return mapping.page(read.value.data, shown, now)


@pytest.fixture
def page():
    return page_of(*recorded("m11.json")["data"])


@pytest.fixture
def thread():
    """The first recorded thread, to be changed."""
    return recorded("m11.json")["data"][0]


@pytest.fixture
def entry(thread):
    """The last message of `thread`, to be changed."""
    return thread["messages"][-1]


def messages(page, thread):
    return [m for m in page.messages if m.thread == thread]


def of(page, ending):
    return next(m for m in page.messages if m.id.endswith(ending))


def test_every_recorded_answer_fits_its_model_whole():
    assert salvage.read(Threads, recorded("m11.json")).aside == ()
    assert salvage.read(ThreadPayload, recorded("m10.json")).aside == ()
    assert Reasons.model_validate(recorded("re01.json")).reasons[0].code == "26"
    assert Shop.model_validate(recorded("a01.json")).order_messages_response_delay == 41400


def test_who_writes_and_to_whom(page):
    asked, answered, again = (of(page, f"00{n}") for n in (1, 2, 3))

    assert (asked.party, asked.kind, asked.to) == (
        Party.BUYER, Kind.MESSAGE, {Party.SELLER},
    )  # fmt: skip
    assert (answered.party, answered.to) == (Party.SELLER, {Party.BUYER})
    assert (answered.delivery, answered.origin) == (Delivery.CONFIRMED, "elsewhere")
    assert (asked.delivery, again.delivery) == (None, None)


def test_dates_with_and_without_milliseconds_are_read(page):
    assert of(page, "001").sent_at == at("2026-03-01T08:00:00+00:00")
    assert of(page, "002").sent_at == at("2026-03-01T10:00:00+00:00")


def test_a_message_without_a_readable_date_is_kept_and_counted(thread, entry):
    entry["date_created"] = "the day before"
    page = page_of(thread)

    assert of(page, "003").sent_at is None
    assert [a.reason for a in page.set_aside] == ["messages.date_created: no date"]


def test_bodies_stay_as_they_came(page):
    assert of(page, "001").body == "<p>Where is my parcel?<br /></p>"


def test_attachments_are_named_and_their_bytes_left_there(page):
    assert of(page, "001").attachments == (
        Attachment(id="fce1742e-0000-4000-8000-000000000001", name="photo.jpg", size=20012),
    )


def test_a_thread_knows_its_order_buyer_subject_and_page(page):
    first, second, third = page.threads

    assert (first.subject, first.buyer) == ("Where is my order?", "Ana Sample")
    assert first.order_ids == ("ORD-1001-A",)
    assert first.url == "https://op.example/mmp/shop/order/ORD-1001-A"
    assert first.as_of == at("2026-03-02T09:30:00+00:00")
    assert first.reply_to == {"CUSTOMER": "C-77", "OPERATOR": ""}
    assert (second.subject, second.buyer) == ("Item not received", "Bo Muster")
    assert (third.order_ids, third.url) == ((), "https://op.example/mmp/shop/home")
    assert {m.order_id for m in messages(page, FIRST) if m.body} == {"ORD-1001-A"}


def test_a_reason_without_a_label_shows_its_code(thread):
    page = page_of(thread, shown=mapping.Shown("https://op.example"))

    assert page.threads[0].subject == "26"


def test_a_thread_may_be_about_two_orders():
    assert page_of(recorded("m10.json")).threads[0].order_ids == ("ORD-1003-A", "ORD-1003-B")


def test_a_page_of_ones_own_may_be_named(thread):
    shown = mapping.Shown("https://op.example", "https://desk.example/{order}/{thread}")

    assert page_of(thread, shown=shown).threads[0].url == (
        f"https://desk.example/ORD-1001-A/{FIRST}"
    )


def test_the_operator_spoke_last_and_the_buyer_still_waits(page):
    """The sample of the facts: last_sender is no signal, shop_reply_needed_since is."""
    given = dict(page.given)[SECOND]

    assert (given.kind, given.act, given.asks) == ("message", "", True)
    assert given.starts_at == at("2026-03-01T18:00:00+00:00")
    assert given.as_of == at("2026-03-02T09:30:00+00:00")
    assert (given.due_at, given.read_at) == (None, NOW)


def test_what_the_operator_writes_to_the_buyer_alone_asks_nothing_of_the_shop(page):
    assert (of(page, "005").party, of(page, "005").kind) == (Party.MARKETPLACE, Kind.SYSTEM)
    assert (of(page, "006").party, of(page, "006").kind) == (Party.MARKETPLACE, Kind.MESSAGE)


def test_null_says_that_the_shop_has_replied(page):
    given = dict(page.given)[THIRD]

    assert (given.asks, given.starts_at) == (False, None)


def test_a_date_that_is_left_out_says_nothing(thread):
    del thread["metadata"]["shop_reply_needed_since"]

    assert page_of(thread).given == ()


def test_a_date_that_is_none_says_nothing_and_is_counted(thread):
    thread["metadata"]["shop_reply_needed_since"] = "soon"
    page = page_of(thread)

    assert page.given == ()
    assert [a.reason for a in page.set_aside] == ["metadata.shop_reply_needed_since: no date"]


def test_nothing_is_read_before_it_is_said(thread):
    thread["date_updated"] = "2026-03-02T12:00:07Z"
    (_, given) = page_of(thread).given[0]

    assert given.read_at == given.as_of == NOW + timedelta(seconds=7)


def test_no_reply_needed_is_a_mark_with_an_id_that_stays(page, thread):
    marks = [m for m in page.messages if m.kind is Kind.NO_REPLY_NEEDED]

    assert [(m.party, m.level, m.sent_at) for m in marks] == [
        (Party.SELLER, Level.CONFIRMED, at("2026-02-27T10:00:00+00:00")),
        (Party.MARKETPLACE, Level.CONFIRMED, at("2026-02-27T10:00:00+00:00")),
    ]
    thread["no_store_reply_needed"][0]["date"] = "2026-02-27T10:00:00.000Z"
    assert marks[0].id in {m.id for m in page_of(thread).messages}


@pytest.mark.parametrize(
    "click",
    [{"date": "2026-02-27T10:00:00Z", "user_type": "ROBOT"}, {"user_type": "SHOP"}, {}],
)
def test_a_mark_that_cannot_be_understood_ends_nothing_and_is_counted(thread, click):
    thread["no_store_reply_needed"] = [click]
    page = page_of(thread)

    assert [m for m in page.messages if m.kind is Kind.NO_REPLY_NEEDED] == []
    assert [a.reason for a in page.set_aside] == ["no_store_reply_needed: unknown"]


def test_an_unknown_sender_waits_as_a_buyer_and_is_counted(thread, entry):
    entry["from"]["type"] = "AI_ASSISTANT"
    page = page_of(thread)

    assert (of(page, "003").party, of(page, "003").kind) == (Party.BUYER, Kind.MESSAGE)
    assert [a.reason for a in page.set_aside] == ["messages.from.type: unknown"]


def test_a_reply_to_the_operator_only_is_addressed_to_him_only(thread):
    thread["messages"][1]["to"] = [{"type": "OPERATOR", "display_name": "Example operator"}]

    assert of(page_of(thread), "002").to == {Party.MARKETPLACE}


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ([{"type": "EXPERT", "id": "1"}], "messages.to.type: unknown"),
        ([], "messages.to: nobody"),
        (None, "messages.to: nobody"),
    ],
)
def test_a_reply_to_nobody_that_is_known_ends_nothing_and_is_counted(thread, to, reason):
    thread["messages"][1]["to"] = to
    page = page_of(thread)

    assert of(page, "002").to == frozenset()
    assert [a.reason for a in page.set_aside] == [reason]


def test_of_a_thread_that_comes_twice_the_newest_counts(thread):
    newer = deepcopy(thread)
    newer["date_updated"] = "2026-03-02T10:00:00Z"
    newer["metadata"]["shop_reply_needed_since"] = None
    page = page_of(newer, thread)

    assert [t.as_of for t in page.threads] == [at("2026-03-02T10:00:00+00:00")]
    assert [given.asks for _, given in page.given] == [False]
    assert len(page.messages) == 4


def test_a_message_that_is_in_two_threads_is_kept_in_one_and_counted(thread):
    other = deepcopy(thread) | {"id": "another", "no_store_reply_needed": []}
    other["messages"] = other["messages"][:1]
    page = page_of(thread, other)

    assert [m.thread for m in page.messages if m.id.endswith("001")] == [FIRST]
    (aside,) = page.set_aside
    assert aside.reason == "messages.id: in two threads"
    assert json.loads(aside.raw)["id"] == other["messages"][0]["id"]


def test_many_messages_in_two_threads_are_each_kept_aside_once_and_not_their_thread_each_time(
    thread,
):
    one, other = deepcopy(thread), deepcopy(thread) | {"id": "another"}
    for each in (one, other):
        each["messages"] = [{"id": f"m{n}", "body": "x" * 100} for n in range(1000)]
    page = page_of(one, other)

    twice = [a for a in page.set_aside if a.reason == "messages.id: in two threads"]
    assert len(twice) == 1000
    assert sum(len(aside.raw) for aside in twice) < 1000 * 1000


def test_what_messages_only_the_older_copy_of_a_thread_has_count_too(thread):
    newer = deepcopy(thread) | {"date_updated": "2026-03-02T10:00:00Z"}
    newer["messages"] = [newer["messages"][0] | {"id": "new", "body": "edited"}]
    older, both = deepcopy(thread), thread["messages"][0]["id"]
    newer["messages"].append(deepcopy(thread["messages"][0]) | {"body": "edited"})
    for copies in ([newer, older], [older, newer]):
        page = page_of(*deepcopy(copies))

        assert {m.id for m in page.messages} >= {"new", *(m["id"] for m in thread["messages"])}
        assert [m.body for m in page.messages if m.id == both] == ["edited"]
        assert [t.as_of for t in page.threads] == [at("2026-03-02T10:00:00+00:00")]


def test_clicks_that_mean_nothing_are_each_kept_aside(thread):
    thread["no_store_reply_needed"] = [{"date": "soon", "user_type": n} for n in ("A", "B", "B")]
    page = page_of(thread)

    assert len({a.source_id for a in page.set_aside}) == 2
    assert all(a.source_id.startswith(f"{FIRST}/") for a in page.set_aside)


def test_a_line_of_lone_surrogates_is_as_long_as_it_was(thread):
    thread["topic"] = {"type": "FREE_TEXT", "value": "\ud800" * 2000}
    thread["messages"][0]["body"] = "\udc00!"
    thread["messages"][0]["attachments"] = [{"id": "f", "name": "\udfff" * 2000}]
    page = page_of(thread)

    assert page.threads[0].subject == "\ufffd" * 2000
    assert page.messages[0].body == "\ufffd!"
    assert page.messages[0].attachments[0].name == "\ufffd" * 2000


@pytest.mark.parametrize("update", [None, "soon", "2036-03-02T09:30:00Z"])
def test_an_update_that_cannot_be_is_the_newest_date_of_the_thread(thread, update):
    thread["date_updated"] = update

    assert page_of(thread).threads[0].as_of == at("2026-03-02T09:30:00+00:00")


def test_a_thread_without_any_date_is_as_of_now(thread):
    thread["date_updated"], thread["messages"] = None, []

    assert page_of(thread).threads[0].as_of == NOW


@pytest.mark.parametrize(
    ("total", "came", "is_cut"),
    [(3, 3, False), (101, 100, True), (None, 100, True), (None, 99, False), (1, 0, True)],
)
def test_a_thread_is_cut_where_more_is_counted_than_came(thread, total, came, is_cut):
    thread["metadata"]["total_count"] = total
    thread["messages"] = [thread["messages"][0]] * came

    assert mapping.is_cut(ThreadPayload.model_validate(thread), 100) is is_cut


def test_lines_are_cut_to_what_a_line_may_hold(thread, entry):
    thread["topic"] = {"type": "FREE_TEXT", "value": "x" * 5000}
    thread["current_participants"][0]["display_name"] = "y" * 5000
    thread["entities"] = [{"type": "MMP_ORDER", "id": "é" * 999}]
    page = page_of(thread)

    assert (len(page.threads[0].subject or ""), len(page.threads[0].buyer)) == (2000, 2000)
    assert page.threads[0].url is None


def test_odd_text_is_stored(thread, entry):
    entry["body"] = "NUL \x00, a lone \ud800 and " + "z" * 10_000_000
    body = of(page_of(thread), "003").body

    assert body.startswith("NUL \ufffd, a lone \ufffd")
    assert len(body) > 10_000_000


@pytest.mark.parametrize("length", [500, 900])
def test_a_long_id_is_stored(thread, length):
    thread["id"] = "t" * length

    assert {m.thread for m in page_of(thread).messages} == {"t" * length}


@pytest.mark.parametrize("bad", ["t" * 901, "", "a\x00b", "a\ud800b", None, []])
def test_a_thread_whose_id_cannot_be_is_set_aside_and_its_neighbours_are_read(bad):
    threads = recorded("m11.json")["data"]
    threads[1]["id"] = bad
    read = salvage.read(Threads, {"data": threads})

    assert [t.id for t in read.value.data] == [FIRST, THIRD]
    assert [a.reason.partition(":")[0] for a in read.aside] == ["data.id"]


@pytest.mark.parametrize("field", ["current_participants", "entities", "no_store_reply_needed"])
@pytest.mark.parametrize("value", [None, "text", {"a": 1}, [7, None]])
def test_a_list_that_is_none_does_not_cost_the_thread(thread, field, value):
    thread[field] = deepcopy(value)
    read = salvage.read(Threads, {"data": [thread]})

    assert len(mapping.page(read.value.data, SHOWN, NOW).messages) >= 3
    assert bool(read.aside) == (value is not None)
