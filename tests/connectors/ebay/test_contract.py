"""Every request that we make fits eBay's own contracts: all of them are made here, and held up."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from aiohttp import web

from connectors.ebay import identity, limits, offer, spec
from connectors.ebay.dossiers import sources
from connectors.ebay.messages import answering, marking, media, reading
from connectors.ebay.push import pushes
from connectors.ebay.sandbox.applications import SCOPE
from connectors.ebay.trading import fallback
from core.connector import PushRequest, Transport
from core.model import Draft, File
from core.stage import Watch, walk
from core.transport import oauth
from core.transport.http import Http
from tests.connectors.ebay import contract
from tests.connectors.standing import QUICK

TOKEN = "a-verification-token-of-thirty-two-signs"
PICTURE = File("label.png", b"\x89PNG\r\n\x1a\n...", "image/png")
LABEL = File("label.pdf", media_type="application/pdf", url="https://files.shop.example/label.pdf")


@pytest.fixture
async def address():
    """An endpoint for pushes that *connector* answers."""
    made = SimpleNamespace(connector=None, options=None, now=None, outcomes=[])

    async def answer(request):
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = PushRequest(
            request.method, request.path, dict(request.query), headers, await request.read(),
            {"shop": made.options},
        )  # fmt: skip
        receipt = await made.connector.receive(told, made.now)
        made.outcomes.append(receipt.outcome)
        return web.Response(status=receipt.status, headers=receipt.headers, body=receipt.body)

    app = web.Application()
    app.add_routes([web.route(m, "/push/ebay/shop", answer) for m in ("GET", "POST")])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/push/ebay/shop"
    yield made
    await runner.cleanup()


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def transport(session, watch):
    return Transport(Http(session, watch, limits=QUICK))


async def read_all(connector, options, now):
    """All streams, twice: the second time from the cursor, a while later."""
    threads = {}
    for stream in spec.streams(options):
        found = await walk(connector, stream.name, None, now)
        threads |= found.threads
        again = await walk(connector, stream.name, found.cursor, now + timedelta(minutes=10))
        threads |= again.threads
    return threads


def draft(thread, now, *files):
    return Draft(
        id=1, account="shop", thread=thread.id, body="It left today.", queued_at=now, files=files
    )  # fmt: skip


def fill(seller, sandbox, now):
    """More than a page of conversations, one longer than a page, and a dossier of each kind."""
    buyer = sandbox.market.add_member("buyer-a")
    made = [seller.asked(buyer, "Where is it?", at=now - timedelta(hours=2)) for _ in range(60)]
    for n in range(60):
        seller.buyer_writes(made[0], f"Hello? {n}", at=now - timedelta(minutes=90 - n))
    seller.ebay_writes("Our rules change", at=now - timedelta(hours=1))
    desk, at = seller.desk, now - timedelta(days=1)
    opened = [
        open_(buyer=buyer, at=at)
        for open_ in (desk.open_inquiry, desk.open_return, desk.open_cancellation, desk.open_case,
                      desk.open_dispute)
    ]  # fmt: skip
    return made, opened


async def use_by_rest(options, transport, sandbox, seller, address, now):
    conversations, dossiers = fill(seller, sandbox, now)
    connector = spec.open(options, transport)
    address.connector, address.options, address.now = connector, options, now
    await connector.check()
    threads = await read_all(connector, options, now)
    await connector.look(sorted(threads), now)
    for id_ in (conversations[0].id, *(t for t in threads if t.startswith(("inquiry", "return")))):
        files = (PICTURE, LABEL) if id_ in {one.id for one in conversations} else ()
        await connector.reply(threads[id_], draft(threads[id_], now, *files), now)
    await connector.mark_read([threads[conversations[0].id]])
    await connector.mark_read([threads[one.id] for one in conversations[:12]])
    assert len(dossiers) == 5
    return connector


async def set_pushes_up(connector, seller):
    """Once; then again, with all of it switched off by eBay."""
    told = seller.application.subscribed
    assert [line async for line in connector.subscribe("ops@shop.example", None)]
    for one in (*told.destinations.values(), *told.subscriptions.values()):
        one.status = "DISABLED"
    assert [line async for line in connector.subscribe(None, None)]


async def use_by_trading(options, transport, sandbox, seller, now):
    buyer = sandbox.market.add_member("buyer-b")
    asked, written = (seller.asked(buyer, "Where?", at=now - timedelta(hours=1)) for _ in range(2))
    seller.exchanges.from_mail.add(written.latest.id)
    connector = spec.open(options, transport)
    await connector.check()
    threads = await read_all(connector, options, now)
    spoken = [one for one in threads.values() if one.id.startswith(offer.BY_TRADING)]
    assert {one.id.partition(":")[0] for one in spoken} == {"exchange", "letter"}, asked
    await connector.look([one.id for one in spoken], now)
    for one in spoken:
        await connector.reply(one, draft(one, now), now)


@pytest.mark.needs_shared(contract.FOLDER)
async def test_every_request_that_we_make_fits_ebays_contracts(
    sandbox, seller, optioned, transport, watch, clock, address
):
    older = sandbox.market.add_seller("older", scopes=[SCOPE, f"{SCOPE}/sell.payment.dispute"])
    push = {"endpoint": address.url, "verification_token": TOKEN}

    rest = optioned(push=push)
    connector = await use_by_rest(rest, transport, sandbox, seller, address, clock())
    await set_pushes_up(connector, seller)
    clock.advance(seconds=5)
    await sandbox.pushes.deliver()
    await use_by_trading(optioned(older, messages_by="trading"), transport, sandbox, older, clock())

    ours = [one for one in sandbox.heard if not one.path.startswith("/_sandbox")]
    wrong = {
        f"{one.operation} {one.path}": faults
        for one in ours
        if contract.has_contract(one) and (faults := contract.faults(one))
    }
    assert wrong == {}
    assert {operation for operation, _ in watch.labels} - {""} == set(spec.operations)
    assert {(one.host, one.path) for one in ours if not contract.has_contract(one)} == (
        contract.NO_CONTRACT
    )
    assert {*address.outcomes} >= {"challenge", "unknown_account"}, "a test's ids are invented"


def test_the_words_of_the_parts_are_those_of_the_spec():
    """The spec lists them itself, so that settings are read without what signatures need."""
    spoken = (reading.LIST, reading.DETAIL, answering.SEND, marking.ONE, marking.BULK, media.UPLOAD)
    parts = (*spoken, *sources.OPERATIONS, *pushes.OPERATIONS, *fallback.OPERATIONS)

    assert set(spec.operations) == {
        *parts, oauth.OPERATION, identity.OPERATION, *limits.OPERATIONS
    }  # fmt: skip
    assert len(spec.operations) == len(set(spec.operations))
    assert spec.topics == pushes.TOPICS


def request(path, *, method="GET", host="api", headers=None, body=b"", **query):
    given = {"Authorization": "Bearer x", "Content-Type": "application/json", **(headers or {})}
    return SimpleNamespace(
        host=host, method=method, path=path, query=tuple(query.items()), headers=given, body=body
    )


MESSAGE = "/commerce/message/v1"
IAF = {"Authorization": "IAF x", "X-EBAY-C-MARKETPLACE-ID": "EBAY_DE"}


@pytest.mark.needs_shared(contract.FOLDER)
@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        (request(f"{MESSAGE}/conversation", limit="25"), "conversation_type is missing"),
        (request(f"{MESSAGE}/conversation/101", limit="25"), "conversation_type is missing"),
        (request(f"{MESSAGE}/conversation", conversation_type="FROM_ALL"), "is none of"),
        (request(f"{MESSAGE}/conversation", conversation_type="FROM_EBAY", limit="51"), "above 50"),
        (request(f"{MESSAGE}/conversation", conversationType="FROM_EBAY"), "conversationType is"),
        (request(f"{MESSAGE}/conversations"), "no operation"),
        (request(f"{MESSAGE}/send_message", method="POST", body=b'{"text": "x"}'), "additional"),
        (request(f"{MESSAGE}/send_message", method="POST",
                 body=b'{"messageText": "' + b"x" * 2001 + b'"}'), "longer than 2000"),
        (request(f"{MESSAGE}/send_message", method="POST", body=b"{}",
                 headers={"Content-Type": "text/plain"}), "Content-Type is not"),
        (request("/post-order/v2/inquiry/search"), "no token as IAF"),
        (request("/post-order/v2/inquiry/search", headers=IAF, status="OPEN"), "status is unknown"),
        (request("/post-order/v2/inquiry/search", headers=IAF, inquiry_status="ALL"),
         "status: enum"),
        (request("/post-order/v2/return/search", headers=IAF, return_state="OPEN"), "state: enum"),
        (request("/post-order/v2/return/search", headers=IAF, role="seller"), "role: enum"),
        (request("/post-order/v2/return/search", headers=IAF, limit="201"), "limit: maximum"),
        (request("/post-order/v2/cancellation/search", headers=IAF, limit="x"), "limit: type"),
        (request("/post-order/v2/casemanagement/search", headers=IAF, offset="-1"),
         "offset: pattern"),
        (request("/post-order/v2/return/search", headers=IAF,
                 creation_date_range_from="2026-11-20T00:00:00.000Z"), "goes with"),
        (request("/post-order/v2/return/search", headers=IAF,
                 creation_date_range_from="2026-11-20T00:00:00.000Z",
                 creation_date_range_to="2026-11-19T00:00:00.000Z"), "is not before"),
        (request("/post-order/v2/return/search", headers=IAF,
                 creation_date_range_from="2026-11-20", creation_date_range_to="2026-11-21"),
         "range_from: pattern"),
        (request("/post-order/v2/return/5", headers=IAF, fieldgroups="ALL"), "fieldgroups: enum"),
        (request("/post-order/v2/inquiry/5", headers=IAF, fieldgroups="FULL"),
         "fieldgroups is unknown"),
        (request("/post-order/v2/inquiry/5/send_message", method="POST", headers=IAF,
                 body=b'{"message": "x"}'), "message: type"),
        (request("/sell/fulfillment/v1/payment_dispute_summary"), "no operation"),
        (request("/sell/fulfillment/v1/payment_dispute_summary", host="apiz", headers=IAF),
         "no token as Bearer"),
    ],
)  # fmt: skip
def test_traps_27_and_34_a_request_that_does_not_fit_is_found_out(heard, fault):
    assert any(fault in one for one in contract.faults(heard)), contract.faults(heard)
