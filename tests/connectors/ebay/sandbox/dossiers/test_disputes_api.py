"""Payment disputes over HTTP: host, windows of 90 days, pages, answers; held to the contract."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from openapi_schema_validator import OAS30Validator

FILE = "specs/ebay/sell_fulfillment_v1_oas3.json"
BASE = "/sell/fulfillment/v1"
LIST = f"{BASE}/payment_dispute_summary"


def faults(content, name):
    """What of *content* does not fit eBay's schema *name*; a field that it does not know too."""
    shared = Path(__file__).resolve().parents[6] / "shared"
    whole = json.loads((shared / FILE).read_text(encoding="utf-8"))
    for schema in whole["components"]["schemas"].values():
        schema.setdefault("additionalProperties", False)
    schema = {"$ref": f"#/components/schemas/{name}", "components": whole["components"]}
    validator = OAS30Validator(schema)
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(content)]


@pytest.fixture
def ask(call):
    async def ask(path=LIST, **query):
        return await call(path, host="apiz", scheme="Bearer", params=query, site="")

    return ask


def ids(answer):
    status, page = answer
    assert status == 200, page
    return [one["paymentDisputeId"] for one in page["paymentDisputeSummaries"]]


def at(instant):
    return instant.isoformat().replace("+00:00", "Z")


async def test_disputes_are_on_a_host_of_their_own(call):
    """Trap 34: ``api.`` does not know them; and ``IAF`` is wrong here."""
    assert (await call(LIST, scheme="Bearer"))[0] == 404
    assert (await call(LIST, host="apiz", scheme="IAF"))[0] == 401


@pytest.mark.needs_shared(FILE)
async def test_all_that_is_answered_fits_the_contract(ask, desk):
    needed, contested, lost = (desk.open_dispute("Never came") for _ in range(3))
    contested.seller_responds("CONTEST", 1)
    lost.seller_responds("ACCEPT", 1)

    for query in ({}, {"limit": 1}, {"limit": 1, "offset": 1}):
        _, page = await ask(**query)
        assert faults(page, "DisputeSummaryResponse") == []
    for one in (needed, contested, lost):
        _, shown = await ask(f"{BASE}/payment_dispute/{one.id}")
        assert faults(shown, "PaymentDispute") == []
        _, log = await ask(f"{BASE}/payment_dispute/{one.id}/activity")
        assert faults(log, "PaymentDisputeActivityHistory") == []


@pytest.mark.needs_shared(FILE)
def test_the_contract_finds_faults():
    assert faults({"total": "1"}, "DisputeSummaryResponse") != []
    assert faults({"colour": 1}, "PaymentDispute") != []


async def test_there_is_a_date_to_answer_by_only_while_an_answer_is_needed(ask, desk):
    one = desk.open_dispute()
    _, page = await ask()
    assert page["paymentDisputeSummaries"][0]["respondByDate"] == "2026-11-25T10:00:00.000Z"

    one.seller_responds("CONTEST", 1)

    _, page = await ask()
    assert "respondByDate" not in page["paymentDisputeSummaries"][0]


async def test_the_list_is_walked_in_pages_and_told_by_status(ask, desk, clock):
    made = []
    for _ in range(5):
        made.append(desk.open_dispute())
        clock.advance(minutes=1)
    made[0].seller_responds("CONTEST", 1)

    assert ids(await ask(limit=2)) == [made[4].id, made[3].id]
    assert ids(await ask(limit=2, offset=4)) == [made[0].id]
    assert ids(await ask(payment_dispute_status="OPEN")) == [made[0].id]
    assert len(ids(await ask(payment_dispute_status=["OPEN", "ACTION_NEEDED"]))) == 5
    _, page = await ask(limit=2)
    assert "offset=2" in page["next"]
    assert "prev" not in page


@pytest.mark.parametrize(
    "bad",
    [{"limit": 0}, {"limit": 201}, {"offset": "x"}, {"payment_dispute_status": "SHRUG"},
     {"open_date_from": "soon"}],
)  # fmt: skip
async def test_parameters_are_kept(ask, bad):
    status, said = await ask(**bad)

    assert (status, said["errors"][0]["errorId"]) == (400, 33001)


async def test_a_window_has_90_days_at_most(ask, desk, clock):
    old = desk.open_dispute()
    begun = clock()
    clock.advance(days=100)
    new = desk.open_dispute()

    def window(since, before):
        return {"open_date_from": at(since), "open_date_to": at(before)}

    too_long = window(begun, clock())
    assert (await ask(**too_long))[0] == 400
    far = window(clock() - timedelta(days=549), clock() - timedelta(days=500))
    assert (await ask(**far))[0] == 400
    assert ids(await ask(open_date_from=at(begun))) == [old.id]
    assert ids(await ask(**window(clock() - timedelta(days=90), clock()))) == [new.id]


async def test_an_order_puts_other_filters_out_of_force(ask, desk):
    one = desk.open_dispute()
    desk.open_dispute()

    assert ids(await ask(order_id=one.order.id, payment_dispute_status="CLOSED")) == [one.id]


async def test_a_buyer_may_be_asked_for_by_name_or_id(ask, desk):
    one = desk.open_dispute()
    desk.open_dispute()

    assert ids(await ask(buyer_username=one.buyer.name)) == [one.id]
    assert ids(await ask(buyer_username=one.buyer.user_id)) == [one.id]


async def test_the_list_slips_as_the_others_do(ask, desk):
    one = desk.open_dispute()
    desk.slip(one.KIND, "error_inside")
    status, said = await ask()
    assert (status, said["errors"][0]["errorId"]) == (200, 33000)

    desk.slip(one.KIND, "empty")
    assert ids(await ask()) == []
    assert ids(await ask()) == [one.id]


async def test_answers_need_the_newest_revision(call, desk):
    one = desk.open_dispute()
    path = f"{BASE}/payment_dispute/{one.id}"

    async def answer(how, said):
        status, _ = await call(f"{path}/{how}", "POST", host="apiz", scheme="Bearer", json=said)
        return status

    assert await answer("contest", {}) == 400
    assert await answer("contest", {"revision": 7}) == 409
    assert await answer("contest", {"revision": 1}) == 204
    assert await answer("accept", {"revision": 2}) == 409
    assert (one.seller_response, one.status) == ("CONTEST", "OPEN")


async def test_an_unknown_dispute_is_not_found(ask):
    status, said = await ask(f"{BASE}/payment_dispute/42")

    assert (status, said["errors"][0]["errorId"]) == (404, 33001)
