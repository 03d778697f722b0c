"""Post-Order over HTTP: schemes, forms, searches with their traps, and what the seller may do."""

from __future__ import annotations

from datetime import timedelta

import pytest

KINDS = {
    "inquiry": ("open_inquiry", "members", "inquiryId"),
    "return": ("open_return", "members", "returnId"),
    "cancellation": ("open_cancellation", "cancellations", "cancelId"),
    "casemanagement": ("open_case", "members", "caseId"),
}


def opened(desk, kind, **how):
    return getattr(desk, KINDS[kind][0])(**how)


def ids(kind, page):
    _, items, name = KINDS[kind]
    return [str(one[name]) for one in page[items]]


@pytest.mark.parametrize("kind", KINDS)
async def test_only_iaf_opens_post_order(call, kind):
    """Trap 34: ``Bearer`` is refused in eBay's own words."""
    status, said = await call(f"/post-order/v2/{kind}/search", scheme="Bearer")

    assert status == 401
    assert said["errors"][0]["message"] == "Bad scheme: Bearer"


@pytest.mark.parametrize("kind", KINDS)
async def test_the_site_must_be_named(call, kind):
    status, said = await call(f"/post-order/v2/{kind}/search", site="")

    assert status == 400
    assert said["errorMessage"]["error"][0]["parameter"][0]["value"] == "X-EBAY-C-MARKETPLACE-ID"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_search_and_a_look_tell_the_same_dossier(ask, desk, kind):
    one = opened(desk, kind)

    assert ids(kind, await ask(f"/{kind}/search")) == [one.id]
    assert one.id in str(await ask(f"/{kind}/{one.id}"))


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unknown_id_is_not_found(call, desk, kind):
    opened(desk, kind)
    status, said = await call(f"/post-order/v2/{kind}/42")

    assert (status, said["errorMessage"]["error"][0]["httpStatusCode"]) == (404, "404")


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_sees_the_dossiers_of_others(call, sandbox, desk, kind):
    one, other = opened(desk, kind), sandbox.market.add_seller("shop-c")

    status, page = await call(f"/post-order/v2/{kind}/search", by=other)
    assert (status, ids(kind, page)) == (200, [])
    assert (await call(f"/post-order/v2/{kind}/{one.id}", by=other))[0] == 404


@pytest.mark.parametrize("kind", KINDS)
async def test_pages_are_walked_by_offset_newest_first(ask, desk, clock, kind):
    made = []
    for _ in range(7):
        made.append(opened(desk, kind).id)
        clock.advance(minutes=1)

    pages = [await ask(f"/{kind}/search", limit=3, offset=place) for place in (0, 3, 6)]

    assert [name for page in pages for name in ids(kind, page)] == made[::-1]
    assert pages[0]["paginationOutput"] == {
        "offset": 0, "limit": 3, "totalEntries": 7, "totalPages": 3,
    }  # fmt: skip


async def test_the_total_of_returns_is_that_of_the_page_alone(ask, desk):
    """As seen in the wild: only `paginationOutput` counts all."""
    for _ in range(3):
        desk.open_return()

    page = await ask("/return/search", limit=2)

    assert (page["total"], page["paginationOutput"]["totalEntries"]) == (2, 3)


@pytest.mark.parametrize("bad", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"offset": -1}])
async def test_limits_are_kept(call, bad):
    assert (await call("/post-order/v2/inquiry/search", params=bad))[0] == 400


@pytest.mark.parametrize(
    ("kind", "since", "before"),
    [
        ("inquiry", "inquiry_creation_date_range_from", "inquiry_creation_date_range_to"),
        ("return", "creation_date_range_from", "creation_date_range_to"),
        ("cancellation", "creation_date_range_from", "creation_date_range_to"),
        ("casemanagement", "case_creation_date_range_from", "case_creation_date_range_to"),
    ],
)
async def test_a_window_without_an_end_is_90_days_long(ask, call, desk, clock, kind, since, before):
    begun = clock()
    opened(desk, kind)
    clock.advance(days=100)
    new = opened(desk, kind)

    def at(instant):
        return instant.isoformat().replace("+00:00", "Z")

    from_begin = {since: at(begun - timedelta(days=1))}
    assert new.id not in ids(kind, await ask(f"/{kind}/search", **from_begin))
    both = {**from_begin, before: at(clock())}
    assert new.id in ids(kind, await ask(f"/{kind}/search", **both))

    for wrong in (
        {since: at(clock() - timedelta(days=549)), before: at(clock())},
        {since: at(clock()), before: at(begun)},
        {since: "yesterday"},
        {since: "2026-11-20T10:00:00"},
    ):
        assert (await call(f"/post-order/v2/{kind}/search", params=wrong))[0] == 400, wrong


