"""The nine typed messages: offered, refused early, sent once, never taken for a reply."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date

import pytest
from aiohttp import ClientSession, web

from connectors.amazon.options import AmazonOptions
from connectors.amazon.sandbox.spapi_market import ACTIONS, Bought
from connectors.amazon.spapi import forms
from connectors.amazon.spapi.partner import Partner
from core.connector import Deed
from core.errors import BadCredentials, OutcomeUnknown, RateLimited, Refused, Unreachable
from core.model import File
from core.transport.http import Http
from tests.connectors.amazon.spapi import contract
from tests.connectors.amazon.spapi.conftest import DE, FR, NOWHERE, ORDER, QUICK

FILES = (File("invoice.pdf", b"%PDF-1.7 of ours", "application/pdf"),)
PERIOD = (date(2026, 11, 21), date(2028, 11, 20))
DEEDS = [
    Deed(ORDER, "confirmCustomizationDetails", "Engraved as you wrote.", FILES),
    Deed(ORDER, "confirmDeliveryDetails", "Is your door on the left?"),
    Deed(ORDER, "confirmOrderDetails", "One bottle in blue?"),
    Deed(ORDER, "confirmServiceDetails", "Tuesday at nine?"),
    Deed(ORDER, "unexpectedProblem", "The parcel was damaged."),
    Deed(ORDER, "digitalAccessKey", "Your key is in the file.", FILES),
    Deed(ORDER, "invoice", None, FILES),
    Deed(ORDER, "warranty", None, FILES, PERIOD),
    Deed(ORDER, "legalDisclosure", None, FILES),
]
NAMES = [deed.action for deed in DEEDS]


async def test_what_amazon_allows_is_offered_with_the_buyers_language(selling, partner, clock):
    selling.orders[ORDER].allows = ("confirmOrderDetails", "negativeFeedbackRemoval", "invoice")

    allowed = await partner.allowed(ORDER, clock())

    assert [one.name for one in allowed.actions] == ["confirmOrderDetails", "invoice"]
    assert allowed.language == "de-DE"


async def test_where_nothing_is_allowed_nothing_more_is_asked(api, selling, partner, clock):
    selling.orders[ORDER].allows = ()

    assert (await partner.allowed(ORDER, clock())).actions == ()
    assert api.calls("GetAttributes") == []


@pytest.mark.parametrize("deed", DEEDS, ids=NAMES)
async def test_each_message_is_sent_once_with_what_it_takes(selling, partner, clock, deed):
    await partner.act(deed, clock())

    (said,) = selling.said
    assert (said.order, said.action) == (ORDER, deed.action)
    assert said.files == tuple(one.content for one in deed.files)
    assert said.body.get("text") == deed.text
    names = [one["fileName"] for one in said.body.get("attachments", [])]
    assert names == [one.name for one in deed.files]


async def test_a_warranty_lasts_from_its_first_to_the_end_of_its_last_day(selling, partner, clock):
    await partner.act(DEEDS[NAMES.index("warranty")], clock())

    body = selling.said[0].body
    assert body["coverageStartDate"] == "2026-11-21T00:00:00Z"
    assert body["coverageEndDate"] == "2028-11-20T23:59:59Z"


async def test_what_is_not_allowed_now_is_not_sent(api, selling, partner, clock):
    selling.orders[ORDER].allows = ("invoice",)

    with pytest.raises(Refused, match=f"{ORDER} allows invoice now"):
        await partner.act(DEEDS[2], clock())
    assert api.calls("sendMessage") == []


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (Deed(ORDER, "reply", "Hello"), "reply is none of: confirmCustomizationDetails"),
        (Deed(ORDER, "confirmOrderDetails"), "takes 1 to 2000 characters"),
        (Deed(ORDER, "confirmOrderDetails", "  \n"), "takes 1 to 2000 characters"),
        (Deed(ORDER, "confirmOrderDetails", "x" * 2001), "takes 1 to 2000 characters"),
        (Deed(ORDER, "digitalAccessKey", "x" * 401), "takes 1 to 400 characters"),
        (Deed(ORDER, "invoice", "Here it is", FILES), "takes no text"),
        (Deed(ORDER, "invoice"), "takes 1 to 5 files"),
        (Deed(ORDER, "invoice", None, FILES * 6), "takes 1 to 5 files"),
        (Deed(ORDER, "confirmOrderDetails", "x", FILES), "takes 0 to 0 files"),
        (Deed(ORDER, "warranty", None, FILES), "needs its first and its last day"),
        (Deed(ORDER, "invoice", None, FILES, PERIOD), "takes no days"),
        (Deed(ORDER, "warranty", None, FILES, PERIOD[::-1]), "lies before the first"),
        (Deed(ORDER, "confirmOrderDetails", "<b>Hello</b>"), "HTML"),
        (Deed(ORDER, "confirmOrderDetails", "write to me@shop.example"), "mail address"),
    ],
)
async def test_what_is_known_to_be_refused_makes_no_call(api, partner, clock, deed, why):
    with pytest.raises(Refused, match=why):
        await partner.act(deed, clock())
    assert list(api.received) == []


async def test_a_sign_of_less_or_a_lone_at_is_no_html_and_no_address(selling, partner, clock):
    await partner.act(Deed(ORDER, "confirmOrderDetails", "2 < 3 pieces @ 5 EUR, ok?"), clock())

    assert len(selling.said) == 1


def test_the_nine_are_those_of_the_stand_in():
    assert sorted(forms.BY_NAME) == sorted(ACTIONS)


async def test_trap_21_a_call_names_the_one_marketplace_of_its_order(api, session, clock):
    selling = api.add_selling("eu", (DE, FR))
    selling.bought(Bought(ORDER, FR, clock()))
    partner = account(selling.options(), session, DE, FR)

    await partner.act(DEEDS[2], clock())

    assert {one.query["marketplaceIds"] for one in api.calls("sendMessage")} == {FR}
    with pytest.raises(Refused, match="Amazon knows no order 302-7654321-7654321, or not of this"):
        await partner.act(Deed("302-7654321-7654321", "confirmOrderDetails", "x"), clock())


async def test_an_unknown_order_is_refused_and_nothing_is_sent(api, partner, clock):
    with pytest.raises(Refused, match="Amazon knows no order"):
        await partner.act(Deed("302-7654321-7654321", "confirmOrderDetails", "x"), clock())
    assert api.calls("sendMessage") == []


async def test_a_refusal_tells_amazons_words_unless_they_repeat_ours(selling, partner, clock):
    selling.orders[ORDER].allows = ACTIONS
    selling.rates["sendMessage"] = (1, 5)
    text = "see x@y.z"  # the stand-in takes it for an address, we do not

    with pytest.raises(Refused) as caught:
        await partner.act(Deed(ORDER, "confirmOrderDetails", text), clock())
    assert str(caught.value) == "sendMessage at 127.0.0.1: status 400"
    assert text not in repr(caught.value)


@pytest.mark.parametrize(
    ("fault", "how", "error"),
    [
        ("status", {"status": 500}, OutcomeUnknown),
        ("status", {"status": 503}, OutcomeUnknown),
        ("status", {"status": 500, "after_work": True}, OutcomeUnknown),
        ("drop", {}, OutcomeUnknown),
        ("slow", {"delay": 30}, OutcomeUnknown),
        ("status", {"status": 429}, RateLimited),
        ("status", {"status": 403}, BadCredentials),
        ("status", {"status": 413}, Refused),
        ("status", {"status": 415}, Refused),
        ("status", {"status": 404}, Refused),
    ],
)
async def test_trap_19_what_became_of_a_message_is_told_as_it_is_and_never_tried_again(
    api, opened, clock, fault, how, error
):
    partner = opened(limits=replace(QUICK, total=3.0))
    number = api.faults.order(fault, operation="sendMessage", **how)

    with pytest.raises(error):
        await partner.act(DEEDS[2], clock())
    # A refused token is renewed: with it nothing can have been sent.
    assert api.faults.orders[number].hits == (2 if error is BadCredentials else 1)


async def test_a_message_whose_token_had_ended_is_sent_once(api, selling, partner, clock):
    await partner.allowed(ORDER, clock())
    selling.end_tokens()

    await partner.act(DEEDS[2], clock())

    assert len(selling.said) == 1


@pytest.mark.parametrize(
    ("fault", "operation", "how", "error"),
    [
        ("status", "createUploadDestination", {"status": 500}, Unreachable),
        ("drop", "createUploadDestination", {}, Unreachable),
        ("truncated", "createUploadDestination", {}, Refused),
        ("status", "putFile", {"status": 500}, Unreachable),
        ("status", "putFile", {"status": 403}, Refused),
    ],
)
async def test_a_file_that_does_not_arrive_is_no_message_sent(
    api, partner, clock, fault, operation, how, error
):
    api.faults.order(fault, operation=operation, **how)

    with pytest.raises(error):
        await partner.act(DEEDS[6], clock())
    assert api.calls("sendMessage") == []


async def test_a_reply_to_a_buyer_is_none_of_these(partner):
    assert not hasattr(partner, "reply")  # trap 1: the Messaging API answers nobody


# Against Amazon's own model


@asynccontextmanager
async def recorded(before):
    """A server that hands everything on to *before*, and keeps it: (method, path, body)."""
    seen = []
    async with ClientSession(auto_decompress=False) as session:

        async def take(request):
            body = await request.read()
            seen.append((request.method, request.raw_path, body))
            async with session.request(
                request.method, f"{before}{request.raw_path}", data=body, headers=request.headers
            ) as answer:
                raw, form = await answer.read(), answer.content_type
                return web.Response(status=answer.status, body=raw, content_type=form)

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", take)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            yield f"http://{host}:{port}", seen
        finally:
            await runner.cleanup()


def account(sp_api, session, *marketplaces):
    found = AmazonOptions(
        user="shop", password="p", imap=NOWHERE, smtp=NOWHERE, sender="support@shop.example",
        marketplaces=marketplaces, sp_api=sp_api,
    )  # fmt: skip
    return Partner(found, found.sp_api, Http(session, limits=QUICK))


@pytest.mark.needs_shared(contract.FILE)
async def test_every_request_about_messages_fits_amazons_own_model(selling, session, clock):
    model = contract.load()
    base = selling.options()["base_url"]
    async with recorded(base) as (url, seen):
        partner = account({**selling.options(), "base_url": url}, session, DE)
        await partner.allowed(ORDER, clock())
        for deed in DEEDS:
            clock.advance(minutes=1)
            for bucket in partner._calls._paces.values():
                bucket._left = bucket.burst
            await partner.act(deed, clock())
        await asyncio.sleep(0)

    about = [one for one in seen if one[1].startswith("/messaging/")]
    used = {
        contract.operation_of(model, m, p.partition("?")[0])[0]["operationId"] for m, p, _ in about
    }
    everything = {o["operationId"] for path in model["paths"].values() for o in path.values()}
    assert used == everything
    for method, path, body in about:
        assert contract.faults(model, method, path, body) == []


@pytest.mark.needs_shared(contract.FILE)
def test_the_model_refuses_what_it_should():
    model = contract.load()
    path = f"/messaging/v1/orders/{ORDER}/messages/confirmOrderDetails"

    assert contract.faults(model, "POST", path, b'{"text": "x"}') == ["marketplaceIds is missing"]
    url = f"{path}?marketplaceIds={DE},{FR}&x=1"
    assert contract.faults(model, "POST", url, b'{"txt": "x"}') == [
        "marketplaceIds names too many", "body.txt is unknown", "x is unknown",
    ]  # fmt: skip
    long = b'{"text": "%s"}' % (b"x" * 2001)
    url = f"{path}?marketplaceIds={DE}"
    assert contract.faults(model, "POST", url, long) == ["body.text has 2001 characters"]
    assert contract.faults(model, "GET", "/messaging/v2/x", b"") == [
        "no operation GET /messaging/v2/x"
    ]


@pytest.mark.needs_shared(contract.FILE)
def test_each_limit_is_that_of_amazons_own_model():
    model = contract.load()
    for template, operations in model["paths"].items():
        name = template.rpartition("/messages/")[2]
        if "post" not in operations:
            continue
        (body,) = [p for p in operations["post"]["parameters"] if p["in"] == "body"]
        told = model["definitions"][body["schema"]["$ref"].rpartition("/")[2]]["properties"]
        form, text, files = forms.BY_NAME[name], told.get("text"), told.get("attachments")
        assert form.text == ((text["minLength"], text["maxLength"]) if text else (0, 0)), name
        assert form.files[1] == (files["maxLength"] if files else 0), name
        assert form.files[0] >= (files.get("minLength", 0) if files else 0), name
        assert form.has_period == ("coverageStartDate" in told), name
