"""Bad days to order: each kind of fault, how often and for how long, on a real server."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from aiohttp import web

from core.sandbox.faults import Faults, plain_error
from core.sandbox.serve import Loopback

NOON = datetime(2026, 3, 2, 12, 0, 0, 250_999, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Stand:
    """A little marketplace: `list` gives three pages of two items, `add` counts what was done."""

    def __init__(self, clock: Clock) -> None:
        self.done = 0
        self.faults = Faults(clock, seed=7, continues=("offset",), onward="onward")
        routes = [
            web.get("/shop/list", self.list, name="L1"),
            web.post("/shop/add", self.add, name="A1"),
        ]
        self.server = Loopback(routes, self.faults, clock, forms=self.forms)

    async def forms(self, request, answer):
        try:
            return await answer(request)
        except web.HTTPException as unknown:
            return web.json_response(plain_error(unknown.status), status=unknown.status)

    async def list(self, request):
        page = int(request.query.get("offset", 0))
        items = [{"id": f"{page}-{n}", "body": "Grüße", "meta": {"total": 2}} for n in (1, 2)]
        content = {"data": items, "at": self.server.now().isoformat()}
        if page < 2:
            content["next"] = page + 1
            content["onward"] = str(page + 1)
        return web.json_response(content)

    async def add(self, request):
        self.done += 1
        return web.json_response({"done": self.done}, status=201)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def stand(clock):
    stand = Stand(clock)
    async with stand.server:
        yield stand


@pytest.fixture
async def session():
    # a client that reuses a connection quietly tries a cut GET once more
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
def ask(stand, session):
    async def ask(path="/shop/list", method="GET"):
        async with session.request(method, stand.server.url + path) as answer:
            return answer.status, answer.headers, await answer.read()

    return ask


async def statuses(ask, times, path="/shop/list"):
    return [(await ask(path))[0] for _ in range(times)]


async def test_without_an_order_all_goes_well(ask):
    status, headers, body = await ask()

    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    assert [item["id"] for item in json.loads(body)["data"]] == ["0-1", "0-2"]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 429, 500, 502, 503])
async def test_an_error_comes_with_its_status_and_the_marketplaces_body(stand, ask, code):
    stand.faults.order("status", status=code)

    status, headers, body = await ask()

    assert (status, json.loads(body)) == (code, plain_error(code))
    assert "Retry-After" not in headers


@pytest.mark.parametrize("wait", [2, "Mon, 02 Mar 2026 12:00:09 GMT"])
async def test_retry_after_is_sent_as_ordered(stand, ask, wait):
    stand.faults.order("status", status=429, retry_after=wait)

    assert (await ask())[1]["Retry-After"] == str(wait)


async def test_a_burst_ends_after_its_count_and_begins_after_its_skip(stand, ask):
    stand.faults.order("status", status=429, skip=1, count=2)

    assert await statuses(ask, 5) == [200, 429, 429, 200, 200]


async def test_a_rule_is_in_force_for_its_seconds(stand, ask, clock):
    stand.faults.order("status", status=503, seconds=30)
    before = await statuses(ask, 1)
    clock.advance(30)

    assert before + await statuses(ask, 1) == [503, 200]


async def test_a_share_is_drawn_from_the_seed(stand, ask, clock):
    stand.faults.order("status", status=500, share=0.3)
    first = await statuses(ask, 40)
    again = Faults(clock, seed=7)
    again.order("status", status=500, share=0.3)
    drawn = [500 if again.pick("L1", "/shop/list") else 200 for _ in range(40)]

    assert first == drawn
    assert 4 <= first.count(500) <= 20


async def test_a_rule_hits_only_the_operation_and_the_path_that_it_names(stand, ask):
    stand.faults.order("status", status=500, operation="A*")
    stand.faults.order("status", status=502, path="/shop/li*")

    assert (await ask("/shop/add", "POST"))[0] == 500
    assert (await ask())[0] == 502
    assert (await ask("/elsewhere"))[0] == 404


async def test_a_refused_request_is_not_carried_out_unless_so_ordered(stand, ask):
    first = stand.faults.order("status", status=502)
    await ask("/shop/add", "POST")
    refused = stand.done
    stand.faults.lift(first)
    stand.faults.order("status", status=502, after_work=True)

    assert (await ask("/shop/add", "POST"))[0] == 502
    assert (refused, stand.done) == (0, 1)


async def test_an_html_page_comes_instead_of_json(stand, ask):
    stand.faults.order("html", status=200)

    status, headers, body = await ask()

    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert body.startswith(b"<!doctype html>")


async def test_a_slow_answer_is_carried_out_and_comes_late(stand, ask):
    stand.faults.order("slow", delay=0.15)
    begun = asyncio.get_running_loop().time()

    status, _, _ = await ask("/shop/add", "POST")

    assert (status, stand.done) == (201, 1)
    assert asyncio.get_running_loop().time() - begun >= 0.14


async def test_the_server_closes_although_an_answer_still_hangs(clock):
    stand = Stand(clock)
    begun = asyncio.get_running_loop().time()
    async with stand.server:
        stand.faults.order("slow", delay=60)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.1)) as session:
            with pytest.raises(TimeoutError):
                await session.get(stand.server.url + "/shop/list")

    assert asyncio.get_running_loop().time() - begun < 5


async def test_a_dropped_request_was_not_carried_out(stand, ask):
    stand.faults.order("drop")

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await ask("/shop/add", "POST")
    assert stand.done == 0
    assert [one.status for one in stand.server.received] == [None]


async def test_a_reset_request_was_carried_out_and_its_answer_stops_in_the_middle(stand, ask):
    stand.faults.order("reset")

    with pytest.raises(aiohttp.ClientPayloadError):
        await ask("/shop/add", "POST")
    assert stand.done == 1


async def test_truncated_json_is_a_whole_answer_that_cannot_be_read(stand, ask):
    stand.faults.order("truncated")

    status, _, body = await ask()

    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_a_garbled_body_is_no_utf_8(stand, ask):
    stand.faults.order("garbled")

    with pytest.raises(UnicodeDecodeError):
        (await ask())[2].decode()


async def test_a_missing_field_is_missing_in_each_item_or_in_one(stand, ask):
    number = stand.faults.order("missing", field="data.meta.total")
    everywhere = json.loads((await ask())[2])["data"]
    stand.faults.lift(number)
    stand.faults.order("missing", field="data.0.id")
    first, second = json.loads((await ask())[2])["data"]

    assert [item["meta"] for item in everywhere] == [{}, {}]
    assert ("id" in first, "id" in second) == (False, True)


async def test_a_huge_body_is_still_the_same_json(stand, ask):
    stand.faults.order("huge", size=3_000_000)

    body = (await ask())[2]

    assert len(body) > 3_000_000
    assert len(json.loads(body)["data"]) == 2


async def test_pages_come_twice_and_the_walk_still_ends_with_everything(stand, ask):
    stand.faults.order("duplicate")
    seen: list[str] = []
    position, pages = 0, 0
    while position is not None:
        page = json.loads(
            (await ask(f"/shop/list?offset={position}" if position else "/shop/list"))[2]
        )
        seen += [item["id"] for item in page["data"]]
        position, pages = page.get("next"), pages + 1

    assert sorted(set(seen)) == ["0-1", "0-2", "1-1", "1-2", "2-1", "2-2"]
    assert len(seen) > 6
    assert pages > 3


async def walked(ask, pages=9):
    """The ids of a walk, by page; at most so many pages."""
    seen, position = [], None
    for _ in range(pages):
        _, _, body = await ask("/shop/list" + (f"?offset={position}" if position else ""))
        page = json.loads(body)
        seen.append([item["id"] for item in page["data"]])
        position = page.get("onward")
        if position is None:
            break
    return seen


async def test_swapped_pages_come_in_the_wrong_order_and_all_of_them(stand, ask):
    stand.faults.order("swapped")

    assert await walked(ask) == [["1-1", "1-2"], ["0-1", "0-2"], ["2-1", "2-2"]]


async def test_a_walk_that_broke_off_between_swapped_pages_begins_anew(stand, ask):
    stand.faults.order("swapped")
    await walked(ask, pages=1)

    assert sorted(await walked(ask)) == [["0-1", "0-2"], ["1-1", "1-2"], ["2-1", "2-2"]]


async def test_a_circle_leads_from_a_page_to_itself(stand, ask):
    stand.faults.order("circle")

    assert await walked(ask, pages=4) == [["0-1", "0-2"], *[["1-1", "1-2"]] * 3]


@pytest.mark.parametrize("kind", ["drip", "endless"])
async def test_an_answer_that_never_ends_goes_on_until_nobody_listens(stand, session, kind):
    stand.faults.order(kind, delay=0.001)
    async with session.get(stand.server.url + "/shop/list") as answer:
        read = [await answer.content.readany() for _ in range(200)]

    assert answer.status == 200
    assert all(read), "there is always more"
    assert b"".join(read).startswith(b'{"data": [{"id": "0-1"')
    stand.faults.lift()
    async with session.get(stand.server.url + "/shop/list") as answer:
        assert answer.status == 200


async def test_a_skewed_clock_shows_in_the_date_and_in_the_timestamps(stand, ask):
    number = stand.faults.order("skew", by=-3600)

    _, headers, body = await ask()

    assert parsedate_to_datetime(headers["Date"]) == NOON.replace(hour=11, microsecond=0)
    assert json.loads(body)["at"] == "2026-03-02T11:00:00.250000+00:00"
    stand.faults.lift(number)
    assert parsedate_to_datetime((await ask())[1]["Date"]) == NOON.replace(microsecond=0)


async def test_the_first_rule_that_hits_decides(stand, ask):
    stand.faults.order("status", status=500, count=1)
    stand.faults.order("status", status=503, count=1)

    assert await statuses(ask, 3) == [500, 503, 200]


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "missing"}, {"kind": "skew"}, {"kind": "nonsense"}, {"kind": "slow", "dely": 2}],
)
async def test_an_order_that_makes_no_sense_is_refused(stand, session, wrong):
    async with session.post(stand.server.url + "/_sandbox/faults", json=wrong) as answer:
        assert answer.status == 400
        assert "message" in await answer.json()


async def test_faults_are_ordered_listed_and_lifted_by_http(stand, session, ask):
    faults = stand.server.url + "/_sandbox/faults"
    rule = {"kind": "status", "status": 429, "retry_after": 1, "operation": "L1"}
    async with session.post(faults, json=rule) as answer:
        number = (await answer.json())["id"]
        assert answer.status == 201
    assert (await ask())[0] == 429
    async with session.get(faults) as answer:
        listed = await answer.json()
    async with session.delete(f"{faults}/{number}") as answer:
        assert answer.status == 204

    assert listed == [{"id": number, **rule, "until": None, "seen": 1, "hits": 1}]
    assert (await ask())[0] == 200


async def test_all_faults_are_lifted_at_once_and_never_hit_the_control_itself(stand, session, ask):
    stand.faults.order("drop")
    stand.faults.order("skew", by=100)
    async with session.delete(stand.server.url + "/_sandbox/faults") as answer:
        assert answer.status == 204

    assert (await ask())[0] == 200
    assert stand.faults.skew() == timedelta(0)


async def test_requests_are_recorded_without_their_headers(stand, session):
    stand.faults.order("status", status=500)
    async with session.get(
        stand.server.url + "/shop/list?offset=1", headers={"Authorization": "a-key"}
    ) as answer:
        await answer.read()
    async with session.get(stand.server.url + "/_sandbox/requests") as answer:
        text = await answer.text()

    assert "a-key" not in text
    assert json.loads(text) == [
        {
            "at": NOON.isoformat(),
            "operation": "L1",
            "method": "GET",
            "path": "/shop/list",
            "query": {"offset": "1"},
            "status": 500,
            "fault": "status",
        }
    ]