async def test_filters_of_inquiries_have_an_effect(ask, desk):
    one, two = desk.open_inquiry(), desk.open_inquiry()
    two.seller_writes("It left.")

    async def found(**query):
        return ids("inquiry", await ask("/inquiry/search", **query))

    assert await found(item_id=one.order.item) == [one.id]
    assert await found(transaction_id=two.order.transaction) == [two.id]
    assert await found(order_id=one.order.id) == [one.id]
    assert await found(inquiry_status="WAITING_BUYER_RESPONSE") == [two.id]
    assert sorted(await found(inquiry_status="OPEN")) == [one.id, two.id]


async def test_filters_of_case_search_have_none_for_items(ask, desk):
    """Trap 35: who asks for one item is told about all of them."""
    one, two = desk.open_case(), desk.open_case()

    page = await ask(
        "/casemanagement/search", item_id=one.order.item, transaction_id=one.order.transaction
    )

    assert sorted(ids("casemanagement", page)) == [one.id, two.id]
    assert ids(
        "casemanagement", await ask("/casemanagement/search", order_id=one.order.id)
    ) == [one.id]  # fmt: skip


async def test_misspelt_filters_filter_nothing(ask, desk):
    desk.open_inquiry()

    page = await ask("/inquiry/search", inquiryStatus="CLOSED", itemId="1")

    assert page["totalNumberOfInquiries"] == 1


async def test_open_returns_leave_the_list_when_they_close(ask, desk):
    one, two = desk.open_return(), desk.open_return()
    two.buyer_closes()

    assert ids("return", await ask("/return/search", return_state="ALL_OPEN")) == [one.id]
    assert ids("return", await ask("/return/search", return_state="CLOSED")) == [two.id]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_search_may_answer_200_with_an_error_inside(ask, desk, kind):
    """Trap 35: that is no "nothing is open"."""
    one = opened(desk, kind)
    desk.slip(one.KIND, "error_inside")

    assert (await ask(f"/{kind}/search"))["errorMessage"]["error"][0]["category"] == "APPLICATION"
    assert ids(kind, await ask(f"/{kind}/search")) == [one.id]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_search_may_come_back_empty_for_no_reason(ask, desk, kind):
    """Trap 35: neither is an empty page."""
    one = opened(desk, kind)
    desk.slip(one.KIND, "empty", 2)

    pages = [await ask(f"/{kind}/search") for _ in range(3)]

    assert [ids(kind, page) for page in pages] == [[], [], [one.id]]


async def test_dates_are_objects_and_ids_are_numbers_in_lists(ask, desk):
    """Trap 36."""
    one = desk.open_inquiry("Where is it?")
    [listed] = (await ask("/inquiry/search"))["members"]
    shown = await ask(f"/inquiry/{one.id}")

    assert listed["respondByDate"] == {
        "value": "2026-11-25T23:59:59.000Z", "formattedValue": "Nov 25, 2026 23:59:59 GMT",
    }  # fmt: skip
    assert (listed["inquiryId"], shown["inquiryId"]) == (int(one.id), one.id)
    assert shown["sellerMakeItRightByDate"] == listed["respondByDate"]
    assert shown["inquiryHistoryDetails"]["history"] == [
        {
            "action": "Buyer opened a request",
            "actor": "BUYER",
            "date": {
                "value": "2026-11-20T10:00:00.000Z",
                "formattedValue": "Nov 20, 2026 10:00:00 GMT",
            },
            "description": "Where is it?",
        }
    ]


async def test_a_return_tells_what_is_asked_until_when(ask, desk):
    one = desk.open_return("Broken")
    [listed] = (await ask("/return/search"))["members"]

    assert listed["sellerResponseDue"]["activityDue"] == "SELLER_APPROVE_REQUEST"
    assert listed["sellerResponseDue"]["respondByDate"]["value"] == "2026-11-25T23:59:59.000Z"
    assert listed["creationInfo"]["comments"] == {"content": "Broken", "language": "en"}
    shown = await ask(f"/return/{one.id}")
    assert shown["summary"] == listed
    [said] = shown["detail"]["responseHistory"]
    assert (said["activity"], said["author"], said["notes"]) == (
        "BUYER_CREATE_RETURN", "BUYER", "Broken",
    )  # fmt: skip
    assert "detail" not in await ask(f"/return/{one.id}", fieldgroups="SUMMARY")


async def test_a_date_may_be_left_out(ask, desk):
    """What the marked fallback is for."""
    for kind in KINDS:
        opened(desk, kind, is_vague=True)

    assert "respondByDate" not in (await ask("/inquiry/search"))["members"][0]
    due = (await ask("/return/search"))["members"][0]["sellerResponseDue"]
    assert due == {"activityDue": "SELLER_APPROVE_REQUEST"}
    assert "sellerResponseDueDate" not in (await ask("/cancellation/search"))["cancellations"][0]
    assert "respondByDate" not in (await ask("/casemanagement/search"))["members"][0]


async def test_words_of_tomorrow_may_be_ordered(ask, desk):
    """Trap 46."""
    one = desk.open_return()
    one.speak_oddly(state="RETURN_WITHDRAWN_EU", status="EU_WITHDRAWAL")

    shown = (await ask(f"/return/{one.id}"))["summary"]

    assert (shown["state"], shown["status"]) == ("RETURN_WITHDRAWN_EU", "EU_WITHDRAWAL")


async def test_members_may_be_told_by_immutable_ids_alone(ask, sandbox, desk):
    buyer = sandbox.market.add_member("buyer-a", is_opaque=True)
    desk.open_inquiry(buyer=buyer)

    assert (await ask("/inquiry/search"))["members"][0]["buyer"] == buyer.user_id


async def test_a_cancellation_tells_its_history(ask, desk):
    one = desk.open_cancellation()
    one.seller_approves()
    one.is_refunded()

    detail = (await ask(f"/cancellation/{one.id}"))["cancelDetail"]
    steps = [(a["activityType"], a["cancelStateTo"]) for a in detail["activityHistories"]]

    assert steps == [
        ("BUYER_CREATE_CANCEL", "APPROVAL_PENDING"),
        ("SELLER_APPROVE", "REFUND_PENDING"),
        ("SYSTEM_NOTIFY_REFUND_STATUS", "CLOSED"),
    ]
    summary = (await ask(f"/cancellation/{one.id}", fieldgroups="SUMMARY"))["cancelDetail"]
    assert "activityHistories" not in summary


async def test_a_case_counts_days_and_names_its_return(ask, desk):
    made = desk.open_return()
    one = desk.escalate(made.id, "Help")
    shown = await ask(f"/casemanagement/{one.id}")

    assert (shown["caseType"], shown["returnId"]) == ("RETURN", made.id)
    assert shown["actionDeadlines"] == {"daysToExpireWithoutResponse": 2}
    assert (await ask(f"/return/{made.id}"))["summary"]["escalationInfo"]["caseId"] == one.id


@pytest.mark.parametrize("kind", ["inquiry", "return"])
async def test_the_seller_writes_by_the_api(send, desk, kind):
    one = opened(desk, kind)

    status, said = await send(f"/{kind}/{one.id}/send_message", {"message": {"content": "Hi"}})

    assert (status, said) == (200, None)
    assert (one.history[-1].actor, one.history[-1].text) == ("SELLER", "Hi")


@pytest.mark.parametrize(
    "said",
    [{}, {"message": "Hi"}, {"message": {"content": " "}}, {"message": {"content": "x" * 2001}}],
)
async def test_a_message_must_be_one(send, desk, said):
    one = desk.open_inquiry()

    assert (await send(f"/inquiry/{one.id}/send_message", said))[0] == 400
    assert len(one.history) == 1


async def test_the_seller_acts_by_the_api(send, desk):
    shipped, refunded, escalated = (desk.open_inquiry() for _ in range(3))
    decided, approved, rejected = (
        desk.open_return(), desk.open_cancellation(), desk.open_cancellation(),
    )  # fmt: skip
    tracked, paid = desk.open_case(), desk.open_case()
    parcel = {"shippingCarrierName": "DHL", "trackingNumber": "123"}

    for path, said in (
        (f"/inquiry/{shipped.id}/provide_shipment_info", parcel),
        (f"/inquiry/{refunded.id}/issue_refund", {"comments": {"content": "Sorry"}}),
        (f"/inquiry/{escalated.id}/escalate", {}),
        (f"/return/{decided.id}/decide", {"decision": "APPROVE"}),
        (f"/return/{decided.id}/issue_refund", {}),
        (f"/cancellation/{approved.id}/approve", {}),
        (f"/cancellation/{rejected.id}/reject", {}),
        (f"/casemanagement/{tracked.id}/provide_shipment_info", parcel),
        (f"/casemanagement/{paid.id}/issue_refund", {}),
    ):
        status, answer = await send(path, said)
        assert status == 200, (path, answer)

    assert shipped.tracking == ("DHL", "123")
    assert [refunded.status, escalated.status] == ["CLOSED", "CLOSED_WITH_ESCALATION"]
    assert [decided.state, approved.status, rejected.status] == [
        "CLOSED", "CANCEL_PENDING", "CANCEL_REJECTED",
    ]  # fmt: skip
    assert [tracked.status, paid.status] == ["WAITING_CS", "CLOSED"]


async def test_what_does_not_fit_the_state_is_refused(send, desk):
    one = desk.open_return()
    one.buyer_closes()

    status, said = await send(f"/return/{one.id}/decide", {"decision": "APPROVE"})

    assert (status, said["errorMessage"]["error"][0]["message"]) == (400, "The return is closed")
    assert (await send(f"/return/{one.id}/decide", {"decision": "SHRUG"}))[0] == 400
